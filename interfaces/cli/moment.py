"""`chronoscribe moment`: who wrote a character, and the whole room as it was then."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from application.past.blame import Blame
from application.past.moment import Moments
from application.past.replay import Replay
from application.past.states import AtRevision
from domain.instants import as_datetime
from domain.passage import Piece
from infrastructure.postgres.activity_view import ActivityView
from infrastructure.postgres.attributions import KeptAttributions
from infrastructure.postgres.chat_view import ChatView
from infrastructure.postgres.log import PostgresHistory
from infrastructure.postgres.replay_log import PostgresReplayLog
from infrastructure.postgres.time_travel import TimeTravel
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.lines import actor_style, began, called
from interfaces.cli.past import find as find_document
from interfaces.cli.past import states_of, whole_number
from interfaces.cli.store import add_data_argument, open_history, settings_of
from interfaces.cli.terminal import on_one_line, printer
from interfaces.cli.watch import diff
from interfaces.http.answers import ActivityLine
from interfaces.http.chat_answers import MessageAnswer
from interfaces.http.moment import AROUND, MomentAnswer, find, told
from interfaces.http.replay import StagedPersonAnswer
from projections.stage import Stage


def add_to(commands: Any) -> None:
    moment = commands.add_parser("moment", help="print who wrote a character, and the room as it was then")
    moment.add_argument("room", metavar="ROOM")
    moment.add_argument("document", metavar="DOCUMENT")
    moment.add_argument("--position", type=whole_number, metavar="P", help="of the character, from 0")
    moment.add_argument(
        "--revision", type=whole_number, metavar="N", help="where it is there (now); alone: of that edit"
    )
    moment.add_argument(
        "--around", type=whole_number, default=AROUND, metavar="N", help=f"lines on each side ({AROUND})"
    )
    moment.add_argument("--json", action="store_true", help="one JSON object, as over HTTP")
    add_data_argument(moment)
    moment.set_defaults(run=_moment)


def _moment(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    if given.position is None and given.revision is None:
        raise CommandFailed("say a position, a revision or both", status=2)
    return moment(settings_of(given), given)


async def moment(settings: Settings, given: argparse.Namespace) -> int:
    async with open_history(settings) as (history, database):
        states, room = TimeTravel(database), given.room
        at = None if given.revision is None else AtRevision(given.revision)
        await find_document(states_of(history, database), room, given.document, at)
        blame = Blame(states, KeptAttributions(database))
        moments = Moments(states, PostgresHistory(database), blame)
        found = await find(moments, room, given.document, given.position, given.revision)
        replay = Replay(PostgresReplayLog(database), Stage, now=lambda: datetime.now(UTC))
        answer = await told(replay, ChatView(database), ActivityView(database), room, found, given.around)
    if given.json:
        print(answer.model_dump_json())
    else:
        _print(answer)
    return 0


def _print(answer: MomentAnswer) -> None:
    to = printer()
    for line in words(answer):
        to(line)


def words(answer: MomentAnswer) -> Iterator[Text]:
    """In lines: the edit, who was here, the documents, what was said and what was done before and after."""
    yield _edit(answer)
    yield _heading("here")
    for person in answer.people:
        yield _person(person)
    yield _heading("documents")
    for document in answer.documents:
        name = f"  {document.document}  rev {document.revision}"
        yield Text.assemble(name, ("" if document.listed else "  (off the list)", "dim"))
    yield _heading("said")
    yield from map(_message, answer.messages.before)
    yield _here(answer)
    yield from map(_message, answer.messages.after)
    yield _heading("done")
    yield from map(_line, answer.activity.before)
    yield _here(answer)
    yield from map(_line, answer.activity.after)


def _edit(answer: MomentAnswer) -> Text:
    """`2026-11-23 14:05:07.123  ada  rev 17 of main.md, position 6 “w”: Hello{+ world+}`."""
    written = answer.written
    character = f", position {written.position} “{on_one_line(written.text)}”" if written else ""
    how = (
        ""
        if answer.cause == "typed"
        else f" ({on_one_line(answer.cause)}{called(answer.reference, answer.note)})"
    )
    pieces = [Piece(piece.kind, piece.text, piece.length) for piece in answer.pieces]
    return Text.assemble(
        *began(as_datetime(answer.at), answer.user),
        f"rev {answer.revision} of {answer.document}{character}",
        (how, "dim"),
        ": ",
        *diff(answer.user, pieces),
    )


def _heading(name: str) -> Text:
    return Text(name, style="bold")


def _here(answer: MomentAnswer) -> Text:
    return Text(f"  → rev {answer.revision} of {answer.document}", style=actor_style(answer.user))


def _person(person: StagedPersonAnswer) -> Text:
    """`  Ada (ada)  editing  at 17 to 21 of main.md rev 3`."""
    cursor = person.cursor
    where = ""
    if cursor is not None:
        span = f"{cursor.anchor}" if cursor.anchor == cursor.head else f"{cursor.anchor} to {cursor.head}"
        where = f"  at {span} of {cursor.document} rev {cursor.revision}"
    return Text.assemble(
        "  ",
        (on_one_line(person.name), actor_style(person.user)),
        f" ({person.user})  {person.status}{where}",
    )


def _message(message: MessageAnswer) -> Text:
    text = ("(deleted)", "dim") if message.deleted else (on_one_line(message.text), "")
    return Text.assemble("  ", *began(as_datetime(message.posted), message.author), text)


def _line(line: ActivityLine) -> Text:
    return Text.assemble("  ", *began(as_datetime(line.at), line.user), on_one_line(line.line))
