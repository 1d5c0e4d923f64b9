"""Random conversations beside documents, made by the aggregates themselves, and a plain recount of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from domain.aggregate import Event
from domain.document import Document, Edit, EditApplied
from domain.errors import ClientError
from domain.ids import parse_stream
from domain.instants import as_datetime, as_microseconds
from domain.message import Deleted, Edited, Imported, Message, Posted, ReactionAdded, ReactionRemoved
from tests.domain.events import collect

START: Final = datetime(2026, 12, 30, 21, 58, 0, 123_456, tzinfo=UTC)
USERS: Final = ("ada", "ben", "cleo")
ROOMS: Final = ("r1", "r2")
EMOJI: Final = ("👍", "🎉", "❤️")
TEXTS: Final = (
    "Hello hello, world",
    "hello Straße STRASSE and more",
    "no",
    "本 日本語 😀 " + "x" * 41,
    "this_is one w0rd",
    "word " * 250,
)


class Command(NamedTuple):
    """What is done, by whom and where; `number` chooses among what there is to choose; `seconds` is how long
    after the last command it is dated, or how long before.
    """

    what: str
    who: str
    room: str
    number: int
    seconds: int


@dataclass
class Talk:
    """The messages and documents, and the log of what was decided."""

    log: list[Event] = field(default_factory=list)
    moment: datetime = START
    messages: dict[str, list[Message]] = field(default_factory=lambda: {room: [] for room in ROOMS})
    documents: dict[str, Document] = field(default_factory=dict)

    def run(self, command: Command) -> None:
        self.moment += timedelta(seconds=command.seconds)
        act: Callable[[Command], Any] = getattr(self, f"_{command.what}")
        with suppress(ClientError):
            self.log += collect(act(command))

    def _say(self, command: Command, reply_to: str | None = None) -> Message:
        said = self.messages[command.room]
        text = TEXTS[command.number % len(TEXTS)]
        message = Message.post(
            command.room,
            f"m{len(said)}",
            client=f"{command.who}-1",
            text=text,
            documents={},
            actor=command.who,
            at=self.moment,
            reply_to=reply_to,
        )
        said.append(message)
        return message

    def _reply(self, command: Command) -> Message:
        said = self.messages[command.room]
        return self._say(command, said[command.number % len(said)].message if said else "nothing")

    def _bring(self, command: Command) -> Message:
        said = self.messages[command.room]
        posted = as_microseconds(self.moment - timedelta(hours=7 * command.number))
        is_deleted = command.number % 5 == 4
        message = Message.bring(
            command.room,
            f"m{len(said)}",
            actor=command.who,
            at=self.moment,
            source="elsewhere",
            author=USERS[command.number % 3],
            posted=posted,
            text="" if is_deleted else TEXTS[command.number % len(TEXTS)],
            documents={},
            reply_to=said[0].message if said else None,
            mentions=[],
            link=None,
            edits=2,
            edited=posted + 5,
            deleted=posted + 9 if is_deleted else None,
            pinned=None,
            reactions=[[EMOJI[0], "ben", posted + 3_600_000_000]],
        )
        said.append(message)
        return message

    def _reword(self, command: Command) -> Message:
        text = TEXTS[(command.number + 1) % len(TEXTS)]
        message = self._any(command)
        message.edit(text, mentions=[], actor=message.author, at=self.moment)
        return message

    def _erase(self, command: Command) -> Message:
        message = self._any(command)
        message.delete(actor=command.who, at=self.moment)
        return message

    def _react(self, command: Command) -> Message:
        message = self._any(command)
        message.react(EMOJI[command.number % 3], actor=command.who, at=self.moment)
        return message

    def _unreact(self, command: Command) -> Message:
        """Somebody's reaction, where there is one."""
        reacted = [message for message in self.messages[command.room] if message.reactions]
        message = reacted[command.number % len(reacted)] if reacted else self._any(command)
        for emoji, users in message.reactions.items():
            message.unreact(emoji, actor=users[0], at=self.moment)
            break
        return message

    def _any(self, command: Command) -> Message:
        said = self.messages[command.room] or [self._say(command)]
        return said[command.number % len(said)]

    def _edit(self, command: Command) -> Document:
        document = self.documents.get(command.room)
        if document is None:
            document = Document.create(command.room, "main.md", actor=command.who, at=self.moment)
            self.documents[command.room] = document
        length = len(document.text)
        op: Any = [{"d": min(length, command.number)}, "x"] if length and command.number % 2 else ["é😀"]
        revision = document.revision
        document.edit(Edit("c", revision + 1, revision, op, ""), actor=command.who, at=self.moment)
        return document


_WHATS: Final = (
    *("say", "say", "say", "say", "reply", "reply", "reply", "bring", "bring", "reword", "reword", "erase"),
    *("react", "react", "react", "unreact", "unreact", "edit", "edit", "edit"),
)

