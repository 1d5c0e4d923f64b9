"""The last messages of a room, as they stand now: what a newcomer sees of the chat at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import orjson

from application.log import Recorded
from interfaces.ws.wire import as_message_event
from projections import chat
from projections.chat import ChatMessage

# What a newcomer sees of the chat at once; older ones are paged.
MESSAGES_SHOWN: Final = 50


class ChatTail:
    """A fold of the room's messages. Owned by its room on this node."""

    def __init__(self) -> None:
        self._messages: dict[str, ChatMessage] = {}
        """By id, in the order in which they were posted."""
        self._begins: dict[str, Recorded] = {}
        self._encoded: list[bytes] | None = None

    def take(self, recorded: Recorded) -> None:
        """Whatever has become of a message that is shown, or of one that is new."""
        named = chat.message_of(recorded.event)
        if named is None:
            return
        _, name = named
        changed = chat.after(self._messages.get(name), recorded.position, recorded.event)
        if changed is None:
            return  # of one that was said too long ago
        if name not in self._messages:
            self._begins[name] = recorded
        self._messages[name] = changed
        self._encoded = None
        if len(self._messages) > MESSAGES_SHOWN:
            oldest = next(iter(self._messages))
            del self._messages[oldest], self._begins[oldest]

    def extend(self, batch: Iterable[Recorded]) -> None:
        for recorded in batch:
            self.take(recorded)

    @property
    def encoded(self) -> list[bytes]:
        """The messages as `message` events, oldest first."""
        if self._encoded is None:
            self._encoded = [
                orjson.dumps(as_message_event(self._begins[name], message))
                for name, message in self._messages.items()
            ]
        return self._encoded

    @property
    def people(self) -> set[str]:
        """Whoever is seen in them."""
        messages = self._messages.values()
        return {message.author for message in messages} | {
            reaction.user for message in messages for reaction in message.reactions
        }
