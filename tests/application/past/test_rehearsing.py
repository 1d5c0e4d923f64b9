"""A rehearsal decides what would be done, and does nothing."""

from __future__ import annotations

import pytest

from application.past.revising import ATTEMPTS, Outrun, Rehearsing, edit_of
from application.past.undo import Undo
from domain.document import Document, LastEdit
from domain.errors import Contended, NotFound
from tests.application.past.scenes import ROOM, Scene

DOCUMENT = "main.md"


def rehearsing(scene: Scene) -> Rehearsing:
    return Rehearsing(scene.here.node.lives, scene.store, scene.here.documents)


def rehearsed(scene: Scene) -> Undo:
    here = scene.here
    return Undo(here.documents, here.blame, scene.past, rehearsing(scene), now=scene.clock.now)


async def test_what_is_rehearsed_is_what_is_done_then_and_nothing_before() -> None:
    scene = await Scene.make()
    await scene.type("ada", ["one "])
    await scene.type("ben", [4, "BEN"])
    stored = len(scene.store.log)
    would = await rehearsed(scene).undo_mine(ROOM, DOCUMENT, actor="ada")
    assert would is not None
    assert (len(scene.store.log), await scene.text()) == (stored, "one BEN")
    done = await scene.here.undo.undo_mine(ROOM, DOCUMENT, actor="ada")
    assert done is not None
    assert edit_of(would).op == edit_of(done).op == [{"d": "one "}]
    assert edit_of(would).revision == edit_of(done).revision
    assert await rehearsed(scene).undo_mine(ROOM, DOCUMENT, actor="ada") is None
    with pytest.raises(NotFound):
        await rehearsed(scene).undo_mine(ROOM, "nothing.md", actor="ada")


class Hesitant:
    """A `Decision` that needs more than was read, so many times; then it has nothing to do."""

    def __init__(self, times: int) -> None:
        self.times = times

    async def read(self, document: Document) -> None:
        pass

    def decide(self, head: Document, last: LastEdit | None) -> None:
        del head, last
        if self.times:
            self.times -= 1
            raise Outrun("not yet")


async def test_what_needs_more_is_read_again_but_not_for_ever() -> None:
    scene = await Scene.make()
    rehearsal = rehearsing(scene)
    assert await rehearsal.submit(ROOM, DOCUMENT, Hesitant(ATTEMPTS - 1), actor="ada") is None
    with pytest.raises(Contended):
        await rehearsal.submit(ROOM, DOCUMENT, Hesitant(ATTEMPTS), actor="ada")
