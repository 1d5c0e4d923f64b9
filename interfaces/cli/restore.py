"""`chronoscribe restore`: make a document what it was."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from typing import Any

from application.log import Recorded
from application.past.past import Past
from application.past.states import AtName, AtRevision, AtTime, Moment
from infrastructure.node import Node
from interfaces.cli.changing import add_arguments, add_asking_arguments, change
from interfaces.cli.past import find, moment_of, states_of, whole_number


def add_to(commands: Any) -> None:
    restore = commands.add_parser("restore", help="make a document what it was")
    add_arguments(restore)
    moment = restore.add_mutually_exclusive_group(required=True)
    moment.add_argument("--revision", type=whole_number, metavar="N", help="after its first N edits")
    moment.add_argument("--at", type=moment_of, metavar="TIME", help="as of 2026-11-23T14:05 (our time)")
    moment.add_argument("--name", metavar="NAME", help="at the revision that has this name")
    add_asking_arguments(restore)
    restore.set_defaults(run=_restore)


def _restore(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    async def restore(node: Node, past: Past) -> Recorded | None:
        states = states_of(node.history, node.database)
        then = await find(states, given.room, given.document, _moment(given))
        return await past.restore.restore(given.room, given.document, then.revision, actor=given.user)

    return change(given, restore)


def _moment(given: argparse.Namespace) -> Moment:
    if given.revision is not None:
        return AtRevision(given.revision)
    return AtTime(given.at) if given.at is not None else AtName(given.name)
