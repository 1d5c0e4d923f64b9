"""What can be done with documents: create, read, edit, follow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Final

import orjson

from application.live import Guard, LiveAggregates, abandonable
from application.log import History, Recorded
from application.rooms import BEHIND_SECONDS, Rooms, guard
from domain.document import (
    HISTORY_REVISIONS,
    ClientForgotten,
    Document,
    Edit,
    EditApplied,
    HistoryNeeded,
    LastEdit,
)
from domain.errors import Conflict, Contended, NotFound, RevisionAhead, RevisionTooOld
from domain.ids import document_stream
from domain.rights import Action
from domain.text_op import Op, transform_selection

# A client that is more edits behind takes the text as it is; one with unsent edits pages.
# 1,000 typed edits are about as many bytes as a document of ordinary size.
CATCH_UP_REVISIONS: Final = 1_000


def digest(base: int, op: Op) -> str:
    """What stands for an edit's content when the same number comes again: 64 bits of BLAKE2b, in hex."""
    return blake2b(orjson.dumps([base, op]), digest_size=8).hexdigest()


class EditDecision:
    """An edit as a pristine command, with what had to be read from the log for it."""

    __slots__ = ("actor", "at", "cause", "earlier", "edit", "last", "last_until", "was_tried")

    def __init__(self, edit: Edit, *, actor: str, at: datetime, cause: str = "typed") -> None:
        self.edit = edit
        self.actor = actor
        self.at = at
        self.cause = cause
        self.earlier: list[Op] = []
        self.last: LastEdit | None = None
        self.last_until = 0
        """The revision up to which `last` is known to be right."""
        self.was_tried = False

    def __call__(self, head: Document | None) -> Document:
        self.was_tried = True
        if head is None:
            raise NotFound("there is no such document")
        head.edit(
            self.edit,
            actor=self.actor,
            at=self.at,
            earlier=self.earlier,
            last=self.last if head.remembers_all_since(self.last_until) else None,
            cause=self.cause,
        )
        return head


