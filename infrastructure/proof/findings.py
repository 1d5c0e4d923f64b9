"""What a verifier can find."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

# Of each kind of work, so many findings are told one by one; beyond it only counted.
FINDINGS_MAX: Final = 100


class Kind(StrEnum):
    """What is wrong with an event, or with the chain."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    SWAPPED = "swapped"
    CHAIN = "chain"
    """The links do not follow on each other: whole batches were removed, added or made anew."""
    REDACTION = "redaction"
    """Something was redacted, and no redaction says so; or the other way round."""
    TRUNCATED = "truncated"
    """The log ends before what a checkpoint vouches for."""
    REWRITTEN = "rewritten"
    """The chain is sound in itself, and is not the one that a checkpoint vouches for."""
    CHECKPOINT = "checkpoint"
    """A checkpoint that is not what its signature says."""


class Finding(NamedTuple):
    """One thing that is wrong. `stream` is "" where nothing is known of it."""

    log: str
    position: int
    kind: Kind
    what: str
    stream: str = ""
    version: int = 0


class Findings:
    """The first of them, and how many there are."""

    def __init__(self) -> None:
        self.first: list[Finding] = []
        self.count = 0

    def add(self, finding: Finding) -> None:
        self.count += 1
        if len(self.first) < FINDINGS_MAX:
            self.first.append(finding)

    def extend(self, others: Findings) -> None:
        for finding in others.first:
            self.add(finding)
        self.count += others.count - len(others.first)
