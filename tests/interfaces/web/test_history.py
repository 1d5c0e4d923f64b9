"""The past of a room in the page: strip, replays, moments, blame, comparison, versions, search, bisect."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, Route, expect

from interfaces.demo.play import Demo
from tests.guests import Guest
from tests.interfaces.client.npm import fetch_npm_packages
from tests.interfaces.web.test_accessibility import AXE, findings
from tests.interfaces.web.windows import Window, Windows
from tests.servers import ServerProcess

# Three people work together for some seconds, and one of them breaks package.json.
BEADS: Final = "beads-of-history"
SPEED: Final = 10.0

BROKEN: Final = '"date-fns": "^3.6.0",'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def beads(web_server: ServerProcess) -> AsyncIterator[str]:
    """A room with a past, which no test changes."""
    await Demo(web_server.url, BEADS, speed=SPEED).play()
    yield BEADS


async def travel(window: Window, room: str, document: str = "package.json") -> Page:
    """Come into a room and go back in time, to its end first."""
    await window.enter(room, document)
    await expect(window.editor).to_be_visible()
    await window.show("History")
    await window.page.get_by_role("button", name="Travel back").click()
    await expect(past(window.page)).to_be_visible()
    return window.page


def past(page: Page) -> Locator:
    return page.get_by_role("region", name="The room as it was")


def past_text(page: Page) -> Locator:
    return page.get_by_role("textbox", name=re.compile("as it was$"))


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="Moment")


def moment(page: Page) -> Locator:
    return page.get_by_role("region", name="The moment")


async def step(page: Page, key: str) -> None:
    """One step of the replay, until it has come."""
    place = await past(page).get_attribute("data-place")
    await page.keyboard.press(key)
    await expect(past(page)).not_to_have_attribute("data-place", str(place))


async def hold(page: Page, what: str) -> asyncio.Event:
    """What the page asks for under such an address comes when the event is set."""
    release = asyncio.Event()

    async def late(route: Route) -> None:
        await release.wait()
        await route.continue_()

    await page.route(what, late)
    return release


async def choose(page: Page, view: str) -> Locator:
    """One of the ways into the past; what it shows."""
    await page.get_by_role("tab", name=view, exact=True).click()
    return page.get_by_role("tabpanel", name=view, exact=True)


async def write(window: Window, text: str, document: str = "main.md") -> None:
    """At the end of the document, until it is saved."""
    await window.editor.click()
    await window.page.keyboard.press("Control+End")
    await window.page.keyboard.insert_text(text)
    # The editor hears of it a moment later; what is written until then is one edit.
    await window.page.wait_for_function("(text) => window.chronoscribe.text().endsWith(text)", arg=text)
    await window.saved(document)


async def look(page: Page, said: str) -> None:
    """Follow a notice to what it tells of."""
    notice = page.locator(".toast").filter(has_text=said)
    await notice.get_by_role("button", name="Look", exact=True).click()


# The strip.


async def test_the_slider_leads_to_the_past_and_a_button_back(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada")
    page = await travel(window, beads)
    await expect(past(page)).to_contain_text("You are looking at")
    await expect(past_text(page)).to_contain_text("A timer for the glass bead game")
    await expect(window.editor).to_be_hidden()
    await window.screenshot("history")
    await slider(page).focus()
    await page.keyboard.press("Home")
    await expect(past(page)).not_to_contain_text("A timer for the glass bead game")
    await expect(slider(page)).to_have_value("0")
    await page.keyboard.press("Shift+ArrowRight")
    await expect(slider(page)).not_to_have_value("0")
    await page.get_by_role("button", name="Back to now").first.click()
    await expect(window.editor).to_be_visible()
    assert BROKEN in await window.text()


async def test_a_press_on_the_strip_goes_there_and_it_can_be_looked_at_more_closely(
    windows: Windows, beads: str
) -> None:
    window = await windows.open("Ada")
    page = await travel(window, beads)
    track = page.locator(".strip-track")
    box = await track.bounding_box()
    assert box is not None
    await track.click(position={"x": box["width"] * 0.2, "y": box["height"] - 8})
    await expect(past_text(page)).not_to_contain_text("A timer for the glass bead game")
    labels = page.locator(".strip-labels")
    whole = await labels.inner_text()
    await page.keyboard.press("+")
    await expect(labels).not_to_have_text(whole)
    await expect(page.locator(".strip-overview")).to_be_visible()
    await page.keyboard.press("-")
    await expect(page.locator(".strip-overview")).to_have_count(0)


async def test_the_signs_are_a_list_to_go_to(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada")
    page = await travel(window, beads)
    await page.get_by_role("button", name="Go to…").click()
    await page.get_by_role("menuitem", name=re.compile("Cleo named revision .* “green”")).click()
    await expect(past_text(page)).to_contain_text("vitest run")
    await expect(past_text(page)).not_to_contain_text("date-fns")


# The replay.


async def test_a_replay_shows_text_cursors_and_chat_in_step(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada")
    await window.enter(beads, "package.json")
    await window.show("History")
    page = window.page
    await page.get_by_role("button", name="Replay from the beginning").click()
    await page.get_by_role("button", name=re.compile("^package.json .")).click()
    said = page.get_by_role("region", name="What had been said")
    await expect(past_text(page).locator("..").get_by_text("Ben", exact=True)).to_be_attached()
    await expect(said).to_contain_text("I'll add the scripts.")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    await window.screenshot("replay")
    await expect(past_text(page)).to_contain_text("bead-timer")
    await expect(past_text(page)).not_to_contain_text("date-fns")
    await expect(said).not_to_contain_text("Done, have to run.")
    await expect(page.get_by_role("region", name="Who was here")).to_contain_text("Cleo")
    await page.keyboard.press("End")
    await expect(said).to_contain_text("Something before that, maybe?")


async def test_what_a_step_has_written_is_seen(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada")
    page = await travel(window, beads)
    await page.get_by_role("button", name="Go to…").click()
    await page.get_by_role("menuitem", name=re.compile("Cleo named revision .* “green”")).click()
    written = page.locator(".past-new").first
    for _ in range(100):
        await step(page, "ArrowRight")
        if await written.count():
            break
    await expect(written).to_be_visible()


async def test_a_link_leads_to_a_moment(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada")
    page = await travel(window, beads)
    await page.get_by_role("button", name="Go to…").click()
    await page.get_by_role("menuitem", name=re.compile("Cleo named revision .* “green”")).click()
    await expect(past_text(page)).not_to_contain_text("date-fns")
    told = await slider(page).get_attribute("aria-valuetext")
    await window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="With this text").click()
    await page.get_by_role("menuitem", name="Copy a link to this moment").click()
    await expect(page.get_by_text("A link to this moment is copied.")).to_be_visible()
    link = await page.evaluate("() => navigator.clipboard.readText()")
    other = await windows.open("Ben")
    await other.page.goto(link)
    await other.say_name()
    await expect(past_text(other.page)).not_to_contain_text("date-fns")
    await expect(slider(other.page)).to_have_attribute("aria-valuetext", str(told))


async def test_a_message_leads_to_the_room_as_it_was_then(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada")
    await window.enter(beads, "package.json")
    await window.show("Chat")
    message = window.page.get_by_role("article").filter(has_text="Done, have to run.")
    await message.hover()
    await message.get_by_role("button", name="More").click()
    await window.page.get_by_role("menuitem", name="The room at that moment").click()
    await expect(past(window.page)).to_be_visible()
    said = window.page.get_by_role("region", name="What had been said")
    await expect(said).to_contain_text("copy the line")
    await expect(said).not_to_contain_text("Who touched it")


async def test_on_a_phone_the_past_has_the_screen(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada", phone=True, dark=True)
    await window.enter(beads, "package.json")
    await window.show("History")
    page = window.page
    await page.get_by_role("button", name="Travel back").tap()
    await expect(past_text(page)).to_be_in_viewport()
    track = page.locator(".strip-track")
    box = await track.bounding_box()
    assert box is not None
    await track.tap(position={"x": box["width"] * 0.2, "y": box["height"] - 8})
    await expect(past_text(page)).not_to_contain_text("A timer for the glass bead game")
    await page.get_by_role("button", name=re.compile("^package.json .")).tap()
    await past_text(page).get_by_text("bead-timer").tap()
    await expect(moment(page)).to_contain_text("Ben wrote this")
    await window.screenshot("moment-on-a-phone")
    width = await page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= 390


# Moments.


async def test_a_press_on_a_letter_tells_who_wrote_it_and_leads_there(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada")
    page = await travel(window, beads)
    await past_text(page).get_by_text("date-fns").click()
    await expect(moment(page)).to_contain_text("Ben wrote this")
    await expect(moment(page).locator("ins")).to_contain_text("date-fns")
    await window.screenshot("moment")
    await moment(page).get_by_role("button", name="Go there").click()
    await expect(past_text(page)).to_contain_text("date-fns")
    await expect(past_text(page)).not_to_contain_text("A timer for the glass bead game")
    await moment(page).get_by_role("button", name="Back").click()
    said = page.get_by_role("region", name="What had been said")
    await expect(said).to_contain_text("copy the line from my other project")
    await expect(said).not_to_contain_text("Done, have to run.")


async def test_the_editor_asks_about_the_letter_at_the_cursor(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada")
    await window.enter(beads, "package.json")
    await window.editor.get_by_text("eslint").click()
    await window.page.keyboard.press("Control+Alt+h")
    await expect(moment(window.page)).to_contain_text("Cleo wrote this")


async def test_every_edit_of_a_line_is_listed(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada")
    page = await travel(window, beads)
    await past_text(page).get_by_text("0.2.0").click()
    await moment(page).get_by_role("button", name="Every edit of this line").click()
    edits = moment(page).get_by_role("region", name="Every edit of this line")
    await expect(edits.get_by_role("listitem").first).to_contain_text("Ben")
    await expect(edits.get_by_role("listitem").last).to_contain_text("Cleo")


# Who, what, since when.


async def test_blame_tells_shares_and_leads_to_moments(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada")
    await window.enter(beads, "package.json")
    await window.show("History")
    blame = await choose(window.page, "Blame")
    await expect(blame.get_by_role("list", name="Shares of the text")).to_contain_text(re.compile("Ben.*%"))
    await window.screenshot("blame")
    await blame.get_by_text("eslint").click()
    await expect(moment(window.page)).to_contain_text("Cleo wrote this")
    await moment(window.page).get_by_role("button", name="Back").click()
    await blame.get_by_role("button", name="At full width").click()
    await expect(window.page.get_by_role("region", name="Who wrote what")).to_contain_text("date-fns")


async def test_two_moments_are_compared_line_by_line_and_side_by_side(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada")
    await window.enter(beads, "package.json")
    await window.show("History")
    page = window.page
    compare = await choose(page, "Compare")
    await expect(compare.locator("tr.added").first).to_be_visible()
    await compare.get_by_role("combobox", name="From").fill("green")
    await page.get_by_role("option", name=re.compile("^green")).click()
    await expect(compare.locator("tr.added", has_text="date-fns")).to_be_visible()
    await expect(compare.locator("tr.added", has_text="bead-timer")).to_have_count(0)
    await window.screenshot("compare")
    await compare.get_by_role("button", name="At full width").click()
    wide = page.get_by_role("region", name="Comparison")
    await expect(wide.get_by_role("textbox", name=re.compile("first text"))).not_to_contain_text("date-fns")
    await expect(wide.get_by_role("textbox", name=re.compile("second text"))).to_contain_text("date-fns")
    await window.screenshot("side-by-side")
    await wide.get_by_role("button", name="Back to now").click()
    await expect(window.editor).to_be_visible()


async def test_a_phrase_that_is_gone_is_found(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada")
    await window.enter(beads, "package.json")
    await window.show("History")
    search = await choose(window.page, "Search")
    await search.get_by_label("A phrase that is there").fill("0.1.0")
    await search.get_by_role("button", name="Look").click()
    life = search.get_by_role("listitem").first
    await expect(life).to_contain_text("Appeared by Ben")
    await expect(life).to_contain_text("Vanished by Cleo")
    await search.get_by_text("In the whole room").click()
    await search.get_by_role("button", name="Look").click()
    await expect(search.get_by_role("heading", name="package.json")).to_be_visible()
    await life.get_by_role("button", name=re.compile("Revision")).last.click()
    await expect(moment(window.page)).to_contain_text("Cleo wrote this")
    await moment(window.page).get_by_role("button", name="Back").click()
    await expect(life).to_be_visible()


async def test_bisect_finds_who_broke_it_and_why(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada")
    await window.enter(beads, "package.json")
    await window.show("History")
    page = window.page
    bisect = await choose(page, "Bisect")
    await bisect.get_by_text("it is JSON").click()
    await bisect.get_by_role("combobox", name="It was good at").fill("green")
    await page.get_by_role("option", name=re.compile("^green")).click()
    await bisect.get_by_role("button", name="Find the edit").click()
    found = bisect.get_by_role("region", name="Found")
    await expect(found).to_contain_text("Ben made it bad")
    await expect(found).to_contain_text("We demo in ten minutes")
    await expect(found.locator("tr.added")).to_contain_text("date-fns")
    await window.screenshot("bisect")
    await found.get_by_role("button", name="Go there").click()
    await expect(past_text(page)).to_contain_text("date-fns")


async def test_bisect_says_in_words_when_the_good_text_is_bad(windows: Windows, beads: str) -> None:
    window = await windows.open("Ada")
    await window.enter(beads, "package.json")
    await window.show("History")
    bisect = await choose(window.page, "Bisect")
    await bisect.get_by_text("it holds this text").click()
    await bisect.get_by_role("textbox", name="Text").fill("never there")
    await bisect.get_by_role("button", name="Find the edit").click()
    await expect(bisect.get_by_role("alert")).to_contain_text("E_BISECT")


# What changes a document.


async def test_an_edit_is_taken_back_after_a_look_and_what_came_since_stays(
    windows: Windows, room: str
) -> None:
    window = await windows.open("Ada")
    await window.enter(room, "main.md")
    for line in ("good\n", "bad\n", "better\n"):
        await write(window, line)
    await window.editor.get_by_text("bad", exact=True).click()
    page = window.page
    await page.keyboard.press("Control+Alt+h")
    await moment(page).get_by_role("button", name="Undo this…").click()
    preview = moment(page).get_by_role("region", name="Undo this")
    await expect(preview.locator(".removed")).to_contain_text("bad")
    assert await window.text_is("good\nbad\nbetter\n")
    await preview.get_by_role("button", name="Take it back").click()
    assert await window.text_is("good\nbetter\n")
    await look(page, "aken back")
    await expect(moment(page)).to_contain_text("Ada took something back")


async def test_the_past_is_shown_when_its_keys_are_heard(windows: Windows, room: str) -> None:
    window = await windows.open("Ada")
    await window.enter(room, "main.md")
    await write(window, "one\n")
    await window.show("History")
    page = window.page
    release = await hold(page, "**/TimeStrip-*.js")
    async with page.expect_request("**/TimeStrip-*.js"), page.expect_response("**/PastView-*.js"):
        await page.get_by_role("button", name="Travel back").click()
    # All is there but the strip. React shows what it has waited for a third of a second later.
    with pytest.raises(AssertionError):
        await expect(past(page)).to_be_visible(timeout=1_000)
    release.set()
    await expect(past_text(page)).to_contain_text("one")
    await step(page, "ArrowLeft")


async def test_what_one_writes_stays_when_the_moments_come_late(windows: Windows, room: str) -> None:
    ada = await windows.open("Ada")
    await ada.enter(room, "main.md")
    await write(ada, "one\n")
    await write(ada, "two\n")
    release = await hold(ada.page, "**/activity?*")
    await ada.show("History")
    compare = await choose(ada.page, "Compare")
    start = compare.get_by_role("combobox", name="From")
    await start.fill("1")
    async with ada.page.expect_response("**/activity?*"):
        release.set()
    await compare.get_by_role("button", name="Compare", exact=True).click()
    await expect(compare.get_by_role("button", name=re.compile("Revision 1"))).to_be_visible()
    await expect(start).to_have_value("Revision 1")


async def test_moments_that_come_late_are_offered_to_whoever_has_begun_to_write(
    windows: Windows, beads: str
) -> None:
    window = await windows.open("Ada")
    await window.enter(beads, "package.json")
    page = window.page
    release = await hold(page, "**/activity?*")
    await window.show("History")
    bisect = await choose(page, "Bisect")
    good = bisect.get_by_role("combobox", name="It was good at")
    await good.fill("green")
    await expect(page.get_by_text("The named moments are coming")).to_be_visible()
    release.set()
    await page.get_by_role("option", name=re.compile("^green")).click()
    await expect(good).to_have_value(re.compile("^green"))


async def test_a_passage_and_one_persons_edits_are_taken_back(windows: Windows, room: str) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    for window in (ada, bob):
        await window.enter(room, "main.md")
    lines = "".join(f"line {number}\n" for number in range(30))
    await write(ada, lines)
    await bob.text_is(lines)
    await write(bob, "of Bob\n")
    await ada.text_is(f"{lines}of Bob\n")
    await ada.page.keyboard.press("Control+Home")
    await ada.page.keyboard.insert_text("at the top\n")
    await ada.saved()
    await ada.show("History")
    compare = await choose(ada.page, "Compare")
    await compare.get_by_role("combobox", name="From").fill("1")
    await ada.page.keyboard.press("Escape")
    await compare.get_by_role("button", name="Compare", exact=True).click()
    await compare.get_by_role("button", name="Undo this passage").first.click()
    await compare.get_by_role("button", name="Take it back").click()
    await ada.text_is(f"{lines}of Bob\n")
    await compare.get_by_role("button", name="Undo…").click()
    await compare.get_by_role("button", name=re.compile("everybody")).click()
    await ada.page.get_by_role("option", name="Bob").click()
    await expect(compare.locator(".undo-edits")).to_have_text(re.compile("Bob 1 edit"))
    await compare.get_by_role("button", name="Take it back").click()
    await ada.text_is(lines)


async def test_a_version_is_named_found_and_restored(windows: Windows, room: str) -> None:
    window = await windows.open("Ada")
    await window.enter(room, "main.md")
    await write(window, "as it should be\n")
    await window.show("History")
    page = window.page
    versions = await choose(page, "Versions")
    await versions.get_by_role("button", name="Name this version…").click()
    await page.get_by_role("textbox", name="Name").fill("first")
    await page.get_by_role("button", name="Name it").click()
    named = versions.get_by_role("listitem").filter(has_text="first")
    await expect(named).to_contain_text("by Ada")
    await write(window, "and as it should not\n")
    await named.get_by_role("button", name="Restore…").click()
    await expect(versions.locator("tr.removed")).to_contain_text("and as it should not")
    await window.screenshot("restore")
    await versions.get_by_role("button", name="Restore it").click()
    assert await window.text_is("as it should be\n")


async def test_the_text_of_a_moment_is_restored_from_the_past(windows: Windows, room: str) -> None:
    window = await windows.open("Ada")
    await window.enter(room, "main.md")
    await write(window, "one\n")
    await write(window, "two\n")
    await window.show("History")
    page = window.page
    await page.get_by_role("button", name="Travel back").click()
    await expect(past_text(page)).to_contain_text("two")
    while "two" in await past_text(page).inner_text():
        await step(page, "ArrowLeft")
    await page.get_by_role("button", name="Restore this text…").click()
    await page.get_by_role("button", name="Restore it").click()
    await expect(window.editor).to_be_visible()
    assert await window.text_is("one\n")


async def test_a_branch_is_made_edited_and_merged_back(windows: Windows, room: str) -> None:
    window = await windows.open("Ada")
    await window.enter(room, "main.md")
    await write(window, "trunk\n")
    await window.show("History")
    page = window.page
    versions = await choose(page, "Versions")
    await versions.get_by_role("button", name="Branch…").first.click()
    await versions.get_by_role("textbox", name="Name of the new document").fill("try.md")
    await versions.get_by_role("button", name="Branch", exact=True).click()
    await expect(page.get_by_role("textbox", name="Document try.md")).to_be_visible()
    await window.text_is("trunk\n")
    await write(window, "branch\n", "try.md")
    await expect(versions).to_contain_text("Branched from main.md")
    await versions.get_by_role("button", name="Merge back").click()
    await look(page, "Merged into main.md")
    await expect(page.get_by_role("textbox", name="Document main.md")).to_be_visible()
    assert await window.text_is("trunk\nbranch\n")
    await expect(moment(page)).to_contain_text("Ada merged this")


async def test_who_may_only_read_sees_everything_and_changes_nothing(
    windows: Windows, room: str, owner: Guest
) -> None:
    window = await windows.open("Ada")
    await window.enter(room, "main.md")
    await write(window, "some text\n")
    owner.ask("PATCH", f"/api/rooms/{room}", {"everyone": "viewer"})
    await window.show("History")
    page = window.page
    versions = await choose(page, "Versions")
    await expect(versions.get_by_role("button", name="Look").first).to_be_visible()
    await expect(versions.get_by_role("button", name="Name this version…")).to_have_count(0)
    await expect(versions.get_by_role("button", name="Restore…")).to_have_count(0)
    blame = await choose(page, "Blame")
    await blame.get_by_text("some text").click()
    await expect(moment(page)).to_contain_text("Ada wrote this")
    await expect(moment(page).get_by_role("button", name="Undo this…")).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True])
async def test_the_past_keeps_nobody_out(windows: Windows, beads: str, dark: bool) -> None:
    fetch_npm_packages()
    axe = AXE.read_text()
    window = await windows.open("Ada", dark=dark)
    page = await travel(window, beads)
    assert await findings(page, axe) == []
    for view in ("Versions", "Compare", "Blame", "Search", "Bisect"):
        await choose(page, view)
        await expect(page.get_by_role("progressbar")).to_have_count(0)
        assert await findings(page, axe) == [], view
    await past_text(page).get_by_text("date-fns").click()
    await expect(moment(page)).to_contain_text("Ben wrote this")
    assert await findings(page, axe) == []
