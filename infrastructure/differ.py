"""Compares texts, and keeps the server free while it does: what is small at once, the rest beside it.

The library does not let go of Python's lock, so a thread would stop everybody as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson

from application.past.diff import Change, ChangedLines, Comparison
from domain.text_op import common_ends
from infrastructure.aside import Aside, AsideFailed
from infrastructure.comparing import Range, compare

# What differs in two texts is compared at once up to this many code points, of both together: half a
# millisecond, and two for texts made to be slow. More is compared beside the server, which takes longer by
# the way there.
AT_ONCE_CODE_POINTS: Final = 2_048

# What people write takes hundredths of a second; the largest texts of nothing but two lines in any order take
# five. What takes longer comes out as one replacement.
COMPARE_SECONDS: Final = 3.0

# Lines that repeat let a change stand some lines earlier or later, and the best place is chosen. So many that
# are equal at both ends are left for that; the others are not compared.
LINES_AROUND: Final = 10


Ranges = Sequence[tuple[Range, Sequence[Range]]]
"""Changed lines, each with the words changed in them."""


class LibraryDiffer:
    """A `Differ`. Whoever makes one closes it."""

    def __init__(self, compare_seconds: float = COMPARE_SECONDS) -> None:
        self._compare_seconds = compare_seconds
        self._aside = Aside("infrastructure.comparing")

    async def compare(self, old: str, new: str) -> Comparison:
        head, tail = _ends(old, new)
        changed, is_coarse = await self._compare(old[head : len(old) - tail], new[head : len(new) - tail])
        return as_comparison(changed, is_coarse, head)

    async def _compare(self, old: str, new: str) -> tuple[Ranges, bool]:
        if len(old) + len(new) <= AT_ONCE_CODE_POINTS:
            return compare(old, new)
        try:
            found = await self._aside.ask(orjson.dumps((old, new)), self._compare_seconds)
        except AsideFailed:
            whole = (0, len(old), 0, len(new))
            return [(whole, [whole])], True
        changed, is_coarse = orjson.loads(found)
        return changed, is_coarse

    async def close(self, _: object = None) -> None:
        """End what runs beside."""
        await self._aside.close()


def as_comparison(changed: Ranges, is_coarse: bool, head: int = 0) -> Comparison:
    """What was found in texts without their first `head` code points."""
    return Comparison(
        [
            ChangedLines(_change(lines, head), [_change(word, head) for word in words])
            for lines, words in changed
        ],
        is_coarse,
    )


def _change(found: Range, head: int) -> Change:
    return Change(*(place + head for place in found))


def _ends(old: str, new: str) -> tuple[int, int]:
    """How much the texts have in common at both ends, in whole lines, without the lines around."""
    head, tail = common_ends(old, new)
    for _ in range(LINES_AROUND + 1):
        head = max(old.rfind("\n", 0, head), 0)
    end = len(old) - tail
    for _ in range(LINES_AROUND + 1):
        end = old.find("\n", end) + 1 or len(old)
    return (head + 1 if head else 0), len(old) - end
