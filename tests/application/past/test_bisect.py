"""Bisect finds what made a text bad, and looks at few texts for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from math import ceil, log2
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.past.bisect import Bisect, Found, Judged, Search, Verdict
from application.past.diff import Change, ChangedLines, Comparison
from application.past.states import AtRevision, States
from domain.document import DocumentState, EditApplied
from domain.errors import NotBisectable, NotFound
from tests.domain.events import later

GOOD, BAD, UNKNOWN = Verdict.GOOD, Verdict.BAD, Verdict.UNKNOWN
Say = Callable[[int], Verdict]


class Past:
    """A document whose text is its revision; plays all who are asked about it."""

    def __init__(self, revisions: int, say: Say) -> None:
        self.revisions = revisions
        self.say = say
        self.opened: list[int] = []

    def state(self, revision: int) -> DocumentState | None:
        self.opened.append(revision)
        if revision > self.revisions:
            return None
        return DocumentState("demo", "main.md", revision, str(revision), later(revision))

    async def now(self, stream: str) -> DocumentState | None:
        return self.state(self.revisions)

    async def at_revision(self, stream: str, revision: int) -> DocumentState | None:
        return self.state(revision)

    async def at_time(self, stream: str, at: datetime) -> DocumentState | None:
        raise AssertionError

    async def at_position(self, stream: str, position: int) -> DocumentState | None:
        raise AssertionError

    async def names(self, room: str, document: str) -> Mapping[str, int]:
        raise AssertionError

    async def edits(self, stream: str, after: int, until: int) -> Sequence[EditApplied]:
        applied: Any = EditApplied  # a dataclass, which type checkers do not see
        return [
            applied(
                originator_id=stream,
                originator_version=revision + 1,
                timestamp=later(revision),
                actor="ada",
                client="ada-1",
                seq=revision,
                base=revision - 1,
                revision=revision,
                digest="",
                op=[],
            )
            for revision in range(after + 1, until + 1)
        ]

    async def compare(self, old: str, new: str) -> Comparison:
        whole = Change(0, len(old), 0, len(new))
        return Comparison([ChangedLines(whole, [whole])], is_coarse=False)

    async def judge(self, text: str) -> Verdict:
        return self.say(int(text))

    async def bisect(self, good: int, bad: int | None) -> list[Judged | Found]:
        bisect = Bisect(States(self, self), self, self)
        moment = None if bad is None else AtRevision(bad)
        return [step async for step in bisect.run("demo", "main.md", self, AtRevision(good), moment)]


def since(first_bad: int) -> Say:
    return lambda revision: BAD if revision >= first_bad else GOOD


def search(good: int, bad: int, say: Say) -> tuple[int, int, list[int]]:
    """Where it ends, and what it has looked at."""
    looked: list[int] = []
    searching = Search(good, bad)
    while (revision := searching.next()) is not None:
        looked.append(revision)
        searching.take(say(revision))
    return searching.good, searching.bad, looked


@given(st.data())
def test_of_a_text_that_became_bad_once_the_first_bad_revision_is_found(data: st.DataObject) -> None:
    good = data.draw(st.integers(0, 1_000_000))
    bad = data.draw(st.integers(good + 1, good + 1_000_000))
    first_bad = data.draw(st.integers(good + 1, bad))

    found_good, found_bad, looked = search(good, bad, since(first_bad))

    assert (found_good, found_bad) == (first_bad - 1, first_bad)
    assert len(looked) <= ceil(log2(bad - good))
    assert len(set(looked)) == len(looked)


@given(st.lists(st.sampled_from([GOOD, BAD]), max_size=100))
def test_of_a_text_that_became_bad_again_and_again_a_good_and_a_bad_one_stand_side_by_side(
    between: list[Verdict],
) -> None:
    verdicts = [GOOD, *between, BAD]

    good, bad, looked = search(0, len(verdicts) - 1, verdicts.__getitem__)

    assert bad == good + 1
    assert (verdicts[good], verdicts[bad]) == (GOOD, BAD)
    assert len(looked) <= ceil(log2(len(verdicts) - 1))


@given(st.lists(st.sampled_from([GOOD, BAD, UNKNOWN, UNKNOWN]), max_size=14))
def test_among_few_texts_nothing_is_left_between_but_what_nobody_can_judge(between: list[Verdict]) -> None:
    verdicts = [GOOD, *between, BAD]

    good, bad, looked = search(0, len(verdicts) - 1, verdicts.__getitem__)

    assert (verdicts[good], verdicts[bad]) == (GOOD, BAD)
    assert set(verdicts[good + 1 : bad]) <= {UNKNOWN}
    assert set(range(good + 1, bad)) <= set(looked)
    assert len(set(looked)) == len(looked)


@given(st.integers(1, 100_000), st.data())
def test_texts_that_nobody_can_judge_do_not_make_it_look_at_all_of_them(
    bad: int, data: st.DataObject
) -> None:
    first_bad = data.draw(st.integers(1, bad))
    unknown = data.draw(st.integers(1, 10))

    def say(revision: int) -> Verdict:
        return UNKNOWN if revision % unknown == 1 else since(first_bad)(revision)

    good_found, bad_found, looked = search(0, bad, say)

    assert good_found < first_bad <= bad_found
    assert len(looked) <= 2 * (ceil(log2(bad)) + 1) ** 2 + 16


async def test_the_good_and_the_bad_one_are_looked_at_first() -> None:
    steps = await Past(100_000, since(61_003)).bisect(0, None)

    *judged, found = steps
    assert isinstance(found, Found)
    assert (found.good.revision, found.bad.revision) == (61_002, 61_003)
    assert found.edit is not None
    assert found.edit.revision == 61_003
    assert found.comparison.changed
    assert judged == found.evaluated
    assert len(judged) <= ceil(log2(100_000)) + 2
    told = [step for step in judged if isinstance(step, Judged)]
    assert [step.revision for step in told[:3]] == [0, 100_000, 50_000]
    assert [step.left for step in told] == list(range(18, 18 - len(told), -1))


async def test_each_text_is_opened_once() -> None:
    past = Past(1_000, since(333))

    await past.bisect(0, None)

    assert len(set(past.opened)) == len(past.opened)


async def test_neighbours_are_found_without_a_further_look() -> None:
    [first, second, found] = await Past(9, since(5)).bisect(4, 5)

    assert isinstance(found, Found)
    assert found.evaluated == [first, second] == [Judged(4, GOOD, 1), Judged(5, BAD, 0)]


async def test_where_nobody_can_judge_what_is_between_no_edit_is_blamed() -> None:
    def say(revision: int) -> Verdict:
        return UNKNOWN if 3 <= revision <= 6 else since(5)(revision)

    found = (await Past(9, say).bisect(0, None))[-1]

    assert isinstance(found, Found)
    assert (found.good.revision, found.bad.revision, found.edit) == (2, 7, None)


@pytest.mark.parametrize("say", [since(0), since(10), lambda _: UNKNOWN])
async def test_a_good_one_that_is_bad_or_a_bad_one_that_is_good_is_refused(say: Say) -> None:
    with pytest.raises(NotBisectable):
        await Past(9, say).bisect(0, None)


@pytest.mark.parametrize(("good", "bad"), [(5, 5), (6, 5)])
async def test_the_good_one_comes_first(good: int, bad: int) -> None:
    with pytest.raises(NotBisectable):
        await Past(9, since(5)).bisect(good, bad)


async def test_a_revision_that_there_is_not_is_told_so() -> None:
    with pytest.raises(NotFound):
        await Past(9, since(5)).bisect(0, 10)
