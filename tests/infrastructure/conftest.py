"""A database with our schema."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from infrastructure.embedded_postgres import EmbeddedPostgres
from infrastructure.postgres.database import Database
from infrastructure.postgres.migrations import migrate
from tests.conftest import new_database

# Of the database that all others with our tables are copies of.
TEMPLATE = "migrated"


@pytest.fixture(scope="session")
def template(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The name of a database that holds our tables, empty: a copy of it takes a tenth of the migrations."""
    with new_database(postgres_server, TEMPLATE, "template0") as url:
        asyncio.run(_migrate(url))
        yield TEMPLATE


async def _migrate(url: str) -> None:
    connection = await Database(url).connect("migrations")
    async with connection:
        await migrate(connection)


@pytest.fixture
def migrated_url(
    postgres_server: EmbeddedPostgres, template: str, database_names: Iterator[str]
) -> Iterator[str]:
    """The DSN of a database that holds our tables, empty, and is gone after the test."""
    with new_database(postgres_server, next(database_names), template) as url:
        yield url


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """The same, open."""
    database = Database(migrated_url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()
