"""Replays and stages, asked on a real server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import aiohttp
import orjson
import pytest

from application.past.replay import Step
from domain.instants import as_datetime
from domain.text_op import apply
from interfaces.http import replay as module
from interfaces.http.keys import REPLAY
from interfaces.http.replay import StageAnswer
from interfaces.pyclient.client import Client
from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.past import Past
from tests.interfaces.server_thread import ServerThread, Somebody, eventually


class Lived(NamedTuple):
    """Ada's room, in which she and Ben have typed and talked."""

    ada: Somebody
    ben: Somebody
    room: str

    def lines(self, query: str = "", who: Somebody | None = None) -> list[dict[str, Any]]:
        answer = (who or self.ada).get(f"/api/rooms/{self.room}/replay{query}")
        assert answer.status == 200, answer
        assert answer.headers.get_content_type() == "application/x-ndjson"
        return [orjson.loads(line) for line in answer.body.splitlines()]

    def stage(self, query: str = "") -> dict[str, Any]:
        answer = self.ada.get(f"/api/rooms/{self.room}/stage{query}")
        assert answer.status == 200, answer
        told: dict[str, Any] = answer.json
        return told


def client_of(who: Somebody, room: str) -> Client:
    token = who.headers["Authorization"].removeprefix("Bearer ")
    return Client(who.server.url, room, credentials=Credentials(token=token))


@pytest.fixture(scope="module")
def lived(server: ServerThread) -> Lived:
    ada, ben = server.guest("Ada"), server.guest("Ben")
    assert ben.get("/api/me").status == 200
    room = ada.make_room(**{ben.user: "editor"})

    async def live() -> None:
        async with client_of(ada, room) as first, client_of(ben, room) as second:
            by_ada, by_ben = await first.open("main.md"), await second.open("main.md")
            moved = asyncio.Event()
            second.on("presence", lambda _: moved.set())
            by_ada.insert(0, "Hello")
            await by_ada.saved()
            first.cursor(by_ada, 0, 5)
            first.typing()
            await moved.wait()
            by_ben.insert(0, "Ben: ")
            await by_ben.saved()
            await first.post("Good evening")
            gone = await second.post("A secret")
            await second.delete_message(gone)
            await first.save_revision(by_ada, "Draft")

    asyncio.run(live())
    lived = Lived(ada, ben, room)
    eventually(lambda: lived.lines()[0]["marks"], lambda marks: any(m["kind"] == "named" for m in marks))
    return lived


def events_of(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for line in lines if line["type"] == "step" for event in line["events"]]


def test_a_replay_begins_with_a_stage_and_ends(lived: Lived) -> None:
    begin, *steps, end = lived.lines()
    assert (begin["type"], begin["room"], end["type"]) == ("begin", lived.room, "end")
    assert begin["stage"]["documents"] == begin["stage"]["people"] == begin["stage"]["messages"] == []
    assert begin["from"] == begin["stage"]["at"] < steps[0]["at"]
    assert end["at"] == begin["until"] >= steps[-1]["at"]
    assert {step["type"] for step in steps} == {"step"}
    assert [step["at"] for step in steps] == sorted(step["at"] for step in steps)


def test_everything_that_the_room_was_told_is_in_it(lived: Lived) -> None:
    events = events_of(lived.lines())
    told = {event.get("event") or event["type"] for event in events}
    assert told >= {
        "room_opened", "member_added", "document_listed", "joined", "edit", "presence", "message",
        "message_deleted", "revision_saved", "status", "left",
    }  # fmt: skip
    assert any(event["typing"] for event in events if event.get("type") == "presence")


def test_the_edits_make_the_text(lived: Lived) -> None:
    text = ""
    for event in events_of(lived.lines()):
        if event.get("event") == "edit":
            text = apply(text, event["op"])
    assert text == "Ben: Hello"
    [document] = lived.stage()["documents"]
    assert document == {"document": "main.md", "revision": 2, "text": text, "listed": True}


def test_what_was_deleted_is_not_said_again(lived: Lived) -> None:
    assert b"A secret" not in lived.ada.get(f"/api/rooms/{lived.room}/replay").body
    deleted = [event for event in events_of(lived.lines()) if event.get("event") == "message_deleted"]
    stage = lived.stage(f"?position={deleted[0]['position'] - 1}")
    assert [message["text"] for message in stage["messages"]] == ["Good evening", ""]


def test_the_room_is_shown_as_it_was_when_an_event_had_come(lived: Lived) -> None:
    events = events_of(lived.lines())
    edits = [event for event in events if event.get("event") == "edit"]
    first, second = (lived.stage(f"?position={edit['position']}") for edit in edits)
    assert [stage["documents"][0]["text"] for stage in (first, second)] == ["Hello", "Ben: Hello"]
    assert first["at"] == edits[0]["at"]
    StageAnswer.model_validate(first)
    [ada] = [person for person in second["people"] if person["user"] == lived.ada.user]
    # It has moved with the text that was typed before it; what is exactly at it stays behind.
    assert ada["cursor"] == {"document": "main.md", "revision": 2, "anchor": 0, "head": 10}
    assert ada["typing"]["document"] is None
    assert (ada["name"], ada["status"]) == ("Ada", "editing")


