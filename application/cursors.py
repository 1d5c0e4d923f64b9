"""Cursor moves on their way into the presence log: gathered per room for a moment, none lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

from application.live import LiveAggregates
from domain.errors import ChronoscribeError, Overloaded
from domain.ids import presence_stream
from domain.instants import as_microseconds
from domain.presence import Move, Presence

# Long enough to gather a room's moves into one row (18 times less write-ahead log than a row each),
# short enough that nobody sees a cursor lag.
FRAME_SECONDS: Final = 0.05

# Moves of a room that wait to be committed. A hundred people who move ten times a second make 50 in a
# frame; with this many the presence log is stalled, and a cursor is not worth more memory.
MOVES_WAITING_MAX: Final = 5_000


class Cursors:
    def __init__(self, lives: LiveAggregates, *, node: str, now: Callable[[], datetime]) -> None:
        self._lives = lives
        self._node = node
        self._now = now
        self._gathered: dict[str, list[Move]] = {}
        self._waiting: dict[str, int] = {}
        self._streams: dict[str, str] = {}
        self._begun = 0

    def move(self, room: str, client: str, document: str, revision: int, anchor: int, head: int) -> None:
        """Take a cursor move in. It is shown to the room, its owner included, when it is logged.

        Raises `Overloaded` when the presence log does not keep up.
        """
        if self._waiting.get(room, 0) >= MOVES_WAITING_MAX:
            raise Overloaded("cursors are not being logged", retry_after=1.0)
        self._waiting[room] = self._waiting.get(room, 0) + 1
        move: Move = [client, document, revision, anchor, head, as_microseconds(self._now())]
        gathered = self._gathered.get(room)
        if gathered is None:
            self._gathered[room] = [move]
            asyncio.get_running_loop().call_later(FRAME_SECONDS, self._flush, room)
        else:
            gathered.append(move)

    def _flush(self, room: str) -> None:
        moves = self._gathered.pop(room)
        at = self._now()
        name = self._stream_name(room)

        def decide(head: Presence | None) -> Presence:
            presence = head or Presence.begin(room, name, at=at)
            presence.record(moves, at=at)
            return presence

        done = self._lives.submit(presence_stream(room, name), decide, is_new=True)
        done.add_done_callback(lambda done: self._on_done(room, len(moves), done.exception()))

    def _stream_name(self, room: str) -> str:
        """The stream of this room's frames: a new one when the last has left the memory, since the presence
        log does not look whether a version is free."""
        name = self._streams.get(room)
        if name is None or presence_stream(room, name) not in self._lives:
            self._begun += 1
            name = self._streams[room] = f"{self._node}.{self._begun}"
        return name

    def _on_done(self, room: str, count: int, error: BaseException | None) -> None:
        """A frame that could not be logged is not shown either: the next move tells where the cursor is."""
        assert error is None or isinstance(error, ChronoscribeError), error
        waiting = self._waiting[room] - count
        if waiting:
            self._waiting[room] = waiting
        else:
            del self._waiting[room]
