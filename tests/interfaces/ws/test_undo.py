"""Undo on a socket, as scripts in frames."""

from __future__ import annotations

import pytest

from domain.rights import Role
from interfaces.ws.documents import UNDO_COST
from interfaces.ws.rates import Limits
from tests.interfaces.ws.scripts import Heard, ScriptedClient, World, turns


@pytest.fixture
async def world() -> World:
    return await World().open_room("main.md")


async def type_in(client: ScriptedClient, seq: int, base: int, text: str) -> None:
    await client.push(type="edit", document="main.md", seq=seq, base=base, op=[text])
    await client.expect_event("edit")


async def ask(client: ScriptedClient, kind: str, **fields: object) -> Heard:
    """The answer; the edit comes before it."""
    ref = await client.push(type=kind, document="main.md", **fields)
    return await client.expect_reply(ref)


async def test_ones_own_last_step_is_taken_back_for_everybody_and_comes_again(world: World) -> None:
    ada, ben = await world.join("ada", "main.md"), await world.join("ben", "main.md")
    await type_in(ada, 1, 0, "A")
    await type_in(ben, 1, 1, "B")
    await world.forget()
    ref = await ada.push(type="undo", document="main.md")
    event = await ada.expect_event("edit")
    assert (event["op"], event["cause"], event["undoes"]) == ([1, {"d": "A"}], "undo", [[1, 1]])
    assert (event["client"], event["actor"]) == ("@Ada", "Ada")
    assert (await ada.expect_reply(ref))["revision"] == 3
    assert await ben.expect_event("edit") == event
    ref = await ada.push(type="redo", document="main.md")
    assert (await ben.expect_event("edit"))["op"] == [1, "A"]
    assert (await ada.expect_event("edit"))["cause"] == "redo"
    assert (await ada.expect_reply(ref))["revision"] == 4


async def test_it_does_not_matter_with_which_client_it_was_done(world: World) -> None:
    ada = await world.join("ada", "main.md")
    await type_in(ada, 1, 0, "A")
    ada.disconnect()
    again = await world.join("ada2", user="Ada")
    assert (await ask(again, "undo"))["revision"] == 2
    assert (await ask(again, "undo"))["revision"] is None
    assert (await ask(again, "redo"))["revision"] == 3
    assert (await ask(again, "redo"))["revision"] is None


async def test_what_is_asked_once_more_is_not_done_twice(world: World) -> None:
    ada = await world.join("ada", "main.md")
    for seq, text in enumerate("abc", 1):
        await type_in(ada, seq, seq - 1, text)
        world.clock.advance(2)
    await world.forget()
    first = await ada.push(type="undo", document="main.md", revision=3)
    second = await ada.push(type="undo", document="main.md", revision=3)
    assert (await ada.expect_event("edit"))["revision"] == 4
    assert (await ada.expect_reply(first))["revision"] == 4
    assert (await ada.expect_reply(second))["revision"] is None
    ref = await ada.push(type="undo", document="main.md", revision=4)
    assert (await ada.expect_event("edit"))["revision"] == 5
    assert (await ada.expect_reply(ref))["revision"] == 5
    for _ in range(2):
        ref = await ada.push(type="redo", document="main.md", revision=5)
    assert (await ada.expect_event("edit"))["revision"] == 6
    assert (await ada.expect_reply(ref))["revision"] is None


async def test_who_may_only_read_takes_nothing_back_and_nobody_hears_of_it(world: World) -> None:
    await world.services.rooms.change_access("demo", None, actor="Ada")
    ada = await world.join("ada", "main.md")
    ben = await world.join("ben", "main.md", role=Role.EDITOR)
    await type_in(ben, 1, 0, "B")
    await world.add_member("Ben", Role.VIEWER)
    await world.forget()
    for kind in ("undo", "redo"):
        await ben.expect_error(await ben.push(type=kind, document="main.md"), "E_FORBIDDEN", role="viewer")
    await ada.expect_silence()


async def test_what_is_no_document_has_nothing_to_take_back(world: World) -> None:
    ada = await world.join("ada")
    await ada.expect_error(await ada.push(type="undo", document="nothing.md"), "E_NOT_FOUND")


async def test_to_take_back_costs_as_much_as_many_edits() -> None:
    limits = Limits(edits_per_second=UNDO_COST, burst_seconds=1)
    world = await World(limits=limits).open_room("main.md")
    ada = await world.join("ada", "main.md")
    assert (await ask(ada, "undo"))["revision"] is None
    refused = await ask(ada, "undo")
    assert (refused["code"], refused["retry_after"] > 0) == ("E_RATE", True)
    await turns()
