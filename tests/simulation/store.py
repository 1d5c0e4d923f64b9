"""A store in memory that keeps the contract of the Postgres log, and misbehaves as a real one can.

What is shared is `SimulatedStore`: rows of encoded events, one lock and one sequence of notification ids
per log, the conflict rule, the guards, the unique number of each client. What a node sees of it is a
`StoreOnNode`: the ports of the committer, the feed and the history, behind a connection that may be slow,
fail or be cut off.

A transaction is the store's own task. So a node that gives up, or dies, leaves it running, as a
backend of Postgres would: it may still commit, while it holds the lock or even later.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from datetime import UTC, datetime
from random import Random
from typing import Any, Final, NamedTuple, TypeVar

from application.identity import Identity, Ticket
from application.log import Guarded, Recorded
from domain.aggregate import Event, Snapshot
from domain.attendance import Joined, Left, StatusChanged
from domain.document import Document, EditApplied, LastEdit
from domain.errors import StoreUnavailable
from domain.ids import parse_stream, profile_stream
from domain.presence import FrameRecorded, KeyframeRecorded
from domain.profile import ProfileChanged, ProfileCreated
from domain.receipts import Pointers, ReceiptsRecorded
from infrastructure.codec import decode, encode
from infrastructure.group_commit import Appended, OutcomeUnknown
from infrastructure.postgres.log import FRAMES_MAX
from tests.simulation.faults import Faults
from tests.simulation.loop import Owner
from tests.simulation.trace import Trace

T = TypeVar("T")

# As `infrastructure.postgres.database` sets it for every connection.
LOCK_SECONDS: Final = 2.0
IDLE_IN_TRANSACTION_SECONDS: Final = 5.0

# A reader waits about this long for a store that does not answer.
READ_SECONDS: Final = 5.0

# Events of one page that the feed reads.
PAGE_EVENTS: Final = 50

# Behind every position.
LATEST: Final = 2**62

# Tokens are good for the whole run.
EARLY: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATE: Final = datetime(2100, 1, 1, tzinfo=UTC)


class Row(NamedTuple):
    position: int
    stream: str
    version: int
    topic: str
    state: bytes
    client: str | None
    seq: int | None

    @property
    def event(self) -> Any:
        return decode(self.stream, self.version, self.topic, self.state)

    @property
    def recorded(self) -> Recorded:
        return Recorded(self.position, self.event)


class NewRow(NamedTuple):
    """An event on its way in."""

    stream: str
    version: int
    topic: str
    state: bytes
    client: str | None
    seq: int | None
    guard: Guarded


class Down(Exception):  # noqa: N818
    """The store has gone away, or does not give its lock in time."""


class LogLock:
    """The advisory lock of one log: first come, first served, with a time-out."""

    def __init__(self) -> None:
        self._holder: object = None
        self._waiting: deque[tuple[asyncio.Future[None], object]] = deque()

    async def acquire(self, token: object) -> None:
        """Raises `Down`."""
        if self._holder is None:
            self._holder = token
            return
        loop = asyncio.get_running_loop()
        granted: asyncio.Future[None] = loop.create_future()
        self._waiting.append((granted, token))
        # The time-out is the server's: it runs also while the node that waits is paused.
        timer = loop.call_later(LOCK_SECONDS, _fail, granted, context=Context())
        try:
            await granted
        except BaseException:
            self.release(token)
            raise
        finally:
            timer.cancel()

    def release(self, token: object) -> None:
        if self._holder is not token:
            return
        self._holder = None
        while self._waiting:
            granted, waiting = self._waiting.popleft()
            if not granted.done():
                self._holder = waiting
                granted.set_result(None)
                return

    def reset(self) -> None:
        waiting, self._waiting = self._waiting, deque()
        self._holder = None
        for granted, _ in waiting:
            _fail(granted)

    def is_held_by(self, token: object) -> bool:
        return self._holder is token


def _fail(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(Down("no lock"))


class Log:
    """The rows of one log."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = LogLock()
        self.rows: list[Row] = []
        self.streams: dict[str, list[Row]] = {}
        self.next_id = 1
        self._numbers: set[tuple[str, str, int]] = set()

    @property
    def position(self) -> int:
        return self.rows[-1].position if self.rows else 0

    def append(self, new: Sequence[NewRow]) -> Appended:
        """The conflict rule: per stream all or nothing, where its first event follows on what is stored and
        nothing newer than its guards say is in their streams, stored or among `new`.

        A presence stream belongs to one run of one node, so the presence log has no rule.
        """
        refused = self._refused(new) if self.name == "record" else frozenset()
        taken = [row for row in new if row.stream not in refused]
        if self.name == "record":
            self._check(taken)
        previous = self.position
        positions = []
        for stream, version, topic, state, client, seq, _ in taken:
            row = Row(self.next_id, stream, version, topic, state, client, seq)
            self.next_id += 1
            self.rows.append(row)
            self.streams.setdefault(stream, []).append(row)
            positions.append(row.position)
        return Appended(previous, positions, refused)

    def _refused(self, new: Sequence[NewRow]) -> frozenset[str]:
        first: dict[str, int] = {}
        for row in new:
            first.setdefault(row.stream, row.version)
        lost = {s for s, version in first.items() if len(self.streams.get(s, ())) != version - 1}
        late = {row.stream for row in new if row.guard and row.guard[1] < self._newest(row.guard[0], new)}
        return frozenset(lost | late)

    def _newest(self, stream: str, new: Sequence[NewRow]) -> int:
        stored = len(self.streams.get(stream, ()))
        return max([stored, *(row.version for row in new if row.stream == stream)])

    def _check(self, taken: Sequence[NewRow]) -> None:
        """What constraints of the tables refuse; a product that tries it is wrong already."""
        versions: dict[str, int] = {}
        numbers = set(self._numbers)
        for row in taken:
            expected = versions.get(row.stream, len(self.streams.get(row.stream, ()))) + 1
            assert row.version == expected, f"a gap within one batch at {row.stream} {row.version}"
            versions[row.stream] = row.version
            if row.client is not None and row.seq is not None:
                number = (row.stream, row.client, row.seq)
                assert number not in numbers, f"the database refuses a second edit {number}"
                numbers.add(number)
        self._numbers = numbers


