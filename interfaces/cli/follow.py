"""What comes into the log, for commands that go on printing (`-f`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import psycopg

from domain.errors import StoreUnavailable
from infrastructure.embedded_postgres import find_running
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory
from infrastructure.postgres.wakeup import CHANNEL
from infrastructure.settings import Settings
from interfaces.cli.store import reading

# Hints may be lost; so late a line can be then.
LOOK_SECONDS: Final = 1.0

# While no server runs, how often we look for one.
WAIT_SECONDS: Final = 0.5

Look = Callable[[PostgresHistory, Database, int], Awaitable[int]]


async def follow(settings: Settings, position: int, look: Look) -> None:
    """Print what comes, until interrupted. `look` prints what there is behind a position, and returns how
    far that is.

    Nothing is started for it: without a server nothing happens, and a Postgres of ours would be in the
    way of the server that comes. When it goes and comes again, so do we.
    """
    while True:
        conninfo = settings.database_url or find_running(settings.home)
        if conninfo is not None:
            try:
                async with reading(conninfo) as (history, database):
                    listener = await _listen(database)
                    try:
                        while True:
                            position = await look(history, database, position)
                            _end_if_interrupted()
                            await _wait_for_hint(listener)
                    finally:
                        await listener.close()
            except (StoreUnavailable, psycopg.OperationalError):
                pass
        await asyncio.sleep(WAIT_SECONDS)


def _end_if_interrupted() -> None:
    """Before Python 3.12 `asyncio.wait_for`, by which the pool hands out connections, loses a cancellation
    that comes together with the connection: then Ctrl-C would end nothing. Raises `CancelledError`.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _listen(database: Database) -> psycopg.AsyncConnection[Any]:
    listener = await database.connect("log")
    await listener.execute(f"LISTEN {CHANNEL}".encode())
    return listener


async def _wait_for_hint(listener: psycopg.AsyncConnection[Any]) -> None:
    async for _ in listener.notifies(timeout=LOOK_SECONDS, stop_after=1):
        pass
