"""Arrays in binary form: what Postgres reads must be what went in, and what psycopg would have sent."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import PyFormat, Transformer
from psycopg.types.numeric import Int8

from infrastructure.postgres import arrays
from infrastructure.postgres.arrays import bigint_array, bytea_array, text_array
from infrastructure.postgres.database import Database

TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
BIGINTS = st.integers(-(2**63), 2**63 - 1)


def as_psycopg_would(values: list[Any]) -> bytes:
    transformer = Transformer()
    dumper = transformer.get_dumper(values, PyFormat.BINARY)
    return bytes(dumper.dump(values) or b"")


@given(st.lists(TEXTS.filter(bool), min_size=1))
def test_texts_are_sent_as_psycopg_sends_them(values: list[str]) -> None:
    assert with_any_nulls(bytes(text_array(values))) == with_any_nulls(as_psycopg_would(list(values)))


@given(st.lists(st.none() | st.binary(), min_size=1).filter(any))
def test_bytes_are_sent_as_psycopg_sends_them(values: list[bytes | None]) -> None:
    assert with_any_nulls(bytes(bytea_array(values))) == with_any_nulls(as_psycopg_would(list(values)))


@given(st.lists(BIGINTS, min_size=1))
def test_numbers_are_sent_as_psycopg_sends_them(values: list[int]) -> None:
    assert with_any_nulls(bytes(bigint_array(values))) == with_any_nulls(
        as_psycopg_would([Int8(value) for value in values])
    )


def with_any_nulls(array: bytes) -> bytes:
    """The header says whether there are NULLs; Postgres does not look at it."""
    return array[:4] + bytes(4) + array[8:]


@pytest.fixture(scope="module")
def connection(postgres_server: Any) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_server.start(), autocommit=True) as connection:
        arrays.register(connection)
        yield connection


CASES: list[tuple[Callable[[Sequence[Any]], Any], str, list[Any]]] = [
    (text_array, "text", ["", "a", 'é😀\n"\\{},NULL', "x" * 100_000]),
    (text_array, "text", ["a", None, "b", None]),
    (text_array, "text", [None]),
    (text_array, "text", []),
    (bytea_array, "bytea", [b"", b"\x00\xff", None, b"{}", bytes(100_000)]),
    (bytea_array, "bytea", []),
    (bigint_array, "bigint", [0, -1, 2**63 - 1, -(2**63), None, 2**53]),
    (bigint_array, "bigint", []),
]


@pytest.mark.parametrize(("make", "kind", "values"), CASES)
def test_postgres_reads_what_went_in(
    connection: psycopg.Connection[Any], make: Callable[[Sequence[Any]], Any], kind: str, values: list[Any]
) -> None:
    query = (
        "SELECT pg_typeof(%s)::text, coalesce(array_agg(v ORDER BY n), '{}')"
        " FROM unnest(%s) WITH ORDINALITY AS u (v, n)"
    )
    cursor = connection.cursor(binary=True)
    cursor.execute(query.encode(), (make(values), make(values)))
    assert cursor.fetchone() == (f"{kind}[]", values)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_a_number_that_is_no_bigint_is_refused_here(value: int) -> None:
    with pytest.raises((struct.error, OverflowError)):
        bigint_array([value])


def test_a_lone_surrogate_is_refused_here() -> None:
    with pytest.raises(UnicodeEncodeError):
        text_array(["\ud800"])


async def test_every_connection_of_a_database_knows_arrays(migrated_url: str) -> None:
    database = Database(migrated_url)
    await database.open()
    pooled = await database.fetch("SELECT unnest(%s)", (text_array(["a", None]),))
    own = await database.connect("test")
    async with own:
        cursor = own.cursor(binary=True)
        await cursor.execute("SELECT unnest(%s)", (bigint_array([1, None]),))
        assert await cursor.fetchall() == [(1,), (None,)]
    assert pooled == [("a",), (None,)]
    await asyncio.wait_for(database.close(), 10)
