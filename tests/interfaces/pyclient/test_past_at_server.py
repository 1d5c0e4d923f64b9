"""What the client asks of the past, of the real server: how texts were, and which edit made one bad."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from domain.instants import as_datetime
from interfaces.pyclient.client import Client
from interfaces.pyclient.errors import Refused
from interfaces.pyclient.past import Past
from tests.servers import ServerProcess, running_server

pytestmark = pytest.mark.slow

TEXTS = ("one\n", "one\ntwo\n", "one\ntwo\nbad\n", "one\ntwo\nbad\nend\n")


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server() as server:
        yield server


@dataclass
class Place:
    """Ada's room with "main.md", whose text has become each of `TEXTS`; the second one is called Draft."""

    room: str
    ada: Client
    past: Past


@pytest.fixture
async def place(server: ServerProcess) -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        lobby = await stack.enter_async_context(Client(server.url, "demo", name="Ada"))
        room = (await lobby.api.create_room())["room"]
        ada = await stack.enter_async_context(Client(server.url, room, credentials=lobby.credentials))
        document = await ada.open("main.md", create=True)
        for number, text in enumerate(TEXTS):
            document.insert(len(document.text), text[len(document.text) :])
            await document.saved()
            if number == 1:
                await ada.save_revision(document, "Draft")
        yield Place(room, ada, await stack.enter_async_context(Past(server.url, lobby.credentials)))


async def test_a_text_is_read_at_any_moment(place: Place) -> None:
    api, room = place.ada.api, place.room
    assert (await api.document(room, "main.md", name="Draft"))["text"] == TEXTS[1]
    assert (await api.document(room, "main.md", position=2**53 - 1))["text"] == TEXTS[3]
    with pytest.raises(Refused, match="E_NOT_FOUND"):
        await api.document(room, "main.md", position=0)


async def test_revisions_are_saved_and_named_over_http(place: Place) -> None:
    api, room = place.ada.api, place.room
    saved = await api.save_revision(room, "main.md", revision=3, name="Bad")
    assert (saved["revision"], saved["name"]) == (3, "Bad")
    page = await api.saves(room, "main.md", limit=1)
    rest = await api.saves(room, "main.md", after=page["next"])
    assert [one["name"] for one in [*page["saves"], *rest["saves"]]] == ["Draft", "Bad"]
    assert rest["names"] == {"Draft": 2, "Bad": 3}


async def test_moments_are_compared(place: Place) -> None:
    past, room = place.past, place.room
    told = await past.diff(room, "main.md", "name:Draft", 3)
    [hunk] = told["hunks"]
    assert [(line["kind"], line["text"]) for line in hunk["lines"]] == [
        ("same", "one"),
        ("same", "two"),
        ("added", "bad"),
    ]
    second = await place.ada.api.document(room, "main.md", revision=2)
    assert await past.diff(room, "main.md", as_datetime(second["modified"]), 3) == told
    assert (await past.diff(room, "main.md", 4))["hunks"] == []
    assert (await past.diff_text(room, "main.md", 3, context=1)).endswith("@@ -3 +3,2 @@\n bad\n+end\n")
    assert "{+end" in await past.diff_text(room, "main.md", 3, form="words")
    page = await past.diff_text(room, "main.md", 3, form="html", page=True)
    assert page.startswith("<!doctype html>")


async def test_the_edit_that_made_a_text_bad_is_found(place: Place) -> None:
    heard: list[Any] = []
    found = await place.past.bisect(place.room, "main.md", text_absent="bad", on_progress=heard.append)
    assert (found["good"], found["bad"], found["edit"]["revision"]) == (2, 3, 3)
    assert [line["revision"] for line in heard] == [judged["revision"] for judged in found["evaluated"]]
    with pytest.raises(Refused, match="E_BISECT"):
        await place.past.bisect(place.room, "main.md", good="name:Draft", bad=2, text_absent="bad")
    with pytest.raises(Refused, match="E_PATTERN"):
        await place.past.bisect(place.room, "main.md", regex="(")


async def test_a_passage_is_linked_to_for_ever(place: Place) -> None:
    found = await place.past.passage(place.room, "main.md", revision=2, start=4, end=7)
    assert (found["text"], found["now"]["text"], found["now"]["revision"]) == ("two", "two", 4)
