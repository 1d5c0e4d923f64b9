"""What stands around the text: how one comes in and as whom, the palette, dialogs, drawers, being offline."""

from __future__ import annotations

import json
import re

from playwright.async_api import BrowserContext, Locator, Page, expect

from infrastructure.proof.proofs import check_proof
from tests.guests import Guest
from tests.interfaces.web.windows import ANSWER_MS, Window, Windows, own_room

SAVED = re.compile("Saved")


def dialog(window: Window, name: str) -> Locator:
    return window.page.get_by_role("dialog", name=name)


def tab(window: Window, name: str) -> Locator:
    return window.page.get_by_role("tab", name=re.compile(f"^{name}"))


async def saved(window: Window) -> None:
    """Everything that was typed into `main.md` is in the log."""
    await window.page.evaluate("() => window.chronoscribe.room.open('main.md').saved()")


async def do(window: Window, words: str) -> None:
    """By the palette, with the keyboard alone."""
    await window.page.keyboard.press("Control+k")
    field = window.page.get_by_role("searchbox", name="What?")
    await field.fill(words)
    await expect(window.page.get_by_role("menuitem").first).to_contain_text(words)
    await field.press("Enter")
    await expect(field).to_have_count(0)


# ---------------------------------------------------------------- coming in


async def test_one_click_leads_from_the_root_of_a_server_into_its_demo_room(windows: Windows) -> None:
    window = await windows.open("Ada")
    await window.page.goto(window.url)
    await window.page.get_by_role("button", name="Open the demo room").click()
    await expect(window.connection).to_contain_text(SAVED)
    await expect(window.editor).to_contain_text("Welcome")
    await expect(window.page).to_have_url(re.compile(r"#/room/demo/welcome\.md$"))


async def test_a_second_window_of_a_browser_is_a_second_person_or_the_same_one(
    windows: Windows, room: str
) -> None:
    ada = await windows.open("Ada")
    await ada.enter(room)
    bob = await windows.another(ada.context, "Bob")
    await bob.enter(room)
    again = await windows.another(ada.context, "Ada")
    await again.page.goto(f"{windows.url}/#/room/{room}")
    await again.page.get_by_role("button", name="Ada", exact=True).click()
    await expect(again.connection).to_contain_text(SAVED)
    await bob.show("People")
    people = bob.page.locator(".people section", has_text="Here now").last.locator("li.person")
    await expect(people).to_have_count(2)
    await expect(people.filter(has_text="Ada")).to_contain_text("2 windows")


async def test_who_loads_the_page_again_is_still_the_same(windows: Windows, room: str) -> None:
    ada = await windows.open("Ada")
    await ada.enter(room)
    await ada.page.reload()
    await expect(ada.connection).to_contain_text(SAVED)
    await expect(ada.page.get_by_role("button", name="Ada (you)")).to_be_visible()


async def test_a_server_without_guests_asks_for_a_token(windows: Windows, owner: Guest, room: str) -> None:
    window = await windows.open("Ada")
    await window.page.route(
        "**/api/guests", lambda route: route.fulfill(status=404, json={"code": "E_NOT_FOUND"})
    )
    await window.page.goto(f"{window.url}/#/room/{room}")
    await window.page.get_by_role("button", name=re.compile("^Join")).click()
    await window.page.get_by_label("Token of your account").fill(owner.token)
    await window.page.get_by_role("button", name="Sign in").click()
    await expect(window.connection).to_contain_text(SAVED)
    await expect(window.page.get_by_role("button", name="Olga (you)")).to_be_visible()


async def test_a_room_that_is_not_there_says_so_and_back_leads_away(windows: Windows, room: str) -> None:
    window = await windows.open("Ada")
    await window.enter(room)
    await window.page.evaluate("location.hash = '#/room/no-such-room'")
    await expect(window.page.get_by_role("alert")).to_contain_text("There is no such room for you")
    await window.page.go_back()
    await expect(window.connection).to_contain_text(SAVED)
    await expect(window.page).to_have_url(re.compile(f"#/room/{room}"))


async def test_a_link_to_a_passage_leads_to_where_it_is_by_now(
    windows: Windows, room: str, owner: Guest
) -> None:
    ada = await windows.open("Ada")
    await ada.enter(room, "main.md")
    await ada.editor.click()
    await ada.page.keyboard.type("one two")
    await saved(ada)
    path = f"/api/rooms/{room}/documents/main.md"
    revision = owner.ask("GET", path)["revision"]
    await ada.page.keyboard.press("Home")
    await ada.page.keyboard.type("before ")
    await saved(ada)
    bob = await windows.open("Bob")
    await bob.page.goto(f"{windows.url}/#/room/{room}/main.md?passage={revision},4,7")
    await bob.say_name()
    await expect(bob.page.locator(".editor-status-place")).to_contain_text("Ln 1, Col 12")


