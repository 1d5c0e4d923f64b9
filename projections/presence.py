"""Who was here, doing what, and for how long? One span for each status of each stay, and for each day how
much a user has edited in a room.

A stay is one session's; a user may be in several places at once. How long somebody was here is the union
of their stays, which is made when it is asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from domain.aggregate import Event
from domain.attendance import Joined, Left, Status, StatusChanged
from domain.document import EditApplied
from domain.ids import parse_stream
from domain.text_op import length_change
from projections.spans import Chain, Turn, chain

NAME: Final = "presence"
TOPICS: Final = frozenset(kind.TOPIC for kind in (Joined, StatusChanged, Left, EditApplied))


@dataclass(frozen=True, slots=True)
class PresenceSpan:
    """`session`, a socket of `client`, was here and `status` from `since` until just before `until` (None: it
    still is).
    """

    room: str
    session: str
    user: str
    client: str
    status: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class PresenceSummary:
    """What a user did in a room on a day (UTC), or (None) in all of the time that was asked for. Several
    places at once count once; `longest_seconds` is the longest time without a break.
    """

    room: str
    user: str
    day: date | None
    present_seconds: float
    editing_seconds: float
    edits: int
    longest_seconds: float


@dataclass(frozen=True, slots=True)
class Doing:
    """What a stay's client does; `user` is None when the stay has begun before the page."""

    status: str
    client: str
    user: str | None


@dataclass(frozen=True, slots=True)
class CountedEdit:
    """An edit as it is counted: `inserted` and `deleted` in code points."""

    position: int
    room: str
    user: str
    day: date
    inserted: int
    deleted: int


def stays(events: Iterable[Event]) -> Mapping[tuple[str, str], Chain[Doing]]:
    """What `events` add to each stay, by room and session. Applied twice, they add nothing more."""
    turns: defaultdict[tuple[str, str], list[Turn[Doing]]] = defaultdict(list)
    users: dict[str, str] = {}
    for event in events:
        doing: Doing | None
        match event:
            case Joined():
                users[event.originator_id] = event.actor
                doing = Doing(Status.IDLE.value, event.client, event.actor)
            case StatusChanged():
                doing = Doing(event.status, event.client, users.get(event.originator_id))
            case Left():
                doing = None
            case _:
                continue
        stream = parse_stream(event.originator_id)
        turns[stream.room, stream.name].append(Turn(event.originator_version, event.timestamp, doing))
    return {key: chain(of_stay) for key, of_stay in turns.items()}


def edits(events: Iterable[tuple[int, Event]]) -> Iterator[CountedEdit]:
    """The edits among `events`, with their positions: none is counted that is not behind the last one."""
    for position, event in events:
        if isinstance(event, EditApplied):
            room = parse_stream(event.originator_id).room
            day = event.written_at.astimezone(UTC).date()
            inserted = sum(len(component) for component in event.op if isinstance(component, str))
            deleted = inserted - length_change(event.op)
            yield CountedEdit(position, room, event.writer, day, inserted, deleted)
