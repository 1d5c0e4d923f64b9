"""Old days of cursors: said to be gone, then gone, whoever does it and whatever comes between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import psycopg
import pytest

from application.live import LiveAggregates
from domain.document import Document
from domain.errors import StoreUnavailable
from domain.ids import SERVER, retention_stream
from domain.message import Message
from domain.presence import FrameRecorded, Presence
from domain.retention import DayDropped, RetentionBegun
from domain.room import Room
from infrastructure.node import Node
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory, PostgresLog
from infrastructure.retention import RETENTION_LOCKS, let_old_days_go
from infrastructure.settings import Settings
from tests.domain.events import collect
from tests.waiting import running, until

NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY: Final = NOW.date()


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def table_of(day: date) -> str:
    return f"presence_{day:%Y%m%d}"


class Store:
    """Both logs, and a node that writes the record."""

    def __init__(self, database: Database, node: Node) -> None:
        self.database = database
        self.node = node
        self.presence = PostgresLog(database, "presence")

    @property
    def lives(self) -> LiveAggregates:
        return self.node.record.lives

    async def let_go(self, kept_days: int = 30, now: datetime = NOW) -> int:
        return await let_old_days_go(self.database, self.lives, kept_days=kept_days, now=now)

    async def move(self, day: date, moves: int = 1) -> None:
        """A day with so many frames of cursors, and one event more, at its very end."""
        await self.database.fetch("SELECT create_presence_partition(%s)::text", (day,))
        last = datetime(day.year, day.month, day.day, 23, 59, 59, 999_999, tzinfo=UTC)
        presence = Presence.begin("demo", f"node.{day}", node="node", at=last)
        for _ in range(moves):
            presence.record([["ada-1", "main.md", 0, 0, 0, 0]], [], at=last)
        events = collect(presence)
        await self.presence.append(events, [None] * len(events))

    async def days(self) -> list[date]:
        """Those of which there is a table, attached or not, before tomorrow."""
        rows = await self.database.fetch(
            "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname ~ '^presence_[0-9]+$'"
            " AND relname <= %s ORDER BY relname",
            (table_of(TODAY),),
        )
        return [datetime.strptime(name, "presence_%Y%m%d").replace(tzinfo=UTC).date() for (name,) in rows]

    async def said(self) -> list[tuple[str, int, int]]:
        events = await self.node.history.events_after(retention_stream("presence"), 0)
        return [(e.day, e.events, e.kept_days) for e in events if isinstance(e, DayDropped)]

    async def execute(self, query: str) -> None:
        async with await self.database.connect("test") as connection:
            await connection.execute(query.encode())


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    node = Node(Settings(), database)
    await node.record.feed.start()
    store = Store(database, node)
    async with running(node.record.feed.run(), node.record.commit.run()):
        yield store
    await store.presence.disconnect()
    await node.record.store.disconnect()


# What goes and what stays.


async def test_days_whose_last_moment_is_too_old_go_and_the_others_stay(store: Store) -> None:
    for days in (0, 1, 30, 31, 32):
        await store.move(days_ago(days), moves=days + 1)
    assert await store.let_go() == 33 + 34
    assert await store.days() == [days_ago(30), days_ago(1), TODAY]
    assert await store.said() == [
        (days_ago(32).isoformat(), 34, 30),
        (days_ago(31).isoformat(), 33, 30),
    ]
    left = await store.database.fetch("SELECT count(*), min(at)::date FROM presence")
    assert left == [(2 + 3 + 32, days_ago(30))]


async def test_a_day_goes_when_it_is_over_and_not_before(store: Store) -> None:
    await store.move(days_ago(1))
    over = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    assert await store.let_go(1, over + timedelta(days=1) - timedelta(microseconds=1)) == 0
    assert await store.let_go(1, over + timedelta(days=1)) == 2
    assert await store.days() == []


async def test_documents_messages_and_the_record_are_untouched(store: Store) -> None:
    old = NOW - timedelta(days=100)
    room = Room.open("demo", "Demo", actor="ada", at=old)
    document = Document.create("demo", "main.md", actor="ada", at=old)
    message = Message.post("demo", "m1", client="c", text="hi", documents={}, actor="ada", at=old)
    events = [*collect(room), *collect(document), *collect(message)]
    await store.node.record.store.append(events, [None] * len(events))
    await store.move(days_ago(100))
    assert await store.let_go() == 2
    rows = await store.database.fetch("SELECT topic FROM record ORDER BY notification_id")
    topics = [event.TOPIC for event in events]
    assert [row[0] for row in rows] == [*topics, RetentionBegun.TOPIC, DayDropped.TOPIC]


async def test_it_is_said_by_the_server_before_it_is_done(store: Store) -> None:
    await store.move(days_ago(40))
    async with await store.database.connect("reader") as reader, reader.transaction():
        await reader.execute("SELECT FROM presence")
        with pytest.raises(StoreUnavailable):
            await store.let_go()
    [begun, dropped] = await store.node.history.events_after(retention_stream("presence"), 0)
    assert (begun.actor, dropped.actor, dropped.timestamp) == (SERVER, SERVER, NOW)
    assert await store.days() == [days_ago(40)]


async def test_nothing_old_is_nothing_said(store: Store) -> None:
    await store.move(TODAY)
    assert await store.let_go() == 0
    assert await store.node.history.events_after(retention_stream("presence"), 0) == []


async def test_tables_of_other_names_are_not_ours(store: Store) -> None:
    for name in ("presence_20260101_kept", "presence_2026010", "other_20260101"):
        await store.execute(f"CREATE TABLE {name} ()")
    await store.execute("CREATE SCHEMA aside; CREATE TABLE aside.presence_20260101 ()")
    assert await store.let_go() == 0
    rows = await store.database.fetch("SELECT count(*) FROM pg_class WHERE relname LIKE '%%\\_2026010%%'")
    assert rows == [(4,)]


# In steps.


async def test_the_second_time_there_is_nothing_left_to_do(store: Store) -> None:
    await store.move(days_ago(40))
    assert await store.let_go() == 2
    assert await store.let_go() == 0
    assert len(await store.said()) == 1


@pytest.mark.parametrize("before", ["SELECT", "ALTER TABLE presence DETACH PARTITION {}"])
async def test_what_was_said_and_not_done_is_done_the_next_time_and_not_said_again(
    store: Store, before: str
) -> None:
    await store.move(days_ago(40))
    await store.move(days_ago(41))
    assert await store.let_go() == 4
    await store.move(days_ago(40), 4)  # as if it had never gone
    await store.execute(before.format(table_of(days_ago(40))))
    assert await store.let_go() == 5
    assert await store.days() == []
    assert [day for day, _, _ in await store.said()] == [days_ago(41).isoformat(), days_ago(40).isoformat()]


async def test_a_day_that_is_half_detached_is_detached_and_dropped(store: Store) -> None:
    for days in (42, 41, 40):
        await store.move(days_ago(days))
    await _leave_half_detached(store, days_ago(41))
    assert await store.let_go() == 6
    assert await store.days() == []
    assert [day for day, _, _ in await store.said()] == [days_ago(n).isoformat() for n in (42, 41, 40)]


async def _leave_half_detached(store: Store, day: date) -> None:
    """Somebody reads, and whoever waits for them gives up."""
    async with await store.database.connect("reader") as reader, reader.transaction():
        await reader.execute("SELECT FROM presence")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await store.execute(f"ALTER TABLE presence DETACH PARTITION {table_of(day)} CONCURRENTLY")
    pending = await store.database.fetch("SELECT count(*) FROM pg_inherits WHERE inhdetachpending")
    assert pending == [(1,)]


async def test_a_reader_who_stays_too_long_puts_it_off(store: Store) -> None:
    await store.move(days_ago(40))
    await store.move(TODAY)
    presence = Presence.begin("demo", "node.now", node="node", at=NOW)
    async with await store.database.connect("reader") as reader, reader.transaction():
        await reader.execute("SELECT FROM presence")
        with pytest.raises(StoreUnavailable):
            await store.let_go()
        await store.presence.append(collect(presence), [None])  # nobody else is kept waiting
    assert await store.let_go() == 2
    assert await store.days() == [TODAY]


# Among others.


async def test_cursors_are_logged_meanwhile(store: Store) -> None:
    """Moves never wait for longer than they may, which would be an error of the append."""
    for days in range(60, 50, -1):
        await store.move(days_ago(days))
    await store.database.fetch("SELECT create_presence_partition(%s)::text", (TODAY,))
    appended = 0
    presence = Presence.begin("demo", "node.now", node="node", at=NOW)

    async def move() -> None:
        nonlocal appended
        while True:
            presence.record([["ada-1", "main.md", 0, 0, 0, 0]], [], at=NOW)
            events = collect(presence)
            await store.presence.append(events, [None] * len(events))
            appended += len(events)

    async with running(move()):
        await until(lambda: appended > 10)
        before = appended
        assert await store.let_go() == 20
        assert appended > before
    [(count,)] = await store.database.fetch("SELECT count(*) FROM presence")
    assert count >= appended > 0
    assert await store.days() == [TODAY]


async def test_two_nodes_at_once_do_it_once(store: Store) -> None:
    other = Node(Settings(), store.database)
    await other.record.feed.start()
    for days in (41, 40):
        await store.move(days_ago(days))
    async with running(other.record.feed.run(), other.record.commit.run()):
        there = let_old_days_go(store.database, other.record.lives, kept_days=30, now=NOW)
        assert sorted(await asyncio.gather(store.let_go(), there)) in ([0, 4], [2, 2])
    await other.record.store.disconnect()
    assert await store.days() == []
    assert len(await store.said()) == 2


async def test_while_another_node_is_at_it_nothing_is_done(store: Store) -> None:
    await store.move(days_ago(40))
    async with await store.database.connect("other") as other:
        await other.execute("SELECT pg_advisory_lock(%s, hashtext('presence'))", (RETENTION_LOCKS,))
        assert await store.let_go() == 0
    await until_async(lambda: _is_free(store))
    assert await store.let_go() == 2


async def _is_free(store: Store) -> bool:
    rows = await store.database.fetch(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s", (RETENTION_LOCKS,)
    )
    return bool(rows == [(0,)])


async def until_async(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 -- another process, which sends no events
            await asyncio.sleep(0.01)


async def test_a_day_that_somebody_else_removes_meanwhile_is_gone_already(store: Store) -> None:
    """By hand, since nodes take turns."""
    for days in (41, 40):
        await store.move(days_ago(days))
    original = store.lives.submit

    def submit_while_it_is_removed(*arguments: Any, **given: Any) -> Any:
        async def remove_first() -> Any:
            await store.execute(f"DROP TABLE IF EXISTS {table_of(days_ago(41))}")
            return await original(*arguments, **given)

        return asyncio.ensure_future(remove_first())

    store.lives.submit = submit_while_it_is_removed  # type: ignore[method-assign]
    assert await store.let_go() == 2
    assert await store.days() == []


async def test_without_a_store_it_is_put_off(migrated_url: str, store: Store) -> None:
    nowhere = Database(migrated_url.replace("/test_", "/no_such_test_"))
    with pytest.raises(StoreUnavailable):
        await let_old_days_go(nowhere, store.lives, kept_days=30, now=NOW)


async def test_frames_from_before_there_was_typing_are_read(store: Store, database: Database) -> None:
    await store.move(TODAY, moves=0)
    await database.fetch(
        "INSERT INTO presence (originator_id, originator_version, topic, state, actor, at) VALUES"
        " (%s, 2, 'presence.frame_recorded', convert_to(%s, 'UTF8'), 'node', %s) RETURNING 1",
        (f"presence:demo/node.{TODAY}", '{"actor": "node", "at": 1, "moves": [["c", "m", 1, 2, 3, 4]]}', NOW),
    )
    [_, frame] = await PostgresHistory(database, "presence").events_after(f"presence:demo/node.{TODAY}", 0)
    assert isinstance(frame, FrameRecorded)
    assert (frame.moves, frame.typing) == ([["c", "m", 1, 2, 3, 4]], [])
