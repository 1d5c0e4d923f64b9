"""Which rooms are there? One entry for each, also for those that are closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from domain.aggregate import Event
from domain.ids import parse_stream
from domain.room import AccessChanged, Closed, Opened, Renamed

NAME: Final = "rooms"
TOPICS: Final = frozenset(kind.TOPIC for kind in (Opened, Renamed, AccessChanged, Closed))


@dataclass(frozen=True, slots=True)
class RoomEntry:
    """`everyone` is the role of who is no member, None for nothing at all; `position` is the place of the
    room's opening in the log.
    """

    room: str
    title: str
    everyone: str | None
    created_at: datetime
    created_by: str
    closed_at: datetime | None
    position: int


@dataclass(frozen=True, slots=True)
class RoomChange:
    """What a page tells of a room. `opened` is the room as it was opened, when the page tells; a `title` that
    is None stays, and so does `everyone` unless `is_access_changed`.
    """

    opened: RoomEntry | None = None
    title: str | None = None
    is_access_changed: bool = False
    everyone: str | None = None
    closed_at: datetime | None = None


def changes(events: Iterable[tuple[int, Event]]) -> dict[str, RoomChange]:
    """What `events`, with their positions, change, by room. Applied twice, they change nothing more."""
    changed: dict[str, RoomChange] = {}
    for position, event in events:
        room = parse_stream(event.originator_id).room
        known = changed.get(room, RoomChange())
        match event:
            case Opened():
                changed[room] = replace(known, opened=_entry(event, position))
            case Renamed():
                changed[room] = replace(known, title=event.title)
            case AccessChanged():
                changed[room] = replace(known, is_access_changed=True, everyone=event.everyone)
            case Closed():
                changed[room] = replace(known, closed_at=event.timestamp)
    return changed


def _entry(opened: Opened, position: int) -> RoomEntry:
    return RoomEntry(
        opened.room, opened.title, opened.everyone, opened.timestamp, opened.actor, None, position
    )
