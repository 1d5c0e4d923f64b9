"""The feed: each event once and in log order, whether it comes from memory or has to be read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.log import Recorded
from domain.errors import StoreUnavailable
from infrastructure import feed as module
from infrastructure.feed import Feed
from tests.infrastructure import samples
from tests.waiting import running, until

[EVENT, *_] = samples.events()


class FakeStore:
    """A log with gaps, read in small pages; reads can be held."""

    PAGE = 3

    def __init__(self) -> None:
        self.log: list[Recorded] = []
        self.failures = 0
        self.reads = 0
        self.reading = 0
        self._open = asyncio.Event()
        self._open.set()

    def append(self, count: int) -> tuple[int, list[Recorded]]:
        """What `on_appended` is told of a batch of this many events."""
        previous = self.log[-1].position if self.log else 0
        batch = [Recorded(previous + 2 * n, EVENT) for n in range(1, count + 1)]
        self.log += batch
        return previous, batch

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def position(self) -> int:
        return self.log[-1].position if self.log else 0

    async def read_after(self, position: int) -> Sequence[Recorded]:
        page = [recorded for recorded in self.log if recorded.position > position][: self.PAGE]
        self.reads += 1
        self.reading += 1
        await self._open.wait()
        self.reading -= 1
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("the store is away")
        return page


class Followed:
    """A feed, and what a follower of it has seen."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.feed = Feed(self.store)
        self.batches: list[list[int]] = []
        self.feed.follow(self._on_events)

    def _on_events(self, batch: Sequence[Recorded]) -> None:
        self.batches.append([recorded.position for recorded in batch])

    @property
    def seen(self) -> list[int]:
        return [position for batch in self.batches for position in batch]

    @property
    def stored(self) -> list[int]:
        return [recorded.position for recorded in self.store.log]


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> Followed:
    """One that never looks by itself."""
    monkeypatch.setattr(module, "POLL_SECONDS", 3600.0)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)
    return Followed()


async def test_a_feed_begins_behind_the_newest_event(followed: Followed) -> None:
    followed.store.append(2)
    await followed.feed.start()
    followed.feed.on_appended(*followed.store.append(1))
    assert followed.batches == [[6]]


async def test_a_batch_that_continues_comes_from_memory_at_once(followed: Followed) -> None:
    followed.feed.on_appended(*followed.store.append(2))
    followed.feed.on_appended(*followed.store.append(1))
    assert followed.batches == [[2, 4], [6]]
    assert (followed.feed.position, followed.store.reads) == (6, 0)


async def test_followers_are_called_in_their_order(followed: Followed) -> None:
    order = []
    followed.feed.follow(lambda _: order.append("second"))
    followed.feed.follow(lambda _: order.append("third"))
    followed.feed.on_appended(*followed.store.append(1))
    assert (followed.seen, order) == ([2], ["second", "third"])


async def test_what_another_node_wrote_is_read_first(followed: Followed) -> None:
    async with running(followed.feed.run()):
        followed.store.append(1)  # of another node
        followed.feed.on_appended(*followed.store.append(1))
        assert followed.batches == []
        await until(lambda: followed.feed.position == 4)
        followed.feed.on_appended(*followed.store.append(1))
    assert followed.batches == [[2, 4], [6]]
    assert followed.feed.batches_read == 1


async def test_a_hint_is_enough(followed: Followed) -> None:
    async with running(followed.feed.run()):
        followed.store.append(1)
        followed.feed.wake()
        await until(lambda: followed.seen == [2])


async def test_a_long_gap_is_read_page_by_page(followed: Followed) -> None:
    async with running(followed.feed.run()):
        followed.store.append(7)
        followed.feed.wake()
        await until(lambda: followed.seen == followed.stored)
    assert [len(batch) for batch in followed.batches] == [3, 3, 1]


async def test_a_batch_from_memory_that_overtakes_a_read_is_not_repeated(followed: Followed) -> None:
    async with running(followed.feed.run()):
        previous, batch = followed.store.append(2)
        followed.store.hold()
        followed.feed.wake()
        await until(lambda: followed.store.reading)
        followed.feed.on_appended(previous, batch)
        followed.store.release()
        await until(lambda: followed.store.reads == 1 and not followed.store.reading)
        followed.feed.on_appended(*followed.store.append(1))
    assert followed.batches == [[2, 4], [6]]


async def test_the_part_of_a_page_that_came_from_memory_meanwhile_is_left_out(followed: Followed) -> None:
    async with running(followed.feed.run()):
        previous, batch = followed.store.append(1)
        followed.store.append(1)  # of another node
        followed.store.hold()
        followed.feed.wake()
        await until(lambda: followed.store.reading)
        followed.feed.on_appended(previous, batch)
        followed.store.release()
        await until(lambda: followed.seen == [2, 4])
    assert followed.batches == [[2], [4]]


async def test_a_lost_hint_is_made_up_for_by_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.01)
    followed = Followed()
    async with running(followed.feed.run()):
        followed.store.append(1)
        await until(lambda: followed.seen == [2])


async def test_while_the_store_is_away_the_feed_tries_again(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.001)
    followed.store.failures = 3
    async with running(followed.feed.run()):
        followed.store.append(1)
        followed.feed.wake()
        await until(lambda: followed.seen == [2])
    assert followed.store.failures == 0


@given(st.lists(st.tuples(st.sampled_from(["own", "foreign", "hint", "turn"]), st.integers(1, 5))))
async def test_whoever_writes_every_event_comes_once_and_in_order(steps: list[tuple[str, int]]) -> None:
    followed = Followed()
    late: list[tuple[int, list[Recorded]]] = []  # committed by this node, not yet handed over
    async with running(followed.feed.run()):
        for step, count in steps:
            match step:
                case "own":
                    late.append(followed.store.append(count))
                case "foreign":
                    followed.store.append(count)
                case "hint":
                    followed.feed.wake()
                case _:
                    await asyncio.sleep(0)
            if late and count > 2:
                followed.feed.on_appended(*late.pop(0))
        for appended in late:
            followed.feed.on_appended(*appended)
        followed.feed.wake()
        await until(lambda: followed.feed.position == (followed.stored or [0])[-1])
    assert followed.seen == followed.stored
