"""The table of members: who has which role in a room, and who had at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from application.log import Recorded
from infrastructure.postgres.arrays import bigint_array, text_array
from infrastructure.postgres.database import Connection, Database
from projections import members
from projections.members import Changes, RoleSpan

_END: Final = b"""
UPDATE members AS known SET until = greatest(known.since, chain.at)
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::timestamptz[]) AS chain (room, "user", version, at)
WHERE known.room = chain.room AND known."user" = chain."user" AND known.version < chain.version
  AND known.until IS NULL
"""
# A page knows nothing of the turns before it: what those have reached, its spans do not go behind. A room was
# opened with its version 1, which has given somebody a role.
_BEGIN: Final = b"""
INSERT INTO members (room, "user", version, role, since, until, by, invitation)
SELECT span.room, span."user", span.version, span.role, greatest(span.since, earlier.until, opened.at),
       CASE WHEN span.until IS NOT NULL THEN greatest(span.until, earlier.until, opened.at) END,
       span.by, span.invitation
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[],
            %s::text[], %s::text[])
     AS span (room, "user", version, role, since, until, by, invitation)
CROSS JOIN LATERAL (
    SELECT max(known.until) AS until FROM members AS known
    WHERE known.room = span.room AND known."user" = span."user" AND known.version < span.version) AS earlier
CROSS JOIN LATERAL (
    SELECT min(known.since) AS at FROM members AS known
    WHERE known.room = span.room AND known.version = 1) AS opened
ON CONFLICT (room, "user", version) DO NOTHING
"""
_CLOSE: Final = b"UPDATE members SET until = greatest(since, %s) WHERE room = %s AND until IS NULL"

_COLUMNS: Final = 'room, "user", role, since, until, by, invitation'
_OF_ROOM: Final = f"""
SELECT {_COLUMNS} FROM members
WHERE room = %s AND "user" > %s AND "user" <> '{members.EVERYONE}' AND until IS NULL
ORDER BY "user" LIMIT %s
"""
_AT: Final = f"""
SELECT {_COLUMNS} FROM members
WHERE room = %(room)s AND since <= %(moment)s AND (until > %(moment)s OR until IS NULL) ORDER BY "user"
"""
_OF_USER: Final = f"""
SELECT {_COLUMNS} FROM members WHERE "user" = %s ORDER BY since, room, version
"""


class MembersView:
    """A `View` for the projector, and the questions that it answers, each raising `StoreUnavailable`."""

    name = members.NAME
    tables = ("members",)
    topics = members.TOPICS

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, connection: Connection, page: Sequence[Recorded]) -> None:
        """Bring the table up to the end of `page`. Runs inside the projector's transaction."""
        changed = members.changes(recorded.event for recorded in page)
        if changed.chains:
            await _extend(connection, changed)
        for room, at in changed.closed.items():
            await connection.execute(_CLOSE, (at, room))

    async def of_room(self, room: str, after: str, limit: int) -> list[RoleSpan]:
        """The present members by user, `limit` of those behind the user `after` ("" for the first). What
        everyone may do is not among them.
        """
        return [RoleSpan(*row) for row in await self._database.fetch(_OF_ROOM, (room, after, limit))]

    async def at(self, room: str, moment: datetime) -> list[RoleSpan]:
        """Who had which role at a moment of the server's clock, by user, `EVERYONE` among them."""
        return [RoleSpan(*row) for row in await self._database.fetch(_AT, {"room": room, "moment": moment})]

    async def of_user(self, user: str) -> list[RoleSpan]:
        """All roles that `user` has or had, in any room, oldest first."""
        return [RoleSpan(*row) for row in await self._database.fetch(_OF_USER, (user,))]


async def _extend(connection: Connection, changed: Changes) -> None:
    """End what is open and add what follows, in every chain."""
    chains = changed.chains
    await connection.execute(
        _END,
        (
            text_array([room for room, _ in chains]),
            text_array([user for _, user in chains]),
            bigint_array([chain.version for chain in chains.values()]),
            [chain.at for chain in chains.values()],
        ),
    )
    spans = [(room, user, span) for (room, user), chain in chains.items() for span in chain.spans]
    await connection.execute(
        _BEGIN,
        (
            text_array([room for room, _, _ in spans]),
            text_array([user for _, user, _ in spans]),
            bigint_array([span.version for _, _, span in spans]),
            text_array([span.value.role for _, _, span in spans]),
            [span.since for _, _, span in spans],
            [span.until for _, _, span in spans],
            text_array([span.value.by for _, _, span in spans]),
            text_array([span.value.invitation for _, _, span in spans]),
        ),
    )
