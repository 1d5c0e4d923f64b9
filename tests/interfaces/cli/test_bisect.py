"""What made a text bad, by any command, told to people."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvloop
from rich.text import Text

from application.past.bisect import Found, Judged, Verdict
from application.past.diff import Diff
from application.past.states import AtName, AtRevision, AtTime
from domain.document import DocumentState, EditApplied
from domain.instants import as_datetime
from infrastructure.comparing import compare
from infrastructure.differ import as_comparison
from interfaces.cli.bisect import CommandJudge, report
from interfaces.cli.diff import coloured
from interfaces.cli.failures import CommandFailed
from interfaces.cli.main import parser
from interfaces.cli.past import Given
from projections.chat import ChatMessage
from tests.domain.events import NOON, later

SECONDS = 20.0


@pytest.mark.parametrize(
    ("command", "verdict"),
    [
        ("true", Verdict.GOOD),
        ("false", Verdict.BAD),
        ("exit 2", Verdict.BAD),
        ("exit 125", Verdict.UNKNOWN),
        ("exit 126", Verdict.BAD),
        ("grep -q é", Verdict.GOOD),
        ("grep -q x", Verdict.BAD),
        ("grep -c é && echo said >&2", Verdict.GOOD),
        ("test $(wc -c) = 2000002", Verdict.GOOD),
    ],
)
async def test_a_command_judges_what_it_finds_at_stdin(command: str, verdict: Verdict) -> None:
    assert await CommandJudge(command, SECONDS).judge("é" * 1_000_000 + "!\n") is verdict


def test_a_command_need_not_read_what_it_is_given() -> None:
    """On the loop that commands run on, where writing to somebody who has gone fails in its own way."""

    async def judge() -> None:
        for size in range(0, 1_000_000, 50_000):
            assert await CommandJudge("exit 0", SECONDS).judge("x" * size) is Verdict.GOOD

    uvloop.run(judge())


@pytest.mark.parametrize("command", ["/no/such/program", "kill -9 $$", "exit 200"])
async def test_a_command_that_ends_as_no_answer_does_ends_the_search(command: str) -> None:
    with pytest.raises(CommandFailed, match="neither good nor bad"):
        await CommandJudge(command, SECONDS).judge("")


async def test_a_command_that_hangs_is_bad_and_ends_with_all_that_it_has_started(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    judge = CommandJudge(f"sleep 1000 & echo $! > {told}; wait", 0.5)
    assert await judge.judge("x" * 1_000_000) is Verdict.BAD
    async with asyncio.timeout(SECONDS):
        with suppress(ProcessLookupError):
            while True:
                os.kill(int(told.read_text()), 0)
                await asyncio.sleep(0.01)


def found(old: str, new: str) -> Found:
    good = DocumentState("demo", "main.md", 2, old, later(2))
    bad = DocumentState("demo", "main.md", 3, new, later(3))
    applied: Any = EditApplied  # a dataclass, which type checkers do not see
    edit = applied(
        originator_id="document:demo/main.md",
        originator_version=4,
        timestamp=NOON,
        actor="ben",
        client="ben-1",
        seq=3,
        base=2,
        revision=3,
        digest="",
        op=[],
    )
    judged = [Judged(0, Verdict.GOOD, 2), Judged(9, Verdict.BAD, 1), Judged(3, Verdict.BAD, 0)]
    return Found(good, bad, edit, as_comparison(*compare(old, new)), judged)


def a_message(text: str, *, is_deleted: bool = False) -> ChatMessage:
    deleted = NOON if is_deleted else None
    return ChatMessage(
        "demo", "m1", 5, "ada", None, NOON - timedelta(1), text, {}, None, (), None, deleted=deleted
    )


def told(lines: Iterator[Text]) -> list[str]:
    return [line.plain for line in lines]


def test_what_was_found_is_told_with_what_it_changed_and_what_was_said() -> None:
    said = [a_message("Now\x1b it\nbreaks"), a_message("", is_deleted=True)]
    first, *diff, around, one, other, looked = told(report(found("x = 1\n", "x = (\n"), said))
    assert "  ben  made main.md bad with revision 3 (typed, as ben-1)" in first
    assert diff[-2:] == ["-x = 1", "+x = ("]
    assert around == "said around it:"
    assert one.endswith(r"  ada  Now\x1b it\nbreaks")
    assert other.endswith("  ada  (deleted)")
    assert looked == "looked at 3: 0 good, 9 bad, 3 bad"


def test_where_nobody_could_judge_what_is_between_all_of_that_is_told() -> None:
    some = found("a\n", "b\n")._replace(edit=None)
    assert told(report(some, []))[0] == "one of the revisions 3 to 3 is the first bad one"


def test_on_a_terminal_words_that_differ_are_set_off_and_nothing_of_a_text_moves_the_cursor() -> None:
    some = found("x = 1\x1b[2J\nlast", "x = 2\x1b[2J\nlast\n")
    diff = Diff(some.good, some.bad, some.comparison)
    lines = list(coloured(diff))
    assert "\x1b" not in "".join(line.plain for line in lines)
    removed = next(line for line in lines if line.plain.startswith("-x"))
    assert [
        removed.plain[span.start : span.end] for span in removed.spans if "reverse" in str(span.style)
    ] == ["1"]
    assert any(line.plain.endswith("No newline at end of file") for line in lines)
    [title, hunk, words] = coloured(diff, is_in_words=True)
    assert title.plain.startswith("--- main.md")
    assert hunk.plain == "@@ -1,2 +1,2 @@"
    assert words.plain == "x = 12\\x1b[2J\nlast\n"
    assert words.end == ""
    coarse = diff._replace(comparison=diff.comparison._replace(is_coarse=True))
    assert "too much differs" in next(coloured(coarse)).plain


def test_a_moment_is_said_in_one_word() -> None:
    assert Given("17").moment == AtRevision(17)
    assert Given("name:First").moment == AtName("First")
    assert Given("now").moment is None
    assert Given("2026-11-23T12:00:00+00:00").moment == AtTime(as_datetime(1_795_435_200_000_000))


@pytest.mark.parametrize(
    "arguments",
    [
        ["diff", "demo", "main.md"],
        ["diff", "demo", "main.md", "--from", "x"],
        ["diff", "demo", "main.md", "--from", "0001-01-01"],
        ["diff", "demo", "main.md", "--from", "1", "--json", "--html"],
        ["bisect", "demo", "main.md"],
        ["bisect", "demo", "main.md", "--regex", "x", "--run", "true"],
        ["bisect", "demo", "main.md", "--parses", "ruby"],
        ["bisect", "demo", "main.md", "--run", "true", "--timeout", "0"],
        ["bisect", "demo", "main.md", "--run", "true", "--good", "-"],
    ],
)
def test_what_is_asked_wrongly_ends_with_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(arguments)
    assert "usage" in capsys.readouterr().err
