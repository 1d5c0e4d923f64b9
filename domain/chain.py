"""The hash chain over a log: what makes a change of history evident.

Every event has a digest, and every batch that was appended a link, which covers the link before it:

    header  = stream, version, topic, actor, time (microseconds), client, sequence number: a line each,
              the last two behind a "=" or empty, where there are none
    content = SHA-256(salt + state)
    digest  = SHA-256(header + content)
    root    = SHA-256(the digests of the batch, one behind the other)
    link    = SHA-256(previous link + first position + number of events + time of the oldest + root)

Numbers are 8 bytes, big-endian; the link before the first is 32 zero bytes. Who has one link has vouched for
all events before it. That each digest is kept, and not only the link, is what tells which event was changed,
and lets whoever checks begin anywhere and at many places at once.

The salt is what lets text be removed: without it the digest of a short secret could be guessed. When a state
is redacted its salt is destroyed, and only `content` stays, which proves who wrote something there, and when,
and tells nothing of what it was.

A checkpoint is a link that was signed (Ed25519): with a copy of it elsewhere, not even the end of a log can
be cut off unseen.

The construction is that of Haber and Stornetta ("How to time-stamp a digital document", 1991); committing to
what may be removed by a salted hash is as in selective disclosure (RFC 9901).
"""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import Any, Final, NamedTuple

# Of a state's salt: nobody guesses 128 bits.
SALT_BYTES: Final = 16
DIGEST_BYTES: Final = 32

GENESIS: Final = bytes(DIGEST_BYTES)
"""The link before the first."""

_NUMBERS: Final = struct.Struct("!qqq").pack

NO_SALT: Final = bytes(SALT_BYTES)
"""Stands where a salt was destroyed."""


class Header(NamedTuple):
    """The columns of a stored event that are not its state. `at` is in microseconds since the epoch."""

    stream: str
    version: int
    topic: str
    actor: str
    at: int
    client: str | None
    seq: int | None

    def __bytes__(self) -> bytes:
        """None of the columns ever holds a line end, so lines that were moved between them give another."""
        client = "" if self.client is None else f"={self.client}"
        seq = "" if self.seq is None else f"={self.seq}"
        return (
            f"{self.stream}\n{self.version}\n{self.topic}\n{self.actor}\n{self.at}\n{client}\n{seq}\n"
        ).encode()


def content_of(salt: bytes, state: bytes | memoryview) -> bytes:
    """What stands for a state in the chain."""
    content = hashlib.sha256(salt)
    content.update(state)
    return content.digest()


def digest_of(header: bytes, content: bytes) -> bytes:
    """The digest of an event."""
    return hashlib.sha256(header + content).digest()


def root_of(digests: bytes) -> bytes:
    """What stands for a batch, of its events' digests one behind the other."""
    return hashlib.sha256(digests).digest()


def link_of(previous: bytes, first: int, events: int, oldest: int, root: bytes) -> bytes:
    """The link of a batch of `events` events, the first at position `first`, the oldest at `oldest`."""
    return hashlib.sha256(previous + _NUMBERS(first, events, oldest) + root).digest()


class Checkpoint(NamedTuple):
    """A link that is vouched for: that of the batch whose last event is at `position` of `log`. `at` is in
    microseconds since the epoch; `key` is the public one.
    """

    epoch: str
    log: str
    position: int
    at: int
    link: bytes
    key: bytes
    signature: bytes

    @property
    def statement(self) -> bytes:
        """What is signed."""
        return statement_of(self.epoch, self.log, self.position, self.at, self.link)

    def as_json(self) -> dict[str, Any]:
        """As it is told and kept in files."""
        signature = base64.b64encode(self.signature).decode()
        told = {"link": self.link.hex(), "key": self.key.hex(), "signature": signature}
        return {"epoch": self.epoch, "log": self.log, "position": self.position, "at": self.at, **told}


def statement_of(epoch: str, log: str, position: int, at: int, link: bytes) -> bytes:
    """What a checkpoint says, as it is signed."""
    return f"chronoscribe checkpoint\n{epoch}\n{log}\n{position}\n{at}\n{link.hex()}\n".encode()
