"""`chronoscribe bisect`: which edit made a text bad that was good before."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any, Final

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from application.past.bisect import (
    Bisect,
    Found,
    Judge,
    Judged,
    Matches,
    Parses,
    Question,
    TextAbsent,
    TextPresent,
    Verdict,
)
from application.past.diff import Diff
from infrastructure.differ import LibraryDiffer
from infrastructure.judge import TextJudges
from infrastructure.postgres.chat_view import ChatView
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory
from interfaces.cli.diff import coloured
from interfaces.cli.failures import CommandFailed
from interfaces.cli.lines import began, called
from interfaces.cli.past import MOMENT_HELP, Given, find, states_of
from interfaces.cli.store import add_data_argument, open_history, settings_of
from interfaces.cli.terminal import on_one_line, printer
from interfaces.findings import edit_as_json, found_as_json, messages_around
from projections.chat import ChatMessage

# A test suite may take as long; one that hangs is stopped.
RUN_SECONDS: Final = 60.0

# How a command says that it cannot say, and the last exit status that is its own: beyond, the shell's
# are.
SKIP_STATUS: Final = 125
OWN_STATUS_MAX: Final = 127

OnJudged = Callable[[Judged], None]


def add_to(commands: Any) -> None:
    bisect = commands.add_parser("bisect", help="find the edit that made a document bad")
    bisect.add_argument("room", metavar="ROOM")
    bisect.add_argument("document", metavar="DOCUMENT")
    bisect.add_argument("--good", type=Given, default=Given("0"), metavar="MOMENT", help=MOMENT_HELP)
    bisect.add_argument("--bad", type=Given, default=Given("now"), metavar="MOMENT", help="a later one")
    good = bisect.add_mutually_exclusive_group(required=True)
    good.add_argument("--text-present", metavar="TEXT", help="it is good while it holds this")
    good.add_argument("--text-absent", metavar="TEXT", help="it is good while it does not hold this")
    good.add_argument("--regex", metavar="PATTERN", help="it is good while this is found in it (RE2)")
    good.add_argument("--parses", choices=("python", "json"), help="it is good while it can be parsed")
    good.add_argument(
        "--run", dest="command_line", metavar="COMMAND", help="it is good while this ends with 0"
    )
    bisect.add_argument(
        "--timeout", type=_seconds, default=RUN_SECONDS, metavar="SECONDS", help="of each run"
    )
    bisect.add_argument("--json", action="store_true", help="one JSON object, as over HTTP")
    add_data_argument(bisect)
    bisect.set_defaults(run=_bisect)


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 < (seconds := float(text)) < float("inf"):
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")


def _bisect(given: argparse.Namespace) -> Coroutine[Any, Any, int]:
    return bisect(given)


async def bisect(given: argparse.Namespace) -> int:
    async with open_history(settings_of(given)) as (history, database), AsyncExitStack() as stack:
        differ, judges = LibraryDiffer(), TextJudges()
        stack.push_async_callback(differ.close)
        stack.push_async_callback(judges.close)
        asked = _question(given)
        judge: Judge = CommandJudge(given.command_line, given.timeout) if asked is None else judges.by(asked)
        with _progress() as on_judged:
            found = await _search(history, database, differ, judge, given, on_judged)
        said: Sequence[ChatMessage] = ()
        if found.edit is not None:
            said = await messages_around(ChatView(database), given.room, found.edit.timestamp)
        if given.json:
            told = orjson.dumps(await found_as_json(found, said))
            sys.stdout.buffer.write(told + b"\n")
        else:
            _print(found, said)
    return 0


def _question(given: argparse.Namespace) -> Question | None:
    """None for a command that is run."""
    if given.text_present is not None:
        return TextPresent(given.text_present)
    if given.text_absent is not None:
        return TextAbsent(given.text_absent)
    if given.regex is not None:
        return Matches(given.regex)
    return Parses(given.parses) if given.parses is not None else None


async def _search(
    history: PostgresHistory,
    database: Database,
    differ: LibraryDiffer,
    judge: Judge,
    given: argparse.Namespace,
    on_judged: OnJudged,
) -> Found:
    states = states_of(history, database)
    for moment in (given.good.moment, given.bad.moment):
        await find(states, given.room, given.document, moment)
    steps = Bisect(states, history, differ).run(
        given.room, given.document, judge, given.good.moment, given.bad.moment
    )
    async for step in steps:
        if isinstance(step, Found):
            return step
        on_judged(step)
    raise AssertionError("a search has an end")


class CommandJudge:
    """Runs a command for each text, which it finds at its stdin: good when it ends with 0, as git has it.

    What takes too long is bad. What the command prints goes nowhere.
    """

    def __init__(self, command: str, seconds: float) -> None:
        self._command = command
        self._seconds = seconds

    async def judge(self, text: str) -> Verdict:
        """Raises `CommandFailed` when the command ends as no answer does: there is no such program, or it
        was killed.
        """
        with tempfile.TemporaryFile() as file:  # a command need not read it, and a pipe would break
            file.write(text.encode())
            file.seek(0)
            process = await asyncio.create_subprocess_shell(
                self._command, stdin=file, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
            )
        try:
            async with asyncio.timeout(self._seconds):
                await process.wait()
        except TimeoutError:
            return Verdict.BAD
        finally:
            with suppress(ProcessLookupError):  # also those that it has started
                os.killpg(process.pid, signal.SIGKILL)
            status = await process.wait()
        if status == SKIP_STATUS:
            return Verdict.UNKNOWN
        if not 0 <= status < OWN_STATUS_MAX:
            raise CommandFailed(f"the command has ended with {status}, which says neither good nor bad")
        return Verdict.GOOD if status == 0 else Verdict.BAD


@contextmanager
def _progress() -> Iterator[OnJudged]:
    """On a terminal a bar, elsewhere a line for each text; on stderr."""
    if not sys.stderr.isatty():
        yield lambda judged: print(_told(judged), file=sys.stderr, flush=True)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        bar = shown.add_task("bisect", total=None)
        done = 0

        def on_judged(judged: Judged) -> None:
            nonlocal done
            done += 1
            shown.update(bar, completed=done, total=done + judged.left, description=_told(judged))

        yield on_judged


def _told(judged: Judged) -> str:
    return f"revision {judged.revision} is {judged.verdict}, about {judged.left} to go"


def _print(found: Found, said: Sequence[ChatMessage]) -> None:
    to = printer()
    for line in report(found, said):
        to(line)


def report(found: Found, said: Sequence[ChatMessage]) -> Iterator[Text]:
    """For people: what was found, what it changed, what was said around it, what was looked at."""
    good, bad = found.good.revision, found.bad.revision
    if found.edit is None:
        yield Text(f"one of the revisions {good + 1} to {bad} is the first bad one", style="bold")
    else:
        edit = found.edit
        what = edit_as_json(edit)
        yield Text.assemble(
            *began(edit.written_at, edit.writer),
            (f"made {found.bad.name} bad with revision {bad}", "bold"),
            f" ({on_one_line(what['cause'])}, as {on_one_line(edit.client)}"
            f"{called(edit.reference, edit.note)})",
        )
    yield from coloured(Diff(found.good, found.bad, found.comparison))
    if said:
        yield Text("said around it:", style="bold")
    for message in said:
        text = "(deleted)" if message.deleted else on_one_line(message.text)
        yield Text.assemble("  ", *began(message.posted, message.author), text)
    looked = ", ".join(f"{judged.revision} {judged.verdict}" for judged in found.evaluated)
    yield Text(f"looked at {len(found.evaluated)}: {looked}", style="dim")
