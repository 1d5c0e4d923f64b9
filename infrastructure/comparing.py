"""Compares texts: by lines, and lines that were changed by words. The algorithm is libgit2's.

Knows nothing of the server, so that it can also be run as a program beside it (see `differ`), which is handed
texts and hands back numbers.

What the library sees are never the texts but numbers that stand for their lines or words. Its hash is known
to everybody, and from texts made for it, all of whose lines have one hash, it would not come back for
minutes. Of lines it sees the indentation, too, by which it chooses where a block begins.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Final

import pygit2
from pygit2.enums import DiffOption

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


def compare(old: str, new: str, until: float = float("inf")) -> tuple[list[tuple[Range, list[Range]]], bool]:
    """The changed lines, each with the words changed in them; and whether some words were not compared: there
    were too many, or it was later than `until` on the monotonic clock.
    """
    found: list[tuple[Range, list[Range]]] = []
    is_coarse = False
    for lines in _changes(_LINE.findall(old), _LINE.findall(new), _LINES):
        words = [lines]
        if lines[0] < lines[1] and lines[2] < lines[3]:
            if (compared := _words(old, new, lines, until)) is not None:
                words = compared
            else:
                is_coarse = True
        found.append((lines, words))
    return found, is_coarse


def _words(old: str, new: str, lines: Range, until: float) -> list[Range] | None:
    a, b, c, d = lines
    if time.monotonic() > until:
        return None
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
