"""Two server processes over one Postgres, and one document between them."""

from __future__ import annotations

import asyncio
import random
import signal
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any, Final, NamedTuple

import psycopg
import pytest

from infrastructure.embedded_postgres import EmbeddedPostgres
from tests.acceptance.hints import frozen, listeners, terminate_listeners
from tests.acceptance.typists import Typist, all_acknowledged_again, check, settled, typing, typists
from tests.servers import ServerProcess, running_server
from tests.waiting import until

# How long people type before and after what a test does to the nodes.
TYPING_SECONDS: Final = 2.0

# Until everybody has been acknowledged something at the node that is left.
RECOVERY_SECONDS: Final = 20.0

# A node is dead when it was missing at two sweeps in a row, 15 s apart; and somewhat for a busy machine.
SWEPT_SECONDS: Final = 45.0

# What is promised for the time until a lost hint is made good; the feed looks for itself every 250 ms.
WITHOUT_HINT_SECONDS: Final = 2.0

# How long a closed loop runs, and what is called starving in it.
RACE_SECONDS: Final = 5.0
STARVED_SECONDS: Final = 3.0
FAIR_SHARE: Final = 0.2

# Longer than an append may take; shorter than a client waits before it gives its node up.
PAUSE_SECONDS: Final = 6.0


class Nodes(NamedTuple):
    a: ServerProcess
    b: ServerProcess
    database_url: str


@pytest.fixture
def nodes(durable_postgres: Callable[[], EmbeddedPostgres]) -> Iterator[Nodes]:
    url = durable_postgres().start()
    with running_server(database_url=url) as a, running_server(database_url=url) as b:
        yield Nodes(a, b, url)
        print(a.output, b.output)


@asynccontextmanager
async def people_at_both(nodes: Nodes, count: int) -> AsyncIterator[list[Typist]]:
    """The even ones at a, the odd ones at b; each knows the other node too."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    ways = [[nodes.a.url, nodes.b.url], [nodes.b.url, nodes.a.url]]
    async with typists([ways[number % 2] for number in range(count)], seed) as people:
        yield people


@pytest.mark.slow
async def test_people_of_a_killed_node_go_on_at_the_other(nodes: Nodes) -> None:
    async with people_at_both(nodes, 10) as people:
        async with typing(people):
            await asyncio.sleep(TYPING_SECONDS)
            await all_acknowledged_again(people, RECOVERY_SECONDS)
            await asyncio.to_thread(nodes.a.kill)
            recovery = await all_acknowledged_again(people, RECOVERY_SECONDS)
            await asyncio.sleep(TYPING_SECONDS)
            # And back: what starts again takes those of the next that dies.
            await asyncio.to_thread(nodes.a.start)
            await asyncio.to_thread(nodes.b.kill)
            back = await all_acknowledged_again(people, RECOVERY_SECONDS)
        await settled(people)
        revision = await check(people, nodes.database_url)
    print(f"{revision} edits; last ack after {recovery:.2f} s, and {back:.2f} s on the way back")


@pytest.mark.slow
async def test_people_of_a_dead_node_leave_the_roster(nodes: Nodes) -> None:
    seed = random.randrange(2**32)
    async with typists([[nodes.b.url]], seed) as (witness,):
        left: list[Any] = []
        witness.client.on("left", left.append)
        async with typists([[nodes.a.url]] * 2, seed, first=1) as _:
            await until(lambda: set(witness.client.roster) == {"typist-0", "typist-1", "typist-2"})
            await asyncio.to_thread(nodes.a.kill)
            began = time.monotonic()
            witness.insert()
            await witness.document.saved()
            await until(lambda: set(witness.client.roster) == {"typist-0"}, SWEPT_SECONDS)
            print(f"gone after {time.monotonic() - began:.1f} s")
        assert {(gone.client, gone.reason) for gone in left} == {("typist-1", "lost"), ("typist-2", "lost")}


@pytest.mark.slow
async def test_edits_reach_the_other_node_when_its_hints_are_lost(nodes: Nodes) -> None:
    async with people_at_both(nodes, 2) as people:
        with psycopg.connect(nodes.database_url, autocommit=True) as administration:
            usual = max([await _crossing_seconds(people) for _ in range(5)])
            killed = []
            for _ in range(5):
                assert terminate_listeners(administration) == 2
                killed.append(await _crossing_seconds(people))
                # Both are listening again, so that the next round has something to kill.
                await until(lambda: len(listeners(administration)) == 2)
            with frozen(listeners(administration)):
                held_back = [await _crossing_seconds(people) for _ in range(5)]
        await settled(people)
        await check(people, nodes.database_url)
    print(f"across: {usual:.3f} s; hints killed: {max(killed):.3f} s; frozen: {max(held_back):.3f} s")
    assert max(killed) < WITHOUT_HINT_SECONDS
    assert max(held_back) < WITHOUT_HINT_SECONDS


async def _crossing_seconds(people: Sequence[Typist]) -> float:
    """From typing at a node until it is seen at the other, in the slower of the two directions."""
    slower = 0.0
    for writer, reader in (people, people[::-1]):
        length = len(reader.document)
        began = time.monotonic()
        writer.insert()
        await until(lambda: len(reader.document) > length)  # noqa: B023 -- awaited in the same turn
        slower = max(slower, time.monotonic() - began)
    return slower


@pytest.mark.slow
async def test_nobody_starves_when_both_nodes_edit_one_document_at_full_speed(nodes: Nodes) -> None:
    async with people_at_both(nodes, 10) as people:
        await all_edit_at_full_speed(people, RACE_SECONDS)
        await settled(people)
        revision = await check(people, nodes.database_url)
    slowest = max(typist.slowest_ack_seconds for typist in people)
    counts = sorted(len(typist.acks) for typist in people)
    print(f"{revision / RACE_SECONDS:.0f} edits/s; slowest ack {slowest:.3f} s; edits of each: {counts}")
    assert slowest < STARVED_SECONDS
    assert counts[0] > FAIR_SHARE * revision / len(people)


async def all_edit_at_full_speed(people: list[Typist], seconds: float) -> None:
    tasks = [asyncio.create_task(typist.type_as_acknowledged()) for typist in people]
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*tasks)
    except TimeoutError:
        pass


@pytest.mark.slow
async def test_a_node_that_was_paused_does_not_overwrite_what_it_slept_through(nodes: Nodes) -> None:
    async with people_at_both(nodes, 6) as people:
        async with typing(people):
            await all_acknowledged_again(people, RECOVERY_SECONDS)
            nodes.a.send_signal(signal.SIGSTOP)
            await all_acknowledged_again([typist for typist in people if typist.number % 2], RECOVERY_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)
            nodes.a.send_signal(signal.SIGCONT)
            recovery = await all_acknowledged_again(people, RECOVERY_SECONDS)
        await settled(people)
        revision = await check(people, nodes.database_url)
    print(f"{revision} edits; last ack {recovery:.2f} s after the pause")


# Every move of the projection is written down with it: none may begin where the last did not end.
WATCH_TRACKING = """
CREATE TABLE moves (number bigserial, before bigint, after bigint);
CREATE FUNCTION write_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO moves (before, after) VALUES (old.notification_id, new.notification_id);
    RETURN new;
