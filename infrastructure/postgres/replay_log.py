"""Both logs of a room, read by time and page by page: what a replay is made of.

Neither log is indexed by time alone, nor need it be: where a moment is in the record is found by halving, and
documents are as they were at a position by halving their versions, which rise with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence, Set
from datetime import datetime
from typing import Any, Final

from application.log import Recorded
from application.past.one_clock import CLOCKS_DIFFER, Mark, StagedText
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

_BEGINNING: Final = "SELECT at FROM record WHERE room = %s ORDER BY notification_id LIMIT 1"

# The last position up to which halving finds nothing younger than a moment. What is before it is not younger
# than that by more than clocks differ.
_HALVING: Final = """
RECURSIVE halving (low, high) AS (
    SELECT 0::bigint, coalesce(max(notification_id), 0) FROM record WHERE room = %(room)s
    UNION ALL
    SELECT CASE WHEN is_before THEN middle ELSE low END, CASE WHEN is_before THEN high ELSE middle - 1 END
    FROM (SELECT low, high, middle, coalesce((
              SELECT at <= {moment} FROM record WHERE room = %(room)s AND notification_id <= middle
              ORDER BY notification_id DESC LIMIT 1), true) AS is_before
          FROM (SELECT low, high, (low + high + 1) / 2 AS middle FROM halving WHERE low < high) AS open) AS
          probed)
"""
_POSITION_AT: Final = f"""
WITH {_HALVING.format(moment="%(surely_before)s")}
SELECT coalesce(max(notification_id), 0) FROM record
WHERE room = %(room)s AND notification_id < coalesce((
    SELECT notification_id FROM record
    WHERE room = %(room)s AND at > %(at)s
      AND notification_id > (SELECT low FROM halving WHERE low = high LIMIT 1)
    ORDER BY notification_id LIMIT 1), {INTEGER_MAX})
"""
_CLOCK_AT: Final = f"""
WITH {_HALVING.format(moment="(SELECT at FROM last) - %(differ)s::interval")},
last AS MATERIALIZED (
    SELECT notification_id, at FROM record WHERE room = %(room)s AND notification_id <= %(position)s
    ORDER BY notification_id DESC LIMIT 1)
SELECT greatest(last.at, (
    SELECT max(at) FROM record
    WHERE room = %(room)s AND notification_id > (SELECT low FROM halving WHERE low = high LIMIT 1)
      AND notification_id <= last.notification_id))
FROM last
"""
_COUNT: Final = (
    "SELECT count(*) FROM record WHERE room = %s AND notification_id > %s AND notification_id <= %s"
)
_EVENTS: Final = f"""
SELECT {_COLUMNS} FROM record WHERE room = %s AND notification_id > %s AND notification_id <= %s
ORDER BY notification_id LIMIT %s
"""
_FOLLOWING: Final = f"""
SELECT coalesce(min(notification_id), {INTEGER_MAX}) FROM record WHERE room = %s AND notification_id > %s
"""
_PROFILES: Final = f"""
SELECT {_COLUMNS} FROM record
WHERE originator_id = ANY(%s::text[]) AND topic IN ('profile.created', 'profile.changed')
  AND notification_id > %s AND notification_id <= %s
ORDER BY notification_id
"""
_LOOKS: Final = f"""
SELECT looks.* FROM unnest(%(streams)s::text[]) AS wanted (stream) CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM record
    WHERE originator_id = wanted.stream AND topic IN ('profile.created', 'profile.changed')
      AND (notification_id < %(position)s OR (notification_id < %(following)s AND at <= %(at)s))
    ORDER BY originator_version DESC LIMIT 1) AS looks
ORDER BY notification_id
"""

# The documents that were ever listed up to a position, in the order in which they came, each with its version
# there.
_VERSIONS: Final = """
RECURSIVE listed AS MATERIALIZED (
    SELECT convert_from(state, 'UTF8')::jsonb ->> 'document' AS name, min(originator_version) AS since,
           (array_agg(topic ORDER BY originator_version DESC))[1] = 'room.document_listed' AS is_listed
    FROM record
    WHERE originator_id = %(room_stream)s AND notification_id <= %(position)s
      AND topic IN ('room.document_listed', 'room.document_unlisted')
    GROUP BY name),
