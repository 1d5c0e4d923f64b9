"""The simulated store and the fake one keep the contract of the real one: the same scripts, the same answers.

Notification ids may differ (each has its own gaps); their order, what is refused and what is read may not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from application.log import Guarded, Recorded
from domain.aggregate import Aggregate, Event, Snapshot
from domain.attendance import Appearance, Attendance, Status
from domain.document import Document, Edit, EditApplied
from domain.ids import document_stream
from domain.message import Message
from domain.presence import Move, Presence
from domain.profile import Profile
from domain.rights import Role
from domain.room import Room
from infrastructure.group_commit import Appended, OutcomeUnknown
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory, PostgresLog
from infrastructure.postgres.migrations import migrate
from tests.application.fakes import FakeStore
from tests.domain.events import NOON, later
from tests.infrastructure.unguarded import append
from tests.simulation.faults import draw_faults
from tests.simulation.store import Connection, HistoryOnNode, LogOnNode, SimulatedStore
from tests.simulation.trace import Trace
from tests.waiting import PATIENCE_SECONDS, POLL_SECONDS

STREAM = document_stream("demo", "main.md")


@dataclass
class Place:
    """A store as two nodes see it. `is_waiting` says whether an append of the record waits for its lock."""

    log: Any
    other: Any
    presence: Any
    history: Any
    is_waiting: Callable[[], Awaitable[bool]]


@pytest.fixture(params=["postgres", "simulated", "fake"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    if request.param == "simulated":
        yield simulated_place()
    elif request.param == "fake":
        yield fake_place()
    else:
        async with postgres_place(request.getfixturevalue("database_url")) as place:
            yield place


@asynccontextmanager
async def postgres_place(url: str) -> AsyncIterator[Place]:
    database = Database(url)
    connection = await database.connect("migrations")
    async with connection:
        await migrate(connection)
        await connection.execute("SELECT create_presence_partition(%s)", (NOON.date(),))
    await database.open()
    log, other, presence = (PostgresLog(database, name) for name in ("record", "record", "presence"))

    async def is_waiting() -> bool:
        return bool(await database.fetch("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))

    try:
        yield Place(log, other, presence, PostgresHistory(database), is_waiting)
    finally:
        for opened in (log, other, presence):
            await opened.disconnect()
        await database.close()


def simulated_place() -> Place:
    """A store in which nothing goes wrong."""
    faults = replace(draw_faults(Random(1)), store_latency_seconds=0.0)
    store = SimulatedStore(Random(1), faults, Trace(verbose=False))
    store.is_faulty = False
    nodes = Connection(store), Connection(store)
    logs = LogOnNode(nodes[0], "record"), LogOnNode(nodes[1], "record"), LogOnNode(nodes[0], "presence")

    async def is_waiting() -> bool:
        return bool(store.logs["record"].lock._waiting)

    return Place(*logs, HistoryOnNode(nodes[0]), is_waiting)


class FakeLog:
    """The fake store of the other tests, with a lock and a feed, as the committer sees a store."""

    def __init__(self, store: FakeStore, lock: asyncio.Lock) -> None:
        self._store = store
        self._lock = lock

    async def append(self, events: Sequence[Event], guards: Sequence[Guarded]) -> Appended:
        async with self._lock:
            return self._store.append(events, guards)

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[object]:
        async with self._lock:
            yield self

    async def append_within(
        self, exclusive: object, events: Sequence[Event], guards: Sequence[Guarded]
    ) -> Appended:
        assert exclusive is self
        return self._store.append(events, guards)

    async def position(self) -> int:
        return self._store.log[-1].position

    async def read_after(self, position: int) -> Sequence[Recorded]:
        return [recorded for recorded in self._store.log if recorded.position > position]


def fake_place() -> Place:
    store, lock = FakeStore(), asyncio.Lock()
    store.presence = FakeStore()

    async def is_waiting() -> bool:
        return bool(lock._waiters)

    logs = FakeLog(store, lock), FakeLog(store, lock), FakeLog(store.presence, asyncio.Lock())
    return Place(*logs, store, is_waiting)


def pending(*aggregates: Aggregate) -> list[Event]:
    return [e for aggregate in aggregates for e in aggregate.collect_events() if isinstance(e, Event)]


def a_document(edits: int = 0, name: str = "main.md") -> Document:
    document = Document.create("demo", name, actor="Ada", at=NOON)
    for number in range(1, edits + 1):
        edit = Edit("ada-1", number, number - 1, [f"{number};😀"], f"digest {number}")
        document.edit(edit, actor="Ada", at=later(number))
    return document


async def test_a_batch_is_taken_in_its_order_behind_what_was_there(place: Place) -> None:
    first = await append(place.log, pending(a_document(edits=2)))
    assert (first.previous, first.refused, len(first.positions)) == (0, frozenset(), 3)
    second = await append(place.other, pending(a_document(name="b.md")))
    assert second.previous == first.positions[-1] == max(first.positions)
    assert await place.log.position() == second.positions[-1] > second.previous


async def test_a_stream_that_does_not_follow_on_is_refused_and_the_rest_is_taken(place: Place) -> None:
    document = a_document(edits=3)
    events = pending(document)
    await append(place.log, events[:2])
    late = await append(place.other, [*events[1:3], *pending(a_document(name="b.md"))])
    assert late.refused == {STREAM}
    assert len(late.positions) == 1
    early = await append(place.other, events[3:])
    assert (early.refused, len(early.positions)) == (frozenset({STREAM}), 0)
    right = await append(place.log, events[2:])
    assert (right.refused, len(right.positions)) == (frozenset(), 2)
    assert right.positions[0] > late.positions[0]
    assert [e.originator_version for e in await place.history.events_after(STREAM, 0)] == [1, 2, 3, 4]


async def test_nobody_else_appends_while_the_lock_is_held(place: Place) -> None:
    events = pending(a_document(edits=1))
    async with place.log.exclusive() as exclusive:
        racing = asyncio.ensure_future(append(place.other, events))
        await asyncio.sleep(0.05)
        assert not racing.done()
        taken = await place.log.append_within(exclusive, events, [None] * len(events))
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
            await asyncio.wait_for(append(place.other, pending(a_document())), 10)
        except OutcomeUnknown:
            continue
        return
    raise AssertionError("the lock was never free again")


async def test_the_feed_reads_behind_a_position(place: Place) -> None:
    taken = await append(place.log, pending(a_document(edits=3)))
    page = await place.log.read_after(taken.positions[1])
    assert [recorded.position for recorded in page] == list(taken.positions[2:])
    assert [recorded.event.revision for recorded in page] == [2, 3]
    assert await place.log.read_after(taken.positions[-1]) == []


async def test_what_is_read_is_what_was_written(place: Place) -> None:
    events = pending(a_document(edits=3))
    await append(place.log, events)
    assert await place.history.events_after(STREAM, 0) == events
    loaded = await place.history.load(STREAM)
    assert loaded == a_document_without_pending(edits=3)
    assert await place.history.load(document_stream("demo", "none.md")) is None


def a_document_without_pending(edits: int) -> Document:
    document = a_document(edits)
    document.collect_events()
    return document


@pytest.mark.parametrize("place", ["postgres", "simulated"], indirect=True)
async def test_a_document_is_read_from_its_snapshot_on(place: Place) -> None:
    document = a_document(edits=3)
    events = pending(document)
    await append(place.log, events[:3])
    part = a_document_without_pending(edits=2)
    await place.history.save_snapshot(Snapshot.take(part))
    await place.history.save_snapshot(Snapshot.take(part))
    await append(place.log, events[3:])
    loaded = await place.history.load(STREAM)
    assert (str(loaded.text), loaded.revision, loaded.version) == (str(document.text), 3, 4)
    assert [edit.revision for edit in loaded.window] == [3]


async def test_edits_are_found_by_revision_and_by_client(place: Place) -> None:
    await append(place.log, pending(a_document(edits=5)))
    found: Sequence[EditApplied] = await place.history.edits(STREAM, 1, 4)
    assert [edit.revision for edit in found] == [2, 3, 4]
    last = await place.history.find_last_edit(STREAM, "ada-1")
    assert last is not None
    assert tuple(last) == (5, 5, "digest 5")
    assert await place.history.find_last_edit(STREAM, "ben-1") is None


async def test_a_room_is_told_of_everything_but_edits(place: Place) -> None:
    room = Room.open("demo", "Demo", actor="Ada", at=NOON)
    elsewhere = Room.open("other", "Other", actor="Ada", at=NOON)
    stays = [a_stay(name) for name in ("s1", "s2")]
    stays[0].leave("left", actor="Ada", at=NOON)
    said = [
        Message.post("demo", f"m{n}", client="ada-1", text="x", documents={}, actor="Ada", at=NOON)
        for n in range(3)
    ]
    await append(place.log, pending(room, elsewhere, *stays, a_document(edits=2), *said))
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
    assert await place.history.open_stays("other") == []


def a_stay(session: str, user: str = "ada", room: str = "demo") -> Attendance:
    return Attendance.join(
        room,
        session,
        client="tab",
        node="n1",
        appearance=Appearance(user.title(), "#7b6ce5"),
        actor=user,
        at=NOON,
    )


async def test_a_room_is_told_who_is_there_doing_what_and_who_they_are(place: Place) -> None:
    busy, gone, elsewhere = a_stay("s1"), a_stay("s2", "ben"), a_stay("s3", "cem", "other")
    for stay in (busy, gone):
        for status in (Status.EDITING, Status.AWAY):
            stay.change_status(status, "derived", actor="ada", at=later())
    gone.leave("left", actor="ben", at=later())
    people = [Profile.create(user, user, actor=user, at=NOON) for user in ("ada", "ben", "cem")]
    people[0].change(name="Ada L.", colour=None, avatar=None, actor="ada", at=later())
    people[0].sign_out(actor="ada", at=later())
    await append(place.log, pending(a_stay("s4"), gone, elsewhere, busy, *people))
    stays = [
        (r.event.originator_id, r.event.originator_version) for r in await place.history.open_stays("demo")
    ]
    assert stays == [("attendance:demo/s4", 1), ("attendance:demo/s1", 1), ("attendance:demo/s1", 3)]
    assert [r.event.name for r in await place.history.profiles(["cem", "ada", "nobody"])] == ["Ada L.", "cem"]
    assert await place.history.find_client_user("demo", "tab") == "ada"
    assert await place.history.find_client_user("other", "tab") == "cem"
    assert await place.history.find_client_user("demo", "none") is None


async def test_where_cursors_are_is_told_from_each_nodes_last_keyframe_on(place: Place) -> None:
    presences = [Presence.begin("demo", f"{node}.1", node=node, at=NOON) for node in ("n1", "n2", "n3")]
    for second in (1, 3, 5):
        for number, presence in enumerate(presences):
            moves: list[Move] = [[f"{number}-{second}", "main.md", 0, 0, 0, 0]]
            presence.record(moves, [], at=later(second + number / 10))
            if second < 5:
                presence.record_keyframe(moves, at=later(second + 0.5 + number / 10))
    await append(place.presence, pending(*presences))

    async def told(room: str, *nodes: str) -> list[str]:
        return [r.event.moves[0][0] for r in await place.history.frames(room, nodes)]

    assert await told("demo", "n2", "n1") == ["0-3", "1-3", "0-5", "1-5", "2-5"]
    assert await told("demo", "n4") == []
    assert await told("other", "n1") == []


# Guards.


async def refused(place: Place, *new: tuple[Event, Guarded]) -> set[str]:
    """The streams of which nothing was taken; all else of the batch was."""
    appended = await place.log.append([event for event, _ in new], [guard for _, guard in new])
    taken = [event for event, _ in new if event.originator_id not in appended.refused]
    assert len(appended.positions) == len(taken)
    return set(appended.refused)


class Script:
    """A room of three events and documents of one, all stored; and what comes next of each."""

    def __init__(self) -> None:
        self.room = Room.open("demo", "Demo", actor="ada", at=NOON)
        for user in ("ben", "cem"):
            self.room.add_member(user, Role.EDITOR, actor="ada", at=NOON)
        self.documents = {name: a_document(name=name) for name in "abc"}
        self.stored = pending(self.room, *self.documents.values())

    def edit(self, name: str) -> Event:
        document = self.documents[name]
        revision = document.revision
        edit = Edit("ben-1", revision + 1, revision, ["x"], "")
        document.edit(edit, actor="ben", at=later())
        [event] = pending(document)
        return event

    def rename(self, title: str) -> Event:
        self.room.rename(title, actor="ada", at=later())
        [event] = pending(self.room)
        return event


ROOM, A, B, C = "room:demo", "document:demo/a", "document:demo/b", "document:demo/c"


@pytest.fixture
async def script(place: Place) -> Script:
    script = Script()
    await append(place.log, script.stored)
    return script


@pytest.mark.parametrize("version", [3, 4])
async def test_what_relied_on_the_newest_is_taken(place: Place, script: Script, version: int) -> None:
    assert await refused(place, (script.edit("a"), (ROOM, version))) == set()


@pytest.mark.parametrize("version", [0, 1, 2])
async def test_what_relied_on_something_older_is_refused(place: Place, script: Script, version: int) -> None:
    assert await refused(place, (script.edit("a"), (ROOM, version))) == {A}


async def test_what_relied_on_nothing_is_taken(place: Place, script: Script) -> None:
    assert await refused(place, (script.edit("a"), None), (script.rename("New"), None)) == set()


async def test_what_relied_on_a_stream_that_there_is_not_is_taken_until_there_is(
    place: Place, script: Script
) -> None:
    guard = ("room:none", 0)
    assert await refused(place, (script.edit("a"), guard), (script.edit("b"), ("room:none", 1))) == set()
    [opened] = pending(Room.open("none", "None", actor="ada", at=NOON))
    assert await refused(place, (script.edit("c"), guard), (opened, None)) == {C}
    assert await refused(place, (script.edit("a"), guard)) == {A}


@pytest.mark.parametrize("is_first", [True, False])
async def test_what_the_same_batch_changes_is_newer_too(
    place: Place, script: Script, *, is_first: bool
) -> None:
    batch: list[tuple[Event, Guarded]] = [(script.rename("New"), None), (script.edit("a"), (ROOM, 3))]
    batch.append((script.edit("b"), (ROOM, 4)))
    assert await refused(place, *(batch if is_first else batch[::-1])) == {A}


async def test_also_what_the_same_batch_fails_to_change_is_newer(place: Place, script: Script) -> None:
    """It is not looked at so closely: the edit is only decided once more."""
    script.rename("lost")
    late = script.rename("New")
    assert await refused(place, (late, None), (script.edit("a"), (ROOM, 3))) == {ROOM, A}


async def test_of_streams_with_one_guard_only_those_that_are_late_are_refused(
    place: Place, script: Script
) -> None:
    await append(place.log, [script.rename("New")])
    batch = [(script.edit("a"), (ROOM, 4)), (script.edit("b"), (ROOM, 3)), (script.edit("c"), (ROOM, 4))]
    assert await refused(place, *batch) == {B}


async def test_a_stream_is_refused_as_a_whole_whichever_of_its_events_is_late(
    place: Place, script: Script
) -> None:
    batch = [(script.edit("a"), None), (script.edit("a"), (ROOM, 2)), (script.edit("a"), (ROOM, 3))]
    assert await refused(place, *batch, (script.edit("b"), (ROOM, 3))) == {A}


async def test_a_right_does_not_help_a_stream_that_does_not_follow_on(place: Place, script: Script) -> None:
    script.edit("a")
    assert await refused(place, (script.edit("a"), (ROOM, 3))) == {A}


async def test_guards_are_looked_at_under_the_lock_as_well(place: Place, script: Script) -> None:
    async with place.log.exclusive() as exclusive:
        events = [script.edit("a"), script.edit("b")]
        appended = await place.log.append_within(exclusive, events, [(ROOM, 2), (ROOM, 3)])
    assert (appended.refused, len(appended.positions)) == ({A}, 1)


async def test_guards_are_looked_at_after_the_wait_for_the_lock(place: Place, script: Script) -> None:
    """Not as the log was when the append was sent."""
    async with place.other.exclusive() as exclusive:
        waiting = asyncio.ensure_future(refused(place, (script.edit("a"), (ROOM, 3))))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await place.is_waiting():  # noqa: ASYNC110 -- Postgres can only be asked
                await asyncio.sleep(POLL_SECONDS)
        await place.other.append_within(exclusive, [script.rename("New")], [None])
    assert await asyncio.wait_for(waiting, PATIENCE_SECONDS) == {A}
