"""`/ws/{room}`: from an aiohttp WebSocket to a `Session` and back."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from aiohttp import WSMessage, WSMsgType, web

from application.identity import agent_class
from application.past.undo import Undo
from application.services import Services
from domain.ids import is_id
from domain.limits import FRAME_BYTES
from interfaces.ws import closes
from interfaces.ws.holder import Peer
from interfaces.ws.hub import Hub
from interfaces.ws.live_views import LiveViews
from interfaces.ws.player import Players
from interfaces.ws.rates import Failures, Limits
from interfaces.ws.requests import Requests
from interfaces.ws.session import Session

logger = logging.getLogger(__name__)

SUBPROTOCOL: Final = "chronoscribe.v1"

TICKET_PREFIX: Final = "ticket."
"""A browser can say nothing else than subprotocols when it opens a socket, and these stand in no log."""

# How long a peer may take to answer a close before its socket is thrown away.
CLOSE_SECONDS: Final = 1.0

# The kernel's buffer of a socket whose peer does not read: without this it grows to megabytes.
SEND_BUFFER_BYTES: Final = 128 * 1024

# Bytes in flight that are not acknowledged for so long: the peer is gone, whatever TCP hopes.
USER_TIMEOUT_MILLISECONDS: Final = 20_000

TICK_SECONDS: Final = 1.0

_NOTHING_MORE: Final = WSMessage(WSMsgType.CLOSED, None, None)

# While draining: so many sockets a second are sent elsewhere, so that another node is not run over.
DRAIN_PER_SECOND: Final = 200


class SessionSockets:
    """All sockets of this process. `run` is its one task: heartbeats and deadlines."""

    def __init__(
        self,
        services: Services,
        undo: Undo,
        hub: Hub,
        live_views: LiveViews,
        players: Players,
        limits: Limits,
        failures: Failures,
    ) -> None:
        """`failures` are counted together with those over HTTP."""
        self._failures = failures
        self._services = services
        self._requests = Requests(services, undo, hub, live_views, players, limits)
        self._limits = limits
        self._sessions: set[Session] = set()
        self._by_user: Counter[str] = Counter()
        self._strangers: Counter[str] = Counter()  # by address: of whom we do not know yet who they are
        self._endings: set[Ending] = set()
        self.is_draining = False
        self.accepted = 0

    def __len__(self) -> int:
        return len(self._sessions)

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self._services.monotonic()
            for session in tuple(self._sessions):
                session.on_tick(now)

    async def drain(self) -> None:
        """Send everybody elsewhere and wait until they are gone."""
        self.is_draining = True
        for session in tuple(self._sessions):
            session.close(closes.DRAINING)
            await asyncio.sleep(1 / DRAIN_PER_SECOND)
        while self._sessions or self._endings:  # noqa: ASYNC110 -- only when a process ends
            await asyncio.sleep(0.01)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The aiohttp handler."""
        room = request.match_info["room"]
        if not is_id(room):
            raise web.HTTPNotFound
        self._check_not_draining()
        peer = _peer(request)
        self._check_address(peer.address)
        # One more than allowed, since aiohttp refuses a message of exactly the maximum.
        socket_ = web.WebSocketResponse(
            protocols=(SUBPROTOCOL,), max_msg_size=FRAME_BYTES + 1, compress=False, autoping=False
        )
        await socket_.prepare(request)
        transport = request.transport
        if transport is None:
            return socket_
        _tune(transport)
        ending = Ending(socket_, transport)
        session = Session(
            room,
            self._services,
            self._requests,
            transport,
            ending.begin,
            self._limits,
            peer,
            self._admit,
        )
        self._sessions.add(session)
        self._strangers[peer.address] += 1
        self.accepted += 1
        if self.is_draining:  # since it began to shake hands
            session.close(closes.DRAINING)
        try:
            if request.query_string:  # which stands in logs and histories: whatever it holds is no secret
                session.close(closes.BAD_CREDENTIALS)
            elif (ticket := _ticket(request)) is not None:
                await session.authenticate(ticket)
            await _read(ending, session)
        finally:
            self._sessions.discard(session)
            self._let_go(session, peer)
            if session.holder.has_failed:
                self._failures.add(peer.address, self._services.monotonic())
            session.on_closed(is_clean=socket_.close_code in {1000, 1001})
            await self._end(ending)
        return socket_

    async def _end(self, ending: Ending) -> None:
        self._endings.add(ending)
        try:
            await ending.is_over()
        finally:
            self._endings.discard(ending)

    def _check_address(self, address: str) -> None:
        wait = self._failures.wait(address, self._services.monotonic())
        if wait or self._strangers[address] >= self._limits.connections_per_address:
            raise web.HTTPTooManyRequests(headers={"Retry-After": str(max(1, round(wait)))})

    def _admit(self, session: Session) -> bool:
        """It is known now who this is. Whether they may have one more socket."""
        _decrease(self._strangers, session.holder.peer.address)
        self._by_user[session.user] += 1
        return self._by_user[session.user] <= self._limits.connections_per_user

    def _let_go(self, session: Session, peer: Peer) -> None:
        if session.user:
            _decrease(self._by_user, session.user)
        else:
            _decrease(self._strangers, peer.address)

    def _check_not_draining(self) -> None:
        if self.is_draining:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})


