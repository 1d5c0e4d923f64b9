"""The log in Postgres: what is written is read back, in every way that it can be asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import psycopg
import pytest

from application.log import Recorded
from domain.aggregate import Aggregate, Event, Snapshot
from domain.attendance import Appearance, Attendance, Joined, Status, StatusChanged
from domain.document import Document, Edit, EditApplied, LastEdit
from domain.errors import Corrupt, StoreUnavailable
from domain.ids import attendance_stream, document_stream
from domain.message import Message, Posted
from domain.presence import FrameRecorded, KeyframeRecorded, Presence
from domain.profile import Profile, ProfileChanged, ProfileCreated
from domain.room import Opened, Room
from infrastructure.postgres import log as module
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory, PostgresLog
from tests.domain.events import NOON, later
from tests.infrastructure import samples
from tests.infrastructure.unguarded import append

STREAM = document_stream("demo", "main.md")


@pytest.fixture
async def log(database: Database) -> AsyncIterator[PostgresLog]:
    log = PostgresLog(database, "record")
    yield log
    await log.disconnect()


@pytest.fixture
def history(database: Database) -> PostgresHistory:
    return PostgresHistory(database)


def pending(*aggregates: Aggregate) -> list[Event]:
    return [e for aggregate in aggregates for e in aggregate.collect_events() if isinstance(e, Event)]


def a_document(name: str = "main.md", edits: int = 0, room: str = "demo") -> Document:
    """A document that Ada has typed one number after another into, one a second."""
    document = Document.create(room, name, actor="Ada", at=NOON)
    for number in range(1, edits + 1):
        edit = Edit("ada-1", number, number - 1, [f"{number};"], f"digest {number}")
        document.edit(edit, actor="Ada", at=later(number))
    return document


def edits_in(events: Sequence[Any]) -> list[int]:
    return [event.revision for event in events if isinstance(event, EditApplied)]


async def load(history: PostgresHistory, version: int = 2**62) -> Document:
    document = await history.load(STREAM, version)
    assert isinstance(document, Document)
    return document


async def stored(log: PostgresLog) -> list[Event]:
    return [recorded.event for recorded in await log.read_after(0)]


# Appending.


async def test_every_kind_of_event_is_read_as_it_was_written(log: PostgresLog) -> None:
    events = [event for event in samples.events() if not event.TOPIC.startswith("presence.")]
    complete = pending(a_document(edits=2))  # the samples hold only the last event of each class
    assert (await append(log, complete)).refused == frozenset()
    firsts = [
        event for event in events if event.originator_version == 1 and "document" not in event.originator_id
    ]
    appended = await append(log, firsts)
    assert await stored(log) == [*complete, *firsts]
    assert [recorded.position for recorded in await log.read_after(appended.previous)] == list(
        appended.positions
    )


async def test_a_batch_is_told_where_it_stands_and_what_stood_before_it(log: PostgresLog) -> None:
    first = await append(log, pending(a_document("a"), a_document("b")))
    second = await append(log, pending(a_document("c")))
    assert (first.previous, len(first.positions)) == (0, 2)
    assert (second.previous, second.refused) == (first.positions[-1], frozenset())
    assert await log.position() == second.positions[0]


@pytest.mark.parametrize("version", [1, 3])
async def test_events_that_do_not_follow_on_what_is_stored_are_refused(
    log: PostgresLog, version: int
) -> None:
    document = a_document(edits=2)
    created, first, second = pending(document)
    await append(log, [created])
    appended = await append(log, [{1: created, 3: second}[version]])
    assert (list(appended.positions), set(appended.refused)) == ([], {STREAM})
    assert (await append(log, [first])).refused == frozenset()


async def test_refused_events_leave_a_gap_in_the_ids_or_none_but_never_a_row(log: PostgresLog) -> None:
    await append(log, pending(a_document("a")))
    await append(log, pending(a_document("a")))
    await append(log, pending(a_document("b")))
    assert [event.originator_id for event in await stored(log)] == ["document:demo/a", "document:demo/b"]


async def test_while_the_lock_is_held_only_its_holder_appends(log: PostgresLog, database: Database) -> None:
    async with log.exclusive() as exclusive:
        other = await database.connect("test")
        async with other:
            await other.execute("SET lock_timeout = '20ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                await other.execute("SELECT pg_advisory_xact_lock(%s)", (module.LOCK_KEYS["record"],))
        appended = await log.append_within(exclusive, pending(a_document("a")), [None])
        assert len(appended.positions) == 1
    assert len((await append(log, pending(a_document("b")))).positions) == 1


async def test_a_lock_that_was_not_needed_is_given_back(log: PostgresLog) -> None:
    async with log.exclusive():
        pass
    assert len((await append(log, pending(a_document()))).positions) == 1


async def test_a_connection_that_was_dropped_is_made_again(log: PostgresLog) -> None:
    await append(log, pending(a_document("a")))
    await log.disconnect()
    await log.disconnect()
    await append(log, pending(a_document("b")))
    assert len(await stored(log)) == 2


async def test_what_a_reader_needs_stands_in_columns_beside_the_state(
    log: PostgresLog, database: Database
) -> None:
    await append(log, pending(Room.open("demo", "Demo", actor="Ada 😀", at=NOON), a_document(edits=1)))
    rows = await database.fetch(
        "SELECT kind, room, actor, at, client, seq FROM record ORDER BY notification_id"
    )
    assert rows == [
        ("room", "demo", "Ada 😀", NOON, None, None),
        ("document", "demo", "Ada", NOON, None, None),
        ("document", "demo", "Ada", later(1), "ada-1", 1),
    ]
    view = await database.fetch("SELECT stream, state->>'op', state->>'seq' FROM events WHERE version = 2")
    assert view == [(STREAM, '["1;"]', "1")]


async def test_the_presence_log_is_apart(log: PostgresLog, database: Database) -> None:
    await database.fetch("SELECT create_presence_partition(%s)::text", (NOON.date(),))
    presence = Presence.begin("demo", "node-1.1", node="node-1", at=NOON)
    presence.record([["ada-1", "main.md", 0, 0, 0, 0]], [], at=NOON)
    events = pending(presence)
    own = PostgresLog(database, "presence")
    appended = await append(own, events)
    assert [(r.position, r.event) for r in await own.read_after(0)] == list(
        zip(appended.positions, events, strict=True)
    )
    assert (await own.position(), await log.position()) == (appended.positions[-1], 0)
    loaded = await PostgresHistory(database, "presence").load("presence:demo/node-1.1")
    assert isinstance(loaded, Presence)
    assert (loaded.version, loaded.node) == (2, "node-1")
    await own.disconnect()


# Reading the log.


async def test_the_log_is_read_page_by_page(log: PostgresLog) -> None:
    appended = await append(log, pending(a_document(edits=4)))
    page = await log.read_after(0, 2)
    assert [recorded.position for recorded in page] == list(appended.positions[:2])
    rest = await log.read_after(page[-1].position, 100)
    assert [recorded.position for recorded in rest] == list(appended.positions[2:])
    assert await log.read_after(rest[-1].position) == []


async def test_an_empty_log_stands_at_zero(log: PostgresLog) -> None:
    assert await log.position() == 0
    assert await log.read_after(0) == []


# Reading streams.


async def test_a_stream_is_loaded_from_its_events(log: PostgresLog, history: PostgresHistory) -> None:
    document = a_document(edits=3)
    await append(log, pending(document, a_document("other.md", edits=1)))
    assert await history.load(STREAM) == document
    assert await history.load("document:demo/none.md") is None
    assert await history.load("room:demo") is None


async def test_a_stream_is_loaded_in_pages(
    log: PostgresLog, history: PostgresHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = a_document(edits=5)
    await append(log, pending(document))
    for page in (1, 2, 3, 6, 7):
        monkeypatch.setattr(module, "PAGE_EVENTS", page)
        assert await history.load(STREAM) == document
        assert [event.originator_version for event in await history.events_after(STREAM, 2)] == [3, 4, 5, 6]
        assert edits_in(await history.edits(STREAM, 1, 4)) == [2, 3, 4]


async def test_a_stream_is_loaded_from_a_snapshot_and_what_follows(
    log: PostgresLog, history: PostgresHistory
) -> None:
    document = a_document(edits=2)
    await history.save_snapshot(Snapshot.take(document))
    document.edit(Edit("ada-1", 3, 2, ["3;"], ""), actor="Ada", at=later(3))
    await append(log, pending(document))
    loaded = await load(history)
    assert loaded.as_state() == document.as_state()
    assert (loaded.version, loaded.window_start) == (4, 2)
    assert (await load(history, 3)).revision == 2


async def test_a_snapshot_is_stored_once(
    log: PostgresLog, history: PostgresHistory, database: Database
) -> None:
    document = a_document(edits=2)
    for _ in range(2):
        await history.save_snapshot(Snapshot.take(document))
    assert await database.fetch("SELECT count(*) FROM snapshots") == [(1,)]


async def test_edits_are_read_by_revision(log: PostgresLog, history: PostgresHistory) -> None:
    await append(log, pending(a_document(edits=5)))
    assert edits_in(await history.edits(STREAM, 0, 5)) == [1, 2, 3, 4, 5]
    assert edits_in(await history.edits(STREAM, 2, 4)) == [3, 4]
    assert edits_in(await history.edits(STREAM, 5, 5)) == []


async def test_edits_that_the_log_does_not_have_yet_are_a_reason_to_try_again(
    log: PostgresLog, history: PostgresHistory
) -> None:
    await append(log, pending(a_document(edits=2)))
    with pytest.raises(StoreUnavailable):
        await history.edits(STREAM, 0, 3)


async def test_the_last_edit_of_a_client_is_found_in_its_document(
    log: PostgresLog, history: PostgresHistory
) -> None:
    document = a_document(edits=2)
    document.edit(Edit("ben-1", 1, 2, ["x"], "digest x"), actor="Ben", at=NOON)
    await append(log, pending(document, a_document("other.md", edits=3)))
    assert await history.find_last_edit(STREAM, "ada-1") == LastEdit(2, 2, "digest 2")
    assert await history.find_last_edit(STREAM, "ben-1") == LastEdit(1, 3, "digest x")
    assert await history.find_last_edit(STREAM, "cem-1") is None


# Reading rooms.


def a_message(message: str, room: str = "demo") -> Message:
    return Message.post(room, message, client="ada-1", text=message, documents={}, actor="Ada", at=NOON)


async def test_a_rooms_events_are_read_between_two_positions(
    log: PostgresLog, history: PostgresHistory
) -> None:
    room, other = (
        Room.open("demo", "Demo", actor="Ada", at=NOON),
        Room.open("demo2", "Demo", actor="Ada", at=NOON),
    )
    appended = await append(log, pending(room, other, a_document(edits=1), a_message("m1"), a_message("m2")))
    opened, _, created, edited, first, second = appended.positions

    async def positions(
        after: int = 0, until: int = second, *, limit: int = 10, edits: bool = False
    ) -> list[int]:
        found = await history.room_events("demo", after, until, limit=limit, with_edits=edits)
        return [recorded.position for recorded in found]

    assert await positions() == [opened, first, second]
    assert await positions(edits=True) == [opened, created, edited, first, second]
    assert await positions(opened, first) == [first]
    assert await positions(limit=2) == [opened, first]
    assert await positions(second) == []
    assert len(await history.room_events("demo", 0, limit=10)) == 3


async def test_the_last_messages_come_oldest_first(log: PostgresLog, history: PostgresHistory) -> None:
    messages = [a_message(f"m{number}") for number in range(4)]
    appended = await append(log, pending(*messages, a_message("x", "other")))

    async def texts(until: int, limit: int) -> list[str]:
        found = await history.messages("demo", until, limit)
        return [recorded.event.text for recorded in found if isinstance(recorded.event, Posted)]

    assert await texts(appended.positions[-1], 2) == ["m2", "m3"]
    assert await texts(appended.positions[1], 10) == ["m0", "m1"]
    assert await texts(0, 10) == []


async def test_a_stream_is_read_with_the_places_of_its_events(
    log: PostgresLog, history: PostgresHistory
) -> None:
    document, other = a_document(edits=3), a_document("other.md")
    events = pending(document, other)
    appended = await log.append(events, [None] * len(events))
    found = await history.recorded(document.id)
    assert [recorded.event for recorded in found] == events[:4]
    assert [recorded.position for recorded in found] == list(appended.positions[:4])
    assert await history.recorded(document.id, 1, limit=2) == found[1:3]
    assert await history.recorded(document.id, 4) == []
    assert await history.begun([other.id, document.id, "document:demo/none.md"]) == [
        found[0],
        *await history.recorded(other.id),
    ]
    assert await history.position() == appended.positions[-1]


def a_stay(room: str, session: str, *, client: str = "c", user: str = "ada") -> Attendance:
    return Attendance.join(
        room,
        session,
        client=client,
        node="node-1",
        appearance=Appearance("Ada", "#7b6ce5"),
        actor=user,
        at=NOON,
    )


async def test_open_stays_are_those_that_have_not_ended(log: PostgresLog, history: PostgresHistory) -> None:
    ended = a_stay("demo", "ended")
    ended.leave("left", actor="ada", at=NOON)
    await append(log, pending(a_stay("demo", "s1"), ended, a_stay("other", "s2")))

    def sessions(found: Sequence[Recorded]) -> list[str]:
        return [recorded.event.session for recorded in found if isinstance(recorded.event, Joined)]

    assert sessions(await history.open_stays("demo")) == ["s1"]
    assert sessions(await history.open_stays(None)) == ["s1", "s2"]
    assert sessions(await history.open_stays("none")) == []
    ghost = await history.load(attendance_stream("demo", "s1"))
    assert isinstance(ghost, Attendance)
    ghost.leave("lost", actor="ada", at=NOON)
    await append(log, pending(ghost))
    assert sessions(await history.open_stays("demo")) == []


async def test_of_a_stay_the_last_status_is_told_as_well(log: PostgresLog, history: PostgresHistory) -> None:
    busy, gone = a_stay("demo", "busy"), a_stay("demo", "gone")
    for status in (Status.EDITING, Status.AWAY, Status.RUNNING):
        busy.change_status(status, "declared", actor="ada", at=later())
        gone.change_status(status, "declared", actor="ada", at=later())
    gone.leave("left", actor="ada", at=later())
    appended = await append(log, pending(a_stay("demo", "quiet"), busy, gone, a_stay("demo", "new")))
    found = await history.open_stays("demo")
    assert [(r.event.originator_id, r.event.originator_version) for r in found] == [
        ("attendance:demo/quiet", 1),
        ("attendance:demo/busy", 1),
        ("attendance:demo/busy", 4),
        ("attendance:demo/new", 1),
    ]
    assert [r.position for r in found] == sorted(set(appended.positions) & {r.position for r in found})
    assert isinstance(found[2].event, StatusChanged)
    assert found[2].event.status == "running"


async def test_a_client_is_the_user_who_came_as_it_first(log: PostgresLog, history: PostgresHistory) -> None:
    first, second = a_stay("demo", "s1", client="tab"), a_stay("demo", "s2", client="tab", user="ben")
    first.change_status(Status.EDITING, "derived", actor="eve", at=NOON)
    first.leave("left", actor="eve", at=NOON)
    elsewhere = a_stay("other", "s3", client="tab", user="cem")
    document = a_document()
    document.edit(Edit("script", 1, 0, ["x"], ""), actor="dan", at=NOON)
    await append(log, pending(document, elsewhere, first, second))
    assert await history.find_client_user("demo", "tab") == "ada"
    assert await history.find_client_user("other", "tab") == "cem"
    assert await history.find_client_user("demo", "script") is None
    assert await history.find_client_user("none", "tab") is None


async def test_profiles_are_those_of_today(log: PostgresLog, history: PostgresHistory) -> None:
    ada, ben, cem = (
        Profile.create(user, user.title(), actor=user, at=NOON) for user in ("ada", "ben", "cem")
    )
    for name in ("Ada L.", "Ada Lovelace"):
        ada.change(name=name, colour=None, avatar=None, actor="ada", at=later())
    ada.sign_out(actor="ada", at=later(2))
    ben.disable(actor="root", at=later(2))
    await append(log, pending(ben, ada, cem))

    def names(found: Sequence[Recorded]) -> list[str]:
        events = [recorded.event for recorded in found]
        return [e.name for e in events if isinstance(e, ProfileCreated | ProfileChanged)]

    assert names(await history.profiles(["ada", "nobody", "ben"])) == ["Ben", "Ada Lovelace"]
    assert names(await history.profiles(iter(["cem"]))) == ["Cem"]
    assert await history.profiles([]) == []


class Frames:
    """A node's frames and keyframes in a room, a second apart, on their way into the presence log."""

    def __init__(self, node: str, room: str = "demo", stream: int = 1) -> None:
        self.presence = Presence.begin(room, f"{node}.{stream}", node=node, at=NOON)

    def frame(self, client: str, second: float) -> Frames:
        self.presence.record([[client, "main.md", 0, 0, 0, 0]], [], at=later(second))
        return self

    def keyframe(self, client: str, second: float) -> Frames:
        self.presence.record_keyframe([[client, "main.md", 0, 0, 0, 0]], at=later(second))
        return self


