"""Servers beside the one of all tests, on the same store."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from infrastructure.settings import Settings
from tests.interfaces.server_thread import CHECKPOINT_KEY, ServerThread

SECRET = secrets.token_urlsafe(32)


@pytest.fixture(scope="session")
def start(server: ServerThread) -> Iterator[Callable[..., ServerThread]]:
    """Starts servers with settings of their own."""
    with ExitStack() as stack:

        def start(**settings: Any) -> ServerThread:
            thread = ServerThread(server.conninfo, Settings(port=0, drain_seconds=2, **settings))
            thread.start()
            stack.callback(thread.stop)
            return thread

        yield start


@pytest.fixture(scope="session")
def accounts(start: Callable[..., ServerThread]) -> ServerThread:
    """A server with accounts that trusts a proxy on this machine.

    Tests that fail to sign in say `X-Forwarded-For` an address of their own, so that they lock nobody out.
    """
    return start(auth_secrets=[SECRET], behind_proxy=["127.0.0.1"], checkpoint_key=CHECKPOINT_KEY)
