"""Taking edits back, restoring, branching and merging while others go on typing, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from interfaces.pyclient.client import Client
from interfaces.pyclient.document import ClientDocument
from interfaces.pyclient.errors import Refused
from tests.servers import ServerProcess, running_server
from tests.waiting import until

pytestmark = pytest.mark.slow

DOCUMENT = "main.md"


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server() as server:
        yield server


class Place:
    """A room of Ada's with one document, and whoever comes into it."""

    def __init__(self, server: ServerProcess, stack: AsyncExitStack) -> None:
        self.server = server
        self.room = ""
        self._stack = stack

    async def begin(self) -> tuple[Client, ClientDocument]:
        lobby = await self._stack.enter_async_context(Client(self.server.url, "demo", name="Ada"))
        self.room = (await lobby.api.create_room(everyone="editor"))["room"]
        return await self.come(lobby)

    async def come(self, like: Client | str) -> tuple[Client, ClientDocument]:
        """Another client of the same user, or somebody new."""
        who: Any = {"name": like} if isinstance(like, str) else {"credentials": like.credentials}
        client = await self._stack.enter_async_context(Client(self.server.url, self.room, **who))
        return client, await client.open(DOCUMENT, create=True)


@pytest.fixture
async def place(server: ServerProcess) -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        yield Place(server, stack)


async def type_in(document: ClientDocument, position: int, text: str) -> None:
    document.insert(position, text)
    await document.saved()


async def same(*documents: ClientDocument) -> str:
    """The text, once all have the same, with nothing on its way."""
    await until(
        lambda: (
            len({(document.revision, document.text) for document in documents}) == 1
            and all(document.is_saved for document in documents)
        )
    )
    return documents[0].text


async def pause() -> None:
    """Longer than between two letters of one step: by the server's clock, for which nothing else can be
    waited.
    """
    await asyncio.sleep(1.1)


async def test_own_steps_are_taken_back_over_a_reload_and_from_another_client(place: Place) -> None:
    ada, hers = await place.begin()
    _, his = await place.come("Ben")
    await type_in(hers, 0, "first ")
    await pause()
    await type_in(his, 6, "BEN ")
    await type_in(hers, 10, "second ")
    await same(hers, his)
    hers.insert(0, "unsaved ")  # it is waited for, and part of the step
    revision = await hers.undo()
    assert revision == hers.revision
    assert await same(hers, his) == "first BEN "
    await ada.close()

    _, reloaded = await place.come(ada)
    assert await reloaded.undo() is not None
    assert await same(reloaded, his) == "BEN "
    assert await reloaded.undo() is None
    other, elsewhere = await place.come(ada)
    assert await elsewhere.redo() is not None
    assert await same(reloaded, elsewhere, his) == "first BEN "
    assert await reloaded.redo() is not None
    assert await same(reloaded, elsewhere, his) == "unsaved first BEN second "
    assert await elsewhere.redo() is None
    assert other.user == ada.user


async def test_undo_is_asked_again_after_the_socket_is_gone(place: Place) -> None:
    ada, hers = await place.begin()
    await type_in(hers, 0, "one ")
    await pause()
    await type_in(hers, 4, "two")
    asked = asyncio.ensure_future(hers.undo())
    await asyncio.sleep(0)
    ada.connection.give_up()
    await asked
    await until(lambda: hers.revision == 3)  # told by whichever socket, when it is there again
    assert hers.text == "one "


async def test_a_span_of_time_of_somebody_else_is_taken_back_while_the_other_types(place: Place) -> None:
    ada, hers = await place.begin()
    ben, his = await place.come("Ben")
    await type_in(hers, 0, "Title\n\nBody\n")
    await same(hers, his)
    began = datetime.now(UTC)
    await type_in(his, 5, " (spam)")
    await type_in(his, len(his.text), "More spam\n")
    await same(hers, his)
    assert ben.user
    selected: Any = {"user": ben.user, "since": began, "until": datetime.now(UTC)}
    preview = await ada.api.preview_undo(place.room, DOCUMENT, **selected)
    assert preview["edits"] == {ben.user: 2}
    assert "-Title (spam)\n+Title\n" in preview["diff"]
    assert "-More spam\n" in preview["diff"]

    is_done = asyncio.Event()

    async def go_on() -> None:
        while not is_done.is_set():
            hers.insert(hers.text.index("Body"), "x")
            await asyncio.sleep(0.005)

    typing = asyncio.ensure_future(go_on())
    done = await ada.api.undo(place.room, DOCUMENT, **selected)
    is_done.set()
    await typing
    assert done["edits"] == 2
    text = await same(hers, his)
    typed = text.count("x")
    assert typed > 0
    assert text == f"Title\n\n{'x' * typed}Body\n"
    found = await ada.api.document(place.room, DOCUMENT)
    assert (found["text"], found["revision"]) == (text, hers.revision)


