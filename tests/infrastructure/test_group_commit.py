"""The committer, with a store that does what the test says and owners that write down what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from application.documents import Documents
from application.live import LiveAggregates
from application.log import Guarded, Recorded, Submission
from application.members import Members
from application.rooms import Rooms
from domain.aggregate import Event
from domain.document import Edit
from domain.errors import NotFound, Overloaded
from domain.ids import room_stream
from domain.profile import Profile
from domain.rights import Role
from domain.room import DocumentListed
from infrastructure import group_commit
from infrastructure.group_commit import (
    BATCH_EVENTS_MAX,
    QUEUE_EVENTS_MAX,
    Appended,
    GroupCommit,
    OutcomeUnknown,
)
from tests.application.fakes import Clock, FakeNode
from tests.application.fakes import FakeStore as NodesStore
from tests.domain.events import NOON
from tests.waiting import PATIENCE_SECONDS, running, until


class FakeStore:
    """Takes every batch, unless a test says otherwise before."""

    def __init__(self) -> None:
        self.batches: list[list[Event]] = []
        self.guards: list[list[Guarded]] = []
        """Those of each batch, also of what was refused."""
        self.refuses: set[str] = set()
        """Streams that the next append refuses."""
        self.failures = 0
        """How many appends from now on fail."""
        self.hangs = False
        self.is_exclusive = False
        self.exclusives = 0
        self.within = 0
        self.position = 100
        self._open = asyncio.Event()
        self._open.set()
        self.in_flight = 0

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def append(self, events: Sequence[Event], guards: Sequence[Guarded]) -> Appended:
        assert not self.is_exclusive
        return await self._append(events, guards)

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[object]:
        self._fail_perhaps()
        self.is_exclusive = True
        self.exclusives += 1
        try:
            yield self
        finally:
            self.is_exclusive = False

    async def append_within(
        self, exclusive: object, events: Sequence[Event], guards: Sequence[Guarded]
    ) -> Appended:
        assert exclusive is self
        assert self.is_exclusive
        self.within += 1
        return await self._append(events, guards)

    async def _append(self, events: Sequence[Event], guards: Sequence[Guarded]) -> Appended:
        self.in_flight += 1
        try:
            await self._open.wait()
            if self.hangs:
                await asyncio.Event().wait()
            self._fail_perhaps()
        finally:
            self.in_flight -= 1
        refused, self.refuses = self.refuses & {event.originator_id for event in events}, set()
        taken = [event for event in events if event.originator_id not in refused]
        previous = self.position
        positions = range(previous + 1, previous + 1 + len(taken))
        self.position += len(taken)
        self.batches.append(taken)
        self.guards.append(list(guards))
        return Appended(previous, positions, frozenset(refused))

    def _fail_perhaps(self) -> None:
        if self.failures:
            self.failures -= 1
            raise OutcomeUnknown("the connection is gone")


class FakeOwner:
    """A live aggregate without an aggregate."""

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.generation = 0
        self.refusals: list[int] = []
        self.stalls = 0
        self.loading: asyncio.Task[None] | None = None
        self.when_refused: Callable[[], object] = lambda: None

    def on_refused(self, generation: int) -> None:
        self.refusals.append(generation)
        if generation == self.generation:
            self.generation += 1
            self.when_refused()

    def on_stalled(self) -> None:
        self.stalls += 1

    def submission(self, *names: str, guard: Guarded = None) -> Submission:
        return Submission(self, self.generation, [an_event(self.stream, name) for name in names], guard)


def an_event(stream: str, name: str) -> Event:
    make: Any = DocumentListed
    event: Event = make(
        originator_id=stream, originator_version=2, timestamp=NOON, actor="Ada", document=name
    )
    return event


class Commit:
    """A committer with its surroundings."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.clock = Clock()
        self.appended: list[tuple[int, list[Recorded]]] = []
        self.log = GroupCommit(self.store, self._on_appended, monotonic=self.clock.monotonic)

    def _on_appended(self, previous: int, recorded: Sequence[Recorded]) -> None:
        self.appended.append((previous, list(recorded)))

    def submit(self, owner: FakeOwner, *names: str, guard: Guarded = None) -> Submission:
        submission = owner.submission(*names, guard=guard)
        self.log.submit(submission)
        return submission

    @property
    def names(self) -> list[list[str]]:
        """What was stored, by batch."""
        return [
            [event.document for event in batch if isinstance(event, DocumentListed)] for batch in self.batches
        ]

    @property
    def batches(self) -> list[list[Event]]:
        return self.store.batches


