"""What can be told of runs: that one has started, and how it has finished."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from application.documents import Documents
from application.live import LiveAggregates
from application.log import Recorded
from application.rooms import guard
from domain.errors import NotFound
from domain.ids import run_stream
from domain.rights import Action
from domain.run import Outcome, Run


class Runs:
    """Every future raises `NotFound`, `Forbidden`, `IdReused`, `Contended`, `Overloaded`, or
    `StoreUnavailable`.
    """

    def __init__(self, lives: LiveAggregates, documents: Documents, *, now: Callable[[], datetime]) -> None:
        self._lives = lives
        self._documents = documents
        self._now = now

    async def start(
        self,
        room: str,
        run: str,
        *,
        client: str,
        title: str,
        document: str | None,
        revision: int | None,
        actor: str,
    ) -> asyncio.Future[Sequence[Recorded]]:
        """`client` runs something, under its own id `run`. Told once more it adds nothing.

        Raises `NotFound`, `RevisionAhead`, `Contended`, `StoreUnavailable` for what is no revision of the
        document.
        """
        if document is not None:
            await self._documents.reached(room, document, revision or 0)
        at = self._now()

        def decide(head: Run | None) -> Run:
            if head is not None:
                head.check_resend(client=client, title=title, document=document, revision=revision)
                return head
            return Run.start(
                room,
                run,
                client=client,
                title=title,
                document=document,
                revision=revision,
                actor=actor,
                at=at,
            )

        may_edit = guard(room, actor, Action.EDIT)
        return self._lives.submit(run_stream(room, run), decide, is_new=True, guard=may_edit)

    def finish(
        self, room: str, run: str, outcome: Outcome, exit_code: int | None, *, client: str, actor: str
    ) -> asyncio.Future[Sequence[Recorded]]:
        """The run has come to its end."""
        at = self._now()

        def decide(head: Run | None) -> Run:
            if head is None:
                raise NotFound("there is no such run")
            head.finish(outcome, exit_code, client=client, actor=actor, at=at)
            return head

        may_edit = guard(room, actor, Action.EDIT)
        return self._lives.submit(run_stream(room, run), decide, guard=may_edit)

    async def get(self, room: str, run: str) -> Run:
        """The live, committed run. Raises `NotFound`, `StoreUnavailable`."""
        found = await self._lives.get(run_stream(room, run))
        if found is None:
            raise NotFound("there is no such run")
        assert isinstance(found, Run)
        return found
