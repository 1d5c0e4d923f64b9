"""What the differ finds is what differs, and an op can be made of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from random import Random
from string import ascii_letters

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.past.diff import Change, op_between
from domain.limits import OP_COMPONENTS
from domain.text_op import apply, invert, is_invertible, normalise
from infrastructure import comparing
from infrastructure.differ import LibraryDiffer
from tests import trace_texts
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


@pytest.fixture
async def differ() -> AsyncIterator[LibraryDiffer]:
    differ = LibraryDiffer()
    yield differ
    await differ.close()


async def test_an_op_of_too_many_words_replaces_lines(differ: LibraryDiffer) -> None:
    old = "".join(f"{number} old 1 old 2 old 3 old\n\n" for number in range(1_000))

    op = await op_between(differ, old, old.replace("old", "new"))

    assert len(op) == 3 * 1_000 - 1 <= OP_COMPONENTS
    assert apply(old, op) == old.replace("old", "new")


async def test_an_op_of_too_many_lines_replaces_what_is_between(differ: LibraryDiffer) -> None:
    old = "".join(f"{number} old\n\n" for number in range(2_000))

    op = await op_between(differ, old, old.replace("old", "new"))

    assert len(op) == 3
    assert apply(old, op) == old.replace("old", "new")


async def test_a_block_that_was_put_in_is_told_from_its_own_beginning(differ: LibraryDiffer) -> None:
    """Not from the blank lines before it, and not with the first line of the one behind it."""
    block = "def {0}(x):\n    return {0}\n\n\n"
    old, put_in = block.format("f") + block.format("g"), block.format("h")

    [(lines, _)] = (await differ.compare(old, old.replace("def g", put_in + "def g"))).changed

    begin = len(block.format("f"))
    assert lines == Change(begin, begin, begin, begin + len(put_in))


# Recorded editing.


@pytest.mark.parametrize("name", trace_texts.NAMES)
async def test_recorded_texts_are_turned_into_one_another(name: str, differ: LibraryDiffer) -> None:
    found = trace_texts.texts(name, {30, 60, 100, 5_000, 12_000})
    last = found.pop(max(found))
    for text in found.values():
        for old, new in ((text, last), (last, text)):
            op = await op_between(differ, old, new)
            assert apply(old, op) == new
            assert is_invertible(op)
            assert normalise(op) == op
            assert not (await differ.compare(old, new)).is_coarse


async def test_it_is_the_same_beside_the_server_and_in_it(
    differ: LibraryDiffer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = trace_texts.texts("sveltecomponent", {5_000})
    old, new = found.values()
    beside = await differ.compare(old, new)
    monkeypatch.setattr("infrastructure.differ.AT_ONCE_CODE_POINTS", len(old) + len(new))
    assert await differ.compare(old, new) == beside


# Texts made to be slow.


def _random_lines(seed: int) -> str:
    return "".join(Random(seed).choices(["a\n", "b\n"], k=500_000))


def _hostile(name: str) -> tuple[str, str]:
    letters = [Random(seed).choices("abcdefgh \n", k=1_000_000) for seed in (1, 2)]
    same = "x\n" * 100_000
    match name:
        case "different texts":
            return "".join(letters[0]), "".join(letters[1])
        case "two lines in any order":
            return _random_lines(1), _random_lines(2)
        case "equal lines":
            return same, f"{same}y\n{same}"
        case "equal lines and others":
            return same, "y\n" * 100_000
        case "lines with one hash":
            return _colliding(range(30_000)), _colliding(range(30_000, 60_000))
        case _:
            return "a" * 1_000_000, "b" * 1_000_000


def _colliding(numbers: range) -> str:
    """Different lines that the library's hash takes for one: at each place one of two pairs of letters after
    which the hash is the same.
    """
    state, pairs = 5381, []
    for _ in range(16):
        one, other, state = _pair(state)
        pairs.append((one, other))
    lines = ["".join(pair[number >> bit & 1] for bit, pair in enumerate(pairs)) for number in numbers]
    return "".join(f"{line}\n" for line in lines)


def _pair(state: int) -> tuple[str, str, int]:
    """Two pairs of letters, and the hash after either: for each letter, times 33, exclusive or the letter."""
    seen: dict[int, str] = {}
    for first in ascii_letters:
        for second in ascii_letters:
            after = (((state * 33) ^ ord(first)) * 33) % 2**64 ^ ord(second)
            if after in seen:
                return seen[after], first + second, after
            seen[after] = first + second
    raise AssertionError


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "different texts",
        "two lines in any order",
        "equal lines",
        "equal lines and others",
        "lines with one hash",
        "one line",
    ],
)
async def test_texts_made_to_be_slow_stop_nobody(name: str) -> None:
    old, new = _hostile(name)
    differ = LibraryDiffer(compare_seconds=2.0)
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - before)

    watching = asyncio.create_task(watch())
    began = time.monotonic()
    op = await op_between(differ, old, new)
    took = time.monotonic() - began
    watching.cancel()
    await differ.close()

    assert apply(old, op) == new
    assert took < 10
    assert longest < 0.5, "a machine that is shared is slow at times, but not for as long as this"


async def test_what_takes_too_long_is_one_replacement() -> None:
    old, new = "".join(f"a{n}\n" for n in range(2_000)), "".join(f"b{n}\n" for n in range(2_000))
    differ = LibraryDiffer(compare_seconds=0.0)
    comparison = await differ.compare(old, new)
    await differ.close()
    assert comparison.is_coarse
    whole = Change(0, len(old), 0, len(new))
    assert [(lines, list(words)) for lines, words in comparison.changed] == [(whole, [whole])]


def test_of_too_many_words_lines_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = "one two\n\nthree\n", "one 2\n\n3\n"
    for limit in ("WORDS_MAX", "WORDS_SECONDS"):
        with monkeypatch.context() as patch:
            patch.setattr(comparing, limit, -1)
            found, is_coarse = comparing.compare(old, new)
            assert is_coarse
            assert [words for _, words in found] == [[lines] for lines, _ in found]
    monkeypatch.setattr(comparing, "CHANGES_MAX", 2)
    assert comparing.compare(old, new)[1] is False
    monkeypatch.setattr(comparing, "CHANGES_MAX", 1)
    assert comparing.compare(old, new) == ([((0, 15, 0, 9), [(0, 15, 0, 9)])], True)
