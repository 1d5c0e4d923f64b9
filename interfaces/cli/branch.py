"""`chronoscribe branch`: begin a document with the text of another."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from typing import Any

from domain.ids import is_document_id
from domain.rights import Action
from interfaces.cli.changing import add_arguments, check_ids
from interfaces.cli.failures import CommandFailed
from interfaces.cli.past import whole_number
from interfaces.cli.progress import progress
from interfaces.cli.store import open_node_for_command, settings_of


def add_to(commands: Any) -> None:
    branch = commands.add_parser("branch", help="begin a document with the text of another, now or then")
    add_arguments(branch)
    branch.add_argument("branch", metavar="NEW", help="what it is called")
    branch.add_argument("--revision", type=whole_number, metavar="N", help="after its first N edits (now)")
    branch.set_defaults(run=_branch)


def _branch(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return branch(given)


async def branch(given: argparse.Namespace) -> int:
    check_ids(given)
    if not is_document_id(given.branch):
        raise CommandFailed(f"{given.branch!r} is no name of a document", status=2)
    async with open_node_for_command(settings_of(given)) as (node, services):
        room, source = given.room, given.document
        await services.rooms.enter(room, given.user, Action.EDIT)
        revision = given.revision
        if revision is None:
            revision = (await services.documents.get(room, source)).revision
        with progress("looking who wrote it") as on_progress:
            branches = node.past(services, on_progress=on_progress).branches
            await branches.start(room, source, revision, given.branch, actor=given.user)
    print(f"{given.branch} has begun with revision {revision} of {source}")
    return 0
