"""Who wrote what, asked on a real server."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import orjson
import pytest

from interfaces.http import blame as blaming
from interfaces.http import lines as telling
from interfaces.pyclient.api import Api
from interfaces.pyclient.credentials import Credentials
from tests.interfaces.server_thread import Answer, ServerThread, Somebody, eventually
from tests.interfaces.written import write


class Written(NamedTuple):
    """Three lines: Ada has written them, and Ben something into the second and in front of the third."""

    ada: Somebody
    ben: Somebody
    room: str

    def ask(self, query: str = "", document: str = "main.md") -> Answer:
        return self.ada.get(f"/api/rooms/{self.room}/documents/{document}/blame{query}")

    def spans(self, query: str = "") -> list[tuple[int, int, int, str]]:
        answer = self.ask(query)
        assert answer.status == 200, answer
        return [(s["start"], s["end"], s["revision"], s["author"]) for s in answer.json["spans"]]


@pytest.fixture(scope="module")
def written(server: ServerThread) -> Written:
    ada, ben = server.guest("Ada"), server.guest("Ben")
    assert ben.get("/api/me").status == 200
    room = ada.make_room(**{ben.user: "editor"})
    write(ada, room, ["one\ntwo\nthree\n"])
    write(ben, room, [7, " and"], [12, "2"])
    write(ada, room, [13, "½"])
    return Written(ada, ben, room)


def test_every_part_of_a_text_is_told_with_the_edit_that_wrote_it(written: Written) -> None:
    a, b = written.ada.user, written.ben.user
    told = eventually(lambda: written.ask("?text=true").json, lambda told: len(told["people"]) == 2)
    assert (told["document"], told["revision"]) == ("main.md", 4)
    assert told["people"] == {a: "Ada", b: "Ben"}
    assert told["text"] == "one\ntwo and\n2½three\n"
    assert written.spans() == [
        (0, 7, 1, a),
        (7, 11, 2, b),
        (11, 12, 1, a),
        (12, 13, 3, b),
        (13, 14, 4, a),
        (14, 20, 1, a),
    ]
    [first, *_] = told["spans"]
    assert (first["cause"], first["at"] > 0, "document" in first) == ("typed", True, False)


def test_it_can_be_asked_of_any_revision_and_time(written: Written) -> None:
    assert written.spans("?revision=1") == [(0, 14, 1, written.ada.user)]
    assert written.ask("?revision=0").json["spans"] == []
    assert written.ask("?at=2000-01-01T00:00:00Z").status == 404
    assert len(written.spans("?at=2999-01-01T00:00:00Z")) == 6
    assert written.ask("?revision=5").json["code"] == "E_NOT_FOUND"
    assert written.ask("?revision=1&at=2999-01-01T00:00:00Z").json["field"] == "at"
    assert written.ask(document="nothing.md").json["code"] == "E_NOT_FOUND"


def test_the_parts_of_one_author_are_joined_and_are_as_new_as_the_newest(written: Written) -> None:
    a, b = written.ada.user, written.ben.user
    assert written.spans("?by=author") == [
        (0, 7, 1, a),
        (7, 11, 2, b),
        (11, 12, 1, a),
        (12, 13, 3, b),
        (13, 20, 4, a),
    ]


def test_lines_are_told_by_the_newest_edit_in_them(written: Written) -> None:
    told = written.ask("?lines=true").json
    assert "spans" not in told
    assert [(s["number"], s["start"], s["end"], s["revision"]) for s in told["lines"]] == [
        (1, 0, 4, 1),
        (2, 4, 12, 2),
        (3, 12, 20, 4),
    ]


def test_a_part_alone_is_told_at_its_place(written: Written) -> None:
    a, b = written.ada.user, written.ben.user
    assert written.spans("?start=6&end=8") == [(6, 7, 1, a), (7, 8, 2, b)]
    assert written.spans("?start=8&end=8") == []
    told = written.ask("?lines=true&start=5&end=13&text=true").json
    assert [(s["number"], s["start"], s["end"]) for s in told["lines"]] == [(2, 4, 12), (3, 12, 20)]
    assert told["text"] == "two and\n2½three\n"
    assert [s["number"] for s in written.ask("?lines=true&start=4&end=12").json["lines"]] == [2]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?start=3&end=2", "E_SCHEMA"),
        ("?end=21", "E_OP_INVALID"),
        ("?start=21", "E_SCHEMA"),
        ("?by=nobody", "E_SCHEMA"),
        ("?lines=true&by=author", "E_SCHEMA"),
        ("?lines=1", "E_SCHEMA"),
        ("?revision=-1", "E_SCHEMA"),
    ],
)
def test_what_makes_no_sense_is_refused(written: Written, query: str, code: str) -> None:
    answer = written.ask(query)
    assert (answer.status, answer.json["code"]) == (422, code)


def lines_of(answer: Answer) -> list[Any]:
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    return [orjson.loads(line) for line in answer.body.splitlines()]


@pytest.mark.parametrize("query", ["", "&lines=true", "&by=author&text=true", "&start=3&end=9"])
def test_a_stream_tells_the_same_as_an_answer(
    written: Written, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blaming, "PAGE", 2)
    whole = written.ask(f"?{query}").json
    heading, *pages, end = [
        line for line in lines_of(written.ask(f"?stream=true{query}")) if line["type"] != "progress"
    ]
    kind = "lines" if "lines" in query else "spans"
    assert {heading.pop("type"), end["type"], *(page["type"] for page in pages)} == {"blame", kind, "end"}
    assert heading | {kind: [entry for page in pages for entry in page[kind]]} == whole
    assert all(len(page[kind]) <= 2 for page in pages)


def test_a_stream_says_how_far_it_has_come(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "PROGRESS_SECONDS", 0.0)
    monkeypatch.setattr("application.past.blame.PAGE_EDITS", 1)
    told = [line for line in lines_of(written.ask("?stream=true")) if line["type"] == "progress"]
    assert told
    assert all(0 < line["done"] <= line["all"] == 4 for line in told)


def test_what_cannot_be_streamed_has_an_ordinary_answer(written: Written) -> None:
    assert written.ask("?stream=true&revision=9").status == 404


async def api_of(written: Written) -> Api:
    token = written.ada.headers["Authorization"].removeprefix("Bearer ")
    return Api(written.ada.server.url, Credentials(token=token))


def test_the_client_asks_the_same(written: Written) -> None:
    async def ask() -> tuple[Any, Any]:
        async with await api_of(written) as api:
            return (
                await api.blame(written.room, "main.md", revision=3, text=True),
                await api.blame(written.room, "main.md", lines=True, start=4, end=5),
            )

    spans, lines = asyncio.run(ask())
    assert spans == written.ask("?revision=3&text=true").json
    assert lines == written.ask("?lines=true&start=4&end=5").json
