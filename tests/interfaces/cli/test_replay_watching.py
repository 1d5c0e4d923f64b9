"""A replay on a terminal: how time passes, what keys do, and what is seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from application.past.replay import Place, Replay
from interfaces.cli.replay_screen import Mark, Shown, marked, screen, text_lines
from interfaces.cli.replay_watching import FRESH_SECONDS, IDLE_SECONDS, Passing, Watching, read_keys
from interfaces.ws.staging import as_stage
from projections.stage import Stage
from tests.interfaces.replay.sessions import Session

SECOND = 1_000_000


class Past:
    """Answers as `Replay` does, of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def stage(self, room: str, at: datetime | Place | None = None) -> Stage:
        for number, stage in enumerate(self._session.stages()):
            place = self._session.steps[number - 1].place if number else Place(stage.at, 0, 0)
            if place == at:
                return stage
        raise AssertionError(f"{at} was never told")


class Watched:
    """Somebody watches a session, by a clock that only they move."""

    def __init__(self, session: Session, **given: Any) -> None:
        self.now = 0.0
        past = cast("Replay[Stage]", Past(session))
        self.session = session
        self.watching = Watching(past, session.begin(), session.steps, monotonic=lambda: self.now, **given)

    async def look(self, seconds: float = 0.0, *keys: str) -> None:
        self.now += seconds
        await self.watching.look(None, seconds)
        for key in keys:
            await self.watching.look(key, 0)

    @property
    def texts(self) -> list[str]:
        return [str(document.text) for document in self.watching.stage.documents.values()]

    def screen(self, width: int = 120, height: int = 30) -> str:
        console = Console(width=width, height=height, color_system=None)
        with console.capture() as capture:
            console.print(screen(self.watching.view(has_keys=True), width, height))
        return capture.get()


def a_session() -> Session:
    """Ten letters, one a second; then nothing for a minute, and a word of goodbye."""
    session = Session()
    session.list_document("main.md")
    session.join("ada", "Ada")
    for number in range(10):
        session.wait(1)
        session.edit("ada", "main.md", [number, "abcdefghij"[number]] if number else ["a"])
        session.move("ada", "main.md", number + 1)
    session.wait(60)
    session.say("ada", "Goodbye")
    return session


# Time.


async def test_a_replay_takes_as_long_as_the_session_did() -> None:
    watched = Watched(a_session())
    await watched.look(3.5)
    assert watched.texts == ["abc"]
    await watched.look(66)
    assert not watched.watching.stage.messages
    await watched.look(1)
    assert [message.text for message in watched.watching.stage.messages] == ["Goodbye"]


async def test_at_four_times_the_speed_it_takes_a_quarter() -> None:
    watched = Watched(a_session(), speed=2.0)
    await watched.look(0, "faster")
    await watched.look(1)
    assert watched.texts == ["abcd"]


async def test_idle_time_is_skipped_where_that_is_wanted() -> None:
    watched = Watched(a_session(), skips_idle=True)
    await watched.look(10.5)
    await watched.look(1)
    assert watched.watching.stage.messages


@given(
    st.lists(st.integers(0, 20 * SECOND), min_size=1, max_size=20),
    st.lists(st.floats(0, 5), max_size=50),
    st.sampled_from([0.25, 1.0, 64.0]),
    st.booleans(),
)
def test_time_never_goes_back_and_passes_over_nothing_that_happens(
    gaps: list[int], passed: list[float], speed: float, skips_idle: bool
) -> None:
    times = [sum(gaps[: number + 1]) for number in range(len(gaps))]
    passing = Passing(times, 0, times[-1] + 100 * SECOND, speed=speed, skips_idle=skips_idle)
    for seconds in passed:
        before = passing.now
        passing.pass_by(seconds)
        assert before <= passing.now <= passing.until
        plainly = before + seconds * speed * SECOND
        if passing.now > plainly + 1:  # something was skipped: from there on, nothing happens
            skipped = [at for at in times if plainly < at < passing.now]
            assert skipped == []
            assert skips_idle
    following = next((at for at in times if at > passing.now), passing.until)
    assert not skips_idle or not passed or following - passing.now <= IDLE_SECONDS * SECOND


# Keys.


async def test_pause_stands_still_until_it_is_pressed_again() -> None:
    watched = Watched(a_session())
    await watched.look(3.5, "pause")
    await watched.look(10)
    assert watched.texts == ["abc"]
    await watched.look(0, "pause")
    await watched.look(1)
    assert watched.texts == ["abcd"]


async def test_steps_go_by_events_and_pass_over_moves_of_cursors() -> None:
    watched = Watched(a_session())
    await watched.look(3.5, "forward", "forward")
    assert watched.texts == ["abcde"]
    await watched.look(0, "back", "back", "back")
    assert watched.texts == ["ab"]


