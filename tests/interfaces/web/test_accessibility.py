"""The main views, looked at by axe: nothing serious that keeps somebody out."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page

from interfaces.web.bundle import INTERFACES
from tests.interfaces.client.npm import fetch_npm_packages
from tests.interfaces.web.windows import Windows, own_room

AXE = INTERFACES / "node_modules" / "axe-core" / "axe.min.js"

# What keeps somebody from using it, or nearly so.
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def axe() -> str:
    fetch_npm_packages()
    return AXE.read_text()


async def findings(page: Page, axe: str) -> list[Any]:
    """The grave ones, with what they are about."""
    await page.evaluate(axe)
    found = await page.evaluate("() => axe.run()")
    return [
        (finding["id"], finding["help"], [node["html"][:120] for node in finding["nodes"]])
        for finding in found["violations"]
        if finding["impact"] in GRAVE
    ]


@pytest.mark.parametrize("dark", [False, True])
async def test_the_entrance_keeps_nobody_out(windows: Windows, axe: str, dark: bool) -> None:
    window = await windows.open("Ada", dark=dark)
    await window.page.goto(window.url)
    await window.page.get_by_role("heading", name="Chronoscribe").wait_for()
    assert await findings(window.page, axe) == []


@pytest.mark.parametrize("panel", ["People", "Chat", "Activity", "Statistics", "History"])
@pytest.mark.parametrize("dark", [False, True])
async def test_no_panel_keeps_anybody_out(
    windows: Windows, axe: str, room: str, panel: str, dark: bool
) -> None:
    window = await windows.open("Ada", dark=dark)
    await window.enter(room, "main.md")
    await window.editor.click()
    await window.page.keyboard.type("# Hello\n")
    await window.show(panel)
    assert await findings(window.page, axe) == []


@pytest.mark.parametrize("dark", [False, True])
async def test_no_dialog_keeps_anybody_out(windows: Windows, axe: str, room: str, dark: bool) -> None:
    window = await windows.open("Ada", dark=dark)
    await window.enter(room, "main.md")
    await window.page.keyboard.press("Control+k")
    await window.page.get_by_role("searchbox", name="What?").wait_for()
    # Arrow keys in the field move and scroll the list, which axe cannot see: it wants a focus in there.
    found = await findings(window.page, axe)
    assert [finding for finding in found if finding[0] != "scrollable-region-focusable"] == []
    for what, title in (("Room, members", "Room"), ("Your profile", "Your profile"), ("Keys", "Keys")):
        await window.page.get_by_role("searchbox", name="What?").fill(what)
        await window.page.keyboard.press("Enter")
        await window.page.get_by_role("dialog", name=title).wait_for()
        assert await findings(window.page, axe) == []
        await window.page.keyboard.press("Escape")
        await window.page.get_by_role("dialog", name=title).wait_for(state="detached")
        await window.page.keyboard.press("Control+k")


async def test_what_an_owner_decides_keeps_nobody_out(windows: Windows, axe: str) -> None:
    window = await windows.open("Ada", dark=True)
    await own_room(window, "Of my own")
    await window.page.get_by_role("button", name="Room", exact=True).click()
    room = window.page.get_by_role("dialog", name="Room")
    for tab in ("Members", "Invitations", "Room", "Files"):
        await room.get_by_role("tab", name=tab).click()
        await room.get_by_role("tabpanel", name=tab).wait_for()
        assert await findings(window.page, axe) == []


async def test_a_phone_keeps_nobody_out(windows: Windows, axe: str, room: str) -> None:
    window = await windows.open("Ada", phone=True)
    await window.enter(room, "main.md")
    assert await findings(window.page, axe) == []
    await window.show("Chat")
    assert await findings(window.page, axe) == []
