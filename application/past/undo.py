"""Undo: one's own edits, step by step; or any others, wherever they are in the past of a document."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from application.documents import Documents
from application.log import Recorded
from application.past.blame import PAGE_EDITS, Blame
from application.past.revising import ATTEMPTS, RETRY_AFTER_SECONDS, Outrun, Revising
from domain.document import REDO, TYPED, UNDO, Document, EditApplied, HistoryNeeded, LastEdit, Ranges
from domain.errors import BadFrame, Contended, LimitReached, RevisionAhead
from domain.text_op import Op, transform_range
from domain.undo import TakenBack, Undone, Unravelled, as_ranges

# How many edits ago an edit may be taken back: to read and fold so many takes a second or two.
UNDO_EDITS: Final = 100_000

# What one types without a longer pause is one step to take back, as in the editors that one knows; but no
# more than what one still has in mind.
STEP_PAUSE: Final = timedelta(seconds=1)
STEP_EDITS: Final = 200

# Of one's own edits, and all that were decided here, so many are looked through at a time.
PAGE_OWN: Final = 500


class EditLog(Protocol):
    """Looks for edits. Both raise `StoreUnavailable`."""

    async def revision_at(self, stream: str, at: datetime) -> int | None:
        """The revision of a document at a moment, None before it was created."""
        ...

    async def own_backwards(self, stream: str, actor: str, before: int, limit: int) -> Sequence[EditApplied]:
        """Of the edits before revision `before` those of `actor`, and those that no client has made: undo,
        restore and the like, whosever they are. Newest first, at most `limit`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Passage:
    """A range of the text of `revision`."""

    revision: int
    start: int
    end: int

    def after(self, edit: EditApplied) -> Passage:
        return Passage(edit.revision, *transform_range(self.start, self.end, edit.op))


