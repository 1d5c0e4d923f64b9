"""Attributions that were folded once, in the database: kept, found again, and never in the way."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from application.past import blame
from application.past.blame import Blame, EditFacts
from domain.attribution import Origin, Run
from domain.document import Document, Edit
from domain.errors import Corrupt
from domain.ids import document_stream
from infrastructure.postgres.attributions import KeptAttributions
from infrastructure.postgres.database import Database
from infrastructure.postgres.time_travel import TimeTravel
from tests.domain.events import NOON, later
from tests.infrastructure.test_time_travel import store

STREAM = document_stream("demo", "main.md")


@pytest.fixture
def kept(database: Database) -> KeptAttributions:
    return KeptAttributions(database)


@pytest.fixture
async def document(database: Database) -> Document:
    """Typed by two in turn, a letter a second at the end; then Ada takes one back."""
    document = Document.create("demo", "main.md", actor="Ada", at=NOON)
    for number in range(1, 7):
        who = "Ada" if number % 2 else "Ben"
        op = [number - 1, "x"] if number > 1 else ["x"]
        edit = Edit(f"{who}-1", (number + 1) // 2, number - 1, op, "")  # type: ignore[arg-type]
        document.edit(edit, actor=who, at=later(number))
    document.revise([5, {"d": 1}], actor="Ada", at=later(7), cause="undo", undoes=[[6, 6]])
    return await store(database, document)


async def test_what_is_kept_is_found_at_the_nearest_revision(kept: KeptAttributions) -> None:
    first = [Run(3, 1, 0), Run(2, 2, 5, Origin("other.md", 7, 1))]
    await kept.keep(STREAM, 10, first)
    await kept.keep(STREAM, 20, [Run(1, 20, 0)])
    await kept.keep(STREAM, 10, [])  # the first one stays
    assert await kept.nearest(STREAM, 9) == (0, [])
    assert await kept.nearest(STREAM, 10) == (10, first)
    assert await kept.nearest(STREAM, 19) == (10, first)
    assert await kept.nearest(STREAM, 2**53) == (20, [Run(1, 20, 0)])
    assert await kept.nearest("document:demo/other.md", 20) == (0, [])


async def test_blame_of_a_stored_document_names_its_authors(
    kept: KeptAttributions, database: Database, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blame, "KEEP_EVERY", 3)
    asked = Blame(TimeTravel(database), kept)
    for _ in range(2):
        spans = await asked.at("demo", "main.md", document.revision)
        assert [(span.facts.actor, span.facts.at) for span in spans] == [
            ("Ada" if number % 2 else "Ben", later(number)) for number in range(1, 6)
        ]
    assert (await kept.nearest(STREAM, 7))[0] == 6


async def test_facts_are_those_of_the_edits_that_are_asked_for(
    kept: KeptAttributions, document: Document
) -> None:
    facts = await kept.facts(STREAM, [2, 7])
    assert facts[2] == EditFacts("Ben", later(2), "typed")
    assert facts[7] == EditFacts("Ada", later(7), "undo")
    with pytest.raises(Corrupt):
        await kept.facts(STREAM, [2, document.revision + 1])


async def test_what_cannot_be_kept_is_no_failure(
    kept: KeptAttributions, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with database.reading() as connection:
        await connection.execute("DROP TABLE attributions")
    with caplog.at_level(logging.WARNING):
        await kept.keep(STREAM, 1, [])
    assert "could not be kept" in caplog.text


async def test_a_moment_is_a_revision(database: Database, document: Document) -> None:
    past = TimeTravel(database)
    assert await past.revision_at(STREAM, NOON - timedelta(seconds=1)) is None
    assert await past.revision_at(STREAM, NOON) == 0
    assert await past.revision_at(STREAM, later(3.5)) == 3
    assert await past.revision_at(STREAM, later(100)) == document.revision
    assert await past.revision_at("document:demo/other.md", NOON) is None


async def test_own_edits_and_those_that_no_client_made_are_found_backwards(
    database: Database, document: Document
) -> None:
    past = TimeTravel(database)
    found = await past.own_backwards(STREAM, "Ben", document.revision + 1, 10)
    assert [edit.revision for edit in found] == [7, 6, 4, 2]
    assert [edit.revision for edit in await past.own_backwards(STREAM, "Ben", 6, 1)] == [4]
    assert found[0].undoes == [[6, 6]]
