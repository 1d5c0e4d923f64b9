"""Who had which role, as the fold of one page tells it."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given

from domain.aggregate import Event
from domain.ids import room_stream
from domain.rights import Role
from domain.room import Room
from projections.members import EVERYONE, Changes, Grant, changes
from projections.spans import Chain, Span
from tests.domain.events import NOON, collect, fold, later
from tests.projections.histories import ROOMS, STEADY_SECONDS, USERS, histories, moments_of, roles_at


def roles_told_at(changed: Changes, room: str, moment: datetime) -> dict[str, str]:
    """What the spans of a page that is the whole log say."""
    end = changed.closed.get(room)
    return {
        user: span.value.role
        for (where, user), chain in changed.chains.items()
        for span in chain.spans
        if where == room
        and span.since <= moment
        and (moment < span.until if span.until else end is None or moment < end)
    }


@given(histories())
def test_who_had_which_role_is_told_for_every_moment(log: list[Event]) -> None:
    changed = changes(log)
    for room in ROOMS:
        for moment in moments_of(log):
            assert roles_told_at(changed, room, moment) == roles_at(log, room, moment)


@given(histories(STEADY_SECONDS))
def test_a_role_is_what_the_room_itself_would_have_said(log: list[Event]) -> None:
    changed = changes(log)
    for moment in moments_of(log):
        for name in ROOMS:
            room = fold([e for e in log if e.originator_id == room_stream(name) and e.timestamp <= moment])
            told = roles_told_at(changed, name, moment)
            for user in USERS:
                role = None if room is None else room.role_of(user)
                assert told.get(user, told.get(EVERYONE)) == (role.value if role else None)


def test_a_span_tells_who_gave_the_role_and_by_which_link_one_came() -> None:
    room = Room.open("demo", "Demo", actor="ada", at=NOON)
    room.invite("i1", Role.EDITOR, digest="d", expires=later(60), uses=None, actor="ada", at=NOON)
    room.accept_invitation("i1", digest="d", actor="ben", at=later(1))
    room.add_member("ben", Role.OWNER, actor="ada", at=later(2))
    room.remove_member("ada", actor="ben", at=later(3))
    chains = changes(collect(room)).chains
    assert chains["demo", "ada"].spans == (Span(1, NOON, later(3), Grant("owner", "ada")),)
    assert chains["demo", "ben"].spans == (
        Span(3, later(1), later(2), Grant("editor", "ben", "i1")),
        Span(4, later(2), None, Grant("owner", "ada")),
    )


def test_what_everyone_may_do_has_spans_too() -> None:
    room = Room.open("demo", "Demo", actor="ada", at=NOON, everyone=Role.VIEWER)
    room.change_access(None, actor="ada", at=later(1))
    room.change_access(Role.EDITOR, actor="ada", at=later(2))
    assert changes(collect(room)).chains["demo", EVERYONE].spans == (
        Span(1, NOON, later(1), Grant("viewer", "ada")),
        Span(3, later(2), None, Grant("editor", "ada")),
    )


def test_a_page_that_begins_later_ends_what_was_open_before() -> None:
    room = Room.open("demo", "Demo", actor="ada", at=NOON)
    room.add_member("ben", Role.EDITOR, actor="ada", at=later(1))
    room.remove_member("ben", actor="ada", at=later(2))
    room.close(actor="ada", at=later(3))
    *_, removed, closed = collect(room)
    assert changes([removed, closed]) == Changes(
        {("demo", "ben"): Chain(3, later(2), ())}, {"demo": later(3)}
    )
