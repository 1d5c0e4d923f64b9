"""Connections: what fails how, and on what the server does not start."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from domain.errors import StoreUnavailable
from infrastructure.embedded_postgres import EmbeddedPostgres
from infrastructure.postgres import database as module
from infrastructure.postgres.database import Database, UnsafeStore


async def test_a_postgres_that_could_forget_is_refused_with_the_reason(database: Database) -> None:
    """The one that tests run on is such a one."""
    with pytest.raises(UnsafeStore) as refused:
        await database.check_durability()
    for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
        assert setting in str(refused.value)


async def test_a_postgres_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_SECONDS", 1)
    database = Database("host=/nowhere dbname=none")
    with pytest.raises(StoreUnavailable):
        await database.open()
    await database.close()
    with pytest.raises(psycopg.OperationalError):
        await database.connect("test")


async def test_a_query_that_takes_too_long_is_an_unavailable_store(database: Database) -> None:
    async def query() -> None:
        async with database.reading() as connection:
            await connection.execute("SET statement_timeout = '20ms'")
            await connection.execute("SELECT pg_sleep(5)")

    with pytest.raises(StoreUnavailable) as failed:
        await query()
    assert failed.value.facts["retry_after"]
    assert await database.fetch("SELECT 1") == [(1,)]


async def test_a_mistake_in_a_query_is_no_unavailable_store(database: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        await database.fetch("SELECT * FROM none")


async def test_connections_have_names_limits_and_one_time_zone(database: Database) -> None:
    connection = await database.connect("writer of record")
    async with connection:
        for setting, value in [
            ("application_name", "chronoscribe writer of record"),
            ("statement_timeout", "5s"),
            ("lock_timeout", "2s"),
            ("timezone", "UTC"),
        ]:
            cursor = await connection.execute("SELECT current_setting(%s)", (setting,))
            assert await cursor.fetchone() == (value,)
        assert connection.autocommit


@pytest.mark.parametrize("is_durable", [True, False])
async def test_only_commits_that_can_be_made_again_need_not_wait_for_the_disk(
    durable_postgres: Callable[[], EmbeddedPostgres], *, is_durable: bool
) -> None:
    database = Database(durable_postgres().start())
    connection = await database.connect("test", is_durable=is_durable)
    async with connection:
        cursor = await connection.execute("SHOW synchronous_commit")
        assert await cursor.fetchone() == ("on" if is_durable else "off",)
