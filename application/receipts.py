"""Who has got and read what: pointers of one room are gathered for a moment and logged as one event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from application.live import LiveAggregates
from application.log import Recorded
from domain import receipts as domain
from domain.errors import BadFrame
from domain.ids import receipts_stream
from domain.instants import as_microseconds
from domain.receipts import Pointers, PointersByUser, ReceiptsRecorded

# So long pointers gather. A reader's pointer moves with every message in sight; nobody needs to see each of
# the steps, and fifty readers of a busy room would otherwise write more than its authors.
GATHER_SECONDS: Final = 0.5


class Gathering:
    """What a room's readers have told in this moment. `done` is of all of them."""

    __slots__ = ("done", "pointers")

    def __init__(self, done: asyncio.Future[Sequence[Recorded]]) -> None:
        self.pointers: dict[str, tuple[Pointers, int]] = {}
        self.done = done


class Receipts:
    def __init__(self, lives: LiveAggregates, *, node: str, now: Callable[[], datetime]) -> None:
        self._lives = lives
        self._node = node
        self._now = now
        self._rooms: dict[str, Gathering] = {}
        self._streams: dict[str, str] = {}
        self._begun = 0

    def note(self, room: str, user: str, *, delivered: int, read: int) -> asyncio.Future[Sequence[Recorded]]:
        """Take in how far `user` has come. The future is done when it is logged, with what others told at the
        same time; it raises `Contended`, `Overloaded`, `StoreUnavailable`.
        """
        loop = asyncio.get_running_loop()
        gathering = self._rooms.get(room)
        if gathering is None:
            gathering = self._rooms[room] = Gathering(loop.create_future())
            loop.call_later(GATHER_SECONDS, self._flush, room)
        known, _ = gathering.pointers.get(user, (Pointers(), 0))
        gathering.pointers[user] = (known.joined(delivered, read), as_microseconds(self._now()))
        return gathering.done

    async def move(self, room: str, user: str, *, delivered: int, read: int) -> Pointers:
        """Take in how far `user` has come and wait until it is logged, if it is further than before. Returns
        how far it is.

        Raises `BadFrame` for what nobody can have got, and what the future of `note` raises.
        """
        history = self._lives.history
        position = await history.position()
        for field, told in (("delivered", delivered), ("read", read)):
            if told > position:
                raise BadFrame("the log does not reach so far", field=field, limit=position)
        table, behind = await history.receipts(room, position)
        known = PointersByUser(table)
        for recorded in behind:
            if isinstance(recorded.event, ReceiptsRecorded):  # and not one that cannot be read
                known.take(recorded.event.receipts)
        before = known.get(user, Pointers())
        after = before.joined(delivered, read)
        if after != before:
            noted = self.note(room, user, delivered=delivered, read=read)
            await asyncio.shield(noted)  # others wait for the same
        return after

    def _flush(self, room: str) -> None:
        gathering = self._rooms.pop(room)
        told: list[domain.Receipt] = [
            [user, pointers.delivered, pointers.read, at]
            for user, (pointers, at) in gathering.pointers.items()
        ]
        at = self._now()
        name = self._stream_name(room)

        def decide(head: domain.Receipts | None) -> domain.Receipts:
            receipts = head or domain.Receipts.begin(room, name, node=self._node, at=at)
            receipts.record(told, at=at)
            return receipts

        done = self._lives.submit(receipts_stream(room, name), decide, is_new=True)
        done.add_done_callback(lambda done: _hand_on(done, gathering.done))

    def _stream_name(self, room: str) -> str:
        """A new stream when the last has left the memory, so that none is ever read."""
        name = self._streams.get(room)
        if name is None or receipts_stream(room, name) not in self._lives:
            self._begun += 1
            name = self._streams[room] = f"{self._node}.{self._begun}"
        return name


def _hand_on(done: asyncio.Future[Sequence[Recorded]], waiting: asyncio.Future[Sequence[Recorded]]) -> None:
    error = done.exception()
    if error is None:
        waiting.set_result(done.result())
    else:
        waiting.set_exception(error)
        waiting.exception()  # those who told may all have gone: then nobody asks
