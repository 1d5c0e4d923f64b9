"""Names of people, as they stand on one line of a screen beside what they wrote."""

from __future__ import annotations

import unicodedata
from typing import Final

from domain.limits import NAME_CODE_POINTS

# Vietnamese needs two marks on a letter, polytonic Greek three; a heap of them runs over the lines around.
MARKS_IN_A_ROW: Final = 4

# Letters and symbols without any ink: fillers for Hangul, and an empty Braille cell.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def as_name(text: str) -> str | None:
    """`text` in the one form in which it is kept (NFC, no space around it); None when it is no good name.

    A good name is seen as it is: nothing in it is invisible, ends the line or reverses its direction.
    """
    if len(text) > 4 * NAME_CODE_POINTS:  # composed it may fit, but not so long a text
        return None
    name = unicodedata.normalize("NFC", text).strip()
    if not 0 < len(name) <= NAME_CODE_POINTS or not name.isprintable() or not _BLANK.isdisjoint(name):
        return None
    return None if _marks_in_a_row(name) > MARKS_IN_A_ROW else name


def _marks_in_a_row(name: str) -> int:
    """The length of the longest run of combining marks."""
    longest = marks = 0
    for character in name:
        marks = marks + 1 if unicodedata.category(character).startswith("M") else 0
        longest = max(longest, marks)
    return longest
