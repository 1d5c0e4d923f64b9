"""Chat: a message as it stands after all that became of it, and how far everybody has read.

One fold for everybody who shows messages: what a room keeps in memory, the tables, an export.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple

from domain.aggregate import Event
from domain.ids import parse_stream
from domain.instants import as_datetime
from domain.message import (
    Deleted,
    Edited,
    Imported,
    Link,
    Pinned,
    Posted,
    ReactionAdded,
    ReactionRemoved,
    Unpinned,
)
from domain.receipts import ReceiptsRecorded

NAME: Final = "chat"

MESSAGE_TOPICS: Final = frozenset(
    event.TOPIC
    for event in (
        Posted,
        Imported,
        Edited,
        Deleted,
        ReactionAdded,
        ReactionRemoved,
        Pinned,
        Unpinned,
    )
)
TOPICS: Final = MESSAGE_TOPICS | {ReceiptsRecorded.TOPIC}


@dataclass(frozen=True, slots=True)
class Reaction:
    emoji: str
    user: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """Of an imported message: the room it was said in, who brought it here and when."""

    source: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message as it stands. `position` is where it was posted in the log, which is its place in the room;
    `posted` is when it was said, for an import in its first room. Of a deleted one the text is empty.
    """

    room: str
    message: str
    position: int
    author: str
    client: str | None
    posted: datetime
    text: str
    documents: dict[str, int]
    reply_to: str | None
    mentions: tuple[str, ...]
    link: Link | None
    edits: int = 0
    edited: datetime | None = None
    deleted: datetime | None = None
    deleted_by: str | None = None
    pinned: datetime | None = None
    pinned_by: str | None = None
    reactions: tuple[Reaction, ...] = field(default=())
    """In the order in which they were made."""
    imported: Origin | None = None

    @property
    def reactors(self) -> dict[str, list[str]]:
        """By emoji, who has reacted with it."""
        found: dict[str, list[str]] = {}
        for reaction in self.reactions:
            found.setdefault(reaction.emoji, []).append(reaction.user)
        return found


Key = tuple[str, str]
"""Room and id of a message."""


def message_of(event: Event) -> Key | None:
    """Room and id of the message that `event` is about, None when it is about none."""
    if event.TOPIC not in MESSAGE_TOPICS:
        return None
    stream = parse_stream(event.originator_id)
    return stream.room, stream.name


def after(message: ChatMessage | None, position: int, event: Event) -> ChatMessage | None:
    """The message after one more of its events. None while nothing is known of how it began."""
    match event:
        case Posted():
            return _posted(position, event)
        case Imported():
            return _imported(position, event)
        case _:
            return message and _changed(message, event)


def _posted(position: int, event: Posted) -> ChatMessage:
    return ChatMessage(
        room=event.room,
        message=event.message,
        position=position,
        author=event.actor,
        client=event.client,
        posted=event.timestamp,
        text=event.text,
        documents=event.documents,
        reply_to=event.reply_to,
        mentions=tuple(event.mentions),
        link=event.link,
    )


def _imported(position: int, event: Imported) -> ChatMessage:
    return ChatMessage(
        room=event.room,
        message=event.message,
        position=position,
        author=event.author,
        client=None,
        posted=as_datetime(event.posted),
        text=event.text,
        documents=event.documents,
        reply_to=event.reply_to,
        mentions=tuple(event.mentions),
        link=event.link,
        edits=event.edits,
        edited=_moment(event.edited),
        deleted=_moment(event.deleted),
        pinned=_moment(event.pinned),
        reactions=tuple(
            Reaction(str(emoji), str(user), as_datetime(int(at))) for emoji, user, at in event.reactions
        ),
        imported=Origin(event.source, event.actor, event.timestamp),
    )


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else as_datetime(microseconds)


def _changed(message: ChatMessage, event: Event) -> ChatMessage:
    at, actor = event.timestamp, event.actor
    match event:
        case Edited():
            return replace(
                message,
                text=event.text,
                mentions=tuple(event.mentions),
                edits=message.edits + 1,
                edited=at,
            )
        case Deleted():
            return replace(
                message, text="", mentions=(), deleted=at, deleted_by=actor, pinned=None, pinned_by=None
            )
        case ReactionAdded():
            return replace(message, reactions=(*message.reactions, Reaction(event.emoji, actor, at)))
        case ReactionRemoved():
            left = (r for r in message.reactions if (r.emoji, r.user) != (event.emoji, actor))
            return replace(message, reactions=tuple(left))
        case Pinned():
            return replace(message, pinned=at, pinned_by=actor)
        case Unpinned():
            return replace(message, pinned=None, pinned_by=None)
        case _:
            return message


class Standing(NamedTuple):
    """A message as of a version of its stream."""

    version: int
    message: ChatMessage


def begun(page: Iterable[Event]) -> set[Key]:
    """The messages that begin in `page`."""
    return {(event.room, event.message) for event in page if isinstance(event, Posted | Imported)}


def fold(known: Mapping[Key, Standing], page: Iterable[tuple[int, Event]]) -> dict[Key, Standing]:
    """How the messages stand that events of `page` change, each with its position. `known` are those of them
    that do not begin in it. What they have taken in already does no harm.
    """
    changed: dict[Key, Standing] = {}
    for position, event in page:
        key = message_of(event)
        if key is None:
            continue
        standing = changed.get(key) or known.get(key)
        if standing is not None and event.originator_version <= standing.version:
            continue
        message = after(standing and standing.message, position, event)
        if message is not None:
            changed[key] = Standing(event.originator_version, message)
    return changed


@dataclass(frozen=True, slots=True)
class ChatFilter:
    """Which messages are asked for: those to which all of this applies. None: whatever it is.

    `since` and `until` are about when a message was said, the second just before. `document` is one that the
    message links to, or that its author had open. `emoji` is one that somebody has reacted with, "" for any.
    """

    author: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    emoji: str | None = None
    mentions: str | None = None
    document: str | None = None
    reply_to: str | None = None
    is_pinned: bool | None = None


class Unread(NamedTuple):
    """How far a user has got and read in a room, and how much of others there is to read."""

    room: str
    delivered: int
    read: int
    messages: int


class Reader(NamedTuple):
    """Somebody whom a message has reached, and whether they have read it."""

    user: str
    has_read: bool
