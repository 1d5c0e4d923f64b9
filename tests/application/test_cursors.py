"""Cursor moves on their way into the log."""

from __future__ import annotations

import asyncio

import pytest

from application import cursors as module
from application.cursors import FRAME_SECONDS, KEYFRAME_SECONDS, MOVES_WAITING_MAX, Cursors
from domain.errors import Overloaded
from domain.instants import as_microseconds
from domain.presence import HIDDEN, FrameRecorded, KeyframeRecorded, PresenceBegun
from tests.application.fakes import FakeNode, FakeStore

# A frame is due after FRAME_SECONDS; on a busy machine the loop may be late.
DUE_SECONDS = 5.0


@pytest.fixture
def node() -> FakeNode:
    return FakeNode(FakeStore())


@pytest.fixture
def cursors(node: FakeNode) -> Cursors:
    return Cursors(node.lives, node="node-1", now=node.clock.now, monotonic=node.clock.monotonic)


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
    assert (frame.originator_id, frame.actor) == ("presence:demo/node-1.1", "node-1")
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
    assert first.originator_id == second.originator_id
    assert first.originator_version < second.originator_version
    assert [len(frame.moves) for frame in (first, second)] == [1, 1]


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


# Typing.


async def test_signs_of_typing_go_with_the_moves_of_the_moment(node: FakeNode, cursors: Cursors) -> None:
    cursors.type("demo", "ada", "main.md", is_typing=True)
    cursors.move("demo", "ada", "main.md", 3, 1, 4)
    node.clock.advance(0.01)
    cursors.type("demo", "ben", "", is_typing=True)
    cursors.type("demo", "ada", "main.md", is_typing=False)
    await submitted(node)
    node.commit()
    [frame] = frames(node)
    now = as_microseconds(node.clock.now())
    assert frame.moves == [["ada", "main.md", 3, 1, 4, now - 10_000]]
    assert frame.typing == [
        ["ada", "main.md", 1, now - 10_000],
        ["ben", "", 1, now],
        ["ada", "main.md", 0, now],
    ]


async def test_typing_alone_makes_one_frame_in_a_moment_and_all_of_one_stream(
    node: FakeNode, cursors: Cursors
) -> None:
    for is_typing in (True, False):
        cursors.type("demo", "ada", "", is_typing=is_typing)
        cursors.type("demo", "ben", "", is_typing=is_typing)
        await submitted(node)
        assert len(node.waiting) == 1
        node.commit()
        await asyncio.sleep(0)
    assert kinds(node) == [PresenceBegun, FrameRecorded, FrameRecorded]
    assert [len(frame.typing) for frame in frames(node)] == [2, 2]
    assert len({frame.originator_id for frame in frames(node)}) == 1


