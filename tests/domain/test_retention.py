"""What leaves a log."""

from __future__ import annotations

from datetime import date

from domain.aggregate import Event
from domain.retention import DayDropped, Retention, RetentionBegun
from tests.domain.events import NOON, collect, fold, later


def a_retention() -> Retention:
    return Retention.begin("presence", actor="@server", at=NOON)


def drop(retention: Retention, day: date, events: int = 7) -> list[Event]:
    retention.drop(day, events, kept_days=30, actor="@server", at=later())
    return collect(retention)


def test_a_log_has_one_stream_of_what_left_it() -> None:
    [begun] = collect(a_retention())
    assert isinstance(begun, RetentionBegun)
    assert (begun.originator_id, begun.log, begun.actor) == ("retention:/presence", "presence", "@server")


def test_a_day_that_is_dropped_is_told_with_what_was_in_it_and_why() -> None:
    retention = a_retention()
    collect(retention)
    [dropped] = drop(retention, date(2026, 10, 9))
    assert isinstance(dropped, DayDropped)
    assert (dropped.day, dropped.events, dropped.kept_days) == ("2026-10-09", 7, 30)
    assert (dropped.actor, dropped.timestamp) == ("@server", later())


def test_a_day_is_dropped_once_however_much_is_found_of_it() -> None:
    retention = a_retention()
    events = collect(retention) + drop(retention, date(2026, 10, 9))
    for found in (retention, fold(events)):
        assert drop(found, date(2026, 10, 9), events=3) == []


def test_days_go_in_their_order() -> None:
    retention = a_retention()
    collect(retention)
    for day in (date(2026, 9, 30), date(2026, 10, 1), date(2027, 1, 1)):
        assert len(drop(retention, day)) == 1
        assert retention.dropped_until == day.isoformat()
    assert drop(retention, date(2026, 12, 31)) == []


def test_reading_days_in_another_order_forgets_none() -> None:
    retention = a_retention()
    events = collect(retention) + drop(retention, date(2026, 10, 9)) + drop(retention, date(2026, 10, 10))
    first, older, newer = events
    retention = fold([first])
    for event in (newer, older):
        assert isinstance(event, DayDropped)
        event.apply(retention)
    assert retention.dropped_until == "2026-10-10"
