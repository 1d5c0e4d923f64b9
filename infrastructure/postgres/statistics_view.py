"""The tables of statistics: what was done in a room, by whom and when; what is said, and how soon answered.

That each event counts once is the tracking row's business, which moves in the same transaction. Edits come
by the thousand, so a page is added up in memory and costs one statement for each table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from application.log import Recorded
from domain.aggregate import Event
from infrastructure.postgres.arrays import bigint_array, text_array
from infrastructure.postgres.database import Connection, Database
from projections import statistics
from projections.statistics import (
    COUNTED,
    EMOJI_TOLD,
    EVERYBODY,
    HOURS_TOLD,
    PEOPLE_TOLD,
    STOP_WORDS,
    WORDS_TOLD,
    Activity,
    BusyHour,
    Counts,
    DayCounts,
    HourOfWeek,
    KnownMessage,
    Last,
    MessageKey,
    PersonCounts,
    Piece,
    RoomStatistics,
    Tally,
    Uses,
)

_COUNTED: Final = ", ".join(COUNTED)
_SUMS: Final = ", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in COUNTED)

# What a page adds.

_ADD: Final = f"""
INSERT INTO statistics (room, scale, "user", since, {_COUNTED})
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[]{", %s::bigint[]" * len(COUNTED)})
ON CONFLICT (room, scale, "user", since) DO UPDATE
SET {", ".join(f"{name} = statistics.{name} + excluded.{name}" for name in COUNTED)}
""".encode()
_ADD_RESPONSES: Final = b"""
INSERT INTO statistics_responses (room, scale, "user", since, bucket, responses)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[], %s::bigint[])
ON CONFLICT (room, scale, "user", since, bucket) DO UPDATE
SET responses = statistics_responses.responses + excluded.responses
"""
_ADD_EMOJI: Final = b"""
INSERT INTO statistics_emoji (room, emoji, uses) SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[])
ON CONFLICT (room, emoji) DO UPDATE SET uses = statistics_emoji.uses + excluded.uses
"""
_ADD_WORDS: Final = b"""
INSERT INTO statistics_words (room, word, uses) SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[])
ON CONFLICT (room, word) DO UPDATE SET uses = statistics_words.uses + excluded.uses
"""
# What nobody uses any more has no row, as if it had never been used.
_DROP_EMOJI: Final = b"""
DELETE FROM statistics_emoji AS known USING unnest(%s::text[], %s::text[]) AS changed (room, emoji)
WHERE known.room = changed.room AND known.emoji = changed.emoji AND known.uses = 0
"""
_DROP_WORDS: Final = b"""
DELETE FROM statistics_words AS known USING unnest(%s::text[], %s::text[]) AS changed (room, word)
WHERE known.room = changed.room AND known.word = changed.word AND known.uses = 0
"""

# What has to be known, and is known then.

_KNOWN: Final = b"""
SELECT known.room, known.message, known.author, known.said, known.words
FROM unnest(%s::text[], %s::text[]) AS needed (room, message)
JOIN statistics_messages AS known ON known.room = needed.room AND known.message = needed.message
"""
_LAST: Final = b"SELECT room, author, said FROM statistics_rooms WHERE room = ANY(%s::text[])"
_KNOW: Final = b"""
INSERT INTO statistics_messages (room, message, author, said, words)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::text[])
ON CONFLICT (room, message) DO UPDATE SET words = excluded.words
"""
_KNOW_LAST: Final = b"""
INSERT INTO statistics_rooms (room, author, said)
SELECT * FROM unnest(%s::text[], %s::text[], %s::timestamptz[])
ON CONFLICT (room) DO UPDATE SET author = excluded.author, said = excluded.said
"""

# The questions. A span is a few pieces, each of periods of one scale; each piece of each user is a range of
# the primary key.

_PIECES: Final = """
unnest(%(scales)s::text[], %(sinces)s::timestamptz[], %(untils)s::timestamptz[])
AS piece (scale, since, until)
"""
_OF_PIECE: Final = """
known.room = %(room)s AND known.scale = piece.scale AND known."user" = who."user"
AND known.since >= piece.since AND known.since < piece.until
"""
_PEOPLE: Final = f"""
WITH who AS MATERIALIZED (
    SELECT "user" FROM statistics
    WHERE room = %(room)s AND scale = 'ever' AND (%(user)s::text IS NULL OR "user" = %(user)s)),
