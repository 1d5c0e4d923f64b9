"""A chat message, with all that becomes of it. Its id is chosen by its author's client, so that a resent post
meets itself.

Whatever was said before an edit or a deletion stays in the log; what is shown is the last text, or none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Self, TypedDict

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.errors import Forbidden, IdReused, LimitReached, NotFound, OpTooLarge, TextInvalid
from domain.ids import message_stream
from domain.limits import (
    CHAT_BYTES,
    EDITS_PER_MESSAGE,
    EMOJI_PER_MESSAGE,
    MENTIONS_PER_MESSAGE,
    REACTIONS_PER_MESSAGE,
)


class Link(TypedDict):
    """A range of a document, in code points of the text of `revision`. Plain JSON, as it is stored."""

    document: str
    revision: int
    start: int
    end: int


class Posted(InitialEvent):
    """`documents` are the revisions that were current in the author's open documents; `mentions` the users
    who are spoken to, `reply_to` the message that is answered. `words` is how many it had, where text of it
    was removed since.
    """

    TOPIC = "message.posted"
    OPTIONAL = ("words",)
    class_version = 2
    room: str
    message: str
    client: str
    text: str
    documents: dict[str, int]
    reply_to: str | None
    mentions: list[str]
    link: Link | None
    words: int | None = None

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state.update(reply_to=None, mentions=[], link=None)

    def apply(self, aggregate: Message) -> None:
        aggregate.begin(self, author=self.actor, client=self.client)


class Imported(InitialEvent):
    """A message that was exported from another room, as it stood there. `posted` and the other times are in
    microseconds since the epoch; `reactions` are emoji, user and time of each, in their order.
    """

    TOPIC = "message.imported"
    OPTIONAL = ("words",)
    room: str
    message: str
    source: str
    author: str
    posted: int
    text: str
    documents: dict[str, int]
    reply_to: str | None
    mentions: list[str]
    link: Link | None
    edits: int
    edited: int | None
    deleted: int | None
    pinned: int | None
    reactions: list[list[str | int]]
    words: int | None = None

    def apply(self, aggregate: Message) -> None:
        aggregate.begin(self, author=self.author, client=None)
        aggregate.edits = self.edits
        aggregate.is_deleted = self.deleted is not None
        aggregate.is_pinned = self.pinned is not None
        for emoji, user, _ in self.reactions:
            aggregate.add_reaction(str(emoji), str(user))


class Edited(Event):
    """The author says it otherwise. `newly` are those of `mentions` who were not spoken to before."""

    TOPIC = "message.edited"
    text: str
    mentions: list[str]
    newly: list[str]

    def apply(self, aggregate: Message) -> None:
        aggregate.text = self.text
        aggregate.edits += 1
        aggregate.mentioned |= frozenset(self.newly)


class Deleted(Event):
    """By its author, or by an owner of the room."""

    TOPIC = "message.deleted"

    def apply(self, aggregate: Message) -> None:
        aggregate.is_deleted = True


class ReactionAdded(Event):
    TOPIC = "message.reaction_added"
    emoji: str

    def apply(self, aggregate: Message) -> None:
        aggregate.add_reaction(self.emoji, self.actor)


class ReactionRemoved(Event):
    TOPIC = "message.reaction_removed"
    emoji: str

    def apply(self, aggregate: Message) -> None:
        aggregate.remove_reaction(self.emoji, self.actor)


class Pinned(Event):
    TOPIC = "message.pinned"

    def apply(self, aggregate: Message) -> None:
        aggregate.is_pinned = True


class Unpinned(Event):
    TOPIC = "message.unpinned"

    def apply(self, aggregate: Message) -> None:
        aggregate.is_pinned = False


class Message(Aggregate):
    TOPIC = "message"

    def __init__(self, message: str, text: str) -> None:
        self.message = message
        self.text = text
        self.edits = 0
        self.is_deleted = False
        self.is_pinned = False
        self.reactions: dict[str, tuple[str, ...]] = {}
        """By emoji, who has reacted with it, in that order."""
        self._first_text = text

    def begin(self, event: Posted | Imported, *, author: str, client: str | None) -> None:
        """For the first event, which knows more than the library hands over. An import has no client."""
        self.author = author
        self.client = client
        self.reply_to = event.reply_to
        self.link = event.link
        self.mentioned = frozenset(event.mentions)
        """All who were ever spoken to."""

    # Decisions.

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
        mentions: Sequence[str] = (),
        reply_to: str | None = None,
        link: Link | None = None,
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
            reply_to=reply_to,
            mentions=list(mentions),
            link=link,
        )

    @classmethod
    def bring(cls, room: str, message: str, *, actor: str, at: datetime, **as_it_stood: Any) -> Self:
        """A message of another room, with the fields of `Imported`. A deleted one has no text.

        Raises `TextInvalid`, `OpTooLarge`, `LimitReached`.
        """
        if as_it_stood["deleted"] is None:
            check_text(as_it_stood["text"])
        if len(as_it_stood["reactions"]) > REACTIONS_PER_MESSAGE:
            raise LimitReached("too many reactions", limit=REACTIONS_PER_MESSAGE)
        stream = message_stream(room, message)
        return cls._create(
            Imported, id=stream, timestamp=at, actor=actor, room=room, message=message, **as_it_stood
        )

    def check_resend(
        self, *, client: str | None, text: str, reply_to: str | None = None, link: Link | None = None
    ) -> None:
        """Raise `IdReused` unless this message was posted with just these, whatever it has become since."""
        if (client, text, reply_to, link) != (self.client, self._first_text, self.reply_to, self.link):
            raise IdReused("this id was used for another message", id=self.message)

    def edit(self, text: str, *, mentions: Sequence[str], actor: str, at: datetime) -> None:
        """Say it otherwise. Raises `NotFound`, `Forbidden`, `TextInvalid`, `OpTooLarge`, `LimitReached`."""
        self._check_there()
        if actor != self.author:
            raise Forbidden("a message is edited by its author only")
        check_text(text)
        if text == self.text:
            return
        if self.edits >= EDITS_PER_MESSAGE:
            raise LimitReached("this was edited too often", limit=EDITS_PER_MESSAGE)
        newly = [user for user in mentions if user not in self.mentioned]
        self.trigger_event(Edited, timestamp=at, actor=actor, text=text, mentions=list(mentions), newly=newly)

    def redact(self, text: str, *, actor: str, at: datetime) -> None:
        """Say it with blocks in the place of what must not be read. Who may is the room's to say."""
        if not self.is_deleted and text != self.text:
            mentions = [user for user in mentioned_in(text) if user in self.mentioned]
            self.trigger_event(Edited, timestamp=at, actor=actor, text=text, mentions=mentions, newly=[])

    def delete(self, *, actor: str, at: datetime) -> None:
        """Take it back. Who may, other than the author, is the room's to say."""
        if not self.is_deleted:
            self.trigger_event(Deleted, timestamp=at, actor=actor)

    def react(self, emoji: str, *, actor: str, at: datetime) -> None:
        """React with one emoji; once is enough. Raises `NotFound`, `LimitReached`."""
        self._check_there()
        reactors = self.reactions.get(emoji, ())
        if actor in reactors:
            return
        if not reactors and len(self.reactions) >= EMOJI_PER_MESSAGE:
            raise LimitReached("this has enough different reactions", limit=EMOJI_PER_MESSAGE)
        if sum(map(len, self.reactions.values())) >= REACTIONS_PER_MESSAGE:
            raise LimitReached("this has enough reactions", limit=REACTIONS_PER_MESSAGE)
        self.trigger_event(ReactionAdded, timestamp=at, actor=actor, emoji=emoji)

    def unreact(self, emoji: str, *, actor: str, at: datetime) -> None:
        """Take one's reaction back. Raises `NotFound`."""
        self._check_there()
        if actor in self.reactions.get(emoji, ()):
            self.trigger_event(ReactionRemoved, timestamp=at, actor=actor, emoji=emoji)

    def pin(self, *, is_pinned: bool, actor: str, at: datetime) -> None:
        """Keep it in everybody's sight, or not any more. Raises `NotFound`."""
        self._check_there()
        if is_pinned != self.is_pinned:
            self.trigger_event(Pinned if is_pinned else Unpinned, timestamp=at, actor=actor)

    def _check_there(self) -> None:
        if self.is_deleted:
            raise NotFound("this message was deleted")

    # State.

    def add_reaction(self, emoji: str, user: str) -> None:
        self.reactions[emoji] = (*self.reactions.get(emoji, ()), user)

    def remove_reaction(self, emoji: str, user: str) -> None:
        left = tuple(reactor for reactor in self.reactions[emoji] if reactor != user)
        if left:
            self.reactions[emoji] = left
        else:
            del self.reactions[emoji]

    @property
    def weight(self) -> int:
        reactions = sum(map(len, self.reactions.values()))
        return 1_000 + len(self.text) + len(self._first_text) + 100 * reactions


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


_WORD: Final = re.compile(r"\w+")


def count_words(text: str) -> int:
    """How many words a message has."""
    return len(_WORD.findall(text))


# Not in the middle of a word: an address of mail mentions nobody.
_MENTION: Final = re.compile(r"(?<![\w@.-])@([A-Za-z0-9_-]{1,64})(?![A-Za-z0-9_-])")


def mentioned_in(text: str) -> list[str]:
    """The users that `text` speaks to by `@id`, each once, in the order of the text; whether there are such
    users is not known here.
    """
    return list(dict.fromkeys(_MENTION.findall(text)))[:MENTIONS_PER_MESSAGE]
