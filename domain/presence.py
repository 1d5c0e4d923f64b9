"""Cursors and typing, gathered without loss into one frame per room, node and about 50 ms."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.ids import presence_stream

Move = list[str | int]
"""A cursor move: client, document, revision, anchor and head in code points, time in microseconds.

A plain list, since a busy room makes a thousand a second and they are stored as they stand: JSON has
no tuples, and what is read from the log must equal what was written.
"""

HIDDEN: Final = -1
"""Anchor and head of a cursor that is not shown any more."""

Typing = list[str | int]
"""A sign of typing: client, where (a document, or "" for the chat), 1 or 0 for not any more, time in
microseconds.
"""


class PresenceBegun(InitialEvent):
    TOPIC = "presence.begun"
    room: str
    node: str


class FrameRecorded(Event):
    """`moves` and `typing` each in the order in which they came."""

    TOPIC = "presence.frame_recorded"
    class_version = 2
    moves: list[Move]
    typing: list[Typing]

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["typing"] = []


class KeyframeRecorded(Event):
    """The last move of every cursor that this node shows in the room: who reads the log from here on knows
    where everybody is without reading further back.
    """

    TOPIC = "presence.keyframe_recorded"
    moves: list[Move]


class Presence(Aggregate):
    """What one node saw of the cursors in one room. It keeps nothing: the log is what remembers."""

    TOPIC = "presence"

    def __init__(self, room: str, node: str) -> None:
        self.room = room
        self.node = node

    @classmethod
    def begin(cls, room: str, name: str, *, node: str, at: datetime) -> Self:
        """`name` is unique to a run of a server process, so that nodes never meet in a stream."""
        return cls._create(
            PresenceBegun, id=presence_stream(room, name), timestamp=at, actor=node, room=room, node=node
        )

    def record(self, moves: list[Move], typing: list[Typing], *, at: datetime) -> None:
        """Record one frame with something in it."""
        assert moves or typing
        self.trigger_event(FrameRecorded, timestamp=at, actor=self.node, moves=moves, typing=typing)

    def record_keyframe(self, moves: list[Move], *, at: datetime) -> None:
        """Record where all cursors are."""
        self.trigger_event(KeyframeRecorded, timestamp=at, actor=self.node, moves=moves)


register_topic(Presence.TOPIC, Presence)
