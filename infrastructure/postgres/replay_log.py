"""Both logs of a room, read by time and page by page: what a replay is made of.

Neither log is indexed by time alone, nor need it be: where a moment is in the record is found by halving, and
documents are as they were at a position by halving their versions, which rise with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence, Set
from datetime import datetime
from typing import Any, Final

from application.log import Recorded
from application.past.one_clock import CLOCKS_DIFFER, FRAMES_DIFFER, Mark, StagedText
from domain.document import EditApplied
from domain.ids import document_stream, profile_stream, room_stream
from domain.instants import as_microseconds
from domain.limits import INTEGER_MAX
from infrastructure.postgres.activity_view import as_line
from infrastructure.postgres.arrays import text_array
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory, as_recorded
from infrastructure.postgres.time_travel import TimeTravel
from projections.activity import Kind
from projections.telling import sentence

# A slider is some hundreds of pixels wide. Of more marks than this, of each kind one is told for each of its
# parts.
MARKS_MAX: Final = 1_000
PARTS: Final = 160

MARKED: Final = (Kind.JOINED, Kind.SAVED, Kind.NAMED, Kind.RAN, Kind.RESTORED, Kind.UNDONE)

# Frames of one node that follow on a keyframe of its: while cursors move there is another after 20 seconds,
# which are 400 frames. Those behind them have no cursors left to tell of.
FRAMES_MAX: Final = 1_000

_COLUMNS: Final = "notification_id, originator_id, originator_version, topic, state"

# Rooms and streams are of any size, and the planner knows only the usual one. So what is asked of a room is
# asked in the order of the room's index, by pairs, and what is asked of streams one stream after the other in
# the order of versions: neither can then be answered by walking through the whole log.

_BEGINNING: Final = """
SELECT at FROM (
    SELECT room, at FROM record WHERE (room, notification_id) >= (%(room)s::text, 0)
    ORDER BY room, notification_id LIMIT 1) AS first
WHERE room = %(room)s
"""
_LAST: Final = """
SELECT notification_id, at FROM (
    SELECT room, notification_id, at FROM record
    WHERE (room, notification_id) <= (%(room)s::text, {position}::bigint)
    ORDER BY room DESC, notification_id DESC LIMIT 1) AS last
WHERE room = %(room)s
"""

# The last position up to which halving finds nothing younger than a moment. What is before it is not younger
# than that by more than clocks differ.
_HALVING: Final = f"""
RECURSIVE halving (low, high) AS (
    SELECT 0::bigint, coalesce((
        SELECT notification_id FROM ({_LAST.format(position=INTEGER_MAX)}) AS last), 0)
    UNION ALL
    SELECT CASE WHEN is_before THEN middle ELSE low END, CASE WHEN is_before THEN high ELSE middle - 1 END
    FROM (SELECT low, high, middle, coalesce((
              SELECT at <= {{moment}} FROM ({_LAST.format(position="middle")}) AS last), true) AS is_before
          FROM (SELECT low, high, (low + high + 1) / 2 AS middle FROM halving WHERE low < high) AS open)
         AS probed),
found AS MATERIALIZED (SELECT low FROM halving WHERE low = high LIMIT 1)
"""
_POSITION_AT: Final = f"""
WITH {_HALVING.format(moment="%(surely_before)s")},
younger AS MATERIALIZED (
    SELECT notification_id FROM record
    WHERE (room, notification_id) > (%(room)s::text, (SELECT low FROM found))
      AND (room, notification_id) <= (%(room)s::text, {INTEGER_MAX}) AND at > %(at)s
    ORDER BY room, notification_id LIMIT 1)
SELECT notification_id
FROM ({_LAST.format(position=f"coalesce((SELECT notification_id FROM younger) - 1, {INTEGER_MAX})")}) AS last
"""
_CLOCK_AT: Final = f"""
WITH {_HALVING.format(moment="(SELECT at FROM newest) - %(differ)s::interval")},
newest AS MATERIALIZED ({_LAST.format(position="%(position)s")})
SELECT greatest(newest.at, (
    SELECT max(at) FROM record
    WHERE (room, notification_id) > (%(room)s::text, (SELECT low FROM found))
      AND (room, notification_id) <= (%(room)s::text, newest.notification_id)))
