"""A room's past that is in memory: steps, and the stages that they lead to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from application.log import Recorded
from application.past.replay import Begin, Place, Step
from domain.aggregate import Event
from domain.instants import as_datetime, as_microseconds
from projections.stage import Stage


class FakePast:
    """What happened, each event at its time, one step each."""

    def __init__(self, events: Sequence[tuple[int, Event]] = (), since: int = 0, until: int = 0) -> None:
        self.since = since
        self.until = until
        self.steps_read = 0
        self.open_readers = 0
        self.error: Exception | None = None
        self._steps = [
            Step(at, Place(at, position, 0), [Recorded(position, event)])
            for position, (at, event) in enumerate(events, 1)
        ]

    def _upto(self, place: Place) -> list[Step]:
        return [step for step in self._steps if step.place.position <= place.position]

    def _place(self, at: int) -> Place:
        return Place(at, sum(step.at <= at for step in self._steps), 0)

    async def begin(
        self, room: str, since: datetime | None = None, until: datetime | None = None
    ) -> Begin[Stage]:
        if self.error is not None:
            raise self.error
        first = self.since if since is None else as_microseconds(since)
        last = self.until if until is None else as_microseconds(until)
        place = self._place(first)
        return Begin(room, first, last, len(self._steps), [], await self.stage(room, place), place)

    async def stage(self, room: str, at: datetime | Place | None = None) -> Stage:
        assert at is not None
        place = at if isinstance(at, Place) else self._place(as_microseconds(at))
        stage = Stage()
        for step in self._upto(place):
            for recorded in step.events:
                stage.take(recorded.position, recorded.event)
        stage.advance(place.at, str(place))
        return stage

    async def steps(
        self, room: str, since: datetime, until: datetime, *, after: Place | None = None
    ) -> AsyncIterator[Step]:
        place = after or self._place(as_microseconds(since))
        self.open_readers += 1
        try:
            for step in self._steps[len(self._upto(place)) :]:
                if self.error is not None:
                    raise self.error
                if step.at > as_microseconds(until):
                    return
                self.steps_read += 1
                yield step
        finally:
            self.open_readers -= 1

    async def last_before(self, room: str, at: datetime) -> datetime | None:
        moments = [step.at for step in self._steps if step.at <= as_microseconds(at)]
        return as_datetime(moments[-1]) if moments else None
