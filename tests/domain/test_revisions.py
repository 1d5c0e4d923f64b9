"""Saved and named revisions."""

from __future__ import annotations

import pytest

from domain.errors import LimitReached, TextInvalid
from domain.limits import NAMED_REVISIONS_PER_DOCUMENT
from domain.revisions import Revisions, RevisionSaved
from tests.domain.events import NOON, collect


def some_revisions() -> Revisions:
    revisions = Revisions.begin("demo", "main.md", actor="ada", at=NOON)
    revisions.collect_events()
    return revisions


def saved(revisions: Revisions) -> list[tuple[int, str | None, str]]:
    events = [event for event in collect(revisions) if isinstance(event, RevisionSaved)]
    return [(event.revision, event.name, event.actor) for event in events]


def test_a_save_marks_a_revision() -> None:
    revisions = some_revisions()
    revisions.save(3, None, actor="ada", at=NOON)
    assert saved(revisions) == [(3, None, "ada")]


def test_saving_twice_what_has_not_changed_adds_nothing() -> None:
    revisions = some_revisions()
    for actor, revision in [("ada", 3), ("ada", 3), ("ben", 3), ("ben", 4)]:
        revisions.save(revision, None, actor=actor, at=NOON)
    assert saved(revisions) == [(3, None, "ada"), (3, None, "ben"), (4, None, "ben")]


def test_a_name_that_comes_again_moves() -> None:
    revisions = some_revisions()
    for revision in (3, 3, 4):
        revisions.save(revision, " Draft  1", actor="ada", at=NOON)
    assert saved(revisions) == [(3, "Draft 1", "ada"), (4, "Draft 1", "ada")]
    assert revisions.names == {"Draft 1": 4}


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\u202eb", "x" * 65])
def test_a_name_can_be_seen_on_one_line(name: str) -> None:
    revisions = some_revisions()
    with pytest.raises(TextInvalid):
        revisions.save(1, name, actor="ada", at=NOON)
    assert not saved(revisions)


def test_a_document_has_only_so_many_names() -> None:
    revisions = some_revisions()
    for number in range(NAMED_REVISIONS_PER_DOCUMENT):
        revisions.save(number, f"{number}", actor="ada", at=NOON)
    with pytest.raises(LimitReached):
        revisions.save(1, "one more", actor="ada", at=NOON)
    revisions.save(9_999, "1", actor="ada", at=NOON)
    assert revisions.names["1"] == 9_999
    assert revisions.weight > 100_000
