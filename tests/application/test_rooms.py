"""Rooms as use cases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from application.members import Members
from application.rooms import BEHIND_SECONDS, Rooms, guard
from domain.errors import Contended, Forbidden, NotFound, Overloaded, StoreUnavailable
from domain.rights import Action, Role
from domain.room import AccessChanged, Closed, DocumentListed, DocumentUnlisted, MemberAdded, Renamed, Room
from tests.application.fakes import FakeNode, FakeStore
from tests.domain.events import NOON


def a_node(store: FakeStore) -> FakeNode:
    node = FakeNode(store)
    node.commits_by_itself = True
    return node


@pytest.fixture
def node() -> FakeNode:
    return a_node(FakeStore())


@pytest.fixture
def rooms(node: FakeNode) -> Rooms:
    return Rooms(node.lives, now=node.clock.now)


async def an_old_view(node: FakeNode, rooms: Rooms, **members: Role) -> Rooms:
    """Another node that has read the room "demo" before these became members, and has not been fed since."""
    await rooms.open("demo", "Demo", actor="Ada")
    elsewhere = a_node(node.store)
    found = await Rooms(elsewhere.lives, now=node.clock.now).get("demo")
    assert found.members == {"Ada": Role.OWNER}
    for user, role in members.items():
        await add(node, user, role)
    return Rooms(elsewhere.lives, now=node.clock.now)


async def add(node: FakeNode, user: str, role: Role) -> None:
    def decide(room: Any) -> Any:
        room.add_member(user, role, actor="Ada", at=NOON)
        return room

    await node.lives.submit("room:demo", decide)


# Opening and finding.


async def test_a_room_is_there_when_it_is_stored(node: FakeNode, rooms: Rooms) -> None:
    room = await rooms.open("demo", "Demo", actor="Ada")
    assert (room.room, room.title, room.created_on) == ("demo", "Demo", node.clock.now())
    assert [recorded.event.actor for recorded in node.store.log] == ["Ada"]
    assert (room.members, room.everyone) == ({"Ada": Role.OWNER}, None)
    assert await rooms.get("demo") is room
    assert rooms.find("demo") is room


async def test_a_room_is_opened_for_whom_its_owner_says(rooms: Rooms) -> None:
    room = await rooms.open("demo", "Demo", actor="Ada", everyone=Role.COMMENTER)
    assert room.everyone is Role.COMMENTER
    with pytest.raises(Forbidden):
        await rooms.open("other", "Other", actor="Ada", everyone=Role.OWNER)


async def test_a_room_that_is_there_keeps_its_title_and_its_owner(node: FakeNode, rooms: Rooms) -> None:
    first, second = await asyncio.gather(
        rooms.open("demo", "Demo", actor="Ada", everyone=Role.VIEWER),
        rooms.open("demo", "Other", actor="Ben"),
    )
    assert second is first
    again = await rooms.open("demo", "Third", actor="Cem", everyone=Role.EDITOR)
    assert (again.title, again.members, again.everyone) == ("Demo", {"Ada": Role.OWNER}, Role.VIEWER)
    assert len(node.store.log) == 1


async def test_who_opens_a_room_that_they_may_not_know_is_told_that_there_is_none(
    node: FakeNode, rooms: Rooms
) -> None:
    await rooms.open("demo", "Demo", actor="Ada")
    with pytest.raises(NotFound):
        await rooms.open("demo", "Demo", actor="Ben")
    assert len(node.store.log) == 1


async def test_a_room_that_was_not_opened_is_not_found(rooms: Rooms) -> None:
    assert rooms.find("demo") is None
    with pytest.raises(NotFound):
        await rooms.get("demo")
    with pytest.raises(NotFound):
        await rooms.list_document("demo", "main.md", actor="Ada")
    with pytest.raises(NotFound):
        await rooms.enter("demo", "Ada", Action.READ)


async def test_a_full_log_refuses_a_new_room(node: FakeNode, rooms: Rooms) -> None:
    node.is_full = True
    with pytest.raises(Overloaded):
        await rooms.open("demo", "Demo", actor="Ada")


# Entering.


async def test_who_may_enters_without_reading(node: FakeNode, rooms: Rooms) -> None:
    room = await rooms.open("demo", "Demo", actor="Ada", everyone=Role.VIEWER)
    reads = node.store.reads
    assert await rooms.enter("demo", "Ada", Action.MANAGE) is room
    assert await rooms.enter("demo", "Ben", Action.READ) is room
    assert node.store.reads == reads


async def test_who_may_enters_a_room_that_is_not_in_memory(node: FakeNode, rooms: Rooms) -> None:
    await rooms.open("demo", "Demo", actor="Ada")
    elsewhere = Rooms(a_node(node.store).lives, now=node.clock.now)
    assert (await elsewhere.enter("demo", "Ada", Action.MANAGE)).title == "Demo"


async def test_what_another_node_gave_is_seen_at_once(node: FakeNode, rooms: Rooms) -> None:
    elsewhere = await an_old_view(node, rooms, Ben=Role.VIEWER)
    room = await elsewhere.enter("demo", "Ben", Action.READ)
    assert room.role_of("Ben") is Role.VIEWER


async def test_what_another_node_gave_to_a_member_is_seen_at_once(node: FakeNode, rooms: Rooms) -> None:
    await rooms.open("demo", "Demo", actor="Ada")
    await add(node, "Ben", Role.VIEWER)
    elsewhere = Rooms(a_node(node.store).lives, now=node.clock.now)
    assert (await elsewhere.get("demo")).role_of("Ben") is Role.VIEWER
    await add(node, "Ben", Role.EDITOR)
    room = await elsewhere.enter("demo", "Ben", Action.EDIT)
    assert room.role_of("Ben") is Role.EDITOR


async def test_who_comes_to_stay_is_let_in_by_the_log_alone(node: FakeNode, rooms: Rooms) -> None:
    await rooms.open("demo", "Demo", actor="Ada")
    await add(node, "Ben", Role.VIEWER)
    elsewhere = Rooms(a_node(node.store).lives, now=node.clock.now)
    assert (await elsewhere.get("demo")).role_of("Ben") is Role.VIEWER
    await Members(node.lives, now=node.clock.now, new_id=lambda: "").remove("demo", "Ben", actor="Ada")
    assert (await elsewhere.enter("demo", "Ben", Action.READ)).role_of("Ben") is Role.VIEWER
    with pytest.raises(NotFound):
        await elsewhere.enter("demo", "Ben", Action.READ, from_log=True)


async def test_who_may_see_a_room_is_told_what_they_may_not_do(rooms: Rooms) -> None:
    await rooms.open("demo", "Demo", actor="Ada", everyone=Role.COMMENTER)
    with pytest.raises(Forbidden) as refused:
        await rooms.enter("demo", "Ben", Action.EDIT)
    assert refused.value.facts == {"role": "commenter"}


async def test_a_room_that_is_not_for_somebody_is_to_them_as_one_that_is_not_there(
    node: FakeNode, rooms: Rooms
) -> None:
    await rooms.open("hidden", "Hidden", actor="Ada")
    await rooms.open("closed", "Closed", actor="Ada", everyone=Role.EDITOR)
    await rooms.close("closed", actor="Ada")
    answers, reads = set(), []
    for room in ("hidden", "closed", "nowhere"):
        before = node.store.reads
        with pytest.raises(NotFound) as refused:
            await rooms.enter(room, "Ben", Action.READ)
        answers.add((type(refused.value), refused.value.message, str(refused.value.facts)))
        reads.append(node.store.reads > before)
    assert len(answers) == 1
    assert reads == [True, True, True]  # nor does the time that it takes tell them apart


async def test_nobody_is_refused_because_the_store_is_away(
    node: FakeNode, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.live.LOAD_RETRY_SECONDS", 0.0)
    await rooms.open("demo", "Demo", actor="Ada")
    node.store.failing_reads = 1_000
    with pytest.raises(StoreUnavailable):
        await rooms.enter("demo", "Ben", Action.READ)
    assert await rooms.enter("demo", "Ada", Action.READ)


def test_a_guard_asks_of_the_room_what_its_action_needs() -> None:
    room = Room.open("demo", "Demo", actor="Ada", at=NOON, everyone=Role.VIEWER)
    assert guard("demo", "Ben", Action.READ).stream == room.id
    guard("demo", "Ben", Action.READ).check(room)
    with pytest.raises(Forbidden):
        guard("demo", "Ben", Action.POST).check(room)
    with pytest.raises(NotFound):
        guard("demo", "Ben", Action.READ).check(None)


# Changing.


async def test_a_document_is_listed_once_whoever_asks(node: FakeNode, rooms: Rooms) -> None:
    await rooms.open("demo", "Demo", actor="Ada", everyone=Role.EDITOR)
    await asyncio.gather(*(rooms.list_document("demo", "main.md", actor=actor) for actor in ("Ada", "Ben")))
    assert list((await rooms.get("demo")).documents) == ["main.md"]
    assert len(node.store.log) == 2


Change = Callable[[Rooms, str], Coroutine[Any, Any, None]]

CHANGES: dict[str, tuple[Change, type]] = {
    "list": (lambda rooms, actor: rooms.list_document("demo", "b.md", actor=actor), DocumentListed),
    "unlist": (lambda rooms, actor: rooms.unlist_document("demo", "a.md", actor=actor), DocumentUnlisted),
    "rename": (lambda rooms, actor: rooms.rename("demo", "New", actor=actor), Renamed),
    "access": (lambda rooms, actor: rooms.change_access("demo", Role.VIEWER, actor=actor), AccessChanged),
    "close": (lambda rooms, actor: rooms.close("demo", actor=actor), Closed),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_is_in_the_log_when_it_is_answered(node: FakeNode, rooms: Rooms, name: str) -> None:
    change, expected = CHANGES[name]
    await rooms.open("demo", "Demo", actor="Ada")
    await rooms.list_document("demo", "a.md", actor="Ada")
    node.clock.advance(5)
    await change(rooms, "Ada")
    last = node.store.log[-1].event
    assert (type(last), last.actor, last.timestamp) == (expected, "Ada", node.clock.now())
    await change(rooms, "Ada")
    assert node.store.log[-1].event is last


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(("everyone", "error"), [(None, NotFound), (Role.COMMENTER, Forbidden)])
async def test_who_may_not_changes_nothing(
    node: FakeNode, rooms: Rooms, name: str, everyone: Role | None, error: type[Exception]
) -> None:
    change, _ = CHANGES[name]
    await rooms.open("demo", "Demo", actor="Ada", everyone=everyone)
    with pytest.raises(error):
        await change(rooms, "Ben")
    assert len(node.store.log) == 1


@pytest.mark.parametrize("name", CHANGES)
async def test_who_was_given_the_right_on_another_node_is_not_refused_from_memory(
    node: FakeNode, rooms: Rooms, name: str
) -> None:
    change, expected = CHANGES[name]
    await rooms.open("demo", "Demo", actor="Ada")
    await rooms.list_document("demo", "a.md", actor="Ada")
    behind = a_node(node.store)
    elsewhere = Rooms(behind.lives, now=node.clock.now)
    await elsewhere.get("demo")
    await add(node, "Ben", Role.OWNER)
    with pytest.raises(Contended) as waits:
        await change(elsewhere, "Ben")
    assert waits.value.facts == {"retry_after": BEHIND_SECONDS}
    assert isinstance(node.store.log[-1].event, MemberAdded)
    behind.feed()
    await change(elsewhere, "Ben")
    assert isinstance(node.store.log[-1].event, expected)


async def test_who_lost_the_right_on_another_node_changes_nothing(node: FakeNode, rooms: Rooms) -> None:
    await rooms.open("demo", "Demo", actor="Ada")
    await add(node, "Ben", Role.OWNER)
    elsewhere = Rooms(a_node(node.store).lives, now=node.clock.now)
    await elsewhere.get("demo")
    await add(node, "Ben", Role.VIEWER)
    events = len(node.store.log)
    with pytest.raises(Forbidden):
        await elsewhere.rename("demo", "Ben's", actor="Ben")
    assert len(node.store.log) == events