FROM newest
"""
_COUNT: Final = """
SELECT count(*) FROM record
WHERE (room, notification_id) > (%(room)s::text, %(after)s::bigint)
  AND (room, notification_id) <= (%(room)s::text, %(until)s::bigint)
"""
_EVENTS: Final = f"""
SELECT {_COLUMNS} FROM record
WHERE (room, notification_id) > (%(room)s::text, %(after)s::bigint)
  AND (room, notification_id) <= (%(room)s::text, %(until)s::bigint)
ORDER BY room, notification_id LIMIT %(limit)s
"""
_FOLLOWING: Final = f"""
SELECT coalesce((
    SELECT notification_id FROM record
    WHERE (room, notification_id) > (%(room)s::text, %(position)s::bigint)
      AND (room, notification_id) <= (%(room)s::text, {INTEGER_MAX})
    ORDER BY room, notification_id LIMIT 1), {INTEGER_MAX})
"""
_OF_STREAM: Final = f"""
(originator_id, originator_version) >= (wanted.stream, 1)
AND (originator_id, originator_version) <= (wanted.stream, {INTEGER_MAX})
"""
_OF_STREAMS: Final = f"""
SELECT event.* FROM {{streams}} CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM record WHERE {_OF_STREAM} AND {{conditions}}
    ORDER BY originator_id, originator_version OFFSET 0) AS event
ORDER BY notification_id
"""
_UNNESTED: Final = "unnest(%(streams)s::text[]) AS wanted (stream)"
_PROFILES: Final = _OF_STREAMS.format(
    streams=_UNNESTED,
    conditions="topic IN ('profile.created', 'profile.changed')"
    " AND notification_id > %(after)s AND notification_id <= %(until)s",
)
_LOOKS: Final = f"""
SELECT looks.* FROM {_UNNESTED} CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM record
    WHERE {_OF_STREAM} AND topic IN ('profile.created', 'profile.changed')
      AND notification_id <= %(position)s
    ORDER BY originator_id DESC, originator_version DESC LIMIT 1) AS looks
ORDER BY notification_id
"""

# The documents that were ever listed up to a position, in the order in which they came, each with its version
# there; with those that were listed later and had begun, since what is imported is listed when it is whole.
_VERSIONS: Final = """
RECURSIVE listed AS MATERIALIZED (
    SELECT convert_from(state, 'UTF8')::jsonb ->> 'document' AS name, min(originator_version) AS since,
           bool_or(notification_id <= %(position)s) AS was_listed,
           coalesce((array_agg(topic ORDER BY originator_version DESC)
                     FILTER (WHERE notification_id <= %(position)s))[1] = 'room.document_listed', false)
               AS is_listed
    FROM record
    WHERE originator_id = %(room_stream)s
      AND topic IN ('room.document_listed', 'room.document_unlisted')
    GROUP BY name),
halving (name, low, high) AS (
    SELECT name, 0::bigint, coalesce((
        SELECT max(originator_version) FROM record WHERE originator_id = %(streams)s || name), 0)
    FROM listed
    UNION ALL
    SELECT name,
           CASE WHEN is_before THEN middle ELSE low END, CASE WHEN is_before THEN high ELSE middle - 1 END
    FROM (SELECT name, low, high, middle, (
              SELECT notification_id <= %(position)s FROM record
              WHERE originator_id = %(streams)s || name AND originator_version = middle) AS is_before
          FROM (SELECT name, low, high, (low + high + 1) / 2 AS middle FROM halving WHERE low < high) AS open)
         AS probed),
found AS (
    SELECT name, since, is_listed, low AS version FROM listed JOIN halving USING (name)
    WHERE low = high AND (was_listed OR low > 0))
"""
_DOCUMENTS: Final = f"WITH {_VERSIONS} SELECT name, is_listed, version FROM found ORDER BY since"
_REVISIONS: Final = f"""
WITH {_VERSIONS}
SELECT name, coalesce((
    SELECT (convert_from(state, 'UTF8')::jsonb ->> 'revision')::bigint FROM record
    WHERE originator_id = %(streams)s || name AND originator_version <= found.version
      AND topic = 'document.edit_applied'
    ORDER BY originator_version DESC LIMIT 1), 0)
