"""Messages as use cases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from application.log import Recorded
from application.messages import Messages
from domain.errors import IdReused, TextInvalid
from domain.message import Posted
from tests.application.fakes import FakeNode, FakeStore


@pytest.fixture
def node() -> FakeNode:
    return FakeNode(FakeStore())


def post(node: FakeNode, text: str, client: str = "ada") -> asyncio.Future[Sequence[Recorded]]:
    messages = Messages(node.lives, now=node.clock.now)
    return messages.post("demo", "m1", client=client, text=text, documents={"main.md": 3}, actor="Ada")


async def test_a_message_is_answered_by_its_event(node: FakeNode) -> None:
    done = post(node, "Hello")
    assert not done.done()
    node.commit()
    [recorded] = done.result()
    assert isinstance(recorded.event, Posted)
    assert (recorded.event.text, recorded.event.documents) == ("Hello", {"main.md": 3})
    assert recorded.event.timestamp == node.clock.now()
    assert node.store.reads == 0


async def test_a_resend_adds_nothing_here_or_on_another_node(node: FakeNode) -> None:
    post(node, "Hello")
    node.commit()
    elsewhere = FakeNode(node.store)
    elsewhere.clock.advance(60)
    for where in (node, elsewhere):
        done = post(where, "Hello")
        await where.settled()
        assert done.result() == ()
    assert len(node.store.log) == 1


async def test_another_message_under_the_same_id_is_refused_here_and_on_another_node(node: FakeNode) -> None:
    post(node, "Hello")
    node.commit()
    for where in (node, FakeNode(node.store)):
        done = post(where, "Other")
        await where.settled()
        assert isinstance(done.exception(), IdReused)
    assert len(node.store.log) == 1


async def test_what_cannot_be_said_is_refused_at_once(node: FakeNode) -> None:
    assert isinstance(post(node, " ").exception(), TextInvalid)
    assert not node.waiting
