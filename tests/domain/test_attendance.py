"""Stays of clients in rooms."""

from __future__ import annotations

from domain.attendance import Attendance, Joined, Left
from tests.domain.events import NOON, collect, fold, later


def a_stay() -> Attendance:
    return Attendance.join("demo", "s1", client="ada-1", node="node-1", actor="Ada", at=NOON)


def test_a_stay_begins_with_who_came_where_and_over_which_node() -> None:
    [joined] = collect(a_stay())
    assert isinstance(joined, Joined)
    assert (joined.originator_id, joined.originator_version) == ("attendance:demo/s1", 1)
    assert (joined.room, joined.session, joined.client) == ("demo", "s1", "ada-1")
    assert (joined.node, joined.actor, joined.timestamp) == ("node-1", "Ada", NOON)


def test_a_stay_ends_with_a_reason() -> None:
    stay = a_stay()
    collect(stay)
    stay.leave("lost", actor="Ada", at=later())
    [left] = collect(stay)
    assert isinstance(left, Left)
    assert (left.client, left.reason, left.originator_version) == ("ada-1", "lost", 2)


def test_a_stay_ends_once() -> None:
    stay = a_stay()
    stay.leave("left", actor="Ada", at=later())
    events = collect(stay)
    for ended in (stay, fold(events)):
        ended.leave("lost", actor="Ada", at=later())
        assert collect(ended) == []
