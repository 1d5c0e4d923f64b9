"""Undo on nodes: one's own, step by step, whoever came between; any other, as long as it can be read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from application.past import undo
from application.past.revising import Outrun, edit_of
from application.past.undo import Passage, Selection
from domain.errors import BadFrame, Contended, Forbidden, LimitReached, NotFound, RevisionAhead
from domain.rights import Role
from tests.application.past.scenes import ROOM, STREAM, Scene

DOCUMENT = "main.md"


async def undo_mine(scene: Scene, who: str) -> bool:
    return await scene.here.undo.undo_mine(ROOM, DOCUMENT, actor=who) is not None


async def redo_mine(scene: Scene, who: str) -> bool:
    return await scene.here.undo.redo_mine(ROOM, DOCUMENT, actor=who) is not None


async def test_own_edits_are_taken_back_one_after_the_other_around_those_of_others() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one "])
    await scene.type("ben", [4, "BEN "])
    await scene.type("ada", [8, "two "])
    await scene.type("ben", [12, "END"])
    assert await undo_mine(scene, "ada")
    assert await scene.text() == "one BEN END"
    assert await undo_mine(scene, "ada")
    assert await scene.text() == "BEN END"
    assert not await undo_mine(scene, "ada")
    assert await redo_mine(scene, "ada")
    assert await scene.text() == "one BEN END"
    assert await redo_mine(scene, "ada")
    assert await scene.text() == "one BEN two END"
    assert not await redo_mine(scene, "ada")
    assert await undo_mine(scene, "ada")
    assert await scene.text() == "one BEN END"


async def test_who_types_after_an_undo_has_nothing_to_redo() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one "])
    assert await undo_mine(scene, "ada")
    await scene.type("ada", ["other "])
    assert not await redo_mine(scene, "ada")
    assert await scene.text() == "other "


async def test_what_was_typed_in_one_go_is_one_step() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["before "])
    for number, letter in enumerate("word"):
        await scene.type("ada", [7 + number, letter])
        scene.clock.advance(-1.5)
    assert await undo_mine(scene, "ada")
    assert await scene.text() == "before "


async def test_what_somebody_else_has_taken_back_is_no_step_any_more() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one "])
    await scene.type("ada", [4, "two "])
    await scene.here.undo.undo(ROOM, DOCUMENT, Selection(first=2, last=2), actor="ben")
    assert await undo_mine(scene, "ada")
    assert await scene.text() == ""


async def test_own_edits_are_found_behind_pages_of_those_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "PAGE_OWN", 2)
    scene = await Scene.make()
    await scene.type("ada", ["A"])
    for _ in range(3):
        await scene.type("ben", ["B"])
        await undo_mine(scene, "ben")
    assert await undo_mine(scene, "ada")
    assert await scene.text() == ""
    monkeypatch.setattr(undo, "UNDO_EDITS", 1)
    await scene.type("ben", ["C"])
    assert not await undo_mine(scene, "ada")


async def test_all_that_somebody_did_in_a_span_of_time_is_previewed_and_taken_back() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one two three"])
    since = scene.clock.now() + timedelta(seconds=1)
    await scene.type("ben", [4, {"d": 4}])
    await scene.type("ada", [4, "2 "])
    await scene.type("ben", ["zero "])
    until = scene.clock.now()
    await scene.type("ben", [16, "!"])
    selection = Selection(user="ben", since=since, until=until)
    preview = await scene.here.undo.preview(ROOM, DOCUMENT, selection)
    assert (preview.before, preview.after) == ("zero one 2 three!", "one 2 two three!")
    assert (preview.edits, preview.revision, preview.changes) == ({"ben": 2}, 5, True)
    assert await scene.revision() == 5
    done = await scene.here.undo.undo(ROOM, DOCUMENT, selection, actor="ada")
    assert done is not None
    assert await scene.text() == preview.after
    assert edit_of(done).undoes == [[2, 2], [4, 4]]
    assert edit_of(done).op == preview.op
    assert await scene.here.undo.undo(ROOM, DOCUMENT, selection, actor="ada") is None


async def test_a_passage_alone_is_taken_back() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one two three"])
    await scene.type("ben", [{"d": 3}, "ONE", 5, {"d": 5}, "THREE"])
    await scene.type("ada", ["zero "])
    passage = Passage(revision=2, start=8, end=13)
    selection = Selection(first=2, last=2, passage=passage)
    done = await scene.here.undo.undo(ROOM, DOCUMENT, selection, actor="ada")
    assert done is not None
    assert await scene.text() == "zero ONE two three"
    await scene.here.undo.undo(ROOM, DOCUMENT, Selection(first=4, last=4), actor="ada")
    assert await scene.text() == "zero ONE two THREE"


async def test_where_edits_have_changed_nothing_there_is_nothing_to_take_back() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one two three"])
    await scene.type("ben", [{"d": 3}, "ONE"])
    there = Selection(first=2, last=2, passage=Passage(revision=2, start=8, end=13))
    assert not (await scene.here.undo.preview(ROOM, DOCUMENT, there)).changes
    assert await scene.here.undo.undo(ROOM, DOCUMENT, there, actor="ada") is None
    assert await scene.revision() == 2


async def test_nothing_is_previewed_where_nothing_is_selected() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one"])
    preview = await scene.here.undo.preview(ROOM, DOCUMENT, Selection(user="ben"))
    assert (preview.before, preview.after, preview.op, preview.changes) == ("one", "one", [], False)
    assert await scene.here.undo.undo(ROOM, DOCUMENT, Selection(user="ben"), actor="ada") is None


@pytest.mark.parametrize(
    ("selection", "error"),
    [
        (Selection(first=2, last=5), RevisionAhead),
        (Selection(first=3, last=1), BadFrame),
        (Selection(first=0, last=1), BadFrame),
        (Selection(passage=Passage(9, 0, 1)), RevisionAhead),
    ],
)
async def test_what_there_is_not_cannot_be_selected(selection: Selection, error: type[Exception]) -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one"])
    with pytest.raises(error):
        await scene.here.undo.undo(ROOM, DOCUMENT, selection, actor="ada")
    with pytest.raises(NotFound):
        await scene.here.undo.undo(ROOM, "other.md", selection, actor="ada")


async def test_what_is_too_long_ago_cannot_be_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "UNDO_EDITS", 3)
    scene = await Scene.make()
    for _ in range(5):
        await scene.type("ada", ["x"])
    with pytest.raises(LimitReached):
        await scene.here.undo.undo(ROOM, DOCUMENT, Selection(first=1, last=1), actor="ada")
    with pytest.raises(LimitReached):
        await scene.here.undo.undo(ROOM, DOCUMENT, Selection(), actor="ada")
    assert await scene.here.undo.undo(ROOM, DOCUMENT, Selection(first=3, last=3), actor="ada")


async def test_who_may_not_edit_takes_nothing_back() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one"])
    await scene.here.rooms.change_access(ROOM, Role.VIEWER, actor="ada")
    with pytest.raises(Forbidden):
        await scene.here.undo.undo(ROOM, DOCUMENT, Selection(first=1, last=1), actor="ben")
    assert await scene.text() == "one"


async def test_an_undo_that_lost_a_race_is_decided_again_on_what_won() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one two"])
    await scene.type("ben", [3, {"d": 4}])
    await scene.text(on=scene.there)
    # There nobody has heard of what is typed here.
    await scene.type("ada", ["zero "], on=scene.here)
    done = await scene.there.undo.undo(ROOM, DOCUMENT, Selection(first=2, last=2), actor="ben")
    assert done is not None
    assert edit_of(done).revision == 4
    assert await scene.text() == await scene.text(on=scene.there) == "zero one two"


async def test_two_who_take_the_same_back_at_once_do_it_once() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one two"])
    await scene.type("ben", [3, {"d": 4}])
    await scene.text(on=scene.there)
    selection = Selection(first=2, last=2)
    first = await scene.here.undo.undo(ROOM, DOCUMENT, selection, actor="ada")
    second = await scene.there.undo.undo(ROOM, DOCUMENT, selection, actor="ben")
    assert first is not None
    assert second is None
    assert await scene.text(on=scene.there) == "one two"


async def test_an_edit_of_long_before_that_is_taken_back_meanwhile_is_read_again() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one "])
    await scene.type("ben", [4, "two "])
    await scene.type("ada", [8, "three "])
    await scene.text(on=scene.there)
    await scene.here.undo.undo(ROOM, DOCUMENT, Selection(first=1, last=1), actor="ada")
    done = await scene.there.undo.undo(ROOM, DOCUMENT, Selection(first=3, last=3), actor="ben")
    assert done is not None
    assert await scene.text() == await scene.text(on=scene.there) == "two "


async def test_a_node_that_hears_nothing_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one"])
    taken = undo._Taking.taken

    def never(self: undo._Taking, head: object) -> None:
        taken(self, head)  # type: ignore[arg-type]
        raise Outrun("always")

    monkeypatch.setattr(undo._Taking, "taken", never)
    with pytest.raises(Contended):
        await scene.here.undo.undo(ROOM, DOCUMENT, Selection(first=1, last=1), actor="ada")
    with pytest.raises(Contended):
        await scene.here.undo.preview(ROOM, DOCUMENT, Selection(first=1, last=1))
    assert len(scene.store.stream(STREAM)) == 2
