"""Migrations: what a fresh database has afterwards, and that nothing is applied twice."""

from __future__ import annotations

import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from infrastructure.postgres.database import Database
from infrastructure.postgres.migrations import migrate


async def test_a_fresh_database_gets_everything_in_order_and_only_once(database_url: str) -> None:
    connection = await Database(database_url).connect("test")
    async with connection:
        applied = await migrate(connection)
        assert applied == sorted(applied)
        assert applied[0] == "0001_logs"
        assert await migrate(connection) == []
        rows = await (await connection.execute("SELECT name FROM migrations ORDER BY name")).fetchall()
        assert [row[0] for row in rows] == applied


async def test_only_what_is_missing_is_applied(database_url: str) -> None:
    connection = await Database(database_url).connect("test")
    async with connection:
        first, *_ = await migrate(connection)
        await connection.execute("DELETE FROM migrations WHERE name = %s", (first,))
        with pytest.raises(Exception, match="exist"):
            await migrate(connection)
        await connection.execute("INSERT INTO migrations (name) VALUES (%s)", (first,))
        assert await migrate(connection) == []  # the lock was given back


async def test_two_stores_are_two_histories(database_url: str) -> None:
    connection = await Database(database_url).connect("test")
    async with connection:
        await migrate(connection)
        first = await (await connection.execute("SELECT value FROM store WHERE key = 'epoch'")).fetchone()
        await connection.execute("DROP SCHEMA public, analytics CASCADE")
        await connection.execute("CREATE SCHEMA public")
        await migrate(connection)
        second = await (await connection.execute("SELECT value FROM store WHERE key = 'epoch'")).fetchone()
    assert first != second


async def test_whoever_owns_the_database_needs_no_more_rights(database_url: str) -> None:
    """As on a server that is somebody else's: extensions must be such that owners may create them."""
    connection = await Database(database_url).connect("test")
    async with connection:
        await connection.execute("DROP ROLE IF EXISTS plain_owner")
        await connection.execute("CREATE ROLE plain_owner LOGIN")
        await connection.execute(
            SQL("ALTER DATABASE {} OWNER TO plain_owner").format(Identifier(connection.info.dbname))
        )
        try:
            owner = await Database(make_conninfo(database_url, user="plain_owner")).connect("test")
            async with owner:
                assert (await migrate(owner))[0] == "0001_logs"
        finally:
            await connection.execute("REASSIGN OWNED BY plain_owner TO CURRENT_USER")
            await connection.execute("DROP OWNED BY plain_owner")
            await connection.execute("DROP ROLE plain_owner")
