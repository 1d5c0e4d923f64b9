"""`/api/rooms/{room}/messages/import`: the chat of another room, as it was exported there.

The whole file is checked before anything is written. Of the message that is refused its
place in the file is told, as `index`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field, ValidationError

from application.imports import Brought
from domain.errors import BadFrame, ClientError, LimitReached
from domain.instants import as_microseconds
from domain.limits import (
    EDITS_PER_MESSAGE,
    EMOJI_PER_MESSAGE,
    ID_CODE_POINTS,
    MENTIONS_PER_MESSAGE,
    REACTIONS_PER_MESSAGE,
)
from domain.message import check_text
from interfaces.emojis import as_emoji
from interfaces.http.answers import Answer, answer
from interfaces.http.bodies import Asked, Author, Count, DocumentId, Id, refusal
from interfaces.http.keys import IDENTITY, ROOM, SERVICES
from interfaces.ws.commands import as_link
from interfaces.ws.frames import LinkField

# Clocks differ, by days where nobody has ever set them; but nothing was said next year.
CLOCK_SKEW: Final = timedelta(days=2)

# Messages that are checked before others get a turn: a few milliseconds.
SLICE_MESSAGES: Final = 250

# What is imported at once: some 800 bytes for each of so many messages, a year of a lively team. More comes
# in parts. While it is read nobody else gets a turn, which is some hundredths of a second for so much.
IMPORT_BYTES: Final = 8 * 1024 * 1024
IMPORT_MESSAGES: Final = 10_000

# Enough for 1 Mbit/s.
IMPORT_SECONDS: Final = 80.0

# A room's id, or what a pad is called there with the word before it.
SOURCE_CODE_POINTS: Final = 256

# Documents that somebody had open when they spoke: as many as a session may have.
DOCUMENTS_PER_MESSAGE: Final = 128


class ExportedReaction(Asked):
    emoji: str
    user: Id
    at: Count


class ExportedOrigin(Asked):
    """`room` may also be a pad of Etherpad."""

    room: Annotated[str, Field(max_length=SOURCE_CODE_POINTS)]
    by: Id
    at: Count


class ExportedMessage(Asked):
    """A message as an export has it. Position, client and origin are those of the room it comes from."""

    message: Id
    author: Author
    posted: Count
    client: Annotated[str, Field(max_length=2 * ID_CODE_POINTS)] | None
    text: str
    documents: Annotated[dict[DocumentId, Count], Field(max_length=DOCUMENTS_PER_MESSAGE)]
    reply_to: Id | None
    mentions: Annotated[list[Id], Field(max_length=MENTIONS_PER_MESSAGE)]
    link: LinkField | None
    edits: Annotated[int, Field(ge=0, le=EDITS_PER_MESSAGE)]
    edited: Count | None
    deleted: Count | None
    pinned: Count | None
    reactions: dict[str, list[str]]
    imported: ExportedOrigin | None
    position: Count
    reacted: Annotated[list[ExportedReaction], Field(max_length=REACTIONS_PER_MESSAGE)]


class NewMessages(Asked):
    """What an export as JSON holds: `messages` are such as they are there, with all that is there."""

    bytes_max = IMPORT_BYTES
    seconds_max = IMPORT_SECONDS

    room: Id
    exported_at: Count
    messages: Annotated[list[dict[str, Any]], Field(max_length=IMPORT_MESSAGES)]


class ImportAnswer(Answer):
    """How many messages are new in the room, and how many were there already."""

    added: int
    known: int


async def bring(request: web.Request, body: NewMessages) -> web.Response:
    """Bring in what an export as JSON holds, in its order and with all that was done to it there.

    Authors, times, edits, reactions, pins and deletions are as they were; that they come from elsewhere is
    told in `imported`. What is here already stays as it is. All of it is refused when anything is wrong with
    one of the messages, whose `index` is told.
    """
    services = request.app[SERVICES]
    latest = as_microseconds(services.now() + CLOCK_SKEW)
    brought = await _checked(body.messages, latest)
    added = await services.imports.bring(request[ROOM].room, body.room, brought, actor=request[IDENTITY].user)
    return answer(ImportAnswer(added=added, known=len(brought) - added))


async def _checked(messages: Sequence[dict[str, Any]], latest: int) -> list[Brought]:
    brought = []
    for index, message in enumerate(messages):
        try:
            brought.append(_brought(message, latest))
        except ClientError as error:
            error.facts["index"] = index
            raise
        if index % SLICE_MESSAGES == 0:
            await asyncio.sleep(0)
    return brought


def _brought(given: dict[str, Any], latest: int) -> Brought:
    """Raises `BadFrame`, `TextInvalid`, `OpTooLarge`, `LimitReached`."""
    try:
        message = ExportedMessage.model_validate(given)
    except ValidationError as error:
        raise refusal(error) from None
    _check_text(message)
    _check_times(message, latest)
    _check_reactions(message)
    return Brought(
        message=message.message,
        author=message.author,
        posted=message.posted,
        text=message.text,
        documents=message.documents,
        reply_to=message.reply_to,
        mentions=message.mentions,
        link=as_link(message.link),
        edits=message.edits,
        edited=message.edited,
        deleted=message.deleted,
        pinned=message.pinned,
        reactions=[[made.emoji, made.user, made.at] for made in message.reacted],
    )


def _check_text(message: ExportedMessage) -> None:
    if message.deleted is None:
        check_text(message.text)
    elif message.text or message.mentions or message.pinned is not None:
        raise BadFrame("a deleted message has no text, no mentions and no pin", field="deleted")
    if (message.edits == 0) != (message.edited is None):
        raise BadFrame("a message is edited some time or never", field="edited")
    if message.link is not None and message.link.start > message.link.end:
        raise BadFrame("this range ends before it begins", field="link")


def _check_times(message: ExportedMessage, latest: int) -> None:
    told = {
        "posted": message.posted,
        "edited": message.edited,
        "deleted": message.deleted,
        "pinned": message.pinned,
        "reacted": max((made.at for made in message.reacted), default=None),
    }
    for field, at in told.items():
        if at is not None and at > latest:
            raise BadFrame("this is not yet", field=field)


def _check_reactions(message: ExportedMessage) -> None:
    reactors: dict[str, list[str]] = {}
    for made in message.reacted:
        if as_emoji(made.emoji) != made.emoji:
            raise BadFrame("not exactly one emoji, fully qualified", field="reacted")
        users = reactors.setdefault(made.emoji, [])
        if made.user in users:
            raise BadFrame("who reacts twice with the same does it once", field="reacted")
        users.append(made.user)
    if reactors != message.reactions:
        raise BadFrame("reactions and reacted tell different things", field="reactions")
    if len(reactors) > EMOJI_PER_MESSAGE:
        raise LimitReached("too many different reactions", limit=EMOJI_PER_MESSAGE)
