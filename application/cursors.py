"""Cursor moves and typing on their way into the presence log: gathered per room for a moment, none lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

from application.live import LiveAggregates
from domain.errors import ChronoscribeError, Overloaded
from domain.ids import presence_stream
from domain.instants import as_microseconds
from domain.presence import HIDDEN, Move, Presence, Typing

# Long enough to gather a room's moves into one row (18 times less write-ahead log than a row each),
# short enough that nobody sees a cursor lag.
FRAME_SECONDS: Final = 0.05

# Moves of a room that wait to be committed. A hundred people who move ten times a second make 50 in a
# frame; with this many the presence log is stalled, and a cursor is not worth more memory.
MOVES_WAITING_MAX: Final = 5_000

# While cursors move, all of a room's are recorded again this often: whoever begins to read, a node or a
# replay, reads no further back. At 50 ms a frame this is one event more in four hundred.
KEYFRAME_SECONDS: Final = 20.0


class RoomCursors:
    """What this node has gathered of one room. Owned by `Cursors`."""

    __slots__ = ("keyframe_at", "last", "moves", "typing", "waiting")

    def __init__(self) -> None:
        self.moves: list[Move] = []
        self.typing: list[Typing] = []
        self.waiting = 0
        """Moves and signs that are gathered or being committed."""
        self.last: dict[tuple[str, str], Move] = {}
        """The last move of every cursor shown here, by client and document."""
        self.keyframe_at = float("-inf")


class Cursors:
    def __init__(
        self,
        lives: LiveAggregates,
        *,
        node: str,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._lives = lives
        self._node = node
        self._now = now
        self._monotonic = monotonic
        self._rooms: dict[str, RoomCursors] = {}
        self._streams: dict[str, str] = {}
        """The name of each room's last stream; a room that is let go in between goes on with it."""
        self._begun = 0

    def move(self, room: str, client: str, document: str, revision: int, anchor: int, head: int) -> None:
        """Take a cursor move in. It is shown to the room, its owner included, when it is logged.

        Raises `Overloaded` when the presence log does not keep up.
        """
        gathering = self._gather(room)
        move: Move = [client, document, revision, anchor, head, as_microseconds(self._now())]
        gathering.moves.append(move)
        gathering.last[client, document] = move

    def hide(self, room: str, client: str, document: str, revision: int) -> None:
        """The client does not show a cursor in this document any more, if it did. As `move`."""
        gathering = self._rooms.get(room)
        if gathering is not None and gathering.last.pop((client, document), None) is not None:
            at = as_microseconds(self._now())
            self._gather(room).moves.append([client, document, revision, HIDDEN, HIDDEN, at])

    def type(self, room: str, client: str, where: str, *, is_typing: bool) -> None:
        """Take a sign of typing in, or of its end; `where` is a document, or "" for the chat. As `move`."""
        at = as_microseconds(self._now())
        self._gather(room).typing.append([client, where, int(is_typing), at])

    def forget(self, room: str, client: str) -> None:
        """The client has left the room, and its cursors with it: that is told already."""
        gathering = self._rooms.get(room)
        if gathering is None:
            return
        for key in [key for key in gathering.last if key[0] == client]:
            del gathering.last[key]
        self._let_go(room, gathering)

    def _gather(self, room: str) -> RoomCursors:
        gathering = self._rooms.get(room)
        if gathering is None:
            gathering = self._rooms[room] = RoomCursors()
        if gathering.waiting >= MOVES_WAITING_MAX:
            raise Overloaded("cursors are not being logged", retry_after=1.0)
        if not gathering.moves and not gathering.typing:
            asyncio.get_running_loop().call_later(FRAME_SECONDS, self._flush, room, gathering)
        gathering.waiting += 1
        return gathering

    def _flush(self, room: str, gathering: RoomCursors) -> None:
        moves, typing = gathering.moves, gathering.typing
        gathering.moves, gathering.typing = [], []
        at = self._now()
        name = self._stream_name(room)
        keyframe = self._keyframe(gathering)

        def decide(head: Presence | None) -> Presence:
            presence = head or Presence.begin(room, name, node=self._node, at=at)
            presence.record(moves, typing, at=at)
            if keyframe:
                presence.record_keyframe(keyframe, at=at)
            return presence

        count = len(moves) + len(typing)
        done = self._lives.submit(presence_stream(room, name), decide, is_new=True)
        done.add_done_callback(lambda done: self._on_done(room, gathering, count, done.exception()))

    def _keyframe(self, gathering: RoomCursors) -> list[Move]:
        now = self._monotonic()
        if now - gathering.keyframe_at < KEYFRAME_SECONDS:
            return []
        if gathering.last:  # or the first cursor after a sign of typing would be in none for a while
            gathering.keyframe_at = now
        return list(gathering.last.values())

    def _stream_name(self, room: str) -> str:
        """The stream of this room's frames: a new one when the last has left the memory, since the presence
        log does not look whether a version is free."""
        name = self._streams.get(room)
        if name is None or presence_stream(room, name) not in self._lives:
            self._begun += 1
            name = self._streams[room] = f"{self._node}.{self._begun}"
        return name

    def _on_done(self, room: str, gathering: RoomCursors, count: int, error: BaseException | None) -> None:
        """A frame that could not be logged is not shown either: the next move tells where the cursor is."""
        assert error is None or isinstance(error, ChronoscribeError), error
        gathering.waiting -= count
        self._let_go(room, gathering)

    def _let_go(self, room: str, gathering: RoomCursors) -> None:
        if not gathering.waiting and not gathering.last and self._rooms.get(room) is gathering:
            del self._rooms[room]
