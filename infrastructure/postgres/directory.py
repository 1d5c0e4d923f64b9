"""The directory's table: written together with how far it has read, read by room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from application.log import Recorded
from infrastructure.postgres.database import Connection, Database
from projections import directory
from projections.directory import Entry

_UPSERT: Final = b"""
INSERT INTO directory (room, document, revision, created_at, created_by, modified_at, modified_by)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (room, document) DO UPDATE
SET revision = excluded.revision, modified_at = excluded.modified_at, modified_by = excluded.modified_by,
    created_at = coalesce(excluded.created_at, directory.created_at),
    created_by = coalesce(excluded.created_by, directory.created_by)
"""
_OF_ROOM: Final = """
SELECT room, document, revision, created_at, created_by, modified_at, modified_by
FROM directory WHERE room = %s ORDER BY created_at, document
"""


class DirectoryView:
    """A `View` for the projector, and the questions that it answers."""

    name = directory.NAME
    tables = ("directory",)
    topics = directory.TOPICS

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, connection: Connection, page: Sequence[Recorded]) -> None:
        """Bring the table up to the end of `page`. Runs inside the projector's transaction."""
        entries = directory.fold(recorded.event for recorded in page)
        if entries:
            async with connection.cursor() as cursor:
                await cursor.executemany(_UPSERT, [_row(entry) for entry in entries.values()])

    async def of_room(self, room: str) -> list[Entry]:
        """The documents of a room, oldest first. Raises `StoreUnavailable`."""
        return [Entry(*row) for row in await self._database.fetch(_OF_ROOM, (room,))]


def _row(entry: Entry) -> tuple[Any, ...]:
    return (
        entry.room,
        entry.document,
        entry.revision,
        entry.created_at,
        entry.created_by,
        entry.modified_at,
        entry.modified_by,
    )
