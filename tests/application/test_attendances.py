"""Stays as use cases: what a session tells, and what comes into the log of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

import application.attendances
from application.attendances import Attendances, Stay
from application.log import Recorded
from application.rooms import Rooms
from domain.aggregate import Event
from domain.attendance import (
    AWAY_SECONDS,
    IDLE_SECONDS,
    Appearance,
    Attendance,
    Joined,
    Left,
    Status,
    StatusChanged,
)
from domain.errors import NotFound
from domain.instants import as_microseconds
from domain.rights import Role
from domain.room import Opened
from tests.application.fakes import FakeNode, FakeStore

STREAM = "attendance:demo/s1"
LOOK = Appearance("Ada L.", "#ee2f2f", "https://example.org/ada.png", version=2)


class Place:
    """A node and its stays; everybody may see the room "demo"."""

    def __init__(self, store: FakeStore, name: str = "node-1") -> None:
        self.store = store
        self.node = FakeNode(store)
        self.attendances = Attendances(
            self.node.lives, node=name, now=self.node.clock.now, monotonic=self.node.clock.monotonic
        )

    def stay(self, *, actor: str = "ada", room: str = "demo", connected: int | None = None) -> Stay:
        return self.attendances.stay(
            room, "s1", client="ada-1", appearance=LOOK, actor=actor, connected=connected
        )

    async def begun(self) -> Stay:
        """A stay whose beginning is in the log."""
        stay = self.stay()
        await self.settled()
        assert self.told() == ["joined"]
        return stay

    async def settled(self) -> None:
        """Let everything come into the log that wants to."""
        for _ in range(5):
            await asyncio.sleep(0)
            await self.node.settled()

    def pass_by(self, seconds: float) -> None:
        self.node.clock.advance(seconds)
        self.attendances.sweep()

    def events(self) -> list[Event]:
        return self.store.stream(STREAM)

    def told(self) -> list[str]:
        """The events of the stay in short."""
        return [as_word(event) for event in self.events()]


def as_word(event: Event) -> str:
    match event:
        case StatusChanged():
            return f"{event.status}, {event.cause}"
        case Left():
            return f"left: {event.reason}"
        case _:
            assert isinstance(event, Joined)
            return "joined"


@pytest.fixture
async def place() -> Place:
    place = Place(FakeStore())
    opening = asyncio.ensure_future(
        Rooms(place.node.lives, now=place.node.clock.now).open(
            "demo", "Demo", actor="owen", everyone=Role.VIEWER
        )
    )
    await place.settled()
    await opening
    return place


@pytest.fixture(autouse=True)
def _again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be recorded is tried again when the loop has turned."""
    monkeypatch.setattr(application.attendances, "AGAIN_SECONDS", 0.0)


# Beginning and end.


async def test_a_stay_begins_without_reading_and_names_its_node_and_its_user(place: Place) -> None:
    reads = place.store.reads
    place.stay(connected=7)
    place.node.commit()
    [joined] = place.events()
    assert isinstance(joined, Joined)
    assert (joined.session, joined.client, joined.node, joined.actor) == ("s1", "ada-1", "node-1", "ada")
    assert (joined.name, joined.colour, joined.avatar, joined.profile) == (
        "Ada L.",
        "#ee2f2f",
        "https://example.org/ada.png",
        2,
    )
    assert (joined.connected, joined.timestamp) == (7, place.node.clock.now())
    assert place.store.reads == reads


async def test_a_client_that_does_not_say_when_it_connected_did_so_now(place: Place) -> None:
    place.stay()
    place.node.commit()
    [joined] = place.events()
    assert isinstance(joined, Joined)
    assert joined.connected == as_microseconds(place.node.clock.now())


async def test_a_stay_that_is_begun_again_is_the_same(place: Place) -> None:
    place.stay()
    place.stay()
    await place.settled()
    assert place.told() == ["joined"]


async def test_a_stay_that_ends_while_it_begins_is_recorded_whole(place: Place) -> None:
    stay = place.stay()
    stay.on_edit()
    stay.end("left")
    await place.settled()
    assert place.told() == ["joined", "left: left"]


