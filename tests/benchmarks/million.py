"""A document of a million edits: its text at any revision, who wrote it, and taking one of its edits back. In
this process, on a real Postgres.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from application.past.blame import Blame
from domain.ids import document_stream
from domain.undo import as_ranges
from infrastructure.postgres.attributions import KeptAttributions
from infrastructure.postgres.log import PostgresHistory
from infrastructure.postgres.time_travel import TimeTravel
from tests.benchmarks.harness import Machine, percentile, store_alone
from tests.benchmarks.history import write

EDITS: Final = 1_000_000
OPENED: Final = 500
BLAMED: Final = 50

# Taken back so long ago.
AGO: Final = (100, 1_000, 10_000)


async def million(running: Machine) -> dict[str, Any]:
    """Write it with its snapshots, then ask at random revisions."""
    async with store_alone(running) as (database, connection):
        history, past = PostgresHistory(database), TimeTravel(database)
        stream = document_stream("bench", "history")
        text = await write(database, history, EDITS)
        await connection.execute("ANALYZE record")
        chooser = random.Random(7)

        async def open_one() -> None:
            revision = chooser.randint(0, EDITS)
            found = await past.at_revision(stream, revision)
            assert found is not None
            assert found.revision == revision

        opened = [await _timed(open_one) for _ in range(OPENED)]
        blame = Blame(past, KeptAttributions(database))
        began = time.perf_counter()
        spans = await blame.at("bench", "history", EDITS)
        first = time.perf_counter() - began
        assert spans[-1].end == len(text)

        async def blame_one() -> None:
            await blame.at("bench", "history", chooser.randint(0, EDITS))

        blamed = [await _timed(blame_one) for _ in range(BLAMED)]
        taken = {ago: await _timed(partial(_take_back, blame, stream, EDITS - ago)) for ago in AGO}
        size = await (await connection.execute("SELECT pg_total_relation_size('attributions')")).fetchone()
        assert size is not None
        return {
            "edits": EDITS,
            "any_revision_p50_ms": percentile(opened, 50),
            "any_revision_p99_ms": percentile(opened, 99),
            "blame_first_seconds": round(first, 1),
            "blame_any_p50_ms": percentile(blamed, 50),
            "blame_any_p99_ms": percentile(blamed, 99),
            "blame_spans": len(spans),
            "attributions_mb": round(size[0] / 1e6, 1),
            **{f"undo_{ago}_ago_ms": round(ms, 1) for ago, ms in taken.items()},
        }


async def _timed(do: Callable[[], Awaitable[object]]) -> float:
    """How long it takes, in milliseconds."""
    began = time.perf_counter()
    await do()
    return (time.perf_counter() - began) * 1000


async def _take_back(blame: Blame, stream: str, revision: int) -> None:
    """What takes back one edit."""
    unravelled = await blame.unravelled(stream, revision - 1, EDITS, limit=EDITS)
    assert unravelled.take_back(as_ranges([revision])) is not None
