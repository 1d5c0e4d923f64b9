"""`chronoscribe proof`: events of a room, and what it takes to check them without the store."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from domain.ids import is_id
from infrastructure.proof.proofs import Range, write_proof
from infrastructure.proof.reading import snapshot_of
from infrastructure.settings import Settings
from interfaces.cli.checkpoint import make_checkpoints
from interfaces.cli.failures import CommandFailed
from interfaces.cli.progress import OnProgress, progress
from interfaces.cli.store import add_data_argument, open_store, settings_of


def add_to(commands: Any) -> None:
    proof = commands.add_parser("proof", help="write a file that proves what was in the log")
    which = proof.add_mutually_exclusive_group(required=True)
    which.add_argument("room", metavar="ROOM", nargs="?")
    which.add_argument("--all", action="store_true", help="of all rooms: then nothing can be missing either")
    proof.add_argument("--from", dest="first", metavar="POSITION", type=int, default=1)
    proof.add_argument("--to", dest="last", metavar="POSITION", type=int, help="(default: up to now)")
    proof.add_argument("--out", metavar="FILE", type=Path, required=True)
    add_data_argument(proof)
    proof.set_defaults(run=_proof)


def _proof(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    if given.room is not None and not is_id(given.room):
        raise CommandFailed(f"there is no room {given.room!r}")
    return proof(settings_of(given), given.room, given.first, given.last, given.out)


async def proof(settings: Settings, room: str | None, first: int, last: int | None, out: Path) -> int:
    made = [one for one in await make_checkpoints(settings) if one.log == "record"]
    if not made:
        raise CommandFailed("the log is empty")
    [checkpoint] = made
    end = checkpoint.position if last is None else last
    if not 1 <= first <= end <= checkpoint.position:
        raise CommandFailed(f"the positions of the log are 1 to {checkpoint.position:,}", status=2)
    wanted = Range("record", first, end, room)

    def write(on_progress: OnProgress) -> None:
        aside = out.with_name(f".{out.name}.{os.getpid()}")
        try:
            with aside.open("wb") as file, snapshot_of(conninfo) as connection:
                for number, line in enumerate(write_proof(connection, wanted, checkpoint)):
                    file.write(line)
                    on_progress(number, max(number, end - first))
            aside.replace(out)
        finally:
            aside.unlink(missing_ok=True)

    async with open_store(settings) as conninfo:
        with progress("proof") as on_progress:
            await asyncio.to_thread(write, on_progress)
    print(f"{out}: check it by `chronoscribe verify --proof {out}`; its key is {checkpoint.key.hex()}")
    return 0
