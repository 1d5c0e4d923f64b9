"""What there is to watch of a room: its activity, and its statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from interfaces.ws.wire import Frame, frame
from projections import statistics
from projections.statistics import RoomStatistics

# The figures of the last hours are what changes while one looks; a year of days is asked for over HTTP.
STATISTICS_SPAN: Final = timedelta(hours=24)

# They are read whole, in some milliseconds, for each room that somebody watches.
STATISTICS_PAUSE_SECONDS: Final = 0.5


class StatisticsReader(Protocol):
    async def of_room(
        self, room: str, since: datetime | None = None, until: datetime | None = None
    ) -> RoomStatistics: ...


class StatisticsFollowed:
    """A `LiveView`: the statistics of the last day, and what has come together since the room was opened."""

    projection = statistics.NAME
    pause_seconds = STATISTICS_PAUSE_SECONDS

    def __init__(self, reader: StatisticsReader, now: Callable[[], datetime]) -> None:
        self._reader = reader
        self._now = now

    async def read(self, room: str, after: int, until: int) -> tuple[int, Sequence[Frame]]:
        """Always all of it, whatever `after`."""
        del after
        day = statistics.as_json(await self._reader.of_room(room, self._now() - STATISTICS_SPAN))
        ever = statistics.as_json(await self._reader.of_room(room))
        told = frame(type="statistics", position=until, day=day, ever=_in_all(ever))
        return until, [told]


def _in_all(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("totals", "people", "emoji", "words", "response_times")}
