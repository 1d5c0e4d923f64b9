"""One server for all tests that do no harm to it, on a real and durable Postgres."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.embedded_postgres import EmbeddedPostgres
from tests.interfaces.server_thread import ServerThread


@pytest.fixture(scope="session")
def server() -> Iterator[ServerThread]:
    # Not pytest's folder: root's Postgres runs as nobody and cannot get below that one.
    home = Path(tempfile.mkdtemp(prefix="chronoscribe-test-"))
    try:
        with EmbeddedPostgres(home) as postgres:
            thread = ServerThread(postgres.start())
            thread.start()
            try:
                yield thread
            finally:
                thread.stop()
    finally:
        shutil.rmtree(home)
