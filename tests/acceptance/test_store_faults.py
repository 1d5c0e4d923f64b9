"""A Postgres that is there and is not: answers that get lost, a node that is cut off, a server that hangs.

Whatever a commit's outcome was, everything acknowledged is in the log once and nobody has to do anything.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from infrastructure.embedded_postgres import EmbeddedPostgres
from infrastructure.postgres.log import LOCK_KEYS
from tests.acceptance.typists import Typist, all_acknowledged_again, check, settled, typing, typists
from tests.acceptance.witnesses import get
from tests.servers import ServerProcess, running_server

Postgres = Callable[[], EmbeddedPostgres]

PEOPLE: Final = 8

# How often answers get lost; about every second time a commit is among them.
CUTS: Final = 12

# Long enough for a commit to come true while its answer is being lost.
LOST_SECONDS: Final = 0.05

# Longer than an append may take and than people who wait are left without an answer.
AWAY_SECONDS: Final = 7.0

# From the end of a fault until everybody has been acknowledged something: a client that was refused often
# waits up to 5 s.
RECOVERY_SECONDS: Final = 20.0


class Proxy:
    """Stands between a server and Postgres' socket, and loses or holds back what Postgres says."""

    def __init__(self, path: str) -> None:
        self.loses_answers = False
        self._path = path
        self._open = asyncio.Event()
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its beginning to its end. For `asyncio.start_server`."""
        answers, requests = await asyncio.open_unix_connection(self._path)
        both = {writer, requests}
        self._writers |= both
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, requests, are_answers=False))
                tasks.create_task(self._pump(answers, writer, are_answers=True))
        except* ConnectionError:
            pass
        finally:
            self._writers -= both
            for each in both:
                each.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, are_answers: bool
    ) -> None:
        while data := await reader.read(65_536):
            await self._open.wait()
            if not (are_answers and self.loses_answers):
                writer.write(data)
                await writer.drain()
        raise ConnectionResetError

    def cut(self) -> None:
        """End all connections."""
        for writer in self._writers:
            writer.transport.abort()

    def hold(self) -> None:
        """Let nothing through, and say nothing of it."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()


@asynccontextmanager
async def proxy(database_url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy, and the DSN that leads through it."""
    parts = parse_qs(urlsplit(database_url).query)
    between = Proxy(f"{parts['host'][0]}/.s.PGSQL.{parts['port'][0]}")
    listening = await asyncio.start_server(between.pass_on, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield between, f"postgresql://app@127.0.0.1:{port}/postgres"
    finally:
        listening.close()
        between.release()
        between.cut()


@asynccontextmanager
async def running(database_url: str) -> AsyncIterator[ServerProcess]:
    """A server whose start and end do not stop this event loop, in which its proxy lives."""
    with running_server(database_url=database_url, start=False) as server:
        await asyncio.to_thread(server.start)
        try:
            yield server
        finally:
            await asyncio.to_thread(server.terminate)
            assert "Traceback" not in server.output


@asynccontextmanager
async def people_at(*urls: str) -> AsyncIterator[list[Typist]]:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    async with typists([[urls[n % len(urls)]] for n in range(PEOPLE)], seed) as people:
        yield people


@pytest.mark.slow
async def test_a_commit_whose_answer_is_lost_has_one_effect(durable_postgres: Postgres) -> None:
    url = durable_postgres().start()
    unheard = []
    async with proxy(url) as (between, way), running(way) as server, people_at(server.url) as people:
        async with typing(people):
            for _ in range(CUTS):
                await all_acknowledged_again(people, RECOVERY_SECONDS)
                between.loses_answers = True
                await asyncio.sleep(LOST_SECONDS)
                unheard.append(_stored(url) - max(typist.document.revision for typist in people))
                between.cut()
                between.loses_answers = False
            await all_acknowledged_again(people, RECOVERY_SECONDS)
        await settled(people)
        revision = await check(people, url)
    print(f"{revision} edits; stored and not told when the answers were lost: {unheard}")
    assert any(unheard), "no commit came true without an answer"


def _stored(url: str) -> int:
    """The revision that the document has in the log."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM record WHERE seq IS NOT NULL").fetchone()
    assert row
    return int(row[0])


@pytest.mark.slow
async def test_a_node_that_is_cut_off_from_postgres_acknowledges_nothing(durable_postgres: Postgres) -> None:
    url = durable_postgres().start()
    async with (
        proxy(url) as (between, way),
        running(way) as a,
        running(url) as b,
        people_at(a.url, b.url) as people,
    ):
        at_a, at_b = people[::2], people[1::2]
        async with typing(people):
            await all_acknowledged_again(people, RECOVERY_SECONDS)
            between.hold()
            told = await _acks_at_rest(at_a)
            await all_acknowledged_again(at_b, RECOVERY_SECONDS)
            await asyncio.sleep(AWAY_SECONDS)
            await all_acknowledged_again(at_b, RECOVERY_SECONDS)
            assert _acks(at_a) == told
            between.release()
            recovery = await all_acknowledged_again(people, RECOVERY_SECONDS)
        await settled(people)
        revision = await check(people, url)
    print(f"{revision} edits; all were acknowledged {recovery:.1f} s after the end")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["frozen", "locked"])
async def test_a_postgres_that_hangs_loses_nothing(how: str, durable_postgres: Postgres) -> None:
    """All of its processes stopped, or the log's lock held by somebody who does nothing with it."""
    postgres = durable_postgres()
    url = postgres.start()
    async with running(url) as server, people_at(server.url) as people:
        async with typing(people):
            await all_acknowledged_again(people, RECOVERY_SECONDS)
            async with frozen(postgres) if how == "frozen" else locked(url):
                told = await _acks_at_rest(people)
                await asyncio.sleep(AWAY_SECONDS)
                assert _acks(people) == told
                assert await asyncio.to_thread(_is_ready, server) is False
            recovery = await all_acknowledged_again(people, RECOVERY_SECONDS)
        await settled(people)
        revision = await check(people, url)
        assert await asyncio.to_thread(_is_ready, server) is True
    print(f"{revision} edits; all were acknowledged {recovery:.1f} s after the end")


@asynccontextmanager
async def frozen(postgres: EmbeddedPostgres) -> AsyncIterator[None]:
    pids = postgres.processes()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    async with await psycopg.AsyncConnection.connect(url) as idle:
        await idle.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEYS["record"],))
        yield


def _acks(people: Sequence[Typist]) -> int:
    return sum(len(typist.acks) for typist in people)


async def _acks_at_rest(people: Sequence[Typist]) -> int:
    """When what had come through before is told."""
    async with asyncio.timeout(RECOVERY_SECONDS):
        told = -1
        while told != (now := _acks(people)):
            told = now
            await asyncio.sleep(1)
    return told


def _is_ready(server: ServerProcess) -> bool:
    try:
        answer = get(f"{server.url}/readyz")
    except HTTPError as error:
        error.close()
        return error.code != 503
    return bool(answer["status"] == "ready")
