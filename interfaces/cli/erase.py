"""`chronoscribe erase`: remove all that a person has written, everywhere, and say so in a certificate."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import orjson

from domain.errors import TextInvalid
from domain.ids import is_id
from domain.redaction import check_reason
from infrastructure.erasing import Erasing
from interfaces.cli.changing import add_asking_arguments, is_wanted
from interfaces.cli.failures import CommandFailed
from interfaces.cli.progress import progress
from interfaces.cli.store import add_data_argument, open_node_for_command, settings_of


def add_to(commands: Any) -> None:
    erase = commands.add_parser(
        "erase",
        help="remove all that a person has written",
        description="From every room's past and present, and from their profile; and the keys are destroyed"
        " by which it could be read in older copies of sealed rooms. It cannot be taken back.",
    )
    erase.add_argument("person", metavar="USER")
    erase.add_argument("--reason", required=True, metavar="TEXT", help="what others will read of it")
    erase.add_argument("--as", dest="user", required=True, metavar="OPERATOR", help="who does it")
    erase.add_argument("--certificate", metavar="FILE", type=Path, help="write it there (default: print it)")
    add_asking_arguments(erase)
    add_data_argument(erase)
    erase.set_defaults(run=_erase)


def _erase(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    if not (is_id(given.person) and is_id(given.user)):
        raise CommandFailed("a user is no id", status=2)
    try:
        check_reason(given.reason)
    except TextInvalid as error:
        raise CommandFailed(error.message, status=2) from None
    return erase(given)


async def erase(given: argparse.Namespace) -> int:
    async with open_node_for_command(settings_of(given)) as (node, services):
        erasing = Erasing(node, services)
        rooms = await erasing.rooms(given.person)
        count = "1 room" if len(rooms) == 1 else f"{len(rooms):,} rooms"
        print(f"{given.person} has been in {count}: {' '.join(rooms)}")
        if given.preview or not (given.yes or await is_wanted()):
            return 0
        with progress("erasing") as on_progress:
            certificate = await erasing.erase(
                given.person, reason=given.reason, actor=given.user, on_progress=on_progress
            )
        with progress("cleaning up"):
            await node.rewriter.clean()
    told = orjson.dumps(certificate, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    if given.certificate is None:
        print(told.decode())
    else:
        given.certificate.write_bytes(told + b"\n")
        print(f"erased; the certificate is {given.certificate}")
    return 0
