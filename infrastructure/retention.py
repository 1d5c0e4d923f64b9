"""Cursor moves are kept for some days and then let go of, a whole day at a time: the only way in which
anything leaves a log. Edits, messages and stays are in the other log and stay.

It is said before it is done (`DayDropped`, on the same way into the record as everything else), and done in
steps each of which can be the last for a while: the partition of the day is detached, which is not in the way
of whoever appends or reads, and the table that is left is dropped. A day that was said to be gone and is
still there, whole, half detached or detached, is gone on with the next time, by whichever node.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from typing import Any, Final, LiteralString, NamedTuple

import psycopg
from psycopg.sql import SQL, Identifier

from application.live import LiveAggregates
from domain.errors import StoreUnavailable
from domain.ids import SERVER, retention_stream
from domain.retention import Retention
from infrastructure.postgres.database import Connection, Database

logger = logging.getLogger(__name__)

_LOG: Final = "presence"

# First key of the advisory lock of whichever node lets days go; the second is a hash of the log's name.
RETENTION_LOCKS: Final = 0x72657465

# Counting a very busy day reads all of it; nobody waits for that, but it has to end.
_SETTINGS: Final = b"SET statement_timeout = '10min'"

# The days that are attached, half detached, or detached and not yet dropped. Their names sort as days do.
_OLD_DAYS: Final = b"""
SELECT name.relname::text, inhrelid IS NOT NULL, coalesce(inhdetachpending, false)
FROM pg_class AS log JOIN pg_class AS name USING (relnamespace)
LEFT JOIN pg_inherits ON inhrelid = name.oid AND inhparent = log.oid
WHERE log.oid = 'presence'::regclass AND name.relkind = 'r' AND name.relname ~ '^presence_[0-9]{8}$'
  AND name.relname < 'presence_' || %s
ORDER BY name.relname
"""
_COUNT: Final = "SELECT count(*) FROM {}"
_DETACH: Final = "ALTER TABLE presence DETACH PARTITION {} CONCURRENTLY"
_FINALIZE: Final = "ALTER TABLE presence DETACH PARTITION {} FINALIZE"
_DROP: Final = "DROP TABLE IF EXISTS {}"

_DAY: Final = "%Y%m%d"


class OldDay(NamedTuple):
    """The table of a day: part of the log, on its way out of it, or out."""

    table: str
    is_attached: bool
    is_half_detached: bool

    @property
    def day(self) -> date:
        return date.fromisoformat(self.table.rpartition("_")[2])


async def let_old_days_go(database: Database, lives: LiveAggregates, *, kept_days: int, now: datetime) -> int:
    """Drop the days (UTC) of the presence log whose last moment is `kept_days` ago or more, at least one;
    `lives` are those of the record. Returns how many events are gone.

    While another node is at it, nothing is done. Raises `StoreUnavailable` and as `LiveAggregates.submit`;
    then what is left is for the next time.
    """
    assert kept_days >= 1
    before = (now - timedelta(days=kept_days)).date()
    try:
        connection = await database.connect("retention")
        try:
            return await _let_go(connection, lives, before, kept_days, now)
        finally:
            await connection.close()
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise StoreUnavailable(f"old days of cursors are still there: {error}") from error


async def _let_go(
    connection: Connection, lives: LiveAggregates, before: date, kept_days: int, now: datetime
) -> int:
    if not await _is_ours(connection):
        return 0
    await connection.execute(_SETTINGS)
    days = await _old_days(connection, before)
    for day in days:
        if day.is_half_detached:  # while there is one, no other can be detached
            await _execute(connection, _FINALIZE, day)
    gone = 0
    for day in days:
        try:
            gone += await _drop(connection, lives, day, kept_days, now)
        except psycopg.errors.UndefinedTable:
            logger.info("%s is gone already", day.table)
    return gone


async def _is_ours(connection: Connection) -> bool:
    query = b"SELECT pg_try_advisory_lock(%s, hashtext(%s))"
    row = await (await connection.execute(query, (RETENTION_LOCKS, _LOG))).fetchone()
    return bool(row and row[0])


async def _old_days(connection: Connection, before: date) -> list[OldDay]:
    rows = await (await connection.execute(_OLD_DAYS, (before.strftime(_DAY),))).fetchall()
    return [OldDay(*row) for row in rows]


async def _drop(
    connection: Connection, lives: LiveAggregates, day: OldDay, kept_days: int, now: datetime
) -> int:
    """Say that a day is dropped, and drop it. Returns how many events it had."""
    row = await (await _execute(connection, _COUNT, day)).fetchone()
    assert row is not None
    events = int(row[0])

    def decide(head: Retention | None) -> Retention:
        retention = head or Retention.begin(_LOG, actor=SERVER, at=now)
        retention.drop(day.day, events, kept_days=kept_days, actor=SERVER, at=now)
        return retention

    await lives.submit(retention_stream(_LOG), decide)
    if day.is_attached and not day.is_half_detached:
        await _execute(connection, _DETACH, day)
    await _execute(connection, _DROP, day)
    logger.info("the cursors of %s are let go of: %d events", day.day, events)
    return events


async def _execute(connection: Connection, statement: LiteralString, day: OldDay) -> psycopg.AsyncCursor[Any]:
    return await connection.execute(SQL(statement).format(Identifier(day.table)))
