"""Removing text from history, so that everything else stays: revisions, positions, who and when.

Each character that has to go is replaced by a block wherever it is in the log: where it was inserted, where
it was deleted, where an undo has brought it back, where a branch has copied it. What goes is said by identity
(see `attribution`): a secret that somebody has typed letter by letter goes with every letter, and so does
what was left of it after half of it was deleted. Blocks are as many as the characters were and line ends
stay, so every revision has the length and the lines that it had, and all ops still fit. The law, with `b` for
the blacking out of a text:

    fold(black(edits)[:n]) == b(fold(edits[:n]))            for every n
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple, Self, cast

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.attribution import Pieces, Weave, cut
from domain.document import EditApplied
from domain.errors import TextInvalid
from domain.ids import document_stream, message_stream, profile_stream, redaction_stream
from domain.message import Imported
from domain.phrase import Phrase
from domain.text import Text
from domain.text_op import BLOCK, Component, Components, Op, normalise

# Why something was removed: a sentence.
REASON_CODE_POINTS: Final = 500

_HIDDEN, _SHOWN = "1", "0"


class RedactionMade(InitialEvent):
    """Text was removed from history by `actor`, for a `reason`: of these `documents` and `messages`,
    `characters` from `events` events. `author` is whose text it was, where all that somebody has written was
    removed; then the room is "" where it is their profile. `digest` is of what stands for these events in the
    hash chain before and after (see `chain`).
    """

    TOPIC = "redaction.made"
    room: str
    redaction: str
    reason: str
    author: str | None
    documents: list[str]
    messages: list[str]
    events: int
    characters: int
    digest: str

    @property
    def streams(self) -> list[str]:
        """Those whose past is not what it was."""
        if not self.room:
            return [profile_stream(self.author)] if self.author is not None else []
        documents = [document_stream(self.room, document) for document in self.documents]
        return documents + [message_stream(self.room, message) for message in self.messages]


class Redaction(Aggregate):
    TOPIC = "redaction"

    def __init__(self, room: str, redaction: str, reason: str) -> None:
        self.room = room
        self.redaction = redaction
        self.reason = reason

    @classmethod
    def make(cls, room: str, redaction: str, *, reason: str, actor: str, at: datetime, **what: Any) -> Self:
        """Say that it was done, with the other fields of `RedactionMade`. Raises `TextInvalid`."""
        check_reason(reason)
        stream = redaction_stream(room, redaction)
        return cls._create(
            RedactionMade,
            id=stream,
            timestamp=at,
            actor=actor,
            room=room,
            redaction=redaction,
            reason=reason,
            **what,
        )


register_topic(Redaction.TOPIC, Redaction)


def check_reason(reason: str) -> None:
    """Raise `TextInvalid` unless somebody could read it."""
    if not reason.strip() or len(reason) > REASON_CODE_POINTS or not reason.isprintable():
        raise TextInvalid(f"a reason has 1 to {REASON_CODE_POINTS} printable characters")


class Secrets:
    """The characters that have to go, by who has first inserted them and as the how manieth."""

    def __init__(self) -> None:
        self._bits: dict[tuple[str, int], int] = {}

    def add(self, document: str, revision: int, offset: int, length: int) -> None:
        """Those from `offset` on of what the edit of `revision` has inserted."""
        known = self._bits.get((document, revision), 0)
        self._bits[document, revision] = known | ((1 << length) - 1) << offset

    def add_all(self, document: str, revision: int) -> None:
        """All that the edit has inserted."""
        self._bits[document, revision] = -1

    def mask(self, document: str, revision: int, offset: int, length: int) -> str:
        """For each of these characters whether it has to go, as a text of ones and zeros."""
        bits = self._bits.get((document, revision), 0) >> offset & ((1 << length) - 1)
        return f"{bits:0{length}b}"[::-1] if bits else _SHOWN * length

    def __len__(self) -> int:
        """It grows when something was added, as far as it is finite; what is added twice counts once."""
        return sum(bits.bit_count() if bits > 0 else 1 for bits in self._bits.values())


class Sightings:
    """Looks for a phrase in a document, in every text that it ever was, and adds its characters to
    `secrets`.
    """

    def __init__(self, document: str, phrase: Phrase, secrets: Secrets) -> None:
        self._document = document
        self._phrase = phrase
        self._secrets = secrets
        self._text = Text()
        self._weave = Weave()

    def take(self, edit: EditApplied) -> None:
        """Go on behind the next edit."""
        self._text.apply(edit.op)
        self._weave.apply(edit)
        for place in sorted(self._places(edit.op)):
            mark(self._document, self._weave, place, place + len(self._phrase), self._secrets)

    def _places(self, op: Components) -> set[int]:
        """Where it is now, as far as `op` has touched it."""
        reach = len(self._phrase) - 1
        found: set[int] = set()
        position = 0
        for component in op:
            if isinstance(component, int):
                position += component
                continue
            start = max(position - reach, 0)
            if isinstance(component, str):
                position += len(component)
            around = self._text.slice(start, position + reach)
            found.update(start + place for place in self._phrase.places(around))
        return found


def mark(document: str, weave: Weave, start: int, stop: int, secrets: Secrets) -> None:
    """Add what stands there in a document's text to `secrets`."""
    for run in cut(weave.iter_spans(), start, stop):
        source = run.source
        secrets.add(source.document or document, source.revision, source.offset, run.length)


