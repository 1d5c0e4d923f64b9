"""Chat, receipts, saves and runs on a socket, as scripts in frames."""

from __future__ import annotations

from typing import Any

import pytest

from domain.message import Edited
from domain.rights import Role
from interfaces.ws.chat_tail import MESSAGES_SHOWN
from interfaces.ws.rates import Limits
from tests.interfaces.ws.scripts import EPOCH, Heard, ScriptedClient, World, turns
from tests.waiting import until


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("application.receipts.GATHER_SECONDS", 0.0)
    limits = Limits(chat_per_second=10_000)
    return await World(limits=limits).open_room("main.md")


async def hear(client: ScriptedClient, name: str) -> Heard:
    """The next event called `name`; what came before it is of no interest."""
    found: list[Heard] = []

    def is_heard() -> bool:
        for frame in client.heard_frames("events"):
            found.extend(event for event in frame["events"] if event["event"] == name)
        return bool(found)

    await until(is_heard)
    return found[0]


async def do(client: ScriptedClient, **request: Any) -> None:
    """Ask, and be told that it is done."""
    reply = await client.request(**request)
    assert reply["type"] == "ok", reply


async def say(client: ScriptedClient, message: str, text: str = "Hello", **fields: Any) -> Heard:
    await client.push(type="post", message=message, text=text, **fields)
    return await hear(client, "message")


async def shown(world: World) -> dict[str, Heard]:
    """What a newcomer sees of the chat, on another node, which reads it from the log."""
    welcome = await world.another_node().connect("newcomer").hello()
    return {message["message"]: message for message in welcome["messages"]}


async def test_what_becomes_of_a_message_is_told_to_all_and_to_who_comes_later(world: World) -> None:
    ada, ben = await world.join("ada"), await world.join("ben")
    await say(ada, "m1")
    assert (await hear(ben, "message"))["text"] == "Hello"
    await do(ada, type="edit_message", message="m1", text="Hello @ben")
    edited = await hear(ben, "message_edited")
    assert (edited["text"], edited["mentions"]) == ("Hello @ben", ["ben"])
    await do(ben, type="react", message="m1", emoji="❤")
    assert (await hear(ada, "reaction_added"))["emoji"] == "❤️"
    await do(ben, type="pin_message", message="m1", pinned=True)
    pinned = await hear(ada, "message_pinned")
    assert (await shown(world))["m1"] | {"position": 0} == {
        "event": "message",
        "actor": "Ada",
        "author": "Ada",
        "at": edited["at"],
        "posted": edited["at"],
        "position": 0,
        "message": "m1",
        "client": "ada",
        "text": "Hello @ben",
        "documents": {},
        "reply_to": None,
        "mentions": ["ben"],
        "link": None,
        "edits": 1,
        "edited": edited["at"],
        "deleted": None,
        "pinned": pinned["at"],
        "reactions": {"❤️": ["Ben"]},
        "imported": None,
    }
    await do(ada, type="delete_message", message="m1")
    await hear(ben, "message_deleted")
    gone = (await shown(world))["m1"]
    assert (gone["text"], gone["mentions"], gone["pinned"]) == ("", [], None)
    assert gone["deleted"] is not None


async def test_a_message_refers_to_another_and_to_a_range(world: World) -> None:
    ada = await world.join("ada", "main.md")
    await ada.push(type="edit", document="main.md", seq=1, base=0, op=["Hello"])
    await hear(ada, "edit")
    await say(ada, "m1")
    link = {"document": "main.md", "revision": 1, "start": 0, "end": 5}
    told = await say(ada, "m2", reply_to="m1", link=link)
    assert (told["reply_to"], told["link"], told["documents"]) == ("m1", link, {"main.md": 1})
    wrong: list[tuple[Heard, str]] = [
        ({"reply_to": "m9"}, "E_NOT_FOUND"),
        ({"link": {**link, "end": 6}}, "E_OP_INVALID"),
        ({"link": {**link, "document": "none.md"}}, "E_NOT_FOUND"),
    ]
    for fields, code in wrong:
        ref = await ada.push(type="post", message="m3", text="x", **fields)
        await ada.expect_error(ref, code)


