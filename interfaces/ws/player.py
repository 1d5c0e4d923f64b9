"""Replays on sockets: each session that watches one has its own player, at its own place.

A player is a state machine over its viewer's requests and a clock that is passed in. It has one task, which
ends with the session. It reads no further ahead than a page of each log, and sends nothing while what it has
sent before still waits: then its own clock waits as well, so that a slow viewer sees a slower replay and not
one with holes.

Pauses are shortened, unless that is not wanted: none lasts longer than two seconds. That is long enough to
see that time has passed, and short enough not to wonder whether it goes on. Where a replay runs faster than
what it shows, the two seconds are the viewer's; where it runs slower they are the replay's, so that slow
motion keeps the rhythm in which somebody typed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol, assert_never

import orjson

from application.past.replay import Begin, Place, Step
from domain.errors import BadFrame, ChronoscribeError, NotOpen, Overloaded
from domain.instants import as_datetime, as_microseconds
from domain.limits import FRAME_BYTES
from interfaces.ws.frames import (
    CloseReplay,
    OpenReplay,
    PauseReplay,
    PlayReplay,
    ReplayRequest,
    SeekReplay,
    SpeedReplay,
    StepReplay,
)
from interfaces.ws.staging import as_begin, as_stage, as_step
from interfaces.ws.wire import Frame, fragments, frame
from projections.stage import Stage

logger = logging.getLogger(__name__)

# So often a viewer is told something at the most: as smooth as cursors are in the present.
TELL_SECONDS: Final = 0.05

# In one frame, and of its size: about what comes in between at 64 times the speed of a busy room.
EVENTS_PER_FRAME: Final = 200

# What all replays of a node may show together, in events a second. One costs some 30 microseconds, most of it
# to read it, so that half of a processor is left to those who are there now. Beyond it every replay runs
# slower.
EVENTS_PER_SECOND: Final = 15_000

# Players of a node. Each holds a page of either log, some megabytes in a busy room, and beyond so many none
# would run at its speed.
PLAYERS_MAX: Final = 200

# Requests that wait for their turn. Who drags a slider sends many; of those only the last counts.
REQUESTS_MAX: Final = 32

# So long one waits without wondering whether it has stopped. Longer pauses are passed over when idle time is.
IDLE_SECONDS: Final = 2.0

# How far back is read at first to find the last step: mostly there is one.
BACK_MICROSECONDS: Final = 2_000_000

_SECOND: Final = 1_000_000


class PastOfRooms(Protocol):
    """What is played: see `application.past.replay.Replay`."""

    async def begin(
        self, room: str, since: datetime | None = None, until: datetime | None = None
    ) -> Begin[Stage]: ...

    async def stage(self, room: str, at: datetime | Place | None = None) -> Stage: ...

    def steps(
        self, room: str, since: datetime, until: datetime, *, after: Place | None = None
    ) -> AsyncIterator[Step]: ...

    async def last_before(self, room: str, at: datetime) -> datetime | None: ...


class Viewer(Protocol):
    """A session, as it is seen here."""

    room: str

    def tell(self, frame: Frame) -> bool: ...

    def answer(self, ref: int, outcome: Frame | ChronoscribeError) -> None: ...


Wait = Callable[[asyncio.Event, float | None], Awaitable[None]]
"""Return when the event is set, or after so many seconds."""


async def wait_for(event: asyncio.Event, seconds: float | None) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class Players:
    """All replays that are watched on this node."""

    def __init__(
        self,
        past: PastOfRooms,
        *,
        monotonic: Callable[[], float],
        wait: Wait = wait_for,
        at_once: int = PLAYERS_MAX,
    ) -> None:
        self._past = past
        self._monotonic = monotonic
        self._wait = wait
        self._at_once = at_once
        self._players: dict[Viewer, Player] = {}
        self._budget = Budget(EVENTS_PER_SECOND, monotonic())

    def __len__(self) -> int:
        return len(self._players)

    def take(self, viewer: Viewer, request: ReplayRequest) -> None:
        """Take a request in; it is answered later. Raises `NotOpen`, `Overloaded`."""
        player = self._players.get(viewer)
        if isinstance(request, OpenReplay):
            self.leave(viewer)
            if len(self._players) >= self._at_once:
                raise Overloaded("too many replays are being watched here", retry_after=5.0)
            opened = self._players[viewer] = Player(
                viewer, self._past, request, self._budget, monotonic=self._monotonic, wait=self._wait
            )
            opened.task.add_done_callback(partial(self._on_ended, viewer, opened))
        elif isinstance(request, CloseReplay):
            self.leave(viewer)
            viewer.answer(request.ref, frame(type="ok", ref=request.ref))
        elif player is None:
            raise NotOpen("open a replay first")
        else:
            player.take(request)

    def leave(self, viewer: Viewer) -> None:
        """The viewer watches no more; once is enough."""
        player = self._players.pop(viewer, None)
        if player is not None:
            player.task.cancel()

    def _on_ended(self, viewer: Viewer, player: Player, task: asyncio.Task[None]) -> None:
        if self._players.get(viewer) is player:
            del self._players[viewer]
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a replay has failed", exc_info=error)


class Budget:
    """What all players of a node may show together."""

    def __init__(self, per_second: float, now: float) -> None:
        self._per_second = per_second
        self._paid_until = now

    def pay(self, count: int, now: float) -> float:
        """Take `count`; how many seconds whoever takes it has to wait before they take more."""
        self._paid_until = max(self._paid_until, now) + count / self._per_second
        return max(0.0, self._paid_until - now - TELL_SECONDS)


class PlayerClock:
    """Where a replay is. It runs at `speed` while it is playing; `now` is of the viewer's time."""

    __slots__ = ("_at", "_since", "is_playing", "speed")

    def __init__(self, at: int, speed: float) -> None:
        self._at = float(at)
        self._since = 0.0
        self.speed = speed
        self.is_playing = False

    def at(self, now: float) -> int:
        ran = (now - self._since) * self.speed * _SECOND if self.is_playing else 0.0
        return int(self._at + ran)

    def go(self, at: int, now: float) -> None:
        self._at, self._since = float(at), now

    def play(self, now: float, *, is_playing: bool) -> None:
        self.go(self.at(now), now)
        self.is_playing = is_playing

    def run(self, now: float, speed: float) -> None:
        self.go(self.at(now), now)
        self.speed = speed

    def seconds_until(self, at: int, now: float) -> float:
        """How long the viewer waits for it."""
        return max(0.0, (at - self.at(now)) / self.speed / _SECOND)

    @property
    def longest_pause(self) -> int:
        return int(IDLE_SECONDS * _SECOND * max(1.0, self.speed))