class Blacked(NamedTuple):
    """What is left of an op, and how many characters went."""

    op: Op
    characters: int


class Blackout:
    """A document on its way through its history, edit by edit: what has to go of each, and of the text."""

    def __init__(self, document: str, secrets: Secrets) -> None:
        self._document = document
        self._secrets = secrets
        self._mask = Text()  # as long as the text
        self.revision = 0

    def take(self, edit: EditApplied) -> Blacked | None:
        """What is left of the next edit's op, None when nothing of it has to go."""
        masks = list(self._masks(edit))
        self._mask.apply(_as_mask(edit.op, masks))
        self.revision = edit.revision
        if not any(_HIDDEN in mask for mask in masks):
            return None
        return Blacked(_blacked(edit.op, masks), sum(mask.count(_HIDDEN) for mask in masks))

    def _masks(self, edit: EditApplied) -> Iterator[str]:
        """For each component of its op, which of its characters have to go; none for a skip."""
        pieces = Pieces(edit)
        position = inserted = 0
        for component in edit.op:
            if isinstance(component, int):
                position += component
                yield ""
            elif isinstance(component, str):
                runs = pieces.take(len(component), inserted)
                sources = ((run.source, run.length) for run in runs)
                yield "".join(
                    self._secrets.mask(
                        source.document or self._document, source.revision, source.offset, length
                    )
                    for source, length in sources
                )
                inserted += len(component)
            else:
                length = len(str(component["d"]))
                yield self._mask.slice(position, position + length)
                position += length

    def removal(self, text: str) -> Op:
        """The op that puts blocks where something of `text` has to go, which is the one that there is now."""
        return normalise(_replacing(text, str(self._mask)))


def _as_mask(op: Components, masks: Sequence[str]) -> Op:
    """What the op does to a text of ones and zeros."""
    return [
        component if isinstance(component, int) else mask if isinstance(component, str) else {"d": len(mask)}
        for component, mask in zip(op, masks, strict=True)
    ]


def _blacked(op: Components, masks: Sequence[str]) -> Op:
    return [
        component
        if isinstance(component, int)
        else blacked(component, mask)
        if isinstance(component, str)
        else {"d": blacked(str(component["d"]), mask)}
        for component, mask in zip(op, masks, strict=True)
    ]


def blacked(text: str, mask: str) -> str:
    """`text` with a block for each character that has to go. Line ends stay: lines are counted by them."""
    if _HIDDEN not in mask:
        return text
    return "".join(
        BLOCK if hidden == _HIDDEN and letter != "\n" else letter
        for letter, hidden in zip(text, mask, strict=True)
    )


def _replacing(text: str, mask: str) -> Iterator[Component]:
    for letter, hidden in zip(text, mask, strict=True):
        if hidden == _HIDDEN and letter not in {"\n", BLOCK}:
            yield BLOCK
            yield {"d": letter}
        else:
            yield 1


def black_edit(edit: EditApplied, op: Op, redaction: str) -> EditApplied:
    """What stays of an edit in the log. The digest of what its client has sent goes as well: a short text
    could be guessed by it. So does what was said of it where it was imported from, which may say the same.
    """
    left: EditApplied = replace(cast("Any", edit), op=op, digest="", note=None, redaction=redaction)
    return left


def writer_of(event: Event) -> str:
    """Whose text an event holds."""
    return event.author if isinstance(event, Imported) else event.actor


def black_phrase(text: str, phrase: Phrase) -> str:
    """`text` with blocks wherever the phrase is."""
    mask = bytearray(_SHOWN * len(text), "ascii")
    for place in phrase.places(text):
        mask[place : place + len(phrase)] = _HIDDEN.encode() * len(phrase)
    return blacked(text, mask.decode())


def black_all(text: str) -> str:
    """`text` with nothing left of it but its lines."""
    return blacked(text, _HIDDEN * len(text))