class SimulatedStore(Owner):
    """What all nodes share. `on_commit` is called with the rows of each commit, in the moment it is true."""

    def __init__(self, random: Random, faults: Faults, trace: Trace) -> None:
        super().__init__()
        self.random = random
        self.faults = faults
        self.trace = trace
        self.epoch = "epoch-1"
        self.logs = {"record": Log("record"), "presence": Log("presence")}
        self.snapshots: dict[str, list[tuple[int, bytes]]] = {}
        self.is_down = False
        self.is_faulty = True
        self.frozen_until = 0.0
        self.on_commit: Callable[[Sequence[Row]], None] = lambda rows: None
        self.violations: list[str] = []
        self.unknown_outcomes = 0
        self.refused_streams = 0

    # Faults.

    def go_down(self) -> None:
        """Everything that is under way is lost, all connections are cut."""
        self.is_down = True
        for log in self.logs.values():
            log.lock.reset()
        self.end_tasks()

    def come_back(self) -> None:
        self.is_down = False

    def heal(self) -> None:
        self.is_faulty = False
        self.frozen_until = 0.0
        self.come_back()

    def chance(self, probability: float) -> bool:
        return self.is_faulty and probability > 0 and self.random.random() < probability

    async def pass_time(self) -> None:
        """Some work inside the store; while it is frozen, none."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self.faults.store_latency_seconds * self.random.uniform(0.2, 2.0))
        while self.frozen_until > loop.time():  # noqa: ASYNC110 -- virtual time costs nothing
            await asyncio.sleep(self.frozen_until - loop.time())

    # Transactions.

    def commit(self, log: Log, new: Sequence[NewRow]) -> Appended:
        """Everything that a commit makes true, in one moment."""
        if self.chance(0.1):
            log.next_id += self.random.randrange(1, 5)  # numbers that a rolled back insert has burnt
        before = len(log.rows)
        try:
            appended = log.append(new)
        except AssertionError as error:
            self.violations.append(f"store: {error}")
            raise Down("a constraint") from error
        if appended.refused:
            self.refused_streams += len(appended.refused)
            log.next_id += self.random.randrange(0, 3)
        self.trace(
            "store", "commit", log.name, [(r.position, r.stream, r.version) for r in log.rows[before:]]
        )
        if appended.refused:
            self.trace("store", "refuses", sorted(appended.refused))
        if log.name == "record":
            self.on_commit(log.rows[before:])
        return appended

    async def transact(self, log: Log, new: Sequence[NewRow], reply: asyncio.Future[Appended]) -> None:
        """A whole transaction, as a backend runs it; `reply` is what the node hears of it."""
        token = object()
        if self.chance(self.faults.append_failure * 0.1):
            # The bytes are all sent, but the backend gets to them only now: the node has long given up.
            self._answer_not(reply, "lost before it began")
            await asyncio.sleep(self.random.uniform(0, 10))
        try:
            await self.pass_time()
            await log.lock.acquire(token)
            await self._commit_holding(log, new, reply)
        except Down:
            self._answer_not(reply, "down")
        finally:
            log.lock.release(token)

    async def _commit_holding(self, log: Log, new: Sequence[NewRow], reply: asyncio.Future[Appended]) -> None:
        await self.pass_time()
        if self.chance(self.faults.append_stall):
            await asyncio.sleep(self.random.choice([0.2, 1.0, 3.0, 8.0]) * self.random.random())
        if self.chance(self.faults.append_failure):
            self._answer_not(reply, "failed before the commit")
            outcome = self.random.choice(["never", "now", "later"])
            if outcome == "never":
                return
            if outcome == "later":
                await asyncio.sleep(self.random.uniform(0, 3))
        appended = self.commit(log, new)
        if not reply.done():
            reply.set_result(appended)

    def _answer_not(self, reply: asyncio.Future[Appended], why: str) -> None:
        if not reply.done():
            self.unknown_outcomes += 1
            self.trace("store", "no outcome:", why)
            reply.set_exception(OutcomeUnknown(why))


def as_new_rows(events: Sequence[Event], guards: Sequence[Guarded]) -> list[NewRow]:
    """Events as the append statement takes them: encoded, edits with their client and number, joins with
    their client, each with its guard.
    """
    rows = []
    for event, guard in zip(events, guards, strict=True):
        client = event.client if isinstance(event, EditApplied | Joined) else None
        seq = event.seq if isinstance(event, EditApplied) else None
        rows.append(
            NewRow(
                event.originator_id,
                event.originator_version,
                type(event).TOPIC,
                encode(event),
                client,
                seq,
                guard,
            )
        )
    return rows


class Connection:
    """Of one node to the store. Cut off, nothing gets through and nothing is answered."""

    def __init__(self, store: SimulatedStore) -> None:
        self.store = store
        self.is_cut_off = False

    async def request(self) -> None:
        """Send something. Raises `Down`."""
        store = self.store
        if self.is_cut_off:
            await asyncio.sleep(READ_SECONDS)
            raise Down("cut off")
        await store.pass_time()
        if store.is_down:
            await asyncio.sleep(store.random.uniform(0, 0.5))
            raise Down("nobody listens")

    async def read(self, query: Callable[[], T]) -> T:
        """A query. Raises `StoreUnavailable`."""
        store = self.store
        try:
            await self.request()
            found = query()
            await self.request()
            if store.chance(store.faults.read_failure):
                raise Down("the connection broke")
        except Down as down:
            raise StoreUnavailable(str(down), retry_after=0.5) from down
        return found


class LogOnNode:
    """One log for one node: the committer's `AppendStore` and the feed's `FeedStore`."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._store = connection.store
        self._log = connection.store.logs[name]

    async def append(self, events: Sequence[Event], guards: Sequence[Guarded]) -> Appended:
        new = as_new_rows(events, guards)
        await self._reach()
        reply: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        transaction = self._store.call(
            asyncio.get_running_loop().create_task, self._store.transact(self._log, new, reply)
        )
        transaction.add_done_callback(lambda _: self._store._answer_not(reply, "down"))
        return await self._answer(reply)

    async def _reach(self) -> None:
        try:
            await self._connection.request()
        except Down as down:
            raise OutcomeUnknown(str(down)) from down

    async def _answer(self, reply: asyncio.Future[Appended]) -> Appended:
        appended = await reply
        if self._connection.is_cut_off:
            await asyncio.sleep(READ_SECONDS)
            raise OutcomeUnknown("cut off")
        return appended

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[object]:
        await self._reach()
        token = object()
        lock = self._log.lock
        try:
            await lock.acquire(token)
        except Down as down:
            raise OutcomeUnknown(str(down)) from down
        loop = asyncio.get_running_loop()
        # The server ends a transaction in which nothing happens.
        loop.call_later(IDLE_IN_TRANSACTION_SECONDS, lock.release, token, context=Context())
        try:
            yield token
        except BaseException:
            # The backend may learn late that nobody is there any more.
            late = self._store.random.choice([0.0, 0.0, 0.1, IDLE_IN_TRANSACTION_SECONDS])
            loop.call_later(late, lock.release, token, context=Context())
            raise
        lock.release(token)

    async def append_within(
        self, exclusive: object, events: Sequence[Event], guards: Sequence[Guarded]
    ) -> Appended:
        new = as_new_rows(events, guards)
        await self._reach()
        store, lock = self._store, self._log.lock
        before = store.chance(store.faults.append_failure)
        after = store.chance(store.faults.append_failure)
        if before or not lock.is_held_by(exclusive):
            store.unknown_outcomes += 1
            raise OutcomeUnknown("failed before the commit")
        try:
            appended = store.commit(self._log, new)
        except Down as down:
            raise OutcomeUnknown(str(down)) from down
        lock.release(exclusive)
        await store.pass_time()
        if after:
            store.unknown_outcomes += 1
            raise OutcomeUnknown("failed after the commit")
        return appended

    # The feed.

    async def position(self) -> int:
        return await self._connection.read(lambda: self._log.position)

    async def read_after(self, position: int) -> Sequence[Recorded]:
        return await self._connection.read(lambda: self._rows_after(position))

    def _rows_after(self, position: int) -> list[Recorded]:
        rows = self._log.rows
        start = len(rows)
        while start and rows[start - 1].position > position:
            start -= 1
        return [row.recorded for row in rows[start : start + PAGE_EVENTS]]


