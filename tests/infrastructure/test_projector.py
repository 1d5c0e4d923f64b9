"""Projections: each event exactly once in the table, whoever projects and whatever happens in between."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain.aggregate import Event
from domain.errors import StoreUnavailable
from infrastructure import projector as module
from infrastructure.postgres.database import Connection, Database
from infrastructure.projector import LostTracking, reason
from tests.domain.events import NOON, later
from tests.infrastructure.projecting import (
    COUNTS_SCHEMA,
    POISON,
    CountView,
    Key,
    Place,
    expected,
    histories,
    key_of,
)
from tests.waiting import running, until


@pytest.fixture
async def place(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr(module, "GATHER_SECONDS", 0.0)
    monkeypatch.setattr(module, "TAKEOVER_SECONDS", 0.02)
    place = Place(database)
    await place.execute(COUNTS_SCHEMA)
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


async def test_a_long_log_is_taken_in_page_by_page(place: Place) -> None:
    await place.edit("a.md", "b.md", "a.md")
    projector = place.projector(page_events=2)
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


async def test_one_that_has_lost_its_place_reads_it_again_at_once(
    place: Place, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAKEOVER_SECONDS", 1_000.0)
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


async def test_one_that_hears_nothing_looks_for_itself(
    place: Place, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    projector = place.projector()
    async with running(projector.run()):
        await until(lambda: projector.is_active)
        await place.edit("a.md")
        await until(lambda: projector.position == 2)
        await connection.execute("INSERT INTO parked VALUES ('directory', 1, 's', 1, 't', 'e')")
        await until(lambda: projector.parked == 1)


# Topics.


async def test_a_view_is_given_what_it_asks_for_and_comes_to_the_end_all_the_same(place: Place) -> None:
    await place.edit("a.md", "b.md")
    await place.edit("a.md", "b.md", "b.md")
    view = CountView(topics=frozenset({"document.created"}))
    projector = await place.project(view, page_events=2)
    assert (projector.events, projector.position, await place.position("counts")) == (2, 7, 7)
    assert await place.counts() == {"document:demo/a.md": 1, "document:demo/b.md": 1}


async def test_a_view_that_wants_nothing_of_a_page_is_not_asked(place: Place) -> None:
    await place.edit("a.md", "a.md")
    view = CountView(topics=frozenset({"room.opened"}))
    view.on_page = _fail
    projector = await place.project(view)
    assert (projector.events, projector.position, projector.parked) == (0, 3, 0)


def _fail(_: object) -> None:
    raise AssertionError


async def test_a_page_ends_where_it_is_told_to(place: Place) -> None:
    await place.edit("a.md", "b.md")
    end, page = await place.log.read_page(1, 10, None, 3)
    assert (end, [recorded.position for recorded in page]) == (3, [2, 3])
    assert await place.log.read_page(3, 10, None, 3) == (3, [])
    assert await place.log.read_page(4, 10, None, 3) == (4, [])


# Poison.

A = "document:demo/a.md"
B = "document:demo/b.md"


async def test_an_event_that_a_view_cannot_take_in_is_parked_and_the_rest_goes_on(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    await place.edit("a.md", "b.md", "a.md", "a.md")
    view = CountView(poison=[Key(A, 3)])
    projector = await place.project(view)
    assert await place.counts() == {A: 3, B: 2}
    assert await place.position("counts") == 6
    assert (projector.parked, projector.events) == (1, 6)
    [row] = await place.database.fetch(
        "SELECT position, stream, version, topic, error, now() - at < interval '1 hour' FROM parked"
    )
    error = row[4]
    assert row == (5, A, 3, "document.edit_applied", error, True)
    assert error.startswith("ValueError in projecting.py line ")
    assert f"projection counts has parked event 5: {error}" in caplog.text
    assert "secret" not in caplog.text + error
    # And whoever comes next knows of it.
    assert (await place.project(view)).parked == 1


async def test_an_event_that_cannot_be_read_is_parked_and_no_view_sees_it(place: Place) -> None:
    await place.edit("a.md")
    await place.execute(POISON, (A, 3))
    await place.edit("b.md")
    projector = await place.project(CountView())
    assert (await place.counts(), projector.parked, projector.position) == ({A: 2, B: 2}, 1, 5)
    rows = await place.database.fetch("SELECT stream, version, topic, error FROM parked")
    assert rows == [
        (A, 3, "document.of_the_future", f"Corrupt: unknown event 'document.of_the_future' in {A} at 3")
    ]


async def test_a_page_of_nothing_but_poison_is_passed_over(place: Place) -> None:
    await place.execute(POISON, (A, 1))
    projector = await place.project(CountView())
    assert (projector.position, projector.parked, await place.counts()) == (1, 1, {})


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("gone"),
        psycopg.InterfaceError("gone"),
        psycopg.errors.AdminShutdown("gone"),
        psycopg.errors.UndefinedTable("not migrated"),
        StoreUnavailable("gone"),
    ],
)
async def test_nothing_is_parked_because_the_store_is_away(
    place: Place, connection: Connection, error: Exception
) -> None:
    await place.edit("a.md")
    view = CountView()
    projector = place.projector(view)
    await projector.begin(connection)

    def fail(_: object) -> None:
        raise error

    view.on_page = fail
    with pytest.raises(type(error)):
        await projector.step(connection)
    assert (await place.counts(), await place.parked("counts"), projector.position) == ({}, [], 0)
    view.on_page = lambda page: None
    assert await projector.step(connection)
    assert (await place.counts(), projector.position) == ({A: 2}, 2)


async def test_a_value_that_is_too_much_for_an_index_is_poison(place: Place) -> None:
    """Postgres counts this among the things that may be better another time; it never is."""
    await place.edit("a.md", actor="".join(chr(0x4E00 + n * 7 % 20_000) for n in range(4_000)))
    await place.edit("b.md")
    projector = await place.project(CountView())
    assert (await place.counts(), projector.parked) == ({A: 1, B: 2}, 1)
    [(error,)] = await place.database.fetch("SELECT error FROM parked")
    assert error.startswith("ProgramLimitExceeded")


async def test_a_projection_lives_through_poison(place: Place) -> None:
    await place.edit("a.md", "b.md")
    projector = place.projector(CountView(poison=[Key(A, 2)]))
    async with running(projector.run()):
        await until(lambda: projector.position == 4)
        assert projector.parked == 1
        await place.edit("a.md")
        projector.on_events([])
        await until(lambda: projector.position == 5)
    assert await place.counts() == {A: 2, B: 2}


def test_a_reason_names_what_was_hurt_and_tells_no_values() -> None:
    assert reason(KeyError("the text of a document")) == "KeyError"
    assert reason(psycopg.errors.UniqueViolation("Key (a)=(the text) exists")) == "UniqueViolation"


async def test_a_reason_of_the_database_names_the_constraint(place: Place, connection: Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as failed:
        await connection.execute("INSERT INTO counts VALUES ('the text of a document', 0)")
    assert reason(failed.value) == "CheckViolation counts counts_events_check"


# The law.


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=max(5, settings().max_examples // 8),  # each asks a database hundreds of times
    phases=[phase for phase in Phase if phase is not Phase.shrink],  # it takes minutes, for little
)
@given(
    history=histories(),
    page=st.integers(1, 12),
    crashes=st.lists(st.integers(0, 3), max_size=4),
    data=st.data(),
)
async def test_every_event_is_taken_in_once_whatever_crashes_and_whatever_is_poison(
    place: Place, history: list[Event], page: int, crashes: list[int], data: st.DataObject
) -> None:
    """`crashes` are the numbers of pages that go well before the next that does not."""
    await place.begin_anew()
    keys = [key_of(event) for event in history]
    poison = data.draw(st.lists(st.sampled_from(keys), unique=True, max_size=4))
    view = CountView(poison)
    fates = iter([goes_well for count in crashes for goes_well in [True] * count + [False]])

    def crash_perhaps(_: object) -> None:
        if not next(fates, True):
            raise psycopg.OperationalError("gone")

    view.on_page = crash_perhaps
    await place.log.append(history, [None] * len(history))
    for _ in range(len(crashes) + 1):
        try:
            projector = await place.project(view, page)
        except psycopg.OperationalError:
            continue
    await place.project(page_events=page)
    assert await place.tables() == expected(history, poison)
    assert await place.parked("counts") == [key for key in keys if key in set(poison)]
    assert projector.position == await place.position("counts") == len(history)
