"""The client at the real server: what the model server cannot vouch for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from domain.limits import DOCUMENT_CODE_POINTS
from interfaces.pyclient.client import Client
from interfaces.pyclient.errors import NotSaved, Refused, Stopped
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


async def test_two_people_have_a_conversation(server: ServerProcess) -> None:
    async with client_at(server, "Ada") as ada, client_at(server, "Ben") as ben:
        assert ada.user
        assert ben.user
        document = await ada.open("talk.md", create=True)
        document.insert(0, "Hello 😀 world")
        await document.saved()
        question = await ada.post(f"Is this right, @{ben.user}?", link=document.link(6, 7))
        answer = await ben.post("Yes", reply_to=question)
        await asyncio.gather(ben.react(question, "👍"), ada.react(question, "🎉"), ben.post("and"))
        await asyncio.gather(ada.react(question, "🎉", reacted=False), ben.edit_message(answer, "Nearly"))
        wrong = await ada.post("What?")
        await ada.delete_message(wrong)
        await ben.pin_message(question)
        await until(lambda: ada.messages[-4:] == ben.messages[-4:] and ada.messages[-4]["pinned"] is not None)
        asked, answered, _, deleted = ada.messages[-4:]
        assert asked["reactions"] == {"👍": [ben.user]}
        assert asked["mentions"] == [ben.user]
        assert asked["link"] == {"document": "talk.md", "revision": 1, "start": 6, "end": 7}
        assert (answered["text"], answered["reply_to"], answered["edits"]) == ("Nearly", question, 1)
        assert (deleted["text"], deleted["deleted"] is not None) == ("", True)
        with pytest.raises(Refused, match="E_FORBIDDEN"):
            await ben.edit_message(question, "mine")
        with pytest.raises(Refused, match="E_NOT_FOUND"):
            await ben.react(wrong, "👍")


async def test_what_was_read_is_seen_by_the_others_and_at_one_s_other_places(server: ServerProcess) -> None:
    async with (
        client_at(server, "Ada") as ada,
        client_at(server, "Ben") as ben,
        client_at(server, "Ben", credentials=ben.credentials) as other,
    ):
        assert ben.user
        moved: list[Any] = []
        ada.on("receipts", moved.append)
        unread = ben.unread
        message = await ada.post("read this")
        await until(lambda: ben.unread == other.unread == unread + 1)
        await until(lambda: any(ben.user in notice.pointers for notice in moved))  # delivered, by itself
        assert ada.readers(message) == []
        ben.read(message)
        assert ben.unread == 0
        await until(lambda: other.unread == 0 and ada.readers(message) == [ben.user])
    async with client_at(server, "Ben", credentials=ben.credentials) as later:
        assert later.unread == 0


async def test_revisions_are_saved_and_runs_told(server: ServerProcess) -> None:
    async with client_at(server, "Ada") as ada, client_at(server, "Ben") as ben:
        heard: list[Any] = []
        for kind in ("revision_saved", "run_started", "run_finished"):
            ben.on(kind, heard.append)
        document = await ada.open("saved.py", create=True)
        document.insert(0, "print(1)")
        with pytest.raises(NotSaved):
            ada.save_revision(document)
        await document.saved()
        await ada.save_revision(document, "Draft")
        run = await ada.start_run("saved.py", document)
        await ada.finish_run(run, "passed", 0)
        await until(lambda: len(heard) == 3)
        saved, started, finished = heard
        assert (saved.document, saved.revision, saved.name) == ("saved.py", 1, "Draft")
        assert (started.run, started.client, started.document) == (run, ada.client_id, "saved.py")
        assert (finished.run, finished.outcome, finished.exit_code) == (run, "passed", 0)


async def test_who_is_elsewhere_is_told_that_somebody_speaks_to_them(server: ServerProcess) -> None:
    async with client_at(server, "Ada") as ada, client_at(server, "Ben") as ben:
        room = await ada.api.create_room(everyone="commenter")
        mentioned: list[Any] = []
        ben.on("mentioned", mentioned.append)
        async with client_at(server, "Ada", room=room["room"], credentials=ada.credentials) as there:
            message = await there.post(f"@{ben.user} come here")
            await until(
                lambda: [(each.room, each.message) for each in mentioned] == [(room["room"], message)]
            )


async def test_a_hundred_messages_at_once_are_said_at_the_pace_that_the_server_takes(
    server: ServerProcess,
) -> None:
    """It ends the sockets of who is refused too often."""
    async with client_at(server, "Ada") as ada:
        saying = [ada.post(f"number {number}") for number in range(60)]
        await asyncio.gather(*saying)
        assert [message["text"] for message in ada.messages[-60:]] == [f"number {n}" for n in range(60)]


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


async def test_a_text_that_is_another_than_the_servers_is_taken_afresh(server: ServerProcess) -> None:
    """It never is; so here somebody spoils it."""
    async with client_at(server, "Ada") as ada:
        document = await ada.open("compared.md", create=True)
        document.insert(0, "Hello 😀")
        with pytest.raises(NotSaved):
            document.check()
        await document.saved()
        resets: list[Any] = []
        ada.on("reset", resets.append)
        document.check()
        await ada.post("By then it has been answered.")
        assert resets == []
        replica = ada.session.replica(document.name)
        replica.restart("Hello!!", replica.revision, 1)
        document.check()
        await until(lambda: [reset.text for reset in resets] == ["Hello!!"])
        await until(lambda: document.text == "Hello 😀")
        document.insert(5, ",")
        await document.saved()
        assert document.text == "Hello, 😀"
