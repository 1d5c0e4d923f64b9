"""The bounded queue to one socket.

A frame is written straight into the transport while that has room, which it nearly always has: no
task switch, no second copy, and the same bytes for everybody. A reader that does not keep up gets a
queue, and a writer task that feeds the transport as it empties. Beyond a bound of bytes, frames or
time the reader is cut; it comes back and resumes from the log. Nobody else waits for it.

What the reader has asked for itself is not counted in bytes: it would come back and ask for the same
again, and be cut again. Instead its session takes no more requests in until it has room for answers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from interfaces.ws.wire import Frame

# What may lie in the transport before frames are queued.
DIRECT_BYTES: Final = 64 * 1024

# A socket that is behind by more is told to come back: resuming is cheaper than this memory times
# all sockets.
QUEUE_BYTES_MAX: Final = 1024 * 1024
QUEUE_FRAMES_MAX: Final = 1_000

# For how long a reader may take nothing at all. Less than a heartbeat, more than a hiccup of a
# mobile network.
STUCK_SECONDS: Final = 10.0

# How often the writer looks whether a full transport has emptied. Only slow readers pay for it.
POLL_SECONDS: Final = 0.02


class Transport(Protocol):
    """Of asyncio's transport what is needed here."""

    def write(self, data: bytes) -> None: ...

    def get_write_buffer_size(self) -> int: ...

    def is_closing(self) -> bool: ...


class Outbox:
    """Owned by its session. `on_slow` is called once, when the reader has to be cut."""

    __slots__ = (
        "_asked_queued",
        "_is_closed",
        "_monotonic",
        "_on_slow",
        "_pushed_bytes",
        "_queue",
        "_queued_bytes",
        "_room",
        "_transport",
        "_writer",
    )

    def __init__(
        self, transport: Transport, on_slow: Callable[[], None], *, monotonic: Callable[[], float]
    ) -> None:
        self._transport = transport
        self._on_slow = on_slow
        self._monotonic = monotonic
        self._queue: deque[tuple[Frame, bool]] = deque()  # with whether it was asked for
        self._queued_bytes = 0
        self._pushed_bytes = 0  # of those that were not asked for
        self._asked_queued = 0
        self._room: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._is_closed = False

    def push(self, frame: Frame, *, is_asked_for: bool = False) -> None:
        """Send `frame` after all that were pushed before it."""
        if self._is_closed or self._transport.is_closing():
            return
        if not self._queue and self._transport.get_write_buffer_size() < DIRECT_BYTES:
            self._transport.write(frame.wire)
            return
        self._queue.append((frame, is_asked_for))
        self._count(frame, 1, is_asked_for=is_asked_for)
        if len(self._queue) > QUEUE_FRAMES_MAX or self._pushed_bytes > QUEUE_BYTES_MAX:
            self._cut()
        elif self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        """The writer task: lives while there is something queued."""
        moved_at, left = self._monotonic(), self._transport.get_write_buffer_size()
        while self._queue and not self._is_closed:
            size = self._transport.get_write_buffer_size()
            if size < DIRECT_BYTES:
                frame, is_asked_for = self._queue.popleft()
                self._transport.write(frame.wire)
                self._count(frame, -1, is_asked_for=is_asked_for)
                moved_at, left = self._monotonic(), self._transport.get_write_buffer_size()
                continue
            if size < left:
                moved_at, left = self._monotonic(), size
            elif self._monotonic() - moved_at > STUCK_SECONDS:
                self._cut()
                break
            await asyncio.sleep(POLL_SECONDS)
        self._writer = None

    def _count(self, frame: Frame, change: int, *, is_asked_for: bool) -> None:
        self._queued_bytes += change * len(frame)
        if not is_asked_for:
            self._pushed_bytes += change * len(frame)
            return
        self._asked_queued += change
        if not self._asked_queued:
            self._tell_room()

    async def room(self) -> None:
        """Return when no answer waits any more; at once when none does. For the session's reader."""
        if self._asked_queued:
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    def _tell_room(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    def _cut(self) -> None:
        self.close()
        self._on_slow()

    @property
    def is_empty(self) -> bool:
        """Whether everything has gone to the transport."""
        return not self._queue

    @property
    def queued_bytes(self) -> int:
        """What waits here and in the transport."""
        return self._queued_bytes + self._transport.get_write_buffer_size()

    def close(self) -> None:
        """Take nothing more and forget what is queued."""
        self._is_closed = True
        self._queue.clear()
        self._queued_bytes = self._pushed_bytes = self._asked_queued = 0
        self._tell_room()
