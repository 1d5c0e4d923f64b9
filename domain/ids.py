"""Ids of rooms, documents, clients and messages, and the readable ids of their streams.

A stream's id is text that an analyst can read in the log: `document:demo/main.md`,
`message:demo/5f2c`, `room:demo`. The part before the colon is the stream's kind, the part
up to the slash its room; what belongs to no room has an empty one, as `profile:/ada`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from domain.limits import ID_CODE_POINTS

ID_PATTERN: Final = r"^[A-Za-z0-9_-]{1,64}$"
# Single dots inside, so that a document can be called main.py and nothing can be called "..".
DOCUMENT_ID_PATTERN: Final = r"^(?=.{1,64}$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$"

# Always with `fullmatch`: for `match`, `$` is also the place before a line end that closes the value.
_ID = re.compile(ID_PATTERN)
_DOCUMENT_ID = re.compile(DOCUMENT_ID_PATTERN)

assert ID_CODE_POINTS == 64, "the patterns spell the limit out"

# The actor of what the server does by itself. No user can be called so.
SERVER: Final = "@server"


class Stream(NamedTuple):
    """What a stream's id says: its kind, its room, and its name within the room ("" for a room)."""

    kind: str
    room: str
    name: str


def is_id(value: str) -> bool:
    """Whether `value` may name a room, a client or a message."""
    return _ID.fullmatch(value) is not None


def is_document_id(value: str) -> bool:
    """Whether `value` may name a document."""
    return _DOCUMENT_ID.fullmatch(value) is not None


def room_stream(room: str) -> str:
    return f"room:{room}"


def document_stream(room: str, document: str) -> str:
    return f"document:{room}/{document}"


def message_stream(room: str, message: str) -> str:
    return f"message:{room}/{message}"


def receipts_stream(room: str, name: str) -> str:
    return f"receipts:{room}/{name}"


def revisions_stream(room: str, document: str) -> str:
    """Of a document's saved and named revisions. Its text is another stream's."""
    return f"revisions:{room}/{document}"


def redaction_stream(room: str, redaction: str) -> str:
    return f"redaction:{room}/{redaction}"


def erasure_stream(erasure: str) -> str:
    """Of a person's erasure, which is of no room."""
    return f"erasure:/{erasure}"


def run_stream(room: str, run: str) -> str:
    return f"run:{room}/{run}"


def attendance_stream(room: str, session: str) -> str:
    return f"attendance:{room}/{session}"


def presence_stream(room: str, node: str) -> str:
    return f"presence:{room}/{node}"


def profile_stream(user: str) -> str:
    """A person is in no room: the part before the slash is empty."""
    return f"profile:/{user}"


def retention_stream(log: str) -> str:
    """Of what was let go of a log when its time was over."""
    return f"retention:/{log}"


def restoration_stream(epoch: str) -> str:
    """Of the restore with which an epoch began."""
    return f"restoration:/{epoch}"


# Every event that passes asks; a node works on few streams at a time, far fewer than this.
@lru_cache(maxsize=16_384)
def parse_stream(stream: str) -> Stream:
    """Take a stream's id apart.

    Raises `ValueError` when `stream` is not an id that this module makes.
    """
    kind, colon, rest = stream.partition(":")
    if not colon or not kind or not rest:
        raise ValueError(f"not a stream id: {stream!r}")
    room, _, name = rest.partition("/")
    return Stream(kind, room, name)
