"""The client at the real server: what the model server cannot vouch for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from domain.limits import DOCUMENT_CODE_POINTS
from interfaces.pyclient.client import Client
from interfaces.pyclient.errors import Refused, Stopped
from interfaces.pyclient.reconnect import Backoff
from interfaces.pyclient.replica import Cursor
from tests.servers import ServerProcess, running_server

pytestmark = pytest.mark.slow

QUICKLY = Backoff(first=0.2, base=0.05, most=0.5)


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server() as server:
        yield server


def client_at(server: ServerProcess, name: str, *, room: str = "demo", **options: Any) -> Client:
    return Client(server.url, room, name=name, backoff=QUICKLY, **options)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 -- as seen from outside, there is nothing to wait on
            await asyncio.sleep(0.01)


async def test_two_people_write_speak_and_point(server: ServerProcess) -> None:
    async with client_at(server, "Ada") as ada, client_at(server, "Ben") as ben:
        hers = await ada.open("together.md", create=True)
        his = await ben.open("together.md")
        hers.insert(0, "Hello 😀")
        his.insert(0, "语")
        await asyncio.gather(hers.saved(), his.saved(), ada.post("look"))
        await until(lambda: hers.text == his.text and hers.revision == his.revision == 2)
        ada.cursor(hers, 1, 3)
        await until(lambda: his.cursors == {ada.client_id: Cursor(1, 3)})
        await until(lambda: [message["text"] for message in ben.messages][-1:] == ["look"])
        assert {ada.client_id, ben.client_id} <= ada.roster.keys()
        left: list[Any] = []
        ben.on("left", left.append)
        await ada.close()
        await until(lambda: [(each.client, each.reason) for each in left] == [(ada.client_id, "left")])
        assert ada.client_id not in ben.roster


async def test_a_large_paste_is_stored_and_a_too_large_one_taken_back(server: ServerProcess) -> None:
    async with client_at(server, "Ada") as ada:
        document = await ada.open("large.md", create=True)
        document.insert(0, "z" * (DOCUMENT_CODE_POINTS - 10))
        await document.saved()
        document.insert(0, "x" * 11)
        with pytest.raises(Refused, match="E_DOC_SIZE"):
            await document.saved()
        document.insert(0, "y" * 10)
        await document.saved()
    async with client_at(server, "Ben") as ben:
        found = await ben.open("large.md")
        assert found.text == "y" * 10 + "z" * (DOCUMENT_CODE_POINTS - 10)


async def test_what_is_not_there_is_said_not_to_be(server: ServerProcess) -> None:
    with pytest.raises(Stopped, match="E_NOT_FOUND"):
        await client_at(server, "Ada", room="no-such-room").start()
    async with client_at(server, "Ada") as ada:
        with pytest.raises(Refused, match="E_NOT_FOUND"):
            await ada.open("no-such.md")


async def test_the_same_client_twice_stops_the_first(server: ServerProcess) -> None:
    first = client_at(server, "Ada", client_id="ada")
    await first.start()
    async with client_at(server, "Ada", client_id="ada", credentials=first.credentials):
        await until(lambda: not first.is_online)
        with pytest.raises(Stopped):
            await first.post("still there?")
    await first.close()


async def test_typing_goes_on_over_a_server_that_is_killed(server: ServerProcess) -> None:
    chance = random.Random(7)
    async with client_at(server, "Ada") as ada, client_at(server, "Ben") as ben:
        documents = [await each.open("killed.md", create=True) for each in (ada, ben)]

        async def type_on(letter: str, number: int) -> None:
            for _ in range(100):
                document = documents[number]
                document.insert(chance.randrange(len(document) + 1), letter)
                await asyncio.sleep(0.01)

        typing = asyncio.gather(type_on("a", 0), type_on("b", 1))
        await asyncio.sleep(0.3)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await typing
        await asyncio.gather(*(document.saved() for document in documents))
        await until(lambda: documents[0].text == documents[1].text)
        assert sorted(documents[0].text) == ["a"] * 100 + ["b"] * 100
