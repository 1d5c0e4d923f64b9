"""The hub, with sessions that only write down what they are given."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from domain.aggregate import Event
from domain.attendance import Appearance, Attendance
from domain.document import Document, Edit
from domain.errors import StoreUnavailable
from domain.message import Message
from domain.presence import Presence
from domain.room import Room
from interfaces.ws import hub as module
from interfaces.ws.hub import Hub
from interfaces.ws.wire import Frame
from tests.application.fakes import FakeStore
from tests.domain.events import NOON


class FakeSession:
    def __init__(self, client: str, *documents: str, connected: int = 0, user: str = "") -> None:
        self.client = client
        self.user = user or client
        self.session_id = f"{client}-{connected}"
        self.connected = connected
        self.documents = frozenset(documents)
        self.frames: list[Frame] = []
        self.is_welcomed = True
        self.is_superseded = False
        self.told: list[str] = []

    def push(self, frame: Frame) -> None:
        self.frames.append(frame)

    def on_superseded(self) -> None:
        self.is_superseded = True

    def on_client_taken(self) -> None:
        self.told.append("taken")

    def on_rights_changed(self) -> None:
        self.told.append("rights")

    def on_account_changed(self) -> None:
        self.told.append("account")

    @property
    def heard(self) -> list[dict[str, Any]]:
        return [orjson.loads(frame.payload) for frame in self.frames]


class Place:
    """A hub whose feed brings what is stored."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.presence = FakeStore()
        self.hub = Hub(self.store, self.presence)
        self._fed = 0

    def append(self, *events: Event) -> None:
        for event in events:
            assert not self.store.append([event]).refused

    def feed(self) -> None:
        batch, self._fed = self.store.log[self._fed :], len(self.store.log)
        if batch:
            self.hub.on_events(batch)

    def commit(self, *events: Event) -> None:
        self.append(*events)
        self.feed()


@pytest.fixture
def place() -> Place:
    return Place()


def events_of(*aggregates: Any) -> list[Event]:
    return [event for aggregate in aggregates for event in aggregate.collect_events()]


def a_message(number: int, room: str = "demo") -> Event:
    [posted] = events_of(
        Message.post(room, f"m{number}", client="ada", text=str(number), documents={}, actor="Ada", at=NOON)
    )
    return posted


def a_stay(
    client: str, connected: int = 0, room: str = "demo", user: str = "", profile: int = 1
) -> Attendance:
    user = user or client
    return Attendance.join(
        room,
        f"{client}-{connected}",
        client=client,
        node="n",
        appearance=Appearance(user.title(), "#123456", "", profile),
        actor=user,
        at=NOON,
        connected=connected,
    )


def an_edited_document(name: str, room: str = "demo") -> list[Event]:
    document = Document.create(room, name, actor="Ada", at=NOON)
    document.edit(Edit("ada", 1, 0, ["x"], ""), actor="Ada", at=NOON)
    return events_of(document)


def positions(found: Sequence[tuple[int, bytes]] | None) -> list[int] | None:
    return None if found is None else [position for position, _ in found]


# Who hears what.


async def test_a_frame_is_made_once_for_all_who_see_the_same(place: Place) -> None:
    same, too, other = FakeSession("a", "x.md"), FakeSession("b", "x.md"), FakeSession("c")
    for session in (same, too, other):
        place.hub.enter("demo", session)
    place.commit(*an_edited_document("x.md"), a_message(1))
    assert same.frames[0] is too.frames[0]
    assert [event["event"] for event in same.heard[0]["events"]] == ["edit", "message"]
    assert [event["event"] for event in other.heard[0]["events"]] == ["message"]


async def test_nobody_hears_of_a_batch_without_anything_for_them(place: Place) -> None:
    session = FakeSession("a")
    place.hub.enter("demo", session)
    place.commit(*an_edited_document("x.md"))
    place.commit(*events_of(Room.open("other", "Other", actor="Ada", at=NOON)), a_message(1, "other"))
    place.commit(*events_of(Document.create("demo", "y.md", actor="Ada", at=NOON)))
    assert session.frames == []


