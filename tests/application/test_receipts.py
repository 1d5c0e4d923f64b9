"""Who has got and read what, on its way into the log."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from application.log import Recorded
from application.receipts import Receipts
from domain.aggregate import Unreadable
from domain.errors import BadFrame, Overloaded, StoreUnavailable
from domain.instants import as_microseconds
from domain.receipts import Pointers, ReceiptsRecorded
from tests.application.fakes import FakeNode, FakeStore
from tests.application.test_messages import open_room, post
from tests.waiting import until


@pytest.fixture(autouse=True)
def _gather_for_a_turn_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.receipts.GATHER_SECONDS", 0.0)


@pytest.fixture
def node() -> FakeNode:
    return FakeNode(FakeStore())


@pytest.fixture
def receipts(node: FakeNode) -> Receipts:
    return Receipts(node.lives, node="node-1", now=node.clock.now)


def recorded(node: FakeNode) -> list[ReceiptsRecorded]:
    return [r.event for r in node.store.log if isinstance(r.event, ReceiptsRecorded)]


async def test_what_many_tell_at_once_is_one_event(node: FakeNode, receipts: Receipts) -> None:
    told = [
        receipts.note("demo", "ada", delivered=3, read=1),
        receipts.note("demo", "ben", delivered=2, read=2),
        receipts.note("demo", "ada", delivered=1, read=2),
        receipts.note("elsewhere", "ada", delivered=9, read=9),
    ]
    await until(lambda: len(node.waiting) == 2)
    assert not any(done.done() for done in told)
    node.commit()
    await asyncio.gather(*told)
    here, elsewhere = recorded(node)
    at = as_microseconds(node.clock.now())
    assert here.receipts == [["ada", 3, 2, at], ["ben", 2, 2, at]]
    assert elsewhere.receipts == [["ada", 9, 9, at]]
    assert (here.originator_id, here.actor) == ("receipts:demo/node-1.1", "node-1")
    assert node.store.reads == 0


async def test_a_stream_that_has_left_the_memory_is_not_read_but_followed_by_another(
    node: FakeNode, receipts: Receipts
) -> None:
    for read in (1, 2):
        done = receipts.note("demo", "ada", delivered=read, read=read)
        await until(lambda: bool(node.waiting))
        node.commit()
        await done
        node.lives.evict(idle_seconds=-1, budget_bytes=0)
    streams = [event.originator_id for event in recorded(node)]
    assert streams == ["receipts:demo/node-1.1", "receipts:demo/node-1.2"]
    assert node.store.reads == 0


async def test_all_who_told_hear_that_it_could_not_be_logged(node: FakeNode, receipts: Receipts) -> None:
    told = [receipts.note("demo", user, delivered=1, read=1) for user in ("ada", "ben")]
    await until(lambda: bool(node.waiting))
    node.stall()
    for done in told:
        with pytest.raises(StoreUnavailable):
            await done


async def test_nobody_need_wait_for_what_came_of_it(node: FakeNode, receipts: Receipts) -> None:
    node.is_full = True
    done = receipts.note("demo", "ada", delivered=1, read=1)
    await until(done.done)
    assert isinstance(done.exception(), Overloaded)


# Told and answered in one.


@pytest.fixture
async def said(node: FakeNode) -> FakeNode:
    """With a room in which something was said."""
    await open_room(node)
    node.commits_by_itself = True
    await post(node, "Hello")
    return node


async def test_a_pointer_moves_forward_only(said: FakeNode, receipts: Receipts) -> None:
    position = said.store.log[-1].position
    assert await receipts.move("demo", "Ben", delivered=position - 1, read=0) == Pointers(position - 1, 0)
    assert await receipts.move("demo", "Ben", delivered=0, read=position) == Pointers(position, position)
    events = len(said.store.log)
    assert await receipts.move("demo", "Ben", delivered=1, read=1) == Pointers(position, position)
    assert await receipts.move("demo", "Cleo", delivered=0, read=0) == Pointers()
    assert len(said.store.log) == events


async def test_nobody_has_read_what_was_not_said(said: FakeNode, receipts: Receipts) -> None:
    position = said.store.log[-1].position
    for told in ({"delivered": position + 1, "read": 0}, {"delivered": 0, "read": position + 1}):
        with pytest.raises(BadFrame) as error:
            await receipts.move("demo", "Ben", **told)
        assert error.value.facts["limit"] == position


async def test_who_goes_away_takes_nothing_from_others(said: FakeNode, receipts: Receipts) -> None:
    said.commits_by_itself = False
    position = said.store.log[-1].position
    ben, cleo = (
        asyncio.ensure_future(receipts.move("demo", user, delivered=0, read=position))
        for user in ("Ben", "Cleo")
    )
    while not said.waiting:  # noqa: ASYNC110 -- it takes some turns of the loop, and no time
        await asyncio.sleep(0)
    ben.cancel()
    await asyncio.sleep(0)
    said.commit()
    assert await cleo == Pointers(position, position)


async def test_receipts_that_cannot_be_read_are_nobodys(
    said: FakeNode, receipts: Receipts, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = said.store.log[-1].position
    unreadable: Any = Unreadable  # its constructor is made by a metaclass
    event = unreadable(
        originator_id="receipts:demo/node-0.1",
        originator_version=2,
        timestamp=said.clock.now(),
        actor="",
        topic="receipts.recorded",
        reason="broken",
    )

    async def read(room: str, until: int) -> tuple[dict[str, Pointers], list[Recorded]]:
        return {}, [Recorded(position, event)]

    monkeypatch.setattr(said.store, "receipts", read)
    assert await receipts.move("demo", "Ben", delivered=0, read=position) == Pointers(position, position)
