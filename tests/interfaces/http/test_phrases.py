"""What was ever written, looked for on a real server."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import orjson
import pytest

from application.past import edits as paging
from application.past.phrases import Phrases
from domain.phrase import PHRASE_CODE_POINTS
from domain.text_op import Op
from interfaces.http.routes import ROOMS_SEARCHED_AT_ONCE
from tests.interfaces.http.test_passages import api
from tests.interfaces.server_thread import Answer, ServerThread, Somebody, eventually
from tests.interfaces.written import write

# What a search that goes on for nobody may still take.
GONE_SECONDS = 1.0

# Three seconds of it.
LONG_EDITS = 300


class Written(NamedTuple):
    """Ada's room: in "main.md" a fox comes, goes and comes again; "old.md" has one and is off the list."""

    ada: Somebody
    ben: Somebody
    room: str

    def look(self, query: str, document: str = "main.md") -> Answer:
        return self.ada.get(f"/api/rooms/{self.room}/documents/{document}/phrases?{query}")

    def search(self, query: str) -> Answer:
        return self.ada.get(f"/api/rooms/{self.room}/past/search?{query}")


def lines_of(answer: Answer, *types: str) -> list[Any]:
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    told = [orjson.loads(line) for line in answer.body.splitlines()]
    return [line for line in told if not types or line["type"] in types]


@pytest.fixture(scope="module")
def written(server: ServerThread) -> Written:
    ada, ben = server.guest("Ada"), server.guest("Ben")
    assert ben.get("/api/me").status == 200
    room = ada.make_room(**{ben.user: "editor"})
    write(ada, room, ["A fox.\n"])
    write(ben, room, [2, {"d": "fox"}, "dog"])
    write(ada, room, ["Fox and fox.\n"])
    assert ada.post(f"/api/rooms/{room}/documents", {"document": "old.md"}).status == 201
    write(ben, room, ["The old fox"], document="old.md")
    assert ada.delete(f"/api/rooms/{room}/documents/old.md").status == 204
    directory = f"/api/rooms/{room}/documents"
    eventually(lambda: ada.get(directory).json["documents"], lambda known: known[0]["revision"] == 3)
    made = Written(ada, ben, room)
    # What is off the list is not told there, and the table hears of it as late.
    eventually(
        lambda: [line["all"] for line in lines_of(made.search("q=fox"), "progress")],
        lambda all_edits: all_edits and all_edits[-1] == 4,
    )
    return made


def test_when_a_phrase_was_there_and_by_whom_is_told_newest_first(written: Written) -> None:
    newest, oldest = lines_of(written.look("q=fox"), "life")
    assert (newest["appeared"]["revision"], newest["appeared"]["user"]) == (3, written.ada.user)
    assert (newest["vanished"], newest["count"], newest["document"]) == (None, 1, "main.md")
    assert newest["appeared"]["position"] == 8
    assert newest["appeared"]["around"] == {"before": "Fox and ", "text": "fox", "after": ".\nA dog.\n"}
    assert oldest["appeared"]["revision"] == 1
    vanished = oldest["vanished"]
    assert (vanished["revision"], vanished["user"]) == (2, written.ben.user)
    assert vanished["client"] == f"{written.ben.user}-1"
    assert vanished["position"] == 2
    assert vanished["around"] == {"before": "A ", "text": "fox", "after": ".\n"}
    assert vanished["at"] > oldest["appeared"]["at"]
    assert [count["count"] for count in oldest["counts"]] == [1, 0]
    assert (oldest["most"], oldest["changes"]) == (1, 2)
    [last] = lines_of(written.look("q=fox"), "document")
    assert last == {"type": "document", "document": "main.md", "revision": 3, "count": 1, "lives": 2}


def test_small_and_capital_letters_are_the_same_if_one_wants(written: Written) -> None:
    newest, _ = lines_of(written.look("q=FOX&ignore_case=true"), "life")
    assert newest["count"] == 2
    assert lines_of(written.look("q=FOX"), "life") == []


def test_a_room_is_searched_for_what_is_there_first_and_then_for_what_ever_was(written: Written) -> None:
    lines = lines_of(written.search("q=fox"))
    kinds = [line["type"] for line in lines if line["type"] != "progress"]
    assert sorted(kinds[:2]) == ["present", "present"]
    assert sorted(kinds[2:-1]) == ["document", "document", "life", "life", "life"]
    assert lines[-1] == {"type": "end", "is_complete": True}
    here = {line["document"]: line for line in lines if line["type"] == "present"}
    assert here["old.md"] == {
        "type": "present",
        "document": "old.md",
        "revision": 1,
        "count": 1,
        "positions": [8],
        "around": {"before": "The old ", "text": "fox", "after": ""},
    }
    assert here["main.md"]["positions"] == [8]
    progress = [line for line in lines if line["type"] == "progress"]
    assert (progress[-1]["done"], progress[-1]["all"]) == (4, 4)


