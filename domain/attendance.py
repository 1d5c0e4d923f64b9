"""One client's stay in a room, from its welcome to its leaving."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.ids import attendance_stream


class Joined(InitialEvent):
    """`node` is the server process that holds the socket: when it dies, its stays are closed for it."""

    TOPIC = "attendance.joined"
    room: str
    session: str
    client: str
    node: str


class Left(Event):
    """`reason`: left, lost, drained, superseded."""

    TOPIC = "attendance.left"
    client: str
    reason: str

    def apply(self, aggregate: Attendance) -> None:
        aggregate.has_left = True


class Attendance(Aggregate):
    TOPIC = "attendance"

    def __init__(self, room: str, session: str, client: str, node: str) -> None:
        self.room = room
        self.session = session
        self.client = client
        self.node = node
        self.has_left = False

    @classmethod
    def join(cls, room: str, session: str, *, client: str, node: str, actor: str, at: datetime) -> Self:
        """The beginning of a stay; `session` is unique to it."""
        return cls._create(
            Joined,
            id=attendance_stream(room, session),
            timestamp=at,
            actor=actor,
            room=room,
            session=session,
            client=client,
            node=node,
        )

    def leave(self, reason: str, *, actor: str, at: datetime) -> None:
        """End the stay; does nothing when it has ended."""
        if not self.has_left:
            self.trigger_event(Left, timestamp=at, actor=actor, client=self.client, reason=reason)


register_topic(Attendance.TOPIC, Attendance)
