"""Backups: what is in them, that damage shows, and that a restore is whole, once, and another history."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from application.documents import digest
from domain.document import Document, Edit
from domain.ids import document_stream, restoration_stream
from domain.presence import Presence
from domain.restoration import StoreRestored
from domain.text_op import Op
from infrastructure.backup.epochs import begin_epoch
from infrastructure.backup.file import reading, writing
from infrastructure.backup.manifest import Manifest
from infrastructure.backup.mark import check_restored
from infrastructure.backup.refusals import BackupRefused
from infrastructure.backup.restoring import Restoring, manifest_of
from infrastructure.backup.tables import KEPT, SECRET, known_tables, rebuilt_tables
from infrastructure.backup.taking import take
from infrastructure.backup.verifying import verify
from infrastructure.postgres.database import Database, UnsafeStore
from infrastructure.postgres.log import PostgresHistory, PostgresLog
from infrastructure.postgres.migrations import migrate, migration_names
from infrastructure.postgres.wakeup import NODE_LOCKS
from tests.conftest import new_database
from tests.domain.events import collect
from tests.servers import ROOT

NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
STREAM: Final = document_stream("demo", "main.md")


def no_progress(_name: str) -> Callable[[int, int], None]:
    return lambda _done, _end: None


async def fill(database: Database, *, edits: int = 20) -> None:
    """Both logs, of two days; the record in several batches."""
    document = Document.create("demo", "main.md", actor="ada", at=NOW)
    for number in range(1, edits + 1):
        op: Op = [f"{number} "]
        edit = Edit("ada-1", number, number - 1, op, digest(number - 1, op))
        document.edit(edit, actor="ada", at=NOW)
    record, presence = PostgresLog(database, "record"), PostgresLog(database, "presence")
    events = collect(document)
    for event in events:
        await record.append([event], [None])
    for day in (date(2026, 11, 22), date(2026, 11, 23)):
        await database.fetch("SELECT create_presence_partition(%s)::text", (day,))
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        cursors = Presence.begin("demo", f"node.{day}", node="node", at=at)
        cursors.record([["ada-1", "main.md", 0, 0, 0, 0]], [], at=at)
        moved = collect(cursors)
        await presence.append(moved, [None] * len(moved))
    await record.disconnect()
    await presence.disconnect()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def restore(url: str, path: Path, on_step: Any = no_progress) -> str:
    async with opened(url) as database:
        with reading(path, lambda _done, _end: None) as archive:
            return await Restoring(database, archive, manifest_of(archive), on_step).run(by="a test")


async def execute(database: Database, statement: str) -> None:
    async with await database.connect("test") as connection:
        await connection.execute(statement.encode())


def bytes_of(path: Path) -> bytes:
    return path.read_bytes()


def overwrite(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def epoch_of(database: Database) -> str:
    return await PostgresHistory(database).epoch()


@pytest.fixture
async def backup(database: Database, tmp_path: Path) -> Path:
    await fill(database)
    path = tmp_path / "one.backup"
    await take(database, path, no_progress)
    return path


# What is in it.


async def test_every_table_is_kept_or_made_again_or_a_secret(database: Database) -> None:
    rows = await database.fetch(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition"
    )
    assert {name for (name,) in rows} <= known_tables()
    kept = {kept.name for kept in KEPT}
    assert not kept & rebuilt_tables()
    assert not kept & SECRET


async def test_it_holds_the_logs_and_no_copy_of_a_text_beside_them(
    database: Database, tmp_path: Path
) -> None:
    await fill(database)
    await execute(database, "INSERT INTO snapshots VALUES ('document:demo/main.md', 1, 'snapshot', 'a copy')")
    await execute(database, "CREATE TABLE IF NOT EXISTS person_keys (key bytea)")
    await execute(database, "CREATE TABLE somebody_elses (text text)")
    manifest = await take(database, tmp_path / "one.backup", no_progress)
    with zipfile.ZipFile(tmp_path / "one.backup") as archive:
        names = [f"{kept.name}.copy" for kept in KEPT]
        assert archive.namelist() == [*names, "manifest.json"]
        assert not any(b"a copy" in archive.read(name) for name in names)
    assert manifest.left_out == ("person_keys", "somebody_elses")
    assert (manifest.record.events, manifest.record.position) == (21, 21)
    assert (manifest.presence.events, manifest.presence_days[:2]) == (4, ("2026-11-22", "2026-11-23"))
    assert manifest.record.link is not None


async def test_what_is_written_meanwhile_is_in_none_of_it(database: Database, tmp_path: Path) -> None:
    await fill(database)

    def on_table(name: str) -> Callable[[int, int], None]:
        # The first table is begun: the moment is chosen, and the logs are still to be read.
        if name == "store":
            with psycopg.connect(database.conninfo) as connection:
                connection.execute(
                    "INSERT INTO record (originator_id, originator_version, topic, state, actor, at)"
                    " VALUES ('document:demo/late', 1, 'x', '{}', 'ada', now())"
                )
        return no_progress(name)

    manifest = await take(database, tmp_path / "one.backup", on_table)
    [record] = [table for table in manifest.tables if table.name == "record"]
    assert (manifest.record.events, record.rows, record.last) == (21, 21, 21)


async def test_an_empty_database_has_nothing_to_back_up(database_url: str, tmp_path: Path) -> None:
    async with opened(database_url) as database:
        with pytest.raises(BackupRefused, match="E_STORE_NO_LOG"):
            await take(database, tmp_path / "one.backup", no_progress)
    assert names_in(tmp_path) == []


# The file.


async def test_no_backup_replaces_another(database: Database, backup: Path) -> None:
    before = bytes_of(backup)
    with pytest.raises(BackupRefused, match="E_BACKUP_EXISTS"):
        await take(database, backup, no_progress)
    assert bytes_of(backup) == before


async def test_two_do_not_write_one_file(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "one.backup"
    with writing(path):
        with pytest.raises(BackupRefused, match="E_BACKUP_BUSY"):
            await take(database, path, no_progress)
        assert not path.exists()
    assert path.exists()


def flips(size: int) -> Iterator[int]:
    """Bytes all over a file, its beginning and end among them."""
    yield from (0, 1, 10, 30, size - 1, size - 63, size - 64, size - 65, size - 90, size - 120)
    yield from range(50, size, size // 20)


async def test_a_byte_that_was_changed_anywhere_shows(backup: Path, database_url: str) -> None:
    whole = bytes_of(backup)
    for place in flips(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        overwrite(backup, bytes(damaged))
        with pytest.raises(BackupRefused, match="E_BACKUP_DAMAGED"):
            await restore(database_url, backup)
    for length in (0, 10, 64, 100, len(whole) // 2, len(whole) - 1):
        overwrite(backup, whole[:length])
        with pytest.raises(BackupRefused, match="E_BACKUP_DAMAGED"):
            await restore(database_url, backup)
    async with opened(database_url) as database:
        assert await database.fetch("SELECT FROM pg_class WHERE relname = 'record'") == []


DIES_WITHIN: Final = """
import asyncio, os, signal, sys
from pathlib import Path
from infrastructure.backup.taking import take
from infrastructure.postgres.database import Database

