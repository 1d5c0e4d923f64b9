"""The log in Postgres: appends whole batches, reads in any direction.

One advisory lock per log, taken by every writer before it inserts, makes the order of notification
ids the order of commits, so that whoever follows by id never passes over an event that appears
later. Unlike the event library's table lock it is not in the way of ANALYZE and VACUUM. Lock and
insert are two statements inside one function (`schema/0003_append.sql`), so that the insert looks
at the log as it is after the wait, and a batch is still one round trip.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

import psycopg

from application.log import Guarded, Recorded
from domain.aggregate import Event, Snapshot, Unreadable
from domain.attendance import Joined
from domain.chain import SALT_BYTES, Header, content_of, digest_of
from domain.document import EditApplied, LastEdit
from domain.errors import Corrupt, StoreUnavailable
from domain.ids import profile_stream
from domain.instants import as_datetime, as_microseconds
from domain.receipts import Pointers
from infrastructure.codec import decode, encode
from infrastructure.group_commit import Appended, OutcomeUnknown
from infrastructure.postgres.arrays import bigint_array, bytea_array, text_array
from infrastructure.postgres.database import Connection, Database

logger = logging.getLogger(__name__)

# What one read takes at a time: a page of decoded events is about 10 MB.
PAGE_EVENTS: Final = 5_000

# The same where somebody else may be waiting for the event loop: a few milliseconds.
SLICE_EVENTS: Final = 1_000

# Frames between two keyframes of a room in which cursors never stand still, several times over.
FRAMES_MAX: Final = 5_000

LOCK_KEYS: Final = {"record": 0x7265636F7264, "presence": 0x70726573}

APPEND: Final = (
    "SELECT previous, positions, refused FROM append_{table}"
    "(%s, %s::text[], %s::bigint[], %s::text[], %s::bytea[],"
    " %s::text[], %s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::bigint[], %s::bytea[])"
)


class Sealing(Protocol):
    """Stores text of sealed rooms under keys (see `sealing`)."""

    async def prepare(self, events: Sequence[Event]) -> None:
        """Have the keys for these. Raises `StoreUnavailable`."""
        ...

    def encode(self, event: Event) -> bytes: ...

    async def encode_snapshot(self, snapshot: Snapshot) -> bytes: ...


def columns(
    events: Sequence[Event], guards: Sequence[Guarded], sealing: Sealing | None = None
) -> tuple[Any, ...]:
    """The parameters of the append statements."""
    headers = [header_of(event) for event in events]
    states = [encode(event) if sealing is None else sealing.encode(event) for event in events]
    return (
        text_array([header.stream for header in headers]),
        bigint_array([header.version for header in headers]),
        text_array([header.topic for header in headers]),
        bytea_array(states),
        text_array([header.actor for header in headers]),
        bigint_array([header.at for header in headers]),
        text_array([header.client for header in headers]),
        bigint_array([header.seq for header in headers]),
        text_array([guard[0] if guard else None for guard in guards]),
        bigint_array([guard[1] if guard else None for guard in guards]),
        bytea_array(seals_of(headers, states)),
    )


def header_of(event: Event) -> Header:
    """The columns of an event beside its state."""
    return Header(
        event.originator_id,
        event.originator_version,
        type(event).TOPIC,
        event.actor,
        as_microseconds(event.timestamp),
        _client(event),
        event.seq if isinstance(event, EditApplied) else None,
    )


def seals_of(headers: Sequence[Header], states: Sequence[bytes]) -> list[bytes]:
    """For each event of a batch a new salt, and its digest."""
    random = os.urandom(SALT_BYTES * len(states))
    salts = [random[at : at + SALT_BYTES] for at in range(0, len(random), SALT_BYTES)]
    return [
        salt + digest_of(bytes(header), content_of(salt, state))
        for salt, header, state in zip(salts, headers, states, strict=True)
    ]


def _client(event: Event) -> str | None:
    """Stored beside the event where somebody asks the log by it: who sent what last, whose client this is."""
    return event.client if isinstance(event, EditApplied | Joined) else None


class PostgresLog:
    """One log: `record` or `presence`. Its writing side belongs to one `GroupCommit`."""

    def __init__(self, database: Database, table: str, sealing: Sealing | None = None) -> None:
        self._database = database
        self._sealing = sealing
        self._table = table
        self._append = APPEND.format(table=table).encode()
        self._lock_key = LOCK_KEYS[table]
        self._connection: Connection | None = None

    # Writing.

    async def append(self, events: Sequence[Event], guards: Sequence[Guarded]) -> Appended:
        """Append in one transaction, one statement, one round trip.

        Raises `OutcomeUnknown` when the connection failed, and it may or may not have come true.
        """
        async with self._writing() as connection:
            return await self.append_on(connection, events, guards)

    async def append_on(
        self, connection: Connection, events: Sequence[Event], guards: Sequence[Guarded]
    ) -> Appended:
        """Append in a transaction of the caller's."""
        if self._sealing is not None:
            try:
                await self._sealing.prepare(events)
            except StoreUnavailable as error:
                raise OutcomeUnknown(error.message) from error
        cursor = connection.cursor(binary=True)
        parameters = columns(events, guards, self._sealing)
        await cursor.execute(self._append, (self._lock_key, *parameters), prepare=True)
        row = await cursor.fetchone()
        assert row is not None
        previous, positions, refused = row
        return Appended(previous, positions or (), frozenset(refused or ()))

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[Connection]:
        """Hold the log's lock: nobody else appends until the end of the block. Pass it to `append_within`.

        Raises `OutcomeUnknown`.
        """
        async with self._writing() as connection:
            async with connection.pipeline():
                await connection.execute(b"BEGIN", prepare=True)
                await connection.execute(b"SELECT pg_advisory_xact_lock(%s)", (self._lock_key,), prepare=True)
            try:
                yield connection
            finally:
                if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                    await connection.execute(b"ROLLBACK", prepare=True)

    async def append_within(
        self, exclusive: Connection, events: Sequence[Event], guards: Sequence[Guarded]
    ) -> Appended:
        appended = await self.append_on(exclusive, events, guards)
        await exclusive.execute(b"COMMIT", prepare=True)
        return appended

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Connection]:
        try:
            if self._connection is None:
                self._connection = await self._database.connect(f"writer of {self._table}")
            yield self._connection
        except psycopg.Error as error:
            await self.disconnect()
            raise OutcomeUnknown(str(error)) from error
        except BaseException:  # cancelled by the deadline: the connection is in the middle of something
            await self.disconnect()
            raise

    async def disconnect(self) -> None:
        """Drop the writer's connection; the next append makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    # Reading.

    async def position(self) -> int:
        """The newest notification id, 0 in an empty log."""
        query = f"SELECT coalesce(max(notification_id), 0) FROM {self._table}"
        return int((await self._database.fetch(query))[0][0])

    async def read_after(self, position: int, limit: int = PAGE_EVENTS) -> list[Recorded]:
        """The events behind `position`, at most `limit`, in log order."""
        query = (
            "SELECT notification_id, originator_id, originator_version, topic, state"
            f" FROM {self._table} WHERE notification_id > %s ORDER BY notification_id LIMIT %s"
        )
        return as_recorded(await self._database.fetch(query, (position, limit)))

    async def read_page(
        self, position: int, limit: int, topics: Collection[str] | None = None, until: int | None = None
    ) -> tuple[int, list[Recorded]]:
        """The next `limit` events behind `position` and not behind `until`: where they end, and those of
        `topics` among them. It ends at `position` when there are none.
        """
        end = await self._end_of_page(position, limit, until)
        if end == position:
            return position, []
        choice = "" if topics is None else "AND topic = ANY(%s)"
        query = (
            "SELECT notification_id, originator_id, originator_version, topic, state"
            f" FROM {self._table} WHERE notification_id > %s AND notification_id <= %s {choice}"
            " ORDER BY notification_id"
        )
        chosen = () if topics is None else (sorted(topics),)
        return end, as_recorded(await self._database.fetch(query, (position, end, *chosen)))

    async def _end_of_page(self, position: int, limit: int, until: int | None) -> int:
        """From the index alone, so that events which nobody wants cost next to nothing."""
        bound = "" if until is None else "AND notification_id <= %s"
        query = (
            "SELECT coalesce(max(notification_id), %s) FROM (SELECT notification_id"
            f" FROM {self._table} WHERE notification_id > %s {bound}"
            " ORDER BY notification_id LIMIT %s) AS page"
        )
        last = () if until is None else (until,)
        return int((await self._database.fetch(query, (position, position, *last, limit)))[0][0])


def as_recorded(rows: Sequence[Any]) -> list[Recorded]:
    """Rows of the log as events. One that cannot be read keeps its place: the others must go on."""
    return [
        Recorded(position, _decode_or_park(stream, version, topic, state))
        for position, stream, version, topic, state in rows
    ]


def _decode_or_park(stream: str, version: int, topic: str, state: bytes) -> Event:
    try:
        event: Event = decode(stream, version, topic, state)
    except Corrupt as error:
        logger.critical("an event cannot be read, its stream is parked: %s", error)
        unreadable: Any = Unreadable  # its constructor is made by a metaclass
        parked: Event = unreadable(
            originator_id=stream,
            originator_version=version,
            timestamp=as_datetime(0),
            actor="",
            topic=topic,
            reason=error.message,
        )
        return parked
    return event


_EVENTS_AFTER: Final = """
SELECT originator_version, topic, state FROM {table}
WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version LIMIT %s
"""
_SNAPSHOT: Final = """
SELECT originator_version, topic, state FROM snapshots
WHERE originator_id = %s AND originator_version <= %s ORDER BY originator_version DESC LIMIT 1
"""
_RECORDED: Final = """
SELECT notification_id, originator_id, originator_version, topic, state FROM record
WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version LIMIT %s
"""
_BEGUN: Final = """
SELECT notification_id, originator_id, originator_version, topic, state FROM record
WHERE originator_id = ANY(%s::text[]) AND originator_version = 1 ORDER BY notification_id
"""
_POSITION: Final = "SELECT coalesce(max(notification_id), 0) FROM record"
_LAST_EDIT: Final = """
SELECT originator_version, topic, state FROM record
WHERE originator_id = %s AND client = %s AND seq IS NOT NULL ORDER BY seq DESC LIMIT 1
"""
# Not from whoever has not heard yet that text was removed from the stream.
SAVE_SNAPSHOT: Final = """
INSERT INTO snapshots (originator_id, originator_version, topic, state)
SELECT %(stream)s, %(version)s, %(topic)s, %(state)s
WHERE NOT EXISTS (SELECT FROM redacted_streams WHERE stream = %(stream)s AND position > %(heard)s)
ON CONFLICT DO NOTHING
"""
_ROOM_EVENTS: Final = """
SELECT notification_id, originator_id, originator_version, topic, state FROM record
WHERE room = %s AND notification_id > %s AND notification_id <= %s AND (%s OR kind <> 'document')
ORDER BY notification_id LIMIT %s
"""
_MESSAGES: Final = """
WITH last AS MATERIALIZED (
    SELECT originator_id FROM record
    WHERE room = %s AND kind = 'message' AND originator_version = 1 AND notification_id <= %s
    ORDER BY notification_id DESC LIMIT %s)
