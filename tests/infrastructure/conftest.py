"""A database with our schema."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from infrastructure.postgres.database import Database
from infrastructure.postgres.migrations import migrate


@pytest.fixture
async def migrated_url(database_url: str) -> str:
    """The DSN of a database that holds our tables, empty."""
    connection = await Database(database_url).connect("migrations")
    async with connection:
        await migrate(connection)
    return database_url


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """The same, open."""
    database = Database(migrated_url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()
