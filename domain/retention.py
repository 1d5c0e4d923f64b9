"""What was let go of a log when its time was over: the only way in which anything leaves it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.ids import retention_stream


class RetentionBegun(InitialEvent):
    TOPIC = "retention.begun"
    log: str


class DayDropped(Event):
    """All events of one day (UTC, ISO 8601) are removed, `events` of them, since they are kept for
    `kept_days`. Said before it is done: whoever finds the day still there goes on.
    """

    TOPIC = "retention.day_dropped"
    day: str
    events: int
    kept_days: int

    def apply(self, aggregate: Retention) -> None:
        aggregate.dropped_until = max(aggregate.dropped_until, self.day)


class Retention(Aggregate):
    TOPIC = "retention"

    def __init__(self, log: str) -> None:
        self.log = log
        self.dropped_until = ""
        """The youngest day that was dropped, in ISO 8601, which sorts as days do."""

    @classmethod
    def begin(cls, log: str, *, actor: str, at: datetime) -> Self:
        return cls._create(RetentionBegun, id=retention_stream(log), timestamp=at, actor=actor, log=log)

    def drop(self, day: date, events: int, *, kept_days: int, actor: str, at: datetime) -> None:
        """Say that a day is dropped; once is enough."""
        if day.isoformat() > self.dropped_until:
            self.trigger_event(
                DayDropped,
                timestamp=at,
                actor=actor,
                day=day.isoformat(),
                events=events,
                kept_days=kept_days,
            )


register_topic(Retention.TOPIC, Retention)
