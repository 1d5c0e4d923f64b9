"""kill -9 of the server and of Postgres while twenty people type: nothing acknowledged is lost, nothing
is there twice, and everybody goes on without being told to.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
import urllib.request
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import pytest

from infrastructure.embedded_postgres import EmbeddedPostgres
from tests.acceptance.typists import Typist, all_acknowledged_again, check, settled, typing, typists
from tests.servers import ServerProcess, running_server
from tests.waiting import until

PEOPLE: Final = 20
KILLS: Final = 10

# From the restart until the last of the twenty has been acknowledged something. Takes a second or two.
RECOVERY_SECONDS: Final = 20.0

# A kill comes when so many wait for an ack, and a moment later: somewhere in it lies every step of a commit.
WAITING_AT_KILL: Final = 3
MOMENT_SECONDS: Final = 0.004

Postgres = Callable[[], EmbeddedPostgres]


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_when_the_server_is_killed(durable_postgres: Postgres) -> None:
    postgres = durable_postgres()
    url = postgres.start()
    with running_server(database_url=url) as server:

        async def crash() -> None:
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)

        await _type_through_crashes(server, url, crash)
        _assert_is_calm(server)


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_when_postgres_is_killed(durable_postgres: Postgres) -> None:
    postgres = durable_postgres()
    url = postgres.start()
    with running_server(database_url=url) as server:

        async def crash() -> None:
            await asyncio.to_thread(postgres.kill)
            await asyncio.to_thread(postgres.start)

        await _type_through_crashes(server, url, crash)
        assert server.is_running
        failures = _metric(server, 'chronoscribe_commit_failures_total{log="record"}')
        print(f"{failures:.0f} commits with unknown outcome")
        assert failures >= 1, "no crash came while something was being committed"


async def _type_through_crashes(
    server: ServerProcess, database_url: str, crash: Callable[[], Awaitable[None]]
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    choice = random.Random(seed)
    recoveries, unacknowledged = [], []
    async with typists([[server.url]] * PEOPLE, seed) as people:
        async with typing(people):
            for _ in range(KILLS):
                await all_acknowledged_again(people, RECOVERY_SECONDS)
                await until(lambda: _waiting(people) >= WAITING_AT_KILL)
                await asyncio.sleep(choice.uniform(0, MOMENT_SECONDS))
                unacknowledged.append(_waiting(people))
                began = time.monotonic()
                await crash()
                await all_acknowledged_again(people, RECOVERY_SECONDS)
                recoveries.append(time.monotonic() - began)
        await settled(people)
        revision = await check(people, database_url)
    _report(people, revision, recoveries, unacknowledged)


def _waiting(people: Sequence[Typist]) -> int:
    return sum(not typist.is_saved for typist in people)


def _report(
    people: Sequence[Typist], revision: int, recoveries: Sequence[float], unacknowledged: Sequence[int]
) -> None:
    acks = sum(len(typist.acks) for typist in people)
    print(f"{revision} edits, {acks} acks checked; {unacknowledged} people waited for an ack at the kills")
    print(
        f"from the kill to the last one's ack: {max(recoveries):.1f} s at most, {recoveries[0]:.1f} s first"
    )
    assert any(unacknowledged), "no kill came while anybody waited"


def _assert_is_calm(server: ServerProcess) -> None:
    assert server.is_running
    assert "Traceback" not in server.output


def _metric(server: ServerProcess, name: str) -> float:
    with urllib.request.urlopen(f"{server.url}/metrics") as response:
        found = re.search(rf"^{re.escape(name)} (\S+)$", response.read().decode(), re.MULTILINE)
    assert found, name
    return float(found[1])
