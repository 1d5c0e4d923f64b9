"""What shows where somebody is: cursors, typing, statuses, and how far they have read."""

from __future__ import annotations

from functools import partial

from application.services import Services
from domain.attendance import Status
from domain.errors import Contended, NotOpen
from domain.receipts import Pointers
from interfaces.ws.frames import CursorFrame, ReceiptFrame, StatusFrame, TypingFrame
from interfaces.ws.hub import Hub
from interfaces.ws.session import Session
from interfaces.ws.welcome import BEHIND_SECONDS
from interfaces.ws.wire import frame


class Whereabouts:
    """For all sessions of a node. Has no state."""

    def __init__(self, services: Services, hub: Hub) -> None:
        self._services = services
        self._hub = hub

    async def on_cursor(self, session: Session, request: CursorFrame) -> None:
        if request.document not in session.documents:
            raise NotOpen("open the document first")
        self._pay(session)
        document = await session.positions.document(request.document)
        revision, (anchor, head) = await self._services.documents.moved(
            document, request.revision, (request.anchor, request.head)
        )
        self._services.cursors.move(session.room, session.client, request.document, revision, anchor, head)
        session.stay.on_activity()

    def on_typing(self, session: Session, request: TypingFrame) -> None:
        if request.document is not None and request.document not in session.documents:
            raise NotOpen("open the document first")
        self._pay(session)
        self._services.cursors.type(
            session.room, session.client, request.document or "", is_typing=request.typing
        )
        session.stay.on_activity()

    def on_status(self, session: Session, request: StatusFrame) -> None:
        self._pay(session)
        session.stay.declare(Status(request.status) if request.status else None)
        session.reply(frame(type="ok", ref=request.ref))

    def on_receipt(self, session: Session, request: ReceiptFrame) -> None:
        self._pay(session)
        assert session.on_node is not None
        if max(request.delivered, request.read) > self._hub.position:
            raise Contended("this node is a moment behind", retry_after=BEHIND_SECONDS)
        known = session.on_node.pointers.get(session.user, Pointers())
        if known.joined(request.delivered, request.read) == known:
            session.reply(frame(type="ok", ref=request.ref))
            return
        done = self._services.receipts.note(
            session.room, session.user, delivered=request.delivered, read=request.read
        )
        done.add_done_callback(partial(session.on_done, request.ref, _nothing, says_ok=True))

    def _pay(self, session: Session) -> None:
        session.presence.pay(self._services.monotonic(), "too many signs of presence")


def _nothing() -> None:
    """Who reads does not do anything that others see."""