async def test_a_batch_is_told_room_by_room_in_the_order_of_the_log(place: Place) -> None:
    here, there = FakeSession("a"), FakeSession("b")
    place.hub.enter("demo", here)
    place.hub.enter("other", there)
    place.commit(a_message(1), a_message(2, "other"), a_message(3), a_message(4, "other"))
    for session, texts in ((here, ["1", "3"]), (there, ["2", "4"])):
        [frame] = session.heard
        assert [event["text"] for event in frame["events"]] == texts
        assert frame["position"] == frame["events"][-1]["position"]


async def test_moves_are_told_to_their_room(place: Place) -> None:
    here, there = FakeSession("a"), FakeSession("b")
    place.hub.enter("demo", here)
    place.hub.enter("other", there)
    presence = Presence.begin("demo", "n.1", node="n", at=NOON)
    presence.record([["a", "x.md", 0, 1, 2, 3]], [], at=NOON)
    elsewhere = Presence.begin("nobody-here", "n.1", node="n", at=NOON)
    elsewhere.record([["b", "x.md", 0, 1, 2, 3]], [], at=NOON)
    store = place.presence
    assert not store.append(events_of(presence)).refused
    place.hub.on_presence(store.log[:1])
    assert here.frames == []
    last = store.log[-1].position
    assert not store.append(events_of(elsewhere)).refused
    place.hub.on_presence(store.log)
    [frame] = here.heard
    assert (frame["type"], frame["position"]) == ("presence", last)
    assert there.frames == []


# Rosters.


async def roster(place: Place) -> list[str]:
    room = place.hub.enter("demo", FakeSession("reader"))
    await place.hub.load(room)
    return list(room.roster.places)


async def test_a_roster_is_read_once_and_followed_from_then_on(place: Place) -> None:
    ada, ben = a_stay("ada"), a_stay("ben")
    place.commit(*events_of(ada))
    assert await roster(place) == ["ada-0"]
    reads = place.store.reads
    place.commit(*events_of(ben))
    ada.leave("left", actor="ada", at=NOON)
    place.commit(*events_of(ada))
    assert await roster(place) == ["ben-0"]
    assert place.store.reads == reads


@pytest.mark.parametrize("turns", range(4))
async def test_what_the_feed_brings_while_a_room_is_read_is_not_missed(place: Place, turns: int) -> None:
    ada, ben = a_stay("ada"), a_stay("ben")
    place.commit(*events_of(ada), a_message(1))
    place.store.hold_reads()
    room = place.hub.enter("demo", FakeSession("reader"))
    reading = asyncio.ensure_future(place.hub.load(room))
    for _ in range(turns):
        await asyncio.sleep(0)
    ada.leave("left", actor="ada", at=NOON)
    place.commit(*events_of(ada, ben), a_message(2))
    place.store.release_reads()
    await reading
    assert list(room.roster.places) == ["ben-0"]
    assert [orjson.loads(message)["text"] for message in room.chat.encoded] == ["1", "2"]
    assert positions(await place.hub.events_after(room, 3)) == [5, 7, 9]


async def test_all_who_come_at_once_cost_one_reading(place: Place) -> None:
    place.store.hold_reads()
    readings = [asyncio.ensure_future(roster(place)) for _ in range(10)]
    await asyncio.sleep(0)
    place.store.release_reads()
    await asyncio.gather(*readings)
    assert place.store.reads == 4


async def test_a_reading_that_failed_is_tried_again_by_the_next_who_comes(place: Place) -> None:
    place.store.failing_reads = 1
    with pytest.raises(StoreUnavailable):
        await roster(place)
    place.commit(a_message(1))
    assert await roster(place) == []
    room = place.hub.enter("demo", FakeSession("b"))
    assert [orjson.loads(message)["text"] for message in room.chat.encoded] == ["1"]


async def test_sessions_of_one_client_are_told_apart_by_when_they_were_opened(place: Place) -> None:
    first, second, other = (
        FakeSession("ada", connected=1),
        FakeSession("ada", connected=2),
        FakeSession("ben"),
    )
    for session in (other, second, first):
        place.hub.enter("demo", session)
    assert [session.is_superseded for session in (first, second, other)] == [True, False, False]


async def test_a_stay_on_another_node_ends_older_sockets_only(place: Place) -> None:
    older, newer = FakeSession("ada", connected=1), FakeSession("ben", connected=9)
    for session in (older, newer):
        place.hub.enter("demo", session)
    await a_loaded_room(place)
    place.commit(*events_of(a_stay("ada", 5), a_stay("ben", 5), a_stay("cem", 5)))
    assert (older.is_superseded, newer.is_superseded) == (True, False)


