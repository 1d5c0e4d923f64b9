"""What clients are shown of each other, as scripts in frames: statuses, cursors, typing, on every node."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from application.cursors import KEYFRAME_SECONDS
from domain.attendance import AWAY_SECONDS, IDLE_SECONDS, StatusChanged
from domain.document import HISTORY_REVISIONS
from domain.limits import PRESENCE_BYTES
from interfaces.ws import closes
from interfaces.ws.rates import Limits
from interfaces.ws.roster import TYPING_SECONDS
from interfaces.ws.session import PING_SECONDS
from tests.interfaces.ws.scripts import Heard, ScriptedClient, World, turns
from tests.waiting import until

# Nobody is shown for longer after the last sign of life.
GHOST_SECONDS = 30


@pytest.fixture
async def world() -> World:
    """A node with the room "demo" and the document "main.md", whose clients hear of statuses."""
    world = await World().open_room("main.md")
    world.tells_statuses = True
    return world


def an_edit(seq: int, base: int, op: list[Any]) -> Heard:
    return {"type": "edit", "document": "main.md", "seq": seq, "base": base, "op": op}


def a_move(revision: int, anchor: int, head: int) -> Heard:
    return {"type": "cursor", "document": "main.md", "revision": revision, "anchor": anchor, "head": head}


async def write(client: ScriptedClient, *texts: str) -> None:
    """Edits at the beginning of a document that nobody else edits, and all of what follows is heard."""
    opened = await client.request(type="open", document="main.md")
    for number, text in enumerate(texts, 1):
        await client.push(**an_edit(opened["seq"] + number, opened["revision"] + number - 1, [text]))
    await client.world.forget()


async def show(client: ScriptedClient, revision: int, anchor: int, head: int) -> None:
    """Move a cursor, and wait until everybody here has seen it."""
    await client.push(**a_move(revision, anchor, head))
    await client.expect_frame("presence")
    await client.world.forget()


async def entry_of(world: World, client: str) -> Heard:
    """What somebody new is told of `client`."""
    reader = world.connect("reader")
    welcome = await reader.hello()
    reader.disconnect()
    await world.forget()
    [entry] = [entry for entry in welcome["roster"] if entry["client"] == client]
    return dict(entry)


def without(entry: Heard, *fields: str) -> Heard:
    return {name: value for name, value in entry.items() if name not in fields}


# Statuses.


async def test_a_status_is_told_to_the_room_when_it_changes_and_only_then(world: World) -> None:
    ada, ben = await world.join("ada"), await world.join("ben")
    await world.open_room(room="other")
    elsewhere = await world.join("cem", room="other")
    for _ in range(2):
        assert (await ben.request(type="status", status="running"))["type"] == "ok"
    event = await ada.expect_event("status")
    assert (event["client"], event["status"], event["actor"]) == ("ben", "running", "Ben")
    assert await ben.expect_event("status") == event
    for client in (ada, ben, elsewhere):
        await client.expect_silence()
    assert (await entry_of(world, "ben"))["status"] == "running"


@pytest.mark.parametrize("status", ["editing", "running", "away", "idle"])
async def test_what_is_declared_is_told_and_taken_back_with_null(world: World, status: str) -> None:
    ben = await world.join("ben")
    await ben.request(type="status", status=status)
    assert (await entry_of(world, "ben"))["status"] == status
    await ben.request(type="status", status=None)
    await turns()
    # An edit that was declared is not undone by that.
    assert (await entry_of(world, "ben"))["status"] == ("editing" if status == "editing" else "idle")


async def expect_status(world: World, watcher: ScriptedClient, status: str) -> None:
    assert (await watcher.expect_event("status"))["status"] == status
    [*_, last] = [r.event for r in world.store.log if isinstance(r.event, StatusChanged)]
    assert (last.status, last.cause) == (status, "derived")


async def test_a_status_follows_from_what_is_done_and_not_done(world: World) -> None:
    ada, ben = await world.join("ada"), await world.join("ben", "main.md")
    await ada.request(type="status", status="running")
    await world.forget()
    await ben.push(**an_edit(1, 0, ["x"]))
    await expect_status(world, ada, "editing")
    steps = [
        (IDLE_SECONDS - 0.1, None),
        (0.1, "idle"),
        (AWAY_SECONDS - IDLE_SECONDS - 0.1, None),
        (0.1, "away"),
        (10 * AWAY_SECONDS, None),
    ]
    for seconds, status in steps:
        world.clock.advance(seconds)
        world.services.attendances.sweep()
        if status is None:
            await ada.expect_silence()
        else:
            await expect_status(world, ada, status)
    await ben.push(type="post", message="m1", text="Back")
    await turns()
    events = [event for frame in ada.heard_frames("events") for event in frame["events"]]
    assert [event.get("status", event["event"]) for event in events] == ["message", "idle"]
    assert (await entry_of(world, "ada"))["status"] == "running"  # which holds until she says otherwise


async def test_who_was_said_to_be_away_is_back_when_they_do_something(world: World) -> None:
    ada, ben = await world.join("ada", "main.md"), await world.join("ben", "main.md")
    for number, sign in enumerate(
        [a_move(0, 0, 0), {"type": "typing", "document": None, "typing": True}, {"type": "status"}]
    ):
        await ben.request(type="status", status="away")
        await world.forget()
        await ben.push(**sign)
        event = await ada.expect_event("status")
        assert event["status"] == "idle", number
        await world.forget()


async def test_reading_and_pings_are_no_activity(world: World) -> None:
    ada, ben = await world.join("ada", "main.md"), await world.join("ben", "main.md")
    world.clock.advance(AWAY_SECONDS)
    await ada.push(type="status", status="running")
    for request in (
        {"type": "ping"},
        {"type": "open", "document": "main.md"},
        {"type": "catch_up", "document": "main.md", "after": 0},
    ):
        await ben.request(**request)
    world.services.attendances.sweep()
    await turns()
    assert (await entry_of(world, "ben"))["status"] == "away"


async def test_who_has_left_has_no_status_any_more(world: World) -> None:
    ada, ben = await world.join("ada"), await world.join("ben")
    ben.disconnect()
    await ada.expect_event("left")
    await ada.push(type="status", status="running")
    await world.forget()
    world.clock.advance(AWAY_SECONDS)
    world.services.attendances.sweep()
    await ada.expect_silence()


# Ghosts.


@pytest.mark.parametrize("phase", [0.0, 0.25, 0.5, 0.99])
async def test_who_is_silent_is_gone_within_half_a_minute(world: World, phase: float) -> None:
    ada, ben = await world.join("ada"), await world.join("ben")
    world.clock.advance(phase)  # after the last tick
    await ben.request(type="ping")
    world.clock.advance(1 - phase)
    heard_seconds_ago = 1 - phase
    while ben.code is None:
        world.tick()
        if not ben.code:
            await ada.push_raw('{"type":"pong"}')
            world.clock.advance(1)
            heard_seconds_ago += 1
    assert heard_seconds_ago <= GHOST_SECONDS
    ben.expect_end(closes.HEARTBEAT_LOST)
    ada.expect_no_end()
    ben.disconnect()
    left = (await ada.expect_frame("events"))["events"][-1]
    assert (left["event"], left["client"], left["reason"]) == ("left", "ben", "lost")


# Cursors.


async def test_a_cursor_of_an_older_text_is_shown_where_it_is_now(world: World) -> None:
    ada, ben = await world.join("ada", "main.md"), await world.join("ben", "main.md")
    await write(ada, "hello", "Oh, ")
    await ben.push(**a_move(1, 1, 5))
    [move] = (await ada.expect_frame("presence"))["moves"]
    assert (move["revision"], move["anchor"], move["head"]) == (2, 5, 9)


async def test_a_cursor_beyond_the_end_is_shown_at_the_end(world: World) -> None:
    ada = await world.join("ada", "main.md")
    await write(ada, "hello")
    await ada.push(**a_move(1, 2**53 - 1, 99))
    [move] = (await ada.expect_frame("presence"))["moves"]
    assert (move["anchor"], move["head"]) == (5, 5)


async def test_a_cursor_of_a_text_too_long_ago_is_nowhere(world: World) -> None:
    ada = await world.join("ada", "main.md")
    document = await world.services.documents.get("demo", "main.md")
    document.revision = HISTORY_REVISIONS + 1
    await ada.expect_error(await ada.push(**a_move(0, 0, 0)), "E_VERSION_OLD", revision=document.revision)
    ada.expect_no_end()


async def test_cursors_are_told_to_who_comes_where_they_are_now(world: World) -> None:
    ada, ben = await world.join("ada", "main.md"), await world.join("ben", "main.md")
    await write(ada, "hello")
    await show(ben, 1, 1, 5)
    await show(ada, 1, 0, 0)
    await write(ada, "Oh, ")
    [cursor] = (await entry_of(world, "ben"))["cursors"]
    assert without(cursor, "at") == {
        "client": "ben",
        "document": "main.md",
        "revision": 2,
        "anchor": 5,
        "head": 9,
    }


async def test_opening_a_document_gives_the_others_cursors_in_its_text(world: World) -> None:
    ada, ben = await world.join("ada", "main.md"), await world.join("ben", "main.md")
    await write(ada, "hello")
    await show(ben, 1, 1, 5)
    await show(ada, 1, 0, 0)
    await write(ada, "Oh, ")
    for client, expected in ((ada, [("ben", 2, 5, 9)]), (ben, [("ada", 2, 0, 0)])):
        for fields in ({}, {"revision": 1}):
            opened = await client.request(type="open", document="main.md", **fields)
            assert opened["revision"] == 2
            assert [
                (c["client"], c["revision"], c["anchor"], c["head"]) for c in opened["cursors"]
            ] == expected


@pytest.mark.parametrize("is_in_memory", [True, False])
async def test_who_closes_a_document_shows_no_cursor_in_it(world: World, *, is_in_memory: bool) -> None:
    await world.services.documents.create("demo", "b.md", actor="Ada")
    ada, ben = await world.join("ada"), await world.join("ben", "main.md", "b.md")
    await show(ben, 0, 0, 0)
    await ben.push(type="cursor", document="b.md", revision=0, anchor=0, head=0)
    await ada.expect_frame("presence")
    if not is_in_memory:
        world.evict()
    await ben.request(type="close", document="main.md")
    [move] = (await ada.expect_frame("presence"))["moves"]
    assert (move["client"], move["document"], move["anchor"], move["head"]) == ("ben", "main.md", None, None)
    assert [cursor["document"] for cursor in (await entry_of(world, "ben"))["cursors"]] == ["b.md"]


async def test_who_closes_a_document_without_a_cursor_in_it_tells_nothing(world: World) -> None:
    ada, ben = await world.join("ada"), await world.join("ben", "main.md")
    await ben.request(type="close", document="main.md")
    await until(lambda: not world.presence.waiting)
    await ada.expect_silence()


async def test_who_has_left_shows_no_cursor(world: World) -> None:
    await world.join("ada")
    ben = await world.join("ben", "main.md")
    await show(ben, 0, 0, 0)
    ben.disconnect()
    back = await world.join("ben", "main.md")
    assert (await entry_of(world, "ben"))["cursors"] == []
    assert (await back.request(type="open", document="main.md"))["cursors"] == []


# Typing.


@pytest.mark.parametrize("where", ["main.md", None])
async def test_who_types_is_told_to_the_room(world: World, where: str | None) -> None:
    ada, ben = await world.join("ada"), await world.join("ben", "main.md")
    for is_typing in (True, False):
        await ben.push(type="typing", document=where, typing=is_typing)
        frame = await ada.expect_frame("presence")
        [sign] = frame["typing"]
        assert without(sign, "at") == {"client": "ben", "document": where, "typing": is_typing}
        assert frame["moves"] == []
        assert (await entry_of(world, "ben"))["typing"] == ([where] if is_typing else [])


async def test_typing_holds_for_a_while(world: World) -> None:
    await world.join("ada")
    ben = await world.join("ben")
    await ben.push(type="typing", typing=True)
    await ben.expect_frame("presence")
    world.clock.advance(TYPING_SECONDS - 0.1)
    assert (await entry_of(world, "ben"))["typing"] == [None]
    world.clock.advance(0.1)
    assert (await entry_of(world, "ben"))["typing"] == []


async def test_who_types_in_a_document_has_it_open(world: World) -> None:
    ben = await world.join("ben")
    ref = await ben.push(type="typing", document="main.md", typing=True)
    await ben.expect_error(ref, "E_NOT_JOINED")


# Not too much.


@pytest.mark.parametrize(
    "sign",
    [a_move(0, 0, 0), {"type": "typing", "typing": True}, {"type": "status", "status": "running"}],
    ids=lambda sign: sign["type"],
)
async def test_signs_of_presence_come_in_a_measure(sign: Heard) -> None:
    limits = Limits(presence_per_second=5, burst_seconds=2)
    world = await World(limits=limits).open_room("main.md")
    ada, ben = await world.join("ada", "main.md"), await world.join("ben", "main.md")
    for _ in range(10):
        await ben.push(**sign)
    error = await ben.expect_error(await ben.push(**sign), "E_RATE")
    assert 0 < error["retry_after"] <= 0.21
    await ben.push(**an_edit(1, 0, ["x"]))  # which is none
    await turns()
    assert [event["event"] for frame in ben.heard_frames("events") for event in frame["events"]] == ["edit"]
    await ada.push(**sign)  # and others have their own
    assert not [frame for frame in ada.heard if frame["type"] == "error"]
    world.clock.advance(0.2)
    ref = await ben.push(**sign)
    assert not [frame for frame in ben.heard if frame.get("ref") == ref and frame["type"] == "error"]
    ben.expect_no_end()


@pytest.mark.parametrize("kind", ["cursor", "typing", "status"])
async def test_a_sign_of_presence_is_small(world: World, kind: str) -> None:
    ada, ben = await world.join("ada", "main.md"), await world.join("ben", "main.md")
    await ben.push_raw(f'{{"type":"{kind}","ref":7,"document":"{"x" * PRESENCE_BYTES}"}}')
    await ben.expect_error(7, "E_OP_SIZE", limit=PRESENCE_BYTES)
    ben.expect_no_end()
    await ada.expect_silence()


# On another node.


async def test_a_node_that_reads_a_room_shows_it_as_who_was_there_from_the_beginning(world: World) -> None:
    ada = await world.join("ada", "main.md")
    ben = await world.join("ben", "main.md")
    await world.join("cem")
    await write(ada, "hello")
    await show(ben, 1, 1, 5)
    await show(ada, 1, 2, 2)
    world.clock.advance(KEYFRAME_SECONDS)
    await show(ada, 1, 3, 3)  # with a keyframe, that tells of Ben too
    await ben.push(type="typing", document=None, typing=True)
    await ben.push(type="typing", document="main.md", typing=True)
    await ben.push(type="typing", document="main.md", typing=False)
    await ben.expect_frame("presence")
    await ada.request(type="status", status="running")
    await write(ada, "Oh, ")
    here, there = world.connect("reader"), world.another_node().connect("reader2")
    welcomes = [await here.hello(), await there.hello()]
    rosters = [
        [without(entry, "active") for entry in welcome["roster"] if entry["client"] != "reader"]
        for welcome in welcomes
    ]
    assert rosters[0] == rosters[1]
    assert {entry["client"]: len(entry["cursors"]) for entry in rosters[1]} == {"ada": 1, "ben": 1, "cem": 0}
    assert {entry["client"]: entry["typing"] for entry in rosters[1]} == {"ada": [], "ben": [None], "cem": []}
    assert welcomes[0]["people"] == {
        user: looks for user, looks in welcomes[1]["people"].items() if user != "Reader"
    }
    cursors = [(await client.request(type="open", document="main.md"))["cursors"] for client in (here, there)]
    assert cursors[0] == cursors[1] != []


async def test_also_when_somebody_came_back_without_the_cursor_that_they_had(world: World) -> None:
    ben = await world.join("ben", "main.md")
    await show(ben, 0, 0, 0)
    ben.disconnect()
    world.clock.advance(1)
    await world.join("ben", "main.md")
    for place in (world, world.another_node()):
        assert (await entry_of(place, "ben"))["cursors"] == []


async def test_what_is_shown_while_a_room_is_read_is_shown_to_who_reads_it(world: World) -> None:
    ada, ben = await world.join("ada", "main.md"), await world.join("ben", "main.md")
    await write(ada, "hello")
    await show(ben, 1, 1, 1)
    elsewhere = world.another_node()
    await elsewhere.meet("Cem")
    world.store.hold_reads()
    cem = elsewhere.connect("cem")
    greeting = asyncio.ensure_future(cem.push(**cem.a_hello()))
    await turns()
    await ben.push(**a_move(1, 3, 3))
    await ben.push(type="typing", document=None, typing=True)
    await ben.expect_frame("presence")
    elsewhere.feed()
    world.store.release_reads()
    await greeting
    welcome = await cem.expect_frame("welcome")
    [entry] = [entry for entry in welcome["roster"] if entry["client"] == "ben"]
    assert ([c["anchor"] for c in entry["cursors"]], entry["typing"]) == ([3], [None])


async def test_a_silent_client_is_asked_after_twenty_seconds(world: World) -> None:
    ada = await world.join("ada")
    world.tick(PING_SECONDS)
    await ada.expect_frame("ping")
    assert PING_SECONDS == 20
