"""What became of a passage, against a model in which every character has an identity."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.past import edits as module
from application.past.edits import Progress
from application.past.watch import Reached, Span, Touch, Watch, Watched
from domain.errors import BadFrame, NotFound
from domain.text_op import Op
from tests.application.past.histories import PEOPLE, FakePast, histories, texts_of
from tests.domain.events import later

EVERYTHING = 10_000


class Model:
    """The characters of each revision, each with a number of its own."""

    def __init__(self, ops: Sequence[Op]) -> None:
        numbers = count()
        self.revisions: list[list[int]] = [[]]
        for op in ops:
            rest = list(self.revisions[-1])
            after: list[int] = []
            for component in op:
                if isinstance(component, str):
                    after += [next(numbers) for _ in component]
                elif isinstance(component, int):
                    after += rest[:component]
                    del rest[:component]
                else:
                    del rest[: len(str(component["d"]))]
            self.revisions.append(after + rest)

    def at(self, revision: int, span: Span) -> list[int]:
        return self.revisions[revision][span.start : span.end]

    def moved(self, passage: list[int], revision: int) -> list[int]:
        """From the first to the last character that is there at `revision`."""
        there = self.revisions[revision]
        places = [there.index(number) for number in passage if number in there]
        return there[min(places) : max(places) + 1] if places else []


class Asked(NamedTuple):
    """A history, and a passage in the text of some revision."""

    ops: list[Op]
    revision: int
    start: int
    end: int


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    ops = draw(histories().filter(lambda ops: any(texts_of(ops))))
    texts = texts_of(ops)
    revision = draw(st.sampled_from([place for place, text in enumerate(texts) if text]))
    start = draw(st.integers(0, len(texts[revision]) - 1))
    return Asked(ops, revision, start, draw(st.integers(start + 1, len(texts[revision]))))


async def begun(made: Asked) -> tuple[Watch, Watched]:
    past = FakePast(**{"main.md": made.ops})
    watch = Watch(past, past)
    return watch, await watch.begin("demo", "main.md", made.start, made.end, made.revision)


async def told(
    found: AsyncGenerator[Touch | Progress | Reached, None],
) -> tuple[list[Touch], Reached]:
    everything = [one async for one in found]
    last = everything[-1]
    assert isinstance(last, Reached)
    assert not any(isinstance(one, Reached) for one in everything[:-1])
    return [one for one in everything if isinstance(one, Touch)], last


def check(touch: Touch, before: list[int], after: list[int], texts: Sequence[str]) -> None:
    """That the edit is told as the model has it."""
    assert touch.inserted == len(set(after) - set(before))
    assert touch.deleted == len(set(before) - set(after))
    assert (touch.user, touch.at) == (PEOPLE[touch.revision % 3], later(touch.revision))
    kept = [piece.text for piece in touch.pieces if piece.kind in {"kept", "deleted"}]
    assert "".join(kept) == texts[touch.revision - 1][slice(*touch.before)]
    kept = [piece.text for piece in touch.pieces if piece.kind in {"kept", "inserted"}]
    assert "".join(kept) == texts[touch.revision][slice(*touch.after)]


@given(asked())
async def test_onwards_every_edit_that_touched_it_is_found_and_no_other(made: Asked) -> None:
    model, texts = Model(made.ops), texts_of(made.ops)
    watch, watched = await begun(made)
    touches, reached = await told(watch.forward(watched, EVERYTHING))
    found = {touch.revision: touch for touch in touches}
    assert list(found) == sorted(found)
    passage, why, end = model.at(made.revision, watched.span), "present", len(made.ops)
    for revision in range(made.revision + 1, len(made.ops) + 1):
        moved = model.moved(passage, revision)
        assert (revision in found) == (moved != passage)
        if moved != passage:
            touch = found.pop(revision)
            assert model.at(revision - 1, touch.before) == passage
            assert model.at(revision, touch.after) == moved
            check(touch, passage, moved, texts)
        passage = moved
        if not passage:
            why, end = "gone", revision
            break
    assert not found
    assert (reached.why, reached.revision) == (why, end)
    assert model.at(end, reached.span) == passage


@given(asked())
async def test_back_every_edit_that_touched_it_is_found_up_to_the_one_that_began_it(made: Asked) -> None:
    model, texts = Model(made.ops), texts_of(made.ops)
    watch, watched = await begun(made)
    touches, reached = await told(watch.back(watched, EVERYTHING))
    found = {touch.revision: touch for touch in touches}
    assert list(found) == sorted(found, reverse=True)
    passage, revision = model.at(made.revision, watched.span), made.revision
    while passage:
        moved = model.moved(passage, revision - 1)
        assert (revision in found) == (moved != passage)
        if moved != passage:
            touch = found.pop(revision)
            assert model.at(revision, touch.after) == passage
            assert model.at(revision - 1, touch.before) == moved
            check(touch, moved, passage, texts)
        passage, revision = moved, revision - 1
    assert not found
    assert (reached.why, reached.revision) == ("began", revision)


@given(asked(), st.integers(1, 3))
async def test_there_and_back_a_passage_is_where_it_was_but_for_what_came_to_its_ends(
    made: Asked, limit: int
) -> None:
    """What was put in at an end since is not in the passage as it was, and so not in it when it returns. All
    of it as it was may have been deleted since.
    """
    watch, watched = await begun(made)
    _, reached = await told(watch.back(watched, limit))
    if reached.why == "began":
        return
    then = Asked(made.ops, reached.revision, *reached.span)
    watch, begun_then = await begun(then)
    returned = Watched(*begun_then[:4], present=made.revision)
    _, again = await told(watch.forward(returned, EVERYTHING))
    model = Model(made.ops)
    ends = [model.at(made.revision, watched.span)[place] for place in (0, -1)]
    were_there = set(ends) <= set(model.at(reached.revision, reached.span))
    if again.why == "gone":
        assert not were_there
        return
    assert (again.why, again.revision) == ("present", made.revision)
    assert watched.span.start <= again.span.start < again.span.end <= watched.span.end
    if were_there:
        assert again.span == watched.span


@given(asked(), st.integers(1, 3), st.sampled_from(["back", "forward"]))
async def test_who_asks_again_from_where_it_ended_is_told_the_rest(
    made: Asked, limit: int, direction: str
) -> None:
    watch, watched = await begun(made)
    whole, end = await told(getattr(watch, direction)(watched, EVERYTHING))
    parts: list[Touch] = []
    while True:
        part, reached = await told(getattr(watch, direction)(watched, limit))
        parts += part
        if reached.why != "limit":
            break
        assert len(part) == limit
        watch, watched = await begun(Asked(made.ops, reached.revision, *reached.span))
    assert parts == whole
    assert reached == end


async def test_edits_are_read_in_pages_and_it_is_told_how_far_that_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PAGE_EDITS", 2)
    ops: list[Op] = [["abc"], [1, "x"], ["1"], ["2"], ["3"], [4, {"d": "x"}]]
    past = FakePast(**{"main.md": ops})
    watch = Watch(past, past)
    watched = await watch.begin("demo", "main.md", 2, 6, 4)
    found = [one async for one in watch.forward(watched, 9)]
    assert [type(one) for one in found] == [Touch, Progress, Reached]
    assert found[1] == Progress(2, 2)
    found = [one async for one in watch.back(watched, 9)]
    assert [type(one) for one in found] == [Progress, Touch, Touch, Reached]
    assert found[0] == Progress(2, 4)
    assert [page[1:] for page in past.pages] == [(4, 6), (2, 4), (0, 2)]


async def test_a_passage_must_be_in_the_text_and_the_revision_must_be_there() -> None:
    ops: list[Op] = [["abc"], [3, "d"]]
    past = FakePast(**{"main.md": ops})
    watch = Watch(past, past)
    watched = await watch.begin("demo", "main.md", 1, 4)
    assert (watched.revision, watched.text, watched.present) == (2, "bcd", 2)
    for start, end in ((1, 1), (2, 1), (-1, 2), (0, 5)):
        with pytest.raises(BadFrame):
            await watch.begin("demo", "main.md", start, end)
    with pytest.raises(BadFrame):
        await watch.begin("demo", "main.md", 0, 4, 1)
    for document, revision in (("main.md", 3), ("other.md", None)):
        with pytest.raises(NotFound):
            await watch.begin("demo", document, 0, 1, revision)
