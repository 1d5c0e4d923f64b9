"""A phrase in a text that changes: what is counted around the changes is what is there."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import TextInvalid
from domain.phrase import (
    AROUND_CODE_POINTS,
    PHRASE_CODE_POINTS,
    Around,
    Occurrences,
    Phrase,
    changes_of,
    folded,
)
from domain.text_op import Op, apply
from tests.application.past.histories import histories, texts_of
from tests.domain.strategies import ATOMS

# Phrases that overlap themselves and each other, and texts made of their letters.
LETTERS = ("a", "a", "A", "b", "B", "Σ", "ς", "ß", "İ", *ATOMS)


def phrases() -> st.SearchStrategy[Phrase]:
    text = st.lists(st.sampled_from(LETTERS), min_size=1, max_size=4).map("".join)
    return st.builds(lambda text, ignores: Phrase(text, ignores_case=ignores), text, st.booleans())


@st.composite
def lives(draw: st.DrawFn) -> tuple[Phrase, list[Op]]:
    """A phrase, and a history in which it may well be."""
    ops = draw(histories())
    longest = max(texts_of(ops), key=len)
    if not longest or draw(st.booleans()):
        return draw(phrases()), ops
    start = draw(st.integers(0, len(longest) - 1))
    text = longest[start : draw(st.integers(start + 1, min(start + 6, len(longest))))]
    return Phrase(text, ignores_case=draw(st.booleans())), ops


def plainly(phrase: Phrase, text: str) -> list[int]:
    """Every position where the text goes on with the phrase."""
    return [place for place in range(len(text)) if phrase.find(text[place : place + len(phrase)]) == 0]


@given(lives())
def test_it_is_counted_as_often_as_it_is_there_at_every_revision(life: tuple[Phrase, list[Op]]) -> None:
    phrase, ops = life
    occurrences = Occurrences(phrase)
    texts = texts_of(ops)
    for op, (before, after) in zip(ops, pairwise(texts), strict=True):
        shift = occurrences.take(op)
        was, now = plainly(phrase, before), plainly(phrase, after)
        assert occurrences.count == len(now) == phrase.count(after)
        assert str(occurrences.text) == after
        assert (shift is None) == (len(was) == len(now))
        if shift is not None:
            assert (shift.was, shift.now) == (len(was), len(now))
            assert shift.position in (now if shift.now > shift.was else was)
            around = after if shift.now > shift.was else before
            place = shift.position
            end = place + len(phrase)
            assert shift.around == Around(
                around[max(place - AROUND_CODE_POINTS, 0) : place],
                around[place:end],
                around[end : end + AROUND_CODE_POINTS],
            )


def test_a_phrase_that_overlaps_itself_is_there_at_each_position() -> None:
    assert Phrase("aa").count("aaaa") == 3
    assert list(Phrase("aba").places("ababa")) == [0, 2]


def test_a_phrase_is_made_and_broken_from_afar_only_as_far_as_it_reaches() -> None:
    occurrences = Occurrences(Phrase("abc"))
    assert occurrences.take(["ac"]) is None
    made = occurrences.take([1, "b"])
    assert made is not None
    assert (made.was, made.now, made.position, made.around) == (0, 1, 0, Around("", "abc", ""))
    assert occurrences.take(["see ", 3, "!"]) is None
    broken = occurrences.take([6, {"d": "c"}])
    assert broken is not None
    assert (broken.was, broken.now, broken.position) == (1, 0, 4)
    assert broken.around == Around("see ", "abc", "!")


@given(lives(), st.integers(0, 4))
def test_the_changes_of_an_op_do_together_what_it_does(life: tuple[Phrase, list[Op]], reach: int) -> None:
    _, ops = life
    texts = texts_of(ops)
    for op, (before, after) in zip(ops, pairwise(texts), strict=True):
        text, last = before, len(before) + reach + 1
        for start, end, inside in reversed(list(changes_of(op, reach))):
            assert start <= end
            assert last - end >= reach
            last = start
            text = text[:start] + apply(text[start:end], inside) + text[end:]
        assert text == after


# Case.


@given(st.text())
def test_what_is_folded_is_as_long_and_folded_for_good(text: str) -> None:
    assert len(folded(text)) == len(text)
    assert folded(folded(text)) == folded(text)
    assert folded(text) == "".join(folded(character) for character in text)


def test_small_and_capital_letters_are_found_as_each_other_where_that_is_one_letter() -> None:
    for text, phrase in (("Grüße", "GRÜ"), ("ΟΔΟΣ", "οδος"), ("οδοσ", "ΟΔΟΣ"), ("Ωμέγα", "ωΜέ"), ("ǅ", "ǆ")):
        assert Phrase(phrase, ignores_case=True).count(text) == 1
        assert Phrase(phrase).count(text) == 0
    assert Phrase("ss", ignores_case=True).count("ß") == 0
    assert Phrase("ẞ", ignores_case=True).count("ß") == 1
    assert Phrase("i", ignores_case=True).count("İ") == 0


# What is no phrase.


@pytest.mark.parametrize("text", ["", "x" * (PHRASE_CODE_POINTS + 1), "a\0b", "\ud800", "x\udfff"])
def test_what_no_text_can_hold_is_no_phrase(text: str) -> None:
    with pytest.raises(TextInvalid):
        Phrase(text)


@pytest.mark.parametrize("text", ["x", "x" * PHRASE_CODE_POINTS, "\r\n", chr(sys.maxunicode)])
def test_any_other_text_is_one(text: str) -> None:
    assert Phrase(text).count(text) == 1
