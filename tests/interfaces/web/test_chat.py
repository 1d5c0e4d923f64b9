"""People talk in two or three windows, on laptops and a phone."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, expect

from tests.guests import Guest
from tests.interfaces.web.windows import Window, Windows


async def come(windows: Windows, room: str, name: str, **settings: Any) -> Window:
    """Somebody in the room, with the chat before them."""
    window = await windows.open(name, **settings)
    await window.enter(room, "main.md")
    await window.show("Chat")
    await window.page.get_by_role("log", name="Messages").wait_for()
    return window


def composer(window: Window) -> Locator:
    return window.page.get_by_role("textbox", name="Message", exact=True)


def message(window: Window, text: str | re.Pattern[str]) -> Locator:
    return window.page.get_by_role("log").get_by_role("article").filter(has_text=text)


async def say(window: Window, text: str) -> None:
    await composer(window).fill(text)
    await composer(window).press("Enter")


async def do(window: Window, text: str, action: str) -> None:
    """Something that is in a message's menu."""
    await message(window, text).hover()
    await message(window, text).get_by_role("button", name="More").click()
    await window.page.get_by_role("menuitem", name=re.compile(f"^{action}")).click()


async def test_what_one_says_the_others_read(windows: Windows, room: str) -> None:
    ada, ben = await come(windows, room, "Ada"), await come(windows, room, "Ben", phone=True)
    await say(ada, "Good morning")
    await expect(message(ben, "Good morning")).to_be_visible()
    await expect(message(ben, "Good morning")).to_contain_text("Ada")
    await expect(message(ada, "Good morning")).to_contain_text("you")
    await expect(message(ada, "Good morning").get_by_role("img", name="Read")).to_be_visible()
    await expect(message(ada, "Good morning").get_by_role("button", name="Read by Ben")).to_be_visible()
    await ada.screenshot("chat-laptop")
    await ben.screenshot("chat-phone")


async def test_on_a_phone_a_button_sends_and_enter_is_a_new_line(windows: Windows, room: str) -> None:
    ada, ben = await come(windows, room, "Ada"), await come(windows, room, "Ben", phone=True)
    await composer(ben).fill("one")
    await composer(ben).press("Enter")
    await composer(ben).press_sequentially("two")
    await expect(message(ben, "one")).to_have_count(0)
    await ben.page.get_by_role("button", name="Send").tap()
    await expect(message(ada, re.compile("one\ntwo"))).to_be_visible()


async def test_hostile_text_is_text(windows: Windows, room: str) -> None:
    ada, ben = await come(windows, room, "Ada"), await come(windows, room, "Ben")
    await say(ada, "<script>document.title='taken'</script><img src=x onerror=alert(1)>")
    await say(ada, "javascript:alert(1) data:text/html,x and https://good.example/(a)?b=1.")
    await say(ada, "turned \u202eflip\u202c, hidden\u200bspace")
    await expect(message(ben, "<script>")).to_contain_text("<img src=x onerror=alert(1)>")
    links = message(ben, "javascript:alert").get_by_role("link")
    await expect(links).to_have_count(1)
    await expect(links).to_have_attribute("href", "https://good.example/(a)?b=1")
    await expect(links).to_have_attribute("rel", "noreferrer noopener")
    await expect(message(ben, "turned")).to_contain_text("U+202E")
    await expect(message(ben, "turned")).to_contain_text("U+200B")
    assert "\u202e" not in await message(ben, "turned").inner_text()
    assert "taken" not in await ben.page.title()


async def test_a_message_is_answered_and_the_quote_leads_to_it(windows: Windows, room: str) -> None:
    ada, ben = await come(windows, room, "Ada"), await come(windows, room, "Ben")
    await say(ada, "What shall we eat?")
    await message(ben, "What shall").hover()
    await message(ben, "What shall").get_by_role("button", name="Reply").click()
    await say(ben, "Pancakes")
    quote = message(ada, "Pancakes").get_by_role("button", name="Show what this answers")
    await expect(quote).to_contain_text("What shall we eat?")
    await quote.click()
    await expect(message(ada, re.compile("^.*What shall")).first).to_have_class(re.compile("is-lit"))


