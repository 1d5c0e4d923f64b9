"""The event library on our tables, beside nodes that write to them too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import IntegrityError, OperationalError
from psycopg.conninfo import make_conninfo

from domain.aggregate import Aggregate, Event, Snapshot
from domain.document import Document, Edit
from domain.ids import document_stream, room_stream
from domain.room import Room
from infrastructure.feed import Feed
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import LOCK_KEYS, PostgresHistory, PostgresLog
from infrastructure.postgres.recorder import library_environment
from infrastructure.postgres.wakeup import CHANNEL
from tests.domain.events import NOON, later
from tests.infrastructure.unguarded import append
from tests.waiting import running, until

STREAM = document_stream("demo", "main.md")

ROUNDS = 60
"""Of each writer: enough that without a common lock a follower misses something in every run tried here."""


class Tool(Application[str]):
    snapshot_class = Snapshot


@pytest.fixture
def tool(migrated_url: str) -> Iterator[Tool]:
    tool = Tool(library_environment(migrated_url))
    yield tool
    tool.close()


def a_document(edits: int = 0, name: str = "main.md") -> Document:
    document = Document.create("demo", name, actor="Ada", at=NOON)
    type_in(document, edits)
    return document


def type_in(document: Document, edits: int = 1) -> None:
    for _ in range(edits):
        number = document.revision + 1
        edit = Edit("ada-1", number, number - 1, [f"{number};"], "")
        document.edit(edit, actor="Ada", at=later(number))


def pending(*aggregates: Aggregate) -> list[Event]:
    return [e for aggregate in aggregates for e in aggregate.collect_events() if isinstance(e, Event)]


def a_room(room: str = "demo") -> Room:
    return Room.open(room, "Demo", actor="Ada", at=NOON)


# One writer at a time.


def test_what_the_library_saves_it_gets_again(tool: Tool) -> None:
    room, document = a_room(), a_document(3)
    positions = [recording.notification.id for recording in tool.save(room, document)]
    assert len(positions) == 5
    assert positions == sorted(positions)
    assert tool.repository.get(room_stream("demo")) == room
    assert tool.repository.get(STREAM) == document
    past: Document = tool.repository.get(STREAM, version=2)
    assert str(past.text) == "1;"


async def test_a_node_reads_what_the_library_saved(tool: Tool, database: Database) -> None:
    document = a_document(2)
    await asyncio.to_thread(tool.save, document)
    assert await PostgresHistory(database).load(STREAM) == document
    rows = await database.fetch(
        "SELECT kind, room, actor, at, client, seq FROM record ORDER BY notification_id"
    )
    assert rows == [
        ("document", "demo", "Ada", NOON, None, None),
        ("document", "demo", "Ada", later(1), "ada-1", 1),
        ("document", "demo", "Ada", later(2), "ada-1", 2),
    ]


async def test_the_library_reads_and_continues_what_a_node_wrote(tool: Tool, database: Database) -> None:
    log = PostgresLog(database, "record")
    await append(log, pending(a_document(2)))
    document: Document = await asyncio.to_thread(tool.repository.get, STREAM)
    assert str(document.text) == "2;1;"
    type_in(document)
    await asyncio.to_thread(tool.save, document)
    loaded = await PostgresHistory(database).load(STREAM)
    assert isinstance(loaded, Document)
    assert str(loaded.text) == "3;2;1;"
    await log.disconnect()


def test_a_stream_that_is_not_there_is_not_found(tool: Tool) -> None:
    with pytest.raises(AggregateNotFoundError):
        tool.repository.get(STREAM)
    assert STREAM not in tool.repository


def test_nothing_to_save_is_no_append(tool: Tool) -> None:
    assert tool.save() == []
    assert tool.recorder.max_notification_id() is None


# Snapshots.


async def test_snapshots_are_shared_with_the_nodes(tool: Tool, database: Database) -> None:
    document = a_document(3)
    history = PostgresHistory(database)
    await asyncio.to_thread(tool.save, document)
    await asyncio.to_thread(tool.take_snapshot, STREAM, 3)
    await history.save_snapshot(Snapshot.take(document))
    await asyncio.to_thread(tool.take_snapshot, STREAM)  # there already
    assert await database.fetch("SELECT originator_version FROM snapshots ORDER BY 1") == [(3,), (4,)]
    for found in (tool.repository.get(STREAM), await history.load(STREAM)):
        assert isinstance(found, Document)
        assert (found.as_state(), found.window) == (document.as_state(), [])


# The order of the log.


def test_notifications_come_in_the_order_of_the_log(tool: Tool) -> None:
    saved = [recording.notification.id for recording in tool.save(a_document(2))]
    saved += [recording.notification.id for recording in tool.save(a_room())]
    found = tool.recorder.select_notifications(start=1, limit=10)
    assert [notification.id for notification in found] == saved
    assert [notification.topic for notification in found] == [
        "document.created",
        "document.edit_applied",
        "document.edit_applied",
        "room.opened",
    ]
    [opened] = tool.recorder.select_notifications(start=1, limit=10, topics=["room.opened"])
    assert tool.mapper.to_domain_event(opened) == tool.mapper.to_domain_event(found[-1])
    assert tool.recorder.max_notification_id() == saved[-1]


# Lost races.


def test_a_lost_race_takes_nothing_of_the_whole_save(tool: Tool) -> None:
    tool.save(a_document(1))
    late: Document = tool.repository.get(STREAM)
    winner: Document = tool.repository.get(STREAM)
    type_in(late)
    type_in(winner)
    tool.save(winner)
    with pytest.raises(IntegrityError, match=STREAM):
        tool.save(a_room(), late)
    assert room_stream("demo") not in tool.repository
    assert tool.recorder.max_notification_id() == tool.recorder.select_notifications(1, 10)[-1].id
    assert len(tool.recorder.select_notifications(1, 10)) == 3


def test_an_event_that_leaves_a_gap_is_refused(tool: Tool) -> None:
    document = a_document(1)
    document.collect_events()
    type_in(document)
    with pytest.raises(IntegrityError):
        tool.save(document)
    assert tool.recorder.max_notification_id() is None


async def test_a_node_that_is_second_is_refused_and_the_rest_of_its_batch_is_not(
    tool: Tool, database: Database
) -> None:
    log = PostgresLog(database, "record")
    document = a_document(1)
    await append(log, pending(document))
    theirs: Document = await asyncio.to_thread(tool.repository.get, STREAM)
    type_in(theirs)
    await asyncio.to_thread(tool.save, theirs)
    type_in(document)
    appended = await append(log, pending(document, a_document(name="other.md")))
    assert (set(appended.refused), len(appended.positions)) == ({STREAM}, 1)
    await log.disconnect()


# One lock.


def test_the_library_waits_for_the_lock_of_the_log_and_not_for_ever(tool: Tool, migrated_url: str) -> None:
    with psycopg.connect(migrated_url) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEYS["record"],))
        with pytest.raises(OperationalError, match="lock timeout"):
            tool.save(a_room())
    tool.save(a_room())


def test_maintenance_does_not_hold_the_library_up(tool: Tool, migrated_url: str) -> None:
    """ANALYZE and VACUUM take this lock, which the library's own recorder would wait for."""
    with psycopg.connect(migrated_url) as other:
        other.execute("LOCK TABLE record IN SHARE UPDATE EXCLUSIVE MODE")
        tool.save(a_room())


