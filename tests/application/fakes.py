"""A store in memory, and nodes on it whose commits happen when a test says so.

`FakeStore` is what is committed, with the rule of the real one: events of a stream are taken when they
follow on what is stored. It is read as bytes, like the real one. `FakeNode` is a node's way into it:
what was submitted waits until `commit`, and what was committed waits until `feed`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from application.live import LiveAggregates
from application.log import Recorded, Submission
from domain.aggregate import Event
from domain.attendance import Joined, Left
from domain.document import EditApplied, LastEdit
from domain.errors import Overloaded, StoreUnavailable
from domain.ids import parse_stream
from domain.message import Posted
from infrastructure.codec import decode, encode


class Clock:
    """Both clocks of a node; they stand still until a test moves them."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


class FakeStore:
    """The log that nodes share, and the `History` that they read it by."""

    def __init__(self) -> None:
        self.log: list[Recorded] = []
        self.failing_reads = 0
        """How many reads from now on find the store away."""
        self.error: Exception | None = None
        """What the reads raise until it is taken away."""
        self.reads = 0
        self._reading = asyncio.Event()
        self._reading.set()

    def stream(self, stream: str) -> list[Event]:
        return [recorded.event for recorded in self.log if recorded.event.originator_id == stream]

    def append(self, events: Sequence[Event]) -> bool:
        """Store events of one stream, unless they do not follow on what is there."""
        if events[0].originator_version != len(self.stream(events[0].originator_id)) + 1:
            return False
        for event in events:
            position = self.log[-1].position + 2 if self.log else 1  # ids have gaps
            self.log.append(Recorded(position, _stored(event)))
        return True

    # Reading.

    def hold_reads(self) -> None:
        """Reads from now on wait until `release_reads`."""
        self._reading.clear()

    def release_reads(self) -> None:
        self._reading.set()

    async def _read(self) -> None:
        self.reads += 1
        await self._reading.wait()
        if self.error is not None:
            raise self.error
        if self.failing_reads:
            self.failing_reads -= 1
            raise StoreUnavailable("the store is away", retry_after=0.5)

    async def load(self, stream: str) -> Any | None:
        await self._read()
        aggregate: Any = None
        for event in self.stream(stream):
            aggregate = event.mutate(aggregate)
        return aggregate

    async def events_after(self, stream: str, version: int) -> Sequence[Event]:
        await self._read()
        return self.stream(stream)[version:]

    async def edits(self, stream: str, after: int, until: int) -> Sequence[EditApplied]:
        await self._read()
        edits = [event for event in self.stream(stream) if isinstance(event, EditApplied)]
        return edits[after:until]

    async def find_last_edit(self, stream: str, client: str) -> LastEdit | None:
        await self._read()
        edits = [event for event in self.stream(stream) if isinstance(event, EditApplied)]
        mine = [edit for edit in edits if edit.client == client]
        return LastEdit(mine[-1].seq, mine[-1].revision, mine[-1].digest) if mine else None

    # Reading rooms, as the hub does.

    def _of_room(self, room: str, after: int, until: int) -> list[Recorded]:
        return [
            recorded
            for recorded in self.log
            if after < recorded.position <= until and parse_stream(recorded.event.originator_id).room == room
        ]

    async def messages(self, room: str, until: int, limit: int) -> Sequence[Recorded]:
        await self._read()
        return [r for r in self._of_room(room, 0, until) if isinstance(r.event, Posted)][-limit:]

    async def open_stays(self, room: str | None) -> Sequence[Recorded]:
        await self._read()
        ended = {recorded.event.originator_id for recorded in self.log if isinstance(recorded.event, Left)}
        joined = [r for r in self.log if isinstance(r.event, Joined) and r.event.originator_id not in ended]
        return [r for r in joined if room in (None, parse_stream(r.event.originator_id).room)]

    async def room_events(self, room: str, after: int, until: int, *, limit: int) -> Sequence[Recorded]:
        await self._read()
        events = self._of_room(room, after, until)
        return [r for r in events if parse_stream(r.event.originator_id).kind != "document"][:limit]


def _stored(event: Event) -> Event:
    stored: Event = decode(event.originator_id, event.originator_version, event.TOPIC, encode(event))
    return stored


class FakeNode:
    """A node's live aggregates and its `Log`."""

    def __init__(self, store: FakeStore, clock: Clock | None = None) -> None:
        self.store = store
        self.clock = clock or Clock()
        self.lives = LiveAggregates(self, store, monotonic=self.clock.monotonic)
        self.waiting: deque[Submission] = deque()
        self.dropped: list[Submission] = []
        """Submissions that were not current any more when their turn came."""
        self.is_full = False
        self.commits_by_itself = False
        self.followers: list[Callable[[Sequence[Recorded]], None]] = [self.lives.on_events]
        self._fed = 0

    # `Log`.

    def check_capacity(self) -> None:
        if self.is_full:
            raise Overloaded("full", retry_after=1.0)

    def submit(self, submission: Submission) -> None:
        self.waiting.append(submission)
        if self.commits_by_itself:
            asyncio.get_running_loop().call_soon(self.commit)

    # What happens to what was submitted.

    def commit(self, *, feed: bool = True) -> None:
        """Write everything that waits in one batch; a stream that does not fit is refused as a whole."""
        refused: list[Submission] = []
        while self.waiting:
            submission = self.waiting.popleft()
            if not submission.is_current:
                self.dropped.append(submission)
            elif any(other.stream == submission.stream for other in refused) or not self.store.append(
                submission.events
            ):
                refused.append(submission)
        if feed:
            self.feed()
        for submission in refused:
            submission.owner.on_refused(submission.generation)

    def lose_connection(self, *, committed: bool) -> None:
        """Fail during the commit of everything that waits: whether it came true is not known."""
        batch = [submission for submission in self.waiting if submission.is_current]
        if committed:
            self.commit(feed=False)
        self.waiting.clear()
        for submission in batch:
            submission.owner.on_refused(submission.generation)

    def stall(self) -> None:
        """The store has been away for too long."""
        for submission in self.waiting:
            submission.owner.on_stalled()

    def feed(self, count: int | None = None) -> None:
        """Bring what was committed, here or elsewhere, in one batch."""
        end = len(self.store.log) if count is None else self._fed + count
        batch, self._fed = self.store.log[self._fed : end], end
        if batch:
            for follower in self.followers:
                follower(batch)

    async def loaded(self) -> None:
        """Return when nothing is being read any more."""
        while loading := [live.loading for live in self.lives if live.loading is not None]:
            await asyncio.wait(loading)
            await asyncio.sleep(0)

    async def settled(self) -> None:
        """Commit and read until nothing is left to do."""
        await self.loaded()
        while self.waiting:
            self.commit()
            await self.loaded()
