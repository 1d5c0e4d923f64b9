"""What can be done with a document's revisions: save, name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from application.live import LiveAggregates
from application.log import Recorded
from application.rooms import guard
from domain import revisions as domain
from domain.ids import revisions_stream
from domain.rights import Action


class Revisions:
    def __init__(self, lives: LiveAggregates, *, now: Callable[[], datetime]) -> None:
        self._lives = lives
        self._now = now

    def save(
        self, room: str, document: str, revision: int, *, name: str | None, actor: str
    ) -> asyncio.Future[Sequence[Recorded]]:
        """Mark a revision that the document has reached. The same once more adds nothing.

        The future raises `NotFound`, `Forbidden`, `TextInvalid`, `LimitReached`, `Contended`, `Overloaded`,
        `StoreUnavailable`.
        """
        at = self._now()

        def decide(head: domain.Revisions | None) -> domain.Revisions:
            revisions = head or domain.Revisions.begin(room, document, actor=actor, at=at)
            revisions.save(revision, name, actor=actor, at=at)
            return revisions

        may_edit = guard(room, actor, Action.EDIT)
        return self._lives.submit(revisions_stream(room, document), decide, guard=may_edit)
