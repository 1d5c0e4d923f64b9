"""Projections: each event exactly once in the table, whoever projects and whatever happens in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.aggregate import Event
from domain.document import Document, Edit
from infrastructure import projector as module
from infrastructure.postgres.database import Connection, Database
from infrastructure.postgres.directory import DirectoryView
from infrastructure.postgres.log import PostgresLog
from infrastructure.projector import LostTracking, Projector
from tests.domain.events import NOON, later
from tests.waiting import running, until


class Place:
    """A log with documents in it, and projectors of its directory."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.log = PostgresLog(database, "record")
        self.directory = DirectoryView(database)
        self._documents: dict[str, Document] = {}

    def projector(self) -> Projector:
        return Projector(self.database, self.log, self.directory)

    async def edit(self, *names: str) -> None:
        """One edit in each of these documents, which are created when they are not there."""
        events: list[Event] = []
        for name in names:
            document = self._documents.get(name) or Document.create("demo", name, actor="Ada", at=NOON)
            self._documents[name] = document
            seq = document.revision + 1
            document.edit(Edit("ada-1", seq, seq - 1, ["x"], ""), actor="Ben", at=later(seq))
            events += [event for event in document.collect_events() if isinstance(event, Event)]
        await self.log.append(events)

    async def revisions(self) -> dict[str, int]:
        return {entry.document: entry.revision for entry in await self.directory.of_room("demo")}

    async def position(self) -> Any:
        rows = await self.database.fetch("SELECT notification_id FROM tracking")
        return rows[0][0] if rows else None


@pytest.fixture
async def place(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr(module, "GATHER_SECONDS", 0.0)
    monkeypatch.setattr(module, "TAKEOVER_SECONDS", 0.02)
    place = Place(database)
    yield place
    await place.log.disconnect()


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    connection = await database.connect("test")
    async with connection:
        yield connection


async def test_a_projection_begins_with_the_whole_log_and_follows_it(place: Place) -> None:
    await place.edit("a.md", "b.md")
    projector = place.projector()
    async with running(projector.run()):
        await until(lambda: projector.position == 4)
        await place.edit("a.md")
        projector.on_events([])
        await until(lambda: projector.position == 5)
    assert await place.revisions() == {"a.md": 2, "b.md": 1}
    assert await place.position() == 5
    [entry, _] = await place.directory.of_room("demo")
    assert (entry.created_at, entry.created_by, entry.modified_at) == (NOON, "Ada", later(2))
    assert projector.events == 5


async def test_it_goes_on_where_it_was(place: Place) -> None:
    await place.edit("a.md")
    first, second = place.projector(), place.projector()
    async with running(first.run()):
        await until(lambda: first.position == 2)
    await place.edit("a.md")
    async with running(second.run()):
        await until(lambda: second.position == 3)
    assert await place.revisions() == {"a.md": 2}
    assert second.events == 1


async def test_a_long_log_is_taken_in_page_by_page(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE_EVENTS", 2)
    await place.edit("a.md", "b.md", "a.md")
    projector = place.projector()
    async with running(projector.run()):
        await until(lambda: projector.position == 5)
    assert await place.revisions() == {"a.md": 2, "b.md": 1}


async def test_one_projects_and_another_takes_over(place: Place) -> None:
    first, second = place.projector(), place.projector()
    async with running(second.run()):
        async with running(first.run()):
            await until(lambda: first.is_active or second.is_active)
            assert first.is_active != second.is_active
        await until(lambda: second.is_active)
        await place.edit("a.md")
        second.on_events([])
        await until(lambda: second.position == 2)
    assert await place.revisions() == {"a.md": 1}


async def test_two_at_work_on_one_page_take_it_in_once(place: Place, connection: Connection) -> None:
    await place.edit("a.md")
    await connection.execute("INSERT INTO tracking VALUES ('directory', 0)")
    first, second = place.projector(), place.projector()
    assert await first.step(connection)
    with pytest.raises(LostTracking):
        await second.step(connection)
    assert await place.revisions() == {"a.md": 1}
    assert not await first.step(connection)


async def test_one_that_has_lost_its_place_reads_it_again(place: Place, connection: Connection) -> None:
    projector = place.projector()
    async with running(projector.run()):
        await until(lambda: projector.is_active)
        await place.edit("a.md")
        assert await _step_aside(place, connection)
        await place.edit("a.md")
        projector.on_events([])
        await until(lambda: projector.position == 3)
    assert await place.revisions() == {"a.md": 2}


async def _step_aside(place: Place, connection: Connection) -> bool:
    """Project the next page behind the back of whoever does it."""
    other = place.projector()
    other.position = 0
    return await other.step(connection)


async def test_a_lost_connection_is_made_again(place: Place, connection: Connection) -> None:
    projector = place.projector()
    async with running(projector.run()):
        await until(lambda: projector.is_active)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'chronoscribe projection directory'"
        )
        await place.edit("a.md")
        projector.on_events([])
        await until(lambda: projector.position == 2)
    assert await place.revisions() == {"a.md": 1}


async def test_a_page_that_fails_leaves_nothing_behind(
    place: Place, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place.edit("a.md")
    await connection.execute("INSERT INTO tracking VALUES ('directory', 0)")
    projector = place.projector()

    async def fail(*_: object) -> None:
        await connection.execute("INSERT INTO directory VALUES ('demo', 'half', 1, now(), '', now(), '')")
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(place.directory, "apply", fail)
        with pytest.raises(ZeroDivisionError):
            await projector.step(connection)
    assert (await place.revisions(), await place.position(), projector.position) == ({}, 0, 0)
    assert await projector.step(connection)
    assert await place.revisions() == {"a.md": 1}


async def test_a_rebuilt_table_equals_the_live_one(place: Place, connection: Connection) -> None:
    await place.edit("a.md", "b.md", "b.md")
    projector = place.projector()
    await projector.rebuild(connection)
    while await projector.step(connection):
        pass
    live = await place.directory.of_room("demo")
    assert len(live) == 2
    await connection.execute("UPDATE directory SET revision = 99")
    await projector.rebuild(connection)
    assert (await place.revisions(), await place.position()) == ({}, 0)
    while await projector.step(connection):
        pass
    assert await place.directory.of_room("demo") == live
