"""Random histories of what is said in rooms and becomes of it, made by the aggregates themselves; and a plain
recount, which keeps every event of a message and looks at all of them for every question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from domain.aggregate import Event
from domain.document import Document
from domain.errors import ClientError
from domain.instants import as_microseconds
from domain.message import (
    Deleted,
    Edited,
    Message,
    Pinned,
    ReactionAdded,
    ReactionRemoved,
    Unpinned,
    mentioned_in,
)
from domain.receipts import Receipts, ReceiptsRecorded
from projections import chat
from projections.chat import ChatMessage, Reaction
from tests.domain.events import collect
from tests.projections.histories import LEAST, ROOMS, START, USERS

TEXTS: Final = (
    "hello @ada, hello @ben",
    "Straße und Café",
    "日本語の本",
    "x = arr[i] -> None; 100%_",
    "@cleo: see main.md",
    "'; DROP TABLE record; --",
    "hello again",
)
EMOJI: Final = ("👍", "❤️", "x")
DOCUMENTS: Final = ("main.md", "b.md")
MESSAGES: Final = ("m1", "m2", "m3", "m4")


class Doing(NamedTuple):
    """What is done, by whom, in which room, to which message; `number` chooses among what there is."""

    what: str
    who: str
    room: str
    message: str
    number: int
    seconds: int


@dataclass
class Chat:
    """All messages, and the log of what was decided. What is refused leaves nothing behind."""

    log: list[Event] = field(default_factory=list)
    moment: datetime = START
    messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    receipts: dict[tuple[str, str], Receipts] = field(default_factory=dict)

    def run(self, doing: Doing) -> None:
        self.moment += timedelta(seconds=doing.seconds)
        if doing.what in {"read", "other"}:
            self.log += collect(self._read(doing) if doing.what == "read" else self._other(doing))
            return
        key = doing.room, doing.message
        with suppress(ClientError):
            if key not in self.messages:
                self.messages[key] = self._begin(doing)
            else:
                self._change(self.messages[key], doing)
        if key in self.messages:
            self.log += collect(self.messages[key])

    def _begin(self, doing: Doing) -> Message:
        text = TEXTS[doing.number % 7]
        link: Any = {"document": DOCUMENTS[doing.number // 4 % 2], "revision": 0, "start": 0, "end": 0}
        said: dict[str, Any] = {
            "text": text,
            "documents": dict.fromkeys(DOCUMENTS[: doing.number % 3], doing.number),
            "mentions": mentioned_in(text),
            "reply_to": MESSAGES[doing.number % 4] if doing.number % 3 == 1 else None,
            "link": link if doing.number % 4 == 0 else None,
        }
        if doing.what != "bring":
            return Message.post(
                doing.room, doing.message, client=f"{doing.who}-1", actor=doing.who, at=self.moment, **said
            )
        past = as_microseconds(self.moment) - 1_000_000 * doing.number
        is_deleted = doing.number % 5 == 0
        said |= {"text": "", "mentions": []} if is_deleted else {}
        return Message.bring(
            doing.room,
            doing.message,
            actor="cleo",
            at=self.moment,
            source="elsewhere",
            author=doing.who,
            posted=past,
            edits=doing.number % 2,
            edited=past + 1 if doing.number % 2 else None,
            deleted=past + 2 if is_deleted else None,
            pinned=past + 3 if doing.number % 3 == 0 and not is_deleted else None,
            reactions=[[EMOJI[doing.number % 3], "ben", past + 4]] if doing.number % 4 == 0 else [],
            **said,
        )

    def _change(self, message: Message, doing: Doing) -> None:
        by: dict[str, Any] = {"actor": doing.who, "at": self.moment}
        emoji = EMOJI[doing.number % 3]
        match doing.what:
            case "edit":
                text = TEXTS[doing.number % 7]
                message.edit(text, mentions=mentioned_in(text), actor=message.author, at=self.moment)
            case "delete":
                message.delete(**by)
            case "react":
                message.react(emoji, **by)
            case "unreact":
                message.unreact(emoji, **by)
            case "pin":
                message.pin(is_pinned=doing.number % 2 == 0, **by)

    def _read(self, doing: Doing) -> Receipts:
        """One of two nodes is told how far two people have got; both may be told of the same."""
        node = f"node-{doing.number % 2}"
        receipts = self.receipts.get((doing.room, node))
        if receipts is None:
            receipts = Receipts.begin(doing.room, node, node=node, at=self.moment)
            self.receipts[doing.room, node] = receipts
        at = as_microseconds(self.moment)
        others = {doing.who: doing.number * 3, USERS[doing.number % 3]: doing.number}
        told: list[list[str | int]] = [
            [user, far, max(0, far - doing.number % 4), at] for user, far in others.items()
        ]
        receipts.record(told, at=self.moment)
        return receipts

    def _other(self, doing: Doing) -> Document:
        """Something that is not about chat."""
        name = f"d{len(self.log)}"
        return Document.create(doing.room, name, actor=doing.who, at=self.moment)


_WHATS: Final = (
    *["post"] * 4, *["bring"] * 2, *["edit"] * 3, "delete", *["react"] * 4, *["unreact"] * 2, *["pin"] * 2,
    *["read"] * 3, "other",
)  # fmt: skip


@st.composite
def chats(draw: st.DrawFn) -> list[Event]:
    """A log of two rooms' chats."""
    doings = st.builds(
        Doing,
        st.sampled_from(_WHATS),
        st.sampled_from(USERS),
        st.sampled_from(ROOMS),
        st.sampled_from(MESSAGES),
        st.integers(0, 20),
        st.integers(-3, 40),
    )
    talk = Chat()
    for doing in draw(st.lists(doings, min_size=LEAST, max_size=60)):
        talk.run(doing)
    return talk.log


