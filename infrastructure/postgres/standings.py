"""How far the projections are, whichever node works on them."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, NamedTuple

import psycopg

from domain.errors import StoreUnavailable
from infrastructure.postgres.database import Database

logger = logging.getLogger(__name__)

# Whoever asks whether a node is ready is not kept waiting for this.
ANSWER_SECONDS: Final = 1.0

_STANDINGS: Final = """
SELECT application_name, notification_id,
       (SELECT count(*) FROM parked WHERE projection = application_name)
FROM tracking ORDER BY application_name
"""


class Standing(NamedTuple):
    """Up to where a projection has read the log, and how many events it has passed over."""

    position: int
    parked: int


class Standings:
    """Reads them when asked. However many ask of a store that is slow, it is one query at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reading: asyncio.Task[dict[str, Standing] | None] | None = None

    async def find(self) -> dict[str, Standing] | None:
        """By name; None when the store does not tell within `ANSWER_SECONDS`."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="standings")
        reading = self._reading
        await asyncio.wait([reading], timeout=ANSWER_SECONDS)
        return reading.result() if reading.done() and not reading.cancelled() else None

    async def _read(self) -> dict[str, Standing] | None:
        try:
            rows = await self._database.fetch(_STANDINGS)
        except (StoreUnavailable, psycopg.Error) as error:
            logger.warning("it is not known how far projections are: %s", error)
            return None
        return {name: Standing(position, parked) for name, position, parked in rows}

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
