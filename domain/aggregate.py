"""What all aggregates and events share: text ids, server time, and the actor who did it.

The event library's own base classes are for UUIDs and let events take the time themselves.
Ours have readable ids, and the time is always handed in, since the domain has no clock.
Every event class is a stored format for ever: its `TOPIC` is what the log holds (never a module's path,
so that code can move), `class_version` and `upcast_vN_vN+1` carry old states to the present one.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from eventsourcing.domain import (
    BaseAggregate,
    CanInitAggregate,
    CanMutateAggregate,
    CanSnapshotAggregate,
    MetaDomainEvent,
)
from eventsourcing.utils import get_topic, register_topic, resolve_topic

EVENT_CLASSES: dict[str, type[Event]] = {}
"""Every event class by its topic: the log's vocabulary."""


class Event(CanMutateAggregate[str], metaclass=MetaDomainEvent):
    """Something that happened. Frozen; its fields beyond these four are JSON as they stand."""

    originator_id: str
    originator_version: int
    timestamp: datetime
    actor: str

    TOPIC: ClassVar[str]
    OPTIONAL: ClassVar[tuple[str, ...]] = ()
    """Fields that are not stored where they are None, as they are for nearly all events of this kind."""
    class_version: ClassVar[int] = 1

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "TOPIC" in cls.__dict__:
            assert cls.TOPIC not in EVENT_CLASSES or EVENT_CLASSES[cls.TOPIC].__qualname__ == cls.__qualname__
            EVENT_CLASSES[cls.TOPIC] = cls
            register_topic(cls.TOPIC, cls)


class Unreadable(Event):
    """A stored event that this version of the code cannot read.

    It keeps its place in the log, so that everything else goes on; its own stream cannot be decided on.
    It is never stored, so it has no `TOPIC` of its own; `topic` is what the log says.
    """

    topic: str
    reason: str


class InitialEvent(CanInitAggregate[str], Event):
    """The first event of a stream: names the aggregate class that it begins."""

    originator_topic: str


class Aggregate(BaseAggregate[str]):
    """Base of our aggregates: a public command decides and triggers; an event's `apply` only stores."""

    def __copy__(self) -> Self:
        """A second aggregate in the same state that goes its own way, without pending events."""
        twin = object.__new__(type(self))
        vars(twin).update({name: copy.copy(value) for name, value in vars(self).items()})
        twin._pending_events = []
        return twin

    @property
    def weight(self) -> int:
        """Roughly how many bytes this aggregate keeps in memory."""
        return 1_000


class Snapshot(CanSnapshotAggregate[str], metaclass=MetaDomainEvent):
    """A stored state of an aggregate at a version: saves reading, means nothing by itself."""

    originator_id: str
    originator_version: int
    timestamp: datetime
    topic: str
    state: Mapping[str, Any]

    TOPIC: ClassVar[str] = "snapshot"

    @classmethod
    def take(cls, aggregate: Any) -> Self:
        """A snapshot of `aggregate`, which offers `as_state()`; it is dated by its last event."""
        make: Any = cls  # the library's metaclass makes it a dataclass, which type checkers do not see
        taken: Self = make(
            originator_id=aggregate.id,
            originator_version=aggregate.version,
            timestamp=aggregate.modified_on,
            topic=get_topic(type(aggregate)),
            state=aggregate.as_state(),
        )
        return taken

    def mutate(self, _: object) -> Any:
        """The aggregate that the snapshot was taken of."""
        aggregate_class = resolve_topic(self.topic)
        aggregate = aggregate_class.__new__(aggregate_class)
        aggregate.__base_init__(self.originator_id, self.originator_version, self.timestamp)
        aggregate.restore_state(self.state)
        return aggregate


register_topic(Snapshot.TOPIC, Snapshot)
