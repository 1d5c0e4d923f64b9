"""`chronoscribe log`: everything that happened in a room, and with -f what happens."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import psycopg
from rich.console import Console

from application.log import Recorded
from domain.errors import StoreUnavailable
from domain.ids import is_id
from infrastructure.embedded_postgres import find_running
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory
from infrastructure.postgres.wakeup import CHANNEL
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.lines import json_line, line
from interfaces.cli.store import add_data_argument, home_of, open_history, reading, settings_of

# Read at a time: a page of a busy room's events is about a megabyte.
PAGE_EVENTS: Final = 2_000

# Hints may be lost; so late a line can be then.
LOOK_SECONDS: Final = 1.0

# While no server runs, how often we look for one.
WAIT_SECONDS: Final = 0.5

Show = Callable[[Recorded], None]
Look = Callable[[PostgresHistory, Database, int], Awaitable[int]]


def add_to(commands: Any) -> None:
    log = commands.add_parser("log", help="print what happened in a room")
    log.add_argument("room", metavar="ROOM")
    log.add_argument("-f", "--follow", action="store_true", help="go on with what happens from now on")
    log.add_argument("--json", action="store_true", help="one JSON object per line, as on the wire")
    add_data_argument(log)
    log.set_defaults(run=_log)


def _log(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return log(settings_of(given), given.room, is_following=given.follow, as_json=given.json)


async def log(settings: Settings, room: str, *, is_following: bool, as_json: bool) -> int:
    show = _show_json if as_json else _shower()
    position = 0
    if is_id(room):
        async with open_history(settings) as (history, _):
            position = await print_after(history, room, 0, show)
    if position == 0:
        raise CommandFailed(f"there is no room {room!r}")
    if is_following:

        async def look(history: PostgresHistory, _: Database, position: int) -> int:
            return await print_after(history, room, position, show)

        await follow(settings, position, look)
    return 0


async def print_after(history: PostgresHistory, room: str, position: int, show: Show) -> int:
    """Print the room's events behind `position`; returns the position of the last."""
    while True:
        page = await history.room_events(room, position, limit=PAGE_EVENTS, with_edits=True)
        for recorded in page:
            show(recorded)
        if page:
            sys.stdout.flush()
            position = page[-1].position
        if len(page) < PAGE_EVENTS:
            return position


async def follow(settings: Settings, position: int, look: Look) -> None:
    """Print what comes, until interrupted. `look` prints what there is behind a position, and returns how
    far that is.

    Nothing is started for it: without a server nothing happens, and a Postgres of ours would be in the
    way of the server that comes. When it goes and comes again, so do we.
    """
    while True:
        conninfo = settings.database_url or find_running(home_of(settings))
        if conninfo is not None:
            try:
                async with reading(conninfo) as (history, database):
                    listener = await _listen(database)
                    try:
                        while True:
                            position = await look(history, database, position)
                            await _wait_for_hint(listener)
                    finally:
                        await listener.close()
            except (StoreUnavailable, psycopg.OperationalError):
                pass
        await asyncio.sleep(WAIT_SECONDS)


async def _listen(database: Database) -> psycopg.AsyncConnection[Any]:
    listener = await database.connect("log")
    await listener.execute(f"LISTEN {CHANNEL}".encode())
    return listener


async def _wait_for_hint(listener: psycopg.AsyncConnection[Any]) -> None:
    async for _ in listener.notifies(timeout=LOOK_SECONDS, stop_after=1):
        pass


def _shower() -> Show:
    if not sys.stdout.isatty():
        return lambda recorded: print(line(recorded).plain)
    console = Console(highlight=False, soft_wrap=True)
    return lambda recorded: console.print(line(recorded))


def _show_json(recorded: Recorded) -> None:
    sys.stdout.buffer.write(json_line(recorded))
