"""The tables of chat: every message as it stands, and how far everybody has got and read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from application.log import Recorded
from domain.errors import Overloaded
from domain.ids import parse_stream
from domain.instants import as_datetime, as_microseconds
from domain.receipts import Pointers, PointersByUser, ReceiptsRecorded
from infrastructure.postgres import chat_search
from infrastructure.postgres.arrays import bigint_array, text_array
from infrastructure.postgres.database import Connection, Database
from projections import chat
from projections.chat import (
    ChatFilter,
    ChatMessage,
    Key,
    Origin,
    Reaction,
    Reader,
    Standing,
    Unread,
)
from projections.chat_search import Findings, Found, Place, Term, pieces_of, spaced, terms_of, text_key

COLUMNS: Final = (
    "room, message, position, author, client, posted_at, text, documents, reply_to, mentions, link, edits,"
    " edited_at, deleted_at, deleted_by, pinned_at, pinned_by, reactions, source, imported_by, imported_at"
)
_KNOWN: Final = f"""
SELECT version, {COLUMNS} FROM chat_messages
WHERE (room, message) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
""".encode()
_MOMENT: Final = "timestamptz 'epoch' + {} * interval '1 microsecond'"
# Ids have no spaces. Where the words are those of the key, as they mostly are, it is not sent twice.
_UPSERT: Final = f"""
INSERT INTO chat_messages (version, {COLUMNS}, text_key, words)
SELECT version, room, message, position, author, client, {_MOMENT.format("posted_at")}, text,
       documents::jsonb, reply_to, string_to_array(mentions, ' '), link::jsonb, edits,
       {_MOMENT.format("edited_at")}, {_MOMENT.format("deleted_at")}, deleted_by,
       {_MOMENT.format("pinned_at")}, pinned_by, reactions::jsonb,
       source, imported_by, {_MOMENT.format("imported_at")}, text_key,
       to_tsvector('simple', coalesce(spaced, text_key))
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::bigint[],
            %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
            %s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[],
            %s::bigint[], %s::text[], %s::text[])
     AS changed (version, {COLUMNS}, text_key, spaced)
ON CONFLICT (room, message) DO UPDATE
SET (version, text, mentions, edits, edited_at, deleted_at, deleted_by, pinned_at, pinned_by, reactions,
     text_key, words)
    = (excluded.version, excluded.text, excluded.mentions, excluded.edits, excluded.edited_at,
       excluded.deleted_at, excluded.deleted_by, excluded.pinned_at, excluded.pinned_by, excluded.reactions,
       excluded.text_key, excluded.words)
WHERE chat_messages.version < excluded.version
""".encode()
_POINT: Final = b"""
INSERT INTO chat_pointers AS known (room, "user", delivered, read)
SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[])
ON CONFLICT (room, "user") DO UPDATE
SET delivered = greatest(known.delivered, excluded.delivered), read = greatest(known.read, excluded.read)
"""

# Nobody reads on from further behind, and counting on takes time: a thousand is shown as "many".
UNREAD_MAX: Final = 1_000

# So long a search may take. Whoever waits longer has typed something else by then.
SEARCH_SECONDS: Final = 0.5

# So many searches at once, of the connections that everybody reads by; and so many may wait for their turn,
# which is a few seconds of the slowest.
SEARCHES_AT_ONCE: Final = 2
SEARCHES_WAITING: Final = 20

_FIND: Final = f"SELECT {COLUMNS} FROM chat_messages WHERE room = %s AND message = %s"
_POINTERS: Final = 'SELECT "user", delivered, read FROM chat_pointers WHERE room = %s ORDER BY "user"'
_READERS: Final = """
SELECT "user", read >= %(position)s FROM chat_pointers
WHERE room = %(room)s AND delivered >= %(position)s AND "user" <> %(author)s ORDER BY "user"
"""
_UNREAD: Final = f"""
SELECT count(*) FROM (
    SELECT FROM chat_messages AS message
    WHERE message.room = {{room}} AND message.position > {{read}} AND message.author <> %(user)s
      AND message.deleted_at IS NULL
    LIMIT {UNREAD_MAX}) AS unread
