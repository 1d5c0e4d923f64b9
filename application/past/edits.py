"""The edits of a document as the past is read: page by page, onwards or back, so that others get their turn
and a long history takes no more memory than a short one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from domain.document import EditApplied

# Two milliseconds of reading, and about as much again for what is done with them.
PAGE_EDITS: Final = 500


class EditsReader(Protocol):
    """Reads edits from the log. Raises `StoreUnavailable`."""

    async def edits(self, stream: str, after: int, until: int) -> Sequence[EditApplied]:
        """The edits of revisions `after + 1` to `until`, which there are, oldest first."""
        ...


class Progress(NamedTuple):
    """How far something has come that takes long, in edits."""

    done: int
    all: int


def pages(after: int, until: int) -> Iterator[tuple[int, int]]:
    """What to ask for of the edits of revisions `after + 1` to `until`, one page after the other."""
    for start in range(after, until, PAGE_EDITS):
        yield start, min(start + PAGE_EDITS, until)


def page_before(until: int) -> int:
    """Behind which revision the page begins that ends with revision `until`."""
    return max(until - PAGE_EDITS, 0)
