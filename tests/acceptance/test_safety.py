"""What the server refuses to start on, what it says then, and how it stops without losing anything."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import psycopg
import pytest

from infrastructure.embedded_postgres import EmbeddedPostgres
from interfaces.pyclient.notices import Status, StatusChanged
from tests.acceptance.raw_sockets import RawSocket
from tests.acceptance.typists import DOCUMENT, all_acknowledged_again, check, settled, typing, typists
from tests.guests import guest
from tests.servers import ServerFailed, ServerProcess, running_server
from tests.waiting import until

Postgres = Callable[[], EmbeddedPostgres]

PEOPLE: Final = 6

# Draining has 20 s and needs a fraction of one; then the last commits, and Python's own end.
STOP_SECONDS: Final = 15.0

# From the restart until everybody was acknowledged something.
RECOVERY_SECONDS: Final = 20.0


def refusal(server: ServerProcess, *, status: int) -> str:
    """What a server that cannot start says: one clear line, and no word of its inside."""
    with pytest.raises(ServerFailed):
        server.start()
    assert server.wait() == status
    lines = [line for line in server.output.splitlines() if line.startswith("chronoscribe: ")]
    assert len(lines) == 1
    assert "Traceback" not in server.output
    return lines[0]


# A Postgres that forgets.


def test_the_server_refuses_a_postgres_that_does_not_write_to_disk(database_url: str) -> None:
    with running_server(database_url=database_url, start=False) as server:
        said = refusal(server, status=2)
    for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
        assert setting in said


def test_the_server_refuses_a_database_or_role_that_does_not_wait_for_the_disk(
    durable_postgres: Postgres,
) -> None:
    url = durable_postgres().start()
    for owner in ("DATABASE postgres", "ROLE app"):
        with psycopg.connect(url, autocommit=True) as administration:
            administration.execute(f"ALTER {owner} SET synchronous_commit = off".encode())
        with running_server(database_url=url, start=False) as server:
            assert "synchronous_commit = off" in refusal(server, status=2)
        with psycopg.connect(url, autocommit=True) as administration:
            administration.execute(f"ALTER {owner} RESET synchronous_commit".encode())
    with running_server(database_url=url) as server:
        assert server.is_running


# Other reasons not to start.


def test_a_database_that_is_not_there_is_named(durable_postgres: Postgres) -> None:
    url = durable_postgres().start()
    with running_server(database_url=url.replace("/postgres?", "/nowhere?"), start=False) as server:
        assert 'database "nowhere" does not exist' in refusal(server, status=1)


def test_a_postgres_that_is_not_there_is_said_so() -> None:
    with running_server(database_url="postgresql://app:s3cr3t@127.0.0.1:1/x", start=False) as server:
        assert "Connection refused" in refusal(server, status=1)
        assert "s3cr3t" not in server.output


def test_a_second_server_on_the_same_folder_is_refused() -> None:
    with running_server() as first, running_server(data=first.folder, start=False) as second:
        said = refusal(second, status=1)
        assert str(first.folder) in said
        assert str(first.pid) in said
        assert first.is_running


def test_a_port_that_is_taken_is_named(durable_postgres: Postgres) -> None:
    url = durable_postgres().start()
    with running_server(database_url=url) as first:
        port = first.url.rpartition(":")[2]
        second = first.run("serve", "--port", port)
        assert second.returncode == 1
        assert port in second.stderr.decode()
        assert "Traceback" not in second.stderr.decode()
        assert first.is_running


PUBLIC: Final[dict[str, str]] = {
    "host": "0.0.0.0",
    "origins": "https://app.example.com",
    "behind_proxy": "10.0.0.1",
}
SECRET: Final = "kW3vN8qLz5RtX0bYd7Hf2mCj9GsPaU4e"

# Settings, the secret in them, and what is said of them.
UNSAFE: Final[dict[str, tuple[dict[str, str], str]]] = {
    "no keys": (PUBLIC, "CHRONOSCRIBE_AUTH_SECRETS or CHRONOSCRIBE_AUTH_PUBLIC_KEYS"),
    "no keys behind a proxy": ({"behind_proxy": "127.0.0.1"}, "CHRONOSCRIBE_AUTH_SECRETS"),
    "a short secret": (PUBLIC | {"auth_secrets": SECRET[:31]}, "at least 32 bytes"),
    "a secret from a manual": (PUBLIC | {"auth_secrets": "your-256-bit-secret-change-me-please"}, "manual"),
    "no origins": (PUBLIC | {"auth_secrets": SECRET, "origins": ""}, "CHRONOSCRIBE_ORIGINS"),
    "no TLS": (PUBLIC | {"auth_secrets": SECRET, "behind_proxy": ""}, "CHRONOSCRIBE_TLS_CERTIFICATE"),
}


async def test_the_server_opens_no_port_to_others_that_is_not_safe() -> None:
    def check(name: str) -> None:
        settings, reason = UNSAFE[name]
        with running_server(data=None, database_url=None, start=False, **settings) as server:
            assert reason in refusal(server, status=2), name
            assert str(settings.get("auth_secrets", SECRET)) not in server.output
            port = urlsplit(server.url).port
            with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
                probe.connect(("127.0.0.1", port))

    await asyncio.gather(*(asyncio.to_thread(check, name) for name in UNSAFE))


# Stopping.


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_server_that_is_told_to_stop_sends_everybody_elsewhere_and_loses_nothing(
    number: signal.Signals, durable_postgres: Postgres
) -> None:
    url = durable_postgres().start()
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    with running_server(database_url=url) as server:
        async with typists([[server.url]] * PEOPLE, seed) as people:
            codes: list[int | str | None] = []
            for typist in people:
                typist.client.on("status", lambda changed: codes.extend(_close_codes(changed)))
            async with typing(people):
                await all_acknowledged_again(people, RECOVERY_SECONDS)
                began = time.monotonic()
                server.send_signal(number)
                assert await asyncio.to_thread(server.wait, STOP_SECONDS) == 0
                print(f"stopped after {time.monotonic() - began:.2f} s")
                assert "Traceback" not in server.output
                await until(lambda: len(codes) >= PEOPLE)
                assert codes[:PEOPLE] == [4400] * PEOPLE
                await asyncio.to_thread(server.start)
                await all_acknowledged_again(people, RECOVERY_SECONDS)
            await settled(people)
            await check(people, url)
            assert set(people[0].client.roster) == {typist.client.client_id for typist in people}


def _close_codes(changed: StatusChanged) -> list[int | str | None]:
    return [changed.code] if changed.status is Status.OFFLINE and changed.code is not None else []


@pytest.mark.slow
async def test_a_server_stops_also_while_postgres_is_away(durable_postgres: Postgres) -> None:
    postgres = durable_postgres()
    with running_server(database_url=postgres.start()) as server:
        async with typists([[server.url]], 0) as (typist,):
            await asyncio.to_thread(postgres.kill)
            typist.insert()
            server.send_signal(signal.SIGTERM)
            await asyncio.to_thread(server.wait, 2 * STOP_SECONDS)
            assert "Traceback" not in server.output
            await asyncio.to_thread(postgres.start)
            await asyncio.to_thread(server.start)
            await typist.document.saved()
            await settled([typist])
            await check([typist], postgres.start())


async def test_a_resend_after_a_restart_has_no_second_effect() -> None:
    with running_server() as server:
        edit = (DOCUMENT, 1, 0, ["only once"])
        ada = await asyncio.to_thread(guest, server.url, "Ada")
        async with await RawSocket.connect(server.url, "demo", by=ada) as socket:
            await socket.greet("ada")
            await socket.open(DOCUMENT)
            assert (await socket.edit(*edit))["revision"] == 1
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        async with await RawSocket.connect(server.url, "demo", by=ada) as socket:
            await socket.greet("ada")
            opened = await socket.open(DOCUMENT)
            assert (opened["revision"], opened["seq"], opened["text"]) == (1, 1, "only once")
            assert (await socket.edit(*edit))["type"] == "ok"
            assert (await socket.edit(DOCUMENT, 1, 0, ["something else"]))["code"] == "E_ID_REUSED"
            assert (await socket.open(DOCUMENT))["revision"] == 1