async def test_who_is_spoken_to_hears_of_it_in_another_room(world: World) -> None:
    await world.services.rooms.open("lab", "Lab", actor="Ben", everyone=None)
    ada, ben = await world.join("ada"), world.connect("ben", "lab")
    await ben.hello()
    cem = world.connect("cem", "lab", user="Ben")
    await cem.hello()
    await world.forget()
    told = await say(ada, "m1", "@Ben @Cem look")
    notice = await ben.expect_frame("notice")
    assert notice == {
        "type": "notice",
        "notice": "mention",
        "room": "demo",
        "message": "m1",
        "actor": "Ada",
        "at": told["at"],
        "position": told["position"],
    }
    assert await cem.expect_frame("notice") == notice
    await do(ada, type="edit_message", message="m1", text="@Ben look here")
    await ben.expect_silence()
    ada.hear()
    assert all(frame["type"] != "notice" for frame in ada.heard)


async def test_nobody_hears_of_a_room_that_they_may_not_know_of(world: World) -> None:
    await world.services.rooms.change_access("demo", None, actor="Ada")
    await world.services.rooms.open("lab", "Lab", actor="Ben", everyone=None)
    ada, ben = await world.join("ada"), world.connect("ben", "lab")
    await ben.hello()
    await world.forget()
    assert (await say(ada, "m1", "@Ben look"))["mentions"] == []
    await ben.expect_silence()


async def test_what_becomes_of_an_older_message_is_told_and_shown_to_nobody_who_comes(world: World) -> None:
    ada = await world.join("ada")
    for number in range(MESSAGES_SHOWN + 1):
        await say(ada, f"m{number}")
    await do(ada, type="edit_message", message="m0", text="Older")
    await do(ada, type="edit_message", message="m1", text="Newer")
    for place in (world, world.another_node()):
        welcome = await place.connect("ben").hello()
        assert [m["message"] for m in welcome["messages"]] == [f"m{n}" for n in range(1, MESSAGES_SHOWN + 1)]
        assert welcome["messages"][0]["text"] == "Newer"


async def test_who_was_away_is_not_told_what_has_been_taken_back_meanwhile(world: World) -> None:
    ada, ben = await world.join("ada"), await world.join("ben")
    position = world.hub.position
    await say(ada, "m1", "My password is @Ben hunter2")
    await do(ada, type="edit_message", message="m1", text="My password is not hunter2")
    await say(ada, "m2", 'He said "event":"message_deleted", hunter2')
    await do(ada, type="delete_message", message="m1")
    ben.disconnect()
    for place in (world, world.another_node()):
        back = place.connect("ben")
        welcome = await back.hello(resume={"epoch": EPOCH, "position": position})
        assert welcome["resumed"]
        told = [event for frame in back.heard_frames("events") for event in frame["events"]]
        said = [(e["message"], e["text"]) for e in told if e["event"] in ("message", "message_edited")]
        assert said == [("m1", ""), ("m1", ""), ("m2", 'He said "event":"message_deleted", hunter2')]
        assert [e["message"] for e in told if e["event"] == "message_deleted"] == ["m1"]
        back.disconnect()


async def test_a_command_that_comes_again_is_answered_and_adds_nothing(world: World) -> None:
    ada, ben = await world.join("ada", "main.md"), await world.join("ben")
    await say(ada, "m1")
    requests: list[Heard] = [
        {"type": "edit_message", "message": "m1", "text": "Otherwise"},
        {"type": "react", "message": "m1", "emoji": "👍"},
        {"type": "react", "message": "m1", "emoji": "👍", "reacted": False},
        {"type": "pin_message", "message": "m1", "pinned": True},
        {"type": "save_revision", "document": "main.md", "revision": 0, "name": "Draft"},
        {"type": "start_run", "run": "r1", "title": "pytest", "document": "main.md", "revision": 0},
        {"type": "finish_run", "run": "r1", "outcome": "failed", "exit_code": 1},
        {"type": "delete_message", "message": "m1"},
    ]
    for request in requests:
        await do(ada, **request)
        await world.forget()
        written = len(world.store.log)
        await do(ada, **request)
        await ben.expect_silence()
        assert len(world.store.log) == written


async def test_only_the_author_changes_a_message_and_only_an_owner_deletes_another_s(world: World) -> None:
    ada, ben = await world.join("ada"), await world.join("ben")
    await say(ada, "m1")
    await say(ben, "m2")
    for request in (
        {"type": "edit_message", "message": "m1", "text": "Ha"},
        {"type": "delete_message", "message": "m1"},
    ):
        await ben.expect_error(await ben.push(**request), "E_FORBIDDEN")
    await do(ada, type="delete_message", message="m2")
    assert (await shown(world))["m1"]["text"] == "Hello"
    assert not any(isinstance(r.event, Edited) for r in world.store.log)