"""
_POINTER: Final = 'SELECT read FROM chat_pointers WHERE room = %(room)s AND "user" = %(user)s'
_UNREAD_IN: Final = _UNREAD.format(room="%(room)s", read=f"coalesce(({_POINTER}), 0)")
# The rooms that may be read as the tables know it: whoever tells of them has to look again.
_OPEN_TO: Final = """
SELECT room FROM members WHERE "user" = %(user)s AND until IS NULL
UNION ALL
SELECT room FROM rooms WHERE everyone IS NOT NULL AND closed_at IS NULL
"""
_UNREAD_BY: Final = f"""
SELECT room, delivered, read, ({_UNREAD.format(room="mine.room", read="mine.read")}) FROM (
    SELECT room, coalesce(max(delivered), 0) AS delivered, coalesce(max(read), 0) AS read FROM (
        SELECT room, delivered, read FROM chat_pointers WHERE "user" = %(user)s
        UNION ALL
        SELECT room, NULL, NULL FROM members WHERE "user" = %(user)s AND until IS NULL) AS known
    WHERE room > %(after)s AND room IN ({_OPEN_TO})
    GROUP BY room ORDER BY room LIMIT %(limit)s) AS mine
ORDER BY room
"""

EVERYTHING: Final = ChatFilter()


class ChatView:
    """A `View` for the projector, and the questions that it answers, each raising `StoreUnavailable`."""

    name = chat.NAME
    tables = ("chat_messages", "chat_pointers")
    topics = chat.TOPICS

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = asyncio.Semaphore(SEARCHES_AT_ONCE)
        self._searches = 0

    async def apply(self, connection: Connection, page: Sequence[Recorded]) -> None:
        """Bring the tables up to the end of `page`. Runs inside the projector's transaction."""
        await _point(connection, page)
        named = {key for recorded in page if (key := chat.message_of(recorded.event)) is not None}
        if not named:
            return
        # One that begins in the page is what the page says, unless more is known of it: then that stays.
        known = await _known(connection, named - chat.begun(recorded.event for recorded in page))
        changed = chat.fold(known, [(recorded.position, recorded.event) for recorded in page])
        if changed:
            await _upsert(connection, list(changed.values()))

    # Messages.

    async def find(self, room: str, message: str) -> ChatMessage | None:
        """One message, also a deleted one."""
        rows = await self._database.fetch(_FIND, (room, message))
        return as_message(rows[0]) if rows else None

    async def page(
        self,
        room: str,
        chosen: ChatFilter = EVERYTHING,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int,
    ) -> list[ChatMessage]:
        """At most `limit` messages of `room` to which the filter applies, oldest first: those that follow on
        the position `after`, or without it the last ones, before the position `before` or of all.
        """
        clauses, parameters = _where(chosen)
        clauses.append("room = %(room)s")
        if before is not None:
            clauses.append("position < %(before)s")
        if after is not None:
            clauses.append("position > %(after)s")
        query = _page(clauses, "DESC" if after is None else "ASC")
        parameters |= {"room": room, "before": before, "after": after, "limit": limit}
        rows = await self._database.fetch(query, parameters, prepare=chosen == EVERYTHING)
        return [as_message(row) for row in (rows if after is not None else reversed(rows))]

    async def pointers(self, room: str) -> dict[str, Pointers]:
        """How far everybody has got and read, by user."""
        rows = await self._database.fetch(_POINTERS, (room,))
        return {user: Pointers(delivered, read) for user, delivered, read in rows}

    async def readers(self, message: ChatMessage) -> list[Reader]:
        """Whom a message has reached, by user. Its author is none of them."""
        asked = {"room": message.room, "position": message.position, "author": message.author}
        return [Reader(*row) for row in await self._database.fetch(_READERS, asked)]

    async def unread_in(self, room: str, user: str) -> int:
        """How many messages of others stand behind what `user` has read of `room`, `UNREAD_MAX` at most.
        Those that were deleted do not count.
        """
        return int((await self._database.fetch(_UNREAD_IN, {"room": room, "user": user}))[0][0])

    async def unread(self, user: str, after: str, limit: int) -> list[Unread]:
        """The same of all rooms that `user` is a member of or has read in, and may still read, by room:
        `limit` of those behind the room `after` ("" for the first).
        """
        asked = {"user": user, "after": after, "limit": limit}
        return [Unread(*row) for row in await self._database.fetch(_UNREAD_BY, asked)]

    async def everywhere(
        self, user: str, chosen: ChatFilter, *, before: int | None, limit: int
    ) -> list[ChatMessage]:
        """The newest messages to which the filter applies, of all rooms that `user` may read, the newest
        first: `limit` of those before a position.
        """
        clauses, parameters = _where(chosen)
        clauses.append(f"room IN ({_OPEN_TO})")
        if before is not None:
            clauses.append("position < %(before)s")
        parameters |= {"user": user, "before": before, "limit": limit}
        rows = await self._database.fetch(_page(clauses, "DESC"), parameters, prepare=False)
        return [as_message(row) for row in rows]

    # Search.

    async def search(
        self,
        room: str,
        query: str,
        chosen: ChatFilter = EVERYTHING,
        *,
        behind: Place | None = None,
        limit: int,
    ) -> Findings:
        """The messages of `room` to which the filter applies and in which all words and "phrases" of `query`
        are, the best first: `limit` of those behind a place. When there are none, those that look like it.

        Raises `Overloaded` when it would take too long.
        """
        terms = terms_of(query)
        if not terms:
            return Findings(())
        if self._searches >= SEARCHES_AT_ONCE + SEARCHES_WAITING:
            raise Overloaded("too much is looked for at once", retry_after=1.0)
        self._searches += 1
        try:
            async with self._turns:
                return await self._search(room, terms, chosen, behind, limit)
        finally:
            self._searches -= 1

    async def _search(
        self, room: str, terms: Sequence[Term], chosen: ChatFilter, behind: Place | None, limit: int
    ) -> Findings:
        clauses, parameters = _where(chosen)
        clauses.append("room = %(room)s")
        parameters |= {"room": room, "limit": limit + 1}
        rows = await self._fetch(chat_search.search(COLUMNS, clauses, terms, behind), parameters)
        if not rows and behind is None and any(term.has_part for term in terms):
            with contextlib.suppress(Overloaded):  # that there is nothing is known
                rows = await self._fetch(chat_search.guess(COLUMNS, clauses, terms), parameters)
            found = tuple(_found(row, terms) for row in rows[:limit])
            return Findings(found, is_guess=bool(found))
        following = Place(rows[limit - 1][0], rows[limit - 1][3]) if len(rows) > limit else None
        return Findings(tuple(_found(row, terms) for row in rows[:limit]), following)

    async def _fetch(self, statement: chat_search.Statement, parameters: Mapping[str, Any]) -> list[Any]:
        query, its_own = statement
        return await self._database.fetch_soon(
            query, its_own | dict(parameters), seconds=SEARCH_SECONDS, settings=chat_search.SETTINGS
        )


