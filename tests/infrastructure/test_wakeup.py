"""Hints between nodes, on a real Postgres."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from infrastructure.postgres import wakeup as module
from infrastructure.postgres.database import Database
from infrastructure.postgres.wakeup import Wakeup, living_nodes
from tests.waiting import running, until

ASKED = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'chronoscribe listener' AND query = 'SELECT 1'"
)


class Listener:
    """A node's `Wakeup` with what it was woken for."""

    def __init__(self, database: Database, key: int) -> None:
        self.key = key
        self.woken: Counter[str] = Counter()
        self.wakeup = Wakeup(database, f"node-{key:08x}", key)
        for log in ("record", "presence"):
            self.wakeup.on_hint(log, partial(self.woken.update, [log]))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """From when it listens: then it wakes for whatever came before."""
        async with running(self.wakeup.run()):
            await until(lambda: self.woken["presence"])
            self.woken.clear()
            yield


async def test_others_are_woken_for_the_log_that_has_grown(database: Database) -> None:
    first, second = Listener(database, 1), Listener(database, 2)
    async with first.running(), second.running():
        first.wakeup.tell("record")
        await until(lambda: second.woken)
        assert second.woken == {"record": 1}
        second.wakeup.tell("presence")
        await until(lambda: first.woken)
        assert first.woken == {"presence": 1}


async def test_many_commits_make_few_hints(database: Database) -> None:
    first, second = Listener(database, 1), Listener(database, 2)
    async with first.running(), second.running():
        for _ in range(1_000):
            first.wakeup.tell("record")
        first.wakeup.tell("presence")
        await until(lambda: second.woken["record"] and second.woken["presence"])
    assert second.woken == {"record": 1, "presence": 1}


async def test_a_hint_that_is_none_of_ours_wakes_nobody(database: Database) -> None:
    listener = Listener(database, 1)
    async with listener.running():
        for payload in ("", "node-2", "node-2 other", "nonsense", "node-2 record"):
            await database.fetch("SELECT pg_notify(%s, %s)::text", (module.CHANNEL, payload))
        await until(lambda: listener.woken)
    assert listener.woken == {"record": 1}


async def test_a_listener_whose_connection_is_killed_comes_back_and_looks_for_itself(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECONNECT_SECONDS", 0.01)
    first, second = Listener(database, 1), Listener(database, 2)
    async with first.running(), second.running():
        for name in ("listener", "teller"):
            await _terminate(database, name)
            first.wakeup.tell("record")  # so that a dead teller is noticed
            await until(lambda: first.woken["presence"])
            first.woken.clear()
        assert first.wakeup.reconnects == 2
        second.woken.clear()
        await _tell_until_heard(first, second)


async def _terminate(database: Database, name: str) -> None:
    await database.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = %s",
        (f"chronoscribe {name}",),
    )


async def _tell_until_heard(teller: Listener, listener: Listener) -> None:
    """The other one was killed as well, and comes back in its own time."""
    async with asyncio.timeout(20):
        while not listener.woken["record"]:
            teller.wakeup.tell("record")
            await asyncio.sleep(0.01)


async def test_a_listening_connection_that_is_quiet_is_asked_whether_it_lives(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.05)
    listener = Listener(database, 1)
    async with listener.running():
        async with asyncio.timeout(20):
            while not await database.fetch(ASKED):  # noqa: ASYNC110 -- its connection is not ours
                await asyncio.sleep(0.01)
        await database.fetch("SELECT pg_notify(%s, 'node-2 record')::text", (module.CHANNEL,))
        await until(lambda: listener.woken["record"])
    assert listener.wakeup.reconnects == 0


async def test_a_node_is_seen_to_live_as_long_as_it_listens(database: Database) -> None:
    first, second = Listener(database, 0x7FFFFFFF), Listener(database, 2)
    async with second.running():
        async with first.running():
            assert {first.key, second.key} <= await living_nodes(database)
        async with asyncio.timeout(20):
            while first.key in await living_nodes(database):  # noqa: ASYNC110 -- Postgres has to notice
                await asyncio.sleep(0.01)
        assert second.key in await living_nodes(database)
