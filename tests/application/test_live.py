"""Live aggregates, as scripts: what is submitted, what the log makes of it, who hears what and when."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application import live
from application.live import EMPTY_WEIGHT_BYTES, LOAD_ATTEMPTS, REFUSALS_MAX, abandonable
from application.log import Recorded
from application.rooms import guard
from domain.aggregate import Event, Unreadable
from domain.document import Document, Edit, EditApplied, HistoryNeeded
from domain.errors import (
    Contended,
    Corrupt,
    Forbidden,
    IdReused,
    NotFound,
    Overloaded,
    SequenceGap,
    StoreUnavailable,
)
from domain.ids import document_stream, message_stream, presence_stream, room_stream
from domain.message import Message, Posted
from domain.presence import Presence
from domain.rights import Action, Role
from domain.room import Room
from domain.text_op import Op
from tests.application.fakes import Clock, FakeNode, FakeStore
from tests.domain.events import NOON, later

STREAM = document_stream("demo", "main.md")

Done = asyncio.Future[Sequence[Recorded]]


def create(head: Document | None) -> Document:
    return head or Document.create("demo", "main.md", actor="Ada", at=NOON)


def create_later(head: Document | None) -> Document:
    """The same on another node."""
    return head or Document.create("demo", "main.md", actor="Ben", at=later())


def edit(
    client: str, seq: int, base: int, op: Op, at: datetime = NOON
) -> Callable[[Document | None], Document]:
    def decide(head: Document | None) -> Document:
        if head is None:
            raise NotFound("there is no such document")
        head.edit(Edit(client, seq, base, op, f"{base} {op}"), actor=client, at=at)
        return head

    return decide


def type_at_start(node: FakeNode, client: str, seq: int, text: str, base: int = 0) -> Done:
    return node.lives.submit(STREAM, edit(client, seq, base, [text]))


def text_of(node: FakeNode) -> str:
    return str(found(node).text)


def found(node: FakeNode, stream: str = STREAM) -> Document:
    document = node.lives.find(stream)
    assert isinstance(document, Document)
    return document


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
async def node(store: FakeStore) -> FakeNode:
    """A node with an empty document in memory."""
    return await a_node(store)


async def a_node(store: FakeStore) -> FakeNode:
    node = FakeNode(store)
    done = node.lives.submit(STREAM, create)
    await node.settled()
    assert done.done()
    return node


# The usual case.


async def test_a_command_is_answered_by_its_events_when_the_feed_brings_them(node: FakeNode) -> None:
    done = type_at_start(node, "ada", 1, "x")
    node.commit(feed=False)
    assert not done.done()
    node.feed()
    [recorded] = done.result()
    assert recorded == node.store.log[-1]


async def test_nothing_is_visible_before_it_is_committed(node: FakeNode) -> None:
    type_at_start(node, "ada", 1, "x")
    node.commit(feed=False)
    assert text_of(node) == ""
    node.feed()
    assert text_of(node) == "x"


async def test_commands_are_decided_in_their_order_without_waiting_for_commits(node: FakeNode) -> None:
    first, second = type_at_start(node, "ada", 1, "a"), type_at_start(node, "ben", 1, "b")
    assert [submission.events[0].originator_version for submission in node.waiting] == [2, 3]
    node.commit()
    assert [done.result()[0].event.originator_version for done in (first, second)] == [2, 3]
    assert text_of(node) == "ba"


async def test_events_of_streams_that_nobody_uses_are_passed_over(node: FakeNode) -> None:
    other = Document.create("demo", "other.md", actor="Ada", at=NOON)
    node.store.append(other.collect_events())  # type: ignore[arg-type]
    node.feed()
    assert len(node.lives) == 1


async def test_a_command_with_several_events_is_answered_when_all_have_come(node: FakeNode) -> None:
    def begin(head: Presence | None) -> Presence:
        presence = head or Presence.begin("demo", "node-1.1", node="node-1", at=NOON)
        presence.record([["ada", "main.md", 0, 0, 0, 0]], [], at=NOON)
        return presence

    done = node.lives.submit(presence_stream("demo", "node-1.1"), begin, is_new=True)
    node.commit(feed=False)
    node.feed(1)
    assert not done.done()
    node.feed(1)
    assert [recorded.event.originator_version for recorded in done.result()] == [1, 2]


async def test_a_waiter_that_went_away_does_no_harm(node: FakeNode) -> None:
    gone, stays = type_at_start(node, "ada", 1, "x"), type_at_start(node, "ben", 1, "y")
    gone.cancel()
    node.commit()
    assert stays.done()
    gone = type_at_start(node, "ada", 3, "x")
    assert isinstance(gone.exception(), SequenceGap)


# Nothing to do.


async def test_a_command_without_effect_is_answered_at_once(node: FakeNode) -> None:
    type_at_start(node, "ada", 1, "x")
    node.commit()
    again = type_at_start(node, "ada", 1, "x")
    assert again.result() == ()
    assert not node.waiting


async def test_a_resend_of_what_is_on_its_way_is_answered_when_that_is_durable(node: FakeNode) -> None:
    first = type_at_start(node, "ada", 1, "x")
    again = type_at_start(node, "ada", 1, "x")
    assert not again.done()
    node.commit()
    assert (len(first.result()), again.result()) == (1, ())
    assert len(node.store.stream(STREAM)) == 2


# Errors.


async def test_an_error_goes_to_whoever_waits_and_changes_nothing(node: FakeNode) -> None:
    done = type_at_start(node, "ada", 2, "x")
    assert isinstance(done.exception(), SequenceGap)
    assert not node.waiting
    type_at_start(node, "ada", 1, "x")
    node.commit()
    assert text_of(node) == "x"


async def test_a_mistake_of_ours_goes_to_whoever_waits_too(node: FakeNode) -> None:
    def decide(head: Any) -> Any:
        raise ZeroDivisionError

    done = node.lives.submit(STREAM, decide)
    assert isinstance(done.exception(), ZeroDivisionError)
    assert not type_at_start(node, "ada", 1, "x").done()


async def test_a_full_log_is_asked_before_anything_is_decided(node: FakeNode) -> None:
    node.is_full = True
    done = type_at_start(node, "ada", 1, "x")
    assert isinstance(done.exception(), Overloaded)
    node.is_full = False
    type_at_start(node, "ada", 1, "y")
    node.commit()
    assert text_of(node) == "y"


# Another node writes too.


async def test_events_of_others_are_followed(node: FakeNode, store: FakeStore) -> None:
    other = await a_node(store)
    type_at_start(other, "ben", 1, "x")
    other.commit()
    assert text_of(node) == ""
    node.feed()
    assert text_of(node) == "x"
    type_at_start(node, "ada", 1, "y", base=1)
    node.commit()
    assert text_of(node) == "yx"


async def test_a_refused_command_is_decided_again_on_what_the_winner_wrote(
    node: FakeNode, store: FakeStore
) -> None:
    other = await a_node(store)
    type_at_start(other, "ben", 1, "x")
    other.commit()
    done = type_at_start(node, "ada", 1, "y")
    node.commit(feed=False)
    await node.loaded()
    assert not done.done()
    node.commit()
    [recorded] = done.result()
    assert isinstance(recorded.event, EditApplied)
    assert (recorded.event.revision, recorded.event.base) == (2, 0)
    assert text_of(node) == "yx"


async def test_a_lost_race_that_the_feed_tells_first_is_decided_again_without_reading(
    node: FakeNode, store: FakeStore
) -> None:
    other = await a_node(store)
    type_at_start(other, "ben", 1, "x")
    other.commit()
    done = type_at_start(node, "ada", 1, "y")
    reads = store.reads
    node.feed()
    node.commit()
    assert (len(done.result()), store.reads) == (1, reads)
    assert [submission.generation for submission in node.dropped] == [0]


async def test_what_was_decided_on_a_lost_event_is_lost_too(node: FakeNode, store: FakeStore) -> None:
    """The stale successor: by its number alone it would fit behind the winner's event."""
    other = await a_node(store)
    type_at_start(other, "ben", 1, "x")
    other.commit()
    first, second = type_at_start(node, "ada", 1, "1"), type_at_start(node, "cem", 1, "2")
    lost, successor = node.waiting.popleft(), node.waiting.popleft()
    lost.owner.on_refused(lost.generation)
    assert not successor.is_current
    await node.settled()
    assert [done.result()[0].event.originator_version for done in (first, second)] == [3, 4]
    assert text_of(node) == "21x"


