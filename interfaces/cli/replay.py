"""`chronoscribe replay`: a room's past as it went on: on the terminal, in lines, or as a page to keep."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import orjson

from application.log import Recorded
from application.past.replay import Begin, Replay, Step
from domain.document import EditApplied
from domain.ids import is_id, parse_stream
from domain.instants import as_datetime
from domain.presence import FrameRecorded
from domain.receipts import ReceiptsRecorded
from infrastructure.postgres.database import Database
from infrastructure.postgres.replay_log import PostgresReplayLog
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.lines import line
from interfaces.cli.load import positive
from interfaces.cli.past import moment_of
from interfaces.cli.progress import progress
from interfaces.cli.replay_watching import SPEED_MAX, SPEED_MIN, Watching, is_told
from interfaces.cli.store import add_data_argument, open_history, settings_of
from interfaces.cli.whole_files import whole_file
from interfaces.replay.page import Page
from interfaces.ws.staging import as_begin, as_end, as_step
from projections.stage import Stage


def add_to(commands: Any) -> None:
    replay = commands.add_parser(
        "replay",
        help="show a room's past as it went on",
        description="Shows a room's past in its order and its timing: on a terminal to watch (space: pause,"
        " arrows: step, + and -: speed, q: end), otherwise a line for each event. All of it unless --from or"
        " --to say less.",
    )
    replay.add_argument("room", metavar="ROOM")
    replay.add_argument(
        "--from", type=moment_of, dest="since", metavar="TIME", help="begin at 2026-11-23T14:05 (our time)"
    )
    replay.add_argument("--to", type=moment_of, dest="until", metavar="TIME", help="end there")
    replay.add_argument("--document", metavar="DOCUMENT", help="show this one, whatever else is written")
    replay.add_argument("--speed", type=speed, default=1.0, metavar="X", help="X times as fast as it was (1)")
    replay.add_argument(
        "--skip-idle", action="store_true", help="pass over the time in which nothing happens"
    )
    form = replay.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object per line, as over HTTP")
    form.add_argument("--html", type=Path, metavar="FILE", help="a page to watch it in a browser, offline")
    add_data_argument(replay)
    replay.set_defaults(run=_replay)


def speed(text: str) -> float:
    number = positive(text)
    if not SPEED_MIN <= number <= SPEED_MAX:
        raise argparse.ArgumentTypeError(f"a speed is {SPEED_MIN:g} to {SPEED_MAX:g}")
    return number


def _replay(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    if given.document is not None and (given.json or given.html):
        raise CommandFailed("--json and --html have all documents", status=2)
    if given.since is not None and given.until is not None and given.since > given.until:
        raise CommandFailed("this ends before it begins", status=2)
    return replay(settings_of(given), given)


async def replay(settings: Settings, given: argparse.Namespace) -> int:
    async with open_history(settings) as (_, database):
        told = await Told.begin(database, given.room, given.since, given.until)
        if given.html:
            await _write_page(told, given.html)
        elif given.json:
            await _print_json(told)
        elif sys.stdout.isatty():
            await _watch(told, given)
        else:
            await _print_lines(told, given.document)
    return 0


async def _watch(told: Told, given: argparse.Namespace) -> None:
    steps = [step async for step in told.steps()]
    await Watching(
        told.replay,
        told.first,
        steps,
        document=given.document,
        speed=given.speed,
        skips_idle=given.skip_idle,
    ).run()


class Told:
    """A replay as it is read, with how far that has come."""

    def __init__(self, replay: Replay[Stage], first: Begin[Stage]) -> None:
        self.replay = replay
        self.first = first

    @classmethod
    async def begin(
        cls, database: Database, room: str, since: datetime | None, until: datetime | None
    ) -> Told:
        """Raises `CommandFailed` for a room that there is not."""
        log = PostgresReplayLog(database)
        if not is_id(room) or await log.beginning(room) is None:
            raise CommandFailed(f"there is no room {room!r}")
        replay = Replay(log, Stage, now=lambda: datetime.now(UTC))
        return cls(replay, await replay.begin(room, since, until))

    async def steps(self) -> AsyncIterator[Step]:
        first, done = self.first, 0
        since, until = as_datetime(first.since), as_datetime(first.until)
        with progress("reading") as on_progress:
            async for step in self.replay.steps(first.room, since, until, after=first.place):
                yield step
                done += sum(not _is_frame(event) for event in step.events)
                on_progress(done, first.events)


def _is_frame(recorded: Recorded) -> bool:
    return isinstance(recorded.event, FrameRecorded)


async def _write_page(told: Told, path: Path) -> None:
    """The file is there once it is whole. Raises `ReplayTooLong`, `OSError`."""
    with whole_file(path) as file:
        size = await _write_pieces(told, file)
    print(f"{path}: {told.first.events:,} events, {size / 1024:,.0f} KiB")


async def _write_pieces(told: Told, file: IO[bytes]) -> int:
    page = Page()
    size = file.write(page.begin(as_begin(told.first)))
    async for step in told.steps():
        if (line := as_step(step)) is not None:
            size += file.write(page.line(line))
    return size + file.write(page.line(as_end(told.first)) + page.end())


async def _print_json(told: Told) -> None:
    _print_as_json(as_begin(told.first))
    async for step in told.steps():
        if (line := as_step(step)) is not None:
            _print_as_json(line)
    _print_as_json(as_end(told.first))


def _print_as_json(line: Any) -> None:
    sys.stdout.buffer.write(orjson.dumps(line) + b"\n")


async def _print_lines(told: Told, document: str | None) -> None:
    """Where cursors moved, and how far everybody has read, is nothing to read."""
    async for step in told.steps():
        for recorded in step.events:
            is_silent = isinstance(recorded.event, FrameRecorded | ReceiptsRecorded)
            if is_told(recorded) and not is_silent and not _is_elsewhere(recorded, document):
                print(line(recorded).plain)


def _is_elsewhere(recorded: Recorded, document: str | None) -> bool:
    event = recorded.event
    is_edit = isinstance(event, EditApplied)
    return document is not None and is_edit and parse_stream(event.originator_id).name != document
