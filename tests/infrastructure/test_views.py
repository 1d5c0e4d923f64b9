"""The tables of rooms, members, profiles and presence: whatever the pages are, each question is answered as
by somebody who reads the whole log and counts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from application.log import Recorded
from domain.aggregate import Event
from domain.attendance import Appearance, Attendance, Status
from domain.document import Document
from domain.errors import StoreUnavailable
from domain.ids import profile_stream, room_stream
from domain.profile import Profile
from domain.rights import Role
from domain.room import Closed, MemberAdded, Opened, Room
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresLog
from infrastructure.postgres.members_view import MembersView
from infrastructure.postgres.presence_view import PresenceView
from infrastructure.postgres.profiles_view import ProfilesView
from infrastructure.postgres.rooms_view import RoomsView
from infrastructure.projector import PAGE_EVENTS, Projector
from infrastructure.rebuild import Rebuild
from infrastructure.views import all_views
from projections.members import EVERYONE, RoleSpan
from projections.presence import PresenceSpan, PresenceSummary
from projections.profiles import ProfileEntry
from projections.rooms import RoomEntry
from tests.domain.events import NOON, collect, edit, fold, later
from tests.infrastructure.projecting import TwiceView, empty
from tests.projections.histories import (
    NAMES,
    ROOMS,
    USERS,
    Summary,
    days_between,
    edits_of,
    histories,
    moments_of,
    places_at,
    role_spans,
    roles_at,
    summary,
)

_FOREVER = datetime(2100, 1, 1, tzinfo=UTC)


class People:
    """A log, and all its projections."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.log = PostgresLog(database, "record")
        self.rooms = RoomsView(database)
        self.members = MembersView(database)
        self.profiles = ProfilesView(database)
        self.presence = PresenceView(database)

    async def begin_anew(self) -> None:
        """For the next example of a property test."""
        await empty(self.database)

    async def write(
        self, events: Sequence[Event], page: int = PAGE_EVENTS, again: int = 0, only: Collection[str] = ()
    ) -> None:
        """Append, and bring the tables up to the end of the log: all, or those of the named views."""
        await self.log.append(events, [None] * len(events))
        async with await self.database.connect("test") as connection:
            for view in all_views(self.database):
                if only and view.name not in only:
                    continue
                projector = Projector(self.database, self.log, TwiceView(view, again), page_events=page)
                await projector.begin(connection)
                while await projector.step(connection):
                    pass
                assert projector.parked == 0

    async def summary(self, **asked: Any) -> list[PresenceSummary]:
        given = {"room": None, "user": None, "since": NOON, "until": _FOREVER, "now": later(1000), **asked}
        return await self.presence.summary(**given)


@pytest.fixture
async def people(database: Database) -> AsyncIterator[People]:
    people = People(database)
    yield people
    await people.log.disconnect()


law = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=max(5, settings().max_examples // 8),
)
"""A property test whose examples share a database, and take their time for it."""


PAGES = st.integers(1, 30)
"""The last page of most histories is not full."""

AGAIN = st.sampled_from([0, 0, 1, 3, 30])
"""How many events at the end of each page a view is given twice."""

PREFIXES = ("", "a", "AD", "ada_", "%", "ÅN", "be", "strass", "本")


# Against the recounts.


@law
@given(log=histories(), page=PAGES, again=AGAIN, data=st.data())
async def test_who_may_what_is_told_as_the_whole_log_tells_it(
    people: People, log: list[Event], page: int, again: int, data: st.DataObject
) -> None:
    await people.begin_anew()
    await people.write(log, page, again, ["members"])
    moments = [*data.draw(st.lists(st.sampled_from(moments_of(log)), max_size=6)), _FOREVER]
    for room in ROOMS:
        for moment in moments:
            spans = await people.members.at(room, moment)
            assert {span.user: span.role for span in spans} == roles_at(log, room, moment)
            assert [span.user for span in spans] == sorted({span.user for span in spans})
        present = roles_at(log, room, _FOREVER)
        assert {s.user: s.role for s in await _members(people, room)} == {
            user: role for user, role in present.items() if user != EVERYONE
        }
    for user in (*USERS, EVERYONE):
        told = [(s.room, s.role, s.since, s.until) for s in await people.members.of_user(user)]
        assert told == role_spans(log, user)


