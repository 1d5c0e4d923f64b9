"""The algebra of edits: its conventions one by one, its laws as properties, and foreign vectors."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import text_op
from domain.errors import ClientError, OpInvalid, OpTooLarge, TextInvalid
from domain.limits import INTEGER_MAX, OP_COMPONENTS, OP_TEXT_BYTES
from domain.text_op import (
    Component,
    Op,
    Side,
    apply,
    between,
    compose,
    invert,
    is_invertible,
    is_noop,
    length_change,
    make_invertible,
    normalise,
    parse,
    replace,
    required_length,
    transform,
    transform_position,
    transform_range,
    transform_selection,
)
from tests.domain.strategies import Change, changes, misfits, sloppy_components, some_text, texts

VECTORS = Path(__file__).parents[1] / "vectors" / "vectors.jsonl.gz"
MARK = "\ue000"  # private use: in no generated text
SIDES = st.sampled_from(["left", "right"])


def is_normal(op: Sequence[Component]) -> bool:
    """Said again in other words than the module's: no empty component, runs of one, no last skip."""
    contents = [component["d"] if isinstance(component, dict) else component for component in op]
    kinds = [type(component) for component in op]
    alike = any(kind is following for kind, following in pairwise(kinds))
    return all(contents) and not alike and kinds[-1:] != [int]


# Input from outside.


@pytest.mark.parametrize(
    "op",
    [
        [],
        ["x"],
        [{"d": 1}],
        [{"d": "x"}],
        [1, "x"],
        ["x", {"d": 1}],
        [{"d": 1}, "x"],
        ["x", {"d": 1}, "y"],
        [1, "x", 2, {"d": "yz"}, 3, {"d": 4}],
        ["\r\n", 1, "👨‍👩‍👧‍👦", 1, "e\u0301", 1, "\ufeff\u202e\u2028"],
        [INTEGER_MAX, "x", INTEGER_MAX, {"d": INTEGER_MAX}],
    ],
)
def test_parse_gives_a_normal_op_back_as_it_is(op: Op) -> None:
    assert parse(op) == op


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="null"),
        pytest.param("x", id="a text"),
        pytest.param(1, id="a number"),
        pytest.param({"d": 1}, id="a component outside a list"),
        pytest.param({}, id="an object"),
        pytest.param((1, "x"), id="no JSON"),
        pytest.param([None], id="null component"),
        pytest.param([[]], id="list component"),
        pytest.param([["x"]], id="nested op"),
        pytest.param([{}], id="delete without d"),
        pytest.param([{"i": "a"}], id="unknown component"),
        pytest.param([{"d": None}], id="delete of null"),
        pytest.param([{"d": True}], id="delete of true"),
        pytest.param([{"d": [1]}], id="delete of a list"),
        pytest.param([{"d": {"d": 1}}], id="delete of a delete"),
        pytest.param([{"d": 1, "x": 2}], id="another key beside d"),
        pytest.param([0, "x"], id="skip of nothing"),
        pytest.param([-1, "x"], id="skip backwards"),
        pytest.param([{"d": 0}], id="delete of nothing"),
        pytest.param([{"d": -1}], id="delete of less"),
        pytest.param([{"d": ""}], id="delete of empty text"),
        pytest.param([""], id="insert of empty text"),
        pytest.param([1, 2, "x"], id="neighbouring skips"),
        pytest.param(["a", "b"], id="neighbouring inserts"),
        pytest.param([{"d": 1}, {"d": 1}], id="neighbouring deletes"),
        pytest.param([{"d": 1}, {"d": "a"}], id="neighbouring deletes, counted and not"),
        pytest.param([3], id="only a skip"),
        pytest.param(["x", 3], id="trailing skip"),
        pytest.param([True, "x"], id="true as a skip"),
        pytest.param([False], id="false as a skip"),
        pytest.param([1.0, "x"], id="one point nought"),
        pytest.param([1.5, "x"], id="fractional skip"),
        pytest.param([{"d": 0.5}], id="fractional delete"),
        pytest.param([{"d": 1.0}], id="delete of one point nought"),
        pytest.param([float("nan"), "x"], id="NaN"),
        pytest.param([float("inf"), "x"], id="infinity"),
        pytest.param([INTEGER_MAX + 1, "x"], id="skip not exact in JavaScript"),
        pytest.param([{"d": INTEGER_MAX + 1}], id="delete not exact in JavaScript"),
    ],
)
def test_parse_refuses_what_is_no_normal_op(value: object) -> None:
    with pytest.raises(OpInvalid) as refused:
        parse(value)
    assert refused.value.code == "E_OP_INVALID"


