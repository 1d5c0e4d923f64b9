"""`chronoscribe redact`: remove text from a room's past and present; `chronoscribe redactions`: what was
removed.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Coroutine
from typing import Any

import orjson
from rich.console import Console

from application.past.redact import Scan, Target
from domain.errors import TextInvalid
from domain.ids import is_document_id, is_id
from domain.phrase import Phrase
from domain.redaction import RedactionMade, check_reason
from domain.rights import Action
from interfaces.cli.changing import add_asking_arguments, is_wanted
from interfaces.cli.failures import CommandFailed
from interfaces.cli.lines import line
from interfaces.cli.past import passage_of
from interfaces.cli.progress import progress
from interfaces.cli.store import add_data_argument, open_history, open_node_for_command, settings_of
from interfaces.ws.wire import encode_recorded


def add_to(commands: Any) -> None:
    redact = commands.add_parser(
        "redact",
        help="remove text from a room, from all of its past as well",
        description="What is removed is replaced by blocks in every revision and message that ever held it;"
        " revisions, authors, times and the hash chain stay. It cannot be taken back.",
    )
    redact.add_argument("room", metavar="ROOM")
    redact.add_argument(
        "--phrase", metavar="TEXT", help="wherever it was; - asks for it, so that no shell remembers it"
    )
    redact.add_argument("--ignore-case", action="store_true", help="with --phrase: small letters and capital")
    redact.add_argument("--document", metavar="DOCUMENT", help="with --phrase: in this one alone")
    redact.add_argument(
        "--range", type=passage_of, metavar="A:B@N", help="with --document: from A up to B of revision N"
    )
    redact.add_argument("--message", metavar="ID", help="a message of the chat, as a whole")
    redact.add_argument("--author", metavar="USER", help="all that somebody has written")
    redact.add_argument("--reason", required=True, metavar="TEXT", help="what others will read of it")
    redact.add_argument("--as", dest="user", required=True, metavar="USER", help="who does it: an owner")
    add_asking_arguments(redact)
    add_data_argument(redact)
    redact.set_defaults(run=_redact)
    redactions = commands.add_parser("redactions", help="list what was removed from a room's past")
    redactions.add_argument("room", metavar="ROOM")
    redactions.add_argument("--json", action="store_true", help="one JSON object per line, as over HTTP")
    add_data_argument(redactions)
    redactions.set_defaults(run=_redactions)


def _redact(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return redact(given, target_of(given))


def target_of(given: argparse.Namespace) -> Target:
    """Raises `CommandFailed`."""
    ids = [name for name in (given.room, given.user, given.author) if name is not None]
    if not all(map(is_id, ids)) or not (given.document is None or is_document_id(given.document)):
        raise CommandFailed("a room, user or document is no id", status=2)
    what = [given.phrase, given.range, given.message, given.author]
    if sum(one is not None for one in what) != 1:
        raise CommandFailed("say one of --phrase, --range, --message, --author", status=2)
    if (given.range is not None) > (given.document is not None):
        raise CommandFailed("--range goes with --document", status=2)
    if given.document is not None and given.phrase is None and given.range is None:
        raise CommandFailed("--document goes with --phrase or --range", status=2)
    try:
        check_reason(given.reason)
        phrase = None if given.phrase is None else Phrase(_said(given.phrase), ignores_case=given.ignore_case)
    except TextInvalid as error:
        raise CommandFailed(error.message, status=2) from None
    return Target(phrase, given.document, given.range, given.message, given.author)


def _said(phrase: str) -> str:
    if phrase != "-":
        return phrase
    return getpass.getpass("what has to go: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


async def redact(given: argparse.Namespace, target: Target) -> int:
    """Say what would go, ask, and do it."""
    async with open_node_for_command(settings_of(given)) as (node, services):
        await services.rooms.enter(given.room, given.user, Action.MANAGE)
        redacting = node.redacting(services)
        with progress("looking") as on_progress:
            scan = await redacting.find(given.room, target, on_progress=on_progress)
        if not scan.rewritten:
            print("there is nothing of it, and nothing was changed")
            return 0
        print("\n".join(_summary(scan)))
        if given.preview or not (given.yes or await is_wanted()):
            return 0
        with progress("removing") as on_progress:
            done = await redacting.redact(
                given.room, target, reason=given.reason, actor=given.user, on_progress=on_progress
            )
        if done is None:
            print("somebody else has done it meanwhile")
            return 0
        assert isinstance(done.event, RedactionMade)
        with progress("cleaning up"):
            await node.rewriter.clean()
        print(f"removed, as {done.event.redaction} at position {done.position}")
    return 0


def _summary(scan: Scan) -> list[str]:
    lines = [f"{scan.characters:,} characters in {len(scan.rewritten):,} events would go"]
    lines += [f"  from the document {document} and all its revisions" for document in sorted(scan.documents)]
    if scan.messages:
        lines.append(f"  from {len(scan.messages):,} messages")
    return lines


def _redactions(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return redactions(given)


async def redactions(given: argparse.Namespace) -> int:
    async with open_history(settings_of(given)) as (history, _):
        made = await history.redactions(given.room) if is_id(given.room) else []
    console = Console(highlight=False, soft_wrap=True)
    for recorded in made:
        if given.json:
            print(orjson.dumps(orjson.loads(encode_recorded(recorded) or b"null")).decode())
        else:
            console.print(line(recorded))
    return 0
