"""One client's stay in a room, from its welcome to its leaving, with what it was doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.colours import colour_of
from domain.ids import attendance_stream
from domain.instants import as_microseconds

# Who has not edited for so long is not editing any more: longer than a pause for thought.
IDLE_SECONDS: Final = 60.0

# Who has shown no sign of attention for so long has gone for a coffee.
AWAY_SECONDS: Final = 300.0


class Status(StrEnum):
    """What somebody is doing, as others see it. Who is offline has no stay: it is never stored."""

    EDITING = "editing"
    RUNNING = "running"
    IDLE = "idle"
    AWAY = "away"
    OFFLINE = "offline"


# Of several places of one person the liveliest is what others want to know.
LIVELINESS: Final = (Status.EDITING, Status.RUNNING, Status.IDLE, Status.AWAY, Status.OFFLINE)


def liveliest(statuses: list[Status]) -> Status:
    """The status of a person with these places; offline without any."""
    return min(statuses, key=LIVELINESS.index, default=Status.OFFLINE)


@dataclass(slots=True)
class Liveliness:
    """What a client has done last, and what follows for its status. Times are seconds of one clock that
    never goes back.

    A client may declare what it is doing. `running` holds until it says otherwise. What else it declares
    is overtaken by what it does: an edit by somebody who is said to be away shows that they are not.
    """

    active_at: float
    edited_at: float | None = None
    declared: Status | None = None

    def on_edit(self, now: float) -> None:
        self.edited_at = now
        self.on_activity(now)

    def on_activity(self, now: float) -> None:
        """A cursor has moved, something is being typed or was said."""
        self.active_at = now
        if self.declared is not Status.RUNNING:
            self.declared = None

    def declare(self, status: Status | None, now: float) -> None:
        """`None`: let it follow from what the client does."""
        if status is Status.EDITING:
            self.edited_at = now
        self.active_at = now
        self.declared = None if status is Status.EDITING else status

    def status(self, now: float) -> Status:
        if self.declared is not None:
            return self.declared
        if self.edited_at is not None and now - self.edited_at < IDLE_SECONDS:
            return Status.EDITING
        return Status.IDLE if now - self.active_at < AWAY_SECONDS else Status.AWAY


class Joined(InitialEvent):
    """The actor is the user. `node` is the server process that holds the socket: when it dies, its stays are
    closed for it.

    `connected` says which of a client's sockets is the newest: it is when this one was opened, in
    microseconds by the client's own clock. The order of the log does not say it, since a stay that began
    on a slow node comes late; nor does the clock of a node.

    `name`, `colour` and `avatar` are the user's profile at this moment, version `profile` of it, so that
    whoever reads this, now or in years, can show who came.
    """

    TOPIC = "attendance.joined"
    class_version = 3
    room: str
    session: str
    client: str
    node: str
    connected: int
    name: str
    colour: str
    avatar: str
    profile: int

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["connected"] = as_microseconds(state["timestamp"])

    @staticmethod
    def upcast_v2_v3(state: dict[str, Any]) -> None:
        # Before there were accounts, the actor was a name that the client gave itself.
        state["name"] = state["actor"]
        state["colour"] = colour_of(state["actor"])
        state["avatar"] = ""
        state["profile"] = 0


class StatusChanged(Event):
    """`cause`: declared by the client, or derived from what it does and does not do."""

    TOPIC = "attendance.status_changed"
    client: str
    status: str
    cause: str

    def apply(self, aggregate: Attendance) -> None:
        aggregate.status = Status(self.status)


class Left(Event):
    """`reason`: left, lost, drained, superseded, removed."""

    TOPIC = "attendance.left"
    client: str
    reason: str

    def apply(self, aggregate: Attendance) -> None:
        aggregate.status = Status.OFFLINE


@dataclass(frozen=True, slots=True)
class Appearance:
    """How a person looks to others: version `version` of their profile."""

    name: str
    colour: str
    avatar: str = ""
    version: int = 0


class Attendance(Aggregate):
    TOPIC = "attendance"

    def __init__(
        self,
        room: str,
        session: str,
        client: str,
        node: str,
        name: str,
    ) -> None:
        self.room = room
        self.session = session
        self.client = client
        self.node = node
        self.name = name
        self.status = Status.IDLE

    @classmethod
    def join(
        cls,
        room: str,
        session: str,
        *,
        client: str,
        node: str,
        appearance: Appearance,
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
            name=appearance.name,
            colour=appearance.colour,
            avatar=appearance.avatar,
            profile=appearance.version,
        )

    @property
    def has_left(self) -> bool:
        return self.status is Status.OFFLINE

    def change_status(self, status: Status, cause: str, *, actor: str, at: datetime) -> None:
        """From now on the client is doing this; nothing changes for one that has left."""
        assert status is not Status.OFFLINE
        if not self.has_left and status is not self.status:
            self.trigger_event(
                StatusChanged, timestamp=at, actor=actor, client=self.client, status=status.value, cause=cause
            )

    def leave(self, reason: str, *, actor: str, at: datetime) -> None:
        """End the stay; does nothing when it has ended."""
        if not self.has_left:
            self.trigger_event(Left, timestamp=at, actor=actor, client=self.client, reason=reason)


register_topic(Attendance.TOPIC, Attendance)
