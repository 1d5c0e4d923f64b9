"""Runs as use cases."""

from __future__ import annotations

import pytest

from application.runs import Runs
from domain.errors import NotFound
from tests.application.fakes import FakeNode, FakeStore
from tests.application.test_messages import open_room


async def test_a_run_is_found_when_it_has_begun() -> None:
    node = FakeNode(FakeStore())
    await open_room(node)
    node.commits_by_itself = True
    runs = Runs(node.lives, now=node.clock.now)
    with pytest.raises(NotFound):
        await runs.get("demo", "r1")
    await runs.start("demo", "r1", client="c", title="tests", document=None, revision=None, actor="Ada")
    assert (await runs.get("demo", "r1")).title == "tests"
