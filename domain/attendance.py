"""One client's stay in a room, from its welcome to its leaving."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.ids import attendance_stream


class Joined(InitialEvent):
    """`node` is the server process that holds the socket: when it dies, its stays are closed for it.

    `replaces` are the stays of the same client that the node knew of: this one takes their place. Of a stay
    that is not among them it cannot be said which of the two is the client's newer socket.
    """

    TOPIC = "attendance.joined"
    class_version = 2
    room: str
    session: str
    client: str
    node: str
    replaces: list[str]

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["replaces"] = []


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
    def join(
        cls,
        room: str,
        session: str,
        *,
        client: str,
        node: str,
        actor: str,
        at: datetime,
        replaces: Sequence[str] = (),
    ) -> Self:
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
            replaces=list(replaces),
        )

    def leave(self, reason: str, *, actor: str, at: datetime) -> None:
        """End the stay; does nothing when it has ended."""
        if not self.has_left:
            self.trigger_event(Left, timestamp=at, actor=actor, client=self.client, reason=reason)


register_topic(Attendance.TOPIC, Attendance)