@pytest.fixture
def commit(monkeypatch: pytest.MonkeyPatch) -> Commit:
    monkeypatch.setattr(group_commit, "RETRY_SECONDS", 0.0)
    return Commit()


# Batches.


async def test_events_are_appended_and_go_on_with_their_places(commit: Commit) -> None:
    submission = commit.submit(FakeOwner("room:a"), "1", "2")
    async with running(commit.log.run()):
        await commit.log.drained()
    assert commit.appended == [
        (100, [Recorded(101, submission.events[0]), Recorded(102, submission.events[1])])
    ]
    assert (commit.log.batches, commit.log.events, commit.log.waiting_events) == (1, 2, 0)


async def test_a_batch_gathers_while_another_is_in_flight(commit: Commit) -> None:
    owners = [FakeOwner(f"room:{name}") for name in "abcd"]
    commit.store.hold()
    async with running(commit.log.run()):
        commit.submit(owners[0], "1")
        await until(lambda: commit.store.in_flight)
        for number, owner in enumerate(owners[1:], 2):
            commit.submit(owner, str(number))
        assert commit.log.waiting_events == 3
        commit.store.release()
        await commit.log.drained()
    assert commit.names == [["1"], ["2", "3", "4"]]


async def test_a_batch_is_bounded(commit: Commit) -> None:
    for number in range(BATCH_EVENTS_MAX + 3):
        commit.submit(FakeOwner(f"room:{number}"), str(number))
    async with running(commit.log.run()):
        await commit.log.drained()
    assert [len(batch) for batch in commit.batches] == [BATCH_EVENTS_MAX, 3]
    assert [event.originator_id for batch in commit.batches for event in batch] == [
        f"room:{number}" for number in range(BATCH_EVENTS_MAX + 3)
    ]


async def test_what_was_decided_again_meanwhile_is_not_written(commit: Commit) -> None:
    owner = FakeOwner("room:a")
    commit.submit(owner, "old")
    owner.generation += 1
    commit.submit(owner, "new")
    async with running(commit.log.run()):
        await commit.log.drained()
    assert commit.names == [["new"]]


async def test_nothing_is_written_when_nothing_is_current(commit: Commit) -> None:
    owner = FakeOwner("room:a")
    commit.submit(owner, "old")
    owner.generation += 1
    async with running(commit.log.run()):
        await commit.log.drained()
        assert commit.batches == []
        commit.submit(owner, "new")
        await commit.log.drained()
    assert commit.names == [["new"]]


async def test_no_more_is_taken_in_than_can_be_stored_in_a_while(commit: Commit) -> None:
    commit.submit(FakeOwner("room:a"), *["x"] * (QUEUE_EVENTS_MAX - 1))
    commit.log.check_capacity()
    commit.submit(FakeOwner("room:b"), "x")
    with pytest.raises(Overloaded) as refused:
        commit.log.check_capacity()
    assert refused.value.facts["retry_after"]
    async with running(commit.log.run()):
        await commit.log.drained()
    commit.log.check_capacity()


# Refusals.


async def test_a_refused_stream_does_not_fail_the_rest_of_its_batch(commit: Commit) -> None:
    lost, fine = FakeOwner("room:lost"), FakeOwner("room:fine")
    commit.store.refuses = {"room:lost"}
    commit.submit(lost, "1")
    commit.submit(fine, "2")
    async with running(commit.log.run()):
        await commit.log.drained()
    assert (lost.refusals, fine.refusals) == ([0], [])
    assert commit.names == [["2"]]
    assert [[recorded.position for recorded in batch] for _, batch in commit.appended] == [[101]]
    assert commit.log.refusals == 1


async def test_what_is_decided_again_is_written_while_nobody_else_can_be_first(commit: Commit) -> None:
    lost = FakeOwner("room:lost")
    was_exclusive = []

    def decide_again() -> None:
        was_exclusive.append(commit.store.is_exclusive)
        commit.submit(lost, "again")

    lost.when_refused = decide_again
    commit.store.refuses = {"room:lost"}
    commit.submit(lost, "1")
    async with running(commit.log.run()):
        await commit.log.drained()
    assert was_exclusive == [True]
    assert commit.names == [[], ["again"]]
    assert (commit.store.exclusives, commit.store.within) == (1, 1)


