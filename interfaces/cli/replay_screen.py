"""A replay on a terminal: the text around the last change with everybody's cursors, who is here, what is said
and what goes on beside it, and a clock below.

What was seen is kept by its place only; to go back is to ask for the stage there.
"""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import time
import tty
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from rich.cells import cell_len
from rich.console import Console, Group
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from application.log import Recorded
from application.past.replay import Begin, Replay, Step
from domain.document import EditApplied
from domain.ids import parse_stream
from domain.instants import as_datetime
from domain.presence import FrameRecorded
from domain.text_op import Op, transform_range
from interfaces.cli.lines import what
from interfaces.cli.terminal import on_one_line, shortened
from projections.chat import ChatMessage
from projections.stage import Stage, StagedPerson

SPEED_MIN: Final = 0.25
SPEED_MAX: Final = 64.0

# Smooth enough for a terminal, and a tenth of a core.
FRAME_SECONDS: Final = 1 / 15

# Where nothing happens for longer, `--skip-idle` leaves so much of it.
IDLE_SECONDS: Final = 3.0
IDLE_LEFT_SECONDS: Final = 0.7

# So long one sees what was just written, by one's own clock.
FRESH_SECONDS: Final = 2.0

# Below this there is no room for two columns.
WIDE_COLUMNS: Final = 90

LINES_KEPT: Final = 50
MESSAGES_SHOWN: Final = 20
TAB: Final = " " * 4

KEYS: Final = {
    b" ": "pause",
    b"\x1b[C": "forward",
    b"\x1b[D": "back",
    b"l": "forward",
    b"h": "back",
    b"+": "faster",
    b"=": "faster",
    b"-": "slower",
    b"q": "end",
    b"\x03": "end",
}


@dataclass(frozen=True, slots=True)
class Fresh:
    """A range of a document that somebody has just written, seen first at `seen`."""

    document: str
    start: int
    end: int
    client: str
    seen: float


class Passing:
    """How a session's time passes. Times are microseconds of the session, `passed` are seconds of ours."""

    def __init__(
        self, times: Sequence[int], since: int, until: int, *, speed: float, skips_idle: bool
    ) -> None:
        self._times = times
        self.now = since
        self.until = until
        self.speed = speed
        self.skips_idle = skips_idle
        self.is_paused = False

    def pass_by(self, passed: float) -> None:
        if self.is_paused:
            return
        now = self.now + round(passed * self.speed * 1e6)
        if self.skips_idle:
            now = self._behind_idle(now)
        self.now = min(now, self.until)

    def _behind_idle(self, now: int) -> int:
        """Nothing is passed over that happens."""
        done = bisect_right(self._times, now)
        following = self._times[done] if done < len(self._times) else self.until
        if following - now <= IDLE_SECONDS * 1e6:
            return now
        return following - round(IDLE_LEFT_SECONDS * 1e6)

    @property
    def is_over(self) -> bool:
        return self.now >= self.until

    def change_speed(self, factor: float) -> None:
        self.speed = min(SPEED_MAX, max(SPEED_MIN, self.speed * factor))