# ---------------------------------------------------------------- the palette and the keys


async def test_everything_can_be_done_by_its_name_with_the_keyboard(windows: Windows, room: str) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    for window in (ada, bob):
        await window.enter(room, "main.md")
    await ada.editor.click()
    await ada.page.keyboard.type("abc")
    await do(ada, "Show the chat")
    await expect(tab(ada, "Chat")).to_have_attribute("aria-selected", "true")
    await do(ada, "Undo what I did last")
    await expect(ada.editor).not_to_contain_text("abc")
    await do(ada, "New document")
    await dialog(ada, "New document").get_by_label("Name").fill("other.py")
    await ada.page.keyboard.press("Enter")
    await expect(ada.page.get_by_role("textbox", name="Document other.py")).to_be_visible()
    await do(ada, "Open main.md")
    await expect(ada.page.get_by_role("textbox", name="Document main.md")).to_be_visible()
    await do(ada, "Follow Bob")
    await do(ada, "Follow nobody")
    await do(ada, "Search the messages")
    await expect(ada.page.get_by_role("searchbox").or_(ada.page.locator(".chat input")).first).to_be_focused()


async def test_the_palette_closes_with_escape_and_leaves_the_focus_where_it_was(
    windows: Windows, room: str
) -> None:
    ada = await windows.open("Ada")
    await ada.enter(room, "main.md")
    await ada.editor.click()
    await ada.page.keyboard.press("F1")
    await expect(ada.page.get_by_role("searchbox", name="What?")).to_be_focused()
    await ada.page.keyboard.press("Escape")
    await ada.page.keyboard.press("Escape")
    await expect(ada.page.get_by_role("searchbox", name="What?")).to_have_count(0)
    await expect(ada.editor).to_be_focused()


async def test_a_question_mark_lists_the_keys_but_not_in_the_text(windows: Windows, room: str) -> None:
    ada = await windows.open("Ada")
    await ada.enter(room, "main.md")
    await ada.editor.click()
    await ada.page.keyboard.type("Why?")
    await expect(ada.editor).to_contain_text("Why?")
    await expect(dialog(ada, "Keys")).to_have_count(0)
    await ada.page.get_by_role("link", name="All rooms").focus()
    await ada.page.keyboard.press("?")
    await expect(dialog(ada, "Keys")).to_contain_text("Do anything by its name")


async def test_a_panel_stays_open_over_a_reload(windows: Windows, room: str) -> None:
    ada = await windows.open("Ada")
    await ada.enter(room)
    await ada.show("People")
    await ada.page.reload()
    await expect(tab(ada, "People")).to_have_attribute("aria-selected", "true")
    await ada.page.keyboard.press("Alt+1")
    await expect(tab(ada, "Text")).to_have_attribute("aria-selected", "true")


async def test_the_panel_is_made_wider_with_the_keyboard(windows: Windows, room: str) -> None:
    ada = await windows.open("Ada")
    await ada.enter(room)
    await ada.show("People")
    divider = ada.page.get_by_role("separator", name="Width of the panel")
    before = int(await divider.get_attribute("aria-valuenow") or 0)
    await divider.focus()
    await ada.page.keyboard.press("ArrowLeft")
    await expect(divider).not_to_have_attribute("aria-valuenow", str(before))
    await ada.page.keyboard.press("Home")
    width = await divider.get_attribute("aria-valuemax")
    await expect(divider).to_have_attribute("aria-valuenow", str(width))


# ---------------------------------------------------------------- the room, and oneself