FROM found
"""

# By the table, as far as it reads, and by the record behind that.
_STAYS: Final = f"""
WITH wanted AS MATERIALIZED (
    SELECT 'attendance:' || room || '/' || session AS stream FROM presence_spans
    WHERE room = %(room)s AND since <= %(surely_after)s AND (until > %(surely_before)s OR until IS NULL)
    UNION
    SELECT originator_id FROM record
    WHERE (room, notification_id) > (%(room)s::text, coalesce((
              SELECT notification_id FROM tracking WHERE application_name = 'presence'), 0))
      AND (room, notification_id) <= (%(room)s::text, %(position)s::bigint) AND kind = 'attendance')
{_OF_STREAMS.format(streams="wanted", conditions="notification_id <= %(position)s")}
"""
_MESSAGES: Final = f"""
WITH wanted AS MATERIALIZED (
    SELECT originator_id AS stream FROM record
    WHERE room = %(room)s AND kind = 'message' AND originator_version = 1 AND notification_id <= %(position)s
    ORDER BY notification_id DESC LIMIT %(limit)s)
{_OF_STREAMS.format(streams="wanted", conditions="notification_id <= %(position)s")}
"""
_DELETED: Final = _OF_STREAMS.format(streams=_UNNESTED, conditions="topic = 'message.deleted'")
_MARKS: Final = f"""
SELECT room, id, changed, kind, "user", document, message, at, until, details, chain, NULL
FROM (
    SELECT *, count(*) OVER () AS lines, row_number() OVER (PARTITION BY kind, part ORDER BY id) AS number
    FROM (
        SELECT *, (id - %(after)s) * {PARTS} / (%(until)s - %(after)s + 1) AS part FROM activity
        WHERE room = %(room)s AND id > %(after)s AND id <= %(until)s AND kind = ANY(%(kinds)s::text[])
        ) AS marked
    ) AS numbered
WHERE lines <= {MARKS_MAX} OR number = 1
ORDER BY id
"""
_FRAMES: Final = f"""
SELECT {_COLUMNS} FROM presence
WHERE room = %s AND at >= %s AND at <= %s AND (at, notification_id) > (%s, %s)
  AND topic = 'presence.frame_recorded'
ORDER BY at, notification_id LIMIT %s
"""
_LAST_FRAME: Final = """
SELECT at FROM presence WHERE room = %s AND at <= %s AND topic = 'presence.frame_recorded'
ORDER BY at DESC LIMIT 1
"""
# What follows on a keyframe may be dated before it, where a clock was set back.
_KEYFRAMES: Final = f"""
WITH keyframes AS MATERIALIZED (
    SELECT keyframe.* FROM unnest(%(nodes)s::text[]) AS node (name) CROSS JOIN LATERAL (
        SELECT {_COLUMNS}, at, actor FROM presence
        WHERE room = %(room)s AND actor = node.name AND at <= %(until)s
          AND topic = 'presence.keyframe_recorded'
        ORDER BY at DESC LIMIT 1) AS keyframe)
SELECT {_COLUMNS} FROM keyframes
UNION ALL
SELECT frame.* FROM keyframes CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM presence AS p
    WHERE p.room = %(room)s AND p.actor = keyframes.actor AND p.notification_id > keyframes.notification_id
      AND p.at >= keyframes.at - %(differ)s::interval AND p.at <= %(until)s
      AND p.topic = 'presence.frame_recorded'
    ORDER BY p.at LIMIT {FRAMES_MAX}) AS frame
