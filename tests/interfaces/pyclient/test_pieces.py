"""Ops as they go on the wire."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.limits import FRAME_BYTES, OP_COMPONENTS, OP_TEXT_BYTES
from domain.text_op import Delete, Op, apply, length_change, normalise, parse, replace
from interfaces.pyclient.pieces import as_wire, first_piece, has_same_effect

# Each code point costs another number of bytes in JSON: 1, 2 (escaped), 6 (escaped), 3 and 4 in UTF-8.
ALPHABET = "a\n\x01語😀"


def pieces_of(op: Op) -> list[Op]:
    pieces = []
    while op:
        piece, op = first_piece(op)
        pieces.append(piece)
    return pieces


def test_deletes_go_as_counts_and_count_as_the_same_op() -> None:
    op: Op = [3, "x", {"d": "é😀"}, 1, {"d": 4}]
    assert as_wire(op) == [3, "x", {"d": 2}, 1, {"d": 4}]
    assert has_same_effect(op, as_wire(op))
    assert not has_same_effect(op, [3, "x", {"d": 3}, 1, {"d": 4}])
    assert not has_same_effect(["x", {"d": 1}], [{"d": 1}, "x"])


@pytest.mark.parametrize("op", [[], ["x"], [5, {"d": 100_000}], [1, "a" * 15_000], [1, "語" * 20_000]])
def test_an_op_that_a_frame_holds_stays_whole(op: Op) -> None:
    assert first_piece(op) == (op, [])


INSERTS = st.builds(lambda char, count: char * count, st.sampled_from(ALPHABET), st.integers(1, 40_000))
DELETES = st.builds(Delete, d=st.integers(1, 5))
OPS = st.lists(st.one_of(st.integers(1, 5), INSERTS, DELETES), max_size=6).map(normalise)


@given(OPS)
def test_pieces_fit_into_frames_and_do_together_what_the_op_does(op: Op) -> None:
    text = "0123456789" * 4
    expected = apply(text, op)
    for piece in pieces_of(op):
        parse(as_wire(piece))
        assert len(orjson.dumps(as_wire(piece))) <= OP_TEXT_BYTES < FRAME_BYTES
        text = apply(text, piece)
    assert text == expected


def test_an_op_of_very_many_components_is_cut_between_them() -> None:
    text = "ab" * 10_000
    op: Op = [1, Delete(d=1)] * 10_000
    pieces = pieces_of(op)
    assert len(pieces) > 1
    assert all(len(piece) <= OP_COMPONENTS for piece in pieces)
    expected = apply(text, op)
    for piece in pieces:
        text = apply(text, piece)
    assert text == expected


def test_what_hardly_fits_behind_others_is_left_for_the_next_piece() -> None:
    first = "x" * (OP_TEXT_BYTES - 2 * 16 - 8)
    op: Op = [first, {"d": 1}, "y" * 100]
    assert first_piece(op) == ([first, {"d": 1}], [len(first), "y" * 100])


def test_a_cut_op_keeps_its_length() -> None:
    op = replace(2, 3, "z" * 200_000)
    assert sum(map(length_change, pieces_of(op))) == length_change(op)
