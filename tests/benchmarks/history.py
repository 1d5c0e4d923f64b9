"""How fast the past is: folding a long history, and the text at any of its revisions. In this
process, on a real Postgres.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from domain.aggregate import Event, Snapshot
from domain.document import Document, Edit
from domain.ids import document_stream
from domain.text_op import Op
from infrastructure.postgres.activity_view import ActivityView
from infrastructure.postgres.database import Database
from infrastructure.postgres.directory import DirectoryView
from infrastructure.postgres.log import PostgresHistory, PostgresLog
from infrastructure.postgres.time_travel import TimeTravel
from infrastructure.projector import View
from infrastructure.rebuild import Rebuild
from infrastructure.snapshots import SNAPSHOT_EVERY
from tests.benchmarks.harness import Machine, percentile, store_alone

EDITS: Final = 260_000
BATCH: Final = 500
LENGTH: Final = 20_000

# Of ten people together: they type all day.
EDITS_PER_SECOND: Final = 5


async def history(running: Machine) -> dict[str, Any]:
    """Write a history of 260,000 edits with its snapshots, then read it in every way."""
    async with store_alone(running) as (database, connection):
        reader, past = PostgresHistory(database), TimeTravel(database)
        stream = document_stream("bench", "history")
        text = await write(database, reader, EDITS)
        await connection.execute("ANALYZE record")

        opened = []
        for _ in range(10):
            began = time.perf_counter()
            loaded = await reader.load(stream)
            assert loaded is not None
            assert str(loaded.text) == text
            opened.append(time.perf_counter() - began)

        revisions = []
        chooser = random.Random(7)
        for _ in range(100):
            revision = chooser.randint(0, EDITS)
            began = time.perf_counter()
            found = await past.at_revision(stream, revision)
            revisions.append(time.perf_counter() - began)
            assert found is not None
            assert found.revision == revision

        await connection.execute("DELETE FROM snapshots")
        began = time.perf_counter()
        found = await past.now(stream)
        assert found is not None
        assert found.text == text
        folded = time.perf_counter() - began

        rebuilt = await _rebuild(database, DirectoryView(database))
        told = await _rebuild(database, ActivityView(database))
        return {
            "edits": EDITS,
            "fold_without_snapshots_seconds": round(folded, 2),
            "open_ms": percentile([s * 1000 for s in opened], 50),
            "any_revision_p50_ms": percentile([s * 1000 for s in revisions], 50),
            "any_revision_p99_ms": percentile([s * 1000 for s in revisions], 99),
            "projection_events_per_second": round(EDITS / rebuilt),
            "activity_events_per_second": round(EDITS / told),
        }


async def write(database: Database, reader: PostgresHistory, edits: int) -> str:
    """Write a document of so many edits with the snapshots that a server takes; returns its text."""
    log = PostgresLog(database, "record")
    began = datetime.now(UTC) - timedelta(seconds=edits / EDITS_PER_SECOND)
    document = Document.create("bench", "history", actor="ada", at=began)
    chooser = random.Random(1)
    position = 0
    for revision in range(edits):
        # People type where they just typed, sometimes somewhere else, and delete about as much as they write.
        length = len(document.text)
        position = chooser.randint(0, length) if chooser.random() < 0.02 else min(position + 1, length)
        op: Op
        if length > LENGTH and chooser.random() < 0.5:
            position = min(position, length - 1)
            op = [position, {"d": 1}] if position else [{"d": 1}]
        else:
            op = [position, "x"] if position else ["x"]
        edit = Edit(f"c{revision % 10}", revision // 10 + 1, revision, op, "0123456789abcdef")
        at = began + timedelta(seconds=revision / EDITS_PER_SECOND)
        document.edit(edit, actor=f"u{revision % 10}", at=at)
        if len(document.pending_events) >= BATCH or document.version % SNAPSHOT_EVERY == 0:
            await _append(log, document)
        if document.version % SNAPSHOT_EVERY == 0:
            await reader.save_snapshot(Snapshot.take(document))
    await _append(log, document)
    await log.disconnect()
    return str(document.text)


async def _append(log: PostgresLog, document: Document) -> None:
    events = _collect(document)
    await log.append(events, [None] * len(events))


def _collect(document: Document) -> list[Event]:
    return [cast("Event", event) for event in document.collect_events()]


async def _rebuild(database: Database, view: View) -> float:
    work = Rebuild(database, PostgresLog(database, "record"), view)
    began = time.perf_counter()
    await work.run(lambda position, end: None)
    return time.perf_counter() - began