async def _members(people: People, room: str) -> list[RoleSpan]:
    """Page by page, one member each."""
    found: list[RoleSpan] = []
    while page := await people.members.of_room(room, found[-1].user if found else "", 1):
        found += page
    return found


@law
@given(log=histories(), page=PAGES, again=AGAIN)
async def test_the_rooms_of_a_user_are_those_that_are_open_to_them(
    people: People, log: list[Event], page: int, again: int
) -> None:
    await people.begin_anew()
    await people.write(log, page, again, ["rooms", "members"])
    rooms = {room: fold([e for e in log if e.originator_id == room_stream(room)]) for room in ROOMS}
    for user in (*USERS, "stranger"):
        found = await _rooms_of(people, user)
        assert {entry.room for entry in found} == {
            name for name, room in rooms.items() if room is not None and room.role_of(user) is not None
        }
        for entry in found:
            room = rooms[entry.room]
            opened = log[entry.position - 1]
            assert isinstance(opened, Opened)
            everyone = room.everyone.value if room.everyone else None
            created = (opened.timestamp, opened.actor)
            assert entry == RoomEntry(room.room, room.title, everyone, *created, None, entry.position)
    closed = await people.database.fetch("SELECT room, closed_at FROM rooms WHERE closed_at IS NOT NULL")
    assert dict(closed) == {e.originator_id[5:]: e.timestamp for e in log if isinstance(e, Closed)}


async def _rooms_of(people: People, user: str) -> list[RoomEntry]:
    """Page by page, one room each."""
    found: list[RoomEntry] = []
    while page := await people.rooms.of_user(user, found[-1].position if found else 0, 1):
        found += page
    return found


@law
@given(log=histories(), page=PAGES, again=AGAIN, prefix=st.sampled_from(PREFIXES))
async def test_people_are_found_as_they_are_called_now(
    people: People, log: list[Event], page: int, again: int, prefix: str
) -> None:
    await people.begin_anew()
    await people.write(log, page, again, ["profiles"])
    entries = []
    for user in USERS:
        profile = fold([event for event in log if event.originator_id == profile_stream(user)])
        if profile is not None:
            assert profile.name in NAMES
            entries.append(profile)
    told = await people.profiles.get_many([*reversed(USERS), "nobody"])
    assert [(t.user, t.name, t.colour, t.avatar, t.created_at) for t in told] == [
        (p.user, p.name, p.colour, p.avatar, p.created_on) for p in entries
    ]
    found: list[ProfileEntry] = []
    while more := await people.profiles.find(prefix, found[-1].user if found else "", 1):
        found += more
    begins = prefix.casefold()
    assert [entry.user for entry in found] == [
        p.user for p in entries if p.user.startswith(begins) or p.name.casefold().startswith(begins)
    ]


@law
@given(log=histories(), page=PAGES, again=AGAIN, data=st.data())
async def test_who_was_here_is_told_as_the_whole_log_tells_it(
    people: People, log: list[Event], page: int, again: int, data: st.DataObject
) -> None:
    await people.begin_anew()
    await people.write(log, page, again, ["presence"])
    moments = [*data.draw(st.lists(st.sampled_from(moments_of(log)), max_size=6)), _FOREVER]
    for room in ROOMS:
        for moment in moments:
            spans = await people.presence.at(room, moment)
            assert {(s.session, s.user, s.status) for s in spans} == places_at(log, room, moment)
            assert len({span.session for span in spans}) == len(spans)
        assert await people.presence.now(room) == await people.presence.at(room, _FOREVER)


