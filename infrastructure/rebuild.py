"""Rebuilds a projection beside the living one, and puts it in its place when it has caught up.

The tables are made anew under their own names in a schema of the rebuild, and so are `tracking` and `parked`.
On a connection that looks into that schema first, a projector does all the work and knows of nothing. The
living tables are read and written meanwhile as ever; one transaction replaces them. A rebuild that ends
before that has changed nothing, and what it leaves behind the next one removes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, LiteralString

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from infrastructure.postgres.database import Connection, Database
from infrastructure.postgres.log import PostgresLog
from infrastructure.projector import Projector, View

logger = logging.getLogger(__name__)

# First key of the advisory locks of rebuilds; the second is a hash of the name.
REBUILD_LOCKS: Final = 0x72656275

# Nobody waits for us between two pages, so they can be larger than those of a projector that follows.
PAGE_EVENTS: Final = 5_000

# Comparing and copying take their time; the longest of our transactions does nothing for less than this.
_SETTINGS: Final = b"SET statement_timeout = 0; SET idle_in_transaction_session_timeout = '60s'"

# Whoever reads a table at the moment of the switch is waited for, for as long as a lock may be waited for,
# since those who come then wait behind us. Then they have their turn, and so on for about two minutes.
SWITCH_ATTEMPTS: Final = 40
SWITCH_PAUSE_SECONDS: Final = 1.0

# Rows that are shown for each table and side; how many there are is said anyway.
DIFFERENCES_SHOWN: Final = 20

_RELEASE: Final = b"SELECT pg_advisory_unlock(%s, hashtext(%s))"
_CLEAR_AWAY: Final = "DROP SCHEMA IF EXISTS {shadow} CASCADE"
_DIFFERENCE: Final = """
WITH rows AS (SELECT * FROM {ours} EXCEPT ALL SELECT * FROM {theirs})
SELECT count(*) OVER (), rows::text FROM rows ORDER BY rows::text LIMIT %s
"""

# Copied indexes get names of Postgres' choice. Those that say the same as one of the living table get its
# name, by way of names that nobody has, since two of them may have to change theirs.
_INDEX_NAMES: Final = """
WITH named AS (
    SELECT indrelid, relname AS name, indisunique AS is_unique,
           substring(pg_get_indexdef(indexrelid) FROM ' USING .*$') AS what
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid IN (%(live)s::regclass, %(shadow)s::regclass)),
numbered AS (
    SELECT *, row_number() OVER (PARTITION BY indrelid, is_unique, what ORDER BY name) AS number FROM named)
SELECT copy.name, original.name
FROM numbered AS copy JOIN numbered AS original USING (is_unique, what, number)
WHERE copy.indrelid = %(shadow)s::regclass AND original.indrelid = %(live)s::regclass
  AND copy.name <> original.name
