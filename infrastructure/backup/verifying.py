"""Compares a restored store with what its backup says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from psycopg.sql import SQL

from infrastructure.backup.copying import SETTINGS, Copied, copy_out, refused_by_the_store, rows_of
from infrastructure.backup.manifest import Manifest, TableTold
from infrastructure.backup.tables import KEPT, Kept
from infrastructure.postgres.database import Connection, Database

OnTable = Callable[[str], Callable[[int, int], None]]


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing that must be the same: in the backup, and in the store."""

    what: str
    backup: str
    store: str

    @property
    def is_equal(self) -> bool:
        return self.backup == self.store


async def verify(database: Database, manifest: Manifest, on_table: OnTable) -> list[Compared]:
    """Read every row of the backup's tables again. What has come since, such as that the store was restored,
    is no part of it. Raises `BackupRefused`.
    """
    async with refused_by_the_store():
        connection = await database.connect("verify")
        try:
            await connection.execute(SETTINGS)
            async with connection.transaction():
                await connection.execute(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                found: list[Compared] = []
                for told in manifest.tables:
                    found += await _compare(connection, told, on_table(told.name))
                return found
        finally:
            await connection.close()


async def _compare(
    connection: Connection, told: TableTold, on_rows: Callable[[int, int], None]
) -> list[Compared]:
    [kept] = [kept for kept in KEPT if kept.name == told.name]
    count, last = await _count(connection, kept, told)
    copied: Copied = await copy_out(
        connection,
        rows_of(kept, told.columns, _last(kept, told)),
        lambda done: on_rows(done, told.rows),
        lambda _: None,
    )
    on_rows(told.rows, told.rows)
    found = [Compared(f"{told.name}: rows", f"{told.rows:,}", f"{count:,}")]
    if kept.is_growing:
        found.append(Compared(f"{told.name}: last position", str(told.last), str(last)))
    found.append(Compared(f"{told.name}: SHA-256 of all rows", told.sha256, copied.sha256))
    return found


async def _count(connection: Connection, kept: Kept, told: TableTold) -> tuple[int, int | None]:
    query: Any = SQL("SELECT count(*), {} FROM ({}) AS rows").format(
        SQL("max({})").format(SQL(kept.order)) if kept.is_growing else SQL("NULL"),
        rows_of(kept, told.columns, _last(kept, told)),
    )
    row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return row[0], row[1]


def _last(kept: Kept, told: TableTold) -> int | None:
    """Behind which rows are later ones; in a table that was empty, all are."""
    return told.last or 0 if kept.is_growing else None
