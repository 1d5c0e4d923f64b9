"""The TypeScript client's own tests, those against a real server included."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.interfaces.client.generate import GENERATED, generate
from tests.interfaces.client.npm import fetch_npm_packages, has_npm, npm
from tests.servers import running_server

# Most of it is properties against a server, on a machine that does many other things as well.
TESTS_SECONDS = 300.0


@pytest.fixture(autouse=True, scope="module")
def _packages() -> None:
    if not has_npm():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no Node with npm on this machine")
    fetch_npm_packages()


def test_the_clients_own_tests_pass_beside_a_real_server() -> None:
    with running_server(requests_per_second=1_000) as server:
        done = npm(
            "test", "--workspace", "client", seconds=TESTS_SECONDS, CHRONOSCRIBE_URL=server.url, NO_COLOR="1"
        )
    print(done.stdout)
    assert done.returncode == 0
    assert "skipped" not in done.stdout


def test_the_pages_own_tests_pass() -> None:
    done = npm("test", "--workspace", "web", seconds=TESTS_SECONDS, NO_COLOR="1")
    print(done.stdout)
    assert done.returncode == 0


def test_the_clients_types_are_those_of_the_servers_models(tmp_path: Path) -> None:
    generate(tmp_path)
    for name in ("http.ts", "frames.ts"):
        assert (tmp_path / name).read_text() == (GENERATED / name).read_text(), (
            "run python -m tests.interfaces.client.generate"
        )
