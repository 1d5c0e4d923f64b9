"""The moment of a character, asked on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from interfaces.http.chat_bodies import CHAT_PAGE_MAX
from interfaces.http.moment import MomentAnswer
from interfaces.pyclient.client import Client
from interfaces.pyclient.credentials import Credentials
from tests.interfaces.http.test_passages import api
from tests.interfaces.server_thread import Answer, ServerThread, Somebody, eventually
from tests.interfaces.written import write


class Lived(NamedTuple):
    """A room in which Ada writes "Hello world" in two edits, between two messages, while Ben looks on with
    his cursor behind "Hello", and has another document open beside it; Ben takes "Hello" away afterwards.
    """

    ada: Somebody
    ben: Somebody
    room: str

    def ask(self, query: str, document: str = "main.md") -> Answer:
        return self.ada.get(f"/api/rooms/{self.room}/documents/{document}/moment?{query}")

    def told(self, query: str) -> Any:
        answer = self.ask(query)
        assert answer.status == 200, answer
        MomentAnswer.model_validate_json(answer.body)
        return answer.json


def client(who: Somebody, room: str) -> Client:
    token = who.headers["Authorization"].removeprefix("Bearer ")
    return Client(who.server.url, room, credentials=Credentials(token=token))


@pytest.fixture(scope="module")
def lived(server: ServerThread) -> Lived:
    ada, ben = server.guest("Ada"), server.guest("Ben")
    assert ben.get("/api/me").status == 200
    room = ada.make_room(**{ben.user: "editor"})
    asyncio.run(live(ada, ben, room))
    lived = Lived(ada, ben, room)
    after = "position=8&revision=2"
    eventually(
        lambda: lived.told(after), lambda told: told["messages"]["after"] and told["activity"]["after"]
    )
    return lived


async def so(client: Client, kind: str, is_so: Callable[[], object]) -> None:
    """Wait for a notice after which it is so."""
    told = asyncio.Event()
    stop = client.on(kind, lambda _: told.set())
    async with asyncio.timeout(20):
        while not is_so():
            await told.wait()
            told.clear()
    stop()


async def live(ada: Somebody, ben: Somebody, room: str) -> None:
    async with client(ada, room) as hers, client(ben, room) as his:
        text = await hers.open("main.md")
        text.insert(0, "Hello")
        await text.saved()
        other = await his.open("other.md", create=True)
        other.insert(0, "beside")
        await other.saved()
        copy = await his.open("main.md")
        his.cursor(copy, 5, 5)
        await so(hers, "presence", lambda: text.cursors)
        await hers.post("Now.")
        text.insert(5, " world")
        await text.saved()
        await his.post("Done?")
        await so(his, "edit", lambda: len(copy) == 11)
        copy.delete(0, 6)
        await copy.saved()


def test_who_wrote_a_character_is_told_with_what_the_edit_did(lived: Lived) -> None:
    told = lived.told("position=0")
    assert (told["document"], told["revision"], told["user"]) == ("main.md", 2, lived.ada.user)
    assert (told["cause"], told["inserted"], told["deleted"]) == ("typed", 6, 0)
    assert told["written"] == {"document": "main.md", "revision": 2, "position": 6, "text": "w"}
    assert told["pieces"] == [
        {"kind": "kept", "text": "Hello", "length": 5},
        {"kind": "inserted", "text": " world", "length": 6},
    ]
    assert lived.told("position=0&revision=2")["revision"] == 1


def test_the_room_is_told_as_it_was_then(lived: Lived) -> None:
    """Who was here and where their cursors stood, and how far each document had come."""
    told = lived.told("position=0")
    people = {person["user"]: person for person in told["people"]}
    assert set(people) == {lived.ada.user, lived.ben.user}
    cursor = people[lived.ben.user]["cursor"]
    assert (cursor["document"], cursor["revision"], cursor["anchor"]) == ("main.md", 2, 5)
    assert people[lived.ada.user]["name"] == "Ada"
    assert told["documents"] == [
        {"document": "main.md", "revision": 2, "listed": True},
        {"document": "other.md", "revision": 1, "listed": True},
    ]
    first = lived.told("revision=1")
    assert [document["document"] for document in first["documents"]] == ["main.md"]


def test_what_was_said_and_done_before_and_after_is_told(lived: Lived) -> None:
    told = lived.told("position=0")
    assert [message["text"] for message in told["messages"]["before"]] == ["Now."]
    assert [message["text"] for message in told["messages"]["after"]] == ["Done?"]
    before = told["activity"]["before"]
    assert [line["kind"] for line in before][-1] == "said"
    assert all(line["id"] <= told["log_position"] for line in before)
    assert [line["id"] for line in before] == sorted(line["id"] for line in before)
    after = told["activity"]["after"]
    assert after[0]["text"] == "Done?"
    assert all(line["id"] > told["log_position"] for line in after)
    last = lived.told("position=0&around=1")["activity"]["before"]
    assert last == before[-1:]


def test_the_moment_of_a_revision_is_that_of_its_edit(lived: Lived) -> None:
    told = lived.told("revision=3")
    assert (told["user"], told["deleted"], told["written"]) == (lived.ben.user, 6, None)
    assert [(piece["kind"], piece["text"]) for piece in told["pieces"]] == [
        ("deleted", "Hello "),
        ("kept", "world"),
    ]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("", 422, "position"),
        ("position=5", 422, "position"),
        ("position=0&revision=0", 422, "position"),
        ("position=-1", 422, "position"),
        ("position=0&around=0", 422, "around"),
        (f"position=0&around={CHAT_PAGE_MAX + 1}", 422, "around"),
    ],
)
def test_what_is_no_moment_is_refused(lived: Lived, query: str, status: int, field: str) -> None:
    answer = lived.ask(query)
    assert (answer.status, answer.json["code"], answer.json["field"]) == (status, "E_SCHEMA", field)


def test_what_there_is_not_is_not_found(lived: Lived) -> None:
    assert lived.ask("revision=0").status == 404
    assert lived.ask("revision=4").status == 404
    assert lived.ask("position=0&revision=4").status == 404
    assert lived.ask("position=0", "nothing.md").status == 404


def test_a_room_of_which_the_presence_is_gone_is_still_told(server: ServerThread) -> None:
    """What was written over HTTP, or so long ago that nobody knows of cursors any more."""
    ada = server.guest("Ada")
    room = ada.make_room()
    write(ada, room, ["Hello"])
    told = ada.get(f"/api/rooms/{room}/documents/main.md/moment?position=4").json
    assert (told["people"], told["written"]["position"]) == ([], 4)


async def test_a_program_asks_for_it(lived: Lived) -> None:
    async with api(lived.ben) as asked:
        told = await asked.moment(lived.room, "main.md", position=0, around=1)
        assert told["written"]["text"] == "w"
        assert len(told["activity"]["before"]) == 1
        assert (await asked.moment(lived.room, "main.md", revision=1))["user"] == lived.ada.user
