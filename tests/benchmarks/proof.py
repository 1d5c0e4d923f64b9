"""What the hash chain costs where events are appended, and how quickly a log is verified. In this process, on
a real Postgres.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final

from domain.aggregate import Event
from domain.document import Document, Edit
from infrastructure.postgres.database import Connection, Database
from infrastructure.postgres.log import LOCK_KEYS, PostgresHistory, columns
from infrastructure.proof.verify import verify
from tests.benchmarks.harness import Machine, store_alone
from tests.benchmarks.history import write
from tests.domain.events import NOON

VERIFIED: Final = 1_000_000

# One edit alone, as in an idle room, and batches of busy ones.
BATCHES: Final = (1, 20, 100)
ROUNDS: Final = 400
REPETITIONS: Final = 7


def _without_chain() -> bytes:
    """The append as it was before the chain, by a name of its own: the measure, in the same run."""
    sql = (files("infrastructure.postgres.schema") / "0004_rights.sql").read_text()
    start = sql.index("CREATE FUNCTION append_record(")
    end = sql.index("END $$;", start) + len("END $$;")
    return sql[start:end].replace("append_record(", "append_record_without_chain(").encode()


_APPEND: Final = (
    "SELECT previous, positions, refused FROM append_record{suffix}"
    "(%s, %s::text[], %s::bigint[], %s::text[], %s::bytea[],"
    " %s::text[], %s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::bigint[]{seals})"
)


async def proof(running: Machine) -> dict[str, Any]:
    """Append with the chain and without it in turn; then verify a million events."""
    async with store_alone(running) as (database, connection):
        figures: dict[str, Any] = {}
        await connection.execute(_without_chain())
        for size in BATCHES:
            figures |= await _appends(connection, size)
        await connection.execute("DROP FUNCTION append_record_without_chain")
        # What was appended without a link is no history that could be verified.
        for table in ("record", "record_chain"):
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
            await connection.execute(f"TRUNCATE {table}".encode())
            for trigger in ("append_only", "append_only_truncate"):
                await connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}".encode())
        figures |= await _verified(database, connection)
        return figures


async def _appends(connection: Connection, size: int) -> dict[str, Any]:
    """Microseconds an event, the median of some repetitions of each, in turn."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for repetition in range(REPETITIONS):
        for is_chained in (True, False):
            name = f"{size}-{repetition}-{is_chained}"
            batches = _batches(name, size)
            began = time.perf_counter()
            for batch in batches:
                await _append(connection, batch, is_chained=is_chained)
            took[is_chained].append((time.perf_counter() - began) / (ROUNDS * size) * 1e6)
    with_chain, without = statistics.median(took[True]), statistics.median(took[False])
    return {
        f"append_{size}_us_per_event": round(with_chain, 1),
        f"append_{size}_without_chain_us_per_event": round(without, 1),
        f"chain_{size}_us_per_event": round(with_chain - without, 1),
    }


def _batches(name: str, size: int) -> list[list[Event]]:
    """Of `size` documents, an edit of each in every batch, as people type in them."""
    documents = [Document.create("bench", f"{name}-{n}", actor="ada", at=NOON) for n in range(size)]
    batches = []
    for number in range(1, ROUNDS + 1):
        batch: list[Event] = []
        for document in documents:
            document.edit(Edit("ada-1", number, number - 1, ["x"], f"{number}"), actor="ada", at=NOON)
            batch += [event for event in document.collect_events() if isinstance(event, Event)]
        batches.append(batch)
    return batches


async def _append(connection: Connection, events: Sequence[Event], *, is_chained: bool) -> None:
    if is_chained:
        parameters = columns(events, [None] * len(events))
        query = _APPEND.format(suffix="", seals=", %s::bytea[]")
    else:
        parameters = _columns_without_seals(events)
        query = _APPEND.format(suffix="_without_chain", seals="")
    cursor = connection.cursor(binary=True)
    await cursor.execute(query.encode(), (LOCK_KEYS["record"], *parameters), prepare=True)
    row = await cursor.fetchone()
    assert row is not None
    assert row[2] is None


def _columns_without_seals(events: Sequence[Event]) -> tuple[Any, ...]:
    from infrastructure.postgres import log

    sealed = log.seals_of
    log.seals_of = lambda headers, states: []
    try:
        return columns(events, [None] * len(events))[:-1]
    finally:
        log.seals_of = sealed


async def _verified(database: Database, connection: Connection) -> dict[str, Any]:
    await write(database, PostgresHistory(database), VERIFIED)
    await connection.execute("ANALYZE record")
    figures: dict[str, Any] = {}
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))  # as the command, which has the whole machine
    try:
        for workers in (1, 2):
            began = time.perf_counter()
            verdict = await asyncio.to_thread(verify, database.conninfo, workers=workers)
            assert verdict.is_sound, verdict.findings.first
            rate = verdict.events["record"] / (time.perf_counter() - began)
            figures[f"verified_{workers}_per_second"] = round(rate)
    finally:
        os.sched_setaffinity(0, cores)
    size = await (
        await connection.execute(
            "SELECT pg_total_relation_size('record_chain'), pg_total_relation_size('record')"
        )
    ).fetchone()
    assert size is not None
    return {**figures, "chain_mb": round(size[0] / 1e6, 1), "record_mb": round(size[1] / 1e6, 1)}
