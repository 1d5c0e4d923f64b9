"""Lines and who touched them, against a plain recount."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.text_op import Op
from projections.heat import LineHeat
from tests.domain.strategies import changes


def lines_of(found: LineHeat) -> list[tuple[str, dict[str, int]]]:
    return [(line.text, line.touches) for line in found]


def folded(*edits: tuple[Op, str]) -> LineHeat:
    found = LineHeat()
    for op, who in edits:
        found.apply(op, who)
    return found


def test_an_edit_touches_the_lines_in_which_it_changes_something_each_once() -> None:
    found = folded((["one\ntwo\nthree\n"], "ada"), ([1, "x", 2, "y", {"d": 1}, 4, {"d": "t"}], "ben"))
    assert lines_of(found) == [
        ("oxneytwo\n", {"ada": 1, "ben": 1}),
        ("hree\n", {"ada": 1, "ben": 1}),
    ]


def test_lines_that_come_or_go_before_another_one_do_not_touch_it() -> None:
    found = folded((["last\n"], "ada"), (["first\nsecond\n"], "ben"), ([{"d": 6}], "cem"))
    assert lines_of(found) == [("second\n", {"ben": 1}), ("last\n", {"ada": 1})]


def test_both_parts_of_a_broken_line_have_had_what_it_had_and_together_no_more() -> None:
    broken: tuple[Op, str] = ([2, "\n"], "ben")
    assert lines_of(folded((["abcd"], "ada"), broken)) == [
        ("ab\n", {"ada": 1, "ben": 1}),
        ("cd", {"ada": 1, "ben": 1}),
    ]
    joined = folded((["abcd"], "ada"), broken, ([2, {"d": 1}], "ben"))
    assert lines_of(joined) == [("abcd", {"ada": 1, "ben": 2})]


def test_an_empty_line_that_is_begun_behind_another_begins_anew() -> None:
    found = folded((["abcd\n"], "ada"), ([4, "\n"], "ben"), ([5, "new"], "ben"))
    assert lines_of(found) == [("abcd\n", {"ada": 1, "ben": 1}), ("new\n", {"ben": 2})]


def test_what_is_not_counted_changes_the_text_alone() -> None:
    found = folded((["a\nb\n"], "ada"))
    found.apply(["x\n", 1, "y", {"d": "\n"}], "ben", is_counted=False)
    assert lines_of(found) == [("x\n", {}), ("ayb\n", {"ada": 1})]
    assert [line.last for line in found] == ["", "ada"]


@given(st.data())
def test_any_text_is_the_lines_that_its_edits_make(data: Any) -> None:
    text, found = "", LineHeat(block_lines=4)
    for _ in range(data.draw(st.integers(1, 12))):
        change = data.draw(changes(text))
        found.apply(change.op, "ada")
        text = change.after
        assert "".join(line.text for line in found) == text
        assert all(line.text.count("\n") == line.text.endswith("\n") for line in found)


@given(st.lists(st.tuples(st.sampled_from(("put", "drop", "change")), st.integers(0, 99)), max_size=30))
def test_lines_that_are_put_in_taken_out_and_changed_are_counted_as_by_hand(steps: list[Any]) -> None:
    found, by_hand = LineHeat(block_lines=3), list[list[Any]]()
    for number, (what, place) in enumerate(steps):
        at = place % (len(by_hand) + 1)
        start = sum(len(text) for text, _ in by_hand[:at])
        skip: Op = [start] if start else []
        if what == "put":
            found.apply([*skip, f"line {number}\n"], "ada")
            by_hand.insert(at, [f"line {number}\n", 1])
        elif at < len(by_hand):
            text, heat = by_hand[at]
            if what == "drop":
                found.apply([*skip, {"d": len(text)}], "ada")
                del by_hand[at]
            else:
                found.apply([*skip, "x", 2, {"d": text[2]}], "ada")
                by_hand[at] = ["x" + text[:2] + text[3:], heat + 1]
    assert [[line.text, line.heat] for line in found] == by_hand