@dataclass(frozen=True, slots=True)
class Selection:
    """The edits to which all of this applies: from revision `first` up to `last`, and made in between these
    times; None: whichever. In the `passage` alone, if there is one: then they stay in effect elsewhere.
    """

    first: int | None = None
    last: int | None = None
    user: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What an undo would do to the text of `revision`. `edits`: how many of each user it takes back."""

    revision: int
    before: str
    after: str
    op: Op
    edits: Mapping[str, int]

    @property
    def changes(self) -> bool:
        return self.before != self.after


class Undo:
    """All methods raise `NotFound`, `LimitReached` for edits of too long ago, `StoreUnavailable`; those that
    do it also `Forbidden`, `DocumentTooLarge`, `Contended`, `Overloaded`.
    """

    def __init__(
        self,
        documents: Documents,
        blame: Blame,
        edits: EditLog,
        revising: Revising,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._documents = documents
        self._blame = blame
        self._edits = edits
        self._revising = revising
        self._now = now

    async def preview(self, room: str, document: str, selection: Selection) -> Preview:
        """What `undo` would do now."""
        chosen = await self._chosen(await self._documents.get(room, document), selection)
        edits = Counter(edit.writer for edit in chosen)
        for _ in range(ATTEMPTS):
            present = await self._documents.get(room, document)
            if not chosen:
                text = str(present.text)
                return Preview(present.revision, text, text, [], edits)
            taking = self._taking(present, chosen, selection.passage, actor="", cause=UNDO)
            await taking.read(present)
            try:
                taken = taking.taken(present)
            except (Outrun, HistoryNeeded):
                continue
            return _preview(present, taken, edits)
        raise Contended("others were faster again and again", retry_after=RETRY_AFTER_SECONDS)

    async def undo(self, room: str, document: str, selection: Selection, *, actor: str) -> Recorded | None:
        """Take the selected edits back; None when none of them is in effect."""
        present = await self._documents.get(room, document)
        chosen = await self._chosen(present, selection)
        return await self._take_back(room, document, chosen, selection.passage, actor=actor, cause=UNDO)

    async def undo_mine(
        self, room: str, document: str, *, actor: str, seen: int | None = None
    ) -> Recorded | None:
        """Take back the last thing that `actor` has done here and that is still in effect; None when there is
        none. It does not matter when and with which client it was done.

        Whoever may have to ask once more says which revision they have `seen`: when they have taken something
        back since, that was it, and nothing is done.
        """
        step: list[EditApplied] = []
        async for edit, is_in_effect in self._own(room, document, actor):
            if seen is not None and edit.revision > seen and edit.cause == UNDO:
                return None
            if not is_in_effect or edit.cause in (UNDO, REDO):
                continue
            if step and not _is_one_step(edit, step):
                break
            step.append(edit)
        return await self._take_back(room, document, step, None, actor=actor, cause=UNDO)

    async def redo_mine(
        self, room: str, document: str, *, actor: str, seen: int | None = None
    ) -> Recorded | None:
        """Take back the last undo of `actor`, unless they have done something else since; None then. `seen`
        is as above.
        """
        async for edit, is_in_effect in self._own(room, document, actor):
            if seen is not None and edit.revision > seen and edit.cause == REDO:
                return None
            if is_in_effect and edit.cause == UNDO:
                return await self._take_back(room, document, [edit], None, actor=actor, cause=REDO)
            if is_in_effect and edit.cause != REDO:
                break
        return None

    async def _take_back(
        self,
        room: str,
        document: str,
        chosen: Sequence[EditApplied],
        passage: Passage | None,
        *,
        actor: str,
        cause: str,
    ) -> Recorded | None:
        if not chosen:
            return None
        present = await self._documents.get(room, document)
        taking = self._taking(present, chosen, passage, actor=actor, cause=cause)
        return await self._revising.submit(room, document, taking, actor=actor)

    def _taking(
        self,
        present: Document,
        chosen: Sequence[EditApplied],
        passage: Passage | None,
        *,
        actor: str,
        cause: str,
    ) -> _Taking:
        revisions = as_ranges(edit.revision for edit in chosen)
        return _Taking(
            present.id,
            revisions,
            passage,
            blame=self._blame,
            documents=self._documents,
            actor=actor,
            cause=cause,
            at=self._now(),
        )

    async def _chosen(self, present: Document, selection: Selection) -> list[EditApplied]:
        """The edits that are selected. Raises `BadFrame`, `RevisionAhead`, `LimitReached`."""
        first, last = await self._bounds(present, selection)
        if last - first >= UNDO_EDITS:
            raise LimitReached("that is too many edits to be looked through", limit=UNDO_EDITS)
        chosen: list[EditApplied] = []
        for after in range(first - 1, last, PAGE_EDITS):
            edits = await self._documents.edits_between(present, after, min(after + PAGE_EDITS, last))
            chosen += [edit for edit in edits if _is_selected(edit, selection)]
            await asyncio.sleep(0)
        return chosen

    async def _bounds(self, present: Document, selection: Selection) -> tuple[int, int]:
        """The first and the last revision that can be selected."""
        first = 1 if selection.first is None else selection.first
        last = present.revision if selection.last is None else selection.last
        if last > present.revision:
            raise RevisionAhead("there is no such revision yet", revision=present.revision)
        if selection.passage is not None and selection.passage.revision > present.revision:
            raise RevisionAhead("there is no such revision yet", revision=present.revision)
        if not 0 < first <= last + 1:
            raise BadFrame("the first revision comes after the last one", field="first")
        if selection.since is not None:
            first = max(first, await self._edits.revision_at(present.id, selection.since) or 1)
        if selection.until is not None:
            last = min(last, await self._edits.revision_at(present.id, selection.until) or 0)
        return first, last

    async def _own(self, room: str, document: str, actor: str) -> AsyncIterator[tuple[EditApplied, bool]]:
        """The edits of `actor`, newest first, each with whether it is in effect."""
        present = await self._documents.get(room, document)
        before = present.revision + 1
        oldest = max(1, before - UNDO_EDITS)
        undone = Undone(())
        while before > oldest:
            edits = await self._edits.own_backwards(present.id, actor, before, PAGE_OWN)
            for edit in edits:
                is_in_effect = edit.revision not in undone
                if edit.undoes is not None and is_in_effect:
                    undone.add(edit.undoes)
                if edit.writer == actor and edit.revision >= oldest:
                    yield edit, is_in_effect
            if len(edits) < PAGE_OWN:
                return
            before = edits[-1].revision


class _Taking:
    """A `Decision`."""

    def __init__(
        self,
        stream: str,
        revisions: Ranges,
        passage: Passage | None,
        *,
        blame: Blame,
        documents: Documents,
        actor: str,
        cause: str,
        at: datetime,
    ) -> None:
        self._stream = stream
        self._revisions = revisions
        self._passage = passage
        self._blame = blame
        self._documents = documents
        self._actor = actor
        self._cause = cause
        self._at = at
        self._unravelled: Unravelled | None = None

    async def read(self, document: Document) -> None:
        base = self._revisions[0][0] - 1
        if self._unravelled is not None:
            base = min(base, self._unravelled.needed)
        # A few more may have come while it was read: they are in memory.
        until = document.revision
        self._unravelled = await self._blame.unravelled(self._stream, base, until, limit=UNDO_EDITS)
        if self._passage is not None:
            self._passage = await self._moved(document, self._passage, until)

    async def _moved(self, document: Document, passage: Passage, until: int) -> Passage:
        """The passage as it is at `until`."""
        while passage.revision < until:
            last = min(passage.revision + PAGE_EDITS, until)
            for edit in await self._documents.edits_between(document, passage.revision, last):
                passage = passage.after(edit)
            await asyncio.sleep(0)
        return passage

    def taken(self, head: Document) -> TakenBack | None:
        """What takes the edits back on the text of `head`. Raises `Outrun`, `HistoryNeeded`."""
        assert self._unravelled is not None
        if head.revision < self._unravelled.revision:
            raise Outrun("what was read is newer than the text", retry_after=RETRY_AFTER_SECONDS)
        unravelled, passage = self._unravelled.copy(), self._passage
        for edit in head.edits_since(unravelled.revision):
            unravelled.apply(edit)
            passage = passage and passage.after(edit)
        if unravelled.needed < unravelled.base:
            self._unravelled = unravelled
            raise Outrun("an edit of before has been taken back", retry_after=RETRY_AFTER_SECONDS)
        within = None if passage is None else (passage.start, passage.end)
        return unravelled.take_back(self._revisions, within)

    def decide(self, head: Document, last: LastEdit | None) -> None:
        taken = self.taken(head)
        if taken is None:
            return
        head.revise(
            taken.op,
            actor=self._actor,
            at=self._at,
            cause=self._cause,
            undoes=taken.undoes,
            revives=taken.revives,
            last=last,
        )


def _preview(present: Document, taken: TakenBack | None, edits: Mapping[str, int]) -> Preview:
    text = present.text.copy()
    op = present.text.make_invertible(taken.op) if taken is not None else []
    text.apply(op)
    return Preview(present.revision, str(present.text), str(text), op, edits)


def _is_selected(edit: EditApplied, selection: Selection) -> bool:
    return (
        (selection.user is None or edit.writer == selection.user)
        and (selection.since is None or edit.written_at >= selection.since)
        and (selection.until is None or edit.written_at <= selection.until)
    )


def _is_one_step(edit: EditApplied, step: Sequence[EditApplied]) -> bool:
    """Whether `edit` belongs to what one has done behind it, `step`, newest first."""
    later = step[-1]
    return (
        len(step) < STEP_EDITS
        and edit.cause == later.cause == TYPED
        and later.timestamp - edit.timestamp <= STEP_PAUSE
    )
