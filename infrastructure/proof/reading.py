"""What a verifier reads: the links of a part of the chain, and the events that they vouch for.

By connections of its own, all of them on one snapshot of the store, in as many processes as there are cores:
the hashes are computed here, since whoever doubts a database does not let it check itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import psycopg

from domain.chain import DIGEST_BYTES, SALT_BYTES, Header, root_of

# Rows that one fetch brings: about a megabyte.
FETCH_ROWS: Final = 2_000

# Positions that one piece of work covers: some tenths of a second, so that progress is seen to go on.
PIECE_POSITIONS: Final = 25_000

# A question takes as long as reading a piece; beyond this the store hangs.
STATEMENT_SECONDS: Final = 300

_LINKS: Final = """
SELECT first, events, (extract(epoch FROM at) * 1000000)::bigint, salts, digests, link FROM {log}_chain
WHERE first >= %s AND first < %s ORDER BY first
"""
_LINK_BEFORE: Final = """
SELECT first, events, (extract(epoch FROM at) * 1000000)::bigint, salts, digests, link FROM {log}_chain
WHERE first < %s ORDER BY first DESC LIMIT 1
"""
_EVENTS: Final = """
SELECT notification_id, originator_id, originator_version, topic, actor,
       (extract(epoch FROM at) * 1000000)::bigint, {numbers}, state, kind, room FROM {log}
WHERE notification_id >= %s AND notification_id < %s ORDER BY notification_id, originator_id
"""
_NUMBERS: Final = {"record": "client, seq", "presence": "NULL::text, NULL::bigint"}


class Link(NamedTuple):
    """One row of a chain, as it is stored."""

    first: int
    events: int
    oldest: int
    salts: bytes
    digests: bytes
    link: bytes

    @property
    def end(self) -> int:
        """The position behind its last event."""
        return self.first + self.events

    @property
    def is_whole(self) -> bool:
        """Whether it has a salt and a digest for each of its events."""
        size = self.events
        return size > 0 and len(self.digests) == DIGEST_BYTES * size and len(self.salts) == SALT_BYTES * size

    @property
    def root(self) -> bytes:
        return root_of(self.digests)

    def digest(self, position: int) -> bytes:
        at = DIGEST_BYTES * (position - self.first)
        return self.digests[at : at + DIGEST_BYTES]

    def salt(self, position: int) -> bytes:
        at = SALT_BYTES * (position - self.first)
        return self.salts[at : at + SALT_BYTES]


class Row(NamedTuple):
    """One event as it is stored, with the columns that Postgres has made of its stream's id."""

    position: int
    header: Header
    state: bytes
    kind: str
    room: str


@contextmanager
def snapshot_of(
    conninfo: str, snapshot: str | None = None, *, name: str = "verify"
) -> Iterator[psycopg.Connection[Any]]:
    """A connection that sees the store as of one moment; `snapshot` is that of another one."""
    options = f"-c statement_timeout={STATEMENT_SECONDS}s -c timezone=UTC"
    with psycopg.connect(conninfo, options=options, application_name=f"chronoscribe {name}") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        if snapshot is not None:
            connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'".encode())
        yield connection


def export_snapshot(connection: psycopg.Connection[Any]) -> str:
    """The name by which others see the same moment, as long as `connection` keeps its transaction."""
    row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    assert row is not None
    return str(row[0])


def links(connection: psycopg.Connection[Any], log: str, start: int, stop: int) -> Iterator[Link]:
    """The links whose first event is at `start` or behind it, and before `stop`."""
    with connection.cursor(f"links_{log}", binary=True) as cursor:
        cursor.itersize = FETCH_ROWS
        cursor.execute(_LINKS.format(log=log).encode(), (start, stop))
        yield from map(Link._make, cursor)


def link_before(connection: psycopg.Connection[Any], log: str, start: int) -> Link | None:
    """The last link that begins before `start`."""
    cursor = connection.cursor(binary=True)
    row = cursor.execute(_LINK_BEFORE.format(log=log).encode(), (start,)).fetchone()
    return None if row is None else Link._make(row)


def rows(connection: psycopg.Connection[Any], log: str, start: int, stop: int) -> Iterator[Row]:
    """The events at `start` or behind it, and before `stop`."""
    with connection.cursor(f"rows_{log}", binary=True) as cursor:
        cursor.itersize = FETCH_ROWS
        query = _EVENTS.format(log=log, numbers=_NUMBERS[log])
        cursor.execute(query.encode(), (start, stop))
        for position, stream, version, topic, actor, at, client, seq, state, kind, room in cursor:
            header = Header(stream, version, topic, actor, at, client, seq)
            yield Row(position, header, state, kind, room)
