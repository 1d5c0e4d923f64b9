"""Messages as use cases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from application.documents import Documents
from application.log import Recorded
from application.messages import Messages
from application.rooms import Rooms
from domain.aggregate import Event
from domain.document import Document, Edit
from domain.errors import Forbidden, IdReused, NotFound, OpInvalid, RevisionAhead, TextInvalid
from domain.message import Edited, Imported, Link, Posted
from domain.rights import Role
from domain.room import Room
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


def messages_on(node: FakeNode) -> Messages:
    now = node.clock.now
    documents = Documents(node.lives, node.store, Rooms(node.lives, now=now), now=now)
    return Messages(node.lives, documents, now=now)


def post(
    node: FakeNode, text: str, client: str = "ada", actor: str = "Ada"
) -> asyncio.Future[Sequence[Recorded]]:
    messages = messages_on(node)
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


# What becomes of a message.


@pytest.fixture
async def said(node: FakeNode) -> FakeNode:
    """A node on which Ada has said something, in a room where everybody may comment."""
    await change_room(node, lambda room, at: room.change_access(Role.COMMENTER, actor="Ada", at=at))
    post(node, "Hello")
    await node.settled()
    return node


async def change_room(node: FakeNode, change: Callable[[Room, datetime], None]) -> None:
    def decide(room: Room) -> Room:
        change(room, node.clock.now())
        return room

    node.lives.submit("room:demo", decide)
    await node.settled()


async def outcome(node: FakeNode, doing: Awaitable[Sequence[Recorded]]) -> list[Event]:
    """The events that come of something."""
    done = asyncio.ensure_future(doing)
    for _ in range(2):  # one that looks something up submits when it has found it
        await asyncio.sleep(0)
        await node.settled()
    return [recorded.event for recorded in await done]


async def test_who_is_spoken_to_is_who_may_know_of_the_room(node: FakeNode) -> None:
    await change_room(node, lambda room, at: room.add_member("ben", Role.VIEWER, actor="Ada", at=at))
    [posted] = await outcome(node, post(node, "@ben @cem @Ada look"))
    assert isinstance(posted, Posted)
    assert posted.mentions == ["ben"]
    await change_room(node, lambda room, at: room.change_access(Role.VIEWER, actor="Ada", at=at))
    [edited] = await outcome(node, messages_on(node).edit("demo", "m1", "@cem look", actor="Ada"))
    assert isinstance(edited, Edited)
    assert edited.mentions == ["cem"]


@pytest.mark.parametrize(
    ("everyone", "told"),
    [(Role.VIEWER, "this message was deleted"), (None, "there is no such room")],
    ids=["to a viewer", "to a stranger"],
)
async def test_a_reaction_whose_answer_was_lost_is_not_refused_for_a_right_when_its_message_is_gone(
    said: FakeNode, everyone: Role | None, told: str
) -> None:
    """It is in the log, and was never refused."""
    messages = messages_on(said)
    assert await outcome(said, messages.react("demo", "m1", "👍", is_on=True, actor="Ben"))
    await outcome(said, messages.delete("demo", "m1", actor="Ada"))
    await change_room(said, lambda room, at: room.change_access(everyone, actor="Ada", at=at))
    with pytest.raises(NotFound, match=told):
        await outcome(said, messages.react("demo", "m1", "👍", is_on=True, actor="Ben"))
    with pytest.raises(Forbidden if everyone else NotFound):
        await outcome(said, messages.react("demo", "m2", "👍", is_on=True, actor="Ben"))


async def test_a_message_is_edited_by_its_author(said: FakeNode) -> None:
    messages = messages_on(said)
    with pytest.raises(Forbidden):
        await outcome(said, messages.edit("demo", "m1", "Ha", actor="Ben"))
    [edited] = await outcome(said, messages.edit("demo", "m1", "Ha", actor="Ada"))
    assert isinstance(edited, Edited)
    assert await outcome(said, messages.edit("demo", "m1", "Ha", actor="Ada")) == []
    with pytest.raises(NotFound):
        await outcome(said, messages.edit("demo", "m2", "Ha", actor="Ada"))


async def test_a_message_is_deleted_by_its_author_or_an_owner(said: FakeNode) -> None:
    messages = messages_on(said)
    done = messages.post("demo", "m2", client="ben", text="Ho", documents={}, actor="Ben")
    await outcome(said, done)
    with pytest.raises(Forbidden):
        await outcome(said, messages.delete("demo", "m1", actor="Ben"))
    [deleted] = await outcome(said, messages.delete("demo", "m2", actor="Ada"))
    assert (deleted.actor, deleted.originator_id) == ("Ada", "message:demo/m2")
    assert await outcome(said, messages.delete("demo", "m2", actor="Ben")) == []
    with pytest.raises(NotFound):
        await outcome(said, messages.delete("demo", "m3", actor="Ada"))


async def test_a_reaction_is_for_those_who_may_speak_and_a_pin_for_those_who_edit(said: FakeNode) -> None:
    messages = messages_on(said)
    react = partial(messages.react, "demo", "m1", "👍", actor="Ben")
    assert len(await outcome(said, react(is_on=True))) == 1
    assert await outcome(said, react(is_on=True)) == []
    assert len(await outcome(said, react(is_on=False))) == 1
    with pytest.raises(Forbidden):
        await outcome(said, messages.pin("demo", "m1", is_pinned=True, actor="Ben"))
    assert len(await outcome(said, messages.pin("demo", "m1", is_pinned=True, actor="Ada"))) == 1
    assert (await messages.get("demo", "m1")).is_pinned


async def test_what_a_message_refers_to_is_looked_up(said: FakeNode) -> None:
    messages = messages_on(said)
    document = Document.create("demo", "main.md", actor="Ada", at=said.clock.now())
    document.edit(Edit("ada", 1, 0, ["Hello"], "d"), actor="Ada", at=said.clock.now())
    said.store.append([event for event in document.collect_events() if isinstance(event, Event)])
    said.feed()

    def link(revision: int, start: int, end: int, document: str = "main.md") -> Link:
        return {"document": document, "revision": revision, "start": start, "end": end}

    await messages.check_references("demo", "m1", link(1, 0, 5))
    await messages.check_references("demo", None, link(0, 0, 9))
    await messages.check_references("demo", None, None)
    cases: list[tuple[str | None, Link | None, type[Exception]]] = [
        ("m2", None, NotFound),
        (None, link(1, 0, 6), OpInvalid),
        (None, link(0, 2, 1), OpInvalid),
        (None, link(2, 0, 1), RevisionAhead),
        (None, link(1, 0, 1, "none.md"), NotFound),
    ]
    for reply_to, wrong, error in cases:
        with pytest.raises(error):
            await messages.check_references("demo", reply_to, wrong)


def import_into(
    node: FakeNode, text: str = "Before", actor: str = "Ada"
) -> asyncio.Future[Sequence[Recorded]]:
    return messages_on(node).bring(
        "demo",
        "m9",
        actor=actor,
        source="lab",
        author="Eve",
        posted=1,
        text=text,
        documents={},
        reply_to=None,
        mentions=[],
        link=None,
        edits=0,
        edited=None,
        deleted=None,
        pinned=None,
        reactions=[],
    )


async def test_an_owner_brings_in_what_was_said_elsewhere_once(said: FakeNode) -> None:
    with pytest.raises(Forbidden):
        await outcome(said, import_into(said, actor="Ben"))
    [imported] = await outcome(said, import_into(said))
    assert isinstance(imported, Imported)
    assert await outcome(said, import_into(said)) == []
    with pytest.raises(IdReused):
        await outcome(said, import_into(said, "Otherwise"))


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
