"""A rebuild gives what the log says, is seen by nobody before it is done, and stops nobody meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain.aggregate import Event
from infrastructure import projector as projector_module
from infrastructure import rebuild as module
from infrastructure.postgres.database import Database
from infrastructure.rebuild import Rebuild, RebuildRefused
from tests.domain.events import later
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
from tests.infrastructure.unguarded import append
from tests.waiting import running, until

A = "document:demo/a.md"
B = "document:demo/b.md"

# Slower than a view with two statements for each event can be folded twice, here and in the rebuild.
WRITER_PAUSE_SECONDS = 0.01
READER_PAUSE_SECONDS = 0.001
WRITES_MAX = 300


@pytest.fixture
async def place(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr(projector_module, "GATHER_SECONDS", 0.0)
    monkeypatch.setattr(projector_module, "TAKEOVER_SECONDS", 0.02)
    monkeypatch.setattr(module, "SWITCH_PAUSE_SECONDS", 0.01)
    place = Place(database)
    await place.execute(COUNTS_SCHEMA)
    yield place
    await place.log.disconnect()


async def leftovers(place: Place) -> list[Any]:
    return await place.database.fetch(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'rebuild')"
    )


# The law.


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=max(5, settings().max_examples // 8),  # each asks a database hundreds of times
    phases=[phase for phase in Phase if phase is not Phase.shrink],  # it takes minutes, for little
)
@given(
    history=histories(),
    pages=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    data=st.data(),
)
async def test_rebuilt_rows_are_the_live_rows_are_a_plain_fold(
    place: Place, history: list[Event], pages: tuple[int, int], data: st.DataObject
) -> None:
    """However far the live tables are, and also when they have never been filled."""
    await place.begin_anew()
    keys = [key_of(event) for event in history]
    poison = data.draw(st.lists(st.sampled_from(keys), unique=True, max_size=3))
    counts, live_page, rebuild_page = CountView(poison), *pages
    known = data.draw(st.integers(0, len(history)))
    await append(place.log, history[:known])
    if known:
        await place.project(page_events=live_page)
        await place.project(counts, live_page)
    if known < len(history):
        await append(place.log, history[known:])

    compared = await place.rebuild(counts, rebuild_page, is_comparing=True)
    assert (compared.differences, compared.position, compared.events) == ((), known, known)
    assert (await place.tables())[1:] == expected(history[:known], poison)[1:]

    for view in (place.directory, counts):
        rebuilt = await place.rebuild(view, rebuild_page)
        assert (rebuilt.position, rebuilt.differences) == (len(history), None)
    assert await place.tables() == expected(history, poison)
    assert await place.parked("counts") == [key for key in keys if key in set(poison)]
    assert await leftovers(place) == []


async def test_an_empty_log_makes_empty_tables(place: Place) -> None:
    rebuilt = await place.rebuild(CountView(), is_comparing=True)
    assert (rebuilt.position, rebuilt.events, rebuilt.parked, rebuilt.differences) == (0, 0, 0, ())


async def test_progress_is_told_page_by_page(place: Place) -> None:
    await place.edit("a.md", "b.md", "b.md")
    told: list[tuple[int, int]] = []
    work = Rebuild(place.database, place.log, place.directory, page_events=2)
    await work.run(lambda position, end: told.append((position, end)))
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]


async def test_a_view_that_wants_few_topics_is_rebuilt_up_to_the_end(place: Place) -> None:
    await place.edit("a.md", "b.md", "b.md")
    rebuilt = await place.rebuild(CountView(topics=frozenset({"document.created"})), page_events=2)
    assert (rebuilt.position, rebuilt.events) == (5, 2)
    assert await place.counts() == {A: 1, B: 1}


# Beside the living.


async def test_while_others_write_project_and_read_a_rebuild_is_not_noticed(place: Place) -> None:
    for _ in range(20):
        await place.edit("a.md", "b.md")
    counts = CountView()
    projectors = [place.projector(view, page_events=3) for view in (place.directory, counts)]
    async with running(*(projector.run() for projector in projectors)):
        await until(lambda: all(projector.position == 42 for projector in projectors))
        async with running(_write(place, projectors), _read(place)):
            for view in (place.directory, counts):
                rebuilt = await place.rebuild(view, page_events=20, is_comparing=True)
                assert rebuilt.differences == ()
                await place.rebuild(view, page_events=20)
        end = await place.log.position()
        for projector in projectors:
            projector.on_events([])
        await until(lambda: all(projector.position == end for projector in projectors))
    assert end > 42
    recorded = await place.log.read_after(0, end)
    assert len(recorded) == end
    assert await place.tables() == expected(recorded.event for recorded in recorded)


async def _write(place: Place, projectors: list[Any]) -> None:
    """Not for ever: on a slow machine a writer can be quicker than a rebuild with pages as small as these."""
    for _ in range(WRITES_MAX):
        await place.edit("a.md", "b.md")
        for projector in projectors:
            projector.on_events([])
        await asyncio.sleep(WRITER_PAUSE_SECONDS)


async def _read(place: Place) -> None:
    """The tables are never empty, and nothing in them goes back."""
    newest = 0
    while True:
        entries = await place.directory.of_room("demo")
        assert [entry.document for entry in entries] == ["a.md", "b.md"]
        assert set(await place.counts()) == {A, B}
        newest, before = entries[0].revision, newest
        assert newest >= before > -1
        await asyncio.sleep(READER_PAUSE_SECONDS)


async def test_tables_ahead_of_the_living_move_these_on_at_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The living projector, which has not heard of the newest events, meets its tables at another place.

    It is told of nothing before its tables have moved, and does not look by itself: it sleeps at 2.
    """
    monkeypatch.setattr(projector_module, "TAKEOVER_SECONDS", 1_000.0)
    monkeypatch.setattr(projector_module, "LOOK_SECONDS", 1_000.0)
    await place.edit("a.md")
    projector = place.projector(counts := CountView())
    async with running(projector.run()):
        await until(lambda: projector.position == 2)
        await place.edit("a.md")
        assert (await place.rebuild(counts)).position == 3
        assert projector.position == 2
        await place.edit("a.md")
        projector.on_events([])
        await until(lambda: projector.position == 4)
    assert await place.counts() == {A: 4}


