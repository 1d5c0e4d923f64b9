"""What a load run measures."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Final

PERCENTILES: Final = (50, 95, 99)


class Latencies:
    """Of the edits of one document, from the moment they are given to their author's socket.

    `ack`: until the author's client has it back; `peer`: until another client has it in its text.
    Clocks and clients are one process, so that its own work is part of what is measured.
    """

    def __init__(self) -> None:
        self.ack_seconds = array("d")
        self._sent_at: dict[tuple[str, int], float] = {}
        self._sent_by_revision: dict[int, float] = {}
        self._seen_revisions = array("q")
        self._seen_at = array("d")

    def on_sent(self, client: str, seq: int, now: float) -> None:
        """Called again when it is sent again: the first time counts."""
        self._sent_at.setdefault((client, seq), now)

    def on_acked(self, client: str, seq: int, revision: int, now: float) -> None:
        sent_at = self._sent_at.pop((client, seq), None)
        if sent_at is not None:
            self.ack_seconds.append(now - sent_at)
            self._sent_by_revision[revision] = sent_at

    def on_seen(self, revision: int, now: float) -> None:
        """Some other client has it."""
        self._seen_revisions.append(revision)
        self._seen_at.append(now)

    @property
    def peer_seconds(self) -> array[float]:
        sent = self._sent_by_revision
        pairs = zip(self._seen_revisions, self._seen_at, strict=True)
        return array("d", (at - sent[revision] for revision, at in pairs if revision in sent))


def percentiles(seconds: Sequence[float]) -> dict[str, float] | None:
    """In milliseconds, by nearest rank; None of nothing."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    return {
        f"p{percent}": round(1000 * ordered[math.ceil(percent / 100 * len(ordered)) - 1], 3)
        for percent in PERCENTILES
    }
