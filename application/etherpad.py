"""A pad of Etherpad with its whole past, as its export has it, read into edits and messages of ours.

An export (`.etherpad`) is one JSON object, the pad's part of Etherpad's database: `pad:ID` with the text as
it is now (`atext`) and the number of the last revision (`head`), `pad:ID:revs:N` with the changeset of each,
`pad:ID:chat:N`, and `globalAuthor:a.X` for everybody who has written. Several pads may be in one.

All of it is read and checked before anything is written: every revision is there and fits the text before it,
the texts that the export keeps on the way (of every hundredth revision) and at the end are those that come
out, and so they do when our own edits are folded.

What is no text is left behind: attributes (bold, lists, and whose each character is, which the edits say
anyway). A revision that has changed nothing else is no edit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import orjson

from application.brought import (
    IMPORT_EDITS,
    PROGRESS_EDITS,
    OnProgress,
    digest,
    document_name,
    verify,
)
from application.imports import Brought
from domain import easysync
from domain.errors import ClientError, ImportInvalid, LimitReached, TextInvalid
from domain.importing import BroughtDocument, BroughtEdit, Provenance, author_of
from domain.instants import as_microseconds
from domain.limits import DOCUMENT_CODE_POINTS, NAMED_REVISIONS_PER_DOCUMENT
from domain.message import check_text
from domain.names import as_name

# One wiki's pads, by hand; more come one export after the other.
PADS_MAX: Final = 100

# As many as one import of a room's chat.
CHAT_MAX: Final = 10_000

# What an export has of each edit is a few hundred bytes, and the pad's text and pool at every hundredth.
EXPORT_BYTES: Final = 256 * 1024 * 1024

# Before Etherpad there were no pads; who has no clock has the first day there is.
_BEGINNING: Final = 0
_END: Final = as_microseconds(datetime(9999, 1, 1, tzinfo=UTC))

_PAD: Final = re.compile(r"pad:([^:]{1,200})(?::(revs|chat):(0|[1-9][0-9]{0,8}))?")
_AUTHOR: Final = re.compile(r"globalAuthor:(.{1,200})", re.DOTALL)
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")

_MILLISECOND: Final = 1_000


@dataclass(slots=True)
class Left:
    """What of an export does not come: `attributes` revisions changed nothing but attributes, `replaced` had
    half characters or NULs, `chat` messages no text, `unknown` keys are nobody's.
    """

    attributes: int = 0
    replaced: int = 0
    chat: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Pad:
    """`names` are the revisions that people have saved in it, by name: the revisions that they are here."""

    pad: str
    document: BroughtDocument
    names: Mapping[str, int]
    chat: Sequence[Brought]


@dataclass(frozen=True, slots=True)
class Export:
    """All that is in an export, and fit to come."""

    pads: Sequence[Pad]
    left: Left


def read(
    data: bytes,
    *,
    document: str | None = None,
    ignores_unknown: bool = False,
    on_progress: OnProgress = lambda done, end: None,
) -> Export:
    """An export. With `document` its only pad becomes that document; otherwise pads are called as they are,
    as nearly as documents can.

    Raises `ImportInvalid`, `LimitReached`, `DocumentTooLarge`, with the `key` at which it is wrong.
    """
    records = _records(data)
    sorted_in = _sorted_in(records, ignores_unknown=ignores_unknown)
    if document is not None and len(sorted_in.pads) > 1:
        raise ImportInvalid("there are several pads in it, which cannot all become one document")
    all_of_it = sum(len(pad.revisions) for pad in sorted_in.pads.values())
    if all_of_it > IMPORT_EDITS:
        raise LimitReached("more revisions than one import may have", limit=IMPORT_EDITS)
    left = Left(unknown=sorted_in.unknown)
    pads: list[Pad] = []
    done = 0
    for name, stored in sorted_in.pads.items():
        called = document or document_name(name, (pad.document.document for pad in pads))
        reading = _Reading(name, stored, sorted_in.authors, left)
        pads.append(reading.read(called, partial(_add, on_progress, done, all_of_it)))
        done += len(stored.revisions)
    return Export(pads, left)


def _add(on_progress: OnProgress, before: int, all_of_them: int, done: int) -> None:
    on_progress(before + done, all_of_them)


# What is there.


@dataclass(slots=True)
class _Stored:
    """A pad's records, none of them looked at."""

    pad: Any = None
    revisions: dict[int, Any] = field(default_factory=dict)
    chat: dict[int, Any] = field(default_factory=dict)


class _SortedIn(NamedTuple):
    pads: dict[str, _Stored]
    authors: dict[str, _Author]
    unknown: int


class _Author(NamedTuple):
    author: str
    colour: str | None