@given(st.lists(st.sampled_from(["forward", "back"]), max_size=60))
async def test_the_stage_is_the_one_of_its_step_whichever_way_one_came(keys: list[str]) -> None:
    watched = Watched(a_session())
    await watched.look(5.2, *keys)
    stages = [orjson.dumps(as_stage(stage)) for stage in watched.session.stages()]
    stage = watched.watching.stage
    told = as_stage(stage)
    assert orjson.dumps({**told, "at": 0}) == orjson.dumps(
        {**orjson.loads(stages[watched.watching.done]), "at": 0}
    )


async def test_at_the_end_it_begins_anew() -> None:
    watched = Watched(a_session())
    await watched.look(1_000)
    assert watched.watching.passing.is_over
    await watched.look(0, "pause")
    assert watched.texts == [""]
    await watched.look(2.5)
    assert watched.texts == ["ab"]


@pytest.mark.parametrize(
    ("pressed", "meant"),
    [
        (b" ", ["pause"]),
        (b"\x1b[C\x1b[D", ["forward", "back"]),
        (b"+-q", ["faster", "slower", "end"]),
        (b"x\x1b[A \xff", ["pause"]),
        (b"\x1b", []),
    ],
)
def test_keys_mean_what_is_told_below_the_text(pressed: bytes, meant: list[str]) -> None:
    assert list(read_keys(pressed)) == meant


# What is seen.


@pytest.mark.parametrize("width", [40, 80, 120])
async def test_everything_is_on_one_screen(width: int) -> None:
    watched = Watched(a_session())
    await watched.look(75)
    seen = watched.screen(width, 30)
    for part in ("main.md", "1 abcdefghij", "Ada", "Goodbye", "joined"):
        assert part in seen
    assert len(seen.rstrip("\n").split("\n")) <= 30


async def test_nothing_that_others_wrote_moves_the_cursor_of_our_terminal() -> None:
    session = Session()
    session.list_document("main.md")
    session.join("ada", "Ada")
    session.edit("ada", "main.md", ["a\x1b[2Jb\u202e\tc\r\nd"])
    session.say("ada", "\x1b]0;x\x07 [bold]no[/bold]")
    watched = Watched(session)
    await watched.look(10)
    seen = watched.screen()
    assert not {"\x1b", "\x07", "\u202e", "\t", "\r"} & set(seen)
    assert "a\\x1b[2Jb\\u202e    c" in seen
    assert "[bold]no[/bold]" in seen


def styles_of(line: str, *marks: Mark) -> list[tuple[str, str]]:
    text = marked(line, 10, marks)
    return [(text.plain[span.start : span.end], str(span.style)) for span in text.spans if span.style]


def test_cursors_selections_and_new_text_are_in_the_colours_of_their_people() -> None:
    assert styles_of("abc😀e", Mark(13, 13, "#ff0000")) == [("😀", "#ff0000 reverse")]
    assert styles_of("abc", Mark(13, 13, "#ff0000")) == [(" ", "#ff0000 reverse")]
    assert styles_of("abc", Mark(10, 12, "#ff0000", is_selected=True)) == [("ab", "#ff0000 underline")]
    assert styles_of("abc", Mark(5, 11, "#00ff00")) == [("a", "#00ff00")]
    assert styles_of("abc", Mark(20, 30, "#00ff00")) == []


async def test_what_was_just_written_is_seen_for_a_while_and_moves_with_the_text() -> None:
    session = Session()
    session.list_document("main.md")
    session.join("ada", "Ada")
    session.join("ben", "Ben")
    session.wait(1)
    session.edit("ada", "main.md", ["new"])
    session.wait(1)
    session.edit("ben", "main.md", ["X"])
    session.wait(10)
    watched = Watched(session)
    await watched.look(1.5)
    await watched.look(0.8)
    shown = watched.watching.view(has_keys=True).shown
    assert shown is not None
    assert {(mark.start, mark.end) for mark in shown.marks} == {(1, 4), (0, 1), (4, 4), (1, 1)}
    await watched.look(FRESH_SECONDS)
    shown = watched.watching.view(has_keys=True).shown
    assert shown is not None
    assert {(mark.start, mark.end) for mark in shown.marks} == {(4, 4), (1, 1)}


@given(st.integers(1, 200), st.integers(0, 199), st.integers(3, 40), st.integers(10, 80))
def test_the_line_in_focus_is_among_those_that_are_seen(
    lines: int, focus: int, height: int, width: int
) -> None:
    text = "\n".join(f"line {number} " + "x" * (number % 50) for number in range(lines))
    focus = min(focus, lines - 1)
    position = sum(len(line) + 1 for line in text.split("\n")[:focus])
    table = text_lines(Shown("main.md", 1, text, position, []), width, height)
    numbers = list(table.columns[0].cells)
    assert str(focus + 1) in numbers
