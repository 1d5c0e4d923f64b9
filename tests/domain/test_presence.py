"""Frames of cursor moves."""

from __future__ import annotations

import pytest

from domain.presence import FrameRecorded, Move, Presence, PresenceBegun
from tests.domain.events import NOON, collect, later

MOVES: list[Move] = [["ada", "main.md", 3, 1, 4, 1_000], ["ben", "main.md", 3, 0, 0, 2_000]]


def test_a_node_begins_a_stream_of_its_own_in_a_room() -> None:
    [begun] = collect(Presence.begin("demo", "node-1", at=NOON))
    assert isinstance(begun, PresenceBegun)
    assert begun.originator_id == "presence:demo/node-1"
    assert (begun.room, begun.node, begun.actor) == ("demo", "node-1", "node-1")


def test_a_frame_keeps_every_move_in_its_order() -> None:
    presence = Presence.begin("demo", "node-1", at=NOON)
    collect(presence)
    presence.record(MOVES, at=later())
    [frame] = collect(presence)
    assert isinstance(frame, FrameRecorded)
    assert (frame.moves, frame.actor, frame.timestamp) == (MOVES, "node-1", later())


def test_an_empty_frame_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        Presence.begin("demo", "node-1", at=NOON).record([], at=NOON)
