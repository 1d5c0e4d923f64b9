"""A node in memory and clients on sockets that are none, for scripts in frames: push, expect_reply,
expect_frame, expect_silence.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import orjson

from application.attendances import Attendances
from application.cursors import Cursors
from application.documents import Documents
from application.messages import Messages
from application.rooms import Rooms
from application.services import Services
from interfaces.ws.hub import Hub
from interfaces.ws.rates import Limits
from interfaces.ws.session import Session
from tests.application.fakes import Clock, FakeNode, FakeStore
from tests.waiting import until

EPOCH: Final = "epoch-1"

# What is answered at all is answered within far fewer turns of the event loop.
TURNS: Final = 100

Heard = dict[str, Any]


async def turns() -> None:
    """Let everything happen that needs no time."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


class World:
    """One node: services on stores in memory, which commit by themselves, and a hub."""

    def __init__(
        self, store: FakeStore | None = None, limits: Limits | None = None, node: str = "node-1"
    ) -> None:
        self.store = store or FakeStore()
        self.clock = Clock()
        self.record = FakeNode(self.store, self.clock)
        self.presence = FakeNode(FakeStore(), self.clock)
        self.record.commits_by_itself = self.presence.commits_by_itself = True
        self.hub = Hub(self.store)
        self.record.followers.append(self.hub.on_events)
        self.presence.followers.append(self.hub.on_presence)
        self.limits = limits or Limits()
        self.clients: list[ScriptedClient] = []
        ids = itertools.count(1)
        now, lives = self.clock.now, self.record.lives
        rooms = Rooms(lives, now=now)
        self.services = Services(
            rooms=rooms,
            documents=Documents(lives, self.store, rooms, now=now),
            messages=Messages(lives, now=now),
            attendances=Attendances(lives, node=node, now=now),
            cursors=Cursors(self.presence.lives, node=node, now=now),
            node=node,
            epoch=EPOCH,
            now=now,
            monotonic=self.clock.monotonic,
            new_id=lambda: f"{node}-s{next(ids)}",
        )

    async def open_room(self, *documents: str) -> World:
        """With the room "demo" and documents in it."""
        await self.services.rooms.open("demo", "Demo", actor="Ada")
        for document in documents:
            await self.services.documents.create("demo", document, actor="Ada")
        return self

    def another_node(self) -> World:
        """A second node on the same store, up to date; from then on it is fed when the test says so."""
        other = World(self.store, node=f"{self.services.node}b")
        other.clock.seconds = self.clock.seconds
        other.record.feed()
        return other

    def connect(self, name: str, room: str = "demo") -> ScriptedClient:
        """A socket that has said nothing yet."""
        client = ScriptedClient(self, name, room)
        self.clients.append(client)
        return client

    async def join(self, name: str, *documents: str) -> ScriptedClient:
        """A client that is in the room, with documents open; nobody has anything left to hear."""
        client = self.connect(name)
        await client.hello()
        for document in documents:
            await client.request(type="open", document=document)
        await turns()
        for everybody in self.clients:
            everybody.forget()
        return client


class FakeTransport:
    """Takes everything; `is_full` makes it a peer that does not read."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_full = False
        self.closing = False

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return 10**9 if self.is_full else 0

    def is_closing(self) -> bool:
        return self.closing


class ScriptedClient:
    """A client in a script. What it has heard and not yet expected is in `heard`."""

    def __init__(self, world: World, name: str, room: str) -> None:
        self.name = name
        self.world = world
        self.transport = FakeTransport()
        self.code: int | None = None
        self.heard: deque[Heard] = deque()
        self.session = Session(room, world.services, world.hub, self.transport, self._on_close, world.limits)
        self._refs = itertools.count(1)

    def _on_close(self, code: int) -> None:
        self.code = code

    # Saying.

    async def push(self, **frame: Any) -> int:
        """Send a frame; gives its `ref`."""
        ref = frame.setdefault("ref", next(self._refs))
        await self.push_raw(orjson.dumps(frame))
        return int(ref)

    async def push_raw(self, data: str | bytes) -> None:
        await self.session.receive(data)
        self.hear()

    async def request(self, **frame: Any) -> Heard:
        """Send a frame and expect its reply."""
        return await self.expect_reply(await self.push(**frame))

    async def hello(self, **fields: Any) -> Heard:
        """Say hello and expect the answer."""
        frame = {"type": "hello", "protocol": 1, "client": self.name, "name": self.name.title()}
        return await self.request(**(frame | fields))

    def disconnect(self, *, is_clean: bool = False) -> None:
        """The socket is gone."""
        self.session.on_closed(is_clean=is_clean)

    # Hearing.

    def hear(self) -> None:
        """Take in what has been sent."""
        for data in self.transport.written:
            self.heard.append(orjson.loads(payload(data)))
        self.transport.written.clear()

    def forget(self) -> None:
        """Whatever has been heard so far is of no interest."""
        self.hear()
        self.heard.clear()

    async def expect_reply(self, ref: int | None) -> Heard:
        """The next frame that is an answer to `ref`."""
        return await self._expect({"ref": ref})

    async def expect_frame(self, kind: str, **fields: Any) -> Heard:
        """The next frame of type `kind` with these fields."""
        return await self._expect({"type": kind, **fields})

    async def expect_event(self, name: str) -> Heard:
        """The next frame of events, which holds one, called `name`."""
        frame = await self.expect_frame("events")
        [event] = frame["events"]
        assert event["event"] == name, event
        return dict(event)

    async def _expect(self, fields: Mapping[str, Any]) -> Heard:
        def found() -> Heard | None:
            self.hear()
            return next((f for f in self.heard if fields.items() <= f.items()), None)

        try:
            await until(found, 5)
        except TimeoutError:
            raise AssertionError(f"{self.name} did not hear {fields} but {list(self.heard)}") from None
        frame = found()
        assert frame is not None
        self.heard.remove(frame)
        return frame

    async def expect_silence(self) -> None:
        """Nothing is heard, and everything that was heard has been expected."""
        await turns()
        self.hear()
        assert not self.heard, list(self.heard)

    async def expect_error(self, ref: int | None, code: str, **facts: Any) -> Heard:
        """The answer to `ref` is an error with these facts."""
        error = await self.expect_reply(ref)
        assert error["type"] == "error", error
        assert (error["code"], facts.items() <= error.items()) == (code, True), error
        return error


def payload(wire: bytes) -> bytes:
    """The payload of one WebSocket message of a server."""
    assert wire[0] == 0x81
    length = wire[1]
    if length < 126:
        return wire[2:]
    return wire[4:] if length == 126 else wire[10:]
