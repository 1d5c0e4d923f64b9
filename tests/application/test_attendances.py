"""Stays as use cases."""

from __future__ import annotations

import pytest

from application.attendances import Attendances
from domain.attendance import Joined, Left
from domain.errors import NotFound
from tests.application.fakes import FakeNode, FakeStore


@pytest.fixture
def node() -> FakeNode:
    return FakeNode(FakeStore())


@pytest.fixture
def attendances(node: FakeNode) -> Attendances:
    return Attendances(node.lives, node="node-1", now=node.clock.now)


async def test_a_stay_begins_without_reading_and_names_its_node(
    node: FakeNode, attendances: Attendances
) -> None:
    done = attendances.join("demo", "s1", client="ada-1", actor="Ada")
    node.commit()
    [recorded] = done.result()
    assert isinstance(recorded.event, Joined)
    assert (recorded.event.session, recorded.event.node, recorded.event.actor) == ("s1", "node-1", "Ada")
    assert node.store.reads == 0


async def test_a_stay_that_is_begun_again_is_the_same(node: FakeNode, attendances: Attendances) -> None:
    attendances.join("demo", "s1", client="ada-1", actor="Ada")
    again = attendances.join("demo", "s1", client="ada-1", actor="Ada")
    node.commit()
    assert again.result() == ()


async def test_a_stay_may_end_before_its_beginning_is_stored(
    node: FakeNode, attendances: Attendances
) -> None:
    attendances.join("demo", "s1", client="ada-1", actor="Ada")
    left = attendances.leave("demo", "s1", "lost", actor="Ada")
    node.commit()
    [recorded] = left.result()
    assert isinstance(recorded.event, Left)
    assert (recorded.event.reason, recorded.event.client) == ("lost", "ada-1")


async def test_a_stay_ends_once_whoever_ends_it(node: FakeNode, attendances: Attendances) -> None:
    attendances.join("demo", "s1", client="ada-1", actor="Ada")
    attendances.leave("demo", "s1", "lost", actor="Ada")
    node.commit()
    sweeper = FakeNode(node.store)
    again = Attendances(sweeper.lives, node="node-2", now=node.clock.now).leave(
        "demo", "s1", "lost", actor="Ada"
    )
    await sweeper.settled()
    assert again.result() == ()
    assert len(node.store.log) == 2


async def test_a_stay_that_never_began_cannot_end(node: FakeNode, attendances: Attendances) -> None:
    done = attendances.leave("demo", "s1", "lost", actor="Ada")
    await node.loaded()
    assert isinstance(done.exception(), NotFound)
