"""The tables of presence: who is here, who was at any moment, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from application.log import Recorded
from infrastructure.postgres.arrays import bigint_array, text_array
from infrastructure.postgres.database import Connection, Database
from projections import presence
from projections.presence import CountedEdit, Doing, PresenceSpan, PresenceSummary
from projections.spans import Chain

_END: Final = b"""
UPDATE presence_spans AS known SET until = greatest(known.since, chain.at)
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::timestamptz[]) AS chain (room, session, version, at)
WHERE known.room = chain.room AND known.session = chain.session AND known.version < chain.version
  AND known.until IS NULL
"""
# Whose stay it is, and what its turns have reached before this page, is in the rows before. A stay of which
# the beginning could not be read is nobody's.
_BEGIN: Final = b"""
INSERT INTO presence_spans (room, session, version, "user", client, status, since, until)
SELECT span.room, span.session, span.version, coalesce(span."user", earlier."user"), span.client, span.status,
       greatest(span.since, earlier.until),
       CASE WHEN span.until IS NOT NULL THEN greatest(span.until, earlier.until) END
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[],
            %s::timestamptz[], %s::timestamptz[])
     AS span (room, session, version, "user", client, status, since, until)
CROSS JOIN LATERAL (
    SELECT max(known.until) AS until, min(known."user") AS "user" FROM presence_spans AS known
    WHERE known.room = span.room AND known.session = span.session AND known.version < span.version) AS earlier
WHERE coalesce(span."user", earlier."user") IS NOT NULL
ON CONFLICT (room, session, version) DO NOTHING
"""
_COUNT: Final = b"""
INSERT INTO edit_days (room, "user", day, position, edits, inserted, deleted)
SELECT edit.room, edit."user", edit.day::date, max(edit.position),
       count(*), sum(edit.inserted), sum(edit.deleted)
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[])
     AS edit (position, room, "user", day, inserted, deleted)
LEFT JOIN edit_days AS known
     ON known.room = edit.room AND known."user" = edit."user" AND known.day = edit.day::date
WHERE known.position IS NULL OR edit.position > known.position
GROUP BY edit.room, edit."user", edit.day
ON CONFLICT (room, "user", day) DO UPDATE
SET position = excluded.position, edits = edit_days.edits + excluded.edits,
    inserted = edit_days.inserted + excluded.inserted, deleted = edit_days.deleted + excluded.deleted
"""

_COLUMNS: Final = 'room, session, "user", client, status, since, until'
_NOW: Final = f"""
SELECT {_COLUMNS} FROM presence_spans WHERE room = %s AND until IS NULL ORDER BY "user", session
"""
_AT: Final = f"""
SELECT {_COLUMNS} FROM presence_spans
WHERE room = %(room)s AND since <= %(moment)s AND (until > %(moment)s OR until IS NULL)
ORDER BY "user", session
"""
# A user's places are united first; what comes out are stretches that neither overlap nor touch, so that they
# can be added up, and cut at midnight (UTC, as the connection's time zone is).
_SUMMARY: Final = """
WITH pieces AS (
    SELECT room, "user", status = 'editing' AS is_editing,
           greatest(since, %(since)s) AS starts, least(coalesce(until, %(now)s), %(until)s) AS ends
    FROM presence_spans
    WHERE (%(room)s::text IS NULL OR room = %(room)s) AND (%(user)s::text IS NULL OR "user" = %(user)s)
      AND since < %(until)s AND (until > %(since)s OR until IS NULL)),
united AS (
    SELECT room, "user", false AS is_editing, unnest(range_agg(tstzrange(starts, ends))) AS stretch
    FROM pieces WHERE starts < ends GROUP BY room, "user"
    UNION ALL
    SELECT room, "user", true, unnest(range_agg(tstzrange(starts, ends)))
    FROM pieces WHERE starts < ends AND is_editing GROUP BY room, "user"),
stretches AS (
    SELECT room, "user", is_editing, NULL::date AS day, upper(stretch) - lower(stretch) AS length FROM united
    UNION ALL
    SELECT room, "user", is_editing, midnight::date,
           least(upper(stretch), midnight + interval '24 hours') - greatest(lower(stretch), midnight)
    FROM united, generate_series(date_trunc('day', lower(stretch)), upper(stretch), '24 hours') AS midnight
    WHERE midnight < upper(stretch)),