class Ending:
    """How a socket ends: with a code that the peer gets to know.

    aiohttp lets go of a connection at once when it is closed while somebody waits for a message. What the
    peer sends meanwhile is answered by a reset then, in which the code is lost on whoever was just writing.
    So the one who waits is called away first, and the connection is read until the peer has answered.
    """

    def __init__(self, socket_: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self._socket = socket_
        self._transport = transport
        self._waiting: asyncio.Task[object] | None = None
        self._is_called_away = False
        self._closing: asyncio.Task[None] | None = None

    async def receive(self) -> WSMessage:
        """The next message; of the type CLOSED when there is none any more."""
        if self._closing is not None:
            return _NOTHING_MORE
        self._waiting = task = asyncio.current_task()
        try:
            return await self._socket.receive()
        except asyncio.CancelledError:
            if not self._is_called_away or (task is not None and task.uncancel()):
                raise
            return _NOTHING_MORE
        finally:
            self._waiting = None

    async def pong(self, data: bytes) -> None:
        await self._socket.pong(data)

    def begin(self, code: int) -> None:
        """Close it; once."""
        if self._waiting is not None:
            self._is_called_away = self._waiting.cancel()  # its turn comes before that of the next task
        self._closing = asyncio.get_running_loop().create_task(_close(self._socket, self._transport, code))

    async def is_over(self) -> None:
        if self._closing is not None:
            await self._closing


def _decrease(counts: Counter[str], key: str) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]


def _peer(request: web.Request) -> Peer:
    agent = agent_class(request.headers.get("User-Agent"))
    return Peer(request.headers.get("Origin"), agent, request.remote or "")


def _ticket(request: web.Request) -> str | None:
    """The ticket that is offered as a subprotocol, beside the one that we speak."""
    offered = request.headers.get("Sec-WebSocket-Protocol", "")
    for name in map(str.strip, offered.split(",")):
        if name.startswith(TICKET_PREFIX):
            return name.removeprefix(TICKET_PREFIX)
    return None


async def _read(ending: Ending, session: Session) -> None:
    while True:
        message = await ending.receive()
        match message.type:
            case WSMsgType.TEXT:
                await session.receive(message.data)
            case WSMsgType.PING:
                session.on_ping()
                with suppress(ConnectionError):
                    await ending.pong(message.data)
            case WSMsgType.PONG:
                session.on_ping()
            case WSMsgType.BINARY:
                session.close(closes.NOT_TEXT)
            case _:
                return


async def _close(socket_: web.WebSocketResponse, transport: asyncio.Transport, code: int) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket_.close(code=code)
    except (TimeoutError, ConnectionError):
        _linger_not(transport)
        transport.abort()


def _tune(transport: asyncio.Transport) -> None:
    _with_socket(
        transport,
        lambda s: (
            s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES),
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MILLISECONDS)
            if hasattr(socket, "TCP_USER_TIMEOUT")
            else None,
        ),
    )


def _linger_not(transport: asyncio.Transport) -> None:
    """What the kernel still holds for this peer is thrown away with the socket."""
    zero = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
    _with_socket(transport, lambda s: s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, zero))


def _with_socket(transport: asyncio.Transport, do: Callable[[socket.socket], object]) -> None:
    found = transport.get_extra_info("socket")
    if found is not None and found.family in {socket.AF_INET, socket.AF_INET6}:
        with suppress(OSError):
            do(found)
