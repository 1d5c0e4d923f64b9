"""`chronoscribe checkpoint`: sign what the logs hold now, to be kept where nobody can change it."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from domain.chain import Checkpoint
from infrastructure.proof.checkpoints import append_to_file
from infrastructure.proof.vouching import vouching_of
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.store import add_data_argument, open_history, settings_of


def add_to(commands: Any) -> None:
    checkpoint = commands.add_parser("checkpoint", help="sign what the logs hold now")
    checkpoint.add_argument("--out", metavar="FILE", type=Path, help="add it to a file (default: print it)")
    add_data_argument(checkpoint)
    checkpoint.set_defaults(run=_checkpoint)


def _checkpoint(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return checkpoint(settings_of(given), given.out)


async def checkpoint(settings: Settings, out: Path | None) -> int:
    made = await make_checkpoints(settings)
    if out is not None:
        append_to_file(out, made)
        return 0
    for one in made:
        print(orjson.dumps(one.as_json()).decode())
    return 0


async def make_checkpoints(settings: Settings) -> list[Checkpoint]:
    """The newest of each log. Raises `CommandFailed` where there is no key."""
    async with open_history(settings) as (history, database):
        try:
            vouching = vouching_of(settings, database, await history.epoch(), now=lambda: datetime.now(UTC))
        except (OSError, ValueError) as error:
            raise CommandFailed(f"there is no key to sign with: {error}") from None
        if vouching is None:
            raise CommandFailed("there is no key to sign with: CHRONOSCRIBE_CHECKPOINT_KEY names its file")
        return await vouching.vouch()
