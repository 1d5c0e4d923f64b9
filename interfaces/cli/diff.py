"""`chronoscribe diff`: what differs between two moments of a document."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Coroutine, Iterator
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from application.past.diff import Diff
from infrastructure.differ import LibraryDiffer
from interfaces.cli.past import MOMENT_HELP, Given, find, states_of, whole_number
from interfaces.cli.store import add_data_argument, open_history, settings_of
from interfaces.cli.terminal import as_lines
from interfaces.diff_pages import html
from interfaces.diffs import (
    CONTEXT_LINES,
    NO_END,
    Kind,
    Line,
    as_json,
    hunk_title,
    hunks,
    in_words,
    title,
    unified,
    word_pieces,
)

_STYLES: Final[dict[Kind, str]] = {"same": "", "removed": "red", "added": "green"}
_WORD_STYLES: Final[dict[Kind, str]] = {"same": "", "removed": "red strike", "added": "green underline"}
_MARKS: Final[dict[Kind, str]] = {"same": " ", "removed": "-", "added": "+"}


def add_to(commands: Any) -> None:
    diff = commands.add_parser("diff", help="print what differs between two moments of a document")
    diff.add_argument("room", metavar="ROOM")
    diff.add_argument("document", metavar="DOCUMENT")
    diff.add_argument("--from", dest="old", type=Given, required=True, metavar="MOMENT", help=MOMENT_HELP)
    diff.add_argument("--to", dest="new", type=Given, default=Given("now"), metavar="MOMENT", help="or now")
    diff.add_argument("--context", type=whole_number, default=CONTEXT_LINES, metavar="N", help="lines around")
    form = diff.add_mutually_exclusive_group()
    form.add_argument("--words", action="store_true", help="what was removed and added within the text")
    form.add_argument("--json", action="store_true", help="one JSON object, as over HTTP")
    form.add_argument("--html", action="store_true", help="a page")
    add_data_argument(diff)
    diff.set_defaults(run=_diff)


def _diff(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return diff(given)


async def diff(given: argparse.Namespace) -> int:
    async with open_history(settings_of(given)) as (history, database):
        states = states_of(history, database)
        old = await find(states, given.room, given.document, given.old.moment)
        new = await find(states, given.room, given.document, given.new.moment)
    differ = LibraryDiffer()
    try:
        found = Diff(old, new, await differ.compare(old.text, new.text))
    finally:
        await differ.close()
    print_diff(found, given)
    return 0


def print_diff(diff: Diff, given: argparse.Namespace) -> None:
    out = sys.stdout.buffer
    if given.json:
        out.writelines(as_json(diff, given.context))
        out.write(b"\n")
    elif given.html:
        out.writelines(map(str.encode, html(diff, given.context, is_page=True)))
    elif sys.stdout.isatty():
        console = Console(highlight=False, soft_wrap=True)
        for line in coloured(diff, given.context, is_in_words=given.words):
            console.print(line)
    else:
        lines = in_words(diff, given.context) if given.words else unified(diff, given.context)
        out.writelines(map(str.encode, lines))


def coloured(diff: Diff, context: int = CONTEXT_LINES, *, is_in_words: bool = False) -> Iterator[Text]:
    """For a terminal: the lines, with what differs in them set off."""
    if diff.comparison.is_coarse:
        yield Text("too much differs to compare all of it line by line and word by word", style="yellow")
    for number, hunk in enumerate(hunks(diff, context)):
        if number == 0:
            yield Text(f"--- {title(diff.old)}\n+++ {title(diff.new)}", style="bold")
        yield Text(hunk_title(hunk), style="cyan")
        if is_in_words:
            pieces = [(as_lines(text), _WORD_STYLES[kind]) for kind, text in word_pieces(hunk)]
            yield Text.assemble(*pieces, end="" if "".join(t for t, _ in pieces).endswith("\n") else "\n")
        else:
            yield from map(_coloured_line, hunk.lines())


def _coloured_line(line: Line) -> Text:
    style = _STYLES[line.kind]
    pieces = [
        (as_lines(piece.text), f"{style} reverse" if line.is_mixed and piece.is_changed else style)
        for piece in line.pieces
    ]
    end = [] if line.has_end else [(f"\n{NO_END}", "dim")]
    return Text.assemble((_MARKS[line.kind], style), *pieces, *end)
