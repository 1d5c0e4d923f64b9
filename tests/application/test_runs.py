"""Runs as use cases: reported by those who edit in the room."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from application.log import Recorded
from application.runs import Runs
from domain.errors import Forbidden, IdReused, NotFound, RevisionAhead
from domain.rights import Role
from domain.run import Outcome, RunFinished, RunStarted
from tests.application.fakes import FakeNode, FakeStore
from tests.application.test_messages import documents_on, make_document, open_room, outcome

Done = asyncio.Future[Sequence[Recorded]]


@pytest.fixture
async def node() -> FakeNode:
    """With a room of Ada's in which everybody may comment."""
    node = FakeNode(FakeStore())
    await open_room(node, Role.COMMENTER)
    return node


def runs_on(node: FakeNode) -> Runs:
    return Runs(node.lives, documents_on(node), now=node.clock.now)


async def start(
    node: FakeNode,
    run: str = "r1",
    title: str = "pytest",
    actor: str = "Ada",
    what: tuple[str, int] | None = None,
) -> Sequence[Recorded]:
    document, revision = what or (None, None)
    started = await runs_on(node).start(
        "demo", run, client="ada-1", title=title, document=document, revision=revision, actor=actor
    )
    return await started


def finish(node: FakeNode, run: str = "r1", client: str = "ada-1", actor: str = "Ada") -> Done:
    return runs_on(node).finish("demo", run, Outcome.PASSED, 0, client=client, actor=actor)


async def test_a_run_is_logged_from_its_beginning_to_its_end(node: FakeNode) -> None:
    [started] = await outcome(node, start(node))
    assert isinstance(started, RunStarted)
    assert await outcome(node, start(node)) == []
    with pytest.raises(Forbidden):
        await outcome(node, finish(node, client="ada-2"))
    [finished] = await outcome(node, finish(node))
    assert isinstance(finished, RunFinished)
    assert await outcome(node, finish(node)) == []


async def test_a_run_has_one_beginning_and_is_for_those_who_edit(node: FakeNode) -> None:
    await outcome(node, start(node))
    with pytest.raises(IdReused):
        await outcome(node, start(node, title="mypy"))
    with pytest.raises(NotFound):
        await outcome(node, finish(node, "r2"))
    with pytest.raises(Forbidden):
        await outcome(node, start(node, "r3", actor="Ben"))


async def test_only_what_a_document_has_come_to_can_run(node: FakeNode) -> None:
    await make_document(node, edits=1)
    with pytest.raises(RevisionAhead):
        await outcome(node, start(node, what=("main.md", 2)))
    with pytest.raises(NotFound):
        await outcome(node, start(node, what=("other.md", 0)))
    [started] = await outcome(node, start(node, what=("main.md", 1)))
    assert isinstance(started, RunStarted)


async def test_a_run_is_found_when_it_has_begun(node: FakeNode) -> None:
    runs = runs_on(node)
    with pytest.raises(NotFound):
        await runs.get("demo", "r1")
    await outcome(node, start(node))
    assert (await runs.get("demo", "r1")).title == "pytest"
