"""`chronoscribe activity`: what went on in a room, in lines for people, and with -f what goes on."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

import orjson
from rich.text import Text

from domain.ids import is_id
from infrastructure.postgres.activity_view import ActivityView
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.follow import follow
from interfaces.cli.lines import began
from interfaces.cli.store import add_data_argument, open_history, settings_of
from interfaces.cli.terminal import on_one_line, printer
from projections.activity import Kind, Line
from projections.telling import as_json, sentence

# Read at a time.
PAGE_LINES: Final = 500

# What grows is printed when nothing was added for so long, and not after each key.
REST_SECONDS: Final = 3.0
GROWING: Final = frozenset({Kind.EDITED, Kind.UNDONE, Kind.IMPORTED})

Show = Callable[[Line], None]


def add_to(commands: Any) -> None:
    activity = commands.add_parser("activity", help="print what went on in a room, for people")
    activity.add_argument("room", metavar="ROOM")
    activity.add_argument("-f", "--follow", action="store_true", help="go on with what happens from now on")
    activity.add_argument("--json", action="store_true", help="one JSON object per line, as over HTTP")
    add_data_argument(activity)
    activity.set_defaults(run=_activity)


def _activity(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return activity(settings_of(given), given.room, is_following=given.follow, is_json=given.json)


async def activity(settings: Settings, room: str, *, is_following: bool, is_json: bool) -> int:
    show = _show_json if is_json else _show_to_people()
    position = 0
    if is_id(room):
        async with open_history(settings) as (_, database):
            async for line in lines_after(database, room, position):
                show(line)
                position = line.changed
    if position == 0:
        raise CommandFailed(f"there is no room {room!r}")
    sys.stdout.flush()
    if is_following:
        await follow(settings, position, Follower(room, show).look)
    return 0


async def lines_after(database: Database, room: str, position: int) -> AsyncIterator[Line]:
    """What has come or changed behind `position`, in the order in which it came to be as it is."""
    view = ActivityView(database)
    while page := await view.changed_after(room, position, PAGE_LINES):
        for line in page:
            yield line
        position = page[-1].changed


class Follower:
    """Prints lines as they come. One that changes comes again; one that grows, when it has come to rest."""

    def __init__(self, room: str, show: Show, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._room = room
        self._show = show
        self._monotonic = monotonic
        self._growing: dict[int, tuple[float, Line]] = {}
        """By id, with when it was last seen to have grown."""

    async def look(self, _: PostgresHistory, database: Database, position: int) -> int:
        """Print what there is to print behind `position`; returns how far that is."""
        async for line in lines_after(database, self._room, position):
            self.take(line)
            position = line.changed
        self.print_rested()
        sys.stdout.flush()
        return position

    def take(self, line: Line) -> None:
        if line.kind in GROWING:
            self._growing[line.id] = (self._monotonic(), line)
        else:
            self._show(line)

    def print_rested(self) -> None:
        before = self._monotonic() - REST_SECONDS
        for grown, line in list(self._growing.values()):
            if grown <= before:
                del self._growing[line.id]
                self._show(line)


def words(line: Line) -> Text:
    """`2026-11-23 14:05:07.123  ada  edited main.md: 2 edits, +7 characters, revision 0 to 2`."""
    return Text.assemble(*began(line.at, line.user), on_one_line(sentence(line)))


def _show_to_people() -> Show:
    to = printer()
    return lambda line: to(words(line))


def _show_json(line: Line) -> None:
    sys.stdout.buffer.write(orjson.dumps(as_json(line)) + b"\n")
