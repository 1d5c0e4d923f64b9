"""What the log promises to its writers and readers, on a real Postgres.

Several processes write and another one follows by notification id; locks are held by hand where a race
has to go one way. Waiting appends are recognised by asking Postgres who waits, not by the clock.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import psycopg
import pytest

from application.documents import Documents, digest
from application.live import LiveAggregates
from application.members import Members
from application.messages import Messages
from application.rooms import Rooms
from domain.aggregate import Event
from domain.document import Document, Edit, EditApplied
from domain.errors import NotFound
from domain.ids import document_stream
from domain.rights import Role
from domain.text_op import Op
from infrastructure.codec import encode
from infrastructure.feed import Feed
from infrastructure.group_commit import GroupCommit, OutcomeUnknown
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import LOCK_KEYS, PostgresHistory, PostgresLog
from infrastructure.postgres.migrations import migrate
from tests.infrastructure.unguarded import append

# About two seconds for two writers, and thousands of events at risk.
BATCHES_PER_WRITER: Final = 150

# The whole run takes two seconds; a machine that is busy with other things gets a minute.
PROCESS_SECONDS: Final = 60.0

# Each takes about 0.2 s on the log of the test.
MAINTENANCE_RUNS: Final = 4

# For what happens at once unless it is stuck.
PATIENCE_SECONDS: Final = 10.0


# Several writing processes and a follower.


@pytest.mark.slow
@pytest.mark.parametrize("writers", [2, 4])
def test_a_follower_sees_every_event_of_several_writing_processes_in_order(
    writers: int, database_url: str
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    asyncio.run(_migrate(database_url))
    spawn = multiprocessing.get_context("spawn")
    start, done = spawn.Barrier(writers + 1), spawn.Event()
    with ProcessPoolExecutor(writers + 1, spawn, _set_signals, (start, done)) as processes:
        follower = processes.submit(_run_follower, database_url)
        writing = [processes.submit(_run_writer, database_url, n, seed) for n in range(writers)]
        try:
            acknowledged = [event for writer in writing for event in writer.result(PROCESS_SECONDS)]
        finally:
            done.set()
        seen = follower.result(PROCESS_SECONDS)
    stored = _stored(database_url)
    assert seen == stored, f"the follower missed {len(set(stored) - set(seen))} events"
    assert sorted(acknowledged) == sorted((stream, version) for _, stream, version in stored)
    _assert_versions_are_gapless(stored)


# In a process of the test: when all begin, and that the writers have ended.
_start: Any = None
_done: Any = None


def _set_signals(start: Any, done: Any) -> None:
    global _start, _done
    _start, _done = start, done


def _run_writer(url: str, writer: int, seed: int) -> list[tuple[str, int]]:
    return asyncio.run(_write(url, writer, seed))


def _run_follower(url: str) -> list[tuple[int, str, int]]:
    return asyncio.run(_follow(url))


async def _write(url: str, writer: int, seed: int) -> list[tuple[str, int]]:
    """Append batches of random size to streams of its own and to one that all write to."""
    choice = random.Random(f"{seed}/{writer}")
    streams = ["document:room/shared", *(f"document:room/own-{writer}-{n}" for n in range(3))]
    versions = dict.fromkeys(streams, 0)
    taken: list[tuple[str, int]] = []
    async with _database(url) as database:
        log = PostgresLog(database, "record")
        await asyncio.to_thread(_start.wait, PROCESS_SECONDS)
        for number in range(BATCHES_PER_WRITER):
            batch: list[Event] = []
            for stream in choice.sample(streams, choice.randint(1, len(streams))):
                first = versions[stream] + 1
                size = choice.choice((1, 3, 40))
                batch += [_event(stream, v, client=f"{writer}-{number}") for v in range(first, first + size)]
            refused = (await append(log, batch)).refused
            for event in batch:
                if event.originator_id not in refused:
                    versions[event.originator_id] = event.originator_version
                    taken.append((event.originator_id, event.originator_version))
            for stream in refused:
                versions[stream] = await _version(database, stream)
        await log.disconnect()
    return taken


async def _follow(url: str) -> list[tuple[int, str, int]]:
    """Read page after page behind the last position until nothing more can come."""
    seen: list[tuple[int, str, int]] = []
    async with _database(url) as database:
        log = PostgresLog(database, "record")
        await asyncio.to_thread(_start.wait, PROCESS_SECONDS)
        while True:
            was_done = _done.is_set()
            page = await log.read_after(seen[-1][0] if seen else 0, limit=50)
            seen += [(r.position, r.event.originator_id, r.event.originator_version) for r in page]
            if was_done and not page:
                return seen


async def test_an_append_waits_until_the_one_before_it_is_committed(database_url: str) -> None:
    async with _migrated(database_url) as database:
        log = PostgresLog(database, "record")
        async with _lock_held(database, "record") as first:
            await first.execute(INSERT.encode(), ("document:room/first", 1))
            second = asyncio.create_task(append(log, [_event("document:room/second", 1)]))
            await _until_waiting(database, 1)
            assert await log.read_after(0) == []
        appended = await second
        assert appended.previous < appended.positions[0]
        streams = [recorded.event.originator_id for recorded in await log.read_after(0)]
        assert streams == ["document:room/first", "document:room/second"]
        await log.disconnect()


# Maintenance.


@pytest.mark.parametrize("table", ["record", "presence"])
async def test_an_append_commits_while_analyze_or_vacuum_hold_their_lock(
    table: str, database_url: str
) -> None:
    async with _migrated(database_url) as database:
        log = PostgresLog(database, table)
        maintenance = await database.connect("maintenance")
        async with maintenance, maintenance.transaction():
            # The lock of both for as long as they run.
            await maintenance.execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE".encode())
            async with asyncio.timeout(PATIENCE_SECONDS):
                appended = await append(log, [_event("document:room/main.md", 1)])
            assert len(appended.positions) == 1
        await log.disconnect()


async def test_appends_keep_their_pace_while_analyze_and_vacuum_run_in_a_loop(database_url: str) -> None:
    """Appends may get slower by the work, never by a whole run of it."""
    async with _migrated(database_url) as database:
        log = PostgresLog(database, "record")
        await append(log, [_event("document:room/big", n) for n in range(1, 30_001)])
        maintenance = asyncio.create_task(_maintain(database))
        waits: list[float] = []
        while not maintenance.done():
            began = time.perf_counter()
            await append(log, [_event("document:room/main.md", len(waits) + 1)])
            waits.append(time.perf_counter() - began)
        await maintenance
        await log.disconnect()
    print(f"{len(waits)} appends in {MAINTENANCE_RUNS} runs, longest {max(waits) * 1000:.0f} ms")
    # Behind a lock on the table, one append would pass between two runs.
    assert len(waits) > 10 * MAINTENANCE_RUNS


async def _maintain(database: Database) -> None:
    connection = await database.connect("maintenance")
    async with connection:
        for _ in range(MAINTENANCE_RUNS):
            await connection.execute("ANALYZE record")
            await connection.execute("VACUUM (DISABLE_PAGE_SKIPPING) record")


async def test_an_append_behind_a_table_lock_gives_up_without_knowing(database_url: str) -> None:
    """What a writer would meet that took the table instead of the log's own lock."""
    async with _migrated(database_url) as database:
        log = PostgresLog(database, "record")
        other = await database.connect("other")
        async with other, other.transaction():
            await other.execute("LOCK TABLE record IN EXCLUSIVE MODE")
            with pytest.raises(OutcomeUnknown):
                await append(log, [_event("document:room/main.md", 1)])
        assert (await append(log, [_event("document:room/main.md", 1)])).positions
        await log.disconnect()


