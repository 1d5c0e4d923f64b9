"""Sockets that say whatever a test wants: bytes over TCP, and WebSocket frames that no library would send.

Everything that the server answers is kept in `heard`, since nothing of its inside may be in there.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

from tests.guests import Guest, guest

TEXT: Final = 0x1
CONTINUATION: Final = 0x0
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

# How the inside of a server looks when it gets out.
INSIDES: Final = (b"Traceback", b'File "', b"psycopg", b"SELECT ", b"INSERT ", b"/site-packages/", b"0x7f")

# For an answer that is due at once.
ANSWER_SECONDS: Final = 10.0


class Received(NamedTuple):
    opcode: int
    payload: bytes


class Closed(Exception):  # noqa: N818 -- it says what happened
    """The server has ended the socket; `code` is None when it did so without a word."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Answer(NamedTuple):
    """What was said over HTTP."""

    status: int
    headers: dict[str, str]
    """By names in small letters."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of a problem."""
        return str(self.json["code"])


async def connect_tcp(
    url: str, *, receive_buffer: int | None = None, source: str | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection to the server. With a small `receive_buffer` the kernel reads little for us; `source`
    is the address of this machine to come from.
    """
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    raw = socket.socket()
    if receive_buffer is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if source is not None:
        raw.bind((source, 0))
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, (parts.hostname, parts.port))
    return await asyncio.open_connection(sock=raw)


async def exchange(url: str, request: bytes, seconds: float = ANSWER_SECONDS) -> tuple[int, bytes]:
    """Send bytes as an HTTP request; returns the status (0: none) and all that was answered until the end
    of the connection, or of the headers if that stays open.
    """
    reader, writer = await connect_tcp(url)
    answer = b""
    try:
        writer.write(request)
        async with asyncio.timeout(seconds):
            answer = await reader.readuntil(b"\r\n\r\n")
            answer += await _rest(reader)
    except asyncio.IncompleteReadError as error:
        answer = error.partial
    except ConnectionError:
        pass
    finally:
        writer.close()
    return (int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0), answer


async def ask(
    url: str,
    method: str,
    path: str,
    *,
    token: str | None = None,
    body: Any = None,
    source: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request on a connection of its own. A `body` that is no bytes is sent as JSON."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Host": urlsplit(url).netloc, "Connection": "close", "Content-Length": str(len(data))}
    if token is not None:
        fields["Authorization"] = f"Bearer {token}"
    head = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in (fields | dict(headers or {})).items())]
    reader, writer = await connect_tcp(url, source=source)
    try:
        writer.write("\r\n".join([*head, "", ""]).encode() + data)
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await reader.read()
    finally:
        writer.close()
    assert not any(inside in answer for inside in INSIDES), answer[:1_000]
    told, _, content = answer.partition(b"\r\n\r\n")
    first, *lines = told.decode().split("\r\n")
    found = dict(line.split(": ", 1) for line in lines)
    return Answer(int(first.split(" ", 2)[1]), {name.lower(): found[name] for name in found}, content)


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(0.1):
            return await reader.read(65_536)
    except TimeoutError:
        return b""


def upgrade(url: str, path: str, **headers: str) -> bytes:
    """A good request for a WebSocket, in which `headers` are replaced, or left out when empty."""
    fields = {
        "Host": urlsplit(url).netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Protocol": "chronoscribe.v1",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value)]
    return "\r\n".join([*lines, "", ""]).encode()


class RawSocket:
    """A WebSocket to a room. `answer` is what the server said to the upgrade."""

    def __init__(
        self,
        url: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answer: bytes,
        by: Guest | None,
    ) -> None:
        self.url = url
        self.guest = by
        """Whose it is; None before it is known."""
        self.answer = answer
        self.client = ""
        self.heard: list[bytes] = []
        self._reader = reader
        self._writer = writer
        self.last_ref = 100

    @classmethod
    async def connect(
        cls,
        url: str,
        room: str,
        *,
        by: Guest | None = None,
        ticket: str | None = None,
        receive_buffer: int | None = None,
        source: str | None = None,
        **headers: str,
    ) -> RawSocket:
        """A socket that says nothing; that of a guest shows a ticket. A `ticket` is one of nobody we know."""
        shown = await _ticket(by) if by is not None else ticket
        if shown is not None:
            headers["Sec_WebSocket_Protocol"] = f"chronoscribe.v1, ticket.{shown}"
        reader, writer = await connect_tcp(url, receive_buffer=receive_buffer, source=source)
        writer.write(upgrade(url, f"/ws/{room}", **headers))
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        return cls(url, reader, writer, answer, by)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    # Out.

    async def send(self, payload: bytes | str, opcode: int = TEXT, **form: Any) -> None:
        """One frame, of a `form` as `frame_bytes` knows it."""
        await self.send_bytes(frame_bytes(payload, opcode, **form))

    async def send_storm(self, payloads: Iterable[bytes | str], opcode: int = TEXT) -> None:
        """Many frames as fast as the kernel takes them."""
        await self.send_bytes(b"".join(frame_bytes(payload, opcode) for payload in payloads))

    async def send_bytes(self, data: bytes) -> None:
        """Whatever they make of a frame."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError:
            pass  # what the server said before it went is still to be read

    async def send_json(self, **fields: Any) -> None:
        await self.send(json.dumps(fields))

    # In.

    async def receive(self, seconds: float = ANSWER_SECONDS) -> Received:
        """The next frame. Raises `Closed` at the end, `TimeoutError`."""
        try:
            async with asyncio.timeout(seconds):
                first, second = await self._reader.readexactly(2)
                size = second & 0x7F
                if size >= 126:
                    size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8))
                payload = await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Closed(None) from None
        self.heard.append(payload)
        if first & 0xF == CLOSE:
            raise Closed(int.from_bytes(payload[:2]) if payload else None)
        return Received(first & 0xF, payload)

    async def receive_json(self, seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """The next text frame."""
        while True:
            received = await self.receive(seconds)
            if received.opcode == TEXT:
                frame: dict[str, Any] = json.loads(received.payload)
                return frame

    async def answer_to(self, ref: int | None, seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """The answer with this `ref`; whatever else comes meanwhile is passed over."""
        while True:
            frame = await self.receive_json(seconds)
            if "ref" in frame and frame["ref"] == ref:
                return frame

    async def refusal(self) -> dict[str, Any]:
        """The next error, whatever request it answers."""
        while True:
            frame = await self.receive_json()
            if frame["type"] == "error":
                return frame

    async def closed(self, seconds: float = ANSWER_SECONDS) -> int | None:
        """Read until the end; the close code."""
        try:
            while True:
                await self.receive(seconds)
        except Closed as closed:
            return closed.code

    # The protocol.

    async def ask(self, **fields: Any) -> dict[str, Any]:
        """Send a request; returns its answer."""
        self.last_ref += 1
        await self.send_json(ref=self.last_ref, **fields)
        return await self.answer_to(self.last_ref)

    async def greet(self, client: str, /, by: Guest | None = None, **fields: Any) -> dict[str, Any]:
        """Say hello as `client`; of a new guest if none is given, unless a ticket was shown already."""
        self.client = client
        hello: dict[str, Any] = {"type": "hello", "protocol": 1, "client": client}
        if self.guest is None:
            of = by if by is not None else await asyncio.to_thread(guest, self.url, client)
            self.guest = of
            hello["ticket"] = await _ticket(of)
        return await self.ask(**hello | fields)

    async def open(self, document: str, **fields: Any) -> dict[str, Any]:
        return await self.ask(type="open", document=document, create=True, **fields)

    async def edit(self, document: str, seq: int, base: int, op: Any) -> dict[str, Any]:
        """Send an edit; returns its own event, or the error or `ok` that answers it instead."""
        self.last_ref += 1
        await self.send_json(type="edit", ref=self.last_ref, document=document, seq=seq, base=base, op=op)
        while True:
            frame = await self.receive_json()
            if frame.get("ref") == self.last_ref:
                return frame
            for event in frame.get("events", ()):
                if event["event"] != "edit" or event["client"] != self.client:
                    continue
                if event["seq"] == seq and event["document"] == document:
                    found: dict[str, Any] = event
                    return found


async def _ticket(of: Guest) -> str:
    return await asyncio.to_thread(of.ticket)


def frame_bytes(
    payload: bytes | str,
    opcode: int = TEXT,
    *,
    is_final: bool = True,
    reserved: int = 0,
    is_masked: bool = True,
    length: int | None = None,
) -> bytes:
    """A frame; `length` is what its head says, whatever the payload is."""
    data = payload.encode() if isinstance(payload, str) else payload
    size = len(data) if length is None else length
    head = bytes([is_final << 7 | reserved << 4 | opcode])
    mask_bit = is_masked << 7
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 65_536:
        head += bytes([mask_bit | 126]) + size.to_bytes(2)
    else:
        head += bytes([mask_bit | 127]) + size.to_bytes(8)
    if not is_masked:
        return head + data
    key = os.urandom(4)
    return head + key + _masked(data, key)


def _masked(data: bytes, key: bytes) -> bytes:
    repeated = (key * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data) ^ int.from_bytes(repeated)).to_bytes(len(data))