edited AS (
    SELECT room, "user", day, edits FROM edit_days
    WHERE (%(room)s::text IS NULL OR room = %(room)s) AND (%(user)s::text IS NULL OR "user" = %(user)s)
      AND day >= %(first_day)s AND day <= %(last_day)s),
parts AS (
    SELECT room, "user", day, CASE WHEN NOT is_editing THEN length END AS present,
           CASE WHEN is_editing THEN length END AS editing, 0 AS edits FROM stretches
    UNION ALL
    SELECT room, "user", day, NULL, NULL, edits FROM edited
    UNION ALL
    SELECT room, "user", NULL, NULL, NULL, edits FROM edited)
SELECT room, "user", day, extract(epoch FROM coalesce(sum(present), '0'))::float8,
       extract(epoch FROM coalesce(sum(editing), '0'))::float8, sum(edits)::bigint,
       extract(epoch FROM coalesce(max(present), '0'))::float8
FROM parts GROUP BY room, "user", day ORDER BY room, "user", day NULLS LAST
"""


class PresenceView:
    """A `View` for the projector, and the questions that it answers, each raising `StoreUnavailable`."""

    name: Final = presence.NAME
    tables: Final = ("presence_spans", "edit_days")
    topics: Final = presence.TOPICS

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, connection: Connection, page: Sequence[Recorded]) -> None:
        """Bring the tables up to the end of `page`. Runs inside the projector's transaction."""
        stays = presence.stays(recorded.event for recorded in page)
        if stays:
            await _extend(connection, stays)
        edits = list(presence.edits((recorded.position, recorded.event) for recorded in page))
        if edits:
            await _count(connection, edits)

    async def now(self, room: str) -> list[PresenceSpan]:
        """Who is in `room`, each of their places, by user and session."""
        return [PresenceSpan(*row) for row in await self._database.fetch(_NOW, (room,))]

    async def at(self, room: str, moment: datetime) -> list[PresenceSpan]:
        """Who was in `room` at a moment of the server's clock, each of their places, by user and session."""
        rows = await self._database.fetch(_AT, {"room": room, "moment": moment})
        return [PresenceSpan(*row) for row in rows]

    async def summary(
        self, *, room: str | None, user: str | None, since: datetime, until: datetime, now: datetime
    ) -> list[PresenceSummary]:
        """From `since` until just before `until`, by room and user: one summary of each day (UTC) with
        something in it, and last one of the whole time. None: all rooms, all users.

        Who is still here is so until `now`. Edits are known by day: those of the whole first and the whole
        last day count.
        """
        if until <= since:
            return []
        last = until - timedelta(microseconds=1)
        parameters = {
            "room": room,
            "user": user,
            "since": since,
            "until": until,
            "now": now,
            "first_day": since.astimezone(UTC).date(),
            "last_day": last.astimezone(UTC).date(),
        }
        return [PresenceSummary(*row) for row in await self._database.fetch(_SUMMARY, parameters)]


async def _extend(connection: Connection, stays: Mapping[tuple[str, str], Chain[Doing]]) -> None:
    """End what is open and add what follows, in every stay."""
    await connection.execute(
        _END,
        (
            text_array([room for room, _ in stays]),
            text_array([session for _, session in stays]),
            bigint_array([chain.version for chain in stays.values()]),
            [chain.at for chain in stays.values()],
        ),
    )
    spans = [(room, session, span) for (room, session), chain in stays.items() for span in chain.spans]
    await connection.execute(
        _BEGIN,
        (
            text_array([room for room, _, _ in spans]),
            text_array([session for _, session, _ in spans]),
            bigint_array([span.version for _, _, span in spans]),
            text_array([span.value.user for _, _, span in spans]),
            text_array([span.value.client for _, _, span in spans]),
            text_array([span.value.status for _, _, span in spans]),
            [span.since for _, _, span in spans],
            [span.until for _, _, span in spans],
        ),
    )


async def _count(connection: Connection, edits: Sequence[CountedEdit]) -> None:
    await connection.execute(
        _COUNT,
        (
            bigint_array([edit.position for edit in edits]),
            text_array([edit.room for edit in edits]),
            text_array([edit.user for edit in edits]),
            text_array([edit.day.isoformat() for edit in edits]),
            bigint_array([edit.inserted for edit in edits]),
            bigint_array([edit.deleted for edit in edits]),
        ),
    )
