"""What sessions do with documents: open and close them, edit, undo, catch up, check."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final

from application.documents import digest
from application.past.revising import edit_of
from application.past.undo import Undo
from application.services import Services
from domain.document import Document, Edit
from domain.errors import (
    NotFound,
    NotOpen,
    Overloaded,
    RateLimited,
    RevisionAhead,
    RevisionTooOld,
    StoreUnavailable,
)
from domain.text_op import parse
from interfaces.ws.frames import CatchUp, Check, Close, EditFrame, Open, RedoFrame, UndoFrame
from interfaces.ws.hub import Hub
from interfaces.ws.session import Session
from interfaces.ws.wire import encode_event, fragments, frame

logger = logging.getLogger(__name__)

# An edit this far behind costs as much as two: it is transformed over each of the edits between, and beyond
# the window these are read from the log. One that is 10,000 behind takes the time of a few hundred.
REVISIONS_PER_TOKEN: Final = 25

# To hash the longest text takes as long as some tens of edits.
CHECK_COST: Final = 50

# To take something back, some thousands of edits are read and folded.
UNDO_COST: Final = 50

# Documents one session may have open: a browser window with many tabs, not a crawler.
DOCUMENTS_OPEN_MAX: Final = 128


class OpenDocuments:
    """For all sessions of a node. Has no state: which documents are open, a session knows."""

    def __init__(self, services: Services, undo: Undo, hub: Hub) -> None:
        self._services = services
        self._undo = undo
        self._hub = hub

    async def on_open(self, session: Session, request: Open) -> None:
        if request.document not in session.documents and len(session.documents) >= DOCUMENTS_OPEN_MAX:
            raise RateLimited("too many documents are open", limit=DOCUMENTS_OPEN_MAX, retry_after=1.0)
        document = await self._get(session, request)
        if request.revision is not None:
            _check_history(session, document, request.document)
        seq = await self._services.documents.last_seq(document, session.client)
        edits: Sequence[Any] | None = None
        if request.revision is not None:
            edits = await self._services.documents.catch_up(document, request.revision)
        if self._services.documents.find(session.room, request.document) is not document:
            # Let go from memory while we were reading: what we hold no longer follows the feed.
            raise StoreUnavailable("the document is being loaded", retry_after=0.1)
        # No await from here on: between what is sent and what follows from the feed nothing is missing.
        session.documents |= {request.document}
        if edits is None:
            session.taken_anew |= {request.document}
        present: dict[str, Any] = (
            {"text": str(document.text)}
            if edits is None
            else {"edits": fragments(data for edit in edits if (data := encode_event(edit)))}
        )
        session.reply(
            frame(
                type="opened",
                ref=request.ref,
                document=request.document,
                revision=document.revision,
                seq=max(seq, _known_seq(session, document)),
                cursors=_cursors_in(session, request.document),
                **present,
            )
        )

    async def _get(self, session: Session, request: Open) -> Document:
        try:
            return await self._services.documents.get(session.room, request.document)
        except NotFound:
            if not request.create:
                raise
            return await self._services.documents.create(session.room, request.document, actor=session.user)

    def on_edit(self, session: Session, request: EditFrame) -> None:
        if request.document not in session.documents:
            raise NotOpen("open the document first")
        session.edits.pay(self._services.monotonic(), "too many edits", self._cost(session, request))
        op = parse(request.op)
        edit = Edit(session.client, request.seq, request.base, op, digest(request.base, op))
        done = self._services.documents.edit(session.room, request.document, edit, actor=session.user)
        session.answer_when(request.ref, done, session.stay.on_edit)

    def _cost(self, session: Session, request: EditFrame) -> float:
        """An edit costs by how much it has to be transformed over."""
        document = self._services.documents.find(session.room, request.document)
        behind = max(0, document.revision - request.base) if document is not None else 0
        return 1 + behind / REVISIONS_PER_TOKEN

    async def on_undo(self, session: Session, request: UndoFrame | RedoFrame) -> None:
        """Waited for: who asks twice wants two things to be taken back. The edit is told like all others."""
        session.edits.pay(self._services.monotonic(), "too much is taken back", UNDO_COST)
        take = self._undo.undo_mine if isinstance(request, UndoFrame) else self._undo.redo_mine
        done = await take(session.room, request.document, actor=session.user, seen=request.revision)
        if done is not None:
            session.stay.on_edit()
        revision = None if done is None else edit_of(done).revision
        session.reply(frame(type="ok", ref=request.ref, revision=revision))

    def on_close(self, session: Session, request: Close) -> None:
        session.documents -= {request.document}
        document = self._services.documents.find(session.room, request.document)
        revision = document.revision if document is not None else 0  # of what is nowhere, it says nothing
        with suppress(Overloaded):
            self._services.cursors.hide(session.room, session.client, request.document, revision)
        session.reply(frame(type="ok", ref=request.ref))

    async def on_catch_up(self, session: Session, request: CatchUp) -> None:
        document = await self._services.documents.get(session.room, request.document)
        _check_history(session, document, request.document)
        if request.after > document.revision:
            raise RevisionAhead("the client is ahead", revision=document.revision)
        until = min(request.after + request.limit, document.revision)
        edits = await self._services.documents.edits_between(document, request.after, until)
        session.reply(
            frame(
                type="edits",
                ref=request.ref,
                document=request.document,
                revision=document.revision,
                edits=fragments(data for edit in edits if (data := encode_event(edit))),
            )
        )

    async def on_check(self, session: Session, request: Check) -> None:
        """Texts that differ at the same revision are our fault, or the client's, and not to be hidden. The
        texts themselves are for no log.
        """
        if request.document not in session.documents:
            raise NotOpen("open the document first")
        session.edits.pay(self._services.monotonic(), "too many checks", CHECK_COST)
        document = await session.positions.document(request.document)
        found = sha256(document.text_at(request.revision).encode()).hexdigest()
        if found == request.hash:
            session.reply(frame(type="ok", ref=request.ref))
            return
        self._hub.hash_mismatches += 1
        logger.error(
            "client %s has another text of %s at revision %d: %s, not %s",
            *(session.client, document.id, request.revision, request.hash, found),
        )
        raise RevisionTooOld("this is another text: open it afresh", revision=document.revision)


def _cursors_in(session: Session, document: str) -> list[dict[str, Any]]:
    """The others' cursors, in the text that is sent with them."""
    if session.on_node is None:
        return []  # the socket has gone while we were reading
    cursors = session.on_node.roster.cursors_in(document, session.positions.moved)
    return [cursor for cursor in cursors if cursor["client"] != session.client]


def _check_history(session: Session, document: Document, name: str) -> None:
    """Who comes from another epoch has a text of it, whatever its number: what was written to it must not go
    on from ours. Raises `RevisionAhead`.
    """
    if session.is_of_other_history and name not in session.taken_anew:
        raise RevisionAhead("this text is of another history: copy it", revision=document.revision)


def _known_seq(session: Session, document: Document) -> int:
    last = document.clients.get(session.client)
    return last.seq if last else 0
