"""A node in memory and clients on sockets that are none, for scripts in frames: push, expect_reply,
expect_frame, expect_silence.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import orjson

from application.attendances import Attendances
from application.cursors import Cursors
from application.document_imports import DocumentImports
from application.documents import Documents
from application.identity import Identity, Ticket
from application.imports import Imports
from application.links import Links
from application.members import Members
from application.messages import Messages
from application.past.blame import Blame
from application.past.revising import Revising
from application.past.undo import Undo
from application.profiles import Profiles
from application.receipts import Receipts
from application.revisions import Revisions
from application.rooms import Rooms
from application.runs import Runs
from application.services import Services
from domain.errors import StoreUnavailable, Unauthenticated
from domain.rights import Role
from interfaces.ws.holder import Peer
from interfaces.ws.hub import Hub
from interfaces.ws.live_views import LiveViews
from interfaces.ws.player import Players
from interfaces.ws.rates import Limits
from interfaces.ws.requests import Requests
from interfaces.ws.session import Session
from interfaces.ws.wire import Frame, frame
from tests.application.fakes import Clock, FakeNode, FakeStore
from tests.application.past import scenes
from tests.interfaces.ws.pasts import FakePast
from tests.waiting import until

EPOCH: Final = "epoch-1"

# What is answered at all is answered within far fewer turns of the event loop.
TURNS: Final = 100

# For how long tokens are good here: longer than any script.
TOKEN_SECONDS: Final = 24 * 3600.0

Heard = dict[str, Any]


async def turns() -> None:
    """Let everything happen that needs no time."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


class FakeTickets:
    """Tickets that all nodes share; each opens one socket, from where it was issued for."""

    def __init__(self, clock: Clock) -> None:
        self.is_away = False
        self._clock = clock
        self._out: dict[str, tuple[Identity, str | None, str]] = {}
        self._numbers = itertools.count(1)
        self._open = asyncio.Event()
        self._open.set()

    def make(
        self,
        user: str,
        *,
        name: str | None = None,
        seconds: float = TOKEN_SECONDS,
        issued_seconds_ago: float = 0.0,
        origin: str | None = None,
        agent: str = "program",
    ) -> str:
        """A ticket of `user`, bought with a token that ends in so many `seconds`."""
        now = self._clock.now()
        issued = now - timedelta(seconds=issued_seconds_ago)
        identity = Identity(user, name, issued, now + timedelta(seconds=seconds))
        value = f"ticket-{next(self._numbers)}-of-{user}"
        self._out[value] = (identity, origin, agent)
        return value

    async def issue(self, identity: Identity, *, origin: str | None, agent: str) -> Ticket:
        value = f"ticket-{next(self._numbers)}-of-{identity.user}"
        self._out[value] = (identity, origin, agent)
        return Ticket(value, identity.expires)

    async def redeem(self, ticket: str, *, origin: str | None, agent: str) -> Identity:
        await self._open.wait()
        if self.is_away:
            raise StoreUnavailable("the store is away", retry_after=0.5)
        identity, *place = self._out.pop(ticket, (None, None, ""))
        if identity is None or place != [origin, agent] or identity.expires <= self._clock.now():
            raise Unauthenticated
        return identity

    def hold(self) -> None:
        """Nobody gets an answer until `release`."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()


class FakeTable:
    """A projection that stands where a script says, and the view of it: a list of what has changed where."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.projections: tuple[str, ...] = (name,)
        self.pause_seconds = 0.0
        self.position = 0
        self.changes: list[tuple[int, str, str]] = []
        """Position, room and what is told."""
        self.page = 100
        self.is_away = False

    def change(self, position: int, room: str, told: str) -> None:
        """The table has taken in the event at `position`."""
        self.changes.append((position, room, told))
        self.position = position

    async def read(self, room: str, after: int, until: int) -> tuple[int, list[Frame]]:
        if self.is_away:
            raise StoreUnavailable("the store is away", retry_after=0.5)
        found = [(at, told) for at, of, told in self.changes if of == room and at > after][: self.page]
        reached = found[-1][0] if len(found) == self.page else until
        return reached, [frame(type=self.name, told=told) for _, told in found]


class FakeStandings:
    """How far the tables are."""

    def __init__(self, *tables: FakeTable) -> None:
        self.tables = {table.name: table for table in tables}
        self.is_away = False

    async def find(self) -> Mapping[str, FakeTable] | None:
        return None if self.is_away else self.tables


