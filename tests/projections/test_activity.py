"""What went on in a room, as the fold tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from domain.aggregate import Event
from domain.attendance import Appearance, Attendance
from domain.document import Document
from domain.rights import Role
from domain.room import Room
from domain.run import Outcome, Run
from projections.activity import Fold, Line, Place, stays
from tests.domain.events import NOON, collect, edit, later
from tests.projections.lives import Row, lives, recount


def row_of(line: Line) -> Row:
    """A line as the recount has it."""
    return (
        line.room,
        line.id,
        line.changed,
        line.kind.value,
        line.user,
        line.document,
        line.message,
        line.at,
        line.until,
        dict(line.details),
    )


def folded(log: Sequence[Event]) -> dict[int, Line]:
    """The lines of a page that is the whole log."""
    fold = Fold()
    for position, event in enumerate(log, 1):
        fold.take(position, event)
    return fold.lines


@given(lives())
def test_lines_are_those_of_a_plain_recount(log: list[Event]) -> None:
    assert sorted(map(row_of, folded(log).values())) == recount(log)


@given(lives(), st.integers(1, 30), st.sampled_from([0, 1, 3, 30]))
def test_pages_and_what_is_taken_twice_change_nothing(log: list[Event], page: int, again: int) -> None:
    """Each page knows no more than it asks for."""
    lines: dict[int, Line] = {}
    places: dict[tuple[str, str], Place] = {}
    numbered = list(enumerate(log, 1))
    for start in range(0, len(log), page):
        for part in (
            numbered[start : start + page],
            numbered[max(start, start + page - again) : start + page],
        ):
            events = [event for _, event in part]
            fold = Fold(_asked_for(places, events))
            chains = fold.chains(events)
            latest = {(line.room, line.chain): line for _, line in sorted(lines.items())}
            fold.begin(latest[chain] for chain in chains if chain in latest)
            for position, event in part:
                fold.take(position, event)
            for number, line in fold.lines.items():
                if number not in lines or lines[number].changed < line.changed:
                    lines[number] = line
            places |= fold.places
    assert lines == folded(log)


def _asked_for(places: Mapping[tuple[str, str], Place], events: Sequence[Event]) -> list[Place]:
    """The stays of the page, and what their users have open."""
    asked = list(stays(events))
    named = [places[room, session] for room, session, _ in asked if (room, session) in places]
    people = {(place.room, place.user) for place in named} | {(room, user) for room, _, user in asked}
    is_open = [place for place in places.values() if place.is_here and (place.room, place.user) in people]
    return [*named, *is_open]


# By example.


def typed(*seconds: float) -> list[Event]:
    document = Document.create("demo", "main.md", actor="ada", at=NOON)
    for seq, at in enumerate(seconds, 1):
        document.edit(edit("c", seq, seq - 1, ["ab"]), actor="ada", at=later(at))
    return collect(document)


def spans(events: Sequence[Event]) -> list[tuple[int, float, float]]:
    """Edits of each line, with the seconds from when until when."""
    return [
        (
            line.details["edits"],
            (line.at - NOON).total_seconds(),
            (line.until - NOON).total_seconds(),
        )
        for line in folded(events).values()
    ]


def test_an_edit_goes_on_with_a_burst_for_a_minute_after_its_last_edit() -> None:
    assert spans(typed(0, 60, 120, 180.001)) == [(3, 0, 120), (1, 180.001, 180.001)]


def test_a_burst_is_no_longer_than_ten_minutes() -> None:
    assert spans(typed(*range(0, 660, 50))) == [(13, 0, 600), (1, 650, 650)]
    assert spans(typed(*range(1, 600, 50), 601)) == [(13, 1, 601)]
    assert spans(typed(*range(1, 600, 50), 601.001)) == [(12, 1, 551), (1, 601.001, 601.001)]


def test_a_clock_that_goes_back_far_begins_another_line_and_a_little_does_no_harm() -> None:
    assert spans(typed(100, 50, 40, 101)) == [(4, 100, 101)]
    assert spans(typed(1000, 0, 1)) == [(1, 1000, 1000), (2, 0, 1)]


def test_an_old_part_of_a_page_that_is_taken_again_begins_no_line() -> None:
    events = typed(0, 1, 2, 1000, 1001)
    whole = folded(events)
    again = Fold()
    again.begin([list(whole.values())[-1]])
    for position, event in list(enumerate(events, 1))[2:5]:
        again.take(position, event)
    assert again.lines == {}


def test_what_was_undone_and_what_was_restored_are_lines_of_their_own() -> None:
    document = Document.create("demo", "main.md", actor="ada", at=NOON)
    causes = ["typed", "undo", "undo", "restore", "restore", "redo", "typed"]
    for seq, cause in enumerate(causes, 1):
        document.edit(edit("c", seq, seq - 1, ["a"]), actor="ada", at=later(seq), cause=cause)
    told = [(line.kind, line.details["edits"]) for line in folded(collect(document)).values()]
    assert told == [("edited", 2), ("undone", 2), ("restored", 1), ("restored", 1), ("edited", 1)]


def test_what_began_before_all_that_can_be_read_is_not_told() -> None:
    stay = Attendance.join(
        "demo",
        "s1",
        client="ada-1",
        node="node-1",
        appearance=Appearance("Ada", "#4c75f0"),
        actor="ada",
        at=NOON,
    )
    stay.leave("left", actor="ada", at=later(1))
    run = Run.start(
        "demo", "r1", client="c", title="tests", document=None, revision=None, actor="ada", at=NOON
    )
    run.finish(Outcome.PASSED, 0, client="c", actor="ada", at=later(1))
    room = Room.open("demo", "Demo", actor="ada", at=NOON)
    room.rename("New", actor="ada", at=later(1))
    room.change_access(Role.VIEWER, actor="ada", at=later(2))
    told = folded([collect(stay)[1], collect(run)[1], *collect(room)[1:]])
    assert [(line.kind, line.details) for line in told.values()] == [
        ("renamed", {"title": "New", "from": None}),
        ("access_changed", {"everyone": "viewer", "from": None}),
    ]
