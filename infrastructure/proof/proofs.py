"""Proof files: events of a range, with what it takes to check them without the store.

A file has one JSON object a line. The first says what it is, and holds the signed checkpoint that vouches for
all. Then, in the order of the log, the links from that of the range's first event up to the checkpoint's;
each link that has events in the file is followed by them. Of those that have none only the root is told, of
the others the digests of all their events, so that what is not in the file (of other rooms) stays what nobody
can guess. What is proved: that these events were in the log as they stand here, in this order, when the
checkpoint was signed. A file of all rooms proves as well that nothing was between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import orjson
import psycopg

from domain.chain import (
    DIGEST_BYTES,
    NO_SALT,
    Checkpoint,
    Header,
    content_of,
    digest_of,
    link_of,
    root_of,
)
from infrastructure.proof.checking import Mark, marks_of
from infrastructure.proof.checkpoints import BadCheckpoint, from_json, is_signed
from infrastructure.proof.reading import Link, Row, link_before, links, rows

FORMAT: Final = "chronoscribe-proof"
VERSION: Final = 1

# A line holds one event or the digests of one batch: events are at most some megabytes.
LINE_BYTES_MAX: Final = 64 * 1024 * 1024


class BadProof(ValueError):  # noqa: N818
    """A file that does not prove what it says."""


class Range(NamedTuple):
    """The events of a log from position `first` to `last`, of one room or of all (None)."""

    log: str
    first: int
    last: int
    room: str | None = None


# Writing.


def write_proof(
    connection: psycopg.Connection[Any], wanted: Range, checkpoint: Checkpoint
) -> Iterator[bytes]:
    """The lines of a proof. `checkpoint` is of the same log, and at the end of the range or behind it."""
    assert checkpoint.log == wanted.log
    assert checkpoint.position >= wanted.last
    start = link_before(connection, wanted.log, wanted.first + 1)
    begin = start.first if start is not None and start.end > wanted.first else wanted.first
    before = link_before(connection, wanted.log, begin)
    yield _line(
        format=FORMAT,
        version=VERSION,
        log=wanted.log,
        first=wanted.first,
        last=wanted.last,
        room=wanted.room,
        previous=(before.link if before is not None else bytes(DIGEST_BYTES)).hex(),
        checkpoint=checkpoint.as_json(),
    )
    marks = marks_of(connection, wanted.log, wanted.first, wanted.last + 1)
    events = rows(connection, wanted.log, wanted.first, wanted.last + 1)
    event = next(events, None)
    for link in links(connection, wanted.log, begin, checkpoint.position + 1):
        told = []
        while event is not None and event.position < link.end:
            if wanted.room in (None, event.room):
                told.append(event)
            event = next(events, None)
        yield _line(link=_link_as_json(link, is_whole=bool(told)))
        for row in told:
            yield _line(event=_event_as_json(row, link, marks.get(row.position, [])))


def _line(**content: Any) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)


def _link_as_json(link: Link, *, is_whole: bool) -> dict[str, Any]:
    covered = {"digests": link.digests.hex()} if is_whole else {"root": link.root.hex()}
    return {"first": link.first, "events": link.events, "oldest": link.oldest, **covered}


def _event_as_json(row: Row, link: Link, marks: list[Mark]) -> dict[str, Any]:
    """`content` where the state is not as it was written any more: what stood for it then."""
    salt = link.salt(row.position)
    was = {"salt": salt.hex()} if salt != NO_SALT else {"content": marks[0].before.hex() if marks else ""}
    header = row.header
    return {
        "position": row.position,
        "stream": header.stream,
        "version": header.version,
        "topic": header.topic,
        "actor": header.actor,
        "at": header.at,
        "client": header.client,
        "seq": header.seq,
        "state": bytes(row.state).decode(),
        **was,
    }


# Checking.


class Proved(NamedTuple):
    """What a file proves. `redacted`: of so many events it proves who and when, and not what."""

    range: Range
    events: int
    redacted: int
    checkpoint: Checkpoint


def check_proof(lines: Iterable[bytes], trusted: Iterable[bytes] | None = None) -> Proved:
    """Check a file, with nothing but the file; `trusted` are the public keys that count, None for whichever.

    Raises `BadProof`.
    """
    try:
        return _check(iter(lines), trusted)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        if isinstance(error, BadProof):
            raise
        raise BadProof("this is no proof, or a damaged one") from error


def _check(lines: Iterator[bytes], trusted: Iterable[bytes] | None) -> Proved:
    begin = orjson.loads(next(lines, b"null"))
    if begin["format"] != FORMAT or begin["version"] != VERSION:
        raise BadProof("this is no proof of a kind that is known here")
    wanted = Range(begin["log"], begin["first"], begin["last"], begin["room"])
    checkpoint = _checked_checkpoint(begin["checkpoint"], wanted, trusted)
    reading = _Reading(wanted, bytes.fromhex(begin["previous"]))
    for line in lines:
        content = orjson.loads(line)
        if "link" in content:
            reading.take_link(content["link"])
        else:
            reading.take_event(content["event"])
    reading.end(checkpoint)
    return Proved(wanted, reading.events, reading.redacted, checkpoint)


def _checked_checkpoint(value: Any, wanted: Range, trusted: Iterable[bytes] | None) -> Checkpoint:
    try:
        checkpoint = from_json(value)
    except BadCheckpoint:
        raise BadProof("its checkpoint is damaged") from None
    if not is_signed(checkpoint):
        raise BadProof("its checkpoint has not been signed by the key that it names")
    if trusted is not None and checkpoint.key not in trusted:
        raise BadProof("its checkpoint is signed by a key that is not trusted")
    if checkpoint.log != wanted.log or checkpoint.position < wanted.last:
        raise BadProof("its checkpoint does not cover its range")
    return checkpoint


class _Reading:
    """The chain as it is in a file, link by link."""

    def __init__(self, wanted: Range, previous: bytes) -> None:
        self._wanted = wanted
        self._link = previous
        self._first = self._end = wanted.first if wanted.first < 0 else 0
        self._digests = b""
        self._position = 0
        self._missing = 0
        self.events = 0
        self.redacted = 0

    def take_link(self, link: Any) -> None:
        self._end_of_batch()
        first, events = int(link["first"]), int(link["events"])
        if first < self._end or events < 1:
            raise BadProof(f"its links are not in order at {first:,}")
        if "digests" in link:
            self._digests = bytes.fromhex(link["digests"])
            if len(self._digests) != DIGEST_BYTES * events:
                raise BadProof(f"the batch at {first:,} has not as many digests as events")
            root = root_of(self._digests)
        else:
            self._digests = b""
            root = bytes.fromhex(link["root"])
        self._link = link_of(self._link, first, events, int(link["oldest"]), root)
        self._first, self._end = first, first + events
        self._position = first - 1
        self._missing = self._wanted_of_batch()

    def _wanted_of_batch(self) -> int:
        """How many events of the batch the file has to hold, if it is one of all rooms."""
        if self._wanted.room is not None or self._wanted.log == "presence":
            return 0
        return max(0, min(self._end - 1, self._wanted.last) - max(self._first, self._wanted.first) + 1)

    def take_event(self, event: Any) -> None:
        position = int(event["position"])
        if not (self._position < position < self._end and self._digests):
            raise BadProof(f"the event at {position:,} does not stand where it belongs")
        if not self._wanted.first <= position <= self._wanted.last:
            raise BadProof(f"the event at {position:,} is outside of the range")
        header = Header(*(event[name] for name in Header._fields))
        if self._wanted.room not in (None, header.stream.partition(":")[2].partition("/")[0]):
            raise BadProof(f"the event at {position:,} is of another room")
        if "salt" in event:
            content = content_of(bytes.fromhex(event["salt"]), event["state"].encode())
        else:
            content = bytes.fromhex(event["content"])
            self.redacted += 1
        at = DIGEST_BYTES * (position - self._first)
        if digest_of(bytes(header), content) != self._digests[at : at + DIGEST_BYTES]:
            raise BadProof(f"the event at {position:,} is not as it was appended")
        self._position = position
        self._missing -= 1
        self.events += 1

    def _end_of_batch(self) -> None:
        if self._missing > 0:
            raise BadProof(f"events are missing between {self._first:,} and {self._end - 1:,}")

    def end(self, checkpoint: Checkpoint) -> None:
        self._end_of_batch()
        if self._end - 1 != checkpoint.position or self._link != checkpoint.link:
            raise BadProof("its links do not lead to its checkpoint: this is not the history that was signed")