async def test_tables_behind_the_living_catch_up_under_their_lock(place: Place) -> None:
    """Events that come after the last page of the rebuild, and that the living tables have already."""
    await place.edit("a.md")
    counts = CountView()
    await place.project(counts)
    work = Rebuild(place.database, place.log, counts)
    catch_up = work._catch_up

    async def catch_up_and_be_overtaken(*arguments: Any) -> None:
        await catch_up(*arguments)
        await place.edit("a.md", "b.md")
        await place.project(counts)

    work._catch_up = catch_up_and_be_overtaken  # type: ignore[method-assign,assignment]
    rebuilt = await work.run(lambda position, end: None, is_comparing=True)
    assert (rebuilt.position, rebuilt.events, rebuilt.differences) == (5, 5, ())
    assert await place.counts() == {A: 3, B: 2}


async def test_a_long_reader_is_waited_for(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, module.__name__)
    await place.edit("a.md")
    async with await place.database.connect("reader") as reader:
        async with reader.transaction():
            await reader.execute("SELECT * FROM actors")
            task = asyncio.create_task(place.rebuild(CountView()))
            await until(lambda: "the switch of counts is tried again" in caplog.text)
            await place.edit("a.md")
        rebuilt = await task
    # What comes while it waits for its turn is in the new tables, or is taken in by who goes on from them.
    assert rebuilt.position == rebuilt.events
    assert rebuilt.position in (2, 3)
    await place.project(CountView())
    assert await place.counts() == {A: 3}