@law
@given(log=histories(), page=PAGES, again=AGAIN, data=st.data())
async def test_times_and_edits_are_told_as_the_whole_log_tells_them(
    people: People, log: list[Event], page: int, again: int, data: st.DataObject
) -> None:
    await people.begin_anew()
    await people.write(log, page, again, ["presence"])
    moments = st.sampled_from(moments_of(log)[:-1])  # not the one after all, which is months later
    since, until = sorted((data.draw(moments), data.draw(moments)))
    now = data.draw(moments)
    room, user = data.draw(st.sampled_from([*ROOMS, None])), data.draw(st.sampled_from([*USERS, None]))
    expected = [
        found
        for where in ([room] if room else ROOMS)
        for who in ([user] if user else USERS)
        for found in _summaries(log, where, who, since, until, now)
    ]
    told = await people.presence.summary(room=room, user=user, since=since, until=until, now=now)
    assert told == expected
    rows = await people.database.fetch('SELECT room, "user", day, edits, inserted, deleted FROM edit_days')
    assert sorted(rows) == sorted(_edit_days(log))


def _summaries(
    log: Sequence[Event], room: str, user: str, since: datetime, until: datetime, now: datetime
) -> list[PresenceSummary]:
    found: list[tuple[date | None, Summary]] = []
    if since < until:
        for day in days_between(since, until):
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            bounds = max(since, midnight), min(until, midnight + timedelta(days=1))
            found.append((day, summary(log, room, user, *bounds, now)))
        found.append((None, summary(log, room, user, since, until, now)))
    return [
        PresenceSummary(room, user, day, counted.present, counted.editing, counted.edits, counted.longest)
        for day, counted in found
        if counted.present or counted.edits
    ]


def _edit_days(log: Sequence[Event]) -> list[tuple[str, str, date, int, int, int]]:
    rows = []
    for room in ROOMS:
        for user in USERS:
            edits = edits_of(log, room, user)
            for day in {event.timestamp.date() for event in edits}:
                ops = [component for e in edits if e.timestamp.date() == day for component in e.op]
                inserted = "".join(c for c in ops if isinstance(c, str))
                deleted = "".join(str(c["d"]) for c in ops if isinstance(c, dict))
                count = sum(event.timestamp.date() == day for event in edits)
                rows.append((room, user, day, count, len(inserted), len(deleted)))
    return rows


@settings(law, max_examples=15, phases=[Phase.generate])
@given(log=histories(), pages=st.tuples(PAGES, PAGES))
async def test_every_view_rebuilt_is_the_view_as_it_lives(
    people: People, log: list[Event], pages: tuple[int, int]
) -> None:
    await people.begin_anew()
    await people.write(log, pages[0])
    for view in all_views(people.database):
        rebuild = Rebuild(people.database, people.log, view, page_events=pages[1])
        rebuilt = await rebuild.run(lambda position, end: None, is_comparing=True)
        assert (rebuilt.differences, rebuilt.parked) == ((), 0)


# By example.


def a_room() -> Room:
    return Room.open("demo", "Demo", actor="ada", at=NOON, everyone=Role.VIEWER)


def a_stay(session: str, at: datetime, user: str = "ada") -> Attendance:
    return Attendance.join(
        "demo",
        session,
        client=f"{user}-{session}",
        node="node-1",
        appearance=Appearance(user, "#4c75f0"),
        actor=user,
        at=at,
    )


