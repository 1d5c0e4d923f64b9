"""The table of rooms: which there are, and which of them a user may enter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from application.log import Recorded
from infrastructure.postgres.database import Connection, Database
from projections import rooms
from projections.rooms import RoomEntry

_OPEN: Final = b"""
INSERT INTO rooms (room, title, everyone, created_at, created_by, closed_at, position)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (room) DO NOTHING
"""
_CHANGE: Final = b"""
UPDATE rooms SET title = coalesce(%s, title), everyone = CASE WHEN %s THEN %s ELSE everyone END,
    closed_at = coalesce(closed_at, %s)
WHERE room = %s
"""
# Each half reads an index of its own and stops at the limit.
_OF_USER: Final = """
(SELECT room, title, everyone, created_at, created_by, closed_at, position FROM rooms
 WHERE closed_at IS NULL AND everyone IS NOT NULL AND position > %(after)s ORDER BY position LIMIT %(limit)s)
UNION
(SELECT room, title, everyone, created_at, created_by, closed_at, position FROM rooms
 WHERE closed_at IS NULL AND position > %(after)s
   AND room IN (SELECT room FROM members WHERE "user" = %(user)s AND until IS NULL)
 ORDER BY position LIMIT %(limit)s)
ORDER BY position LIMIT %(limit)s
"""


class RoomsView:
    """A `View` for the projector, and the questions that it answers."""

    name: Final = rooms.NAME
    tables: Final = ("rooms",)
    topics: Final = rooms.TOPICS

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, connection: Connection, page: Sequence[Recorded]) -> None:
        """Bring the table up to the end of `page`. Runs inside the projector's transaction."""
        changed = rooms.changes((recorded.position, recorded.event) for recorded in page)
        async with connection.cursor() as cursor:
            opened = [change.opened for change in changed.values() if change.opened is not None]
            await cursor.executemany(
                _OPEN,
                [
                    (e.room, e.title, e.everyone, e.created_at, e.created_by, e.closed_at, e.position)
                    for e in opened
                ],
            )
            await cursor.executemany(
                _CHANGE,
                [
                    (change.title, change.is_access_changed, change.everyone, change.closed_at, room)
                    for room, change in changed.items()
                ],
            )

    async def of_user(self, user: str, after: int, limit: int) -> list[RoomEntry]:
        """The rooms that are not closed and that `user` may enter, as a member or as everyone, oldest first:
        `limit` of those behind position `after`. Raises `StoreUnavailable`.

        Who is a member is what the table `members` says, which is a moment behind the log like this one.
        """
        rows = await self._database.fetch(_OF_USER, {"user": user, "after": after, "limit": limit})
        return [RoomEntry(*row) for row in rows]
