"""One event of every class, as rich as its class allows, and one snapshot of each aggregate that has them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from domain.aggregate import Aggregate, Event, Snapshot
from domain.attendance import Attendance
from domain.document import Document, Edit
from domain.message import Message
from domain.presence import Presence
from domain.room import Room

AT: Final = datetime(2026, 11, 23, 14, 5, 6, 789_012, tzinfo=UTC)
ACTOR: Final = "Ada 😀"


def _events(aggregate: Aggregate) -> list[Event]:
    return [event for event in aggregate.collect_events() if isinstance(event, Event)]


def _room() -> Room:
    room = Room.open("demo", "Büro “1”", actor=ACTOR, at=AT)
    room.list_document("main.md", actor=ACTOR, at=AT)
    return room


def _document() -> Document:
    document = Document.create("demo", "main.md", actor=ACTOR, at=AT)
    op: list[Any] = ['é\n\t"\\ 👩‍👩‍👧\u2028 tail']
    document.edit(Edit("ada-1", 1, 0, op, "0123456789abcdef"), actor=ACTOR, at=AT)
    op = [2, "X", {"d": 3}]
    document.edit(Edit("ada-1", 2, 1, op, "fedcba9876543210"), actor=ACTOR, at=AT, cause="undo")
    return document


def _message() -> Message:
    return Message.post(
        "demo",
        "m1",
        client="ada-1",
        text="Look: “é” 😀\nsecond line",
        documents={"main.md": 2, "b.txt": 0},
        actor=ACTOR,
        at=AT,
    )


def _attendance() -> Attendance:
    stay = Attendance.join("demo", "s1", client="ada-1", node="node-00000001", actor=ACTOR, at=AT)
    stay.leave("superseded", actor=ACTOR, at=AT)
    return stay


def _presence() -> Presence:
    presence = Presence.begin("demo", "node-00000001", at=AT)
    presence.record([["ada-1", "main.md", 2, 5, 1, 1_795_442_706_789_012], ["b", "c", 0, 0, 0, 1]], at=AT)
    return presence


def events() -> list[Event]:
    """The last event of every class."""
    samples: dict[str, Event] = {}
    for aggregate in (_room(), _document(), _message(), _attendance(), _presence()):
        for event in _events(aggregate):
            samples[event.TOPIC] = event
    return list(samples.values())


def snapshots() -> dict[str, Snapshot]:
    """By the topic of their aggregate."""
    return {"document": Snapshot.take(_document()), "room": Snapshot.take(_room())}