class World:
    """One node: services on stores in memory, which commit by themselves, and a hub."""

    def __init__(
        self,
        store: FakeStore | None = None,
        limits: Limits | None = None,
        node: str = "node-1",
        *,
        beside: World | None = None,
    ) -> None:
        """`beside` is another node on the same stores."""
        self.store = store or FakeStore()
        self.clock = Clock()
        self.record = FakeNode(self.store, self.clock)
        self.presence: FakeNode = FakeNode(beside.presence.store if beside else FakeStore(), self.clock)
        self.record.commits_by_itself = self.presence.commits_by_itself = True
        self.tickets: FakeTickets = beside.tickets if beside else FakeTickets(self.clock)
        self.hub = Hub(self.store, self.presence.store)
        self.record.followers.append(self.hub.on_events)
        self.presence.followers.append(self.hub.on_presence)
        self.tables = FakeStandings(FakeTable("activity"), FakeTable("statistics"))
        self.live_views = LiveViews(self.tables, dict(self.tables.tables), look_seconds=0.0)
        self.record.followers.append(self.live_views.on_events)
        self.past = FakePast()
        self.players = Players(self.past, monotonic=self.clock.monotonic)
        self.limits = limits or Limits()
        self.clients: list[ScriptedClient] = []
        self.admits = True
        """Whether a user may have one more socket."""
        self.tells_statuses = False
        """Whether clients hear of statuses: in most scripts they are beside the point."""
        self.services = self._services(node)
        undo = self._undo()
        self.requests = Requests(self.services, undo, self.hub, self.live_views, self.players, self.limits)

    def _services(self, node: str) -> Services:
        ids = itertools.count(1)
        now, monotonic, lives = self.clock.now, self.clock.monotonic, self.record.lives
        rooms = Rooms(lives, now=now)
        documents = Documents(lives, self.store, rooms, now=now)
        messages = Messages(lives, documents, now=now)
        return Services(
            rooms=rooms,
            members=Members(lives, now=now, new_id=lambda: f"{node}-i{next(ids)}"),
            profiles=Profiles(lives, now=now),
            documents=documents,
            messages=messages,
            links=Links(documents, self.store),
            document_imports=DocumentImports(lives, rooms, Revisions(lives, documents, now=now), now=now),
            imports=Imports(messages, self.store),
            receipts=Receipts(lives, node=node, now=now),
            revisions=Revisions(lives, documents, now=now),
            runs=Runs(lives, documents, now=now),
            attendances=Attendances(lives, node=node, now=now, monotonic=monotonic),
            cursors=Cursors(self.presence.lives, node=node, now=now, monotonic=monotonic),
            history=self.store,
            tickets=self.tickets,
            node=node,
            epoch=EPOCH,
            now=now,
            monotonic=monotonic,
            new_id=lambda: f"{node}-s{next(ids)}",
        )

    def _undo(self) -> Undo:
        documents, lives, past = self.services.documents, self.record.lives, scenes.FakePast(self.store)
        revising = Revising(lives, self.store, documents)
        return Undo(documents, Blame(self.store, past), past, revising, now=self.clock.now)

    async def open_room(
        self, *documents: str, room: str = "demo", everyone: Role | None = Role.EDITOR
    ) -> World:
        """With a room of Ada's, that everybody may edit, and documents in it."""
        await self.services.rooms.open(room, room.title(), actor="Ada", everyone=everyone)
        for document in documents:
            await self.services.documents.create(room, document, actor="Ada")
        return self

    async def meet(self, *users: str) -> None:
        """Let users have profiles, as if they had been here before."""
        for user in users:
            ticket = self.tickets.make(user)
            await self.services.profiles.enter(
                await self.tickets.redeem(ticket, origin=None, agent="program")
            )

    async def add_member(self, user: str, role: Role | str, room: str = "demo") -> None:
        """Make `user` a member with this role, or give them another one."""
        await self.services.members.put(room, user, Role(role), actor="Ada")

    async def remove_member(self, user: str, room: str = "demo") -> None:
        await self.services.members.remove(room, user, actor="Ada")

    def another_node(self) -> World:
        """A second node on the same stores, up to date; from then on it is fed when the test says so."""
        other = World(self.store, node=f"{self.services.node}b", beside=self)
        other.clock.seconds = self.clock.seconds
        other.feed()
        return other

    def feed(self) -> None:
        """Bring what other nodes have written."""
        self.record.feed()
        self.presence.feed()

    def tick(self, seconds: float = 0.0) -> None:
        """Let time pass, and all sockets be looked at."""
        self.clock.advance(seconds)
        for client in self.clients:
            client.session.on_tick(self.clock.monotonic())

    def evict(self) -> None:
        """Let everything go from memory, as if nobody had used it for long."""
        self.clock.advance(1)
        self.record.lives.evict(idle_seconds=0, budget_bytes=0)

    def connect(
        self, client: str, room: str = "demo", *, user: str | None = None, peer: Peer | None = None
    ) -> ScriptedClient:
        """A socket that has said nothing yet."""
        scripted = ScriptedClient(self, client, room, user or client.title(), peer or Peer())
        self.clients.append(scripted)
        return scripted

    async def join(
        self,
        client: str,
        *documents: str,
        room: str = "demo",
        user: str | None = None,
        role: Role | str | None = None,
    ) -> ScriptedClient:
        """A client that is in the room, its user a member with `role` if that is given, with documents open;
        nobody has anything left to hear.
        """
        scripted = self.connect(client, room, user=user)
        if role is not None:
            await self.add_member(scripted.user, role, room)
        await scripted.hello()
        for document in documents:
            await scripted.request(type="open", document=document)
        await self.forget()
        return scripted

    async def forget(self) -> None:
        """What anybody here has heard so far is of no interest."""
        await turns()
        for everybody in self.clients:
            everybody.forget()

    async def witnesses(self, document: str = "main.md") -> Witnesses:
        """Two clients in the room "demo" and two in another one, all of them editing."""
        await self.open_room(document, room="elsewhere", everyone=None)
        here = [await self.join(f"witness{n}", document, role="editor") for n in (1, 2)]
        there = [await self.join(f"witness{n}", document, room="elsewhere", role="editor") for n in (3, 4)]
        return Witnesses(document, [here, there])


