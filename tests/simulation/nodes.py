"""A server process in the simulation: the real node but for its sockets, its database and its clock.

It is put together here as `infrastructure.node` and `interfaces.server` do it. When it crashes, all
of it is dropped where it stands; a new one with a new id begins from the store.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Final

from application.attendances import Attendances
from application.cursors import Cursors
from application.document_imports import DocumentImports
from application.documents import Documents
from application.imports import Imports
from application.links import Links
from application.live import LiveAggregates
from application.log import Recorded
from application.members import Members
from application.messages import Messages
from application.past.blame import Blame, EditFacts
from application.past.revising import Revising
from application.past.undo import Undo
from application.profiles import Profiles
from application.receipts import Receipts
from application.revisions import Revisions
from application.rooms import Rooms
from application.runs import Runs
from application.services import Services
from domain.attendance import Joined
from domain.attribution import Run
from domain.document import Document, EditApplied
from domain.errors import ChronoscribeError, StoreUnavailable
from domain.ids import parse_stream
from infrastructure.feed import Feed
from infrastructure.group_commit import GroupCommit
from infrastructure.snapshots import Snapshots
from interfaces.ws import closes
from interfaces.ws.holder import Peer
from interfaces.ws.hub import Hub
from interfaces.ws.live_views import LiveViews
from interfaces.ws.player import Players
from interfaces.ws.rates import Limits
from interfaces.ws.requests import Requests
from interfaces.ws.session import Session
from tests.interfaces.ws.pasts import FakePast
from tests.simulation.loop import Owner, VirtualLoop
from tests.simulation.network import Link, NodeEnd
from tests.simulation.store import Connection, HistoryOnNode, LogOnNode, SimulatedStore, TicketsOnNode
from tests.simulation.trace import Trace

START_RETRY_SECONDS: Final = 0.5
TICK_SECONDS: Final = 1.0
EVICT_SECONDS: Final = 1.0
SWEEP_SECONDS: Final = 5.0

# When virtual time begins.
BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)


class NoStandings:
    """Of projections, which are not simulated."""

    async def find(self) -> Mapping[str, Any] | None:
        return {}


class NoPast:
    """Nobody looks back here."""

    async def nearest(self, stream: str, revision: int) -> tuple[int, Sequence[Run]]:
        del stream, revision
        return 0, []

    async def keep(self, stream: str, revision: int, runs: Sequence[Run]) -> None:
        pass

    async def facts(self, stream: str, revisions: Sequence[int]) -> Mapping[int, EditFacts]:
        raise NotImplementedError

    async def revision_at(self, stream: str, at: datetime) -> int | None:
        raise NotImplementedError

    async def own_backwards(self, stream: str, actor: str, before: int, limit: int) -> Sequence[EditApplied]:
        raise NotImplementedError


class LogParts:
    """As `infrastructure.node.LogOnNode`."""

    def __init__(self, node: SimulatedNode, name: str) -> None:
        self._name = name
        self._node = node
        store = LogOnNode(node.connection, name)
        self.feed = Feed(store)
        self.commit = GroupCommit(store, self._on_appended, monotonic=node.monotonic)
        self.lives = LiveAggregates(self.commit, node.history, monotonic=node.monotonic)
        self.feed.follow(self.lives.on_events)

    def _on_appended(self, previous: int, recorded: Sequence[Recorded]) -> None:
        self.feed.on_appended(previous, recorded)
        self._node.tell_others(self._node, self._name)


class SimulatedNode(Owner):
    """One run of one server process."""

    def __init__(
        self,
        node_id: str,
        store: SimulatedStore,
        random: Random,
        trace: Trace,
        *,
        tell_others: Callable[[SimulatedNode, str], None],
        clock_skew_seconds: float,
    ) -> None:
        super().__init__()
        self.id = node_id
        self.is_up = False
        self.is_draining = False
        self.is_dead = False
        self.violations: list[str] = []
        self.tell_others = tell_others
        self._store = store
        self._random = random
        self._trace = trace
        self._skew = timedelta(seconds=clock_skew_seconds)
        self._ids = 0
        self._missing: set[str] = set()
        self._sockets: dict[Socket, None] = {}
        self.connection = Connection(store)
        self.history = HistoryOnNode(self.connection)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._loop = loop
        self.monotonic = loop.time
        self.record = LogParts(self, "record")
        self.presence = LogParts(self, "presence")
        self.snapshots = Snapshots(self.record.lives, self.history)
        self.record.feed.follow(self.snapshots.on_events)
        self.services = self._services()
        self.hub = Hub(self.history, self.history)
        self.limits = Limits()
        live_views = LiveViews(NoStandings(), {})  # there are no projections here
        players = Players(FakePast(), monotonic=self.services.monotonic)  # nor replays
        self.requests = Requests(self.services, self._undo(), self.hub, live_views, players, self.limits)

    def _undo(self) -> Undo:
        documents, past = self.services.documents, NoPast()
        revising = Revising(self.record.lives, self.history, documents)
        return Undo(documents, Blame(self.history, past), past, revising, now=self.now)

    def _services(self) -> Services:
        lives = self.record.lives
        rooms = Rooms(lives, now=self.now)
        documents = Documents(lives, self.history, rooms, now=self.now)
        messages = Messages(lives, documents, now=self.now)
        return Services(
            rooms=rooms,
            members=Members(lives, now=self.now, new_id=self._new_id),
            profiles=Profiles(lives, now=self.now),
            documents=documents,
            messages=messages,
            links=Links(documents, self.history),
            document_imports=DocumentImports(
                lives, rooms, Revisions(lives, documents, now=self.now), now=self.now
            ),
            imports=Imports(messages, self.history),
            receipts=Receipts(lives, node=self.id, now=self.now),
            revisions=Revisions(lives, documents, now=self.now),
            runs=Runs(lives, documents, now=self.now),
            attendances=Attendances(lives, node=self.id, now=self.now, monotonic=self.monotonic),
            cursors=Cursors(self.presence.lives, node=self.id, now=self.now, monotonic=self.monotonic),
            history=self.history,
            tickets=TicketsOnNode(self.connection),
            node=self.id,
            epoch=self._store.epoch,
            now=self.now,
            monotonic=self.monotonic,
            new_id=self._new_id,
        )

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.monotonic()) + self._skew

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self.id}-{self._ids}"

    # Life.

    def start(self, living: Callable[[], set[str]]) -> None:
        """Begin; `is_up` says when it is done. `living` tells which nodes hold their lock."""
        self.call(asyncio.get_running_loop().create_task, self._start(living))

    async def _start(self, living: Callable[[], set[str]]) -> None:
        # Without cursors the presence log stays empty, and looking at it would only take time.
        logs = (self.record, self.presence) if self._store.faults.with_cursors else (self.record,)
        for log in logs:
            while True:
                try:
                    await log.feed.start()
                    break
                except StoreUnavailable:
                    await asyncio.sleep(START_RETRY_SECONDS)
            self._own(log.feed.run(), "feed")
            self._own(log.commit.run(), "committer")
        self._own(self.snapshots.run(), "snapshots")
        self.hub.position = self.record.feed.position
        self.record.feed.follow(self.hub.on_events)
        self.presence.feed.follow(self.hub.on_presence)
        self._own(self._tick(), "heartbeats")
        self._own(self._evict(), "eviction")
        self._own(self._sweep(living), "sweep of stays")
        self.is_up = True
        self._trace(self.id, "is up at", self.hub.position)

    def _own(self, work: Any, name: str) -> None:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(partial(self._on_task_done, name))

    def _on_task_done(self, name: str, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self.violations.append(f"{self.id}: its {name} has ended: {task.exception()!r}")

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for socket in tuple(self._sockets):
                socket.session.on_tick(self.monotonic())
            self.services.attendances.sweep()

    async def _evict(self) -> None:
        while True:
            await asyncio.sleep(EVICT_SECONDS)
            for log in (self.record, self.presence):
                idle = self._store.faults.evict_seconds
                for aggregate in log.lives.evict(idle_seconds=idle, budget_bytes=10**9):
                    if isinstance(aggregate, Document):
                        self._trace(self.id, "lets go of", aggregate.id, aggregate.version)
                        self.snapshots.take(aggregate)

    async def _sweep(self, living: Callable[[], set[str]]) -> None:
        """As `Node.close_stays_of_dead_nodes`."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                stays = await self.history.open_stays(None)
            except StoreUnavailable:
                continue
            joined = [stay.event for stay in stays if isinstance(stay.event, Joined)]
            missing = {stay.node for stay in joined} - living()
            for stay in joined:
                if stay.node in missing & self._missing:
                    where = parse_stream(stay.originator_id)
                    try:
                        await self.services.attendances.leave(
                            where.room, where.name, "lost", actor=stay.actor
                        )
                    except ChronoscribeError as error:
                        self._trace(self.id, "could not end a stay:", error)
            self._missing = missing

    def crash(self) -> None:
        """Nothing of this process happens after this."""
        self._trace(self.id, "crashes")
        self.is_dead, self.is_up = True, False
        for socket in tuple(self._sockets):
            socket.link.die_with_node()
        self._sockets.clear()
        self.end_tasks()
        self._loop.resume(self)  # so that the tasks end

    def pause(self) -> None:
        """Stop, as by SIGSTOP, until `resume`."""
        self._trace(self.id, "is paused")
        self._loop.pause(self)

    def resume(self) -> None:
        self._trace(self.id, "goes on")
        self._loop.resume(self)

    async def drain(self) -> None:
        """The orderly end of a process: everybody is sent elsewhere, what is under way is finished."""
        self._trace(self.id, "drains")
        self.is_draining, self.is_up = True, False
        for socket in tuple(self._sockets):
            socket.session.close(closes.DRAINING)
        while self._sockets and not self.is_dead:  # noqa: ASYNC110 -- virtual time costs nothing
            await asyncio.sleep(0.05)
        try:
            async with asyncio.timeout(5.0):
                await self.record.commit.drained()
        except TimeoutError:
            pass
        if not self.is_dead:
            self.crash()

    # Sockets.

    def accept(self, link: Link, room: str) -> None:
        socket = self.call(Socket, self, link, room, self._trace)
        self._sockets[socket] = None

    def on_gone(self, socket: Socket) -> None:
        self._sockets.pop(socket, None)

    @property
    def links(self) -> list[Link]:
        return [socket.link for socket in self._sockets]

    @property
    def clients(self) -> set[str]:
        """Who has a session here."""
        return {s.session.client for s in self._sockets if s.session.is_greeted and not s.session.is_closed}


