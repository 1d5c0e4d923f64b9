"""The directory's fold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.document import Document, Edit
from domain.room import Room
from projections.directory import Entry, fold
from tests.domain.events import NOON, later


def events_of(*aggregates: Any) -> list[Any]:
    return [event for aggregate in aggregates for event in aggregate.collect_events()]


def a_document(name: str, edits: int) -> Document:
    document = Document.create("demo", name, actor="Ada", at=NOON)
    for number in range(1, edits + 1):
        document.edit(Edit("ben-1", number, number - 1, ["x"], ""), actor="Ben", at=later(number))
    return document


ENTRY = Entry("demo", "a.md", 2, NOON, "Ada", later(2), "Ben")


def test_a_document_is_as_far_as_its_last_edit() -> None:
    assert fold(events_of(a_document("a.md", 2))) == {"document:demo/a.md": ENTRY}


def test_a_document_without_edits_was_changed_when_it_was_created() -> None:
    [entry] = fold(events_of(a_document("a.md", 0))).values()
    assert (entry.revision, entry.modified_at, entry.modified_by) == (0, NOON, "Ada")


def test_a_page_that_begins_later_does_not_tell_of_the_beginning() -> None:
    _, *edits = events_of(a_document("a.md", 2))
    assert fold(edits) == {"document:demo/a.md": replace(ENTRY, created_at=None, created_by=None)}


def test_documents_are_apart_and_other_events_are_passed_over() -> None:
    room = Room.open("demo", "Demo", actor="Ada", at=NOON)
    entries = fold(events_of(a_document("a.md", 1), room, a_document("b.md", 0)))
    assert [(entry.document, entry.revision) for entry in entries.values()] == [("a.md", 1), ("b.md", 0)]
    assert fold([]) == {}
