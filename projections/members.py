"""Who had which role in a room, and when? One span for each time a user had one, with who gave it.

What a room lets everyone do is kept as the role of the user `EVERYONE`. Who is a member has their own role
and not that one, also where it is less. Nobody has a role before the room was opened, whatever the clock said
of the node that has given it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.aggregate import Event
from domain.ids import parse_stream
from domain.rights import Role
from domain.room import AccessChanged, Closed, MemberAdded, MemberRemoved, Opened, RoleChanged
from projections.spans import Chain, Turn, chain

NAME: Final = "members"
TOPICS: Final = frozenset(
    kind.TOPIC for kind in (Opened, MemberAdded, RoleChanged, MemberRemoved, AccessChanged, Closed)
)

# No user can be called so.
EVERYONE: Final = "*"


@dataclass(frozen=True, slots=True)
class RoleSpan:
    """`user` had `role` in `room` from `since` until just before `until` (None: still has it). `by` gave it,
    and `invitation` is the link by which the user came.
    """

    room: str
    user: str
    role: str
    since: datetime
    until: datetime | None
    by: str
    invitation: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """A role as it was given."""

    role: str
    by: str
    invitation: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What a page adds to each chain, by room and user; then which rooms close: that ends what is open."""

    chains: Mapping[tuple[str, str], Chain[Grant]]
    closed: Mapping[str, datetime]


def changes(events: Iterable[Event]) -> Changes:
    """What `events` change. Applied twice, they change nothing more.

    When a room was opened that is not opened among them is for the table to say.
    """
    turns: defaultdict[tuple[str, str], list[Turn[Grant]]] = defaultdict(list)
    opened: dict[str, datetime] = {}
    closed: dict[str, datetime] = {}
    for event in events:
        room = parse_stream(event.originator_id).room
        if isinstance(event, Opened):
            opened[room] = event.timestamp
        at = max(event.timestamp, opened.get(room, event.timestamp))
        if isinstance(event, Closed):
            closed[room] = event.timestamp
        for user, grant in _grants(event):
            turns[room, user].append(Turn(event.originator_version, at, grant))
    return Changes({key: chain(of_user) for key, of_user in turns.items()}, closed)


def _grants(event: Event) -> Iterable[tuple[str, Grant | None]]:
    """Whose role an event changes, and to what."""
    match event:
        case Opened():
            if event.owner is not None:
                yield event.owner, Grant(Role.OWNER.value, event.actor)
            if event.everyone is not None:
                yield EVERYONE, Grant(event.everyone, event.actor)
        case MemberAdded():
            yield event.user, Grant(event.role, event.actor, event.invitation)
        case RoleChanged():
            yield event.user, Grant(event.role, event.actor)
        case MemberRemoved():
            yield event.user, None
        case AccessChanged():
            yield EVERYONE, None if event.everyone is None else Grant(event.everyone, event.actor)
