"""Exports hold what the log holds, in each format; and come in pieces."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
import pyarrow.parquet as pq
import pytest

from domain.document import EditApplied
from domain.errors import StoreUnavailable
from infrastructure.postgres import tables
from infrastructure.postgres.tables import TABLES, Asked, reading_table
from interfaces.export import formats
from interfaces.export.beside import TableExports
from interfaces.export.formats import FORMATS
from tests.interfaces.conftest import Stored
from tests.interfaces.quarter import ROOM, START

Row = dict[str, Any]

COLUMNS: Final = (
    "position",
    "at",
    "room",
    "kind",
    "topic",
    "stream",
    "version",
    "who",
    "client",
    "seq",
    "state",
)
_LOG: Final = """
SELECT notification_id, at, room, kind, topic, originator_id, originator_version, actor, client, seq,
       convert_from(state, 'UTF8')
FROM record ORDER BY notification_id
"""


def log_of(url: str) -> list[Row]:
    with psycopg.connect(url) as connection:
        return [dict(zip(COLUMNS, row, strict=True)) for row in connection.execute(_LOG)]


def exported(url: str, form: str, asked: Asked) -> bytes:
    file = io.BytesIO()
    with reading_table(url, asked) as rows:
        FORMATS[form](rows, file)
    return file.getvalue()


def from_jsonl(data: bytes) -> list[Row]:
    rows = [json.loads(line) for line in data.splitlines()]
    return [{**row, "at": datetime.fromisoformat(row["at"])} for row in rows]


def from_csv(data: bytes) -> list[Row]:
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    return [{name: value or None for name, value in row.items()} for row in rows]


def from_parquet(data: bytes) -> list[Row]:
    rows: list[Row] = pq.read_table(io.BytesIO(data)).to_pylist()
    return rows


def as_jsonl(row: Row) -> Row:
    return {**row, "state": json.loads(row["state"])}


def as_csv(row: Row) -> Row:
    at = row["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {name: None if value is None else str(value) or None for name, value in {**row, "at": at}.items()}


def as_parquet(row: Row) -> Row:
    return {**row, "at": row["at"].astimezone(UTC)}


@pytest.mark.parametrize(
    ("form", "read", "as_read"),
    [
        ("jsonl", from_jsonl, as_jsonl),
        ("csv", from_csv, as_csv),
        ("parquet", from_parquet, as_parquet),
    ],
)
def test_the_events_of_an_export_are_those_of_the_log(
    quarter: Stored,
    form: str,
    read: Callable[[bytes], list[Row]],
    as_read: Callable[[Row], Row],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(formats, "GROUP_ROWS", 300)
    log = log_of(quarter.url)
    assert len(log) == len(quarter.events) > 900
    assert read(exported(quarter.url, form, Asked("events", None))) == [as_read(row) for row in log]
    since, until = START + timedelta(days=2), START + timedelta(days=9)
    chosen = [as_read(row) for row in log if row["room"] == ROOM and since <= row["at"] < until]
    assert 0 < len(chosen) < len(log)
    assert read(exported(quarter.url, form, Asked("events", ROOM, since, until))) == chosen


def test_a_row_group_of_parquet_is_bounded_and_its_columns_are_typed(
    quarter: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "GROUP_ROWS", 300)
    monkeypatch.setattr(tables, "FETCH_ROWS", 100)
    file = pq.ParquetFile(io.BytesIO(exported(quarter.url, "parquet", Asked("events", None))))
    sizes = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert sizes[:-1] == [300] * (len(sizes) - 1)
    assert 0 < sizes[-1] <= 300
    types = {field.name: str(field.type) for field in file.schema_arrow}
    assert types["at"] == "timestamp[us, tz=UTC]"
    assert (types["position"], types["who"], types["state"]) == ("int64", "string", "string")


@pytest.mark.parametrize("what", sorted(TABLES))
def test_every_table_comes_in_every_format_with_the_same_rows(quarter: Stored, what: str) -> None:
    asked = Asked(what, ROOM, START - timedelta(days=1), START + timedelta(days=30))
    counts = {
        len(exported(quarter.url, "jsonl", asked).splitlines()),
        len(from_csv(exported(quarter.url, "csv", asked))),
        len(from_parquet(exported(quarter.url, "parquet", asked))),
    }
    assert len(counts) == 1
    assert counts != {0} or what in {"cursors", "lockouts", "receipts", "redactions"}


def test_the_edits_are_those_that_were_made(quarter: Stored) -> None:
    made = [event for event in quarter.events if isinstance(event, EditApplied)]
    told = [json.loads(line) for line in exported(quarter.url, "jsonl", Asked("edits", ROOM)).splitlines()]
    assert [(row["who"], row["revision"], datetime.fromisoformat(row["at"])) for row in told] == [
        (event.actor, event.revision, event.timestamp) for event in made
    ]
    inserted = sum(len(part) for event in made for part in event.op if isinstance(part, str))
    assert sum(row["inserted"] for row in told) == inserted


def test_no_text_in_a_table_is_a_formula(quarter: Stored) -> None:
    texts = [row["text"] or "" for row in from_csv(exported(quarter.url, "csv", Asked("messages", ROOM)))]
    assert "'=SUM(A1:A9)" in texts
    assert not [text for text in texts if text.startswith(("=", "@", "+", "-", "\t"))]


async def test_an_export_beside_the_server_comes_in_pieces_and_is_the_same(quarter: Stored) -> None:
    exports = TableExports(quarter.url)
    pieces = [piece async for piece in exports.pieces(ROOM, "events", "jsonl", None, None)]
    assert len(pieces) > 3
    assert b"".join(pieces) == exported(quarter.url, "jsonl", Asked("events", ROOM))


async def test_who_stops_reading_ends_the_process(quarter: Stored) -> None:
    pieces = TableExports(quarter.url).pieces(ROOM, "events", "jsonl", None, None)
    assert await anext(pieces)
    await pieces.aclose()
    with psycopg.connect(quarter.url) as connection:
        left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'chronoscribe export'"
        while connection.execute(left).fetchone() != (0,):  # Postgres sees it when it writes next
            pass


async def test_without_a_store_that_is_said_before_the_first_piece() -> None:
    with pytest.raises(StoreUnavailable):
        await anext(TableExports("host=/nowhere").pieces(ROOM, "events", "jsonl", None, None))


def test_every_view_of_analysts_can_be_exported_and_events_have_its_columns(quarter: Stored) -> None:
    with psycopg.connect(quarter.url) as connection:
        views = connection.execute(
            "SELECT table_name FROM information_schema.views WHERE table_schema = 'analytics'"
        ).fetchall()
        cursor = connection.execute("SELECT * FROM analytics.events LIMIT 0")
        assert tuple(column.name for column in cursor.description or ()) == COLUMNS
    assert {name for (name,) in views} == set(TABLES)
