"""Brings a database to the schema of this version: numbered SQL files, each in one transaction, once."""

from __future__ import annotations

from collections.abc import Collection
from importlib.resources import files
from typing import Any, Final

from psycopg import AsyncConnection

# Any number, as long as every version of the server takes the same: two nodes that start at once take turns.
MIGRATION_LOCK: Final = 0x6368726F6E6F


async def migrate(connection: AsyncConnection[Any], only: Collection[str] | None = None) -> list[str]:
    """Apply what is missing and return the names of what was applied. `connection` is in autocommit mode.
    With `only`, nothing but these: those of an older version, whose data are going to be put in.

    A node that is killed half-way leaves whole migrations only. Raises `psycopg.Error`.
    """
    applied = []
    await connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
    try:
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        rows = await (await connection.execute("SELECT name FROM migrations")).fetchall()
        known = {row[0] for row in rows}
        for name, sql in _available():
            if name not in known and (only is None or name in only):
                async with connection.transaction():
                    await connection.execute(sql.encode())
                    await connection.execute("INSERT INTO migrations (name) VALUES (%s)", (name,))
                applied.append(name)
    finally:
        await connection.execute("SELECT pg_advisory_unlock(%s)", (MIGRATION_LOCK,))
    return applied


def migration_names() -> list[str]:
    """All that this version has, in their order."""
    return [name for name, _ in _available()]


def _available() -> list[tuple[str, str]]:
    folder = files("infrastructure.postgres.schema")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(name.removesuffix(".sql"), (folder / name).read_text()) for name in names]
