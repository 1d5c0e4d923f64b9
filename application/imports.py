"""Chat that was exported from a room comes into another one: all of it, once, or none of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from application.log import History
from application.messages import Messages
from domain.aggregate import Event
from domain.errors import BadFrame, IdReused
from domain.ids import message_stream
from domain.instants import as_microseconds
from domain.message import Deleted, Edited, Imported, Link, Posted

T = TypeVar("T")

# Messages that are asked for, or on their way into the log, at a time: a few batches of the log, so that what
# others say comes in between.
PART_MESSAGES: Final = 500


@dataclass(frozen=True, slots=True)
class Brought:
    """A message as it stood in the room that it comes from; see `Imported`."""

    message: str
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


class Imports:
    def __init__(self, messages: Messages, history: History) -> None:
        self._messages = messages
        self._history = history

    async def bring(self, room: str, source: str, brought: Sequence[Brought], *, actor: str) -> int:
        """Bring messages of `source` into `room`, in this order. Returns how many are new; what is there
        already stays as it is. Nothing is written unless all of it can be.

        Raises, with the `index` of the message, `BadFrame` for one that is there twice or that answers what
        is neither before it nor in the room, and `IdReused` where the room has another message under its id.
        Raises `NotFound`, `Forbidden`, `Contended`, `Overloaded`, `StoreUnavailable`, perhaps in the middle:
        then the same once more brings the rest.
        """
        await self._check_answers(room, brought)
        known = await self._known(room, brought)
        new = [message for message in brought if message.message not in known]
        for part in _parts(new):
            await self._append(room, source, part, actor=actor)
        return len(new)

    async def _check_answers(self, room: str, brought: Sequence[Brought]) -> None:
        before: set[str] = set()
        elsewhere: dict[str, int] = {}
        for index, message in enumerate(brought):
            if message.message in before:
                raise BadFrame("this message is there twice", field="message", index=index)
            if message.reply_to is not None and message.reply_to not in before:
                elsewhere.setdefault(message.reply_to, index)
            before.add(message.message)
        for part in _parts(list(elsewhere)):
            there = await self._begun(room, part)
            for name in part:
                if name not in there:
                    raise BadFrame(
                        "this answers what is neither before it nor in the room",
                        field="reply_to",
                        index=elsewhere[name],
                    )

    async def _known(self, room: str, brought: Sequence[Brought]) -> set[str]:
        """Those that are in the room already."""
        known: set[str] = set()
        for number, part in enumerate(_parts(brought)):
            there = await self._begun(room, [message.message for message in part])
            for index, message in enumerate(part, number * PART_MESSAGES):
                first = there.get(message.message)
                if first is None:
                    continue
                if not await self._is_same(first, message):
                    raise IdReused("the room has another message under this id", index=index)
                known.add(message.message)
        return known

    async def _begun(self, room: str, messages: Sequence[str]) -> dict[str, Event]:
        """How those of `messages` began that are in the room."""
        streams = {message_stream(room, message): message for message in messages}
        found = await self._history.begun(list(streams))
        return {streams[recorded.event.originator_id]: recorded.event for recorded in found}

    async def _is_same(self, first: Event, message: Brought) -> bool:
        """Whether the message that began so has ever been as it is brought."""
        is_same_post = _post_of(first) == (message.author, message.posted, message.reply_to, message.link)
        if not is_same_post or _was(message, [first]):
            return is_same_post
        recorded = await self._history.recorded(first.originator_id)
        return _was(message, [each.event for each in recorded])

    async def _append(self, room: str, source: str, part: Sequence[Brought], *, actor: str) -> None:
        """All are submitted at once, which puts them into the log in their order."""
        done = [
            self._messages.bring(room, actor=actor, source=source, is_new=True, **_fields_of(message))
            for message in part
        ]
        for outcome in await asyncio.gather(*done, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome


def _fields_of(message: Brought) -> dict[str, Any]:
    """Its fields by name, none of them copied."""
    return {name: getattr(message, name) for name in Brought.__slots__}


def _post_of(first: Event) -> tuple[str, int, str | None, Link | None] | None:
    match first:
        case Posted():
            return first.actor, as_microseconds(first.timestamp), first.reply_to, first.link
        case Imported():
            return first.author, first.posted, first.reply_to, first.link
        case _:
            return None  # one that cannot be read


def _was(message: Brought, events: Sequence[Event]) -> bool:
    if message.deleted is not None:
        return any(
            isinstance(event, Deleted) or (isinstance(event, Imported) and event.deleted is not None)
            for event in events
        )
    texts = (event.text for event in events if isinstance(event, Posted | Imported | Edited))
    return message.text in texts


def _parts(all_of_them: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(all_of_them), PART_MESSAGES):
        yield all_of_them[start : start + PART_MESSAGES]
