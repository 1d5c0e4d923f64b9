"""`chronoscribe keys`: the keys of sealed rooms, which are in no backup, to be kept by themselves."""

from __future__ import annotations

import argparse
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import orjson

from infrastructure.postgres.database import Database
from interfaces.cli.failures import CommandFailed
from interfaces.cli.store import add_data_argument, open_history, settings_of

_KEYS: Final = 'SELECT id, room, "user", wrapped FROM person_keys ORDER BY id'
_TAKE: Final = """
INSERT INTO person_keys (id, room, "user", wrapped) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING id
"""


def add_to(commands: Any) -> None:
    keys = commands.add_parser(
        "keys",
        help="write the keys of sealed rooms to a file, or take them from one",
        description="They are wrapped by the master key, without which they open nothing. Keep the newest"
        " file alone: an older one has the keys of people who were erased since.",
    )
    keys.add_argument("file", metavar="FILE", type=Path)
    keys.add_argument("--load", action="store_true", help="take from the file the keys that are missing")
    add_data_argument(keys)
    keys.set_defaults(run=_keys)


def _keys(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return keys(given)


async def keys(given: argparse.Namespace) -> int:
    async with open_history(settings_of(given)) as (_, database):
        if given.load:
            count = await load(database, given.file)
            print(f"{count:,} keys were missing; restart the servers")
        else:
            print(f"{await save(database, given.file):,} keys")
    return 0


async def save(database: Database, path: Path) -> int:
    rows = await database.fetch(_KEYS)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        for key, room, user, wrapped in rows:
            line = {"key": key, "room": room, "user": user, "wrapped": wrapped.hex()}
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    aside.replace(path)
    return len(rows)


async def load(database: Database, path: Path) -> int:
    """How many were missing. Raises `CommandFailed` for a file of something else."""
    return sum([len(await database.change(_TAKE, row)) for row in _read(path)])


def _read(path: Path) -> list[tuple[str, str, str, bytes]]:
    try:
        lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        return [(one["key"], one["room"], one["user"], bytes.fromhex(one["wrapped"])) for one in lines]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise CommandFailed(f"{path} is no file of keys") from None
