"""The tables of activity: what went on in a room, in lines for people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import orjson

from application.log import Recorded
from infrastructure.postgres.arrays import bigint_array, text_array
from infrastructure.postgres.database import Connection, Database
from projections import activity, chat
from projections.activity import ActivityFilter, Fold, Kind, Line, Place

# What a page has to know of before it: of typing it asks for as many chains as there are people at it.
_LATEST: Final = b"""
SELECT line.* FROM unnest(%s::text[], %s::text[]) AS asked (room, chain)
CROSS JOIN LATERAL (
    SELECT room, id, changed, kind, "user", document, message, at, until, details, chain FROM activity
    WHERE room = asked.room AND chain = asked.chain ORDER BY id DESC LIMIT 1) AS line
"""
_PLACES: Final = b"""
WITH named AS (
    SELECT known.* FROM unnest(%s::text[], %s::text[]) AS asked (room, session)
    JOIN activity_places AS known USING (room, session)),
people AS (
    SELECT room, "user" FROM named
    UNION SELECT room, "user" FROM unnest(%s::text[], %s::text[]) AS asked (room, "user"))
SELECT room, session, "user", is_here FROM named
UNION
SELECT room, session, "user", is_here FROM people JOIN activity_places USING (room, "user") WHERE is_here
"""
_KEEP: Final = b"""
INSERT INTO activity (room, id, changed, kind, "user", document, message, at, until, details, chain)
SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[],
                     %s::timestamptz[], %s::timestamptz[], %s::text[]::jsonb[], %s::text[])
ON CONFLICT (room, id) DO UPDATE
SET changed = excluded.changed, kind = excluded.kind, until = excluded.until, details = excluded.details
WHERE activity.changed < excluded.changed
"""
_KEEP_PLACES: Final = b"""
INSERT INTO activity_places (room, session, "user", is_here)
SELECT room, session, "user", is_here = 1
FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[]) AS place (room, session, "user", is_here)
ON CONFLICT (room, session) DO UPDATE SET is_here = excluded.is_here
"""

# So much of a message is told; the rest is for whoever looks at it.
TEXT_CODE_POINTS: Final = 200

# The text of what was said is the chat's, and changes: it is looked up when a line is read.
_PAGE: Final = f"""
SELECT room, id, changed, kind, "user", document, message, at, until, details, chain,
       CASE WHEN deleted_at IS NOT NULL THEN NULL
            WHEN char_length(text) > {TEXT_CODE_POINTS} THEN left(text, {TEXT_CODE_POINTS - 1}) || '…'
            ELSE text END
FROM (SELECT * FROM activity WHERE {{conditions}} ORDER BY {{order}} LIMIT %(limit)s) AS line
LEFT JOIN chat_messages USING (room, message) ORDER BY {{order}}
"""
_CHANGED: Final = _PAGE.format(conditions="room = %(room)s AND changed > %(position)s", order="changed")
# As the tables of rooms and members have it, which are a moment behind the log like this one.
_OF_USER: Final = _PAGE.format(
    conditions="""
