"""Changes events that are in the log, for redactions and for nothing else: in one transaction with the event
that says so, with marks by which the hash chain stays valid, and with nothing left of what was there before
in any table that keeps the past.

What is rewritten is behind everybody, so it needs no lock: readers see it as it was until all of it has
changed. The log's lock is taken at the end, for what has come meanwhile and for the event: milliseconds.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import psycopg

from application.log import Recorded
from application.past.redact import PAGE_EVENTS, Rewritten, Scan
from domain.aggregate import Event
from domain.chain import DIGEST_BYTES, NO_SALT, SALT_BYTES, Header, content_of, digest_of
from domain.errors import Corrupt, StoreUnavailable
from domain.ids import document_stream
from infrastructure.codec import encode
from infrastructure.postgres.arrays import bigint_array, bytea_array
from infrastructure.postgres.database import Connection, Database
from infrastructure.postgres.log import LOCK_KEYS, PostgresLog, Sealing, as_recorded
from infrastructure.postgres.wakeup import CHANNEL
from infrastructure.proof.redactions import mark_of

T = TypeVar("T")

# Rows of one statement: some megabytes.
BATCH_ROWS: Final = 1_000

# Writing 200,000 rows takes about ten seconds. The lock is waited for as any writer does.
_SETTINGS: Final = b"SET statement_timeout = '5min'; SET idle_in_transaction_session_timeout = '5min'"

# What stands there, with the salt and digest of each, and the last mark of an earlier redaction.
_ROWS: Final = b"""
SELECT r.notification_id, r.originator_id, r.originator_version, r.topic, r.actor,
       (extract(epoch FROM r.at) * 1000000)::bigint, r.client, r.seq, r.state, c.first,
       substr(c.salts, (%(salt)s * (r.notification_id - c.first) + 1)::int, %(salt)s),
       substr(c.digests, (%(digest)s * (r.notification_id - c.first) + 1)::int, %(digest)s),
       m.part, m.salt, m.after
FROM record r
CROSS JOIN LATERAL (SELECT * FROM record_chain WHERE first <= r.notification_id ORDER BY first DESC LIMIT 1) c
LEFT JOIN LATERAL (
    SELECT * FROM redacted_events e WHERE e.position = r.notification_id ORDER BY part DESC LIMIT 1) m ON true
WHERE r.notification_id = ANY(%(positions)s) ORDER BY r.notification_id
"""
_REWRITE: Final = b"""
UPDATE record SET state = new.state FROM unnest(%s::bigint[], %s::bytea[]) AS new(position, state)
WHERE notification_id = new.position
"""
_MARK: Final = b"""
INSERT INTO redacted_events (position, part, redaction, before, after, salt)
SELECT position, part, %s, before, after, salt
FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[], %s::bytea[], %s::bytea[])
     AS mark(position, part, before, after, salt)
"""
_SALTS: Final = b"SELECT first, salts FROM record_chain WHERE first = ANY(%s)"
_FORGET_SALTS: Final = b"""
UPDATE record_chain c SET salts = new.salts FROM unnest(%s::bigint[], %s::bytea[]) AS new(first, salts)
WHERE c.first = new.first
"""
_FORGET_MARKS: Final = b"""
UPDATE redacted_events e SET salt = %s FROM unnest(%s::bigint[], %s::bigint[]) AS mark(position, part)
WHERE e.position = mark.position AND e.part < mark.part
"""
# Nobody may store one between this and the end.
_LOCK_SNAPSHOTS: Final = b"LOCK TABLE snapshots IN SHARE ROW EXCLUSIVE MODE"
_FORGET_SNAPSHOTS: Final = b"DELETE FROM snapshots WHERE originator_id = ANY(%s::text[])"
_NO_SNAPSHOTS_BEFORE: Final = b"""
INSERT INTO redacted_streams (stream, position) SELECT stream, %s FROM unnest(%s::text[]) AS stream
ON CONFLICT (stream) DO UPDATE SET position = excluded.position
"""
_TAIL: Final = b"""
SELECT notification_id, originator_id, originator_version, topic, state FROM record
WHERE room = %s AND notification_id > %s ORDER BY notification_id
"""


# Tables in which a row can have been of what was removed.
_CLEANED: Final = (
    "record",
    "record_chain",
    "redacted_events",
    "snapshots",
    "chat_messages",
    "statistics_messages",
    "statistics_words",
)


class _Mark(NamedTuple):
    """How one event was changed."""

    position: int
    part: int
    before: bytes
    after: bytes
    salt: bytes
    state: bytes
    first: int
    """Of its batch in the chain."""


class PostgresRewriter:
    """The `Rewriter` of a store."""

    def __init__(self, database: Database, sealing: Sealing | None = None) -> None:
        self._database = database
        self._sealing = sealing

    async def rewrite(
        self, scan: Scan, tell: Callable[[str], Sequence[Event]], *, redaction: str
    ) -> Recorded | None:
        encode_left = await self._encoder(scan)
        log = PostgresLog(self._database, "record")
        try:
            connection = await self._database.connect("redaction")
            async with connection:
                await connection.execute(_SETTINGS)
                try:
                    async with connection.transaction():
                        done = await _rewrite(connection, log, scan, encode_left, tell, redaction)
                except _Outrun:
                    return None
                await connection.execute(b"SELECT pg_notify(%s, %s)", (CHANNEL, "redaction record"))
                return done
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise StoreUnavailable("the store was away: nothing was removed", retry_after=1.0) from error

    async def _encoder(self, scan: Scan) -> Callable[[Event], bytes]:
        """How what is left is stored: under the keys of those whose it is, where it is anybody's."""
        sealing = self._sealing
        if sealing is None:
            return encode
        await sealing.prepare([one.event for one in scan.rewritten if not scan.is_all_gone(one.event)])
        return lambda event: encode(event) if scan.is_all_gone(event) else sealing.encode(event)

    async def clean(self) -> None:
        """Let go of the rows as they were, which Postgres keeps for those who still read them. What was in
        its files and its write-ahead log is overwritten when their space is used again.

        Raises `StoreUnavailable`.
        """
        try:
            connection = await self._database.connect("cleaning up")
            async with connection:
                await connection.execute(b"SET statement_timeout = 0")
                for table in _CLEANED:
                    await connection.execute(f"VACUUM {table}".encode())
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise StoreUnavailable("old rows are still there", retry_after=1.0) from error


