"""Links follow the text: as its characters do, for ever, in as many steps as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.documents import Documents
from application.links import PASSAGE_CODE_POINTS, Links, Passage
from application.rooms import Rooms
from domain.document import Document
from domain.errors import Contended, NotFound, RevisionAhead
from domain.message import Link
from domain.text_op import Op, apply, required_length, transform_position
from interfaces.load.traces import read
from tests.application.fakes import FakeNode, FakeStore
from tests.application.test_documents import an_edit
from tests.domain.events import NOON
from tests.domain.strategies import changes

TRACES: Final = Path(__file__).parents[1] / "traces"


TYPED: Final[Op] = ["x"]


class Scene:
    """A document that is edited in the store, and a node that follows links into it."""

    def __init__(self, ops: Sequence[Op] = ()) -> None:
        self.store = FakeStore()
        self.document = Document.create("demo", "main.md", actor="Ada", at=NOON)
        self.edit(ops)
        self.node = FakeNode(self.store)
        now = self.node.clock.now
        documents = Documents(self.node.lives, self.store, Rooms(self.node.lives, now=now), now=now)
        self.links = Links(documents, self.store)

    def edit(self, ops: Sequence[Op]) -> None:
        for op in ops:
            revision = self.document.revision
            self.document.edit(an_edit("ada", revision + 1, revision, op), actor="Ada", at=NOON)
        events: list[Any] = list(self.document.collect_events())
        self.store.append(events)

    async def follow(self, revision: int, start: int, end: int) -> Passage:
        """On a node that has heard of everything."""
        self.node.feed()
        link: Link = {"document": "main.md", "revision": revision, "start": start, "end": end}
        return await self.links.follow("demo", link)

    async def follow_on(self, revision: int, start: int, end: int) -> Passage:
        """In as many questions as it takes."""
        while True:
            with suppress(Contended):
                return await self.follow(revision, start, end)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly everything has to be read from the log, in small pages."""
    monkeypatch.setattr("domain.document.WINDOW_REVISIONS", 3)
    monkeypatch.setattr("application.links.PAGE_EDITS", 2)


class Marks:
    """Which characters of a text are linked to, one by one: the plain way, that knows no ranges."""

    def __init__(self, length: int, start: int, end: int) -> None:
        self.marks = bytearray(length)
        self.marks[start:end] = b"\1" * len(self.marks[start:end])
        self.place = start
        """Where they were, when none is left."""

    def edit(self, op: Op) -> None:
        old, position, marks = self.marks, 0, bytearray()
        for component in op:
            if isinstance(component, str):
                marks += bytes(len(component))
            else:
                count = required_length([component])
                if isinstance(component, int):
                    marks += old[position : position + count]
                position += count
        marks += old[position:]
        first, last = marks.find(1), marks.rfind(1)
        marks[max(first, 0) : last] = b"\1" * (
            last - max(first, 0)
        )  # what was put between is linked to as well
        self.place = first if first >= 0 else transform_position(self.place, op)
        self.marks = marks

    @property
    def range(self) -> tuple[int, int]:
        return (self.place, self.place + self.marks.count(1))


class Story(NamedTuple):
    """Ops that follow each other, with the text before each and at last, and a range of one of these."""

    ops: list[Op]
    texts: list[str]
    revision: int
    start: int
    end: int

    @property
    def expected(self) -> tuple[int, int]:
        marks = Marks(len(self.texts[self.revision]), self.start, self.end)
        for op in self.ops[self.revision :]:
            marks.edit(op)
        return marks.range


@st.composite
def stories(draw: st.DrawFn) -> Story:
    ops, texts = [], [""]
    for _ in range(draw(st.integers(1, 12))):
        change = draw(changes(texts[-1]))
        if change.op:
            ops.append(change.op)
            texts.append(change.after)
    revision = draw(st.integers(0, len(ops)))
    places = st.integers(0, len(texts[revision]))
    start, end = sorted((draw(places), draw(places)))
    return Story(ops, texts, revision, start, end)


@pytest.mark.usefixtures("small")
@given(stories())
def test_a_link_leads_to_where_its_characters_are(story: Story) -> None:
    passage = asyncio.run(followed(story))
    assert (passage.start, passage.end) == story.expected
    assert passage.text == story.texts[-1][passage.start : passage.end]
    assert passage.revision == len(story.ops)
    assert passage.is_gone == (story.start < story.end and passage.start == passage.end)


