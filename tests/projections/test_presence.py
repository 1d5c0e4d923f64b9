"""Who was here and what they edited, as the fold of one page tells it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import given

from domain.aggregate import Event
from domain.attendance import Appearance, Attendance, Status
from domain.document import Document
from projections.presence import CountedEdit, Doing, edits, stays
from projections.spans import Chain, Span
from tests.domain.events import NOON, collect, edit, later
from tests.projections.histories import ROOMS, USERS, Place, edits_of, histories, moments_of, places_at


def a_stay() -> Attendance:
    stay = Attendance.join(
        "demo",
        "s1",
        client="ada-1",
        node="node-1",
        appearance=Appearance("Ada", "#4c75f0"),
        actor="ada",
        at=NOON,
    )
    stay.change_status(Status.EDITING, "derived", actor="@server", at=later(1))
    stay.leave("lost", actor="@server", at=later(2))
    return stay


def places_told_at(chains: Mapping[tuple[str, str], Chain[Doing]], room: str, moment: datetime) -> set[Place]:
    """What the spans of a page that is the whole log say."""
    found = set()
    for (where, session), chain in chains.items():
        for span in chain.spans:
            if where == room and span.since <= moment and (span.until is None or moment < span.until):
                user = chain.spans[0].value.user
                assert user is not None
                found.add(Place(session, user, span.value.status))
    return found


@given(histories())
def test_who_was_here_is_told_for_every_moment(log: list[Event]) -> None:
    chains = stays(log)
    for room in ROOMS:
        for moment in moments_of(log):
            assert places_told_at(chains, room, moment) == places_at(log, room, moment)


def test_a_stay_has_a_span_for_each_status() -> None:
    assert stays(collect(a_stay())) == {
        ("demo", "s1"): Chain(
            1,
            NOON,
            (
                Span(1, NOON, later(1), Doing("idle", "ada-1", "ada")),
                Span(2, later(1), later(2), Doing("editing", "ada-1", "ada")),
            ),
        )
    }


def test_a_page_that_begins_later_leaves_open_whose_stay_it_is() -> None:
    _, changed, left = collect(a_stay())
    assert stays([changed])["demo", "s1"].spans == (Span(2, later(1), None, Doing("editing", "ada-1", None)),)
    assert stays([left]) == {("demo", "s1"): Chain(3, later(2), ())}


@given(histories())
def test_every_edit_is_counted_once_with_its_characters(log: list[Event]) -> None:
    counted = list(edits(enumerate(log, 1)))
    for room in ROOMS:
        for user in USERS:
            mine = [count for count in counted if (count.room, count.user) == (room, user)]
            made = edits_of(log, room, user)
            assert [count.day for count in mine] == [event.timestamp.date() for event in made]
            assert [log[count.position - 1] for count in mine] == made
            for count, event in zip(mine, made, strict=True):
                assert (count.inserted, count.deleted) == _characters(event.op)


def _characters(op: Any) -> tuple[int, int]:
    inserted = "".join(component for component in op if isinstance(component, str))
    deleted = "".join(component["d"] for component in op if isinstance(component, dict))
    return len(inserted), len(deleted)


def test_characters_are_code_points_and_days_are_of_utc() -> None:
    document = Document.create("demo", "main.md", actor="ada", at=NOON)
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    east = timezone(timedelta(hours=14))
    document.edit(edit("c", 1, 0, ["a😀é"]), actor="ada", at=midnight - timedelta(microseconds=1))
    document.edit(edit("c", 2, 1, [1, {"d": 2}, "x"]), actor="ben", at=midnight.astimezone(east))
    assert list(edits(enumerate(collect(document), 4))) == [
        CountedEdit(5, "demo", "ada", date(2026, 11, 23), 3, 0),
        CountedEdit(6, "demo", "ben", date(2026, 11, 24), 1, 2),
    ]