async def test_a_span_tells_who_gave_the_role_and_by_which_link_one_came(people: People) -> None:
    room = a_room()
    room.invite("i1", Role.EDITOR, digest="d", expires=later(60), uses=None, actor="ada", at=NOON)
    room.accept_invitation("i1", digest="d", actor="ben", at=later(1))
    events = collect(room)
    room.add_member("ben", Role.OWNER, actor="ada", at=later(2))
    await people.write(events)
    await people.write(collect(room))
    editor = RoleSpan("demo", "ben", "editor", later(1), later(2), "ben", "i1")
    owner = RoleSpan("demo", "ben", "owner", later(2), None, "ada", None)
    assert await people.members.of_user("ben") == [editor, owner]
    everyone = RoleSpan("demo", EVERYONE, "viewer", NOON, None, "ada", None)
    assert await people.members.at("demo", later(1)) == [
        everyone,
        RoleSpan("demo", "ada", "owner", NOON, None, "ada", None),
        editor,
    ]


async def test_a_room_from_before_there_were_rights_was_open_to_everyone(
    people: People, database: Database
) -> None:
    await database.fetch(
        "INSERT INTO record (originator_id, originator_version, topic, state, actor, at)"
        " VALUES ('room:old', 1, 'room.opened', convert_to(%s, 'UTF8'), 'Ada L.', now()) RETURNING 1",
        (
            '{"actor": "Ada L.", "at": 1795442706789012, "originator_topic": "room",'
            ' "room": "old", "title": "Old"}',
        ),
    )
    await people.write([])
    [span] = await people.members.at("old", datetime(2026, 11, 24, tzinfo=UTC))
    assert (span.user, span.role, span.by, span.until) == (EVERYONE, "editor", "Ada L.", None)
    [entry] = await people.rooms.of_user("anybody", 0, 10)
    assert (entry.room, entry.everyone, entry.created_by) == ("old", "editor", "Ada L.")


async def test_a_turn_that_is_dated_back_holds_from_the_moment_before_it_also_across_pages(
    people: People,
) -> None:
    room = a_room()
    room.add_member("ben", Role.EDITOR, actor="ada", at=later(5))
    room.add_member("ben", Role.VIEWER, actor="ada", at=later(3))
    room.add_member("ben", Role.OWNER, actor="ada", at=later(4))
    room.remove_member("ben", actor="ada", at=later(2))
    await people.write(collect(room), page=1)
    assert [(s.since, s.until) for s in await people.members.of_user("ben")] == [(later(5), later(5))] * 3


async def test_a_stay_without_a_beginning_is_nobodys(people: People, database: Database) -> None:
    stay = a_stay("s1", NOON)
    stay.change_status(Status.EDITING, "derived", actor="@server", at=later(1))
    _, changed = collect(stay)
    async with await database.connect("test") as connection:
        await people.presence.apply(connection, [Recorded(1, changed)])
    assert await people.presence.now("demo") == []


async def test_a_stay_is_shown_in_full(people: People) -> None:
    stay = a_stay("s1", NOON)
    stay.change_status(Status.EDITING, "derived", actor="@server", at=later(1))
    await people.write(collect(stay), page=1)
    assert await people.presence.now("demo") == [
        PresenceSpan("demo", "s1", "ada", "ada-s1", "editing", later(1), None)
    ]
    assert await people.presence.at("demo", NOON) == [
        PresenceSpan("demo", "s1", "ada", "ada-s1", "idle", NOON, later(1))
    ]


async def test_two_places_at_once_count_once_and_a_break_ends_the_longest_stretch(people: People) -> None:
    one, two, three = a_stay("s1", NOON), a_stay("s2", later(5)), a_stay("s3", later(30))
    one.leave("left", actor="ada", at=later(10))
    two.change_status(Status.EDITING, "derived", actor="ada", at=later(8))
    two.leave("left", actor="ada", at=later(20))
    await people.write([*collect(one), *collect(two), *collect(three)])
    assert await people.summary(now=later(35)) == [
        PresenceSummary("demo", "ada", NOON.date(), 25.0, 12.0, 0, 20.0),
        PresenceSummary("demo", "ada", None, 25.0, 12.0, 0, 20.0),
    ]


