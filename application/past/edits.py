"""The edits of a document as the past is read: page by page, onwards or back, so that others get their turn
and a long history takes no more memory than a short one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final, NamedTuple, Protocol

from domain.document import DocumentState, EditApplied

# Two milliseconds of reading, and about as much again for what is done with them.
PAGE_EDITS: Final = 500


class EditsReader(Protocol):
    """Reads edits from the log. Raises `StoreUnavailable`."""

    async def edits(self, stream: str, after: int, until: int) -> Sequence[EditApplied]:
        """The edits of revisions `after + 1` to `until`, which there are, oldest first."""
        ...


class StatesReader(Protocol):
    """Reads a document's text from the log. Both raise `StoreUnavailable`; None: there is no such text."""

    async def now(self, stream: str) -> DocumentState | None: ...

    async def at_revision(self, stream: str, revision: int) -> DocumentState | None: ...


class Progress(NamedTuple):
    """How far something has come that takes long, in edits."""

    done: int
    all: int


async def onwards(
    reader: EditsReader, stream: str, after: int, until: int
) -> AsyncIterator[Sequence[EditApplied]]:
    """The edits of revisions `after + 1` to `until`, oldest first."""
    for start in range(after, until, PAGE_EDITS):
        yield await reader.edits(stream, start, min(start + PAGE_EDITS, until))


async def back(reader: EditsReader, stream: str, until: int) -> AsyncIterator[Sequence[EditApplied]]:
    """The edits of revision `until` and before, newest first."""
    for end in range(until, 0, -PAGE_EDITS):
        yield (await reader.edits(stream, max(end - PAGE_EDITS, 0), end))[::-1]
