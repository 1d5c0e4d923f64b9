"""What a report counts, of rooms that are made for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.aggregate import Event
from domain.attendance import Appearance, Attendance
from domain.document import Document
from domain.ids import SERVER
from domain.message import Message
from domain.revisions import Revisions
from domain.rights import Role
from domain.room import Room
from domain.run import Outcome, Run
from domain.text_op import Op
from projections.report import RoomReport, Together, at_once, bucket_for, present_seconds, union
from tests.domain.events import NOON, edit, later

ROOM = "demo"


def report_of(*events: Event, since: float = 0, until: float = 3600) -> RoomReport:
    report = RoomReport(ROOM, later(since), later(until))
    for event in events:
        report.add(event)
    return report


def edits(*made: tuple[str, float], name: str = "main.md") -> list[Event]:
    """Who has put an x in front, and when."""
    document = Document.create(ROOM, name, actor="ada", at=NOON)
    seqs: dict[str, int] = {}
    for number, (who, at) in enumerate(made):
        seqs[who] = seqs.get(who, 0) + 1
        document.edit(edit(f"{who}-1", seqs[who], number, ["x"]), actor=who, at=later(at))
    return [event for event in document.collect_events() if isinstance(event, Event)]


def message(
    name: str, who: str, at: float, reply_to: str | None = None, mentions: tuple[str, ...] = ()
) -> Event:
    said = Message.post(
        ROOM,
        name,
        client=f"{who}-1",
        text="Hello",
        documents={},
        reply_to=reply_to,
        mentions=list(mentions),
        link=None,
        actor=who,
        at=later(at),
    )
    [event] = said.collect_events()
    assert isinstance(event, Event)
    return event


def stay(who: str, name: str, since: float, until: float | None) -> list[Event]:
    here = Attendance.join(
        ROOM, name, client=name, node="n", appearance=Appearance(who, "#4c75f0"), actor=who, at=later(since)
    )
    if until is not None:
        here.leave("left", actor=who, at=later(until))
    return [event for event in here.collect_events() if isinstance(event, Event)]


def test_people_who_edit_one_document_within_minutes_work_together() -> None:
    report = report_of(
        *edits(("ada", 1), ("ben", 100), ("ada", 110), ("ben", 900)), *edits(("cem", 120), name="b.md")
    )
    assert report.together == {("ada", "ben"): Together(edits=2)}


def test_replies_and_mentions_count_for_two_and_not_for_oneself() -> None:
    report = report_of(
        message("m1", "ada", 1),
        message("m2", "ben", 2, reply_to="m1", mentions=("cem", "ben")),
        message("m3", "ada", 3, reply_to="m1"),
        message("m4", "ada", 4, reply_to="lost"),
    )
    assert report.together == {("ada", "ben"): Together(replies=1), ("ben", "cem"): Together(mentions=1)}
    assert report.responses_of().total() == report.responses_of("ben").total() == 1


def test_only_what_happened_in_the_span_is_counted_and_the_text_is_that_of_all() -> None:
    report = report_of(*edits(("ada", 1), ("ben", 100), ("ada", 200)), since=100, until=200)
    work = report.documents["main.md"]
    assert (work.edits, work.inserted) == ({"ben": 1}, 1)
    assert [(line.text, line.touches) for line in work.heat] == [("xxx", {"ben": 1})]
    assert report.people == {"ben"}
    assert report.events == report.counts["ben"].document_edits == 1


def test_a_message_before_the_span_can_be_answered_in_it() -> None:
    report = report_of(message("m1", "ada", 1), message("m2", "ben", 61, reply_to="m1"), since=60)
    assert report.together == {("ada", "ben"): Together(replies=1)}
    assert (report.counts["ben"].replies, "ada" in report.counts) == (1, False)


def test_stays_of_one_person_are_one_time_and_end_with_the_span() -> None:
    report = report_of(
        *stay("ada", "s1", 100, 300),
        *stay("ada", "s2", 200, 400),
        *stay("ben", "s3", -50, 250),
        *stay("cem", "s4", 3500, None),
        *stay("dee", "s5", -50, -20),
        *stay("eve", "s6", 10, 20)[1:],
    )
    seconds = {who: present_seconds(spans) for who, spans in report.stays.items()}
    assert seconds == {"ada": 300, "ben": 250, "cem": 100}
    assert at_once(report.stays.values()) == 2


def test_room_revisions_and_runs_are_told() -> None:
    room = Room.open(ROOM, "Old", actor=SERVER, at=later(1), everyone=Role.EDITOR)
    room.list_document("main.md", actor="ada", at=later(2))
    room.unlist_document("main.md", actor="ada", at=later(3))
    room.rename("New", actor=SERVER, at=later(4))
    revisions = Revisions.begin(ROOM, "main.md", actor="ada", at=later(5))
    revisions.save(3, None, actor="ada", at=later(6))
    revisions.save(3, "done", actor="ada", at=later(7))
    run = Run.start(
        ROOM, "r1", client="c", title="test", document=None, revision=None, actor="ada", at=later(8)
    )
    run.finish(Outcome.PASSED, 0, client="c", actor="ada", at=later(9))
    events = [event for aggregate in (room, revisions, run) for event in aggregate.collect_events()]
    report = report_of(*(event for event in events if isinstance(event, Event)))
    assert (report.title, report.documents["main.md"].is_listed) == ("New", False)
    assert (report.saves, [moment.name for moment in report.moments]) == (2, ["done"])
    assert report.runs == {"passed": 1}
    assert report.people == {"ada"}


def test_deleted_text_is_counted_with_its_text_and_without() -> None:
    document = Document.create(ROOM, "main.md", actor="ada", at=NOON)
    ops: list[Op] = [["abcdef"], [{"d": 2}], [{"d": "cd"}]]
    for number, op in enumerate(ops):
        document.edit(edit("c", number + 1, number, op), actor="ada", at=later(number))
    events = [event for event in document.collect_events() if isinstance(event, Event)]
    vars(events[2])["op"] = [{"d": 2}]  # as the first servers stored it
    assert report_of(*events).documents["main.md"].deleted == 4


@pytest.mark.parametrize("seconds", [1, 59, 3600, 86_400 * 90, 86_400 * 36_500])
def test_a_plot_has_as_many_columns_as_can_be_told_apart(seconds: int) -> None:
    assert timedelta(seconds=seconds) / bucket_for(timedelta(seconds=seconds)) <= 80


def test_spans_with_no_more_than_a_gap_between_them_are_one() -> None:
    spans = [(later(0), later(1)), (later(3), later(4)), (later(9), later(10))]
    assert union(spans, timedelta(seconds=2)) == [(later(0), later(4)), (later(9), later(10))]