END $$;
CREATE TRIGGER moves AFTER UPDATE ON tracking FOR EACH ROW WHEN (new.application_name = 'directory')
EXECUTE FUNCTION write_move();
"""


@pytest.mark.slow
async def test_a_projection_goes_on_at_the_other_node_when_its_own_is_killed(nodes: Nodes) -> None:
    """Twice, so that both have it, while people type; at the end the rows are what the log says."""
    with psycopg.connect(nodes.database_url, autocommit=True) as connection:
        connection.execute(WATCH_TRACKING)
        async with people_at_both(nodes, 4) as people:
            async with typing(people):
                await _moved_on(connection, people)
                for _ in range(2):
                    active, other = sorted(nodes[:2], key=_is_projecting, reverse=True)
                    assert (_is_projecting(active), _is_projecting(other)) == (True, False)
                    await asyncio.to_thread(active.kill)
                    await _moved_on(connection, people)
                    assert await asyncio.to_thread(_is_projecting, other)
                    await asyncio.to_thread(active.start)
            await settled(people)
            await check(people, nodes.database_url)
        moves = connection.execute("SELECT before, after FROM moves ORDER BY number").fetchall()
        assert all(move[0] == previous[1] for previous, move in pairwise(moves))
        done = await asyncio.to_thread(nodes.a.run, "rebuild", "directory", "--compare")
        assert done.stdout.endswith(b"; no row differs\n"), done


def _is_projecting(server: ServerProcess) -> bool:
    with urllib.request.urlopen(f"{server.url}/metrics") as answer:
        return b'chronoscribe_projection_active{projection="directory"} 1.0' in answer.read()


async def _moved_on(connection: psycopg.Connection[Any], people: Sequence[Typist]) -> None:
    """Return when the projection has come past what is in the log now and people have typed since."""
    (end,) = connection.execute("SELECT max(notification_id) FROM record").fetchone() or (0,)
    typed = sum(len(typist.typed) for typist in people)

    def is_past() -> bool:
        (position,) = connection.execute(
            "SELECT notification_id FROM tracking WHERE application_name = 'directory'"
        ).fetchone() or (0,)
        return bool((position or 0) > end) and sum(len(typist.typed) for typist in people) > typed

    await until(is_past, RECOVERY_SECONDS)
