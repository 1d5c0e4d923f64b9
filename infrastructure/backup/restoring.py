"""Puts a backup into an empty store, in steps each of which can be the last for a while:

    prepared   the schema of the backup's version
    loaded     all rows, a new epoch, and a mark that the restore is not finished: one transaction
    told       the schema of this version, and in the record that this was restored
    rebuilt    the projections; the mark is gone

A restore that was interrupted is begun again with the same file and goes on where it was. While there is the
mark no server starts on the store. From the moment there are rows the epoch is a new one: no client of the
old history ever takes this one for its own.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, cast
from zipfile import ZipFile

from psycopg.sql import SQL, Identifier

from domain.aggregate import Event
from domain.ids import SERVER
from domain.restoration import Restoration
from infrastructure.backup.copying import SETTINGS, copy_in, refused_by_the_store
from infrastructure.backup.file import MANIFEST
from infrastructure.backup.manifest import Manifest, TableTold
from infrastructure.backup.mark import EPOCH, RESTORING
from infrastructure.backup.refusals import BackupRefused
from infrastructure.backup.tables import KEPT, rebuilt_tables
from infrastructure.postgres.database import Connection, Database
from infrastructure.postgres.log import LOCK_KEYS, PostgresLog
from infrastructure.postgres.migrations import migrate, migration_names
from infrastructure.postgres.wakeup import living_nodes
from infrastructure.rebuild import Rebuild
from infrastructure.views import all_views

OnStep = Callable[[str], Callable[[int, int], None]]
"""Asked for each thing that is begun, whom to tell how far it is."""

_TABLES: Final = b"""
SELECT relname::text FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""


def manifest_of(archive: ZipFile) -> Manifest:
    """Raises `BackupRefused`, also for what this version cannot restore."""
    try:
        manifest = Manifest.read(archive.read(MANIFEST))
    except KeyError:
        raise BackupRefused("E_BACKUP_DAMAGED", "there is no manifest in it") from None
    unknown = {table.name for table in manifest.tables} - {kept.name for kept in KEPT}
    unknown |= set(manifest.migrations) - set(migration_names())
    if unknown:
        raise BackupRefused(
            "E_BACKUP_NEWER",
            f"this backup was made by a newer version, {manifest.product}, which has"
            f" {', '.join(sorted(unknown))}",
        )
    return manifest


