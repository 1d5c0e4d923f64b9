"""Takes a backup, while servers go on: all of it in one transaction, which sees one moment of the store."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from psycopg.sql import SQL, Identifier

from infrastructure.backup.copying import SETTINGS, columns_of, copy_out, refused_by_the_store, rows_of
from infrastructure.backup.file import MANIFEST, writing
from infrastructure.backup.manifest import FORMAT, LogTold, Manifest, TableTold
from infrastructure.backup.refusals import BackupRefused
from infrastructure.backup.tables import KEPT, SECRET, Kept, known_tables
from infrastructure.postgres.database import Connection, Database

_TABLES: Final = b"""
SELECT relname::text FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
ORDER BY relname
"""
_DAYS: Final = b"""
SELECT to_char(to_date(substr(relname, 10), 'YYYYMMDD'), 'YYYY-MM-DD') FROM pg_inherits
JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = 'presence'::regclass AND NOT inhdetachpending ORDER BY relname
"""
_SEQUENCES: Final = b"""
SELECT sequencename::text, last_value FROM pg_sequences
WHERE schemaname = current_schema() AND last_value IS NOT NULL ORDER BY sequencename
"""
_NOW: Final = b"SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_MOMENT: Final = b"""
SELECT (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint, current_setting('server_version'),
       (SELECT value FROM store WHERE key = 'epoch')
"""

OnTable = Callable[[str], Callable[[int, int], None]]
"""Asked for each table that is begun, whom to tell how far it is."""


async def take(database: Database, path: Path, on_table: OnTable) -> Manifest:
    """Write a backup to `path`. Raises `BackupRefused`; then there is no file of that name."""
    with writing(path) as archive:
        async with refused_by_the_store():
            connection = await database.connect("backup")
            try:
                manifest = await _Taking(connection, archive, on_table).run()
            finally:
                await connection.close()
        archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


class _Taking:
    def __init__(self, connection: Connection, archive: Any, on_table: OnTable) -> None:
        self._connection = connection
        self._archive = archive
        self._on_table = on_table

    async def run(self) -> Manifest:
        await self._connection.execute(SETTINGS)
        found = {name for (name,) in await self._rows(_TABLES)}
        if "record" not in found:
            raise BackupRefused(
                "E_STORE_NO_LOG", "this database holds no log; `chronoscribe serve` makes one"
            )
        kept = [table for table in KEPT if table.name in found]
        async with self._connection.transaction():
            await self._connection.execute(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # Before the first look: whatever is seen in it can then not be dropped before it is read.
            names = SQL(", ").join(Identifier(table.name) for table in kept)
            await self._connection.execute(SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(names))
            return await self._of_this_moment(kept, found)

    async def _of_this_moment(self, kept: list[Kept], found: set[str]) -> Manifest:
        [(at, postgres, epoch)] = await self._rows(_MOMENT)
        days = tuple(day for (day,) in await self._rows(_DAYS))
        migrations = await self._rows(b"SELECT name FROM migrations ORDER BY name")
        logs = {log: await self._log(log, found) for log in ("record", "presence")}
        # By themselves sequences are of no moment: later than this one at worst.
        sequences = dict(await self._rows(_SEQUENCES))
        tables = tuple([await self._copy(table) for table in kept])
        return Manifest(
            format=FORMAT,
            id=str(uuid.uuid4()),
            product=_product(),
            postgres=postgres,
            at=at,
            finished_at=(await self._rows(_NOW))[0][0],
            epoch=epoch,
            migrations=tuple(name for (name,) in migrations),
            **logs,
            presence_days=days,
            tables=tables,
            sequences=sequences,
            left_out=tuple(sorted((found - known_tables()) | (found & SECRET))),
        )

    async def _log(self, log: str, found: set[str]) -> LogTold:
        query = SQL("SELECT count(*), coalesce(max(notification_id), 0) FROM {}").format(Identifier(log))
        [(events, position)] = await self._rows(query)
        link = None
        if f"{log}_chain" in found:
            head = SQL("SELECT encode(link, 'hex') FROM {} ORDER BY first DESC LIMIT 1")
            rows = await self._rows(head.format(Identifier(f"{log}_chain")))
            link = rows[0][0] if rows else None
        return LogTold(events=events, position=position, link=link)

    async def _copy(self, kept: Kept) -> TableTold:
        columns = await columns_of(self._connection, kept.name)
        last = SQL("max({})").format(SQL(kept.order)) if kept.is_growing else SQL("NULL::bigint")
        query = SQL("SELECT count(*), {} FROM {} WHERE {}").format(
            last, Identifier(kept.name), SQL(kept.where)
        )
        [(count, newest)] = await self._rows(query)
        on_rows = self._on_table(kept.name)
        with self._archive.open(f"{kept.name}.copy", "w", force_zip64=True) as member:
            copied = await copy_out(
                self._connection, rows_of(kept, columns), lambda done: on_rows(done, count), member.write
            )
        on_rows(count, count)
        return TableTold(
            name=kept.name,
            columns=columns,
            order=kept.order,
            rows=count,
            bytes=copied.bytes,
            sha256=copied.sha256,
            last=newest,
        )

    async def _rows(self, query: Any) -> list[Any]:
        return await (await self._connection.execute(query)).fetchall()


def _product() -> str:
    try:
        return metadata.version("chronoscribe")
    except metadata.PackageNotFoundError:  # run where it lies
        return "not installed"