def on_table(name):
    if name == "record_chain":  # the record is written, and more is to come
        os.kill(os.getpid(), signal.SIGKILL)
    return lambda done, end: None

async def main():
    database = Database(sys.argv[1])
    await database.open()
    await take(database, Path(sys.argv[2]), on_table)

asyncio.run(main())
"""


async def test_a_backup_that_is_killed_leaves_nothing_that_looks_whole(
    database: Database, migrated_url: str, tmp_path: Path, database_url: str
) -> None:
    await fill(database)
    path = tmp_path / "one.backup"
    killed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", DIES_WITHIN, migrated_url, str(path)], cwd=ROOT, check=False
    )
    assert killed.returncode == -9
    assert names_in(tmp_path) == ["one.backup.part"]
    with pytest.raises(BackupRefused, match="E_BACKUP_DAMAGED"):
        await restore(database_url, tmp_path / "one.backup.part")
    await take(database, path, no_progress)  # what was left is in nobody's way
    assert names_in(tmp_path) == ["one.backup"]


async def test_a_full_disk_is_said_and_leaves_nothing(
    database: Database, migrated_url: str, tmp_path: Path
) -> None:
    await fill(database)
    command = "ulimit -f 1; exec $0 -m interfaces.cli.main backup $1"
    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", command, sys.executable, str(tmp_path / "one.backup")],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": migrated_url},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"E_BACKUP_DISK" in done.stderr
    assert names_in(tmp_path) == []


# Restoring.


async def test_a_restored_store_is_equal_and_another_history(
    database: Database, backup: Path, database_url: str
) -> None:
    epoch = await restore(database_url, backup)
    with reading(backup, lambda _done, _end: None) as archive:
        manifest = manifest_of(archive)
    async with opened(database_url) as restored:
        found = await verify(restored, manifest, no_progress)
        assert [compared for compared in found if not compared.is_equal] == []
        assert len(found) > 10
        assert epoch == await epoch_of(restored) != await epoch_of(database)
        history = PostgresHistory(restored)
        [told] = await history.events_after(restoration_stream(epoch), 0)
        assert isinstance(told, StoreRestored)
        assert (told.source_epoch, told.backup) == (await epoch_of(database), manifest.id)
        assert (told.record_position, told.by, told.actor) == (21, "a test", "@server")
        document = await history.load(STREAM)
        assert isinstance(document, Document)
        original = await PostgresHistory(database).load(STREAM)
        assert isinstance(original, Document)
        assert document.text == original.text
        assert await restored.fetch("SELECT room, document, revision FROM directory") == [
            ("demo", "main.md", 20)
        ]
        # What is written next goes on behind it, in the log and in its chain.
        assert (await PostgresLog(restored, "record").position()) == 22


async def test_what_is_not_as_it_was_is_named(backup: Path, database_url: str) -> None:
    await restore(database_url, backup)
    with reading(backup, lambda _done, _end: None) as archive:
        manifest = manifest_of(archive)
    async with opened(database_url) as restored:
        connection = await restored.connect("a superuser")
        async with connection:
            await connection.execute("ALTER TABLE record DISABLE TRIGGER ALL")
            await connection.execute("UPDATE record SET actor = 'eve' WHERE notification_id = 7")
        found = await verify(restored, manifest, no_progress)
    assert [compared.what for compared in found if not compared.is_equal] == ["record: SHA-256 of all rows"]


async def test_a_store_that_holds_something_is_left_alone(database: Database, backup: Path) -> None:
    before = await database.fetch("SELECT count(*), max(notification_id) FROM record")
    with pytest.raises(BackupRefused, match="E_STORE_NOT_EMPTY"):
        await restore(database.conninfo, backup)
    assert await database.fetch("SELECT count(*), max(notification_id) FROM record") == before


async def test_a_store_on_which_a_server_runs_is_left_alone(
    backup: Path, postgres_server: Any, template: str, database_names: Iterator[str]
) -> None:
    with new_database(postgres_server, next(database_names), template) as url:
        async with opened(url) as database, await database.connect("a node") as node:
            await node.execute("SELECT pg_advisory_lock(%s, 1)", (NODE_LOCKS,))
            with pytest.raises(BackupRefused, match="E_STORE_IN_USE"):
                await restore(url, backup)


class Interrupted(Exception):  # noqa: N818
    pass


def interrupting(at: str) -> Callable[[str], Callable[[int, int], None]]:
    def on_step(name: str) -> Callable[[int, int], None]:
        if name == at:
            raise Interrupted(name)
        return no_progress(name)

    return on_step


async def check(database: Database) -> None:
    """What a server asks before it starts."""
    async with await database.connect("test") as connection:
        await check_restored(connection)


@pytest.mark.parametrize("where", ["loading record_chain", "making directory", "making activity"])
async def test_a_restore_that_was_interrupted_is_done_again(
    backup: Path, database_url: str, where: str
) -> None:
    """While rows are loaded; when they are there; when the first projections are there as well."""
    with pytest.raises(Interrupted):
        await restore(database_url, backup, interrupting(where))
    async with opened(database_url) as half:
        if where == "loading record_chain":
            assert await half.fetch("SELECT count(*) FROM record") == [(0,)]
        else:
            with pytest.raises(UnsafeStore, match="restore"):
                await check(half)
    epoch = await restore(database_url, backup)
    async with opened(database_url) as restored:
        told = await restored.fetch("SELECT count(*) FROM record WHERE topic = 'store.restored'")
        assert (told, await epoch_of(restored)) == ([(1,)], epoch)
        await check(restored)


async def test_a_backup_of_an_older_version_is_brought_up_to_this_one(
    postgres_server: Any, database_names: Iterator[str], database_url: str, tmp_path: Path
) -> None:
    older = migration_names()[: migration_names().index("0012_chain")]
    path = tmp_path / "old.backup"
    with new_database(postgres_server, next(database_names), "template0") as url:
        async with opened(url) as database:
            async with await database.connect("migrations") as connection:
                await migrate(connection, only=older)
                await connection.execute(
                    "INSERT INTO record (originator_id, originator_version, topic, state, actor, at)"
                    " SELECT 'document:demo/main.md', n, 'x', '{}', 'ada', now()"
                    " FROM generate_series(1, 5) AS n"
                )
            manifest = await take(database, path, no_progress)
    assert manifest.record.link is None
    await restore(database_url, path)
    async with opened(database_url) as restored:
        assert await restored.fetch("SELECT count(*) FROM migrations") == [(len(migration_names()),)]
        assert await restored.fetch("SELECT sum(events) FROM record_chain") == [(6,)]
        found = await verify(restored, manifest, no_progress)
        assert all(compared.is_equal for compared in found)


def test_a_backup_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="E_BACKUP_NEWER"):
        Manifest.read(json.dumps({"format": 2, "new": True}).encode())


async def test_a_backup_with_migrations_that_we_do_not_know_is_refused(
    database: Database, tmp_path: Path, database_url: str
) -> None:
    await execute(database, "INSERT INTO migrations (name) VALUES ('9999_later')")
    await take(database, tmp_path / "one.backup", no_progress)
    with pytest.raises(BackupRefused, match=r"9999_later.*E_BACKUP_NEWER"):
        await restore(database_url, tmp_path / "one.backup")


# Another epoch without a restore of ours.


async def test_a_store_that_others_have_put_back_is_given_another_epoch(database: Database) -> None:
    await fill(database)
    before = await epoch_of(database)
    epoch = await begin_epoch(database, by="a test", actor="@server")
    assert before != epoch == await epoch_of(database)
    [told] = await PostgresHistory(database).events_after(restoration_stream(epoch), 0)
    assert isinstance(told, StoreRestored)
    assert (told.source_epoch, told.backup, told.record_position) == (before, "", 21)
    assert await database.fetch("SELECT sum(events) FROM record_chain") == [(22,)]


async def test_the_epoch_of_a_store_on_which_a_server_runs_stays(database: Database) -> None:
    before = await epoch_of(database)
    async with await database.connect("a node") as node:
        await node.execute("SELECT pg_advisory_lock(%s, 1)", (NODE_LOCKS,))
        with pytest.raises(BackupRefused, match="E_STORE_IN_USE"):
            await begin_epoch(database, by="a test", actor="@server")
    assert await epoch_of(database) == before
