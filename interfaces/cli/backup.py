"""`chronoscribe backup`: what cannot be made again, as of one moment, into one file, while servers go on."""

from __future__ import annotations

import argparse
import getpass
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.instants import as_datetime
from infrastructure.backup.manifest import Manifest
from infrastructure.backup.refusals import BackupRefused
from infrastructure.backup.taking import take
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.progress import OnProgress, progress
from interfaces.cli.store import add_data_argument, open_history, settings_of


def add_to(commands: Any) -> None:
    backup = commands.add_parser("backup", help="write all that cannot be made again into one file")
    backup.add_argument("out", metavar="OUT", type=Path, help="the file, or a folder to put one into")
    add_data_argument(backup)
    backup.set_defaults(run=_backup)


def _backup(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return backup(settings_of(given), given.out)


async def backup(settings: Settings, out: Path) -> int:
    path = _file_in(out)
    began = time.monotonic()
    async with open_history(settings) as (_, database):
        with refusals_told(), one_bar_each() as on_table:
            manifest = await take(database, path, on_table)
    print(report(path, manifest, time.monotonic() - began))
    for line in left_out(manifest):
        print(line)
    return 0


def _file_in(out: Path) -> Path:
    """In a folder, a file that is named for the moment, so that names sort as they were made."""
    return out / f"chronoscribe-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.backup" if out.is_dir() else out


def report(path: Path, manifest: Manifest, seconds: float) -> str:
    events = manifest.record.events + manifest.presence.events
    return (
        f"{path}: {events:,} events, {path.stat().st_size:,} bytes, in {seconds:.1f} s\n"
        f"as of {as_datetime(manifest.at):%Y-%m-%d %H:%M:%S} UTC, up to position"
        f" {manifest.record.position:,} of the record and {manifest.presence.position:,} of presence"
    )


def left_out(manifest: Manifest) -> Iterator[str]:
    if manifest.left_out:
        yield f"not in it: {', '.join(manifest.left_out)}"


def whoever_we_are() -> str:
    """As this machine knows us."""
    return f"{getpass.getuser()} on {socket.gethostname()}"


@contextmanager
def refusals_told() -> Iterator[None]:
    try:
        yield
    except BackupRefused as refused:
        raise CommandFailed(str(refused)) from None


@contextmanager
def one_bar_each() -> Iterator[Callable[[str], OnProgress]]:
    """A bar for each thing that is begun, in the place of the one before."""
    with ExitStack() as stack:

        def begin(name: str) -> OnProgress:
            stack.close()
            return stack.enter_context(progress(name))

        yield begin