class Documents:
    def __init__(
        self, lives: LiveAggregates, history: History, rooms: Rooms, *, now: Callable[[], datetime]
    ) -> None:
        self._lives = lives
        self._history = history
        self._rooms = rooms
        self._now = now

    async def create(self, room: str, document: str, *, actor: str) -> Document:
        """Create `document`, or find it there. Listed first, so that a crash between leaves nothing hidden.

        Raises `NotFound` (no such room), `Forbidden`, `RoomFull`, `Conflict` while an import has its name,
        `StoreUnavailable`, `Overloaded`.
        """
        self._check_free(await self._lives.get(document_stream(room, document)))
        await self._rooms.list_document(room, document, actor=actor)
        at = self._now()

        def decide(head: Document | None) -> Document:
            self._check_free(head)
            return head or Document.create(room, document, actor=actor, at=at)

        may_edit = guard(room, actor, Action.EDIT)
        await self._lives.submit(document_stream(room, document), decide, guard=may_edit)
        return await self.get(room, document)

    async def get(self, room: str, document: str) -> Document:
        """The live, committed document. Raises `NotFound`, `StoreUnavailable`."""
        found = await self._lives.get(document_stream(room, document))
        if found is None or not found.is_whole:
            raise NotFound("there is no such document")
        assert isinstance(found, Document)
        return found

    def find(self, room: str, document: str) -> Document | None:
        """The same when it is in memory."""
        found: Document | None = self._lives.find(document_stream(room, document))
        return found if found is not None and found.is_whole else None

    @staticmethod
    def _check_free(there: Document | None) -> None:
        """Raise `Conflict` for the name of one that is being imported, or whose import was given up."""
        if there is not None and not there.is_whole:
            raise Conflict("a document of this name is being imported: wait, or choose another name")

    def edit(
        self, room: str, document: str, edit: Edit, *, actor: str, cause: str = "typed"
    ) -> asyncio.Future[Sequence[Recorded]]:
        """Submit an edit. Decided before this returns when everything needed is in memory.

        The future gives the committed event, or nothing when the edit was accepted before. It raises what
        `Document.edit` raises, `NotFound`, `Forbidden`, `Contended`, `Overloaded`, `StoreUnavailable`.
        """
        stream = document_stream(room, document)
        decision = EditDecision(edit, actor=actor, at=self._now(), cause=cause)
        may_edit = guard(room, actor, Action.EDIT)
        done = self._lives.submit(stream, decision, guard=may_edit)
        if (decision.was_tried or done.done()) and not _asks(done):
            return done
        return asyncio.ensure_future(self._edit_with_history(stream, decision, may_edit, abandonable(done)))

    async def _edit_with_history(
        self, stream: str, decision: EditDecision, may_edit: Guard, done: asyncio.Future[Sequence[Recorded]]
    ) -> Sequence[Recorded]:
        while True:
            try:
                return await done
            except HistoryNeeded as needed:
                # In order, without a gap: what was read before reaches to where this begins.
                base = decision.edit.base
                missing = await self._history.edits(stream, base + len(decision.earlier), needed.until)
                decision.earlier += [edit.op for edit in missing]
            except ClientForgotten as needed:
                committed = await self._lives.get(stream)
                assert committed is not None
                decision.last_until = committed.revision
                found = await self._history.find_last_edit(stream, needed.client)
                decision.last = found or LastEdit(0, 0, "")
            done = abandonable(self._lives.submit(stream, decision, guard=may_edit))

    async def last_seq(self, document: Document, client: str) -> int:
        """The number of the last accepted edit of `client`, 0 if there is none."""
        known = document.clients.get(client)
        if known is None and document.clients_forgotten:
            known = await self._history.find_last_edit(document.id, client)
        return known.seq if known else 0

    async def edits_between(self, document: Document, after: int, until: int) -> Sequence[EditApplied]:
        """The edits of revisions `after + 1` to `until`, from memory or from the log."""
        try:
            return document.edits_since(after)[: max(0, until - after)]
        except HistoryNeeded:
            return await self._history.edits(document.id, after, until)

    async def moved(
        self, document: Document, revision: int, selection: Sequence[int]
    ) -> tuple[int, list[int]]:
        """Positions in the text of `revision`, as they are in the present text, none of them beyond its end;
        with the present revision.

        Raises `RevisionAhead`, and `RevisionTooOld` for a text that is too many edits back.
        """
        if document.revision - revision > HISTORY_REVISIONS:
            raise RevisionTooOld("these positions are of a text too long ago", revision=document.revision)
        positions, reached = list(selection), revision
        while reached < document.window_start:  # the window moves on while the log is read
            edits = await self._history.edits(document.id, reached, document.window_start)
            for edit in edits:
                positions = transform_selection(positions, edit.op)
            reached += len(edits)
        return document.revision, self.moved_in_window(document, reached, positions)

    @staticmethod
    def moved_in_window(document: Document, revision: int, selection: Sequence[int]) -> list[int]:
        """The same at once, from what is in memory. Raises `RevisionAhead`, `HistoryNeeded`."""
        if revision > document.revision:
            raise RevisionAhead("the client is ahead", revision=document.revision)
        positions = list(selection)
        for op in document.ops_since(revision):
            positions = transform_selection(positions, op)
        length = len(document.text)
        return [min(position, length) for position in positions]

    async def catch_up(self, document: Document, after: int) -> Sequence[EditApplied]:
        """The edits that bring a client from revision `after` to where the document stands on return.

        Raises `RevisionAhead`, `RevisionTooOld` beyond `CATCH_UP_REVISIONS`, and `Contended` when it is this
        node that is behind.
        """
        earlier: list[EditApplied] = []
        while True:
            if after > document.revision:
                await self._check_reached(document, after)
                continue
            if document.revision - after > CATCH_UP_REVISIONS:
                raise RevisionTooOld("too far behind to be told edit by edit", revision=document.revision)
            try:
                return [*earlier, *document.edits_since(after + len(earlier))]
            except HistoryNeeded as needed:
                earlier += await self._history.edits(document.id, after + len(earlier), needed.until)

    async def reached(self, room: str, name: str, revision: int) -> Document:
        """The document, if it has come to `revision`. Raises `NotFound`, `RevisionAhead`, `Contended`,
        `StoreUnavailable`.
        """
        document = await self.get(room, name)
        await self._check_reached(document, revision)
        return document

    async def _check_reached(self, document: Document, revision: int) -> None:
        """Raise `RevisionAhead` for a revision that there is not, or `Contended`: who was on another node may
        know edits that the feed has not brought here yet, and is ahead only when the log knows no more.
        """
        if revision <= document.revision:
            return
        missed = await self._history.events_after(document.id, document.version)
        if revision > document.revision:
            if missed:
                raise Contended("this node is a moment behind", retry_after=BEHIND_SECONDS)
            raise RevisionAhead("the client is ahead", revision=document.revision)


def _asks(done: asyncio.Future[Sequence[Recorded]]) -> bool:
    return done.done() and isinstance(done.exception(), HistoryNeeded | ClientForgotten)
