"""The views and questions, on two rooms that were worked in: against a recount of the events without SQL, and
against the tables that the product itself answers from.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from domain.errors import Overloaded, TextInvalid
from infrastructure.postgres.audit import PostgresAuditor, questions
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresLog
from projections.questions import Given, read
from tests.infrastructure import recount
from tests.infrastructure.recount import Log, Rows
from tests.infrastructure.sample_rooms import OTHER, ROOM

# The rest of what is asked for, and the same for the recount.
AT: Final = datetime(2026, 11, 19, 15, tzinfo=UTC)
LATER: Final = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SINCE: Final = datetime(2026, 11, 22, tzinfo=UTC)
END: Final = datetime(2026, 11, 24, tzinfo=UTC)
ASKED: Final[Mapping[str, tuple[Given, Callable[[Log], Rows]]]] = {
    "who_edited_what": ({}, recount.who_edited_what),
    "who_could_read": ({"at": AT}, lambda log: recount.who_could_read(log, AT)),
    "hot_documents": ({}, recount.hot_documents),
    "coediting_hours": ({"minutes": 3}, lambda log: recount.coediting_hours(log, 3)),
    "bus_factor": ({}, recount.bus_factor),
    "response_times": ({}, recount.response_times),
    "who_worked_with_whom": ({"minutes": 1}, lambda log: recount.who_worked_with_whom(log, 1)),
    "activity_by_hour": ({"zone": "Europe/Prague"}, lambda log: recount.activity_by_hour(log, "Europe/Prague")),
    "who_is_new_or_gone": ({"from": SINCE, "to": END}, lambda log: recount.who_is_new_or_gone(log, SINCE, END)),
    "longest_sessions": ({}, recount.longest_sessions),
    "undone_edits": ({}, recount.undone_edits),
    "membership_changes": ({}, recount.membership_changes),
    "unanswered_mentions": ({}, lambda log: recount.unanswered_mentions(log, 1440)),
    "largest_pastes": ({"least": 200}, lambda log: recount.largest_pastes(log, 200)),
    "presence_without_editing": ({}, recount.presence_without_editing),
}


@pytest.fixture
async def sample(sample_url: str) -> AsyncIterator[Database]:
    database = Database(sample_url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def answer(database: Database, name: str, given: Given) -> tuple[list[str], Rows]:
    """The columns and rows of an answer."""
    async with PostgresAuditor(database).ask(questions()[name], given) as found:
        rows = [tuple(row) for page in [page async for page in found.pages] for row in page]
        return [column.name for column in found.columns], rows


async def log_of(database: Database, room: str) -> Log:
    log = PostgresLog(database, "record")
    try:
        return Log(room, await log.read_after(0, 100_000))
    finally:
        await log.disconnect()


def test_every_question_is_recounted() -> None:
    assert questions().keys() == ASKED.keys()
    assert len(questions()) == 15


@pytest.mark.parametrize("room", [ROOM, OTHER])
@pytest.mark.parametrize("name", list(ASKED))
async def test_an_answer_is_what_a_recount_of_the_events_gives(
    sample: Database, name: str, room: str
) -> None:
    given, count = ASKED[name]
    columns, rows = await answer(sample, name, {**given, "room": room})
    if name == "who_could_read":  # the recount looks at one moment, and not at what came later
        place = columns.index("until")
        rows = [(*row[:place], *row[place + 1 :]) for row in rows]
    expected = count(await log_of(sample, room))
    assert [row_of(row) for row in rows] == [row_of(row) for row in expected]
    assert rows or room == OTHER


def row_of(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(pytest.approx(cell) if isinstance(cell, float) else cell for cell in row)


@pytest.mark.parametrize("name", list(ASKED))
async def test_without_a_room_all_rooms_are_answered_each_by_itself(sample: Database, name: str) -> None:
    given, _ = ASKED[name]
    _, rows = await answer(sample, name, given)
    each = [row for room in (ROOM, OTHER) for row in (await answer(sample, name, {**given, "room": room}))[1]]
    assert sorted(map(repr, rows)) == sorted(map(repr, each))
