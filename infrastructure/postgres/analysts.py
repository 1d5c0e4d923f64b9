"""Login roles of the database that read, and may do nothing else.

Two groups have all that is granted: `chronoscribe_analyst`, whose members see the rooms of the table
`analyst_rooms` only, and `chronoscribe_auditor`, whose members see everything. Row-level security holds for
the first alone: for everybody else, the application included, all is as without it. All of this is made here
and not by a migration, since not every deployment lets the application make roles.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Any, Final, LiteralString, NamedTuple

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from domain.errors import Conflict, Forbidden, NotFound
from infrastructure.postgres.database import Connection

ANALYST: Final = "chronoscribe_analyst"
AUDITOR: Final = "chronoscribe_auditor"

# What has a room in each row. A partition is read through its table only: whoever asked it would pass the
# policy by.
TABLES: Final = (
    "record",
    "presence",
    "directory",
    "rooms",
    "members",
    "presence_spans",
    "edit_days",
    "chat_messages",
    "chat_pointers",
    "statistics",
    "statistics_responses",
    "statistics_emoji",
    "statistics_words",
    "statistics_messages",
    "statistics_rooms",
    "activity",
    "activity_places",
)

# People are in no room: only who sees all rooms sees them all. (The view `stays` has names.)
TABLES_OF_AUDITORS: Final = ("profiles",)

# A name that needs no quotes anywhere, as long as Postgres takes.
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")

# What somebody has open at a time, on a desk and in a notebook; each may take a core.
CONNECTIONS_MAX: Final = 4

# An honest question over a large room takes seconds. Whoever has a longer one can raise these for themselves:
# they guard against mistakes, the grants against everything else.
SETTINGS: Final = (
    ("search_path", "analytics"),
    ("default_transaction_read_only", "on"),
    ("statement_timeout", "60s"),
    ("lock_timeout", "2s"),
    ("idle_in_transaction_session_timeout", "60s"),
)

PASSWORD_BYTES: Final = 24

_GROUPS: Final = """
DO $$
BEGIN
    IF to_regrole({group}) IS NULL THEN
        CREATE ROLE {role} NOLOGIN;
    END IF;
END $$
"""
# A permissive policy for all keeps everything as it was; the one for analysts takes rows away from them. The
# rooms are asked for once in each statement, and can be looked up in an index.
_POLICIES: Final = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON {table} USING (true) WITH CHECK (true);
CREATE POLICY analysts ON {table} AS RESTRICTIVE TO {analyst}
    USING (room = ANY ((SELECT analytics.my_rooms())::text[]));
"""
_LIST: Final = """
SELECT login.rolname, bool_or(team.rolname = %(auditor)s),
       coalesce((SELECT array_agg(room ORDER BY room) FROM analyst_rooms WHERE role = login.rolname), '{}')
FROM pg_auth_members
JOIN pg_roles AS team ON team.oid = roleid
JOIN pg_roles AS login ON login.oid = member
WHERE team.rolname IN (%(analyst)s, %(auditor)s) AND login.rolcanlogin
GROUP BY login.rolname ORDER BY login.rolname
"""


class Analyst(NamedTuple):
    """A login role, and the rooms that it sees: None for all."""

    name: str
    rooms: tuple[str, ...] | None


class NotAllowed(Exception):  # noqa: N818
    """The user of this database may not make roles, or does not own the tables."""