def clients(found: Sequence[Recorded]) -> list[str | int]:
    events = [recorded.event for recorded in found]
    assert all(isinstance(event, FrameRecorded | KeyframeRecorded) for event in events)
    return [e.moves[0][0] for e in events if isinstance(e, FrameRecorded | KeyframeRecorded)]


@pytest.fixture
async def presence(database: Database) -> AsyncIterator[PostgresLog]:
    await database.fetch("SELECT create_presence_partition(%s)::text", (NOON.date(),))
    log = PostgresLog(database, "presence")
    yield log
    await log.disconnect()


async def test_where_cursors_are_is_told_from_each_nodes_last_keyframe_on(
    presence: PostgresLog, history: PostgresHistory
) -> None:
    one = Frames("n1").frame("a", 1).keyframe("b", 2).frame("c", 3).keyframe("d", 6).frame("e", 7)
    two = Frames("n2").frame("f", 3).keyframe("g", 4)
    two_later = Frames("n2", stream=2).frame("h", 5)
    dead = Frames("n3").keyframe("i", 1).frame("j", 5)
    other = Frames("n1", "other").keyframe("k", 8).frame("l", 8)
    everything = (one, two, two_later, dead, other)
    await append(presence, pending(*(frames.presence for frames in everything)))
    assert clients(await history.frames("demo", ["n1", "n2"])) == ["d", "g", "e", "h", "j"]
    assert clients(await history.frames("demo", ["n1"])) == ["d", "e"]
    assert clients(await history.frames("other", ["n1", "n2"])) == ["k", "l"]
    for nodes in ([], ["n4"]):
        assert await history.frames("demo", nodes) == []
    assert await history.frames("none", ["n1"]) == []