async def test_a_refusal_of_an_older_generation_is_ignored(node: FakeNode) -> None:
    done = type_at_start(node, "ada", 1, "x")
    submission = node.waiting[0]
    submission.owner.on_refused(submission.generation - 1)
    assert submission.is_current
    node.commit()
    assert done.done()


async def test_followers_of_a_lost_command_are_decided_again_as_well(
    node: FakeNode, store: FakeStore
) -> None:
    other = await a_node(store)
    type_at_start(other, "ben", 1, "x")
    other.commit()
    first, again = type_at_start(node, "ada", 1, "y"), type_at_start(node, "ada", 1, "y")
    await node.settled()
    assert (len(first.result()), again.result()) == (1, ())


async def test_a_command_is_decided_a_bounded_number_of_times(node: FakeNode) -> None:
    done = type_at_start(node, "ada", 1, "x")
    for _ in range(REFUSALS_MAX):
        assert not done.done()
        node.lose_connection(committed=False)
        await node.loaded()
    error = done.exception()
    assert isinstance(error, Contended)
    assert error.facts["retry_after"]
    assert not node.waiting


async def test_a_command_that_meets_its_own_effect_under_way_waits_for_the_feed(
    node: FakeNode, store: FakeStore
) -> None:
    """The other node took the same edit in: a resend of a client that has changed nodes."""
    other = await a_node(store)
    type_at_start(other, "ada", 1, "x")
    other.commit()
    done = node.lives.submit(STREAM, edit("ada", 1, 0, ["x"], at=later()))
    await node.settled()
    assert done.result() == ()
    assert len(store.stream(STREAM)) == 2


async def test_an_event_of_another_node_that_is_the_same_in_all_is_as_good_as_our_own(
    node: FakeNode, store: FakeStore
) -> None:
    other = await a_node(store)
    type_at_start(other, "ada", 1, "x")
    other.commit()
    done = type_at_start(node, "ada", 1, "x")
    await node.settled()
    assert done.result() == store.log[-1:]
    assert len(store.stream(STREAM)) == 2
    assert text_of(node) == "x"


# New streams.


async def test_a_stream_that_is_said_to_be_new_is_not_read(store: FakeStore) -> None:
    node = FakeNode(store)
    done = node.lives.submit(STREAM, create, is_new=True)
    node.commit()
    assert (len(done.result()), store.reads) == (1, 0)


async def test_where_that_was_wrong_the_command_is_decided_on_what_is_there(
    node: FakeNode, store: FakeStore
) -> None:
    other = FakeNode(store)
    done = other.lives.submit(STREAM, create_later, is_new=True)
    await other.settled()
    assert done.result() == ()
    assert len(store.stream(STREAM)) == 1


async def test_an_event_that_shows_a_stream_to_be_old_makes_it_be_read(
    node: FakeNode, store: FakeStore
) -> None:
    other = FakeNode(store)
    other.feed()
    done = other.lives.submit(STREAM, create_later, is_new=True)
    type_at_start(node, "ada", 1, "x")
    node.commit()
    other.feed()
    await other.loaded()
    other.commit()
    assert done.result() == ()
    assert text_of(other) == "x"


# Events that this version cannot read.


async def test_nothing_is_decided_on_a_stream_with_an_event_that_cannot_be_read(
    node: FakeNode, store: FakeStore
) -> None:
    done = type_at_start(node, "ada", 1, "x")
    node.waiting.clear()
    make: Any = Unreadable  # its constructor is made by a metaclass
    event: Unreadable = make(
        originator_id=STREAM,
        originator_version=2,
        timestamp=NOON,
        actor="",
        topic="x",
        reason="of the future",
    )
    node.lives.on_events([Recorded(9, event)])
    assert isinstance(done.exception(), Corrupt)
    assert STREAM not in node.lives


