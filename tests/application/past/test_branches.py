"""Branches on nodes: from any revision, merged as often as one likes, with those who wrote the text."""

from __future__ import annotations

import pytest

from application.past import branches
from application.past.branches import Branch
from application.past.revising import edit_of
from domain.errors import Conflict, LimitReached, NotFound, RevisionAhead
from tests.application.past.scenes import ROOM, Scene

DOCUMENT = "main.md"


async def authors(scene: Scene, document: str) -> list[tuple[str, str, str]]:
    """Of the text, piece by piece, who wrote it and in which document."""
    text = await scene.text(document)
    spans = await scene.here.blame.at(ROOM, document, await scene.revision(document))
    assert [span.start for span in spans] == [0, *(span.end for span in spans)][:-1]
    return [(text[span.start : span.end], span.facts.actor, span.document) for span in spans]


async def begun() -> Scene:
    scene = await Scene.make()
    await scene.type("ada", ["one two"])
    await scene.type("ada", [7, " three"])
    await scene.here.branches.start(ROOM, DOCUMENT, 1, "trial.md", actor="ben")
    return scene


async def test_a_branch_starts_from_a_past_text_and_is_known_as_one() -> None:
    scene = await begun()
    assert await scene.text("trial.md") == "one two"
    assert await authors(scene, "trial.md") == [("one two", "ada", DOCUMENT)]
    assert await scene.here.branches.find(ROOM, "trial.md") == Branch("trial.md", DOCUMENT, 1)
    assert await scene.here.branches.find(ROOM, DOCUMENT) is None
    # Once more is once.
    assert await scene.here.branches.start(ROOM, DOCUMENT, 1, "trial.md", actor="ben") is None


async def test_a_merge_keeps_what_both_have_written_and_who() -> None:
    scene = await begun()
    await scene.type("ben", [4, "TWO", {"d": 3}], document="trial.md")
    await scene.type("cy", ["zero "])
    done = await scene.here.branches.merge(ROOM, "trial.md", actor="ben")
    assert done is not None
    assert (edit_of(done).cause, edit_of(done).source) == ("merge", ["trial.md", 2])
    assert await authors(scene, DOCUMENT) == [
        ("zero ", "cy", DOCUMENT),
        ("one ", "ada", DOCUMENT),
        ("TWO", "ben", "trial.md"),
        (" three", "ada", DOCUMENT),
    ]
    assert await scene.here.branches.merge(ROOM, "trial.md", actor="ben") is None
    await scene.type("ben", [7, "!"], document="trial.md")
    await scene.type("cy", [5, {"d": 4}])
    await scene.here.branches.merge(ROOM, "trial.md", actor="ben")
    assert await scene.text() == "zero TWO! three"


async def test_a_merge_is_taken_back_like_any_edit() -> None:
    scene = await begun()
    await scene.type("ben", [{"d": 3}, "ONE"], document="trial.md")
    await scene.here.branches.merge(ROOM, "trial.md", actor="ben")
    await scene.here.undo.undo_mine(ROOM, DOCUMENT, actor="ben")
    assert await scene.text() == "one two three"


async def test_two_who_merge_the_same_at_once_do_it_once() -> None:
    scene = await begun()
    await scene.type("ben", [{"d": 3}, "ONE"], document="trial.md")
    await scene.text(on=scene.there)
    await scene.text("trial.md", on=scene.there)
    assert await scene.here.branches.merge(ROOM, "trial.md", actor="ben") is not None
    assert await scene.there.branches.merge(ROOM, "trial.md", actor="ada") is None
    assert await scene.text() == await scene.text(on=scene.there) == "ONE two three"


async def test_a_branch_of_a_branch_comes_back_to_it() -> None:
    scene = await begun()
    await scene.here.branches.start(ROOM, "trial.md", 1, "second.md", actor="cy")
    assert await authors(scene, "second.md") == [("one two", "ada", DOCUMENT)]
    await scene.type("cy", [7, "?"], document="second.md")
    await scene.here.branches.merge(ROOM, "second.md", actor="cy")
    await scene.here.branches.merge(ROOM, "trial.md", actor="cy")
    assert await authors(scene, DOCUMENT) == [
        ("one two", "ada", DOCUMENT),
        ("?", "cy", "second.md"),
        (" three", "ada", DOCUMENT),
    ]


async def test_what_is_no_branch_cannot_be_merged_and_what_is_there_is_not_overwritten() -> None:
    scene = await begun()
    with pytest.raises(Conflict):
        await scene.here.branches.merge(ROOM, DOCUMENT, actor="ada")
    with pytest.raises(Conflict):
        await scene.here.branches.start(ROOM, DOCUMENT, 2, "trial.md", actor="ada")
    with pytest.raises(Conflict):
        await scene.here.branches.start(ROOM, DOCUMENT, 1, DOCUMENT, actor="ada")
    with pytest.raises(RevisionAhead):
        await scene.here.branches.start(ROOM, DOCUMENT, 9, "other.md", actor="ada")
    with pytest.raises(NotFound):
        await scene.here.branches.merge(ROOM, "other.md", actor="ada")


async def test_an_empty_text_can_be_branched_and_merged() -> None:
    scene = await Scene.make()
    await scene.here.branches.start(ROOM, DOCUMENT, 0, "trial.md", actor="ben")
    await scene.type("ben", ["hello"], document="trial.md")
    await scene.here.branches.merge(ROOM, "trial.md", actor="ben")
    assert await authors(scene, DOCUMENT) == [("hello", "ben", "trial.md")]


async def test_after_too_much_a_branch_cannot_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await begun()
    monkeypatch.setattr(branches, "MERGE_EDITS", 2)
    await scene.type("ben", ["x"], document="trial.md")
    for _ in range(3):
        await scene.type("ada", ["y"])
    with pytest.raises(LimitReached):
        await scene.here.branches.merge(ROOM, "trial.md", actor="ben")