async def test_an_invitation_lets_somebody_in_and_owners_say_what_they_may(windows: Windows) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    await own_room(ada, "The library")
    await ada.page.get_by_role("button", name="Room", exact=True).click()
    of_ada = dialog(ada, "Room")
    await of_ada.get_by_role("tab", name="Invitations").click()
    await of_ada.get_by_role("button", name="Make a link").click()
    link = await of_ada.locator(".new-link code").text_content()
    await expect(of_ada.locator(".invitations li")).to_have_count(1)
    await ada.screenshot("invitations")

    await bob.page.goto(str(link))
    await bob.say_name()
    await expect(bob.page.get_by_role("button", name="The library")).to_be_visible()
    await of_ada.get_by_role("tab", name="Members").click()
    member = of_ada.locator(".members li", has_text="Bob")
    await expect(member).to_be_visible()
    await ada.screenshot("members")

    await bob.page.get_by_role("button", name="Room", exact=True).click()
    of_bob = dialog(bob, "Room")
    await expect(of_bob.get_by_role("tab", name="Members")).to_be_visible()
    await expect(of_bob.get_by_role("tab", name="Invitations")).to_have_count(0)
    await expect(of_bob.get_by_role("button", name=re.compile("^(Remove|Role of)"))).to_have_count(0)
    await of_bob.get_by_role("tab", name="Room").click()
    await expect(of_bob.get_by_label("Title")).to_have_count(0)
    await expect(of_bob.get_by_text("Close the room")).to_have_count(0)
    await bob.page.keyboard.press("Escape")

    await member.get_by_role("button", name=re.compile("Role of Bob")).click()
    await ada.page.get_by_role("option", name="View").click()
    await expect(bob.page.get_by_label("Notices")).to_contain_text("You are viewer in this room now.")
    await member.get_by_role("button", name="Remove Bob").click()
    await expect(bob.page.get_by_role("alert").first).to_be_visible()
    await expect(member).to_have_count(0)


async def test_a_taken_back_invitation_lets_nobody_in(windows: Windows) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    await own_room(ada, "Behind a door")
    await ada.page.get_by_role("button", name="Room", exact=True).click()
    of_ada = dialog(ada, "Room")
    await of_ada.get_by_role("tab", name="Invitations").click()
    await of_ada.get_by_role("button", name="Make a link").click()
    link = await of_ada.locator(".new-link code").text_content()
    await of_ada.get_by_role("button", name="Take it back").click()
    await expect(of_ada.locator(".invitations li")).to_have_count(0)
    await bob.page.goto(str(link))
    await bob.page.get_by_role("button", name=re.compile("^Join")).click()
    await expect(bob.page.get_by_role("heading", name="This invitation does not let you in")).to_be_visible()


async def test_an_owner_takes_the_past_along_as_files(windows: Windows) -> None:
    ada = await windows.open("Ada")
    await own_room(ada, "To take along")
    await ada.page.get_by_role("button", name="Room", exact=True).click()
    room = dialog(ada, "Room")
    await room.get_by_role("tab", name="Files").click()
    await ada.screenshot("files")
    log = await downloaded(ada, room.get_by_role("button", name="Download the table"), "-events.jsonl")
    assert json.loads(log.splitlines()[0])["topic"] == "room.opened"
    await room.get_by_role("button", name=re.compile("What")).click()
    await ada.page.get_by_role("option", name="Members over time").click()
    await room.get_by_role("button", name=re.compile("As$")).click()
    await ada.page.get_by_role("option", name="CSV").click()
    members = await downloaded(ada, room.get_by_role("button", name="Download the table"), "-memberships.csv")
    assert b",owner," in members.splitlines()[1]
    proof = await downloaded(ada, room.get_by_role("button", name="Download the proof"), "-proof.jsonl")
    assert check_proof(proof.splitlines()).events == len(log.splitlines())
    await ada.page.keyboard.press("Escape")
    await expect(room).to_be_hidden()


async def downloaded(window: Window, button: Locator, name: str) -> bytes:
    """What a press on the button gives, as a file with a name that ends so."""
    async with window.page.expect_download() as download:
        await button.click()
    assert (await download.value).suggested_filename.endswith(name)
    return (await (await download.value).path()).read_bytes()


async def test_the_room_is_renamed_and_opened_for_everybody(windows: Windows) -> None:
    ada = await windows.open("Ada")
    address = await own_room(ada, "Draft")
    stranger = await windows.open("Bob")
    await stranger.page.goto(address)
    await stranger.page.get_by_role("button", name=re.compile("^Join")).click()
    await expect(stranger.page.get_by_role("alert")).to_contain_text("There is no such room for you")
    await ada.page.get_by_role("button", name="Room", exact=True).click()
    room = dialog(ada, "Room")
    await room.get_by_role("tab", name="Room").click()
    await room.get_by_label("Title").fill("The final one")
    await room.get_by_role("button", name="Rename").click()
    await expect(room.get_by_role("button", name="Rename")).to_be_disabled()
    await room.get_by_role("button", name=re.compile("Who is no member may")).click()
    await ada.page.get_by_role("option", name="View").click()
    await expect(room.get_by_role("button", name=re.compile("Who is no member may"))).to_contain_text("View")
    await expect(room.get_by_role("alert")).to_have_count(0)
    await stranger.page.get_by_role("button", name="Try again").click()
    await expect(stranger.page.get_by_role("button", name="The final one")).to_be_visible()


