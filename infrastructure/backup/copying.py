"""A table's rows as one stream of bytes, the same for the same rows: out of a database, and into one."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Final

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from infrastructure.backup.file import CHUNK_BYTES
from infrastructure.backup.refusals import BackupRefused
from infrastructure.backup.tables import Kept
from infrastructure.postgres.database import Connection

# A page of a log takes milliseconds; a disk that is busy with something else, seconds. A database that gives
# or takes nothing for this long is not going to.
STALL_SECONDS: Final = 120.0

# Looking at the clock for every row would cost as much as the row.
_ROWS_PER_LOOK: Final = 2_000

# What we ask takes as long as the store is large; our own pauses are those of a disk.
SETTINGS: Final = b"SET statement_timeout = 0; SET idle_in_transaction_session_timeout = '10min'"

_COLUMNS: Final = """
SELECT attname::text FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""

OnRows = Callable[[int, int], None]
"""Is told what is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Copied:
    bytes: int
    sha256: str


async def columns_of(connection: Connection, table: str) -> tuple[str, ...]:
    """Those that are stored, and not made from others."""
    rows = await (await connection.execute(_COLUMNS.encode(), (table,))).fetchall()
    return tuple(name for (name,) in rows)


def rows_of(kept: Kept, columns: Sequence[str], last: int | None = None) -> Composed:
    """The rows of a table in their order; not those behind `last`, where more may have come."""
    until = SQL("{} <= {}").format(SQL(kept.order), last) if last is not None else SQL("true")
    return SQL("SELECT {} FROM {} WHERE {} AND {} ORDER BY {}").format(
        SQL(", ").join(map(Identifier, columns)),
        Identifier(kept.name),
        SQL(kept.where),
        until,
        SQL(kept.order),
    )


async def copy_out(
    connection: Connection, rows: Composed, on_rows: Callable[[int], None], write: Callable[[bytes], object]
) -> Copied:
    """Hand all rows to `write`, some at a time. Raises `BackupRefused`, `psycopg.Error`."""
    hashed, size, count = hashlib.sha256(), 0, 0
    waiting: list[bytes] = []
    waiting_bytes = 0
    statement = SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(rows)
    async with _not_stalled() as goes_on, connection.cursor().copy(statement) as copy:
        async for data in copy:
            waiting.append(bytes(data))
            waiting_bytes += len(data)
            count += 1
            if waiting_bytes >= CHUNK_BYTES:
                chunk = b"".join(waiting)
                hashed.update(chunk)
                write(chunk)
                size += waiting_bytes
                waiting, waiting_bytes = [], 0
            if count % _ROWS_PER_LOOK == 0:
                goes_on()
                on_rows(count)
    chunk = b"".join(waiting)
    hashed.update(chunk)
    write(chunk)
    return Copied(size + waiting_bytes, hashed.hexdigest())


async def copy_in(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    file: IO[bytes],
    on_bytes: Callable[[int], None],
) -> int:
    """Load a table; returns how many rows it were. Raises `BackupRefused`, `psycopg.Error`."""
    statement = SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        Identifier(table), SQL(", ").join(map(Identifier, columns))
    )
    done = 0
    cursor = connection.cursor()
    async with _not_stalled() as goes_on, cursor.copy(statement) as copy:
        for chunk in _chunks(file):
            await copy.write(chunk)
            done += len(chunk)
            goes_on()
            on_bytes(done)
    return cursor.rowcount


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


@asynccontextmanager
async def _not_stalled() -> AsyncIterator[Callable[[], None]]:
    """Ends the block when for `STALL_SECONDS` nobody has said that it goes on. Raises `BackupRefused`."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(STALL_SECONDS) as limit:
            yield lambda: limit.reschedule(loop.time() + STALL_SECONDS)
    except TimeoutError:
        raise BackupRefused(
            "E_STORE_STALLED", f"the database has not gone on for {STALL_SECONDS:.0f} s"
        ) from None


@asynccontextmanager
async def refused_by_the_store() -> AsyncIterator[None]:
    """What the database says no to, told as `BackupRefused`."""
    try:
        yield
    except psycopg.errors.DiskFull as error:
        raise BackupRefused("E_STORE", f"the disk of the database is full: {error}") from error
    except psycopg.errors.LockNotAvailable as error:
        raise BackupRefused("E_STORE_IN_USE", f"somebody else holds the tables: {error}") from error
    except psycopg.Error as error:
        raise BackupRefused("E_STORE", f"the database does not do it: {error}".strip()) from error
