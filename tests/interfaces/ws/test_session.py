"""Sessions, as scripts in frames."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from application import live
from domain.colours import colour_of
from domain.document import WINDOW_REVISIONS, EditApplied
from domain.errors import StoreUnavailable
from domain.message import Posted
from domain.presence import FrameRecorded
from interfaces.ws import closes, documents, welcome
from interfaces.ws.chat_tail import MESSAGES_SHOWN
from interfaces.ws.documents import REVISIONS_PER_TOKEN
from interfaces.ws.hub import RESUME_EVENTS_MAX
from interfaces.ws.rates import ERRORS_MAX, Limits
from interfaces.ws.session import HELLO_SECONDS, PING_SECONDS, PONG_SECONDS
from tests.application.fakes import FakeStore
from tests.interfaces.ws.scripts import EPOCH, Heard, ScriptedClient, World, turns

Edit = dict[str, Any]

LOOKS = {user: {"colour": colour_of(user), "avatar": ""} for user in ("Ada", "Ben", "Cem")}


@pytest.fixture
async def world() -> World:
    """A node with the room "demo" and the document "main.md"."""
    limits = Limits(chat_per_second=10_000)  # some scripts say more than a person could
    return await World(limits=limits).open_room("main.md")


def an_edit(seq: int, base: int, op: list[Any], document: str = "main.md") -> Edit:
    return {"type": "edit", "document": document, "seq": seq, "base": base, "op": op}


def position_of(world: World) -> int:
    return world.store.log[-1].position


# Hello.


async def test_a_hello_is_answered_by_what_the_room_is(world: World) -> None:
    ada = world.connect("ada")
    welcome = await ada.hello(ticket=world.tickets.make("Ada", name="Ada 😀"))
    assert (welcome["type"], welcome["protocol"], welcome["epoch"]) == ("welcome", 1, EPOCH)
    assert (welcome["node"], welcome["resumed"]) == ("node-1", False)
    assert welcome["room"] == {"id": "demo", "title": "Demo", "everyone": "editor"}
    assert welcome["documents"] == ["main.md"]
    assert welcome["you"] == {"user": "Ada", "role": "owner", "name": "Ada 😀", **LOOKS["Ada"]}
    assert welcome["members"] == [{"user": "Ada", "role": "owner"}]
    assert (welcome["roster"], welcome["messages"], welcome["people"]) == ([], [], {})
    assert welcome["heartbeat"] == {"interval": PING_SECONDS, "timeout": PONG_SECONDS}
    assert set(welcome["limits"]) == {
        "frame_bytes",
        "op_components",
        "edits_per_second",
        "chat_per_second",
        "typing_seconds",
    }
    joined = await ada.expect_event("joined")
    assert (joined["client"], joined["name"], joined["session"]) == ("ada", "Ada 😀", welcome["session"])
    assert (joined["actor"], joined["colour"], joined["avatar"]) == ("Ada", *LOOKS["Ada"].values())
    assert joined["position"] > welcome["position"]
    await ada.expect_silence()


async def test_others_hear_of_who_comes_and_goes(world: World) -> None:
    ada = await world.join("ada")
    ben = world.connect("ben")
    welcome = await ben.hello()
    assert [(entry["client"], entry["user"]) for entry in welcome["roster"]] == [("ada", "Ada")]
    assert welcome["people"] == {"Ada": {"name": "Ada", **LOOKS["Ada"]}}
    assert (await ada.expect_event("joined"))["client"] == "ben"
    ben.disconnect(is_clean=True)
    left = await ada.expect_event("left")
    assert (left["client"], left["reason"], left["session"]) == ("ben", "left", welcome["session"])
    await ada.expect_silence()


async def test_the_last_messages_are_shown_to_whoever_comes(world: World) -> None:
    ada = await world.join("ada")
    for number in range(MESSAGES_SHOWN + 2):
        await ada.push(type="post", message=f"m{number}", text=f"{number}")
    await turns()
    welcome = await world.connect("ben").hello()
    assert [message["text"] for message in welcome["messages"]] == [
        str(number) for number in range(2, MESSAGES_SHOWN + 2)
    ]
    cold = world.another_node()
    welcome = await cold.connect("cem").hello()
    assert [message["text"] for message in welcome["messages"]][-1] == str(MESSAGES_SHOWN + 1)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "ping"}, "E_NOT_JOINED"),
        ({"type": "hello", "protocol": 1, "client": "a b"}, "E_SCHEMA"),
        ({"type": "hello", "protocol": 1, "client": "ada", "name": "Ada"}, "E_SCHEMA"),
        ({"type": "dance"}, "E_TYPE"),
    ],
)
async def test_a_first_frame_that_is_no_good_hello_ends_the_session(
    world: World, frame: Heard, code: str
) -> None:
    ada = world.connect("ada")
    await ada.authenticate()
    await ada.expect_error(await ada.push(**frame), code)
    assert ada.code == closes.BAD_HELLO
    ada.disconnect()
    assert world.hub.rooms == 0


async def test_another_version_of_the_protocol_is_told_which_one_is_spoken(world: World) -> None:
    ada = world.connect("ada")
    ref = await ada.push(**ada.a_hello(protocol=2))
    await ada.expect_error(ref, "E_SCHEMA", expected=1)
    assert ada.code == closes.OTHER_PROTOCOL


async def test_a_room_that_is_not_there_cannot_be_entered(world: World) -> None:
    ada = world.connect("ada", room="nowhere")
    ref = await ada.push(**ada.a_hello())
    await ada.expect_error(ref, "E_NOT_FOUND")
    assert ada.code == closes.ACCESS_REMOVED
    ada.disconnect()
    assert world.hub.rooms == 0


async def test_one_hello_is_enough(world: World) -> None:
    ada = await world.join("ada")
    ref = await ada.push(**ada.a_hello())
    await ada.expect_error(ref, "E_SCHEMA", field="type")
    assert ada.code is None


async def test_when_the_store_is_away_a_client_is_sent_to_try_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOAD_RETRY_SECONDS", 0.0)
    world.evict()
    world.store.error = StoreUnavailable("away")
    first, second = world.connect("ada"), world.connect("ben")
    ref = await first.push(**first.a_hello())
    await first.expect_error(ref, "E_STORE")
    assert first.code == closes.STORE_UNAVAILABLE
    world.store.error = None
    await world.services.rooms.get("demo")
    world.store.error = StoreUnavailable("away")  # the room is known, its roster is not
    await second.push(**second.a_hello())
    assert second.code == closes.STORE_UNAVAILABLE
    world.store.error = None
    for client in (first, second):
        client.disconnect()
    assert (await world.connect("cem").hello())["type"] == "welcome"


@pytest.mark.parametrize("is_in_memory", [True, False])
async def test_a_socket_that_closes_while_its_room_is_read_leaves_nothing_behind(
    world: World, *, is_in_memory: bool
) -> None:
    if not is_in_memory:
        world.evict()
    world.store.hold_reads()
    ada = world.connect("ada")
    greeting = asyncio.ensure_future(ada.push(**ada.a_hello()))
    await turns()
    ada.session.close(closes.DRAINING)
    world.store.release_reads()
    await greeting
    ada.disconnect()
    await turns()
    await ada.expect_silence()
    assert world.hub.rooms == 0


async def test_what_happens_while_a_room_is_read_is_told_once(world: World) -> None:
    ada = await world.join("ada")
    elsewhere = world.another_node()
    world.store.hold_reads()
    ben = elsewhere.connect("ben")
    greeting = asyncio.ensure_future(ben.push(**ben.a_hello()))
    await turns()
    await ada.push(type="post", message="m1", text="Hello")
    await turns()
    elsewhere.record.feed()
    world.store.release_reads()
    await greeting
    welcome = await ben.expect_frame("welcome")
    assert [message["text"] for message in welcome["messages"]] == ["Hello"]
    await ben.expect_event("joined")
    await ben.expect_silence()


# The same client again.


async def test_a_client_that_comes_again_replaces_its_older_socket(world: World) -> None:
    old = await world.join("ada")
    new = world.connect("ada")
    await new.hello()
    assert (old.code, new.code) == (closes.SUPERSEDED, None)
    await new.expect_event("joined")
    old.disconnect()
    left = await new.expect_event("left")
    assert (left["client"], left["reason"]) == ("ada", "superseded")
    assert new.code is None


async def test_it_does_so_on_another_node_too(world: World) -> None:
    old = await world.join("ada")
    elsewhere = world.another_node()
    elsewhere.clock.advance(1)
    new = elsewhere.connect("ada")
    await new.hello()
    await turns()
    world.record.feed()
    assert (old.code, new.code) == (closes.SUPERSEDED, None)


async def test_a_newer_socket_is_not_told_to_stop_by_an_older_hello_that_is_read_late(world: World) -> None:
    new, old = world.connect("ada"), world.connect("ada")
    await new.hello(at=2_000)
    await old.push(**old.a_hello(at=1_000))
    assert (old.code, new.code) == (closes.SUPERSEDED, None)
    old.disconnect()
    await new.expect_event("joined")
    await new.expect_silence()


async def test_nor_by_one_that_another_node_reads_late(world: World) -> None:
    elsewhere = world.another_node()
    new, old = world.connect("ada"), elsewhere.connect("ada")
    await new.hello(at=2_000)
    await old.hello(at=1_000)
    await turns()
    world.record.feed()
    elsewhere.record.feed()
    assert (old.code, new.code) == (closes.SUPERSEDED, None)


async def test_its_own_older_stay_that_is_logged_late_ends_nobody(world: World) -> None:
    """It reconnects before the log has taken in that it was here."""
    await world.meet("Ada")
    world.record.commits_by_itself = False
    old, new = world.connect("ada"), world.connect("ada")
    await old.hello()
    await new.hello()
    assert old.code == closes.SUPERSEDED
    old.disconnect()
    world.record.commits_by_itself = True
    world.record.commit()
    await turns()
    assert new.code is None


# Resuming.


async def resume(client: ScriptedClient, position: int, epoch: str = EPOCH) -> Heard:
    return await client.hello(resume={"epoch": epoch, "position": position})


async def test_a_client_that_comes_back_is_told_what_it_missed_and_nothing_else(world: World) -> None:
    ada = await world.join("ada", "main.md")
    ben = await world.join("ben", "main.md")
    before = position_of(world)
    ben.disconnect()
    await ada.expect_event("left")
    for number in (1, 2):
        await ada.push(type="post", message=f"m{number}", text=f"{number}")
    await ada.push(**an_edit(1, 0, ["x"]))
    await turns()
    back = world.connect("ben")
    welcome = await resume(back, before)
    assert (welcome["resumed"], welcome["messages"]) == (True, [])
    missed = await back.expect_frame("events")
    assert [event["event"] for event in missed["events"]] == ["left", "message", "message"]
    assert missed["position"] == welcome["position"]
    assert all(before < event["position"] <= welcome["position"] for event in missed["events"])
    await back.expect_event("joined")
    await back.expect_silence()


async def test_a_client_that_missed_nothing_is_told_nothing(world: World) -> None:
    await world.join("ada")
    back = world.connect("ben")
    assert (await resume(back, position_of(world)))["resumed"] is True
    await back.expect_event("joined")
    await back.expect_silence()


async def test_what_was_missed_is_read_where_nobody_has_kept_it(world: World) -> None:
    ada = await world.join("ada")
    before = position_of(world)
    for number in (1, 2, 3):
        await ada.push(type="post", message=f"m{number}", text=f"{number}")
    await turns()
    cold = world.another_node()
    for name in ("ben", "cem"):  # the second finds what was read for the first
        back = cold.connect(name)
        assert (await resume(back, before))["resumed"] is True
        missed = await back.expect_frame("events")
        assert [event["text"] for event in missed["events"] if event["event"] == "message"] == ["1", "2", "3"]


async def test_what_happens_while_the_rest_is_read_is_not_missed(world: World) -> None:
    ada, ben, cem = await world.join("ada", "main.md"), await world.join("ben"), await world.join("cem")
    await ada.push(**a_move(0, 0, 0))
    await ada.expect_frame("presence")
    before = ben.position
    world.evict()
    await world.services.rooms.get("demo")
    await world.services.profiles.get("Ben")
    back = world.connect("ben")
    await back.authenticate()
    world.store.hold_reads()  # the document, to show cursors where they are now
    greeting = asyncio.ensure_future(resume(back, before))
    await turns()
    await cem.push(type="post", message="m1", text="Hello")
    await turns()
    world.store.release_reads()
    assert (await greeting)["resumed"] is True
    missed = await back.expect_frame("events")
    assert [event["event"] for event in missed["events"]] == ["message"]


async def test_another_epoch_is_another_story(world: World) -> None:
    await world.join("ada")
    assert (await resume(world.connect("ben"), 1, epoch="epoch-0"))["resumed"] is False


@pytest.mark.parametrize(
    "asked", [{"type": "open", "revision": 0}, {"type": "catch_up", "after": 0, "limit": 10}]
)
async def test_a_text_of_another_epoch_is_not_gone_on_from(world: World, asked: dict[str, Any]) -> None:
    """However small its number is: the histories have parted before it."""
    await world.join("ada", "main.md")
    ben = world.connect("ben")
    await resume(ben, 1, epoch="epoch-0")
    await ben.expect_error(await ben.push(document="main.md", **asked), "E_VERSION_AHEAD", revision=0)
    ben.expect_end(closes.CLIENT_AHEAD)


async def test_who_comes_from_another_epoch_goes_on_from_the_text_that_it_is_given(world: World) -> None:
    ada = await world.join("ada", "main.md")
    await ada.push(**an_edit(1, 0, ["x"]))
    await turns()
    ben = world.connect("ben")
    await resume(ben, 1, epoch="epoch-0")
    await ben.expect_event("joined")
    assert (await ben.request(type="open", document="main.md"))["text"] == "x"
    assert (await ben.request(type="open", document="main.md", revision=1))["edits"] == []
    await ben.push(**an_edit(1, 1, [1, "y"]))
    await turns()
    assert (await ben.expect_event("edit"))["revision"] == 2


async def test_who_missed_too_much_begins_anew(world: World) -> None:
    ada = await world.join("ada")
    before = position_of(world)
    for number in range(RESUME_EVENTS_MAX + 1):
        await ada.push(type="post", message=f"m{number}", text="x")
    await turns()
    for place in (world, world.another_node()):
        welcome = await resume(place.connect("ben"), before)
        assert (welcome["resumed"], len(welcome["messages"])) == (False, MESSAGES_SHOWN)


async def test_a_node_that_is_behind_its_client_waits_for_its_feed(world: World) -> None:
    ada = await world.join("ada")
    await world.meet("Ben")
    behind = world.another_node()
    behind.record.commits_by_itself = False  # its own commits would make it read the log
    await ada.push(type="post", message="m1", text="Hello")
    await turns()
    ben = behind.connect("ben")
    greeting = asyncio.ensure_future(resume(ben, position_of(world)))
    await turns()
    assert not greeting.done()
    behind.record.feed()
    assert (await greeting)["resumed"] is True


async def test_a_node_that_stays_behind_sends_its_client_elsewhere(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(welcome, "BEHIND_SECONDS", 0.02)
    ada = await world.join("ada")
    await world.meet("Ben")
    behind = world.another_node()
    behind.record.commits_by_itself = False  # its own commits would make it read the log
    await ada.push(type="post", message="m1", text="Hello")
    await turns()
    ben = behind.connect("ben")
    await ben.push(**ben.a_hello(resume={"epoch": EPOCH, "position": position_of(world)}))
    assert ben.code == closes.STORE_UNAVAILABLE


async def test_a_position_that_was_never_reached_is_no_place_to_resume_from(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(welcome, "BEHIND_SECONDS", 0.02)
    assert (await resume(world.connect("ada"), 10**9))["resumed"] is False


# Time.


async def test_a_socket_that_says_nothing_is_ended(world: World) -> None:
    ada = world.connect("ada")
    world.clock.advance(HELLO_SECONDS)
    ada.session.on_tick(world.clock.monotonic())
    assert ada.code is None
    world.clock.advance(0.1)
    ada.session.on_tick(world.clock.monotonic())
    assert ada.code == closes.NO_HELLO


async def test_a_client_that_is_silent_is_asked_and_then_ended(world: World) -> None:
    ada = await world.join("ada")
    ada.session.on_tick(world.clock.monotonic())
    await ada.expect_silence()
    world.clock.advance(PING_SECONDS)
    ada.session.on_tick(world.clock.monotonic())
    await ada.expect_frame("ping")
    world.clock.advance(PONG_SECONDS)
    ada.session.on_tick(world.clock.monotonic())
    assert not ada.session.is_closed
    world.clock.advance(0.1)
    ada.session.on_tick(world.clock.monotonic())
    assert ada.code == closes.HEARTBEAT_LOST
    await ada.expect_silence()


@pytest.mark.parametrize("answer", ['{"type":"pong"}', '{"type":"ping","ref":1}', "{"])
async def test_whatever_a_client_says_shows_that_it_lives(world: World, answer: str) -> None:
    ada = await world.join("ada")
    world.clock.advance(PING_SECONDS)
    ada.session.on_tick(world.clock.monotonic())
    await ada.push_raw(answer)
    world.clock.advance(PONG_SECONDS + 1)
    ada.session.on_tick(world.clock.monotonic())
    assert ada.code is None


# Limits.


async def test_too_many_frames_end_the_session() -> None:
    world = await World(limits=Limits(frames_per_second=5, burst_seconds=2)).open_room()
    ada = await world.join("ada")
    for _ in range(9):
        await ada.request(type="ping")
    await ada.push(type="ping")
    assert ada.code == closes.TOO_MANY_FRAMES
    await ada.expect_silence()


async def test_pings_of_the_websocket_count_as_frames() -> None:
    world = await World(limits=Limits(frames_per_second=1, burst_seconds=3)).open_room()
    ada = await world.join("ada")
    ada.session.on_ping()
    ada.session.on_ping()
    assert ada.code is None
    ada.session.on_ping()
    assert ada.code == closes.TOO_MANY_FRAMES


async def test_too_many_edits_are_put_off_and_can_be_sent_again() -> None:
    world = await World(limits=Limits(edits_per_second=1, burst_seconds=2)).open_room("main.md")
    ada = await world.join("ada", "main.md")
    for seq in (1, 2):
        await ada.push(**an_edit(seq, seq - 1, ["x"]))
        await ada.expect_event("edit")
    error = await ada.expect_error(await ada.push(**an_edit(3, 2, ["x"])), "E_RATE")
    world.clock.advance(error["retry_after"])
    await ada.push(**an_edit(3, 2, ["x"]))
    assert (await ada.expect_event("edit"))["seq"] == 3


async def test_an_edit_that_is_far_behind_costs_more() -> None:
    world = await World(limits=Limits(edits_per_second=1, burst_seconds=4)).open_room("main.md")
    ben = World(world.store)
    ben.record.feed()
    for seq in range(1, 2 * REVISIONS_PER_TOKEN + 1):
        await ben.services.documents.edit("demo", "main.md", _domain_edit("ben", seq), actor="Ben")
    world.record.feed()
    ada = await world.join("ada", "main.md")
    await ada.push(**an_edit(1, 0, ["x"]))  # as dear as three
    await ada.expect_event("edit")
    await ada.push(**an_edit(2, 2 * REVISIONS_PER_TOKEN + 1, ["x"]))
    await ada.expect_event("edit")
    await ada.expect_error(await ada.push(**an_edit(3, 2 * REVISIONS_PER_TOKEN + 2, ["x"])), "E_RATE")


def _domain_edit(client: str, seq: int) -> Any:
    from application.documents import digest
    from domain.document import Edit as DomainEdit

    return DomainEdit(client, seq, seq - 1, ["y"], digest(seq - 1, ["y"]))


async def test_a_client_that_makes_one_mistake_after_the_other_is_ended(world: World) -> None:
    ada = await world.join("ada")
    for _ in range(ERRORS_MAX - 1):
        await ada.expect_error(await ada.push(type="dance"), "E_TYPE")
    assert ada.code is None
    await ada.push_raw("{")
    await ada.expect_error(None, "E_JSON")
    assert ada.code == closes.TOO_MANY_ERRORS


async def test_our_own_faults_do_not_count(world: World) -> None:
    ada = await world.join("ada", "main.md")
    world.record.is_full = True
    for seq in range(2 * ERRORS_MAX):
        await ada.expect_error(await ada.push(**an_edit(seq + 1, 0, ["x"])), "E_BUSY")
    assert ada.code is None


# Frames that are none.


async def test_a_frame_that_is_no_json_is_answered_without_a_ref(world: World) -> None:
    ada = await world.join("ada")
    for data in ("{", "[]", "hello"):
        await ada.push_raw(data)
        await ada.expect_error(None, "E_JSON")
    await ada.push_raw('{"type":"open","ref":7}')
    await ada.expect_error(7, "E_SCHEMA", field="document")


async def test_after_its_end_a_session_hears_nothing(world: World) -> None:
    ada = await world.join("ada")
    ada.session.close(closes.DRAINING)
    ada.session.close(closes.SUPERSEDED)
    await ada.push(type="ping")
    await ada.expect_silence()
    assert ada.code == closes.DRAINING


# Opening.


async def test_opening_gives_the_text(world: World) -> None:
    ada = await world.join("ada", "main.md")
    await ada.push(**an_edit(1, 0, ["Hé😀"]))
    await ada.expect_event("edit")
    ben = await world.join("ben")
    opened = await ben.request(type="open", document="main.md")
    assert opened == {
        "type": "opened",
        "ref": opened["ref"],
        "document": "main.md",
        "revision": 1,
        "seq": 0,
        "cursors": [],
        "text": "Hé😀",
    }
    assert (await ada.request(type="open", document="main.md"))["seq"] == 1


async def test_opening_again_gives_the_edits_since(world: World) -> None:
    ada = await world.join("ada", "main.md")
    for seq in (1, 2, 3):
        await ada.push(**an_edit(seq, seq - 1, [str(seq)]))
    await turns()
    ben = await world.join("ben")
    opened = await ben.request(type="open", document="main.md", revision=1)
    assert "text" not in opened
    assert [(edit["revision"], edit["op"], edit["client"]) for edit in opened["edits"]] == [
        (2, ["2"], "ada"),
        (3, ["3"], "ada"),
    ]
    assert (await ben.request(type="open", document="main.md", revision=3))["edits"] == []


async def test_a_document_is_created_for_whoever_asks_for_that(world: World) -> None:
    ada = await world.join("ada")
    await ada.expect_error(await ada.push(type="open", document="new.md"), "E_NOT_FOUND")
    opened = await ada.request(type="open", document="new.md", create=True)
    assert (opened["revision"], opened["text"]) == (0, "")
    assert (await ada.expect_event("document_listed"))["document"] == "new.md"


async def test_a_client_that_is_too_far_behind_is_told_the_revision(world: World) -> None:
    ada = await world.join("ada")
    document = await world.services.documents.get("demo", "main.md")
    document.revision = 5_000
    await ada.expect_error(
        await ada.push(type="open", document="main.md", revision=1), "E_VERSION_OLD", revision=5_000
    )
    assert ada.code is None


@pytest.mark.parametrize(
    "request_",
    [
        {"type": "open", "document": "main.md", "revision": 1},
        {"type": "catch_up", "document": "main.md", "after": 1},
        {"type": "cursor", "document": "main.md", "revision": 1, "anchor": 0, "head": 0},
        an_edit(1, 1, ["x"]),
    ],
    ids=lambda frame: frame["type"],
)
async def test_a_client_that_is_ahead_of_the_server_is_to_stop(world: World, request_: Heard) -> None:
    ada = await world.join("ada", "main.md")
    await ada.expect_error(await ada.push(**request_), "E_VERSION_AHEAD", revision=0)
    assert ada.code == closes.CLIENT_AHEAD


async def test_a_session_may_have_so_many_documents_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "DOCUMENTS_OPEN_MAX", 2)
    ada = await world.join("ada", "main.md")
    await ada.request(type="open", document="b.md", create=True)
    await ada.expect_error(await ada.push(type="open", document="c.md", create=True), "E_RATE", limit=2)
    assert (await ada.request(type="open", document="main.md"))["type"] == "opened"  # again
    await ada.request(type="close", document="b.md")
    assert (await ada.request(type="open", document="c.md", create=True))["type"] == "opened"


async def test_a_document_that_leaves_the_memory_while_it_is_opened_is_opened_again(world: World) -> None:
    ada = await world.join("ada")
    document = await world.services.documents.get("demo", "main.md")
    document.clients_forgotten = True  # so that opening reads
    world.store.hold_reads()
    opening = asyncio.ensure_future(ada.push(type="open", document="main.md"))
    await turns()
    world.evict()
    world.store.release_reads()
    await ada.expect_error(await opening, "E_STORE")
    assert (await ada.request(type="open", document="main.md"))["type"] == "opened"


async def test_an_edit_that_is_committed_while_a_document_is_opened_is_told_once(world: World) -> None:
    ada = await world.join("ada", "main.md")
    ben = await world.join("ben")
    document = await world.services.documents.get("demo", "main.md")
    document.clients_forgotten = True
    world.store.hold_reads()
    opening = asyncio.ensure_future(ben.push(type="open", document="main.md"))
    await turns()
    document.clients_forgotten = False
    await ada.push(**an_edit(1, 0, ["x"]))
    await turns()
    world.store.release_reads()
    opened = await ben.expect_reply(await opening)
    assert (opened["revision"], opened["text"]) == (1, "x")
    await ben.expect_silence()


# Editing.


async def test_an_edit_is_answered_by_its_event_which_everybody_hears(world: World) -> None:
    ada = await world.join("ada", "main.md")
    ben = await world.join("ben", "main.md")
    cem = await world.join("cem")
    await ada.push(**an_edit(1, 0, ["x"]))
    own, other = await ada.expect_event("edit"), await ben.expect_event("edit")
    assert own == other
    assert (own["client"], own["seq"], own["revision"], own["base"], own["op"]) == ("ada", 1, 1, 0, ["x"])
    for client in (ada, ben, cem):
        await client.expect_silence()


async def test_edits_of_one_batch_come_in_one_frame_for_each_set_of_documents(world: World) -> None:
    await world.services.documents.create("demo", "b.md", actor="Ada")
    ada = await world.join("ada", "main.md", "b.md")
    ben = await world.join("ben", "b.md")
    world.record.commits_by_itself = False
    await ada.push(**an_edit(1, 0, ["x"]))
    await ada.push(**an_edit(1, 0, ["y"], "b.md"))
    await ada.push(type="post", message="m1", text="Hello")
    world.record.commit()
    heard = await ada.expect_frame("events")
    assert [event["event"] for event in heard["events"]] == ["edit", "edit", "message"]
    heard = await ben.expect_frame("events")
    assert [event.get("document", event["event"]) for event in heard["events"]] == ["b.md", "message"]
    for client in (ada, ben):
        await client.expect_silence()


async def test_a_document_must_be_open(world: World) -> None:
    ada = await world.join("ada")
    await ada.expect_error(await ada.push(**an_edit(1, 0, ["x"])), "E_NOT_JOINED")
    ref = await ada.push(type="cursor", document="main.md", revision=0, anchor=0, head=0)
    await ada.expect_error(ref, "E_NOT_JOINED")


async def test_a_closed_document_is_heard_no_more(world: World) -> None:
    ada = await world.join("ada", "main.md")
    ben = await world.join("ben", "main.md")
    assert await ben.request(type="close", document="main.md") == {"type": "ok", "ref": 2 + 1}
    await ada.push(**an_edit(1, 0, ["x"]))
    await ada.expect_event("edit")
    await ben.expect_silence()
    await ben.expect_error(await ben.push(**an_edit(1, 1, ["y"])), "E_NOT_JOINED")


async def test_a_resend_is_answered_ok_and_nobody_hears_of_it(world: World) -> None:
    ada = await world.join("ada", "main.md")
    await ada.push(**an_edit(1, 0, ["x"]))
    await ada.expect_event("edit")
    assert (await ada.request(**an_edit(1, 0, ["x"])))["type"] == "ok"
    await ada.expect_silence()


async def test_a_resend_before_the_commit_is_answered_when_it_is_durable(world: World) -> None:
    ada = await world.join("ada", "main.md")
    world.record.commits_by_itself = False
    await ada.push(**an_edit(1, 0, ["x"]))
    again = await ada.push(**an_edit(1, 0, ["x"]))
    await ada.expect_silence()
    world.record.commit()
    await ada.expect_event("edit")
    assert (await ada.expect_reply(again))["type"] == "ok"


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (an_edit(2, 1, ["y"]), None),
        (an_edit(1, 1, ["other"]), "E_ID_REUSED"),
        (an_edit(3, 1, ["y"]), "E_SEQ"),
        (an_edit(2, 1, [9, "y"]), "E_OP_INVALID"),
        (an_edit(2, 1, [1]), "E_OP_INVALID"),
        (an_edit(2, 1, ["a\x00"]), "E_TEXT"),
        (an_edit(2, 1, ["x"] * 5_001), "E_OP_SIZE"),
        (an_edit(2, 1, ["x" * 61_441]), "E_OP_SIZE"),
        (an_edit(2, 1, ["y"], "other.md"), "E_NOT_JOINED"),
    ],
)
async def test_an_edit_that_cannot_be_accepted_is_answered_by_its_code(
    world: World, edit: Edit, code: str | None
) -> None:
    ada = await world.join("ada", "main.md")
    await ada.push(**an_edit(1, 0, ["x"]))
    await ada.expect_event("edit")
    ref = await ada.push(**edit)
    if code is None:
        await ada.expect_event("edit")
    else:
        await ada.expect_error(ref, code)
    await ada.expect_silence()
    assert ada.code is None


async def test_an_edit_in_a_stall_is_answered_by_when_to_send_it_again(world: World) -> None:
    ada = await world.join("ada", "main.md")
    world.record.commits_by_itself = False
    ref = await ada.push(**an_edit(1, 0, ["x"]))
    world.record.stall()
    assert (await ada.expect_error(ref, "E_STORE"))["retry_after"] > 0
    world.record.commit()
    await ada.expect_event("edit")


async def test_a_mistake_of_ours_ends_the_session_and_is_logged(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ada = await world.join("ada")
    monkeypatch.setattr("application.messages.Message.post", _explode)
    with caplog.at_level(logging.ERROR):
        await ada.push(type="post", message="m1", text="Hello")
        await turns()
    assert ada.code == closes.INTERNAL
    assert "a command failed" in caplog.text


def _explode(*_: object, **__: object) -> None:
    raise ZeroDivisionError


async def test_an_answer_to_a_session_that_has_ended_is_for_nobody(world: World) -> None:
    ada = await world.join("ada", "main.md")
    world.record.commits_by_itself = False
    await ada.push(**an_edit(1, 0, ["x"]))
    ada.session.close(closes.DRAINING)
    world.record.stall()
    await ada.expect_silence()


# Cursors.


def a_move(revision: int, anchor: int, head: int) -> Heard:
    return {"type": "cursor", "document": "main.md", "revision": revision, "anchor": anchor, "head": head}


async def test_cursors_are_shown_to_everybody_with_their_owner(world: World) -> None:
    ada = await world.join("ada", "main.md")
    ben = await world.join("ben")
    await ada.push(**an_edit(1, 0, ["hello"]))
    await ada.expect_event("edit")
    await ada.push(**a_move(1, 2, 4))
    await ada.push(**a_move(1, 3, 99))
    for client in (ada, ben):
        frame = await client.expect_frame("presence")
        [move] = frame["moves"]  # the last: nobody needs to see where it was between
        assert {"type": "cursor", **move} == {**a_move(1, 3, 5), "client": "ada", "at": move["at"]}
        await client.expect_silence()
    frames = [r.event for r in world.presence.store.log if isinstance(r.event, FrameRecorded)]
    assert [move[2:5] for frame in frames for move in frame.moves] == [[1, 2, 4], [1, 3, 5]]


async def test_cursors_move_in_a_document_that_nobody_has_edited_for_long(world: World) -> None:
    ada = await world.join("ada", "main.md")
    world.evict()
    await ada.push(**a_move(0, 0, 0))
    assert len((await ada.expect_frame("presence"))["moves"]) == 1


async def test_cursors_that_cannot_be_logged_are_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.cursors.MOVES_WAITING_MAX", 1)
    ada = await world.join("ada", "main.md")
    await ada.push(**a_move(0, 0, 0))
    await ada.expect_error(await ada.push(**a_move(0, 0, 0)), "E_BUSY")


# Chat.


async def test_a_message_is_answered_by_its_event_with_where_the_documents_stood(world: World) -> None:
    ada = await world.join("ada", "main.md")
    ben = await world.join("ben")
    await ada.push(**an_edit(1, 0, ["x"]))
    await ada.expect_event("edit")
    await ada.push(type="post", message="m1", text="Hello 😀")
    own = await ada.expect_event("message")
    assert own == await ben.expect_event("message")
    assert (own["message"], own["client"], own["actor"], own["text"]) == ("m1", "ada", "Ada", "Hello 😀")
    assert own["documents"] == {"main.md": 1}


async def test_a_message_names_documents_that_nobody_has_touched_for_long(world: World) -> None:
    ada = await world.join("ada", "main.md")
    world.evict()
    await ada.push(type="post", message="m1", text="Hello")
    assert (await ada.expect_event("message"))["documents"] == {"main.md": 0}


async def test_a_message_that_is_sent_again_is_answered_ok(world: World) -> None:
    ada = await world.join("ada")
    await ada.push(type="post", message="m1", text="Hello")
    await ada.expect_event("message")
    assert (await ada.request(type="post", message="m1", text="Hello"))["type"] == "ok"
    await ada.expect_error(await ada.push(type="post", message="m1", text="Other"), "E_ID_REUSED")
    await ada.expect_silence()


@pytest.mark.parametrize(("text", "code"), [(" ", "E_TEXT"), ("a\x00", "E_TEXT"), ("x" * 8_193, "E_OP_SIZE")])
async def test_what_cannot_be_said_is_answered_by_its_code(world: World, text: str, code: str) -> None:
    ada = await world.join("ada")
    await ada.expect_error(await ada.push(type="post", message="m1", text=text), code)


# Catching up.


async def test_edits_are_caught_up_with_page_by_page(world: World) -> None:
    ada = await world.join("ada", "main.md")
    for seq in range(1, 6):
        await ada.push(**an_edit(seq, seq - 1, [str(seq)]))
    await turns()
    ben = await world.join("ben")

    async def page(after: int, limit: int) -> tuple[list[int], int]:
        edits = await ben.request(type="catch_up", document="main.md", after=after, limit=limit)
        assert (edits["type"], edits["document"]) == ("edits", "main.md")
        return [edit["revision"] for edit in edits["edits"]], edits["revision"]

    assert await page(0, 2) == ([1, 2], 5)
    assert await page(2, 1000) == ([3, 4, 5], 5)
    assert await page(5, 1) == ([], 5)


async def test_a_document_that_is_not_there_cannot_be_caught_up_with(world: World) -> None:
    ada = await world.join("ada")
    await ada.expect_error(await ada.push(type="catch_up", document="none.md", after=0), "E_NOT_FOUND")


async def test_a_ping_is_answered(world: World) -> None:
    ada = await world.join("ada")
    assert (await ada.request(type="ping"))["type"] == "ok"
    await ada.push_raw('{"type":"pong"}')
    await ada.expect_silence()


# Leaving.


@pytest.mark.parametrize(
    ("end", "is_clean", "reason"),
    [
        (lambda session: None, True, "left"),
        (lambda session: None, False, "lost"),
        (lambda session: session.close(closes.DRAINING), False, "drained"),
        (lambda session: session.close(closes.DRAINING), True, "drained"),
        (lambda session: session.on_superseded(), False, "superseded"),
        (lambda session: session.close(closes.SLOW_CONSUMER), False, "lost"),
    ],
)
async def test_the_room_is_told_why_somebody_left(
    world: World, end: Callable[[Any], None], is_clean: bool, reason: str
) -> None:
    ada, ben = await world.join("ada"), await world.join("ben")
    end(ben.session)
    ben.disconnect(is_clean=is_clean)
    assert (await ada.expect_event("left"))["reason"] == reason


async def test_who_never_came_does_not_leave(world: World) -> None:
    ada = await world.join("ada")
    world.connect("ben").disconnect()
    await ada.expect_silence()


async def test_a_room_that_everybody_has_left_is_forgotten(world: World) -> None:
    ada, ben = await world.join("ada"), await world.join("ben")
    ada.disconnect()
    assert world.hub.rooms == 1
    ben.disconnect()
    assert (world.hub.rooms, world.hub.sessions) == (0, [])
    assert (await world.connect("cem").hello())["roster"] == []


# A peer that does not read.


async def test_a_peer_that_does_not_read_is_cut_and_nobody_else_notices() -> None:
    world = await World(FakeStore()).open_room("main.md")
    ada, ben = await world.join("ada", "main.md"), await world.join("ben", "main.md")
    ben.transport.is_full = True
    for seq in range(1, 1_200):
        await ada.push(**an_edit(seq, seq - 1, ["x"]))
        world.clock.advance(0.01)
        await asyncio.sleep(0)
    await turns()
    assert (ada.code, ben.code) == (None, closes.SLOW_CONSUMER)
    ada.hear()
    heard = [event["seq"] for frame in ada.heard for event in frame["events"]]
    assert heard == list(range(1, 1_200))


# Texts that are compared.


async def check(client: ScriptedClient, revision: int, text: str) -> int:
    digest = sha256(text.encode()).hexdigest()
    return await client.push(type="check", document="main.md", revision=revision, hash=digest)


async def test_who_has_another_text_is_told_and_both_are_logged_by_hash_only(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    ada, ben = await world.join("ada", "main.md"), await world.join("ben", "main.md")
    for seq, text in enumerate(["Hello", " there", "é😀"], 1):
        await ada.push(**an_edit(seq, seq - 1, [text] if seq == 1 else [5, text]))
    await world.forget()
    for revision, text in enumerate(["", "Hello", "Hello there", "Helloé😀 there"]):
        assert (await ben.expect_reply(await check(ben, revision, text)))["type"] == "ok"
    assert world.hub.hash_mismatches == 0
    await ben.expect_error(await check(ben, 3, "Hello there"), "E_VERSION_OLD", revision=3)
    assert world.hub.hash_mismatches == 1
    assert sha256("Helloé😀 there".encode()).hexdigest() in caplog.text
    assert "Hello" not in caplog.text
    await ada.expect_silence()
    ben.expect_no_end()


async def test_a_text_that_is_not_there_yet_or_not_any_more_cannot_be_compared(world: World) -> None:
    ada, ben = await world.join("ada", "main.md"), await world.join("ben", "main.md")
    for seq in range(1, 2 * WINDOW_REVISIONS + 1):
        await ada.push(**an_edit(seq, seq - 1, ["x"]))
        world.clock.advance(0.01)
    await world.forget()
    await ben.expect_error(await check(ben, 0, ""), "E_BUSY")
    cem = await world.join("cem")
    await cem.expect_error(await check(cem, 0, ""), "E_NOT_JOINED")
    await ben.expect_error(await check(ben, 9_999, ""), "E_VERSION_AHEAD")
    ben.expect_end(closes.CLIENT_AHEAD)


async def test_what_a_socket_has_left_open_is_not_decided_again_when_it_is_gone(world: World) -> None:
    """Its client comes back, perhaps elsewhere, and what it is answered there stays true."""
    ada, cem = await world.join("ada", "main.md"), await world.join("cem", "main.md")
    world.record.commits_by_itself = False
    await cem.push(**an_edit(1, 0, ["Hello"]))
    await cem.push(type="post", message="m1", text="Hello")
    cem.disconnect()
    await turns()
    world.record.lose_connection(committed=False)
    world.record.commits_by_itself = True
    await world.record.settled()
    await ada.push(type="post", message="m2", text="Anybody?")
    await turns()
    assert not [r for r in world.store.log if isinstance(r.event, EditApplied)]
    assert [r.event.message for r in world.store.log if isinstance(r.event, Posted)] == ["m2"]
