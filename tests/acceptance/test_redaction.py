"""A secret is removed from a room in which people type on, and a person is erased from it: nothing of either
is left, anywhere, and everybody goes on.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from infrastructure.embedded_postgres import find_binaries, find_running
from interfaces.pyclient.client import Client
from tests.acceptance.typists import typing, typists
from tests.guests import Guest, guest
from tests.servers import ServerProcess, running_server
from tests.waiting import until

ROOM: Final = "load"
PEOPLE: Final = 8

# It is typed letter by letter, and in no word of the product.
SECRET: Final = "Xq7zPw9vKj"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ServerProcess]:
    with running_server(requests_per_second=1_000) as server:
        yield server


def dump(server: ServerProcess) -> bytes:
    """The whole database, as Postgres' own tool writes it."""
    dsn = find_running(Path(server.environment["CHRONOSCRIBE_DATA"]))
    assert dsn is not None
    tool = find_binaries() / "pg_dump"
    done = subprocess.run([tool, "--inserts", dsn], capture_output=True, check=True, timeout=60)
    return done.stdout


def holds(found: bytes, text: str) -> bool:
    """As text, or as the bytes of a state."""
    return text.encode() in found or text.encode().hex().encode() in found


class Room:
    """What an owner does in it, over HTTP."""

    def __init__(self, server: ServerProcess, owner: Guest) -> None:
        self.server = server
        self.owner = owner

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        return await asyncio.to_thread(self.owner.ask, method, f"/api/rooms/{ROOM}{path}", body)

    async def run(self, *arguments: str) -> str:
        done = await asyncio.to_thread(self.server.run, *arguments)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


@pytest_asyncio.fixture
async def room(server: ServerProcess) -> Room:
    owner = await asyncio.to_thread(guest, server.url, "Olga")
    await asyncio.to_thread(owner.create_room, ROOM)
    return Room(server, owner)


async def type_secret(client: Client) -> None:
    """Letter by letter at the beginning, where nobody else puts anything between."""
    document = await client.open("secrets.md", create=True)
    for place, letter in enumerate(SECRET):
        document.insert(place, letter)
        await document.saved()
    client.post(f"it is {SECRET}, see secrets.md")


@pytest.mark.slow
async def test_a_secret_is_nowhere_after_it_was_removed_while_people_typed(
    room: Room, server: ServerProcess, tmp_path: Path
) -> None:
    async with typists([[server.url]] * PEOPLE, 7, room=ROOM) as people:
        away = Client(server.url, ROOM, name="Away", client_id="away")
        await away.start()
        kept = await away.open("secrets.md", create=True)
        async with typing(people):
            await type_secret(people[0].client)
            await until(lambda: kept.text == SECRET)
            copied = await people[1].client.open("copied.md", create=True)
            copied.insert(0, f"<{SECRET}>")
            await copied.saved()
            copied.delete(0, 4)
            await copied.saved()
            before = await asyncio.to_thread(dump, server)
            assert holds(before, SECRET)  # else it would be found nowhere ever
            end = await away.close()
            assert end == []
            made = await room.ask("POST", "/redactions", {"phrase": SECRET, "reason": "a password"})
            await asyncio.sleep(0.3)  # while they type on
        assert made["documents"] == ["copied.md", "secrets.md"]
        assert len(made["messages"]) == 1
        await until(lambda: all(typist.is_saved for typist in people))
        texts = [await person.client.open("secrets.md") for person in people]
        await until(lambda: {text.text for text in texts} == {"█" * len(SECRET)})

        # Who was away comes back with what it had, and goes on.
        async with Client(server.url, ROOM, name="Away", client_id="away-2") as back:
            again = await back.open("secrets.md")
            assert again.text == "█" * len(SECRET)
            again.insert(len(SECRET), " and on")
            await again.saved()
        await until(lambda: all(text.text.endswith(" and on") for text in texts))

        text = (await room.ask("GET", "/documents/copied.md?revision=1"))["text"]
        assert text == f"<{'█' * len(SECRET)}>"
        blame = await room.ask("GET", "/documents/secrets.md/blame")
        assert {span["author"] for span in blame["spans"][:1]} <= {room.owner.user, people[0].client.user}
        said = await room.run("verify", "--json")
        verdict = json.loads(said)
        assert verdict["sound"]
        assert verdict["redacted"] == made["events"]
        assert "a password" in await room.run("redactions", ROOM)

        backup, events, page = tmp_path / "backup", tmp_path / "events.jsonl", tmp_path / "replay.html"
        await room.run("backup", str(backup))
        await room.run("export", ROOM, "--out", str(events))
        await room.run("replay", ROOM, "--html", str(page))
        for found in (dump(server), backup.read_bytes(), events.read_bytes(), page.read_bytes()):
            assert not holds(found, SECRET)
        assert "█" in page.read_text()


@pytest.mark.slow
async def test_who_is_erased_is_nowhere_and_the_others_go_on(
    room: Room, server: ServerProcess, tmp_path: Path
) -> None:
    await room.ask("PATCH", "", {"sealed": True})
    name = "Zacharias Quill"
    async with typists([[server.url]] * 3, 8, room=ROOM) as people:
        gone = Client(server.url, ROOM, name=name, client_id="gone")
        await gone.start()
        user = gone.user
        assert user is not None
        document = await gone.open("notes.md", create=True)
        document.insert(0, "Quillish prose of mine. ")
        await document.saved()
        gone.post("Quillish words")
        other = await people[0].client.open("notes.md")
        await until(lambda: len(other) > 0)
        other.delete(0, 8)
        await other.saved()
        await gone.close()
        async with asyncio.timeout(20):
            while user not in {one["author"] for one in (await room.ask("GET", "/messages"))["messages"]}:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert holds(
            await asyncio.to_thread(dump, server), "Zacharias"
        )  # else it would be found nowhere ever
        async with typing(people):
            certificate = tmp_path / "certificate.json"
            arguments = ("erase", user, "--reason", "asked for it", "--as", "root", "--yes")
            await room.run(*arguments, "--certificate", str(certificate))
        told = json.loads(certificate.read_text())
        assert (told["user"], [key["room"] for key in told["keys"]]) == (user, [ROOM])
        said = await room.run("verify", "--certificate", str(certificate))
        assert f"all that {user} has written was removed" in said
        assert "1 key destroyed" in said
        await until(lambda: all(typist.is_saved for typist in people))
        await until(lambda: "prose" not in other.text)
        assert json.loads(await room.run("verify", "--json"))["sound"]
        found = dump(server)
        assert not holds(found, "Quillish")
        assert not holds(found, "Zacharias")
