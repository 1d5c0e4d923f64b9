"""`chronoscribe blame`: who wrote each line of a document, or each part of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Coroutine, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from rich.console import Console
from rich.text import Text

from application.past.blame import Blame, Span, lines
from application.past.states import AtRevision, AtTime
from domain.document import DocumentState
from domain.ids import document_stream
from infrastructure.postgres.attributions import KeptAttributions
from infrastructure.postgres.database import Database
from infrastructure.postgres.time_travel import TimeTravel
from infrastructure.views import Views
from interfaces.cli.lines import COMMIT_DIGITS, TEXT_CODE_POINTS, actor_style, short
from interfaces.cli.past import find, moment_of, states_of, whole_number
from interfaces.cli.progress import progress
from interfaces.cli.store import add_data_argument, open_history, settings_of
from interfaces.cli.terminal import on_one_line, shortened
from interfaces.http.blame import Part, as_entries

_TIME: Final = "%Y-%m-%d %H:%M:%S"


def add_to(commands: Any) -> None:
    blame = commands.add_parser("blame", help="print who wrote each line of a document")
    blame.add_argument("room", metavar="ROOM")
    blame.add_argument("document", metavar="DOCUMENT")
    moment = blame.add_mutually_exclusive_group()
    moment.add_argument("--revision", type=whole_number, metavar="N", help="after its first N edits")
    moment.add_argument("--at", type=moment_of, metavar="TIME", help="as of 2026-11-23T14:05 (our time)")
    blame.add_argument("--spans", action="store_true", help="all parts, not the newest of each line")
    blame.add_argument("--json", action="store_true", help="one JSON object, as over HTTP")
    add_data_argument(blame)
    blame.set_defaults(run=_blame)


def _blame(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return blame(given)


async def blame(given: argparse.Namespace) -> int:
    async with open_history(settings_of(given)) as (history, database):
        moment = _moment(given.revision, given.at)
        state = await find(states_of(history, database), given.room, given.document, moment)
        use_case = Blame(TimeTravel(database), KeptAttributions(database))
        with progress("looking who wrote it") as on_progress:
            stream = document_stream(state.room, state.name)
            runs = await use_case.runs(stream, state.revision, on_progress)
            spans = await use_case.told(state.room, state.name, runs)
        if given.json:
            await _print_json(database, state, spans, is_by_line=not given.spans)
            return 0
    told = parts(state, spans) if given.spans else blamed_lines(state, spans)
    if sys.stdout.isatty():
        console = Console(highlight=False, soft_wrap=True)
        for line in told:
            console.print(line)
    else:
        sys.stdout.buffer.writelines(f"{line.plain}\n".encode() for line in told)
    return 0


def _moment(revision: int | None, at: datetime | None) -> AtRevision | AtTime | None:
    if revision is not None:
        return AtRevision(revision)
    return None if at is None else AtTime(at)


async def _print_json(
    database: Database, state: DocumentState, spans: Sequence[Span], *, is_by_line: bool
) -> None:
    part = Part(state, 0, len(state.text), 1)
    entries = [entry async for entry in as_entries(part, spans, is_by_line=is_by_line)]
    profiles = await Views(database).profiles.get_many({span.facts.actor for span in spans})
    told = {
        "document": state.name,
        "revision": state.revision,
        "people": {profile.user: profile.name for profile in profiles},
        "lines" if is_by_line else "spans": entries,
    }
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")


def blamed_lines(state: DocumentState, spans: Sequence[Span]) -> Iterator[Text]:
    """`17  ada  2026-11-23 14:05:07   3  the third line`: of each line the newest edit in it."""
    columns = _Columns(state, spans)
    width = len(str(state.text.count("\n") + 1))
    for line in lines(state.text, spans):
        if line.newest is not None:
            text = on_one_line(line.text.removesuffix("\n"))
            yield Text.assemble(*columns.of(line.newest), (f"{line.number:>{width}}  ", "dim"), text)


def parts(state: DocumentState, spans: Sequence[Span]) -> Iterator[Text]:
    """`17  ada  2026-11-23 14:05:07  30–34  "third"`: each part, by its place in the text."""
    columns = _Columns(state, spans)
    for span in spans:
        text = on_one_line(shortened(state.text[span.start : span.end], TEXT_CODE_POINTS))
        yield Text.assemble(*columns.of(span), (f"{span.start}–{span.end}  ", "dim"), f'"{text}"')


class _Columns:
    """What stands before each line, of equal widths."""

    def __init__(self, state: DocumentState, spans: Sequence[Span]) -> None:
        self._document = state.name
        self._edit = max((len(self._name(span)) for span in spans), default=0)
        self._author = max((len(on_one_line(span.facts.actor)) for span in spans), default=0)

    def _name(self, span: Span) -> str:
        """The revision, with the document if it is another one, and the commit that it was elsewhere."""
        own = span.document == self._document
        name = str(span.revision) if own else f"{span.document}@{span.revision}"
        reference = span.facts.reference
        is_commit = reference is not None and len(reference) > COMMIT_DIGITS
        return f"{short(reference)} {name}" if is_commit else name

    def of(self, span: Span) -> list[str | tuple[str, str]]:
        actor, here = on_one_line(span.facts.actor), span.facts.at.astimezone()
        return [
            f"{self._name(span):>{self._edit}}  ",
            (f"{actor:<{self._author}}  ", actor_style(span.facts.actor)),
            (f"{here:{_TIME}}  ", "dim"),
        ]
