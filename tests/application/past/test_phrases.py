"""The history of a phrase, against counting it in every text that there ever was."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.past import edits as paging
from application.past import phrases as module
from application.past.edits import Progress
from application.past.phrases import COUNTS_KEPT, Ended, Life, Phrases, Present, Told, Turn
from domain.errors import NotFound
from domain.phrase import Around, Phrase
from domain.text_op import Op
from tests.application.past.histories import PEOPLE, FakePast, histories, texts_of
from tests.domain.events import later
from tests.domain.test_phrase import lives

EVERYTHING = 10_000

Found = Progress | Present | Life | Told | Ended


async def told(found: AsyncGenerator[Found, None]) -> list[Found]:
    return [one async for one in found]


def of_document(ops: list[Op], phrase: Phrase, limit: int = EVERYTHING) -> AsyncGenerator[Found, None]:
    past = FakePast(**{"main.md": ops})
    return Phrases(past, past).of_document("demo", "main.md", phrase, limit)


def check_turn(turn: Turn, revision: int) -> None:
    assert turn.revision == revision
    assert (turn.user, turn.at) == (PEOPLE[revision % 3], later(revision))


@given(lives())
async def test_each_life_is_a_longest_run_of_revisions_in_which_the_phrase_is_there(
    life: tuple[Phrase, list[Op]],
) -> None:
    phrase, ops = life
    counts = [phrase.count(text) for text in texts_of(ops)]
    runs = [
        [revision for revision, _ in run]
        for is_there, run in groupby(enumerate(counts), lambda counted: counted[1] > 0)
        if is_there
    ]
    found = [one for one in await told(of_document(ops, phrase)) if not isinstance(one, Progress)]
    assert found.pop() == Told("main.md", len(ops), counts[-1], len(runs))
    assert len(found) == len(runs)
    for one, run in zip(found, reversed(runs), strict=True):
        assert isinstance(one, Life)
        check_turn(one.appeared, run[0])
        if run[-1] == len(ops):
            assert one.vanished is None
            assert one.count == counts[-1]
        else:
            assert one.vanished is not None
            check_turn(one.vanished, run[-1] + 1)
            assert one.count == 0
        assert one.most == max(counts[revision] for revision in run)
        changed = [
            (revision, counts[revision])
            for revision in range(run[0], min(run[-1] + 2, len(counts)))
            if counts[revision] != counts[revision - 1]
        ]
        assert one.changes == len(changed)
        assert [(count.revision, count.count) for count in one.counts] == changed[-COUNTS_KEPT:]


@given(lives(), st.integers(1, 3))
async def test_with_a_limit_the_newest_lives_are_told(life: tuple[Phrase, list[Op]], limit: int) -> None:
    phrase, ops = life
    whole = [one for one in await told(of_document(ops, phrase)) if isinstance(one, Life)]
    *some, end = await told(of_document(ops, phrase, limit))
    assert [one for one in some if isinstance(one, Life)] == whole[:limit]
    assert isinstance(end, Told)
    assert end.lives == len(whole)


@given(histories(), histories(), st.sampled_from(["a", "ab", "b\n", "é"]))
async def test_a_room_is_told_what_is_there_now_and_then_what_ever_was(
    first: list[Op], second: list[Op], text: str
) -> None:
    phrase = Phrase(text)
    past = FakePast(one=first, two=second)
    documents = {"one": first, "two": second}
    found = await told(Phrases(past, past).of_room("demo", ["one", "nothing", "two"], phrase, EVERYTHING))
    assert found.pop() == Ended(is_complete=True)
    kinds = [type(one) for one in found if not isinstance(one, Progress)]
    assert kinds == sorted(kinds, key=lambda kind: kind is not Present)
    here = {one.document: one.count for one in found if isinstance(one, Present)}
    ends = {name: texts_of(ops)[-1] for name, ops in documents.items()}
    assert here == {name: count for name, end in ends.items() if (count := phrase.count(end))}
    for one in found:
        if isinstance(one, Present):
            place = one.positions[0]
            assert ends[one.document][place : place + len(text)] == text == one.around.match
    alone = [
        one
        for name, ops in documents.items()
        for one in await told(Phrases(past, past).of_document("demo", name, phrase, EVERYTHING))
        if not isinstance(one, Progress) and one != Told(name, len(ops), 0, 0)
    ]
    assert [one for one in found if isinstance(one, Life | Told)] == alone


async def test_who_wrote_it_and_who_deleted_it_is_told_with_the_text_around() -> None:
    ops: list[Op] = [["one three"], [4, "two "], [8, "and "], [3, {"d": " two"}]]
    life, end = (one for one in await told(of_document(ops, Phrase("two"))) if not isinstance(one, Progress))
    assert isinstance(life, Life)
    assert life.appeared == Turn(2, "cleo", "cleo-1", later(2), 4, Around("one ", "two", " three"))
    assert life.vanished == Turn(4, "ben", "ben-1", later(4), 4, Around("one ", "two", " and three"))
    assert end == Told("main.md", 4, 0, 1)


async def test_what_was_not_asked_for_any_more_is_not_read() -> None:
    """A room stops where there is as much as was asked for, and says so."""
    first: list[Op] = [["x"], [{"d": "x"}], ["x"]]
    second: list[Op] = [["x"]]
    past = FakePast(one=first, two=second)

    async def search(limit: int) -> list[Found]:
        past.pages.clear()
        found = await told(Phrases(past, past).of_room("demo", ["one", "two"], Phrase("x"), limit))
        return [one for one in found if not isinstance(one, Progress)]

    complete = await search(3)
    assert [type(one) for one in complete] == [Present, Present, Life, Life, Told, Life, Told, Ended]
    assert complete[-1] == Ended(is_complete=True)
    two = await search(2)
    assert [type(one) for one in two] == [Present, Present, Life, Life, Told, Ended]
    assert two[-1] == Ended(is_complete=False)
    assert {stream for stream, *_ in past.pages} == {"document:demo/one"}
    one = await search(1)
    assert [type(one) for one in one] == [Present, Life, Told, Ended]
    assert one[-1] == Ended(is_complete=False)


async def test_it_is_told_how_far_it_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE_EDITS", 2)
    typed: list[Op] = [["a"], ["b"], ["c"]]
    past = FakePast(one=typed, two=typed[:1])
    found = await told(Phrases(past, past).of_room("demo", ["one", "two"], Phrase("z"), 9))
    assert found == [
        Progress(0, 3),
        Progress(0, 4),
        Progress(2, 4),
        Progress(3, 4),
        Progress(4, 4),
        Ended(is_complete=True),
    ]


@pytest.mark.parametrize("slice_code_points", [1, 2, 3, 100])
async def test_a_long_text_is_looked_through_in_slices(
    slice_code_points: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLICE_CODE_POINTS", slice_code_points)
    monkeypatch.setattr(module, "PLACES_TOLD", 2)
    text: Op = ["xaaaaxaa"]
    past = FakePast(**{"main.md": [text]})
    state = await past.now("document:demo/main.md")
    assert state is not None
    found = await module.present(state, Phrase("aa"))
    assert found == Present("main.md", 1, 4, (1, 2), Around("x", "aa", "aaxaa"))
    monkeypatch.setattr(module, "PLACES_COUNTED", 3)
    found = await module.present(state, Phrase("aa"))
    assert found is not None
    assert found.count == 3
    assert await module.present(state, Phrase("b")) is None


async def test_a_document_that_there_is_not_is_not_found() -> None:
    past = FakePast()
    with pytest.raises(NotFound):
        await told(Phrases(past, past).of_document("demo", "main.md", Phrase("x"), 9))
