"""`chronoscribe show`: the text of a document, now or at any moment of its past."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from domain.document import DocumentState
from domain.ids import document_stream, is_document_id, is_id
from infrastructure.postgres.time_travel import TimeTravel
from interfaces.cli.failures import CommandFailed
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
    add_data_argument(show)
    show.set_defaults(run=_show)


def whole_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 16):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def moment_of(text: str) -> datetime:
    """A moment in RFC 3339; without an offset, the time here."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-23T14:05:00+01:00") from None


def _show(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return show(given)


async def show(given: argparse.Namespace) -> int:
    async with open_history(settings_of(given)) as (_, database):
        document = await find(TimeTravel(database), given.room, given.document, given.revision, given.at)
    if sys.stdout.isatty():
        _print_for_people(document)
    else:
        sys.stdout.buffer.write(document.text.encode())
    return 0


async def find(
    past: TimeTravel, room: str, name: str, revision: int | None, at: datetime | None
) -> DocumentState:
    """The document at that moment. Raises `CommandFailed` when there was none."""
    if not (is_id(room) and is_document_id(name)):
        raise CommandFailed(f"there is no document {name!r} in a room {room!r}")
    stream = document_stream(room, name)
    if revision is not None:
        found = await past.at_revision(stream, revision)
    elif at is not None:
        found = await past.at_time(stream, at)
    else:
        found = await past.now(stream)
    if found is None:
        raise CommandFailed(await _why_not(past, stream, room, name, revision))
    return found


async def _why_not(past: TimeTravel, stream: str, room: str, name: str, revision: int | None) -> str:
    present = await past.now(stream)
    if present is None:
        return f"there is no document {name!r} in the room {room!r}"
    if revision is not None:
        return f"{name} has {present.revision} revisions, not {revision}"
    first = await past.at_revision(stream, 0)
    assert first is not None
    return f"{name} was created later, at {first.modified_on.astimezone():%Y-%m-%d %H:%M:%S %z}"


def _print_for_people(document: DocumentState) -> None:
    console = Console(highlight=False, soft_wrap=True)
    when = document.modified_on.astimezone()
    title = f" {document.name}  revision {document.revision}  {when:%Y-%m-%d %H:%M:%S}"
    console.print(Text(title, style="reverse"))
    text = as_lines(document.text)
    console.print(Text(text), end="" if text.endswith("\n") or not text else "\n")
