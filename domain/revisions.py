"""What people have marked in a document's past: revisions that were saved, and those with a name.

A save changes no text: every edit is in the log at once. It says that somebody thought it worth keeping.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.errors import LimitReached
from domain.ids import revisions_stream
from domain.limits import NAMED_REVISIONS_PER_DOCUMENT
from domain.names import normal_name


class RevisionsBegun(InitialEvent):
    TOPIC = "revisions.begun"
    room: str
    document: str


class RevisionSaved(Event):
    """`name` is None for a save without one. A name that comes again has moved to this revision."""

    TOPIC = "revisions.saved"
    document: str
    revision: int
    name: str | None

    def apply(self, aggregate: Revisions) -> None:
        aggregate.last = (self.actor, self.revision)
        if self.name is not None:
            aggregate.names[self.name] = self.revision


class Revisions(Aggregate):
    """The saved and named revisions of one document."""

    TOPIC = "revisions"

    def __init__(self, room: str, document: str) -> None:
        self.room = room
        self.document = document
        self.names: dict[str, int] = {}
        self.last: tuple[str, int] | None = None
        """Who has saved last, and which revision."""

    @classmethod
    def begin(cls, room: str, document: str, *, actor: str, at: datetime) -> Self:
        stream = revisions_stream(room, document)
        return cls._create(RevisionsBegun, id=stream, timestamp=at, actor=actor, room=room, document=document)

    def save(self, revision: int, name: str | None, *, actor: str, at: datetime) -> None:
        """Mark `revision`, with a name or without. The same once more adds nothing.

        Raises `TextInvalid`, `LimitReached`.
        """
        if name is None:
            if self.last == (actor, revision):
                return
        else:
            name = normal_name(name)
            if self.names.get(name) == revision:
                return
            if name not in self.names and len(self.names) >= NAMED_REVISIONS_PER_DOCUMENT:
                raise LimitReached("this document has enough names", limit=NAMED_REVISIONS_PER_DOCUMENT)
        self.trigger_event(
            RevisionSaved, timestamp=at, actor=actor, document=self.document, revision=revision, name=name
        )

    @property
    def weight(self) -> int:
        return 1_000 + 200 * len(self.names)


register_topic(Revisions.TOPIC, Revisions)