async def test_whoever_is_mentioned_sees_it(windows: Windows, room: str) -> None:
    ada, ben = await come(windows, room, "Ada"), await come(windows, room, "Ben")
    await composer(ada).press_sequentially("look, @be")
    await expect(ada.page.get_by_role("option", name="Ben")).to_have_attribute("aria-selected", "true")
    await composer(ada).press("Enter")
    await expect(composer(ada)).to_have_value("look, @Ben ")
    await composer(ada).press_sequentially("here")
    await composer(ada).press("Enter")
    await expect(message(ben, "here")).to_have_class(re.compile("mentions-me"))
    await expect(message(ben, "here")).to_contain_text("@Ben")
    await expect(message(ada, "here")).not_to_have_class(re.compile("mentions-me"))


async def test_reactions_are_toggled_and_say_who(windows: Windows, room: str) -> None:
    ada, ben = await come(windows, room, "Ada"), await come(windows, room, "Ben")
    await say(ada, "Shipped")
    await message(ben, "Shipped").hover()
    await message(ben, "Shipped").get_by_role("button", name="React with 👍").click()
    chip = message(ada, "Shipped").get_by_role("button", name=re.compile("👍 1: Ben reacted with 👍"))
    await chip.click()
    both = re.compile("👍 2: Ben and you reacted")
    await expect(message(ada, "Shipped").get_by_role("button", name=both)).to_be_visible()
    await message(ben, "Shipped").get_by_role("button", name=re.compile("👍 2")).click()
    await expect(message(ada, "Shipped").get_by_role("button", name=re.compile("👍 1: you"))).to_be_visible()


async def test_any_emoji_can_be_found_and_nothing_is_loaded_from_elsewhere(
    windows: Windows, room: str
) -> None:
    ada = await come(windows, room, "Ada")
    addresses: list[str] = []
    ada.page.on("request", lambda request: addresses.append(request.url))
    await say(ada, "Shipped")
    await message(ada, "Shipped").hover()
    await message(ada, "Shipped").get_by_role("button", name="React", exact=True).click()
    await ada.page.get_by_label("Find an emoji").fill("lobster")
    await ada.page.get_by_role("gridcell", name="lobster").click()
    await expect(message(ada, "Shipped").get_by_role("button", name=re.compile("^🦞 1"))).to_be_visible()
    assert addresses
    assert all(address.startswith((ada.url, "data:", "blob:")) for address in addresses)


async def test_a_message_is_changed_and_its_history_is_kept(windows: Windows, room: str) -> None:
    ada, ben = await come(windows, room, "Ada"), await come(windows, room, "Ben")
    await say(ada, "Nine o'clock")
    await expect(message(ben, "Nine")).to_be_visible()
    await composer(ada).press("ArrowUp")
    change = ada.page.get_by_role("textbox", name="Change your message")
    await expect(change).to_have_value("Nine o'clock")
    await change.fill("Ten o'clock")
    await change.press("Enter")
    await expect(message(ben, "Ten o'clock")).to_be_visible()
    await message(ben, "Ten").get_by_role("button", name="edited").click()
    dialog = ben.page.get_by_role("dialog", name="What the message has said")
    await expect(dialog.get_by_role("listitem")).to_contain_text(["Nine o'clock", "Ten o'clock"])


async def test_a_deleted_message_keeps_its_place(windows: Windows, room: str) -> None:
    ada, ben = await come(windows, room, "Ada"), await come(windows, room, "Ben")
    await say(ada, "A secret")
    await expect(message(ben, "A secret")).to_be_visible()
    await do(ada, "A secret", "Delete")
    await ada.page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(message(ben, "This message was deleted.")).to_be_visible()
    await expect(message(ben, "A secret")).to_have_count(0)