async def test_a_night_is_two_days_and_one_stretch(people: People) -> None:
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    stay = a_stay("s1", midnight - timedelta(hours=1))
    stay.leave("left", actor="ada", at=midnight + timedelta(hours=2))
    await people.write(collect(stay))
    told = [(s.day, s.present_seconds, s.longest_seconds) for s in await people.summary()]
    assert told == [
        (date(2026, 11, 23), 3600.0, 3600.0),
        (date(2026, 11, 24), 7200.0, 7200.0),
        (None, 10800.0, 10800.0),
    ]


async def test_a_summary_of_nothing_is_empty(people: People) -> None:
    await people.write(collect(a_stay("s1", NOON)))
    assert await people.summary(since=later(1), until=later(1)) == []
    assert await people.summary(until=NOON, since=later(-9)) == []
    assert await people.summary(room="elsewhere") == []
    assert await people.summary(user="ben") == []


async def test_a_prefix_means_no_more_than_itself(people: People) -> None:
    for user, name in (("u_1", "100% Ada"), ("ux1", "1000 Ada"), ("q\\", "x")):
        await people.write(collect(Profile.create(user, name, actor=user, at=NOON)))

    async def found(prefix: str) -> list[str]:
        return [entry.user for entry in await people.profiles.find(prefix, "", 10)]

    assert [await found(prefix) for prefix in ("u_", "100%", "%", "_", "q\\", "ADA", "U")] == [
        ["u_1"],
        ["u_1"],
        [],
        [],
        ["q\\"],
        [],
        ["u_1", "ux1"],
    ]


async def test_a_member_twice_at_once_is_refused_by_the_table(people: People, database: Database) -> None:
    """What cannot be: then the event is parked, and seen."""
    room = a_room()
    events = collect(room)
    await people.write(events)
    with pytest.raises(Exception, match="members_present"):
        await database.fetch(
            'INSERT INTO members SELECT room, "user", 99, role, since, NULL, by, NULL'
            " FROM members RETURNING 1"
        )


async def test_questions_say_so_when_the_store_is_away(migrated_url: str) -> None:
    database = Database(migrated_url)  # not open
    rooms, members = RoomsView(database), MembersView(database)
    profiles, presence = ProfilesView(database), PresenceView(database)
    for question in (
        rooms.of_user("ada", 0, 1),
        members.of_room("demo", "", 1),
        members.at("demo", NOON),
        members.of_user("ada"),
        profiles.get_many(["ada"]),
        profiles.find("a", "", 1),
        presence.now("demo"),
        presence.at("demo", NOON),
        presence.summary(room=None, user=None, since=NOON, until=later(1), now=NOON),
    ):
        with pytest.raises(StoreUnavailable):
            await question


async def test_members_are_told_of_the_room_that_was_asked_for(people: People) -> None:
    room = a_room()
    room.add_member("ben", Role.EDITOR, actor="ada", at=NOON)
    events = collect(room)
    assert isinstance(events[1], MemberAdded)
    await people.write(events)
    assert [span.user for span in await people.members.of_room("demo", "", 10)] == ["ada", "ben"]
    assert [span.user for span in await people.members.of_room("demo", "ada", 10)] == ["ben"]
    assert await people.members.of_room("demo2", "", 10) == []
    assert [entry.room for entry in await people.rooms.of_user("ben", 0, 10)] == ["demo"]


async def test_edits_count_for_the_whole_days_of_the_time_that_was_asked_for(people: People) -> None:
    document = Document.create("demo", "main.md", actor="ada", at=NOON)
    for seq, at in enumerate((NOON, later(60), later(86_400)), 1):
        document.edit(edit("c", seq, seq - 1, ["x"]), actor="ada", at=at)
    await people.write(collect(document))
    assert await people.summary(since=later(30), until=later(40)) == [
        PresenceSummary("demo", "ada", NOON.date(), 0.0, 0.0, 2, 0.0),
        PresenceSummary("demo", "ada", None, 0.0, 0.0, 2, 0.0),
    ]