# Unknown outcomes and stalls.


async def test_a_commit_that_came_true_after_all_is_found_and_not_repeated(node: FakeNode) -> None:
    done = type_at_start(node, "ada", 1, "x")
    node.lose_connection(committed=True)
    await node.settled()
    assert done.result() == ()
    node.feed()
    assert text_of(node) == "x"
    assert len(node.store.stream(STREAM)) == 2


async def test_a_commit_that_did_not_come_true_is_repeated(node: FakeNode) -> None:
    done = type_at_start(node, "ada", 1, "x")
    node.lose_connection(committed=False)
    await node.settled()
    assert len(done.result()) == 1
    assert text_of(node) == "x"


async def test_in_a_stall_everybody_who_waits_is_told_and_the_work_goes_on(node: FakeNode) -> None:
    first, again = type_at_start(node, "ada", 1, "x"), type_at_start(node, "ada", 1, "x")
    type_at_start(node, "ada", 1, "x").cancel()
    node.stall()
    for done in (first, again):
        error = done.exception()
        assert isinstance(error, StoreUnavailable)
        assert error.facts["retry_after"]
    resend = type_at_start(node, "ada", 1, "x")
    node.commit()
    assert resend.result() == ()
    assert text_of(node) == "x"


# Reading.


async def test_commands_wait_for_the_stream_to_be_read_in_their_order(
    node: FakeNode, store: FakeStore
) -> None:
    fresh = FakeNode(store)
    first, second = type_at_start(fresh, "ada", 1, "a"), type_at_start(fresh, "ben", 1, "b")
    assert (fresh.lives.find(STREAM), len(fresh.waiting)) == (None, 0)
    await fresh.loaded()
    assert len(fresh.waiting) == 2
    fresh.commit()
    assert (first.done(), second.done(), text_of(fresh)) == (True, True, "ba")


@pytest.mark.parametrize("is_read_before", [True, False])
async def test_an_event_that_comes_while_the_stream_is_read_counts_once(
    node: FakeNode, store: FakeStore, *, is_read_before: bool
) -> None:
    fresh = FakeNode(store)
    fresh.feed()
    if not is_read_before:
        store.hold_reads()
    reading = asyncio.ensure_future(fresh.lives.get(STREAM))
    if is_read_before:
        store.hold_reads()
    await asyncio.sleep(0)
    type_at_start(node, "ada", 1, "x")
    node.commit()
    fresh.feed()
    store.release_reads()
    document = await reading
    assert document is not None
    assert str(document.text) == "x"
    type_at_start(node, "ben", 1, "y")
    node.commit()
    fresh.feed()
    assert text_of(fresh) == "yx"