async def followed(story: Story) -> Passage:
    return await Scene(story.ops).follow(story.revision, story.start, story.end)


@pytest.mark.usefixtures("small")
@given(stories(), st.data())
def test_following_in_two_steps_equals_following_in_one(story: Story, data: st.DataObject) -> None:
    middle = data.draw(st.integers(story.revision, len(story.ops)))

    async def in_two_steps() -> Passage:
        scene = Scene(story.ops[:middle])
        await scene.follow(story.revision, story.start, story.end)
        scene.edit(story.ops[middle:])
        return await scene.follow(story.revision, story.start, story.end)

    assert asyncio.run(in_two_steps()) == asyncio.run(followed(story))


async def test_a_link_is_followed_through_a_whole_recorded_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.document.WINDOW_REVISIONS", 100)
    ops = [line.op for line in read(TRACES / "sveltecomponent.jsonl.gz").lines]
    scene = Scene(ops)
    ranges = [(1, 0, 40), (1, 300, 420), (500, 100, 104), (6_000, 0, 4_000), (12_000, 2_000, 2_001)]
    for revision, start, end in ranges:
        text = text_at(ops, revision)
        assert end <= len(text)
        marks = Marks(len(text), start, end)
        for op in ops[revision:]:
            marks.edit(op)
        passage = await scene.follow_on(revision, start, end)
        assert (passage.start, passage.end) == marks.range
        shown = min(passage.end - passage.start, PASSAGE_CODE_POINTS)
        assert passage.text == str(scene.document.text)[passage.start :][:shown]


def text_at(ops: Sequence[Op], revision: int) -> str:
    text = ""
    for op in ops[:revision]:
        text = apply(text, op)
    return text


async def test_the_next_question_goes_on_from_where_the_last_one_ended() -> None:
    scene = Scene([["abc"], [3, "d"]])
    assert await scene.follow(1, 1, 2) == Passage("main.md", 2, 1, 2, is_gone=False, text="b")
    scene.edit([["x"], [2, "y"]])
    reads = scene.store.reads
    assert await scene.follow(1, 1, 2) == Passage("main.md", 4, 3, 4, is_gone=False, text="b")
    assert scene.store.reads == reads


@pytest.mark.usefixtures("small")
async def test_a_way_too_long_for_one_question_takes_some_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.links.EDITS_PER_QUESTION", 10)
    scene = Scene([["abc"], *[TYPED] * 31])
    for _ in range(2):
        with pytest.raises(Contended) as error:
            await scene.follow(1, 1, 2)
        assert error.value.facts["retry_after"] == pytest.approx(0.1)
    assert await scene.follow(1, 1, 2) == Passage("main.md", 32, 32, 33, is_gone=False, text="b")


@pytest.mark.usefixtures("small")
async def test_links_without_end_are_not_all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.links.LINKS_REMEMBERED", 2)
    scene = Scene([["abcdef"], *[TYPED] * 9])
    for place in (0, 1, 2):
        await scene.follow(1, place, place + 1)
    reads = scene.store.reads
    for place in (1, 2):
        await scene.follow(1, place, place + 1)
    assert scene.store.reads == reads
    assert (await scene.follow(1, 0, 1)).text == "a"
    assert scene.store.reads > reads


async def test_two_who_ask_at_once_get_the_same() -> None:
    scene = Scene([["abc"], ["x"]])
    both = await asyncio.gather(*(scene.follow(1, 1, 2) for _ in range(2)))
    assert both[0] == both[1]


async def test_a_range_beyond_the_end_of_its_text_is_nowhere() -> None:
    scene = Scene([["abc"], [3, "d"]])
    assert await scene.follow(1, 7, 9) == Passage("main.md", 2, 4, 4, is_gone=True, text="")


async def test_a_long_passage_is_shown_by_its_beginning() -> None:
    scene = Scene([["é" * 3 * PASSAGE_CODE_POINTS]])
    passage = await scene.follow(1, 10, 2 * PASSAGE_CODE_POINTS)
    assert (passage.end, passage.text) == (2 * PASSAGE_CODE_POINTS, "é" * PASSAGE_CODE_POINTS)


async def test_a_text_that_there_is_not_cannot_be_linked_to() -> None:
    scene = Scene([["abc"]])
    with pytest.raises(RevisionAhead):
        await scene.follow(2, 0, 1)
    with pytest.raises(NotFound):
        await scene.links.follow("demo", {"document": "none.md", "revision": 0, "start": 0, "end": 0})
