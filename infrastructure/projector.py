"""Keeps a projection's table up to date: page by page, each page and how far it reads in one transaction.

One node at a time works on a projection: the one that holds its advisory lock. The lock is only there to
save work. What makes it exact is the tracking row, which moves from where this projector believes
it to be or not at all; so two projectors at work would be harmless.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Protocol

import psycopg

from application.log import Recorded
from domain.errors import StoreUnavailable
from infrastructure.postgres.database import Connection, Database

logger = logging.getLogger(__name__)

# First key of the advisory locks of projections; the second is a hash of the name.
PROJECTION_LOCKS: Final = 0x70726F6A

# What one transaction takes in: large enough that the transaction costs nothing per event.
PAGE_EVENTS: Final = 2_000

# How late a table may be: events gather for this long, so that a busy log makes few transactions.
GATHER_SECONDS: Final = 0.1

# How soon another node takes over, and how soon a failure is tried again.
TAKEOVER_SECONDS: Final = 1.0

_BEGIN: Final = b"INSERT INTO tracking VALUES (%s, 0) ON CONFLICT DO NOTHING"
_POSITION: Final = b"SELECT notification_id FROM tracking WHERE application_name = %s"
_MOVE: Final = (
    b"UPDATE tracking SET notification_id = %s WHERE application_name = %s AND notification_id = %s"
)


class View(Protocol):
    """A projection's table. `apply` and `clear` run in the projector's transaction."""

    @property
    def name(self) -> str: ...

    async def apply(self, connection: Connection, page: Sequence[Recorded]) -> None: ...

    async def clear(self, connection: Connection) -> None: ...


class Source(Protocol):
    """The log that is projected."""

    async def read_after(self, position: int, limit: int) -> Sequence[Recorded]: ...


class LostTracking(Exception):  # noqa: N818
    """Another projector has moved on: what we have folded is not needed."""


class Projector:
    """One projection on this node. `run` is its one task."""

    def __init__(self, database: Database, source: Source, view: View) -> None:
        self._database = database
        self._source = source
        self._view = view
        self._wake = asyncio.Event()
        self.position = 0
        self.is_active = False
        self.events = 0

    @property
    def name(self) -> str:
        return self._view.name

    def on_events(self, _: Sequence[Recorded]) -> None:
        """Called by the feed: there is something to read."""
        self._wake.set()

    async def run(self) -> None:
        """Project whenever this node is the active one, until cancelled."""
        while True:
            try:
                connection = await self._database.connect(f"projection {self.name}", is_durable=False)
                try:
                    if await self._lead(connection):
                        await self._follow(connection)
                finally:
                    self.is_active = False
                    await connection.close()
            except (psycopg.Error, StoreUnavailable, LostTracking) as error:
                logger.warning("projection %s is interrupted: %s", self.name, error)
            await asyncio.sleep(TAKEOVER_SECONDS)

    async def _lead(self, connection: Connection) -> bool:
        query = b"SELECT pg_try_advisory_lock(%s, hashtext(%s))"
        row = await (await connection.execute(query, (PROJECTION_LOCKS, self.name))).fetchone()
        return bool(row and row[0])

    async def _follow(self, connection: Connection) -> None:
        self.is_active = True
        await connection.execute(_BEGIN, (self.name,))
        row = await (await connection.execute(_POSITION, (self.name,))).fetchone()
        assert row is not None
        self.position = row[0]
        while True:
            while await self.step(connection):
                pass
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(GATHER_SECONDS)

    async def step(self, connection: Connection) -> bool:
        """Fold one page. False when there was none. Raises `LostTracking`."""
        page = await self._source.read_after(self.position, PAGE_EVENTS)
        if not page:
            return False
        async with connection.transaction():
            reached = page[-1].position
            moved = await connection.execute(_MOVE, (reached, self.name, self.position))
            if moved.rowcount != 1:
                raise LostTracking(self.name)
            await self._view.apply(connection, page)
        self.position = reached
        self.events += len(page)
        return True

    async def rebuild(self, connection: Connection) -> None:
        """Empty the table and begin to read the log anew."""
        async with connection.transaction():
            await self._view.clear(connection)
            await connection.execute(_BEGIN, (self.name,))
            await connection.execute(
                b"UPDATE tracking SET notification_id = 0 WHERE application_name = %s", (self.name,)
            )
        self.position = 0
