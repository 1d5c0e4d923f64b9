"""`chronoscribe seal`: store what people write in a room under keys of theirs."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from typing import Any

from domain.ids import is_id
from interfaces.cli.failures import CommandFailed
from interfaces.cli.store import add_data_argument, open_node_for_command, settings_of


def add_to(commands: Any) -> None:
    seal = commands.add_parser("seal", help="store what people write in a room under keys of theirs")
    seal.add_argument("room", metavar="ROOM")
    seal.add_argument("--off", action="store_true", help="not any more")
    seal.add_argument("--as", dest="user", required=True, metavar="USER", help="who does it: an owner")
    add_data_argument(seal)
    seal.set_defaults(run=_seal)


def _seal(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    if not (is_id(given.room) and is_id(given.user)):
        raise CommandFailed("a room or user is no id", status=2)
    return seal(given)


async def seal(given: argparse.Namespace) -> int:
    async with open_node_for_command(settings_of(given)) as (node, services):
        if not node.keyring.can_seal:
            raise CommandFailed("there is no master key: CHRONOSCRIBE_MASTER_KEY names its file")
        await services.rooms.seal(given.room, is_sealed=not given.off, actor=given.user)
    print(f"{given.room} is {'not sealed any more' if given.off else 'sealed from now on'}")
    return 0
