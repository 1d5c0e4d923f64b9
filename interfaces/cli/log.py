"""`chronoscribe log`: everything that happened in a room, and with -f what happens."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

from application.log import Recorded
from domain.ids import is_id
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.follow import follow
from interfaces.cli.lines import json_line, line
from interfaces.cli.store import add_data_argument, open_history, settings_of
from interfaces.cli.terminal import printer

# Read at a time: a page of a busy room's events is about a megabyte.
PAGE_EVENTS: Final = 2_000

Show = Callable[[Recorded], None]


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
    show = _show_json if as_json else _show_to_people()
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


def _show_to_people() -> Show:
    to = printer()
    return lambda recorded: to(line(recorded))


def _show_json(recorded: Recorded) -> None:
    sys.stdout.buffer.write(json_line(recorded))