SELECT r.notification_id, r.originator_id, r.originator_version, r.topic, r.state
FROM last CROSS JOIN LATERAL (
    -- One stream after the other: OFFSET keeps the planner from joining with a walk through the whole log.
    SELECT * FROM record WHERE originator_id = last.originator_id OFFSET 0) AS r
WHERE r.notification_id <= %s ORDER BY r.notification_id
"""
# In one statement, so that the table and how far it reads are of one moment.
_POINTERS: Final = """
SELECT coalesce((SELECT notification_id FROM tracking WHERE application_name = 'chat'), 0) AS position,
       "user", delivered, read
FROM (VALUES (1)) AS one LEFT JOIN chat_pointers ON room = %s
"""
_RECEIPTS: Final = """
SELECT notification_id, originator_id, originator_version, topic, state FROM record
WHERE room = %s AND topic = 'receipts.recorded' AND notification_id > %s AND notification_id <= %s
ORDER BY notification_id
"""
_OPEN_STAYS: Final = """
WITH open AS MATERIALIZED (
    SELECT originator_id FROM record j
    WHERE (%s::text IS NULL OR room = %s) AND kind = 'attendance' AND originator_version = 1 AND NOT EXISTS (
        SELECT FROM record l WHERE l.originator_id = j.originator_id AND l.topic = 'attendance.left'))
