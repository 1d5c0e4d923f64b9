"""Which documents are there, and how far have they come? One entry for each document of each room.

The fold is pure: it turns a page of the log into the newest entry of every document that the page
touches. Applying the entries of the same page twice gives the same table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from domain.aggregate import Event
from domain.document import Created, EditApplied
from domain.ids import parse_stream

NAME: Final = "directory"


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
    entries: dict[str, Entry] = {}
    for event in events:
        if isinstance(event, EditApplied):
            entries[event.originator_id] = _edited(entries.get(event.originator_id), event)
        elif isinstance(event, Created):
            entries[event.originator_id] = Entry(
                event.room, event.name, 0, event.timestamp, event.actor, event.timestamp, event.actor
            )
    return entries


def _edited(entry: Entry | None, edit: EditApplied) -> Entry:
    if entry is None:
        stream = parse_stream(edit.originator_id)
        entry = Entry(stream.room, stream.name, 0, None, None, edit.timestamp, edit.actor)
    return replace(entry, revision=edit.revision, modified_at=edit.timestamp, modified_by=edit.actor)
