"""What the client asks over HTTP, of the real server. Tables are a moment behind the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from interfaces.pyclient import api as api_module
from interfaces.pyclient.client import Client
from interfaces.pyclient.errors import Refused
from tests.servers import ServerProcess, running_server

pytestmark = pytest.mark.slow

T = TypeVar("T")


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server() as server:
        yield server


@dataclass
class Place:
    """A room of Ada's, in which Ben is too."""

    room: str
    ada: Client
    ben: Client


@pytest.fixture
async def place(server: ServerProcess) -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        lobby = await stack.enter_async_context(Client(server.url, "demo", name="Ada"))
        room = (await lobby.api.create_room(everyone="editor"))["room"]
        ada = await stack.enter_async_context(Client(server.url, room, credentials=lobby.credentials))
        ben = await stack.enter_async_context(Client(server.url, room, name="Ben"))
        yield Place(room, ada, ben)


async def when(ask: Callable[[], Awaitable[T]], is_there: Callable[[T], bool]) -> T:
    """The answer, once the tables have what is asked for."""
    async with asyncio.timeout(20):
        while not is_there(found := await ask()):  # noqa: ASYNC110 -- nothing to wait on from outside
            await asyncio.sleep(0.05)
    return found


async def test_what_was_said_is_found_again(place: Place) -> None:
    room, api = place.room, place.ada.api
    first = await place.ada.post("The quick brown fox")
    second = await place.ben.post("jumps over the lazy dog", reply_to=first)
    await place.ben.react(first, "👍")
    await place.ada.edit_message(first, "The slow brown fox")
    page = await when(
        lambda: api.history(room), lambda page: [m["edits"] for m in page["messages"]] == [1, 0]
    )
    told = [{name: m[name] for name in ("message", "text")} for m in page["messages"]]
    assert told == [
        {"message": first, "text": "The slow brown fox"},
        {"message": second, "text": "jumps over the lazy dog"},
    ]
    known = {message["message"]: message for message in place.ada.messages}
    for message in page["messages"]:
        assert message.items() <= known[message["message"]].items(), "HTTP tells another message"
    today = datetime.now(UTC)
    some = await api.history(room, reply_to=first, since=today - timedelta(1), until=today + timedelta(1))
    assert [message["message"] for message in some["messages"]] == [second]
    assert (await api.history(room, pinned=True))["messages"] == []
    assert [m["message"] for m in (await api.history(room, emoji="👍"))["messages"]] == [first]
    found = await when(lambda: api.search(room, "slow fox"), lambda page: bool(page["found"]))
    assert [message["message"] for message in found["found"]] == [first]
    texts = await api.texts(room, first)
    assert [said["text"] for said in texts["texts"]] == ["The quick brown fox", "The slow brown fox"]


async def test_who_has_read_what_is_told(place: Place) -> None:
    room, api = place.room, place.ada.api
    assert place.ben.user
    message = await place.ada.post(f"@{place.ben.user} please read")
    his = place.ben.api
    mentions = await when(his.mentions, lambda page: bool(page["messages"]))
    assert [(each["room"], each["message"]) for each in mentions["messages"]] == [(room, message)]
    unread = await when(his.unread, lambda rooms: any(each["room"] == room for each in rooms))
    assert [each["unread"] for each in unread if each["room"] == room] == [1]
    place.ben.read(message)
    readers = await when(lambda: api.readers(room, message), lambda told: bool(told["read"]))
    assert readers == {"delivered": [place.ben.user], "read": [place.ben.user]}


async def test_a_link_is_followed_through_later_edits(place: Place) -> None:
    document = await place.ada.open("linked.md", create=True)
    document.insert(0, "Hello world")
    await document.saved()
    message = await place.ada.post("this", link=document.link(6, 11))
    document.insert(0, "Oh! ")
    await document.saved()
    passage = await place.ben.api.link(place.room, message)
    assert (passage["start"], passage["end"], passage["text"]) == (10, 15, "world")


async def test_what_went_on_is_told_in_lines(place: Place) -> None:
    room, api = place.room, place.ada.api
    run = await place.ada.start_run("Tests")
    await place.ada.finish_run(run, "failed", 3)
    said = await place.ben.post("Oh")
    page = await when(lambda: api.activity(room, kinds=["said", "ran"]), lambda page: len(page["lines"]) == 2)
    assert [line["kind"] for line in page["lines"]] == ["said", "ran"]
    assert page["lines"][0]["message"] == said
    mine = await api.activity_of()
    assert {line["user"] for line in mine["lines"]} == {place.ada.user}


async def test_a_chat_is_taken_along_into_another_room(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_module, "IMPORT_MESSAGES", 2)
    room, api = place.room, place.ada.api
    messages = [await place.ada.post(f"number {number}") for number in range(5)]
    await place.ben.react(messages[0], "👍")
    exported = await when(lambda: api.export(room), lambda data: b'"user"' in data and b"number 4" in data)
    other = (await api.create_room())["room"]
    assert await api.import_messages(other, exported) == {"added": 5, "known": 0}
    assert await api.import_messages(other, exported) == {"added": 0, "known": 5}
    async with Client(api._url, other, credentials=place.ada.credentials) as ada:
        assert [message["text"] for message in ada.messages] == [f"number {number}" for number in range(5)]
        assert ada.messages[0]["reactions"] == {"👍": [place.ben.user]}
        assert ada.messages[0]["imported"]["room"] == room
    assert b"number 3" in await api.export(room, "txt", author=place.ada.user or "")
    with pytest.raises(Refused, match="E_FORBIDDEN"):
        await place.ben.api.import_messages(room, exported)


async def test_what_was_done_adds_up(place: Place) -> None:
    room, api = place.room, place.ada.api
    message = await place.ada.post("one two three")
    await place.ben.react(message, "👍")
    told = await when(
        lambda: api.statistics(room, offset=60), lambda told: bool(told["totals"]["reactions_added"])
    )
    assert (told["totals"]["messages"], told["totals"]["words"]) == (1, 3)
    ben = await api.statistics(room, user=place.ben.user, since=datetime.now(UTC) - timedelta(1))
    assert ben["totals"]["messages"] == 0


async def test_statistics_and_activity_are_followed(place: Place) -> None:
    statistics, lines = asyncio.Queue[object](), asyncio.Queue[object]()
    place.ada.on("statistics", statistics.put_nowait)
    place.ada.on("activity", lines.put_nowait)
    refused = asyncio.Queue[object]()
    place.ada.on("refused", refused.put_nowait)
    place.ada.subscribe("statistics")
    place.ada.subscribe("activity")
    await place.ben.post("hello")
    async with asyncio.timeout(20):
        await statistics.get()
        await lines.get()
    assert refused.empty()
