"""Saves as a use case: for those who edit in the room."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from application.log import Recorded
from application.revisions import Revisions
from domain.errors import Forbidden
from domain.revisions import RevisionSaved
from domain.rights import Role
from tests.application.fakes import FakeNode, FakeStore
from tests.application.test_messages import open_room, outcome


@pytest.fixture
async def node() -> FakeNode:
    """With a room of Ada's in which everybody may comment."""
    node = FakeNode(FakeStore())
    await open_room(node, Role.COMMENTER)
    return node


def save(
    node: FakeNode, revision: int, name: str | None = None, actor: str = "Ada"
) -> asyncio.Future[Sequence[Recorded]]:
    revisions = Revisions(node.lives, now=node.clock.now)
    return revisions.save("demo", "main.md", revision, name=name, actor=actor)


async def test_a_save_is_logged_once(node: FakeNode) -> None:
    [_, saved] = await outcome(node, save(node, 3, "Draft"))
    assert isinstance(saved, RevisionSaved)
    assert await outcome(node, save(node, 3, "Draft")) == []
    [again] = await outcome(node, save(node, 4))
    assert isinstance(again, RevisionSaved)
    with pytest.raises(Forbidden):
        await outcome(node, save(node, 5, actor="Ben"))