class HistoryOnNode:
    """What `PostgresHistory` reads, from rows in memory."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._store = connection.store
        self._record = connection.store.logs["record"]

    def _stream(self, stream: str) -> list[Row]:
        return self._record.streams.get(stream, [])

    async def load(self, stream: str) -> Any | None:
        return await self._connection.read(lambda: fold(self._stream(stream), self._snapshot(stream)))

    def _snapshot(self, stream: str) -> Any | None:
        taken = self._store.snapshots.get(stream)
        if not taken:
            return None
        version, state = max(taken)
        return decode(stream, version, Snapshot.TOPIC, state).mutate(None)

    async def events_after(self, stream: str, version: int) -> Sequence[Event]:
        return await self._connection.read(lambda: [row.event for row in self._stream(stream)[version:]])

    async def recorded(self, stream: str, after: int = 0, *, limit: int | None = None) -> Sequence[Recorded]:
        return await self._connection.read(
            lambda: [row.recorded for row in self._stream(stream)[after:][:limit]]
        )

    async def begun(self, streams: Sequence[str]) -> Sequence[Recorded]:
        def query() -> list[Recorded]:
            firsts = [rows[0].recorded for stream in set(streams) if (rows := self._stream(stream))]
            return sorted(firsts, key=lambda first: first.position)

        return await self._connection.read(query)

    async def position(self) -> int:
        return await self._connection.read(lambda: self._record.position)

    async def edits(self, stream: str, after: int, until: int) -> Sequence[EditApplied]:
        def query() -> list[EditApplied]:
            events = [row.event for row in self._stream(stream)]
            return [e for e in events if isinstance(e, EditApplied) and after < e.revision <= until]

        found = await self._connection.read(query)
        if len(found) < until - after:
            raise StoreUnavailable("the log is shorter than the document", retry_after=0.5)
        return found

    async def find_last_edit(self, stream: str, client: str) -> LastEdit | None:
        def query() -> LastEdit | None:
            for row in reversed(self._stream(stream)):
                if row.client == client:
                    return LastEdit(row.event.seq, row.event.revision, row.event.digest)
            return None

        return await self._connection.read(query)

    async def find_client_user(self, room: str, client: str) -> str | None:
        def query() -> str | None:
            joined = (row for row in self._room_rows(room) if row.topic == Joined.TOPIC)
            return next((row.event.actor for row in joined if row.client == client), None)

        return await self._connection.read(query)

    async def save_snapshot(self, snapshot: Snapshot, heard: int = 0) -> None:
        taken = (snapshot.originator_version, encode(snapshot))
        stream = snapshot.originator_id
        await self._connection.read(lambda: self._store.snapshots.setdefault(stream, []).append(taken))

    # Rooms and people.

    def _room_rows(self, room: str, after: int = 0, until: int = LATEST) -> list[Row]:
        return [
            row
            for row in self._record.rows
            if after < row.position <= until and parse_stream(row.stream).room == room
        ]

    async def room_events(self, room: str, after: int, until: int, *, limit: int) -> Sequence[Recorded]:
        def query() -> list[Recorded]:
            rows = self._room_rows(room, after, until)
            return [row.recorded for row in rows if parse_stream(row.stream).kind != "document"][:limit]

        return await self._connection.read(query)

    async def messages(self, room: str, until: int, limit: int) -> Sequence[Recorded]:
        def query() -> list[Recorded]:
            rows = self._room_rows(room, 0, until)
            found = [row for row in rows if parse_stream(row.stream).kind == "message"]
            begun = [row.stream for row in found if row.recorded.event.originator_version == 1][-limit:]
            return [row.recorded for row in found if row.stream in begun]

        return await self._connection.read(query)

    async def receipts(self, room: str, until: int) -> tuple[dict[str, Pointers], Sequence[Recorded]]:
        """As where the table is still empty."""

        def query() -> list[Recorded]:
            rows = [row.recorded for row in self._room_rows(room, 0, until)]
            return [recorded for recorded in rows if isinstance(recorded.event, ReceiptsRecorded)]

        return {}, await self._connection.read(query)

    async def open_stays(self, room: str | None) -> Sequence[Recorded]:
        def query() -> list[Recorded]:
            last = {
                row.stream: row
                for row in self._record.rows
                if (where := parse_stream(row.stream)).kind == "attendance" and room in (None, where.room)
            }
            open_ = [row for row in last.values() if row.topic != Left.TOPIC]
            changed = [row for row in open_ if row.topic == StatusChanged.TOPIC]
            began = [self._record.streams[row.stream][0] for row in open_]
            return [row.recorded for row in sorted([*began, *changed])]

        return await self._connection.read(query)

    async def profiles(self, users: Iterable[str]) -> Sequence[Recorded]:
        topics = (ProfileCreated.TOPIC, ProfileChanged.TOPIC)

        def query() -> list[Recorded]:
            streams = [self._stream(profile_stream(user)) for user in wanted]
            newest = [[row for row in rows if row.topic in topics][-1] for rows in streams if rows]
            return [row.recorded for row in sorted(newest)]

        wanted = set(users)
        return await self._connection.read(query)

    async def frames(self, room: str, nodes: Sequence[str]) -> Sequence[Recorded]:
        def query() -> list[Recorded]:
            rows = self._store.logs["presence"].rows
            found = [row.recorded for row in rows if parse_stream(row.stream).room == room]
            last = {
                recorded.event.actor: recorded
                for recorded in found
                if isinstance(recorded.event, KeyframeRecorded) and recorded.event.actor in nodes
            }
            if not last:
                return []
            since = min(recorded.event.timestamp for recorded in last.values())
            frames = [r for r in found if isinstance(r.event, FrameRecorded) and r.event.timestamp >= since]
            keyframes = sorted(last.values(), key=lambda recorded: recorded.position)
            return keyframes + frames[:FRAMES_MAX]

        return await self._connection.read(query)


class TicketsOnNode:
    """Tickets that are never used up: they are called after their user."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def issue(self, identity: Identity, *, origin: str | None, agent: str) -> Ticket:
        del origin, agent
        return Ticket(identity.user, identity.expires)

    async def redeem(self, ticket: str, *, origin: str | None, agent: str) -> Identity:
        del origin, agent
        return await self._connection.read(lambda: Identity(ticket, None, EARLY, LATE))


def fold(rows: Sequence[Row], snapshot: Any | None = None) -> Any | None:
    """The aggregate that these rows of one stream make, from a snapshot on if there is one."""
    aggregate = snapshot
    reached = snapshot.version if snapshot is not None else 0
    for row in rows[reached:]:
        aggregate = row.event.mutate(aggregate)
    return aggregate


def document_of(store: SimulatedStore, stream: str) -> Document:
    found = fold(store.logs["record"].streams.get(stream, []))
    assert isinstance(found, Document)
    return found
