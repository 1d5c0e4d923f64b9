"""One server for all tests that do no harm to it, on a real and durable Postgres; and a room with a past."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from domain.aggregate import Event
from infrastructure.embedded_postgres import EmbeddedPostgres
from infrastructure.postgres.database import Database
from infrastructure.postgres.migrations import migrate
from tests.conftest import new_database
from tests.interfaces.quarter import Quarter, store
from tests.interfaces.server_thread import ServerThread


@pytest.fixture(scope="session")
def server() -> Iterator[ServerThread]:
    # Not pytest's folder: root's Postgres runs as nobody and cannot get below that one.
    home = Path(tempfile.mkdtemp(prefix="chronoscribe-test-"))
    try:
        with EmbeddedPostgres(home) as postgres:
            thread = ServerThread(postgres.start())
            thread.start()
            try:
                yield thread
            finally:
                thread.stop()
    finally:
        shutil.rmtree(home)


class Stored(NamedTuple):
    """A store that nobody serves, and the events that are in it, in their order."""

    url: str
    events: Sequence[Event]


@pytest.fixture(scope="session")
def quarter(postgres_server: EmbeddedPostgres) -> Iterator[Stored]:
    """The room of `tests.interfaces.quarter`."""
    events = Quarter(svelte_edits=600).events()
    with new_database(postgres_server, "quarter", "template0") as url:
        asyncio.run(_fill(url, events))
        yield Stored(url, events)


async def _fill(url: str, events: Sequence[Event]) -> None:
    database = Database(url)
    await database.open()
    try:
        async with await database.connect("migrations") as connection:
            await migrate(connection)
        await store(database, events)
    finally:
        await database.close()
