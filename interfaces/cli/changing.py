"""Commands that change a document: what they would do is shown first, and whoever sits there is asked.

They do it by a node of their own, on behalf of a user whose rights in the room count as ever. What others
write meanwhile stays, as beside any edit.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from rich.console import Console

from application.log import Recorded
from application.past.diff import Diff
from application.past.past import Past
from application.past.revising import edit_of
from application.services import Services
from domain.document import DocumentState, EditApplied
from domain.ids import is_document_id, is_id, parse_stream
from domain.rights import Action
from domain.text_op import apply
from infrastructure.node import Node
from interfaces.cli.diff import coloured
from interfaces.cli.failures import CommandFailed
from interfaces.cli.progress import progress
from interfaces.cli.store import add_data_argument, open_node_for_command, settings_of
from interfaces.diffs import unified

Change = Callable[[Node, Past], Awaitable[Recorded | None]]
"""Does it, or in a rehearsal gives what it would be."""


def add_arguments(command: Any, *, document: str = "DOCUMENT") -> None:
    """Those of every command that changes something."""
    command.add_argument("room", metavar="ROOM")
    command.add_argument("document", metavar=document)
    command.add_argument("--as", dest="user", required=True, metavar="USER", help="who does it")
    add_data_argument(command)


def add_asking_arguments(command: Any) -> None:
    asking = command.add_mutually_exclusive_group()
    asking.add_argument("--yes", action="store_true", help="do not ask")
    asking.add_argument("--preview", action="store_true", help="show what it would do, and do nothing")


async def change(given: argparse.Namespace, do: Change) -> int:
    """Show what `do` would do, ask, and do it."""
    check_ids(given)
    async with open_node_for_command(settings_of(given)) as (node, services):
        await services.rooms.enter(given.room, given.user, Action.EDIT)
        with progress("reading") as on_progress:
            would = await do(node, node.past(services, is_rehearsal=True, on_progress=on_progress))
        if would is None:
            print("there is nothing to do")
            return 0
        show(await diff_of(node, services, edit_of(would)))
        if given.preview or not (given.yes or await is_wanted()):
            return 0
        done = await do(node, node.past(services))
        if done is None:
            print("somebody else has done it meanwhile")
            return 0
        print(f"this is revision {edit_of(done).revision} of {_document(edit_of(done))}")
    return 0


def check_ids(given: argparse.Namespace) -> None:
    """Raises `CommandFailed` for what can be no user, room or document."""
    check_user(given.user)
    if not (is_id(given.room) and is_document_id(given.document)):
        raise CommandFailed(f"there is no document {given.document!r} in a room {given.room!r}")


def check_user(user: str) -> None:
    """Raises `CommandFailed`."""
    if not is_id(user):
        raise CommandFailed(f"{user!r} is no id of a user", status=2)


def _document(edit: EditApplied) -> str:
    return parse_stream(edit.originator_id).name


async def diff_of(node: Node, services: Services, edit: EditApplied) -> Diff:
    """What an edit that is on nobody's text yet would change."""
    old = await node.time_travel.at_revision(edit.originator_id, edit.base)
    assert old is not None
    text = apply(old.text, edit.op)
    new: DocumentState = replace(old, revision=edit.revision, text=text, modified_on=services.now())
    return Diff(old, new, await node.differ.compare(old.text, text))


def show(diff: Diff) -> None:
    if not sys.stdout.isatty():
        sys.stdout.buffer.writelines(line.encode() for line in unified(diff))
        sys.stdout.buffer.flush()
        return
    console = Console(highlight=False, soft_wrap=True)
    for line in coloured(diff):
        console.print(line)


async def is_wanted() -> bool:
    """Ask. Meanwhile the node lives on: others may wait for it. Raises `CommandFailed` where nobody can be
    asked.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandFailed("nobody can be asked here: say --yes, or --preview", status=2)
    print("Do this? [y/N] ", end="", flush=True)
    loop, is_there = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, is_there.set)
    try:
        await is_there.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
