"""Stays as use cases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

import application.attendances
from application.attendances import Attendances
from application.log import Recorded
from domain.attendance import Attendance, Joined, Left
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


# Stays that see to themselves.


async def test_the_end_of_a_stay_is_recorded_though_the_log_was_away_meanwhile(
    node: FakeNode, attendances: Attendances, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application.attendances, "AGAIN_SECONDS", 0.0)
    stay = attendances.stay("demo", "s1", client="ada-1", actor="Ada")
    node.commit()
    await asyncio.sleep(0)
    node.is_full = True
    stay.end("lost")
    await asyncio.sleep(0)
    node.is_full = False
    await _until(lambda: bool(node.waiting))
    node.commit()
    assert [type(event) for event in node.store.stream("attendance:demo/s1")] == [Joined, Left]


async def test_a_stay_that_ends_before_its_beginning_could_be_recorded_is_recorded_whole(
    node: FakeNode, attendances: Attendances, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application.attendances, "AGAIN_SECONDS", 0.0)
    node.is_full = True
    stay = attendances.stay("demo", "s1", client="ada-1", actor="Ada", connected=7)
    stay.end("left")
    await asyncio.sleep(0)
    node.is_full = False
    await _until(lambda: bool(node.waiting))
    node.commit()
    await _until(lambda: bool(node.waiting))
    node.commit()
    joined, left = node.store.stream("attendance:demo/s1")
    assert isinstance(joined, Joined)
    assert isinstance(left, Left)
    assert (joined.connected, left.reason) == (7, "left")


async def test_a_stay_that_can_never_be_recorded_is_not_tried_again(
    node: FakeNode,
    attendances: Attendances,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(application.attendances, "AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(Attendance, "join", lambda *_, **__: 1 // 0)
    stay = attendances.stay("demo", "s1", client="ada-1", actor="Ada")
    stay.end("left")
    for _ in range(10):
        await asyncio.sleep(0)
    assert caplog.text.count("a stay cannot be recorded") == 1
    assert node.store.log == []


async def test_a_stay_whose_node_ends_first_is_left_to_the_others(
    node: FakeNode, attendances: Attendances, monkeypatch: pytest.MonkeyPatch
) -> None:
    futures: list[asyncio.Future[Sequence[Recorded]]] = []
    join = attendances.join

    def join_and_note(*arguments: Any, **fields: Any) -> asyncio.Future[Sequence[Recorded]]:
        futures.append(join(*arguments, **fields))
        return futures[-1]

    monkeypatch.setattr(attendances, "join", join_and_note)
    stay = attendances.stay("demo", "s1", client="ada-1", actor="Ada")
    futures[0].cancel()
    await asyncio.sleep(0)
    stay.end("left")
    node.commit()
    assert [type(event) for event in node.store.stream("attendance:demo/s1")] == [Joined]


async def _until(is_so: Callable[[], bool]) -> None:
    """Let the loop run until `is_so`."""
    for _ in range(1_000):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never happened")
