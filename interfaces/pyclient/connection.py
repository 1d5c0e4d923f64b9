"""What keeps a client connected: one socket after the other, for as long as its session wants."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal

import aiohttp
import orjson

from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.errors import NotLetIn
from interfaces.pyclient.notices import Status
from interfaces.pyclient.reconnect import LATER_SECONDS, Backoff, Verdict, is_better_elsewhere
from interfaces.pyclient.session import ClientSession
from interfaces.pyclient.traffic import Traffic

logger = logging.getLogger(__name__)

SUBPROTOCOL: Final = "chronoscribe.v1"
TICKET_PREFIX: Final = "ticket."

# TCP, TLS and the upgrade. A node that takes longer is not the one to be at.
CONNECT_SECONDS: Final = 10.0

# How long one write may wait for a socket that takes nothing. The server is as patient with us.
SEND_SECONDS: Final = 10.0

# How long the other side may take to answer a close.
CLOSE_SECONDS: Final = 1.0

# A thousand missed edits of the largest size come in one frame, and nothing larger does.
FRAME_BYTES_MAX: Final = 128 * 1024 * 1024

# The server's answers to the upgrade that another attempt can change.
_TRY_AGAIN_STATUSES: Final = {408, 425, 429}

Socket = aiohttp.ClientWebSocketResponse[Literal[False]]


class Connection:
    """Owned by one `Client`. It has one task that keeps it connected and, while it is, one that writes; it
    calls `settle` after every call to the session.
    """

    def __init__(
        self,
        session: ClientSession,
        credentials: Credentials,
        urls: Sequence[str],
        room: str,
        *,
        backoff: Backoff,
        chance: random.Random,
        traffic: Traffic | None,
        settle: Callable[[], None],
    ) -> None:
        self._session = session
        self._credentials = credentials
        self._urls = urls
        self._room = room
        self._backoff = backoff
        self._chance = chance
        self._traffic = traffic
        self._settle = settle
        self._node = 0  # of the URLs, the one in use
        self._running: asyncio.Task[None] | None = None
        self._was_online = False
        self._work = asyncio.Event()
        self._patience: asyncio.Timeout | None = None
        self.failure: Exception | None = None
        """Of the last attempt to connect."""

    @property
    def url(self) -> str:
        """The node that is in use."""
        return self._urls[self._node % len(self._urls)].rstrip("/")

    def start(self, http: aiohttp.ClientSession) -> None:
        assert self._running is None, "a client is started once"
        self._running = asyncio.get_running_loop().create_task(self._run(http))

    async def end(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    def wake(self) -> None:
        """There are frames to send."""
        self._work.set()

    def give_up(self) -> None:
        """End the socket that is being read, from wherever we are."""
        if self._patience is not None:
            self._patience.reschedule(_now())
            self._patience = None  # once is enough

    async def _run(self, http: aiohttp.ClientSession) -> None:
        """Stay connected, until stopped or cancelled. Nobody is left waiting if this fails."""
        try:
            await self._stay_connected(http)
        except Exception as error:
            logger.exception("%s: the client failed", self._session.client)
            self._session.stop(None, f"the client failed: {error!r}")
            self._settle()

    async def _stay_connected(self, http: aiohttp.ClientSession) -> None:
        attempt = 0
        while True:
            verdict = await self._visit(http)
            if verdict is Verdict.STOP:
                return
            attempt = 0 if self._was_online else attempt + 1
            delay = self._backoff.delay(attempt, self._chance.random)
            if verdict is Verdict.RECONNECT_LATER:
                delay = max(delay, LATER_SECONDS)
            await asyncio.sleep(delay)

    async def _visit(self, http: aiohttp.ClientSession) -> Verdict:
        """One socket, from connecting to its end."""
        self._was_online = False
        try:
            socket = await self._connect(http)
        except NotLetIn as refused:
            self._session.stop(refused.code, refused.message)
            self._settle()
            return Verdict.STOP
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return self._on_unreachable(error)
        code: int | None = None
        try:
            self._session.on_connected(_now(), at=time.time_ns() // 1000)
            self._settle()
            code = await self._converse(socket)
        finally:
            await _leave(socket)
        self._was_online = self._session.status is Status.ONLINE
        verdict = self._session.on_disconnected(_now(), code)
        if is_better_elsewhere(code):
            self._node += 1
        self._settle()
        return verdict

    async def _connect(self, http: aiohttp.ClientSession) -> Socket:
        async with asyncio.timeout(CONNECT_SECONDS):
            ticket = await self._credentials.ticket(http, self.url)
            return await http.ws_connect(
                f"{self.url}/ws/{self._room}",
                protocols=(SUBPROTOCOL, f"{TICKET_PREFIX}{ticket}"),
                max_msg_size=FRAME_BYTES_MAX,
                decode_text=False,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),  # pyright: ignore[reportCallIssue]
            )

    def _on_unreachable(self, error: Exception) -> Verdict:
        self._node += 1
        self.failure = error
        logger.debug("%s: not connected: %r", self._session.client, error)
        status = error.status if isinstance(error, aiohttp.WSServerHandshakeError) else 0
        if 400 <= status < 500 and status not in _TRY_AGAIN_STATUSES:
            self._session.stop(status, "the server does not take us")
            self._settle()
            return Verdict.STOP
        return Verdict.RECONNECT

    async def _converse(self, socket: Socket) -> int | None:
        """Read and write until the socket ends; returns its close code, None if we gave it up."""
        writing = asyncio.get_running_loop().create_task(self._write(socket))
        try:
            # No time-out yet: it is set to now when the session or the writer give the socket up.
            async with asyncio.timeout(None) as self._patience:
                return await self._read(socket)
        except TimeoutError:
            return None
        finally:
            self._patience = None
            writing.cancel()
            await asyncio.wait([writing])

    async def _read(self, socket: Socket) -> int | None:
        """Take frames in. This is where a client spends its time, so it calls little."""
        now, loads, on_frame = asyncio.get_running_loop().time, orjson.loads, self._session.on_frame
        while True:
            message = await socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                return None if socket.close_code is None else int(socket.close_code)
            if self._traffic is not None:
                self._traffic.on_received(len(message.data))
            on_frame(loads(message.data), now())
            self._settle()

    async def _write(self, socket: Socket) -> None:
        try:
            while True:
                await self._work.wait()
                self._work.clear()
                async with asyncio.timeout(SEND_SECONDS):
                    for frame in self._session.frames_to_send():
                        data = orjson.dumps(frame)
                        if self._traffic is not None:
                            self._traffic.on_sent(frame, len(data))
                        await socket.send_frame(data, aiohttp.WSMsgType.TEXT)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            logger.debug("%s: not sent: %r", self._session.client, error)
            self.give_up()


async def _leave(socket: Socket) -> None:
    """Close the socket, with good manners if the other side has some."""
    try:
        async with asyncio.timeout(2 * CLOSE_SECONDS):
            await socket.close()
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        logger.debug("not closed: %r", error)


def _now() -> float:
    return asyncio.get_running_loop().time()
