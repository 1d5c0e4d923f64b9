"""What goes on in a room, and what was done in it, as it is shown while it happens."""

from __future__ import annotations

import re

from playwright.async_api import Locator, expect

from tests.guests import Guest
from tests.interfaces.web.windows import Window, Windows


async def come(windows: Windows, room: str, name: str, panel: str) -> Window:
    window = await windows.open(name)
    await window.enter(room, "main.md")
    await window.show(panel)
    return window


def line(window: Window, text: str | re.Pattern[str]) -> Locator:
    return window.page.get_by_role("region", name="Activity").get_by_role("button", name=text)


async def choose(window: Window, label: str, option: str) -> None:
    await window.page.get_by_role("button", name=re.compile(f"{label}$")).click()
    await window.page.get_by_role("option", name=option, exact=True).click()


async def test_what_others_do_is_told_as_it_happens(windows: Windows, room: str, owner: Guest) -> None:
    ada = await come(windows, room, "Ada", "Activity")
    owner.ask("POST", f"/api/rooms/{room}/messages", {"text": "Good news"})
    await expect(line(ada, "Olga said: Good news")).to_be_visible()
    ben = await windows.open("Ben")
    await ben.enter(room, "main.md")
    await ben.editor.click()
    await ben.page.keyboard.type("hello")
    await expect(line(ada, re.compile(r"Ben edited main\.md: .*\+5 characters"))).to_be_visible()
    await ben.page.keyboard.type(" you")
    await expect(line(ada, re.compile(r"Ben edited main\.md: .*\+9 characters"))).to_have_count(1)
    await ada.screenshot("activity")


async def test_what_one_looks_for_is_remembered(windows: Windows, room: str, owner: Guest) -> None:
    owner.ask("POST", f"/api/rooms/{room}/messages", {"text": "Good news"})
    ada = await come(windows, room, "Ada", "Activity")
    await expect(line(ada, re.compile("added the document"))).to_be_visible()
    await choose(ada, "What", "Messages")
    await expect(line(ada, re.compile("added the document"))).to_have_count(0)
    await expect(line(ada, "Olga said: Good news")).to_be_visible()
    await ada.page.reload()
    await ada.show("Activity")
    await expect(line(ada, "Olga said: Good news")).to_be_visible()
    await expect(line(ada, re.compile("added the document"))).to_have_count(0)
    owner.ask("POST", f"/api/rooms/{room}/messages", {"text": "More news"})
    await expect(line(ada, "Olga said: More news")).to_be_visible()
    await ada.page.get_by_role("button", name="Show everything").click()
    await expect(line(ada, re.compile("added the document"))).to_be_visible()


async def test_a_line_leads_to_what_it_is_about(windows: Windows, room: str, owner: Guest) -> None:
    owner.ask("POST", f"/api/rooms/{room}/messages", {"text": "Good news"})
    ada = await come(windows, room, "Ada", "Activity")
    await line(ada, "Olga said: Good news").click()
    said = ada.page.get_by_role("log").get_by_role("article").filter(has_text="Good news")
    await expect(said).to_have_class(re.compile("is-lit"))


async def test_figures_are_counted_while_one_looks(windows: Windows, room: str, owner: Guest) -> None:
    owner.ask("POST", f"/api/rooms/{room}/messages", {"text": "Good news"})
    ada = await come(windows, room, "Ada", "Statistics")
    panel = ada.page.get_by_role("region", name="Statistics")
    chart = panel.get_by_role("img", name=re.compile("^Messages per day: 1 messages"))
    await expect(chart).to_be_visible()
    for _ in range(2):
        owner.ask("POST", f"/api/rooms/{room}/messages", {"text": "And more good news"})
    await expect(panel.get_by_role("img", name=re.compile("^Messages per day: 3 messages"))).to_be_visible()
    await panel.get_by_text("As a table").first.click()
    await expect(panel.get_by_role("table", name="Messages per day").get_by_role("row")).to_have_count(8)
    await panel.get_by_role("radio", name="Edits").click()
    await expect(panel.get_by_role("img", name=re.compile("^Edits per day"))).to_be_visible()
    await ada.screenshot("statistics")


async def test_figures_are_of_one_person_and_can_be_taken_along(
    windows: Windows, room: str, owner: Guest
) -> None:
    owner.ask("POST", f"/api/rooms/{room}/messages", {"text": "Good news"})
    ada = await come(windows, room, "Ada", "Statistics")
    panel = ada.page.get_by_role("region", name="Statistics")
    await expect(panel.get_by_role("heading", name="Messages by person")).to_be_visible()
    await choose(ada, "By", "Ada")
    await expect(panel.get_by_text("Nothing was done in this time.")).to_be_visible()
    await choose(ada, "By", "Olga")
    await expect(panel.get_by_role("img", name=re.compile("^Messages per day: 1"))).to_be_visible()
    await panel.get_by_role("button", name="Download").click()
    async with ada.page.expect_download() as download:
        await ada.page.get_by_role("menuitem", name="The charts as SVG").click()
    assert (await download.value).suggested_filename == f"{room}-statistics.svg"
    await panel.get_by_role("button", name="Download").click()
    async with ada.page.expect_download() as download:
        await ada.page.get_by_role("menuitem", name="Report of the room").click()
    report = await download.value
    assert report.suggested_filename == f"{room}-report.html"
    assert "Olga" in (await report.path()).read_text()
