"""A store in memory, and nodes on it whose commits happen when a test says so.

`FakeStore` is what is committed, with the rule of the real one: events of a stream are taken when they
follow on what is stored and nothing newer is in the streams that guard them. It is read as bytes, like the
real one. `FakeNode` is a node's way into it: what was submitted waits until `commit`, and what was committed
waits until `feed`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from application.live import LiveAggregates
from application.log import Guarded, Recorded, Submission
from domain.aggregate import Event
from domain.attendance import Joined, Left, StatusChanged
from domain.document import EditApplied, LastEdit
from domain.errors import Overloaded, StoreUnavailable
from domain.ids import parse_stream, profile_stream
from domain.presence import FrameRecorded, KeyframeRecorded
from domain.profile import ProfileChanged, ProfileCreated
from domain.receipts import Pointers, ReceiptsRecorded
from infrastructure.codec import decode, encode
from infrastructure.group_commit import Appended
from infrastructure.postgres.log import FRAMES_MAX


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
        self.presence = self
        """Where `frames` looks: another store when a test keeps cursors apart, as a node does."""
        self._reading = asyncio.Event()
        self._reading.set()

    def stream(self, stream: str) -> list[Event]:
        return [recorded.event for recorded in self.log if recorded.event.originator_id == stream]

    def append(self, events: Sequence[Event], guards: Sequence[Guarded] = ()) -> Appended:
        """Store a batch; `guards` are those of the events, one each, or none at all. Of each stream all or
        nothing is taken: it must follow on what is there, and no guard be older than what is there or comes.
        """
        previous = self.log[-1].position if self.log else 0
        firsts: dict[str, int] = {}
        for event in events:
            firsts.setdefault(event.originator_id, event.originator_version)
        late = {
            event.originator_id
            for event, guard in zip(events, guards or [None] * len(events), strict=True)
            if guard is not None and guard[1] < self._newest(guard[0], events)
        }
        refused = {s for s, first in firsts.items() if s in late or first != len(self.stream(s)) + 1}
        positions = [self._store(event) for event in events if event.originator_id not in refused]
        return Appended(previous, positions, frozenset(refused))

    def _newest(self, stream: str, batch: Sequence[Event]) -> int:
        """The newest version of a stream, stored or in a batch."""
        coming = (event.originator_version for event in batch if event.originator_id == stream)
        return max(len(self.stream(stream)), *coming, 0)

    def _store(self, event: Event) -> int:
        position = self.log[-1].position + 2 if self.log else 1  # ids have gaps
        self.log.append(Recorded(position, _stored(event)))
        return position

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

    async def recorded(self, stream: str, after: int = 0, *, limit: int | None = None) -> Sequence[Recorded]:
        await self._read()
        found = [recorded for recorded in self.log if recorded.event.originator_id == stream]
        return found[after:][:limit]

    async def begun(self, streams: Sequence[str]) -> Sequence[Recorded]:
        await self._read()
        wanted = set(streams)
        begun = (recorded for recorded in self.log if recorded.event.originator_version == 1)
        return [recorded for recorded in begun if recorded.event.originator_id in wanted]

    async def position(self) -> int:
        await self._read()
        return self.log[-1].position if self.log else 0

    async def edits(self, stream: str, after: int, until: int) -> Sequence[EditApplied]:
        await self._read()
        edits = [event for event in self.stream(stream) if isinstance(event, EditApplied)]
        return edits[after:until]

    async def find_last_edit(self, stream: str, client: str) -> LastEdit | None:
        await self._read()
        edits = [event for event in self.stream(stream) if isinstance(event, EditApplied)]
        mine = [edit for edit in edits if edit.client == client]
        return LastEdit(mine[-1].seq, mine[-1].revision, mine[-1].digest) if mine else None

    async def find_client_user(self, room: str, client: str) -> str | None:
        await self._read()
        joined = (r.event for r in self._of_room(room) if isinstance(r.event, Joined))
        return next((event.actor for event in joined if event.client == client), None)

    # Reading rooms and people, as the hub does.

    def _of_room(self, room: str, after: int = 0, until: int | None = None) -> list[Recorded]:
        return [
            recorded
            for recorded in self.log
            if after < recorded.position
            and (until is None or recorded.position <= until)
            and parse_stream(recorded.event.originator_id).room == room
        ]

    async def messages(self, room: str, until: int, limit: int) -> Sequence[Recorded]:
        await self._read()
        found = [r for r in self._of_room(room, 0, until) if r.event.TOPIC.startswith("message.")]
        begun = [r.event.originator_id for r in found if r.event.originator_version == 1][-limit:]
        return [r for r in found if r.event.originator_id in begun]

    async def receipts(self, room: str, until: int) -> tuple[dict[str, Pointers], Sequence[Recorded]]:
        """As where the table is still empty."""
        await self._read()
        return {}, [r for r in self._of_room(room, 0, until) if isinstance(r.event, ReceiptsRecorded)]

    async def open_stays(self, room: str | None) -> Sequence[Recorded]:
        """How each stay began that has not ended, and its last status where it has changed."""
        await self._read()
        began: dict[str, Recorded] = {}
        changed: dict[str, Recorded] = {}
        for recorded in self.log if room is None else self._of_room(room):
            stream = recorded.event.originator_id
            match recorded.event:
                case Joined():
                    began[stream] = recorded
                case StatusChanged():
                    changed[stream] = recorded
                case Left():
                    del began[stream]
                    changed.pop(stream, None)
        return sorted([*began.values(), *changed.values()], key=lambda recorded: recorded.position)

    async def profiles(self, users: Iterable[str]) -> Sequence[Recorded]:
        await self._read()
        wanted = {profile_stream(user) for user in users}
        newest = {
            recorded.event.originator_id: recorded
            for recorded in self.log
            if recorded.event.originator_id in wanted
            and isinstance(recorded.event, ProfileCreated | ProfileChanged)
        }
        return sorted(newest.values(), key=lambda recorded: recorded.position)

    async def frames(self, room: str, nodes: Sequence[str]) -> Sequence[Recorded]:
        await self._read()
        found = self.presence._of_room(room)
        keyframes = {
            recorded.event.actor: recorded
            for recorded in found
            if isinstance(recorded.event, KeyframeRecorded) and recorded.event.actor in nodes
        }
        if not keyframes:
            return []
        since = min(recorded.event.timestamp for recorded in keyframes.values())
        later = [r for r in found if isinstance(r.event, FrameRecorded) and r.event.timestamp >= since]
        return [*sorted(keyframes.values(), key=lambda recorded: recorded.position), *later[:FRAMES_MAX]]

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
        batch = [submission for submission in self.waiting if submission.is_current]
        self.dropped += [submission for submission in self.waiting if not submission.is_current]
        self.waiting.clear()
        events = [event for submission in batch for event in submission.events]
        guards = [submission.guard for submission in batch for _ in submission.events]
        refused = self.store.append(events, guards).refused
        if feed:
            self.feed()
        for submission in batch:
            if submission.stream in refused:
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
        while reading := self.lives._tasks:
            await asyncio.wait(reading)
            await asyncio.sleep(0)

    async def settled(self) -> None:
        """Commit and read until nothing is left to do."""
        await self.loaded()
        while self.waiting:
            self.commit()
            await self.loaded()