# Resuming.


async def a_loaded_room(place: Place) -> Any:
    room = place.hub.enter("demo", FakeSession("reader"))
    await place.hub.load(room)
    return room


async def test_what_was_missed_comes_from_memory_where_it_is_there(place: Place) -> None:
    room = await a_loaded_room(place)
    place.commit(a_message(1), a_message(2))
    reads = place.store.reads
    assert positions(await place.hub.events_after(room, 0)) == [1, 3]
    assert positions(await place.hub.events_after(room, 1)) == [3]
    assert positions(await place.hub.events_after(room, 3)) == []
    assert place.store.reads == reads


async def test_what_was_missed_before_the_room_was_in_memory_is_read_once(place: Place) -> None:
    place.commit(*(a_message(number) for number in range(3)))
    room = await a_loaded_room(place)
    place.commit(a_message(3))
    reads = place.store.reads
    for _ in range(2):
        assert positions(await place.hub.events_after(room, 1)) == [3, 5, 7]
    assert place.store.reads == reads + 1


async def test_no_more_is_told_or_kept_than_the_bound_however_it_is_asked_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESUME_EVENTS_MAX", 4)
    place.commit(*(a_message(number) for number in range(10)))  # positions 1, 3, ... 19
    room = await a_loaded_room(place)
    place.commit(a_message(10), a_message(11))
    assert positions(await place.hub.events_after(room, 17)) == [19, 21, 23]
    assert positions(await place.hub.events_after(room, 15)) == [17, 19, 21, 23]
    for after in (13, 11, 9, 0):
        assert await place.hub.events_after(room, after) is None
    assert positions(await place.hub.events_after(room, 15)) == [17, 19, 21, 23]
    place.commit(a_message(12))
    assert await place.hub.events_after(room, 15) is None
    assert positions(await place.hub.events_after(room, 17)) == [19, 21, 23, 25]


async def test_what_falls_out_of_memory_while_older_ones_are_read_is_read_too(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESUME_EVENTS_MAX", 2)
    place.commit(a_message(0))
    room = await a_loaded_room(place)
    place.commit(a_message(1), a_message(2))
    place.store.hold_reads()
    asking = asyncio.ensure_future(place.hub.events_after(room, 1 - 1))
    await asyncio.sleep(0)
    place.commit(a_message(3))
    place.store.release_reads()
    assert await asking is None
    assert positions(await place.hub.events_after(room, 3)) == [5, 7]


# Waiting for the feed.


async def test_a_position_is_reached_when_the_feed_has_come_to_it(place: Place) -> None:
    await place.hub.reach(0)
    near, far = asyncio.ensure_future(place.hub.reach(1)), asyncio.ensure_future(place.hub.reach(5))
    gone = asyncio.ensure_future(place.hub.reach(5))
    await asyncio.sleep(0)
    gone.cancel()
    place.commit(a_message(1), a_message(2))
    await asyncio.wait_for(near, 10)
    assert not far.done()
    place.commit(a_message(3))
    await asyncio.wait_for(far, 10)
    await place.hub.reach(3)


async def test_a_node_is_behind_when_the_log_has_something_of_the_room_for_it(place: Place) -> None:
    room = await a_loaded_room(place)
    place.append(a_message(1, "other"))
    assert not await place.hub.is_behind(room, 10)
    place.append(a_message(2))
    assert not await place.hub.is_behind(room, 2)
    assert await place.hub.is_behind(room, 3)
    place.feed()
    assert not await place.hub.is_behind(room, 10)


# Leaving.


async def test_a_room_without_sessions_is_forgotten(place: Place) -> None:
    first, second = FakeSession("a"), FakeSession("b")
    room = place.hub.enter("demo", first)
    place.hub.enter("demo", second)
    assert place.hub.sessions == [first, second]
    place.hub.leave(room, first)
    place.hub.leave(room, first)
    assert place.hub.rooms == 1
    place.hub.leave(room, second)
    assert place.hub.rooms == 0
    again = place.hub.enter("demo", FakeSession("c"))
    place.hub.leave(room, second)
    assert place.hub.rooms == 1
    assert again is not room