async def test_others_see_who_types_and_nothing_moves(windows: Windows, room: str) -> None:
    ada, ben = await come(windows, room, "Ada"), await come(windows, room, "Ben")
    before = await composer(ada).bounding_box()
    await composer(ben).press_sequentially("hm")
    await expect(ada.page.get_by_text("Ben is typing…")).to_be_visible()
    assert await composer(ada).bounding_box() == before
    await composer(ben).fill("")
    await expect(ada.page.get_by_text("Ben is typing…")).to_be_hidden()


async def test_what_is_new_is_marked_until_one_has_seen_it(windows: Windows, room: str) -> None:
    ada, ben = await come(windows, room, "Ada"), await come(windows, room, "Ben")
    await say(ada, "You have seen this")
    await expect(message(ada, "You have seen").get_by_role("img", name="Read")).to_be_visible()
    await ben.show("People")
    for number in range(40):
        await say(ada, f"News {number}")
    await expect(ben.page.get_by_role("tab", name=re.compile("Chat 40"))).to_be_visible()
    await expect(message(ada, "News 39").get_by_role("img", name="Read")).to_have_count(0)
    await ben.show("Chat")
    line = ben.page.get_by_text("New", exact=True)
    await expect(line).to_be_in_viewport()
    await ben.page.get_by_role("button", name=re.compile(r"\d+ new")).click()
    await expect(message(ben, "News 39")).to_be_in_viewport()
    await expect(message(ada, "News 39").get_by_role("img", name="Read")).to_be_visible()
    await ben.page.get_by_role("button", name="New messages").click()
    await expect(line).to_be_in_viewport()
    await expect(ben.page.get_by_role("tab", name="Chat", exact=True)).to_be_visible()


async def test_older_messages_come_and_what_one_reads_stays(
    windows: Windows, room: str, owner: Guest
) -> None:
    for number in range(130):
        owner.ask("POST", f"/api/rooms/{room}/messages", {"text": f"Line {number}."})
    ada = await come(windows, room, "Ada")
    await expect(message(ada, "Line 129.")).to_be_in_viewport()
    await message(ada, "Line 100.").scroll_into_view_if_needed()
    log = ada.page.get_by_role("log")
    await log.evaluate("(log) => log.scrollTo(0, 300)")
    first = await log.evaluate(
        """(log) => {
            const top = log.getBoundingClientRect().top;
            const rows = [...log.querySelectorAll("article")];
            return rows.find((row) => row.getBoundingClientRect().top > top).dataset.message;
        }"""
    )
    await expect(message(ada, "Line 40.")).to_have_count(1)
    await expect(ada.page.locator(f'[data-message="{first}"]')).to_be_in_viewport()
    await log.evaluate("(log) => log.scrollTo(0, 0)")
    await expect(message(ada, "Line 0.")).to_have_count(1)
    await ada.page.get_by_role("button", name="Latest").click()
    await expect(message(ada, "Line 129.")).to_be_in_viewport()


async def test_messages_are_found_and_shown_in_their_place(windows: Windows, room: str, owner: Guest) -> None:
    owner.ask("POST", f"/api/rooms/{room}/messages", {"text": "The needle is blue"})
    for number in range(80):
        owner.ask("POST", f"/api/rooms/{room}/messages", {"text": f"Hay {number}"})
    ada = await come(windows, room, "Ada")
    await ada.page.get_by_role("button", name="Search messages").click()
    await ada.page.get_by_role("searchbox", name="Search messages").fill("needle")
    hit = ada.page.get_by_role("button", name=re.compile("The needle is blue"))
    await expect(hit.locator("mark")).to_have_text("needle")
    await ada.screenshot("chat-search")
    await hit.click()
    await expect(message(ada, "The needle is blue")).to_be_in_viewport()
    await expect(message(ada, "The needle is blue")).to_have_class(re.compile("is-lit"))


