"""The list of who is here, and what one comes to from it."""

from __future__ import annotations

import re

from playwright.async_api import Locator, expect

from tests.guests import Guest
from tests.interfaces.web.windows import Window, Windows


async def show_people(window: Window) -> None:
    await window.page.keyboard.press("Alt+1")
    await expect(window.page.get_by_text("Here now")).to_be_visible()


def row(window: Window, name: str) -> Locator:
    return window.page.locator(".people li.person", has=window.page.get_by_text(name, exact=True))


async def test_who_is_here_and_what_they_do_stands_in_the_list(
    windows: Windows, room: str, owner: Guest
) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    for window in (ada, bob):
        await window.enter(room, "main.md")
    await show_people(ada)
    await bob.editor.click()
    await bob.page.keyboard.type("one\ntwo\nthree")
    await expect(row(ada, "Bob")).to_contain_text(re.compile("Typing in .*main.md, line 3"))
    await expect(row(ada, "Ada")).to_contain_text("you")
    offline = ada.page.locator(".people section", has_text="Members who are offline")
    await expect(offline.last).to_contain_text("Olga")
    await expect(offline.last).to_contain_text("owner")
    await ada.screenshot("people")
    said = ada.page.locator(".people-said")
    await bob.context.close()
    await expect(said).to_have_text("Bob has left")
    await expect(row(ada, "Bob")).to_have_count(0)


async def test_the_line_in_which_somebody_is_follows_their_cursor(windows: Windows, room: str) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    for window in (ada, bob):
        await window.enter(room, "main.md")
    await show_people(ada)
    await bob.editor.click()
    await bob.page.keyboard.type("one\ntwo\nthree")
    await expect(row(ada, "Bob")).not_to_contain_text("Typing", timeout=15_000)
    # From here on nothing is told of Bob but where his cursor is.
    for line in (2, 1):
        await bob.page.keyboard.press("ArrowUp")
        await expect(row(ada, "Bob")).to_contain_text(f"line {line}")


async def test_one_says_what_one_does_and_the_others_see_it(windows: Windows, room: str) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    for window in (ada, bob):
        await window.enter(room, "main.md")
        await show_people(window)
    await bob.page.get_by_role("button", name=re.compile("Others see you as")).click()
    await bob.page.get_by_role("option", name="Away").click()
    away = ada.page.locator(".people section", has_text="Away")
    await expect(away).to_contain_text("Bob")
    await bob.page.get_by_role("button", name=re.compile("Others see you as")).click()
    await bob.page.get_by_role("option", name="What you do").click()
    await expect(away).to_have_count(0)


async def test_a_press_on_where_somebody_is_leads_there(windows: Windows, room: str) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    for window in (ada, bob):
        await window.enter(room, "main.md")
    await show_people(ada)
    await bob.editor.click()
    await bob.page.keyboard.insert_text("\n".join(f"line {number}" for number in range(1, 201)))
    where = row(ada, "Bob").get_by_role("button", name="main.md, line 200")
    await where.click()
    await expect(ada.page.locator(".cm-line", has_text="line 200")).to_be_in_viewport()
    follow = ada.page.get_by_role("button", name="Follow Bob")
    await follow.click()
    await expect(ada.page.get_by_text("Following")).to_be_visible()
    await bob.page.keyboard.press("Control+Home")
    await expect(ada.page.locator(".cm-line", has_text=re.compile("^line 1$"))).to_be_in_viewport()
    await ada.editor.click()
    await expect(ada.page.get_by_text("Following")).to_have_count(0)


async def test_names_that_look_the_same_are_told_apart(windows: Windows, room: str) -> None:
    ada = await windows.open("Ada")
    twin, other = await windows.open("Bob"), await windows.open("ｂｏｂ")
    for window in (ada, twin, other):
        await window.enter(room, "main.md")
    await show_people(ada)
    await expect(ada.page.locator(".people .person-id")).to_have_count(2)
    ids = await ada.page.locator(".people .person-id").all_inner_texts()
    assert len(set(ids)) == 2