async def test_a_stay_ends_once_whoever_ends_it(place: Place) -> None:
    stay = await place.begun()
    stay.end("lost")
    await place.settled()
    sweeper = Place(place.store, "node-2")
    again = sweeper.attendances.leave("demo", "s1", "drained", actor="ada")
    await sweeper.settled()
    assert again.result() == ()
    assert place.told() == ["joined", "left: lost"]


async def test_a_stay_that_never_began_cannot_end(place: Place) -> None:
    done = place.attendances.leave("demo", "s1", "lost", actor="ada")
    await place.node.loaded()
    assert isinstance(done.exception(), NotFound)


@pytest.mark.parametrize("room", ["hidden", "nowhere"])
async def test_who_may_not_see_a_room_has_no_stay_in_it(place: Place, room: str) -> None:
    opening = asyncio.ensure_future(
        Rooms(place.node.lives, now=place.node.clock.now).open("hidden", "Hidden", actor="owen")
    )
    await place.settled()
    await opening
    stay = place.stay(room=room)
    stay.on_edit()
    await place.settled()
    place.pass_by(AWAY_SECONDS)
    stay.end("left")
    await place.settled()
    assert {type(recorded.event) for recorded in place.store.log} == {Opened}
    assert not place.node.waiting


# What is done meanwhile.


async def test_statuses_are_recorded_in_their_order(place: Place) -> None:
    stay = await place.begun()
    stay.on_edit()
    stay.declare(Status.RUNNING)
    stay.on_edit()
    stay.declare(None)
    stay.declare(Status.AWAY)
    stay.on_activity()
    stay.end("left")
    await place.settled()
    assert place.told() == [
        "joined",
        "editing, derived",
        "running, declared",
        "editing, declared",
        "away, declared",
        "editing, derived",
        "left: left",
    ]
    assert {event.actor for event in place.events()} == {"ada"}


async def test_what_changes_nothing_is_not_recorded(place: Place) -> None:
    stay = await place.begun()
    stay.on_activity()
    stay.declare(None)
    stay.declare(Status.IDLE)
    for _ in range(10):
        place.pass_by(IDLE_SECONDS / 20)
        stay.on_edit()
    await place.settled()
    assert place.told() == ["joined", "editing, derived"]


async def test_what_was_done_before_the_beginning_was_recorded_comes_after_it(place: Place) -> None:
    stay = place.stay()
    stay.on_edit()
    assert len(place.node.waiting) == 1
    await place.settled()
    assert place.told() == ["joined", "editing, derived"]


async def test_doing_nothing_is_recorded_by_the_sweep(place: Place) -> None:
    stay = await place.begun()
    stay.on_edit()
    for _ in range(7):
        place.pass_by(IDLE_SECONDS - 1)
        await place.settled()
    assert place.told() == ["joined", "editing, derived", "idle, derived", "away, derived"]
    idle, away = place.events()[-2:]
    assert (idle.timestamp - place.events()[1].timestamp).total_seconds() == 2 * (IDLE_SECONDS - 1)
    assert AWAY_SECONDS <= (away.timestamp - place.events()[1].timestamp).total_seconds() < AWAY_SECONDS + 60


async def test_a_declared_status_is_not_swept_away(place: Place) -> None:
    stay = await place.begun()
    stay.declare(Status.RUNNING)
    place.pass_by(10 * AWAY_SECONDS)
    await place.settled()
    assert place.told() == ["joined", "running, declared"]
    assert stay.status is Status.RUNNING


async def test_nothing_is_recorded_after_the_end(place: Place) -> None:
    stay = await place.begun()
    stay.end("lost")
    stay.on_edit()
    stay.on_activity()
    stay.declare(Status.RUNNING)
    place.pass_by(AWAY_SECONDS)
    await place.settled()
    assert place.told() == ["joined", "left: lost"]


async def test_stays_are_swept_each_by_itself(place: Place) -> None:
    first = await place.begun()
    second = place.attendances.stay("demo", "s2", client="ben-1", appearance=LOOK, actor="ben")
    await place.settled()
    second.on_edit()
    first.end("left")
    await place.settled()
    place.pass_by(AWAY_SECONDS)
    await place.settled()
    assert place.told() == ["joined", "left: left"]
    others = place.store.stream("attendance:demo/s2")
    assert [as_word(event) for event in others] == ["joined", "editing, derived", "away, derived"]