async def test_a_stream_is_read_again_until_the_store_is_back(
    node: FakeNode, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOAD_RETRY_SECONDS", 0.0)
    store.failing_reads = LOAD_ATTEMPTS - 1
    fresh = FakeNode(store)
    assert await fresh.lives.get(STREAM) is not None


async def test_reading_is_given_up_and_everybody_told_and_the_next_one_tries_afresh(
    node: FakeNode, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOAD_RETRY_SECONDS", 0.0)
    store.failing_reads = LOAD_ATTEMPTS
    fresh = FakeNode(store)
    done = type_at_start(fresh, "ada", 1, "x")
    with pytest.raises(StoreUnavailable):
        await fresh.lives.get(STREAM)
    assert isinstance(done.exception(), StoreUnavailable)
    assert len(fresh.lives) == 0
    assert await fresh.lives.get(STREAM) is not None


async def test_a_stream_that_cannot_be_read_keeps_nobody_waiting(node: FakeNode, store: FakeStore) -> None:
    """Whatever is wrong with it: an unanswered command would be worse than any error."""
    for error in (Corrupt("unreadable"), ZeroDivisionError()):
        store.error = error
        fresh = FakeNode(store)
        done = type_at_start(fresh, "ada", 1, "x")
        await fresh.loaded()
        assert done.exception() is error
        assert len(fresh.lives) == 0


async def test_getting_a_stream_that_cannot_be_read_raises(node: FakeNode, store: FakeStore) -> None:
    store.error = Corrupt("unreadable")
    fresh = FakeNode(store)
    with pytest.raises(StoreUnavailable):
        await fresh.lives.get(STREAM)


async def test_a_stream_that_is_not_there_is_none(store: FakeStore) -> None:
    node = FakeNode(store)
    assert node.lives.find(STREAM) is None
    assert await node.lives.get(STREAM) is None


async def test_that_a_stream_is_not_there_is_not_remembered(store: FakeStore) -> None:
    """Another node may have told of it already, and the feed be on its way."""
    node, elsewhere = FakeNode(store), FakeNode(store)
    assert await node.lives.get(STREAM) is None
    elsewhere.lives.submit(STREAM, create)
    await elsewhere.settled()
    assert await node.lives.get(STREAM) is not None


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_stream_that_is_being_created_is_there_when_that_is_durable(
    store: FakeStore, *, is_first: bool
) -> None:
    node, elsewhere = FakeNode(store), FakeNode(store)
    for place in (node, elsewhere):
        place.lives.submit(STREAM, create if place is node else create_later)
        await place.loaded()
    getting = asyncio.ensure_future(node.lives.get(STREAM))
    await asyncio.sleep(0)
    assert not getting.done()
    for place in (node, elsewhere) if is_first else (elsewhere, node):
        place.commit()
    await node.settled()
    assert await getting is found(node)


async def test_a_stream_that_could_not_be_created_after_all_is_not_there(node: FakeNode) -> None:
    other = document_stream("demo", "other.md")
    decided: list[Any] = []

    def create_once(head: Any) -> Document:
        decided.append(head)
        if len(decided) > 1:
            raise SequenceGap("the second time it is not wanted")
        return Document.create("demo", "other.md", actor="Ada", at=NOON)

    node.lives.submit(other, create_once)
    await node.loaded()
    getting = asyncio.ensure_future(node.lives.get(other))
    await asyncio.sleep(0)
    node.lose_connection(committed=False)
    await node.loaded()
    assert decided == [None, None]
    assert await getting is None


async def test_closing_ends_the_reading_that_is_under_way(store: FakeStore) -> None:
    store.hold_reads()
    node = FakeNode(store)
    node.lives.submit(STREAM, create)
    await asyncio.sleep(0)
    await node.lives.close()
    [reading] = [live.loading for live in node.lives]
    assert reading is not None
    assert reading.cancelled()


# Guards. Ada owns the room, Ben is an editor; Cem comes when somebody lets him in.

ROOM = room_stream("demo")
NOBODY_COMES_IN = 10**9


def change_room(node: FakeNode, change: Callable[[Room], None]) -> Done:
    def decide(head: Room | None) -> Room:
        room = head or Room.open("demo", "Demo", actor="ada", at=NOON)
        change(room)
        return room

    return node.lives.submit(ROOM, decide)


def add(node: FakeNode, user: str, role: Role = Role.EDITOR) -> Done:
    return change_room(node, lambda room: room.add_member(user, role, actor="ada", at=later()))


def remove(node: FakeNode, user: str) -> Done:
    return change_room(node, lambda room: room.remove_member(user, actor="ada", at=later()))


def write(node: FakeNode, user: str, seq: int, text: str = "x", stream: str = STREAM) -> Done:
    """An edit that its user must have the right to make."""
    may_edit = guard("demo", user, Action.EDIT)
    return node.lives.submit(stream, edit(user, seq, 0, [text]), guard=may_edit)


def post(node: FakeNode, user: str, message: str) -> Done:
    def decide(head: Message | None) -> Message:
        return head or Message.post(
            "demo", message, client=user, text="hello", documents={}, actor=user, at=NOON
        )

    may_post = guard("demo", user, Action.POST)
    return node.lives.submit(message_stream("demo", message), decide, is_new=True, guard=may_post)


async def a_node_in_the_room(store: FakeStore) -> FakeNode:
    """Room and document are in its memory."""
    node = FakeNode(store)
    node.feed()
    add(node, "ben")
    node.lives.submit(STREAM, create)
    await node.settled()
    return node


@pytest.fixture
async def member(store: FakeStore) -> FakeNode:
    return await a_node_in_the_room(store)


@pytest.fixture
async def elsewhere(member: FakeNode) -> FakeNode:
    return await a_node_in_the_room(member.store)


def let_go(node: FakeNode, stream: str) -> None:
    """Let this stream go from the memory, and no other."""
    [live] = [live for live in node.lives if live.stream == stream]
    assert not live.is_busy
    node.lives.forget(live)


def assert_idle(node: FakeNode) -> None:
    """Nothing is left of what was done."""
    assert not node.lives._tasks
    assert not any(live.is_busy for live in node.lives)


async def test_what_a_right_allows_is_decided_at_once_and_says_what_it_relied_on(member: FakeNode) -> None:
    reads = member.store.reads
    done = write(member, "ben", 1)
    assert [submission.guard for submission in member.waiting] == [(ROOM, 2)]
    member.commit()
    assert (len(done.result()), member.store.reads) == (1, reads)


@pytest.mark.parametrize(("role", "error"), [(Role.VIEWER, Forbidden), (None, NotFound)])
async def test_who_has_no_right_is_refused_when_the_log_says_so_too(
    member: FakeNode, role: Role | None, error: type[Exception]
) -> None:
    if role is not None:
        add(member, "cem", role)
        await member.settled()
    reads = member.store.reads
    done = write(member, "cem", 1)
    assert not done.done()
    await member.settled()
    assert (type(done.exception()), member.store.reads) == (error, reads + 1)
    assert not member.waiting
    assert_idle(member)


async def test_a_right_in_a_room_that_there_is_not_is_none(node: FakeNode) -> None:
    done = write(node, "ben", 1)
    await node.settled()
    assert isinstance(done.exception(), NotFound)
    assert_idle(node)


async def test_a_right_that_another_node_has_given_counts_at_once(
    member: FakeNode, elsewhere: FakeNode
) -> None:
    add(elsewhere, "cem")
    elsewhere.commit()
    done = write(member, "cem", 1)
    await member.settled()
    assert len(done.result()) == 1
    assert_idle(member)


async def test_a_right_that_another_node_has_taken_away_is_not_used_any_more(
    member: FakeNode, elsewhere: FakeNode
) -> None:
    remove(elsewhere, "ben")
    elsewhere.commit()
    done = write(member, "ben", 1)
    assert len(member.waiting) == 1, "this node has not heard of it yet"
    await member.settled()
    assert isinstance(done.exception(), NotFound)
    assert len(member.store.stream(STREAM)) == 1
    assert_idle(member)


@pytest.mark.parametrize("is_removed_first", [True, False])
async def test_a_right_that_is_taken_away_in_the_same_batch_is_not_used_any_more(
    member: FakeNode, *, is_removed_first: bool
) -> None:
    if is_removed_first:
        remove(member, "ben")
    done = write(member, "ben", 1)
    if not is_removed_first:
        remove(member, "ben")
    await member.settled()
    assert isinstance(done.exception(), NotFound)
    assert len(member.store.stream(STREAM)) == 1
    assert len(member.store.stream(ROOM)) == 3


async def test_other_changes_of_the_room_cost_only_another_decision(
    member: FakeNode, elsewhere: FakeNode
) -> None:
    add(elsewhere, "cem")
    elsewhere.commit()
    done = write(member, "ben", 1)
    await member.settled()
    assert len(done.result()) == 1
    assert_idle(member)


async def test_an_edit_that_came_true_before_its_right_was_taken_away_is_not_refused(
    member: FakeNode, elsewhere: FakeNode
) -> None:
    done, other = write(member, "ben", 1), write(member, "ben", 2)
    lost = member.waiting.pop()
    member.lose_connection(committed=True)
    assert not lost.is_current
    remove(elsewhere, "ben")
    await elsewhere.settled()
    await member.settled()
    assert done.result() == ()
    assert isinstance(other.exception(), NotFound)
    assert_idle(member)


@pytest.mark.parametrize("is_back", [True, False])
async def test_who_has_no_right_is_not_refused_what_is_still_on_its_way(
    member: FakeNode, elsewhere: FakeNode, *, is_back: bool
) -> None:
    """What its client has given up may come true all the same, when the right comes back."""
    first = post(member, "ben", "m1")
    remove(elsewhere, "ben")
    elsewhere.commit()
    member.stall()
    assert isinstance(first.exception(), StoreUnavailable)
    again = post(member, "ben", "m1")
    member.feed()
    late = post(member, "ben", "m1")
    await member.loaded()
    assert not late.done()
    if is_back:
        add(elsewhere, "ben")
        elsewhere.commit()
    await member.settled()
    stored = member.store.stream(message_stream("demo", "m1"))
    if is_back:
        assert (len(stored), len(again.result()), late.result()) == (1, 1, ())
    else:
        assert not stored
        assert isinstance(again.exception(), NotFound)
        assert isinstance(late.exception(), NotFound)
    assert_idle(member)


@pytest.mark.parametrize("is_told", [True, False])
async def test_what_nobody_waits_for_is_not_decided_once_more(
    member: FakeNode, elsewhere: FakeNode, *, is_told: bool
) -> None:
    """They may have been refused elsewhere by now, whatever their right is when it comes up again."""
    done = post(member, "ben", "m1")
    remove(elsewhere, "ben")
    elsewhere.commit()
    if is_told:
        member.stall()
        assert isinstance(done.exception(), StoreUnavailable)
    else:
        done.cancel()
    add(elsewhere, "ben")
    elsewhere.commit()
    await member.settled()
    assert not member.store.stream(message_stream("demo", "m1"))
    assert_idle(member)


async def test_who_is_cancelled_as_a_command_fails_leaves_nothing_behind(
    member: FakeNode, caplog: pytest.LogCaptureFixture
) -> None:
    async def wait_for(done: Done) -> None:
        await done

    waiting = asyncio.ensure_future(wait_for(abandonable(post(member, "ben", "m1"))))
    member.stall()
    waiting.cancel()  # it has not even begun to wait
    with pytest.raises(asyncio.CancelledError):
        await waiting
    del waiting
    member.lives.forget(next(live for live in member.lives if live.stream == message_stream("demo", "m1")))
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_what_cannot_be_told_from_memory_did_not_come_true(
    member: FakeNode, elsewhere: FakeNode
) -> None:
    """Its decision asks for more, but the right is gone in any case."""
    asked: list[Document] = []

    def decide(head: Document) -> Document:
        if asked:
            raise HistoryNeeded(0, 1)
        asked.append(head)
        return edit("ben", 1, 0, ["x"])(head)

    done = member.lives.submit(STREAM, decide, guard=guard("demo", "ben", Action.EDIT))
    remove(elsewhere, "ben")
    elsewhere.commit()
    await member.settled()
    assert isinstance(done.exception(), NotFound)


async def test_a_room_that_was_let_go_is_read_for_its_documents(member: FakeNode) -> None:
    let_go(member, ROOM)
    done, again = write(member, "ben", 1), write(member, "ben", 2)
    assert not member.waiting
    await member.settled()
    assert [done.result()[0].event.originator_version for done in (done, again)] == [2, 3]
    assert member.lives.find(ROOM) is not None
    assert_idle(member)


async def test_a_message_waits_for_its_room_to_be_read(member: FakeNode) -> None:
    let_go(member, ROOM)
    done, refused = post(member, "ben", "m1"), post(member, "cem", "m2")
    assert member.lives.evict(idle_seconds=0, budget_bytes=0)
    await member.settled()
    [recorded] = done.result()
    assert isinstance(recorded.event, Posted)
    assert isinstance(refused.exception(), NotFound)
    assert_idle(member)


async def test_reading_a_right_leaves_alone_what_the_room_has_on_its_way(member: FakeNode) -> None:
    adding = add(member, "cem")
    [change] = member.waiting
    done = write(member, "cem", 1)
    await member.loaded()
    assert isinstance(done.exception(), NotFound), "he is not in the room before it is in the log"
    assert change.is_current
    member.commit()
    assert len(adding.result()) == 1
    assert len(member.store.stream(ROOM)) == 3
    assert_idle(member)


async def test_edits_are_decided_in_their_order_though_the_right_of_the_first_is_read(
    member: FakeNode, elsewhere: FakeNode
) -> None:
    """The feed tells of the right while the log is asked: the second must not pass by the first."""
    add(elsewhere, "cem")
    elsewhere.commit()
    member.store.hold_reads()
    first = write(member, "cem", 1)
    await asyncio.sleep(0)
    member.feed()
    second = write(member, "cem", 2)
    member.store.release_reads()
    await member.settled()
    assert [done.result()[0].event.originator_version for done in (first, second)] == [2, 3]
    assert_idle(member)


async def test_who_comes_while_a_right_is_read_is_not_refused_by_that_reading(member: FakeNode) -> None:
    """It may have begun before the right was given."""
    store = StoreThatAnswersLate()
    member, elsewhere = await a_node_in_the_room(store), await a_node_in_the_room(store)
    store.release.clear()
    first = write(member, "cem", 1)
    await asyncio.sleep(0)
    add(elsewhere, "cem")
    elsewhere.commit()
    second = write(member, "cem", 1)
    store.release.set()
    await member.settled()
    assert isinstance(first.exception(), NotFound)
    assert len(second.result()) == 1
    assert_idle(member)


async def test_others_do_not_wait_while_somebodys_right_is_read(member: FakeNode) -> None:
    member.store.hold_reads()
    stranger = write(member, "cem", 1)
    await asyncio.sleep(0)
    done = write(member, "ben", 1)
    member.commit()
    assert (len(done.result()), stranger.done()) == (1, False)
    member.store.release_reads()
    await member.settled()
    assert isinstance(stranger.exception(), NotFound)


async def test_what_waits_for_a_right_keeps_its_order_when_the_stream_is_decided_again(
    member: FakeNode, elsewhere: FakeNode
) -> None:
    """The first was decided on a right that has gone since, the second waits for one; then both do."""
    add(member, "cem")
    await member.settled()
    elsewhere.feed()
    first = write(member, "cem", 1)
    add(elsewhere, "cem", Role.VIEWER)
    elsewhere.commit()
    member.feed()
    member.store.hold_reads()
    second = write(member, "cem", 2)
    await asyncio.sleep(0)
    write(elsewhere, "ben", 1)
    elsewhere.commit()
    member.feed()  # tells that the first has lost its race
    add(elsewhere, "cem")
    elsewhere.commit()
    third = write(member, "cem", 3)
    member.store.release_reads()
    await member.settled()
    assert [done.result()[0].event.originator_version for done in (first, second, third)] == [3, 4, 5]
    assert_idle(member)


async def test_a_lost_race_that_the_feed_tells_decides_again_what_waits_for_a_right(
    member: FakeNode, elsewhere: FakeNode
) -> None:
    add(elsewhere, "cem")
    elsewhere.commit()
    member.store.hold_reads()
    mine, guest = write(member, "ben", 1), write(member, "cem", 1)
    await asyncio.sleep(0)
    write(elsewhere, "ada", 1)
    elsewhere.commit()
    member.feed()
    member.store.release_reads()
    await member.settled()
    assert [len(done.result()) for done in (mine, guest)] == [1, 1]
    assert_idle(member)


async def test_commands_of_one_stream_are_guarded_one_by_one(member: FakeNode) -> None:
    def decide(head: Document | None) -> Document:
        return edit("server", 1, 0, ["s"])(head)

    add(member, "viv", Role.VIEWER)
    await member.settled()
    allowed, forbidden = write(member, "ben", 1), write(member, "viv", 1)
    free = member.lives.submit(STREAM, decide)
    assert [submission.guard for submission in member.waiting] == [(ROOM, 3), None]
    await member.settled()
    assert (len(allowed.result()), len(free.result())) == (1, 1)
    assert isinstance(forbidden.exception(), Forbidden)


async def test_of_a_refused_stream_only_those_without_a_right_are_refused(
    member: FakeNode, elsewhere: FakeNode
) -> None:
    add(member, "cem")
    await member.settled()
    elsewhere.feed()
    remove(elsewhere, "ben")
    elsewhere.commit()
    done = [write(member, "ben", 1), write(member, "cem", 1), write(member, "ben", 2)]
    await member.settled()
    assert len(done[1].result()) == 1
    assert [type(refused.exception()) for refused in done[::2]] == [NotFound, NotFound]
    assert_idle(member)


async def test_a_new_command_of_a_refused_stream_is_decided_on_what_was_read_for_the_others(
    member: FakeNode, elsewhere: FakeNode
) -> None:
    """Else its old right would have them all refused again."""
    add(elsewhere, "cem")
    elsewhere.commit()
    first = write(member, "ben", 1)
    member.store.hold_reads()
    member.commit(feed=False)
    await asyncio.sleep(0)
    second = write(member, "ben", 2)
    member.store.release_reads()
    await member.loaded()
    assert [submission.guard for submission in member.waiting if submission.is_current] == [(ROOM, 3)] * 2
    member.commit()
    assert [len(done.result()) for done in (first, second)] == [1, 1]


async def test_of_what_was_read_and_what_the_feed_has_brought_the_newer_counts(
    member: FakeNode, elsewhere: FakeNode
) -> None:
    add(elsewhere, "cem")
    elsewhere.commit()
    write(member, "cem", 1)
    await member.loaded()
    add(elsewhere, "dan")
    elsewhere.commit()
    write(elsewhere, "ben", 1)
    elsewhere.commit()
    member.feed()
    guards = [(submission.guard, submission.is_current) for submission in member.waiting]
    assert guards == [((ROOM, 3), False), ((ROOM, 4), True)]


@pytest.mark.parametrize("is_in_memory", [True, False])
async def test_a_right_is_read_again_until_the_store_is_back(
    member: FakeNode, monkeypatch: pytest.MonkeyPatch, *, is_in_memory: bool
) -> None:
    monkeypatch.setattr(live, "LOAD_RETRY_SECONDS", 0.0)
    if not is_in_memory:
        let_go(member, ROOM)
    member.store.failing_reads = LOAD_ATTEMPTS - 1
    done = write(member, "cem", 1)
    await member.settled()
    assert isinstance(done.exception(), NotFound)
    assert_idle(member)


@pytest.mark.parametrize("is_in_memory", [True, False])
@pytest.mark.parametrize("error", [None, Corrupt("unreadable"), ZeroDivisionError()])
async def test_a_right_that_cannot_be_read_keeps_nobody_waiting(
    member: FakeNode, monkeypatch: pytest.MonkeyPatch, error: Exception | None, *, is_in_memory: bool
) -> None:
    monkeypatch.setattr(live, "LOAD_RETRY_SECONDS", 0.0)
    if not is_in_memory:
        let_go(member, ROOM)
    member.store.error = error
    member.store.failing_reads = 0 if error else LOAD_ATTEMPTS
    done = [write(member, "cem", 1), write(member, "cem", 2)]
    await member.settled()
    expected = StoreUnavailable if error is None or not is_in_memory else type(error)
    assert [type(refused.exception()) for refused in done] == [expected] * 2
    assert_idle(member)
    member.store.error = None
    allowed = write(member, "ben", 1)
    await member.settled()
    assert len(allowed.result()) == 1


async def test_a_refused_stream_whose_guard_cannot_be_read_is_given_up(
    member: FakeNode, elsewhere: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOAD_RETRY_SECONDS", 0.0)
    add(elsewhere, "cem")
    elsewhere.commit()
    done = write(member, "ben", 1)
    member.commit(feed=False)
    member.store.failing_reads = 2 * LOAD_ATTEMPTS
    await member.loaded()
    assert isinstance(done.exception(), StoreUnavailable)
    assert STREAM not in member.lives
    assert_idle(member)


class StoreWithAnUnreadableMessage(FakeStore):
    async def load(self, stream: str) -> Any | None:
        if stream == message_stream("demo", "m1"):
            raise Corrupt("unreadable")
        return await super().load(stream)


async def test_what_waits_for_a_right_is_told_when_its_stream_cannot_be_read() -> None:
    node = await a_node_in_the_room(StoreWithAnUnreadableMessage())
    node.store.hold_reads()
    done = post(node, "cem", "m1")
    with pytest.raises(StoreUnavailable):
        await node.lives.get(message_stream("demo", "m1"))
    assert isinstance(done.exception(), Corrupt)
    node.store.release_reads()
    await node.loaded()
    assert_idle(node)


async def test_what_waits_for_a_right_is_told_when_its_stream_is_parked(member: FakeNode) -> None:
    member.store.hold_reads()
    done = write(member, "cem", 1)
    await asyncio.sleep(0)
    make: Any = Unreadable  # its constructor is made by a metaclass
    event: Unreadable = make(
        originator_id=STREAM,
        originator_version=2,
        timestamp=NOON,
        actor="",
        topic="x.y",
        reason="of the future",
    )
    member.lives.on_events([Recorded(NOBODY_COMES_IN, event)])
    assert isinstance(done.exception(), Corrupt)
    member.store.release_reads()
    await member.loaded()
    assert_idle(member)


async def test_a_full_log_is_asked_before_a_right_is_read(member: FakeNode) -> None:
    member.is_full = True
    reads = member.store.reads
    done = write(member, "cem", 1)
    assert isinstance(done.exception(), Overloaded)
    assert member.store.reads == reads


async def test_a_fresh_look_does_not_wait_for_the_feed(member: FakeNode, elsewhere: FakeNode) -> None:
    add(elsewhere, "cem")
    elsewhere.commit()
    known, fresh = member.lives.find(ROOM), await member.lives.refresh(ROOM)
    assert isinstance(known, Room)
    assert isinstance(fresh, Room)
    assert (known.role_of("cem"), fresh.role_of("cem")) == (None, Role.EDITOR)
    member.feed()
    assert member.lives.find(ROOM) == fresh


# Memory.


async def test_what_was_not_used_for_long_is_let_go_and_handed_out(node: FakeNode) -> None:
    document = node.lives.find(STREAM)
    node.clock.advance(10)
    assert node.lives.evict(idle_seconds=11, budget_bytes=10**9) == []
    assert node.lives.evict(idle_seconds=10, budget_bytes=10**9) == [document]
    assert len(node.lives) == 0


async def test_what_is_used_stays(node: FakeNode) -> None:
    for use in (
        lambda: type_at_start(node, "ada", 1, "x"),
        lambda: node.lives.find(STREAM),
    ):
        node.clock.advance(10)
        use()
        node.commit()
        node.clock.advance(9)
        assert node.lives.evict(idle_seconds=10, budget_bytes=10**9) == []


async def test_beyond_the_budget_the_longest_unused_go(store: FakeStore) -> None:
    clock = Clock()
    node = FakeNode(store, clock)
    for name in "abc":
        node.lives.submit(document_stream("demo", name), a_creation(name))
        await node.settled()
        clock.advance(1)
    weight = 2 * found(node, document_stream("demo", "a")).weight  # now the last that was used
    clock.advance(1)
    gone = node.lives.evict(idle_seconds=100, budget_bytes=2 * weight)
    assert [document.name for document in gone] == ["b"]
    assert node.lives.evict(idle_seconds=100, budget_bytes=2 * weight) == []


def a_creation(name: str) -> Callable[[Document | None], Document]:
    return lambda head: head or Document.create("demo", name, actor="Ada", at=NOON)


async def test_streams_that_are_not_there_weigh_something_too(store: FakeStore) -> None:
    node = FakeNode(store)
    for number in range(3):
        await node.lives.get(document_stream("demo", f"none-{number}"))
    assert node.lives.evict(idle_seconds=100, budget_bytes=2 * EMPTY_WEIGHT_BYTES) == []
    assert len(node.lives) == 2


async def test_what_is_on_its_way_stays(node: FakeNode) -> None:
    type_at_start(node, "ada", 1, "x")
    node.clock.advance(1_000)
    assert node.lives.evict(idle_seconds=1, budget_bytes=0) == []
    node.commit()
    assert STREAM in node.lives
    assert len(node.lives.evict(idle_seconds=1, budget_bytes=0)) == 1
    assert STREAM not in node.lives


async def test_what_was_let_go_is_read_again(node: FakeNode) -> None:
    type_at_start(node, "ada", 1, "x")
    node.commit()
    node.lives.evict(idle_seconds=0, budget_bytes=0)
    again = type_at_start(node, "ada", 1, "x")
    await node.settled()
    assert again.result() == ()
    assert text_of(node) == "x"


# Any script.

STEPS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from(["type", "resend", "commit", "write", "feed", "lose", "lose stored"]),
    ),
    max_size=40,
)


def retrieved(done: Done) -> Done:
    """Say that its error, if it comes to one, need not be looked at."""
    done.add_done_callback(lambda done: done.cancelled() or done.exception())
    return done


@given(STEPS)
async def test_whatever_happens_every_edit_is_stored_once_and_both_nodes_agree(
    steps: list[tuple[int, str]],
) -> None:
    store = FakeStore()
    nodes = [await a_node(store), await a_node(store)]
    for node in nodes:
        node.feed()
    sent: list[list[Done]] = [[], []]
    for who, step in steps:
        node, client, mine = nodes[who], f"client-{who}", sent[who]
        match step:
            case "type":
                mine.append(retrieved(type_at_start(node, client, len(mine) + 1, f"{who}{len(mine) + 1};")))
            case "resend" if mine:
                retrieved(type_at_start(nodes[1 - who], client, len(mine), f"{who}{len(mine)};"))
            case "commit":
                node.commit()
            case "write":
                node.commit(feed=False)
            case "feed":
                node.feed()
            case "lose" | "lose stored":
                node.lose_connection(committed=step == "lose stored")
            case _:
                pass
        await asyncio.sleep(0)
    for _ in range(3 * REFUSALS_MAX):
        for node in nodes:
            await node.settled()
            node.feed()
    _check(store, nodes, sent)


def _check(store: FakeStore, nodes: list[FakeNode], sent: list[list[Done]]) -> None:
    edits = [event for event in store.stream(STREAM) if isinstance(event, EditApplied)]
    keys = [(edit.client, edit.seq) for edit in edits]
    assert len(keys) == len(set(keys))
    answered = {
        (f"client-{who}", seq)
        for who, futures in enumerate(sent)
        for seq, done in enumerate(futures, 1)
        if done.done() and done.exception() is None
    }
    assert answered <= set(keys)
    texts = {text_of(node) for node in nodes}
    assert len(texts) == 1
    for client, seq in keys:
        assert texts.copy().pop().count(f"{client[-1]}{seq};") == 1


USERS = ("ben", "cem")
WISHES = ["write", "write", "post", "add", "demote", "remove"]
HAPPENINGS = ["commit", "commit", "store", "feed", "read", "lose", "lose stored", "away", "let go"]
RIGHTS_STEPS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(USERS), st.sampled_from([*WISHES, *HAPPENINGS])),
    max_size=60,
)


