"""`/api/rooms/{room}/messages` and what goes with it, to read: pages, search, one message with its history
and its readers, pins, how far everybody has read; and over all rooms what is unread, what speaks to one, and
what somebody has said.

What is in one room is allowed by the door. Of other rooms the tables say which may be read, and each room is
asked again before anything of it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aiohttp import web

from domain.errors import BadFrame, Forbidden, NotFound
from domain.ids import is_id
from domain.instants import as_microseconds
from domain.message import Edited, Imported, Posted
from domain.rights import Action
from interfaces.http.answers import answer
from interfaces.http.chat_answers import (
    FoundMessage,
    FoundMessagesAnswer,
    ListedMessage,
    ListedMessagesAnswer,
    ListedReceipt,
    MessagesAnswer,
    PieceAnswer,
    PinsAnswer,
    ReadersAnswer,
    ReceiptsAnswer,
    SaidText,
    TextsAnswer,
    UnreadAnswer,
    UnreadRoom,
    message_answer,
)
from interfaces.http.chat_bodies import (
    AuthorQuery,
    BackwardsQuery,
    ChosenQuery,
    MessagesQuery,
    SearchQuery,
    UnreadQuery,
)
from interfaces.http.keys import CHAT, IDENTITY, ROOM, SERVICES
from interfaces.http.problems import SpanInvalid
from projections import chat
from projections.chat import ChatFilter, ChatMessage
from projections.chat_search import Found, Place

# In one room.


async def list_all(request: web.Request, query: MessagesQuery) -> web.Response:
    """The messages of a room, or those of them that are asked for, oldest first.

    The last ones, or those `before` or `after` a position, or on both sides of the message `around`. Deleted
    ones are among them, without their text. A moment behind the log.
    """
    if sum(given is not None for given in (query.before, query.after, query.around)) > 1:
        raise BadFrame("only one of before, after and around", field="around")
    reader, room, chosen, limit = request.app[CHAT], request[ROOM].room, chosen_by(query), query.limit
    if query.around is not None:
        place = await reader.find(room, query.around)
        if place is None:
            raise NotFound("there is no such message")
        half = (limit + 1) // 2
        older = await reader.page(room, chosen, before=place.position + 1, limit=half + 1)
        newer = await reader.page(room, chosen, after=place.position, limit=limit - half + 1)
        shown = [*older[-half:], *newer[: limit - half]]
        return _page(shown, has_older=len(older) > half, has_newer=len(newer) > limit - half)
    if query.after is not None:
        newer = await reader.page(room, chosen, after=query.after, limit=limit + 1)
        return _page(newer[:limit], has_older=query.after > 0, has_newer=len(newer) > limit)
    older = await reader.page(room, chosen, before=query.before, limit=limit + 1)
    return _page(older[-limit:], has_older=len(older) > limit, has_newer=query.before is not None)


def chosen_by(query: ChosenQuery) -> ChatFilter:
    """Raises `SpanInvalid`."""
    if query.since is not None and query.until is not None and query.since > query.until:
        raise SpanInvalid("this ends before it begins", field="from")
    return ChatFilter(
        author=query.author,
        since=query.since,
        until=query.until,
        emoji=query.emoji,
        mentions=query.mentions,
        document=query.document,
        reply_to=query.reply_to,
        is_pinned=query.pinned,
    )


def _page(messages: Sequence[ChatMessage], *, has_older: bool, has_newer: bool) -> web.Response:
    told = MessagesAnswer(
        messages=[message_answer(message) for message in messages],
        older=messages[0].position if messages and has_older else None,
        newer=messages[-1].position if messages and has_newer else None,
    )
    return answer(told)


async def search(request: web.Request, query: SearchQuery) -> web.Response:
    """The messages in which all words and "phrases" are, the best first; else what looks like it.

    Everything is literal, case and accents do not count, and three letters are found also inside of words. It
    is the newest thousand matches that are looked through. A moment behind the log.
    """
    found = await request.app[CHAT].search(
        request[ROOM].room, query.q, chosen_by(query), behind=_place(query.after), limit=query.limit
    )
    behind = found.following
    told = FoundMessagesAnswer(
        found=[_found(one) for one in found.found],
        is_guess=found.is_guess,
        next=None if behind is None else f"{behind.score!r}_{behind.position}",
    )
    return answer(told)


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    score, _, position = cursor.partition("_")
    return Place(float(score), int(position))


def _found(found: Found) -> FoundMessage:
    snippet = [PieceAnswer(text=piece.text, match=piece.is_match) for piece in found.pieces]
    return FoundMessage(**message_answer(found.message).model_dump(), snippet=snippet)


async def list_pins(request: web.Request, query: BackwardsQuery) -> web.Response:
    """The messages that are pinned, the newest first; a moment behind the log."""
    found = await request.app[CHAT].page(
        request[ROOM].room, ChatFilter(is_pinned=True), before=query.before, limit=query.limit
    )
    pinned = [message_answer(message) for message in reversed(found)]
    return answer(PinsAnswer(messages=pinned, next=_following(found, query.limit)))


def _following(found: Sequence[ChatMessage], limit: int) -> int | None:
    """The `before` of the next page behind this one, which may be empty."""
    return min(message.position for message in found) if len(found) == limit else None


async def list_receipts(request: web.Request) -> web.Response:
    """Up to where everybody has got and read, and how many messages of others one has not read; a moment
    behind the log.
    """
    reader, room = request.app[CHAT], request[ROOM].room
    pointers = await reader.pointers(room)
    told = ReceiptsAnswer(
        receipts=[
            ListedReceipt(user=user, delivered=known.delivered, read=known.read)
            for user, known in pointers.items()
        ],
        unread=await reader.unread_in(room, request[IDENTITY].user),
    )
    return answer(told)


# One message.


async def look(request: web.Request) -> web.Response:
    """A message as it stands."""
    return answer(message_answer(await recorded_message(request, message_id(request))))


async def look_back(request: web.Request) -> web.Response:
    """Every text that a message had, who said it and when, and whether it was deleted.

    What a deleted message had said is for its author and for the room's owners.
    """
    room, user = request[ROOM], request[IDENTITY].user
    message = await recorded_message(request, message_id(request))
    if message.deleted is not None and message.author != user and not room.allows(user, Action.MANAGE):
        raise Forbidden("what was deleted is for its author and for owners")
    texts = []
    for recorded in await request.app[SERVICES].messages.recorded(room.room, message.message):
        match recorded.event:
            case Posted() | Imported() as begun if begun.text:
                texts.append(SaidText(text=begun.text, by=message.author, at=as_microseconds(message.posted)))
            case Edited() as edit:
                texts.append(SaidText(text=edit.text, by=edit.actor, at=as_microseconds(edit.timestamp)))
            case _:
                pass
    told = TextsAnswer(
        message=message.message,
        texts=texts,
        deleted=None if message.deleted is None else as_microseconds(message.deleted),
        deleted_by=message.deleted_by,
    )
    return answer(told)


async def list_readers(request: web.Request) -> web.Response:
    """Whom a message has reached, and who has read it, apart from its author; a moment behind the log."""
    readers = await request.app[CHAT].readers(await recorded_message(request, message_id(request)))
    told = ReadersAnswer(
        delivered=[reader.user for reader in readers],
        read=[reader.user for reader in readers if reader.has_read],
    )
    return answer(told)


# Over all rooms.


async def list_unread(request: web.Request, query: UnreadQuery) -> web.Response:
    """The rooms that one is a member of or has read in: how far, and how many messages of others one has not
    read; by room, a moment behind the log.
    """
    found = await request.app[CHAT].unread(request[IDENTITY].user, query.after or "", query.limit)
    readable = await _readable(request, [unread.room for unread in found])
    rooms = [
        UnreadRoom(room=one.room, delivered=one.delivered, read=one.read, unread=one.messages)
        for one in found
        if one.room in readable
    ]
    return answer(UnreadAnswer(rooms=rooms, next=found[-1].room if len(found) == query.limit else None))


async def list_mentions(request: web.Request, query: BackwardsQuery) -> web.Response:
    """The messages that speak to one, in all rooms, the newest first; a moment behind the log."""
    return await _list_everywhere(request, ChatFilter(mentions=request[IDENTITY].user), query)


async def list_by_author(request: web.Request, query: AuthorQuery) -> web.Response:
    """What somebody has said, in all rooms that one may read, the newest first; a moment behind the log."""
    return await _list_everywhere(request, ChatFilter(author=query.author), query)


async def _list_everywhere(request: web.Request, chosen: ChatFilter, query: BackwardsQuery) -> web.Response:
    found = await request.app[CHAT].everywhere(
        request[IDENTITY].user, chosen, before=query.before, limit=query.limit
    )
    readable = await _readable(request, [message.room for message in found])
    messages = [
        ListedMessage(**message_answer(message).model_dump(), room=message.room)
        for message in found
        if message.room in readable
    ]
    return answer(ListedMessagesAnswer(messages=messages, next=_following(found, query.limit)))


async def _readable(request: web.Request, rooms: Iterable[str]) -> set[str]:
    """Those of `rooms` that one may read: one may have been removed a moment ago."""
    readable = set()
    for room in set(rooms):
        try:
            await request.app[SERVICES].rooms.enter(room, request[IDENTITY].user, Action.READ)
        except (NotFound, Forbidden):
            continue
        readable.add(room)
    return readable


# Shared with those who change messages.


def message_id(request: web.Request) -> str:
    """The message of the path. Raises `NotFound` for what can be none."""
    message = request.match_info["message"]
    if not is_id(message):
        raise NotFound("there is no such message")
    return message


async def recorded_message(request: web.Request, message: str) -> ChatMessage:
    """A message as the log has it: the tables are a moment behind. Raises `NotFound`, `StoreUnavailable`."""
    found: ChatMessage | None = None
    for recorded in await request.app[SERVICES].messages.recorded(request[ROOM].room, message):
        found = chat.after(found, recorded.position, recorded.event)
    if found is None:
        raise NotFound("there is no such message")
    return found
