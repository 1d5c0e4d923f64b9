"""Keeps a projection's tables up to date: page by page, each page and how far it reads in one transaction.

One node at a time works on a projection: the one that holds its advisory lock. The lock is only there to
save work. What makes it exact is the tracking row, which moves from where this projector believes
it to be or not at all; so two projectors at work would be harmless, and a rebuild may move it.

An event that a view cannot take in is parked: written down and passed over, so that everything else goes
on. A page is tried whole, then in halves, down to the event at fault, each part in a savepoint.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import psycopg

from application.log import Recorded
from domain.aggregate import Unreadable
from domain.errors import StoreUnavailable
from infrastructure.postgres.database import Connection, Database

logger = logging.getLogger(__name__)

# First key of the advisory locks of projections; the second is a hash of the name.
PROJECTION_LOCKS: Final = 0x70726F6A

# What one transaction takes in: large enough that the transaction costs little per event, small enough that
# the sockets of this node do not notice.
PAGE_EVENTS: Final = 2_000

# How late a table may be: events gather for this long, so that a busy log makes few transactions.
GATHER_SECONDS: Final = 0.1

# How soon another node takes over, and how soon a failure is tried again.
TAKEOVER_SECONDS: Final = 1.0

# In a quiet log, how late we notice that our connection is gone, or that the table was rebuilt.
LOOK_SECONDS: Final = 5.0

_BEGIN: Final = b"INSERT INTO tracking VALUES (%s, 0) ON CONFLICT DO NOTHING"
_PLACE: Final = b"""
SELECT notification_id, (SELECT count(*) FROM parked WHERE projection = application_name)
FROM tracking WHERE application_name = %s
"""
_MOVE: Final = (
    b"UPDATE tracking SET notification_id = %s WHERE application_name = %s AND notification_id = %s"
)
_PARK: Final = b"""
INSERT INTO parked (projection, position, stream, version, topic, error) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (projection, position) DO UPDATE SET error = excluded.error, at = excluded.at
"""

# Without the last three, a table that is missing or must not be written to would have the whole log parked.
_OF_THE_STORE: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    StoreUnavailable,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InsufficientPrivilege,
)


class View(Protocol):
    """A projection's tables.

    `apply` runs in the projector's transaction, or in a rebuild's, where the same names are other tables. It
    never meets an event that cannot be read, keeps nothing in memory, and gives the same rows whatever the
    pages. The tables have no sequences, triggers, foreign keys or SQL views: a rebuild would lose them.
    """

    @property
    def name(self) -> str: ...

    @property
    def tables(self) -> tuple[str, ...]:
        """All that `apply` writes to."""
        ...

    @property
    def topics(self) -> frozenset[str] | None:
        """The events it wants to see; None for all."""
        ...

    async def apply(self, connection: Connection, page: Sequence[Recorded]) -> None: ...


class Source(Protocol):
    """The log that is projected."""

    async def read_page(
        self, position: int, limit: int, topics: frozenset[str] | None, until: int | None
    ) -> tuple[int, Sequence[Recorded]]:
        """Where the next `limit` events behind `position` end, and those of `topics` among them."""
        ...


class LostTracking(Exception):  # noqa: N818
    """Somebody else has moved on: what we have folded is not needed."""


class Projector:
    """One projection on this node. `run` is its one task."""

    def __init__(
        self, database: Database, source: Source, view: View, *, page_events: int = PAGE_EVENTS
    ) -> None:
        self._page_events = page_events
        self._database = database
        self._source = source
        self._view = view
        self._wake = asyncio.Event()
        self.position = 0
        self.parked = 0
        self.is_active = False
        self.events = 0
        """How many events the view was given, or were parked."""

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
            except (psycopg.Error, StoreUnavailable) as error:
                logger.warning("projection %s is interrupted: %s", self.name, error)
            await asyncio.sleep(TAKEOVER_SECONDS)

    async def _lead(self, connection: Connection) -> bool:
        query = b"SELECT pg_try_advisory_lock(%s, hashtext(%s))"
        row = await (await connection.execute(query, (PROJECTION_LOCKS, self.name))).fetchone()
        return bool(row and row[0])

    async def _follow(self, connection: Connection) -> None:
        self.is_active = True
        while True:
            await self.begin(connection)
            try:
                while await self._take_all_in(connection):
                    pass
            except LostTracking:
                logger.info("projection %s is at another place now", self.name)

    async def _take_all_in(self, connection: Connection) -> bool:
        """Come to the end of the log and wait for more. False when there was none for long."""
        while await self.step(connection):
            pass
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        await asyncio.sleep(GATHER_SECONDS)
        return True

    async def begin(self, connection: Connection) -> None:
        """Find the place where the tables are."""
        await connection.execute(_BEGIN, (self.name,))
        row = await (await connection.execute(_PLACE, (self.name,))).fetchone()
        assert row is not None
        self.position, self.parked = row

    async def step(self, connection: Connection, until: int | None = None) -> bool:
        """Fold one page, of nothing behind `until`. False when there was none. Raises `LostTracking`."""
        end, page = await self._source.read_page(self.position, self._page_events, self._view.topics, until)
        if end == self.position:
            return False
        async with connection.transaction():
            moved = await connection.execute(_MOVE, (end, self.name, self.position))
            if moved.rowcount != 1:
                raise LostTracking(self.name)
            parked = await self._apply(connection, page)
        self.position = end
        self.parked += parked
        self.events += len(page)
        return True

    async def _apply(self, connection: Connection, page: Sequence[Recorded]) -> int:
        """Give the view what can be read of a page. Returns how many events were parked."""
        readable = []
        for recorded in page:
            if isinstance(recorded.event, Unreadable):
                await self._park(connection, recorded, f"Corrupt: {recorded.event.reason}")
            else:
                readable.append(recorded)
        parked = len(page) - len(readable)
        return parked + await self._apply_or_park(connection, readable) if readable else parked

    async def _apply_or_park(self, connection: Connection, part: Sequence[Recorded]) -> int:
        try:
            async with connection.transaction():
                await self._view.apply(connection, part)
        except Exception as error:
            if _is_of_the_store(error):
                raise
            if len(part) == 1:
                await self._park(connection, part[0], reason(error))
                return 1
        else:
            return 0
        middle = len(part) // 2
        before = await self._apply_or_park(connection, part[:middle])
        return before + await self._apply_or_park(connection, part[middle:])

    async def _park(self, connection: Connection, recorded: Recorded, why: str) -> None:
        event = recorded.event
        topic = event.topic if isinstance(event, Unreadable) else event.TOPIC
        where = (event.originator_id, event.originator_version)
        await connection.execute(_PARK, (self.name, recorded.position, *where, topic, why))
        logger.critical("projection %s has parked event %d: %s", self.name, recorded.position, why)


def _is_of_the_store(error: Exception) -> bool:
    """True when nothing is wrong with the event, and trying again later can help."""
    if isinstance(error, psycopg.errors.ProgramLimitExceeded):  # such as a value too long for an index
        return False
    return isinstance(error, _OF_THE_STORE)


def reason(error: Exception) -> str:
    """The kind of an error and where it came up. Its own text may hold a document's: that is for no log."""
    kind = type(error).__name__
    if isinstance(error, psycopg.Error):
        names = [error.diag.table_name, error.diag.column_name, error.diag.constraint_name]
        return " ".join([kind, *(name for name in names if name)])
    frames = traceback.extract_tb(error.__traceback__)
    return f"{kind} in {Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else kind
