"""The simulated store keeps the contract of the real one: the same scripts on both give the same answers.

Notification ids may differ (each has its own gaps); their order, what is refused and what is read may not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from domain.aggregate import Aggregate, Event, Snapshot
from domain.attendance import Attendance
from domain.document import Document, Edit, EditApplied
from domain.ids import document_stream
from domain.message import Message
from domain.room import Room
from infrastructure.group_commit import Appended, OutcomeUnknown
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory, PostgresLog
from infrastructure.postgres.migrations import migrate
from tests.domain.events import NOON, later
from tests.simulation.faults import draw_faults
from tests.simulation.store import Connection, HistoryOnNode, LogOnNode, SimulatedStore
from tests.simulation.trace import Trace

STREAM = document_stream("demo", "main.md")


@dataclass
class Place:
    """A store as two nodes see it."""

    log: Any
    other: Any
    history: Any


@pytest.fixture(params=["postgres", "simulated"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    if request.param == "simulated":
        yield simulated_place()
        return
    database = Database(request.getfixturevalue("database_url"))
    connection = await database.connect("migrations")
    async with connection:
        await migrate(connection)
    await database.open()
    logs = PostgresLog(database, "record"), PostgresLog(database, "record")
    try:
        yield Place(*logs, PostgresHistory(database))
    finally:
        for log in logs:
            await log.disconnect()
        await database.close()


def simulated_place() -> Place:
    """A store in which nothing goes wrong."""
    faults = replace(draw_faults(Random(1)), store_latency_seconds=0.0)
    store = SimulatedStore(Random(1), faults, Trace(verbose=False))
    store.is_faulty = False
    nodes = Connection(store), Connection(store)
    return Place(LogOnNode(nodes[0], "record"), LogOnNode(nodes[1], "record"), HistoryOnNode(nodes[0]))


def pending(*aggregates: Aggregate) -> list[Event]:
    return [e for aggregate in aggregates for e in aggregate.collect_events() if isinstance(e, Event)]


def a_document(edits: int = 0, name: str = "main.md") -> Document:
    document = Document.create("demo", name, actor="Ada", at=NOON)
    for number in range(1, edits + 1):
        edit = Edit("ada-1", number, number - 1, [f"{number};😀"], f"digest {number}")
        document.edit(edit, actor="Ada", at=later(number))
    return document


async def test_a_batch_is_taken_in_its_order_behind_what_was_there(place: Place) -> None:
    first = await place.log.append(pending(a_document(edits=2)))
    assert (first.previous, first.refused, len(first.positions)) == (0, frozenset(), 3)
    second = await place.other.append(pending(a_document(name="b.md")))
    assert second.previous == first.positions[-1] == max(first.positions)
    assert await place.log.position() == second.positions[-1] > second.previous


async def test_a_stream_that_does_not_follow_on_is_refused_and_the_rest_is_taken(place: Place) -> None:
    document = a_document(edits=3)
    events = pending(document)
    await place.log.append(events[:2])
    late = await place.other.append([*events[1:3], *pending(a_document(name="b.md"))])
    assert late.refused == {STREAM}
    assert len(late.positions) == 1
    early = await place.other.append(events[3:])
    assert (early.refused, list(early.positions)) == ({STREAM}, [])
    right = await place.log.append(events[2:])
    assert (right.refused, len(right.positions)) == (frozenset(), 2)
    assert right.positions[0] > late.positions[0]
    assert [e.originator_version for e in await place.history.events_after(STREAM, 0)] == [1, 2, 3, 4]


async def test_nobody_else_appends_while_the_lock_is_held(place: Place) -> None:
    events = pending(a_document(edits=1))
    async with place.log.exclusive() as exclusive:
        racing = asyncio.ensure_future(place.other.append(events))
        await asyncio.sleep(0.05)
        assert not racing.done()
        taken = await place.log.append_within(exclusive, events)
    assert taken.refused == frozenset()
    lost: Appended = await asyncio.wait_for(racing, 5)
    assert lost.refused == frozenset({STREAM})
    assert lost.previous == taken.positions[-1]


async def test_a_lock_that_was_held_for_nothing_is_free_again(place: Place) -> None:
    async with place.log.exclusive():
        pass
    with pytest.raises(ValueError, match="while deciding"):
        async with place.log.exclusive():
            raise ValueError("while deciding")
    await _until_free(place)


async def _until_free(place: Place) -> None:
    for _ in range(5):
        try:
            await asyncio.wait_for(place.other.append(pending(a_document())), 10)
        except OutcomeUnknown:
            continue
        return
    raise AssertionError("the lock was never free again")


async def test_the_feed_reads_behind_a_position(place: Place) -> None:
    taken = await place.log.append(pending(a_document(edits=3)))
    page = await place.log.read_after(taken.positions[1])
    assert [recorded.position for recorded in page] == list(taken.positions[2:])
    assert [recorded.event.revision for recorded in page] == [2, 3]
    assert await place.log.read_after(taken.positions[-1]) == []


async def test_what_is_read_is_what_was_written(place: Place) -> None:
    events = pending(a_document(edits=3))
    await place.log.append(events)
    assert await place.history.events_after(STREAM, 0) == events
    loaded = await place.history.load(STREAM)
    assert loaded == a_document_without_pending(edits=3)
    assert await place.history.load(document_stream("demo", "none.md")) is None


def a_document_without_pending(edits: int) -> Document:
    document = a_document(edits)
    document.collect_events()
    return document


async def test_a_document_is_read_from_its_snapshot_on(place: Place) -> None:
    document = a_document(edits=3)
    events = pending(document)
    await place.log.append(events[:3])
    part = a_document_without_pending(edits=2)
    await place.history.save_snapshot(Snapshot.take(part))
    await place.history.save_snapshot(Snapshot.take(part))
    await place.log.append(events[3:])
    loaded = await place.history.load(STREAM)
    assert (str(loaded.text), loaded.revision, loaded.version) == (str(document.text), 3, 4)
    assert [edit.revision for edit in loaded.window] == [3]


async def test_edits_are_found_by_revision_and_by_client(place: Place) -> None:
    await place.log.append(pending(a_document(edits=5)))
    found: Sequence[EditApplied] = await place.history.edits(STREAM, 1, 4)
    assert [edit.revision for edit in found] == [2, 3, 4]
    last = await place.history.find_last_edit(STREAM, "ada-1")
    assert last is not None
    assert tuple(last) == (5, 5, "digest 5")
    assert await place.history.find_last_edit(STREAM, "ben-1") is None


async def test_a_room_is_told_of_everything_but_edits(place: Place) -> None:
    room = Room.open("demo", "Demo", actor="Ada", at=NOON)
    elsewhere = Room.open("other", "Other", actor="Ada", at=NOON)
    stays = [
        Attendance.join("demo", name, client=name, node="n1", actor="Ada", at=NOON) for name in ("s1", "s2")
    ]
    stays[0].leave("left", actor="Ada", at=NOON)
    said = [
        Message.post("demo", f"m{n}", client="ada-1", text="x", documents={}, actor="Ada", at=NOON)
        for n in range(3)
    ]
    await place.log.append(pending(room, elsewhere, *stays, a_document(edits=2), *said))
    told = await place.history.room_events("demo", 0, 2**62, limit=100)
    assert [type(r.event).__name__ for r in told] == ["Opened", "Joined", "Left", "Joined", *["Posted"] * 3]
    assert [r.position for r in told] == sorted(r.position for r in told)
    part = await place.history.room_events("demo", told[0].position, told[4].position, limit=3)
    assert part == told[1:4]
    assert [r.event.message for r in await place.history.messages("demo", told[5].position, 2)] == [
        "m0",
        "m1",
    ]
    for name in ("demo", None):
        assert [r.event.session for r in await place.history.open_stays(name)] == ["s2"]
