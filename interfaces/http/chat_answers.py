"""What goes out of the chat: messages, how far they were read, and what was found among them."""

from __future__ import annotations

from interfaces.http.answers import Answer
from interfaces.ws.wire import as_message
from projections.chat import ChatMessage


class LinkAnswer(Answer):
    """A range of a document, in code points of the text of `revision`."""

    document: str
    revision: int
    start: int
    end: int


class OriginAnswer(Answer):
    """Of an imported message: the room it was said in, who brought it here and when."""

    room: str
    by: str
    at: int


class MessageAnswer(Answer):
    """A message as it stands. `position` is its place in the room, `reactions` are by emoji who has reacted;
    of a deleted message the text is empty.
    """

    message: str
    author: str
    posted: int
    client: str | None
    text: str
    documents: dict[str, int]
    reply_to: str | None
    mentions: list[str]
    link: LinkAnswer | None
    edits: int
    edited: int | None
    deleted: int | None
    pinned: int | None
    reactions: dict[str, list[str]]
    imported: OriginAnswer | None
    position: int


class PassageAnswer(LinkAnswer):
    """Where a linked range is in the present text, which is that of `revision`. `text` is its beginning;
    `is_gone`: all of it was deleted.
    """

    is_gone: bool
    text: str


class ReceiptAnswer(Answer):
    """Up to where one has got and read a room's messages."""

    delivered: int
    read: int


class MessagesAnswer(Answer):
    """Oldest first. `older` is the `before` and `newer` the `after` of the pages on both sides, null where
    there is none.
    """

    messages: list[MessageAnswer]
    older: int | None
    newer: int | None


class PieceAnswer(Answer):
    """`match`: this is what was looked for."""

    text: str
    match: bool


class FoundMessage(MessageAnswer):
    """`snippet`: the part of the text that shows why it was found."""

    snippet: list[PieceAnswer]


class FoundMessagesAnswer(Answer):
    """The best first. `is_guess`: nothing was found, but this looks like it."""

    found: list[FoundMessage]
    is_guess: bool
    next: str | None


class PinsAnswer(Answer):
    """Newest first; `next` is the `before` of the next page."""

    messages: list[MessageAnswer]
    next: int | None


class ListedMessage(MessageAnswer):
    room: str


class ListedMessagesAnswer(Answer):
    """Newest first; `next` is the `before` of the next page."""

    messages: list[ListedMessage]
    next: int | None


class SaidText(Answer):
    text: str
    by: str
    at: int


class TextsAnswer(Answer):
    """All that a message has said, oldest first."""

    message: str
    texts: list[SaidText]
    deleted: int | None
    deleted_by: str | None


class ReadersAnswer(Answer):
    """Whom a message has reached; those who have read it are among them."""

    delivered: list[str]
    read: list[str]


class ListedReceipt(ReceiptAnswer):
    user: str


class ReceiptsAnswer(Answer):
    """`unread`: how many messages of others one has not read, 1000 at most."""

    receipts: list[ListedReceipt]
    unread: int


class UnreadRoom(ReceiptAnswer):
    room: str
    unread: int


class UnreadAnswer(Answer):
    rooms: list[UnreadRoom]
    next: str | None


def message_answer(message: ChatMessage) -> MessageAnswer:
    return MessageAnswer(**as_message(message), position=message.position)