async def test_readers_who_never_end_have_the_rebuild_given_up(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SWITCH_ATTEMPTS", 1)
    await place.edit("a.md")
    async with await place.database.connect("reader") as reader, reader.transaction():
        await reader.execute("SELECT * FROM actors")
        with pytest.raises(RebuildRefused, match="somebody has been reading counts, actors for long"):
            await place.rebuild(CountView())
    assert (await place.counts(), await leftovers(place)) == ({}, [])


# What the new tables bring along.


async def test_indexes_keep_their_names_and_readers_their_rights(place: Place) -> None:
    await place.execute("GRANT SELECT ON counts TO PUBLIC; GRANT SELECT, INSERT ON counts TO pg_monitor")
    before = await _names(place)
    assert len(before) == 5
    for _ in range(2):
        await place.rebuild(CountView())
    assert await _names(place) == before
    await place.rebuild()
    assert await _names(place) == before


async def _names(place: Place) -> list[Any]:
    indexes = await place.database.fetch(
        "SELECT indexdef FROM pg_indexes WHERE tablename IN ('counts', 'actors', 'directory') ORDER BY 1"
    )
    rights = await place.database.fetch(
        "SELECT grantee::text, privilege_type FROM information_schema.role_table_grants"
        " WHERE table_name = 'counts' AND grantee IN ('PUBLIC', 'pg_monitor') ORDER BY 1, 2"
    )
    assert len(rights) == 3
    return indexes


# Poison.


async def test_a_rebuild_parks_again_what_cannot_be_taken_in_and_forgets_what_can(place: Place) -> None:
    await place.edit("a.md", "b.md")
    await place.execute(POISON, (A, 3))
    counts = CountView(poison=[Key(B, 2)])
    await place.project(counts)
    await place.execute("INSERT INTO parked VALUES ('directory', 7, 's', 1, 't', 'of another projection')")
    assert await place.parked("counts") == [Key(B, 2), Key(A, 3)]
    assert (await place.rebuild(counts)).parked == 2
    assert await place.parked("counts") == [Key(B, 2), Key(A, 3)]

    counts.poison.clear()
    assert (await place.rebuild(counts)).parked == 1
    assert await place.parked("counts") == [Key(A, 3)]
    assert await place.counts() == {A: 2, B: 2}
    assert await place.parked("directory") == [Key("s", 1)]


# Comparing.


async def test_a_row_that_was_changed_by_hand_is_told_and_put_right(place: Place) -> None:
    await place.edit("a.md", "b.md")
    await place.project()
    await place.execute("UPDATE directory SET revision = 99 WHERE document = 'a.md'")
    rebuilt = await place.rebuild(is_comparing=True)
    assert rebuilt.differences is not None
    stood, says = rebuilt.differences
    assert (stood.table, stood.is_rebuilt, stood.count) == ("directory", False, 1)
    assert (says.table, says.is_rebuilt, says.count) == ("directory", True, 1)
    assert stood.rows[0].startswith("(demo,a.md,99,")
    assert says.rows[0].startswith("(demo,a.md,1,")
    assert await place.revisions() == {"a.md": 1, "b.md": 1}


async def test_rows_too_many_and_too_few_are_told_of_every_table(place: Place) -> None:
    await place.edit("a.md")
    counts = CountView()
    await place.project(counts)
    await place.execute("INSERT INTO counts SELECT 'x' || n, 1 FROM generate_series(1, 30) AS n")
    await place.execute("DELETE FROM actors WHERE actor = 'Ada'")
    rebuilt = await place.rebuild(counts, is_comparing=True)
    assert rebuilt.differences is not None
    found = [(d.table, d.is_rebuilt, d.count, len(d.rows)) for d in rebuilt.differences]
    assert found == [("counts", False, 30, module.DIFFERENCES_SHOWN), ("actors", True, 1, 1)]
    assert (await place.rebuild(counts, is_comparing=True)).differences == ()


async def test_the_next_rebuild_begins_before_postgres_has_noticed_the_end_of_the_last(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place.edit("a.md")
    await place.project()
    open_still: list[psycopg.AsyncConnection[Any]] = []
    close = psycopg.AsyncConnection.close

    async def hold(connection: psycopg.AsyncConnection[Any]) -> None:
        open_still.append(connection)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.AsyncConnection, "close", hold)
        positions = [(await place.rebuild()).position for _ in range(2)]
    for connection in open_still:
        await close(connection)
    assert positions == [2, 2]


async def test_what_the_living_have_not_read_yet_is_no_difference(place: Place) -> None:
    await place.edit("a.md")
    await place.project()
    await place.edit("a.md", "b.md")
    rebuilt = await place.rebuild(is_comparing=True)
    assert (rebuilt.differences, rebuilt.position) == ((), 2)
    await place.project()
    assert await place.revisions() == {"a.md": 2, "b.md": 1}


# Interrupted.


async def test_an_interrupted_rebuild_leaves_everything_as_it_was(place: Place) -> None:
    await place.edit("a.md", "b.md", "b.md")
    await place.project(counts := CountView())
    await place.execute("UPDATE counts SET events = 77")
    reached = asyncio.Event()
    work = Rebuild(place.database, place.log, counts, page_events=2)
    task = asyncio.create_task(work.run(lambda position, end: reached.set() if position else None))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await leftovers(place) == []
    assert (await place.counts(), await place.position("counts")) == ({A: 77, B: 77}, 5)


async def test_after_a_killed_rebuild_the_next_one_starts_over(place: Place) -> None:
    await place.edit("a.md", "b.md", "b.md")
    counts = CountView()
    await place.project(counts)
    await place.execute("UPDATE counts SET events = 77")

    async def kill() -> None:
        await place.execute(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'chronoscribe rebuild counts'"
        )

    work = Rebuild(place.database, place.log, counts, page_events=2)
    replace = work._replace

    async def replace_and_die(*arguments: Any) -> Any:
        await replace(*arguments)
        await kill()
        await arguments[0].execute("SELECT 1")

    work._replace = replace_and_die  # type: ignore[method-assign,assignment]
    with pytest.raises(psycopg.OperationalError):
        await work.run(lambda position, end: None)
    assert await leftovers(place) == [("rebuild_counts",)]
    assert (await place.counts(), await place.position("counts")) == ({A: 77, B: 77}, 5)

    rebuilt = await place.rebuild(counts, page_events=2)
    assert (rebuilt.events, await leftovers(place)) == (5, [])
    assert await place.counts() == {A: 2, B: 3}


async def test_one_rebuild_of_a_projection_at_a_time(place: Place) -> None:
    await place.edit("a.md")
    counts = CountView()
    others = [Rebuild(place.database, place.log, view) for view in (counts, place.directory)]
    waiting: list[asyncio.Task[Any]] = []
    work = Rebuild(place.database, place.log, counts)
    catch_up = work._catch_up

    async def catch_up_slowly(*arguments: Any) -> None:
        await catch_up(*arguments)
        waiting.extend(asyncio.create_task(other.run(lambda *_: None)) for other in others)
        await asyncio.wait(waiting)

    work._catch_up = catch_up_slowly  # type: ignore[method-assign,assignment]
    await work.run(lambda *_: None)
    refusals = [error for task in waiting if (error := task.exception()) is not None]
    assert [str(error) for error in refusals] == ["counts is being rebuilt already"]
    assert isinstance(refusals[0], RebuildRefused)
    assert (await place.counts(), await place.revisions()) == ({A: 2}, {"a.md": 1})
    assert (await place.directory.of_room("demo"))[0].modified_at == later(1)