# Shorter ones have too little in them.
LEAST: Final = 20

# Within a conversation, on the edge of one, hours and days later; and clocks that go back.
SECONDS: Final = st.one_of(
    st.integers(0, 90), st.sampled_from([1_799, 1_800, 1_801]), st.integers(-4_000, 200_000)
)


@st.composite
def conversations(draw: st.DrawFn) -> list[Event]:
    """Everything that was decided in some rooms, in the order of the log."""
    commands = st.builds(
        Command,
        st.sampled_from(_WHATS),
        st.sampled_from(USERS),
        st.sampled_from(ROOMS),
        st.integers(0, 11),
        SECONDS,
    )
    talk = Talk()
    for command in draw(st.lists(commands, min_size=LEAST, max_size=60)):
        talk.run(command)
    return talk.log


# The recount.


class Deed(NamedTuple):
    """One thing that counts, and by how much."""

    room: str
    user: str
    at: datetime
    what: str
    number: int = 1


class Response(NamedTuple):
    room: str
    user: str
    at: datetime
    milliseconds: int


def deeds(log: Sequence[Event]) -> Iterator[Deed]:
    """Everything that was done, one by one."""
    for index, event in enumerate(log):
        room, user, at = parse_stream(event.originator_id).room, event.actor, event.timestamp
        if isinstance(event, Imported):
            user, at = event.author, as_datetime(event.posted)
            for emoji_user_at in event.reactions:
                when = as_datetime(int(emoji_user_at[2]))
                yield Deed(room, str(emoji_user_at[1]), when, "reactions_added")
        if isinstance(event, Posted | Imported):
            yield Deed(room, user, at, "messages")
            yield Deed(room, user, at, "replies", int(event.reply_to is not None))
            yield Deed(room, user, at, "words", len(re.findall(r"\w+", event.text)))
            yield Deed(room, user, at, "characters", len(event.text))
        elif isinstance(event, EditApplied):
            yield Deed(room, user, at, "document_edits")
            yield Deed(room, user, at, "inserted", len("".join(c for c in event.op if isinstance(c, str))))
            gone = "".join(str(c["d"]) for c in event.op if isinstance(c, dict))
            yield Deed(room, user, at, "deleted", len(gone))
        else:
            names: dict[type[Event], str] = {
                Edited: "message_edits",
                Deleted: "message_deletions",
                ReactionAdded: "reactions_added",
                ReactionRemoved: "reactions_removed",
            }
            if type(event) in names:
                yield Deed(room, user, at, names[type(event)])
        if (taken := _taken(log, index)) is not None:
            yield Deed(room, user, at, "responses")
            yield Deed(room, user, at, "response_milliseconds", taken)


def responses(log: Sequence[Event]) -> list[Response]:
    found = []
    for index, event in enumerate(log):
        if (taken := _taken(log, index)) is not None:
            found.append(
                Response(parse_stream(event.originator_id).room, event.actor, event.timestamp, taken)
            )
    return found


def _taken(log: Sequence[Event], index: int) -> int | None:
    """How long the event's author took to answer, None when it is no answer."""
    event = log[index]
    if not isinstance(event, Posted):
        return None
    before = [known for known in log[:index] if isinstance(known, Posted) and known.room == event.room]
    if event.reply_to is not None:
        before = [known for known in before if known.message == event.reply_to]
    if not before or before[-1].actor == event.actor:
        return None
    taken = event.timestamp - before[-1].timestamp
    if event.reply_to is None and taken >= timedelta(minutes=30, milliseconds=1):
        return None
    return max(0, taken // timedelta(milliseconds=1))


def words_standing(log: Sequence[Event], room: str) -> Counter[str]:
    """The words of all messages as they stand."""
    texts: dict[str, str] = {}
    for event in log:
        stream = parse_stream(event.originator_id)
        if isinstance(event, Posted | Imported | Edited) and stream.room == room:
            texts[stream.name] = event.text
        if isinstance(event, Deleted) and stream.room == room:
            del texts[stream.name]
    found: Counter[str] = Counter()
    for text in texts.values():
        words = [word.casefold() for word in re.findall(r"\w\w\w+", text)]
        found.update([word for word in words if len(word) <= 40][:200])
    return found


def emoji_standing(log: Sequence[Event], room: str) -> Counter[str]:
    """The reactions that were not taken back."""
    found: Counter[str] = Counter()
    for event in log:
        if parse_stream(event.originator_id).room == room:
            if isinstance(event, Imported):
                found.update(str(emoji) for emoji, _, _ in event.reactions)
            if isinstance(event, ReactionAdded):
                found[event.emoji] += 1
            if isinstance(event, ReactionRemoved):
                found[event.emoji] -= 1
    return +found