async def test_pinned_messages_are_found_again(windows: Windows, room: str) -> None:
    ada, ben = await come(windows, room, "Ada"), await come(windows, room, "Ben")
    await say(ada, "The address is 12 Mill Lane")
    await do(ada, "Mill Lane", "Pin")
    await expect(message(ben, "Mill Lane")).to_contain_text("pinned")
    await ben.page.get_by_role("button", name="Pinned messages").click()
    await expect(ben.page.get_by_role("button", name=re.compile("12 Mill Lane"))).to_be_visible()


async def test_a_message_leads_to_its_passage_wherever_it_is_now(windows: Windows, room: str) -> None:
    ada, ben = await come(windows, room, "Ada"), await come(windows, room, "Ben")
    await ada.editor.click()
    await ada.page.keyboard.insert_text("one two three")
    assert await ben.text_is("one two three")
    for _ in range(len(" three")):
        await ada.page.keyboard.press("ArrowLeft")
    for _ in range(len("two")):
        await ada.page.keyboard.press("Shift+ArrowLeft")
    await ada.page.get_by_role("button", name="Comment in chat").click()
    await say(ada, "Is this right?")
    await ben.editor.click()
    await ben.page.keyboard.press("Control+Home")
    await ben.page.keyboard.insert_text("zero ")
    assert await ada.text_is("zero one two three")
    passage = message(ben, "Is this right?").get_by_role("button", name=re.compile("main.md"))
    await expect(passage).to_contain_text("two")
    await passage.click()
    await expect(ben.page.get_by_text("Col 10")).to_be_visible()


async def test_what_one_began_to_write_survives_a_reload(windows: Windows, room: str) -> None:
    ada = await come(windows, room, "Ada")
    await composer(ada).fill("Half a thou")
    await ada.page.reload()
    await ada.show("Chat")
    await expect(composer(ada)).to_have_value("Half a thou")


async def test_a_message_that_is_too_long_is_not_sent(windows: Windows, room: str) -> None:
    ada = await come(windows, room, "Ada")
    await composer(ada).fill("é" * 4_097)
    await expect(ada.page.get_by_text("2 bytes too long")).to_be_visible()
    await expect(ada.page.get_by_role("button", name="Send")).to_be_disabled()


async def test_a_viewer_reads_and_a_commenter_talks(windows: Windows, owner: Guest, room: str) -> None:
    owner.ask("PATCH", f"/api/rooms/{room}", {"everyone": "viewer"})
    owner.ask("POST", f"/api/rooms/{room}/messages", {"text": "Welcome"})
    ada = await come(windows, room, "Ada")
    await expect(message(ada, "Welcome")).to_be_visible()
    await expect(ada.page.get_by_text("You may read here, and not write.")).to_be_visible()
    await expect(composer(ada)).to_have_count(0)
    owner.ask("PATCH", f"/api/rooms/{room}", {"everyone": "commenter"})
    await say(ada, "Thank you")
    await expect(message(ada, "Thank you")).to_be_visible()


async def test_the_keyboard_reaches_every_message_and_what_one_does_with_it(
    windows: Windows, room: str
) -> None:
    ada = await come(windows, room, "Ada")
    await say(ada, "First")
    await say(ada, "Second")
    await expect(message(ada, "Second").get_by_role("img", name="Sent")).to_be_visible()
    await message(ada, "Second").focus()
    await ada.page.keyboard.press("ArrowUp")
    await expect(message(ada, "First")).to_be_focused()
    await ada.page.keyboard.press("Tab")
    await ada.page.keyboard.press("Tab")
    await ada.page.keyboard.press("Tab")
    await expect(message(ada, "First").get_by_role("button", name="React", exact=True)).to_be_focused()
    await ada.page.keyboard.press("Escape")  # closes what says what the button does
    await ada.page.keyboard.press("Escape")
    await expect(message(ada, "First")).to_be_focused()


