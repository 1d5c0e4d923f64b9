"""Changesets of Etherpad: read as they are written, and told as ops of ours."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import text_op
from domain.easysync import Step, apply, as_op, as_text, as_units, has_no_text, parse
from domain.errors import ImportInvalid
from tests.etherpads import Splice, changeset, of_units, units

# Letters, line ends, characters of two units that share a first or a second half, and halves alone.
CHARACTERS = st.sampled_from(
    ["a", "b", "\n", "ä", "中", "😀", "😁", "🐀", "\U0001f600", "\ud83d", "\ude00", "\0"]
)
TEXTS = st.lists(CHARACTERS, max_size=12).map("".join)


@st.composite
def splices(draw: st.DrawFn, old: list[int]) -> list[Splice]:
    """Some, in order and apart, at any unit: also between two halves."""
    found, place = [], 0
    for _ in range(draw(st.integers(0, 3))):
        if place > len(old):
            break
        at = draw(st.integers(place, len(old)))
        deleted = draw(st.integers(0, min(3, len(old) - at)))
        found.append((at, deleted, draw(st.lists(CHARACTERS, max_size=3).map("".join).map(units))))
        place = at + deleted + 1
    return found


def done(old: str, text: str) -> tuple[str, text_op.Op]:
    """The text after a changeset, and our op."""
    before = as_units(old)
    after, hunks = apply(before, parse(text))
    return as_text(after), as_op(before, after, hunks)


@given(st.data())
def test_a_changeset_makes_the_text_that_its_writer_has_made_and_our_op_makes_it_too(
    data: st.DataObject,
) -> None:
    old = units(data.draw(TEXTS))
    text, new = changeset(old, data.draw(splices(old)), "*0")
    before = of_units(old)
    after, hunks = apply(before, parse(text))
    assert after == of_units(new)
    op = as_op(before, after, hunks)
    assert text_op.apply(as_text(before), op) == as_text(after)
    assert op == text_op.normalise(op)
    assert not has_no_text(as_text(after))


@given(TEXTS)
def test_units_are_those_of_utf_16_and_whole_characters_come_back(text: str) -> None:
    assert [ord(unit) for unit in as_units(text)] == units(text)
    if text.isprintable():  # no halves, no NUL
        assert as_text(as_units(text)) == text


@given(st.text(alphabet="Z:><*|=+-$0az9\n", max_size=40))
def test_whatever_comes_is_a_changeset_or_refused(text: str) -> None:
    with contextlib.suppress(ImportInvalid):
        apply("abc\n", parse(text))


def test_the_example_of_etherpads_documentation_is_read() -> None:
    # 22 characters with two line ends stay, then 11, then a line end comes with attribute 0.
    read = parse("Z:z>1|2=m=b*0|1+1$\n")
    assert (read.old_length, read.new_length, read.bank) == (35, 36, "\n")
    assert read.steps == (Step("=", 22, 2), Step("=", 11, 0), Step("+", 1, 1))


@pytest.mark.parametrize(
    ("old", "text", "new", "op"),
    [
        ("\n", "Z:1>5*0+5$hello", "hello\n", ["hello"]),
        ("hello\n", "Z:6<5-5$", "\n", [{"d": "hello"}]),
        ("one\ntwo\n", "Z:8>2|1=4|1+2$a\n", "one\na\ntwo\n", [4, "a\n"]),
        ("one\ntwo\nx\n", "Z:a<8|2-8$", "x\n", [{"d": "one\ntwo\n"}]),
        ("ab\n", "Z:3>0*0=2$", "ab\n", []),
        ("a\n", "Z:2>0-1+1$a", "a\n", []),
        ("a😀b\n", "Z:5>1=3*0+1$c", "a😀cb\n", [2, "c"]),
        # The editor replaces what differs: the second half of one emoji by that of another.
        ("a😀b\n", "Z:5>0=2-1*0+1$\ude01", "a😁b\n", [1, {"d": "😀"}, "😁"]),
        # A half comes alone, and the other one after it.
        ("a\n", "Z:2>1=1*0+1$\ud83d", "a\ufffd\n", [1, "\ufffd"]),
        ("a\ud83d\n", "Z:3>1=2*0+1$\ude00", "a😀\n", [1, {"d": "\ufffd"}, "😀"]),
        # What stood between two halves goes.
        ("\ud83dx\ude00\n", "Z:4<1=1-1$", "😀\n", [{"d": "\ufffdx\ufffd"}, "😀"]),
        ("a\n", "Z:2>1=1+1$\0", "a\ufffd\n", [1, "\ufffd"]),
    ],
)
def test_examples_come_out_as_written(old: str, text: str, new: str, op: text_op.Op) -> None:
    assert done(old, text) == (new, op)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no changeset"),
        ("Y:1>0$", "no changeset"),
        ("Z:1>1+1a", "no end"),
        ("Z:1>1+1", "no end"),
        ("Z:1>1~1$a", "no changeset"),
        ("Z:2>1+1$a", "another length"),
        ("Z:1>2+1$a", "another length"),
        ("Z:1>1+2$a", "behind the end"),
        ("Z:1>0=2$", "behind the end"),
        ("Z:1<1-1$", "other line ends"),
        ("Z:1>1|1+1$a", "other line ends"),
        ("Z:1>2|1+2$\na", "not the last"),
        ("Z:1>1|2+1$a", "more line ends than"),
        ("Z:1>1+1$ab", "more text"),
        ("Z:1>0" + "*0" * 5 + "$", "no changeset"),
        ("Z:zzzzzzzzzz>0$", "no changeset"),
    ],
)
def test_a_changeset_that_is_broken_or_does_not_fit_is_refused(text: str, why: str) -> None:
    with pytest.raises(ImportInvalid, match=why):
        apply("\n", parse(text))
