"""How far one has read, told and answered when it is in the log."""

from __future__ import annotations

import asyncio

import pytest

import application.receipts
from application.receipts import Receipts
from domain.errors import BadFrame, StoreUnavailable
from domain.receipts import Pointers
from tests.application.fakes import FakeNode, FakeStore
from tests.application.test_messages import open_room, post


@pytest.fixture
async def node(monkeypatch: pytest.MonkeyPatch) -> FakeNode:
    monkeypatch.setattr(application.receipts, "GATHER_SECONDS", 0)
    node = FakeNode(FakeStore())
    await open_room(node)
    node.commits_by_itself = True
    await post(node, "Hello")
    return node


def receipts_of(node: FakeNode) -> Receipts:
    return Receipts(node.lives, node="node-1", now=node.clock.now)


async def test_a_pointer_moves_forward_only(node: FakeNode) -> None:
    receipts, position = receipts_of(node), node.store.log[-1].position
    assert await receipts.move("demo", "Ben", delivered=position - 1, read=0) == Pointers(position - 1, 0)
    assert await receipts.move("demo", "Ben", delivered=0, read=position) == Pointers(position, position)
    events = len(node.store.log)
    assert await receipts.move("demo", "Ben", delivered=1, read=1) == Pointers(position, position)
    assert await receipts.move("demo", "Cleo", delivered=0, read=0) == Pointers()
    assert len(node.store.log) == events


async def test_nobody_has_read_what_was_not_said(node: FakeNode) -> None:
    receipts, position = receipts_of(node), node.store.log[-1].position
    for told in ({"delivered": position + 1, "read": 0}, {"delivered": 0, "read": position + 1}):
        with pytest.raises(BadFrame) as error:
            await receipts.move("demo", "Ben", **told)
        assert error.value.facts["limit"] == position


async def test_who_goes_away_takes_nothing_from_others(node: FakeNode) -> None:
    node.commits_by_itself = False
    receipts, position = receipts_of(node), node.store.log[-1].position
    ben, cleo = (
        asyncio.ensure_future(receipts.move("demo", user, delivered=0, read=position))
        for user in ("Ben", "Cleo")
    )
    while not node.waiting:  # noqa: ASYNC110 -- it takes some turns of the loop, and no time
        await asyncio.sleep(0)
    ben.cancel()
    await asyncio.sleep(0)
    node.commit()
    assert await cleo == Pointers(position, position)


async def test_everybody_who_told_hears_that_the_log_does_not_answer(node: FakeNode) -> None:
    node.commits_by_itself = False
    receipts = receipts_of(node)
    moves = (receipts.move("demo", user, delivered=1, read=1) for user in ("Ben", "Cleo"))
    told = [asyncio.ensure_future(move) for move in moves]
    while not node.waiting:  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0)
    node.stall()
    for done in told:
        with pytest.raises(StoreUnavailable):
            await done