class Player:
    """One replay of one viewer. Everything here belongs to its `task`, but for `take`."""

    def __init__(
        self,
        viewer: Viewer,
        past: PastOfRooms,
        opening: OpenReplay,
        budget: Budget,
        *,
        monotonic: Callable[[], float],
        wait: Wait,
    ) -> None:
        self._viewer = viewer
        self._past = past
        self._budget = budget
        self._monotonic = monotonic
        self._wait = wait
        self._requests: deque[ReplayRequest] = deque()
        self._wake = asyncio.Event()
        self._never = asyncio.Event()
        self._steps: AsyncIterator[Step] | None = None
        self._next: Step | None = None
        self._rests_until = 0.0
        self._skips_idle = opening.skip_idle
        self.task = asyncio.get_running_loop().create_task(self._run(opening))

    def take(self, request: ReplayRequest) -> None:
        """Raises `Overloaded`."""
        if len(self._requests) >= REQUESTS_MAX:
            raise Overloaded("these are too many at once", retry_after=0.5)
        self._requests.append(request)
        self._wake.set()

    async def _run(self, opening: OpenReplay) -> None:
        try:
            try:
                await self._open(opening)
            except ChronoscribeError as error:
                self._viewer.answer(opening.ref, error)
                return
            while True:
                await self._obey_all()
                seconds = await self._show_or_fail()
                await self._wait(self._wake, seconds)
                self._wake.clear()
        finally:
            await self._close_steps()

    async def _open(self, opening: OpenReplay) -> None:
        if opening.since is not None and opening.until is not None and opening.since > opening.until:
            raise BadFrame("this ends before it begins", field="from")
        since = None if opening.since is None else as_datetime(opening.since)
        until = None if opening.until is None else as_datetime(opening.until)
        begin = await self._past.begin(self._viewer.room, since, until)
        self._since, self._until, self._place = begin.since, begin.until, begin.place
        self._clock = PlayerClock(begin.since, opening.speed)
        told = {**as_begin(begin), "type": "replay_opened", "ref": opening.ref}
        self._viewer.answer(opening.ref, frame(**told, **self._state(begin.since)))

    def _state(self, at: int) -> dict[str, Any]:
        return {
            "at": at,
            "place": str(self._place),
            "playing": self._clock.is_playing,
            "speed": self._clock.speed,
        }

    # What is asked.

    async def _obey_all(self) -> None:
        while self._requests:
            request = self._requests.popleft()
            is_overtaken = isinstance(request, SeekReplay) and any(
                isinstance(later, SeekReplay) for later in self._requests
            )
            try:
                told = None if is_overtaken else await self._obey(request)
            except ChronoscribeError as error:
                self._viewer.answer(request.ref, error)
                continue
            self._viewer.answer(request.ref, frame(type="ok", ref=request.ref))
            if told is not None:
                await self._tell(**told)

    async def _obey(self, request: ReplayRequest) -> dict[str, Any] | None:
        """Do it; what there is to tell of it then."""
        now = self._monotonic()
        match request:
            case PlayReplay() | PauseReplay():
                self._clock.play(now, is_playing=isinstance(request, PlayReplay))
                return {}
            case SpeedReplay():
                self._clock.run(now, request.speed or self._clock.speed)
                if request.skip_idle is not None:
                    self._skips_idle = request.skip_idle
                return {}
            case SeekReplay():
                return await self._seek(request)
            case StepReplay():
                self._clock.play(now, is_playing=False)
                return await (self._forward(request.by) if request.by > 0 else self._back(-request.by))
            case OpenReplay() | CloseReplay():
                return None  # a matter of the players'
            case _:
                assert_never(request)

    async def _seek(self, request: SeekReplay) -> dict[str, Any]:
        if (request.place is None) == (request.at is None):
            raise BadFrame("either a time or a place", field="at")
        if request.place is not None:
            place = Place.parse(request.place)
            if not self._since <= place.at <= self._until:
                raise BadFrame("this is outside of the replay", field="place")
            return await self._go(place)
        assert request.at is not None
        return await self._go(as_datetime(min(max(self._since, request.at), self._until)))

    async def _go(self, where: datetime | Place) -> dict[str, Any]:
        stage = await self._past.stage(self._viewer.room, where)
        await self._close_steps()
        self._place = Place.parse(stage.place)
        self._clock.go(self._place.at, self._monotonic())
        return {"stage": as_stage(stage)}

    async def _forward(self, count: int) -> dict[str, Any]:
        steps: list[bytes] = []
        while len(steps) < count and (step := await self._peek()) is not None:
            if (told := self._show_next(step)) is not None:
                steps.append(told)
            self._clock.go(step.at, self._monotonic())
        return {"steps": fragments(steps)}

    async def _back(self, count: int) -> dict[str, Any]:
        """To where one had been before the last `count` steps."""
        since = max(self._since, self._place.at - BACK_MICROSECONDS)
        while True:
            shown = await self._shown_since(since, count + 1)
            if len(shown) > count:
                return await self._go(shown[0])
            if since == self._since:
                return await self._go(as_datetime(since))
            found = await self._past.last_before(self._viewer.room, as_datetime(since))
            before = self._since if found is None else as_microseconds(found)
            since = max(self._since, min(before, since) - BACK_MICROSECONDS)

    async def _shown_since(self, since: int, count: int) -> deque[Place]:
        """The places of the last `count` steps up to here that anything was told of."""
        shown: deque[Place] = deque(maxlen=count)
        here = self._place
        steps = self._past.steps(self._viewer.room, as_datetime(since), as_datetime(here.at))
        async for step in steps:
            if step.place.position > here.position or step.place.frame > here.frame:
                break
            if as_step(step) is not None:
                shown.append(step.place)
        await _close(steps)
        return shown

    # What is shown.

    async def _show_or_fail(self) -> float | None:
        try:
            return await self._show()
        except ChronoscribeError as error:
            await self._close_steps()
            self._clock.play(self._monotonic(), is_playing=False)
            await self._tell(error={"code": error.code, "message": error.message})
            return None

    async def _show(self) -> float | None:
        """Tell what is due. Returns in how many seconds there will be more, None when not by itself."""
        now = self._monotonic()
        if not self._clock.is_playing:
            return None
        if now < self._rests_until:
            return self._rests_until - now
        steps: list[bytes] = []
        events = size = 0
        at = min(self._clock.at(now), self._until)
        while (step := await self._peek()) is not None and step.at <= at:
            if events >= EVENTS_PER_FRAME or size >= FRAME_BYTES:
                at = step.at  # it runs no faster than this
                break
            if (told := self._show_next(step)) is not None:
                steps.append(told)
                size += len(told)
            events += len(step.events)
        pause = self._skip(step, at) if not steps and self._skips_idle else 0
        at += pause
        if step is None and at >= self._until:
            self._clock.play(now, is_playing=False)
        if steps or pause or not self._clock.is_playing:
            await self._tell(at=at, steps=fragments(steps))
        return self._rest(step, events)

    def _skip(self, following: Step | None, at: int) -> int:
        """How much is left out, since nothing comes for so long that nobody wants to wait for it."""
        due = self._until if following is None else following.at
        return max(0, due - at - self._clock.longest_pause)

    def _rest(self, following: Step | None, events: int) -> float | None:
        """How long nothing is told, as long as nothing is asked."""
        now = self._monotonic()
        self._rests_until = now + max(TELL_SECONDS, self._budget.pay(events, now))
        if not self._clock.is_playing:
            return None
        rest = self._rests_until - now
        if self._skips_idle and self._skip(following, self._clock.at(now)):
            return rest  # and is left out then
        due = self._until if following is None else following.at
        return max(rest, self._clock.seconds_until(due, now))

    async def _tell(self, *, at: int | None = None, **fields: Any) -> None:
        """Send it as soon as the viewer has read what was sent before. Until then the clock stands."""
        now = self._monotonic()
        at = min(self._clock.at(now), self._until) if at is None else at
        told = frame(type="replay", **self._state(at), **fields)
        while not self._viewer.tell(told):
            await self._wait(self._never, TELL_SECONDS)
        self._clock.go(at, self._monotonic())

    # Reading.

    async def _peek(self) -> Step | None:
        """The next step, None when there is no more."""
        if self._steps is None:
            since, until = as_datetime(self._since), as_datetime(self._until)
            self._steps = self._past.steps(self._viewer.room, since, until, after=self._place)
        if self._next is None:
            self._next = await anext(self._steps, None)
        return self._next

    def _show_next(self, step: Step) -> bytes | None:
        """It is shown now: as it is told."""
        self._next = None
        self._place = step.place
        told = as_step(step)
        return None if told is None else orjson.dumps(told)

    async def _close_steps(self) -> None:
        steps, self._steps, self._next = self._steps, None, None
        if steps is not None:
            await _close(steps)


async def _close(steps: AsyncIterator[Step]) -> None:
    close = getattr(steps, "aclose", None)
    if close is not None:
        await close()
