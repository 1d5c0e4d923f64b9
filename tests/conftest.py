"""What every test can ask for: Hypothesis profiles and databases.

HYPOTHESIS_PROFILE chooses `dev` (quick), `ci` or `soak` (for hours); without it, `ci` when CI is set.

The databases are real. One server, made for the run and faster than safe, serves `database_url`, an
empty database for each test; tests that kill things get servers of their own with
`durable_postgres`. A machine without Postgres fails these tests: a green run means that they ran.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg.sql import SQL, Identifier

from infrastructure.embedded_postgres import EmbeddedPostgres
from tests.infrastructure.sample_rooms import make_sample

# No deadlines, and no complaints about slow examples: the machine is shared, and how long one takes says
# nothing about the code.
SLOW_IS_WELL = [HealthCheck.too_slow]
settings.register_profile("dev", max_examples=50, deadline=None, suppress_health_check=SLOW_IS_WELL)
# Fresh examples in every run, and a failing one is printed so that it can be repeated elsewhere.
settings.register_profile(
    "ci",
    max_examples=80,
    deadline=None,
    print_blob=True,
    derandomize=False,
    suppress_health_check=SLOW_IS_WELL,
)
settings.register_profile(
    "soak",
    max_examples=50_000,
    deadline=None,
    print_blob=True,
    suppress_health_check=SLOW_IS_WELL,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))

# Copied as files: without fsync the quickest way (15 ms), and nothing of it goes through the log.
CREATE = SQL("create database {} template {} strategy file_copy")
DROP = SQL("drop database {} with (force)")


# The longest, which would otherwise be begun when nobody has anything else to do any more.
FIRST = ("tests/acceptance/test_traces.py", "tests/acceptance/test_two_nodes.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


@pytest.fixture(scope="session", autouse=True)
def users_home() -> Iterator[Path]:
    """Where servers in this process keep keys and checkpoints: those of the user are left alone."""
    with _temporary_home() as home, pytest.MonkeyPatch.context() as patch:
        patch.setattr("infrastructure.settings.default_home", lambda: home)
        yield home


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """The run's server, not durable."""
    with _temporary_home() as home, EmbeddedPostgres(home, durable=False) as server:
        yield server


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres, database_names: Iterator[str]) -> Iterator[str]:
    """The DSN of an empty database that is gone after the test, whoever is still connected."""
    with new_database(postgres_server, next(database_names), "template0") as url:
        yield url


@contextlib.contextmanager
def new_database(server: EmbeddedPostgres, name: str, template: str) -> Iterator[str]:
    """A copy of another database, which nobody is connected to, until the end of the block; gives its DSN."""
    administration = server.start()
    with psycopg.connect(administration, autocommit=True) as connection:
        connection.execute(CREATE.format(Identifier(name), Identifier(template)))
    yield administration.replace("/postgres?", f"/{name}?", 1)
    with psycopg.connect(administration, autocommit=True) as connection:
        connection.execute(DROP.format(Identifier(name)))


@pytest.fixture(scope="session")
def sample_url(postgres_server: EmbeddedPostgres, database_names: Iterator[str]) -> Iterator[str]:
    """The DSN of a database with the rooms of `sample_rooms`, for tests that change nothing in it."""
    with new_database(postgres_server, next(database_names), "template0") as url:
        asyncio.run(make_sample(url))
        yield url


@pytest.fixture(scope="session")
def database_names() -> Iterator[str]:
    """Names that no other test of the run has had."""
    return (f"test_{number}" for number in itertools.count(1))


@pytest.fixture
def durable_postgres() -> Iterator[Callable[[], EmbeddedPostgres]]:
    """Makes servers, started and durable, one per call: for tests that kill, stop and restart them."""
    with contextlib.ExitStack() as stack:

        def make() -> EmbeddedPostgres:
            home = stack.enter_context(_temporary_home())
            return stack.enter_context(EmbeddedPostgres(home))

        yield make


@contextlib.contextmanager
def _temporary_home() -> Iterator[Path]:
    """A folder of our own. Not pytest's: root's Postgres runs as nobody and cannot get below that one."""
    home = Path(tempfile.mkdtemp(prefix="chronoscribe-test-"))
    try:
        yield home
    finally:
        shutil.rmtree(home)
