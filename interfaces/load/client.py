"""One client of a load run: a session of the Python client, with one document open, on a real socket."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import aiohttp
import orjson
from aiohttp import WSMsgType

from domain.text_op import Op
from interfaces.load.failures import LoadFailed
from interfaces.load.figures import Latencies
from interfaces.pyclient import notices
from interfaces.pyclient.errors import NotEditable
from interfaces.pyclient.notices import Notice, Status
from interfaces.pyclient.reconnect import Backoff, Verdict
from interfaces.pyclient.replica import Replica
from interfaces.pyclient.session import ClientSession

SUBPROTOCOL: Final = "chronoscribe.v1"

# A server on the other end of the world answers sooner; one that does not is tried again.
CONNECT_SECONDS: Final = 10.0

# A server that has gone does not answer our goodbye.
_CLOSE: Final = aiohttp.ClientWSTimeout(ws_close=1.0)


class LoadClient:
    """`run` is its one task. Everything that it hears goes to `on_notice`, at once."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        room: str,
        document: str,
        client: str,
        name: str,
        latencies: Latencies,
    ) -> None:
        self.document = document
        self.session = ClientSession(client, name, compose=False)
        self.on_notice: Callable[[Notice], None] = lambda notice: None
        self.on_settled: Callable[[], None] = lambda: None
        """Called when all notices of a moment are told: not before is the replica where they lead to."""
        self.stirred = asyncio.Event()
        """Set whenever something was heard, for whoever waits for a state of this client."""
        self.failure: LoadFailed | None = None
        self.sent_bytes = 0
        self.received_bytes = 0
        self._latencies = latencies
        self._http = http
        self._url = f"{url}/ws/{room}"
        self._socket: aiohttp.ClientWebSocketResponse[bool] | None = None
        self._out: deque[dict[str, Any]] = deque()
        self._has_out = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Future[bool] | None = None
        self.session.open(document, time.monotonic(), create=True)

    # For whoever plays.

    @property
    def id(self) -> str:
        return self.session.client

    @property
    def replica(self) -> Replica:
        return self.session.replica(self.document)

    def is_open(self) -> bool:
        """Whether there is a text to edit, online or not."""
        try:
            return self.replica is not None
        except NotEditable:
            return False

    @property
    def revision(self) -> int:
        """How far it has come; -1 before there is a text."""
        return self.replica.revision if self.is_open() else -1

    def has(self, revision: int) -> bool:
        """Whether it has taken everything up to `revision` in, and nothing of it is unsaved."""
        return self.replica.revision >= revision and self.replica.is_saved

    def edit(self, op: Op) -> None:
        now = time.monotonic()
        self.session.edit(self.document, op, now)
        self._settle(now)

    # The socket.

    async def run(self) -> None:
        """Connect, and again whenever the socket is gone, until cancelled or told to stay away."""
        backoff, attempt = Backoff(), 0
        try:
            while True:
                code = await self._run_connected()
                attempt = 0 if code is not None else attempt + 1
                now = time.monotonic()
                decision = self.session.on_disconnected(now, code)
                self._settle(now)
                if decision is Verdict.STOP:
                    return
                await asyncio.sleep(backoff.delay(attempt, random.random))
        finally:
            if self._timer is not None:
                self._timer.cancel()

    async def _run_connected(self) -> int | None:
        """One socket from its beginning to its end. Returns the close code; None without a socket."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                socket = await self._http.ws_connect(
                    self._url, protocols=[SUBPROTOCOL], max_msg_size=0, decode_text=False, timeout=_CLOSE
                )
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None
        self._out.clear()
        writer = asyncio.ensure_future(self._write(socket))
        try:
            self._socket = socket
            now = time.monotonic()
            self.session.on_connected(now)
            self._settle(now)
            await self._read(socket)
            return socket.close_code or 1006
        finally:
            self._socket = None
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await socket.close()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        while True:
            message = await socket.receive()
            if message.type is not WSMsgType.TEXT:
                return
            now = time.monotonic()
            data: bytes = message.data
            self.received_bytes += frame_bytes(len(data), is_masked=False)
            self.session.on_frame(orjson.loads(data), now)
            self._settle(now)

    async def _write(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        """Ends when the socket does, which the reader notices."""
        while True:
            await self._has_out.wait()
            self._has_out.clear()
            while self._out:
                frame = self._out.popleft()
                data = orjson.dumps(frame)
                self.sent_bytes += frame_bytes(len(data), is_masked=True)
                if frame["type"] == "edit":
                    self._latencies.on_sent(self.id, frame["seq"], time.monotonic())
                await socket.send_frame(data, WSMsgType.TEXT)

    # After each call of the session.

    def _settle(self, now: float) -> None:
        """Pass on what it says, send what it wants sent, and be woken when it wants to be."""
        while taken := self.session.take_notices():
            for notice in taken:
                self._take(notice, now)
        self.on_settled()
        if frames := self.session.frames_to_send():
            self._out.extend(frames)
            self._has_out.set()
        if self.session.close_wanted and self._socket is not None:
            self._closing = asyncio.ensure_future(self._socket.close())
        self._set_timer(now)

    def _take(self, notice: Notice, now: float) -> None:
        match notice:
            case notices.Acked():
                self._latencies.on_acked(self.id, notice.seq, notice.revision, now)
            case notices.Edited():
                self._latencies.on_seen(notice.revision, now)
            case notices.StatusChanged(status=Status.STOPPED):
                self._fail(f"stopped: {notice.reason}")
            case notices.DocumentRefused() | notices.EditRefused():
                self._fail(f"was refused: {notice.code}: {notice.message}")
            case notices.UnsentText():
                self._fail(f"cannot go on: {notice.reason}")
            case notices.DocumentReset():
                self._fail("fell so far behind that it could not be told edit by edit")
            case _:
                pass
        self.on_notice(notice)
        self.stirred.set()

    def _fail(self, why: str) -> None:
        if self.failure is None:
            self.failure = LoadFailed(f"client {self.id} {why}")

    def _set_timer(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.session.next_time()
        if due is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, due - now), self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        now = time.monotonic()
        self.session.on_time(now)
        self._settle(now)


def frame_bytes(payload: int, *, is_masked: bool) -> int:
    """Of a WebSocket frame with so much in it (RFC 6455, 5.2)."""
    length = 0 if payload < 126 else 2 if payload < 65_536 else 8
    return 2 + length + (4 if is_masked else 0) + payload