def _found(row: Sequence[Any], terms: Sequence[Term]) -> Found:
    message = as_message(row[1:])
    return Found(message, pieces_of(message.text, terms))


def _page(clauses: Sequence[str], order: str) -> str:
    return (
        f"SELECT {COLUMNS} FROM chat_messages WHERE {' AND '.join(clauses)}"
        f" ORDER BY position {order} LIMIT %(limit)s"
    )


def _where(chosen: ChatFilter) -> tuple[list[str], dict[str, Any]]:
    """The filter as conditions on `chat_messages`, and their parameters."""
    conditions: dict[str, tuple[str, Any]] = {
        "author": ("author = %(author)s", chosen.author),
        "since": ("posted_at >= %(since)s", chosen.since),
        "until": ("posted_at < %(until)s", chosen.until),
        "mentions": ("mentions <> '{}' AND mentions @> ARRAY[%(mentions)s::text]", chosen.mentions),
        "document": (
            "(documents ? %(document)s OR link ->> 'document' = %(document)s)",
            chosen.document,
        ),
        "reply_to": ("reply_to = %(reply_to)s", chosen.reply_to),
    }
    asked = {name: condition for name, condition in conditions.items() if condition[1] is not None}
    clauses = [clause for clause, _ in asked.values()]
    parameters = {name: value for name, (_, value) in asked.items()}
    if chosen.emoji is not None:
        clauses.append("reactions <> '[]'")
        if chosen.emoji:
            clauses.append("reactions @> %(emoji)s::jsonb")
            parameters["emoji"] = _json([{"emoji": chosen.emoji}])
    if chosen.is_pinned is not None:
        clauses.append(f"pinned_at IS {'NOT ' if chosen.is_pinned else ''}NULL")
    return clauses, parameters


