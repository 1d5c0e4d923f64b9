"""Rooms as use cases."""

from __future__ import annotations

import asyncio

import pytest

from application.rooms import Rooms
from domain.errors import NotFound, Overloaded
from tests.application.fakes import FakeNode, FakeStore


@pytest.fixture
def node() -> FakeNode:
    node = FakeNode(FakeStore())
    node.commits_by_itself = True
    return node


@pytest.fixture
def rooms(node: FakeNode) -> Rooms:
    return Rooms(node.lives, now=node.clock.now)


async def test_a_room_is_there_when_it_is_stored(node: FakeNode, rooms: Rooms) -> None:
    room = await rooms.open("demo", "Demo", actor="Ada")
    assert (room.room, room.title, room.created_on) == ("demo", "Demo", node.clock.now())
    assert [recorded.event.actor for recorded in node.store.log] == ["Ada"]
    assert await rooms.get("demo") is room


async def test_a_room_that_is_there_keeps_its_title(node: FakeNode, rooms: Rooms) -> None:
    first, second = await asyncio.gather(
        rooms.open("demo", "Demo", actor="Ada"), rooms.open("demo", "Other", actor="Ben")
    )
    assert second is first
    assert (await rooms.open("demo", "Third", actor="Cem")).title == "Demo"
    assert len(node.store.log) == 1


async def test_a_room_that_was_not_opened_is_not_found(rooms: Rooms) -> None:
    with pytest.raises(NotFound):
        await rooms.get("demo")
    with pytest.raises(NotFound):
        await rooms.list_document("demo", "main.md", actor="Ada")


async def test_a_document_is_listed_once_whoever_asks(node: FakeNode, rooms: Rooms) -> None:
    await rooms.open("demo", "Demo", actor="Ada")
    await asyncio.gather(*(rooms.list_document("demo", "main.md", actor=actor) for actor in ("Ada", "Ben")))
    assert list((await rooms.get("demo")).documents) == ["main.md"]
    assert len(node.store.log) == 2


async def test_a_full_log_refuses_a_new_room(node: FakeNode, rooms: Rooms) -> None:
    node.is_full = True
    with pytest.raises(Overloaded):
        await rooms.open("demo", "Demo", actor="Ada")
