"""A working day of a team of six, as they see it and as the log has it: see `working_day`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.acceptance.working_day import MESSAGES, Day, drive
from tests.servers import running_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def day(new_database: Callable[[], str]) -> Iterator[Day]:
    dsn = new_database()
    with running_server(database_url=dsn) as server:
        yield asyncio.run(drive(server, dsn))


def test_everybody_has_seen_the_same_chat(day: Day) -> None:
    assert len(day.said) >= MESSAGES
    chats = list(day.chats.values())
    assert all(chat == chats[0] for chat in chats)
