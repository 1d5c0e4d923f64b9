"""The table of profiles: how people look, and who is called so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from application.log import Recorded
from infrastructure.postgres.database import Connection, Database
from projections import profiles
from projections.profiles import ProfileEntry, search_key

_UPSERT: Final = b"""
INSERT INTO profiles ("user", name, colour, avatar, created_at, changed_at, user_key, name_key)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT ("user") DO UPDATE
SET name = excluded.name, colour = excluded.colour, avatar = excluded.avatar,
    created_at = coalesce(excluded.created_at, profiles.created_at), changed_at = excluded.changed_at,
    name_key = excluded.name_key
"""
_COLUMNS: Final = '"user", name, colour, avatar, created_at, changed_at'
_GET_MANY: Final = f"""
SELECT {_COLUMNS} FROM profiles WHERE "user" = ANY(%s) ORDER BY "user"
"""
# What begins with a prefix is what lies between it and it with the last of all characters behind it: a range
# of an index in which no character of the prefix means more than itself.
_FIND: Final = f"""
SELECT {_COLUMNS} FROM profiles
WHERE (user_key >= %(from)s AND user_key < %(to)s OR name_key >= %(from)s AND name_key < %(to)s)
  AND "user" > %(after)s
ORDER BY "user" LIMIT %(limit)s
"""
# No name holds it: it is no character at all.
_LAST_CHARACTER: Final = "\U0010ffff"


class ProfilesView:
    """A `View` for the projector, and the questions that it answers, each raising `StoreUnavailable`."""

    name: Final = profiles.NAME
    tables: Final = ("profiles",)
    topics: Final = profiles.TOPICS

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, connection: Connection, page: Sequence[Recorded]) -> None:
        """Bring the table up to the end of `page`. Runs inside the projector's transaction."""
        entries = profiles.fold(recorded.event for recorded in page).values()
        rows = [
            (
                e.user,
                e.name,
                e.colour,
                e.avatar,
                e.created_at,
                e.changed_at,
                search_key(e.user),
                search_key(e.name),
            )
            for e in entries
        ]
        async with connection.cursor() as cursor:
            await cursor.executemany(_UPSERT, rows)

    async def get_many(self, users: Iterable[str]) -> list[ProfileEntry]:
        """The profiles of those of `users` that have one, by user."""
        return [ProfileEntry(*row) for row in await self._database.fetch(_GET_MANY, (list(users),))]

    async def find(self, prefix: str, after: str, limit: int) -> list[ProfileEntry]:
        """Whose id or name begins with `prefix`, in whatever case, by user: `limit` of those behind the user
        `after` ("" for the first).
        """
        key = search_key(prefix)
        bounds = {"from": key, "to": key + _LAST_CHARACTER, "after": after, "limit": limit}
        return [ProfileEntry(*row) for row in await self._database.fetch(_FIND, bounds)]