async def test_the_lock_is_given_back_when_nothing_is_decided_again(commit: Commit) -> None:
    lost = FakeOwner("room:lost")
    commit.store.refuses = {"room:lost"}
    commit.submit(lost, "1")
    async with running(commit.log.run()):
        await commit.log.drained()
        commit.submit(lost, "2")
        await commit.log.drained()
    assert (commit.store.exclusives, commit.store.within) == (1, 0)
    assert commit.names == [[], ["2"]]


async def test_deciding_again_waits_for_the_stream_to_be_read(commit: Commit) -> None:
    lost = FakeOwner("room:lost")
    can_read = asyncio.Event()

    async def read() -> None:
        await can_read.wait()
        commit.submit(lost, "again")

    def load() -> None:
        lost.loading = asyncio.ensure_future(read())

    lost.when_refused = load
    commit.store.refuses = {"room:lost"}
    commit.submit(lost, "1")
    async with running(commit.log.run()):
        await until(lambda: lost.loading)
        assert commit.store.is_exclusive
        can_read.set()
        await commit.log.drained()
    assert (commit.names, commit.store.within) == ([[], ["again"]], 1)


async def test_a_slow_reader_does_not_hold_the_lock_for_ever(
    commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "DECIDE_AGAIN_SECONDS", 0.01)
    slow, other = FakeOwner("room:slow"), FakeOwner("room:other")
    never = asyncio.Event()

    def load() -> None:
        slow.loading = asyncio.ensure_future(_wait(never))
        commit.submit(other, "2")

    slow.when_refused = load
    commit.store.refuses = {"room:slow"}
    commit.submit(slow, "1")
    async with running(commit.log.run()):
        await commit.log.drained()
    assert commit.names == [[], ["2"]]
    assert slow.loading is not None
    slow.loading.cancel()


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def test_a_second_refusal_is_decided_again_too(commit: Commit) -> None:
    lost = FakeOwner("room:lost")

    def decide_again() -> None:
        if lost.generation == 1:
            commit.store.refuses = {"room:lost"}
        commit.submit(lost, f"again {lost.generation}")

    lost.when_refused = decide_again
    commit.store.refuses = {"room:lost"}
    commit.submit(lost, "1")
    async with running(commit.log.run()):
        await commit.log.drained()
    assert lost.refusals == [0, 1]
    assert commit.names == [[], [], ["again 2"]]


async def test_under_the_lock_only_what_was_refused_is_written(commit: Commit) -> None:
    """Else a change of the room, decided meanwhile, would void the right of the refused edit once more."""
    lost, room = FakeOwner("document:demo/lost"), FakeOwner("room:demo")

    def decide_again() -> None:
        commit.submit(room, "renamed")
        commit.submit(lost, "again 1")
        commit.submit(lost, "again 2")

    lost.when_refused = decide_again
    commit.store.refuses = {lost.stream}
    commit.submit(lost, "1")
    async with running(commit.log.run()):
        await commit.log.drained()
    assert commit.names == [[], ["again 1", "again 2"], ["renamed"]]
    assert (commit.store.within, commit.log.waiting_events) == (1, 0)


async def test_what_waits_behind_a_refusal_keeps_its_order(
    commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "BATCH_EVENTS_MAX", 2)
    lost, fine = FakeOwner("room:lost"), FakeOwner("room:fine")

    def decide_again() -> None:
        for number in range(3):
            commit.submit(fine, f"fine {number}")
            commit.submit(lost, f"again {number}")

    lost.when_refused = decide_again
    commit.store.refuses = {"room:lost"}
    commit.submit(lost, "1")
    async with running(commit.log.run()):
        await commit.log.drained()
    assert commit.names == [
        [],
        ["again 0", "again 1"],
        ["fine 0", "fine 1"],
        ["fine 2", "again 2"],
    ]


# Guards.


async def test_every_event_goes_with_the_guard_that_it_was_decided_on(commit: Commit) -> None:
    commit.submit(FakeOwner("document:demo/a"), "1", "2", guard=("room:demo", 3))
    commit.submit(FakeOwner("room:demo"), "3")
    commit.submit(FakeOwner("document:demo/b"), "4", guard=("room:demo", 4))
    async with running(commit.log.run()):
        await commit.log.drained()
    assert commit.store.guards == [[("room:demo", 3), ("room:demo", 3), None, ("room:demo", 4)]]


