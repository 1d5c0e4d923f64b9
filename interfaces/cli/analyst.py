"""`chronoscribe analyst`: who may ask the database itself, and about which rooms."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from infrastructure.postgres.analysts import Analysts, NotAllowed
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.store import add_data_argument, open_history, settings_of


def add_to(commands: Any) -> None:
    analyst = commands.add_parser("analyst", help="let somebody read the log with SQL, and nothing else")
    actions = analyst.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make a login role that reads, or change which rooms it sees")
    add.add_argument("name", metavar="NAME")
    seen = add.add_mutually_exclusive_group(required=True)
    seen.add_argument(
        "--room", metavar="ROOM", action="append", help="sees this one (may be given more than once)"
    )
    seen.add_argument("--all", action="store_true", help="sees all rooms, and profiles")
    add.add_argument("--new-password", action="store_true", help="give one that is there another password")
    listed = actions.add_parser("list", help="list those who may")
    listed.add_argument("--json", action="store_true", help="one JSON object on each line")
    remove = actions.add_parser("remove", help="let somebody in no more")
    remove.add_argument("name", metavar="NAME")
    for action, run in ((add, _add), (listed, _list), (remove, _remove)):
        add_data_argument(action)
        action.set_defaults(run=run)


def _add(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return add(
        settings_of(given), given.name, None if given.all else given.room, new_password=given.new_password
    )


def _list(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return list_all(settings_of(given), is_json=given.json)


def _remove(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return remove(settings_of(given), given.name)


async def add(settings: Settings, name: str, rooms: Sequence[str] | None, *, new_password: bool) -> int:
    async with _analysts(settings) as (analysts, conninfo):
        password = await analysts.add(name, rooms, new_password=new_password)
    print(f"{name} sees {_rooms(rooms)}")
    if password is not None:
        print(f"password, shown this once: {password}")
    print(f'psql "{_as(name, conninfo)}"')
    return 0


async def list_all(settings: Settings, *, is_json: bool) -> int:
    async with _analysts(settings) as (analysts, _):
        for analyst in await analysts.list_all():
            if is_json:
                print(orjson.dumps(analyst._asdict()).decode())
            else:
                print(f"{analyst.name}  {_rooms(analyst.rooms)}")
    return 0


async def remove(settings: Settings, name: str) -> int:
    async with _analysts(settings) as (analysts, _):
        await analysts.remove(name)
    print(f"{name} is let in no more")
    return 0


@asynccontextmanager
async def _analysts(settings: Settings) -> AsyncIterator[tuple[Analysts, str]]:
    async with open_history(settings) as (_, database), database.alone("analysts") as connection:
        try:
            yield Analysts(connection), database.conninfo
        except NotAllowed as error:
            raise CommandFailed(
                f"the user of this database may not do that ({error}); docs/analytics.md says what it takes"
            ) from None
        except psycopg.errors.LockNotAvailable:
            raise CommandFailed("somebody has been reading a table for long; try again") from None
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            raise CommandFailed(
                "this database is not up to date; `chronoscribe serve` brings it up"
            ) from None


def _rooms(rooms: Sequence[str] | None) -> str:
    return "all rooms" if rooms is None else ", ".join(rooms) or "no room"


def _as(name: str, conninfo: str) -> str:
    """How to get there as somebody else: without the password that we came with."""
    parts = {key: str(value) for key, value in conninfo_to_dict(conninfo).items() if key != "password"}
    return make_conninfo("", **{**parts, "user": name})
