"""Where the commands that look back read, and where those that change something write: beside a running
server, or without one.

A DATABASE_URL is connected to. Otherwise it is the embedded Postgres of the data folder: the one that
a server runs there now, or, when nobody does, one that we start for as long as we need it.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

from application.services import Services
from infrastructure.embedded_postgres import AlreadyRunning, EmbeddedPostgres, find_running
from infrastructure.node import Node, open_node
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory
from infrastructure.sealing import keyring_of
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed

# Somebody else is just starting or stopping Postgres in the folder: soon it is there, or ours to start.
# A start takes seconds, on a slow disk and after a crash many.
OTHER_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.1


def add_data_argument(command: Any) -> None:
    command.add_argument("--data", type=Path, help="folder of the embedded Postgres (CHRONOSCRIBE_DATA)")


def settings_of(given: argparse.Namespace) -> Settings:
    return Settings.load(data=given.data)


@asynccontextmanager
async def open_history(settings: Settings) -> AsyncIterator[tuple[PostgresHistory, Database]]:
    """The log of `settings`, to be read. Raises `CommandFailed` where there is none, `StoreUnavailable`,
    `EmbeddedPostgresError`.
    """
    async with open_store(settings) as conninfo, reading(conninfo) as (history, database):
        await keyring_of(settings, database)
        yield history, database


@asynccontextmanager
async def open_node_for_command(settings: Settings) -> AsyncIterator[tuple[Node, Services]]:
    """A node of our own on the store of `settings`, beside those of servers, which hear at once of what it
    does. Raises as `open_history`, and `UnsafeStore`.
    """
    async with open_store(settings) as conninfo:
        async with reading(conninfo) as (history, _):
            await history.epoch()  # where there is no log yet, none is made
        async with open_node(settings, conninfo) as opened:
            yield opened


@asynccontextmanager
async def open_store(settings: Settings, *, may_be_new: bool = False) -> AsyncIterator[str]:
    """The DSN of the Postgres of `settings`, which is up until the end of the block. Where there may be a new
    one it is made.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    home = settings.home
    if not may_be_new and not any(home.glob("data-*")):
        raise CommandFailed(f"there is no data in {home}; `chronoscribe serve` makes some")
    postgres = EmbeddedPostgres(home)
    try:
        yield await _start(postgres)
    finally:
        await asyncio.to_thread(postgres.stop)


async def _start(postgres: EmbeddedPostgres) -> str:
    """The DSN of the Postgres that runs in the home; when nobody runs it, we do."""
    try:
        async with asyncio.timeout(OTHER_SECONDS):
            while True:
                if (dsn := find_running(postgres.home)) is not None:
                    return dsn
                try:
                    return await asyncio.to_thread(postgres.start)
                except AlreadyRunning as running:
                    if running.dsn is not None:
                        return running.dsn
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise CommandFailed(
            f"somebody has been starting or stopping Postgres in {postgres.home} for long"
        ) from None


@asynccontextmanager
async def reading(conninfo: str) -> AsyncIterator[tuple[PostgresHistory, Database]]:
    """The log in a database that is up. Raises `StoreUnavailable`, `CommandFailed` for one without a log."""
    database = Database(conninfo)
    await database.open()
    try:
        yield PostgresHistory(database), database
    except psycopg.errors.UndefinedTable:
        raise CommandFailed("this database holds no log; `chronoscribe serve` makes one") from None
    finally:
        await database.close()
