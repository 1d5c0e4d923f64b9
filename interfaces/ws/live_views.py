"""Projections for those who watch them: what a table says of a room, told again when it has changed.

A subscriber gets what the table has, and nothing else: there is no second way of folding events that could
say something different, and it is the same on every node, whichever of them keeps the table. The record's
feed says that there may be something new in a room; how far the table has come by then is asked of its
tracking, and asked again until it has caught up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from application.log import Recorded
from domain.errors import ChronoscribeError, StoreUnavailable
from domain.ids import parse_stream
from interfaces.ws.wire import Frame

logger = logging.getLogger(__name__)

# How often the tables are looked at while something is new. Together with the time that a projection lets
# events gather, a change is seen within half a second.
LOOK_SECONDS: Final = 0.25


class Subscriber(Protocol):
    """A session, as it is seen here."""

    def push(self, frame: Frame) -> None: ...


class LiveView(Protocol):
    """A projection that can be watched."""

    @property
    def projections(self) -> Sequence[str]:
        """Whose tables are read, by their names in the tracking. One that is behind is waited for: what was
        told without it would not be told again when it comes.
        """
        ...

    @property
    def pause_seconds(self) -> float:
        """How long it is left alone after it was read: what is read whole each time must not be read all the
        time.
        """
        ...

    async def read(self, room: str, after: int, until: int) -> tuple[int, Sequence[Frame]]:
        """What has changed in `room` behind position `after`; and up to which position that is all of it,
        which is `until`, where the tables are at least, unless there is too much to be told at once. What is
        behind `until` may be told as well, and once more later. Raises `StoreUnavailable`.
        """
        ...


class HasPosition(Protocol):
    @property
    def position(self) -> int: ...


class Standings(Protocol):
    async def find(self) -> Mapping[str, HasPosition] | None:
        """How far each projection has read, by name; None when that is not known now."""
        ...


@dataclass(slots=True)
class Watched:
    """One view of one room, with who watches it here. `told` is up to where they were told, `due` the newest
    event that they may not have been told of.
    """

    view: LiveView
    room: str
    told: int
    due: int = 0
    rests_until: float = 0.0
    subscribers: set[Subscriber] = field(default_factory=set)


class LiveViews:
    """All that is watched on this node. `run` is its one task. Follows the record's feed."""

    def __init__(
        self, standings: Standings, views: Mapping[str, LiveView], *, look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._standings = standings
        self._views = views
        self._look_seconds = look_seconds
        self._watched: dict[tuple[str, str], Watched] = {}
        self._wake = asyncio.Event()
        self._position = 0
        """Up to where the feed has come, which the tables may not have yet."""

    def on_events(self, batch: Sequence[Recorded]) -> None:
        """Called by the feed."""
        self._position = batch[-1].position
        if not self._watched:
            return
        newest = {parse_stream(recorded.event.originator_id).room: recorded.position for recorded in batch}
        for watched in self._watched.values():
            if watched.room in newest:
                watched.due = newest[watched.room]
                self._wake.set()

    async def subscribe(self, subscriber: Subscriber, room: str, name: str, after: int | None) -> None:
        """From here on `subscriber` is told what changes; first, what has changed behind `after`, if it is
        given. Raises `StoreUnavailable`.
        """
        view = self._views[name]
        reached = await self._reached(view)
        watched = self._watched.get((room, name))
        if watched is None:
            watched = self._watched[room, name] = Watched(view, room, told=reached, due=self._position)
            self._wake.set()
        watched.subscribers.add(subscriber)
        # From here on nothing is missed; what comes twice is the newer one twice.
        while after is not None and after < reached:
            try:
                after, frames = await view.read(room, after, reached)
            except ChronoscribeError:
                self.unsubscribe(subscriber, room, name)
                raise
            for frame in frames:
                subscriber.push(frame)

    async def _reached(self, view: LiveView) -> int:
        standings = await self._standings.find()
        if standings is None:
            raise StoreUnavailable("it is not known how far this has been read", retry_after=1.0)
        return _reached(view, standings)

    def unsubscribe(self, subscriber: Subscriber, room: str, name: str) -> None:
        """Once is enough."""
        watched = self._watched.get((room, name))
        if watched is not None:
            watched.subscribers.discard(subscriber)
            if not watched.subscribers:
                del self._watched[room, name]

    def leave(self, subscriber: Subscriber, room: str) -> None:
        """`subscriber` is gone."""
        for name in self._views:
            self.unsubscribe(subscriber, room, name)

    async def run(self) -> None:
        """Tell, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(self._look_seconds)
            await self._look()

    async def _look(self) -> None:
        due = [watched for watched in self._watched.values() if watched.due > watched.told]
        now = asyncio.get_running_loop().time()
        standings = (await self._standings.find() or {}) if due else {}
        for watched in due:
            reached = _reached(watched.view, standings)
            if reached > watched.told and now >= watched.rests_until:
                watched.rests_until = now + watched.view.pause_seconds
                await self._tell(watched, reached)
        if any(watched.due > watched.told for watched in due):
            self._wake.set()

    async def _tell(self, watched: Watched, until: int) -> None:
        try:
            watched.told, frames = await watched.view.read(watched.room, watched.told, until)
        except ChronoscribeError as error:
            logger.warning("who watches %s is told later: %s", watched.view.projections[0], error)
            return
        for frame in frames:
            for subscriber in tuple(watched.subscribers):
                subscriber.push(frame)


def _reached(view: LiveView, standings: Mapping[str, HasPosition]) -> int:
    """Up to where all its tables have read."""
    return min(standings[name].position if name in standings else 0 for name in view.projections)
