"""Restore: the text of a past revision, brought back by one ordinary edit.

Whatever comes while it is on its way stays, as beside any edit; it can be taken back; and what it brings back
is still known to be of those who first wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from application.log import Recorded
from application.past.blame import Blame
from application.past.diff import Differ, op_between
from application.past.revising import Revising
from application.past.states import RevisionReader
from domain.attribution import Run, as_copied, cut
from domain.document import RESTORE, Document, LastEdit
from domain.errors import RevisionAhead
from domain.text_op import Components, Op, transform


class Restore:
    def __init__(
        self,
        states: RevisionReader,
        blame: Blame,
        differ: Differ,
        revising: Revising,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._states = states
        self._blame = blame
        self._differ = differ
        self._revising = revising
        self._now = now

    async def restore(self, room: str, document: str, revision: int, *, actor: str) -> Recorded | None:
        """Make the text what it was at `revision`; None when it is.

        Raises `NotFound`, `RevisionAhead`, `Forbidden`, `DocumentTooLarge`, `Contended`, `Overloaded`,
        `StoreUnavailable`.
        """
        restoring = _Restoring(
            revision,
            states=self._states,
            blame=self._blame,
            differ=self._differ,
            actor=actor,
            at=self._now(),
        )
        return await self._revising.submit(room, document, restoring, actor=actor)


class _Restoring:
    """A `Decision`."""

    def __init__(
        self,
        revision: int,
        *,
        states: RevisionReader,
        blame: Blame,
        differ: Differ,
        actor: str,
        at: datetime,
    ) -> None:
        self._revision = revision
        self._states = states
        self._blame = blame
        self._differ = differ
        self._actor = actor
        self._at = at
        self._op: Op = []
        self._base = 0
        self._origins: list[list[int | str]] = []

    async def read(self, document: Document) -> None:
        old = await self._states.at_revision(document.id, self._revision)
        if old is None:
            raise RevisionAhead("there is no such revision yet", revision=document.revision)
        runs = await self._blame.runs(document.id, self._revision)
        # No await between these two: they are of one moment.
        self._base, text = document.revision, str(document.text)
        self._op = await op_between(self._differ, text, old.text)
        self._origins = [as_copied(run) for run in inserted_runs(self._op, runs)]

    def decide(self, head: Document, last: LastEdit | None) -> None:
        if not self._op:
            return
        op = self._op
        for edit in head.edits_since(self._base):
            op = transform(op, edit.op, "left")
        head.revise(
            op,
            actor=self._actor,
            at=self._at,
            cause=RESTORE,
            origins=self._origins,
            source=("", self._revision),
            last=last,
        )


def inserted_runs(op: Components, runs: Sequence[Run]) -> Iterator[Run]:
    """Whose the text is that `op` inserts, when `runs` are those of the text that it makes."""
    position = 0
    for component in op:
        if isinstance(component, int):
            position += component
        elif isinstance(component, str):
            yield from cut(runs, position, position + len(component))
            position += len(component)
