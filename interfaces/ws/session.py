"""One socket of one client, as a state machine over frames. Knows no socket: bytes come in by
`receive`, frames go out by the outbox, and `close` is the route's. What is asked goes to those who answer it,
who are there once for all sessions (see `Requests`): a session keeps what is of one client.

Frames are handled one after the other. What appends an event is handed to a live aggregate at once,
without waiting for the commit: its answer is the event itself, when the hub sends it, or an error
when the future says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Protocol

from application.attendances import Stay
from application.log import Recorded
from application.services import Services
from domain.errors import (
    ChronoscribeError,
    ClientError,
    LostRace,
    NotFound,
    RevisionAhead,
    StoreError,
    Unauthenticated,
)
from domain.rights import Action
from interfaces.ws import closes
from interfaces.ws.frames import AnyRequest, Pong, find_ref, parse_frame
from interfaces.ws.holder import Holder, Peer
from interfaces.ws.hub import RoomOnNode
from interfaces.ws.outbox import Outbox, Transport
from interfaces.ws.positions import Positions
from interfaces.ws.rates import ErrorCount, Limits, TokenBucket
from interfaces.ws.wire import PING, Frame, error_frame, frame

logger = logging.getLogger(__name__)

# A socket that says nothing is nobody's.
HELLO_SECONDS: Final = 5.0

# Often enough that no proxy closes an idle socket (the usual bound is 60 s), rare enough to cost nothing.
# Together with the answer's time, nobody is shown for more than 30 s after the last sign of life.
PING_SECONDS: Final = 20.0
PONG_SECONDS: Final = 8.0

# A hello with its ticket is a few hundred bytes. Nobody that we do not know may send more.
STRANGER_BYTES: Final = 8 * 1024


class Answers(Protocol):
    """Who answers what a session is asked; see `Requests`."""

    async def handle(self, session: Session, request: AnyRequest) -> None: ...

    def leave(self, session: Session, on_node: RoomOnNode) -> None: ...


class Session:
    __slots__ = (  # there are thousands of them
        "_admit",
        "_close",
        "_closed_with",
        "_errors",
        "_frames",
        "_heard_at",
        "_looking",
        "_opened_at",
        "_outbox",
        "_outstanding",
        "_pinged_at",
        "_requests",
        "_services",
        "_stay",
        "chat",
        "client",
        "connected",
        "documents",
        "edits",
        "holder",
        "is_of_other_history",
        "is_welcomed",
        "on_node",
        "positions",
        "presence",
        "room",
        "session_id",
        "taken_anew",
        "user",
    )

    def __init__(
        self,
        room: str,
        services: Services,
        requests: Answers,
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
        self._requests = requests
        self._close = close
        self._admit = admit
        self.positions = Positions(services.documents, room)
        self.on_node: RoomOnNode | None = None
        self.is_welcomed = False
        self.is_of_other_history = False
        """It came from another epoch: revisions that it names are not ours, except of `taken_anew`."""
        self.taken_anew: frozenset[str] = frozenset()
        """The documents whose text this session was given."""
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
        self.edits = TokenBucket(limits.edits_per_second, limits.edits_per_second * limits.burst_seconds, now)
        self.presence = TokenBucket(
            limits.presence_per_second, limits.presence_per_second * limits.burst_seconds, now
        )
        self.chat = TokenBucket(limits.chat_per_second, limits.chat_per_second * limits.burst_seconds, now)
        self._errors = ErrorCount()

    @property
    def is_greeted(self) -> bool:
        return self.on_node is not None

    @property
    def is_closed(self) -> bool:
        return self._closed_with is not None

    @property
    def stay(self) -> Stay:
        """Since the welcome."""
        assert self._stay is not None
        return self._stay

    def begin(self, stay: Stay) -> None:
        """It is in the room, and hears from now on what happens there."""
        self._stay = stay
        self.is_welcomed = True

    # Out.

    def push(self, frame: Frame) -> None:
        """Called by the hub with what happens. Before the welcome it is not sent: the welcome tells it. Nor
        after the end: a socket is still there for a second when its peer does not answer a close, and who was
        removed is to hear nothing more.
        """
        if self.is_welcomed and not self.is_closed:
            self._outbox.push(frame)

    def reply(self, frame: Frame) -> None:
        if not self.is_closed:
            self._outbox.push(frame, is_asked_for=True)

    def tell(self, frame: Frame) -> bool:
        """Send a frame of the replay that was asked for, unless what was sent before still waits."""
        if self._outbox.is_empty:
            self.reply(frame)
            return True
        return False

    def answer(self, ref: int, outcome: Frame | ChronoscribeError) -> None:
        """Answer a request later."""
        if isinstance(outcome, Frame):
            self.reply(outcome)
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
        on_node, self.on_node = self.on_node, None
        for done in tuple(self._outstanding or ()):
            done.cancel()  # nobody waits here any more; see `Live`
        if self._looking is not None:
            self._looking.cancel()
        if on_node is None:
            return
        self._requests.leave(self, on_node)
        if self._stay is not None:
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
            self.reply(PING)

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
            await self._requests.handle(self, request)
        except ChronoscribeError as error:
            raise _Refused(request.ref, error) from None

    def _refuse(self, ref: int | None, error: ChronoscribeError) -> None:
        if self.is_closed:
            return
        if self.holder.identity is None and isinstance(error, ClientError):
            error = Unauthenticated()  # a stranger is told no more than that
        self.reply(error_frame(ref, error))
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

    # Who this is.

    async def authenticate(self, ticket: str) -> None:
        """Redeem `ticket`. One that is not good ends the session, as does a user with too many sockets."""
        try:
            await self.redeem(ticket)
        except ChronoscribeError as error:
            self._refuse(None, error)

    async def redeem(self, ticket: str) -> None:
        is_first = self.holder.identity is None
        self.user = (await self.holder.show(ticket)).user
        if is_first and not self._admit(self):
            self.close(closes.TOO_MANY_CONNECTIONS)

    # Later.

    def answer_when(
        self,
        ref: int,
        done: asyncio.Future[Sequence[Recorded]],
        on_committed: Callable[[], None],
        *,
        says_ok: bool = False,
    ) -> None:
        """Answer a command when it has come to its end, unless the socket does so first."""
        if self._outstanding is None:
            self._outstanding = set()
        self._outstanding.add(done)
        done.add_done_callback(self._outstanding.discard)
        done.add_done_callback(partial(self.on_done, ref, on_committed, says_ok=says_ok))

    def on_done(
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
                self.reply(frame(type="ok", ref=ref))


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