# The recount.


def messages_of(log: Sequence[Event]) -> list[ChatMessage]:
    """Every message as it stands, in the order in which they were begun: each field by a look of its own."""
    streams: defaultdict[str, list[tuple[int, Event]]] = defaultdict(list)
    for position, event in enumerate(log, 1):
        if event.originator_id.startswith("message:"):
            streams[event.originator_id].append((position, event))
    return [_recounted(*of_stream[0], [event for _, event in of_stream]) for of_stream in streams.values()]


def _recounted(position: int, begun: Any, events: Sequence[Event]) -> ChatMessage:
    """How it began is the fold's own; what follows is counted here."""
    first = chat.after(None, position, begun)
    assert first is not None
    edits = [event for event in events if isinstance(event, Edited)]
    deleted = next((event for event in events if isinstance(event, Deleted)), None)
    pins = [event for event in events if isinstance(event, Pinned | Unpinned | Deleted)]
    pin = pins[-1] if pins else None
    is_kept = pin is None or isinstance(pin, Pinned)
    is_gone = deleted is not None or first.deleted is not None
    said = edits[-1] if edits else begun
    return ChatMessage(
        room=first.room,
        message=first.message,
        position=position,
        author=first.author,
        client=first.client,
        posted=first.posted,
        text="" if is_gone else said.text,
        documents=begun.documents,
        reply_to=begun.reply_to,
        mentions=() if is_gone else tuple(said.mentions),
        link=begun.link,
        edits=first.edits + len(edits),
        edited=edits[-1].timestamp if edits else first.edited,
        deleted=deleted.timestamp if deleted else first.deleted,
        deleted_by=deleted.actor if deleted else None,
        pinned=(pin.timestamp if pin else first.pinned) if is_kept else None,
        pinned_by=pin.actor if pin is not None and is_kept else None,
        reactions=_reactions(first, events),
        imported=first.imported,
    )


def _reactions(first: ChatMessage, events: Sequence[Event]) -> tuple[Any, ...]:
    """Those after which the same user did not take the same emoji back."""
    made = [(r.emoji, r.user, r.at, -1) for r in first.reactions] + [
        (event.emoji, event.actor, event.timestamp, number)
        for number, event in enumerate(events)
        if isinstance(event, ReactionAdded)
    ]
    taken = [
        (event.emoji, event.actor, number)
        for number, event in enumerate(events)
        if isinstance(event, ReactionRemoved)
    ]
    return tuple(
        Reaction(emoji, user, at)
        for emoji, user, at, number in made
        if not any((emoji, user) == (e, u) and number < later for e, u, later in taken)
    )


def pointers_of(log: Sequence[Event], room: str) -> dict[str, tuple[int, int]]:
    """How far everybody has got and read who has: the highest that anybody told."""
    told = [
        receipt
        for event in log
        if isinstance(event, ReceiptsRecorded) and event.originator_id.startswith(f"receipts:{room}/")
        for receipt in event.receipts
    ]
    found = {}
    for user in {str(receipt[0]) for receipt in told}:
        mine = [receipt for receipt in told if receipt[0] == user]
        read = max(int(receipt[2]) for receipt in mine)
        found[user] = (max(read, *(int(receipt[1]) for receipt in mine)), read)
    return {user: pointers for user, pointers in found.items() if pointers != (0, 0)}
