"""The tables of activity: whatever the pages are, the lines of a plain recount; and what is asked of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from domain.aggregate import Event
from domain.attendance import Appearance, Attendance
from domain.document import Document
from domain.errors import StoreUnavailable
from domain.message import Message
from infrastructure.postgres.activity_view import ALL, READ, ActivityView
from infrastructure.postgres.database import Database
from infrastructure.rebuild import Rebuild
from interfaces.ws.followed import LINES_MAX, ActivityFollowed
from projections.activity import ActivityFilter, Kind, Line
from tests.domain.events import NOON, collect, edit, later
from tests.infrastructure.test_views import AGAIN, PAGES, People, law
from tests.projections.histories import ROOMS, USERS
from tests.projections.lives import Row, lives, recount
from tests.projections.test_activity import row_of

NAMES = ["activity", "rooms", "members"]


@pytest.fixture
async def people(database: Database) -> AsyncIterator[People]:
    people = People(database)
    yield people
    await people.log.disconnect()


@pytest.fixture
def activity(database: Database) -> ActivityView:
    return ActivityView(database)


# Against the recount.


@law
@given(log=lives(), page=PAGES, again=AGAIN)
async def test_lines_are_those_of_a_plain_recount(
    people: People, activity: ActivityView, log: list[Event], page: int, again: int
) -> None:
    await people.begin_anew()
    await people.write(log, page, again, ["activity"])
    told = [line for room in ROOMS for line in await activity.page(room, ALL, limit=1000)]
    assert sorted(map(row_of, told)) == recount(log)


@law
@given(log=lives(), data=st.data())
async def test_lines_are_found_by_all_that_can_be_asked(
    people: People, activity: ActivityView, log: list[Event], data: st.DataObject
) -> None:
    await people.begin_anew()
    await people.write(log, only=["activity"])
    rows = recount(log)
    moments = sorted({moment for row in rows for moment in (row[7], row[8])})
    some = data.draw(st.sampled_from(rows))
    asked = ActivityFilter(
        user=data.draw(st.sampled_from([None, some[4]])),
        kinds=data.draw(st.sampled_from([None, (Kind(some[3]), Kind.SAID), ()])),
        document=data.draw(st.sampled_from([None, some[5]])),
        since=data.draw(st.sampled_from([None, *moments])),
        until=data.draw(st.sampled_from([None, *moments])),
    )
    expected = [row for row in rows if row[0] == some[0] and _is_asked(row, asked)]
    assert [row_of(line) for line in await _oldest_first(activity, some[0], asked)] == expected
    assert [row_of(line) for line in await _newest_first(activity, some[0], asked)] == expected[::-1]


def _is_asked(row: Row, asked: ActivityFilter) -> bool:
    _, _, _, kind, user, document, _, at, until, _ = row
    return (
        (asked.user is None or user == asked.user)
        and (asked.kinds is None or kind in asked.kinds)
        and (asked.document is None or document == asked.document)
        and (asked.since is None or until >= asked.since)
        and (asked.until is None or at < asked.until)
    )


async def _oldest_first(activity: ActivityView, room: str, asked: ActivityFilter) -> list[Line]:
    """Page by page, two lines each."""
    found: list[Line] = []
    while page := await activity.page(
        room, asked, after=found[-1].id if found else 0, limit=2, is_newest_first=False
    ):
        found += page
    return found


async def _newest_first(activity: ActivityView, room: str, asked: ActivityFilter) -> list[Line]:
    found: list[Line] = []
    while page := await activity.page(room, asked, before=found[-1].id if found else None, limit=2):
        found += page
    return found


@law
@given(log=lives(), cuts=st.lists(st.integers(0, 90), max_size=4), page=PAGES)
async def test_who_follows_what_changes_comes_to_have_every_line_as_it_is(
    people: People, activity: ActivityView, log: list[Event], cuts: list[int], page: int
) -> None:
    await people.begin_anew()
    known: dict[int, Line] = {}
    position = start = 0
    for cut in [*sorted(cuts), len(log)]:
        await people.write(log[start:cut], page, only=["activity"])
        start = max(start, cut)
        while changed := await activity.changed_after("r1", position, 3):
            places = [line.changed for line in changed]
            assert places == sorted(set(places))
            assert places[0] > position
            known |= {line.id: line for line in changed}
            position = places[-1]
    assert sorted(map(row_of, known.values())) == [row for row in recount(log) if row[0] == "r1"]


@law
@given(log=lives())
async def test_what_somebody_did_is_told_of_the_rooms_that_the_asker_may_read(
    people: People, activity: ActivityView, log: list[Event]
) -> None:
    await people.begin_anew()
    await people.write(log, only=NAMES)
    rows = recount(log)
    for asker in USERS:
        rooms = {entry.room for entry in await people.rooms.of_user(asker, 0, 10)}
        for user in USERS:
            expected = [row for row in rows if row[0] in rooms and row[4] == user]
            found: list[Line] = []
            while page := await activity.of_user(
                user, asker=asker, before=found[-1].id if found else None, limit=3
            ):
                found += page
            assert [row_of(line) for line in found] == sorted(expected, key=lambda row: -row[1])


@settings(law, max_examples=15, phases=[Phase.generate])
@given(log=lives(), pages=st.tuples(PAGES, PAGES))
async def test_the_view_rebuilt_is_the_view_as_it_lives(
    people: People, activity: ActivityView, log: list[Event], pages: tuple[int, int]
) -> None:
    await people.begin_anew()
    await people.write(log, pages[0], only=["activity"])
    rebuild = Rebuild(people.database, people.log, activity, page_events=pages[1])
    rebuilt = await rebuild.run(lambda position, end: None, is_comparing=True)
    assert (rebuilt.differences, rebuilt.parked) == ((), 0)


# By example.


async def test_a_burst_that_goes_on_on_the_next_page_stays_one_line(
    people: People, activity: ActivityView
) -> None:
    document = Document.create("demo", "main.md", actor="ada", at=NOON)
    for seq in range(1, 6):
        document.edit(edit("c", seq, seq - 1, ["ab"]), actor="ada", at=later(seq))
    await people.write(collect(document), page=2, only=["activity"])
    [line] = await activity.page("demo", ALL, limit=10)
    assert (line.id, line.changed, line.at, line.until) == (2, 6, later(1), later(5))
    assert line.details == {"edits": 5, "inserted": 10, "deleted": 0, "from": 0, "to": 5, "cause": "typed"}


async def test_who_comes_back_on_a_later_page_was_away_for_a_moment(
    people: People, activity: ActivityView
) -> None:
    for number, at in enumerate((0, 20, 130)):
        stay = Attendance.join(
            "demo",
            f"s{number}",
            client="ada-1",
            node="node-1",
            appearance=Appearance("Ada", "#4c75f0"),
            actor="ada",
            at=later(at),
        )
        stay.leave("lost", actor="@server", at=later(at + 10))
        await people.write(collect(stay), page=1, only=["activity"])
    told = await activity.page("demo", ALL, limit=10, is_newest_first=False)
    assert [(line.kind, line.user, line.at) for line in told] == [
        ("joined", "ada", NOON),
        ("left", "ada", later(10)),
        ("joined", "ada", later(130)),
        ("left", "ada", later(140)),
    ]
    assert told[1].details == {"reason": "lost", "times": 2}
    assert told[1].until == later(30)


async def test_of_what_was_said_as_much_is_told_as_stands_there_now(
    people: People, activity: ActivityView
) -> None:
    messages = [
        Message.post("demo", name, client="c", text=text, documents={}, actor="ada", at=NOON)
        for name, text in (("m1", "Hello"), ("m2", "é" * 201), ("m3", "é" * 200), ("m4", "secret"))
    ]
    for message in messages:
        await people.write(collect(message), only=["activity", "chat"])

    async def texts() -> list[str | None]:
        return [line.text for line in await activity.page("demo", ALL, limit=10, is_newest_first=False)]

    assert await texts() == ["Hello", "é" * 199 + "…", "é" * 200, "secret"]
    messages[0].edit("Good evening", mentions=[], actor="ada", at=later(1))
    messages[0].pin(is_pinned=True, actor="ben", at=later(2))
    messages[3].delete(actor="ada", at=later(3))
    for message in messages:
        await people.write(collect(message), only=["activity", "chat"])
    assert await texts() == ["Good evening", "é" * 199 + "…", "é" * 200, None, "Good evening"]
    assert [line.text for line in await activity.changed_after("demo", 4, 10)] == ["Good evening"]
    assert [line.text for line in await activity.of_user("ben", asker="ben", before=None, limit=1)] == []


async def test_who_follows_is_told_a_line_again_when_the_chat_has_its_words(
    people: People, activity: ActivityView
) -> None:
    """The table of activity has come further than that of the chat."""
    posted = [
        Message.post("demo", f"m{n}", client="c", text=f"number {n}", documents={}, actor="ada", at=NOON)
        for n in range(LINES_MAX + 1)
    ]
    for number, message in enumerate(posted):
        await people.write(collect(message), only=["activity", "chat"] if number < 2 else ["activity"])
    followed = ActivityFollowed(activity)
    assert followed.projections == READ
    assert await activity.position() == 2

    async def told(after: int, until: int) -> tuple[int, list[str]]:
        reached, frames = await followed.read("demo", after, until)
        return reached, [line["line"] for frame in frames for line in orjson.loads(frame.payload)["lines"]]

    reached, lines = await told(0, 2)
    assert (reached, lines[:3]) == (2, ["said: number 0", "said: number 1", "said something"])
    await people.write([], only=["chat"])
    end = len(posted)
    reached, lines = await told(reached, end)
    assert await activity.position() == end
    assert (reached, lines) == (end, [f"said: number {n}" for n in range(2, end)])


async def test_all_questions_say_that_the_store_is_away(activity: ActivityView, database: Database) -> None:
    await database.close()
    for question in (
        activity.position(),
        activity.page("demo", ALL, limit=1),
        activity.changed_after("demo", 0, 1),
        activity.of_user("ada", asker="ada", before=None, limit=1),
    ):
        with pytest.raises(StoreUnavailable):
            await question
