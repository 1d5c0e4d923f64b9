"""Imports as use cases: all or nothing, in order, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

import application.imports
from application.documents import Documents
from application.imports import Brought, Imports
from application.messages import Messages
from application.rooms import Rooms
from domain.errors import BadFrame, Forbidden, IdReused, StoreUnavailable
from domain.instants import as_microseconds
from domain.message import Deleted, Imported
from domain.rights import Role
from tests.application.fakes import FakeNode, FakeStore
from tests.waiting import until


class Place:
    """A node with the room "demo", which is Ada's, and in which everybody may write."""

    def __init__(self, store: FakeStore) -> None:
        self.store = store
        self.node = FakeNode(store)
        self.node.commits_by_itself = True
        now = self.node.clock.now
        self.rooms = Rooms(self.node.lives, now=now)
        documents = Documents(self.node.lives, store, self.rooms, now=now)
        self.messages = Messages(self.node.lives, documents, now=now)
        self.imports = Imports(self.messages, store)

    async def bring(self, *brought: Brought, actor: str = "Ada") -> int:
        return await self.imports.bring("demo", "old", brought, actor=actor)

    async def post(self, message: str, text: str, **given: Any) -> None:
        named = {"client": "ada", "documents": {}, "actor": "Ada"} | given
        await self.messages.post("demo", message, text=text, **named)

    @property
    def events(self) -> list[Any]:
        """What was imported."""
        return [recorded.event for recorded in self.store.log if isinstance(recorded.event, Imported)]


@pytest.fixture
async def place() -> Place:
    place = Place(FakeStore())
    await place.rooms.open("demo", "Demo", actor="Ada", everyone=Role.EDITOR)
    return place


@pytest.fixture(params=[1, 2, 500], autouse=True)
def parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the size of the parts."""
    monkeypatch.setattr(application.imports, "PART_MESSAGES", request.param)


def a_message(number: int, **change: Any) -> Brought:
    plain = Brought(
        message=f"m{number}",
        author="Zoe",
        posted=1_000 + number,
        text=f"text {number}",
        documents={"a.md": 1},
        reply_to=None,
        mentions=["Ben"],
        link=None,
        edits=1,
        edited=5_000,
        deleted=None,
        pinned=6_000,
        reactions=[["👍", "Ben", 7_000]],
    )
    return replace(plain, **change)


async def test_messages_come_as_they_stood_and_in_their_order(place: Place) -> None:
    brought = [a_message(n, reply_to=f"m{n - 1}" if n else None) for n in range(5)]
    assert await place.bring(*brought) == 5
    assert [event.message for event in place.events] == [message.message for message in brought]
    event = place.events[1]
    assert (event.actor, event.source, event.timestamp) == ("Ada", "old", place.node.clock.now())
    for name in Brought.__slots__:
        assert getattr(event, name) == getattr(brought[1], name)


async def test_once_more_they_are_known_here_and_on_another_node(place: Place) -> None:
    brought = [a_message(n) for n in range(3)]
    await place.bring(*brought[:2])
    assert await place.bring(*brought) == 1
    elsewhere = Place(place.store)
    assert await elsewhere.bring(*brought) == 0
    assert len(place.events) == 3


async def test_what_was_said_here_is_known_as_it_has_ever_been(place: Place) -> None:
    at = as_microseconds(place.node.clock.now())
    await place.post("m1", "one")
    await place.post("m2", "two", reply_to="m1")
    await place.messages.edit("demo", "m1", "uno", actor="Ada")
    await place.messages.delete("demo", "m2", actor="Ada")
    for text in ("one", "uno"):
        assert await place.bring(a_message(1, author="Ada", posted=at, text=text)) == 0
    answer = a_message(2, author="Ada", posted=at, reply_to="m1", text="two")
    assert await place.bring(answer) == 0
    assert await place.bring(replace(answer, text="", deleted=1)) == 0
    assert place.events == []


async def test_what_was_deleted_before_it_came_is_known_as_that_only(place: Place) -> None:
    gone = a_message(1, text="", deleted=1)
    await place.bring(gone)
    assert await place.bring(gone) == 0
    with pytest.raises(IdReused):
        await place.bring(a_message(1))


@pytest.mark.parametrize(
    "change",
    [
        {"text": "another"},
        {"author": "Eve"},
        {"posted": 1},
        {"reply_to": "m0"},
        {"link": {"document": "a.md", "revision": 0, "start": 0, "end": 0}},
        {"deleted": 1, "text": ""},
    ],
)
async def test_another_message_under_a_known_id_stops_all(place: Place, change: dict[str, Any]) -> None:
    await place.bring(a_message(0), a_message(1))
    with pytest.raises(IdReused) as error:
        await place.bring(a_message(5), a_message(1, **change), a_message(6))
    assert error.value.facts["index"] == 1
    assert len(place.events) == 2


async def test_what_cannot_be_read_is_another_message(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    await place.bring(a_message(1))
    monkeypatch.setattr(application.imports, "Imported", Deleted)
    with pytest.raises(IdReused):
        await place.bring(a_message(1))


@pytest.mark.parametrize("reply_to", ["m1", "m2", "nothing"])
async def test_an_answer_to_nothing_stops_all(place: Place, reply_to: str) -> None:
    await place.post("here", "said here")
    good = a_message(0, reply_to="here")
    with pytest.raises(BadFrame) as error:
        await place.bring(good, a_message(1, reply_to=reply_to), a_message(2, reply_to=reply_to))
    assert (error.value.facts["index"], error.value.facts["field"]) == (1, "reply_to")
    assert place.events == []
    assert await place.bring(good) == 1


async def test_a_message_that_is_there_twice_stops_all(place: Place) -> None:
    with pytest.raises(BadFrame) as error:
        await place.bring(a_message(0), a_message(1), a_message(0))
    assert error.value.facts["index"] == 2
    assert place.events == []


async def test_only_owners_bring(place: Place) -> None:
    with pytest.raises(Forbidden):
        await place.bring(a_message(0), a_message(1), actor="Ben")
    assert place.events == []


async def test_what_a_failure_has_left_out_comes_the_next_time(place: Place) -> None:
    place.node.commits_by_itself = False
    brought = [a_message(n) for n in range(3)]
    bringing = asyncio.ensure_future(place.bring(*brought))
    await until(lambda: bool(place.node.waiting))
    place.node.stall()
    with pytest.raises(StoreUnavailable):
        await bringing
    place.node.commits_by_itself = True
    place.node.commit()  # late, but it has come true
    come = len(place.events)
    assert await place.bring(*brought) == 3 - come
    assert len(place.events) == 3
