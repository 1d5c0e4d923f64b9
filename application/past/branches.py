"""Branches: a document of its own that starts from any revision of another, and comes back by a merge.

Both keep whose the text is: a branch knows who wrote what it started from, and after the merge those who
edited the branch have written what they wrote. A branch may be merged again and again, each time with what
was edited there since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from application.documents import Documents
from application.log import Recorded
from application.past.blame import PAGE_EDITS, Blame
from application.past.revising import RETRY_AFTER_SECONDS, Outrun, Revising
from application.past.states import RevisionReader
from domain.attribution import Run, as_copied
from domain.branching import Merging, changed
from domain.document import BRANCH, MERGE, Document, DocumentState, EditApplied, LastEdit
from domain.errors import Conflict, LimitReached, RevisionAhead
from domain.ids import document_stream
from domain.text_op import Op

# How many edits may have come since a branch was made: to read and transform over so many takes seconds.
MERGE_EDITS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Branch:
    """`document` started from the text of `revision` of `source`."""

    document: str
    source: str
    revision: int


class Branches:
    """All methods raise `NotFound`, `StoreUnavailable`; those that change something also `Forbidden`,
    `Contended`, `Overloaded`.
    """

    def __init__(
        self,
        documents: Documents,
        states: RevisionReader,
        blame: Blame,
        revising: Revising,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._documents = documents
        self._states = states
        self._blame = blame
        self._revising = revising
        self._now = now

    async def start(
        self, room: str, document: str, revision: int, branch: str, *, actor: str
    ) -> Recorded | None:
        """Make the document `branch` out of the text of a revision; None when it is that branch already.

        Raises `RevisionAhead`, `Conflict` when there is a document `branch` that something was written in,
        or it is the document itself, and as `Documents.create`.
        """
        if branch == document:
            raise Conflict("a document is no branch of itself")
        state = await self._state(room, document, revision)
        runs = await self._blame.runs(document_stream(room, document), revision)
        await self._documents.create(room, branch, actor=actor)
        starting = _Starting(document, state, runs, actor=actor, at=self._now())
        return await self._revising.submit(room, branch, starting, actor=actor)

    async def find(self, room: str, document: str) -> Branch | None:
        """What `document` is a branch of, None for one that began empty."""
        present = await self._documents.get(room, document)
        begun = await self._documents.edits_between(present, 0, min(1, present.revision))
        return _as_branch(document, begun[0]) if begun else None

    async def get(self, room: str, document: str) -> Branch:
        """The same; raises `Conflict` for one that is no branch."""
        found = await self.find(room, document)
        if found is None:
            raise Conflict("this document is no branch of another")
        return found

    async def merge(self, room: str, branch: str, *, actor: str) -> Recorded | None:
        """Bring what was edited in `branch` into the document that it has left; None when nothing is new.

        Raises `Conflict` when it is no branch, `LimitReached` when too much has come since,
        `DocumentTooLarge`.
        """
        found = await self.get(room, branch)
        merging = _Bringing(
            room,
            found,
            (await self._documents.get(room, branch)).revision,
            documents=self._documents,
            states=self._states,
            blame=self._blame,
            actor=actor,
            at=self._now(),
        )
        return await self._revising.submit(room, found.source, merging, actor=actor)

    async def _state(self, room: str, document: str, revision: int) -> DocumentState:
        present = await self._documents.get(room, document)
        state = await self._states.at_revision(present.id, revision)
        if state is None:
            raise RevisionAhead("there is no such revision yet", revision=present.revision)
        return state


def _as_branch(document: str, begun: EditApplied) -> Branch | None:
    if begun.cause != BRANCH or begun.source is None:
        return None
    source, revision = begun.source
    return Branch(document, str(source), int(revision))


class _Starting:
    """A `Decision`: the first edit of a branch."""

    def __init__(
        self, source: str, state: DocumentState, runs: Sequence[Run], *, actor: str, at: datetime
    ) -> None:
        self._source = source
        self._state = state
        self._runs = runs
        self._actor = actor
        self._at = at

    async def read(self, document: Document) -> None:
        """Nothing: what it starts from does not change."""

    def decide(self, head: Document, last: LastEdit | None) -> None:
        if head.revision:
            begun = head.edits_since(0)[0] if head.window_start == 0 else None
            if begun and _as_branch("", begun) == Branch("", self._source, self._state.revision):
                return
            raise Conflict("there is a document of this name")
        head.revise(
            [self._state.text] if self._state.text else [],
            actor=self._actor,
            at=self._at,
            cause=BRANCH,
            origins=[as_copied(run, self._source) for run in self._runs],
            source=(self._source, self._state.revision),
            last=last,
        )


class _Bringing:
    """A `Decision`: a merge of a branch as it is at `until`."""

    def __init__(
        self,
        room: str,
        branch: Branch,
        until: int,
        *,
        documents: Documents,
        states: RevisionReader,
        blame: Blame,
        actor: str,
        at: datetime,
    ) -> None:
        self._stream = document_stream(room, branch.document)
        self._branch = branch
        self._until = until
        self._documents = documents
        self._states = states
        self._blame = blame
        self._actor = actor
        self._at = at
        self._op: Op | None = None
        self._base = 0
        self._origins: list[list[int | str]] = []

    async def read(self, document: Document) -> None:
        self._op = None
        base, until = self._branch.revision, document.revision
        if until - base > MERGE_EDITS:
            raise LimitReached("too much has been edited since", limit=MERGE_EDITS)
        merges = await self._merges(document, base, until)
        stations = [1, *(merges[revision] for revision in sorted(merges))]
        if stations[-1] >= self._until:
            return
        ops = [
            await self._changed(old, new)
            for old, new in zip(stations, [*stations[1:], self._until], strict=True)
        ]
        merging = Merging(ops)
        for after in range(base, until, PAGE_EDITS):
            for edit in await self._documents.edits_between(document, after, min(after + PAGE_EDITS, until)):
                if edit.revision in merges:
                    merging.pass_merge()
                else:
                    merging.pass_edit(edit.op)
            await asyncio.sleep(0)
        self._op, self._base = merging.op, until

    async def _merges(self, document: Document, base: int, until: int) -> dict[int, int]:
        """The merges of this branch so far: the branch's revision by that of the document."""
        merges: dict[int, int] = {}
        for after in range(base, until, PAGE_EDITS):
            for edit in await self._documents.edits_between(document, after, min(after + PAGE_EDITS, until)):
                if (merged := self._merged_by(edit)) is not None:
                    merges[edit.revision] = merged
            await asyncio.sleep(0)
        return merges

    def _merged_by(self, edit: EditApplied) -> int | None:
        """The branch's revision up to which `edit` has merged it."""
        if edit.cause != MERGE or edit.source is None or edit.source[0] != self._branch.document:
            return None
        return int(edit.source[1])

    async def _changed(self, old: int, new: int) -> Op:
        """What was edited in the branch from one revision to another, and, of the last, whose it is."""
        state = await self._states.at_revision(self._stream, new)
        assert state is not None
        before = await self._blame.runs(self._stream, old)
        after = await self._blame.runs(self._stream, new)
        found = changed(before, after, state.text)
        self._origins = [self._as_origin(run) for run in found.inserted]
        return found.op

    def _as_origin(self, run: Run) -> list[int | str]:
        """A text that came from the document itself is of its own."""
        length, document, revision, offset = as_copied(run, self._branch.document)
        return [length, "" if document == self._branch.source else document, revision, offset]

    def decide(self, head: Document, last: LastEdit | None) -> None:
        if self._op is None:
            return
        merging = Merging([self._op])
        for edit in head.edits_since(self._base):
            if self._merged_by(edit) is not None:
                raise Outrun("somebody else has merged it", retry_after=RETRY_AFTER_SECONDS)
            merging.pass_edit(edit.op)
        head.revise(
            merging.op,
            actor=self._actor,
            at=self._at,
            cause=MERGE,
            origins=self._origins,
            source=(self._branch.document, self._until),
            last=last,
        )
