"""A chat message. Its id is chosen by its author's client, so that a resent post meets itself."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, InitialEvent
from domain.errors import IdReused, OpTooLarge, TextInvalid
from domain.ids import message_stream
from domain.limits import CHAT_BYTES


class Posted(InitialEvent):
    """`documents` are the revisions that were current in the author's open documents."""

    TOPIC = "message.posted"
    room: str
    message: str
    client: str
    text: str
    documents: dict[str, int]


class Message(Aggregate):
    TOPIC = "message"

    def __init__(self, message: str, client: str, text: str) -> None:
        self.message = message
        self.client = client
        self.text = text

    @classmethod
    def post(
        cls,
        room: str,
        message: str,
        *,
        client: str,
        text: str,
        documents: dict[str, int],
        actor: str,
        at: datetime,
    ) -> Self:
        """A new message. Raises `TextInvalid` (empty, NUL, lone surrogate) or `OpTooLarge`."""
        check_text(text)
        return cls._create(
            Posted,
            id=message_stream(room, message),
            timestamp=at,
            actor=actor,
            room=room,
            message=message,
            client=client,
            text=text,
            documents=documents,
        )

    def check_resend(self, *, client: str, text: str) -> None:
        """Raise `IdReused` unless `client` and `text` are those of this message."""
        if (client, text) != (self.client, self.text):
            raise IdReused("this id was used for another message", id=self.message)


register_topic(Message.TOPIC, Message)


def check_text(text: str) -> None:
    """Raise `TextInvalid` or `OpTooLarge` unless `text` can be said in a chat."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise TextInvalid("a lone surrogate is no text") from None
    if size > CHAT_BYTES:
        raise OpTooLarge("the message is too long", limit=CHAT_BYTES)
    if not text.strip() or "\x00" in text:
        raise TextInvalid("a message needs text, without NUL")
