"""Names of people and titles of rooms: one line that looks the same to everybody.

A name stands beside other names, in lists, over cursors and in messages about rights, so it must not hold
what changes how its surroundings look (directional overrides), what cannot be seen (zero-width characters),
or more marks on a letter than fit a line. Letters that only look like others are allowed: scripts are no
crime, and the user's id, which nobody can imitate, is always told with the name.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from domain.errors import TextInvalid
from domain.limits import NAME_CODE_POINTS

# Two are ordinary in Vietnamese, three occur; more only cover the lines above and below.
MARKS_IN_A_ROW: Final = 4

# Control and format characters, surrogates, private use, unassigned, line and paragraph separators.
_REFUSED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS: Final = frozenset({"Mn", "Me"})

# Letters, marks and a symbol by their categories, and nothing to see: the joiner, fillers, Mongolian and
# supplementary variation selectors (those of emoji stay: they show), the empty braille cell.
_UNSEEN: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
) | frozenset(map(chr, range(0xE0100, 0xE01F0)))


def normal_name(value: str) -> str:
    """`value` in its one stored form: NFC, blanks single and none at the ends.

    Raises `TextInvalid` for what is empty, too long, or holds what a name must not.
    """
    # Longer than this it would be too long in any form: composing never makes less of it than a quarter.
    if len(value) > 4 * NAME_CODE_POINTS:
        raise TextInvalid("the name is too long", limit=NAME_CODE_POINTS)
    categories = [unicodedata.category(character) for character in value]
    if not _REFUSED.isdisjoint(categories) or not _UNSEEN.isdisjoint(value):
        raise TextInvalid("a name holds only what can be seen")
    name = unicodedata.normalize("NFC", " ".join(value.split()))
    if not 1 <= len(name) <= NAME_CODE_POINTS:
        raise TextInvalid("a name has 1 to 64 characters", limit=NAME_CODE_POINTS)
    if unicodedata.category(name[0]).startswith("M"):
        raise TextInvalid("a name's first mark has no letter of its own")  # it would go onto what is before
    marks = 0
    for character in name:
        marks = marks + 1 if unicodedata.category(character) in _MARKS else 0
        if marks > MARKS_IN_A_ROW:
            raise TextInvalid("too many marks on one letter", limit=MARKS_IN_A_ROW)
    return name


def as_name(text: str) -> str | None:
    """The same, None for what is no name."""
    try:
        return normal_name(text)
    except TextInvalid:
        return None
