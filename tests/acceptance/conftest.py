"""What tests share that do no harm to it: databases in one Postgres, made for the run, and a server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from infrastructure.embedded_postgres import EmbeddedPostgres
from tests.acceptance.accounts import PROXY, SECRET
from tests.servers import ServerProcess, running_server

# Low, so that a test can pass them.
CONNECTIONS_PER_USER = 5
CONNECTIONS_PER_ADDRESS = 20


@pytest.fixture(scope="session")
def new_database() -> Iterator[Callable[[], str]]:
    """Makes empty databases and gives their DSNs. The server is durable: ours refuses to start on others."""
    # Not pytest's folder: root's Postgres runs as nobody and cannot get below that one.
    home = Path(tempfile.mkdtemp(prefix="chronoscribe-test-"))
    numbers = count(1)
    try:
        with EmbeddedPostgres(home) as postgres:

            def make() -> str:
                administration = postgres.start()
                name = f"shared_{next(numbers)}"
                with psycopg.connect(administration, autocommit=True) as connection:
                    connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
                return administration.replace("/postgres?", f"/{name}?", 1)

            yield make
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def accounts_server(new_database: Callable[[], str]) -> Iterator[ServerProcess]:
    """A server with accounts, behind a proxy. Who tries every route asks quicker than anybody may."""
    with running_server(
        database_url=new_database(),
        requests_per_second=1_000,
        auth_secrets=SECRET,
        behind_proxy=f"{PROXY}/32",
        connections_per_user=CONNECTIONS_PER_USER,
        connections_per_address=CONNECTIONS_PER_ADDRESS,
    ) as server:
        yield server


@pytest.fixture(scope="session")
def guests_server(new_database: Callable[[], str]) -> Iterator[ServerProcess]:
    """A server without accounts."""
    with running_server(database_url=new_database(), requests_per_second=1_000) as server:
        yield server
