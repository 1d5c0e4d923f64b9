"""A passage on its way: the algebra's `transform_range`, told for the text alone."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.passage import (
    CHANGE_CODE_POINTS,
    CHANGES_SHOWN,
    CONTEXT_CODE_POINTS,
    Passage,
    Piece,
    inside,
    is_behind,
    pieces,
)
from domain.text import Text
from domain.text_op import Op, apply, invert, is_noop, transform_range
from tests.domain.strategies import Change, changes


@st.composite
def passages(draw: st.DrawFn) -> tuple[Change, int, int]:
    """A change, and a passage in the text before it."""
    change = draw(changes(invertible=True).filter(lambda change: len(change.before) > 0))
    start = draw(st.integers(0, len(change.before) - 1))
    return change, start, draw(st.integers(start + 1, len(change.before)))


def said(shown: list[Piece], *kinds: str) -> str:
    assert all(piece.length == len(piece.text) for piece in shown)
    return "".join(piece.text for piece in shown if piece.kind in kinds)


@given(passages())
def test_the_op_inside_makes_of_the_passage_what_the_op_makes_of_it_in_the_text(
    made: tuple[Change, int, int],
) -> None:
    (before, op, after), start, end = made
    moved = slice(*transform_range(start, end, op))
    assert apply(before[start:end], inside(op, start, end)) == after[moved]


@given(passages())
def test_a_passage_goes_where_a_range_goes_and_is_touched_when_it_changes(
    made: tuple[Change, int, int],
) -> None:
    (before, op, after), start, end = made
    passage = Passage(start, before[start:end])
    done = passage.take(op)
    assert (passage.start, passage.end) == transform_range(start, end, op)
    assert str(passage.text) == after[passage.start : passage.end]
    assert (done is None) == is_noop(inside(op, start, end))
    assert passage.is_gone == (passage.start == passage.end)


@given(passages())
def test_what_is_behind_a_passage_touches_it_neither_onwards_nor_back(made: tuple[Change, int, int]) -> None:
    (_, op, _), start, end = made
    if is_behind(op, end):
        assert is_noop(inside(op, start, end))
        assert is_noop(inside(invert(op), start, end))


@given(changes(invertible=True))
def test_the_pieces_say_what_was_there_before_and_what_after(change: Change) -> None:
    before, op, after = change
    shown = pieces(Text(after), op)
    assert said(shown, "kept", "deleted") == before
    assert said(shown, "kept", "inserted") == after
    assert pieces(Text(before), invert(op), is_inverse=True) == shown
    neighbours = {(one.kind, other.kind) for one, other in pairwise(shown)}
    assert ("inserted", "deleted") not in neighbours


def test_what_is_put_at_an_end_or_in_its_place_stays_out() -> None:
    assert inside(["x", 3, "y"], 0, 3) == []
    assert inside([1, {"d": "ab"}, "x"], 1, 5) == [{"d": "ab"}]
    assert inside([2, "x"], 1, 5) == [1, "x"]
    assert inside([{"d": "abc"}, "x"], 0, 3) == [{"d": "abc"}]


def test_what_stays_is_shown_near_a_change_only() -> None:
    far = 3 * CONTEXT_CODE_POINTS
    text = "a" * far + "X" + "b" * far + "Y" + "c" * far
    op: Op = [far, "X", far, "Y"]
    shown = pieces(Text(text), op)
    assert [(piece.kind, piece.length) for piece in shown] == [
        ("left_out", far - CONTEXT_CODE_POINTS),
        ("kept", CONTEXT_CODE_POINTS),
        ("inserted", 1),
        ("kept", CONTEXT_CODE_POINTS),
        ("left_out", far - 2 * CONTEXT_CODE_POINTS),
        ("kept", CONTEXT_CODE_POINTS),
        ("inserted", 1),
        ("kept", CONTEXT_CODE_POINTS),
        ("left_out", far - CONTEXT_CODE_POINTS),
    ]
    assert {piece.text for piece in shown if piece.kind == "left_out"} == {""}


def test_a_long_insert_and_very_many_changes_are_clipped() -> None:
    long = "x" * (CHANGE_CODE_POINTS + 7)
    assert pieces(Text(long), [long]) == [
        Piece.of("inserted", "x" * CHANGE_CODE_POINTS),
        Piece.left_out(7),
    ]
    typed: Op = ["x", 1]
    many = (CHANGES_SHOWN + 2) * typed
    many.pop()
    text = apply("a" * (CHANGES_SHOWN + 1), many)
    shown = pieces(Text(text), many)
    assert sum(piece.kind == "inserted" for piece in shown) == CHANGES_SHOWN
    assert shown[-1] == Piece.left_out(len(text) - 2 * CHANGES_SHOWN + 1)
    exactly = pieces(Text(text[: 2 * CHANGES_SHOWN + 3]), many[: 2 * CHANGES_SHOWN - 1])
    assert exactly[-1].kind == "kept"
