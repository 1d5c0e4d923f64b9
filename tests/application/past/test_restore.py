"""Restore: a past text comes back by one edit, of those who wrote it, and later work of others stays."""

from __future__ import annotations

import pytest

from application.past.revising import edit_of
from domain.attribution import Run
from domain.errors import RevisionAhead
from tests.application.past.scenes import ROOM, STREAM, Scene

DOCUMENT = "main.md"


async def test_a_past_text_comes_back_by_one_edit_that_says_whose_it_is() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one two"])
    await scene.type("ben", [3, {"d": 4}])
    done = await scene.here.restore.restore(ROOM, DOCUMENT, 1, actor="cy")
    assert done is not None
    edit = edit_of(done)
    assert (edit.cause, edit.actor, edit.op, edit.source) == ("restore", "cy", [3, " two"], ["", 1])
    assert await scene.text() == "one two"
    runs = await scene.here.blame.runs(STREAM, 3)
    assert [(run.source.revision, run.source.offset, run.length) for run in runs] == [(1, 0, 3), (1, 3, 4)]
    assert await scene.here.restore.restore(ROOM, DOCUMENT, 1, actor="cy") is None


async def test_a_restore_can_be_taken_back() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one two"])
    await scene.type("ben", [3, {"d": 4}])
    await scene.here.restore.restore(ROOM, DOCUMENT, 1, actor="cy")
    await scene.here.undo.undo_mine(ROOM, DOCUMENT, actor="cy")
    assert await scene.text() == "one"


async def test_what_was_typed_meanwhile_elsewhere_stays() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one two"])
    await scene.type("ben", [3, {"d": 4}])
    await scene.text(on=scene.there)
    await scene.type("ada", ["zero "])
    await scene.here.blame.runs(STREAM, 3)
    await scene.there.restore.restore(ROOM, DOCUMENT, 1, actor="ben")
    assert await scene.text() == await scene.text(on=scene.there) == "zero one two"


async def test_a_revision_that_there_is_not_cannot_be_restored() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one"])
    with pytest.raises(RevisionAhead):
        await scene.here.restore.restore(ROOM, DOCUMENT, 2, actor="ada")


async def test_a_restore_of_nothing_empties_the_text() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one"])
    await scene.here.restore.restore(ROOM, DOCUMENT, 0, actor="ada")
    assert await scene.text() == ""
    assert await scene.here.blame.runs(STREAM, 2) == []
    await scene.here.restore.restore(ROOM, DOCUMENT, 1, actor="ben")
    assert await scene.here.blame.runs(STREAM, 3) == [Run(3, 3, 0, ("", 1, 0))]  # type: ignore[arg-type]
