"""The past of a room as a page, from the server."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from domain.instants import as_datetime
from interfaces.pyclient.client import Client
from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.errors import Refused
from interfaces.pyclient.past import Past
from interfaces.replay import page as pages
from tests.interfaces.replay.pages import Read
from tests.interfaces.server_thread import ServerThread, Somebody, eventually

HOSTILE = "</script><img src=x onerror=alert(1)> 👩‍👩‍👧 \u202e"


@pytest.fixture(scope="module")
def ada(server: ServerThread) -> Somebody:
    return server.guest("Ada")


@pytest.fixture(scope="module")
def room(ada: Somebody) -> str:
    """In which something went on."""
    room = ada.make_room()
    asyncio.run(_write(ada, room))
    return room


def token_of(somebody: Somebody) -> str:
    return somebody.headers["Authorization"].removeprefix("Bearer ")


async def _write(ada: Somebody, room: str) -> None:
    async with Client(ada.server.url, room, token=token_of(ada)) as client:
        document = await client.open("main.md")
        document.insert(0, HOSTILE)
        await document.saved()
        client.cursor(document, 3, 5)
        await client.post(HOSTILE)


def lines_of(ada: Somebody, room: str, query: str) -> list[Any]:
    answer = ada.get(f"/api/rooms/{room}/replay{query}")
    return [orjson.loads(line) for line in answer.body.splitlines()]


def test_a_page_holds_what_is_told_line_by_line(ada: Somebody, room: str) -> None:
    eventually(lambda: lines_of(ada, room, "")[0]["marks"], bool)
    until = orjson.loads(ada.get(f"/api/rooms/{room}/stage").body)["at"]
    query = f"?to={quote(_moment(until))}"
    answer = ada.get(f"/api/rooms/{room}/replay.html{query}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{room}-replay.html"'
    assert answer.headers["Content-Security-Policy"] == "sandbox allow-scripts"
    told = Read(answer.body).lines
    assert told == lines_of(ada, room, query)
    assert [line["type"] for line in (told[0], told[1], told[-1])] == ["begin", "step", "end"]
    edits = [event for line in told[1:-1] for event in line["events"] if event.get("event") == "edit"]
    assert [edit["op"] for edit in edits] == [[HOSTILE]]


def _moment(microseconds: int) -> str:
    return as_datetime(microseconds).isoformat()


def test_a_span_that_ends_before_it_begins_is_refused(ada: Somebody, room: str) -> None:
    query = "?from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z"
    answer = ada.get(f"/api/rooms/{room}/replay.html{query}")
    assert (answer.status, answer.json["code"], answer.json["field"]) == (400, "E_SCHEMA", "from")


def test_too_much_is_refused_at_once(ada: Somebody, room: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE_EVENTS", 2)
    answer = ada.get(f"/api/rooms/{room}/replay.html")
    assert (answer.status, answer.json["code"], answer.json["limit"]) == (422, "E_LIMIT", 2)
    assert answer.headers.get_content_type() == "application/problem+json"


@pytest.fixture
def past(ada: Somebody) -> Past:
    return Past(ada.server.url, Credentials(token=token_of(ada)))


async def test_the_python_client_has_the_page_as_it_is(past: Past, ada: Somebody, room: str) -> None:
    async with past:
        page = await past.replay_html(room)
    assert Read(page).lines[1:3] == lines_of(ada, room, "")[1:3]


async def test_the_python_client_tells_of_a_page_that_ends_early(
    past: Past, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_BYTES", 1_500)
    async with past:
        with pytest.raises(Refused) as refused:
            await past.replay_html(room)
    assert refused.value.code == "E_LIMIT"
