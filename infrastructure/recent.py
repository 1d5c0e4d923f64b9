"""The end of a log in memory, for projections that are nearly up to date.

They need not read and decode again, each for itself, what this node has in its hands anyway.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

from application.log import Recorded
from domain.aggregate import Event, Unreadable
from domain.redaction import RedactionMade
from infrastructure.projector import Source

# Some tenths of a second of the busiest log. Who is further behind reads pages that are worth their reading.
EVENTS_KEPT: Final = 1_000


class RecentEvents:
    """A `Source` in front of another one. Follows the feed; owned by the node."""

    def __init__(self, source: Source, *, events_kept: int = EVENTS_KEPT) -> None:
        self._source = source
        self._events_kept = events_kept
        self._events: deque[Recorded] = deque()
        self._after: int | None = None
        """Everything behind this position is here, as far as was told; None before the first event."""

    def on_events(self, batch: Sequence[Recorded]) -> None:
        """Called by the feed, which leaves nothing out."""
        if self._after is None:
            self._after = batch[0].position
            batch = batch[1:]  # what was between this one and those before is not known
        for at in reversed(range(len(batch))):
            if isinstance(batch[at].event, RedactionMade):  # what is here may be what must not be kept
                self._events.clear()
                self._after, batch = batch[at].position, batch[at + 1 :]
                break
        self._events.extend(batch)
        while len(self._events) > self._events_kept:
            self._after = self._events.popleft().position

    async def read_page(
        self, position: int, limit: int, topics: frozenset[str] | None, until: int | None
    ) -> tuple[int, Sequence[Recorded]]:
        """See `Source`."""
        if self._after is None or position < self._after:
            return await self._source.read_page(position, limit, topics, until)
        begin = bisect_right(self._events, position, key=_position)
        end = len(self._events) if until is None else bisect_right(self._events, until, key=_position)
        page = list(islice(self._events, begin, min(end, begin + limit)))
        if not page:
            return position, page
        wanted = page if topics is None else [r for r in page if _topic(r.event) in topics]
        return page[-1].position, wanted


def _topic(event: Event) -> str:
    return event.topic if isinstance(event, Unreadable) else event.TOPIC


def _position(recorded: Recorded) -> int:
    return recorded.position
