"""A real server, and people in front of a real browser."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.guests import Guest, guest
from tests.interfaces.web.windows import Profiles, Windows, open_browser
from tests.servers import ServerProcess, running_server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser stays for all tests, and so does the loop that talks to it."""
    for item in items:
        if "interfaces/web" in item.nodeid and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def web_server() -> Iterator[ServerProcess]:
    """One server for all tests that do it no harm. A page asks for more than a program does."""
    with running_server(requests_per_second=1_000) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def profiles(browser: Browser) -> Profiles:
    return Profiles(browser)


@pytest_asyncio.fixture(loop_scope="session")
async def windows(profiles: Profiles, web_server: ServerProcess) -> AsyncIterator[Windows]:
    """Opens windows; at the end none of their pages may have complained."""
    opened = Windows(profiles, web_server.url)
    yield opened
    faults = opened.faults
    await opened.close()
    assert faults == []


@pytest.fixture
def owner(web_server: ServerProcess) -> Guest:
    """Somebody who makes rooms, by HTTP."""
    return guest(web_server.url, "Olga")


_NUMBERS = itertools.count(1)


@pytest.fixture
def room(owner: Guest) -> str:
    """A room for everyone of this test alone, with an empty `main.md`."""
    name = f"room-{next(_NUMBERS)}"
    owner.create_room(name)
    owner.ask("POST", f"/api/rooms/{name}/documents", {"document": "main.md"})
    return name