class StoreOfNodes:
    """The store that the fakes share, as one committer sees it. `race` happens before its next append."""

    def __init__(self, store: NodesStore) -> None:
        self.store = store
        self.batches: list[Appended] = []
        self.is_exclusive = False
        self.race: Callable[[], object] = lambda: None

    async def append(self, events: Sequence[Event], guards: Sequence[Guarded]) -> Appended:
        self.race()
        self.race = lambda: None
        self.batches.append(self.store.append(events, guards))
        return self.batches[-1]

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[object]:
        self.is_exclusive = True
        yield self
        self.is_exclusive = False

    async def append_within(
        self, exclusive: object, events: Sequence[Event], guards: Sequence[Guarded]
    ) -> Appended:
        assert exclusive is self
        return await self.append(events, guards)


class Place:
    """A committer with live aggregates on it: a room of Ada's with Ben in it, and two documents."""

    def __init__(self) -> None:
        self.nodes = NodesStore()
        self.store = StoreOfNodes(self.nodes)
        self.log = GroupCommit(self.store, self._on_appended, monotonic=Clock().monotonic)
        self.lives = LiveAggregates(self.log, self.nodes, monotonic=Clock().monotonic)
        self.documents = Documents(
            self.lives, self.nodes, Rooms(self.lives, now=Clock().now), now=Clock().now
        )
        self.members = Members(self.lives, now=Clock().now, new_id=lambda: "")
        self._elsewhere = FakeNode(self.nodes)

    def _on_appended(self, previous: int, recorded: Sequence[Recorded]) -> None:
        self.lives.on_events(recorded)

    async def fill(self) -> None:
        rooms = Rooms(self.lives, now=Clock().now)
        await rooms.open("demo", "Demo", actor="ada")
        await self.members.put("demo", "ben", Role.EDITOR, actor="ada")
        for document in ("a", "b"):
            await self.documents.create("demo", document, actor="ada")
        self.store.batches.clear()

    async def elsewhere(self, change: Callable[[Members], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        """A change of the room on another node, decided; it is stored when it is called for."""
        await self._elsewhere.lives.get(room_stream("demo"))
        members = Members(self._elsewhere.lives, now=Clock().now, new_id=lambda: "")
        self._changing = asyncio.ensure_future(change(members))
        await until(lambda: self._elsewhere.waiting)
        return self._elsewhere.commit

    def edit(self, user: str, document: str = "a", seq: int = 1) -> asyncio.Future[Sequence[Recorded]]:
        return self.documents.edit("demo", document, Edit(user, seq, 0, ["x"], f"{seq}"), actor=user)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    place = Place()
    async with running(place.log.run()):
        await place.fill()
        yield place


async def test_an_edit_whose_room_has_changed_is_decided_again_under_the_lock(place: Place) -> None:
    place.store.race = await place.elsewhere(lambda m: m.put("demo", "cem", Role.EDITOR, actor="ada"))
    ours, theirs = place.edit("ben"), place.edit("ben", "b")
    assert [len(await done) for done in (ours, theirs)] == [1, 1]
    assert [sorted(appended.refused) for appended in place.store.batches] == [
        ["document:demo/a", "document:demo/b"],
        [],
    ]


async def test_an_edit_whose_right_has_gone_is_answered_and_the_rest_of_its_batch_stored(
    place: Place,
) -> None:
    place.store.race = await place.elsewhere(lambda m: m.remove("demo", "ben", actor="ada"))
    lost = [place.edit("ben"), place.edit("ben", seq=2), place.edit("ben", "b")]
    free = place.lives.submit(
        "profile:/dan", lambda _: Profile.create("dan", "Dan", actor="dan", at=NOON), is_new=True
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        answers = await asyncio.gather(*lost, return_exceptions=True)
        assert len(await free) == 1
    assert [type(answer) for answer in answers] == [NotFound] * 3
    assert len(place.nodes.stream("document:demo/a")) == 1
    assert len(place.store.batches[0].positions) == 1


async def test_edits_are_stored_while_their_room_changes_all_the_time(place: Place) -> None:
    """Every batch has a change of the room in it: the second decision must hold all the same."""
    changing = True

    async def change() -> None:
        number = 0
        while changing:
            number += 1
            role = (Role.VIEWER, Role.EDITOR)[number % 2]
            await place.members.put("demo", "cem", role, actor="ada")

    changes = [asyncio.ensure_future(change()) for _ in range(4)]
    for seq in range(1, 30):
        assert len(await place.edit("ben", seq=seq)) == 1
    changing = False
    await asyncio.gather(*changes)


# Failures.


async def test_after_a_failure_with_unknown_outcome_the_whole_batch_is_decided_again(commit: Commit) -> None:
    owners = [FakeOwner("room:a"), FakeOwner("room:b")]
    for owner in owners:
        owner.when_refused = partial(commit.submit, owner, f"{owner.stream} again")
        commit.submit(owner, "1")
    commit.store.failures = 1
    async with running(commit.log.run()):
        await commit.log.drained()
    assert [owner.refusals for owner in owners] == [[0], [0]]
    assert commit.names == [["room:a again", "room:b again"]]
    assert (commit.log.failures, commit.log.stalled_seconds) == (1, 0.0)


async def test_an_append_that_takes_too_long_counts_as_unknown(
    commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "APPEND_SECONDS", 0.02)
    owner = FakeOwner("room:a")
    commit.store.hangs = True
    commit.submit(owner, "1")
    async with running(commit.log.run()):
        await until(lambda: commit.log.failures)
        commit.store.hangs = False
        await until(lambda: owner.refusals)
    assert owner.refusals == [0]


async def test_nothing_of_a_failed_second_try_is_forgotten(commit: Commit) -> None:
    lost = FakeOwner("room:lost")

    def decide_again() -> None:
        commit.submit(lost, f"again {lost.generation}")
        if lost.generation == 1:
            commit.store.failures = 2  # once while this is written, once before the lock is had again

    lost.when_refused = decide_again
    commit.store.refuses = {"room:lost"}
    commit.submit(lost, "1")
    async with running(commit.log.run()):
        await commit.log.drained()
    assert lost.refusals == [0, 1]
    assert commit.names == [[], ["again 2"]]
    assert commit.log.failures == 2


@pytest.mark.parametrize("hangs", [True, False], ids=["hanging", "failing"])
async def test_who_waits_is_told_when_the_store_is_away_for_long(
    commit: Commit, monkeypatch: pytest.MonkeyPatch, *, hangs: bool
) -> None:
    monkeypatch.setattr(group_commit, "STALL_SECONDS", 0.05)
    written, queued = FakeOwner("room:a"), FakeOwner("room:b")
    commit.store.hangs = hangs
    commit.store.failures = 0 if hangs else 10**9
    commit.submit(written, "1")
    async with running(commit.log.run()):
        await until(lambda: commit.store.in_flight or commit.log.failures)
        commit.submit(queued, "2")
        await until(lambda: written.stalls > 1 and queued.stalls > 1)


async def test_the_time_of_a_stall_is_counted_from_the_first_append_that_did_not_come_true(
    commit: Commit,
) -> None:
    commit.store.failures = 10**9
    commit.submit(FakeOwner("room:a"), "1")
    async with running(commit.log.run()):
        await until(lambda: commit.log.failures)
        commit.clock.advance(7)
        await until(lambda: commit.log.failures > 3)
        assert commit.log.stalled_seconds == pytest.approx(7)
        commit.store.failures = 0
        await commit.log.drained()
        await until(lambda: not commit.log.stalled_seconds)


async def test_in_good_times_nobody_is_told_of_a_stall(
    commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "STALL_SECONDS", 0.3)
    first, last = FakeOwner("room:a"), FakeOwner("room:b")
    commit.submit(first, "1")
    async with running(commit.log.run()):
        await commit.log.drained()
        assert commit.log.stalled_seconds == 0.0
        began = asyncio.get_running_loop().time()
        await until(lambda: asyncio.get_running_loop().time() > began + 0.4)
        commit.submit(last, "2")
        await commit.log.drained()
    assert (first.stalls, last.stalls) == (0, 0)


async def test_tries_get_further_apart_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    commit, slept = Commit(), []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        slept.append(seconds)
        await sleep(0)

    monkeypatch.setattr("infrastructure.group_commit.asyncio.sleep", note)
    commit.store.failures = 6
    commit.submit(FakeOwner("room:a"), "1")
    async with running(commit.log.run()), asyncio.timeout(10):
        while len(slept) < 6:
            await sleep(0)
    assert slept[:6] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