@dataclass
class Witnesses:
    """Pairs of honest clients who must not notice what others are refused."""

    document: str
    pairs: list[list[ScriptedClient]]
    _edits: int = 0

    async def notice_nothing(self) -> None:
        """Nothing was said to them, they are where they were, and can go on editing with each other."""
        for pair in self.pairs:
            for witness in pair:
                await witness.expect_silence()
                witness.expect_no_end()
        self._edits += 1
        for writer, reader in self.pairs:
            opened = await writer.request(type="open", document=self.document)
            await writer.push(
                type="edit", document=self.document, seq=self._edits, base=opened["revision"], op=["."]
            )
            own, other = await writer.expect_event("edit"), await reader.expect_event("edit")
            assert own == other
            assert (own["client"], own["revision"]) == (writer.client, opened["revision"] + 1)


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

    def __init__(self, world: World, client: str, room: str, user: str, peer: Peer) -> None:
        self.client = client
        self.user = user
        self.world = world
        self.transport = FakeTransport()
        self.code: int | None = None
        self.heard: deque[Heard] = deque()
        self.session = Session(
            room,
            world.services,
            world.requests,
            self.transport,
            self._on_close,
            world.limits,
            peer,
            lambda session: world.admits,
        )
        self.position = 0
        """Up to where it knows the log."""
        self._is_catching_up = False
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

    async def authenticate(self, ticket: str | None = None) -> None:
        """Show a ticket while the socket is opened; None: a good one."""
        await self.session.authenticate(ticket or self.world.tickets.make(self.user))
        self.hear()

    def a_hello(self, **fields: Any) -> Heard:
        """A hello that shows a good ticket, unless `fields` say otherwise or it was shown before."""
        frame = {"type": "hello", "protocol": 1, "client": self.client}
        if self.session.holder.identity is None:
            frame["ticket"] = self.world.tickets.make(self.user)
        return {name: value for name, value in (frame | fields).items() if value is not None}

    async def hello(self, **fields: Any) -> Heard:
        """Say hello and expect the answer."""
        return await self.request(**self.a_hello(**fields))

    def disconnect(self, *, is_clean: bool = False) -> None:
        """The socket is gone."""
        self.session.on_closed(is_clean=is_clean)

    # Hearing.

    def hear(self) -> None:
        """Take in what has been sent."""
        for data in self.transport.written:
            frame = orjson.loads(payload(data))
            self._check_position(frame)
            if self._is_of_interest(frame):
                self.heard.append(frame)
        self.transport.written.clear()

    def _check_position(self, frame: Heard) -> None:
        """What a client has heard it has heard: its place in the log never goes back."""
        if frame["type"] not in {"welcome", "events"}:
            return
        assert self.position <= frame["position"], (self.position, frame)
        if frame["type"] == "events" and not self._is_catching_up:
            # How somebody looks is told again behind a stay that was decided before it.
            places = [event["position"] for event in frame["events"] if event["event"] != "profile"]
            assert places == sorted(set(places)), frame
            assert not places or self.position < places[0], (self.position, frame)
            assert all(event["position"] <= frame["position"] for event in frame["events"]), frame
        self._is_catching_up = frame["type"] == "welcome" and frame["resumed"]
        self.position = frame["position"]

    def _is_of_interest(self, frame: Heard) -> bool:
        if frame["type"] != "events" or self.world.tells_statuses:
            return True
        frame["events"] = [event for event in frame["events"] if event["event"] != "status"]
        return bool(frame["events"])

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

    def heard_frames(self, kind: str) -> list[Heard]:
        """All frames of type `kind` that have not been expected; from here on they are."""
        self.hear()
        found = [frame for frame in self.heard if frame["type"] == kind]
        self.heard = deque(frame for frame in self.heard if frame["type"] != kind)
        return found

    def expect_end(self, code: int) -> None:
        """The server has closed the socket, with this code."""
        assert self.code == code, (self.client, self.code)

    def expect_no_end(self) -> None:
        assert self.code is None, (self.client, self.code)

    async def _expect(self, fields: Mapping[str, Any]) -> Heard:
        def found() -> Heard | None:
            self.hear()
            return next((f for f in self.heard if fields.items() <= f.items()), None)

        try:
            await until(found, 5)
        except TimeoutError:
            raise AssertionError(f"{self.client} did not hear {fields} but {list(self.heard)}") from None
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
