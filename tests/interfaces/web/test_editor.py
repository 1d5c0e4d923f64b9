"""People who write in one document, in windows of their own."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

import pytest
from playwright.async_api import Locator, Page, expect

from interfaces.pyclient.client import Client
from tests.guests import Guest
from tests.interfaces.web.windows import ANSWER_MS, Window, Windows

# As people type, or a little faster.
KEY_MS: Final = 12

_HAS_TEXT: Final = "text => window.chronoscribe?.text?.() === text"
_REVISION: Final = "() => window.chronoscribe.handle.getSnapshot().revision"
_HAS_REVISION: Final = """revision => {
    const { handle, text } = window.chronoscribe;
    return handle.getSnapshot().revision >= revision && text() === handle.text;
}"""


async def expect_text(text: str, *windows: Window) -> None:
    """What all of them show in the end."""
    for window in windows:
        try:
            await window.page.wait_for_function(_HAS_TEXT, arg=text, timeout=ANSWER_MS)
        except Exception:
            assert await window.text() == text, window.name
            raise


async def expect_same(*windows: Window) -> str:
    """All show the same, with everything saved; returns it."""
    for window in windows:
        await expect(saved(window)).to_have_text("Saved", timeout=ANSWER_MS)
    revision = max([await window.page.evaluate(_REVISION) for window in windows])
    for window in windows:
        await window.page.wait_for_function(_HAS_REVISION, arg=revision, timeout=ANSWER_MS)
    texts = {await window.text() for window in windows}
    assert len(texts) == 1, texts
    return texts.pop()


def saved(window: Window) -> Locator:
    return window.page.get_by_test_id("document-saved")


async def type_at(window: Window, key: str, text: str) -> None:
    await window.editor.focus()
    await window.page.keyboard.press(key)
    await window.page.keyboard.type(text, delay=KEY_MS)


async def come_back(window: Window) -> None:
    """After a reload, whether or not one is asked again who one is."""
    form = window.page.get_by_label("Your name")
    await expect(form.or_(window.editor)).to_be_visible(timeout=ANSWER_MS)
    if await form.is_visible():
        await window.say_name()
    await expect(window.editor).to_be_visible(timeout=ANSWER_MS)


async def test_three_people_who_type_at_once_have_one_text(windows: Windows, room: str) -> None:
    ada, bob, cleo = [await windows.open(name) for name in ("Ada", "Bob", "Cléo")]
    for window in (ada, bob, cleo):
        await window.enter(room, "main.md")
    await ada.editor.click()
    await ada.page.keyboard.insert_text("first\nsecond\nthird")
    await expect_text("first\nsecond\nthird", ada, bob, cleo)
    await asyncio.gather(
        type_at(ada, "Control+Home", "Ada begins. "),
        type_at(bob, "Control+End", " Bob ends."),
        type_at(cleo, "Control+Home", "Cléo as well 😀 "),
    )
    text = await expect_same(ada, bob, cleo)
    assert sorted(text) == sorted("first\nsecond\nthirdAda begins.  Bob ends.Cléo as well 😀 ")
    assert text.endswith("third Bob ends.")


async def test_the_others_cursors_and_names_are_seen_where_they_are(windows: Windows, room: str) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob", dark=True)
    for window in (ada, bob):
        await window.enter(room, "main.md")
    await ada.editor.click()
    await ada.page.keyboard.insert_text("one\ntwo\nthree")
    await expect_text("one\ntwo\nthree", bob)
    await type_at(bob, "Control+End", "!")
    flag = ada.page.locator(".cm-person-flag", has_text="Bob")
    await expect(flag).to_be_attached()
    await expect(ada.page.locator(".cm-overview-mark")).to_have_attribute("title", "Bob")
    line = await ada.page.locator(".cm-line", has_text="three!").bounding_box()
    caret = await ada.page.locator(".cm-person-caret").bounding_box()
    assert line is not None
    assert caret is not None
    assert abs(caret["y"] - line["y"]) < line["height"]
    await bob.page.keyboard.press("Shift+Home")
    await expect(ada.page.locator(".cm-person-selection")).to_be_visible()
    await ada.screenshot("editor-cursors")
    await bob.screenshot("editor-dark")
    await bob.context.close()
    await expect(ada.page.locator(".cm-person-caret")).to_have_count(0)


async def test_what_is_written_without_a_network_comes_together_with_the_rest(
    windows: Windows, room: str
) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    for window in (ada, bob):
        await window.enter(room, "main.md")
    await ada.editor.click()
    await ada.page.keyboard.insert_text("middle")
    await expect_same(ada, bob)
    await bob.context.set_offline(True)
    await type_at(bob, "Control+End", " and Bob, alone")
    await type_at(ada, "Control+Home", "Ada, meanwhile, ")
    await expect(saved(bob)).not_to_have_text("Saved")
    assert await bob.text() == "middle and Bob, alone"
    await bob.context.set_offline(False)
    await expect_text("Ada, meanwhile, middle and Bob, alone", ada, bob)
    await expect_same(ada, bob)


async def test_edits_that_were_not_sent_survive_a_reload(windows: Windows, room: str) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    for window in (ada, bob):
        await window.enter(room, "main.md")
    await ada.editor.click()
    await ada.page.keyboard.insert_text("kept")
    await expect_same(ada, bob)
    # The page itself can be loaded again; only the socket and what belongs to it is away.
    await ada.page.evaluate("window.chronoscribe.room.rest()")
    await type_at(ada, "Control+End", " and unsent")
    await expect(saved(ada)).not_to_have_text("Saved")
    await ada.page.evaluate("window.chronoscribe.room.rest()")  # keeps what was typed since
    await ada.page.reload()
    await come_back(ada)
    await expect_text("kept and unsent", ada, bob)
    await expect_same(ada, bob)


async def test_undo_takes_back_ones_own_and_leaves_what_others_wrote(windows: Windows, room: str) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    for window in (ada, bob):
        await window.enter(room, "main.md")
    await type_at(ada, "Control+Home", "Ada's")
    await expect_same(ada, bob)
    await type_at(bob, "Control+End", " and Bob's")
    await expect_text("Ada's and Bob's", ada, bob)
    await ada.editor.focus()
    await ada.page.keyboard.press("Control+z")
    await expect_text(" and Bob's", ada, bob)
    await ada.page.get_by_role("button", name="Redo").first.click()
    await expect_text("Ada's and Bob's", ada, bob)
    await ada.page.get_by_role("button", name="Undo what I did last").click()
    await expect_text(" and Bob's", ada, bob)
    await ada.editor.focus()
    await ada.page.keyboard.press("Control+z")
    await expect(ada.page.get_by_text("Nothing of yours to undo")).to_be_visible()
    await expect_text(" and Bob's", ada, bob)


async def test_what_turns_or_hides_text_is_seen(windows: Windows, room: str) -> None:
    ada = await windows.open("Ada")
    await ada.enter(room, "main.md")
    await ada.editor.click()
    text = "if (admin\u202e \u2066// check\u2069) \u200b 👩‍👩‍👧 شلوم\u200f"
    await ada.page.keyboard.insert_text(text)
    await expect_text(text, ada)
    for name in (
        "U+202E RIGHT-TO-LEFT OVERRIDE",
        "U+2066 LEFT-TO-RIGHT ISOLATE",
        "U+2069 POP DIRECTIONAL ISOLATE",
        "U+200B ZERO WIDTH SPACE",
        "U+200F RIGHT-TO-LEFT MARK",
    ):
        await expect(ada.page.get_by_label(name)).to_be_visible()
    await expect(ada.page.locator(".cm-unseen")).to_have_count(5)
    await ada.screenshot("editor-unseen")


async def test_line_ends_and_separators_stay_what_they_are(windows: Windows, room: str, owner: Guest) -> None:
    text = "one\r\ntwo\u2028still two\rthree\x0c\u2029\nfour"
    async with Client(owner.url, room, token=owner.token) as client:
        document = await client.open("main.md")
        document.insert(0, text)
        await document.saved()
        ada = await windows.open("Ada")
        await ada.enter(room, "main.md")
        await expect_text(text, ada)
        await type_at(ada, "Control+End", "!")
        await ada.page.keyboard.press("Control+Home")
        await ada.page.keyboard.press("End")
        await ada.page.keyboard.type("?")
        await expect_same(ada)
        assert document.text == "one\r?\ntwo\u2028still two\rthree\x0c\u2029\nfour!"


async def compose(page: Page, steps: tuple[str, ...]) -> Any:
    """An input method that shows `steps` one after the other; returns its session, to end it."""
    session = await page.context.new_cdp_session(page)
    for step in steps:
        at = len(step)
        await session.send(
            "Input.imeSetComposition", {"text": step, "selectionStart": at, "selectionEnd": at}
        )
    return session


@pytest.mark.parametrize("place", ["Control+Home", "Control+End"])
async def test_a_word_that_is_being_composed_is_not_torn(windows: Windows, room: str, place: str) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    for window in (ada, bob):
        await window.enter(room, "main.md")
    await ada.editor.click()
    await ada.page.keyboard.insert_text("above\n[]")
    await expect_same(ada, bob)
    await bob.editor.focus()
    await bob.page.keyboard.press("Control+End")
    await bob.page.keyboard.press("ArrowLeft")
    await compose(bob.page, ("k", "か", "かn", "かん"))
    # In another line, and in the very line.
    await type_at(ada, place, "xyz")
    session = await compose(bob.page, ("かんj", "かんじ"))
    await session.send("Input.insertText", {"text": "漢字"})
    expected = "xyzabove\n[漢字]" if place == "Control+Home" else "above\n[漢字]xyz"
    await expect_text(expected, ada, bob)
    await expect_same(ada, bob)


async def test_an_emoji_goes_as_a_whole(windows: Windows, room: str) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    for window in (ada, bob):
        await window.enter(room, "main.md")
    await ada.editor.click()
    await ada.page.keyboard.insert_text("a😀👩‍👩‍👧‍👦b𝄞")
    await expect_text("a😀👩‍👩‍👧‍👦b𝄞", ada, bob)
    await type_at(bob, "Control+End", "!")
    for _ in range(2):
        await bob.page.keyboard.press("Backspace")
    await bob.page.keyboard.press("ArrowLeft")
    await bob.page.keyboard.press("Backspace")
    await expect_text("a😀b", ada, bob)
    # An input method that compares units changes the second half of a pair only.
    await bob.page.evaluate(
        "window.chronoscribe.view.dispatch({changes: {from: 2, to: 3, insert: '\\ude01'}})"
    )
    await expect_text("a😁b", ada, bob)
    await expect_same(ada, bob)


async def test_two_tabs_of_one_person_are_two_clients(windows: Windows, room: str) -> None:
    first = await windows.open("Ada")
    await first.enter(room, "main.md")
    second = await windows.another(first.context, "Ada")
    await second.page.goto(f"{windows.url}/#/room/{room}/main.md")
    await come_back(second)
    await asyncio.gather(
        type_at(first, "Control+Home", "one tab "), type_at(second, "Control+End", "another")
    )
    text = await expect_same(first, second)
    assert sorted(text) == sorted("one tab another")


async def test_who_may_only_read_cannot_type_and_is_told_why(
    windows: Windows, room: str, owner: Guest
) -> None:
    owner.ask("PATCH", f"/api/rooms/{room}", {"everyone": "viewer"})
    ada = await windows.open("Ada")
    await ada.enter(room, "main.md")
    await expect(ada.page.get_by_text("You may read here")).to_be_visible()
    await expect(ada.editor).to_have_attribute("aria-readonly", "true")
    await type_at(ada, "Control+Home", "no")
    assert await ada.text() == ""
    owner.ask("PATCH", f"/api/rooms/{room}", {"everyone": "editor"})
    await expect(ada.page.get_by_text("You may read here")).to_have_count(0)
    await type_at(ada, "Control+Home", "yes")
    await expect_text("yes", ada)
    await expect_same(ada)


async def test_one_types_on_a_phone_with_keys_that_its_keyboard_lacks(windows: Windows, room: str) -> None:
    pia, ada = await windows.open("Pia", phone=True), await windows.open("Ada")
    for window in (pia, ada):
        await window.enter(room, "main.md")
    await pia.editor.tap()
    await pia.page.keyboard.type("from a phone", delay=KEY_MS)
    await expect_text("from a phone", pia, ada)
    keys = pia.page.get_by_role("toolbar", name="Keys")
    await keys.get_by_role("button", name="Indent more").tap()
    await expect_text("  from a phone", pia, ada)
    await expect(pia.editor).to_be_focused()
    await keys.get_by_role("button", name="Undo").tap()
    await expect_text("", pia, ada)
    size = await pia.editor.evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
    assert size >= 16, "a phone zooms in where letters are smaller"
    width = await pia.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    await pia.screenshot("editor-phone")


async def test_one_goes_along_with_somebody_until_one_goes_ones_own_way(
    windows: Windows, room: str, owner: Guest
) -> None:
    owner.ask("POST", f"/api/rooms/{room}/documents", {"document": "other.py"})
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    await ada.enter(room, "main.md")
    await bob.enter(room, "other.py")
    await bob.editor.click()
    await bob.page.keyboard.insert_text("\n".join(f"line {number}" for number in range(200)))
    await expect_same(bob)
    bobs = await bob.page.evaluate("window.chronoscribe.room.state.getSnapshot().me.user")
    await ada.page.evaluate("user => window.chronoscribe.follow(user)", bobs)
    await expect(ada.page.get_by_role("textbox", name="Document other.py")).to_be_visible()
    await expect(ada.page.get_by_text(re.compile("Following"))).to_be_visible()
    await expect(ada.page.locator(".cm-line", has_text="line 199")).to_be_visible()
    await bob.page.keyboard.press("Control+Home")
    await expect(ada.page.locator(".cm-line", has_text=re.compile("^line 0$"))).to_be_visible()
    await ada.screenshot("editor-following")
    await ada.editor.focus()
    await ada.page.keyboard.press("Escape")
    await expect(ada.page.get_by_text(re.compile("Following"))).to_have_count(0)