@pytest.mark.parametrize("text", ["\ud83d", "a\udc00b", "\ude00\ud83d", "\0", "a\0b", "😀\0", "😀\ud83d"])
@pytest.mark.parametrize("holder", [lambda text: text, lambda text: {"d": text}], ids=["insert", "delete"])
def test_parse_refuses_text_that_cannot_be_stored(text: str, holder: Callable[[str], object]) -> None:
    with pytest.raises(TextInvalid) as refused:
        parse([1, holder(text)])
    assert refused.value.code == "E_TEXT"


def test_parse_takes_as_many_components_as_the_limit_and_no_more() -> None:
    longest = [1, "x"] * (OP_COMPONENTS // 2)
    assert parse(longest) == longest
    with pytest.raises(OpTooLarge) as refused:
        parse([*longest, {"d": 1}])
    assert refused.value.code == "E_OP_SIZE"
    assert refused.value.facts == {"limit": OP_COMPONENTS, "actual": OP_COMPONENTS + 1}


@pytest.mark.parametrize("character", ["a", "é", "本", "😀"])
def test_parse_takes_inserted_text_up_to_the_limit_in_bytes(character: str) -> None:
    most = OP_TEXT_BYTES // len(character.encode())
    half = most // 2
    parse([character * half, 1, character * (most - half)])
    with pytest.raises(OpTooLarge):
        parse([character * half, 1, character * (most - half + 1)])


def test_parse_does_not_count_deleted_text_as_inserted() -> None:
    op = [{"d": "a" * (OP_TEXT_BYTES + 1)}]
    assert parse(op) == op


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | st.text(max_size=2) | st.just("\ud83d"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["d", "x"]), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(st.lists(JSON_VALUES, max_size=4) | JSON_VALUES)
def test_parse_refuses_anything_or_gives_a_normal_op_of_exact_types(value: object) -> None:
    try:
        op = parse(value)
    except ClientError:
        return
    assert is_normal(op)
    for component in op:
        content = component["d"] if isinstance(component, dict) else component
        assert type(content) in (int, str)
    assert json.loads(json.dumps(op)) == op


@given(changes())
def test_parse_accepts_every_op_that_the_generator_makes(change: Change) -> None:
    assert is_normal(change.op)
    assert parse(change.op) == change.op


# Making and looking at ops.


@pytest.mark.parametrize(
    ("components", "op"),
    [
        ([], []),
        ([0, "", {"d": 0}, {"d": ""}], []),
        ([3], []),
        ([1, 2, "a", "b"], [3, "ab"]),
        (["a", 0, "b"], ["ab"]),
        (["a", 1, 2], ["a"]),
        ([1, {"d": 0}, 2], []),
        ([{"d": "a"}, {"d": "b"}], [{"d": "ab"}]),
        ([{"d": "a"}, {"d": 1}], [{"d": 2}]),
        ([{"d": 1}, {"d": "a"}], [{"d": 2}]),
        ([{"d": "ab"}, {"d": 1}, {"d": "c"}], [{"d": 4}]),
        ([{"d": 1}, {"d": 2}], [{"d": 3}]),
        ([{"d": "a"}, {"d": 0}, {"d": "b"}], [{"d": "ab"}]),
        (["x", {"d": 1}], ["x", {"d": 1}]),
        ([{"d": 1}, "x"], [{"d": 1}, "x"]),
        (["x", {"d": 1}, "y"], ["x", {"d": 1}, "y"]),
    ],
)
def test_normalise_drops_no_ops_joins_neighbours_and_takes_the_last_skip_off(
    components: list[Component], op: Op
) -> None:
    assert normalise(components) == op


@given(st.data())
def test_normalise_gives_a_normal_op_of_the_same_effect(data: st.DataObject) -> None:
    text = data.draw(texts())
    components = data.draw(sloppy_components(text))
    op = normalise(components)
    assert is_normal(op)
    assert apply(text, op) == apply(text, components)
    assert normalise(op) == op


def test_only_the_empty_op_is_a_noop() -> None:
    assert is_noop([])
    assert not is_noop(["x", {"d": "x"}])


@pytest.mark.parametrize(
    ("op", "invertible"),
    [
        ([], True),
        ([1, "x"], True),
        ([{"d": "x"}], True),
        ([{"d": 1}], False),
        ([{"d": "x"}, 1, {"d": 1}], False),
    ],
)
def test_an_op_is_invertible_when_every_delete_has_its_text(op: Op, invertible: bool) -> None:
    assert is_invertible(op) is invertible


@given(changes())
def test_lengths_of_an_op_tell_what_it_needs_and_what_it_leaves(change: Change) -> None:
    assert length_change(change.op) == len(change.after) - len(change.before)
    needed = change.before[: required_length(change.op)]
    apply(needed, change.op)
    if needed:
        with pytest.raises(OpInvalid):
            apply(needed[:-1], change.op)


@pytest.mark.parametrize(
    ("arguments", "op"),
    [
        ((0, 0, ""), []),
        ((5, 0, ""), []),
        ((0, 0, "x"), ["x"]),
        ((5, "", "x"), [5, "x"]),
        ((5, 2, ""), [5, {"d": 2}]),
        ((5, "ab", "x"), [5, "x", {"d": "ab"}]),
    ],
)
def test_replace_inserts_first_and_then_deletes(arguments: tuple[int, int | str, str], op: Op) -> None:
    assert replace(*arguments) == op


@pytest.mark.parametrize(
    ("old", "new", "op"),
    [
        ("", "", []),
        ("abc", "abc", []),
        ("", "abc", ["abc"]),
        ("abc", "", [{"d": "abc"}]),
        ("abc", "abXc", [2, "X"]),
        ("abXc", "abc", [2, {"d": "X"}]),
        ("abXc", "abYc", [2, "Y", {"d": "X"}]),
        ("aa", "aaa", [2, "a"]),
        ("aaa", "aa", [2, {"d": "a"}]),
        ("abab", "ab", [2, {"d": "ab"}]),
        ("😀a", "😀b", [1, "b", {"d": "a"}]),
        ("abc", "xyz", ["xyz", {"d": "abc"}]),
    ],
)
def test_between_is_one_replacement_of_what_differs(old: str, new: str, op: Op) -> None:
    assert between(old, new) == op


@given(texts(), texts(), texts(), texts())
def test_between_turns_the_old_text_into_the_new_and_touches_no_common_end(
    head: str, old: str, new: str, tail: str
) -> None:
    old, new = head + old + tail, head + new + tail
    op = between(old, new)
    assert is_normal(op)
    assert is_invertible(op)
    assert apply(old, op) == new
    match op[-2:]:
        case [str() as inserted, {"d": str() as deleted}]:
            assert inserted[0] != deleted[0]
            assert inserted[-1] != deleted[-1]


def test_between_finds_one_character_in_a_long_text() -> None:
    old = "0123456789" * 10_000
    assert between(old, old[:77_777] + "x" + old[77_777:]) == [77_777, "x"]
    assert between(old, old[:77_777] + old[77_778:]) == [77_777, {"d": "7"}]


# Apply.


@pytest.mark.parametrize(
    ("text", "op", "after"),
    [
        ("abc", [], "abc"),
        ("", ["x"], "x"),
        ("abc", [3, "x"], "abcx"),
        ("abc", [1, {"d": 1}], "ac"),
        ("abc", [1, {"d": "b"}, "x"], "axc"),
        ("abc", ["x", {"d": 3}, "y"], "xy"),
        ("😀b", [1, "x"], "😀xb"),
        ("👨‍👩‍👧", [1, {"d": 2}], "👨‍👧"),
        ("e\u0301", [1, "x"], "ex\u0301"),
        ("\r\n", [1, "x"], "\rx\n"),
    ],
)
def test_apply_walks_over_the_text_in_code_points_and_keeps_the_rest(text: str, op: Op, after: str) -> None:
    assert apply(text, op) == after


@given(changes())
def test_apply_makes_the_text_that_the_op_was_made_for(change: Change) -> None:
    assert apply(change.before, change.op) == change.after


@pytest.mark.parametrize(
    ("text", "op"),
    [
        ("abc", [4, "x"]),
        ("abc", [{"d": 4}]),
        ("abc", [{"d": 10}]),
        ("abc", [2, {"d": 2}]),
        ("abc", [{"d": "xyz"}]),
        ("abc", [2, {"d": "cd"}]),
        ("abc", [4, {"d": "c"}]),
        ("", [{"d": 1}]),
        ("abc", [1_000_000_000, "x"]),
        ("abc", [INTEGER_MAX, {"d": INTEGER_MAX}]),
        ("abc", [INTEGER_MAX, {"d": "x"}]),
    ],
)
@pytest.mark.parametrize("function", [apply, lambda text, op: make_invertible(op, text)])
def test_an_op_that_does_not_fit_the_text_is_refused(
    function: Callable[[str, Op], object], text: str, op: Op
) -> None:
    with pytest.raises(OpInvalid):
        function(text, op)


@given(st.data())
def test_an_op_is_refused_wherever_it_stops_fitting(data: st.DataObject) -> None:
    text = data.draw(texts())
    op = data.draw(misfits(text))
    with pytest.raises(OpInvalid):
        apply(text, op)
    with pytest.raises(OpInvalid):
        make_invertible(op, text)


def test_a_refusal_tells_how_long_the_text_would_have_to_be() -> None:
    with pytest.raises(OpInvalid) as refused:
        apply("abc", [2, {"d": 5}])
    assert refused.value.facts == {"expected": 7, "actual": 3}
    assert str(refused.value) == refused.value.message


# Transform.


@pytest.mark.parametrize(
    ("op", "other", "left", "right"),
    [
        # Inserts at one place.
        (["A"], ["B"], ["A"], [1, "A"]),
        ([2, "A"], [2, "B"], [2, "A"], [3, "A"]),
        ([{"d": 1}, "A"], ["B"], [1, {"d": 1}, "A"], [1, {"d": 1}, "A"]),
        (["A", {"d": 1}], ["B"], ["A", 1, {"d": 1}], [1, "A", {"d": 1}]),
        ([{"d": 1}, "A"], ["B", {"d": 1}], [1, "A"], [1, "A"]),
        (["A", {"d": 1}], [{"d": 1}, "B"], ["A"], ["A"]),
        ([{"d": 1}, "A"], [{"d": 1}, "B"], ["A"], [1, "A"]),
        ([1, "A"], [{"d": 2}, "B"], ["A"], ["A"]),
        ([2, "A"], ["B", {"d": 2}], [1, "A"], [1, "A"]),
        # Everything else does not depend on the side.
        ([3, "A"], [1, "B"], [4, "A"], [4, "A"]),
        ([1, "A"], [3, "B"], [1, "A"], [1, "A"]),
        ([5, "A"], [1, {"d": 2}], [3, "A"], [3, "A"]),
        ([{"d": 3}], [1, {"d": 1}], [{"d": 2}], [{"d": 2}]),
        ([{"d": "abc"}], [1, {"d": 1}], [{"d": "ac"}], [{"d": "ac"}]),
        ([{"d": "abcd"}], [2, "X"], [{"d": "ab"}, 1, {"d": "cd"}], [{"d": "ab"}, 1, {"d": "cd"}]),
        ([{"d": 4}], [2, "X"], [{"d": 2}, 1, {"d": 2}], [{"d": 2}, 1, {"d": 2}]),
        ([1, {"d": 1}], [{"d": 5}], [], []),
        ([2, "A"], [1, {"d": 3}], [1, "A"], [1, "A"]),
        ([1, "A"], [{"d": 1}], ["A"], ["A"]),
        ([], [1, "B", {"d": 2}], [], []),
        ([1, "A", {"d": 2}], [], [1, "A", {"d": 2}], [1, "A", {"d": 2}]),
        ([], [], [], []),
        # A skip of any size is one step.
        ([INTEGER_MAX, "A"], [1, "B"], [INTEGER_MAX + 1, "A"], [INTEGER_MAX + 1, "A"]),
        (
            [1, "A", INTEGER_MAX, "A"],
            [2, "B"],
            [1, "A", INTEGER_MAX + 1, "A"],
            [1, "A", INTEGER_MAX + 1, "A"],
        ),
    ],
)
def test_transform_follows_its_conventions(op: Op, other: Op, left: Op, right: Op) -> None:
    assert transform(op, other, "left") == left
    assert transform(op, other, "right") == right


@given(texts(), texts(), some_text(), some_text())
def test_of_two_inserts_at_one_place_the_left_one_comes_first(
    head: str, tail: str, ours: str, theirs: str
) -> None:
    text = head + tail
    op, other = replace(len(head), 0, ours), replace(len(head), 0, theirs)
    after_other = apply(text, other)
    assert apply(after_other, transform(op, other, "left")) == head + ours + theirs + tail
    assert apply(after_other, transform(op, other, "right")) == head + theirs + ours + tail


@given(texts(), some_text(), some_text(), texts(), some_text(), SIDES)
def test_an_insert_into_a_deleted_range_lands_whole_in_its_place(
    head: str, deleted: str, also_deleted: str, tail: str, inserted: str, side: Side
) -> None:
    op = replace(len(head) + len(deleted), 0, inserted)
    other = replace(len(head), deleted + also_deleted, "")
    assert apply(head + tail, transform(op, other, side)) == head + inserted + tail


@pytest.mark.parametrize("side", ["", "LEFT", "middle", None, True])
def test_transform_knows_two_sides_only(side: Any) -> None:
    with pytest.raises(AssertionError):
        transform(["a"], ["b"], side)


@given(st.data())
def test_both_orders_of_two_concurrent_ops_give_one_text(data: st.DataObject) -> None:
    text = data.draw(texts())
    assert_orders_agree(text, data.draw(changes(text)).op, data.draw(changes(text)).op)


@given(st.data())
def test_both_orders_of_two_composed_ops_give_one_text(data: st.DataObject) -> None:
    text = data.draw(texts())
    assert_orders_agree(text, data.draw(composed(text)), data.draw(composed(text)))


def assert_orders_agree(text: str, a: Op, b: Op) -> None:
    a_first = apply(apply(text, a), transform(b, a, "right"))
    b_first = apply(apply(text, b), transform(a, b, "left"))
    assert a_first == b_first


@st.composite
def composed(draw: st.DrawFn, text: str) -> Op:
    first = draw(changes(text))
    return compose(first.op, draw(changes(first.after)).op)


@given(st.data(), SIDES)
def test_ops_that_are_apart_are_transformed_as_any_others(data: st.DataObject, side: Side) -> None:
    head, tail = data.draw(changes()), data.draw(changes())
    gap = data.draw(st.integers(0, 2))
    before: Op = head.op
    after = normalise([len(head.before) + gap, *tail.op])
    for op, other in ((before, after), (after, before)):
        walked = normalise(text_op._transformed(op, other, side))
        assert transform(op, other, side) == walked


@given(st.data(), SIDES)
def test_the_short_cut_of_transform_changes_no_result(data: st.DataObject, side: Side) -> None:
    text = data.draw(texts())
    op, other = data.draw(changes(text)).op, data.draw(changes(text)).op
    assert transform(op, other, side) == normalise(text_op._transformed(op, other, side))


@given(st.data(), SIDES)
def test_transform_keeps_ops_normal_and_invertible(data: st.DataObject, side: Side) -> None:
    text = data.draw(texts())
    op = data.draw(changes(text, invertible=True)).op
    other = data.draw(changes(text))
    result = transform(op, other.op, side)
    assert is_normal(result)
    assert is_invertible(result)
    apply(other.after, result)  # and the texts of its deletes are what stands there


# Compose.


@pytest.mark.parametrize(
    ("first", "second", "composed_op"),
    [
        ([2, "hi"], [2, {"d": "hi"}], []),
        ([2, "hi"], [2, {"d": 2}], []),
        ([{"d": 1}], ["x"], ["x", {"d": 1}]),
        (["x"], [1, {"d": 1}], ["x", {"d": 1}]),
        ([1, "x"], [{"d": 1}], [{"d": 1}, "x"]),
        ([{"d": 1}, "y"], ["x"], ["x", {"d": 1}, "y"]),
        ([{"d": "a"}], [{"d": "b"}], [{"d": "ab"}]),
        ([{"d": "a"}], [{"d": 1}], [{"d": 2}]),
        ([{"d": "x"}], ["x"], ["x", {"d": "x"}]),
        # What of a delete hits an insert of the first is left out, the rest keeps its own text.
        ([1, "XY"], [{"d": "aXYb"}], [{"d": "ab"}]),
        ([1, "XY"], [{"d": "aX"}], [{"d": "a"}, "Y"]),
        ([1, "XY"], [2, {"d": "Yb"}], [1, "X", {"d": "b"}]),
        ([], [1, "x"], [1, "x"]),
        ([1, "x"], [], [1, "x"]),
        ([{"d": 3}], [], [{"d": 3}]),
        ([5, "x"], [2, "y"], [2, "y", 3, "x"]),
    ],
)
def test_compose_follows_its_conventions(first: Op, second: Op, composed_op: Op) -> None:
    assert compose(first, second) == composed_op


@given(st.data())
def test_a_composed_op_does_what_its_parts_do(data: st.DataObject) -> None:
    first = data.draw(changes())
    second = data.draw(changes(first.after))
    op = compose(first.op, second.op)
    assert is_normal(op)
    assert apply(first.before, op) == second.after


@given(st.data())
def test_it_does_not_matter_to_the_text_what_is_composed_first(data: st.DataObject) -> None:
    first = data.draw(changes())
    second = data.draw(changes(first.after))
    third = data.draw(changes(second.after))
    from_left = compose(compose(first.op, second.op), third.op)
    from_right = compose(first.op, compose(second.op, third.op))
    assert apply(first.before, from_left) == third.after
    assert apply(first.before, from_right) == third.after


@given(st.data())
def test_compose_of_invertible_ops_is_invertible(data: st.DataObject) -> None:
    first = data.draw(changes(invertible=True))
    second = data.draw(changes(first.after, invertible=True))
    op = compose(first.op, second.op)
    assert is_invertible(op)
    assert apply(second.after, invert(op)) == first.before


# Inverting.


def test_invert_turns_each_component_round_in_its_place() -> None:
    assert invert(["x", {"d": "y"}]) == [{"d": "x"}, "y"]
    assert invert([2, "x", 1, {"d": "yz"}]) == [2, {"d": "x"}, 1, "yz"]
    assert invert([]) == []


@pytest.mark.parametrize("op", [[{"d": 1}], [{"d": "a"}, 1, {"d": 2}]])
def test_a_counted_delete_cannot_be_inverted(op: Op) -> None:
    with pytest.raises(OpInvalid):
        invert(op)


@given(changes())
def test_the_inverse_takes_the_op_back(change: Change) -> None:
    invertible = make_invertible(change.op, change.before)
    assert apply(change.before, invertible) == change.after
    assert apply(change.after, invert(invertible)) == change.before


@given(changes(invertible=True))
def test_inverting_twice_gives_the_op_again(change: Change) -> None:
    assert invert(invert(change.op)) == change.op


@pytest.mark.parametrize(
    ("op", "text", "invertible"),
    [
        ([1, {"d": 2}], "abcd", [1, {"d": "bc"}]),
        ([{"d": 1}, "x", 1, {"d": "c"}], "abc", [{"d": "a"}, "x", 1, {"d": "c"}]),
        ([1, {"d": 1}], "👨‍👩‍👧", [1, {"d": "\u200d"}]),
        ([], "abc", []),
    ],
)
def test_make_invertible_fills_in_the_deleted_text(op: Op, text: str, invertible: Op) -> None:
    assert make_invertible(op, text) == invertible


@pytest.mark.parametrize("op", [[1, {"d": 9}], [9, {"d": 1}], [9, "x"], [{"d": "b"}]])
def test_make_invertible_takes_no_op_that_does_not_fit(op: Op) -> None:
    with pytest.raises(OpInvalid):
        make_invertible(op, "abcd")


@given(changes())
def test_made_invertible_an_op_differs_in_the_texts_of_its_deletes_only(change: Change) -> None:
    op = make_invertible(change.op, change.before)
    assert is_invertible(op)
    assert is_normal(op)
    assert stripped(op) == stripped(change.op)


def stripped(op: Op) -> list[Component]:
    """The op with counts for the texts of deletes."""
    return [{"d": required_length([part])} if isinstance(part, dict) else part for part in op]


@given(st.data())
def test_undoing_an_op_leaves_a_later_insert_of_others_in_place(data: st.DataObject) -> None:
    first = data.draw(changes())
    position = data.draw(st.integers(0, len(first.after)))
    later = replace(position, 0, MARK)
    undo = transform(invert(make_invertible(first.op, first.before)), later, "left")
    undone = apply(apply(first.after, later), undo)
    assert undone.count(MARK) == 1
    assert undone.replace(MARK, "") == first.before


# Positions and selections.


@pytest.mark.parametrize(
    ("position", "op", "moved"),
    [
        (3, [3, "x"], 3),
        (4, [3, "x"], 5),
        (0, ["x"], 0),
        (1, ["😀"], 2),
        (2, [1, {"d": 2}], 1),
        (3, [1, {"d": 2}], 1),
        (5, [1, {"d": 2}], 3),
        (1, [1, {"d": 2}], 1),
        (2, [{"d": 3}, "xyz"], 0),
        (2, ["xyz", {"d": 3}], 3),
        (2, [{"d": "abc"}, "xyz"], 0),
        (2, [], 2),
        (100, [3, "x", {"d": 1}, 5, "yz"], 102),
        (100, [1_000_000_000, "x"], 100),
    ],
)
def test_a_position_moves_with_the_text_before_it(position: int, op: Op, moved: int) -> None:
    assert transform_position(position, op) == moved


@given(changes(), st.data())
def test_a_position_moves_as_a_mark_inserted_there_and_transformed_left(
    change: Change, data: st.DataObject
) -> None:
    position = data.draw(st.integers(0, len(change.before)))
    mark = transform(replace(position, 0, MARK), change.op, "left")
    assert transform_position(position, change.op) == apply(change.after, mark).index(MARK)


@pytest.mark.parametrize(
    ("selection", "op", "moved"),
    [
        (2, ["x"], 3),
        ([2, 5], [2, "xx"], [2, 7]),
        ([5, 2], [2, "xx"], [7, 2]),
        ([2, 5], [5, "xx"], [2, 5]),
        ([2, 5], [1, {"d": 6}], [1, 1]),
        ((2, 5), ["x"], [3, 6]),
    ],
)
def test_each_end_of_a_selection_moves_as_a_position(
    selection: int | list[int], op: Op, moved: int | list[int]
) -> None:
    assert transform_selection(selection, op) == moved


@pytest.mark.parametrize(
    ("op", "moved"),
    [
        ([2, "x"], (3, 6)),
        ([5, "x"], (2, 5)),
        ([3, "x"], (2, 6)),
        ([2, "x", {"d": 1}], (3, 5)),
        ([2, {"d": 1}, "x"], (3, 5)),
        ([4, "x", {"d": 1}], (2, 4)),
        ([4, {"d": 1}, "x"], (2, 4)),
        ([3, {"d": 1}, "x"], (2, 5)),
        ([1, {"d": 2}, 1, "x", {"d": 2}], (1, 2)),
        ([2, {"d": 3}], (2, 2)),
        ([2, "xyz", {"d": "abc"}], (2, 2)),
        ([1, {"d": 6}, "x"], (1, 1)),
        ([100, "x"], (2, 5)),
        ([], (2, 5)),
    ],
)
def test_a_range_reaches_from_its_first_to_its_last_character_that_is_left(
    op: Op, moved: tuple[int, int]
) -> None:
    assert transform_range(2, 5, op) == moved


@given(changes(), st.data())
def test_a_range_moves_as_its_characters_do_one_by_one(change: Change, data: st.DataObject) -> None:
    beyond = len(change.before) + 3
    start, end = sorted((data.draw(st.integers(0, beyond)), data.draw(st.integers(0, beyond))))
    places = [place for place, old in enumerate(origins(beyond, change.op)) if old in range(start, end)]
    if places:
        assert transform_range(start, end, change.op) == (places[0], places[-1] + 1)
    else:
        place = transform_position(start, change.op)
        assert transform_range(start, end, change.op) == (place, place)


def origins(length: int, op: Op) -> list[int | None]:
    """Where each character of the new text stood in the old one, None for what is new."""
    old: list[int | None] = list(range(length))
    new: list[int | None] = []
    for component in op:
        if isinstance(component, str):
            new += [None] * len(component)
        else:
            count = required_length([component])
            if isinstance(component, int):
                new += old[:count]
            del old[:count]
    return new + old


# What all have in common.


@given(st.data(), SIDES)
def test_no_function_changes_its_operands(data: st.DataObject, side: Side) -> None:
    text = data.draw(texts())
    components = data.draw(sloppy_components(text))
    op = data.draw(changes(text, invertible=True)).op
    other = data.draw(changes(text))
    later = data.draw(changes(other.after)).op
    before = copy.deepcopy((components, op, other, later))
    normalise(components)
    transform(op, other.op, side)
    compose(other.op, later)
    make_invertible(other.op, text)
    invert(op)
    apply(text, op)
    assert before == (components, op, other, later)


def test_the_vectors_of_the_ottypes_family_are_reproduced() -> None:
    functions: dict[str, Callable[..., object]] = {"apply": apply, "compose": compose, "transform": transform}
    with gzip.open(VECTORS, "rt", encoding="utf-8") as lines:
        vectors = [json.loads(line) for line in lines]
    assert len(vectors) == 10_239
    assert [vector for vector in vectors if functions[vector["fn"]](*vector["args"]) != vector["ok"]] == []
