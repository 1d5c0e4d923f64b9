"""What can be done with the members of a room: add, change, remove, invite, accept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from application.live import LiveAggregates
from application.rooms import change_room
from domain.rights import Role
from domain.room import Room


@dataclass(frozen=True, slots=True)
class Link:
    """What an inviter passes on: it is told once and kept nowhere."""

    invitation: str
    secret: str


def digest_of(secret: str) -> str:
    """What is stored of a secret. It is random and long, so that a plain hash cannot be searched."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Members:
    """All methods raise `NotFound` and `Forbidden` as the room says, `StoreUnavailable`, `Overloaded`."""

    def __init__(
        self, lives: LiveAggregates, *, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._lives = lives
        self._now = now
        self._new_id = new_id

    async def put(self, room: str, user: str, role: Role, *, actor: str) -> None:
        """Add a member or change their role. Raises `RoomFull`, `LastOwner`."""
        await self._change(room, lambda found, at: found.add_member(user, role, actor=actor, at=at))

    async def remove(self, room: str, user: str, *, actor: str) -> None:
        """Remove a member; users may remove themselves. Raises `LastOwner`."""
        await self._change(room, lambda found, at: found.remove_member(user, actor=actor, at=at))

    async def invite(
        self, room: str, role: Role, *, lifetime: timedelta, uses: int | None, actor: str
    ) -> Link:
        """A link by which `uses` users (None: any number) become members. Raises `RoomFull`."""
        link = Link(self._new_id(), self._new_id() + self._new_id())

        def invite(found: Room, at: datetime) -> None:
            found.invite(
                link.invitation,
                role,
                digest=digest_of(link.secret),
                expires=at + lifetime,
                uses=uses,
                actor=actor,
                at=at,
            )

        await self._change(room, invite)
        return link

    async def revoke(self, room: str, invitation: str, *, actor: str) -> None:
        """The link lets nobody in any more."""
        await self._change(room, lambda found, at: found.revoke_invitation(invitation, actor=actor, at=at))

    async def accept(self, room: str, invitation: str, secret: str, *, actor: str) -> None:
        """Become a member by a link. Raises `NotFound` for every link that does not let in, `RoomFull`."""
        digest = digest_of(secret)
        await self._change(
            room, lambda found, at: found.accept_invitation(invitation, digest=digest, actor=actor, at=at)
        )

    async def _change(self, room: str, change: Callable[[Room, datetime], None]) -> None:
        await change_room(self._lives, room, self._now(), change)
