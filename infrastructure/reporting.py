"""Reads what a report tells: all events of a room in one pass over one snapshot of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from domain.aggregate import Event
from domain.colours import colour_of
from domain.errors import Corrupt, LimitReached, NotFound, StoreUnavailable
from infrastructure.codec import decode
from infrastructure.proof.reading import FETCH_ROWS, snapshot_of
from projections.report import RoomReport

OnProgress = Callable[[int, int], None]

# How often it is told how far we are.
PROGRESS_EVENTS: Final = 5_000

_MICROSECOND: Final = timedelta(microseconds=1)

_ROOM: Final = b"SELECT count(*), min(at), max(at) FROM record WHERE room = %s"
_EVENTS: Final = b"""
SELECT originator_id, originator_version, topic, state, kind FROM record WHERE room = %s
ORDER BY room, notification_id
"""
_LOOKS: Final = b'SELECT "user", name, colour FROM profiles WHERE "user" = ANY(%s::text[])'


@dataclass(frozen=True, slots=True)
class Look:
    """How somebody is shown."""

    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class ReadReport:
    """`looks` are those of everybody whom the report names, by user."""

    report: RoomReport
    looks: dict[str, Look]


def read_report(
    conninfo: str,
    room: str,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    events_max: int | None = None,
    on_progress: OnProgress = lambda done, end: None,
) -> ReadReport:
    """Blocks, for about a second for 50,000 events. Without `since` and `until` from the first event to the
    last one. Raises `NotFound`, `LimitReached` for a room with more than `events_max`, `StoreUnavailable`,
    `Corrupt`.
    """
    with store_errors(), snapshot_of(conninfo, name="report") as connection:
        row = connection.execute(_ROOM, (room,)).fetchone()
        assert row is not None
        count, first, last = row
        if not count:
            raise NotFound(f"there is no room {room!r}")
        if events_max is not None and count > events_max:
            raise LimitReached(
                "the room has too many events for a report over HTTP; the command has no such limit",
                limit=events_max,
                actual=count,
            )
        start = since or first
        report = RoomReport(room, start, max(until or last + _MICROSECOND, start + _MICROSECOND))
        for done, event in enumerate(_events(connection, room), 1):
            if event is not None:
                report.add(event)
            if done % PROGRESS_EVENTS == 0:
                on_progress(done, count)
        return ReadReport(report, _looks(connection, _named(report)))


def _events(connection: psycopg.Connection[Any], room: str) -> Iterator[Event | None]:
    """Those that cannot be read are None; without an edit there is no text, so that is an error."""
    with connection.cursor("events_of_room", binary=True) as cursor:
        cursor.itersize = FETCH_ROWS
        cursor.execute(_EVENTS, (room,))
        for stream, version, topic, state, kind in cursor:
            try:
                yield decode(stream, version, topic, state)
            except Corrupt:
                if kind == "document":
                    raise
                yield None


def _named(report: RoomReport) -> set[str]:
    pairs = {who for both in report.together for who in both}
    touched = {
        who for work in report.documents.values() for line in work.heat for who in (*line.touches, line.last)
    }
    return (report.people | pairs | touched | set(report.stays)) - {""}


def _looks(connection: psycopg.Connection[Any], users: Iterable[str]) -> dict[str, Look]:
    asked = sorted(users)
    looks = {user: Look(user, colour_of(user)) for user in asked}
    for user, name, colour in connection.execute(_LOOKS, (asked,)):
        looks[user] = Look(name, colour)
    return looks


@contextmanager
def store_errors() -> Iterator[None]:
    """What Postgres says, in our words. Raises `StoreUnavailable`."""
    try:
        yield
    except psycopg.Error as error:
        raise StoreUnavailable("the store cannot be read", retry_after=1.0) from error
