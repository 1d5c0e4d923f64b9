"""`chronoscribe rebuild`: make a projection's tables anew from the log, while servers go on."""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, Final

import psycopg

from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresLog
from infrastructure.projector import View
from infrastructure.rebuild import Difference, Rebuild, RebuildRefused, Rebuilt
from infrastructure.settings import Settings
from infrastructure.views import all_views
from interfaces.cli.failures import CommandFailed
from interfaces.cli.progress import progress
from interfaces.cli.store import add_data_argument, open_history, settings_of
from interfaces.cli.terminal import on_one_line, shortened

# Of all differences together, how many rows are printed, and how much of each.
ROWS_SHOWN: Final = 20
ROW_CODE_POINTS: Final = 500


def add_to(commands: Any) -> None:
    rebuild = commands.add_parser("rebuild", help="make a projection anew from the log")
    rebuild.add_argument("name", metavar="NAME")
    rebuild.add_argument("--compare", action="store_true", help="say which rows were not as the log has them")
    add_data_argument(rebuild)
    rebuild.set_defaults(run=_rebuild)


def _rebuild(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return rebuild(settings_of(given), given.name, is_comparing=given.compare)


async def rebuild(settings: Settings, name: str, *, is_comparing: bool) -> int:
    names = [view.name for view in all_views(Database(""))]
    if name not in names:
        raise CommandFailed(f"there is no projection {name!r}, but: {', '.join(names)}", status=2)
    async with open_history(settings) as (_, database):
        [view] = [view for view in all_views(database) if view.name == name]
        began = time.monotonic()
        try:
            rebuilt = await _run(database, view, is_comparing=is_comparing)
        except RebuildRefused as refused:
            raise CommandFailed(str(refused)) from None
        except psycopg.errors.UndefinedTable:
            raise CommandFailed(
                "this database is not up to date; `chronoscribe serve` brings it up"
            ) from None
        except psycopg.Error as error:
            raise CommandFailed(f"it did not work, and all is as it was: {error}") from None
        print(report(name, rebuilt, time.monotonic() - began))
    for line in differences_of(rebuilt.differences or ()):
        print(line)
    return 0


async def _run(database: Database, view: View, *, is_comparing: bool) -> Rebuilt:
    # What is loaded by now stays, and events die young: the collector need not look at us again and again.
    gc.collect()
    gc.freeze()
    try:
        with progress(view.name) as on_progress:
            work = Rebuild(database, PostgresLog(database, "record"), view)
            return await work.run(on_progress, is_comparing=is_comparing)
    finally:
        gc.unfreeze()


def report(name: str, rebuilt: Rebuilt, seconds: float) -> str:
    """In one line what came of it, and how fast."""
    said = f"{name}: {rebuilt.events:,} events in {seconds:.1f} s, up to position {rebuilt.position:,}"
    if rebuilt.parked:
        said += f"; {rebuilt.parked:,} of them could not be taken in and are parked"
    if rebuilt.differences is not None:
        count = sum(difference.count for difference in rebuilt.differences)
        said += f"; {count:,} rows differ" if count else "; no row differs"
    return said


def differences_of(differences: Sequence[Difference]) -> Iterator[str]:
    """Rows that stood there (-) and that the log has instead (+), `ROWS_SHOWN` at most."""
    lines = [
        f"{'+' if found.is_rebuilt else '-'} {found.table} {shortened(on_one_line(row), ROW_CODE_POINTS)}"
        for found in differences
        for row in found.rows
    ]
    yield from lines[:ROWS_SHOWN]
    left = sum(found.count for found in differences) - len(lines[:ROWS_SHOWN])
    if left:
        yield f"and {left:,} more"
