"""What can be done with rooms: open, look, rename, close, list documents. Who may is the room's to say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from application.live import Guard, LiveAggregates
from domain.errors import Contended, Forbidden, NotFound
from domain.ids import room_stream
from domain.rights import Action, Role
from domain.room import Room

# How long a client is told to wait for a node that is behind: as long as between two looks of the feed.
BEHIND_SECONDS: Final = 0.25


def guard(room: str, user: str, action: Action) -> Guard:
    """That `user` may do this in `room`, when it is decided and when it is appended."""

    def check(found: Room | None) -> None:
        if found is None:
            raise NotFound("there is no such room")
        found.require(user, action)

    return Guard(room_stream(room), user, check)


class Rooms:
    def __init__(self, lives: LiveAggregates, *, now: Callable[[], datetime]) -> None:
        self._lives = lives
        self._now = now

    async def open(self, room: str, title: str, *, actor: str, everyone: Role | None = None) -> Room:
        """Open a room that belongs to `actor`, or find it there as it is.

        Raises `TextInvalid`, `NotFound` for one that exists and that `actor` may not know of,
        `StoreUnavailable`, `Overloaded`.
        """
        at = self._now()

        def decide(head: Room | None) -> Room:
            return head or Room.open(room, title, actor=actor, at=at, everyone=everyone)

        await self._lives.submit(room_stream(room), decide)
        return await self.enter(room, actor, Action.READ)

    async def get(self, room: str) -> Room:
        """The live, committed room. Raises `NotFound`, `StoreUnavailable`."""
        found = await self._lives.get(room_stream(room))
        if found is None:
            raise NotFound("there is no such room")
        assert isinstance(found, Room)
        return found

    def find(self, room: str) -> Room | None:
        """The same when it is in memory."""
        return self._lives.find(room_stream(room))

    async def enter(self, room: str, user: str, action: Action, *, from_log: bool = False) -> Room:
        """The room, if `user` may do this in it. A refusal is never said from memory, since another node may
        have let somebody in a moment ago; so it also takes as long as for a room that there is not. With
        `from_log` a yes is not either: it is for who comes to stay, and may have been removed a moment ago.

        Raises `NotFound`, `Forbidden`, `StoreUnavailable`.
        """
        found = None if from_log else self.find(room)
        if found is not None and found.allows(user, action):
            return found
        fresh = await self._lives.refresh(room_stream(room))
        if fresh is None:
            raise NotFound("there is no such room")
        assert isinstance(fresh, Room)
        fresh.require(user, action)
        return fresh

    async def list_document(self, room: str, document: str, *, actor: str) -> None:
        """Put `document` into the room's list. Raises `NotFound`, `Forbidden`, `RoomFull` and as `open`."""
        await self._change(room, lambda found, at: found.list_document(document, actor=actor, at=at))

    async def unlist_document(self, room: str, document: str, *, actor: str) -> None:
        """Take `document` off the room's list. Raises `NotFound`, `Forbidden` and as `open`."""
        await self._change(room, lambda found, at: found.unlist_document(document, actor=actor, at=at))

    async def rename(self, room: str, title: str, *, actor: str) -> None:
        """Raises `NotFound`, `Forbidden`, `TextInvalid` and as `open`."""
        await self._change(room, lambda found, at: found.rename(title, actor=actor, at=at))

    async def change_access(self, room: str, everyone: Role | None, *, actor: str) -> None:
        """What those may do who are no members. Raises `NotFound`, `Forbidden` and as `open`."""
        await self._change(room, lambda found, at: found.change_access(everyone, actor=actor, at=at))

    async def seal(self, room: str, *, is_sealed: bool, actor: str) -> None:
        """Store what people write under keys of theirs, or not. Raises as `rename`."""
        await self._change(room, lambda found, at: found.seal(is_sealed=is_sealed, actor=actor, at=at))

    async def close(self, room: str, *, actor: str) -> None:
        """Close the room for good. Raises `NotFound`, `Forbidden` and as `open`."""
        await self._change(room, lambda found, at: found.close(actor=actor, at=at))

    async def _change(self, room: str, change: Callable[[Room, datetime], None]) -> None:
        await change_room(self._lives, room, self._now(), change)


async def change_room(
    lives: LiveAggregates, room: str, at: datetime, change: Callable[[Room, datetime], None]
) -> None:
    """Decide a change of a room and wait until it is in the log. Raises what `change` raises, `NotFound`, and
    `Contended` when it is this node that is behind.

    As with `enter`, a refusal is never said from memory: the link that somebody has come by, or the role that
    they were given, may have been made by another node a moment ago.
    """

    def decide(head: Room | None) -> Room:
        if head is None:
            raise NotFound("there is no such room")
        change(head, at)
        return head

    stream = room_stream(room)
    try:
        await lives.submit(stream, decide)
    except (NotFound, Forbidden):
        decide(await lives.refresh(stream))
        raise Contended("this node is a moment behind", retry_after=BEHIND_SECONDS) from None
