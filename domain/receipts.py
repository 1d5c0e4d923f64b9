"""How far everybody has got and read a room's messages, gathered into one event per room, node and moment.

A pointer is a notification id: all that was said up to there. It only moves forward, so what holds is the
highest that was ever recorded, whatever the order in which it is read; two nodes need not agree on anything
before they write, and what one tells twice does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.ids import receipts_stream

Receipt = list[str | int]
"""User, delivered up to, read up to, time in microseconds. A plain list, as it is stored: see `presence`."""


class ReceiptsBegun(InitialEvent):
    TOPIC = "receipts.begun"
    room: str
    node: str


class ReceiptsRecorded(Event):
    """At most one of each user."""

    TOPIC = "receipts.recorded"
    receipts: list[Receipt]


class Receipts(Aggregate):
    """What one node was told in one room. It keeps nothing: the log is what remembers."""

    TOPIC = "receipts"

    def __init__(self, room: str, node: str) -> None:
        self.room = room
        self.node = node

    @classmethod
    def begin(cls, room: str, name: str, *, node: str, at: datetime) -> Self:
        """`name` is unique to a run of a server process, so that nodes never meet in a stream."""
        stream = receipts_stream(room, name)
        return cls._create(ReceiptsBegun, id=stream, timestamp=at, actor=node, room=room, node=node)

    def record(self, receipts: list[Receipt], *, at: datetime) -> None:
        assert receipts
        self.trigger_event(ReceiptsRecorded, timestamp=at, actor=self.node, receipts=receipts)


register_topic(Receipts.TOPIC, Receipts)


class Pointers(NamedTuple):
    """Up to where a user has got a room's messages, and read them. What was read has been delivered."""

    delivered: int = 0
    read: int = 0

    def joined(self, delivered: int, read: int) -> Pointers:
        """The higher of each: commutative, associative, idempotent."""
        read = max(self.read, read)
        return Pointers(max(self.delivered, delivered, read), read)


class PointersByUser(dict[str, Pointers]):
    """Everybody's pointers in one room: a fold of `ReceiptsRecorded` in any order."""

    def take(self, receipts: Iterable[Receipt]) -> list[str]:
        """Join `receipts` in. Returns the users whose pointers have moved by it."""
        moved = []
        for user, delivered, read, _ in receipts:
            known = self.get(str(user), Pointers())
            now = known.joined(int(delivered), int(read))
            if now != known:
                self[str(user)] = now
                moved.append(str(user))
        return moved
