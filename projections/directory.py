"""Which documents are there, and how far have they come? One entry for each document of each room.

The fold is pure: it turns a page of the log into the newest entry of every document that the page
touches. Applying the entries of the same page twice gives the same table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.aggregate import Event
from domain.document import Created, EditApplied
from domain.ids import parse_stream

NAME: Final = "directory"
TOPICS: Final = frozenset({Created.TOPIC, EditApplied.TOPIC})


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as the directory shows it. `created_at` is None when the page does not tell."""

    room: str
    document: str
    revision: int
    created_at: datetime | None
    created_by: str | None
    modified_at: datetime
    modified_by: str


def fold(events: Iterable[Event]) -> dict[str, Entry]:
    """The newest entry of every document that `events` touch, by stream."""
    created: dict[str, Created] = {}
    last: dict[str, Created | EditApplied] = {}
    for event in events:
        if isinstance(event, EditApplied):
            last[event.originator_id] = event
        elif isinstance(event, Created):
            created[event.originator_id] = last[event.originator_id] = event
    return {stream: _entry(created.get(stream), event) for stream, event in last.items()}


def _entry(created: Created | None, last: Created | EditApplied) -> Entry:
    stream = parse_stream(last.originator_id)
    return Entry(
        stream.room,
        stream.name,
        last.revision if isinstance(last, EditApplied) else 0,
        created.written_at if created else None,
        created.actor if created else None,
        last.written_at,
        last.writer if isinstance(last, EditApplied) else last.actor,
    )
