"""Checks one piece of a log: each event against its digest, each link against the one before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import psycopg

from domain.chain import GENESIS, NO_SALT, content_of, digest_of, link_of
from domain.instants import as_datetime
from infrastructure.proof.findings import Finding, Findings, Kind
from infrastructure.proof.reading import Link, Row, link_before, links, rows

BEGINNING: Final = -(2**62)
END: Final = 2**62
"""Before and behind all positions."""

_MARKS: Final = b"""
SELECT position, redaction, before, after, salt FROM redacted_events
WHERE position >= %s AND position < %s ORDER BY position, part
"""


class Mark(NamedTuple):
    """What a redaction has left of an event's state: what stood for it in the chain, what does now, and the
    salt of that.
    """

    position: int
    redaction: str
    before: bytes
    after: bytes
    salt: bytes


class Piece(NamedTuple):
    """What is to be checked: the batches that begin at `start` or behind it and before `stop`, and whatever
    events are there. Of a log that lets old days go, those up to `dropped_until` may be missing.
    """

    log: str
    start: int
    stop: int
    dropped_until: str = ""


class Checked:
    """What came of a piece."""

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.events = 0
        self.batches = 0
        self.redacted = 0
        self.dropped = 0
        self.findings = Findings()

    def found(self, kind: Kind, position: int, what: str, row: Row | None = None) -> None:
        stream, version = (row.header.stream, row.header.version) if row is not None else ("", 0)
        self.findings.add(Finding(self.piece.log, position, kind, what, stream, version))


def check(connection: psycopg.Connection[Any], piece: Piece) -> Checked:
    """Read and check a piece. Raises `psycopg.Error`."""
    checked = Checked(piece)
    before = link_before(connection, piece.log, piece.start)
    batches = list(links(connection, piece.log, piece.start, piece.stop))
    _check_links(before, batches, checked)
    start = max(piece.start, before.end) if before is not None else piece.start
    stop = max(piece.stop, batches[-1].end) if batches else piece.stop
    marks = marks_of(connection, piece.log, start, stop)
    _check_events(batches, rows(connection, piece.log, start, min(stop, END)), marks, checked)
    return checked


def marks_of(connection: psycopg.Connection[Any], log: str, start: int, stop: int) -> dict[int, list[Mark]]:
    """What redactions have left at these positions, the oldest first. Only the record has text."""
    if log != "record":
        return {}
    found: dict[int, list[Mark]] = {}
    for row in connection.execute(_MARKS, (start, min(stop, END)), binary=True):
        mark = Mark._make(row)
        found.setdefault(mark.position, []).append(mark)
    return found


def _check_links(before: Link | None, batches: Sequence[Link], checked: Checked) -> None:
    previous, end = (before.link, before.end) if before is not None else (GENESIS, BEGINNING)
    for link in batches:
        checked.batches += 1
        if not link.is_whole or link.first < end:
            checked.found(Kind.CHAIN, link.first, "the link is not of the form that links have")
        elif link_of(previous, link.first, link.events, link.oldest, link.root) != link.link:
            checked.found(
                Kind.CHAIN,
                link.first,
                f"the batch of {link.first:,} to {link.end - 1:,} does not follow on the one before it",
            )
        previous, end = link.link, link.end


def _check_events(
    batches: Sequence[Link], events: Iterator[Row], marks: dict[int, list[Mark]], checked: Checked
) -> None:
    row = next(events, None)
    for link in batches:
        if not link.is_whole:
            continue
        for position in range(link.first, link.end):
            while row is not None and row.position < position:
                _found_added(row, checked)
                row = next(events, None)
            if row is None or row.position > position:
                _found_missing(position, link, checked)
            else:
                _check_event(row, link, marks.get(position), checked)
                row = next(events, None)
    while row is not None:
        _found_added(row, checked)
        row = next(events, None)


def _found_added(row: Row, checked: Checked) -> None:
    checked.found(Kind.ADDED, row.position, "the chain knows nothing of this event", row)


def _found_missing(position: int, link: Link, checked: Checked) -> None:
    day = as_datetime(link.oldest).date().isoformat()
    if day <= checked.piece.dropped_until:
        checked.dropped += 1
    else:
        checked.found(
            Kind.REMOVED, position, f"an event of {as_datetime(link.oldest):%Y-%m-%d %H:%M:%S} is gone"
        )


def _check_event(row: Row, link: Link, marks: Sequence[Mark] | None, checked: Checked) -> None:
    checked.events += 1
    kind, _, rest = row.header.stream.partition(":")
    if kind != row.kind or rest.partition("/")[0] != row.room:
        checked.found(Kind.CHANGED, row.position, "its kind or room is not that of its stream", row)
        return
    salt = link.salt(row.position)
    if salt == NO_SALT or marks:
        checked.redacted += 1
        _check_redacted(row, link, salt, marks or (), checked)
    elif digest_of(bytes(row.header), content_of(salt, row.state)) != link.digest(row.position):
        checked.found(Kind.CHANGED, row.position, "the event is not as it was appended", row)


def _check_redacted(row: Row, link: Link, salt: bytes, marks: Sequence[Mark], checked: Checked) -> None:
    if not marks or salt != NO_SALT:
        checked.found(Kind.REDACTION, row.position, "no redaction says what has become of its text", row)
        return
    follows = all(before.after == after.before for before, after in pairwise(marks))
    is_as_written = digest_of(bytes(row.header), marks[0].before) == link.digest(row.position)
    is_as_left = content_of(marks[-1].salt, row.state) == marks[-1].after
    if not (follows and is_as_written and is_as_left):
        checked.found(Kind.CHANGED, row.position, "the event is not as its redaction has left it", row)