class Socket(NodeEnd):
    """As `interfaces.ws.route` treats an aiohttp WebSocket; also the session's transport."""

    def __init__(self, node: SimulatedNode, link: Link, room: str, trace: Trace) -> None:
        self.link = link
        self._node = node
        self._trace = trace
        self._received: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._has_ended = False
        self._is_clean = False
        link.node_end = self
        self.session = Session(
            room,
            node.services,
            node.requests,
            self,
            self._on_close,
            node.limits,
            Peer(),
            lambda _: True,
        )
        self._reader = asyncio.get_running_loop().create_task(self._read())

    # The session's transport.

    def write(self, data: bytes) -> None:
        if not self._node.is_dead:
            self.link.write(_payload(data))

    def get_write_buffer_size(self) -> int:
        return self.link.unread_bytes

    def is_closing(self) -> bool:
        return self._node.is_dead or self._has_ended or self.session.is_closed

    def _on_close(self, code: int) -> None:
        if self._node.is_dead:
            return
        self._trace(self._node.id, "closes", self.link.name, code)
        if code == closes.INTERNAL:
            self._node.violations.append(f"{self._node.id}: a command failed in a way that nobody expected")
        self.link.close(code)

    # The link.

    def on_data(self, data: bytes) -> None:
        self._received.append(data)
        self._wake.set()

    def on_end(self, *, is_clean: bool) -> None:
        self._has_ended, self._is_clean = True, is_clean
        self._wake.set()

    async def _read(self) -> None:
        while True:
            while self._received:
                await self.session.receive(self._received.popleft())
            if self._has_ended:
                break
            self._wake.clear()
            await self._wake.wait()
        if not self._node.is_dead:
            self._node.on_gone(self)
            self.session.on_closed(is_clean=self._is_clean)


def _payload(wire: bytes) -> bytes:
    """What a WebSocket frame of a server holds (RFC 6455, 5.2)."""
    assert wire[0] == 0x81, "one whole text message"
    length = wire[1]
    start = 2 if length < 126 else 4 if length == 126 else 10
    if start > 2:
        length = int.from_bytes(wire[2:start])
    assert len(wire) == start + length
    return wire[start:]
