"""Watching a replay on a terminal: how its time passes, what the keys do, and what is on the stage.

What was seen is kept by its place only: to go back is to ask for the stage there.
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
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from application.log import Recorded
from application.past.replay import Begin, Replay, Step
from domain.attendance import Joined, StatusChanged
from domain.document import EditApplied
from domain.ids import parse_stream
from domain.instants import as_datetime
from domain.message import Edited, Posted
from domain.presence import FrameRecorded
from domain.profile import ProfileChanged, ProfileCreated
from domain.receipts import ReceiptsRecorded
from domain.text_op import Op, transform_position, transform_range
from interfaces.cli.lines import what
from interfaces.cli.replay_screen import Mark, Shown, View, named, screen
from interfaces.ws.wire import encode_recorded
from projections.stage import Stage

SPEED_MIN: Final = 0.25
SPEED_MAX: Final = 64.0

# Smooth enough for a terminal, and a tenth of a core.
FRAME_SECONDS: Final = 1 / 15

# Where nothing happens for longer, `--skip-idle` leaves so much of it.
IDLE_SECONDS: Final = 3.0
IDLE_LEFT_SECONDS: Final = 0.7

# So much is left behind everything that happens.
REST_SECONDS: Final = 2.0

# So long one sees what was just written, by one's own clock.
FRESH_SECONDS: Final = 2.0

LINES_KEPT: Final = 50
KEYS_WAITING_MAX: Final = 100

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
}

# What is seen elsewhere on the screen, or is nothing to see.
_UNTOLD: Final = (
    *(EditApplied, FrameRecorded, StatusChanged, ProfileCreated, ProfileChanged),
    *(Posted, Edited, ReceiptsRecorded),
)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A range of a document that somebody has just written, seen first at `seen`."""

    document: str
    start: int
    end: int
    user: str
    seen: float


@dataclass(frozen=True, slots=True)
class Hand:
    """Where a client has written since its cursor was last told."""

    document: str
    position: int


