"""What sessions ask for: who has to say hello first, who may ask for it, and who answers."""

from __future__ import annotations

from typing import assert_never

from application.past.undo import Undo
from application.services import Services
from domain.errors import NotOpen, Unauthenticated
from domain.rights import Action
from interfaces.ws.commands import Author, submit
from interfaces.ws.documents import OpenDocuments
from interfaces.ws.frames import (
    AnyRequest,
    CatchUp,
    Check,
    Close,
    Command,
    CursorFrame,
    EditFrame,
    Hello,
    Open,
    Ping,
    Post,
    ReceiptFrame,
    RedoFrame,
    Refresh,
    ReplayRequest,
    StatusFrame,
    Subscribe,
    TypingFrame,
    UndoFrame,
    Unsubscribe,
)
from interfaces.ws.hub import Hub, RoomOnNode
from interfaces.ws.live_views import LiveViews
from interfaces.ws.player import Players
from interfaces.ws.presence import Whereabouts
from interfaces.ws.rates import Limits
from interfaces.ws.session import Session
from interfaces.ws.welcome import Welcomes
from interfaces.ws.wire import frame


class Requests:
    """For all sessions of a node. Has no state: what is of one session, the session has."""

    def __init__(
        self,
        services: Services,
        undo: Undo,
        hub: Hub,
        live_views: LiveViews,
        players: Players,
        limits: Limits,
    ) -> None:
        self._services = services
        self._hub = hub
        self._live_views = live_views
        self._players = players
        self._welcomes = Welcomes(services, hub, limits)
        self._documents = OpenDocuments(services, undo, hub)
        self._whereabouts = Whereabouts(services, hub)

    async def handle(self, session: Session, request: AnyRequest) -> None:
        """Raises what `request` is refused for."""
        if isinstance(request, Hello):
            await self._welcomes.on_hello(session, request)
            return
        if session.holder.identity is None:
            raise Unauthenticated
        if not session.is_greeted:
            raise NotOpen("say hello first")
        if request.action is not None and not request.is_guarded:
            await self._check_right(session, request.action)
        if isinstance(request, Command):
            await self._on_command(session, request)
            return
        if isinstance(request, ReplayRequest):
            self._players.take(session, request)
            return
        match request:
            case EditFrame():
                self._documents.on_edit(session, request)
            case UndoFrame() | RedoFrame():
                await self._documents.on_undo(session, request)
            case CursorFrame():
                await self._whereabouts.on_cursor(session, request)
            case ReceiptFrame():
                self._whereabouts.on_receipt(session, request)
            case Subscribe():
                await self._on_subscribe(session, request)
            case Unsubscribe():
                self._on_unsubscribe(session, request)
            case Open():
                await self._documents.on_open(session, request)
            case TypingFrame():
                self._whereabouts.on_typing(session, request)
            case StatusFrame():
                self._whereabouts.on_status(session, request)
            case Close():
                self._documents.on_close(session, request)
            case CatchUp():
                await self._documents.on_catch_up(session, request)
            case Check():
                await self._documents.on_check(session, request)
            case Refresh():
                await self._on_refresh(session, request)
            case Ping():
                session.reply(frame(type="ok", ref=request.ref))
            case _:
                assert_never(request)

    def leave(self, session: Session, on_node: RoomOnNode) -> None:
        """A session that had said hello is over."""
        self._hub.leave(on_node, session)
        self._live_views.leave(session, session.room)
        self._players.leave(session)
        is_superseded = self._hub.find_session(on_node, session.client) is not None
        if session.is_welcomed and not is_superseded:  # the newer one shows its own
            self._services.cursors.forget(session.room, session.client)

    async def _check_right(self, session: Session, action: Action) -> None:
        """Nearly always answered from memory, at once; the log asks again when something is appended.

        Raises `NotFound`, `Forbidden`.
        """
        room = self._services.rooms.find(session.room)
        if room is None or not room.allows(session.user, action):
            await self._services.rooms.enter(session.room, session.user, action)

    async def _on_command(self, session: Session, request: Command) -> None:
        session.chat.pay(self._services.monotonic(), "too much is said")
        author = Author(session.room, session.user, session.client, session.documents)
        done = await submit(request, author, self._services)
        says_ok = not isinstance(request, Post)  # which answers for itself: its id is its client's
        session.answer_when(request.ref, done, session.stay.on_activity, says_ok=says_ok)

    async def _on_subscribe(self, session: Session, request: Subscribe) -> None:
        await self._live_views.subscribe(session, session.room, request.to, request.after)
        if not session.is_greeted:  # gone while we were reading
            self._live_views.leave(session, session.room)
        session.reply(frame(type="ok", ref=request.ref))

    def _on_unsubscribe(self, session: Session, request: Unsubscribe) -> None:
        self._live_views.unsubscribe(session, session.room, request.to)
        session.reply(frame(type="ok", ref=request.ref))

    async def _on_refresh(self, session: Session, request: Refresh) -> None:
        await session.redeem(request.ticket)
        session.reply(frame(type="ok", ref=request.ref))
