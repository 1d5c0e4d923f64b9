"""What there is to watch of a room: its activity, and its statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from interfaces.ws.wire import Frame, frame
from projections import activity, chat, statistics
from projections.activity import Line
from projections.statistics import RoomStatistics
from projections.telling import as_json

# The figures of the last hours are what changes while one looks; a year of days is asked for over HTTP.
STATISTICS_SPAN: Final = timedelta(hours=24)

# They are read whole, in some milliseconds, for each room that somebody watches.
STATISTICS_PAUSE_SECONDS: Final = 0.5


# Told at once: a page of what one has missed, some 50 KB.
LINES_MAX: Final = 200


class ActivityReader(Protocol):
    async def changed_after(self, room: str, position: int, limit: int) -> Sequence[Line]: ...


class StatisticsReader(Protocol):
    async def of_room(
        self, room: str, since: datetime | None = None, until: datetime | None = None
    ) -> RoomStatistics: ...


class ActivityFollowed:
    """A `LiveView`: lines of the activity, each again when something was folded into it."""

    projections = (activity.NAME, chat.NAME)  # the chat has the text of what was said
    pause_seconds = 0.0

    def __init__(self, reader: ActivityReader) -> None:
        self._reader = reader

    async def read(self, room: str, after: int, until: int) -> tuple[int, Sequence[Frame]]:
        """The lines that changed last, a page of them, in the order in which they did."""
        lines = await self._reader.changed_after(room, after, LINES_MAX)
        if not lines:
            return until, []
        reached = min(until, lines[-1].changed) if len(lines) == LINES_MAX else until
        told = frame(type="activity", position=reached, lines=[as_json(line) for line in lines])
        return reached, [told]


class StatisticsFollowed:
    """A `LiveView`: the statistics of the last day, and what has come together since the room was opened."""

    projections = (statistics.NAME,)
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
