"""One emoji, as Unicode recommends it for general interchange (UTS #51), by the `emoji` package's data."""

from __future__ import annotations

from typing import Final

from emoji import EMOJI_DATA, STATUS

from domain.limits import EMOJI_CODE_POINTS

_PRESENTATION: Final = "\ufe0f"

_QUALIFIED: Final = {
    value.replace(_PRESENTATION, ""): value
    for value, data in EMOJI_DATA.items()
    if data["status"] == STATUS["fully_qualified"]
}
"""Fully qualified emoji, by what is left of them without presentation selectors."""


def as_emoji(value: str) -> str | None:
    """`value` fully qualified when it is exactly one emoji, if need be without its presentation selectors;
    otherwise None. A skin tone or half a flag alone is no emoji.
    """
    if len(value) > EMOJI_CODE_POINTS:
        return None
    return _QUALIFIED.get(value.replace(_PRESENTATION, ""))
