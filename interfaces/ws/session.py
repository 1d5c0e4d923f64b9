"""One socket of one client, as a state machine over frames. Knows no socket: bytes come in by
`receive`, frames go out by the outbox, and `close` is the route's.

Frames are handled one after the other. What appends an event is handed to a live aggregate at once,
without waiting for the commit: its answer is the event itself, when the hub sends it, or an error
when the future says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from typing import Any, Final, assert_never

from application.attendances import Stay
from application.documents import digest
from application.log import Recorded
from application.past.revising import edit_of
from application.past.undo import Undo
from application.services import Services
from domain.attendance import Appearance, Status
from domain.document import Document, Edit
from domain.errors import (
    BadFrame,
    ChronoscribeError,
    ClientError,
    Contended,
    Forbidden,
    LostRace,
    NotFound,
    NotOpen,
    Overloaded,
    RateLimited,
    RevisionAhead,
    RevisionTooOld,
    StoreError,
    StoreUnavailable,
    Unauthenticated,
)
from domain.instants import as_microseconds
from domain.limits import FRAME_BYTES, OP_COMPONENTS
from domain.profile import Profile
from domain.receipts import Pointers, PointersByUser
from domain.rights import Action
from domain.room import Room
from domain.text_op import parse
from interfaces.ws import closes
from interfaces.ws.commands import Author, submit
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
    Pong,
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
    find_ref,
    parse_frame,
)
from interfaces.ws.holder import Holder, Peer
from interfaces.ws.hub import Hub, RoomOnNode
from interfaces.ws.live_views import LiveViews
from interfaces.ws.outbox import Outbox, Transport
from interfaces.ws.player import Players
from interfaces.ws.positions import Positions
from interfaces.ws.rates import ErrorCount, Limits, TokenBucket
from interfaces.ws.roster import TYPING_SECONDS
from interfaces.ws.wire import PING, Frame, encode_event, error_frame, events_frame, fragments, frame

logger = logging.getLogger(__name__)

PROTOCOL: Final = 1

# A socket that says nothing is nobody's.
HELLO_SECONDS: Final = 5.0

# Often enough that no proxy closes an idle socket (the usual bound is 60 s), rare enough to cost nothing.
# Together with the answer's time, nobody is shown for more than 30 s after the last sign of life.
PING_SECONDS: Final = 20.0
PONG_SECONDS: Final = 8.0

# A hello with its ticket is a few hundred bytes. Nobody that we do not know may send more.
STRANGER_BYTES: Final = 8 * 1024

# An edit this far behind costs as much as two: it is transformed over each of the edits between, and beyond
# the window these are read from the log. One that is 10,000 behind takes the time of a few hundred.
REVISIONS_PER_TOKEN: Final = 25

# To hash the longest text takes as long as some tens of edits.
CHECK_COST: Final = 50

# To take something back, some thousands of edits are read and folded.
UNDO_COST: Final = 50

# Documents one session may have open: a browser window with many tabs, not a crawler.
DOCUMENTS_OPEN_MAX: Final = 128

# A client that was on another node may be ahead of this one, which looks for news every 250 ms.
BEHIND_SECONDS: Final = 2.0


class Session:
    __slots__ = (  # there are thousands of them
        "_admit",
        "_chat",
        "_close",
        "_closed_with",
        "_edits",
        "_errors",
        "_frames",
        "_heard_at",
        "_hub",
        "_limits",
        "_live_views",
        "_looking",
        "_opened_at",
        "_outbox",
        "_outstanding",
        "_pinged_at",
        "_players",
        "_positions",
        "_presence",
        "_room_on_node",
        "_services",
        "_stay",
        "_undo",
        "client",
        "connected",
        "documents",
        "holder",
        "is_welcomed",
        "room",
        "session_id",
        "user",
    )

    def __init__(
        self,
        room: str,
        services: Services,
        undo: Undo,
        hub: Hub,
        live_views: LiveViews,
        players: Players,
        transport: Transport,
        close: Callable[[int], None],
        limits: Limits,
        peer: Peer,
        admit: Callable[[Session], bool],
    ) -> None:
        """`admit` is asked, once it is known who this is, whether they may have one more socket."""
        self.room = room
        self.client = ""
        self.user = ""
        self.holder = Holder(services, peer)
        self.connected = 0
        """When the client opened the socket: see `Joined`."""
        self.session_id = services.new_id()
        self.documents: frozenset[str] = frozenset()
        self._services = services
        self._undo = undo
        self._hub = hub
        self._live_views = live_views
        self._players = players
        self._close = close
        self._limits = limits
        self._admit = admit
        self._positions = Positions(services.documents, room)
        self._room_on_node: RoomOnNode | None = None
        self.is_welcomed = False
        self._stay: Stay | None = None
        self._outstanding: set[asyncio.Future[Sequence[Recorded]]] | None = None
        """Commands without an answer; most sessions never make one."""
        self._looking: asyncio.Task[None] | None = None
        self._closed_with: int | None = None
        now = services.monotonic()
        self._opened_at = self._heard_at = now
        self._pinged_at: float | None = None
        self._outbox = Outbox(
            transport, partial(self.close, closes.SLOW_CONSUMER), monotonic=services.monotonic
        )
        self._frames = TokenBucket(
            limits.frames_per_second, limits.frames_per_second * limits.burst_seconds, now
        )
        self._edits = TokenBucket(
            limits.edits_per_second, limits.edits_per_second * limits.burst_seconds, now
        )
        self._presence = TokenBucket(
            limits.presence_per_second, limits.presence_per_second * limits.burst_seconds, now
        )
        self._chat = TokenBucket(limits.chat_per_second, limits.chat_per_second * limits.burst_seconds, now)
        self._errors = ErrorCount()

    @property
    def is_greeted(self) -> bool:
        return self._room_on_node is not None

    @property
    def is_closed(self) -> bool:
        return self._closed_with is not None

    # Out.

    def push(self, frame: Frame) -> None:
        """Called by the hub with what happens. Before the welcome it is not sent: the welcome tells it. Nor
        after the end: a socket is still there for a second when its peer does not answer a close, and who was
        removed is to hear nothing more.
        """
        if self.is_welcomed and not self.is_closed:
            self._outbox.push(frame)

    def _reply(self, frame: Frame) -> None:
        if not self.is_closed:
            self._outbox.push(frame, is_asked_for=True)

    def tell(self, frame: Frame) -> bool:
        """Send a frame of the replay that was asked for, unless what was sent before still waits."""
        if self._outbox.is_empty:
            self._reply(frame)
            return True
        return False

    def answer(self, ref: int, outcome: Frame | ChronoscribeError) -> None:
        """Answer a request later."""
        if isinstance(outcome, Frame):
            self._reply(outcome)
        else:
            self._refuse(ref, outcome)

    def close(self, code: int) -> None:
        """End the session; once is enough."""
        if self._closed_with is None:
            self._closed_with = code
            self._close(code)

    def on_superseded(self) -> None:
        """The client has a newer socket."""
        self.close(closes.SUPERSEDED)

    def on_client_taken(self) -> None:
        """Somebody else was the first to come as this client."""
        self.close(closes.BAD_HELLO)

    def on_rights_changed(self) -> None:
        """Somebody's rights in the room were changed: whoever has none left has to go."""
        room = self._services.rooms.find(self.room)
        if room is None:
            self._look_later()
        elif not room.allows(self.user, Action.READ):
            self.close(closes.ACCESS_REMOVED)

    def on_account_changed(self) -> None:
        """The user has signed out, or is kept out."""
        profile = self._services.profiles.find(self.user)
        if profile is None:
            self._look_later()
        elif not self.holder.is_let_in(profile):
            self.close(closes.ACCESS_REMOVED)

    def _look_later(self) -> None:
        """What is changed elsewhere need not be in memory here: who only listens asks for nothing."""
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        try:
            await self._services.rooms.get(self.room)
            await self._services.profiles.get(self.user)
        except ChronoscribeError:
            self.close(closes.STORE_UNAVAILABLE)  # whoever comes again is looked at anyway
            return
        self._looking = None
        self.on_rights_changed()
        self.on_account_changed()

    def on_closed(self, *, is_clean: bool) -> None:
        """The socket is gone. Called once, by the route."""
        self._outbox.close()
        room, self._room_on_node = self._room_on_node, None
        for done in tuple(self._outstanding or ()):
            done.cancel()  # nobody waits here any more; see `Live`
        if self._looking is not None:
            self._looking.cancel()
        if room is None:
            return
        self._hub.leave(room, self)
        self._live_views.leave(self, self.room)
        self._players.leave(self)
        if self._stay is not None:
            if self._hub.find_session(room, self.client) is None:  # the newer one shows its own
                self._services.cursors.forget(self.room, self.client)
            said_goodbye = is_clean and not self.is_closed
            reason = closes.LEAVE_REASONS.get(self._closed_with or 0, "left" if said_goodbye else "lost")
            self._stay.end(reason)

    def on_tick(self, now: float) -> None:
        """Heartbeat and deadlines. Called about once a second."""
        if not self.is_greeted:
            if now - self._opened_at > HELLO_SECONDS:
                self.close(closes.NO_HELLO)
        elif self.holder.has_ended(now):
            self.close(closes.TOKEN_EXPIRED)
        elif self._pinged_at is not None:
            if now - self._pinged_at > PONG_SECONDS:
                self.close(closes.HEARTBEAT_LOST)
        elif now - self._heard_at >= PING_SECONDS:
            self._pinged_at = now
            self._reply(PING)

    # In.

    def on_ping(self) -> None:
        """A ping or pong of the WebSocket layer: counts like a frame, to be no way around the limit."""
        if self._frames.take(self._services.monotonic()):
            self.close(closes.TOO_MANY_FRAMES)

    async def receive(self, data: str | bytes) -> None:
        """Handle one text frame. Never raises for what a client can send."""
        if self.is_closed:
            return
        now = self._services.monotonic()
        self._heard_at, self._pinged_at = now, None
        if self._frames.take(now):
            self.close(closes.TOO_MANY_FRAMES)
            return
        try:
            await self._handle(data)
        except _Refused as refused:
            self._refuse(refused.ref, refused.error)
        await self._outbox.room()

    async def _handle(self, data: str | bytes) -> None:
        if self.holder.identity is None and len(data) > STRANGER_BYTES:
            raise _Refused(None, Unauthenticated())
        try:
            request = parse_frame(data)
        except ChronoscribeError as error:
            raise _Refused(find_ref(data), error) from None
        if isinstance(request, Pong):
            return
        try:
            await self._dispatch(request)
        except ChronoscribeError as error:
            raise _Refused(request.ref, error) from None

    def _refuse(self, ref: int | None, error: ChronoscribeError) -> None:
        if self.is_closed:
            return
        if self.holder.identity is None and isinstance(error, ClientError):
            error = Unauthenticated()  # a stranger is told no more than that
        self._reply(error_frame(ref, error))
        is_ours = isinstance(error, StoreError | LostRace)
        if not self.is_welcomed:
            stop = _STOPS.get(type(error), closes.BAD_HELLO)
            self.close(closes.STORE_UNAVAILABLE if is_ours else stop)
        elif isinstance(error, Unauthenticated):
            self.close(closes.BAD_CREDENTIALS)
        elif isinstance(error, RevisionAhead):
            self.close(closes.CLIENT_AHEAD)
        elif not is_ours and self._errors.is_exceeded(self._services.monotonic()):
            self.close(closes.TOO_MANY_ERRORS)

    async def _dispatch(self, request: AnyRequest) -> None:
        if isinstance(request, Hello):
            await self._on_hello(request)
            return
        if self.holder.identity is None:
            raise Unauthenticated
        if not self.is_greeted:
            raise NotOpen("say hello first")
        if request.action is not None and not request.is_guarded:
            await self._check_right(request.action)
        if isinstance(request, Command):
            await self._on_command(request)
            return
        if isinstance(request, ReplayRequest):
            self._players.take(self, request)
            return
        match request:
            case EditFrame():
                self._on_edit(request)
            case UndoFrame() | RedoFrame():
                await self._on_undo(request)
            case CursorFrame():
                await self._on_cursor(request)
            case ReceiptFrame():
                self._on_receipt(request)
            case Subscribe():
                await self._on_subscribe(request)
            case Unsubscribe():
                self._on_unsubscribe(request)
            case Open():
                await self._on_open(request)
            case TypingFrame():
                self._on_typing(request)
            case StatusFrame():
                self._on_status(request)
            case Close():
                self._on_close(request)
            case CatchUp():
                await self._on_catch_up(request)
            case Check():
                await self._on_check(request)
            case Refresh():
                await self._on_refresh(request)
            case Ping():
                self._reply(frame(type="ok", ref=request.ref))
            case _:
                assert_never(request)

    async def _check_right(self, action: Action) -> None:
        """Nearly always answered from memory, at once; the log asks again when something is appended.

        Raises `NotFound`, `Forbidden`.
        """
        room = self._services.rooms.find(self.room)
        if room is None or not room.allows(self.user, action):
            await self._services.rooms.enter(self.room, self.user, action)

    # Who this is.

    async def authenticate(self, ticket: str) -> None:
        """Redeem `ticket`. One that is not good ends the session, as does a user with too many sockets."""
        try:
            await self._redeem(ticket)
        except ChronoscribeError as error:
            self._refuse(None, error)

    async def _redeem(self, ticket: str) -> None:
        is_first = self.holder.identity is None
        self.user = (await self.holder.show(ticket)).user
        if is_first and not self._admit(self):
            self.close(closes.TOO_MANY_CONNECTIONS)

    async def _on_refresh(self, request: Refresh) -> None:
        await self._redeem(request.ticket)
        self._reply(frame(type="ok", ref=request.ref))

    # Hello.

    async def _on_hello(self, hello: Hello) -> None:
        if self.is_greeted:
            raise BadFrame("one hello is enough", field="type")
        if hello.protocol != PROTOCOL:
            self._reply(
                error_frame(hello.ref, BadFrame("this server speaks another version", expected=PROTOCOL))
            )
            self.close(closes.OTHER_PROTOCOL)
            return
        if self.holder.identity is None:
            if hello.ticket is None:
                raise Unauthenticated
            await self._redeem(hello.ticket)
        await self._services.rooms.enter(self.room, self.user, Action.READ, from_log=True)
        if self.is_closed:
            return
        self.client = hello.client
        self.connected = hello.at if hello.at is not None else as_microseconds(self._services.now())
        on_node = self._room_on_node = self._hub.enter(self.room, self)
        if self._closed_with is not None:
            return  # the client has a newer socket here
        try:
            await self._hub.load(on_node)
            await self._check_client(on_node)
            profile = await self._services.profiles.get(self.user)
            await self._positions.read_for(on_node.roster)
            await self._services.rooms.get(self.room)  # it may have been let go meanwhile
            missed = await self._missed_events(hello, on_node)  # last: it tells up to where the feed stands
        except StoreError:
            self.close(closes.STORE_UNAVAILABLE)
            return
        # No await from here on: what the welcome tells and what follows from the feed fit together.
        room = self._services.rooms.find(self.room)
        if not self.holder.is_let_in(profile):
            self.close(closes.ACCESS_REMOVED)
        elif room is None or not room.allows(self.user, Action.READ):
            # Let go from memory while we were reading; or this node is behind the log, which lets them in; or
            # they were removed this moment. The next hello will tell.
            self.close(closes.STORE_UNAVAILABLE)
        else:
            self._check_owner(self._hub.find_client_user(on_node, self.client))  # since it was asked
            self._begin(hello, room, profile, on_node, missed)

    def _begin(
        self,
        hello: Hello,
        room: Room,
        profile: Profile,
        on_node: RoomOnNode,
        missed: Sequence[tuple[int, bytes]] | None,
    ) -> None:
        if self.is_closed:
            return
        self._stay = self._services.attendances.stay(
            self.room,
            self.session_id,
            client=self.client,
            appearance=Appearance(profile.name, profile.colour, profile.avatar, profile.version),
            actor=self.user,
            connected=self.connected,
        )
        self._welcome(hello, room, profile, on_node, missed)

    async def _check_client(self, on_node: RoomOnNode) -> None:
        """A client belongs to the user who was the first to come as it: its edits are numbered, and its
        sockets replace each other. Raises `Forbidden`.
        """
        known = self._hub.find_client_user(on_node, self.client)
        if known is None:
            known = await self._services.history.find_client_user(self.room, self.client)
        self._check_owner(known)

    def _check_owner(self, user: str | None) -> None:
        if user not in (None, self.user):
            raise Forbidden("this client is somebody else's")

    async def _missed_events(self, hello: Hello, on_node: RoomOnNode) -> Sequence[tuple[int, bytes]] | None:
        """What a resuming client has not seen; None when it has to start anew."""
        resume = hello.resume
        if resume is None or resume.epoch != self._services.epoch:
            return None
        try:
            async with asyncio.timeout(BEHIND_SECONDS):
                await self._hub.reach(resume.position)
        except TimeoutError:
            if await self._hub.is_behind(on_node, resume.position):
                raise StoreUnavailable("this node is behind the client") from None
            return None
        return await self._hub.events_after(on_node, resume.position)

    def _welcome(
        self,
        hello: Hello,
        room: Room,
        profile: Profile,
        on_node: RoomOnNode,
        missed: Sequence[tuple[int, bytes]] | None,
    ) -> None:
        self.is_welcomed = True
        position = self._hub.position
        role = room.role_of(self.user)
        assert role is not None
        self._reply(
            frame(
                type="welcome",
                ref=hello.ref,
                protocol=PROTOCOL,
                epoch=self._services.epoch,
                position=position,
                resumed=missed is not None,
                session=self.session_id,
                node=self._services.node,
                you={
                    "user": self.user,
                    "role": role,
                    "name": profile.name,
                    "colour": profile.colour,
                    "avatar": profile.avatar,
                },
                room={"id": room.room, "title": room.title, "everyone": room.everyone},
                members=[{"user": user, "role": held} for user, held in room.members.items()],
                documents=list(room.documents),
                people=on_node.people,
                roster=on_node.roster.as_json(self._services.now(), self._positions.moved),
                messages=fragments(on_node.chat.encoded) if missed is None else [],
                receipts=_receipts(on_node.pointers),
                heartbeat={"interval": PING_SECONDS, "timeout": PONG_SECONDS},
                limits={
                    "frame_bytes": FRAME_BYTES,
                    "op_components": OP_COMPONENTS,
                    "edits_per_second": self._limits.edits_per_second,
                    "chat_per_second": self._limits.chat_per_second,
                    "typing_seconds": TYPING_SECONDS,
                },
            )
        )
        if missed:
            self._reply(events_frame(position, [data for _, data in missed]))

    # Documents.

    async def _on_open(self, request: Open) -> None:
        if request.document not in self.documents and len(self.documents) >= DOCUMENTS_OPEN_MAX:
            raise RateLimited("too many documents are open", limit=DOCUMENTS_OPEN_MAX, retry_after=1.0)
        document = await self._get(request)
        seq = await self._services.documents.last_seq(document, self.client)
        edits: Sequence[Any] | None = None
        if request.revision is not None:
            edits = await self._services.documents.catch_up(document, request.revision)
        if self._services.documents.find(self.room, request.document) is not document:
            # Let go from memory while we were reading: what we hold no longer follows the feed.
            raise StoreUnavailable("the document is being loaded", retry_after=0.1)
        # No await from here on: between what is sent and what follows from the feed nothing is missing.
        self.documents |= {request.document}
        present: dict[str, Any] = (
            {"text": str(document.text)}
            if edits is None
            else {"edits": fragments(data for edit in edits if (data := encode_event(edit)))}
        )
        self._reply(
            frame(
                type="opened",
                ref=request.ref,
                document=request.document,
                revision=document.revision,
                seq=max(seq, self._known_seq(document)),
                cursors=self._cursors_in(request.document),
                **present,
            )
        )

    def _cursors_in(self, document: str) -> list[dict[str, Any]]:
        """The others' cursors, in the text that is sent with them."""
        if self._room_on_node is None:
            return []  # the socket has gone while we were reading
        cursors = self._room_on_node.roster.cursors_in(document, self._positions.moved)
        return [cursor for cursor in cursors if cursor["client"] != self.client]

    async def _get(self, request: Open) -> Document:
        try:
            return await self._services.documents.get(self.room, request.document)
        except NotFound:
            if not request.create:
                raise
            return await self._services.documents.create(self.room, request.document, actor=self.user)

    def _known_seq(self, document: Document) -> int:
        last = document.clients.get(self.client)
        return last.seq if last else 0

    def _on_edit(self, request: EditFrame) -> None:
        if request.document not in self.documents:
            raise NotOpen("open the document first")
        if wait := self._edits.take(self._services.monotonic(), self._cost(request)):
            raise RateLimited("too many edits", retry_after=round(wait + 0.001, 3))
        op = parse(request.op)
        edit = Edit(self.client, request.seq, request.base, op, digest(request.base, op))
        done = self._services.documents.edit(self.room, request.document, edit, actor=self.user)
        self._answer_when(done, partial(self._on_done, request.ref, self._stayed.on_edit))

    async def _on_undo(self, request: UndoFrame | RedoFrame) -> None:
        """Waited for: who asks twice wants two things to be taken back. The edit is told like all others."""
        if wait := self._edits.take(self._services.monotonic(), UNDO_COST):
            raise RateLimited("too much is taken back", retry_after=round(wait + 0.001, 3))
        take = self._undo.undo_mine if isinstance(request, UndoFrame) else self._undo.redo_mine
        done = await take(self.room, request.document, actor=self.user, seen=request.revision)
        if done is not None:
            self._stayed.on_edit()
        revision = None if done is None else edit_of(done).revision
        self._reply(frame(type="ok", ref=request.ref, revision=revision))

    @property
    def _stayed(self) -> Stay:
        assert self._stay is not None
        return self._stay

    def _cost(self, request: EditFrame) -> float:
        """An edit costs by how much it has to be transformed over."""
        document = self._services.documents.find(self.room, request.document)
        behind = max(0, document.revision - request.base) if document is not None else 0
        return 1 + behind / REVISIONS_PER_TOKEN

    def _answer_when(
        self,
        done: asyncio.Future[Sequence[Recorded]],
        answer: Callable[[asyncio.Future[Sequence[Recorded]]], None],
    ) -> None:
        """Answer a command when it has come to its end, unless the socket does so first."""
        if self._outstanding is None:
            self._outstanding = set()
        self._outstanding.add(done)
        done.add_done_callback(self._outstanding.discard)
        done.add_done_callback(answer)

    def _on_done(
        self,
        ref: int,
        on_committed: Callable[[], None],
        done: asyncio.Future[Sequence[Recorded]],
        *,
        says_ok: bool = False,
    ) -> None:
        """A command has come to its end. What was committed shows that somebody is doing something, and where
        it cannot answer for itself (`says_ok`) is answered; what was refused shows nothing.
        """
        error = done.exception() if not done.cancelled() else None
        if isinstance(error, ChronoscribeError):
            self._refuse(ref, error)
        elif error is not None:
            logger.error("a command failed", exc_info=error)
            self.close(closes.INTERNAL)
        elif not done.cancelled():
            recorded = done.result()
            if recorded:
                on_committed()
            if says_ok or not recorded:
                self._reply(frame(type="ok", ref=ref))

    # Presence.

    def _pay_for_presence(self) -> None:
        if wait := self._presence.take(self._services.monotonic()):
            raise RateLimited("too many signs of presence", retry_after=round(wait + 0.001, 3))

    async def _on_cursor(self, request: CursorFrame) -> None:
        if request.document not in self.documents:
            raise NotOpen("open the document first")
        self._pay_for_presence()
        document = await self._positions.document(request.document)
        revision, (anchor, head) = await self._services.documents.moved(
            document, request.revision, (request.anchor, request.head)
        )
        self._services.cursors.move(self.room, self.client, request.document, revision, anchor, head)
        self._stayed.on_activity()

    def _on_typing(self, request: TypingFrame) -> None:
        if request.document is not None and request.document not in self.documents:
            raise NotOpen("open the document first")
        self._pay_for_presence()
        self._services.cursors.type(self.room, self.client, request.document or "", is_typing=request.typing)
        self._stayed.on_activity()

    def _on_status(self, request: StatusFrame) -> None:
        self._pay_for_presence()
        self._stayed.declare(Status(request.status) if request.status else None)
        self._reply(frame(type="ok", ref=request.ref))

    def _on_close(self, request: Close) -> None:
        self.documents -= {request.document}
        document = self._services.documents.find(self.room, request.document)
        revision = document.revision if document is not None else 0  # of what is nowhere, it says nothing
        with suppress(Overloaded):
            self._services.cursors.hide(self.room, self.client, request.document, revision)
        self._reply(frame(type="ok", ref=request.ref))

    async def _on_catch_up(self, request: CatchUp) -> None:
        document = await self._services.documents.get(self.room, request.document)
        if request.after > document.revision:
            raise RevisionAhead("the client is ahead", revision=document.revision)
        until = min(request.after + request.limit, document.revision)
        edits = await self._services.documents.edits_between(document, request.after, until)
        self._reply(
            frame(
                type="edits",
                ref=request.ref,
                document=request.document,
                revision=document.revision,
                edits=fragments(data for edit in edits if (data := encode_event(edit))),
            )
        )

    async def _on_check(self, request: Check) -> None:
        """Texts that differ at the same revision are our fault, or the client's, and not to be hidden. The
        texts themselves are for no log.
        """
        if request.document not in self.documents:
            raise NotOpen("open the document first")
        if wait := self._edits.take(self._services.monotonic(), CHECK_COST):
            raise RateLimited("too many checks", retry_after=round(wait + 0.001, 3))
        document = await self._positions.document(request.document)
        found = sha256(document.text_at(request.revision).encode()).hexdigest()
        if found == request.hash:
            self._reply(frame(type="ok", ref=request.ref))
            return
        self._hub.hash_mismatches += 1
        logger.error(
            "client %s has another text of %s at revision %d: %s, not %s",
            *(self.client, document.id, request.revision, request.hash, found),
        )
        raise RevisionTooOld("this is another text: open it afresh", revision=document.revision)

    # Chat, and what else people do.

    async def _on_command(self, request: Command) -> None:
        if wait := self._chat.take(self._services.monotonic()):
            raise RateLimited("too much is said", retry_after=round(wait + 0.001, 3))
        author = Author(self.room, self.user, self.client, self.documents)
        done = await submit(request, author, self._services)
        says_ok = not isinstance(request, Post)  # which answers for itself: its id is its client's
        on_done = partial(self._on_done, request.ref, self._stayed.on_activity, says_ok=says_ok)
        self._answer_when(done, on_done)

    async def _on_subscribe(self, request: Subscribe) -> None:
        await self._live_views.subscribe(self, self.room, request.to, request.after)
        if not self.is_greeted:  # gone while we were reading
            self._live_views.leave(self, self.room)
        self._reply(frame(type="ok", ref=request.ref))

    def _on_unsubscribe(self, request: Unsubscribe) -> None:
        self._live_views.unsubscribe(self, self.room, request.to)
        self._reply(frame(type="ok", ref=request.ref))

    def _on_receipt(self, request: ReceiptFrame) -> None:
        self._pay_for_presence()
        assert self._room_on_node is not None
        if max(request.delivered, request.read) > self._hub.position:
            raise Contended("this node is a moment behind", retry_after=BEHIND_SECONDS)
        known = self._room_on_node.pointers.get(self.user, Pointers())
        if known.joined(request.delivered, request.read) == known:
            self._reply(frame(type="ok", ref=request.ref))
            return
        done = self._services.receipts.note(
            self.room, self.user, delivered=request.delivered, read=request.read
        )
        done.add_done_callback(partial(self._on_done, request.ref, _nothing, says_ok=True))


def _receipts(pointers: PointersByUser) -> list[dict[str, Any]]:
    return [{"user": user, "delivered": p.delivered, "read": p.read} for user, p in pointers.items()]


def _nothing() -> None:
    """Who reads does not do anything that others see."""


# What ends a hello, if it is not the hello itself.
_STOPS: Final[dict[type[ChronoscribeError], int]] = {
    Unauthenticated: closes.BAD_CREDENTIALS,
    NotFound: closes.ACCESS_REMOVED,
}


class _Refused(Exception):  # noqa: N818
    """Carries an error together with the `ref` of its request."""

    def __init__(self, ref: int | None, error: ChronoscribeError) -> None:
        super().__init__(error.message)
        self.ref = ref
        self.error = error
