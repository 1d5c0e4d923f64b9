"""A room: a place with a title and a list of documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.errors import RoomFull
from domain.ids import room_stream
from domain.limits import DOCUMENTS_PER_ROOM


class Opened(InitialEvent):
    TOPIC = "room.opened"
    room: str
    title: str


class DocumentListed(Event):
    TOPIC = "room.document_listed"
    document: str

    def apply(self, aggregate: Room) -> None:
        aggregate.documents[self.document] = None


class Room(Aggregate):
    TOPIC = "room"

    def __init__(self, room: str, title: str) -> None:
        self.room = room
        self.title = title
        self.documents: dict[str, None] = {}
        """An ordered set: documents in the order in which they were listed."""

    @classmethod
    def open(cls, room: str, title: str, *, actor: str, at: datetime) -> Self:
        """A new, empty room."""
        return cls._create(Opened, id=room_stream(room), timestamp=at, actor=actor, room=room, title=title)

    def list_document(self, document: str, *, actor: str, at: datetime) -> None:
        """Add `document` to the list; does nothing when it is there. Raises `RoomFull`."""
        if document in self.documents:
            return
        if len(self.documents) >= DOCUMENTS_PER_ROOM:
            raise RoomFull("the room has as many documents as a room can have", limit=DOCUMENTS_PER_ROOM)
        self.trigger_event(DocumentListed, timestamp=at, actor=actor, document=document)

    def as_state(self) -> dict[str, Any]:
        return {"room": self.room, "title": self.title, "documents": list(self.documents)}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        self.room = state["room"]
        self.title = state["title"]
        self.documents = dict.fromkeys(state["documents"])


register_topic(Room.TOPIC, Room)
