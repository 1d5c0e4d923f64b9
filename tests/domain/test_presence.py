"""Frames of cursor moves and typing."""

from __future__ import annotations

import pytest

from domain.presence import FrameRecorded, KeyframeRecorded, Move, Presence, PresenceBegun, Typing
from tests.domain.events import NOON, collect, later

MOVES: list[Move] = [["ada", "main.md", 3, 1, 4, 1_000], ["ben", "main.md", 3, 0, 0, 2_000]]
TYPING: list[Typing] = [["ada", "main.md", 1, 1_500], ["ben", "", 1, 1_600], ["ada", "main.md", 0, 1_700]]


def a_presence() -> Presence:
    """One with nothing pending."""
    presence = Presence.begin("demo", "node-1.7", node="node-1", at=NOON)
    collect(presence)
    return presence


def test_a_node_begins_a_stream_of_its_own_in_a_room() -> None:
    [begun] = collect(Presence.begin("demo", "node-1.7", node="node-1", at=NOON))
    assert isinstance(begun, PresenceBegun)
    assert begun.originator_id == "presence:demo/node-1.7"
    assert (begun.room, begun.node, begun.actor) == ("demo", "node-1", "node-1")


def test_a_frame_keeps_every_move_and_sign_in_its_order() -> None:
    presence = a_presence()
    presence.record(MOVES, TYPING, at=later())
    [frame] = collect(presence)
    assert isinstance(frame, FrameRecorded)
    assert (frame.moves, frame.typing) == (MOVES, TYPING)
    assert (frame.actor, frame.timestamp) == ("node-1", later())


@pytest.mark.parametrize(("moves", "typing"), [(MOVES, []), ([], TYPING)])
def test_a_frame_may_be_of_one_kind_only(moves: list[Move], typing: list[Typing]) -> None:
    presence = a_presence()
    presence.record(moves, typing, at=later())
    [frame] = collect(presence)
    assert isinstance(frame, FrameRecorded)
    assert (frame.moves, frame.typing) == (moves, typing)


def test_an_empty_frame_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        a_presence().record([], [], at=NOON)


def test_a_keyframe_says_where_every_cursor_is() -> None:
    presence = a_presence()
    presence.record(MOVES, [], at=later())
    presence.record_keyframe(MOVES, at=later())
    _, keyframe = collect(presence)
    assert isinstance(keyframe, KeyframeRecorded)
    assert (keyframe.moves, keyframe.actor, keyframe.timestamp) == (MOVES, "node-1", later())
    assert keyframe.originator_version == 3


def test_an_old_frame_has_no_typing() -> None:
    state = {"moves": MOVES}
    FrameRecorded.upcast_v1_v2(state)
    assert state == {"moves": MOVES, "typing": []}