class Analysts:
    """On a connection of whoever owns the tables and may make roles, in autocommit mode.

    Every method raises `NotAllowed`, and `psycopg.Error` for what else goes wrong.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, name: str, rooms: Sequence[str] | None, *, new_password: bool = False) -> str | None:
        """Let `name` log in and see exactly these rooms, None: all. Returns the password, if it is a new one.

        Raises `Conflict` for a role of another kind, `Forbidden` for a name that cannot be one, `NotFound`
        for a room.
        """
        if _NAME.fullmatch(name) is None or name.startswith("pg_") or name in (ANALYST, AUDITOR):
            raise Forbidden("a name is 1 to 63 of a-z 0-9 _, and does not begin with a digit")
        await self._check_rooms(rooms or ())
        try:
            async with self._connection.transaction():
                await self._prepare()
                is_new = await self._is_new(name)
                password = secrets.token_urlsafe(PASSWORD_BYTES) if is_new or new_password else None
                if is_new:
                    await self._do("CREATE ROLE {name} LOGIN INHERIT", name)
                await self._limit(name, rooms)
                if password is not None:
                    await self._set_password(name, password)
        except psycopg.errors.InsufficientPrivilege as error:
            raise NotAllowed(str(error).strip()) from None
        return password

    async def list_all(self) -> list[Analyst]:
        """By name."""
        rows = await self._fetch(_LIST, {"analyst": ANALYST, "auditor": AUDITOR})
        return [Analyst(name, None if sees_all else tuple(rooms)) for name, sees_all, rooms in rows]

    async def remove(self, name: str) -> None:
        """Let `name` in no more. Raises `NotFound` for who is no analyst."""
        if name not in {analyst.name for analyst in await self.list_all()}:
            raise NotFound(f"there is no analyst {name!r}")
        try:
            async with self._connection.transaction():
                await self._fetch("DELETE FROM analyst_rooms WHERE role = %s RETURNING room", (name,))
                await self._do("DROP ROLE {name}", name)
        except psycopg.errors.InsufficientPrivilege as error:
            raise NotAllowed(str(error).strip()) from None

    # Of a new one.

    async def _check_rooms(self, rooms: Sequence[str]) -> None:
        query = "SELECT room FROM record WHERE topic = 'room.opened' AND room = ANY(%s)"
        found = {room for (room,) in await self._fetch(query, (list(rooms),))}
        for room in rooms:
            if room not in found:
                raise NotFound(f"there is no room {room!r}")

    async def _is_new(self, name: str) -> bool:
        if not await self._fetch("SELECT FROM pg_roles WHERE rolname = %s", (name,)):
            return True
        if name not in {analyst.name for analyst in await self.list_all()}:
            raise Conflict(f"there is a role {name!r} of another kind")
        return False

    async def _limit(self, name: str, rooms: Sequence[str] | None) -> None:
        joined, left = (AUDITOR, ANALYST) if rooms is None else (ANALYST, AUDITOR)
        await self._do("REVOKE {group} FROM {name}", name, group=Identifier(left))
        await self._do("GRANT {group} TO {name}", name, group=Identifier(joined))
        await self._do("ALTER ROLE {name} CONNECTION LIMIT {limit}", name, limit=Literal(CONNECTIONS_MAX))
        for setting, value in SETTINGS:
            await self._do(
                "ALTER ROLE {name} SET {setting} = {value}",
                name,
                setting=Identifier(setting),
                value=Literal(value),
            )
        await self._fetch("DELETE FROM analyst_rooms WHERE role = %s RETURNING room", (name,))
        for room in rooms or ():
            await self._fetch("INSERT INTO analyst_rooms VALUES (%s, %s) RETURNING room", (name, room))

    async def _set_password(self, name: str, password: str) -> None:
        # As a digest: what is sent in words could end in the log of the server.
        digest = self._connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
        await self._do("ALTER ROLE {name} PASSWORD {digest}", name, digest=Literal(digest.decode()))

    # What all of them need.

    async def _prepare(self) -> None:
        """Groups, grants and policies. What is there stays; what a newer version brought is added."""
        for group in (ANALYST, AUDITOR):
            await self._do(_GROUPS, group=Literal(group), role=Identifier(group))
            await self._grant(group)
        for table in TABLES_OF_AUDITORS:
            await self._do(
                "GRANT SELECT ON {table} TO {role}", table=Identifier(table), role=Identifier(AUDITOR)
            )
        query = (
            "SELECT relname::text FROM pg_class WHERE oid = ANY(%s::text[]::regclass[]) AND relrowsecurity"
        )
        secured = {name for (name,) in await self._fetch(query, (list(TABLES),))}
        for table in TABLES:
            if table not in secured:
                await self._do(_POLICIES, table=Identifier(table), analyst=Identifier(ANALYST))
        # Only now: no table is readable before its policy holds.
        for table in TABLES:
            both = SQL(", ").join([Identifier(ANALYST), Identifier(AUDITOR)])
            await self._do("GRANT SELECT ON {table} TO {roles}", table=Identifier(table), roles=both)

    async def _grant(self, group: str) -> None:
        [(database, schema)] = await self._fetch("SELECT current_database()::text, current_schema()::text")
        names: dict[str, Any] = {
            "role": Identifier(group),
            "database": Identifier(database),
            "schema": Identifier(schema),
        }
        await self._do("GRANT CONNECT ON DATABASE {database} TO {role}", **names)
        await self._do("GRANT USAGE ON SCHEMA analytics, {schema} TO {role}", **names)
        await self._do("GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO {role}", **names)
        # Also to those views that later versions bring.
        await self._do(
            "ALTER DEFAULT PRIVILEGES IN SCHEMA analytics GRANT SELECT ON TABLES TO {role}", **names
        )

    async def _do(self, statement: LiteralString, name: str | None = None, **parts: Any) -> None:
        if name is not None:
            parts["name"] = Identifier(name)
        await self._connection.execute(_composed(statement, parts))

    async def _fetch(self, query: str, parameters: Any = ()) -> list[Any]:
        return await (await self._connection.execute(query.encode(), parameters)).fetchall()


def _composed(statement: LiteralString, parts: dict[str, Any]) -> Composed:
    return SQL(statement).format(**parts)
