"""The views and questions, on two rooms that were worked in: against a recount of the events without SQL, and
against the tables that the product itself answers from.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from domain.document import IMPORT, Document, EditApplied
from domain.errors import Overloaded, TextInvalid
from domain.ids import document_stream
from domain.importing import IMPORT_CLIENT
from infrastructure.postgres.audit import PostgresAuditor, questions
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresLog
from infrastructure.sealing import Keyring
from projections.questions import Given, read
from tests.domain.events import NOON
from tests.infrastructure import recount
from tests.infrastructure.analytics_doc import DOCUMENT, written
from tests.infrastructure.recount import Log, Rows
from tests.infrastructure.sample_rooms import OTHER, ROOM, Clock, Sample, sample_node

FIXTURES: Final = Path(__file__).parents[1] / "fixtures" / "events"

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
    "activity_by_hour": (
        {"zone": "Europe/Prague"},
        lambda log: recount.activity_by_hour(log, "Europe/Prague"),
    ),
    "who_is_new_or_gone": (
        {"from": SINCE, "to": END},
        lambda log: recount.who_is_new_or_gone(log, SINCE, END),
    ),
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


async def test_a_span_of_time_and_a_document_narrow_an_answer(sample: Database) -> None:
    _, rows = await answer(
        sample, "who_edited_what", {"room": ROOM, "document": "books.md", "from": AT, "to": END}
    )
    assert rows == []
    _, rows = await answer(sample, "who_edited_what", {"document": "plan.md", "from": SINCE, "to": LATER})
    assert {(row[0], row[1]) for row in rows} == {(ROOM, "plan.md")}


async def test_what_a_question_does_not_ask_for_and_cannot_read_is_refused(sample: Database) -> None:
    with pytest.raises(KeyError):
        await answer(sample, "hot_documents", {"zone": "UTC"})
    with pytest.raises(TextInvalid):
        await answer(sample, "activity_by_hour", {"zone": "Atlantis/Capital"})
    with pytest.raises(TextInvalid):
        await answer(sample, "hot_documents", {"room": "nul\0"})


async def test_an_answer_that_takes_too_long_is_given_up(sample: Database) -> None:
    slow = read("slow", "-- Slow\n--\n-- Sleeps.\n\nSELECT pg_sleep(30)::text AS slept;\n")
    with pytest.raises(Overloaded):
        async with PostgresAuditor(sample).ask(slow, {}, seconds=0.05) as found:
            await anext(found.pages)


async def test_a_question_cannot_write(sample: Database) -> None:
    writing = read("writing", "-- Writing\n--\n-- Writes.\n\nSELECT lo_create(0)::int8 AS made;\n")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        async with PostgresAuditor(sample).ask(writing, {}) as found:
            await anext(found.pages)


def test_a_file_says_all_that_it_asks_for() -> None:
    with pytest.raises(ValueError, match="differ"):
        read("secret", "-- A secret\n--\n-- Asks for more.\n\nSELECT :'more';\n")


# The views.

# Each pair says the same; what a projection keeps and a view does not is left out.
SAME: Final = {
    "documents": (
        "SELECT room, document, revision, created_at, created_by, modified_at, modified_by"
        " FROM analytics.documents",
        "SELECT room, document, revision, created_at, created_by, modified_at, modified_by FROM directory",
    ),
    "rooms": (
        "SELECT room, title, opened_at, opened_by, closed_at, position FROM analytics.rooms",
        "SELECT room, title, created_at, created_by, closed_at, position FROM rooms",
    ),
    "memberships": (
        "SELECT room, who, version, role, since, until, given_by, invitation FROM analytics.memberships",
        'SELECT room, "user", version, role, since, until, by, invitation FROM members',
    ),
    "presence": (
        "SELECT room, session, version, who, client, status, since, until FROM analytics.presence",
        'SELECT room, session, version, "user", client, status, since, until FROM presence_spans',
    ),
    "messages": (
        "SELECT room, message, position, who, at, coalesce(text, ''), reply_to, mentions, edits, edited_at,"
        " deleted_at, deleted_by, imported_from FROM analytics.messages",
        "SELECT room, message, position, author, posted_at, text, reply_to, mentions, edits, edited_at,"
        " deleted_at, deleted_by, source FROM chat_messages",
    ),
    "answers": (
        "SELECT room, who, count(answers), (sum(response_seconds) * 1000)::bigint FROM analytics.messages"
        " GROUP BY room, who HAVING count(answers) > 0",
        'SELECT room, "user", responses, response_milliseconds FROM statistics'
        " WHERE scale = 'ever' AND \"user\" <> '*' AND responses > 0",
    ),
    "edits": (
        "SELECT room, who, at::date, count(*), sum(inserted)::bigint, sum(deleted)::bigint"
        " FROM analytics.edits GROUP BY room, who, at::date",
        'SELECT room, "user", day, edits, inserted, deleted FROM edit_days',
    ),
    "receipts": (
        "SELECT room, who, max(delivered_up_to), max(read_up_to) FROM analytics.receipts GROUP BY room, who",
        'SELECT room, "user", delivered, read FROM chat_pointers',
    ),
}


@pytest.mark.parametrize("what", list(SAME))
async def test_a_view_says_the_same_as_the_projection(sample: Database, what: str) -> None:
    view, table = SAME[what]
    rows = await sample.fetch(view)
    assert sorted(map(repr, rows)) == sorted(map(repr, await sample.fetch(table)))
    assert rows


async def test_the_other_views_tell_what_was_done(sample: Database) -> None:
    where = f"WHERE room = '{ROOM}'"
    assert await sample.fetch(
        f"SELECT document, revision, name, is_current FROM analytics.revisions {where}"
    ) == [("story.md", 400, "first draft", True)]
    assert await sample.fetch(
        f"SELECT who, outcome, exit_code, finished_at - started_at FROM analytics.runs {where}"
    ) == [("ben", "failed", 1, timedelta(minutes=3))]
    assert await sample.fetch(
        f"SELECT who, emoji, to_whom, removed_at IS NULL FROM analytics.reactions {where} ORDER BY position"
    ) == [("ada", "👍", "ben", True), ("cem", "🎉", "dora", False), ("ada", "👍", "finn", True)]
    assert await sample.fetch(
        f"SELECT client, document, revision, anchor, head FROM analytics.cursors {where}"
    ) == [("ada-laptop", "story.md", 400, 10, 12)]
    assert await sample.fetch(
        "SELECT kind, source_document, source_revision FROM analytics.edits"
        f" {where} AND source_revision IS NOT NULL ORDER BY position"
    ) == [("branch", "plan.md", 6), ("merge", "plan-b.md", 2), ("restore", None, 5)]
    assert await sample.fetch(
        f"SELECT who, until - since, locked_out_by, let_in_by FROM analytics.lockouts {where}"
    ) == [("ben", timedelta(minutes=75), "root", "root")]
    assert await sample.fetch(f"SELECT document FROM analytics.documents {where} AND NOT is_listed") == [
        ("plan-b.md",)
    ]
    rights = await sample.fetch(
        "SELECT who, can_read, can_comment, can_edit, can_manage FROM analytics.permissions"
        f' {where} AND until IS NULL ORDER BY who COLLATE "C"'
    )
    assert rights == [
        ("*", True, False, False, False),
        ("ada", True, True, True, True),
        ("ben", True, True, True, False),
        ("dora", True, True, True, False),
        ("eve", True, False, False, False),
        ("finn", True, True, True, False),
    ]
    everybody = "SELECT count(*) FROM analytics.memberships WHERE room = %s AND until IS NULL"
    assert await sample.fetch(everybody, (OTHER,)) == [(0,)]  # it was closed


async def test_all_that_was_ever_stored_can_be_read_in_every_view(database: Database) -> None:
    """Events of all versions that there ever were, and one of a message that was imported."""
    stored = [json.loads(file.read_text("utf-8")) for file in sorted(FIXTURES.glob("*.json"))]
    async with await database.connect("test") as connection:
        await connection.execute("SELECT create_presence_partition(now()::date)")
        for number, one in enumerate(stored):
            table = "presence" if one["topic"].startswith("presence.") else "record"
            await connection.execute(
                f"INSERT INTO {table} (originator_id, originator_version, topic, state, actor, at)"
                " VALUES (%s, %s, %s, %s, 'Ada', now())".encode(),
                (f"{one['originator_id']}{number}", 1, one["topic"], one["state"].encode()),
            )
        for (view,) in await database.fetch("SELECT viewname FROM pg_views WHERE schemaname = 'analytics'"):
            rows = await database.fetch(f"SELECT * FROM analytics.{view}")
            assert rows or view == "lockouts", view  # who is locked out here was never a member
    assert await database.fetch("SELECT who, role FROM analytics.memberships WHERE role = 'editor'")


async def test_in_a_sealed_room_everything_is_counted_and_no_text_is_read(database: Database) -> None:
    keyring = Keyring(database, os.urandom(32))
    await keyring.load()
    clock = Clock()
    async with sample_node(database, clock, keyring) as (node, services):
        sample = Sample(node, services, node.past(services), clock)
        await services.rooms.open("vault", "Vault", actor="ada")
        await services.rooms.seal("vault", is_sealed=True, actor="ada")
        await services.documents.create("vault", "main.md", actor="ada")
        await sample.type("vault", "main.md", [(clock.now(), "ada", ["secret 😀"])])
        await sample.type("vault", "main.md", [(clock.now(), "ada", [2, {"d": "cre"}, "x"])])
        await sample.say("vault", "m1", "ada", "secret, too")
    edits = await database.fetch(
        "SELECT inserted, deleted, longest_insert FROM analytics.edits ORDER BY revision"
    )
    assert [(inserted, deleted) for inserted, deleted, _ in edits] == [(8, 0), (1, 3)]
    [(said,)] = await database.fetch("SELECT text FROM analytics.messages")
    assert len(said) == len("secret, too")
    assert not any(letter in text for text in (said, edits[0][2], edits[1][2]) for letter in "secrtx")


async def test_what_was_imported_is_its_authors_and_no_work_in_this_room(database: Database) -> None:
    """It came in a moment, one edit behind the other."""
    begun = Document.create("demo", "main.md", actor="ada", at=NOON)
    edits = [
        EditApplied(  # type: ignore[call-arg]  # the library makes it a dataclass
            originator_id=document_stream("demo", "main.md"),
            originator_version=revision + 1,
            timestamp=NOON,
            actor="ada",
            client=IMPORT_CLIENT,
            seq=revision,
            base=revision - 1,
            revision=revision,
            digest="",
            op=[text],
            cause=IMPORT,
            author=author,
            written=0,
        )
        for revision, (author, text) in enumerate((("Ben <ben>", "much text"), ("Cem <cem>", "text")), 1)
    ]
    events = [*begun.collect_events(), *edits]
    log = PostgresLog(database, "record")
    await log.append(events, [None] * len(events))  # type: ignore[arg-type]
    await log.disconnect()
    for name in ("coediting_hours", "who_worked_with_whom", "activity_by_hour", "largest_pastes"):
        assert (await answer(database, name, {"least": 1} if name == "largest_pastes" else {}))[1] == []
    _, rows = await answer(database, "bus_factor", {})
    assert rows == [("demo", "main.md", 1, ["Ben <ben>"], 9, 13)]


# What is promised.


async def test_the_columns_are_those_that_the_document_lists(database: Database) -> None:
    listed = re.findall(
        r"^\| `(\w+)` \| `(\w+)` \| ([\w\[\] ]+) \|", DOCUMENT.read_text("utf-8"), re.MULTILINE
    )
    there = await database.fetch(
        "SELECT relname::text, attname::text, format_type(atttypid, NULL) FROM pg_attribute"
        " JOIN pg_class ON pg_class.oid = attrelid"
        " WHERE relnamespace = 'analytics'::regnamespace AND attnum > 0 ORDER BY relname, attnum"
    )
    assert len(there) > 100
    assert sorted(listed) == sorted(there)
    order = {view: [column for of, column, _ in there if of == view] for view, _, _ in there}
    assert {view: [column for of, column, _ in listed if of == view] for view in order} == order


async def test_every_view_and_column_says_what_it_is_in_the_database_and_in_the_document(
    database: Database,
) -> None:
    text = DOCUMENT.read_text("utf-8")
    told = await database.fetch(
        "SELECT relname::text, attname::text, coalesce(col_description(attrelid, attnum), '')"
        " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
        " WHERE relnamespace = 'analytics'::regnamespace AND attnum > 0"
        " UNION ALL SELECT relname::text, '', coalesce(obj_description(oid), '') FROM pg_class"
        " WHERE relnamespace = 'analytics'::regnamespace"
    )
    assert [name for name in told if not name[2] or name[2] not in text] == []


async def test_every_view_runs_with_the_rights_of_whoever_asks(database: Database) -> None:
    views = await database.fetch(
        "SELECT relname::text, relkind = 'v' AND 'security_invoker=true' = ANY(reloptions) FROM pg_class"
        " WHERE relnamespace = 'analytics'::regnamespace"
    )
    assert [name for name, is_theirs in views if not is_theirs] == []


async def test_the_document_shows_each_question_and_what_the_sample_answers(sample: Database) -> None:
    assert DOCUMENT.read_text("utf-8") == await written(sample)