def test_one_goes_on_behind_a_step(lived: Lived) -> None:
    begin, *steps, end = lived.lines()
    middle = steps[len(steps) // 2]
    again, *rest, _ = lived.lines(f"?after={middle['place']}&to={as_datetime(end['at']).isoformat()}")
    assert rest == steps[len(steps) // 2 + 1 :]
    assert again["marks"] == begin["marks"]
    assert again["stage"]["place"] == middle["place"]
    assert lived.stage(f"?at={as_datetime(middle['at']).isoformat()}")["at"] == middle["at"]


def test_marks_are_what_one_may_want_to_go_to(lived: Lived) -> None:
    marks = lived.lines()[0]["marks"]
    assert [(mark["kind"], mark["user"]) for mark in marks if mark["kind"] == "joined"] == [
        ("joined", lived.ada.user),
        ("joined", lived.ben.user),
    ]
    [named] = [mark for mark in marks if mark["kind"] == "named"]
    assert named["text"] == "named revision 2 of main.md “Draft”"
    assert lived.stage(f"?position={named['position']}")["at"] == named["at"]


def test_only_what_was_between_two_moments_is_told(lived: Lived) -> None:
    _, *steps, _ = lived.lines()
    since, until = steps[3]["at"], steps[-3]["at"]
    begin, *between, end = lived.lines(
        f"?from={as_datetime(since).isoformat()}&to={as_datetime(until).isoformat()}"
    )
    assert (begin["from"], end["at"]) == (since, until)
    assert between == steps[4:-2]


def test_before_the_room_began_there_is_nothing(lived: Lived) -> None:
    for query in ("?at=0001-01-01", "?position=0"):
        stage = lived.stage(query)
        assert stage["documents"] == stage["people"] == stage["messages"] == []
    assert [line["type"] for line in lived.lines("?to=1970-01-01")] == ["begin", "end"]
    assert lived.stage("?at=9999-12-31T23:59:59Z")["documents"][0]["revision"] == 2
    assert lived.stage(f"?position={2**53 - 1}")["documents"][0]["revision"] == 2


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("replay?from=2026-01-02&to=2026-01-01", 400),
        ("replay?after=x", 422),
        ("replay?after=1-2", 422),
        (f"replay?after={2**53}-1-1", 422),
        ("replay?from=yesterday", 422),
        ("stage?at=2026-01-01&position=1", 422),
        ("stage?position=-1", 422),
    ],
)
def test_what_makes_no_sense_is_refused(lived: Lived, path: str, status: int) -> None:
    answer = lived.ada.get(f"/api/rooms/{lived.room}/{path}")
    assert (answer.status, answer.json["code"]) == (status, "E_SCHEMA")


def test_who_may_not_read_any_more_gets_no_further(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are removed after the answer has begun."""
    server, carl = lived.ada.server.server, lived.ada.server.guest("Carl")
    assert carl.get("/api/me").status == 200
    path = f"/api/rooms/{lived.room}/members/{carl.user}"
    assert lived.ada.put(path, {"role": "viewer"}).status == 200
    replay = server.app[REPLAY]
    plain = replay.steps

    async def steps(*asked: Any, **more: Any) -> AsyncIterator[Step]:
        number = 0
        async for step in plain(*asked, **more):
            number += 1
            if number == 2:
                await server.services.members.remove(lived.room, carl.user, actor=lived.ada.user)
            yield step

    monkeypatch.setattr(replay, "steps", steps)
    monkeypatch.setattr(module, "CHECK_STEPS", 3)
    *told, last = lived.lines(who=carl)
    assert len([line for line in told if line["type"] == "step"]) <= 3
    assert (last["type"], last["code"]) == ("error", "E_NOT_FOUND")


def test_whoever_goes_away_ends_it(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    replay = lived.ada.server.server.app[REPLAY]
    plain, ended = replay.steps, threading.Event()

    async def steps(*asked: Any, **more: Any) -> AsyncIterator[Step]:
        try:
            while True:  # a room of any length
                async for step in plain(*asked, **more):
                    yield step
        finally:
            ended.set()

    monkeypatch.setattr(replay, "steps", steps)

    async def look() -> None:
        url = f"{lived.ada.server.url}/api/rooms/{lived.room}/replay"
        async with aiohttp.ClientSession() as http, http.get(url, headers=lived.ada.headers) as response:
            assert await response.content.readline()
            assert not ended.is_set()
            response.close()

    asyncio.run(look())
    assert ended.wait(1.0)


def test_the_python_client_reads_it(lived: Lived) -> None:
    token = lived.ada.headers["Authorization"].removeprefix("Bearer ")

    async def read() -> tuple[list[Any], Any]:
        async with Past(lived.ada.server.url, Credentials(token=token)) as past:
            lines = [line async for line in past.replay_lines(lived.room, since=as_datetime(0))]
            return lines, await past.stage(lived.room, position=lines[-2]["events"][-1]["position"])

    lines, stage = asyncio.run(read())
    assert [line["type"] for line in (lines[0], lines[1], lines[-1])] == ["begin", "step", "end"]
    assert stage["documents"][0]["text"] == "Ben: Hello"
