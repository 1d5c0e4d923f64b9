"""`chronoscribe epoch`: which history this is; and that it is another one now."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from typing import Any

from domain.ids import SERVER
from infrastructure.backup.epochs import begin_epoch
from infrastructure.settings import Settings
from interfaces.cli.backup import refusals_told, whoever_we_are
from interfaces.cli.changing import check_user
from interfaces.cli.store import add_data_argument, open_history, settings_of


def add_to(commands: Any) -> None:
    epoch = commands.add_parser("epoch", help="print which history this is, or begin another one")
    epoch.add_argument(
        "--new",
        action="store_true",
        help="begin another: after Postgres' own tools have put the store back to an earlier moment",
    )
    epoch.add_argument("--as", dest="user", metavar="USER", help="who does it")
    add_data_argument(epoch)
    epoch.set_defaults(run=_epoch)


def _epoch(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    if given.user is not None:
        check_user(given.user)
    return epoch(settings_of(given), is_new=given.new, actor=given.user or SERVER)


async def epoch(settings: Settings, *, is_new: bool, actor: str) -> int:
    async with open_history(settings) as (history, database):
        if is_new:
            with refusals_told():
                print(await begin_epoch(database, by=whoever_we_are(), actor=actor))
        else:
            print(await history.epoch())
    return 0