SELECT e.notification_id, e.originator_id, e.originator_version, e.topic, e.state
FROM open CROSS JOIN LATERAL (
    (SELECT * FROM record r WHERE r.originator_id = open.originator_id AND r.originator_version = 1)
    UNION ALL
    (SELECT * FROM record r WHERE r.originator_id = open.originator_id AND r.originator_version > 1
     ORDER BY r.originator_version DESC LIMIT 1)) e
ORDER BY e.notification_id
"""
_CLIENT_USER: Final = """
SELECT actor FROM record WHERE room = %s AND client = %s AND topic = 'attendance.joined'
ORDER BY notification_id LIMIT 1
"""
_PROFILES: Final = """
SELECT p.notification_id, p.originator_id, p.originator_version, p.topic, p.state
FROM unnest(%s::text[]) AS wanted(stream) CROSS JOIN LATERAL (
    SELECT * FROM record r WHERE r.originator_id = wanted.stream
    AND r.topic IN ('profile.created', 'profile.changed')
    ORDER BY r.originator_version DESC LIMIT 1) p
ORDER BY p.notification_id
"""
# Where the cursors of a room are: the last keyframe of each node, and what came after it.
_KEYFRAMES: Final = """
SELECT k.notification_id, k.originator_id, k.originator_version, k.topic, k.state
FROM unnest(%s::text[]) AS node(name) CROSS JOIN LATERAL (
    SELECT * FROM presence p WHERE p.room = %s AND p.actor = node.name
    AND p.topic = 'presence.keyframe_recorded' ORDER BY p.at DESC LIMIT 1) k
