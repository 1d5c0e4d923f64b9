"""Checks that what was redacted is what redactions say, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

import psycopg

from infrastructure.proof.findings import Finding, Kind

_MARKS: Final = b"""
SELECT redaction, position, before, after FROM redacted_events ORDER BY redaction, position, part
"""
_SAID: Final = b"""
SELECT originator_id, notification_id, convert_from(state, 'UTF8')::jsonb ->> 'digest' FROM record
WHERE topic = 'redaction.made'
"""


def check_redactions(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    """Of each redaction, whether what it has left is what its event says."""
    said = {stream: (position, digest) for stream, position, digest in connection.execute(_SAID)}
    with connection.cursor("marks", binary=True) as cursor:
        cursor.execute(_MARKS)
        for stream, marks in groupby(cursor, key=lambda row: row[0]):
            digest = hashlib.sha256()
            first = 0
            for _, position, before, after in marks:
                first = first or position
                digest.update(mark_of(position, before, after))
            position, expected = said.pop(stream, (first, ""))
            if digest.hexdigest() != expected:
                what = "what was redacted is not what the redaction says"
                yield Finding("record", position, Kind.REDACTION, what, stream)
    for stream, (position, _) in said.items():
        what = "what this redaction has left is not there"
        yield Finding("record", position, Kind.REDACTION, what, stream)


def mark_of(position: int, before: bytes, after: bytes) -> bytes:
    """One redacted event, as a redaction's digest covers it."""
    return position.to_bytes(8, "big") + before + after
