"""How a moment of a document's past is written where one word says it all: `17` (a revision), `name:First`,
`position:4711` (a place in the log), `2026-11-23T14:05:00+01:00`, or `now`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from application.past.states import AtName, AtPosition, AtRevision, AtTime, Moment
from domain.limits import INTEGER_MAX
from domain.names import as_name

SYNTAX: Final = "a revision (17), name:NAME, position:N, a time (2026-11-23T14:05:00+01:00) or now"


def as_moment(text: str, as_time: Callable[[str], datetime]) -> Moment:
    """Raises `ValueError` for what is none, and so does `as_time`, which reads what is none of the others."""
    kind, colon, rest = text.partition(":")
    if text == "now":
        return None
    if _is_whole(text):
        return AtRevision(int(text))
    if colon and kind == "name":
        if as_name(rest) is None:
            raise ValueError("no name: 1 to 64 characters that can be seen")
        return AtName(rest)
    if colon and kind == "position" and _is_whole(rest):
        return AtPosition(int(rest))
    try:
        return AtTime(as_time(text))
    except ValueError:
        raise ValueError(f"no moment: {SYNTAX}") from None


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 16 and int(text) <= INTEGER_MAX
