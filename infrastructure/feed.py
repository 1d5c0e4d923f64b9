"""The feed: committed events of one log, in log order, each once, to whoever follows on this node.

A batch of this node comes straight from memory when it continues where the feed stands. Otherwise
another node has written in between, and the gap is read from the log. That another node has written
is told by a hint (see `Wakeup`), which may be late, repeated or lost: every 250 ms the feed looks
for itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from application.log import Recorded
from domain.errors import StoreUnavailable

logger = logging.getLogger(__name__)

# How late an event of another node can be when its hint is lost. Four small reads a second cost nothing.
POLL_SECONDS: Final = 0.25

# While the store is away there is nothing to read.
RETRY_SECONDS: Final = 0.25

Follower = Callable[[Sequence[Recorded]], None]


class FeedStore(Protocol):
    async def position(self) -> int: ...

    async def read_after(self, position: int) -> Sequence[Recorded]: ...


class Feed:
    """Owned by the node; `run` is its one task. Followers are called in the order in which they were added,
    must not fail and must not wait."""

    def __init__(self, store: FeedStore) -> None:
        self._store = store
        self._followers: list[Follower] = []
        self._wake = asyncio.Event()
        self.position = 0
        self.batches_read = 0

    def follow(self, follower: Follower) -> None:
        self._followers.append(follower)

    async def start(self) -> None:
        """Begin behind the newest event. Raises `StoreUnavailable`."""
        self.position = await self._store.position()

    def on_appended(self, previous: int, recorded: Sequence[Recorded]) -> None:
        """This node has committed `recorded`; `previous` was the log's newest position before it."""
        if previous == self.position:
            self._deliver(recorded)
        else:
            self._wake.set()

    def wake(self) -> None:
        """A hint that there may be something to read."""
        self._wake.set()

    async def run(self) -> None:
        """Read what did not come from memory, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self._read()
            except StoreUnavailable:
                await asyncio.sleep(RETRY_SECONDS)

    async def _read(self) -> None:
        while True:
            page = await self._store.read_after(self.position)
            # A batch from memory may have come in between: then it is part of the page.
            fresh = [recorded for recorded in page if recorded.position > self.position]
            if not fresh:
                return
            self.batches_read += 1
            self._deliver(fresh)

    def _deliver(self, batch: Sequence[Recorded]) -> None:
        self.position = batch[-1].position
        for follower in self._followers:
            follower(batch)
