"""`chronoscribe audit`: questions to the log, answered in tables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any, Final

import orjson
import psycopg

from domain.ids import is_id, room_stream
from infrastructure.postgres.audit import PostgresAuditor, questions
from infrastructure.postgres.log import PostgresHistory
from infrastructure.settings import Settings
from interfaces.cli.failures import CommandFailed
from interfaces.cli.past import moment_of, whole_number
from interfaces.cli.progress import progress
from interfaces.cli.store import add_data_argument, open_history, settings_of
from interfaces.cli.tables import Table
from interfaces.tables import as_csv, as_json
from projections.questions import Column, Given, Question, Row

# Everything that any question asks for, beside the question: what it means to each is in its file.
VARIABLES: Final[dict[str, tuple[type[Any] | Any, str]]] = {
    "room": (str, "in this room (default: all)"),
    "document": (str, "only this document"),
    "from": (moment_of, "from this moment on; a time without an offset is ours"),
    "to": (moment_of, "until just before this moment"),
    "at": (moment_of, "at this moment"),
    "minutes": (whole_number, "how close together is together, soon, right after"),
    "least": (whole_number, "leave out what is less than so many"),
    "zone": (str, "hours of this time zone, such as Europe/Prague"),
}

Page = Sequence[Row]


def add_to(commands: Any) -> None:
    audit = commands.add_parser("audit", help="ask the log who did what, when, and with whom")
    audit.add_argument("question", metavar="QUESTION", nargs="?", help="without one: list them")
    for name, (kind, what) in VARIABLES.items():
        audit.add_argument(f"--{name}", type=kind, dest=f"given_{name}", metavar=name.upper(), help=what)
    audit.add_argument("--format", choices=("table", "json", "csv"), default="table")
    audit.add_argument(
        "--sql", action="store_true", help="print the question's SQL, for psql, and do not ask it"
    )
    add_data_argument(audit)
    audit.set_defaults(run=_audit)


def _audit(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    if given.question is None:
        return list_questions()
    question = questions().get(given.question)
    if question is None:
        raise CommandFailed(
            f"there is no question {given.question!r}, but: {', '.join(questions())}", status=2
        )
    asked: dict[str, str | int | datetime | None] = {
        name: getattr(given, f"given_{name}") for name in VARIABLES
    }
    try:
        question.parameters(asked)
    except KeyError as error:
        raise CommandFailed(f"{question.name} does not ask for --{error.args[0]}", status=2) from None
    return show_sql(question) if given.sql else ask(settings_of(given), question, asked, given.format)


async def list_questions() -> int:
    width = max(map(len, questions()))
    for question in questions().values():
        asked = " ".join(f"[--{variable.name}]" for variable in question.variables)
        print(f"{question.name:{width}}  {question.title}\n{'':{width}}  {asked}")
    return 0


async def show_sql(question: Question) -> int:
    print(question.file, end="")
    return 0


async def ask(settings: Settings, question: Question, given: Given, form: str) -> int:
    """Answer on stdout, page by page as the rows come."""
    asked = {name: value for name, value in given.items() if value is not None}
    async with open_history(settings) as (history, database):
        await _check_room(history, given.get("room"))
        try:
            async with AsyncExitStack() as answering:
                with progress(question.name):
                    found = await answering.enter_async_context(
                        PostgresAuditor(database).ask(question, asked)
                    )
                    first = await anext(found.pages, None) or ()
                await FORMS[form](found.columns, first, _with(first, found.pages))
        except psycopg.errors.UndefinedTable:
            raise CommandFailed(
                "this database is not up to date; `chronoscribe serve` brings it up"
            ) from None
    return 0


async def _check_room(history: PostgresHistory, room: object) -> None:
    if room is not None and not (is_id(str(room)) and await history.load(room_stream(str(room)))):
        raise CommandFailed(f"there is no room {room!r}")


async def _with(first: Page, others: AsyncIterator[Page]) -> AsyncIterator[Page]:
    yield first
    async for page in others:
        yield page


async def _print_table(columns: Sequence[Column], first: Page, pages: AsyncIterator[Page]) -> None:
    table = Table(columns, first)
    print("\n".join(table.head()))
    async for page in pages:
        for line in table.lines(page):
            print(line)


async def _print_json(columns: Sequence[Column], first: Page, pages: AsyncIterator[Page]) -> None:
    """One object on each line."""
    del first
    async for page in pages:
        sys.stdout.buffer.write(b"".join(orjson.dumps(as_json(columns, row)) + b"\n" for row in page))


async def _print_csv(columns: Sequence[Column], first: Page, pages: AsyncIterator[Page]) -> None:
    del first
    sys.stdout.buffer.write(as_csv([[column.name for column in columns]]).encode())
    async for page in pages:
        sys.stdout.buffer.write(as_csv(page).encode())


FORMS: Final = {"table": _print_table, "json": _print_json, "csv": _print_csv}
