"""How chat messages are searched: the text without what nobody means to search by, and its words.

Case and accents are taken away from texts and from what is looked for alike, one character after the other,
so that a place in the text without them is a place in the text. Everything that is looked for is literal:
there are no operators, and no character means more than itself.

What is written without spaces between its words (Chinese, Japanese; Korean as well, where endings are part of
a word) has no words for a database. Its pairs of neighbours stand for them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final


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
    "[\u3005-\u3007\u3041-\u3096\u30a1-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
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
