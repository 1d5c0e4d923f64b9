"""`/api/rooms/{room}/messages/export`: the chat as a file, for programs (JSON), tables (CSV), people (text).

It is read and sent page by page, so that a room of any length takes no more memory than a page, and whoever
goes away costs nothing more. JSON holds each message unchanged, and can be imported; the others are to be
looked at.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import orjson
from aiohttp import web

from domain.errors import ChronoscribeError
from domain.instants import as_microseconds
from domain.rights import Action
from interfaces.export import cells
from interfaces.http.chat_bodies import ChosenQuery
from interfaces.http.guard import add_headers
from interfaces.http.keys import CHAT, IDENTITY, PROFILES, ROOM, SERVICES
from interfaces.http.messages import chosen_by
from interfaces.ws.wire import as_message
from projections.chat import ChatFilter, ChatMessage

logger = logging.getLogger(__name__)

# Of the longest messages a page is 2 MB, of ordinary ones 100 KB.
PAGE_MESSAGES: Final = 200

# Who takes longer for a page does not read any more.
WRITE_SECONDS: Final = 30.0

Names = Mapping[str, str]
"""What people are called, by their ids; only some may be known."""


class ExportQuery(ChosenQuery):
    """What an export holds, and as what."""

    format: Literal["json", "csv", "txt"] = "json"


async def export(request: web.Request, query: ExportQuery) -> web.StreamResponse:
    """The messages of a room as a file, in the order of the room.

    CSV is in UTF-8 with a byte order mark, and what a spreadsheet would take for a formula has a ' before it.
    """
    room, form = request[ROOM].room, FORMS[query.format]
    pages = _pages(request, chosen_by(query))
    first = await anext(pages)  # what is wrong at once has an answer of its own
    response = web.StreamResponse(
        headers={
            "Content-Type": form.content_type,
            # A room's id holds nothing that would have to be quoted.
            "Content-Disposition": f'attachment; filename="{room}-messages.{query.format}"',
        }
    )
    add_headers(request, response)
    await response.prepare(request)
    try:
        head, tail = form.ends(room, request.app[SERVICES].now())
        await _write(response, head + form.page(*first, is_first=True))
        async for messages, names in pages:
            await _write(response, form.page(messages, names, is_first=False))
        await _write(response, tail)
    except (ChronoscribeError, ConnectionError, TimeoutError) as error:
        # There is no answer any more in which that could be told: the file breaks off.
        logger.info("an export has broken off: %s", type(error).__name__)
        if request.transport is not None:
            request.transport.abort()
    return response


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(WRITE_SECONDS):
        await response.write(data)


Page = tuple[Sequence[ChatMessage], Names]


async def _pages(request: web.Request, chosen: ChatFilter) -> AsyncIterator[Page]:
    """The first one may be empty. For each of the others the right to read is looked at again."""
    room, user = request[ROOM].room, request[IDENTITY].user
    after = 0
    while True:
        page = await request.app[CHAT].page(room, chosen, after=after, limit=PAGE_MESSAGES)
        if page or not after:
            profiles = await request.app[PROFILES].get_many({message.author for message in page})
            yield page, {profile.user: profile.name for profile in profiles}
        if len(page) < PAGE_MESSAGES:
            return
        after = page[-1].position
        await request.app[SERVICES].rooms.enter(room, user, Action.READ)


class Form(NamedTuple):
    """A kind of file: what begins and ends it, and the bytes of a page."""

    content_type: str
    ends: Callable[[str, datetime], tuple[bytes, bytes]]
    page: Callable[..., bytes]


# For programs.


def _json_ends(room: str, at: datetime) -> tuple[bytes, bytes]:
    head = b'{"room":%b,"exported_at":%d,"messages":[' % (orjson.dumps(room), as_microseconds(at))
    return head, b"\n]}\n"


def _json_page(messages: Sequence[ChatMessage], names: Names, *, is_first: bool) -> bytes:
    del names
    lines = b",\n".join(orjson.dumps(as_exported(message)) for message in messages)
    return (b"\n" if is_first else b",\n") + lines


def as_exported(message: ChatMessage) -> dict[str, Any]:
    """A message with all that an import needs: also when each reaction was made."""
    return {
        **as_message(message),
        "position": message.position,
        "reacted": [
            {"emoji": made.emoji, "user": made.user, "at": as_microseconds(made.at)}
            for made in message.reactions
        ],
    }


# For tables.

COLUMNS: Final = (
    "position",
    "message",
    "posted",
    "author",
    "name",
    "text",
    "reply_to",
    "mentions",
    "link",
    "edits",
    "edited",
    "deleted",
    "pinned",
    "reactions",
    "imported_from",
)


def _csv_ends(room: str, at: datetime) -> tuple[bytes, bytes]:
    del room, at
    return cells.MARK + cells.lines_of([COLUMNS]), b""


def _csv_page(messages: Sequence[ChatMessage], names: Names, *, is_first: bool) -> bytes:
    del is_first
    return cells.lines_of([[cells.cell(value) for value in _row(message, names)] for message in messages])


def _row(message: ChatMessage, names: Names) -> tuple[str | int, ...]:
    """In the order of `COLUMNS`."""
    link = message.link
    return (
        message.position,
        message.message,
        cells.moment(message.posted),
        message.author,
        names.get(message.author, ""),
        message.text,
        message.reply_to or "",
        " ".join(message.mentions),
        f"{link['document']} {link['revision']} {link['start']}-{link['end']}" if link else "",
        message.edits,
        cells.moment(message.edited),
        cells.moment(message.deleted),
        cells.moment(message.pinned),
        ", ".join(f"{emoji} {' '.join(users)}" for emoji, users in message.reactors.items()),
        message.imported.source if message.imported else "",
    )


# For people.

# What would move a terminal's cursor or colour its text is shown as a picture of itself.
_PICTURES: Final = {
    **{code: 0x2400 + code for code in range(32) if code != ord("\t")},
    127: 0x2421,
    **dict.fromkeys(range(128, 160), 0xFFFD),
}


def _txt_ends(room: str, at: datetime) -> tuple[bytes, bytes]:
    return f"{room}, {at:%Y-%m-%d %H:%M:%S} UTC\n\n".encode(), b""


def _txt_page(messages: Sequence[ChatMessage], names: Names, *, is_first: bool) -> bytes:
    del is_first
    return "".join(_block(message, names) for message in messages).encode()


def _block(message: ChatMessage, names: Names) -> str:
    """One line, or one with the others of the text indented below: so no text can look like a message."""
    who = f"{names.get(message.author, message.author)} ({message.author})"
    marks = [
        f"in reply to {message.reply_to}" if message.reply_to else "",
        "edited" if message.edits else "",
        "pinned" if message.pinned else "",
        " ".join(f"{emoji} {len(users)}" for emoji, users in message.reactors.items()),
    ]
    told = ", ".join([who, *filter(None, marks)])
    text = "(deleted)" if message.deleted else message.text
    lines = [line.translate(_PICTURES) for line in text.splitlines()]
    return f"{message.posted:%Y-%m-%d %H:%M:%S} {told}: " + "\n    ".join(lines) + "\n"


FORMS: Final = {
    "json": Form("application/json", _json_ends, _json_page),
    "csv": Form(cells.CONTENT_TYPE, _csv_ends, _csv_page),
    "txt": Form("text/plain; charset=utf-8", _txt_ends, _txt_page),
}
