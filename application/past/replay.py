"""Replay: a room's past shown again as it went on, on one clock (see `one_clock`), beginning with the stage
as it was then.

What was said in a message that is deleted by now is not said again, here as elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final, Generic, Protocol, TypeVar

from application.log import Recorded
from application.past.one_clock import CLOCKS_DIFFER as CLOCKS_DIFFER
from application.past.one_clock import (
    FRAMES_DIFFER,
    PAGE_EVENTS,
    OneClock,
    Present,
    ReplayLog,
    Texts,
    moves_of,
    silenced,
)
from application.past.one_clock import Mark as Mark
from application.past.one_clock import Place as Place
from application.past.one_clock import Step as Step
from domain.aggregate import Event
from domain.instants import as_datetime, as_microseconds
from domain.presence import FrameRecorded, Move, Typing

# As many messages as a stage shows.
MESSAGES: Final = 50

# What of the presence log is read to know what was shown at a moment: signs of typing hold for ten seconds,
# and frames are not quite in order.
_RECENT: Final = 3 * FRAMES_DIFFER

_MICROSECOND: Final = timedelta(microseconds=1)


class Scene(Protocol):
    """A stage, as far as it matters here: see `projections.stage.Stage`."""

    def advance(self, at: int, place: str) -> None: ...

    def put(self, name: str, revision: int, text: str, *, is_listed: bool) -> None: ...

    def take(self, position: int, event: Event) -> None: ...

    def show(self, node: str, moves: Sequence[Move], typing: Sequence[Typing]) -> None: ...

    @property
    def nodes(self) -> Sequence[str]: ...


AnyScene = TypeVar("AnyScene", bound=Scene)


@dataclass(frozen=True, slots=True)
class Begin(Generic[AnyScene]):
    """`events`: how many of the record will be shown; nobody has counted the cursors. `marks` are a moment
    behind the log.
    """

    room: str
    since: int
    until: int
    events: int
    marks: Sequence[Mark]
    stage: AnyScene
    place: Place
    """Where the first step follows."""


class Replay(Generic[AnyScene]):
    """Reads the past of rooms. Keeps nothing of it; several replays may be read at once. Everything raises
    `StoreUnavailable`, and `Corrupt` for what cannot be read.
    """

    def __init__(
        self, log: ReplayLog, new_stage: Callable[[], AnyScene], *, now: Callable[[], datetime]
    ) -> None:
        self._log = log
        self._new_stage = new_stage
        self._now = now

    async def begin(
        self,
        room: str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        after: Place | None = None,
    ) -> Begin[AnyScene]:
        """What a replay from `since` (the room's beginning) until `until` (now) begins with. With `after` it
        goes on from there.
        """
        since = await self._within(room, since)
        until = max(since, min(until or self._now(), self._now()))
        first = await self._log.position_at(room, since)
        last = await self._log.position_at(room, until)
        place = after or await self._place_at(room, since)
        return Begin(
            room=room,
            since=as_microseconds(since),
            until=as_microseconds(until),
            events=await self._log.count(room, place.position, last),
            marks=await self._log.marks(room, first, last),
            stage=await self._stage(room, place),
            place=place,
        )

    async def stage(self, room: str, at: datetime | Place | None = None) -> AnyScene:
        """The whole room at a moment, or at a place that was told; None: now."""
        if not isinstance(at, Place):
            at = await self._place_at(room, await self._within(room, at or self._now()))
        return await self._stage(room, at)

    async def stage_behind(self, room: str, position: int) -> AnyScene:
        """The whole room as it was when the event of this notification id had just been shown. Of its moment,
        what comes later in the record is not, nor what cursors did.
        """
        at = await self._log.clock_at(room, position)
        if at is None:
            return await self._stage(room, Place(0, 0, 0))
        before = await self._shown(room, at - _MICROSECOND, position)
        return await self._stage(room, Place(as_microseconds(at), position, before))

    async def steps(
        self, room: str, since: datetime, until: datetime, *, after: Place | None = None
    ) -> AsyncIterator[Step]:
        """What was shown behind `since`, or behind the place `after`, and not behind `until`."""
        place = after or await self._place_at(room, await self._within(room, since))
        until = min(until, self._now())
        end = await self._log.position_at(room, until)
        async for step in OneClock(self._log, room, place, end, as_microseconds(until)).steps():
            yield step

    async def last_before(self, room: str, at: datetime) -> datetime | None:
        """About when something was shown last, at that moment or before it; None before the beginning."""
        event = await self._log.clock_at(room, await self._log.position_at(room, at))
        frame = await self._log.last_frame(room, at)
        return max((found for found in (event, frame) if found is not None), default=None)

    # A moment.

    async def _within(self, room: str, at: datetime | None) -> datetime:
        """The moment, but none before the room's beginning or in the future. None: just before it began."""
        beginning = (await self._log.beginning(room) or self._now()) - _MICROSECOND
        return beginning if at is None else min(max(beginning, at), self._now())

    async def _place_at(self, room: str, at: datetime) -> Place:
        position = await self._log.position_at(room, at)
        return Place(as_microseconds(at), position, await self._shown(room, at, position))

    async def _shown(self, room: str, at: datetime, position: int) -> int:
        """Which frame was the last to be shown at a moment, when the record had come to `position`."""
        frames = await self._recent(room, at)
        behind = min((each.position for each in frames if each.event.timestamp > at), default=None)
        texts = Texts(self._log, room, await self._log.revisions(room, position))
        shown, clock = 0, None
        for each in sorted(frames, key=lambda each: each.position):
            if behind is not None and each.position >= behind:
                break
            clock = max(clock or each.event.timestamp, each.event.timestamp)
            if clock + FRAMES_DIFFER > at and texts.is_ahead(moves_of(each.event)):
                break  # it waits for an edit
            shown = each.position
        return shown

    async def _recent(self, room: str, at: datetime) -> list[Recorded]:
        """The frames of about a moment, by time."""
        found: list[Recorded] = []
        since, until, after = at - _RECENT, at + FRAMES_DIFFER, 0
        while True:
            page = await self._log.frames(room, since, until, after=after, limit=PAGE_EVENTS)
            found += page
            if len(page) < PAGE_EVENTS:
                return found
            since, after = page[-1].event.timestamp, page[-1].position

    # A stage.

    async def _stage(self, room: str, place: Place) -> AnyScene:
        stage = self._new_stage()
        async for text in self._log.documents(room, place.position):
            stage.put(text.name, text.revision, text.text, is_listed=text.is_listed)
        at = as_datetime(place.at)
        present = Present()
        for each in await self._log.stays(room, at, place.position):
            present.take(each.event)
            stage.take(each.position, each.event)
        looks = await self._looks(present.users, room, at, place.position)
        messages = await self._log.messages(room, place.position, MESSAGES)
        for each in (*looks, *await silenced(self._log, messages)):
            stage.take(each.position, each.event)
        if stage.nodes:
            await self._show_cursors(stage, room, at, place)
        stage.advance(place.at, str(place))
        return stage

    async def _looks(self, users: set[str], room: str, at: datetime, position: int) -> list[Recorded]:
        """Of those who are here: how they looked, and what of it was shown to change since the last event."""
        if not users:
            return []
        looks = await self._log.looks(users, position)
        following = await self._log.following(room, position)
        changes = await self._log.profiles(users, position, following - 1)
        return [*looks, *takewhile(lambda each: each.event.timestamp <= at, changes)]

    async def _show_cursors(self, stage: AnyScene, room: str, at: datetime, place: Place) -> None:
        """Where the cursors stood, by the last keyframe of each node and what followed it, and who typed.
        Frames so old have all been shown; of the younger ones those up to the place.
        """
        older = await self._log.keyframes(room, stage.nodes, at - 2 * FRAMES_DIFFER)
        younger = [each for each in await self._recent(room, at) if each.position <= place.frame]
        found = {each.position: each.event for each in (*older, *younger)}
        events = [event for _, event in sorted(found.items())]
        moves: defaultdict[str, dict[tuple[str, str], Move]] = defaultdict(dict)
        typing: defaultdict[str, list[Typing]] = defaultdict(list)
        for event in events:
            moves[event.actor] |= {(str(move[0]), str(move[1])): move for move in moves_of(event)}
            if isinstance(event, FrameRecorded):
                typing[event.actor] += event.typing
        texts = Texts(self._log, room, await self._log.revisions(room, place.position))
        for node, of_node in moves.items():
            stage.show(node, await texts.bring_up(of_node.values()), typing[node])
