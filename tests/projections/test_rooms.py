"""The rooms, as the fold of one page tells them."""

from __future__ import annotations

from hypothesis import given

from domain.aggregate import Event
from domain.ids import room_stream
from domain.rights import Role
from domain.room import Room
from projections.rooms import RoomChange, RoomEntry, changes
from tests.domain.events import NOON, collect, fold, later
from tests.projections.histories import ROOMS, histories


def a_room() -> Room:
    room = Room.open("demo", "Demo", actor="ada", at=NOON, everyone=Role.VIEWER)
    room.rename("Hall", actor="ada", at=later(1))
    room.list_document("main.md", actor="ada", at=later(1))
    room.change_access(None, actor="ada", at=later(2))
    room.close(actor="ada", at=later(3))
    return room


OPENED = RoomEntry("demo", "Demo", "viewer", NOON, "ada", None, 7)


def test_a_page_tells_how_a_room_was_opened_and_what_has_become_of_it() -> None:
    assert changes(enumerate(collect(a_room()), 7)) == {
        "demo": RoomChange(OPENED, "Hall", is_access_changed=True, everyone=None, closed_at=later(3))
    }


def test_a_page_that_begins_later_tells_the_changes_alone() -> None:
    opened, renamed, listed, access, closed = collect(a_room())
    assert changes([(7, opened)]) == {"demo": RoomChange(OPENED)}
    assert changes([(8, renamed)]) == {"demo": RoomChange(title="Hall")}
    assert changes([(9, listed)]) == {}
    assert changes([(10, access)]) == {"demo": RoomChange(is_access_changed=True)}
    assert changes([(11, closed)]) == {"demo": RoomChange(closed_at=later(3))}


@given(histories())
def test_what_has_become_of_a_room_is_what_the_room_itself_says(log: list[Event]) -> None:
    changed = changes(enumerate(log, 1))
    for name in ROOMS:
        room = fold([event for event in log if event.originator_id == room_stream(name)])
        assert (name in changed) == (room is not None)
        if room is not None:
            change = changed[name]
            assert change.opened is not None
            everyone = change.everyone if change.is_access_changed else change.opened.everyone
            assert everyone == (room.everyone.value if room.everyone else None)
            assert (change.title or change.opened.title) == room.title
            assert (change.closed_at is not None) == room.is_closed