ORDER BY k.notification_id
"""
_FRAMES: Final = """
SELECT notification_id, originator_id, originator_version, topic, state FROM presence
WHERE room = %s AND at >= %s AND topic = 'presence.frame_recorded' ORDER BY notification_id LIMIT %s
"""
_ROOMS: Final = """
SELECT notification_id, originator_id, originator_version, topic, state FROM record
WHERE topic = 'room.opened' AND notification_id > %s ORDER BY notification_id LIMIT %s
"""

_REDACTIONS: Final = """
SELECT notification_id, originator_id, originator_version, topic, state FROM record
WHERE room = %s AND topic = 'redaction.made' ORDER BY notification_id
"""

_LATEST: Final = 2**62


class PostgresHistory:
    """Reads streams from a log, and rooms from the record.

    Every method raises `StoreUnavailable`, and `Corrupt` for what it cannot read.
    """

    def __init__(self, database: Database, table: str = "record", sealing: Sealing | None = None) -> None:
        self._database = database
        self._sealing = sealing
        self._events_after = _EVENTS_AFTER.format(table=table)

    async def epoch(self) -> str:
        """The identity of this store's history."""
        return str((await self._database.fetch("SELECT value FROM store WHERE key = 'epoch'"))[0][0])

    async def load(self, stream: str, version: int = _LATEST) -> Any | None:
        """The aggregate of `stream` at `version` (or its newest before), None where there is none."""
        aggregate = None
        reached = 0
        for found, topic, state in await self._database.fetch(_SNAPSHOT, (stream, version)):
            aggregate = decode(stream, found, topic, state).mutate(None)
            reached = found
        while True:
            limit = min(PAGE_EVENTS, version - reached)
            page = await self._page(stream, reached, limit) if limit else []
            for event in page:
                aggregate = event.mutate(aggregate)
            if len(page) < PAGE_EVENTS:
                return aggregate
            reached = page[-1].originator_version
            await asyncio.sleep(0)  # a long history is folded in slices, so that others get their turn

    async def events_after(self, stream: str, version: int) -> Sequence[Event]:
        events: list[Event] = []
        while True:
            page = await self._page(stream, version, PAGE_EVENTS)
            events += page
            if len(page) < PAGE_EVENTS:
                return events
            version = page[-1].originator_version

    async def _page(self, stream: str, version: int, limit: int) -> list[Any]:
        rows = await self._database.fetch(self._events_after, (stream, version, limit))
        return [decode(stream, found, topic, state) for found, topic, state in rows]

    async def recorded(self, stream: str, after: int = 0, *, limit: int | None = None) -> list[Recorded]:
        return as_recorded(await self._database.fetch(_RECORDED, (stream, after, limit)))

    async def begun(self, streams: Sequence[str]) -> list[Recorded]:
        return as_recorded(await self._database.fetch(_BEGUN, (list(streams),)))

    async def position(self) -> int:
        return int((await self._database.fetch(_POSITION))[0][0])

    async def edits(self, stream: str, after: int, until: int) -> Sequence[EditApplied]:
        edits: list[EditApplied] = []
        version = after  # a revision's version is larger than the revision: nothing is passed over
        while len(edits) < until - after:
            page = await self._page(stream, version, min(SLICE_EVENTS, until - after + 1))
            if not page:
                raise StoreUnavailable("the log is shorter than the document", retry_after=0.5)
            edits += [e for e in page if isinstance(e, EditApplied) and after < e.revision <= until]
            await asyncio.sleep(0)
            version = page[-1].originator_version
        return edits

    async def find_last_edit(self, stream: str, client: str) -> LastEdit | None:
        for version, topic, state in await self._database.fetch(_LAST_EDIT, (stream, client)):
            edit = decode(stream, version, topic, state)
            return LastEdit(edit.seq, edit.revision, edit.digest)
        return None

    async def save_snapshot(self, snapshot: Snapshot, heard: int = 0) -> None:
        """Store a snapshot; one that is there already stays. `heard` is the position up to which whoever has
        taken it has followed the log: where text was removed since, it is not stored.
        """
        sealing = self._sealing
        state = encode(snapshot) if sealing is None else await sealing.encode_snapshot(snapshot)
        async with self._database.reading() as connection:
            await connection.execute(
                SAVE_SNAPSHOT,
                {
                    "stream": snapshot.originator_id,
                    "version": snapshot.originator_version,
                    "topic": Snapshot.TOPIC,
                    "state": state,
                    "heard": heard,
                },
                prepare=True,
                binary=True,
            )

    async def room_events(
        self, room: str, after: int, until: int = _LATEST, *, limit: int, with_edits: bool = False
    ) -> list[Recorded]:
        """A room's events with `after` < position <= `until`, at most `limit`, in log order."""
        rows = await self._database.fetch(_ROOM_EVENTS, (room, after, until, with_edits, limit))
        return as_recorded(rows)

    async def messages(self, room: str, until: int, limit: int) -> list[Recorded]:
        """All events, up to a position, of the `limit` messages that were posted last, in log order."""
        return as_recorded(await self._database.fetch(_MESSAGES, (room, until, limit, until)))

    async def receipts(self, room: str, until: int) -> tuple[dict[str, Pointers], list[Recorded]]:
        """How far everybody has read in `room`, as far as the table knows, and the receipts behind it."""
        rows = await self._database.fetch(_POINTERS, (room,))
        position = rows[0][0]
        known = {user: Pointers(delivered, read) for _, user, delivered, read in rows if user is not None}
        return known, as_recorded(await self._database.fetch(_RECEIPTS, (room, position, until)))

    async def open_stays(self, room: str | None) -> list[Recorded]:
        """Of the stays that have not ended, in one room or (None) in all: how each began, and the last that
        is known of it if there is more.
        """
        return as_recorded(await self._database.fetch(_OPEN_STAYS, (room, room)))

    async def find_client_user(self, room: str, client: str) -> str | None:
        for (user,) in await self._database.fetch(_CLIENT_USER, (room, client)):
            return str(user)
        return None

    async def profiles(self, users: Iterable[str]) -> list[Recorded]:
        """The newest profile of each of `users` that has one: `ProfileCreated` or `ProfileChanged`."""
        streams = [profile_stream(user) for user in users]
        return as_recorded(await self._database.fetch(_PROFILES, (streams,)))

    async def frames(self, room: str, nodes: Sequence[str]) -> list[Recorded]:
        """Of the presence log: the last keyframe of each of these nodes in `room`, and the frames from the
        oldest of those on, at most `FRAMES_MAX`.
        """
        keyframes = as_recorded(await self._database.fetch(_KEYFRAMES, (list(nodes), room)))
        if not keyframes:
            return []
        since = min(recorded.event.timestamp for recorded in keyframes)
        return keyframes + as_recorded(await self._database.fetch(_FRAMES, (room, since, FRAMES_MAX)))

    async def redactions(self, room: str) -> list[Recorded]:
        """What was removed from the past of `room`, oldest first."""
        return as_recorded(await self._database.fetch(_REDACTIONS, (room,)))

    async def rooms(self, after: int, limit: int) -> list[Recorded]:
        """The `Opened` events of rooms behind a position, in log order."""
        return as_recorded(await self._database.fetch(_ROOMS, (after, limit)))
