"""A phrase in a text that changes: how often it is there, after every edit, without looking through the text.

It is literal, and may overlap itself: it is there at every position where the text goes on with it, so that
"aa" is three times in "aaaa" (`str.count` says two, but which two an edit far away would decide). So an edit
can make or break it only where it touches it, and only so much of the text as a phrase can reach is looked at
around each change. The law:

    occurrences.count == phrase.count(str(text))            after every op
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from domain.errors import TextInvalid
from domain.text import Text
from domain.text_op import Components, Op, apply, length_change

# A sentence. What is looked at around an edit grows with it.
PHRASE_CODE_POINTS: Final = 200

# What is shown around a phrase: some words.
AROUND_CODE_POINTS: Final = 40


class Around(NamedTuple):
    """A phrase as it stands in a text, with some of the text on both sides."""

    before: str
    match: str
    after: str


class Phrase:
    """What is looked for. `ignores_case`: a letter is found as small and as capital."""

    def __init__(self, text: str, *, ignores_case: bool = False) -> None:
        """Raises `TextInvalid` for what no text can hold, or what is too long."""
        if not 0 < len(text) <= PHRASE_CODE_POINTS:
            raise TextInvalid(f"a phrase has 1 to {PHRASE_CODE_POINTS} characters", limit=PHRASE_CODE_POINTS)
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise TextInvalid("the phrase holds a NUL or a lone surrogate")
        self.ignores_case = ignores_case
        self._needle = needle = folded(text) if ignores_case else text
        self._overlaps = any(needle.startswith(needle[place:]) for place in range(1, len(needle)))

    def __len__(self) -> int:
        return len(self._needle)

    def find(self, text: str, start: int = 0) -> int:
        """Where it is first, from `start` on; -1 where it is not."""
        return (folded(text) if self.ignores_case else text).find(self._needle, start)

    def count(self, text: str) -> int:
        """At how many positions it is."""
        if self._overlaps:
            return sum(1 for _ in self.places(text))
        return (folded(text) if self.ignores_case else text).count(self._needle)

    def places(self, text: str) -> Iterator[int]:
        """All of these, from the first one on."""
        needle = self._needle
        if self.ignores_case:
            text = folded(text)
        place = text.find(needle)
        while place >= 0:
            yield place
            place = text.find(needle, place + 1)


def around_in(text: str, position: int, length: int) -> Around:
    end = position + length
    return Around(
        text[max(position - AROUND_CODE_POINTS, 0) : position],
        text[position:end],
        text[end : end + AROUND_CODE_POINTS],
    )


class Shift(NamedTuple):
    """What an op did to a phrase: it was there `was` times, and is `now`. `position` is a place where it was
    made or, when there are fewer, broken: in the text after the op, or in that before it.
    """

    was: int
    now: int
    position: int
    around: Around


class Occurrences:
    """A phrase in one text, which is taken from edit to edit, beginning with none. One owner."""

    def __init__(self, phrase: Phrase) -> None:
        self._phrase = phrase
        self._reach = len(phrase) - 1
        self.text = Text()
        self.count = 0

    def take(self, op: Components) -> Shift | None:
        """Go on behind `op`, which is invertible. None when the phrase is there as often as before."""
        made, broken, change = _NOWHERE, _NOWHERE, 0
        moved = 0
        for start, end, inside in changes_of(op, self._reach):
            begin = max(start - self._reach, 0)
            before = self.text.slice(begin, end + self._reach)
            after = _after(before, start - begin, inside)
            was, now = self._phrase.find(before), self._phrase.find(after)
            if was >= 0 or now >= 0:
                broken = min(broken, begin + was) if was >= 0 else broken
                made = min(made, begin + moved + now) if now >= 0 else made
                change += self._phrase.count(after) - self._phrase.count(before)
            moved += length_change(inside)
        around = self._around(broken) if change < 0 else None
        self.text.apply(op)
        if not change:
            return None
        self.count += change
        if around is not None:
            return Shift(self.count - change, self.count, broken, around)
        return Shift(self.count - change, self.count, made, self._around(made))

    def _around(self, position: int) -> Around:
        begin = max(position - AROUND_CODE_POINTS, 0)
        length = len(self._phrase)
        return around_in(
            self.text.slice(begin, position + length + AROUND_CODE_POINTS), position - begin, length
        )


# Behind every text.
_NOWHERE: Final = 2**62


def changes_of(op: Components, reach: int) -> Iterator[tuple[int, int, Op]]:
    """The changes of an op: from where up to where in the text, and what is done there, as an op on that
    alone.

    Those with fewer than `reach` code points between are one, since one phrase can touch both.
    """
    place = start = 0
    inside: Op = []
    for component in op:
        if isinstance(component, int):
            if inside and component >= reach:
                yield start, place, inside
                inside = []
            elif inside:
                inside.append(component)
            place += component
        else:
            if not inside:
                start = place
            inside.append(component)
            if not isinstance(component, str):
                place += len(str(component["d"]))
    if inside:
        yield start, place, inside


def _after(before: str, start: int, inside: Op) -> str:
    """The text around a change after it. Nearly always it is one insert or delete, and that is soon done."""
    if len(inside) > 1:
        return apply(before, [start, *inside] if start else inside)
    [change] = inside
    if isinstance(change, str):
        return f"{before[:start]}{change}{before[start:]}"
    assert isinstance(change, dict)
    return before[:start] + before[start + len(str(change["d"])) :]


def folded(text: str) -> str:
    """`text` without the difference of small and capital letters, code point for code point: what has two
    letters for its other case (`ß`) stays as it is, so that positions do.
    """
    return text.lower() if text.isascii() else text.translate(_FOLDED)


class _Folded(dict[int, str]):
    """Each character alone, unlike `str.lower`, for which a sigma at the end of a word is another one."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        cases = (character.casefold(), character.lower(), character)
        found = self[code] = next(case for case in cases if len(case) == 1)
        return found


_FOLDED: Final = _Folded()
