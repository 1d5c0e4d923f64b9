"""What counts as the same when chat is searched, what is looked for, and where it is shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.chat_search import (
    SNIPPET_CODE_POINTS,
    Piece,
    pieces_of,
    spaced,
    terms_of,
    text_key,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
QUERIES = st.text(
    st.sampled_from('ab Éß日本語한"\\%_->. \t') | st.characters(exclude_categories=["Cs"]), max_size=40
)


def keys(query: str) -> list[str]:
    return [term.key for term in terms_of(query)]


# The same.


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Hello, WORLD", "hello, world"),
        ("Crème Brûlée", "creme brulee"),
        ("Cre\u0300me", "creme"),  # an accent that is a character of its own
        ("Straße", "strasse"),
        ("ΣΟΦΟΣ σοφός", "σοφοσ σοφοσ"),
        ("ЁЖ", "еж"),
        ("ﬁｎｄ　①", "find 1"),
        ("がか", "がか"),  # another letter, not another accent
        ("한국어", "한국어"),
        ("x[i] != 100%_\\", "x[i] != 100%_\\"),
    ],
)
def test_case_accents_and_width_do_not_count(text: str, key: str) -> None:
    assert text_key(text) == key


@given(TEXTS, TEXTS)
def test_a_key_is_made_character_by_character(one: str, other: str) -> None:
    assert text_key(one + other) == text_key(one) + text_key(other)
    assert text_key(one) == "".join(text_key(character) for character in one)


def test_what_is_written_without_spaces_is_made_of_pairs() -> None:
    assert spaced("日本語 and 本, カー・ク x").split() == [
        *("日本", "本語", "語", "and", "本", ",", "カー", "ー", "・", "ク", "x"),
    ]


# What is looked for.


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("two words", ["two", "words"]),
        ('"a phrase" and more', ["a phrase", "and", "more"]),
        ('"never ended', ["never ended"]),
        ('print("x")', ['print("x")']),
        ("same SAME", ["same"]),
        ('"', ['"']),
        ('""', ['""']),
        (" \t ", []),
        ("\u0301", []),
        ("not -this or that*", ["not", "-this", "or", "that*"]),
    ],
)
def test_a_query_is_words_and_phrases(query: str, found: list[str]) -> None:
    assert keys(query) == found


@pytest.mark.parametrize(
    ("word", "words", "beginnings", "is_literal", "has_part"),
    [
        ("hello", "hello", (), False, True),
        ("go", "go", (), False, False),
        ('"to be"', "to be", (), False, False),
        ("c++", "c++", (), True, False),
        ("->", "", (), True, False),
        ("a.b_cde", "a.b_cde", (), True, True),
        ("日本語", " 日本 本語 ", (), True, False),
        ("日", "", ("日",), True, False),
        ("x日y", "x  y", ("日",), True, False),
        ("python入門", "python 入門 ", (), True, True),
        ("café", "cafe", (), False, True),
    ],
)
def test_a_term_says_how_it_is_found(
    word: str, words: str, beginnings: tuple[str, ...], is_literal: bool, has_part: bool
) -> None:
    [term] = terms_of(word)
    assert (term.words, term.beginnings, term.is_literal, term.has_part) == (
        words,
        beginnings,
        is_literal,
        has_part,
    )


# What is shown.


@given(TEXTS, QUERIES)
def test_pieces_are_the_text_and_those_that_match_are_what_was_looked_for(text: str, query: str) -> None:
    terms = terms_of(query)
    pieces = list(pieces_of(text, terms))
    assert all(piece.text for piece in pieces)
    shown = "".join(piece.text for piece in pieces)
    if len(text) <= SNIPPET_CODE_POINTS:
        assert shown == text
        words = [word for term in terms for word in (term.key, *term.words.split())]
        for piece in pieces:
            assert not piece.is_match or any(word in text_key(piece.text) for word in words)
        found = any(term.key in text_key(text) for term in terms)
        assert not found or any(piece.is_match for piece in pieces)
    else:
        assert len(shown) <= SNIPPET_CODE_POINTS + 2
        assert shown.removeprefix("…").removesuffix("…") in text


def marked(text: str, query: str) -> str:
    return "".join(f"[{p.text}]" if p.is_match else p.text for p in pieces_of(text, terms_of(query)))


@pytest.mark.parametrize(
    ("text", "query", "shown"),
    [
        ("The CAFÉ is a café", "cafe", "The [CAFÉ] is a [café]"),
        ("a cafe\u0301 here", "café", "a [cafe\u0301] here"),
        ("Straße", "ss", "Stra[ß]e"),
        ("say: hello, world", '"hello world"', "say: [hello], [world]"),
        ("concatenate", "cat", "con[cat]enate"),
        ("abab", "ab ba", "[abab]"),
        ("<b>x</b>", "<b>", "[<b>]x</b>"),
        ("日本語の本", "本", "日[本]語の[本]"),
        ("nothing of it", "else", "nothing of it"),
    ],
)
def test_what_matches_is_marked(text: str, query: str, shown: str) -> None:
    assert marked(text, query) == shown


def test_of_a_long_text_the_part_around_the_first_match_is_shown() -> None:
    text = "before " * 100 + "needle " + "behind " * 100
    pieces = pieces_of(text, terms_of("needle"))
    assert [piece.is_match for piece in pieces] == [False, False, True, False, False]
    assert (pieces[0].text, pieces[2].text, pieces[4].text) == ("…", "needle", "…")
    assert pieces[1].text == "before " * 8  # from the beginning of a word on
    assert pieces_of("x" * 1_000, terms_of("y"))[-1] == Piece("…", is_match=False)
    last = pieces_of("x" * 1_000 + " needle", terms_of("needle"))
    assert (last[0].text, last[-1]) == ("…", Piece("needle", is_match=True))


def test_a_match_longer_than_what_is_shown_is_cut() -> None:
    pieces = pieces_of("y" * 1_000, terms_of("y" * 250))
    assert pieces == (Piece("y" * SNIPPET_CODE_POINTS, is_match=True), Piece("…", is_match=False))


def test_normal_forms_are_found_by_each_other() -> None:
    for form in ("NFC", "NFD"):
        assert text_key(unicodedata.normalize(form, "Ångström façade")) == "angstrom facade"
