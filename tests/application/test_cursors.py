"""Cursor moves on their way into the log."""

from __future__ import annotations

import asyncio

import pytest

from application import cursors as module
from application.cursors import FRAME_SECONDS, MOVES_WAITING_MAX, Cursors
from domain.errors import Overloaded
from domain.instants import as_microseconds
from domain.presence import FrameRecorded
from tests.application.fakes import FakeNode, FakeStore

# A frame is due after FRAME_SECONDS; on a busy machine the loop may be late.
DUE_SECONDS = 5.0


@pytest.fixture
def node() -> FakeNode:
    return FakeNode(FakeStore())


@pytest.fixture
def cursors(node: FakeNode) -> Cursors:
    return Cursors(node.lives, node="node-1", now=node.clock.now)


async def submitted(node: FakeNode, count: int = 1) -> None:
    """Return when so many frames wait to be committed."""
    async with asyncio.timeout(DUE_SECONDS):
        while len(node.waiting) < count:  # noqa: ASYNC110 -- timers of the real loop are what is tested
            await asyncio.sleep(0.001)


def frames(node: FakeNode) -> list[FrameRecorded]:
    return [recorded.event for recorded in node.store.log if isinstance(recorded.event, FrameRecorded)]


async def test_moves_of_a_moment_become_one_frame_in_their_order(node: FakeNode, cursors: Cursors) -> None:
    cursors.move("demo", "ada", "main.md", 3, 1, 4)
    node.clock.advance(0.01)
    cursors.move("demo", "ben", "main.md", 3, 0, 0)
    assert not node.waiting
    await submitted(node)
    node.commit()
    [frame] = frames(node)
    now = as_microseconds(node.clock.now())
    assert frame.moves == [
        ["ada", "main.md", 3, 1, 4, now - 10_000],
        ["ben", "main.md", 3, 0, 0, now],
    ]
    assert (frame.originator_id, frame.actor) == ("presence:demo/node-1.1", "node-1.1")
    assert node.store.reads == 0


async def test_a_frame_is_due_after_its_time_and_not_before(node: FakeNode, cursors: Cursors) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    cursors.move("demo", "ada", "main.md", 3, 1, 4)
    await submitted(node)
    assert loop.time() - began >= FRAME_SECONDS


async def test_the_next_moment_is_another_frame_of_the_same_stream(node: FakeNode, cursors: Cursors) -> None:
    for revision in (1, 2):
        cursors.move("demo", "ada", "main.md", revision, 0, 0)
        await submitted(node)
        node.commit()
    first, second = frames(node)
    assert (first.originator_version, second.originator_version) == (2, 3)


async def test_a_stream_that_has_left_the_memory_is_not_written_to_again(
    node: FakeNode, cursors: Cursors
) -> None:
    for revision in (1, 2):
        cursors.move("demo", "ada", "main.md", revision, 0, 0)
        await submitted(node)
        node.commit()
        node.lives.evict(idle_seconds=0, budget_bytes=0)
    first, second = frames(node)
    assert first.originator_id != second.originator_id
    assert (first.originator_version, second.originator_version) == (2, 2)


async def test_rooms_are_apart(node: FakeNode, cursors: Cursors) -> None:
    cursors.move("demo", "ada", "main.md", 1, 0, 0)
    cursors.move("other", "ada", "main.md", 1, 0, 0)
    await submitted(node, 2)
    node.commit()
    assert [len(frame.moves) for frame in frames(node)] == [1, 1]


async def test_a_frame_that_reads_back_from_the_log_is_the_frame_that_was_decided(
    node: FakeNode, cursors: Cursors
) -> None:
    """Or each would be taken for another node's and recorded again."""
    cursors.move("demo", "ada", "main.md", 1, 0, 0)
    await submitted(node)
    node.commit()
    assert not node.waiting
    assert len(frames(node)) == 1


async def test_when_the_log_stands_still_moves_are_refused_and_later_taken_again(
    node: FakeNode, cursors: Cursors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOVES_WAITING_MAX", 3)
    assert MOVES_WAITING_MAX > 3
    for _ in range(3):
        cursors.move("demo", "ada", "main.md", 1, 0, 0)
    await submitted(node)
    with pytest.raises(Overloaded) as refused:
        cursors.move("demo", "ada", "main.md", 1, 0, 0)
    assert refused.value.facts["retry_after"]
    cursors.move("other", "ada", "main.md", 1, 0, 0)
    node.commit()
    await asyncio.sleep(0)
    cursors.move("demo", "ada", "main.md", 1, 0, 0)


async def test_what_waits_is_counted_until_it_is_committed(
    node: FakeNode, cursors: Cursors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOVES_WAITING_MAX", 2)
    cursors.move("demo", "ada", "main.md", 1, 0, 0)
    await submitted(node)
    cursors.move("demo", "ada", "main.md", 2, 0, 0)
    node.commit()
    await asyncio.sleep(0)
    cursors.move("demo", "ada", "main.md", 3, 0, 0)
    with pytest.raises(Overloaded):
        cursors.move("demo", "ada", "main.md", 4, 0, 0)


async def test_a_frame_that_cannot_be_logged_is_dropped_and_makes_room(
    node: FakeNode, cursors: Cursors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOVES_WAITING_MAX", 1)
    cursors.move("demo", "ada", "main.md", 1, 0, 0)
    await submitted(node)
    node.stall()
    await asyncio.sleep(0)
    cursors.move("demo", "ada", "main.md", 2, 0, 0)
