"""Undo: exactly the effect of what is taken back goes, and all that came later stays, byte for byte."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from domain.undo import as_ranges, holds
from tests.domain.histories import Past, extend, pasts, some_revisions


def typed(*ops: tuple[str, list[object]]) -> Past:
    past = Past()
    for who, op in ops:
        past.type(who, op)  # type: ignore[arg-type]
    return past


@given(pasts())
def test_what_is_seen_is_what_of_the_past_is_in_effect(past: Past) -> None:
    assert past.text == past.plain.text


@given(pasts(), st.data())
def test_the_same_is_taken_back_from_wherever_one_begins_to_look(past: Past, data: st.DataObject) -> None:
    revisions = sorted(data.draw(some_revisions(past)))
    ranges = as_ranges(revisions)
    near = past.unravelled(revisions[0] - 1).take_back(ranges)
    far = past.unravelled(0).take_back(ranges)
    assert (near is None) == (far is None)
    if near is not None and far is not None:
        assert near.op == far.op


@given(pasts(), st.data())
def test_what_others_wrote_later_stays_byte_for_byte(past: Past, data: st.DataObject) -> None:
    chosen = {r for r in data.draw(some_revisions(past)) if past.edits[r - 1].undoes is None}
    was_off = past.plain.off()
    before = past.plain.seen()
    if not chosen or past.undo(sorted(chosen)) is None:
        return
    after = {id(character) for character in past.plain.seen()}
    assert [c for c in before if id(c) in after] == [c for c in before if c.by not in chosen]
    came_back = [c for c in past.plain.seen() if not any(c is one for one in before)]
    assert all(c.deleters - was_off <= chosen for c in came_back)


@given(pasts(), st.data())
def test_an_undo_of_an_undo_brings_all_of_it_back(past: Past, data: st.DataObject) -> None:
    before = past.text
    undo = past.undo(sorted(data.draw(some_revisions(past))))
    if undo is not None:
        redo = past.undo([undo.revision])
        assert redo is not None
        assert past.text == before


@given(pasts(), st.data())
def test_an_undo_may_be_undone_long_after(past: Past, data: st.DataObject) -> None:
    """Whatever came between, with the undo undone the text is as it would be had there been none."""
    undo = past.undo(sorted(data.draw(some_revisions(past))))
    if undo is None:
        return
    for _ in range(data.draw(st.integers(0, 4))):
        extend(data.draw, past, data.draw(st.sampled_from(("type", "late", "undo"))))  # type: ignore[arg-type]
    past.undo([undo.revision])
    assert past.text == past.plain.text


@given(pasts(), st.data())
def test_taking_back_all_since_a_revision_gives_its_text(past: Past, data: st.DataObject) -> None:
    revision = data.draw(st.integers(0, past.revision - 1))
    past.undo(range(revision + 1, past.revision + 1))
    assert past.text == past.texts[revision]


@given(pasts(), st.data())
def test_in_a_passage_nothing_else_is_touched(past: Past, data: st.DataObject) -> None:
    before = past.text
    start = data.draw(st.integers(0, len(before)))
    end = data.draw(st.integers(start, len(before)))
    chosen = sorted(data.draw(some_revisions(past)))
    undo = past.unravelled(chosen[0] - 1).take_back(as_ranges(chosen), within=(start, end))
    if undo is not None:
        applied = past.undo(chosen, within=(start, end))
        assert applied is not None
        assert applied.undoes is None
        assert past.text.startswith(before[:start])
        assert past.text.endswith(before[end:])
        assert len(past.text) >= start + len(before) - end


def test_a_passage_that_was_taken_back_comes_back_by_an_undo_of_that() -> None:
    past = typed(("ada", ["one two three"]), ("ben", [4, {"d": 4}]), ("ben", ["zero "]), ("ada", [9, "X"]))
    assert past.text == "zero one Xthree"
    past.undo([2, 3], within=(6, 12))
    assert past.text == "zero one Xtwo three"
    past.undo([5])
    assert past.text == "zero one Xthree"


def test_an_edit_is_taken_back_around_what_others_have_typed_into_it() -> None:
    past = typed(("ada", ["hello world"]), ("ben", [5, " new"]), ("cy", [2, {"d": 1}]))
    past.undo([1])
    assert past.text == " new"
    past.undo([4])
    assert past.text == "helo new world"


def test_what_somebody_else_deleted_as_well_does_not_come_back_twice() -> None:
    past = typed(("ada", ["abc"]), ("ben", [1, {"d": 1}]))
    past.undo([2])
    past.type("cy", [1, {"d": 1}])
    past.undo([3])
    assert past.text == "ac"
    past.undo([4])
    assert past.text == "ac"
    past.undo([2])
    assert past.text == "abc"


def test_text_stays_away_when_its_own_edit_was_taken_back_while_it_was_deleted() -> None:
    past = typed(("ada", ["a"]), ("ada", [1, "X"]), ("ben", [1, {"d": 1}]))
    past.undo([2])
    assert past.text == "a"
    past.undo([3])
    assert past.text == "a"


def test_what_is_taken_back_already_cannot_be_taken_back() -> None:
    past = typed(("ada", ["a"]), ("ada", [1, "b"]))
    past.undo([2])
    assert past.undo([2]) is None
    assert past.text == "a"


@given(st.sets(st.integers(1, 40)))
def test_ranges_hold_what_they_were_made_of(revisions: set[int]) -> None:
    ranges = as_ranges(revisions)
    assert {r for r in range(45) if holds(ranges, r)} == revisions
    assert all(later[0] > earlier[1] + 1 for earlier, later in itertools.pairwise(ranges))
