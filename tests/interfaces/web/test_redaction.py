"""A secret is removed by whoever owns the room: from the text, the chat and every version."""

from __future__ import annotations

import re

from playwright.async_api import Locator, expect

from tests.interfaces.web.windows import Window, Windows, own_room


async def with_secret(windows: Windows) -> tuple[Window, Window]:
    """Ada's room, where she has typed a password; and Ben, who is there too."""
    ada = await windows.open("Ada")
    address = await own_room(ada, "Secrets")
    await ada.page.get_by_role("button", name="Room", exact=True).click()
    room = ada.page.get_by_role("dialog", name="Room")
    await room.get_by_role("tab", name="Room").click()
    everyone = room.get_by_role("button", name=re.compile("Who is no member may"))
    await everyone.click()
    await ada.page.get_by_role("option", name="Edit").click()
    await expect(everyone).to_contain_text("Edit")
    await ada.page.keyboard.press("Escape")
    await ada.editor.click()
    await ada.page.keyboard.type("the key is hunter2")
    await ada.saved("notes.md")
    ben = await windows.open("Ben")
    await ben.page.goto(address)
    await ben.say_name()
    await expect(ben.editor).to_contain_text("hunter2")
    return ada, ben


def dialog(window: Window) -> Locator:
    return window.page.get_by_role("dialog", name="Remove this for good?")


async def test_what_is_selected_goes_from_every_version(windows: Windows) -> None:
    ada, ben = await with_secret(windows)
    for _ in "hunter2":
        await ada.page.keyboard.press("Shift+ArrowLeft")
    toolbar = ada.page.get_by_role("toolbar", name="Selected text")
    await toolbar.get_by_role("button", name="Remove for good").click()
    asked = dialog(ada)
    await expect(asked).to_contain_text("7 characters would go, from all versions of notes.md.")
    remove = asked.get_by_role("button", name="Remove for good")
    await expect(remove).to_be_disabled()
    await asked.get_by_label("Why").fill("a password")
    await ada.screenshot("redaction")
    await remove.click()
    await expect(asked).to_have_count(0)
    for window in (ada, ben):
        assert await window.text_is("the key is ███████")
    await ben.show("Activity")
    await expect(ben.page.get_by_role("region", name="Activity")).to_contain_text("a password")
    await ben.show("History")
    await ben.page.get_by_role("button", name="Travel back").click()
    await expect(ben.page.get_by_role("textbox", name=re.compile("as it was$"))).to_contain_text("█")
    await expect(ben.page.get_by_text("hunter2")).to_have_count(0)


async def test_a_phrase_goes_wherever_it_stood_in_the_chat_too(windows: Windows) -> None:
    ada, ben = await with_secret(windows)
    await ben.show("Chat")
    await ben.page.get_by_role("textbox", name="Message", exact=True).fill("hunter2")
    await ben.page.keyboard.press("Enter")
    await ada.show("Chat")
    said = ada.page.get_by_role("log").get_by_role("article").filter(has_text="hunter2")
    await said.hover()
    await said.get_by_role("button", name="More").click()
    await ada.page.get_by_role("menuitem", name="Remove for good").click()
    asked = dialog(ada)
    await expect(asked).to_contain_text("7 characters would go, from 1 message.")
    await asked.get_by_text("These words, wherever they stood").click()
    await expect(asked).to_contain_text(
        "14 characters would go, from all versions of notes.md and 1 message."
    )
    await asked.get_by_label("Why").fill("he said it aloud")
    await asked.get_by_role("button", name="Remove for good").click()
    for window in (ada, ben):
        await expect(window.page.get_by_role("log", name="Messages")).to_contain_text("███████")
        await expect(window.page.get_by_role("log", name="Messages")).not_to_contain_text("hunter2")
        assert await window.text_is("the key is ███████")


async def test_a_room_is_sealed_by_who_owns_it(windows: Windows) -> None:
    ada = await windows.open("Ada")
    await own_room(ada, "Diary")
    for was_sealed in (False, True):
        await ada.page.get_by_role("button", name="Diary").click()
        await ada.page.get_by_role("tab", name="Room", exact=True).click()
        box = ada.page.get_by_role("checkbox", name="Seal what people write from now on")
        await expect(box).to_be_enabled()
        await expect(box).to_be_checked(checked=was_sealed)
        async with ada.page.expect_response(lambda answer: answer.request.method == "PATCH") as answered:
            await ada.page.get_by_text("Seal what people write from now on").click()
        assert (await (await answered.value).json())["sealed"] is not was_sealed
        await expect(box).to_be_checked(checked=not was_sealed)
        await ada.page.keyboard.press("Escape")


async def test_who_owns_nothing_is_not_offered_it(windows: Windows, room: str) -> None:
    ada = await windows.open("Ada")
    await ada.enter(room, "main.md")
    await ada.editor.click()
    await ada.page.keyboard.type("text")
    await ada.page.keyboard.press("Shift+Home")
    toolbar = ada.page.get_by_role("toolbar", name="Selected text")
    await expect(toolbar.get_by_role("button", name="Copy link")).to_be_visible()
    await expect(toolbar.get_by_role("button", name="Remove for good")).to_have_count(0)