async def test_ones_profile_is_changed_for_everybody_and_what_is_wrong_stands_at_its_field(
    windows: Windows, room: str
) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    for window in (ada, bob):
        await window.enter(room)
    await bob.show("People")
    await ada.page.get_by_role("button", name="Ada (you)").click()
    profile = dialog(ada, "Your profile")
    await profile.get_by_label("Picture").fill("http://example.org/a.png")
    await profile.get_by_label("Name").fill("Ada Lovelace")
    await profile.get_by_role("option", name=re.compile("purple", re.I)).first.click()
    await profile.get_by_role("button", name="Save").click()
    picture = profile.locator(".react-aria-TextField", has=ada.page.get_by_label("Picture"))
    await expect(picture).to_contain_text("https://")
    await expect(picture.get_by_role("textbox")).to_have_attribute("aria-invalid", "true")
    await ada.screenshot("profile")
    await profile.get_by_label("Picture").fill("")
    await profile.get_by_role("button", name="Save").click()
    await expect(profile).to_have_count(0)
    await expect(bob.page.locator(".people li.person", has_text="Ada Lovelace")).to_be_visible()
    await ada.page.reload()
    await expect(ada.page.get_by_role("button", name="Ada Lovelace (you)")).to_be_visible()


async def test_the_ids_of_two_whose_names_look_the_same_stand_beside_them(
    windows: Windows, room: str
) -> None:
    ada, fake = await windows.open("Ada"), await windows.open("Аdа")
    for window in (ada, fake):
        await window.enter(room)
    await ada.show("People")
    ids = ada.page.locator(".people li.person .person-id")
    await expect(ids).to_have_count(2)
    await expect(ids.first).to_contain_text("guest-")


async def test_who_comes_and_goes_is_said_to_ears_whatever_panel_is_open(windows: Windows, room: str) -> None:
    ada, bob = await windows.open("Ada"), await windows.open("Bob")
    await ada.enter(room)
    said = ada.page.locator(".people-said")
    await bob.enter(room)
    await expect(said).to_have_text("Bob has come")
    await expect(bob.page.locator(".people-said")).to_have_text("")
    await bob.context.close()
    await expect(said).to_have_text("Bob has left")


async def test_colours_are_the_machines_or_ones_own(windows: Windows, room: str) -> None:
    ada = await windows.open("Ada", dark=True)
    await ada.enter(room)
    assert await paper(ada.page) == "rgb(22, 24, 29)"
    await ada.page.get_by_role("button", name=re.compile("^Colours")).click()
    assert await paper(ada.page) == "rgb(255, 255, 255)"
    await ada.page.reload()
    await expect(ada.connection).to_contain_text(SAVED)
    assert await paper(ada.page) == "rgb(255, 255, 255)"


async def paper(page: Page) -> str:
    return str(
        await page.evaluate("() => getComputedStyle(document.querySelector('.stage')).backgroundColor")
    )


# ---------------------------------------------------------------- on a phone


async def test_a_drawer_of_a_phone_is_closed_by_back_by_a_swipe_and_by_its_button(
    windows: Windows, room: str
) -> None:
    ada = await windows.open("Ada", phone=True)
    await ada.enter(room, "main.md")
    drawer = ada.page.locator(".panel")
    await tab(ada, "Chat").tap()
    await expect(drawer).to_contain_text("Chat")
    await tab(ada, "People").tap()
    await expect(drawer).to_contain_text("Here now")
    await ada.page.go_back()
    await expect(drawer).to_have_count(0)
    await expect(ada.editor).to_be_visible()

    await tab(ada, "Chat").tap()
    await swipe_down(ada.context, ada.page, ada.page.locator(".panel-head"))
    await expect(drawer).to_have_count(0)

    await tab(ada, "Chat").tap()
    await ada.page.get_by_role("button", name="Close chat").tap()
    await expect(drawer).to_have_count(0)
    assert await ada.page.evaluate("() => history.state?.isCover ?? false") is False
    await expect(ada.page).to_have_url(re.compile(f"#/room/{room}/main.md$"))


async def test_a_document_that_was_opened_from_a_drawer_stays_when_the_drawer_goes(
    windows: Windows, room: str, owner: Guest
) -> None:
    owner.ask("POST", f"/api/rooms/{room}/documents", {"document": "second.md"})
    ada = await windows.open("Ada", phone=True)
    await ada.enter(room, "main.md")
    await tab(ada, "Docs").tap()
    await ada.page.locator(".panel").get_by_role("button", name="second.md", exact=True).tap()
    await expect(ada.page.get_by_role("textbox", name="Document second.md")).to_be_visible()
    await expect(ada.page.locator(".panel")).to_have_count(0)
    await expect(ada.page).to_have_url(re.compile(r"/second\.md$"))
    await ada.page.reload()
    await expect(ada.page.get_by_role("textbox", name="Document second.md")).to_be_visible()


