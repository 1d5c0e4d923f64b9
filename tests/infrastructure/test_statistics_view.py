"""The tables of statistics: whatever the pages are, they tell what somebody would who reads the whole log and
counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain.aggregate import Event
from domain.errors import StoreUnavailable
from domain.message import Message
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresLog
from infrastructure.postgres.statistics_view import StatisticsView
from infrastructure.projector import PAGE_EVENTS, Projector
from infrastructure.rebuild import Rebuild
from projections.statistics import (
    COUNTED,
    STOP_WORDS,
    Activity,
    BusyHour,
    Counts,
    DayCounts,
    HourOfWeek,
    PersonCounts,
    ResponseTimes,
    RoomStatistics,
    Uses,
    as_json,
    bucket_of,
    hour_at,
    response_times,
)
from tests.domain.events import NOON, collect, later
from tests.infrastructure.projecting import empty
from tests.projections.conversations import (
    ROOMS,
    START,
    USERS,
    Deed,
    conversations,
    deeds,
    emoji_standing,
    responses,
    words_standing,
)


class Place:
    """A log, and its statistics."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.log = PostgresLog(database, "record")
        self.view = StatisticsView(database)

    async def begin_anew(self) -> None:
        """Empty everything, which the log itself refuses: for the next example of a property test."""
        await empty(self.database, self.view.tables)

    async def write(self, events: Sequence[Event], page: int = PAGE_EVENTS) -> None:
        """Append, and bring the tables up to the end of the log."""
        await self.log.append(events, [None] * len(events))
        async with await self.database.connect("test") as connection:
            projector = Projector(self.database, self.log, self.view, page_events=page)
            await projector.begin(connection)
            while await projector.step(connection):
                pass
            assert projector.parked == 0


@pytest.fixture
async def place(database: Database) -> AsyncIterator[Place]:
    place = Place(database)
    yield place
    await place.log.disconnect()


law = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=max(8, settings().max_examples // 4),
)
"""A property test whose examples share a database, and take their time for it."""

PAGES = st.integers(1, 40)

MOMENTS = st.one_of(
    st.none(), st.integers(-60 * 24, 60 * 24 * 40).map(lambda m: START + timedelta(minutes=m))
)


@law
@given(
    log=conversations(),
    page=PAGES,
    since=MOMENTS,
    until=MOMENTS,
    user=st.sampled_from([None, None, *USERS]),
    offset=st.sampled_from([0, 330, -720]),
)
async def test_a_room_is_told_as_the_whole_log_tells_it(
    place: Place,
    log: list[Event],
    page: int,
    since: datetime | None,
    until: datetime | None,
    user: str | None,
    offset: int,
) -> None:
    await place.begin_anew()
    await place.write(log, page)
    for room in ROOMS:
        told = await place.view.of_room(room, since, until, user=user, offset_minutes=offset)
        assert told == recount(log, room, since, until, user, offset)