async def test_a_library_and_a_node_that_write_at_once_lose_nothing_to_a_follower(
    tool: Tool, database: Database
) -> None:
    log, feed = PostgresLog(database, "record"), Feed(PostgresLog(database, "record"))
    followed: list[int] = []
    feed.follow(lambda batch: followed.extend(recorded.position for recorded in batch))

    def save_rooms() -> None:
        for number in range(ROUNDS):
            tool.save(a_room(f"library-{number}"), a_room(f"library-too-{number}"))

    async def append_rooms() -> None:
        for number in range(ROUNDS):
            await append(log, pending(a_room(f"node-{number}"), a_room(f"node-too-{number}")))

    async with running(feed.run(), _hint_always(feed)):
        await asyncio.gather(asyncio.to_thread(save_rooms), append_rooms())
        await until(lambda: len(followed) >= 4 * ROUNDS)
    stored = await database.fetch("SELECT notification_id FROM record ORDER BY notification_id")
    assert followed == [row[0] for row in stored]
    assert len(followed) == 4 * ROUNDS
    await log.disconnect()


async def _hint_always(feed: Feed) -> None:
    while True:
        feed.wake()
        await asyncio.sleep(0)


# Hints.


async def test_nodes_are_told_after_the_commit(tool: Tool, database: Database) -> None:
    listener = await database.connect("test")
    async with listener:
        await listener.execute(f"LISTEN {CHANNEL}".encode())
        await asyncio.to_thread(tool.save, a_room())
        async for notify in listener.notifies(timeout=10, stop_after=1):
            assert notify.payload == "library record"
            assert await PostgresLog(database, "record").position() == 1
            return
    pytest.fail("nobody was told")


async def test_a_subscription_of_the_library_hears_of_what_a_node_wrote(
    tool: Tool, database: Database
) -> None:
    log = PostgresLog(database, "record")
    seen: list[str] = []

    def follow() -> None:
        with tool.recorder.subscribe(gt=0) as subscription:
            for notification in subscription:
                seen.append(str(notification.originator_id))
                if len(seen) == 2:
                    return

    following = asyncio.ensure_future(asyncio.to_thread(follow))
    for name in ("a", "b"):
        await append(log, pending(a_room(name)))
        await _tell_until(database, partial(seen.__contains__, room_stream(name)))
    await asyncio.wait_for(following, 20)
    assert seen == ["room:a", "room:b"]
    await log.disconnect()


async def _tell_until(database: Database, condition: Any) -> None:
    """As a node's `Wakeup` does; again, since the library begins to listen at some time of its own."""
    async with asyncio.timeout(20):
        while not condition():
            await database.fetch("SELECT pg_notify(%s, 'node-1 record')::text", (CHANNEL,))
            await asyncio.sleep(0.02)


# Settings.


def test_everything_that_a_dsn_says_reaches_the_connection(migrated_url: str) -> None:
    conninfo = make_conninfo(migrated_url, application_name="our tool", options="-c statement_timeout=4321")
    tool = Tool(library_environment(conninfo))
    try:
        with tool.recorder.datastore.get_connection() as connection:  # type: ignore[attr-defined]
            row: Any = connection.execute("SHOW statement_timeout").fetchone()
        assert row == {"statement_timeout": "4321ms"}
        assert connection.info.get_parameters()["application_name"] == "our tool"
    finally:
        tool.close()


def test_no_table_is_made(database_url: str) -> None:
    tool = Tool(library_environment(database_url) | {"CREATE_TABLE": "y"})
    tool.close()
    with psycopg.connect(database_url) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone() == (0,)