async def test_frames_without_end_are_told_up_to_a_bound(
    presence: PostgresLog, history: PostgresHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRAMES_MAX", 2)
    frames = Frames("n1").keyframe("a", 1).frame("b", 2).frame("c", 3).frame("d", 4)
    await append(presence, pending(frames.presence))
    assert clients(await history.frames("demo", ["n1"])) == ["a", "b", "c"]


async def test_rooms_are_paged_in_the_order_in_which_they_were_opened(
    log: PostgresLog, history: PostgresHistory
) -> None:
    names = ["c", "a", "b"]
    await append(log, pending(*(Room.open(name, name, actor="Ada", at=NOON) for name in names)))
    await append(log, pending(a_document(room="a")))

    def titles(found: Sequence[Recorded]) -> list[str]:
        return [recorded.event.title for recorded in found if isinstance(recorded.event, Opened)]

    first = await history.rooms(0, 2)
    assert titles(first) == ["c", "a"]
    assert titles(await history.rooms(first[-1].position, 2)) == ["b"]


# What goes wrong.


async def test_a_store_has_an_identity_of_its_own(history: PostgresHistory) -> None:
    epoch = await history.epoch()
    assert len(epoch) == 36
    assert await history.epoch() == epoch


async def test_a_row_that_cannot_be_read_is_corrupt(history: PostgresHistory, database: Database) -> None:
    connection = await database.connect("test")
    async with connection:
        await connection.execute(
            "INSERT INTO record (originator_id, originator_version, topic, state, actor, at)"
            " VALUES ('document:demo/main.md', 1, 'document.exploded', '{}', 'Ada', now())"
        )
    with pytest.raises(Corrupt):
        await history.load(STREAM)


async def test_reading_from_a_store_that_is_away_says_so(migrated_url: str) -> None:
    database = Database(migrated_url)
    await database.open()
    history = PostgresHistory(database)
    await database.close()
    with pytest.raises(StoreUnavailable):
        await history.load(STREAM)
    with pytest.raises(StoreUnavailable):
        await history.save_snapshot(Snapshot.take(a_document()))


async def test_a_reader_whose_connection_died_meanwhile_does_not_notice(
    log: PostgresLog, history: PostgresHistory, database: Database
) -> None:
    await append(log, pending(a_document()))
    assert await history.load(STREAM) is not None
    connection = await database.connect("test")
    async with connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'chronoscribe reader'"
        )
    assert await history.load(STREAM) is not None
