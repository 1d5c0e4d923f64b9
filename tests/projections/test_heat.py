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
