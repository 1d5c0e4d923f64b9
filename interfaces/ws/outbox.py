"""The bounded queue to one socket.

A frame is written straight into the transport while that has room, which it nearly always has: no
task switch, no second copy, and the same bytes for everybody. A reader that does not keep up gets a
queue, and a writer task that feeds the transport as it empties. Beyond a bound of bytes, frames or
time the reader is cut; it comes back and resumes from the log. Nobody else waits for it.
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

    def __init__(
        self, transport: Transport, on_slow: Callable[[], None], *, monotonic: Callable[[], float]
    ) -> None:
        self._transport = transport
        self._on_slow = on_slow
        self._monotonic = monotonic
        self._queue: deque[Frame] = deque()
        self._queued_bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self._is_closed = False

    def push(self, frame: Frame) -> None:
        """Send `frame` after all that were pushed before it."""
        if self._is_closed or self._transport.is_closing():
            return
        if not self._queue and self._transport.get_write_buffer_size() < DIRECT_BYTES:
            self._transport.write(frame.wire)
            return
        self._queue.append(frame)
        self._queued_bytes += len(frame)
        # One frame may be larger than the bound: a large document to one who opens it.
        if len(self._queue) > QUEUE_FRAMES_MAX or (
            self._queued_bytes > QUEUE_BYTES_MAX and len(self._queue) > 1
        ):
            self._cut()
        elif self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        """The writer task: lives while there is something queued."""
        moved_at, left = self._monotonic(), self._transport.get_write_buffer_size()
        while self._queue and not self._is_closed:
            size = self._transport.get_write_buffer_size()
            if size < DIRECT_BYTES:
                frame = self._queue.popleft()
                self._queued_bytes -= len(frame)
                self._transport.write(frame.wire)
                moved_at, left = self._monotonic(), self._transport.get_write_buffer_size()
                continue
            if size < left:
                moved_at, left = self._monotonic(), size
            elif self._monotonic() - moved_at > STUCK_SECONDS:
                self._cut()
                break
            await asyncio.sleep(POLL_SECONDS)
        self._writer = None

    def _cut(self) -> None:
        self.close()
        self._on_slow()

    @property
    def queued_bytes(self) -> int:
        """What waits here and in the transport."""
        return self._queued_bytes + self._transport.get_write_buffer_size()

    def close(self) -> None:
        """Take nothing more and forget what is queued."""
        self._is_closed = True
        self._queue.clear()
        self._queued_bytes = 0
