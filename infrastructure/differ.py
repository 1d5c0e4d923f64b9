"""Compares texts, and keeps the server free while it does: what is small at once, the rest beside it."""

from __future__ import annotations

from application.past.diff import Change, ChangedLines, Comparison
from domain.text_op import common_ends
from infrastructure.comparing import Range, compare

# Lines that repeat let a change stand some lines earlier or later, and the best place is chosen. So many that
# are equal at both ends are left for that; the others are not compared.
LINES_AROUND = 50


class LibraryDiffer:
    """A `Differ`."""

    async def compare(self, old: str, new: str) -> Comparison:
        head, tail = _ends(old, new)
        changed, is_coarse = compare(old[head : len(old) - tail], new[head : len(new) - tail])
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
