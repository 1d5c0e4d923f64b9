"""Time travel: a document's state at a past revision, time or place in the log, straight from the log.

The state is the fold of the ops alone, from the nearest snapshot on. Loading the aggregate would give the
same text (a law that the tests hold) and takes three times as long, since it also rebuilds what only
deciding needs: who sent what last, the window of recent edits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from domain.aggregate import Snapshot
from domain.document import Created, DocumentState, EditApplied, Ranges, Sources
from domain.errors import Corrupt, OpInvalid
from domain.ids import parse_stream
from domain.importing import IMPORT_CLIENT
from domain.instants import as_datetime, as_microseconds
from domain.text import Text
from domain.text_op import Op
from infrastructure.codec import decode
from infrastructure.postgres.database import Database

# Rows of one read: a few milliseconds of folding, then others get their turn.
PAGE_ROWS: Final = 2_000

_SNAPSHOT: Final = """
SELECT originator_version, state FROM snapshots
WHERE originator_id = %s AND originator_version <= %s ORDER BY originator_version DESC LIMIT 1
"""
_EVENTS: Final = """
SELECT originator_version, topic, state FROM record
WHERE originator_id = %s AND originator_version > %s AND originator_version <= %s
ORDER BY originator_version LIMIT %s
"""
_OWN: Final = f"""
SELECT originator_version, topic, state FROM record
WHERE originator_id = %s AND originator_version < %s AND topic = %s AND (actor = %s OR client LIKE '@%%')
    AND client <> '{IMPORT_CLIENT}'
ORDER BY originator_version DESC LIMIT %s
"""
_TIME: Final = "SELECT at, state FROM record WHERE originator_id = %s AND originator_version = %s"
_POSITION: Final = (
    "SELECT notification_id, NULL FROM record WHERE originator_id = %s AND originator_version = %s"
)
_LAST: Final = "SELECT coalesce(max(originator_version), 0) FROM record WHERE originator_id = %s"

_NO_BOUND: Final = 2**62


class TimeTravel:
    """Reads past states. Every method raises `StoreUnavailable`, and `Corrupt` for what it cannot read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self, stream: str) -> DocumentState | None:
        """The newest state in the log, None when there is no such document."""
        return await self._state(stream, _NO_BOUND, _NO_BOUND)

    async def at_revision(self, stream: str, revision: int) -> DocumentState | None:
        """The state after the first `revision` edits, None when there have not been as many."""
        found = await self._state(stream, _NO_BOUND, revision)
        return found if found is not None and found.revision == revision else None

    async def at_time(self, stream: str, at: datetime) -> DocumentState | None:
        """The state at a moment of the server's clock, None before the document was created."""
        return await self.at_version(stream, await self._last_version(stream, _TIME, at))

    async def at_position(self, stream: str, position: int) -> DocumentState | None:
        """The state when the log had come to this notification id, None before the document was created."""
        return await self.at_version(stream, await self._last_version(stream, _POSITION, position))

    async def at_version(self, stream: str, version: int) -> DocumentState | None:
        """The state after the stream's first `version` events, None before the document was created."""
        return await self._state(stream, version, _NO_BOUND) if version else None

    async def edits(self, stream: str, after: int, until: int) -> list[PastEdit]:
        """What blame and undo need of the edits of revisions `after + 1` to `until`, oldest first."""
        # A revision's version is one larger: see `revision_at`.
        rows = await self._database.fetch(_EVENTS, (stream, after + 1, until + 1, until - after))
        try:
            return [_past_edit(stream, *row) for row in rows]
        except (orjson.JSONDecodeError, TypeError, KeyError) as error:
            raise Corrupt(f"an edit behind revision {after} of {stream} cannot be read") from error

    async def revision_at(self, stream: str, at: datetime) -> int | None:
        """The revision at a moment, None before the document was created."""
        version = await self._last_version(stream, _TIME, at)
        # A document's stream begins with its creation; all that follows are its edits.
        return version - 1 if version else None

    async def own_backwards(self, stream: str, actor: str, before: int, limit: int) -> list[EditApplied]:
        """Of the edits before revision `before` those of `actor`, and those that no client has made, newest
        first, at most `limit`.
        """
        rows = await self._database.fetch(_OWN, (stream, before + 1, EditApplied.TOPIC, actor, limit))
        return [decode(stream, version, topic, state) for version, topic, state in rows]

    async def _last_version(self, stream: str, query: str, limit: datetime | int) -> int:
        """The last version of which `query` gives no more than `limit`, by halving: versions have no gaps,
        and times and places in the log rise with them. Of what was imported the time is that at which it was
        written.
        """
        low, high = 0, int((await self._database.fetch(_LAST, (stream,)))[0][0])
        while low < high:
            middle = (low + high + 1) // 2
            found: Any
            [(found, state)] = await self._database.fetch(query, (stream, middle))
            if state is not None and (written := written_elsewhere(orjson.loads(state))) is not None:
                found = as_datetime(written)
            is_before: bool = found <= limit
            if is_before:
                low = middle
            else:
                high = middle - 1
        return low

    async def _state(self, stream: str, version: int, revision: int) -> DocumentState | None:
        # A revision's version is at least one larger, so a snapshot up to there is never too young.
        fold = _Fold(stream)
        for found, state in await self._database.fetch(_SNAPSHOT, (stream, min(version, revision + 1))):
            fold.begin_at(decode(stream, found, Snapshot.TOPIC, state))
        while True:
            rows = await self._database.fetch(_EVENTS, (stream, fold.version, version, PAGE_ROWS))
            if fold.take(rows, revision) or len(rows) < PAGE_ROWS:
                return fold.state if await self._is_whole(stream, fold) else None
            await asyncio.sleep(0)

    async def _is_whole(self, stream: str, fold: _Fold) -> bool:
        """False while it is being imported: what there is of it is not there yet, at no moment."""
        if fold.revision >= fold.edits_imported:
            return True
        last = int((await self._database.fetch(_LAST, (stream,)))[0][0])
        return last > fold.edits_imported  # its creation is one more