"""


class PostgresReplayLog:
    """A `ReplayLog`. Every method is a few short questions: whoever goes away leaves none behind."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._history = PostgresHistory(database)
        self._time_travel = TimeTravel(database)

    # The record.

    async def beginning(self, room: str) -> datetime | None:
        for (at,) in await self._database.fetch(_BEGINNING, {"room": room}):
            assert isinstance(at, datetime)
            return at
        return None

    async def position_at(self, room: str, at: datetime) -> int:
        asked = {"room": room, "at": at, "surely_before": at - CLOCKS_DIFFER}
        rows = await self._database.fetch(_POSITION_AT, asked)
        return int(rows[0][0]) if rows else 0

    async def clock_at(self, room: str, position: int) -> datetime | None:
        asked = {"room": room, "position": position, "differ": CLOCKS_DIFFER}
        for (at,) in await self._database.fetch(_CLOCK_AT, asked):
            assert isinstance(at, datetime)
            return at
        return None

    async def count(self, room: str, after: int, until: int) -> int:
        asked = {"room": room, "after": after, "until": until}
        return int((await self._database.fetch(_COUNT, asked))[0][0])

    async def events(self, room: str, after: int, until: int, *, limit: int) -> list[Recorded]:
        asked = {"room": room, "after": after, "until": until, "limit": limit}
        return as_recorded(await self._database.fetch(_EVENTS, asked))

    async def following(self, room: str, position: int) -> int:
        asked = {"room": room, "position": position}
        return int((await self._database.fetch(_FOLLOWING, asked))[0][0])

    async def profiles(self, users: Collection[str], after: int, until: int) -> list[Recorded]:
        streams = text_array([profile_stream(user) for user in users])
        asked = {"streams": streams, "after": after, "until": until}
        return as_recorded(await self._database.fetch(_PROFILES, asked))

    async def looks(self, users: Collection[str], position: int) -> list[Recorded]:
        asked = {"streams": text_array([profile_stream(user) for user in users]), "position": position}
        return as_recorded(await self._database.fetch(_LOOKS, asked))

    async def documents(self, room: str, position: int) -> AsyncIterator[StagedText]:
        for name, is_listed, version in await self._at(_DOCUMENTS, room, position):
            state = await self._time_travel.at_version(document_stream(room, name), version)
            if state is None:
                yield StagedText(name, 0, "", is_listed)
            else:
                yield StagedText(name, state.revision, state.text, is_listed)

    async def revisions(self, room: str, position: int) -> dict[str, int]:
        return dict(await self._at(_REVISIONS, room, position))

    async def _at(self, query: str, room: str, position: int) -> list[Any]:
        asked = {
            "room_stream": room_stream(room),
            "streams": document_stream(room, ""),
            "position": position,
        }
        return await self._database.fetch(query, asked)

    async def edits(self, stream: str, after: int, until: int) -> Sequence[EditApplied]:
        return await self._history.edits(stream, after, until)

    async def stays(self, room: str, at: datetime, position: int) -> list[Recorded]:
        asked = {
            "room": room,
            "position": position,
            "surely_before": at - CLOCKS_DIFFER,
            "surely_after": at + CLOCKS_DIFFER,
        }
        return as_recorded(await self._database.fetch(_STAYS, asked))

    async def messages(self, room: str, position: int, limit: int) -> list[Recorded]:
        asked = {"room": room, "position": position, "limit": limit}
        return as_recorded(await self._database.fetch(_MESSAGES, asked))

    async def deleted(self, streams: Collection[str]) -> Set[str]:
        asked = {"streams": text_array(sorted(streams))}
        return {each.event.originator_id for each in as_recorded(await self._database.fetch(_DELETED, asked))}

    async def marks(self, room: str, after: int, until: int) -> list[Mark]:
        kinds = text_array([kind.value for kind in MARKED])
        asked = {"room": room, "after": after, "until": until, "kinds": kinds}
        lines = map(as_line, await self._database.fetch(_MARKS, asked))
        return [
            Mark(as_microseconds(line.at), line.id, line.kind.value, line.user, sentence(line))
            for line in lines
        ]

    # The presence log.

    async def frames(
        self, room: str, since: datetime, until: datetime, *, after: int = 0, limit: int
    ) -> list[Recorded]:
        asked = (room, since, until, since, after, limit)
        return as_recorded(await self._database.fetch(_FRAMES, asked))

    async def last_frame(self, room: str, until: datetime) -> datetime | None:
        for (at,) in await self._database.fetch(_LAST_FRAME, (room, until)):
            assert isinstance(at, datetime)
            return at
        return None

    async def keyframes(self, room: str, nodes: Collection[str], until: datetime) -> list[Recorded]:
        asked = {"room": room, "nodes": text_array(list(nodes)), "until": until, "differ": FRAMES_DIFFER}
        return as_recorded(await self._database.fetch(_KEYFRAMES, asked))