class _Outrun(Exception):  # noqa: N818
    """More of it has been written meanwhile."""


async def _rewrite(
    connection: Connection,
    log: PostgresLog,
    scan: Scan,
    encode_left: Callable[[Event], bytes],
    tell: Callable[[str], Sequence[Event]],
    redaction: str,
) -> Recorded:
    stream = f"redaction:{scan.room}/{redaction}"
    await connection.execute(b"SELECT set_config('chronoscribe.redaction', %s, true)", (stream,))
    digest = hashlib.sha256()
    for batch in _in_parts(scan.rewritten, BATCH_ROWS):
        states = [encode_left(one.event) for one in batch]
        for mark in await _change(connection, batch, states, stream):
            digest.update(mark_of(mark.position, mark.before, mark.after))
    streams = [document_stream(scan.room, document) for document in sorted(scan.documents)]
    await connection.execute(b"SELECT pg_advisory_xact_lock(%s)", (LOCK_KEYS["record"],))
    await _look_at_tail(connection, scan)
    await connection.execute(_LOCK_SNAPSHOTS)
    await connection.execute(_FORGET_SNAPSHOTS, (streams,))
    [event] = tell(digest.hexdigest())
    appended = await log.append_on(connection, [event], [None])
    [position] = appended.positions
    await connection.execute(_NO_SNAPSHOTS_BEFORE, (position, streams))
    return Recorded(position, event)


async def _look_at_tail(connection: Connection, scan: Scan) -> None:
    """What has come since: it must hold nothing of it, neither what was known nor more."""
    cursor = connection.cursor(binary=True)
    await cursor.execute(_TAIL, (scan.room, scan.blacked))
    for rows in _in_parts(await cursor.fetchall(), PAGE_EVENTS):
        tail = as_recorded(rows)
        if scan.look(recorded for recorded in tail if recorded.position > scan.looked) or scan.black(tail):
            raise _Outrun


async def _change(
    connection: Connection, batch: Sequence[Rewritten], states: Sequence[bytes], stream: str
) -> list[_Mark]:
    """Change some events, and leave marks of it."""
    cursor = connection.cursor(binary=True)
    positions = [one.position for one in batch]
    await cursor.execute(_ROWS, {"positions": positions, "salt": SALT_BYTES, "digest": DIGEST_BYTES})
    rows = zip(await cursor.fetchall(), states, strict=True)
    marks = [_mark(*row, new_state=state) for row, state in rows]
    changed = bigint_array([mark.position for mark in marks])
    await cursor.execute(_REWRITE, (changed, bytea_array([mark.state for mark in marks])))
    await cursor.execute(
        _MARK,
        (
            stream,
            changed,
            bigint_array([mark.part for mark in marks]),
            bytea_array([mark.before for mark in marks]),
            bytea_array([mark.after for mark in marks]),
            bytea_array([mark.salt for mark in marks]),
        ),
    )
    await _forget_salts(cursor, marks)
    return marks


def _mark(*row: Any, new_state: bytes) -> _Mark:
    position, *header, state, first, salt, digest, part, last_salt, last = row
    before = content_of(salt if part is None else last_salt, state)
    is_as_left = before == last if part is not None else digest_of(bytes(Header(*header)), before) == digest
    if not is_as_left:
        raise Corrupt(f"the event at {position} is not as it was written: see what `verify` says")
    new_salt = os.urandom(SALT_BYTES)
    after = content_of(new_salt, new_state)
    return _Mark(position, 1 if part is None else part + 1, before, after, new_salt, new_state, first)


async def _forget_salts(cursor: psycopg.AsyncCursor[Any], marks: Sequence[_Mark]) -> None:
    """Destroy the salts of what was there, in the chain and in earlier marks."""
    await cursor.execute(_SALTS, (sorted({mark.first for mark in marks}),))
    salts = {first: bytearray(kept) for first, kept in await cursor.fetchall()}
    for mark in marks:
        at = SALT_BYTES * (mark.position - mark.first)
        salts[mark.first][at : at + SALT_BYTES] = NO_SALT
    kept = bytea_array([bytes(kept) for kept in salts.values()])
    await cursor.execute(_FORGET_SALTS, (bigint_array(list(salts)), kept))
    earlier = [(mark.position, mark.part) for mark in marks if mark.part > 1]
    if earlier:
        positions, parts = zip(*earlier, strict=True)
        await cursor.execute(_FORGET_MARKS, (NO_SALT, list(positions), list(parts)))


def _in_parts(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