@given(RIGHTS_STEPS)
async def test_whatever_happens_nobody_writes_behind_the_end_of_their_right(
    steps: list[tuple[int, str, str]],
) -> None:
    store = FakeStore()
    nodes = [await a_node_in_the_room(store), await a_node_in_the_room(store)]
    sent: list[tuple[str, int | str, Done]] = []
    seqs = dict.fromkeys(USERS, 0)
    for who, user, step in steps:
        node = nodes[who]
        match step:
            case "write":
                seqs[user] = _next_seq(store, user, seqs[user], sent)
                sent.append((user, seqs[user], retrieved(write(node, user, seqs[user]))))
            case "post":
                message = f"m{len(sent)}"
                sent.append((user, message, retrieved(post(node, user, message))))
            case "add":
                retrieved(add(node, user))
            case "demote":
                retrieved(add(node, user, Role.VIEWER))
            case "remove":
                retrieved(remove(node, user))
            case "let go":
                node.lives.evict(idle_seconds=0, budget_bytes=0)
            case "commit":
                node.commit()
            case "store":
                node.commit(feed=False)
            case "feed":
                node.feed()
            case "read":
                await node.loaded()
            case "away":
                store.failing_reads = 1
            case _:
                node.lose_connection(committed=step == "lose stored")
        await asyncio.sleep(0)
    for _ in range(3 * REFUSALS_MAX):
        for node in nodes:
            await node.settled()
            node.feed()
    for node in nodes:
        assert_idle(node)
    _check_rights(store, sent)


