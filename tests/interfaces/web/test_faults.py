"""A killed server, a network that is gone, a page that is loaded again: nothing that was typed is lost."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.guests import Guest, guest
from tests.interfaces.web.windows import Profiles, Windows
from tests.servers import ServerProcess, running_server


@pytest.fixture(scope="module")
def mortal() -> Iterator[ServerProcess]:
    """A server that these tests may kill."""
    with running_server(requests_per_second=1_000) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def beside(profiles: Profiles, mortal: ServerProcess) -> AsyncIterator[Windows]:
    opened = Windows(profiles, mortal.url)
    yield opened
    faults = opened.faults
    await opened.close()
    assert faults == []


@pytest.fixture
def keeper(mortal: ServerProcess) -> Guest:
    return guest(mortal.url, "Olga")


def make_room(keeper: Guest, room: str) -> None:
    keeper.create_room(room)
    keeper.ask("POST", f"/api/rooms/{room}/documents", {"document": "main.md"})


def stored(keeper: Guest, room: str) -> str:
    return str(keeper.ask("GET", f"/api/rooms/{room}/documents/main.md")["text"])


async def test_a_page_comes_back_after_the_server_was_killed_and_sends_what_was_typed_meanwhile(
    beside: Windows, mortal: ServerProcess, keeper: Guest
) -> None:
    make_room(keeper, "killed")
    ada, ben = await beside.open("Ada"), await beside.open("Ben")
    for window in (ada, ben):
        await window.enter("killed", "main.md")
    await ada.editor.click()
    await ada.page.keyboard.type("before ")
    await ada.saved()
    mortal.kill()
    await expect(ada.connection).to_contain_text(re.compile("[Oo]ffline|[Cc]onnecting"))
    await ada.page.keyboard.type("while it was dead ")
    await ada.screenshot("offline")
    await ben.editor.click()
    await ben.page.keyboard.type("(Ben too) ")
    await asyncio.to_thread(mortal.start)
    await ada.saved()
    await ben.saved()
    text = await asyncio.to_thread(stored, keeper, "killed")
    assert "while it was dead " in text
    assert "(Ben too) " in text
    assert text.count("before ") == 1
    for window in (ada, ben):
        assert await window.text_is(text)


async def test_what_is_typed_without_a_network_is_there_after_the_return(
    beside: Windows, keeper: Guest
) -> None:
    make_room(keeper, "tunnel")
    ada, ben = await beside.open("Ada"), await beside.open("Ben")
    for window in (ada, ben):
        await window.enter("tunnel", "main.md")
    await ada.editor.click()
    await ada.page.keyboard.type("one ")
    await ada.saved()
    await ada.context.set_offline(True)
    await ada.page.keyboard.type("two, in a tunnel ")
    await ben.editor.click()
    await ben.page.keyboard.press("Control+Home")
    await ben.page.keyboard.type("zero ")
    await ben.saved()
    await ada.context.set_offline(False)
    await ada.saved()
    assert await ada.text_is("zero one two, in a tunnel ")
    assert await ben.text_is("zero one two, in a tunnel ")


async def test_edits_that_were_not_sent_survive_a_reload_and_are_sent_once(
    beside: Windows, mortal: ServerProcess, keeper: Guest
) -> None:
    make_room(keeper, "reloaded")
    ada = await beside.open("Ada")
    await ada.enter("reloaded", "main.md")
    await ada.editor.click()
    await ada.page.keyboard.type("kept, ")
    await ada.saved()
    mortal.kill()
    await expect(ada.connection).to_contain_text(re.compile("[Oo]ffline|[Cc]onnecting"))
    await ada.page.keyboard.type("and not lost")
    await expect(ada.connection).to_contain_text(re.compile("kept on this device"))
    await asyncio.to_thread(mortal.start)
    await ada.page.reload()
    await ada.saved()
    assert await ada.text_is("kept, and not lost")
    assert await asyncio.to_thread(stored, keeper, "reloaded") == "kept, and not lost"


@pytest.mark.parametrize("part", ["Palette", "Dialogs"])
async def test_a_part_that_nobody_has_asked_for_may_stay_away(
    beside: Windows, keeper: Guest, part: str
) -> None:
    make_room(keeper, f"without-{part}")
    ada = await beside.open("Ada")
    await ada.page.route(re.compile(f"sw.js|{part}-"), lambda route: route.abort())
    async with ada.page.expect_event("requestfailed", lambda request: f"{part}-" in request.url):
        await ada.enter(f"without-{part}", "main.md")
    await ada.editor.click()
    await ada.page.keyboard.type("written")
    await ada.saved()

    async def open_it() -> None:
        if part == "Palette":
            await ada.page.keyboard.press("Control+k")
        else:
            await ada.page.get_by_role("button", name="New document").click()

    await open_it()
    alert = ada.page.get_by_role("alert")
    await expect(alert).to_contain_text("could not be loaded")
    assert await ada.text() == "written"
    await alert.get_by_role("button", name="Close").click()
    await expect(alert).to_be_hidden()
    await open_it()
    await expect(alert).to_be_visible()
    await ada.page.unroute_all()
    await expect(ada.page.get_by_role("dialog")).to_be_visible()


async def test_a_panel_that_did_not_come_is_asked_for_again(beside: Windows, keeper: Guest) -> None:
    make_room(keeper, "half-loaded")
    ada = await beside.open("Ada")
    await ada.page.route(re.compile("sw.js|HistoryPanel-"), lambda route: route.abort())
    await ada.enter("half-loaded", "main.md")
    await ada.editor.click()
    await ada.page.keyboard.type("written")
    await ada.show("History")
    await expect(ada.page.get_by_role("alert")).to_contain_text("could not be loaded")
    assert await ada.text() == "written"
    await ada.page.unroute_all()
    await ada.page.get_by_role("button", name="Try again").click()
    await expect(ada.page.get_by_role("button", name="Travel back")).to_be_visible()
    # Its style sheet had not come, either.
    styles = "() => [...document.querySelectorAll('link[rel=stylesheet]')].map((link) => link.sheet !== null)"
    await ada.page.wait_for_function(f"() => ({styles})().every(Boolean)")