async def test_who_may_only_read_is_refused_and_nobody_hears_of_it(place: Place) -> None:
    ada, hers = await place.begin()
    ben, his = await place.come("Ben")
    await type_in(his, 0, "Ben's")
    await same(hers, his)
    assert ben.user
    await ada.api.put_member(place.room, ben.user, "viewer")
    heard: list[Any] = []
    ada.on("edit", heard.append)
    with pytest.raises(Refused, match="E_FORBIDDEN"):
        await his.undo()
    with pytest.raises(Refused, match="E_FORBIDDEN"):
        await his.redo()
    api = ben.api
    for asked in (
        api.undo_mine(place.room, DOCUMENT),
        api.redo_mine(place.room, DOCUMENT),
        api.undo(place.room, DOCUMENT, first=1),
        api.preview_undo(place.room, DOCUMENT, first=1),
        api.restore(place.room, DOCUMENT, 0),
        api.start_branch(place.room, DOCUMENT, "b.md"),
        api.merge(place.room, DOCUMENT),
    ):
        with pytest.raises(Refused, match="E_FORBIDDEN"):
            await asked
    await type_in(hers, 0, "Not ")
    assert (await same(hers, his), heard) == ("Not Ben's", [])
    assert (hers.revision, ada.session.documents) == (2, {DOCUMENT})


async def test_a_text_is_restored_while_others_type(place: Place) -> None:
    ada, hers = await place.begin()
    ben, his = await place.come("Ben")
    await type_in(hers, 0, "one\ntwo\nthree\n")
    hers.delete(4, 4)
    await hers.saved()
    await same(hers, his)
    his.insert(len(his.text), "Ben types ")
    restored = asyncio.ensure_future(ada.api.restore(place.room, DOCUMENT, 1))
    his.insert(len(his.text), "on")
    assert (await restored)["revision"] is not None
    text = await same(hers, his)
    # What came before the restore is not in the text of then; what came while it was on its way stays.
    assert text.startswith("one\ntwo\nthree\n")
    assert "Ben types on".endswith(text.removeprefix("one\ntwo\nthree\n"))
    blame = await ben.api.blame(place.room, DOCUMENT, lines=True, text=True)
    assert blame["lines"][1]["author"] == ada.user
    assert blame["lines"][1]["revision"] == 1
    assert await hers.undo() is not None
    assert "two" not in await same(hers, his)


async def test_a_branch_and_what_it_has_left_are_edited_and_merged(place: Place) -> None:
    ada, hers = await place.begin()
    ben, his = await place.come("Ben")
    await type_in(hers, 0, "one\ntwo\nthree\n")
    await same(hers, his)
    made = await ben.api.start_branch(place.room, DOCUMENT, "branch.md")
    assert (made["source"], made["revision"]) == (DOCUMENT, 1)
    branch = await ben.open("branch.md")
    assert branch.text == "one\ntwo\nthree\n"
    await type_in(branch, 7, " and a half")
    await type_in(hers, 0, "zero\n")
    merged = await ben.api.merge(place.room, "branch.md")
    assert merged["document"] == DOCUMENT
    assert await same(hers, his) == "zero\none\ntwo and a half\nthree\n"
    await type_in(branch, 4, "<")
    await ben.api.merge(place.room, "branch.md")
    assert await same(hers, his) == "zero\none\n<two and a half\nthree\n"
    assert (await ben.api.merge(place.room, "branch.md"))["revision"] is None
    spans = (await ada.api.blame(place.room, DOCUMENT, by="author", text=True))["spans"]
    text = hers.text
    told = [(text[span["start"] : span["end"]], span["author"]) for span in spans]
    assert told == [
        ("zero\none\n", ada.user),
        ("<", ben.user),
        ("two", ada.user),
        (" and a half", ben.user),
        ("\nthree\n", ada.user),
    ]
    whole = (await ben.api.blame(place.room, "branch.md", by="author"))["spans"]
    assert {span["author"] for span in whole} == {ada.user, ben.user}


async def test_what_is_done_is_told_in_lines(place: Place) -> None:
    ada, hers = await place.begin()
    await type_in(hers, 0, "one ")
    await hers.undo()
    await ada.api.restore(place.room, DOCUMENT, 1)
    await ada.api.start_branch(place.room, DOCUMENT, "b.md", revision=3)
    branch = await ada.open("b.md")
    await type_in(branch, 0, "b")
    await ada.api.merge(place.room, "b.md")
    lines: list[str] = []
    async with asyncio.timeout(20):
        while not any(line.startswith("merged") for line in lines):
            page = await ada.api.activity(place.room)
            lines = [line["line"] for line in page["lines"]]
            await asyncio.sleep(0.05)
    told = "\n".join(lines)
    assert "undid 1 edit in main.md: " in told
    assert "restored main.md to revision 1: " in told
    assert "branched b.md from main.md at revision 3" in told
    assert "merged b.md into main.md: " in told
