"""Messages as use cases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from application.documents import Documents
from application.log import Recorded
from application.messages import Messages
from application.rooms import Rooms
from domain.errors import Forbidden, IdReused, NotFound, TextInvalid
from domain.message import Posted
from domain.rights import Role
from tests.application.fakes import FakeNode, FakeStore


async def open_room(node: FakeNode, everyone: Role | None = None) -> None:
    """Open the room "demo", which is Ada's; the node knows it then."""
    opening = asyncio.ensure_future(
        Rooms(node.lives, now=node.clock.now).open("demo", "Demo", actor="Ada", everyone=everyone)
    )
    await asyncio.sleep(0)
    await node.settled()
    await opening


@pytest.fixture
async def node() -> FakeNode:
    node = FakeNode(FakeStore())
    await open_room(node)
    return node


def post(
    node: FakeNode, text: str, client: str = "ada", actor: str = "Ada"
) -> asyncio.Future[Sequence[Recorded]]:
    now = node.clock.now
    documents = Documents(node.lives, node.store, Rooms(node.lives, now=now), now=now)
    messages = Messages(node.lives, documents, now=now)
    return messages.post("demo", "m1", client=client, text=text, documents={"main.md": 3}, actor=actor)


async def test_a_message_is_answered_by_its_event(node: FakeNode) -> None:
    reads = node.store.reads
    done = post(node, "Hello")
    assert not done.done()
    node.commit()
    [recorded] = done.result()
    assert isinstance(recorded.event, Posted)
    assert (recorded.event.text, recorded.event.documents) == ("Hello", {"main.md": 3})
    assert recorded.event.timestamp == node.clock.now()
    assert node.store.reads == reads


async def test_a_resend_adds_nothing_here_or_on_another_node(node: FakeNode) -> None:
    post(node, "Hello")
    node.commit()
    elsewhere = FakeNode(node.store)
    elsewhere.clock.advance(60)
    events = len(node.store.log)
    for where in (node, elsewhere):
        done = post(where, "Hello")
        await where.settled()
        assert await done == ()
    assert len(node.store.log) == events


async def test_another_message_under_the_same_id_is_refused_here_and_on_another_node(node: FakeNode) -> None:
    post(node, "Hello")
    node.commit()
    events = len(node.store.log)
    for where in (node, FakeNode(node.store)):
        done = post(where, "Other")
        await where.settled()
        with pytest.raises(IdReused):
            await done
    assert len(node.store.log) == events


async def test_what_cannot_be_said_is_refused_at_once(node: FakeNode) -> None:
    assert isinstance(post(node, " ").exception(), TextInvalid)
    assert not node.waiting


@pytest.mark.parametrize(
    ("everyone", "error"), [(None, NotFound), (Role.VIEWER, Forbidden), (Role.COMMENTER, None)]
)
async def test_a_message_is_for_those_who_may_speak(
    everyone: Role | None, error: type[Exception] | None
) -> None:
    node = FakeNode(FakeStore())
    await open_room(node, everyone)
    done = post(node, "Hello", client="ben", actor="Ben")
    await node.settled()
    if error is None:
        assert len(await done) == 1
    else:
        with pytest.raises(error):
            await done
        assert len(node.store.log) == 1


async def test_a_message_that_was_brought_before_is_brought_once(node: FakeNode) -> None:
    node.commits_by_itself = True
    now = node.clock.now
    documents = Documents(node.lives, node.store, Rooms(node.lives, now=now), now=now)
    messages = Messages(node.lives, documents, now=now)

    def bring(text: str, *, is_new: bool) -> asyncio.Future[Sequence[Recorded]]:
        """As from another room."""
        plain: dict[str, Any] = dict.fromkeys(("reply_to", "link", "edited", "deleted", "pinned"))
        plain |= {"source": "old", "author": "Zoe", "posted": 1, "documents": {}, "mentions": []}
        plain |= {"edits": 0, "reactions": [], "text": text}
        return messages.bring("demo", "m1", actor="Ada", is_new=is_new, **plain)

    assert len(await bring("Hello", is_new=True)) == 1
    for is_new in (True, False):
        assert await bring("Hello", is_new=is_new) == ()
        with pytest.raises(IdReused):
            await bring("Other", is_new=is_new)