def test_what_is_gone_is_found_in_one_document_if_one_wants(written: Written) -> None:
    lines = lines_of(written.search("q=A%20fox&document=main.md"), "present", "life", "end")
    assert [line["type"] for line in lines] == ["life", "end"]
    assert lines[0]["vanished"]["revision"] == 2
    assert written.search("q=fox&document=nothing.md").status == 404
    assert lines_of(written.search("q=A%20fox&document=old.md"), "life") == []


def test_a_limit_bounds_what_is_told_and_it_is_said_that_there_is_more(written: Written) -> None:
    lines = lines_of(written.search("q=fox&limit=1"), "present", "life", "end")
    assert [line["type"] for line in lines] == ["present", "life", "end"]
    assert lines[-1]["is_complete"] is False
    assert len(lines_of(written.look("q=fox&limit=1"), "life")) == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "E_SCHEMA"),
        ("q=", "E_SCHEMA"),
        (f"q={'x' * (PHRASE_CODE_POINTS + 1)}", "E_SCHEMA"),
        ("q=a%00b", "E_TEXT"),
        ("q=x&limit=0", "E_SCHEMA"),
        ("q=x&limit=1001", "E_SCHEMA"),
        ("q=x&ignore_case=1", "E_SCHEMA"),
        ("q=x&q=y", "E_SCHEMA"),
    ],
)
def test_a_phrase_that_is_none_is_refused(written: Written, query: str, code: str) -> None:
    for answer in (written.look(query), written.search(query)):
        assert (answer.status, answer.json["code"]) == (422, code)


def test_the_longest_phrase_is_looked_for(written: Written) -> None:
    phrase = quote("本" * PHRASE_CODE_POINTS)
    assert lines_of(written.search(f"q={phrase}"), "life") == []


def test_a_document_that_there_is_not_is_not_found(written: Written) -> None:
    assert written.look("q=x", "nothing.md").status == 404
    assert written.search("q=x&document=..").status == 422


async def test_a_program_is_told_line_by_line(written: Written) -> None:
    async with api(written.ben) as asked:
        lines = [line async for line in asked.search_past(written.room, "FOX", ignore_case=True)]
        assert lines[-1] == {"type": "end", "is_complete": True}
        lines = [line async for line in asked.phrases(written.room, "main.md", "dog")]
        assert [line["appeared"]["user"] for line in lines if line["type"] == "life"] == [written.ben.user]


# Whoever goes away.


class Slow:
    """Searches that read a page in a hundredth of a second, and what became of them."""

    def __init__(self, server: ServerThread, monkeypatch: pytest.MonkeyPatch) -> None:
        self.closed = threading.Semaphore(0)
        self.pages = 0
        monkeypatch.setattr(paging, "PAGE_EDITS", 1)
        history = type(server.server.node.history)
        edits, of_room, closed = history.edits, Phrases.of_room, self.closed

        async def slowly(reader: Any, stream: str, after: int, until: int) -> Any:
            self.pages += 1
            await asyncio.sleep(0.01)
            return await edits(reader, stream, after, until)

        async def watched(*asked: Any) -> AsyncGenerator[Any, None]:
            found = of_room(*asked)
            try:
                async for one in found:
                    yield one
            finally:
                await found.aclose()
                closed.release()

        monkeypatch.setattr(history, "edits", slowly)
        monkeypatch.setattr(Phrases, "of_room", watched)


@pytest.fixture
def long(server: ServerThread) -> tuple[Somebody, str]:
    """A room with a history of some hundred edits."""
    ada = server.guest("Ada")
    room = ada.make_room()
    typed: Op = ["x"]
    write(ada, room, *(LONG_EDITS * [typed]))
    return ada, room


def begin(ada: Somebody, room: str) -> http.client.HTTPConnection:
    """A search of which the first line has come."""
    address = urlsplit(ada.server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    connection.request("GET", f"/api/rooms/{room}/past/search?q=y", headers=ada.headers)
    response = connection.getresponse()
    assert response.status == 200
    assert orjson.loads(response.readline())["type"] == "progress"
    return connection


def test_a_search_ends_when_whoever_asked_goes_away(
    server: ServerThread, long: tuple[Somebody, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(server, monkeypatch)
    connection = begin(*long)
    assert connection.sock is not None
    connection.sock.shutdown(2)
    connection.close()
    assert slow.closed.acquire(timeout=GONE_SECONDS)
    assert slow.pages < LONG_EDITS


def test_more_searches_than_a_node_does_at_once_are_told_to_come_again(
    server: ServerThread, long: tuple[Somebody, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(server, monkeypatch)
    going = [begin(*long) for _ in range(ROOMS_SEARCHED_AT_ONCE)]
    ada, room = long
    refused = ada.get(f"/api/rooms/{room}/past/search?q=y")
    assert (refused.status, refused.json["code"]) == (503, "E_BUSY")
    for connection in going:
        assert connection.sock is not None
        connection.sock.shutdown(2)
        connection.close()
        assert slow.closed.acquire(timeout=GONE_SECONDS)
    path = f"/api/rooms/{room}/past/search?q=y&document=nothing.md"
    eventually(lambda: ada.get(path).status, lambda status: status == 404)
