"""The documents of one room as a session needs them: to open, and to move everybody's cursors in."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from application.documents import Documents
from domain.document import Document, HistoryNeeded
from domain.errors import NotFound, RevisionAhead
from interfaces.ws.roster import Roster


class Positions:
    """Positions in the texts of one room. Has no state."""

    __slots__ = ("_documents", "_room")

    def __init__(self, documents: Documents, room: str) -> None:
        self._documents = documents
        self._room = room

    async def document(self, name: str) -> Document:
        """A document that somebody has open: it may have left the memory when nobody edited it.

        Raises `NotFound`, `StoreUnavailable`.
        """
        return self._documents.find(self._room, name) or await self._documents.get(self._room, name)

    async def read_for(self, roster: Roster) -> None:
        """Have in memory what everybody's cursor can be moved over at once when it is told.

        Raises `StoreUnavailable`.
        """
        for name in roster.documents():
            with suppress(NotFound):
                document = await self.document(name)
                await roster.bring_up(name, partial(self._documents.moved, document))

    def moved(self, name: str, revision: int, selection: Sequence[int]) -> tuple[int, Sequence[int]] | None:
        """See `roster.Moved`."""
        document = self._documents.find(self._room, name)
        if document is None:
            return None
        try:
            places = self._documents.moved_in_window(document, revision, selection)
        except (RevisionAhead, HistoryNeeded):
            return None
        return document.revision, places