def recount(
    log: Sequence[Event],
    room: str,
    since: datetime | None,
    until: datetime | None,
    user: str | None,
    offset_minutes: int,
) -> RoomStatistics:
    """All that is told of a room, counted deed by deed."""

    def is_asked(of: str, who: str, at: datetime) -> bool:
        hour = hour_at(at)
        is_in_span = (since is None or hour >= hour_at(since)) and (until is None or hour < until)
        return is_in_span and of == room and user in {None, who}

    offset = timedelta(minutes=offset_minutes)
    done = [deed for deed in deeds(log) if is_asked(deed.room, deed.user, deed.at)]
    taken = [found.milliseconds for found in responses(log) if is_asked(found.room, found.user, found.at)]
    days: defaultdict[date, list[Deed]] = defaultdict(list)
    week: defaultdict[tuple[int, int], list[Deed]] = defaultdict(list)
    hours: defaultdict[datetime, list[Deed]] = defaultdict(list)
    people: defaultdict[str, list[Deed]] = defaultdict(list)
    for deed in done:
        local = hour_at(deed.at) + offset
        days[local.date()].append(deed)
        week[local.isoweekday(), local.hour].append(deed)
        hours[hour_at(deed.at)].append(deed)
        people[deed.user].append(deed)
    words = words_standing(log, room)
    return RoomStatistics(
        room=room,
        user=user,
        since=since,
        until=until,
        offset_minutes=offset_minutes,
        totals=counts(done),
        people=tuple(
            PersonCounts(who, counts(theirs))
            for who, theirs in sorted(
                people.items(), key=lambda found: (-activity_number(found[1]), found[0])
            )
        ),
        days=tuple(DayCounts(day, counts(of_day)) for day, of_day in sorted(days.items())),
        week=tuple(HourOfWeek(*cell, activity(of_cell)) for cell, of_cell in sorted(week.items())),
        busiest=tuple(
            BusyHour(hour, activity(of_hour))
            for hour, of_hour in sorted(
                hours.items(), key=lambda found: (-activity_number(found[1]), found[0])
            )
        )[:5],
        emoji=most_used(emoji_standing(log, room)),
        words=most_used(Counter({w: n for w, n in words.items() if w not in STOP_WORDS})),
        response_times=response_times(sorted(Counter(map(bucket_of, taken)).items()), sum(taken)),
    )


def counts(done: Sequence[Deed]) -> Counts:
    return Counts(**{name: sum(deed.number for deed in done if deed.what == name) for name in COUNTED})


def activity(done: Sequence[Deed]) -> Activity:
    counted = counts(done)
    return Activity(counted.messages, counted.reactions_added, counted.document_edits)


def activity_number(done: Sequence[Deed]) -> int:
    counted = counts(done)
    return counted.messages + counted.reactions_added + counted.document_edits


def most_used(uses: Counter[str]) -> tuple[Uses, ...]:
    return tuple(Uses(*found) for found in sorted(uses.items(), key=lambda found: (-found[1], found[0])))


@settings(law, phases=[Phase.generate])
@given(log=conversations(), pages=st.tuples(PAGES, PAGES))
async def test_the_view_rebuilt_is_the_view_as_it_lives(
    place: Place, log: list[Event], pages: tuple[int, int]
) -> None:
    await place.begin_anew()
    await place.write(log, pages[0])
    rebuild = Rebuild(place.database, place.log, place.view, page_events=pages[1])
    rebuilt = await rebuild.run(lambda position, end: None, is_comparing=True)
    assert (rebuilt.differences, rebuilt.parked) == ((), 0)


# By example.


def a_message(message: str, who: str, text: str, at: datetime, reply_to: str | None = None) -> Message:
    return Message.post(
        "demo", message, client="c", text=text, documents={}, actor=who, at=at, reply_to=reply_to
    )


async def test_a_small_talk_is_told_in_full(place: Place) -> None:
    one, two = a_message("1", "ada", "Who has the keys?", NOON), a_message("2", "ben", "Keys: me", later(10))
    one.react("👍", actor="ben", at=later(11))
    await place.write([*collect(one), *collect(two)])
    told = await place.view.of_room("demo")
    hour = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert told.totals == Counts(
        messages=2, words=6, characters=25, reactions_added=1, responses=1, response_milliseconds=10_000
    )
    assert [(person.user, person.counts.messages) for person in told.people] == [("ben", 1), ("ada", 1)]
    assert told.week == (HourOfWeek(1, 12, Activity(2, 1, 0)),)
    assert told.hours[12] == Activity(2, 1, 0)
    assert sum(done.messages for done in told.hours) == 2
    assert told.busiest == (BusyHour(hour, Activity(2, 1, 0)),)
    assert told.words == (Uses("keys", 2),)  # the others are everybody's words
    assert told.emoji == (Uses("👍", 1),)
    assert told.response_times == ResponseTimes(1, 10.0, 10.37, 10.37)


