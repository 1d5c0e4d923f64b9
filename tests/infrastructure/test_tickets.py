"""Tickets: good once, for a moment, where they were asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from application.identity import Identity
from domain.errors import RateLimited, StoreUnavailable, Unauthenticated
from infrastructure.postgres.database import Database
from infrastructure.postgres.tickets import OUTSTANDING_MAX, Tickets, guest_secret
from tests.waiting import PATIENCE_SECONDS, POLL_SECONDS

NOW = datetime(2026, 11, 23, 14, 5, 7, 123_456, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ORIGIN = "https://app.example.com"
ADA = Identity(
    user="ada", name="Ada L.", issued=NOW - SECOND, expires=NOW + timedelta(hours=1), is_admin=True
)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tickets(database: Database, clock: Clock) -> Tickets:
    return Tickets(database, now=clock)


@pytest.fixture
async def other_node(migrated_url: str) -> AsyncIterator[Database]:
    other = Database(migrated_url)
    await other.open()
    try:
        yield other
    finally:
        await other.close()


async def issue(tickets: Tickets, identity: Identity = ADA) -> str:
    return (await tickets.issue(identity, origin=ORIGIN, agent="browser")).value


async def redeem(tickets: Tickets, ticket: str) -> Identity:
    return await tickets.redeem(ticket, origin=ORIGIN, agent="browser")


async def stored(database: Database) -> int:
    return int((await database.fetch("SELECT count(*) FROM tickets"))[0][0])


async def test_a_ticket_tells_what_the_token_told(tickets: Tickets) -> None:
    assert await redeem(tickets, await issue(tickets)) == ADA


async def test_a_program_without_origin_and_name_has_tickets_too(tickets: Tickets) -> None:
    bot = replace(ADA, user="bot", name=None, is_admin=False)
    ticket = await tickets.issue(bot, origin=None, agent="program")
    assert await tickets.redeem(ticket.value, origin=None, agent="program") == bot


async def test_another_node_redeems_it(tickets: Tickets, other_node: Database, clock: Clock) -> None:
    assert await redeem(Tickets(other_node, now=clock), await issue(tickets)) == ADA


async def test_a_ticket_is_good_once(tickets: Tickets) -> None:
    ticket = await issue(tickets)
    await redeem(tickets, ticket)
    with pytest.raises(Unauthenticated):
        await redeem(tickets, ticket)


async def test_of_many_who_show_it_at_once_on_two_nodes_one_gets_in(
    tickets: Tickets, other_node: Database, clock: Clock
) -> None:
    others = Tickets(other_node, now=clock)
    for _ in range(20):
        ticket = await issue(tickets)
        answers = await asyncio.gather(
            *(redeem(node, ticket) for node in (tickets, others) * 3), return_exceptions=True
        )
        assert [answer for answer in answers if not isinstance(answer, Unauthenticated)] == [ADA]


async def test_who_shows_it_second_waits_for_who_was_first(
    tickets: Tickets, database: Database, other_node: Database
) -> None:
    """The first has deleted it and not committed: the second must not get in, whatever becomes of it."""
    ticket = await issue(tickets)
    first = await other_node.connect("first")
    async with first:
        async with first.transaction():
            await first.execute("DELETE FROM tickets")
            second = asyncio.create_task(redeem(tickets, ticket))
            await _until_somebody_waits(database)
            assert not second.done()
        with pytest.raises(Unauthenticated):
            await second


async def _until_somebody_waits(database: Database) -> None:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await database.fetch(waiting):  # noqa: ASYNC110 -- of Postgres only by asking
            await asyncio.sleep(POLL_SECONDS)


async def test_a_ticket_is_good_for_half_a_minute(tickets: Tickets, clock: Clock) -> None:
    in_time, late = await issue(tickets), await issue(tickets)
    clock.now = NOW + 30 * SECOND - timedelta(microseconds=1)
    assert await redeem(tickets, in_time) == ADA
    clock.now = NOW + 30 * SECOND
    with pytest.raises(Unauthenticated):
        await redeem(tickets, late)


async def test_a_ticket_ends_with_its_token(tickets: Tickets, clock: Clock) -> None:
    short = replace(ADA, expires=NOW + 2 * SECOND)
    ticket = await tickets.issue(short, origin=None, agent="program")
    assert ticket.expires == NOW + 2 * SECOND
    clock.now = NOW + 2 * SECOND
    with pytest.raises(Unauthenticated):
        await tickets.redeem(ticket.value, origin=None, agent="program")
    with pytest.raises(Unauthenticated):
        await tickets.issue(short, origin=None, agent="program")


@pytest.mark.parametrize(
    ("origin", "agent"),
    [
        ("https://app.example.com.evil.net", "browser"),
        ("https://app.example.com:8443", "browser"),
        ("http://app.example.com", "browser"),
        (None, "browser"),
        (ORIGIN, "program"),
    ],
)
async def test_a_ticket_shown_in_the_wrong_place_is_used_up(
    tickets: Tickets, origin: str | None, agent: str
) -> None:
    ticket = await issue(tickets)
    with pytest.raises(Unauthenticated):
        await tickets.redeem(ticket, origin=origin, agent=agent)
    with pytest.raises(Unauthenticated):
        await redeem(tickets, ticket)


async def test_a_ticket_of_a_program_is_not_for_a_page(tickets: Tickets) -> None:
    ticket = await tickets.issue(ADA, origin=None, agent="program")
    with pytest.raises(Unauthenticated):
        await tickets.redeem(ticket.value, origin=ORIGIN, agent="program")


@pytest.mark.parametrize(
    "ticket", ["", "x", "x" * 43, "x" * 44, "x" * 1_000_000, "\x00", "\ud800", "%s' OR 1=1"]
)
async def test_what_is_no_ticket_of_ours_opens_nothing(tickets: Tickets, ticket: str) -> None:
    await issue(tickets)
    with pytest.raises(Unauthenticated):
        await redeem(tickets, ticket)


async def test_tickets_are_long_and_no_two_are_alike(tickets: Tickets) -> None:
    issued = {await issue(tickets) for _ in range(20)}
    assert len(issued) == 20
    assert {len(ticket) for ticket in issued} == {43}


async def test_who_reads_the_table_can_open_nothing(tickets: Tickets, database: Database) -> None:
    ticket = await issue(tickets)
    [(row,)] = await database.fetch("SELECT tickets::text FROM tickets")
    assert ticket not in row
    [(digest,)] = await database.fetch("SELECT digest FROM tickets")
    assert len(digest) == 32
    with pytest.raises(Unauthenticated):
        await redeem(tickets, digest.hex()[:43])


async def test_sweeping_deletes_what_has_ended_and_nothing_else(
    tickets: Tickets, database: Database, clock: Clock
) -> None:
    await issue(tickets)
    clock.now = NOW + 20 * SECOND
    fresh = await issue(tickets)
    await tickets.sweep()
    assert await stored(database) == 2
    clock.now = NOW + 30 * SECOND
    await tickets.sweep()
    assert await stored(database) == 1
    assert await redeem(tickets, fresh) == ADA


async def test_nobody_fills_the_table(tickets: Tickets, clock: Clock) -> None:
    for _ in range(OUTSTANDING_MAX):
        ticket = await issue(tickets)
    with pytest.raises(RateLimited) as refused:
        await issue(tickets)
    assert refused.value.facts == {"limit": OUTSTANDING_MAX, "retry_after": 30.0}
    await issue(tickets, replace(ADA, user="ben"))  # others are not hindered
    await redeem(tickets, ticket)
    ticket = await issue(tickets)  # one has been used
    clock.now = NOW + 30 * SECOND
    await issue(tickets)  # and now all have ended, whether they were swept or not


async def test_a_store_that_does_not_answer_is_no_wrong_ticket(
    tickets: Tickets, database: Database, migrated_url: str
) -> None:
    ticket = await issue(tickets)
    await _end_other_connections(migrated_url)
    with pytest.raises(StoreUnavailable):
        await redeem(tickets, ticket)
    assert await redeem(tickets, ticket) == ADA  # the pool has connected again


async def _end_other_connections(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_a_crash_can_bring_no_ticket_back(database: Database) -> None:
    """What is not in Postgres' log is emptied by its recovery."""
    assert await database.fetch("SELECT relpersistence::text FROM pg_class WHERE relname = 'tickets'") == [
        ("u",)
    ]


async def test_a_store_has_one_guest_secret_whoever_asks_first(
    database: Database, other_node: Database
) -> None:
    secrets = await asyncio.gather(*(guest_secret(node) for node in (database, other_node) * 4))
    assert len(set(secrets)) == 1
    assert await guest_secret(database) == secrets[0]
    assert len(secrets[0]) == 43