async def test_who_says_too_much_is_told_to_wait_and_nobody_notices(world: World) -> None:
    world.limits = Limits(chat_per_second=5, burst_seconds=2)
    ada, ben = await world.join("ada"), await world.join("ben")
    for number in range(10):
        await ada.push(type="post", message=f"m{number}", text="x")
    ref = await ada.push(type="post", message="m10", text="x")
    await turns()
    assert 0 < (await ada.expect_error(ref, "E_RATE"))["retry_after"] < 1
    await world.forget()
    world.clock.advance(0.3)
    await ada.push(type="post", message="m10", text="x")
    assert (await hear(ben, "message"))["message"] == "m10"


# Receipts.


async def test_how_far_somebody_has_read_is_told_and_never_goes_back(world: World) -> None:
    ada, ben = await world.join("ada"), await world.join("ben")
    first = (await say(ada, "m1"))["position"]
    second = (await say(ada, "m2"))["position"]
    await do(ben, type="receipt", delivered=second, read=first)
    [receipt] = (await hear(ada, "receipts"))["receipts"]
    assert receipt == {"user": "Ben", "delivered": second, "read": first}
    await world.forget()
    written = len(world.store.log)
    await do(ben, type="receipt", delivered=first)
    assert len(world.store.log) == written
    await do(ben, type="receipt", read=second)
    for place in (world, world.another_node()):
        welcome = await place.connect("cem").hello()
        assert welcome["receipts"] == [{"user": "Ben", "delivered": second, "read": second}]


async def test_what_this_node_has_not_heard_of_cannot_have_been_read_here(world: World) -> None:
    ben = await world.join("ben")
    ref = await ben.push(type="receipt", read=world.hub.position + 1)
    await ben.expect_error(ref, "E_BUSY")


async def test_all_windows_of_a_user_share_their_pointers(world: World) -> None:
    ada, ben = await world.join("ada"), await world.join("ben")
    other = world.connect("ben2", user="Ben")
    await other.hello()
    position = (await say(ada, "m1"))["position"]
    await do(ben, type="receipt", read=position)
    written = len(world.store.log)
    await do(other, type="receipt", read=position)
    assert len(world.store.log) == written


# Saves and runs.


async def test_a_save_and_a_run_are_told_to_the_room(world: World) -> None:
    ada, ben = await world.join("ada", "main.md"), await world.join("ben")
    await ada.push(type="edit", document="main.md", seq=1, base=0, op=["Hello"])
    await hear(ada, "edit")
    await do(ada, type="save_revision", document="main.md", revision=1, name=" Draft ")
    saved = await hear(ben, "revision_saved")
    assert (saved["document"], saved["revision"], saved["name"]) == ("main.md", 1, "Draft")
    await do(ada, type="start_run", run="r1", title="pytest -q", document="main.md", revision=1)
    assert (await hear(ben, "run_started"))["title"] == "pytest -q"
    await do(ada, type="finish_run", run="r1", outcome="passed", exit_code=0)
    assert (await hear(ben, "run_finished"))["outcome"] == "passed"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"type": "save_revision", "document": "none.md", "revision": 0}, "E_NOT_FOUND"),
        ({"type": "start_run", "run": "r1", "title": "x", "document": "none.md"}, "E_NOT_FOUND"),
        ({"type": "start_run", "run": "r1", "title": "a\u202eb"}, "E_SCHEMA"),
        ({"type": "start_run", "run": "r1", "title": " "}, "E_SCHEMA"),
        ({"type": "finish_run", "run": "r1", "outcome": "passed"}, "E_NOT_FOUND"),
        ({"type": "react", "message": "m1", "emoji": "👍👍"}, "E_SCHEMA"),
        ({"type": "react", "message": "m1", "emoji": "<b>"}, "E_SCHEMA"),
        ({"type": "react", "message": "m1", "emoji": "👍"}, "E_NOT_FOUND"),
        ({"type": "post", "message": "m1", "text": "x" * 8193}, "E_OP_SIZE"),
        ({"type": "post", "message": "m1", "text": "a\x00b"}, "E_TEXT"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_nobody_notices(
    world: World, request_: Heard, code: str
) -> None:
    witnesses = await world.witnesses()
    ben = await world.join("ben", role=Role.EDITOR)
    await world.forget()
    written = len(world.store.log)
    await ben.expect_error(await ben.push(**request_), code)
    assert len(world.store.log) == written
    await witnesses.notice_nothing()
