"""Who is in a room, on any node: where their cursors are, what they are doing, how they look.

A fold of both logs. Two nodes that have read as far know the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from application.log import Recorded
from domain.attendance import Appearance, Joined, Left, Status, StatusChanged
from domain.errors import RevisionAhead, RevisionTooOld
from domain.ids import parse_stream
from domain.instants import as_datetime, as_microseconds
from domain.presence import HIDDEN, FrameRecorded, KeyframeRecorded, Move, Typing
from domain.profile import ProfileChanged, ProfileCreated
from interfaces.ws.wire import as_move

# A sign of typing holds for so long, unless it is renewed or taken back: a client that vanishes in the middle
# of a word must not type for ever.
TYPING_SECONDS: Final = 10.0

Moved = Callable[[str, int, Sequence[int]], tuple[int, Sequence[int]] | None]
"""Positions in a document's text of some revision, as they are in the present one, with its revision; None
where that is not known.
"""


MovedByReading = Callable[[int, Sequence[int]], Awaitable[tuple[int, Sequence[int]]]]
"""The same of one document, from the log where it has to be. Raises `RevisionAhead`, `RevisionTooOld`."""


class Place:
    """One stay, as others see it."""

    __slots__ = ("active_at", "cursors", "joined", "status", "typing")

    def __init__(self, joined: Joined) -> None:
        self.joined = joined
        self.status = Status.IDLE
        self.active_at = joined.timestamp
        self.cursors: dict[str, Move] = {}
        """The last move in each document."""
        self.typing: dict[str, datetime] = {}
        """When the last sign of typing came, by document ("" is the chat)."""

    def as_json(self, now: datetime, moved: Moved) -> dict[str, Any]:
        return {
            "client": self.joined.client,
            "session": self.joined.session,
            "user": self.joined.actor,
            "since": as_microseconds(self.joined.timestamp),
            "status": self.status.value,
            "active": as_microseconds(self.active_at),
            "cursors": [as_move(self.cursor(document, moved)) for document in tuple(self.cursors)],
            "typing": [
                where or None
                for where, at in self.typing.items()
                if (now - at).total_seconds() < TYPING_SECONDS
            ],
        }

    def cursor(self, document: str, moved: Moved) -> Move:
        """The cursor where it is in the present text, which is then what is kept of it."""
        move = self.cursors[document]
        client, _, revision, anchor, head, at = move
        assert isinstance(revision, int)
        assert isinstance(anchor, int)
        assert isinstance(head, int)
        found = moved(document, revision, (anchor, head))
        if found is not None:
            present, places = found
            move = self.cursors[document] = [client, document, present, places[0], places[1], at]
        return move


class Roster:
    """Owned by its room on this node. Called by the hub in the order of the feeds."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        """By session."""
        self.people: dict[str, Appearance] = {}
        """By user: of all who were here while this room was in memory."""
        self._by_client: dict[str, Place] = {}

    # The record.

    def on_joined(self, event: Joined) -> None:
        place = self.places[event.session] = Place(event)
        known = self._by_client.get(event.client)
        # Not who has come as a client that is somebody else's, whenever they say that they did: see the hub.
        if known is None or (known.joined.actor == event.actor and known.joined.connected <= event.connected):
            self._by_client[event.client] = place
        appearance = Appearance(event.name, event.colour, event.avatar, event.profile)
        self._appear(event.actor, appearance)

    def on_status_changed(self, event: StatusChanged) -> None:
        place = self.places.get(parse_stream(event.originator_id).name)
        if place is not None:
            place.status = Status(event.status)

    def on_left(self, event: Left) -> None:
        place = self.places.pop(parse_stream(event.originator_id).name, None)
        if place is not None and self._by_client.get(event.client) is place:
            del self._by_client[event.client]

    def on_profile(self, user: str, event: ProfileCreated | ProfileChanged) -> None:
        self._appear(user, Appearance(event.name, event.colour, event.avatar, event.originator_version))

    def _appear(self, user: str, appearance: Appearance) -> None:
        known = self.people.get(user)
        if known is None or known.version <= appearance.version:
            self.people[user] = appearance

    def on_activity(self, client: str, at: datetime) -> None:
        """Somebody has edited or said something."""
        place = self._by_client.get(client)
        if place is not None:
            place.active_at = at

    # The presence log.

    def on_frames(self, frames: Iterable[FrameRecorded | KeyframeRecorded]) -> None:
        for frame in frames:
            for move in frame.moves:
                self._on_move(move)
            if isinstance(frame, FrameRecorded):
                for sign in frame.typing:
                    self._on_typing(sign)

    def _on_move(self, move: Move) -> None:
        client, document, _, anchor, _, at = move
        place = self._find_place(str(client), int(at))
        if place is None:
            return
        assert isinstance(document, str)
        known = place.cursors.get(document)
        # Two nodes may both have told of a client that has moved from one to the other.
        if known is not None and known[5] > at:  # type: ignore[operator]
            return
        if anchor == HIDDEN:
            place.cursors.pop(document, None)
        else:
            place.cursors[document] = move
        place.active_at = max(place.active_at, as_datetime(int(at)))

    def _find_place(self, client: str, at: int) -> Place | None:
        """Whose sign this is: of this stay, not of one before it. Only who reads the log meets older ones."""
        place = self._by_client.get(client)
        is_older = place is not None and at < as_microseconds(place.joined.timestamp)
        return None if is_older else place

    def _on_typing(self, sign: Typing) -> None:
        client, where, is_typing, at = sign
        place = self._find_place(str(client), int(at))
        if place is None:
            return
        if is_typing:
            place.typing[str(where)] = as_datetime(int(at))
        else:
            place.typing.pop(str(where), None)
        place.active_at = max(place.active_at, as_datetime(int(at)))

    # What is read when a room comes into memory.

    def begin(self, stays: Sequence[Recorded], profiles: Sequence[Recorded]) -> None:
        """Take the open stays, and how their users look now."""
        for event in (recorded.event for recorded in (*stays, *profiles)):
            if isinstance(event, Joined):
                self.on_joined(event)
            elif isinstance(event, StatusChanged):
                self.on_status_changed(event)
            elif isinstance(event, ProfileCreated | ProfileChanged):
                self.on_profile(parse_stream(event.originator_id).name, event)

    @property
    def nodes(self) -> list[str]:
        """The nodes that hold the sockets of who is here."""
        return sorted({place.joined.node for place in self.places.values()})

    # What is told.

    def as_json(self, now: datetime, moved: Moved) -> list[dict[str, Any]]:
        return [place.as_json(now, moved) for place in self.places.values()]

    def people_as_json(self, users: Iterable[str]) -> dict[str, dict[str, str]]:
        """How these users look, of whom it is known."""
        known = {user: self.people[user] for user in users if user in self.people}
        return {
            user: {"name": looks.name, "colour": looks.colour, "avatar": looks.avatar}
            for user, looks in known.items()
        }

    def find_user(self, client: str) -> str | None:
        """Who is here as `client`."""
        place = self._by_client.get(client)
        return place.joined.actor if place is not None else None

    async def bring_up(self, document: str, moved: MovedByReading) -> None:
        """Move the cursors in `document` that are too old to be moved at once. One that cannot be moved is
        not shown any more.
        """
        for place in tuple(self.places.values()):
            move = place.cursors.get(document)
            if move is None:
                continue
            client, _, revision, anchor, head, at = move
            try:
                found = await moved(int(revision), (int(anchor), int(head)))
            except RevisionTooOld:
                place.cursors.pop(document, None)
                continue
            except RevisionAhead:
                continue  # the feed will bring the edits that it stands behind
            if place.cursors.get(document) is move:
                present, (anchor, head) = found
                place.cursors[document] = [client, document, present, anchor, head, at]

    def cursors_in(self, document: str, moved: Moved) -> list[dict[str, Any]]:
        """Everybody's cursor in one document, in its present text."""
        return [
            as_move(place.cursor(document, moved))
            for place in self.places.values()
            if document in place.cursors
        ]

    def documents(self) -> list[str]:
        """Those with a cursor in them."""
        return sorted({document for place in self.places.values() for document in place.cursors})
