"""Watching projections: who subscribes is told what the table says of the room, when it says more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.interfaces.ws.scripts import FakeTable, ScriptedClient, World, turns


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """With the room "demo", and its projections kept by hand."""
    world = await World().open_room("main.md")
    watching = asyncio.create_task(world.live_views.run())
    yield world
    watching.cancel()
    await asyncio.wait([watching])


@pytest.fixture
def table(world: World) -> FakeTable:
    return world.tables.tables["activity"]


async def say(world: World, client: ScriptedClient, message: str) -> int:
    """Something happens in the room. Returns its position."""
    await client.push(type="post", message=message, text="Hello")
    await turns()
    return world.hub.position


async def watch(world: World, name: str = "ben", **fields: int) -> ScriptedClient:
    client = await world.join(name)
    await client.request(type="subscribe", to="activity", **fields)
    return client


async def told(client: ScriptedClient) -> list[str]:
    """What was told by now of the activity."""
    await turns()
    client.hear()
    return [heard["told"] for heard in client.heard if heard["type"] == "activity"]


async def test_who_watches_is_told_when_the_table_has_changed(world: World, table: FakeTable) -> None:
    ada, ben = await world.join("ada"), await watch(world)
    position = await say(world, ada, "m1")
    assert await told(ben) == []
    table.change(position, "demo", "said")
    assert await told(ben) == ["said"]
    assert await told(ada) == []


async def test_what_happens_elsewhere_is_not_told(world: World, table: FakeTable) -> None:
    ben = await watch(world)
    table.change(await say(world, await world.join("ada"), "m1"), "elsewhere", "said")
    assert await told(ben) == []


async def test_a_table_that_reads_no_further_is_asked_until_it_does(world: World, table: FakeTable) -> None:
    ada, ben = await world.join("ada"), await watch(world)
    first = await say(world, ada, "m1")
    second = await say(world, ada, "m2")
    table.change(first, "demo", "one")
    assert await told(ben) == ["one"]
    table.change(second, "demo", "two")
    assert await told(ben) == ["one", "two"]


async def test_a_table_that_is_read_with_another_is_told_when_both_are_there(
    world: World, table: FakeTable
) -> None:
    """What was told without the other would not be told again when that comes."""
    other = world.tables.tables["statistics"]
    table.projections = ("activity", "statistics")
    ada, ben = await world.join("ada"), await watch(world)
    position = await say(world, ada, "m1")
    table.change(position, "demo", "said")
    assert await told(ben) == []
    cem = await watch(world, "cem", after=0)
    assert await told(cem) == []
    other.position = position
    assert await told(ben) == ["said"]
    assert await told(cem) == ["said"]


async def test_who_comes_back_is_told_first_what_was_missed(world: World, table: FakeTable) -> None:
    ada = await world.join("ada")
    positions = [await say(world, ada, f"m{number}") for number in range(5)]
    for position in positions:
        table.change(position, "demo", str(position))
    table.page = 2
    ben = await watch(world, after=positions[1])
    assert await told(ben) == [str(position) for position in positions[2:]]


async def test_who_watches_from_now_on_is_told_nothing_old(world: World, table: FakeTable) -> None:
    table.change(await say(world, await world.join("ada"), "m1"), "demo", "old")
    assert await told(await watch(world)) == []


async def test_what_is_on_its_way_into_the_table_is_told_to_who_has_just_come(
    world: World, table: FakeTable
) -> None:
    position = await say(world, await world.join("ada"), "m1")
    ben = await watch(world)
    table.change(position, "demo", "said")
    assert await told(ben) == ["said"]


async def test_many_changes_are_told_page_by_page(world: World, table: FakeTable) -> None:
    table.page = 2
    ada, ben = await world.join("ada"), await watch(world)
    positions = [await say(world, ada, f"m{number}") for number in range(5)]
    for position in positions:
        table.change(position, "demo", str(position))
    assert await told(ben) == [str(position) for position in positions]


async def test_who_watches_no_longer_is_told_nothing_more(world: World, table: FakeTable) -> None:
    ada, ben, cem = await world.join("ada"), await watch(world), await watch(world, "cem")
    await ben.request(type="unsubscribe", to="activity")
    cem.disconnect()
    table.change(await say(world, ada, "m1"), "demo", "said")
    assert await told(ben) == []
    assert not world.live_views._watched


async def test_a_store_that_is_away_is_told_to_who_asks_and_waited_for_by_who_watches(
    world: World, table: FakeTable
) -> None:
    ada, ben, cem = await world.join("ada"), await watch(world), await world.join("cem")
    world.tables.is_away = True
    await cem.expect_error(await cem.push(type="subscribe", to="activity"), "E_STORE")
    table.change(await say(world, ada, "m1"), "demo", "said")
    assert await told(ben) == []
    world.tables.is_away, table.is_away = False, True
    assert await told(ben) == []
    await cem.expect_error(await cem.push(type="subscribe", to="activity", after=0), "E_STORE")
    table.is_away = False
    assert await told(ben) == ["said"]
    assert await told(cem) == []


async def test_a_table_that_nobody_has_begun_is_empty(world: World) -> None:
    world.tables.tables.clear()
    assert await told(await watch(world, after=0)) == []
