"""What can be done with rooms: open, look, list documents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from application.live import LiveAggregates
from domain.errors import NotFound
from domain.ids import room_stream
from domain.room import Room


class Rooms:
    def __init__(self, lives: LiveAggregates, *, now: Callable[[], datetime]) -> None:
        self._lives = lives
        self._now = now

    async def open(self, room: str, title: str, *, actor: str) -> Room:
        """Open a room, or find it there, with the title that it has. Raises `StoreUnavailable`,
        `Overloaded`.
        """
        at = self._now()

        def decide(head: Room | None) -> Room:
            return head or Room.open(room, title, actor=actor, at=at)

        await self._lives.submit(room_stream(room), decide)
        return await self.get(room)

    async def get(self, room: str) -> Room:
        """The live, committed room. Raises `NotFound`, `StoreUnavailable`."""
        found = await self._lives.get(room_stream(room))
        if found is None:
            raise NotFound("there is no such room")
        assert isinstance(found, Room)
        return found

    async def list_document(self, room: str, document: str, *, actor: str) -> None:
        """Put `document` into the room's list. Raises `NotFound`, `RoomFull` and as `open`."""
        at = self._now()

        def decide(head: Room | None) -> Room:
            if head is None:
                raise NotFound("there is no such room")
            head.list_document(document, actor=actor, at=at)
            return head

        await self._lives.submit(room_stream(room), decide)
