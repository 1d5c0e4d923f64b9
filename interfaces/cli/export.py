"""`chronoscribe export`: the log, and what analysts see of it, as files for other programs."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

from domain.ids import is_id
from infrastructure.postgres.tables import TABLES, Asked, reading_table
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.past import moment_of
from interfaces.cli.progress import OnProgress, progress
from interfaces.cli.store import add_data_argument, open_store, reading, settings_of
from interfaces.cli.whole_files import whole_file
from interfaces.export.formats import FORMATS, file_name

_STDOUT: Final = Path("-")


def add_to(commands: Any) -> None:
    export = commands.add_parser(
        "export",
        help="the log, or a table of what it says, as a file",
        description="Writes the events of a room or of all rooms, or a table of what they say, as of one"
        " moment. The file is there when it is whole.",
    )
    whose = export.add_mutually_exclusive_group(required=True)
    whose.add_argument("room", metavar="ROOM", nargs="?")
    whose.add_argument("--all", action="store_true", dest="all_rooms", help="of all rooms, and of people")
    export.add_argument("--what", choices=sorted(TABLES), default="events", help="which table (events)")
    export.add_argument("--format", choices=sorted(FORMATS), default="jsonl", help="as what (jsonl)")
    export.add_argument(
        "--from", type=moment_of, dest="since", metavar="TIME", help="from 2026-11-23T14:05 on (our time)"
    )
    export.add_argument("--to", type=moment_of, dest="until", metavar="TIME", help="until just before that")
    export.add_argument("--out", type=Path, metavar="FILE", help="where to (ROOM-WHAT.FORMAT), - for stdout")
    add_data_argument(export)
    export.set_defaults(run=_export)


def _export(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    if given.room is not None and not is_id(given.room):
        raise CommandFailed(f"there is no room {given.room!r}")
    if given.since is not None and given.until is not None and given.since > given.until:
        raise CommandFailed("this ends before it begins", status=2)
    asked = Asked(given.what, given.room, given.since, given.until)
    path = given.out or Path(file_name(given.what, given.format, given.room))
    return export_to(settings_of(given), asked, given.format, path)


async def export_to(settings: Settings, asked: Asked, form: str, path: Path) -> int:
    async with open_store(settings) as conninfo:
        async with reading(conninfo) as (history, database):
            await history.epoch()  # where there is no log, that is said
            if asked.room is not None and not await database.fetch(_ROOM, (asked.room,)):
                raise CommandFailed(f"there is no room {asked.room!r}")
        with progress("exporting") as on_progress:
            done, size = await asyncio.to_thread(_write, conninfo, asked, form, path, on_progress)
    if path != _STDOUT:
        print(f"{path}: {done:,} rows, {size / 1024:,.0f} KiB")
    return 0


_ROOM: Final = "SELECT 1 FROM record WHERE room = %s LIMIT 1"


def _write(conninfo: str, asked: Asked, form: str, path: Path, on_progress: OnProgress) -> tuple[int, int]:
    """How many rows there were, and how many bytes they are."""
    done = 0

    def count(so_far: int, end: int) -> None:
        nonlocal done
        done = so_far
        on_progress(so_far, end)

    opened = nullcontext(sys.stdout.buffer) if path == _STDOUT else whole_file(path)
    with reading_table(conninfo, asked, on_progress=count) as rows, opened as file:
        sink = _Counted(file)
        FORMATS[form](rows, sink)
        return done, sink.size


class _Counted:
    """A file, and how much was written into it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.size = 0

    def write(self, data: bytes, /) -> int:
        self.size += len(data)
        return int(self._file.write(data))
