"""`chronoscribe restore`: make a document what it was; or, given a file, a whole store."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from application.log import Recorded
from application.past.past import Past
from application.past.states import AtName, AtRevision, AtTime, Moment
from domain.ids import SERVER
from infrastructure.node import Node
from interfaces.cli.changing import add_asking_arguments, change, check_user
from interfaces.cli.failures import CommandFailed
from interfaces.cli.past import find, moment_of, states_of, whole_number
from interfaces.cli.restore_store import restore_store
from interfaces.cli.store import add_data_argument, settings_of


def add_to(commands: Any) -> None:
    restore = commands.add_parser(
        "restore",
        help="make a document what it was, or put a backup into an empty store",
        usage="%(prog)s FILE [--verify] [--as USER] [--data FOLDER]\n"
        "       %(prog)s ROOM DOCUMENT (--revision N | --at TIME | --name X) --as USER [--yes | --preview]",
    )
    restore.add_argument("what", metavar="FILE | ROOM DOCUMENT", nargs="+", help="a backup, or a document")
    restore.add_argument("--verify", action="store_true", help="compare every row with the backup")
    restore.add_argument("--as", dest="user", metavar="USER", help="who does it")
    add_data_argument(restore)
    moment = restore.add_mutually_exclusive_group()
    moment.add_argument("--revision", type=whole_number, metavar="N", help="after its first N edits")
    moment.add_argument("--at", type=moment_of, metavar="TIME", help="as of 2026-11-23T14:05 (our time)")
    moment.add_argument("--name", metavar="NAME", help="at the revision that has this name")
    add_asking_arguments(restore)
    restore.set_defaults(run=_restore)


def _restore(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    has_moment = any(value is not None for value in (given.revision, given.at, given.name))
    match given.what:
        case [file] if not has_moment and not given.preview:
            if given.user is not None:
                check_user(given.user)
            return restore_store(
                settings_of(given), Path(file), is_verifying=given.verify, actor=given.user or SERVER
            )
        case [room, document] if has_moment and given.user is not None and not given.verify:
            given.room, given.document = room, document
            return change(given, lambda node, past: _restore_document(given, node, past))
        case _:
            raise CommandFailed(
                "say `restore FILE [--verify]` for a store, or for a document"
                " `restore ROOM DOCUMENT (--revision N | --at TIME | --name X) --as USER`",
                status=2,
            )


async def _restore_document(given: argparse.Namespace, node: Node, past: Past) -> Recorded | None:
    states = states_of(node.history, node.database)
    then = await find(states, given.room, given.document, _moment(given))
    return await past.restore.restore(given.room, given.document, then.revision, actor=given.user)


def _moment(given: argparse.Namespace) -> Moment:
    if given.revision is not None:
        return AtRevision(given.revision)
    return AtTime(given.at) if given.at is not None else AtName(given.name)