halving (name, low, high) AS (
    SELECT name, 0::bigint, coalesce((
        SELECT max(originator_version) FROM record WHERE originator_id = %(streams)s || name), 0)
    FROM listed
    UNION ALL
    SELECT name, CASE WHEN is_before THEN middle ELSE low END, CASE WHEN is_before THEN high ELSE middle - 1
    END FROM (SELECT name, low, high, middle, ( SELECT notification_id <= %(position)s FROM record WHERE
    originator_id = %(streams)s || name AND originator_version = middle) AS is_before FROM (SELECT name, low,
    high, (low + high + 1) / 2 AS middle FROM halving WHERE low < high) AS open) AS probed), found AS ( SELECT
    name, since, is_listed, low AS version FROM listed JOIN halving USING (name) WHERE low = high)
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
WITH streams AS MATERIALIZED (
    SELECT 'attendance:' || room || '/' || session AS stream FROM presence_spans
    WHERE room = %(room)s AND since <= %(surely_after)s AND (until > %(surely_before)s OR until IS NULL)
    UNION
    SELECT originator_id FROM record
    WHERE room = %(room)s AND kind = 'attendance' AND notification_id <= %(position)s AND notification_id >
    coalesce(( SELECT notification_id FROM tracking WHERE application_name = 'presence'), 0)) SELECT
    {_COLUMNS} FROM streams JOIN record ON originator_id = stream WHERE notification_id <= %(position)s ORDER
    BY notification_id
"""
_DELETED: Final = """
SELECT originator_id FROM record WHERE originator_id = ANY(%s::text[]) AND topic = 'message.deleted'
"""
_MARKS: Final = f"""
SELECT room, id, changed, kind, "user", document, message, at, until, details, chain, NULL
FROM (
    SELECT *, count(*) OVER () AS lines, row_number() OVER (PARTITION BY kind, part ORDER BY id) AS number
    FROM (
        SELECT *, (id - %(after)s) * {PARTS} / (%(until)s - %(after)s + 1) AS part FROM activity
        WHERE room = %(room)s AND id > %(after)s AND id <= %(until)s AND kind = ANY(%(kinds)s::text[])) AS
        marked ) AS numbered WHERE lines <= {MARKS_MAX} OR number = 1 ORDER BY id
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
_KEYFRAMES: Final = f"""
WITH keyframes AS MATERIALIZED (
    SELECT keyframe.* FROM unnest(%(nodes)s::text[]) AS node (name) CROSS JOIN LATERAL (
        SELECT {_COLUMNS}, at, actor FROM presence
        WHERE room = %(room)s AND actor = node.name AND topic = 'presence.keyframe_recorded' AND at <=
        %(until)s ORDER BY at DESC LIMIT 1) AS keyframe) SELECT {_COLUMNS} FROM keyframes UNION ALL SELECT
        frame.* FROM keyframes CROSS JOIN LATERAL ( SELECT {_COLUMNS} FROM presence AS p WHERE p.room =
        %(room)s AND p.actor = keyframes.actor AND p.at >= keyframes.at AND p.at <= %(until)s AND p.topic =
        'presence.frame_recorded' ORDER BY p.at LIMIT {FRAMES_MAX}) AS frame
"""


class PostgresReplayLog:
    """A `ReplayLog`. Every method is a few short questions: whoever goes away leaves none behind."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._history = PostgresHistory(database)
        self._time_travel = TimeTravel(database)

    # The record.

    async def beginning(self, room: str) -> datetime | None:
        for (at,) in await self._database.fetch(_BEGINNING, (room,)):
            assert isinstance(at, datetime)
            return at
        return None

    async def position_at(self, room: str, at: datetime) -> int:
        asked = {"room": room, "at": at, "surely_before": at - CLOCKS_DIFFER}
        return int((await self._database.fetch(_POSITION_AT, asked))[0][0])

    async def clock_at(self, room: str, position: int) -> datetime | None:
        asked = {"room": room, "position": position, "differ": CLOCKS_DIFFER}
        for (at,) in await self._database.fetch(_CLOCK_AT, asked):
            assert isinstance(at, datetime)
            return at
        return None

    async def count(self, room: str, after: int, until: int) -> int:
        return int((await self._database.fetch(_COUNT, (room, after, until)))[0][0])

    async def events(self, room: str, after: int, until: int, *, limit: int) -> list[Recorded]:
        return as_recorded(await self._database.fetch(_EVENTS, (room, after, until, limit)))

    async def following(self, room: str, position: int) -> int:
        return int((await self._database.fetch(_FOLLOWING, (room, position)))[0][0])

    async def profiles(self, users: Collection[str], after: int, until: int) -> list[Recorded]:
        streams = text_array([profile_stream(user) for user in users])
        return as_recorded(await self._database.fetch(_PROFILES, (streams, after, until)))

    async def looks(self, users: Collection[str], room: str, at: datetime, position: int) -> list[Recorded]:
        asked = {
            "streams": text_array([profile_stream(user) for user in users]),
            "position": position,
            "following": await self.following(room, position),
            "at": at,
        }
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
        return await self._history.messages(room, position, limit)

    async def deleted(self, streams: Collection[str]) -> Set[str]:
        rows = await self._database.fetch(_DELETED, (text_array(sorted(streams)),))
        return {stream for (stream,) in rows}

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
        asked = {"room": room, "nodes": text_array(list(nodes)), "until": until}
        return as_recorded(await self._database.fetch(_KEYFRAMES, asked))