def written_elsewhere(fields: Mapping[str, Any]) -> int | None:
    """Of a stored edit, or of a document's creation, when it was written where it was imported from."""
    imported = fields.get("imported")
    return fields.get("written") if imported is None else int(imported["since"])


class PastEdit(NamedTuple):
    """An `UndoableEdit`: a third of the time that it takes to make an event."""

    revision: int
    op: Op
    undoes: Ranges | None
    revives: Sources | None
    origins: Sources | None


def _past_edit(stream: str, version: int, topic: str, state: bytes) -> PastEdit:
    fields = orjson.loads(state)
    if "class_version" in fields or "sealed" in fields:
        fields = vars(decode(stream, version, topic, state))
    return PastEdit(
        fields["revision"], fields["op"], fields.get("undoes"), fields.get("revives"), fields.get("origins")
    )


class _Fold:
    """One document's text on its way through its history."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._text = Text()
        self._microseconds: int | None = None
        self.revision = 0
        self.version = 0
        self.edits_imported = 0

    def begin_at(self, snapshot: Snapshot) -> None:
        self.version = snapshot.originator_version
        self._text = Text(snapshot.state["text"])
        self.revision = snapshot.state["revision"]
        written = snapshot.state.get("written")
        self._microseconds = as_microseconds(snapshot.timestamp) if written is None else written
        self._import(snapshot.state)

    def take(self, rows: Sequence[Any], until: int) -> bool:
        """Apply the edits of `rows`; True when there is one behind revision `until`. Raises `Corrupt`."""
        try:
            return self._take(rows, until)
        except (orjson.JSONDecodeError, TypeError, KeyError, OpInvalid) as error:
            raise Corrupt(
                f"an edit behind version {self.version} of {self._stream} cannot be read"
            ) from error

    def _take(self, rows: Sequence[Any], until: int) -> bool:
        for version, topic, state in rows:
            if topic == EditApplied.TOPIC:
                fields = orjson.loads(state)
                if "class_version" in fields or "sealed" in fields:
                    fields["op"] = decode(self._stream, version, topic, state).op
                if fields["revision"] > until:
                    return True
                self._text.apply(fields["op"])
                self.revision = fields["revision"]
                self._microseconds = fields.get("written", fields["at"])
            elif topic == Created.TOPIC:
                fields = orjson.loads(state)
                written = written_elsewhere(fields)
                self._microseconds = fields["at"] if written is None else written
                self._import(fields)
            self.version = version
        return False

    def _import(self, fields: Mapping[str, Any]) -> None:
        if (imported := fields.get("imported")) is not None:
            self.edits_imported = imported["edits"]

    @property
    def state(self) -> DocumentState | None:
        if self._microseconds is None:
            return None
        stream = parse_stream(self._stream)
        modified_on = as_datetime(self._microseconds)
        return DocumentState(stream.room, stream.name, self.revision, str(self._text), modified_on)
