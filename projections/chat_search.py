"""How chat messages are searched: what counts as the same, what is looked for, and where it stands in a text.

Case and accents are taken away from texts and from what is looked for alike, one character after the other,
so that a place in the text without them is a place in the text. Everything that is looked for is literal:
there are no operators, and no character means more than itself.

What is written without spaces between its words (Chinese, Japanese; Korean as well, where endings are part of
a word) has no words for a database. Its pairs of neighbours stand for them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from projections.chat import ChatMessage

# About three lines of a list of what was found.
SNIPPET_CODE_POINTS: Final = 240

# So much of it stands before the first match, for the sense of it.
LEAD_CODE_POINTS: Final = 60


class _Keys(dict[int, str]):
    """For `str.translate`: what each character is looked for as, worked out when it is met."""

    def __missing__(self, code: int) -> str:
        decomposed = unicodedata.normalize("NFKD", chr(code))
        # Accents of Latin, Greek and Cyrillic only: in other scripts marks make another letter.
        bare = "".join(character for character in decomposed if not "\u0300" <= character <= "\u036f")
        self[code] = key = unicodedata.normalize("NFC", bare.casefold())
        return key


_KEYS: Final = _Keys()


def text_key(text: str) -> str:
    """What two texts have in common that differ in nothing but case, accents and width."""
    return text.lower() if text.isascii() else text.translate(_KEYS)


# Hiragana, Katakana, Han with its extensions, Hangul.
_UNSPACED: Final = re.compile(
    "[\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)


def spaced(key: str) -> str:
    """A text's key with a space between all that counts as a word: of what is written without spaces these
    are the pairs of neighbours and the last character, so that every character begins one.
    """
    return key if key.isascii() else _UNSPACED.sub(_pairs, key)


def _pairs(run: re.Match[str]) -> str:
    characters = run[0]
    return f" {' '.join(characters[at : at + 2] for at in range(len(characters)))} "


# What is looked for.

_TERM: Final = re.compile(r'"([^"]*)"?|(\S+)')

# Letters of which every version of Postgres knows that they make words.
_PLAIN: Final = re.compile(r"[0-9a-z\u00df-\u00f6\u00f8-\u024f\u0370-\u03ff\u0400-\u052f ]+")

# The shortest part of a word that an index of threes finds.
_THREE: Final = re.compile(r"[^\W_]{3}")


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase that must be there, as a key.

    `words` is what of it the database takes for words, and `beginnings` are single characters of what is
    written without spaces, with which one of its pairs begins. `is_literal`: that the words are there is not
    enough, since there is more to it than words.
    """

    key: str
    words: str
    beginnings: tuple[str, ...]
    is_literal: bool
    has_part: bool
    """An index of threes finds it also inside of words."""


def terms_of(query: str) -> tuple[Term, ...]:
    """The words and "phrases" of a query, each once. What a quotation mark begins and none ends goes on."""
    found = [phrase or word for phrase, word in _TERM.findall(query)]
    keys = [text_key(term).strip() for term in found]
    # Who looks for quotation marks alone has said so.
    keys = [key for key in keys if key] or [key for key in (text_key(query).strip(),) if key]
    return tuple(_term(key) for key in dict.fromkeys(keys))


def _term(key: str) -> Term:
    unspaced = [] if key.isascii() else _UNSPACED.findall(key)
    words = _UNSPACED.sub(_neighbours, key) if unspaced else key
    return Term(
        key,
        words if any(character.isalnum() for character in words) else "",
        tuple(run for run in unspaced if len(run) == 1),
        is_literal=not _PLAIN.fullmatch(key),
        has_part=_THREE.search(_UNSPACED.sub(" ", key)) is not None,
    )


def _neighbours(run: re.Match[str]) -> str:
    """The pairs of a run, which a longer run has as well, whatever follows."""
    characters = run[0]
    return f" {' '.join(characters[at : at + 2] for at in range(len(characters) - 1))} "


# What was found.


class Piece(NamedTuple):
    """A part of a text, and whether it is what was looked for."""

    text: str
    is_match: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A message, and the part of its text that shows why."""

    message: ChatMessage
    pieces: tuple[Piece, ...]


class Place(NamedTuple):
    """A place in the order of what is found: the best first, of equals the newest."""

    score: float
    position: int


@dataclass(frozen=True, slots=True)
class Findings:
    """A page of what was found. `following` is behind which place the next page begins, None on the last one.
    `is_guess`: nothing was found, but this looks like it.
    """

    found: tuple[Found, ...]
    following: Place | None = None
    is_guess: bool = False


def pieces_of(text: str, terms: Sequence[Term]) -> tuple[Piece, ...]:
    """The part of `text` around what of `terms` stands there first, cut where it matches."""
    matches = _matches(text, terms)
    start, end = _window(text, matches[0][0] if matches else 0)
    pieces = [Piece("…", is_match=False)] if start else []
    at = start
    for begin, stop in matches:
        if begin >= end:
            break
        pieces += [Piece(text[at:begin], is_match=False), Piece(text[begin : min(stop, end)], is_match=True)]
        at = min(stop, end)
    pieces.append(Piece(text[at:end], is_match=False))
    if end < len(text):
        pieces.append(Piece("…", is_match=False))
    return tuple(piece for piece in pieces if piece.text)


def _window(text: str, first: int) -> tuple[int, int]:
    """From where to where a text is shown in which the first match is at `first`."""
    if len(text) <= SNIPPET_CODE_POINTS:
        return 0, len(text)
    start = min(max(0, first - LEAD_CODE_POINTS), len(text) - SNIPPET_CODE_POINTS)
    if start:  # rather at the beginning of a word
        start = next((at + 1 for at in range(start, first) if text[at].isspace()), start)
    return start, min(len(text), start + SNIPPET_CODE_POINTS)


def _matches(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Where the terms stand in `text`: ranges that neither overlap nor touch, in order."""
    key, places = _with_places(text)
    united: list[tuple[int, int]] = []
    for begin, end in sorted(found for term in terms for found in _occurrences(key, term)):
        begin, end = places[begin], places[end]
        if united and begin <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], end)
        else:
            united.append((begin, end))
    return united


def _with_places(text: str) -> tuple[str, Sequence[int]]:
    """The key of `text`, and of each place in the key, also the one behind it, the place in `text`. An accent
    that is a character of its own belongs to what is before it.
    """
    if text.isascii():
        return text.lower(), range(len(text) + 1)
    keys = [_KEYS[ord(character)] for character in text]
    places = [at for at, key in enumerate(keys) for _ in key]
    return "".join(keys), [*places, len(text)]


def _occurrences(key: str, term: Term) -> Iterator[tuple[int, int]]:
    """Where a term stands letter for letter, or else its words do."""
    if term.key in key:
        yield from _places_of(key, term.key)
    elif not term.is_literal:
        for word in term.words.split():
            yield from _places_of(key, word)


def _places_of(key: str, part: str) -> Iterator[tuple[int, int]]:
    at = key.find(part)
    while at >= 0:
        yield at, at + len(part)
        at = key.find(part, at + len(part))
