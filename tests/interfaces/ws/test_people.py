"""How people look, as scripts in frames: told to the rooms that know them, in order, and never older."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.attendance import Joined
from domain.colours import colour_of
from tests.interfaces.ws.scripts import EPOCH, Heard, ScriptedClient, World, turns


@pytest.fixture
async def world() -> World:
    """A node with the room "demo"."""
    return await World().open_room()


async def rename(place: World, user: str, name: str) -> None:
    await place.services.profiles.change(user, name=name, colour=None, avatar=None, actor=user)


def events_of(client: ScriptedClient) -> list[tuple[str, Any]]:
    """What was heard, in short: the event and what it tells."""
    events = [event for frame in client.heard_frames("events") for event in frame["events"]]
    return [(event["event"], event.get("name") or event.get("text")) for event in events]


def people_after(welcome: Heard, client: ScriptedClient) -> dict[str, str]:
    """The names that a client knows, by user, that has heard all of this."""
    names = {user: looks["name"] for user, looks in welcome["people"].items()}
    for frame in client.heard_frames("events"):
        for event in frame["events"]:
            if event["event"] == "joined":
                names[event["actor"]] = event["name"]
            elif event["event"] == "profile":
                names[event["user"]] = event["name"]
    return names


async def names_for_a_newcomer(place: World) -> dict[str, str]:
    reader = place.connect("reader")
    welcome = await reader.hello()
    reader.disconnect()
    return {user: looks["name"] for user, looks in welcome["people"].items()}


async def test_who_looks_different_is_told_to_who_knows_them_and_nobody_else(world: World) -> None:
    await world.open_room(room="other")
    ada, ben = await world.join("ada"), await world.join("ben")
    elsewhere = await world.join("cem", room="other")
    profile = await world.services.profiles.change(
        "Ben", name="Benjamin", colour=colour_of("Cem"), avatar="https://example.org/b.png", actor="Ben"
    )
    await turns()
    for client in (ada, ben):
        event = await client.expect_event("profile")
        assert (event["user"], event["name"], event["colour"], event["avatar"]) == (
            "Ben",
            profile.name,
            profile.colour,
            profile.avatar,
        )
        await client.expect_silence()
    await elsewhere.expect_silence()
    assert (await names_for_a_newcomer(world))["Ben"] == "Benjamin"


async def test_also_when_they_have_left_and_only_what_they_said_is_shown(world: World) -> None:
    ada, ben = await world.join("ada"), await world.join("ben")
    await ben.push(type="post", message="m1", text="Hello")
    await turns()
    ben.disconnect()
    await world.forget()
    await rename(world, "Ben", "Benjamin")
    assert (await ada.expect_event("profile"))["name"] == "Benjamin"
    for place in (world, world.another_node()):
        assert (await names_for_a_newcomer(place))["Ben"] == "Benjamin"


async def test_also_on_another_node(world: World) -> None:
    await world.join("ada")
    elsewhere = world.another_node()
    ben = await elsewhere.join("ben")
    world.feed()
    await rename(world, "Ada", "Countess")
    elsewhere.feed()
    assert (await ben.expect_event("profile"))["name"] == "Countess"


async def test_who_has_never_been_here_is_not_told_of(world: World) -> None:
    ada = await world.join("ada")
    await world.meet("Ben")
    await rename(world, "Ben", "Benjamin")
    await ada.expect_silence()
    assert list(await names_for_a_newcomer(world)) == ["Ada"]


@pytest.mark.parametrize("is_loaded", [True, False])
@pytest.mark.parametrize("is_one_batch", [True, False])
async def test_who_looks_different_while_they_come_in_is_told_as_they_look_now(
    world: World, *, is_loaded: bool, is_one_batch: bool
) -> None:
    """The stay was decided before the profile was changed, and comes into the log behind it."""
    ada = await world.join("ada")
    await world.meet("Ben")
    reader = world.another_node()
    watcher = reader.connect("cem")
    welcome = await watcher.hello() if is_loaded else {}
    world.feed()
    await world.forget()
    known = await names_for_a_newcomer(world)
    await world.forget()
    changing = world.another_node()
    world.record.commits_by_itself = False
    ben = world.connect("ben")
    joining = asyncio.ensure_future(ben.hello())
    await turns()
    await ada.push(type="post", message="m1", text="Hello")
    await rename(changing, "Ben", "Benjamin")
    if not is_one_batch:
        world.record.feed()
    world.record.commit()
    await joining
    await turns()
    if not is_loaded:
        world.store.hold_reads()
        greeting = asyncio.ensure_future(watcher.hello())
        await turns()
        reader.record.feed()
        world.store.release_reads()
        welcome = await greeting
    reader.record.feed()
    [joined] = [r.event for r in world.store.log if isinstance(r.event, Joined) and r.event.actor == "Ben"]
    assert joined.name == "Ben"
    assert people_after(welcome, watcher)["Ben"] == "Benjamin"
    assert people_after({"people": {}}, ada)["Ben"] == "Benjamin"
    assert (await names_for_a_newcomer(world))["Ben"] == "Benjamin"
    assert known["Ada"] == "Ada"


async def test_events_of_rooms_and_people_in_one_batch_are_heard_in_their_order(world: World) -> None:
    ada = await world.join("ada")
    elsewhere = world.another_node()
    await world.open_room(room="other")
    elsewhere.feed()
    ben, cem = await elsewhere.join("ben"), await elsewhere.join("cem", room="other")
    world.feed()
    await world.forget()
    await ada.push(type="post", message="m1", text="1")
    await turns()
    await rename(world, "Ada", "Augusta")
    await rename(world, "Ben", "Benjamin")
    await ada.push(type="post", message="m2", text="2")
    await turns()
    await rename(world, "Cem", "Cemal")
    await rename(world, "Ada", "Ada")
    await ada.push(type="post", message="m3", text="3")
    await turns()
    elsewhere.record.feed()
    assert events_of(ben) == [
        ("message", "1"),
        ("profile", "Augusta"),
        ("profile", "Benjamin"),
        ("message", "2"),
        ("profile", "Ada"),
        ("message", "3"),
    ]
    assert events_of(cem) == [("profile", "Cemal")]


async def test_who_comes_back_is_told_how_people_look_now(world: World) -> None:
    await world.join("ada")
    ben = await world.join("ben")
    ben.disconnect()
    await turns()
    before = ben.position
    await rename(world, "Ada", "Countess")
    welcome = await world.connect("ben").hello(resume={"epoch": EPOCH, "position": before})
    assert (welcome["resumed"], welcome["people"]["Ada"]["name"]) == (True, "Countess")


async def test_who_looks_different_while_a_room_is_read_is_told_as_they_look_now(world: World) -> None:
    await world.join("ada")
    elsewhere = world.another_node()
    await elsewhere.meet("Cem")
    await elsewhere.services.rooms.get("demo")
    for turn in range(6):
        cem = elsewhere.connect(f"cem{turn}", user="Cem")
        world.store.hold_reads()
        greeting = asyncio.ensure_future(cem.hello())
        for _ in range(turn):
            await asyncio.sleep(0)
        world.store.release_reads()
        await asyncio.sleep(0)
        await rename(world, "Ada", f"Ada {turn}")
        elsewhere.record.feed()
        welcome = await greeting
        await turns()
        assert people_after(welcome, cem)["Ada"] == f"Ada {turn}"
        cem.disconnect()
        await turns()
        assert elsewhere.hub.rooms == 0
