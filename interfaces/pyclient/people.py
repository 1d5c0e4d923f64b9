"""Who is in the room, as the client knows it: places by session, people by user, members by role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from domain.attendance import Status, liveliest

Frame = dict[str, Any]

# What the server says in its welcome, if it says nothing.
TYPING_SECONDS: Final = 10.0


class Looks(NamedTuple):
    """How a person looks. `avatar` is an image's URL, or empty."""

    name: str
    colour: str
    avatar: str


@dataclass(slots=True)
class Place:
    """One socket of one client in the room. Times are microseconds by the server's clock."""

    client: str
    user: str
    since: int
    status: Status = Status.IDLE
    active: int = 0
    cursors: dict[str, Frame] = field(default_factory=dict)
    """The last move that was told, by document; where it is in the present text is the document's to say."""
    typing: dict[str | None, int] = field(default_factory=dict)
    """When the last sign of typing was made, by document; None is the chat."""

    def is_typing(self, document: str | None, at: int, seconds: float = TYPING_SECONDS) -> bool:
        """Whether a sign of typing holds at this moment."""
        signed = self.typing.get(document)
        return signed is not None and at - signed < seconds * 1_000_000


@dataclass(frozen=True, slots=True)
class Person:
    """A user with all their places."""

    user: str
    looks: Looks
    role: str | None
    places: tuple[Place, ...]

    @property
    def status(self) -> Status:
        """What they are doing, in the liveliest of their places."""
        return liveliest([place.status for place in self.places])


class People:
    """Owned by a `ClientSession`, which tells it what the server says."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        """By session: a client that reconnects is there twice for a moment."""
        self.looks: dict[str, Looks] = {}
        self.members: dict[str, str] = {}
        self.everyone: str | None = None

    # Telling.

    def begin(self, welcome: Frame) -> None:
        self.members = {member["user"]: member["role"] for member in welcome["members"]}
        self.everyone = welcome["room"]["everyone"]
        for user, looks in welcome["people"].items():
            self.looks[user] = Looks(**looks)
        you = welcome["you"]
        self.looks[you["user"]] = Looks(you["name"], you["colour"], you["avatar"])
        self.places = {entry["session"]: _place(entry) for entry in welcome["roster"]}

    def on_joined(self, event: Frame) -> None:
        user, at = event["actor"], event["at"]
        self.looks.setdefault(user, Looks(event["name"], event["colour"], event["avatar"]))
        self.places[event["session"]] = Place(event["client"], user, at, active=at)

    def on_left(self, event: Frame) -> bool:
        """Whether the client is gone with this place."""
        self.places.pop(event["session"], None)
        return all(place.client != event["client"] for place in self.places.values())

    def on_status(self, event: Frame) -> None:
        if (place := self.places.get(event["session"])) is not None:
            place.status = Status(event["status"])

    def on_profile(self, event: Frame) -> None:
        self.looks[event["user"]] = Looks(event["name"], event["colour"], event["avatar"])

    def on_activity(self, event: Frame) -> None:
        for place in self._of(event["client"]):
            place.active = max(place.active, event["at"])

    def on_move(self, move: Frame) -> None:
        for place in self._of(move["client"]):
            place.active = max(place.active, move["at"])
            if move["anchor"] is None:
                place.cursors.pop(move["document"], None)
            else:
                place.cursors[move["document"]] = move

    def on_typing(self, sign: Frame) -> None:
        for place in self._of(sign["client"]):
            place.active = max(place.active, sign["at"])
            if sign["typing"]:
                place.typing[sign["document"]] = sign["at"]
            else:
                place.typing.pop(sign["document"], None)

    def _of(self, client: str) -> Iterator[Place]:
        return (place for place in self.places.values() if place.client == client)

    # Asking.

    def name_of(self, user: str) -> str:
        """What to call a user; the id where nothing else is known."""
        looks = self.looks.get(user)
        return looks.name if looks is not None else user

    @property
    def names(self) -> dict[str, str]:
        """Who is here: names by client."""
        return {place.client: self.name_of(place.user) for place in self.places.values()}

    @property
    def present(self) -> dict[str, Person]:
        """Everybody who is here, each once, with all their places."""
        users = dict.fromkeys(place.user for place in self.places.values())
        return {user: self._person(user) for user in users}

    def _person(self, user: str) -> Person:
        places = tuple(place for place in self.places.values() if place.user == user)
        looks = self.looks.get(user) or Looks(user, "", "")
        return Person(user, looks, self.members.get(user, self.everyone), places)


def _place(entry: Frame) -> Place:
    typing: list[str | None] = entry["typing"]
    active: int = entry["active"]
    return Place(
        entry["client"],
        entry["user"],
        entry["since"],
        Status(entry["status"]),
        active,
        {move["document"]: move for move in entry["cursors"]},
        dict.fromkeys(typing, active),
    )