async def test_deleting_a_message_takes_its_words_away_and_leaves_that_it_was_said(place: Place) -> None:
    message = a_message("1", "ada", "password swordfish", NOON)
    message.delete(actor="ada", at=later(1))
    await place.write(collect(message), page=1)
    told = await place.view.of_room("demo")
    assert told.words == ()
    assert (told.totals.messages, told.totals.message_deletions, told.totals.words) == (1, 1, 2)
    rows = await place.database.fetch("SELECT words FROM statistics_messages")
    assert rows == [("",)]


@pytest.mark.parametrize("page", [1, 10])
async def test_who_speaks_after_half_an_hour_of_silence_answers_nobody(place: Place, page: int) -> None:
    talk = [("ada", 0.0), ("ben", 1_800.0), ("cleo", 3_600.001), ("ada", 3_000.0), ("ada", 3_001.0)]
    messages = [a_message(str(index), who, "Hm", later(at)) for index, (who, at) in enumerate(talk)]
    await place.write([event for message in messages for event in collect(message)], page)
    told = await place.view.of_room("demo")
    answers = {person.user: person.counts for person in told.people}
    assert {user: counts.responses for user, counts in answers.items()} == {"ada": 1, "ben": 1, "cleo": 0}
    assert answers["ben"].response_milliseconds == 1_800_000
    assert answers["ada"].response_milliseconds == 0  # before it was asked: its clock is another


@pytest.mark.parametrize("page", [1, 10])
async def test_an_imported_message_neither_answers_nor_is_answered(place: Place, page: int) -> None:
    imported = Message.bring(
        "demo",
        "i",
        actor="ben",
        at=later(10),
        source="elsewhere",
        author="eve",
        posted=0,
        text="Long ago",
        documents={},
        reply_to="1",
        mentions=[],
        link=None,
        edits=3,
        edited=1,
        deleted=None,
        pinned=None,
        reactions=[["👍", "ada", 3_600_000_000]],
    )
    one, reply = a_message("1", "ada", "Who?", NOON), a_message("2", "ben", "Eve", later(20), "i")
    three = a_message("3", "cleo", "Ah", later(21))
    await place.write([*collect(one), *collect(imported), *collect(reply), *collect(three)], page)
    told = await place.view.of_room("demo")
    assert {person.user: person.counts.responses for person in told.people} == {
        "ada": 0,
        "ben": 0,
        "cleo": 1,
        "eve": 0,
    }
    past = await place.view.of_room("demo", until=datetime(1970, 1, 2, tzinfo=UTC))
    assert past.totals == Counts(messages=1, replies=1, words=2, characters=8, reactions_added=1)
    assert [cell.hour for cell in past.week] == [0, 1]


async def test_a_room_in_which_nothing_was_done_has_nothing(place: Place) -> None:
    assert await place.view.of_room("demo") == RoomStatistics(
        "demo", None, None, None, 0, Counts(), (), (), (), (), (), (), ResponseTimes(0, None, None, None)
    )


async def test_the_shape_has_every_number(place: Place) -> None:
    await place.write(collect(a_message("1", "ada", "Hello", NOON)))
    told = as_json(await place.view.of_room("demo", NOON, later(60), offset_minutes=60))
    assert told["since"] == 1_795_435_200_123_456
    assert set(told["people"][0]) == {"user", *COUNTED}
    assert (told["days"][0]["day"], told["days"][0]["messages"]) == ("2026-11-23", 1)
    assert told["week"] == [{"weekday": 1, "hour": 13, "messages": 1, "reactions": 0, "document_edits": 0}]
    assert [hour["messages"] for hour in told["hours"]] == [int(hour == 13) for hour in range(24)]
    assert told["busiest"][0]["since"] == 1_795_435_200_000_000


async def test_the_question_says_so_when_the_store_is_away(migrated_url: str) -> None:
    with pytest.raises(StoreUnavailable):
        await StatisticsView(Database(migrated_url)).of_room("demo")
