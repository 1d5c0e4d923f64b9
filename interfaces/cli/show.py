"""`chronoscribe show`: the text of a document, now or at any moment of its past."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.text import Text

from application.past.states import AtName, AtPosition, AtRevision, AtTime, Moment
from domain.document import DocumentState
from interfaces.cli.past import find, moment_of, pair, states_of, whole_number
from interfaces.cli.store import add_data_argument, open_history, settings_of
from interfaces.cli.terminal import as_lines


def add_to(commands: Any) -> None:
    show = commands.add_parser("show", help="print a document, as it is or was")
    show.add_argument("room", metavar="ROOM")
    show.add_argument("document", metavar="DOCUMENT")
    moment = show.add_mutually_exclusive_group()
    moment.add_argument("--revision", type=whole_number, metavar="N", help="after its first N edits")
    moment.add_argument(
        "--at", type=moment_of, metavar="TIME", help="as of 2026-11-23T14:05 (our time) or …T14:05+01:00"
    )
    moment.add_argument("--position", type=whole_number, metavar="N", help="when the log had come to N")
    moment.add_argument("--name", metavar="NAME", help="at the revision with that name")
    show.add_argument("--range", type=pair, metavar="A:B", help="from character A up to B alone")
    add_data_argument(show)
    show.set_defaults(run=_show)


def _show(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return show(given)


async def show(given: argparse.Namespace) -> int:
    async with open_history(settings_of(given)) as (history, database):
        document = await find(states_of(history, database), given.room, given.document, _moment(given))
    if given.range is not None:
        document = replace(document, text=document.text[slice(*given.range)])
    if sys.stdout.isatty():
        _print_for_people(document)
    else:
        sys.stdout.buffer.write(document.text.encode())
    return 0


def _moment(given: argparse.Namespace) -> Moment:
    if given.revision is not None:
        return AtRevision(given.revision)
    if given.at is not None:
        return AtTime(given.at)
    if given.position is not None:
        return AtPosition(given.position)
    if given.name is not None:
        return AtName(given.name)
    return None


def _print_for_people(document: DocumentState) -> None:
    console = Console(highlight=False, soft_wrap=True)
    when = document.modified_on.astimezone()
    title = f" {document.name}  revision {document.revision}  {when:%Y-%m-%d %H:%M:%S}"
    console.print(Text(title, style="reverse"))
    text = as_lines(document.text)
    console.print(Text(text), end="" if text.endswith("\n") or not text else "\n")