# Append-only.


CHANGES: Final = (
    "UPDATE {table} SET actor = 'mallory'",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
)


@pytest.mark.parametrize("role", ["origin", "replica"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("table", ["record", "presence", "the partition"])
async def test_the_database_itself_refuses_to_change_the_past(
    table: str, change: str, role: str, database_url: str
) -> None:
    async with _migrated(database_url) as database:
        name = f"presence_{datetime.now(UTC):%Y%m%d}" if table == "the partition" else table
        log = PostgresLog(database, "record" if name == "record" else "presence")
        await append(log, [_event("document:room/main.md", 1)])
        await log.disconnect()
        attacker = await database.connect("attacker")
        async with attacker:
            await attacker.execute(f"SET session_replication_role = {role}".encode())
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                await attacker.execute(change.format(table=name).encode())
        assert len(await log.read_after(0)) == 1


async def test_nothing_is_inserted_twice_under_one_version(database_url: str) -> None:
    async with _migrated(database_url) as database:
        other = await database.connect("other")
        async with other:
            await other.execute(INSERT.encode(), ("document:room/main.md", 1))
            with pytest.raises(psycopg.errors.UniqueViolation):
                await other.execute(INSERT.encode(), ("document:room/main.md", 1))


# Migrations.


async def test_nodes_that_start_at_once_migrate_once(database_url: str) -> None:
    database = Database(database_url)
    connections = [await database.connect("migrations") for _ in range(4)]
    applied = await asyncio.gather(*(migrate(connection) for connection in connections))
    names = [name for names in applied for name in names]
    assert names, "there is something to apply"
    assert sorted(names) == sorted(set(names))
    assert await migrate(connections[0]) == []
    for connection in connections:
        await connection.close()


async def test_a_node_that_dies_while_migrating_leaves_nothing_half_done(database_url: str) -> None:
    """Killed while its first migration waits for a lock on what it has to make."""
    database = Database(database_url)
    dying, blocker, other = [await database.connect("migrations") for _ in range(3)]
    async with blocker, other:
        await blocker.execute("BEGIN")
        await blocker.execute("CREATE TABLE snapshots (here int)")
        migration = asyncio.create_task(migrate(dying))
        await _until(partial(_is_blocked, other, dying.info.backend_pid))
        await other.execute("SELECT pg_terminate_backend(%s)", (dying.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            await migration
        await blocker.execute("ROLLBACK")
        tables = await (await other.execute("SELECT to_regclass('record'), to_regclass('store')")).fetchone()
        assert tables == (None, None)
        assert await migrate(other) != []


# One stream's refusal, and what follows from it.


async def test_a_refused_stream_does_not_fail_the_rest_of_its_batch(database_url: str) -> None:
    async with _migrated(database_url) as database:
        log = PostgresLog(database, "record")
        taken, lost, ahead = (f"document:room/{name}" for name in ("taken", "lost", "ahead"))
        before = await append(log, [_event(lost, 1)])
        appended = await append(
            log,
            [
                _event(taken, 1),
                _event(lost, 1),
                _event(lost, 2),  # would have fitted by its number
                _event(ahead, 2),
                _event(taken, 2),
            ],
        )
        assert appended.refused == {lost, ahead}
        assert appended.previous == before.positions[-1]
        fresh = await log.read_after(before.positions[-1])
        assert [r.position for r in fresh] == list(appended.positions)
        assert [(r.event.originator_id, r.event.originator_version) for r in fresh] == [
            (taken, 1),
            (taken, 2),
        ]
        await log.disconnect()


async def test_what_was_built_on_a_lost_edit_is_decided_again(database_url: str) -> None:
    """Another node wins the version while the next edit, which would fit behind the winner by its number,
    is already decided.
    """
    async with _migrated(database_url) as database:
        node = NodeParts(database)
        await node.create_document()
        stream = document_stream("room", "main.md")
        async with node.running():
            async with _lock_held(database, "record") as winner:
                first = node.edit("ada", 1, 0, ["A"])
                await _until_waiting(database, 1)
                second = node.edit("ben", 1, 0, ["B"])
                await winner.execute(
                    INSERT_EDIT.encode(), (stream, 2, _state_of_edit("eve", 1, 0, 1, ["E"]), "eve", 1)
                )
            async with asyncio.timeout(PATIENCE_SECONDS):
                recorded = [*(await first), *(await second)]
        assert [r.event.originator_version for r in recorded] == [3, 4]
        history = PostgresHistory(database)
        edits = await history.edits(stream, 0, 3)
        # Each as `left` over all before it: what comes later stands further left.
        assert [(e.client, e.seq, e.base, e.revision) for e in edits] == [
            ("eve", 1, 0, 1),
            ("ada", 1, 0, 2),
            ("ben", 1, 0, 3),
        ]
        document = await history.load(stream)
        assert isinstance(document, Document)
        assert str(document.text) == "BAE"


# Resends.


async def test_a_resend_is_recognised_by_a_node_that_has_never_heard_of_it(database_url: str) -> None:
    async with _migrated(database_url) as database:
        first = NodeParts(database)
        await first.create_document()
        async with first.running():
            assert len(await first.edit("ada", 1, 0, ["A"])) == 1
        second = NodeParts(database)
        async with second.running():
            assert len(await second.edit("ada", 1, 0, ["A"])) == 0
        assert len(await PostgresHistory(database).edits("document:room/main.md", 0, 1)) == 1


async def test_an_edit_sent_to_two_nodes_at_once_is_stored_once(database_url: str) -> None:
    async with _migrated(database_url) as database:
        one, two = NodeParts(database), NodeParts(database)
        await one.create_document()
        async with one.running(), two.running():
            await two.documents.get("room", "main.md")
            async with _lock_held(database, "record"):
                answers = [node.edit("ada", 1, 0, ["A"]) for node in (one, two)]
                await _until_waiting(database, 2)
            async with asyncio.timeout(PATIENCE_SECONDS):
                recorded = [len(await answer) for answer in answers]
        assert sorted(recorded) == [0, 1]
        assert len(await PostgresLog(database, "record").read_after(0)) == 4  # room, listed, created, edit


@pytest.mark.parametrize("seq", [1, 2])
async def test_a_resend_is_recognised_long_after_its_client_was_forgotten(
    seq: int, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.document.CLIENTS_REMEMBERED", 2)
    async with _migrated(database_url) as database:
        node = NodeParts(database)
        await node.create_document()
        async with node.running():
            for number in range(1, seq + 1):
                await node.edit("ada", number, number - 1, ["A"])
            for n in range(3):
                await node.edit(f"other-{n}", 1, seq + n, ["B"])
            assert len(await node.edit("ada", seq, seq - 1, ["A"])) == 0
            assert len(await node.edit("ben", 1, 0, ["A"])) == 1
        assert node.commit.failures == 0


async def test_the_database_refuses_a_number_that_its_client_has_used_in_the_document(
    database_url: str,
) -> None:
    async with _migrated(database_url) as database:
        log = PostgresLog(database, "record")
        stream, other = "document:room/main.md", "document:room/other.md"
        await append(log, [_event(stream, 1, client="ada", seq=1)])
        with pytest.raises(OutcomeUnknown, match="record_seq"):
            await append(log, [_event(stream, 2, client="ada", seq=1)])
        fine = [_event(stream, 2, client="ben", seq=1), _event(other, 1, client="ada", seq=1)]
        assert len((await append(log, fine)).positions) == 2
        await log.disconnect()


# Rights.


# About a second, in which rights are lost on the way some hundred times.
REMOVALS: Final = 150

GUESTS: Final = ("ben", "cem", "dan")

# What its author had no right to do when it came into the log: the last that had happened to them was not
# that they were let in.
WITHOUT_RIGHT: Final = """
SELECT e.notification_id, e.topic, e.actor FROM events e
WHERE e.topic IN ('document.edit_applied', 'message.posted') AND 'room.member_added' IS DISTINCT FROM (
    SELECT c.topic FROM events c
    WHERE c.stream = 'room:room' AND c.state->>'user' = e.actor AND c.notification_id < e.notification_id
    ORDER BY c.notification_id DESC LIMIT 1)
"""


@pytest.mark.slow
def test_nobody_writes_behind_their_removal_by_another_process(database_url: str) -> None:
    asyncio.run(_prepare_room(database_url))
    spawn = multiprocessing.get_context("spawn")
    start, done = spawn.Barrier(2), spawn.Event()
    with ProcessPoolExecutor(2, spawn, _set_signals, (start, done)) as processes:
        keeper = processes.submit(_run_keeper, database_url)
        guests = processes.submit(_run_guests, database_url)
        try:
            keeper.result(PROCESS_SECONDS)
        finally:
            done.set()
        told = guests.result(PROCESS_SECONDS)
    with psycopg.connect(database_url) as connection:
        assert connection.execute(WITHOUT_RIGHT).fetchall() == []
        stored = connection.execute(
            "SELECT count(*) FROM events WHERE topic IN ('document.edit_applied', 'message.posted')"
        ).fetchone()
    print(f"{told} in {REMOVALS} removals")
    assert stored == (told["stored"],)
    assert told["refused"] > 0, "nothing was tried without a right"
    assert told["raced"] > 0, "no right was lost on the way"


async def _prepare_room(url: str) -> None:
    async with _migrated(url) as database:
        await NodeParts(database).create_document(everyone=None)


def _run_keeper(url: str) -> None:
    asyncio.run(_keep(url))


def _run_guests(url: str) -> dict[str, int]:
    return asyncio.run(_write_as_guests(url))


async def _keep(url: str) -> None:
    """Let one guest after another in, and out again."""
    async with _database(url) as database:
        node = NodeParts(database)
        async with node.running():
            await asyncio.to_thread(_start.wait, PROCESS_SECONDS)
            for number in range(REMOVALS):
                guest = GUESTS[number % len(GUESTS)]
                await node.members.put("room", guest, Role.EDITOR, actor="ada")
                await asyncio.sleep(random.uniform(0, 0.01))
                await node.members.remove("room", guest, actor="ada")


async def _write_as_guests(url: str) -> dict[str, int]:
    """Edit and post as every guest, as fast as it goes, until there is nobody to be let in by."""
    told = {"stored": 0, "refused": 0, "raced": 0}
    async with _database(url) as database:
        node = NodeParts(database)
        async with node.running():
            await node.documents.get("room", "main.md")
            await asyncio.to_thread(_start.wait, PROCESS_SECONDS)
            await asyncio.gather(*(_write_as(node, guest, told) for guest in GUESTS))
        told["raced"] = node.commit.refusals
    return told


async def _write_as(node: NodeParts, guest: str, told: dict[str, int]) -> None:
    seq = 1
    while not _done.is_set():
        message = f"{guest}-{told['stored']}-{told['refused']}"
        wishes = [
            node.edit(guest, seq, 0, [guest]),
            node.messages.post("room", message, client=guest, text="hello", documents={}, actor=guest),
        ]
        answers = await asyncio.gather(*wishes, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, NotFound):
                told["refused"] += 1
            else:
                assert not isinstance(answer, BaseException), answer
                told["stored"] += 1
        seq += not isinstance(answers[0], NotFound)


# Parts.


class NodeParts:
    """A node's writing side, without sockets, scheduler and hints."""

    def __init__(self, database: Database) -> None:
        self.store = PostgresLog(database, "record")
        self.feed = Feed(self.store)
        self.commit = GroupCommit(self.store, self.feed.on_appended, monotonic=time.monotonic)
        self.history = PostgresHistory(database)
        self.lives = LiveAggregates(self.commit, self.history, monotonic=time.monotonic)
        self.feed.follow(self.lives.on_events)
        self.rooms = Rooms(self.lives, now=_now)
        self.documents = Documents(self.lives, self.history, self.rooms, now=_now)
        self.members = Members(self.lives, now=_now, new_id=lambda: "")
        self.messages = Messages(self.lives, self.documents, now=_now)

    async def create_document(self, everyone: Role | None = Role.EDITOR) -> None:
        async with self.running():
            await self.rooms.open("room", "Room", actor="ada", everyone=everyone)
            await self.documents.create("room", "main.md", actor="ada")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.feed.start()
        tasks = [asyncio.create_task(work) for work in (self.feed.run(), self.commit.run())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.lives.close()
            await self.store.disconnect()

    def edit(self, client: str, seq: int, base: int, op: Op) -> asyncio.Future[Any]:
        edit = Edit(client, seq, base, op, digest(base, op))
        return self.documents.edit("room", "main.md", edit, actor=client)


INSERT: Final = """
INSERT INTO record (originator_id, originator_version, topic, state, actor, at)
VALUES (%s, %s, 'document.created', '{"at": 0, "actor": "ada"}', 'ada', now())
"""
INSERT_EDIT: Final = """
INSERT INTO record (originator_id, originator_version, topic, state, actor, at, client, seq)
VALUES (%s, %s, 'document.edit_applied', %s, 'eve', now(), %s, %s)
"""


def _event(stream: str, version: int, *, client: str = "ada", seq: int | None = None) -> Event:
    """An edit; its number is its version unless a test is about numbers."""
    make: Any = EditApplied
    event: Event = make(
        originator_id=stream,
        originator_version=version,
        timestamp=_now(),
        actor="ada",
        client=client,
        seq=seq or version,
        base=version - 1,
        revision=version,
        digest="",
        op=["x"],
    )
    return event


def _state_of_edit(client: str, seq: int, base: int, revision: int, op: Op) -> bytes:
    make: Any = EditApplied
    return encode(
        make(
            originator_id="",
            originator_version=0,
            timestamp=_now(),
            actor=client,
            client=client,
            seq=seq,
            base=base,
            revision=revision,
            digest="",
            op=op,
        )
    )


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _migrated(url: str) -> AsyncIterator[Database]:
    await _migrate(url)
    async with _database(url) as database:
        yield database


async def _migrate(url: str) -> None:
    database = Database(url)
    connection = await database.connect("migrations")
    async with connection:
        await migrate(connection)
        await connection.execute("SELECT create_presence_partition(%s)", (_now().date(),))


@asynccontextmanager
async def _lock_held(database: Database, table: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A transaction that has the log's lock, as an append of another node has; committed at the end."""
    connection = await database.connect("another node")
    async with connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEYS[table],))
        yield connection


async def _until_waiting(database: Database, count: int) -> None:
    """Until so many appends wait for the log's lock."""

    async def are_waiting() -> bool:
        rows = await database.fetch(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE d.datname = current_database() AND locktype = 'advisory' AND NOT granted"
        )
        return bool(rows[0][0] >= count)

    await _until(are_waiting)


async def _is_blocked(connection: psycopg.AsyncConnection[Any], pid: int) -> bool:
    row = await (await connection.execute("SELECT cardinality(pg_blocking_pids(%s))", (pid,))).fetchone()
    return bool(row and row[0])


async def _until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await holds():  # noqa: ASYNC110 -- another process' state can only be asked for
            await asyncio.sleep(0.01)


async def _version(database: Database, stream: str) -> int:
    query = "SELECT coalesce(max(originator_version), 0) FROM record WHERE originator_id = %s"
    return int((await database.fetch(query, (stream,)))[0][0])


def _stored(url: str) -> list[tuple[int, str, int]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT notification_id, originator_id, originator_version FROM record ORDER BY notification_id"
        ).fetchall()


def _assert_versions_are_gapless(stored: Sequence[tuple[int, str, int]]) -> None:
    versions: dict[str, list[int]] = {}
    for _, stream, version in stored:
        versions.setdefault(stream, []).append(version)
    for stream, found in versions.items():
        assert found == list(range(1, len(found) + 1)), stream