async def test_signs_of_typing_wait_with_the_moves(
    node: FakeNode, cursors: Cursors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOVES_WAITING_MAX", 2)
    cursors.move("demo", "ada", "main.md", 1, 0, 0)
    cursors.type("demo", "ada", "main.md", is_typing=True)
    with pytest.raises(Overloaded):
        cursors.type("demo", "ada", "main.md", is_typing=False)
    with pytest.raises(Overloaded):
        cursors.move("demo", "ada", "main.md", 2, 0, 0)
    await submitted(node)
    node.commit()
    [frame] = frames(node)
    assert (len(frame.moves), len(frame.typing)) == (1, 1)


# Keyframes.


def kinds(node: FakeNode) -> list[type]:
    return [type(recorded.event) for recorded in node.store.log]


def keyframes(node: FakeNode) -> list[list[tuple[str, str, int]]]:
    """Of each keyframe: client, document and revision of every cursor."""
    events = [recorded.event for recorded in node.store.log]
    return [
        [(str(move[0]), str(move[1]), int(move[2])) for move in event.moves]
        for event in events
        if isinstance(event, KeyframeRecorded)
    ]


async def recorded(node: FakeNode) -> None:
    """Let the frame of this moment come into the log."""
    await submitted(node)
    node.commit()
    await asyncio.sleep(0)


async def test_the_first_frame_has_a_keyframe_and_the_next_after_its_time(
    node: FakeNode, cursors: Cursors
) -> None:
    for revision, seconds in ((1, 0.0), (2, KEYFRAME_SECONDS - 0.5), (3, 0.5), (4, 1.0)):
        node.clock.advance(seconds)
        cursors.move("demo", "ada", "main.md", revision, 0, 0)
        await recorded(node)
    assert kinds(node) == [
        PresenceBegun,
        FrameRecorded,
        KeyframeRecorded,
        FrameRecorded,
        FrameRecorded,
        KeyframeRecorded,
        FrameRecorded,
    ]
    assert keyframes(node) == [[("ada", "main.md", 1)], [("ada", "main.md", 3)]]


async def test_a_keyframe_has_the_last_move_of_every_cursor_as_it_was_made(
    node: FakeNode, cursors: Cursors
) -> None:
    cursors.move("demo", "ada", "a.md", 1, 0, 0)
    cursors.move("demo", "ada", "b.md", 2, 0, 0)
    await recorded(node)
    node.clock.advance(KEYFRAME_SECONDS)
    cursors.move("demo", "ben", "a.md", 3, 0, 0)
    cursors.move("demo", "ada", "b.md", 4, 1, 2)
    await recorded(node)
    assert keyframes(node)[1] == [("ada", "a.md", 1), ("ada", "b.md", 4), ("ben", "a.md", 3)]
    keyframe = node.store.log[-1].event
    assert isinstance(keyframe, KeyframeRecorded)
    now = as_microseconds(node.clock.now())
    assert keyframe.moves[0] == ["ada", "a.md", 1, 0, 0, now - int(KEYFRAME_SECONDS * 1_000_000)]
    assert keyframe.moves[1] == ["ada", "b.md", 4, 1, 2, now]


async def test_keyframes_of_rooms_are_apart(node: FakeNode, cursors: Cursors) -> None:
    cursors.move("demo", "ada", "a.md", 1, 0, 0)
    await recorded(node)
    cursors.move("other", "ben", "a.md", 2, 0, 0)
    await recorded(node)
    assert keyframes(node) == [[("ada", "a.md", 1)], [("ben", "a.md", 2)]]


async def test_while_nothing_moves_nothing_is_recorded(node: FakeNode, cursors: Cursors) -> None:
    cursors.move("demo", "ada", "a.md", 1, 0, 0)
    await recorded(node)
    node.clock.advance(10 * KEYFRAME_SECONDS)
    await asyncio.sleep(2 * FRAME_SECONDS)
    assert not node.waiting


# Cursors that are not shown any more.


async def test_who_leaves_is_in_no_keyframe_and_that_is_told_elsewhere(
    node: FakeNode, cursors: Cursors
) -> None:
    for client, name in (("ada", "a.md"), ("ada", "b.md"), ("ben", "a.md")):
        cursors.move("demo", client, name, 1, 0, 0)
    await recorded(node)
    cursors.forget("demo", "ada")
    cursors.forget("nowhere", "ada")
    node.clock.advance(KEYFRAME_SECONDS)
    cursors.type("demo", "ben", "", is_typing=True)
    await recorded(node)
    assert frames(node)[1].moves == []
    assert keyframes(node)[1] == [("ben", "a.md", 1)]


async def test_a_cursor_that_is_hidden_is_told_to_be_and_in_no_keyframe(
    node: FakeNode, cursors: Cursors
) -> None:
    for name in ("a.md", "b.md"):
        cursors.move("demo", "ada", name, 1, 5, 5)
    await recorded(node)
    node.clock.advance(KEYFRAME_SECONDS)
    cursors.hide("demo", "ada", "a.md", 2)
    await recorded(node)
    at = as_microseconds(node.clock.now())
    assert frames(node)[1].moves == [["ada", "a.md", 2, HIDDEN, HIDDEN, at]]
    assert keyframes(node)[1] == [("ada", "b.md", 1)]


async def test_a_cursor_that_is_not_shown_cannot_be_hidden(node: FakeNode, cursors: Cursors) -> None:
    cursors.hide("demo", "ada", "a.md", 1)
    cursors.move("demo", "ada", "a.md", 1, 0, 0)
    await recorded(node)
    for client, document in (("ada", "b.md"), ("ben", "a.md"), ("ada", "a.md"), ("ada", "a.md")):
        cursors.hide("demo", client, document, 2)
    await recorded(node)
    assert [len(frame.moves) for frame in frames(node)] == [1, 1]
    assert not cursors._rooms


async def test_a_room_whose_cursors_are_forgotten_has_no_keyframe_and_takes_no_memory(
    node: FakeNode, cursors: Cursors
) -> None:
    cursors.move("demo", "ada", "a.md", 1, 0, 0)
    await recorded(node)
    cursors.forget("demo", "ada")
    assert not cursors._rooms
    cursors.type("demo", "ada", "", is_typing=True)
    await recorded(node)
    assert not cursors._rooms
    assert len(keyframes(node)) == 1


async def test_who_leaves_while_a_move_is_on_its_way_is_let_go_afterwards(
    node: FakeNode, cursors: Cursors
) -> None:
    cursors.move("demo", "ada", "a.md", 1, 0, 0)
    cursors.forget("demo", "ada")
    assert cursors._rooms
    await recorded(node)
    assert not cursors._rooms
    assert kinds(node) == [PresenceBegun, FrameRecorded]


async def test_who_comes_back_is_in_the_next_keyframe(node: FakeNode, cursors: Cursors) -> None:
    cursors.move("demo", "ada", "a.md", 1, 0, 0)
    await recorded(node)
    cursors.forget("demo", "ada")
    cursors.move("demo", "ada", "a.md", 2, 0, 0)
    await recorded(node)
    assert keyframes(node) == [[("ada", "a.md", 1)], [("ada", "a.md", 2)]]
    assert len({frame.originator_id for frame in frames(node)}) == 1
