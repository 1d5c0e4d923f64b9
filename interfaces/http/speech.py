"""`/api/rooms/{room}/messages`, and `/receipt`: say, edit, delete, react, pin, and tell how far one has read.

What comes back is the message as the log has it, with all that others have done to it meanwhile.
"""

from __future__ import annotations

from aiohttp import web

from domain.errors import BadFrame, NotFound
from interfaces.emojis import as_emoji
from interfaces.http.answers import answer
from interfaces.http.chat_answers import PassageAnswer, ReceiptAnswer, message_answer
from interfaces.http.chat_bodies import MessageChange, NewMessage, NewReceipt
from interfaces.http.keys import IDENTITY, ROOM, SERVICES
from interfaces.http.messages import message_id, recorded_message
from interfaces.ws.commands import as_link


def client_of(user: str) -> str:
    """The client of whoever speaks over HTTP: one for each user, so that what is sent again is known to be
    theirs. No socket can say that it is this one, since the ids of clients have no colon.
    """
    return f"http:{user}"


async def post(request: web.Request, body: NewMessage) -> web.Response:
    """Say something. Under the same `message` once more it finds itself and adds nothing."""
    services, room, user = request.app[SERVICES], request[ROOM].room, request[IDENTITY].user
    message, link = body.message or services.new_id(), as_link(body.link)
    await services.messages.check_references(room, body.reply_to, link)
    await services.messages.post(
        room,
        message,
        client=client_of(user),
        text=body.text,
        documents={},
        reply_to=body.reply_to,
        link=link,
        actor=user,
    )
    return await _answer(request, message, 201)


async def edit(request: web.Request, body: MessageChange) -> web.Response:
    """Say it otherwise: for its author."""
    message = message_id(request)
    messages = request.app[SERVICES].messages
    await messages.edit(request[ROOM].room, message, body.text, actor=request[IDENTITY].user)
    return await _answer(request, message)


async def delete(request: web.Request) -> web.Response:
    """Take a message back: for its author, and for the room's owners. What was said stays in the log."""
    message = message_id(request)
    messages = request.app[SERVICES].messages
    await messages.delete(request[ROOM].room, message, actor=request[IDENTITY].user)
    return await _answer(request, message)


async def react(request: web.Request) -> web.Response:
    """React with an emoji; once is enough."""
    return await _react(request, is_on=True)


async def unreact(request: web.Request) -> web.Response:
    """Take one's reaction back."""
    return await _react(request, is_on=False)


async def _react(request: web.Request, *, is_on: bool) -> web.Response:
    message, emoji = message_id(request), as_emoji(request.match_info["emoji"])
    if emoji is None:
        raise BadFrame("not exactly one emoji", field="emoji")
    messages = request.app[SERVICES].messages
    await messages.react(request[ROOM].room, message, emoji, is_on=is_on, actor=request[IDENTITY].user)
    return await _answer(request, message)


async def pin(request: web.Request) -> web.Response:
    """Keep a message in everybody's sight."""
    return await _pin(request, is_pinned=True)


async def unpin(request: web.Request) -> web.Response:
    """Keep it in sight no longer."""
    return await _pin(request, is_pinned=False)


async def _pin(request: web.Request, *, is_pinned: bool) -> web.Response:
    message = message_id(request)
    messages = request.app[SERVICES].messages
    await messages.pin(request[ROOM].room, message, is_pinned=is_pinned, actor=request[IDENTITY].user)
    return await _answer(request, message)


async def put_receipt(request: web.Request, body: NewReceipt) -> web.Response:
    """Tell how far one has got and read; answered with how far that is when it is in the log."""
    pointers = await request.app[SERVICES].receipts.move(
        request[ROOM].room, request[IDENTITY].user, delivered=body.delivered, read=body.read
    )
    return answer(ReceiptAnswer(delivered=pointers.delivered, read=pointers.read))


async def follow_link(request: web.Request) -> web.Response:
    """Where the passage that a message links to is in the present text.

    Text that was put before or behind it, or in the place of its first or last character, is no part of it;
    what was put between is. The link of a message from another room leads nowhere here.
    """
    message = await recorded_message(request, message_id(request))
    if message.deleted is not None:
        raise NotFound("this message was deleted")
    room = request[ROOM].room
    if message.link is None or (message.imported is not None and message.imported.source != room):
        raise NotFound("this message links to nothing here")
    passage = await request.app[SERVICES].links.follow(room, message.link)
    return answer(PassageAnswer(**passage._asdict()))


async def _answer(request: web.Request, message: str, status: int = 200) -> web.Response:
    return answer(message_answer(await recorded_message(request, message)), status)
