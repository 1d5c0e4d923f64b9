"""Compares texts: by lines, and lines that were changed by words. The algorithm is libgit2's.

Knows nothing of the server, since it is also a program beside it (see `aside`).

What the library sees are never the texts but numbers that stand for their lines or words. Its hash is known
to everybody, and for texts made for it, all of whose lines have one hash, it takes a thousand times as long.
Of lines it sees the indentation, too, by which it chooses where a block begins.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Final

import orjson
import pygit2
from pygit2.enums import DiffOption

from infrastructure.beside import work_off

Range = tuple[int, int, int, int]
"""Start and end in the old text, start and end in the new."""

# Unique lines that both have are found first and the rest between them, so that what was moved or rewritten
# comes out in a few large pieces: a fifth of the changes that the plain algorithm finds among words.
_LINES: Final = DiffOption.FORCE_TEXT | DiffOption.PATIENCE | DiffOption.INDENT_HEURISTIC
_WORDS: Final = DiffOption.FORCE_TEXT | DiffOption.PATIENCE

# What a reader sees as one: a word, a run of blanks, a sign with what modifies it. Chinese characters and
# kana are words of their own, since no blank tells where words of theirs end.
_OWN: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_MARKS: Final = "\u0300-\u036f\u20d0-\u20ff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff"
_WORD: Final = re.compile(
    rf"[{_OWN}]|(?:[^\W{_OWN}][{_MARKS}]*)+|\n|[^\S\n]+|[^\w\s](?:[{_MARKS}]|\u200d[^\s\u200d])*"
)
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
_BLANKS: Final = re.compile(r"[ \t]*")

# Beyond this an indentation says nothing.
_INDENTATION_MAX: Final = 40

# Lines that have become so different that they hold more than this many words (about a thousand lines) are
# told as a whole: nobody reads them word by word.
WORDS_MAX: Final = 20_000

# Nobody reads so many places that differ either. Of lines that differ in more, all from the first to the last
# are told as replaced; of words that do, the rest is told as lines.
CHANGES_MAX: Final = 5_000

# So long words are compared; the rest is told as lines.
WORDS_SECONDS: Final = 1.5


def compare(old: str, new: str) -> tuple[list[tuple[Range, list[Range]]], bool]:
    """The changed lines, each with the words changed in them; and whether something was told coarsely."""
    changed = _changes(_LINE.findall(old), _LINE.findall(new), _LINES)
    if len(changed) > CHANGES_MAX:
        (a, _, c, _), (_, b, _, d) = changed[0], changed[-1]
        return [((a, b, c, d), [(a, b, c, d)])], True
    found: list[tuple[Range, list[Range]]] = []
    left, until = CHANGES_MAX, time.monotonic() + WORDS_SECONDS
    is_coarse = False
    for lines in changed:
        words: list[Range] | None = [lines]
        if lines[0] < lines[1] and lines[2] < lines[3]:
            is_late = left <= 0 or time.monotonic() > until
            words = None if is_late else _words(old, new, lines)
            is_coarse |= words is None
        found.append((lines, words or [lines]))
        left -= len(words or ())
    return found, is_coarse


def _words(old: str, new: str, lines: Range) -> list[Range] | None:
    a, b, c, d = lines
    old_words, new_words = _WORD.findall(old, a, b), _WORD.findall(new, c, d)
    if len(old_words) + len(new_words) > WORDS_MAX:
        return None
    return [(a + p, a + q, c + r, c + s) for p, q, r, s in _changes(old_words, new_words, _WORDS)]


def _changes(old: Sequence[str], new: Sequence[str], options: DiffOption) -> list[Range]:
    """Which tokens differ, by where they are in what they make up together."""
    numbers: dict[str, int] = {}
    before, after = (_numbered(tokens, numbers, is_indented=options == _LINES) for tokens in (old, new))
    patch = pygit2.Patch.create_from(before, after, flag=options, context_lines=0, interhunk_lines=0)
    old_places, new_places = _places(old), _places(new)
    found = []
    for hunk in patch.hunks:
        # Counted from 1; of no tokens, it is the one before.
        a = hunk.old_start - 1 if hunk.old_lines else hunk.old_start
        c = hunk.new_start - 1 if hunk.new_lines else hunk.new_start
        found.append(
            (old_places[a], old_places[a + hunk.old_lines], new_places[c], new_places[c + hunk.new_lines])
        )
    return found


def _numbered(tokens: Sequence[str], numbers: dict[str, int], *, is_indented: bool) -> bytes:
    if not is_indented:
        return b"".join([b"%d\n" % numbers.setdefault(token, len(numbers)) for token in tokens])
    return b"".join(
        [
            b"\n"
            if token == "\n"
            else b"%b%d\n" % (_indentation(token), numbers.setdefault(token, len(numbers)))
            for token in tokens
        ]
    )


def _indentation(line: str) -> bytes:
    found = _BLANKS.match(line)
    assert found is not None
    return b" " * min(len(found[0].expandtabs()), _INDENTATION_MAX)


def _places(tokens: Sequence[str]) -> list[int]:
    """Where each begins, and the end."""
    places = [0]
    for token in tokens:
        places.append(places[-1] + len(token))
    return places


def main() -> None:
    """The program: two texts in, numbers out."""
    work_off(lambda given: orjson.dumps(compare(*orjson.loads(given))))
