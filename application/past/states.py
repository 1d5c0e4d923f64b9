"""How a document was at a moment, whichever way the moment is named: by a revision, its name, a time, or a
place in the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol, assert_never

from domain.document import DocumentState
from domain.errors import NotFound
from domain.ids import document_stream
from domain.names import as_name


class AtRevision(NamedTuple):
    """After so many edits."""

    revision: int


class AtName(NamedTuple):
    """At the revision that has this name now."""

    name: str


class AtTime(NamedTuple):
    """At a moment of the server's clock."""

    at: datetime


class AtPosition(NamedTuple):
    """When the log had come to this notification id."""

    position: int


Moment = AtRevision | AtName | AtTime | AtPosition | None
"""None: now."""

BEGINNING = AtRevision(0)


class RevisionReader(Protocol):
    async def at_revision(self, stream: str, revision: int) -> DocumentState | None:
        """The state after the first `revision` edits, None when there have not been as many. Raises
        `StoreUnavailable`.
        """
        ...


class StatesReader(RevisionReader, Protocol):
    async def now(self, stream: str) -> DocumentState | None:
        """The newest state, None when there is no such document. Raises `StoreUnavailable`."""
        ...


class PastStates(StatesReader, Protocol):
    """Past states from the log; None where there is none. All raise `StoreUnavailable`."""

    async def at_time(self, stream: str, at: datetime) -> DocumentState | None: ...

    async def at_position(self, stream: str, position: int) -> DocumentState | None: ...


class NamedRevisions(Protocol):
    """The names of a document's revisions."""

    async def names(self, room: str, document: str) -> Mapping[str, int]:
        """The revision that each name is of now. Raises `StoreUnavailable`."""
        ...


class States:
    def __init__(self, past: PastStates, names: NamedRevisions) -> None:
        self._past = past
        self._names = names

    async def get(self, room: str, document: str, moment: Moment = None) -> DocumentState:
        """Raises `NotFound` when there was no such document, or there is no such revision or name;
        `StoreUnavailable`.
        """
        found = await self._find(room, document, moment)
        if found is None:
            raise NotFound(_why_not(moment))
        return found

    async def at_revision(self, room: str, document: str, revision: int) -> DocumentState:
        return await self.get(room, document, AtRevision(revision))

    async def _find(self, room: str, document: str, moment: Moment) -> DocumentState | None:
        stream = document_stream(room, document)
        match moment:
            case None:
                return await self._past.now(stream)
            case AtRevision(revision):
                return await self._past.at_revision(stream, revision)
            case AtTime(at):
                return await self._past.at_time(stream, at)
            case AtPosition(position):
                return await self._past.at_position(stream, position)
            case AtName(name):
                named = await self._revision_named(room, document, name)
                return None if named is None else await self._past.at_revision(stream, named)
            case _:
                assert_never(moment)

    async def _revision_named(self, room: str, document: str, name: str) -> int | None:
        normal = as_name(name)
        return None if normal is None else (await self._names.names(room, document)).get(normal)


def _why_not(moment: Moment) -> str:
    match moment:
        case None:
            return "there is no such document"
        case AtRevision():
            return "there is no such document, or it has not had so many edits"
        case AtName():
            return "there is no such document, or none of its revisions has that name"
        case AtTime() | AtPosition():
            return "there is no such document, or not yet at that moment"
        case _:
            assert_never(moment)
