"""The moment of a character, against a model in which each one knows who wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.log import Recorded
from application.past.blame import Blame, EditFacts
from application.past.moment import Character, Moments
from domain.attribution import Run
from domain.document import DocumentState, EditApplied
from domain.errors import BadFrame, NotFound
from tests.application.past.scenes import ROOM, Scene
from tests.domain.events import NOON
from tests.domain.histories import Past, pasts


class Read:
    """One document's past, as it is read."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self.moments = Moments(self, self, Blame(self, self))

    async def now(self, stream: str) -> DocumentState | None:
        return await self.at_revision(stream, self._past.revision)

    async def at_revision(self, stream: str, revision: int) -> DocumentState | None:
        assert stream == self._past.document.id
        if revision > self._past.revision:
            return None
        return DocumentState("demo", "main.md", revision, self._past.texts[revision], NOON)

    async def edits(self, stream: str, after: int, until: int) -> Sequence[EditApplied]:
        return self._past.edits[after:until]

    async def recorded(self, stream: str, after: int = 0, *, limit: int | None = None) -> Sequence[Recorded]:
        assert limit == 1
        return [Recorded(100 + after, self._past.edits[after - 1])]

    async def nearest(self, stream: str, revision: int) -> tuple[int, Sequence[Run]]:
        return 0, []

    async def keep(self, stream: str, revision: int, runs: Sequence[Run]) -> None:
        raise AssertionError("so short a history is not kept")

    async def facts(self, stream: str, revisions: Sequence[int]) -> Mapping[int, EditFacts]:
        raise AssertionError("nobody asks for facts")


@given(pasts(), st.data())
async def test_it_is_the_edit_that_first_wrote_the_character(past: Past, data: st.DataObject) -> None:
    """Whatever has taken it away, brought it back or copied it since."""
    seen = past.plain.seen()
    if not seen:
        return
    position = data.draw(st.integers(0, len(seen) - 1))
    moment = await Read(past).moments.of_character("demo", "main.md", position)
    revision, _ = seen[position].written
    edit = past.edits[revision - 1]
    assert (moment.revision, moment.log_position) == (revision, 100 + revision)
    assert (moment.user, moment.client, moment.at, moment.cause) == (
        edit.actor,
        edit.client,
        edit.timestamp,
        edit.cause,
    )
    written = moment.written
    assert written is not None
    assert (written.document, written.revision) == ("main.md", revision)
    assert written.text == past.text[position] == past.texts[revision][written.position]


async def test_what_was_copied_from_another_document_was_written_there() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["Hello "])
    await scene.type("ben", [6, "world"])
    await scene.here.branches.start(ROOM, "main.md", 2, "try.md", actor="cleo")
    scene.here.node.feed()
    moments = Moments(WithNow(scene), scene.store, scene.here.blame)
    moment = await moments.of_character(ROOM, "try.md", 7)
    assert moment.written == Character("main.md", 2, 7, "o")
    assert (moment.document, moment.revision, moment.user) == ("main.md", 2, "ben")
    assert (moment.inserted, moment.deleted) == (5, 0)
    assert [(piece.kind, piece.text) for piece in moment.pieces] == [
        ("kept", "Hello "),
        ("inserted", "world"),
    ]


async def test_the_moment_of_a_revision_is_that_of_its_edit() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["Hello"])
    await scene.type("ben", [{"d": "Hello"}])
    moments = Moments(WithNow(scene), scene.store, scene.here.blame)
    moment = await moments.of_revision(ROOM, "main.md", 2)
    assert (moment.user, moment.revision, moment.written) == ("ben", 2, None)
    assert (moment.inserted, moment.deleted) == (0, 5)
    assert moment.log_position == scene.store.log[-1].position
    for document, revision in (("main.md", 0), ("main.md", 3), ("other.md", 1)):
        with pytest.raises(NotFound):
            await moments.of_revision(ROOM, document, revision)


async def test_there_must_be_a_character() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["Hello"])
    moments = Moments(WithNow(scene), scene.store, scene.here.blame)
    for position in (-1, 5):
        with pytest.raises(BadFrame):
            await moments.of_character(ROOM, "main.md", position)
    for document, revision in (("main.md", 2), ("other.md", None)):
        with pytest.raises(NotFound):
            await moments.of_character(ROOM, document, 0, revision)


class WithNow:
    """The states of a scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def now(self, stream: str) -> DocumentState | None:
        events = self._scene.store.stream(stream)
        return await self.at_revision(stream, len(events) - 1) if events else None

    async def at_revision(self, stream: str, revision: int) -> DocumentState | None:
        return await self._scene.past.at_revision(stream, revision)
