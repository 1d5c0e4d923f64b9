"""The chat of a room, as the client knows it: messages as they stand, and how far everybody has read.

A fold of what is told: a welcome that begins anew, and then every event in the order of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from domain.receipts import Pointers, PointersByUser

Frame = dict[str, Any]

# Chat messages kept to look at; older ones are asked for over HTTP.
MESSAGES_KEPT: Final = 500

# Messages of which it is remembered that they were told of as news: they can come once more, after a longer
# gap or from a node that is behind the one before. Such a gap is bridged with the last few messages only.
TOLD_KEPT: Final = 1_000


class Chat:
    """Owned by a `ClientSession`, which tells it what the server says.

    A message is its `message` event, which has the fields of a message as it stands, and is replaced when
    something becomes of it; nobody changes one that was handed out.
    """

    def __init__(self) -> None:
        self.messages: dict[str, Frame] = {}
        """By id, oldest first."""
        self.pointers = PointersByUser()
        """Up to which position everybody has got and read the messages."""
        self._told: dict[str, None] = {}
        self._has_begun = False

    # Telling.

    def begin(self, messages: Iterable[Frame]) -> list[Frame]:
        """These are the last messages; returns those that are news. The first that one sees of a room are
        history.
        """
        self.messages.clear()
        is_first, self._has_begun = not self._has_begun, True
        news = [message for message in messages if self.on_message(message)]
        return [] if is_first else news

    def on_message(self, event: Frame) -> bool:
        """A `message` event; says whether it is news."""
        name = event["message"]
        self.messages[name] = event
        if len(self.messages) > MESSAGES_KEPT:
            del self.messages[next(iter(self.messages))]
        if name in self._told:
            return False
        self._told[name] = None
        if len(self._told) > TOLD_KEPT:
            del self._told[next(iter(self._told))]
        return True

    def on_change(self, event: Frame) -> None:
        """An event about a message, which may be one that is not known any more."""
        message = self.messages.get(event["message"])
        if message is not None:
            self.messages[event["message"]] = message | _CHANGES[event["event"]](message, event)

    @staticmethod
    def is_change(event: Frame) -> bool:
        """Whether something has become of a message."""
        return event["event"] in _CHANGES

    def on_receipts(self, receipts: Iterable[Frame]) -> list[str]:
        """Pointers as they were told; returns the users whose have moved."""
        return self.pointers.take([r["user"], r["delivered"], r["read"], 0] for r in receipts)

    # Asking.

    def position_of(self, message: str) -> int | None:
        """Where a message is in the log; None for one that is not known."""
        found = self.messages.get(message)
        return None if found is None else int(found["position"])

    def last_from_others(self, user: str | None) -> int:
        """The position of the last message that is not by `user`; 0 without any."""
        others = (m["position"] for m in reversed(self.messages.values()) if m["author"] != user)
        return int(next(others, 0))

    def unread(self, user: str | None, read: int) -> int:
        """How many of the messages that are known were said by others after `read` and are still there."""
        return sum(
            message["position"] > read and message["author"] != user and message["deleted"] is None
            for message in self.messages.values()
        )

    def readers(self, message: str) -> list[str]:
        """Who has read a message, but for its author."""
        found = self.messages.get(message)
        if found is None:
            return []
        position, author = found["position"], found["author"]
        return [user for user, at in self.pointers.items() if at.read >= position and user != author]

    def pointers_of(self, user: str | None) -> Pointers:
        return self.pointers.get(user or "", Pointers())


# What an event changes in a message.


def _edited(message: Frame, event: Frame) -> Frame:
    return {
        "text": event["text"],
        "mentions": event["mentions"],
        "edits": message["edits"] + 1,
        "edited": event["at"],
    }


def _deleted(_message: Frame, event: Frame) -> Frame:
    return {"text": "", "mentions": [], "pinned": None, "deleted": event["at"]}


def _pinned(_message: Frame, event: Frame) -> Frame:
    return {"pinned": event["at"]}


def _unpinned(_message: Frame, _event: Frame) -> Frame:
    return {"pinned": None}


def _reacted(message: Frame, event: Frame) -> Frame:
    return _with_reactors(message, event, [event["actor"]])


def _unreacted(message: Frame, event: Frame) -> Frame:
    return _with_reactors(message, event, [])


def _with_reactors(message: Frame, event: Frame, added: list[str]) -> Frame:
    """`added` after the others of this emoji. An emoji with which nobody reacts is not there."""
    emoji = event["emoji"]
    others = [user for user in message["reactions"].get(emoji, ()) if user != event["actor"]]
    reactions = {**message["reactions"], emoji: others + added}
    return {"reactions": {emoji: users for emoji, users in reactions.items() if users}}


_CHANGES: Final[Mapping[str, Callable[[Frame, Frame], Frame]]] = {
    "message_edited": _edited,
    "message_deleted": _deleted,
    "message_pinned": _pinned,
    "message_unpinned": _unpinned,
    "reaction_added": _reacted,
    "reaction_removed": _unreacted,
}
