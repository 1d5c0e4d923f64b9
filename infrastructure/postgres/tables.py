"""Reads whole tables for an export, as of one moment and in bounded memory: the log itself, and what views of
the schema `analytics` make of it (0013_views.sql), whose columns are the columns of an export.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg

from domain.errors import StoreUnavailable
from infrastructure.proof.reading import snapshot_of

OnProgress = Callable[[int, int], None]

# What one fetch brings: a few hundred kilobytes, and of rows that each hold the largest edit there can be
# some hundred megabytes.
FETCH_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class Table:
    """What can be exported. `kinds` of streams are what it is made from; `at` is the column of its moment, or
    of the beginning of its span, which then ends `until`.
    """

    relation: str
    kinds: tuple[str, ...]
    at: str = "at"
    until: str | None = None
    order: str = "position"
    log: str = "record"


# The state as it is stored, to the byte. Its column is the only one that is no view's.
_EVENTS: Final = """(
SELECT notification_id AS position, at, room, kind, topic, originator_id AS stream,
       originator_version AS version, actor AS who, client, seq, state FROM record) AS events"""
STATE: Final = "state"

TABLES: Final[Mapping[str, Table]] = {
    "events": Table(_EVENTS, ()),
    "edits": Table("analytics.edits", ("document",)),
    "messages": Table("analytics.messages", ("message",)),
    "reactions": Table("analytics.reactions", ("message",)),
    "receipts": Table("analytics.receipts", ("receipts",)),
    "documents": Table("analytics.documents", ("document",), at="created_at"),
    "revisions": Table("analytics.revisions", ("revisions",)),
    "runs": Table("analytics.runs", ("run",), at="started_at"),
    "redactions": Table("analytics.redactions", ("redaction",)),
    "rooms": Table("analytics.rooms", ("room",), at="opened_at"),
    "membership_changes": Table("analytics.membership_changes", ("room",)),
    "memberships": Table("analytics.memberships", ("room",), "since", "until", "since, room, who, version"),
    "permissions": Table("analytics.permissions", ("room",), "since", "until", "since, room, who"),
    "lockouts": Table("analytics.lockouts", ("room",), "since", "until", "since, room, who"),
    "stays": Table("analytics.stays", ("attendance",), "since", "until"),
    "presence": Table(
        "analytics.presence", ("attendance",), "since", "until", "since, room, session, version"
    ),
    "cursors": Table("analytics.cursors", (), log="presence"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """`room` is None for all of them. From `since` until just before `until`; of spans those that reach into
    that.
    """

    what: str
    room: str | None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """`kind` is what Postgres calls its type."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Rows:
    """`batches` are read while they are asked for."""

    columns: Sequence[Column]
    batches: Iterator[Sequence[Sequence[Any]]]


@contextmanager
def reading_table(
    conninfo: str, asked: Asked, *, on_progress: OnProgress = lambda done, end: None
) -> Iterator[Rows]:
    """The table until the end of the block, all of it as of one moment; blocks. Raises `StoreUnavailable`."""
    table = TABLES[asked.what]
    where, parameters = _where(table, asked)
    try:
        with snapshot_of(conninfo, name="export") as connection:
            total = _count(connection, table, asked)
            with connection.cursor("export", binary=True) as cursor:
                query = f"SELECT * FROM {table.relation} {where} ORDER BY {table.order}"
                cursor.execute(query.encode(), parameters)
                names = [column.name for column in cursor.description or ()]
                kinds = [_kind(connection, column.type_code) for column in cursor.description or ()]
                columns = [Column(*column) for column in zip(names, kinds, strict=True)]
                yield Rows(columns, _batches(cursor, total, on_progress))
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        raise StoreUnavailable("this store was not brought up to date: `chronoscribe serve` does") from None
    except psycopg.Error as error:
        raise StoreUnavailable("the store cannot be read", retry_after=1.0) from error


def _batches(
    cursor: psycopg.ServerCursor[Any], total: int, on_progress: OnProgress
) -> Iterator[Sequence[Sequence[Any]]]:
    done = 0
    while rows := cursor.fetchmany(FETCH_ROWS):
        yield rows
        done += len(rows)
        on_progress(done, total)
    on_progress(done, done)


def _where(table: Table, asked: Asked) -> tuple[str, dict[str, Any]]:
    conditions = []
    if asked.room is not None:
        conditions.append("room = %(room)s")
    if asked.since is not None:
        conditions.append(
            f"{table.at} >= %(since)s"
            if table.until is None
            else f"({table.until} > %(since)s OR {table.until} IS NULL)"
        )
    if asked.until is not None:
        conditions.append(f"{table.at} < %(until)s")
    parameters = {"room": asked.room, "since": asked.since, "until": asked.until}
    return ("WHERE " + " AND ".join(conditions) if conditions else ""), parameters


def _count(connection: psycopg.Connection[Any], table: Table, asked: Asked) -> int:
    """About how many rows there are: as many as events that they can be made from."""
    row = connection.execute(
        f"SELECT count(*) FROM {table.log} WHERE (%(room)s::text IS NULL OR room = %(room)s)"
        " AND (cardinality(%(kinds)s::text[]) = 0 OR kind = ANY(%(kinds)s::text[]))".encode(),
        {"room": asked.room, "kinds": list(table.kinds)},
    ).fetchone()
    assert row is not None
    return int(row[0])


def _kind(connection: psycopg.Connection[Any], oid: int) -> str:
    found = connection.adapters.types.get(oid)
    if found is None:
        return "text"
    return f"{found.name}[]" if found.array_oid == oid else found.name
