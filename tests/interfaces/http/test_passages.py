"""What became of a passage, asked on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import orjson
import pytest

from application.past import edits as paging
from domain.text_op import Op
from interfaces.pyclient.api import Api
from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.errors import Refused
from tests.interfaces.server_thread import Answer, ServerThread, Somebody
from tests.interfaces.written import write

OPS: tuple[Op, ...] = (
    ["The quick fox."],
    [10, "brown "],
    ["Once. "],
    [10, {"d": "quick"}, "slow"],
    ["So: "],
    [14, {"d": "slow brown fox."}],
)


class Written(NamedTuple):
    """A document that Ada and Ben have written in turns: `OPS`."""

    ada: Somebody
    ben: Somebody
    room: str

    def ask(self, query: str, document: str = "main.md") -> Answer:
        return self.ada.get(f"/api/rooms/{self.room}/documents/{document}/watch?{query}")

    def lines(self, query: str, *types: str) -> list[Any]:
        answer = self.ask(query)
        assert answer.status == 200, answer
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        told = [orjson.loads(line) for line in answer.body.splitlines()]
        return [line for line in told if not types or line["type"] in types]


@pytest.fixture(scope="module")
def written(server: ServerThread) -> Written:
    ada, ben = server.guest("Ada"), server.guest("Ben")
    assert ben.get("/api/me").status == 200
    room = ada.make_room(**{ben.user: "editor"})
    for number, op in enumerate(OPS):
        write(ben if number % 2 else ada, room, op)
    return Written(ada, ben, room)


def test_a_passage_is_followed_back_to_where_it_began_and_on_to_where_it_is_gone(written: Written) -> None:
    lines = written.lines("revision=3&start=10&end=25")
    assert lines[0] == {
        "type": "passage",
        "revision": 3,
        "start": 10,
        "end": 25,
        "text": "quick brown fox",
        "present": 6,
    }
    told = [(line["type"], line["direction"], line["revision"]) for line in lines[1:]]
    assert [one for one in told if one[0] != "progress"] == [
        ("edit", "back", 2),
        ("edit", "back", 1),
        ("end", "back", 0),
        ("edit", "forward", 4),
        ("edit", "forward", 6),
        ("end", "forward", 6),
    ]
    assert [line["why"] for line in lines if line["type"] == "end"] == ["began", "gone"]


def test_an_edit_is_told_with_its_author_and_what_it_did_there(written: Written) -> None:
    [edit] = written.lines("revision=3&start=4&end=25&direction=forward&limit=1", "edit")
    assert edit.pop("at") > 0
    assert edit == {
        "type": "edit",
        "direction": "forward",
        "revision": 4,
        "user": written.ben.user,
        "client": f"{written.ben.user}-1",
        "cause": "typed",
        "before": {"start": 4, "end": 25},
        "after": {"start": 4, "end": 24},
        "inserted": 4,
        "deleted": 5,
        "pieces": [
            {"kind": "kept", "text": ". The ", "length": 6},
            {"kind": "deleted", "text": "quick", "length": 5},
            {"kind": "inserted", "text": "slow", "length": 4},
            {"kind": "kept", "text": " brown fox", "length": 10},
        ],
    }


def test_what_is_left_out_by_the_limit_is_asked_for_from_where_it_ended(written: Written) -> None:
    first = written.lines("revision=3&start=10&end=25&direction=back&limit=1", "edit", "end")
    assert [line["type"] for line in first] == ["edit", "end"]
    assert first[1]["why"] == "limit"
    there = "&".join(f"{name}={first[1][name]}" for name in ("revision", "start", "end"))
    second = written.lines(f"{there}&direction=back", "edit", "end")
    assert [line["revision"] for line in first + second] == [2, 1, 1, 0]
    assert second[-1]["why"] == "began"


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("start=0", 422, "end"),
        ("start=3&end=3", 422, "end"),
        ("start=0&end=1000", 422, "end"),
        ("start=-1&end=2", 422, "start"),
        ("start=0&end=1&revision=0", 422, "end"),
        ("start=0&end=1&direction=up", 422, "direction"),
        ("start=0&end=1&limit=0", 422, "limit"),
        ("start=0&end=1&limit=1001", 422, "limit"),
    ],
)
def test_a_passage_that_is_none_is_refused(written: Written, query: str, status: int, field: str) -> None:
    answer = written.ask(query)
    assert (answer.status, answer.json["code"], answer.json["field"]) == (status, "E_SCHEMA", field)


def test_a_document_or_revision_that_there_is_not_is_not_found(written: Written) -> None:
    assert written.ask("start=0&end=1", "other.md").status == 404
    assert written.ask("start=0&end=1", "no..id").status == 404
    assert written.ask("start=0&end=1&revision=7").status == 404


async def test_a_program_is_told_line_by_line(written: Written) -> None:
    async with api(written.ada) as asked:
        lines = [line async for line in asked.watch(written.room, "main.md", 0, 14, direction="back")]
        assert [line["type"] for line in lines if line["type"] != "progress"] == [
            "passage",
            "edit",
            "edit",
            "edit",
            "end",
        ]
        with pytest.raises(Refused, match="E_SCHEMA"):
            await anext(aiter(asked.watch(written.room, "main.md", 0, 0)))


def api(who: Somebody) -> Api:
    token = who.headers["Authorization"].removeprefix("Bearer ")
    return Api(who.server.url, Credentials(token=token))


async def test_who_is_removed_meanwhile_is_told_no_more(
    server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer breaks off where the right to read is looked at again."""
    ada, ben = server.guest("Ada"), server.guest("Ben")
    assert ben.get("/api/me").status == 200
    room = ada.make_room(**{ben.user: "viewer"})
    typed: Op = [5, "x"]
    write(ada, room, ["Hello"], *(40 * [typed]))
    monkeypatch.setattr(paging, "PAGE_EDITS", 1)
    reached, go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    history = server.server.node.history
    edits = type(history).edits

    async def held(self: Any, stream: str, after: int, until: int) -> Any:
        if after == 20:
            loop.call_soon_threadsafe(reached.set)
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(go.wait(), loop))
        return await edits(self, stream, after, until)

    monkeypatch.setattr(type(history), "edits", held)
    async with api(ben) as asked:
        lines = asked.watch(room, "main.md", 0, 5, revision=1, direction="forward")
        heard = asyncio.ensure_future(everything(lines))
        await reached.wait()
        removed = await asyncio.to_thread(ada.delete, f"/api/rooms/{room}/members/{ben.user}")
        assert removed.status == 204
        go.set()
        with pytest.raises(Refused, match="E_NOT_FOUND"):
            await heard


async def everything(lines: AsyncIterator[Any]) -> list[Any]:
    return [line async for line in lines]
