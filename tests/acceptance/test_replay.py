"""A room's past played on a real server, over real sockets, while others go on: to each viewer at their own
place, and every text as it was.

The past is two recorded sessions and one of twenty people typing at once. What is seen is compared with what
the plain algebra makes of the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from domain.ids import document_stream
from domain.text_op import apply
from infrastructure.embedded_postgres import find_running
from interfaces.cli.store import reading
from interfaces.load.run import LoadRun
from interfaces.load.traces import read
from interfaces.pyclient.client import Client
from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.errors import Refused
from interfaces.pyclient.past import Past
from interfaces.pyclient.replay import Replay
from tests.servers import ServerProcess, running_server

pytestmark = pytest.mark.slow

TRACES: Final = Path(__file__).parents[1] / "traces"
ROOM: Final = "replayed"
LINES: Final = 1_500

NO_LIMITS: Final[dict[str, Any]] = {"edits_per_second": 100_000, "frames_per_second": 200_000}

Texts = dict[str, list[str]]


async def live(url: str) -> None:
    run = LoadRun([url], ROOM)
    run.add_trace(read(TRACES / "clownschool.jsonl.gz", LINES), "clownschool")
    run.add_trace(read(TRACES / "books-ja.jsonl.gz"), "books-ja")
    run.add_typing(20, 20, "typing", seed="a replay")
    pointing: list[asyncio.Future[None]] = []

    def on_progress(edits: int) -> None:
        if edits > 300 and not pointing:
            pointing.append(asyncio.ensure_future(point(url)))

    await run.run(on_progress)
    assert not pointing[0].done(), pointing[0]
    pointing[0].cancel()
    await asyncio.wait(pointing)


async def point(url: str) -> None:
    """Somebody who follows with the cursor what the others type."""
    async with Client(url, ROOM, name="Pointer") as client:
        document = await client.open("clownschool")
        while True:
            client.cursor(document, len(document) // 2, len(document))
            await asyncio.sleep(0.03)


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server(**NO_LIMITS) as server:
        asyncio.run(live(server.url))
        yield server


@pytest.fixture(scope="module")
def texts(server: ServerProcess) -> Texts:
    """Every text that there was, by document and revision."""
    dsn = find_running(server.folder)
    assert dsn is not None

    async def fold() -> Texts:
        texts: Texts = {}
        async with reading(dsn) as (history, _):
            for name in ("clownschool", "books-ja", "typing"):
                stream = document_stream(ROOM, name)
                document = await history.load(stream)
                assert document is not None
                known = texts[name] = [""]
                for edit in await history.edits(stream, 0, document.revision):
                    known.append(apply(known[-1], edit.op))
        return texts

    return asyncio.run(fold())


class Seen:
    """What somebody knows who has seen a stage, and the steps behind it."""

    def __init__(self, stage: dict[str, Any]) -> None:
        self.cursors = 0
        self._begin(stage)

    def _begin(self, stage: dict[str, Any]) -> None:
        self.texts = {each["document"]: each["text"] for each in stage["documents"]}
        self.revisions = {each["document"]: each["revision"] for each in stage["documents"]}
        self.here = {person["client"] for person in stage["people"]}

    def see(self, told: dict[str, Any]) -> None:
        if "stage" in told:
            self._begin(told["stage"])
        for step in told.get("steps", ()):
            for event in step["events"]:
                self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        match event.get("event"):
            case "edit":
                name = event["document"]
                self.revisions[name] = self.revisions.get(name, 0) + 1
                assert self.revisions[name] == event["revision"]
                self.texts[name] = apply(self.texts.get(name, ""), event["op"])
            case "joined":
                self.here.add(event["client"])
            case "left":
                self.here.discard(event["client"])
            case None:
                self._show(event["moves"])
            case _:
                pass

    def _show(self, moves: list[dict[str, Any]]) -> None:
        for move in moves:
            if move["anchor"] is not None:
                self.cursors += 1
                assert move["revision"] == self.revisions[move["document"]]
                assert max(move["anchor"], move["head"]) <= len(self.texts[move["document"]])

    def check(self, texts: Texts) -> None:
        for name, text in self.texts.items():
            if name in texts and self.revisions[name] < len(texts[name]):
                assert text == texts[name][self.revisions[name]]


def client_at(server: ServerProcess, name: str) -> Client:
    return Client(server.url, ROOM, name=name)


async def test_each_step_shows_the_texts_of_its_revisions(server: ServerProcess, texts: Texts) -> None:
    async with Past(server.url, Credentials(name="Reader")) as past:
        lines = past.replay_lines(ROOM)
        seen = Seen((await anext(lines))["stage"])
        places = []
        async for line in lines:
            if line["type"] == "step":
                seen.see({"steps": [line]})
                seen.check(texts)
                places.append((line["place"], dict(seen.revisions), set(seen.here)))
        assert {name: len(known) - 1 for name, known in texts.items()} == {
            name: seen.revisions[name] for name in texts
        }
        assert seen.cursors > 0
        for place, revisions, here in places[:: len(places) // 20]:
            async for line in past.replay_lines(ROOM, after=place):
                stage = line["stage"]
                assert {each["document"]: each["revision"] for each in stage["documents"]} == revisions
                assert {person["client"] for person in stage["people"]} == here
                Seen(stage).check(texts)
                break


async def watch(replay: Replay, seen: Seen, texts: Texts, *, frames: int | None = None) -> None:
    """So many frames, or to its end."""
    async for told in replay:
        seen.see(told)
        seen.check(texts)
        if frames is not None:
            frames -= 1
            if not frames:
                return
        elif not told["playing"] and told["at"] >= replay.beginning["until"]:
            return


async def test_viewers_are_at_their_own_places_while_others_type(server: ServerProcess, texts: Texts) -> None:
    last = {name: len(known) - 1 for name, known in texts.items()}

    async def type_on(client: Client) -> None:
        document = await client.open("typing")
        while True:
            document.insert(0, "x")
            await document.saved()

    async def look(client: Client, part: float) -> Seen:
        replay = await client.replay(speed=64)
        begin, until = replay.beginning["from"], replay.beginning["until"]
        seen = Seen(replay.beginning["stage"])
        await replay.seek(int(begin + (until - begin) * part))
        await watch(replay, seen, texts, frames=1)
        await replay.step(5)
        await watch(replay, seen, texts, frames=1)
        there = dict(seen.revisions)
        await replay.step(-3)
        await watch(replay, seen, texts, frames=1)
        assert sum(seen.revisions.values()) < sum(there.values())
        await replay.step(3)
        await watch(replay, seen, texts, frames=1)
        assert seen.revisions == there
        await replay.play()
        await watch(replay, seen, texts)
        await replay.close()
        return seen

    async with client_at(server, "Ada") as ada, client_at(server, "Ben") as ben:
        typing = [asyncio.ensure_future(type_on(client)) for client in (ada, ben)]
        viewers = [client_at(server, f"Viewer {number}") for number in range(5)]
        for viewer in viewers:
            await viewer.start()
        try:
            async with asyncio.timeout(240):
                found = await asyncio.gather(
                    *(look(viewer, (number + 1) / 7) for number, viewer in enumerate(viewers))
                )
        finally:
            for task in typing:
                task.cancel()
            await asyncio.wait(typing)
            for viewer in viewers:
                await viewer.close()
        assert not any(task.done() and not task.cancelled() for task in typing)
    for seen in found:
        assert all(seen.revisions[name] >= revision for name, revision in last.items())


async def test_a_replay_goes_on_where_it_was_when_the_connection_is_back(
    server: ServerProcess, texts: Texts
) -> None:
    async with client_at(server, "Viewer") as viewer:
        replay = await viewer.replay(speed=1)
        seen = Seen(replay.beginning["stage"])
        begin, until = replay.beginning["from"], replay.beginning["until"]
        await replay.seek((begin + until) // 2)
        await replay.play()
        await watch(replay, seen, texts, frames=3)
        at = replay.at
        viewer.connection.give_up()  # as a network does
        async with asyncio.timeout(60):
            async for told in replay:
                seen.see(told)
                seen.check(texts)
                if "stage" in told:
                    assert told["at"] == pytest.approx(at, abs=5_000_000)
                elif told.get("steps"):
                    break
        await replay.close()
        with pytest.raises(Refused, match="E_NOT_JOINED"):
            await replay.play()