class Restoring:
    """The restore of one backup into one store. `run` is its one task."""

    def __init__(self, database: Database, archive: ZipFile, manifest: Manifest, on_step: OnStep) -> None:
        self._database = database
        self._archive = archive
        self._manifest = manifest
        self._on_step = on_step

    async def run(self, *, by: str, actor: str = SERVER) -> str:
        """Do what is not done yet; returns the epoch of the restored store. Raises `BackupRefused`."""
        async with refused_by_the_store(), self._connection() as connection:
            if await living_nodes(self._database):
                raise BackupRefused("E_STORE_IN_USE", "a server runs on this store: stop it first")
            epoch = await self._begun(connection)
            if epoch is None:
                await self._prepare(connection)
                epoch = await self._load(connection)
            await migrate(connection)
            await self._tell(connection, epoch, by, actor)
            await self._rebuild(connection)
            await connection.execute("DELETE FROM store WHERE key = %s", (RESTORING,))
        return epoch

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        connection = await self._database.connect("restore")
        try:
            await connection.execute(SETTINGS)
            yield connection
        finally:
            await connection.close()

    # Where we are.

    async def _begun(self, connection: Connection) -> str | None:
        """The epoch with which this very restore began before, None for an empty store."""
        found = {name for (name,) in await self._rows(connection, _TABLES)}
        if "store" in found:
            query = b"SELECT value FROM store WHERE key = %s"
            for (mark,) in await self._rows(connection, query, (RESTORING,)):
                return self._of_this_backup(json.loads(mark))
        for kept in KEPT:
            if kept.name in found and kept.name != "store" and await self._has_rows(connection, kept.name):
                raise BackupRefused(
                    "E_STORE_NOT_EMPTY",
                    "this store holds something already, and a restore replaces nothing:"
                    " choose an empty database or, with --data, another folder",
                )
        return None

    def _of_this_backup(self, mark: dict[str, str]) -> str:
        if mark["backup"] != self._manifest.id:
            raise BackupRefused(
                "E_STORE_NOT_EMPTY",
                f"the restore of another backup ({mark['backup']}) was begun in this store and not finished",
            )
        return mark["epoch"]

    async def _has_rows(self, connection: Connection, table: str) -> bool:
        query = SQL("SELECT EXISTS (SELECT FROM {})").format(Identifier(table))
        return bool((await self._rows(connection, query))[0][0])

    # The steps.

    async def _prepare(self, connection: Connection) -> None:
        """The schema as it was when the backup was made."""
        await migrate(connection, only=self._manifest.migrations)
        applied = {name for (name,) in await self._rows(connection, b"SELECT name FROM migrations")}
        if newer := sorted(applied - set(self._manifest.migrations)):
            raise BackupRefused(
                "E_STORE_NEWER",
                f"this empty store was prepared by a newer version ({newer[-1]}) than that of the backup:"
                " choose an empty database or, with --data, another folder",
            )

    async def _load(self, connection: Connection) -> str:
        epoch = str(uuid.uuid4())
        async with connection.transaction():
            for lock in LOCK_KEYS.values():
                await connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
            await self._begun(connection)  # again, now that nobody else can write
            for day in self._manifest.presence_days:
                await connection.execute("SELECT create_presence_partition(%s)", (day,))
            await self._forget(connection)
            for told in self._manifest.tables:
                await self._load_table(connection, told)
            for sequence, last in self._manifest.sequences.items():
                await connection.execute("SELECT setval(%s::regclass, %s)", (sequence, last))
            mark = json.dumps({"backup": self._manifest.id, "epoch": epoch})
            for key, value in ((EPOCH, epoch), (RESTORING, mark)):
                await connection.execute("INSERT INTO store (key, value) VALUES (%s, %s)", (key, value))
        return epoch

    async def _load_table(self, connection: Connection, told: TableTold) -> None:
        on_bytes = self._on_step(f"loading {told.name}")
        with self._archive.open(f"{told.name}.copy") as member:
            count = await copy_in(
                connection, told.name, told.columns, member, lambda done: on_bytes(done, told.bytes)
            )
        if count != told.rows:
            raise BackupRefused("E_BACKUP_DAMAGED", f"{told.name} has {count} rows and not {told.rows}")

    async def _forget(self, connection: Connection) -> None:
        """What an empty store may know of itself."""
        found = {name for (name,) in await self._rows(connection, _TABLES)}
        for table in sorted(rebuilt_tables() & found):
            await connection.execute(SQL("TRUNCATE {}").format(Identifier(table)))
        await connection.execute(b"DELETE FROM store")

    async def _tell(self, connection: Connection, epoch: str, by: str, actor: str) -> None:
        """Say in the record what happened, once."""
        told = self._manifest
        restoration = Restoration.begin(
            epoch,
            backup=told.id,
            source_epoch=told.epoch,
            source_at=told.at,
            record_position=told.record.position,
            presence_position=told.presence.position,
            by=by,
            actor=actor,
            at=datetime.now(UTC),
        )
        log = PostgresLog(self._database, "record")
        try:
            # Refused where it was said already, by a restore that was interrupted after it.
            await log.append(cast("Sequence[Event]", restoration.collect_events()), [None])
        finally:
            await log.disconnect()

    async def _rebuild(self, connection: Connection) -> None:
        for table in ("record", "presence"):
            await connection.execute(SQL("ANALYZE {}").format(Identifier(table)))
        log = PostgresLog(self._database, "record")
        for view in all_views(self._database):
            await Rebuild(self._database, log, view).run(self._on_step(f"making {view.name}"))

    async def _rows(self, connection: Connection, query: Any, parameters: Any = ()) -> list[Any]:
        return await (await connection.execute(query, parameters)).fetchall()
