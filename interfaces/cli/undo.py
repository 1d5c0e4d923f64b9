"""`chronoscribe undo`: take edits back, one's own last step or whichever are selected."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from typing import Any

from application.log import Recorded
from application.past.past import Past
from application.past.undo import Selection
from infrastructure.node import Node
from interfaces.cli.changing import add_arguments, add_asking_arguments, change
from interfaces.cli.failures import CommandFailed
from interfaces.cli.past import moment_of, pair, passage_of, whole_number


def add_to(commands: Any) -> None:
    undo = commands.add_parser(
        "undo",
        help="take edits back, whosever they are and whatever came later",
        description="What is selected is what all of the given applies to; --mine is the last step of USER.",
    )
    add_arguments(undo)
    undo.add_argument("--mine", action="store_true", help="what USER did last")
    undo.add_argument("--revision", type=whole_number, metavar="N", help="the edit that made it")
    undo.add_argument("--revisions", type=pair, metavar="A:B", help="those from revision A to B")
    undo.add_argument("--user", dest="author", metavar="AUTHOR", help="those of somebody")
    undo.add_argument("--since", type=moment_of, metavar="TIME", help="those made since then")
    undo.add_argument("--until", type=moment_of, metavar="TIME", help="those made until then")
    undo.add_argument(
        "--range",
        type=passage_of,
        metavar="A:B@N",
        help="what they did from character A up to B of revision N",
    )
    add_asking_arguments(undo)
    undo.set_defaults(run=_undo)


def _undo(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    selection = selection_of(given)

    async def take_back(_: Node, past: Past) -> Recorded | None:
        if selection is None:
            return await past.undo.undo_mine(given.room, given.document, actor=given.user)
        return await past.undo.undo(given.room, given.document, selection, actor=given.user)

    return change(given, take_back)


def selection_of(given: argparse.Namespace) -> Selection | None:
    """None for the last step of one's own. Raises `CommandFailed`."""
    first, last = given.revisions or (given.revision, given.revision)
    selection = Selection(first, last, given.author, given.since, given.until, given.range)
    if given.mine == (selection != Selection()) or (given.revisions and given.revision is not None):
        raise CommandFailed("say which edits: --mine, or what selects them", status=2)
    return None if given.mine else selection