def _next_seq(store: FakeStore, user: str, last: int, sent: list[tuple[str, int | str, Done]]) -> int:
    """What a client sends next: the same again when the last was refused, since its number is still free."""
    refused = [
        seq for who, seq, done in sent if (who, seq) == (user, last) and done.done() and done.exception()
    ]
    stored = {e.seq for e in store.stream(STREAM) if isinstance(e, EditApplied) and e.client == user}
    return last if refused and last not in stored else last + 1


def _check_rights(store: FakeStore, sent: list[tuple[str, int | str, Done]]) -> None:
    room: Any = None
    stored: set[tuple[str, int | str]] = set()
    for recorded in store.log:
        match event := recorded.event:
            case EditApplied():
                room.require(event.actor, Action.EDIT)
                assert (event.client, event.seq) not in stored
                stored.add((event.client, event.seq))
            case Posted():
                room.require(event.actor, Action.POST)
                stored.add((event.client, event.message))
            case _ if event.originator_id == ROOM:
                room = event.mutate(room)
    for user, key, done in sent:
        assert done.done()
        if done.exception() is None:
            assert (user, key) in stored
        elif isinstance(done.exception(), Forbidden | NotFound):
            others = [other for who, same, other in sent if (who, same) == (user, key) and other is not done]
            assert (user, key) not in stored or others


