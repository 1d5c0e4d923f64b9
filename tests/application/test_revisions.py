"""Saves as a use case: for those who edit in the room."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from application.log import Recorded
from application.revisions import Revisions
from domain.errors import Forbidden, NotFound, RevisionAhead
from domain.revisions import RevisionSaved
from domain.rights import Role
from tests.application.fakes import FakeNode, FakeStore
from tests.application.test_messages import documents_on, make_document, open_room, outcome


@pytest.fixture
async def node() -> FakeNode:
    """With a room of Ada's in which everybody may comment, and a document at revision 5."""
    node = FakeNode(FakeStore())
    await open_room(node, Role.COMMENTER)
    await make_document(node, edits=5)
    return node


async def save(
    node: FakeNode, revision: int, name: str | None = None, actor: str = "Ada", document: str = "main.md"
) -> Sequence[Recorded]:
    revisions = Revisions(node.lives, documents_on(node), now=node.clock.now)
    return await (await revisions.save("demo", document, revision, name=name, actor=actor))


async def test_a_save_is_logged_once(node: FakeNode) -> None:
    [_, saved] = await outcome(node, save(node, 3, "Draft"))
    assert isinstance(saved, RevisionSaved)
    assert await outcome(node, save(node, 3, "Draft")) == []
    [again] = await outcome(node, save(node, 4))
    assert isinstance(again, RevisionSaved)
    with pytest.raises(Forbidden):
        await outcome(node, save(node, 5, actor="Ben"))


async def test_only_what_a_document_has_come_to_can_be_saved(node: FakeNode) -> None:
    with pytest.raises(RevisionAhead):
        await outcome(node, save(node, 6))
    with pytest.raises(NotFound):
        await outcome(node, save(node, 0, document="other.md"))
