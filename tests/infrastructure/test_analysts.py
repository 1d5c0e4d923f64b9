"""Login roles that read and may do nothing else, tried from outside: by logging in as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
import pytest

from domain.errors import Conflict, Forbidden, NotFound
from infrastructure.embedded_postgres import EmbeddedPostgres
from infrastructure.postgres.analysts import (
    ANALYST,
    AUDITOR,
    TABLES,
    TABLES_OF_AUDITORS,
    Analyst,
    Analysts,
    NotAllowed,
)
from infrastructure.postgres.audit import PostgresAuditor, questions
from infrastructure.postgres.database import Connection, Database
from infrastructure.views import all_views
from tests.conftest import new_database
from tests.infrastructure.projecting import Place
from tests.infrastructure.sample_rooms import OTHER, ROOM, make_sample

# Of the cluster, and so gone with it.
# Of which the sample has nothing in one of its rooms.
SELDOM: Final = {
    "analytics.runs",
    "analytics.revisions",
    "analytics.receipts",
    "analytics.redactions",
    "public.chat_pointers",
}

ONE, NOBODY, ALL = "one_room", "no_room", "every_room"


@pytest.fixture(scope="module")
def url(postgres_server: EmbeddedPostgres, database_names: Iterator[str]) -> Iterator[str]:
    """The sample rooms, with three analysts."""
    with new_database(postgres_server, next(database_names), "template0") as url:
        asyncio.run(make_sample(url))
        asyncio.run(_add(url))
        yield url


async def _add(url: str) -> None:
    async with analysts_of(url) as analysts:
        await analysts.add(ONE, [ROOM])
        await analysts.add(NOBODY, [OTHER])
        await analysts.add(NOBODY, [])
        await analysts.add(ALL, None)


@asynccontextmanager
async def analysts_of(url: str) -> AsyncIterator[Analysts]:
    async with await Database(url).connect("test") as connection:
        yield Analysts(connection)


@asynccontextmanager
async def logged_in(url: str, role: str) -> AsyncIterator[Connection]:
    """As somebody who logs in with nothing but psql."""
    connection = await psycopg.AsyncConnection.connect(url, user=role, autocommit=True)
    async with connection:
        yield connection


async def fetch(connection: Connection, query: str) -> list[Any]:
    return await (await connection.execute(query.encode())).fetchall()


async def views(connection: Connection) -> list[str]:
    found = await fetch(connection, "SELECT viewname FROM pg_views WHERE schemaname = 'analytics' ORDER BY 1")
    return [view for (view,) in found]


# What is seen.


async def test_an_analyst_sees_of_every_view_and_table_the_rows_of_their_rooms(url: str) -> None:
    async with logged_in(url, ONE) as analyst, logged_in(url, "app") as owner:
        for name in [
            *(f"analytics.{view}" for view in await views(analyst)),
            *map("public.{}".format, TABLES),
        ]:
            ours = await fetch(owner, f"SELECT t::text FROM {name} AS t WHERE room = '{ROOM}' ORDER BY 1")
            assert await fetch(analyst, f"SELECT t::text FROM {name} AS t ORDER BY 1") == ours, name
            others = await fetch(owner, f"SELECT count(*) FROM {name} WHERE room <> '{ROOM}'")
            if name not in SELDOM:
                assert ours, name
                assert others != [(0,)], name


async def test_an_analyst_without_a_room_sees_nothing(url: str) -> None:
    async with logged_in(url, NOBODY) as analyst:
        for name in [
            *(f"analytics.{view}" for view in await views(analyst)),
            *map("public.{}".format, TABLES),
        ]:
            assert await fetch(analyst, f"SELECT * FROM {name}") == [], name
        assert await fetch(analyst, "SELECT analytics.my_rooms()") == [([],)]


async def test_an_auditor_sees_everything(url: str) -> None:
    async with logged_in(url, ALL) as auditor, logged_in(url, "app") as owner:
        tables = (*TABLES, *TABLES_OF_AUDITORS)
        for name in [
            *(f"analytics.{view}" for view in await views(auditor)),
            *map("public.{}".format, tables),
        ]:
            count = f"SELECT count(*) FROM {name}"
            assert await fetch(auditor, count) == await fetch(owner, count), name


async def test_a_question_that_names_no_room_is_answered_about_the_rooms_that_are_seen(url: str) -> None:
    """The same answer comes out where the other rooms are, and where they cannot be seen: so no question
    looks at another room than it is asked about.
    """
    mine = url.replace("user=app", f"user={ONE}").replace("//app@", f"//{ONE}@")
    assert mine != url
    for question in questions().values():
        answers = []
        for database, given in ((Database(mine), {}), (Database(url), {"room": ROOM})):
            async with PostgresAuditor(database).ask(question, given) as found:
                answers.append([row async for page in found.pages for row in page])
        assert answers[0] == answers[1], question.name


async def test_whoever_becomes_the_group_sees_no_more(url: str) -> None:
    async with logged_in(url, ONE) as analyst:
        await analyst.execute(f"SET ROLE {ANALYST}".encode())
        assert await fetch(analyst, "SELECT DISTINCT room FROM public.record") == [(ROOM,)]
        for other in (ALL, AUDITOR, "app"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await analyst.execute(f"SET ROLE {other}".encode())
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await analyst.execute(f"SET SESSION AUTHORIZATION {other}".encode())


async def test_a_function_of_ones_own_is_not_shown_the_rows_of_others(url: str) -> None:
    """A condition that costs nothing and tells what it is given is tried after the policy, not before it."""
    async with logged_in(url, ONE) as analyst:
        await analyst.execute(b"SET default_transaction_read_only = off")
        await analyst.execute(
            b"CREATE FUNCTION pg_temp.tell(room text) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS"
            b" $$ BEGIN RAISE NOTICE '%', room; RETURN true; END $$"
        )
        told: list[str] = []
        analyst.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        await fetch(analyst, "SELECT count(*) FROM public.record WHERE pg_temp.tell(room)")
        await fetch(analyst, "SELECT count(*) FROM analytics.messages WHERE pg_temp.tell(room)")
        assert set(told) == {ROOM}


async def test_what_an_analyst_asks_is_looked_up_and_not_searched_for(url: str) -> None:
    """A policy keeps Postgres from an index where something in the comparison is not LEAKPROOF: then for each
    row the whole room is read. So no view compares a stream with what it computes in the same place.
    """
    async with logged_in(url, ONE) as analyst:
        await analyst.execute(
            b"SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off"
        )
        for view in await views(analyst):
            plan = [line for (line,) in await fetch(analyst, f"EXPLAIN SELECT * FROM analytics.{view}")]
            searched = [line for line in plan if "Join Filter" in line and "originator_id" in line]
            assert searched == [], view


# What is refused.

FORBIDDEN: Final = (
    "SELECT * FROM tickets",
    "SELECT * FROM store",
    "SELECT * FROM snapshots",
    "SELECT * FROM attributions",
    "SELECT * FROM person_keys",
    "SELECT * FROM parked",
    "SELECT * FROM migrations",
    "SELECT * FROM checkpoints",
    "SELECT * FROM record_chain",
    "SELECT * FROM redacted_events",
    "SELECT * FROM analyst_rooms",
    "SELECT * FROM public.events",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_largeobject",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "COPY record TO '/tmp/record'",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "INSERT INTO record (originator_id, originator_version, topic, state, actor, at)"
    f" VALUES ('room:{ROOM}', 99, 'room.closed', '{{}}', 'me', now())",
    "UPDATE members SET role = 'owner'",
    "DELETE FROM chat_messages",
    "TRUNCATE activity",
    "INSERT INTO analyst_rooms VALUES (session_user, 'studio')",
    "DROP VIEW analytics.edits",
    "CREATE TABLE public.mine (a int)",
    "CREATE VIEW analytics.mine AS SELECT 1",
    "CREATE FUNCTION analytics.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE ROLE another",
    "ALTER TABLE record DISABLE ROW LEVEL SECURITY",
    "ALTER ROLE one_room BYPASSRLS",
    "ALTER TABLE record DISABLE TRIGGER append_only",
    "SELECT create_presence_partition('2030-01-01')",
    "SELECT extend_record_chain(ARRAY[1], '', 0)",
    "SELECT * FROM append_record(1, ARRAY['room:x'], ARRAY[1], ARRAY['room.opened'], ARRAY['{}'::bytea],"
    " ARRAY['me'], ARRAY[0], ARRAY[NULL], ARRAY[NULL]::bigint[], ARRAY[NULL], ARRAY[NULL]::bigint[],"
    " ARRAY[repeat('x', 48)::bytea])",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE usename = 'app' AND pid <> pg_backend_pid() LIMIT 1",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_all_else_is_refused_to_an_analyst(url: str, statement: str) -> None:
    async with logged_in(url, ONE) as analyst:
        await analyst.execute(b"SET search_path = public; SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await analyst.execute(statement.encode())


async def test_what_only_auditors_see_is_refused_too(url: str) -> None:
    async with logged_in(url, ONE) as analyst:
        for table in TABLES_OF_AUDITORS:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await analyst.execute(f"SELECT * FROM public.{table}".encode())


@pytest.mark.parametrize("role", [ONE, ALL])
async def test_nobody_reads_past_the_policies_and_nothing_is_written(url: str, role: str) -> None:
    """By whatever grants there are, also those that Postgres gives to everybody."""
    async with logged_in(url, role) as analyst:
        granted = await fetch(
            analyst,
            "SELECT relname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE nspname = 'public' AND relkind IN ('r', 'p', 'v', 'm')"
            " AND has_table_privilege(pg_class.oid, 'SELECT')",
        )
        assert {name for (name,) in granted} == {*TABLES, *(TABLES_OF_AUDITORS if role == ALL else ())}
        written = await fetch(
            analyst,
            "SELECT relname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE nspname IN ('public', 'analytics') AND relkind IN ('r', 'p', 'v', 'm')"
            " AND has_table_privilege(pg_class.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')",
        )
        assert written == []
        assert await fetch(
            analyst,
            "SELECT has_schema_privilege('public', 'CREATE'), has_schema_privilege('analytics', 'CREATE'),"
            " rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
            " FROM pg_roles WHERE rolname = session_user",
        ) == [(False, False, False)]


async def test_statistics_of_the_planner_tell_nothing_of_other_rooms(url: str) -> None:
    async with logged_in(url, ONE) as analyst, logged_in(url, "app") as owner:
        await owner.execute(b"ANALYZE record, members")
        assert await fetch(owner, "SELECT FROM pg_stats WHERE tablename = 'record'")
        assert await fetch(analyst, "SELECT * FROM pg_stats WHERE tablename IN ('record', 'members')") == []


async def test_a_login_is_bounded(url: str) -> None:
    async with logged_in(url, ONE) as analyst:
        shown = [
            (await fetch(analyst, f"SHOW {name}"))[0][0]
            for name in ("statement_timeout", "default_transaction_read_only", "search_path", "lock_timeout")
        ]
        assert shown == ["1min", "on", "analytics", "2s"]
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await analyst.execute(b"CREATE TEMPORARY TABLE mine (a int)")
        async with logged_in(url, ONE), logged_in(url, ONE), logged_in(url, ONE):
            with pytest.raises(psycopg.OperationalError, match="too many connections"):
                async with logged_in(url, ONE):
                    pass


# The list of tables.


async def test_every_table_that_has_a_room_is_one_that_an_analyst_may_read(url: str) -> None:
    async with logged_in(url, "app") as owner:
        there = await fetch(
            owner,
            "SELECT relname::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relnamespace = 'public'::regnamespace AND attname = 'room' AND NOT relispartition"
            " AND relkind IN ('r', 'p')",
        )
    assert {name for (name,) in there} - {"analyst_rooms", "person_keys"} == set(TABLES)
    assert {table for view in all_views(Database("")) for table in view.tables} <= {
        *TABLES,
        *TABLES_OF_AUDITORS,
    }


# Adding and removing.


async def test_an_analyst_is_added_limited_and_removed(url: str) -> None:
    async with analysts_of(url) as analysts:
        password = await analysts.add("ann", [ROOM, OTHER])
        assert password is not None
        assert len(password) >= 32
        assert Analyst("ann", (ROOM, OTHER)) in await analysts.list_all()
        async with logged_in(url, "ann") as ann:
            rooms = "SELECT DISTINCT room FROM events ORDER BY room"
            assert await fetch(ann, rooms) == [(ROOM,), (OTHER,)]
            assert await analysts.add("ann", [OTHER]) is None
            assert await fetch(ann, rooms) == [(OTHER,)]
            assert await analysts.add("ann", None, new_password=True) not in {None, password}
            assert Analyst("ann", None) in await analysts.list_all()
            assert await fetch(ann, rooms) == [("",), (ROOM,), (OTHER,)]  # profiles are in no room
            await analysts.add("ann", [ROOM])
            assert await fetch(ann, rooms) == [(ROOM,)]
            await analysts.remove("ann")
            with pytest.raises(psycopg.Error):
                await fetch(ann, rooms)
        assert "ann" not in {analyst.name for analyst in await analysts.list_all()}
        with pytest.raises(psycopg.OperationalError):
            async with logged_in(url, "ann"):
                pass


async def test_the_password_is_kept_as_a_digest(url: str) -> None:
    async with logged_in(url, "app") as owner:
        [(kept,)] = await fetch(owner, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{ONE}'")
    assert kept.startswith("SCRAM-SHA-256$")


async def test_what_is_no_analyst_and_no_room_is_left_alone(url: str) -> None:
    async with analysts_of(url) as analysts:
        for name in ("Ann", "pg_ann", "1st", "a b", "a" * 64, ANALYST, AUDITOR, ""):
            with pytest.raises(Forbidden):
                await analysts.add(name, [ROOM])
        with pytest.raises(Conflict):
            await analysts.add("app", [ROOM])
        with pytest.raises(NotFound):
            await analysts.add("bob", [ROOM, "nowhere"])
        for name in ("app", ANALYST, "bob"):
            with pytest.raises(NotFound):
                await analysts.remove(name)


async def test_who_may_not_make_roles_is_told_and_nothing_is_changed(url: str) -> None:
    async with logged_in(url, ALL) as connection:
        await connection.execute(b"SET search_path = public; SET default_transaction_read_only = off")
        with pytest.raises(NotAllowed):
            await Analysts(connection).add("bob", [])


# A rebuild.


async def test_a_rebuilt_table_is_guarded_as_it_was(url: str) -> None:
    database = Database(url)
    await database.open()
    try:
        place = Place(database)
        rows = "SELECT count(*), count(DISTINCT room) FROM public.members"
        async with logged_in(url, ONE) as analyst, logged_in(url, "app") as owner:
            guards = "SELECT * FROM pg_policies WHERE tablename = 'members' ORDER BY policyname"
            before = await fetch(analyst, rows), await fetch(owner, guards)
            for _ in range(2):
                await place.rebuild(next(view for view in all_views(database) if view.name == "members"))
                assert (await fetch(analyst, rows), await fetch(owner, guards)) == before
            assert len(before[1]) == 2
        await place.log.disconnect()
    finally:
        await database.close()