class StoreThatAnswersLate(FakeStore):
    """Reads what there is when it is asked, and tells it when `release_reads` lets it."""

    async def load(self, stream: str) -> Any | None:
        aggregate = await super().load(stream)
        await self.release.wait()
        return aggregate

    async def events_after(self, stream: str, version: int) -> Sequence[Event]:
        events = await super().events_after(stream, version)
        await self.release.wait()
        return events

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()
        self.release.set()


async def test_what_is_committed_while_an_answer_of_the_log_is_under_way_is_not_missed() -> None:
    store = StoreThatAnswersLate()
    node, reader = await a_node(store), FakeNode(store)
    store.release.clear()
    done = type_at_start(reader, "ben", 1, "b")
    await asyncio.sleep(0)  # the stream is read as it is now
    type_at_start(node, "ada", 1, "a")
    node.commit()
    reader.feed()
    store.release.set()
    await reader.settled()
    assert [recorded.event.originator_version for recorded in done.result()] == [3]
    assert text_of(reader) == "ba"


async def test_a_refusal_because_of_what_is_not_durable_yet_waits_until_it_is(node: FakeNode) -> None:
    first = type_at_start(node, "ben", 1, "b")
    other = type_at_start(node, "ben", 1, "c")
    node.lose_connection(committed=False)
    await node.loaded()
    assert not other.done(), "the first may still be lost, and the second be right"
    node.commit()
    assert len(first.result()) == 1
    assert isinstance(other.exception(), IdReused)