async def test_what_a_finger_is_to_hit_on_a_phone_is_large_enough(windows: Windows, room: str) -> None:
    ada = await windows.open("Ada", phone=True)
    await ada.enter(room, "main.md")
    heights = await ada.page.locator(".panel-tabs [role=tab], .top button").evaluate_all(
        "all => all.filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().height)"
    )
    assert len(heights) >= 8
    assert [height for height in heights if height < 44] == []
    width = await ada.page.evaluate("() => document.documentElement.scrollWidth")
    assert width == 390
    await ada.screenshot("phone")


async def swipe_down(context: BrowserContext, page: Page, on: Locator) -> None:
    box = await on.bounding_box()
    assert box is not None
    x, y = box["x"] + 40, box["y"] + box["height"] / 2
    devtools = await context.new_cdp_session(page)
    touch = "Input.dispatchTouchEvent"
    await devtools.send(touch, {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for by in (20, 60, 120, 180):
        await devtools.send(touch, {"type": "touchMove", "touchPoints": [{"x": x, "y": y + by}]})
    await devtools.send(touch, {"type": "touchEnd", "touchPoints": []})


# ---------------------------------------------------------------- without a network


async def test_the_page_opens_without_a_network_with_the_text_and_keeps_what_is_typed(
    windows: Windows, room: str
) -> None:
    ada = await windows.open("Ada")
    await ada.enter(room, "main.md")
    await ada.editor.click()
    await ada.page.keyboard.type("kept")
    await saved(ada)
    await ada.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    await ada.context.set_offline(True)
    await ada.page.reload()
    await expect(ada.connection).to_contain_text("Offline", timeout=ANSWER_MS)
    await expect(ada.editor).to_contain_text("kept")
    await ada.editor.click()
    await ada.page.keyboard.press("End")
    await ada.page.keyboard.type(" safe")
    await expect(ada.connection).to_contain_text("kept on this device")
    await ada.screenshot("offline")
    await ada.context.set_offline(False)
    await expect(ada.connection).to_contain_text(SAVED)
    bob = await windows.open("Bob")
    await bob.enter(room, "main.md")
    await expect(bob.editor).to_contain_text("kept safe")


async def test_the_worker_keeps_nothing_that_the_server_says(windows: Windows, room: str) -> None:
    ada = await windows.open("Ada")
    await ada.enter(room, "main.md")
    await ada.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    await ada.page.reload()
    await expect(ada.connection).to_contain_text(SAVED)
    kept = await ada.page.evaluate(
        """async () => {
            const names = await caches.keys();
            const caches_ = await Promise.all(names.map((name) => caches.open(name)));
            const requests = await Promise.all(caches_.map((cache) => cache.keys()));
            return requests.flat().map(({url}) => new URL(url).pathname);
        }"""
    )
    assert "/index.html" in kept
    assert not [path for path in kept if path.startswith(("/api", "/ws"))]


async def test_documents_that_find_no_room_beside_each_other_are_in_a_list(
    windows: Windows, room: str, owner: Guest
) -> None:
    names = [f"a-document-of-some-length-{number}.md" for number in range(8)]
    for name in names:
        owner.ask("POST", f"/api/rooms/{room}/documents", {"document": name})
    owner.ask("POST", f"/api/rooms/{room}/documents/main.md/branch", {"branch": "other.md"})
    ada = await windows.open("Ada")
    await ada.enter(room, "main.md")
    side = ada.page.get_by_role("navigation", name="Documents of the room")
    branch = side.get_by_role("button", name=re.compile("^other.md"))
    await expect(branch).to_have_accessible_name(re.compile("a branch of main.md"))
    for name in names:
        await side.get_by_role("button", name=name, exact=True).click()
    tabs = ada.page.get_by_role("navigation", name="Open documents")
    await expect(tabs.get_by_role("button", name=names[-1], exact=True)).to_be_in_viewport()
    await ada.page.get_by_role("button", name="All open documents").click()
    await ada.page.get_by_role("menuitemradio", name="main.md").click()
    await expect(ada.page.get_by_role("textbox", name="Document main.md")).to_be_visible()
    await expect(tabs.get_by_role("button", name="main.md", exact=True)).to_be_in_viewport()
    await tabs.get_by_role("button", name="Close main.md").click()
    await expect(tabs.get_by_role("button", name="main.md", exact=True)).to_have_count(0)
    await expect(ada.page.get_by_role("textbox", name=f"Document {names[0]}")).to_be_visible()
