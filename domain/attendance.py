"""One client's stay in a room, from its welcome to its leaving."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.ids import attendance_stream
from domain.instants import as_microseconds


class Joined(InitialEvent):
    """`node` is the server process that holds the socket: when it dies, its stays are closed for it.

    `connected` says which of a client's sockets is the newest: it is when this one was opened, in
    microseconds by the client's own clock. The order of the log does not say it, since a stay that began
    on a slow node comes late; nor does the clock of a node.
    """

    TOPIC = "attendance.joined"
    class_version = 2
    room: str
    session: str
    client: str
    node: str
    connected: int

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["connected"] = as_microseconds(state["timestamp"])


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
        connected: int | None = None,
    ) -> Self:
        """The beginning of a stay; `session` is unique to it. A client that does not say when it has
        connected did so now.
        """
        return cls._create(
            Joined,
            id=attendance_stream(room, session),
            timestamp=at,
            actor=actor,
            room=room,
            session=session,
            client=client,
            node=node,
            connected=as_microseconds(at) if connected is None else connected,
        )

    def leave(self, reason: str, *, actor: str, at: datetime) -> None:
        """End the stay; does nothing when it has ended."""
        if not self.has_left:
            self.trigger_event(Left, timestamp=at, actor=actor, client=self.client, reason=reason)


register_topic(Attendance.TOPIC, Attendance)