class Watching:
    """Somebody watches a replay. Owns its stage."""

    def __init__(
        self,
        replay: Replay[Stage],
        first: Begin[Stage],
        steps: Sequence[Step],
        *,
        document: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._replay = replay
        self._first = first
        self._steps = steps
        self._document = document
        self._monotonic = monotonic
        self.stage = first.stage
        self.done = 0
        """How many steps are on the stage."""
        self._fresh: list[Fresh] = []
        self._lines: deque[Text] = deque(maxlen=LINES_KEPT)
        self._last: tuple[str, int] | None = None
        """The document that was edited last, and where in it."""

    async def run(self, *, speed: float, skips_idle: bool) -> None:
        """Show it, until its end, or until whoever has a keyboard ends it."""
        first = self._first
        times = [step.at for step in self._steps]
        passing = Passing(times, first.since, first.until, speed=speed, skips_idle=skips_idle)
        console = Console(highlight=False)
        keys: asyncio.Queue[str] = asyncio.Queue(maxsize=100)
        with (
            _listening(keys) as has_keys,
            Live(console=console, screen=True, auto_refresh=False) as live,
        ):
            before = self._monotonic()
            while True:
                live.update(self.screen(passing, console, has_keys=has_keys), refresh=True)
                if passing.is_over and not has_keys:
                    return
                key = await _next_key(keys)
                if key == "end":
                    return
                now = self._monotonic()
                passing.pass_by(now - before)
                before = now
                await self._obey(key, passing)
                self._catch_up(passing.now)

    async def _obey(self, key: str | None, passing: Passing) -> None:
        match key:
            case "pause":
                passing.is_paused = not passing.is_paused
                if passing.is_over:
                    passing.is_paused = False
                    await self._go_to(0, passing)
            case "faster":
                passing.change_speed(2)
            case "slower":
                passing.change_speed(0.5)
            case "forward" | "back":
                passing.is_paused = True
                await self._go_to(self._beside(1 if key == "forward" else -1), passing)

    def _beside(self, way: int) -> int:
        """So many steps will be done after one event on or back; moves of cursors are passed over."""
        done = self.done + way
        while 0 < done < len(self._steps) and _has_only_frames(self._steps[done - 1]):
            done += way
        return min(max(0, done), len(self._steps))

    async def _go_to(self, done: int, passing: Passing) -> None:
        passing.now = self._steps[done - 1].at if done else self._first.since
        if done < self.done:
            place = self._steps[done - 1].place if done else self._first.place
            self.stage = await self._replay.stage(self._first.room, place)
            self._fresh.clear()
            self._lines.clear()
            self.done = done
        while self.done < done:
            self._take(self._steps[self.done])

    def _catch_up(self, at: int) -> None:
        while self.done < len(self._steps) and self._steps[self.done].at <= at:
            self._take(self._steps[self.done])
        if at > self.stage.at:
            self.stage.advance(at, self.stage.place)

    def _take(self, step: Step) -> None:
        self.done += 1
        self.stage.advance(max(step.at, self.stage.at), str(step.place))
        for recorded in step.events:
            self.stage.take(recorded.position, recorded.event)
            if isinstance(recorded.event, EditApplied):
                self._on_edit(recorded.event)
            elif not isinstance(recorded.event, FrameRecorded):
                self._lines.append(self._line(recorded))

    def _on_edit(self, event: EditApplied) -> None:
        name = parse_stream(event.originator_id).name
        seen = self._monotonic()
        moved = [_moved(fresh, event.op) if fresh.document == name else fresh for fresh in self._fresh]
        moved += [Fresh(name, start, end, event.client, seen) for start, end in inserted(event.op)]
        self._fresh = [each for each in moved if each.start < each.end and seen - each.seen < FRESH_SECONDS]
        if self._document in (None, name):
            self._last = (name, _reach(event.op))

    def _line(self, recorded: Recorded) -> Text:
        event = recorded.event
        at = f"{event.timestamp.astimezone():%H:%M:%S} "
        return Text.assemble((at, "dim"), (on_one_line(event.actor), "bold"), " ", *what(event))

    # What is seen.

    def screen(self, passing: Passing, console: Console, *, has_keys: bool) -> Layout:
        width, height = console.size
        layout = Layout()
        body, foot = Layout(name="body"), Layout(self._foot(passing, width, has_keys=has_keys), size=2)
        layout.split_column(body, foot)
        beside = self._beside_text(max(4, (height - 2) if width >= WIDE_COLUMNS else (height - 2) // 2))
        if width >= WIDE_COLUMNS:
            side = max(30, width // 3)
            body.split_row(self._pane(width - side, height - 2), Layout(beside, size=side))
        else:
            above = (height - 2) - (height - 2) // 2
            body.split_column(self._pane(width, above), Layout(beside))
        return layout

    def _pane(self, width: int, height: int) -> Layout:
        name = self._document or (self._last and self._last[0]) or next(iter(self.stage.documents), None)
        document = self.stage.documents.get(name) if name is not None else None
        if document is None:
            return Layout(Panel(Text("no text yet", "dim"), border_style="dim"))
        title = Text(f"{document.name}  revision {document.revision}", "bold")
        focus = self._last[1] if self._last is not None and self._last[0] == name else 0
        people = [each for each in self.stage.people if each.cursor and each.cursor.document == name]
        colours = {each.client: each.colour for each in self.stage.people}
        oldest = self._monotonic() - FRESH_SECONDS
        marks = [mark for person in people for mark in marks_of(person)] + [
            Mark(each.start, each.end, colours.get(each.client, "white"))
            for each in self._fresh
            if each.document == name and each.seen > oldest
        ]
        lines = text_lines(str(document.text), focus, marks, width - 4, height - 2)
        return Layout(Panel(Group(*lines), title=title, title_align="left", border_style="dim"))

    def _beside_text(self, height: int) -> Group:
        people = [_person(each) for each in self.stage.people]
        colours = {each.user: each.colour for each in self.stage.people}
        rest = max(2, height - min(len(people), height // 4) - 6)
        said = [_message(each, colours) for each in self.stage.messages[-MESSAGES_SHOWN:]]
        return Group(
            Panel(
                Group(*people[: max(1, height // 4)]), title="here", title_align="left", border_style="dim"
            ),
            _newest("chat", said, rest - rest // 2),
            _newest("activity", list(self._lines), rest // 2),
        )

    def _foot(self, passing: Passing, width: int, *, has_keys: bool) -> Group:
        first = self._first
        whole = max(1, passing.until - first.since)
        part = (passing.now - first.since) / whole
        sign = "■" if passing.is_over else "‖" if passing.is_paused else "▶"
        at = as_datetime(passing.now).astimezone()
        clock = f" {sign} {at:%Y-%m-%d %H:%M:%S}  {self.done:,}/{len(self._steps):,}  {passing.speed:g}× "
        bar = max(0, width - len(clock) - 1)
        filled = round(part * bar)
        line = Text.assemble((clock, "bold"), ("━" * filled, "cyan"), ("━" * (bar - filled), "dim"))
        keys = " space pause  ←→ step  + − speed  q end" if has_keys else " Ctrl-C ends it"
        return Group(line, Text(keys, "dim"))


@dataclass(frozen=True, slots=True)
class Mark:
    """A range of a text in somebody's colour; without a length a cursor."""

    start: int
    end: int
    colour: str


def marks_of(person: StagedPerson) -> Iterator[Mark]:
    """Selection and cursor."""
    cursor = person.cursor
    if cursor is None:
        return
    if cursor.anchor != cursor.head:
        yield Mark(min(cursor.anchor, cursor.head), max(cursor.anchor, cursor.head), person.colour)
    yield Mark(cursor.head, cursor.head, person.colour)


def inserted(op: Op) -> Iterator[tuple[int, int]]:
    """The ranges of the new text that the op has put in."""
    place = 0
    for component in op:
        if isinstance(component, str):
            yield place, place + len(component)
            place += len(component)
        elif isinstance(component, int):
            place += component


def _reach(op: Op) -> int:
    """Where the op ends, in the new text."""
    return sum(
        component if isinstance(component, int) else len(component)
        for component in op
        if isinstance(component, int | str)
    )


def _moved(fresh: Fresh, op: Op) -> Fresh:
    start, end = transform_range(fresh.start, fresh.end, op)
    return replace(fresh, start=start, end=end)


def _has_only_frames(step: Step) -> bool:
    return all(isinstance(recorded.event, FrameRecorded) for recorded in step.events)


def text_lines(text: str, focus: int, marks: Sequence[Mark], width: int, height: int) -> list[Text]:
    """The lines around `focus`, numbered, as many as fit; long ones take several rows."""
    lines = text.split("\n")
    number = text.count("\n", 0, focus)
    digits = len(str(len(lines)))
    room = max(8, width - digits - 1)
    first, rows = number, _rows(lines[number], room)
    while first > 0 and rows + _rows(lines[first - 1], room) <= 2 * height // 3:
        first -= 1
        rows += _rows(lines[first], room)
    start = sum(len(line) + 1 for line in lines[:first])
    shown, used = [], 0
    for index in range(first, len(lines)):
        if used >= height:
            break
        line = lines[index]
        numbered = Text(f"{index + 1:>{digits}} ", "dim", overflow="fold")
        shown.append(numbered.append_text(marked(line, start, marks)))
        start += len(line) + 1
        used += _rows(line, room)
    return shown


def _rows(line: str, width: int) -> int:
    return 1 + cell_len(line) // width


def marked(line: str, start: int, marks: Sequence[Mark]) -> Text:
    """A line that begins at `start` in the text, in the colours of the marks. A cursor is a block on the
    character behind it.
    """
    end = start + len(line)
    here = [mark for mark in marks if mark.start <= end and mark.end >= start]
    cuts = {0, len(line)}
    for mark in here:
        cuts |= {max(0, mark.start - start), min(len(line), max(mark.end, mark.start + 1) - start)}
    places = sorted(cuts)
    text = Text()
    for left, right in pairwise(places):
        text.append(_plain(line[left:right]), _style(here, start + left, start + right))
    if style := _style(here, end, end + 1):
        text.append(" ", style)
    return text


def _style(marks: Sequence[Mark], start: int, end: int) -> str:
    ranges = [mark for mark in marks if mark.start <= start and end <= mark.end]
    cursors = [mark for mark in marks if mark.start == mark.end == start]
    styles = [f"{mark.colour} underline" for mark in ranges[-1:]]
    return " ".join(styles + [f"{mark.colour} reverse" for mark in cursors[-1:]])


def _plain(part: str) -> str:
    return on_one_line(part.removesuffix("\r").replace("\t", TAB))


def _person(person: StagedPerson) -> Text:
    where = person.cursor and person.cursor.document
    doing = f"{person.status} in {where}" if where else person.status
    if person.typing is not None:
        doing = f"types in {person.typing.where or 'the chat'}…"
    return Text.assemble(
        ("● ", person.colour), (on_one_line(person.name), "bold"), (f" {doing}", "dim"), overflow="ellipsis"
    )


def _message(message: ChatMessage, colours: dict[str, str]) -> Text:
    at = f"{message.posted.astimezone():%H:%M} "
    author = (on_one_line(message.author), colours.get(message.author, "bold"))
    said = ("deleted", "italic dim") if message.deleted else on_one_line(shortened(message.text, 500))
    reactions = "".join(f"  {emoji} {len(users)}" for emoji, users in message.reactors.items())
    edited = "  (edited)" if message.edits else ""
    return Text.assemble((at, "dim"), author, ": ", said, (on_one_line(reactions + edited), "dim"))


def _newest(title: str, lines: Sequence[Text], height: int) -> Panel:
    """The last lines that fit, one row each."""
    shown = [line.copy() for line in lines[-max(1, height) :]]
    for line in shown:
        line.no_wrap, line.overflow = True, "ellipsis"
    body = Group(*shown, *[Text("")] * (max(1, height) - len(shown)))
    return Panel(body, title=title, title_align="left", border_style="dim")


# The keyboard.


@contextmanager
def _listening(keys: asyncio.Queue[str]) -> Iterator[bool]:
    """Put what is pressed into `keys`, where there is a keyboard: each key at once, without being shown."""
    if not sys.stdin.isatty():
        yield False
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    loop = asyncio.get_running_loop()

    def on_input() -> None:
        pressed = os.read(descriptor, 64)
        for key in read_keys(pressed):
            if not keys.full():
                keys.put_nowait(key)

    try:
        tty.setcbreak(descriptor)
        loop.add_reader(descriptor, on_input)
        yield True
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def read_keys(pressed: bytes) -> Iterator[str]:
    """What the keys mean; others mean nothing."""
    while pressed:
        length = 3 if pressed.startswith(b"\x1b[") else 1
        if key := KEYS.get(pressed[:length]):
            yield key
        pressed = pressed[length:]


async def _next_key(keys: asyncio.Queue[str]) -> str | None:
    """Within a frame's time."""
    try:
        async with asyncio.timeout(FRAME_SECONDS):
            return await keys.get()
    except TimeoutError:
        return None
