"""Bisect: which edit made a text bad that was good before.

The texts between a good revision and a bad one are halved until the two stand side by side, so that among
100,000 edits some 17 texts are looked at. Where texts became bad once and stayed so, the answer is the first
bad edit there is. Where they became bad and good again several times, it is one of those that made a good
text bad, as with git: which one, depends on where the halves are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from enum import StrEnum
from math import ceil, log2
from typing import Final, Literal, NamedTuple, Protocol, assert_never

from application.past.diff import Comparison, Differ
from application.past.edits import EditsReader
from application.past.states import BEGINNING, Moment, States
from domain.document import DocumentState, EditApplied
from domain.errors import NotBisectable
from domain.ids import document_stream

# When there is no answer for a text, those beside it are tried: all while there are so few, and beyond that
# ever more distant ones.
TRIED_ALL: Final = 16


class Verdict(StrEnum):
    """`UNKNOWN`: this text says nothing, whatever the reason."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


# What makes a text good.


class TextPresent(NamedTuple):
    """It holds this text."""

    text: str


class TextAbsent(NamedTuple):
    """It does not hold this text."""

    text: str


class Matches(NamedTuple):
    """A regular expression is found in it, in RE2's syntax."""

    pattern: str


class Parses(NamedTuple):
    """It is a program in Python, or JSON."""

    language: Literal["python", "json"]


Question = TextPresent | TextAbsent | Matches | Parses


class Judge(Protocol):
    """Says whether a text is good."""

    async def judge(self, text: str) -> Verdict:
        """Raises `PatternInvalid`, `Overloaded`."""
        ...


class Judged(NamedTuple):
    """A text that was looked at. `left` are about as many as there are still to be looked at."""

    revision: int
    verdict: Verdict
    left: int


class Found(NamedTuple):
    """Between a good text and a bad one. Usually they are neighbours, and `edit` is what is between them;
    where nobody could judge the texts between, it is None.
    """

    good: DocumentState
    bad: DocumentState
    edit: EditApplied | None
    comparison: Comparison
    evaluated: Sequence[Judged]
    """In the order in which they were looked at."""


class Bisect:
    def __init__(self, states: States, edits: EditsReader, differ: Differ) -> None:
        self._states = states
        self._edits = edits
        self._differ = differ

    async def run(
        self, room: str, document: str, judge: Judge, good: Moment = BEGINNING, bad: Moment = None
    ) -> AsyncIterator[Judged | Found]:
        """Each text that was looked at, first the good and the bad one, and in the end what was found.

        What is wrong with those two it raises before anything else: `NotFound`, `NotBisectable`,
        `StoreUnavailable`, and what the judge raises.
        """
        good_state = await self._states.get(room, document, good)
        bad_state = await self._states.get(room, document, bad)
        if good_state.revision >= bad_state.revision:
            raise NotBisectable(
                "the good revision comes before the bad one", good=good_state.revision, bad=bad_state.revision
            )
        await _check(judge, good_state, Verdict.GOOD)
        await _check(judge, bad_state, Verdict.BAD)
        search = Search(good_state.revision, bad_state.revision)
        left = steps(search.bad - search.good)
        evaluated = [Judged(search.good, Verdict.GOOD, left + 1), Judged(search.bad, Verdict.BAD, left)]
        for judged in evaluated:
            yield judged
        states = {search.good: good_state, search.bad: bad_state}
        while (revision := search.next()) is not None:
            state = await self._states.at_revision(room, document, revision)
            verdict = await judge.judge(state.text)
            search.take(verdict)
            states[revision] = state
            states = {revision: states[revision] for revision in (search.good, search.bad)}
            evaluated.append(Judged(revision, verdict, steps(search.bad - search.good)))
            yield evaluated[-1]
        yield await self._found(states[search.good], states[search.bad], evaluated)

    async def _found(self, good: DocumentState, bad: DocumentState, evaluated: Sequence[Judged]) -> Found:
        edit = None
        if bad.revision == good.revision + 1:
            stream = document_stream(bad.room, bad.name)
            [edit] = await self._edits.edits(stream, good.revision, bad.revision)
        return Found(good, bad, edit, await self._differ.compare(good.text, bad.text), evaluated)


async def _check(judge: Judge, state: DocumentState, wanted: Verdict) -> None:
    verdict = await judge.judge(state.text)
    if verdict is not wanted:
        raise NotBisectable(f"revision {state.revision} is {verdict}, not {wanted}", revision=state.revision)


def steps(distance: int) -> int:
    """How many texts are looked at until a good and a bad one, so far apart, stand side by side."""
    return ceil(log2(distance))


class Search:
    """Which revision to look at next. Those at both ends are known, and end up side by side unless nobody can
    say anything about what is between.
    """

    def __init__(self, good: int, bad: int) -> None:
        assert good < bad
        self.good = good
        self.bad = bad
        self._unknown: set[int] = set()
        self._tried = self._candidates()
        self._revision: int | None = None

    def next(self) -> int | None:
        """The revision to look at; None when the search is at its end."""
        self._revision = next((r for r in self._tried if r not in self._unknown), None)
        return self._revision

    def take(self, verdict: Verdict) -> None:
        """What was said about it."""
        assert self._revision is not None
        match verdict:
            case Verdict.UNKNOWN:
                self._unknown.add(self._revision)
                return
            case Verdict.GOOD:
                self.good = self._revision
            case Verdict.BAD:
                self.bad = self._revision
            case _:
                assert_never(verdict)
        self._tried = self._candidates()

    def _candidates(self) -> Iterator[int]:
        return _outwards(self.good, self.bad)


def _outwards(good: int, bad: int) -> Generator[int]:
    """From the middle between two revisions outwards."""
    middle = (good + bad) // 2
    if middle > good:
        yield middle
    distance = 1
    while distance < bad - good:
        for revision in (middle - distance, middle + distance):
            if good < revision < bad:
                yield revision
        distance += 1 if bad - good <= TRIED_ALL else distance
