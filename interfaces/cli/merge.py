"""`chronoscribe merge`: bring what was edited in a branch into the document that it has left."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from typing import Any

from application.log import Recorded
from application.past.past import Past
from infrastructure.node import Node
from interfaces.cli.changing import add_arguments, add_asking_arguments, change


def add_to(commands: Any) -> None:
    merge = commands.add_parser("merge", help="bring what was edited in a branch into what it has left")
    add_arguments(merge, document="BRANCH")
    add_asking_arguments(merge)
    merge.set_defaults(run=_merge)


def _merge(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    async def merge(_: Node, past: Past) -> Recorded | None:
        return await past.branches.merge(given.room, given.document, actor=given.user)

    return change(given, merge)