def as_message(row: Sequence[Any]) -> ChatMessage:
    """A row of `COLUMNS`, which stand in the order of the fields."""
    *fields, source, by, at = row
    fields[9] = tuple(fields[9])
    fields[17] = tuple(Reaction(made["emoji"], made["user"], as_datetime(made["at"])) for made in fields[17])
    fields.append(None if source is None else Origin(source, by, at))
    return ChatMessage(*fields)


async def _known(connection: Connection, keys: Collection[Key]) -> dict[Key, Standing]:
    if not keys:
        return {}
    cursor = connection.cursor(binary=True)
    await cursor.execute(
        _KNOWN, (text_array([room for room, _ in keys]), text_array([name for _, name in keys]))
    )
    standings = [Standing(row[0], as_message(row[1:])) for row in await cursor.fetchall()]
    return {(standing.message.room, standing.message.message): standing for standing in standings}


async def _upsert(connection: Connection, changed: Sequence[Standing]) -> None:
    messages = [standing.message for standing in changed]
    origins = [message.imported for message in messages]
    keys = [text_key(message.text) for message in messages]
    await connection.execute(
        _UPSERT,
        (
            bigint_array([standing.version for standing in changed]),
            text_array([message.room for message in messages]),
            text_array([message.message for message in messages]),
            bigint_array([message.position for message in messages]),
            text_array([message.author for message in messages]),
            text_array([message.client for message in messages]),
            bigint_array([as_microseconds(message.posted) for message in messages]),
            text_array([message.text for message in messages]),
            text_array([_json(message.documents) for message in messages]),
            text_array([message.reply_to for message in messages]),
            text_array([" ".join(message.mentions) for message in messages]),
            text_array([None if message.link is None else _json(message.link) for message in messages]),
            bigint_array([message.edits for message in messages]),
            bigint_array([_moment(message.edited) for message in messages]),
            bigint_array([_moment(message.deleted) for message in messages]),
            text_array([message.deleted_by for message in messages]),
            bigint_array([_moment(message.pinned) for message in messages]),
            text_array([message.pinned_by for message in messages]),
            text_array([_reactions(message.reactions) for message in messages]),
            text_array([origin.source if origin else None for origin in origins]),
            text_array([origin.by if origin else None for origin in origins]),
            bigint_array([_moment(origin.at) if origin else None for origin in origins]),
            text_array(keys),
            text_array([None if key.isascii() else spaced(key) for key in keys]),
        ),
    )


def _reactions(reactions: Sequence[Reaction]) -> str:
    return _json([{"emoji": r.emoji, "user": r.user, "at": as_microseconds(r.at)} for r in reactions])


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _moment(at: datetime | None) -> int | None:
    return None if at is None else as_microseconds(at)


async def _point(connection: Connection, page: Sequence[Recorded]) -> None:
    """Join the pointers in. Each user of a room once, or the statement would meet a row twice."""
    rooms: dict[str, PointersByUser] = {}
    for recorded in page:
        if isinstance(recorded.event, ReceiptsRecorded):
            room = parse_stream(recorded.event.originator_id).room
            rooms.setdefault(room, PointersByUser()).take(recorded.event.receipts)
    moved = [(room, user, now) for room, users in rooms.items() for user, now in users.items()]
    if moved:
        await connection.execute(
            _POINT,
            (
                text_array([room for room, _, _ in moved]),
                text_array([user for _, user, _ in moved]),
                bigint_array([now.delivered for _, _, now in moved]),
                bigint_array([now.read for _, _, now in moved]),
            ),
        )
