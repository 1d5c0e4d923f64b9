"""What can be done with a document's revisions: save, name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from application.documents import Documents
from application.live import LiveAggregates
from application.log import Recorded
from application.rooms import guard
from domain import revisions as domain
from domain.ids import revisions_stream
from domain.rights import Action


class Revisions:
    def __init__(self, lives: LiveAggregates, documents: Documents, *, now: Callable[[], datetime]) -> None:
        self._lives = lives
        self._documents = documents
        self._now = now

    async def save(
        self, room: str, document: str, revision: int, *, name: str | None, actor: str
    ) -> asyncio.Future[Sequence[Recorded]]:
        """Mark a revision that the document has reached. The same once more adds nothing.

        Raises `NotFound`, `RevisionAhead`, `Contended`, `StoreUnavailable` for one that it has not. The
        future raises `NotFound`, `Forbidden`, `TextInvalid`, `LimitReached`, `Contended`, `Overloaded`,
        `StoreUnavailable`.
        """
        await self._documents.reached(room, document, revision)
        at = self._now()

        def decide(head: domain.Revisions | None) -> domain.Revisions:
            revisions = head or domain.Revisions.begin(room, document, actor=actor, at=at)
            revisions.save(revision, name, actor=actor, at=at)
            return revisions

        may_edit = guard(room, actor, Action.EDIT)
        return self._lives.submit(revisions_stream(room, document), decide, guard=may_edit)

    async def names(self, room: str, document: str) -> Mapping[str, int]:
        """The revision that each name is of now. Raises `StoreUnavailable`."""
        found = await self._lives.get(revisions_stream(room, document))
        return dict(found.names) if found is not None else {}

    async def saved(self, room: str, document: str, after: int, limit: int) -> Sequence[domain.RevisionSaved]:
        """What was saved behind version `after` of the document's revisions, at most `limit`, oldest first.

        Raises `StoreUnavailable`.
        """
        first = max(after, 1)  # how it began is no save
        found = await self._lives.history.recorded(revisions_stream(room, document), first, limit=limit)
        return [recorded.event for recorded in found if isinstance(recorded.event, domain.RevisionSaved)]
