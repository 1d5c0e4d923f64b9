"""Cursor moves, gathered without loss into one frame per room, node and about 50 ms."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.ids import presence_stream

Move = list[str | int]
"""A cursor move: client, document, revision, anchor and head in code points, time in microseconds.

A plain list, since a busy room makes a thousand a second and they are stored as they stand: JSON has
no tuples, and what is read from the log must equal what was written.
"""


class PresenceBegun(InitialEvent):
    TOPIC = "presence.begun"
    room: str
    node: str


class FrameRecorded(Event):
    """`moves` in the order in which they came."""

    TOPIC = "presence.frame_recorded"
    moves: list[Move]


class Presence(Aggregate):
    """What one node saw of the cursors in one room. It keeps nothing: the log is what remembers."""

    TOPIC = "presence"

    def __init__(self, room: str, node: str) -> None:
        self.room = room
        self.node = node

    @classmethod
    def begin(cls, room: str, node: str, *, at: datetime) -> Self:
        """`node` is unique to a run of a server process, so that nodes never meet in a stream."""
        return cls._create(
            PresenceBegun, id=presence_stream(room, node), timestamp=at, actor=node, room=room, node=node
        )

    def record(self, moves: list[Move], *, at: datetime) -> None:
        """Record one frame of at least one move."""
        assert moves
        self.trigger_event(FrameRecorded, timestamp=at, actor=self.node, moves=moves)


register_topic(Presence.TOPIC, Presence)