told AS (
    SELECT who."user", {_SUMS}
    FROM who CROSS JOIN {_PIECES}
    CROSS JOIN LATERAL (SELECT {_SUMS} FROM statistics AS known WHERE {_OF_PIECE}) AS part
    GROUP BY who."user")
SELECT * FROM told
WHERE {" + ".join(name for name in COUNTED if name != "response_milliseconds")} > 0
ORDER BY "user" = '{EVERYBODY}' DESC, messages + reactions_added + document_edits DESC, "user" LIMIT %(limit)s
"""
# 1970 began on a Thursday; the weeks before that are so many that no hour there is has a number below 0.
_MONDAY: Final = 168 * 200_000 + 3 * 24

_HOURS: Final = """
FROM statistics
WHERE room = %(room)s AND scale = 'hour' AND "user" = %(who)s AND since >= %(since)s AND since < %(until)s
"""
_DAYS: Final = f"""
SELECT (part.since + %(offset)s)::date AS day, {_SUMS}
FROM (SELECT %(who)s::text AS "user") AS who CROSS JOIN {_PIECES}
CROSS JOIN LATERAL (SELECT * FROM statistics AS known WHERE {_OF_PIECE}) AS part
GROUP BY day ORDER BY day
"""
# Whole hours since a Monday long ago, in floating point, which is much faster than extract().
_WEEK: Final = f"""
SELECT (floor((date_part('epoch', since) + %(offset_seconds)s) / 3600)::bigint + {_MONDAY}) %% 168 AS hour,
       sum(messages)::bigint, sum(reactions_added)::bigint, sum(document_edits)::bigint
{_HOURS} GROUP BY hour ORDER BY hour
"""
_BUSIEST: Final = f"""
SELECT since, messages, reactions_added, document_edits {_HOURS}
ORDER BY messages + reactions_added + document_edits DESC, since LIMIT %(limit)s
"""
_BUCKETS: Final = f"""
SELECT bucket, sum(part.responses)::bigint
FROM (SELECT %(who)s::text AS "user") AS who CROSS JOIN {_PIECES}
CROSS JOIN LATERAL (SELECT bucket, responses FROM statistics_responses AS known WHERE {_OF_PIECE}) AS part
GROUP BY bucket ORDER BY bucket
"""
_EMOJI: Final = """
SELECT emoji, uses FROM statistics_emoji WHERE room = %s AND uses > 0 ORDER BY uses DESC, emoji LIMIT %s
"""
_WORDS: Final = """
SELECT word, uses FROM statistics_words WHERE room = %s AND uses > 0 AND word <> ALL(%s)
ORDER BY uses DESC, word LIMIT %s
"""


class StatisticsView:
    """A `View` for the projector, and the question that it answers, which raises `StoreUnavailable`."""

    name = statistics.NAME
    tables = (
        "statistics",
        "statistics_responses",
        "statistics_emoji",
        "statistics_words",
        "statistics_messages",
        "statistics_rooms",
    )
    topics = statistics.TOPICS

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, connection: Connection, page: Sequence[Recorded]) -> None:
        """Bring the tables up to the end of `page`. Runs inside the projector's transaction."""
        events = [recorded.event for recorded in page]
        tally = await _begin(connection, events)
        for event in events:
            tally.add(event)
        await _add_counts(connection, tally)
        await _add_uses(connection, (_ADD_EMOJI, _DROP_EMOJI), tally.emoji)
        await _add_uses(connection, (_ADD_WORDS, _DROP_WORDS), tally.words)
        await _know(connection, tally)

    async def of_room(
        self,
        room: str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        user: str | None = None,
        offset_minutes: int = 0,
    ) -> RoomStatistics:
        """What was done in `room`, by everybody or by `user`, in the hours from that of `since` until that in
        which `until` lies, which is in it unless it begins then. None: without end.

        Days and hours of the day are those of a clock `offset_minutes` ahead of UTC.
        """
        start, end = statistics.hours_between(since, until)
        asked = {
            "room": room,
            "user": user,
            "who": user or EVERYBODY,
            **_as_parameters(statistics.pieces(since, until)),
            "since": start,
            "until": end,
            "offset": timedelta(minutes=offset_minutes),
            "offset_seconds": offset_minutes * 60.0,
        }
        days = _as_parameters(statistics.day_pieces(start, end, offset_minutes))
        rows = await self._database.fetch(_PEOPLE, asked | {"limit": PEOPLE_TOLD + 1})
        people = [PersonCounts(row[0], Counts(*row[1:])) for row in rows]
        totals = people[0].counts if people else Counts()
        fetch = self._database.fetch
        return RoomStatistics(
            room=room,
            user=user,
            since=since,
            until=until,
            offset_minutes=offset_minutes,
            totals=totals,
            people=tuple(person for person in people if person.user != EVERYBODY),
            days=tuple(DayCounts(row[0], Counts(*row[1:])) for row in await fetch(_DAYS, asked | days)),
            week=tuple(
                HourOfWeek(row[0] // 24 + 1, row[0] % 24, Activity(*row[1:]))
                for row in await fetch(_WEEK, asked)
            ),
            busiest=tuple(
                BusyHour(row[0], Activity(*row[1:]))
                for row in await fetch(_BUSIEST, asked | {"limit": HOURS_TOLD})
            ),
            emoji=tuple(Uses(*row) for row in await fetch(_EMOJI, (room, EMOJI_TOLD))),
            words=tuple(Uses(*row) for row in await fetch(_WORDS, (room, _STOP_WORDS, WORDS_TOLD))),
            response_times=statistics.response_times(
                await fetch(_BUCKETS, asked), totals.response_milliseconds
            ),
        )


_STOP_WORDS: Final = sorted(STOP_WORDS)


def _as_parameters(parts: Sequence[Piece]) -> dict[str, Any]:
    return {
        "scales": [part.scale for part in parts],
        "sinces": [part.since for part in parts],
        "untils": [part.until for part in parts],
    }


async def _begin(connection: Connection, events: Sequence[Event]) -> Tally:
    """A tally that knows what it has to."""
    wanted, rooms = statistics.needed(events)
    messages: dict[MessageKey, KnownMessage] = {}
    last: dict[str, Last] = {}
    if wanted:
        keys = sorted(wanted)
        parameters = text_array([room for room, _ in keys]), text_array([message for _, message in keys])
        for room, message, author, said, words in await (
            await connection.execute(_KNOWN, parameters)
        ).fetchall():
            messages[room, message] = KnownMessage(author, said, tuple(words.split()))
    if rooms:
        for room, author, said in await (
            await connection.execute(_LAST, (text_array(sorted(rooms)),))
        ).fetchall():
            last[room] = Last(author, said)
    return Tally(messages, last)


async def _add_counts(connection: Connection, tally: Tally) -> None:
    counts = statistics.at_every_scale(tally.counts)
    if counts:
        columns = zip(*counts.values(), strict=True)
        await connection.execute(_ADD, (*_keys(list(counts)), *(bigint_array(column) for column in columns)))
    responses = statistics.responses_at_every_scale(tally.responses)
    if responses:
        buckets = bigint_array([bucket for _, bucket in responses])
        keys = _keys([period for period, _ in responses])
        await connection.execute(_ADD_RESPONSES, (*keys, buckets, bigint_array(list(responses.values()))))


def _keys(of: Sequence[statistics.Period]) -> tuple[Any, ...]:
    return (
        text_array([period.room for period in of]),
        text_array([period.scale for period in of]),
        text_array([period.user for period in of]),
        [period.since for period in of],
    )


async def _add_uses(
    connection: Connection, statements: tuple[bytes, bytes], uses: Mapping[tuple[str, str], int]
) -> None:
    changed = {key: number for key, number in uses.items() if number}
    if changed:
        add, drop = statements
        keys = text_array([room for room, _ in changed]), text_array([value for _, value in changed])
        await connection.execute(add, (*keys, bigint_array(list(changed.values()))))
        await connection.execute(drop, keys)


async def _know(connection: Connection, tally: Tally) -> None:
    touched = {key: tally.messages[key] for key in tally.touched}
    if touched:
        await connection.execute(
            _KNOW,
            (
                text_array([room for room, _ in touched]),
                text_array([message for _, message in touched]),
                text_array([known.author for known in touched.values()]),
                [known.said for known in touched.values()],
                text_array([" ".join(known.words) for known in touched.values()]),
            ),
        )
    if tally.last:
        await connection.execute(
            _KNOW_LAST,
            (
                text_array(list(tally.last)),
                text_array([last.author for last in tally.last.values()]),
                [last.said for last in tally.last.values()],
            ),
        )
