"""`chronoscribe redo`: take the last undo of a user back."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from typing import Any

from application.log import Recorded
from application.past.past import Past
from infrastructure.node import Node
from interfaces.cli.changing import add_arguments, add_asking_arguments, change


def add_to(commands: Any) -> None:
    redo = commands.add_parser("redo", help="take somebody's last undo back")
    add_arguments(redo)
    add_asking_arguments(redo)
    redo.set_defaults(run=_redo)


def _redo(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    async def redo(_: Node, past: Past) -> Recorded | None:
        return await past.undo.redo_mine(given.room, given.document, actor=given.user)

    return change(given, redo)
