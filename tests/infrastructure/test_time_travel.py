"""Past states of a document: the same as loading its aggregate as of then, only quicker."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from domain.aggregate import Event, Snapshot
from domain.document import Document, DocumentState, Edit
from domain.errors import Corrupt
from domain.ids import document_stream
from domain.text_op import Op
from infrastructure.postgres import time_travel as module
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory, PostgresLog
from infrastructure.postgres.time_travel import TimeTravel
from tests.domain.events import NOON, later
from tests.infrastructure.unguarded import append

STREAM = document_stream("demo", "main.md")
TEXTS = ["", "1;", "2;1;", "3;2;1;", "4;3;2;1;"]
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def past(database: Database) -> TimeTravel:
    return TimeTravel(database)


@pytest.fixture
async def document(database: Database) -> Document:
    """One with a revision a second: "1;", "2;1;" and so on."""
    document = Document.create("demo", "main.md", actor="Ada", at=NOON)
    for number in range(1, len(TEXTS)):
        edit = Edit("ada-1", number, number - 1, [f"{number};"], "")
        document.edit(edit, actor="Ada", at=later(number))
    return await store(database, document)


async def store(database: Database, document: Document) -> Document:
    log = PostgresLog(database, "record")
    await append(log, [event for event in document.collect_events() if isinstance(event, Event)])
    await log.disconnect()
    return document


async def save_snapshot(database: Database, version: int) -> None:
    history = PostgresHistory(database)
    aggregate = await history.load(STREAM, version)
    await history.save_snapshot(Snapshot.take(aggregate))


@pytest.mark.parametrize("snapshot_at", [None, 1, 2, 5])
@pytest.mark.parametrize("page", [1, 2, 100])
async def test_any_revision_can_be_seen(
    past: TimeTravel,
    database: Database,
    document: Document,
    snapshot_at: int | None,
    page: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PAGE_ROWS", page)
    if snapshot_at is not None:
        await save_snapshot(database, snapshot_at)
    for revision, text in enumerate(TEXTS):
        found = await past.at_revision(STREAM, revision)
        assert found == DocumentState("demo", "main.md", revision, text, later(revision))
    assert await past.at_revision(STREAM, len(TEXTS)) is None
    assert await past.at_revision(STREAM, 2**53 - 1) is None
    assert await past.now(STREAM) == document.state


@pytest.mark.parametrize("snapshot_at", [None, 2])
async def test_any_moment_can_be_seen(
    past: TimeTravel, database: Database, document: Document, snapshot_at: int | None
) -> None:
    if snapshot_at is not None:
        await save_snapshot(database, snapshot_at)
    assert await past.at_time(STREAM, NOON - MICROSECOND) is None
    for revision, text in enumerate(TEXTS):
        for at in (later(revision), later(revision + 1) - MICROSECOND):
            found = await past.at_time(STREAM, at)
            assert found is not None
            assert (found.text, found.modified_on) == (text, later(revision))
    assert await past.at_time(STREAM, later(10**6)) == document.state


async def test_a_document_that_is_not_there_has_no_past(past: TimeTravel) -> None:
    assert await past.now(STREAM) is None
    assert await past.at_revision(STREAM, 0) is None
    assert await past.at_time(STREAM, NOON) is None


async def test_a_past_state_is_that_of_the_aggregate_then(past: TimeTravel, database: Database) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    document = Document.create("demo", "main.md", actor="Ada", at=NOON)
    for number in range(1, 60):
        length = len(document.text)
        op: Op = ["é😀"] if length < 4 or draw.random() < 0.6 else [draw.randrange(1, length - 1), {"d": 1}]
        document.edit(Edit("ada-1", number, document.revision, op, ""), actor="Ada", at=later(number))
    await store(database, document)
    for version in draw.sample(range(1, 60), 3):
        await save_snapshot(database, version)
    history = PostgresHistory(database)
    for revision in range(document.revision + 1):
        aggregate = await history.load(STREAM, revision + 1)
        assert isinstance(aggregate, Document)
        assert await past.at_revision(STREAM, revision) == aggregate.state


async def test_an_edit_of_a_newer_server_is_not_guessed_at(past: TimeTravel, database: Database) -> None:
    await store(database, Document.create("demo", "main.md", actor="Ada", at=NOON))
    connection = await database.connect("test")
    async with connection:
        await connection.execute(
            "INSERT INTO record (originator_id, originator_version, topic, state, actor, at) VALUES"
            " ('document:demo/main.md', 2, 'document.edit_applied', %s, '', now())",
            (b'{"class_version":9,"at":0}',),
        )
    with pytest.raises(Corrupt):
        await past.now(STREAM)
