"""What bisect has found, as it is told: JSON over HTTP and on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import orjson

from application.past.bisect import Found, Judged
from application.past.diff import Diff
from domain.document import EditApplied
from domain.instants import as_microseconds
from interfaces.diffs import as_json
from interfaces.slices import in_slices
from interfaces.ws.wire import as_message
from projections.chat import ChatFilter, ChatMessage

# What was said just before and after an edit may say why it was made.
AROUND: Final = timedelta(minutes=5)
MESSAGES_AROUND: Final = 20


# What one edit changes, unless it replaces the whole text. It has to go into one line of an answer.
LINES_MAX: Final = 5_000


class Chat(Protocol):
    """Tells of messages."""

    async def page(
        self,
        room: str,
        chosen: ChatFilter = ...,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int,
    ) -> Sequence[ChatMessage]: ...


async def messages_around(chat: Chat, room: str, at: datetime) -> Sequence[ChatMessage]:
    """What was said in the minutes before and after: of both the nearest `MESSAGES_AROUND`, oldest first."""
    before = await chat.page(room, ChatFilter(since=at - AROUND, until=at), limit=MESSAGES_AROUND)
    after = await chat.page(room, ChatFilter(since=at, until=at + AROUND), after=0, limit=MESSAGES_AROUND)
    return [*before, *after]


def progress_as_json(judged: Judged, done: int) -> dict[str, Any]:
    return {
        "type": "progress",
        "done": done,
        "all": done + judged.left,
        "revision": judged.revision,
        "verdict": judged.verdict,
    }


async def found_as_json(found: Found, chat: Sequence[ChatMessage]) -> dict[str, Any]:
    """`is_exact`: no text between the good and the bad one was left out."""
    diff = Diff(found.good, found.bad, found.comparison)
    told = b"".join([piece async for piece in in_slices(as_json(diff, lines_max=LINES_MAX))])
    return {
        "type": "found",
        "good": found.good.revision,
        "bad": found.bad.revision,
        "is_exact": found.edit is not None,
        "edit": None if found.edit is None else edit_as_json(found.edit),
        "diff": orjson.Fragment(told),
        "messages": [{**as_message(message), "position": message.position} for message in chat],
        "evaluated": [{"revision": judged.revision, "verdict": judged.verdict} for judged in found.evaluated],
    }


def edit_as_json(edit: EditApplied) -> dict[str, Any]:
    return {
        "revision": edit.revision,
        "user": edit.writer,
        "client": edit.client,
        "at": as_microseconds(edit.written_at),
        "cause": edit.cause,
        "reference": edit.reference,
        "note": edit.note,
    }
