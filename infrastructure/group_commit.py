"""Group commit: one committer per log and node writes everything that waits in one transaction.

While a batch is in flight the next one gathers, so batches grow with the load by themselves and an
edit in an idle server does not wait for others. What was committed goes on to the feed; what was
refused is decided again by its live aggregate, while this committer holds the log's lock, so that
no other node can be first again.

A connection that fails during a commit leaves the outcome unknown. Then the whole batch counts as
refused: the live aggregates read what is there, and a command that came true finds its own trace.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence, Set
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from application.log import Guarded, Recorded, Submission
from domain.aggregate import Event
from domain.errors import Overloaded

# Events that may wait for a commit: a second of the highest load seen here. More waiting would only mean that
# clients wait longer than they do before they send again.
QUEUE_EVENTS_MAX: Final = 10_000

# Larger batches are hardly faster (see docs/performance.md) and delay the first in them.
BATCH_EVENTS_MAX: Final = 512

# An append that takes longer is given up as unknown.
APPEND_SECONDS: Final = 5.0

# While the store is away: how soon it is tried again. It comes back within a second after a crash.
RETRY_SECONDS: Final = 0.1
RETRY_SECONDS_MAX: Final = 1.0

# How long the store may be away before those who wait are told to come back.
STALL_SECONDS: Final = 5.0

# How long deciding again may hold the lock of the log: reading a few streams takes milliseconds.
DECIDE_AGAIN_SECONDS: Final = 2.0


class OutcomeUnknown(Exception):  # noqa: N818
    """The store failed during an append: it may or may not have come true."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch. `previous` is the log's newest position before it; `positions` are
    those of the events that were taken, in their order; `refused` the streams of which nothing
    was taken.
    """

    previous: int
    positions: Sequence[int]
    refused: frozenset[str]


class AppendStore(Protocol):
    """Where a log is kept. `guards` are those of `events`, one each. `exclusive` is for `append_within`."""

    async def append(self, events: Sequence[Event], guards: Sequence[Guarded]) -> Appended: ...

    def exclusive(self) -> AbstractAsyncContextManager[Any]: ...

    async def append_within(
        self, exclusive: Any, events: Sequence[Event], guards: Sequence[Guarded]
    ) -> Appended: ...


class Waitable(Protocol):
    """A live aggregate that is read again: `loading` is its task."""

    loading: asyncio.Task[None] | None


class GroupCommit:
    """The way into one log. `run` is the one task that writes."""

    def __init__(
        self,
        store: AppendStore,
        on_appended: Callable[[int, Sequence[Recorded]], None],
        *,
        monotonic: Callable[[], float],
    ) -> None:
        self._store = store
        self._on_appended = on_appended
        self._monotonic = monotonic
        self._queue: deque[Submission] = deque()
        self._waiting_events = 0
        self._refused: list[Submission] = []
        self._wake = asyncio.Event()
        self._trying_since: float | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._in_flight: Sequence[Submission] = ()
        self.batches = 0
        self.events = 0
        self.refusals = 0
        self.failures = 0

    # `Log`, for the live aggregates.

    def check_capacity(self) -> None:
        if self._waiting_events >= QUEUE_EVENTS_MAX:
            raise Overloaded("too much is waiting to be stored", retry_after=1.0)

    def submit(self, submission: Submission) -> None:
        self._queue.append(submission)
        self._waiting_events += len(submission.events)
        self._wake.set()

    @property
    def waiting_events(self) -> int:
        return self._waiting_events

    @property
    def stalled_seconds(self) -> float:
        """For how long what waits could not be appended; 0 while nothing waits. A Postgres that is frozen
        answers nothing, not even that it failed, so that counts from the beginning.
        """
        return 0.0 if self._trying_since is None else self._monotonic() - self._trying_since

    async def drained(self) -> None:
        """Return when nothing is waiting or in flight."""
        while self._queue or self._in_flight or self._refused:  # noqa: ASYNC110 -- only when a process ends
            await asyncio.sleep(0.005)

    # Writing.

    async def run(self) -> None:
        """Write until cancelled."""
        try:
            await self._run()
        finally:
            if self._stall is not None:
                self._stall.cancel()

    async def _run(self) -> None:
        retry_seconds = RETRY_SECONDS
        while True:
            if not self._refused:
                await self._wake.wait()
            if self._stall is None:
                self._stall = asyncio.get_running_loop().call_later(STALL_SECONDS, self._on_stall)
                self._trying_since = self._monotonic()
            try:
                async with asyncio.timeout(APPEND_SECONDS):
                    await (self._commit_refused() if self._refused else self._commit())
            except (OutcomeUnknown, TimeoutError):
                self._on_failure()
                await asyncio.sleep(retry_seconds)
                retry_seconds = min(2 * retry_seconds, RETRY_SECONDS_MAX)
            else:
                self._stall.cancel()
                self._stall = self._trying_since = None
                retry_seconds = RETRY_SECONDS

    async def _commit(self) -> None:
        batch = self._take()
        if batch:
            self._finish(batch, await self._store.append(*_flat(batch)))

    async def _commit_refused(self) -> None:
        async with self._store.exclusive() as exclusive:
            refused, self._refused = self._refused, []
            self._in_flight = refused
            await self._decide_again(refused)
            # Nothing else: a change of a room that was decided meanwhile would refuse them once more.
            batch = self._take({submission.stream for submission in refused})
            if batch:
                self._finish(batch, await self._store.append_within(exclusive, *_flat(batch)))
            self._in_flight = ()

    @staticmethod
    async def _decide_again(refused: Sequence[Submission]) -> None:
        # Whatever their generation is by now: the feed may have told them of a part meanwhile, and what was
        # decided on that would be refused again. Only what is read now is all there is.
        for owner in {id(submission.owner): submission.owner for submission in refused}.values():
            owner.on_refused(owner.generation)
        loading = [task for s in refused if (task := getattr(s.owner, "loading", None)) is not None]
        if loading:
            await asyncio.wait(loading, timeout=DECIDE_AGAIN_SECONDS)

    def _take(self, streams: Set[str] | None = None) -> Sequence[Submission]:
        """The next batch: what is current of the queue, of these streams or of all, up to the bound."""
        batch: list[Submission] = []
        others: list[Submission] = []
        size = 0
        while self._queue and size < BATCH_EVENTS_MAX:
            submission = self._queue.popleft()
            if streams is not None and submission.stream not in streams:
                others.append(submission)
                continue
            self._waiting_events -= len(submission.events)
            if submission.is_current:
                batch.append(submission)
                size += len(submission.events)
        self._queue.extendleft(reversed(others))
        if not self._queue:
            self._wake.clear()
        self._in_flight = batch
        return batch

    def _finish(self, batch: Sequence[Submission], appended: Appended) -> None:
        self._in_flight = ()
        taken = [s for s in batch if s.stream not in appended.refused] if appended.refused else batch
        events = [event for submission in taken for event in submission.events]
        assert len(events) == len(appended.positions), "every event is taken or its stream refused"
        if appended.refused:
            self._refused = [s for s in batch if s.stream in appended.refused]
            self.refusals += len(appended.refused)
        self.batches += 1
        self.events += len(events)
        if events:
            recorded = [Recorded(p, e) for p, e in zip(appended.positions, events, strict=True)]
            self._on_appended(appended.previous, recorded)

    def _on_failure(self) -> None:
        self.failures += 1
        self._refused = [*self._refused, *self._in_flight]
        self._in_flight = ()

    def _on_stall(self) -> None:
        """Nothing was committed for too long. By a timer, since giving up an append can itself take long
        when Postgres is frozen."""
        self._stall = asyncio.get_running_loop().call_later(STALL_SECONDS, self._on_stall)
        for submission in (*self._refused, *self._in_flight, *self._queue):
            submission.owner.on_stalled()


def _flat(batch: Sequence[Submission]) -> tuple[list[Event], list[Guarded]]:
    """The events of a batch, and the guard of each."""
    events: list[Event] = []
    guards: list[Guarded] = []
    for submission in batch:
        events += submission.events
        guards += [submission.guard] * len(submission.events)
    return events, guards
