"""Verifies the logs: that they hold what was appended, all of it, in its order, and nothing else.

The logs are cut into pieces, which as many processes as there are cores check, all on one snapshot. What is
vouched for elsewhere, by checkpoints, is compared at the end.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from typing import Any, Final

import psycopg

from domain.chain import Checkpoint, content_of, digest_of
from infrastructure.proof.checking import BEGINNING, END, Checked, Piece, check
from infrastructure.proof.checkpoints import check_checkpoint, stored_checkpoints
from infrastructure.proof.findings import Finding, Findings, Kind
from infrastructure.proof.reading import (
    PIECE_POSITIONS,
    Link,
    Row,
    export_snapshot,
    link_before,
    rows,
    snapshot_of,
)
from infrastructure.proof.redactions import check_redactions

LOGS: Final = ("record", "presence")

OnProgress = Callable[[int, int], None]

_BOUNDS: Final = """
SELECT least((SELECT min(first) FROM {log}_chain), (SELECT min(notification_id) FROM {log})),
       greatest((SELECT max(first) FROM {log}_chain), (SELECT max(notification_id) FROM {log}))
"""
_DROPPED: Final = b"""
SELECT coalesce(max(convert_from(state, 'UTF8')::jsonb ->> 'day'), '')
FROM record WHERE topic = 'retention.day_dropped' AND originator_id = 'retention:/presence'
"""


class Verdict:
    """What was verified, and what was found."""

    def __init__(self) -> None:
        self.epoch = ""
        self.heads: dict[str, Link | None] = {}
        """The last link of each log, None for an empty one."""
        self.events: dict[str, int] = dict.fromkeys(LOGS, 0)
        self.batches: dict[str, int] = dict.fromkeys(LOGS, 0)
        self.redacted = 0
        self.dropped = 0
        self.checkpoints: list[Checkpoint] = []
        """Those that hold."""
        self.findings = Findings()

    @property
    def is_sound(self) -> bool:
        return self.findings.count == 0

    @property
    def first(self) -> Finding | None:
        """What was found first, in the order of the logs and their positions."""
        return self.findings.first[0] if self.findings.first else None

    def take(self, checked: Checked) -> None:
        log = checked.piece.log
        self.events[log] += checked.events
        self.batches[log] += checked.batches
        self.redacted += checked.redacted
        self.dropped += checked.dropped
        self.findings.extend(checked.findings)


def verify(
    conninfo: str,
    *,
    checkpoints: Sequence[Checkpoint] = (),
    trusted: Sequence[bytes] | None = None,
    workers: int | None = None,
    on_progress: OnProgress = lambda done, end: None,
) -> Verdict:
    """Verify both logs of a store, also against `checkpoints` that were kept elsewhere; those of the store
    are always taken. `trusted` are the public keys whose signatures count, None for whichever.

    Blocks; runs `workers` processes (default: one for each core). Raises `psycopg.Error`.
    """
    verdict = Verdict()
    with snapshot_of(conninfo) as connection:
        [epoch] = connection.execute(b"SELECT value FROM store WHERE key = 'epoch'").fetchone() or ("",)
        verdict.epoch = epoch
        snapshot = export_snapshot(connection)
        pieces = [piece for log in LOGS for piece in _pieces(connection, log)]
        for done, checked in enumerate(_checked(conninfo, snapshot, connection, pieces, workers), 1):
            verdict.take(checked)
            on_progress(done, len(pieces))
        verdict.findings.first = _with_swaps(connection, verdict.findings.first)
        for log in LOGS:
            verdict.heads[log] = link_before(connection, log, END)
        for finding in check_redactions(connection):
            verdict.findings.add(finding)
        _check_checkpoints(connection, checkpoints, trusted, verdict)
    return verdict


def _pieces(connection: psycopg.Connection[Any], log: str) -> Iterator[Piece]:
    row = connection.execute(_BOUNDS.format(log=log).encode()).fetchone()
    assert row is not None
    lowest, highest = row
    if lowest is None:
        return
    dropped = ""
    if log == "presence":
        [dropped] = connection.execute(_DROPPED).fetchone() or ("",)
    bounds = [BEGINNING, *range(lowest + PIECE_POSITIONS, highest + 1, PIECE_POSITIONS), END]
    for start, stop in pairwise(bounds):
        yield Piece(log, start, stop, dropped)


def _checked(
    conninfo: str,
    snapshot: str,
    connection: psycopg.Connection[Any],
    pieces: Sequence[Piece],
    workers: int | None,
) -> Iterator[Checked]:
    """The pieces in their order."""
    count = min(workers or os.cpu_count() or 1, len(pieces))
    if count <= 1 or len(pieces) <= len(LOGS):  # a process takes longer to start than so little to check
        yield from (check(connection, piece) for piece in pieces)
        return
    # Spawned: whoever calls has threads, which a fork would not take along.
    with ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=_begin, initargs=(conninfo, snapshot)
    ) as pool:
        yield from pool.map(_check_here, pieces)


_here: psycopg.Connection[Any]
_until_exit = contextlib.ExitStack()


def _begin(conninfo: str, snapshot: str) -> None:
    """In a process of the pool: see what the others see."""
    global _here  # noqa: PLW0603 -- a process has one, for all of its pieces
    _here = _until_exit.enter_context(snapshot_of(conninfo, snapshot))


def _check_here(piece: Piece) -> Checked:
    return check(_here, piece)


def _with_swaps(connection: psycopg.Connection[Any], findings: Sequence[Finding]) -> list[Finding]:
    """The same, where two events are each what the chain has for the other told as such."""
    changed = {(f.log, f.position): f for f in findings if f.kind is Kind.CHANGED}
    found = {key: _row_and_link(connection, *key) for key in changed}
    swapped: dict[tuple[str, int], int] = {}
    for log, position in changed:
        for other_log, other in changed:
            if log == other_log and position != other and _is_from(found[log, position], found[log, other]):
                swapped[log, position] = other
    return [
        finding._replace(kind=Kind.SWAPPED, what=f"this event was appended at {swapped[key]:,}")
        if (key := (finding.log, finding.position)) in swapped
        else finding
        for finding in findings
    ]


def _row_and_link(connection: psycopg.Connection[Any], log: str, position: int) -> tuple[Row, Link]:
    [row, *_] = rows(connection, log, position, position + 1)
    link = link_before(connection, log, position + 1)
    assert link is not None
    return row, link


def _is_from(here: tuple[Row, Link], there: tuple[Row, Link]) -> bool:
    """Whether the event that is here was appended there."""
    row, (other, link) = here[0], there
    content = content_of(link.salt(other.position), row.state)
    return digest_of(bytes(row.header), content) == link.digest(other.position)


def _check_checkpoints(
    connection: psycopg.Connection[Any],
    given: Sequence[Checkpoint],
    trusted: Sequence[bytes] | None,
    verdict: Verdict,
) -> None:
    kept = stored_checkpoints(connection)
    for checkpoint in sorted({*given, *kept}, key=lambda one: (one.log, one.position)):
        finding = check_checkpoint(connection, checkpoint, trusted)
        if finding is None:
            verdict.checkpoints.append(checkpoint)
        else:
            verdict.findings.add(finding)
