"""How do people look to others? One entry for each user that there has been."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.aggregate import Event
from domain.ids import parse_stream
from domain.profile import ProfileChanged, ProfileCreated

NAME: Final = "profiles"
TOPICS: Final = frozenset(kind.TOPIC for kind in (ProfileCreated, ProfileChanged))


@dataclass(frozen=True, slots=True)
class ProfileEntry:
    """A profile as it is. `created_at` is None when nothing tells."""

    user: str
    name: str
    colour: str
    avatar: str
    created_at: datetime | None
    changed_at: datetime


def fold(events: Iterable[Event]) -> dict[str, ProfileEntry]:
    """The newest entry of every user that `events` touch. Applied twice, they give the same table."""
    entries: dict[str, ProfileEntry] = {}
    for event in events:
        if not isinstance(event, ProfileCreated | ProfileChanged):
            continue
        user = parse_stream(event.originator_id).name
        known = entries.get(user)
        created_at = known.created_at if known else None
        if isinstance(event, ProfileCreated):
            created_at = event.timestamp
        entries[user] = ProfileEntry(
            user, event.name, event.colour, event.avatar, created_at, event.timestamp
        )
    return entries


def search_key(value: str) -> str:
    """What two names have in common that differ in nothing but case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", value).casefold())
