"""Moments of a document's past on the command line, and the document there."""

from __future__ import annotations

import argparse
import re
from datetime import datetime
from typing import Final

from application.past.states import BEGINNING, AtRevision, AtTime, Moment, States
from application.past.undo import Passage
from domain.document import DocumentState
from domain.errors import NotFound
from domain.ids import is_document_id, is_id, revisions_stream
from domain.revisions import Revisions
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory
from infrastructure.postgres.time_travel import TimeTravel
from interfaces.cli.failures import CommandFailed
from interfaces.moments import SYNTAX, as_moment

_PASSAGE: Final = re.compile(r"(\d{1,16}):(\d{1,16})@(\d{1,16})", re.ASCII)

MOMENT_HELP: Final = f"{SYNTAX}; a time without an offset is ours"


class _Names:
    """The names of revisions, from the log."""

    def __init__(self, history: PostgresHistory) -> None:
        self._history = history

    async def names(self, room: str, document: str) -> dict[str, int]:
        found = await self._history.load(revisions_stream(room, document))
        return dict(found.names) if isinstance(found, Revisions) else {}


def states_of(history: PostgresHistory, database: Database) -> States:
    return States(TimeTravel(database), _Names(history))


def whole_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 16):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def pair(text: str) -> tuple[int, int]:
    """Two whole numbers, `A:B`."""
    first, _, second = text.partition(":")
    return whole_number(first), whole_number(second)


def passage_of(text: str) -> Passage:
    """A range of the text of a revision, `A:B@N`."""
    found = _PASSAGE.fullmatch(text)
    if found is None or int(found[1]) > int(found[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is no range such as 10:25@7")
    start, end, revision = map(int, found.groups())
    return Passage(revision, start, end)


def moment_of(text: str) -> datetime:
    """A moment in RFC 3339; without an offset, the time here."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-11-23T14:05:00+01:00") from None


class Given:
    """A moment as it was given. (argparse would take a None of its own for one that was not.)"""

    def __init__(self, text: str) -> None:
        try:
            self.moment: Moment = as_moment(text, lambda time: datetime.fromisoformat(time).astimezone())
        except (ValueError, OverflowError):
            raise argparse.ArgumentTypeError(f"{text!r} is no moment: {SYNTAX}") from None


async def find(states: States, room: str, name: str, moment: Moment) -> DocumentState:
    """The document at that moment. Raises `CommandFailed` when there was none."""
    if not (is_id(room) and is_document_id(name)):
        raise CommandFailed(f"there is no document {name!r} in a room {room!r}")
    try:
        return await states.get(room, name, moment)
    except NotFound as error:
        raise CommandFailed(await _why_not(states, room, name, moment) or error.message) from None


async def _why_not(states: States, room: str, name: str, moment: Moment) -> str:
    try:
        present = await states.get(room, name)
        first = await states.get(room, name, BEGINNING)
    except NotFound:
        return f"there is no document {name!r} in the room {room!r}"
    match moment:
        case AtRevision(revision):
            return f"{name} has {present.revision} revisions, not {revision}"
        case AtTime():
            return f"{name} was created later, at {first.modified_on.astimezone():%Y-%m-%d %H:%M:%S %z}"
        case _:
            return ""