def _records(data: bytes) -> dict[str, Any]:
    try:
        # The library that is stricter refuses half characters, which pads have.
        records = json.loads(data, parse_constant=_refuse_constant, object_pairs_hook=_only_once)
    except (ValueError, RecursionError):
        raise ImportInvalid("the file is no JSON in UTF-8") from None
    if not isinstance(records, dict) or not records:
        raise ImportInvalid("the file is no export of Etherpad")
    return records


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _sorted_in(records: Mapping[str, Any], *, ignores_unknown: bool) -> _SortedIn:
    pads: dict[str, _Stored] = {}
    authors: dict[str, _Author] = {}
    unknown = 0
    for key, record in records.items():
        if (found := _PAD.fullmatch(key)) is not None:
            stored = pads.setdefault(found[1], _Stored())
            if found[2] is None:
                stored.pad = record
            else:
                (stored.revisions if found[2] == "revs" else stored.chat)[int(found[3])] = record
        elif (found := _AUTHOR.fullmatch(key)) is not None:
            authors[found[1]] = _author(key, found[1], record)
        elif ignores_unknown:
            unknown += 1
        else:
            raise ImportInvalid("this key is nothing of Etherpad itself", key=_told(key))
    if not pads:
        raise ImportInvalid("there is no pad in it")
    if len(pads) > PADS_MAX:
        raise LimitReached("more pads than one import may have", limit=PADS_MAX)
    return _SortedIn(pads, authors, unknown)


def _told(key: str) -> str:
    """A key of the file, for an error: no more of it than says which."""
    return easysync.as_text(easysync.as_units(key[:100]))


def _author(key: str, identity: str, record: Any) -> _Author:
    record = _as_object(record, key)
    name, colour = record.get("name"), record.get("colorId")
    if name is not None and not isinstance(name, str):
        raise ImportInvalid("an author's name is a text", key=_told(key))
    is_colour = isinstance(colour, str) and _COLOUR.fullmatch(colour) is not None
    return _Author(author_of(name or "", identity), str(colour).lower() if is_colour else None)


def _as_object(record: Any, key: str) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise ImportInvalid("this is no record of Etherpad", key=_told(key))
    return record


def _as_number(value: Any, key: str) -> int:
    if type(value) is not int or not -1 <= value <= 10**9:
        raise ImportInvalid("this is no number of a revision or message", key=_told(key))
    return value


# One pad.