"""
_GRANTS: Final = """
SELECT format('GRANT %%s ON %%s TO %%s%%s', privilege_type, %(shadow)s::regclass,
              CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
              CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = %(live)s::regclass
"""
# Who sees which rows of it. Before the grants: nobody shall see the new table without them.
_ROW_SECURITY: Final = """
SELECT format('ALTER TABLE %%s ENABLE ROW LEVEL SECURITY', %(shadow)s::regclass)
FROM pg_class WHERE oid = %(live)s::regclass AND relrowsecurity
UNION ALL
SELECT format('CREATE POLICY %%I ON %%s AS %%s FOR %%s TO %%s',
              policyname, %(shadow)s::regclass, permissive, cmd,
              (SELECT string_agg(CASE role WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(role) END, ', ')
               FROM unnest(roles) AS role))
       || coalesce(' USING (' || qual || ')', '') || coalesce(' WITH CHECK (' || with_check || ')', '')
FROM pg_policies JOIN pg_class ON pg_class.oid = %(live)s::regclass AND relname = tablename
    AND relnamespace = quote_ident(schemaname)::regnamespace
"""

OnProgress = Callable[[int, int], None]


class RebuildRefused(Exception):  # noqa: N818
    """Another rebuild of the same projection is at work, or the living tables never came free."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows of one table that only one side has; of a row that was changed, each side has one."""

    table: str
    is_rebuilt: bool
    """True for what the log says, False for what stood in the living table."""
    count: int
    rows: tuple[str, ...]
    """At most `DIFFERENCES_SHOWN` of them, as Postgres writes a row."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it. `differences` is None when nobody asked."""

    position: int
    events: int
    parked: int
    differences: tuple[Difference, ...] | None


class Rebuild:
    """One rebuild of one projection. `run` is its one task."""

    def __init__(
        self, database: Database, log: PostgresLog, view: View, *, page_events: int = PAGE_EVENTS
    ) -> None:
        self._database = database
        self._log = log
        self._view = view
        self._projector = Projector(database, log, view, page_events=page_events)
        self._page_events = page_events
        self._shadow = f"rebuild_{view.name}"
        self._live = "public"
        self._is_comparing = False

    async def run(self, on_progress: OnProgress, *, is_comparing: bool = False) -> Rebuilt:
        """Rebuild and replace. `on_progress` is told where the rebuild is, and where it has to go.

        Raises `RebuildRefused`, `StoreUnavailable`, `psycopg.Error`; then the living tables are as they were.
        """
        self._is_comparing = is_comparing
        connection = await self._database.connect(f"rebuild {self._view.name}", is_durable=False)
        try:
            await self._claim(connection)
            try:
                await self._make_shadows(connection)
                await self._catch_up(connection, on_progress)
                return await self._switch(connection, on_progress)
            finally:
                await self._clear_away(connection)
        finally:
            await connection.close()

    async def _claim(self, connection: Connection) -> None:
        query = b"SELECT pg_try_advisory_lock(%s, hashtext(%s)), current_schema()"
        row = await (await connection.execute(query, (REBUILD_LOCKS, self._view.name))).fetchone()
        assert row is not None
        is_ours, self._live = row
        if not is_ours:
            raise RebuildRefused(f"{self._view.name} is being rebuilt already")

    # The shadows.

    async def _make_shadows(self, connection: Connection) -> None:
        await connection.execute(_SETTINGS)
        async with connection.transaction():
            await connection.execute(self._sql(_CLEAR_AWAY))
            await connection.execute(self._sql("CREATE SCHEMA {shadow}"))
            for table in (*self._view.tables, "tracking", "parked"):
                await connection.execute(
                    self._sql("CREATE TABLE {shadow}.{table} (LIKE {live}.{table} INCLUDING ALL)", table)
                )
            path = SQL("SET search_path TO {}, {}").format(Identifier(self._shadow), Identifier(self._live))
            await connection.execute(path)

    async def _clear_away(self, connection: Connection) -> None:
        """Remove what a rebuild has made. When that fails, the next one does it. And let the next one begin:
        Postgres notices only a moment after it that a connection was closed.
        """
        with contextlib.suppress(psycopg.Error):
            await connection.execute(self._sql(_CLEAR_AWAY))
            await connection.execute(_RELEASE, (REBUILD_LOCKS, self._view.name))

    async def _catch_up(self, connection: Connection, on_progress: OnProgress) -> None:
        """Fold all there is, until less than a page has come meanwhile."""
        await self._projector.begin(connection)
        end = await self._end(connection)
        while True:
            on_progress(self._projector.position, end)
            if not await self._projector.step(connection, until=end):
                end = await self._end(connection)
                if end - self._projector.position < self._page_events:
                    return

    async def _end(self, connection: Connection) -> int:
        """How far to fold: the whole log, but to compare, as far as the living tables are."""
        if not self._is_comparing:
            return await self._log.position()
        query = self._sql("SELECT notification_id FROM {live}.tracking WHERE application_name = %s")
        row = await (await connection.execute(query, (self._view.name,))).fetchone()
        return row[0] if row else 0

    # The switch.

    async def _switch(self, connection: Connection, on_progress: OnProgress) -> Rebuilt:
        for table in self._view.tables:
            await connection.execute(self._sql("ANALYZE {shadow}.{table}", table))
        for _ in range(SWITCH_ATTEMPTS):
            events = self._projector.events
            try:
                async with connection.transaction():
                    return await self._replace(connection)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
                logger.info("the switch of %s is tried again: %s", self._view.name, error)
            self._projector.events = events
            await asyncio.sleep(SWITCH_PAUSE_SECONDS)
            await self._catch_up(connection, on_progress)
        raise RebuildRefused(f"somebody has been reading {', '.join(self._view.tables)} for long")

    async def _replace(self, connection: Connection) -> Rebuilt:
        position = await self._hold_live_position(connection)
        while await self._projector.step(connection, until=position):
            pass
        differences = await self._differences(connection) if self._is_comparing else None
        for table in self._view.tables:
            await self._replace_table(connection, table)
        await self._replace_place(connection)
        return Rebuilt(self._projector.position, self._projector.events, self._projector.parked, differences)

    async def _hold_live_position(self, connection: Connection) -> int:
        """Where the living tables are, and stay until the end of the transaction."""
        begin = self._sql("INSERT INTO {live}.tracking VALUES (%s, 0) ON CONFLICT DO NOTHING")
        await connection.execute(begin, (self._view.name,))
        query = self._sql(
            "SELECT notification_id FROM {live}.tracking WHERE application_name = %s FOR UPDATE"
        )
        row = await (await connection.execute(query, (self._view.name,))).fetchone()
        assert row is not None
        return int(row[0])

    async def _differences(self, connection: Connection) -> tuple[Difference, ...]:
        found = []
        for table in self._view.tables:
            live, shadow = Identifier(self._live, table), Identifier(self._shadow, table)
            for is_rebuilt, ours, theirs in ((False, live, shadow), (True, shadow, live)):
                query = SQL(_DIFFERENCE).format(ours=ours, theirs=theirs)
                rows = await (await connection.execute(query, (DIFFERENCES_SHOWN,))).fetchall()
                if rows:
                    found.append(Difference(table, is_rebuilt, rows[0][0], tuple(row[1] for row in rows)))
        return tuple(found)

    async def _replace_table(self, connection: Connection, table: str) -> None:
        names = {
            "live": Identifier(self._live, table).as_string(connection),
            "shadow": Identifier(self._shadow, table).as_string(connection),
        }
        renamed = await (await connection.execute(_INDEX_NAMES, names)).fetchall()
        grants = await (await connection.execute(_GRANTS, names)).fetchall()
        for (policy,) in await (await connection.execute(_ROW_SECURITY, names)).fetchall():
            await connection.execute(policy)
        for (grant,) in grants:
            await connection.execute(grant)
        await connection.execute(self._sql("DROP TABLE {live}.{table}", table))
        for number, (copy, _) in enumerate(renamed):
            await self._rename_index(connection, copy, f"rebuild_{number}")
        for number, (_, name) in enumerate(renamed):
            await self._rename_index(connection, f"rebuild_{number}", name)
        await connection.execute(self._sql("ALTER TABLE {shadow}.{table} SET SCHEMA {live}", table))

    async def _rename_index(self, connection: Connection, old: str, new: str) -> None:
        query = SQL("ALTER INDEX {} RENAME TO {}").format(Identifier(self._shadow, old), Identifier(new))
        await connection.execute(query)

    async def _replace_place(self, connection: Connection) -> None:
        """The tables' position becomes ours, and so does what could not be taken in."""
        move = self._sql("UPDATE {live}.tracking SET notification_id = %s WHERE application_name = %s")
        await connection.execute(move, (self._projector.position, self._view.name))
        await connection.execute(
            self._sql("DELETE FROM {live}.parked WHERE projection = %s"), (self._view.name,)
        )
        await connection.execute(self._sql("INSERT INTO {live}.parked SELECT * FROM {shadow}.parked"))

    def _sql(self, statement: LiteralString, table: str = "") -> Composed:
        parts = {"live": Identifier(self._live), "shadow": Identifier(self._shadow)}
        return SQL(statement).format(**parts, table=Identifier(table) if table else SQL(""))
