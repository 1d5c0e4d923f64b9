"""`chronoscribe phrases`: when a phrase appeared in a document and vanished from it, and by whom."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import ExitStack
from typing import Any, Final

import orjson
from rich.text import Text

from application.past.edits import Progress
from application.past.phrases import Ended, Life, Phrases, Present, Told, Turn
from domain.phrase import Around, Phrase
from infrastructure.postgres.time_travel import TimeTravel
from infrastructure.settings import Settings
from interfaces.cli.lines import Parts, began
from interfaces.cli.past import find, states_of, whole_number
from interfaces.cli.progress import OnProgress, progress
from interfaces.cli.store import add_data_argument, open_history, settings_of
from interfaces.cli.terminal import on_one_line, printer
from interfaces.http.phrases import line

# Of each kind. More is for programs, or for whoever asks for it.
SHOWN: Final = 100

Found = AsyncGenerator[Progress | Present | Life | Told | Ended, None]
Shown = Present | Life | Told | Ended
Show = Callable[[Shown], None]


def add_to(commands: Any) -> None:
    phrases = commands.add_parser("phrases", help="print when a phrase was in a document, and by whom")
    phrases.add_argument("room", metavar="ROOM")
    phrases.add_argument("document", metavar="DOCUMENT")
    add_phrase_arguments(phrases)
    phrases.set_defaults(run=_phrases)


def add_phrase_arguments(command: Any) -> None:
    command.add_argument("text", metavar="TEXT", help="literally, line ends and all")
    command.add_argument("--ignore-case", action="store_true", help="small and capital letters are the same")
    command.add_argument(
        "--limit", type=whole_number, default=SHOWN, metavar="N", help=f"at most so many ({SHOWN})"
    )
    command.add_argument("--json", action="store_true", help="one JSON object per line, as over HTTP")
    add_data_argument(command)


def _phrases(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return phrases(settings_of(given), given)


async def phrases(settings: Settings, given: argparse.Namespace) -> int:
    phrase = Phrase(given.text, ignores_case=given.ignore_case)
    async with open_history(settings) as (history, database):
        await find(states_of(history, database), given.room, given.document, None)
        found = Phrases(TimeTravel(database), history).of_document(
            given.room, given.document, phrase, given.limit
        )
        await print_found(found, shower(is_json=given.json))
    return 0


async def print_found(found: Found, show: Show) -> None:
    """Print what is found, as it is found; on a terminal, where a bar would be in the way, what is read for
    when all is read.
    """
    waits = sys.stdout.isatty() and sys.stderr.isatty()
    waiting: list[Shown] = []
    with ExitStack() as stack:
        on_progress: OnProgress | None = None
        async for one in found:
            if not isinstance(one, Progress):
                if waits and on_progress is not None:
                    waiting.append(one)
                else:
                    show(one)
            elif one.done:
                on_progress = on_progress or stack.enter_context(progress("reading"))
                on_progress(*one)
    for told in waiting:
        show(told)
    sys.stdout.flush()


def words(told: Shown) -> Iterator[Text]:
    """In lines: where it is now, and of a life how it ended and how it began."""
    match told:
        case Present():
            times = f"revision {told.revision}, {_times(told.count)}"
            yield Text.assemble((told.document, "bold"), f" ({times}): ", *_around(told.around))
        case Life():
            if told.vanished is not None:
                yield _line(told, told.vanished, "gone since")
            yield _line(told, told.appeared, "there since")
        case Told():
            if not told.lives:
                yield Text(f"{told.document} never had it, in {told.revision:,} revisions", style="dim")
        case Ended():
            if not told.is_complete:
                yield Text("… there is more: see --limit and --document", style="dim")


def _line(life: Life, turn: Turn, what: str) -> Text:
    """`2026-11-23 14:05:07.123  ada  there since rev 17 of main.md: The quick fox`."""
    most = f" ({_times(life.most)} at the most)" if life.most > 1 and turn is life.appeared else ""
    return Text.assemble(
        *began(turn.at, turn.user),
        f"{what} rev {turn.revision} of {life.document}",
        (most, "dim"),
        ": ",
        *_around(turn.around),
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _around(around: Around) -> Parts:
    return [on_one_line(around.before), (on_one_line(around.match), "reverse"), on_one_line(around.after)]


def shower(*, is_json: bool) -> Show:
    if is_json:
        return lambda told: print(orjson.dumps(line(told)).decode())
    to = printer()

    def show(told: Shown) -> None:
        for said in words(told):
            to(said)

    return show