"user" = %(user)s AND id < %(before)s AND room IN (
    SELECT room FROM rooms WHERE closed_at IS NULL AND (everyone IS NOT NULL OR room IN (
        SELECT room FROM members WHERE "user" = %(asker)s AND until IS NULL)))""",
    order="id DESC",
)

ALL: Final = ActivityFilter()

# What each thing that may be asked for says in SQL. A query is made of what was asked for, so that each
# combination has a plan of its own.
_CONDITIONS: Final = {
    "before": "id < %(before)s",
    "after": "id > %(after)s",
    "user": '"user" = %(user)s',
    "kinds": "kind = ANY(%(kinds)s)",
    "document": "document = %(document)s",
    "since": "until >= %(since)s",
    "until": "at < %(until)s",
}

# The tables that a line is read from.
READ: Final = (activity.NAME, chat.NAME)
_POSITION: Final = """
SELECT CASE WHEN count(*) = cardinality(%(names)s::text[]) THEN min(notification_id) ELSE 0 END
FROM tracking WHERE application_name = ANY(%(names)s)
"""

# Behind every line.
_END: Final = 2**63 - 1


class ActivityView:
    """A `View` for the projector, and the questions that it answers, each raising `StoreUnavailable`."""

    name = activity.NAME
    tables = ("activity", "activity_places")
    topics = activity.TOPICS

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, connection: Connection, page: Sequence[Recorded]) -> None:
        """Bring the tables up to the end of `page`. Runs inside the projector's transaction."""
        events = [recorded.event for recorded in page]
        fold = Fold(await _places(connection, list(activity.stays(events))))
        fold.begin(await _latest(connection, fold.chains(events)))
        for recorded in page:
            fold.take(recorded.position, recorded.event)
        await _keep(connection, fold.lines.values())
        await _keep_places(connection, fold.places.values())

    async def position(self) -> int:
        """Up to where the tables have read the log. A line that has changed behind it may not have the words
        yet of what was said.
        """
        [(position,)] = await self._database.fetch(_POSITION, {"names": list(READ)})
        return int(position)

    async def page(
        self,
        room: str,
        asked: ActivityFilter,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int,
        is_newest_first: bool = True,
    ) -> list[Line]:
        """`limit` of the lines that are asked for, from the newest or from the oldest on; of those between
        the ids `after` and `before`, where they are given.
        """
        given = {
            "before": before,
            "after": after,
            "user": asked.user,
            "kinds": None if asked.kinds is None else [kind.value for kind in asked.kinds],
            "document": asked.document,
            "since": asked.since,
            "until": asked.until,
        }
        present = {name: value for name, value in given.items() if value is not None}
        conditions = ["room = %(room)s", *(_CONDITIONS[name] for name in present)]
        query = _PAGE.format(
            conditions=" AND ".join(conditions), order="id DESC" if is_newest_first else "id"
        )
        return await self._lines(query, {"room": room, "limit": limit, **present}, prepare=asked == ALL)

    async def changed_after(self, room: str, position: int, limit: int) -> list[Line]:
        """The lines of `room` that have come or changed behind `position`, in the order in which they have:
        whoever has these goes on behind the last one's `changed`. One that has changed twice comes once.
        """
        return await self._lines(_CHANGED, {"room": room, "position": position, "limit": limit})

    async def of_user(self, user: str, *, asker: str, before: int | None, limit: int) -> list[Line]:
        """What `user` did in all rooms that `asker` may read, newest first: lines with an id below `before`.

        Who may read is a moment behind the log here: look again before telling.
        """
        place = _END if before is None else before
        return await self._lines(_OF_USER, {"user": user, "asker": asker, "before": place, "limit": limit})

    async def _lines(self, query: str, parameters: dict[str, Any], *, prepare: bool = True) -> list[Line]:
        rows = await self._database.fetch(query, parameters, prepare=prepare)
        return [as_line(row) for row in rows]


def as_line(row: Sequence[Any]) -> Line:
    room, number, changed, kind, *others = row
    return Line(room, number, changed, Kind(kind), *others)


async def _places(connection: Connection, stays: Sequence[tuple[str, str, str | None]]) -> list[Place]:
    """The places of these stays that are known, and all that their users have open."""
    if not stays:
        return []
    people = {(room, user) for room, _, user in stays if user is not None}
    rows = await connection.execute(
        _PLACES,
        (
            text_array([room for room, _, _ in stays]),
            text_array([session for _, session, _ in stays]),
            text_array([room for room, _ in people]),
            text_array([user for _, user in people]),
        ),
    )
    return [Place(*row) for row in await rows.fetchall()]


async def _latest(connection: Connection, chains: Collection[tuple[str, str]]) -> list[Line]:
    if not chains:
        return []
    rows = await connection.execute(
        _LATEST, (text_array([room for room, _ in chains]), text_array([chain for _, chain in chains]))
    )
    return [as_line(row) for row in await rows.fetchall()]


async def _keep(connection: Connection, lines: Collection[Line]) -> None:
    if not lines:
        return
    await connection.execute(
        _KEEP,
        (
            text_array([line.room for line in lines]),
            bigint_array([line.id for line in lines]),
            bigint_array([line.changed for line in lines]),
            text_array([line.kind.value for line in lines]),
            text_array([line.user for line in lines]),
            text_array([line.document for line in lines]),
            text_array([line.message for line in lines]),
            [line.at for line in lines],
            [line.until for line in lines],
            text_array([orjson.dumps(line.details).decode() for line in lines]),
            text_array([line.chain for line in lines]),
        ),
    )


async def _keep_places(connection: Connection, places: Collection[Place]) -> None:
    if not places:
        return
    await connection.execute(
        _KEEP_PLACES,
        (
            text_array([place.room for place in places]),
            text_array([place.session for place in places]),
            text_array([place.user for place in places]),
            bigint_array([int(place.is_here) for place in places]),
        ),
    )