async def test_a_status_of_a_stay_that_is_not_there_is_nobodys(place: Place) -> None:
    """As after a store was put back to an earlier day."""
    stay = await place.begun()
    place.store.log = [r for r in place.store.log if r.event.originator_id != STREAM]
    place.node.lives.evict(idle_seconds=0, budget_bytes=0)
    stay.on_edit()
    await place.settled()
    assert place.told() == []
    assert stay.status is None


# While the log is away.


async def test_a_beginning_and_an_end_are_recorded_though_the_log_was_away(place: Place) -> None:
    place.node.is_full = True
    stay = place.stay(connected=7)
    for _ in range(5):
        await asyncio.sleep(0)
    place.node.is_full = False
    await until(lambda: place.node.waiting)
    await place.settled()
    place.node.is_full = True
    stay.end("lost")
    await asyncio.sleep(0)
    place.node.is_full = False
    await until(lambda: place.node.waiting)
    await place.settled()
    assert place.told() == ["joined", "left: lost"]


async def test_a_stay_that_ends_before_its_beginning_could_be_recorded_is_recorded_whole(
    place: Place,
) -> None:
    place.node.is_full = True
    stay = place.stay()
    stay.end("left")
    await asyncio.sleep(0)
    place.node.is_full = False
    await until(lambda: place.node.waiting)
    await place.settled()
    assert place.told() == ["joined", "left: left"]


async def test_a_status_that_could_not_be_recorded_is_recorded_by_the_next_sweep(place: Place) -> None:
    stay = await place.begun()
    place.node.is_full = True
    stay.on_edit()
    await asyncio.sleep(0)
    assert stay.status is None
    place.attendances.sweep()
    await asyncio.sleep(0)
    assert place.told() == ["joined"]
    place.node.is_full = False
    place.attendances.sweep()
    await place.settled()
    assert place.told() == ["joined", "editing, derived"]
    assert stay.status is Status.EDITING


async def test_a_status_that_came_true_late_is_not_left_standing(place: Place) -> None:
    """Nobody heard of it; meanwhile it was given up."""
    stay = await place.begun()
    stay.on_edit()
    place.node.stall()
    await asyncio.sleep(0)
    place.node.commit()
    place.pass_by(IDLE_SECONDS)
    await place.settled()
    assert place.told() == ["joined", "editing, derived", "idle, derived"]


async def test_of_two_statuses_of_which_one_is_unknown_the_last_stands(place: Place) -> None:
    stay = await place.begun()
    stay.on_edit()
    place.node.stall()
    stay.declare(Status.AWAY)
    await asyncio.sleep(0)
    place.node.commit()
    stay.declare(Status.IDLE)
    await place.settled()
    assert place.told() == ["joined", "editing, derived", "away, declared", "idle, declared"]


# What can never be recorded.


async def test_a_stay_that_can_never_be_recorded_is_not_tried_again(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Attendance, "join", lambda *_, **__: 1 // 0)
    stay = place.stay()
    stay.end("left")
    for _ in range(10):
        await asyncio.sleep(0)
    assert caplog.text.count("a stay cannot be recorded") == 1
    assert place.told() == []


async def test_a_stay_whose_node_ends_first_is_left_to_the_others(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    futures: list[asyncio.Future[Sequence[Recorded]]] = []
    submit = place.node.lives.submit

    def submit_and_note(*arguments: Any, **fields: Any) -> asyncio.Future[Sequence[Recorded]]:
        futures.append(submit(*arguments, **fields))
        return futures[-1]

    monkeypatch.setattr(place.node.lives, "submit", submit_and_note)
    stay = place.stay()
    futures[0].cancel()
    await asyncio.sleep(0)
    stay.end("left")
    place.node.commit()
    assert place.told() == ["joined"]


async def until(is_so: Callable[[], object]) -> None:
    """Let the loop run until `is_so`."""
    for _ in range(1_000):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never happened")