class _Reading:
    """One pad on its way. Made for one call of `read`."""

    def __init__(self, pad: str, stored: _Stored, authors: dict[str, _Author], left: Left) -> None:
        self._pad = pad
        self._stored = stored
        self._authors = authors
        self._left = left
        self._edits: list[BroughtEdit] = []
        self._revisions: list[int] = []
        """For each revision of the pad, how many edits there are up to it."""
        self._colours: dict[str, str] = {}

    def read(self, document: str, on_progress: Callable[[int], None]) -> Pad:
        key = f"pad:{self._pad}"
        if self._stored.pad is None:
            raise ImportInvalid("the pad itself is missing", key=key)
        pad = _as_object(self._stored.pad, key)
        self._check_chain(self._stored.revisions, _as_number(pad.get("head"), key), f"{key}:revs")
        units = self._fold(on_progress)
        if units != _text_of(pad.get("atext"), key):
            raise ImportInvalid("the revisions do not make the text of the pad", key=key)
        provenance: Provenance = {
            "source": f"etherpad:{easysync.as_text(easysync.as_units(self._pad))}",
            "digest": digest(self._edits),
            "edits": len(self._edits),
            "since": self._edits[0].written if self._edits else 0,
        }
        if self._colours:
            provenance["colours"] = self._colours
        brought = BroughtDocument(document, provenance, self._edits, easysync.as_text(units))
        verify(brought)
        return Pad(self._pad, brought, self._names(pad, key), self._read_chat(pad, key))

    @staticmethod
    def _check_chain(records: Mapping[int, Any], last: int, key: str) -> None:
        """Numbers from 0 to `last` without a gap, and no others."""
        for number in range(last + 1):
            if number not in records:
                raise ImportInvalid("one is missing", key=f"{key}:{number}")
        if len(records) != last + 1:
            raise ImportInvalid("there are more than the pad knows of", key=key, expected=last + 1)

    # The text.

    def _fold(self, on_progress: Callable[[int], None]) -> str:
        """All revisions, in order; returns the text that they make."""
        units, text_before = "\n", ""  # a pad begins with a line end, a document with nothing
        written = _BEGINNING
        for number in range(len(self._stored.revisions)):
            key = f"pad:{self._pad}:revs:{number}"
            record = _as_object(self._stored.revisions[number], key)
            meta = _as_object(record.get("meta", {}), key)
            written = max(written, _time_of(meta.get("timestamp"), key, default=written))
            before, (units, hunks) = units, self._applied(units, record.get("changeset"), key)
            if len(units) > 2 * DOCUMENT_CODE_POINTS:
                raise LimitReached("the text becomes too long", limit=DOCUMENT_CODE_POINTS, key=key)
            if "atext" in meta and _text_of(meta["atext"], key) != units:
                raise ImportInvalid("the revisions do not make the text that is kept here", key=key)
            if number == 0:
                before, hunks = text_before, [easysync.Hunk(0, 0, 0, len(units))]
            self._take(easysync.as_op(before, units, hunks), units, meta, written, number)
            if (number + 1) % PROGRESS_EDITS == 0:
                on_progress(number + 1)
        return units

    @staticmethod
    def _applied(units: str, changeset: Any, key: str) -> tuple[str, list[easysync.Hunk]]:
        if not isinstance(changeset, str):
            raise ImportInvalid("a revision has no changeset", key=key)
        try:
            return easysync.apply(units, easysync.parse(changeset))
        except ImportInvalid as error:
            error.facts["key"] = key
            raise

    def _take(self, op: Any, units: str, meta: Mapping[str, Any], written: int, number: int) -> None:
        if op:
            author = self._author_of(meta.get("author"))
            self._edits.append(BroughtEdit(op, author, written, reference=str(number)))
            if any(isinstance(part, str) and easysync.REPLACEMENT in part for part in op):
                self._left.replaced += easysync.has_no_text(units)
        else:
            self._left.attributes += 1
        self._revisions.append(len(self._edits))

    def _author_of(self, identity: Any) -> str:
        """Of nobody (a pad's first text, a plugin) it is Etherpad itself."""
        if not isinstance(identity, str) or not identity:
            return author_of("Etherpad", "system")
        known = self._authors.get(identity)
        if known is None:
            known = self._authors[identity] = _Author(author_of("", identity), None)
        if known.colour is not None:
            self._colours[known.author] = known.colour
        return known.author

    def _names(self, pad: Mapping[str, Any], key: str) -> dict[str, int]:
        """The revisions that were saved, by their names. A name that comes again moves on."""
        saved = pad.get("savedRevisions") or []
        if not isinstance(saved, list):
            raise ImportInvalid("saved revisions are a list", key=key)
        names: dict[str, int] = {}
        for each in saved[:NAMED_REVISIONS_PER_DOCUMENT]:
            record = _as_object(each, key)
            number, label = _as_number(record.get("revNum"), key), record.get("label")
            if not 0 <= number < len(self._revisions):
                raise ImportInvalid("a revision was saved that is not there", key=key, actual=number)
            name = as_name(label) if isinstance(label, str) else None
            names[name or f"Revision {number}"] = self._revisions[number]
        return names

    # The chat.

    def _read_chat(self, pad: Mapping[str, Any], key: str) -> list[Brought]:
        last = _as_number(pad.get("chatHead", -1), key)
        self._check_chain(self._stored.chat, last, f"{key}:chat")
        if last >= CHAT_MAX:
            raise LimitReached("more messages than one import may have", limit=CHAT_MAX, key=key)
        chat: list[Brought] = []
        for number in range(last + 1):
            at = f"{key}:chat:{number}"
            record = _as_object(self._stored.chat[number], at)
            posted = _time_of(record.get("time"), at, default=chat[-1].posted if chat else _BEGINNING)
            text = record.get("text")
            if not isinstance(text, str):
                raise ImportInvalid("a message has no text", key=at)
            text = easysync.as_text(easysync.as_units(text))
            if not text.strip():
                self._left.chat += 1
                continue
            _check_message(text, at)
            author = self._author_of(record.get("userId") or record.get("authorId"))
            chat.append(_message(self._pad, number, author, posted, text))
        return chat


def _check_message(text: str, key: str) -> None:
    try:
        check_text(text)
    except (TextInvalid, ClientError) as error:
        error.facts["key"] = _told(key)
        raise


def _message(pad: str, number: int, author: str, posted: int, text: str) -> Brought:
    """Its id is made of what it is, so that it is there once however often it comes."""
    told = orjson.dumps([easysync.as_text(easysync.as_units(pad)), number, author, posted, text])
    return Brought(
        message=f"etherpad-{blake2b(told, digest_size=12).hexdigest()}",
        author=author,
        posted=posted,
        text=text,
        documents={},
        reply_to=None,
        mentions=[],
        link=None,
        edits=0,
        edited=None,
        deleted=None,
        pinned=None,
        reactions=[],
    )


def _text_of(atext: Any, key: str) -> str:
    """The text of an attributed text, in units."""
    text = atext.get("text") if isinstance(atext, dict) else None
    if not isinstance(text, str):
        raise ImportInvalid("there is no text where one is kept", key=key)
    return easysync.as_units(text)


def _time_of(milliseconds: Any, key: str, *, default: int) -> int:
    """In microseconds. Very old pads have none."""
    if milliseconds is None:
        return default
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        raise ImportInvalid("a time is a number of milliseconds", key=_told(key))
    if not 0 <= milliseconds * _MILLISECOND <= _END:
        raise ImportInvalid("this is no time", key=_told(key))
    return int(milliseconds) * _MILLISECOND


def authors(export: Export) -> dict[str, int]:
    """Who has written in it, and how many edits."""
    return counted(edit.author for pad in export.pads for edit in pad.document.edits)


def counted(written_by: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for author in written_by:
        found[author] = found.get(author, 0) + 1
    return dict(sorted(found.items(), key=lambda each: -each[1]))
