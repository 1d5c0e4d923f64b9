"""`chronoscribe report`: what went on in a room, as a page to read, to send and to print."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.ids import is_id
from infrastructure.reporting import read_report
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.past import moment_of
from interfaces.cli.progress import progress
from interfaces.cli.store import add_data_argument, open_store, reading, settings_of
from interfaces.cli.whole_files import whole_file
from interfaces.report.page import render


def add_to(commands: Any) -> None:
    report = commands.add_parser(
        "report",
        help="what went on in a room, as a page",
        description="Writes one HTML file without scripts, which loads nothing: who did what and when, on"
        " which lines of which documents, and with whom. Times are those of this machine.",
    )
    report.add_argument("room", metavar="ROOM")
    report.add_argument(
        "--from", type=moment_of, dest="since", metavar="TIME", help="begin at 2026-11-23T14:05 (our time)"
    )
    report.add_argument("--to", type=moment_of, dest="until", metavar="TIME", help="end there")
    report.add_argument("--out", type=Path, metavar="FILE", help="where to (ROOM-report.html)")
    add_data_argument(report)
    report.set_defaults(run=_report)


def _report(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    if not is_id(given.room):
        raise CommandFailed(f"there is no room {given.room!r}")
    if given.since is not None and given.until is not None and given.since > given.until:
        raise CommandFailed("this ends before it begins", status=2)
    path = given.out or Path(f"{given.room}-report.html")
    return write_report(settings_of(given), given.room, given.since, given.until, path)


async def write_report(
    settings: Settings, room: str, since: datetime | None, until: datetime | None, path: Path
) -> int:
    async with open_store(settings) as conninfo:
        async with reading(conninfo) as (history, _):
            await history.epoch()  # where there is no log, that is said
        with progress("reading") as on_progress:
            read = await asyncio.to_thread(read_report, conninfo, room, since, until, on_progress=on_progress)
    now = datetime.now(UTC)
    offset = now.astimezone().utcoffset()
    assert offset is not None
    page = render(read.report, read.looks, made=now, offset_minutes=round(offset.total_seconds() / 60))
    data = page.encode()
    with whole_file(path) as file:
        file.write(data)
    print(f"{path}: {read.report.events:,} events, {len(data) / 1024:,.0f} KiB")
    return 0
