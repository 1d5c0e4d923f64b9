"""Events as they are stored: the event library's mapper with JSON written by orjson.

A stored state is a JSON object of the event's own fields plus `actor`, and `at` in microseconds
since the epoch; an analyst can read it with `convert_from(state, 'UTF8')::jsonb`. Ids and version
are the row's own columns. Upcasting follows the library's contract: `class_version` in the state
and `upcast_vN_vN+1` on the class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import orjson
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder

# Imported for their events: whoever decodes has to know them all.
from domain import (  # noqa: F401
    attendance,
    document,
    erasure,
    message,
    presence,
    profile,
    receipts,
    redaction,
    restoration,
    retention,
    revisions,
    room,
    run,
)
from domain.aggregate import EVENT_CLASSES, Event, Snapshot
from domain.errors import Corrupt
from domain.instants import as_datetime, as_microseconds


def encode(event: Event | Snapshot) -> bytes:
    """The stored state of an event or snapshot."""
    state = dict(vars(event))
    del state["originator_id"], state["originator_version"]
    state["at"] = as_microseconds(state.pop("timestamp"))
    for name in getattr(event, "OPTIONAL", ()):
        if state.get(name) is None:
            state.pop(name, None)
    class_version = getattr(type(event), "class_version", 1)
    if class_version > 1:
        state["class_version"] = class_version
    return orjson.dumps(state)


Open = Callable[[str, str, bytes], Any | None]
"""Opens what was sealed, of a key's id, the data and the place: None when the key is gone."""

_openers: list[Open] = []
"""Of the process's stores; ids of keys are nowhere the same."""


def add_opener(opener: Open) -> None:
    """How sealed text is opened from now on (see `sealing`)."""
    _openers.append(opener)


def remove_opener(opener: Open) -> None:
    if opener in _openers:
        _openers.remove(opener)


def _unseal(stream: str, version: int, topic: str, fields: dict[str, Any]) -> None:
    """Put the text where it belongs; where its key is gone, the blocks stay."""
    sealed = fields.pop("sealed")
    about = f"{stream}\n{version}\n{topic}".encode()
    found = (opener(sealed["key"], sealed["data"], about) for opener in _openers)
    opened = next((texts for texts in found if texts is not None), None)
    if topic == Snapshot.TOPIC:
        if opened is None:
            raise Corrupt(f"the key of a snapshot of {stream} is gone")
        fields["state"] = opened
    elif opened is None:
        if "op" in fields:
            fields["redaction"] = sealed["key"]
    elif "op" in fields:
        fields["op"], fields["digest"] = opened
    else:
        fields["text"] = opened


def decode(stream: str, version: int, topic: str, state: bytes | memoryview) -> Any:
    """The event or snapshot of a stored row, brought up to the present version of its class.

    Raises `Corrupt` when the topic is unknown, the state no JSON object, or its version newer than ours.
    """
    event_class = EVENT_CLASSES.get(topic) or (Snapshot if topic == Snapshot.TOPIC else None)
    if event_class is None:
        raise Corrupt(f"unknown event {topic!r} in {stream} at {version}")
    try:
        fields = orjson.loads(state)
        fields["timestamp"] = as_datetime(fields.pop("at"))
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, OverflowError) as error:
        raise Corrupt(f"unreadable event {topic!r} in {stream} at {version}") from error
    fields["originator_id"] = stream
    fields["originator_version"] = version
    if "sealed" in fields:
        _unseal(stream, version, topic, fields)
    if "class_version" in fields or getattr(event_class, "class_version", 1) > 1:
        _upcast(event_class, fields)
    event = object.__new__(event_class)
    vars(event).update(fields)
    return event


def _upcast(event_class: Any, fields: dict[str, Any]) -> None:
    stored = fields.pop("class_version", 1)
    present = getattr(event_class, "class_version", 1)
    if stored > present:
        raise Corrupt(f"{event_class.TOPIC} version {stored} was written by a newer server than this")
    for version in range(stored, present):
        getattr(event_class, f"upcast_v{version}_v{version + 1}")(fields)


class EventMapper(Mapper[str]):
    """The same as the event library's mapper, for its repositories and applications (`MAPPER_TOPIC`)."""

    def __init__(self, transcoder: Transcoder, **_: Any) -> None:
        super().__init__(transcoder)

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        event = cast("Event", domain_event)
        return StoredEvent(
            originator_id=event.originator_id,
            originator_version=event.originator_version,
            topic=type(event).TOPIC,
            state=encode(event),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        event = decode(
            str(stored_event.originator_id),
            stored_event.originator_version,
            stored_event.topic,
            stored_event.state,
        )
        return cast("DomainEventProtocol[str]", event)
