"""What the differ finds is what differs, and an op can be made of it."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from application.past.diff import Change, op_between
from domain.limits import OP_COMPONENTS
from domain.text_op import apply, invert, is_invertible, normalise
from infrastructure.differ import LibraryDiffer
from tests.domain.strategies import ATOMS, changes, texts

WORDS = (*ATOMS, "word", "other", "\n", "\n\n", "    ", "x.y(z)", "\t", "日本語")


def paragraphs() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(WORDS), max_size=40).map("".join)


def pairs() -> st.SearchStrategy[tuple[str, str]]:
    """Two texts, of which some are alike and some are not."""
    edited = paragraphs().flatmap(changes).map(lambda change: (change.before, change.after))
    return st.one_of(edited, st.tuples(paragraphs(), paragraphs()), st.tuples(texts(), texts()))


@given(pairs())
async def test_an_op_between_two_texts_turns_one_into_the_other_and_back(pair: tuple[str, str]) -> None:
    old, new = pair

    op = await op_between(LibraryDiffer(), old, new)

    assert apply(old, op) == new
    assert is_invertible(op)
    assert normalise(op) == op
    assert apply(new, invert(op)) == old


@given(pairs())
async def test_lines_are_whole_and_words_are_within_them(pair: tuple[str, str]) -> None:
    old, new = pair

    comparison = await LibraryDiffer().compare(old, new)

    assert not comparison.is_coarse
    assert _replaced(old, new, [lines for lines, _ in comparison.changed]) == new
    assert _replaced(old, new, [word for _, words in comparison.changed for word in words]) == new
    for lines, words in comparison.changed:
        assert _is_line_start(old, lines.old_start)
        assert _is_line_start(old, lines.old_end)
        assert _is_line_start(new, lines.new_start)
        assert _is_line_start(new, lines.new_end)
        assert lines.old_start <= words[0].old_start
        assert words[-1].old_end <= lines.old_end
        for word, after in pairwise(words):
            assert word.old_end < after.old_start
            assert word.new_end < after.new_start


def _is_line_start(text: str, position: int) -> bool:
    return position in (0, len(text)) or text[position - 1] == "\n"


def _replaced(old: str, new: str, found: list[Change]) -> str:
    pieces, position = [], 0
    for change in found:
        pieces += [old[position : change.old_start], new[change.new_start : change.new_end]]
        position = change.old_end
    return "".join([*pieces, old[position:]])


async def test_an_op_replaces_words_and_skips_the_others() -> None:
    op = await op_between(LibraryDiffer(), "one two three\nfour\n", "one 2 three\nfour\nfive\n")

    assert op == [4, "2", {"d": "two"}, 12, "five\n"]


async def test_an_op_of_too_many_words_replaces_lines() -> None:
    old = "".join(f"{number} old 1 old 2 old 3 old\n\n" for number in range(1_000))

    op = await op_between(LibraryDiffer(), old, old.replace("old", "new"))

    assert len(op) == 3 * 1_000 - 1 <= OP_COMPONENTS
    assert apply(old, op) == old.replace("old", "new")


async def test_an_op_of_too_many_lines_replaces_what_is_between() -> None:
    old = "".join(f"{number} old\n\n" for number in range(2_000))

    op = await op_between(LibraryDiffer(), old, old.replace("old", "new"))

    assert len(op) == 3
    assert apply(old, op) == old.replace("old", "new")