class Passing:
    """How a session's time passes. `times` are those at which something happens, in microseconds of the
    session; what `passed` are seconds of ours.
    """

    def __init__(
        self, times: Sequence[int], since: int, until: int, *, speed: float, skips_idle: bool
    ) -> None:
        last = times[-1] if times else since
        self._times = times
        self.since = since
        self.until = max(last, min(until, last + round(REST_SECONDS * 1e6)))
        self.now = since
        self.speed = speed
        self.skips_idle = skips_idle
        self.is_paused = False

    def pass_by(self, passed: float) -> None:
        if self.is_paused:
            return
        now = self.now + round(passed * self.speed * 1e6)
        self.now = min(self._behind_idle(now) if self.skips_idle else now, self.until)

    def _behind_idle(self, now: int) -> int:
        """Nothing is passed over that happens."""
        done = bisect_right(self._times, now)
        following = self._times[done] if done < len(self._times) else self.until
        is_idle = following - now > IDLE_SECONDS * 1e6
        return following - round(IDLE_LEFT_SECONDS * 1e6) if is_idle else now

    @property
    def is_over(self) -> bool:
        return self.now >= self.until

    @property
    def part(self) -> float:
        return (self.now - self.since) / max(1, self.until - self.since)

    @property
    def sign(self) -> str:
        return "■" if self.is_over else "‖" if self.is_paused else "▶"

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
        speed: float = 1.0,
        skips_idle: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._replay = replay
        self._first = first
        self._steps = steps
        self._document = document
        self._monotonic = monotonic
        times = [step.at for step in steps]
        self.passing = Passing(times, first.since, first.until, speed=speed, skips_idle=skips_idle)
        self.stage = first.stage
        self.done = 0
        """How many steps are on the stage."""
        self._names = {person.user: (person.name, person.colour) for person in self.stage.people}
        self._fresh: list[Fresh] = []
        self._hands: dict[str, Hand] = {}
        self._lines: deque[Text] = deque(maxlen=LINES_KEPT)
        self._last: tuple[str, int] | None = None
        """The document that was edited last, and where in it."""

    async def run(self) -> None:
        """Show it, until its end, or until whoever has a keyboard ends it."""
        console = Console(highlight=False)
        keys: asyncio.Queue[str] = asyncio.Queue(maxsize=KEYS_WAITING_MAX)
        with (
            _listening(keys) as has_keys,
            Live(console=console, screen=True, auto_refresh=False) as live,
        ):
            before = self._monotonic()
            while True:
                live.update(screen(self.view(has_keys=has_keys), *console.size), refresh=True)
                if self.passing.is_over and not has_keys:
                    return
                key = await _next_key(keys)
                if key == "end":
                    return
                now = self._monotonic()
                await self.look(key, now - before)
                before = now

    async def look(self, key: str | None, passed: float) -> None:
        """Some time has passed, and a key was pressed, or none."""
        self.passing.pass_by(passed)
        match key:
            case "pause" if self.passing.is_over:
                self.passing.is_paused = False
                await self._go_to(0)
            case "pause":
                self.passing.is_paused = not self.passing.is_paused
            case "faster":
                self.passing.change_speed(2)
            case "slower":
                self.passing.change_speed(0.5)
            case "forward" | "back":
                self.passing.is_paused = True
                await self._go_to(self._beside(1 if key == "forward" else -1))
        self._catch_up()

    def _beside(self, way: int) -> int:
        """So many steps will be done after one event on or back; moves of cursors are passed over."""
        done = self.done + way
        while 0 < done < len(self._steps) and _has_only_frames(self._steps[done - 1]):
            done += way
        return min(max(0, done), len(self._steps))

    async def _go_to(self, done: int) -> None:
        self.passing.now = self._steps[done - 1].at if done else self._first.since
        if done < self.done:
            place = self._steps[done - 1].place if done else self._first.place
            self.stage = await self._replay.stage(self._first.room, place)
            self._fresh.clear()
            self._hands.clear()
            self._lines.clear()
            self.done = done
        while self.done < done:
            self._take(self._steps[self.done])

    def _catch_up(self) -> None:
        now = self.passing.now
        while (
            not self.passing.is_paused and self.done < len(self._steps) and self._steps[self.done].at <= now
        ):
            self._take(self._steps[self.done])
        if now > self.stage.at:
            self.stage.advance(now, self.stage.place)

    def _take(self, step: Step) -> None:
        self.done += 1
        self.stage.advance(max(step.at, self.stage.at), str(step.place))
        for recorded in step.events:
            self.stage.take(recorded.position, recorded.event)
            self._on_event(recorded)

    def _on_event(self, recorded: Recorded) -> None:
        match event := recorded.event:
            case EditApplied():
                self._on_edit(event)
            case FrameRecorded():
                for move in event.moves:
                    self._hands.pop(str(move[0]), None)
            case Joined():
                self._names[event.actor] = (event.name, event.colour)
            case ProfileCreated() | ProfileChanged():
                self._names[parse_stream(event.originator_id).name] = (event.name, event.colour)
        if not isinstance(event, _UNTOLD) and is_told(recorded):
            self._lines.append(self._line(recorded))

    def _on_edit(self, event: EditApplied) -> None:
        name, op = parse_stream(event.originator_id).name, event.op
        seen = self._monotonic()
        fresh = [_moved(each, op) if each.document == name else each for each in self._fresh]
        fresh += [Fresh(name, start, end, event.writer, seen) for start, end in inserted(op)]
        self._fresh = [each for each in fresh if each.start < each.end and seen - each.seen < FRESH_SECONDS]
        for client, hand in self._hands.items():
            if hand.document == name:
                self._hands[client] = replace(hand, position=transform_position(hand.position, op))
        self._hands[event.client] = Hand(name, _reach(op))
        if self._document in (None, name):
            self._last = (name, _reach(op))

    def _line(self, recorded: Recorded) -> Text:
        event = recorded.event
        at = f"{event.timestamp.astimezone():%H:%M:%S} "
        return Text.assemble((at, "dim"), named(event.actor, self._names), " ", *what(event))

    # What is seen.

    def view(self, *, has_keys: bool) -> View:
        return View(
            shown=self._shown(),
            people=self.stage.people,
            messages=self.stage.messages,
            activity=list(self._lines),
            names=self._names,
            at=as_datetime(self.passing.now).astimezone(),
            part=self.passing.part,
            sign=self.passing.sign,
            speed=self.passing.speed,
            keys="space pause  ← → step  + − speed  q end" if has_keys else "Ctrl-C ends it",
        )

    def _shown(self) -> Shown | None:
        """The document that was asked for, or the one that was edited last, or the first."""
        names = (
            [self._document] if self._document else [self._last[0]] if self._last else self.stage.documents
        )
        document = self.stage.documents.get(next(iter(names), ""))
        if document is None:
            return None
        focus = self._last[1] if self._last and self._last[0] == document.name else 0
        return Shown(
            document.name, document.revision, str(document.text), focus, [*self._marks(document.name)]
        )

    def _marks(self, name: str) -> Iterator[Mark]:
        for person in self.stage.people:
            hand, cursor = self._hands.get(person.client), person.cursor
            if hand is not None:
                if hand.document == name:
                    yield Mark(hand.position, hand.position, person.colour)
            elif cursor is not None and cursor.document == name:
                yield Mark(cursor.head, cursor.head, person.colour)
                start, end = sorted((cursor.anchor, cursor.head))
                if start < end:
                    yield Mark(start, end, person.colour, is_selected=True)
        oldest = self._monotonic() - FRESH_SECONDS
        for fresh in self._fresh:
            if fresh.document == name and fresh.seen > oldest and fresh.user in self._names:
                yield Mark(fresh.start, fresh.end, self._names[fresh.user][1])


def is_told(recorded: Recorded) -> bool:
    """Whether clients are told of it. Others are how things begin, in the log."""
    return encode_recorded(recorded) is not None


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
    parts = (part if isinstance(part, int) else len(part) for part in op if not isinstance(part, dict))
    return sum(parts)


def _moved(fresh: Fresh, op: Op) -> Fresh:
    start, end = transform_range(fresh.start, fresh.end, op)
    return replace(fresh, start=start, end=end)


def _has_only_frames(step: Step) -> bool:
    return all(isinstance(recorded.event, FrameRecorded) for recorded in step.events)


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
        for key in read_keys(os.read(descriptor, 64)):
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