async def test_a_long_touch_opens_the_menu(windows: Windows, room: str) -> None:
    ada = await come(windows, room, "Ada", phone=True)
    await composer(ada).fill("Touch me")
    await ada.page.get_by_role("button", name="Send").tap()
    await expect(message(ada, "Touch me").get_by_role("img", name="Sent")).to_be_visible()
    box = await message(ada, "Touch me").bounding_box()
    assert box is not None
    session = await ada.context.new_cdp_session(ada.page)
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    await session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    await expect(ada.page.get_by_role("menuitem", name="Reply")).to_be_visible()
    await session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await ada.page.get_by_role("menuitem", name="Reply").tap()
    await expect(ada.page.get_by_text("Answer to")).to_be_visible()


async def test_the_chat_goes_out_as_a_file_and_comes_into_another_room(
    windows: Windows, room: str, owner: Guest, tmp_path: Path
) -> None:
    ada = await come(windows, room, "Ada")
    await say(ada, "For the archive")
    await expect(message(ada, "For the archive").get_by_role("img", name="Sent")).to_be_visible()
    while not owner.ask("GET", f"/api/rooms/{room}/messages")["messages"]:  # noqa: ASYNC110 -- until the table has it
        await asyncio.sleep(0.05)
    await ada.page.get_by_role("button", name="The chat as a file").click()
    async with ada.page.expect_download() as download:
        await ada.page.get_by_role("menuitem", name="Export as JSON").click()
    path = tmp_path / "export.json"
    await (await download.value).save_as(path)
    (said,) = json.loads(path.read_text())["messages"]
    assert said["text"] == "For the archive"

    other = f"{room}-copy"
    owner.create_room(other)
    owner.ask("PUT", f"/api/rooms/{other}/members/{said['author']}", {"role": "owner"})
    await ada.page.goto(f"{ada.url}/#/room/{other}")
    await ada.show("Chat")
    await ada.page.get_by_role("button", name="The chat as a file").click()
    async with ada.page.expect_file_chooser() as chooser:
        await ada.page.get_by_role("menuitem", name="Import an export").click()
    await (await chooser.value).set_files(path)
    await expect(message(ada, "For the archive")).to_contain_text(f"from {room}")


async def test_what_is_said_without_a_network_is_sent_later(windows: Windows, room: str) -> None:
    ada, ben = await come(windows, room, "Ada"), await come(windows, room, "Ben")
    await ada.context.set_offline(True)
    await say(ada, "From the train")
    await expect(message(ada, "From the train")).to_contain_text(re.compile("Waits|Sending"))
    await expect(message(ben, "From the train")).to_have_count(0)
    await ada.context.set_offline(False)
    await expect(message(ben, "From the train")).to_be_visible()
    await expect(message(ada, "From the train")).not_to_contain_text(re.compile("Waits|Sending"))


async def test_a_refused_message_waits_to_be_tried_again_or_dropped(
    windows: Windows, room: str, owner: Guest
) -> None:
    ada, ben = await come(windows, room, "Ada"), await come(windows, room, "Ben")
    await ada.context.set_offline(True)
    for text in ("Let me say this", "Never mind"):
        await say(ada, text)
    owner.ask("PATCH", f"/api/rooms/{room}", {"everyone": "viewer"})
    await ada.context.set_offline(False)
    for text in ("Let me say this", "Never mind"):
        await expect(message(ada, text)).to_contain_text("Not sent")
    owner.ask("PATCH", f"/api/rooms/{room}", {"everyone": "editor"})
    await expect(composer(ada)).to_be_visible()
    await message(ada, "Never mind").get_by_role("button", name="Drop").click()
    await message(ada, "Let me say this").get_by_role("button", name="Try again").click()
    await expect(message(ben, "Let me say this")).to_be_visible()
    await expect(message(ada, "Never mind")).to_have_count(0)
