"""A node without sockets: its jobs, and how it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from application.attendances import Stay
from application.documents import digest
from application.services import Services
from domain.attendance import Appearance, Joined
from domain.document import Document, Edit
from domain.errors import StoreUnavailable
from domain.ids import is_id
from domain.rights import Role
from infrastructure import node as module
from infrastructure.embedded_postgres import EmbeddedPostgres
from infrastructure.node import Node, open_node
from infrastructure.postgres.database import Database, UnsafeStore
from infrastructure.postgres.log import LOCK_KEYS
from infrastructure.postgres.wakeup import living_nodes
from infrastructure.settings import Settings
from infrastructure.snapshots import SNAPSHOT_ON_LEAVING
from tests.infrastructure.nodes import a_node
from tests.waiting import until

IDLE = Settings(aggregates_idle_seconds=1e-9)


async def write(services: Services, edits: int) -> None:
    """A document with so many edits, in a room of its own."""
    await services.rooms.open("demo", "Demo", actor="Ada")
    await services.documents.create("demo", "main.md", actor="Ada")
    for seq in range(1, edits + 1):
        edit = Edit("ada-1", seq, seq - 1, ["x"], digest(seq - 1, ["x"]))
        done = services.documents.edit("demo", "main.md", edit, actor="Ada")
    if edits:
        await done


async def snapshots(database: Database) -> list[int]:
    rows = await database.fetch("SELECT originator_version FROM snapshots ORDER BY originator_version")
    return [row[0] for row in rows]


# Starting.


async def test_a_node_does_not_start_on_a_postgres_that_could_forget(database_url: str) -> None:
    with pytest.raises(UnsafeStore):
        async with open_node(Settings(), database_url):
            pass


async def test_a_node_starts_on_an_empty_one_that_is_safe(
    durable_postgres: Callable[[], EmbeddedPostgres],
) -> None:
    async with open_node(Settings(), durable_postgres().start()) as (node, services):
        await write(services, 1)
        assert node.record.feed.position == 4
        assert not node.failed.done()


async def test_no_id_that_is_made_here_looks_like_an_option_of_a_command(database: Database) -> None:
    async with a_node(database) as (_, services):
        ids = {services.new_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(is_id(each) and each[0].isalnum() for each in ids)


async def test_the_coming_days_have_room_for_cursors(database: Database) -> None:
    async with a_node(database):
        rows = await database.fetch("SELECT count(*) FROM pg_inherits WHERE inhparent = 'presence'::regclass")
    assert rows == [(module.PARTITIONS_AHEAD_DAYS + 1,)]


async def test_cursors_are_logged(database: Database) -> None:
    async with a_node(database) as (node, services):
        services.cursors.move("demo", "ada-1", "main.md", 0, 0, 0)
        await until(lambda: node.presence.feed.position == 3)  # its stream begins, the frame, a keyframe
        assert (node.presence.commit.events, node.record.commit.events) == (3, 0)


# Jobs.


async def test_idle_documents_leave_the_memory_with_a_snapshot(database: Database) -> None:
    async with a_node(database, IDLE) as (node, services):
        await write(services, SNAPSHOT_ON_LEAVING)
        await node.evict()
        assert len(node.record.lives) == 0
        await until(lambda: node.snapshots.saved == 1)
        assert await snapshots(database) == [SNAPSHOT_ON_LEAVING + 1]
        document = await services.documents.get("demo", "main.md")
        assert len(document.text) == SNAPSHOT_ON_LEAVING


async def test_documents_in_use_stay(database: Database) -> None:
    async with a_node(database) as (node, services):
        await write(services, 1)
        await node.evict()
        assert services.documents.find("demo", "main.md") is not None


async def test_a_job_that_finds_the_store_away_is_put_off(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_node(database) as (node, _):

        async def look_around() -> None:
            raise StoreUnavailable("away")

        with caplog.at_level(logging.WARNING):
            node.schedule(look_around, 7_777)
            jobs = node.scheduler.get_jobs()
            [job] = [job for job in jobs if job.trigger.interval.total_seconds() == 7_777]
            await job.func()
    assert "look_around is put off: away" in caplog.text


async def test_the_stays_of_a_dead_node_are_ended_when_it_was_missed_twice(database: Database) -> None:
    async with a_node(database) as (dead, services):
        await services.rooms.open("demo", "Demo", actor="Ada", everyone=Role.EDITOR)
        begin_stay(services, "s1", "ada-1", "Ada")
        await until(lambda: dead.record.feed.position == 2)
    async with a_node(database) as (other, theirs), a_node(database) as (living, ours):
        begin_stay(theirs, "s2", "ben-1", "Ben")
        begin_stay(ours, "s3", "cem-1", "Cem")
        await until(lambda: other.record.feed.position == living.record.feed.position == 4)
        await _until_alive(other)
        assert await here(living) == ["s1", "s2", "s3"]
        await living.close_stays_of_dead_nodes(ours.attendances)
        assert await here(living) == ["s1", "s2", "s3"]
        await living.close_stays_of_dead_nodes(ours.attendances)
        assert await here(living) == ["s2", "s3"]


def begin_stay(services: Services, session: str, client: str, actor: str) -> Stay:
    return services.attendances.stay(
        "demo", session, client=client, appearance=Appearance(actor, "#4c75f0"), actor=actor
    )


async def here(node: Node) -> list[str]:
    stays = [stay.event for stay in await node.history.open_stays(None)]
    return sorted(stay.session for stay in stays if isinstance(stay, Joined))


async def _until_alive(node: Node) -> None:
    """Its lock is taken by the task that listens."""
    async with asyncio.timeout(20):
        while int(node.id.removeprefix("node-"), 16) not in await living_nodes(node.database):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


# Ending.


async def test_what_is_on_its_way_is_written_before_the_end(database: Database) -> None:
    async with a_node(database) as (_, services):
        await services.rooms.open("demo", "Demo", actor="Ada")
        await services.documents.create("demo", "main.md", actor="Ada")
        done = services.documents.edit("demo", "main.md", Edit("ada-1", 1, 0, ["x"], ""), actor="Ada")
        begin_stay(services, "s1", "ada-1", "Ada").end("drained")
    assert len(done.result()) == 1
    rows = await database.fetch("SELECT topic FROM record WHERE kind = 'attendance' ORDER BY notification_id")
    assert rows == [("attendance.joined",), ("attendance.left",)]


async def test_documents_in_memory_leave_a_snapshot_at_the_end(database: Database) -> None:
    async with a_node(database) as (_, services):
        await write(services, SNAPSHOT_ON_LEAVING)
    assert await snapshots(database) == [SNAPSHOT_ON_LEAVING + 1]


async def test_a_task_that_ends_by_itself_is_the_end_of_the_node(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def explode() -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.CRITICAL):
        async with a_node(database) as (node, _):
            node.own(explode(), "a task")
            node.own(explode(), "another task")
            await asyncio.wait_for(node.failed, 20)
    assert "a task has ended" in caplog.text


async def test_the_end_does_not_wait_for_a_store_that_is_away(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.1)
    with caplog.at_level(logging.WARNING):
        async with a_node(database) as (node, services):
            await write(services, 0)
            blocker = await database.connect("test")
            await blocker.execute("BEGIN")
            await blocker.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEYS["record"],))
            edit = Edit("ada-1", 1, 0, ["x"], "")
            services.documents.edit("demo", "main.md", edit, actor="Ada")
            await until(lambda: node.record.commit.waiting_events == 0)
        await blocker.close()
    assert "closing did not wait" in caplog.text


async def test_a_document_read_after_a_restart_is_the_one_that_was_left(database: Database) -> None:
    async with a_node(database) as (_, services):
        await write(services, 3)
        before = await services.documents.get("demo", "main.md")
        assert isinstance(before, Document)
    async with a_node(database) as (_, services):
        after = await services.documents.get("demo", "main.md")
    assert after.as_state() == before.as_state()


async def test_a_task_that_overhears_that_it_is_to_end_is_told_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CANCEL_AGAIN_SECONDS", 0.01)
    overheard: list[int] = []

    async def overhear() -> None:
        while len(overheard) < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                overheard.append(1)
        await asyncio.Event().wait()

    async with asyncio.timeout(20), a_node(database) as (node, _):
        node.own(overhear(), "a task")
        await asyncio.sleep(0)
    assert len(overheard) == 2
