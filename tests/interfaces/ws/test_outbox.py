"""The bounded queue to one socket, with a transport that empties when the test says so."""

from __future__ import annotations

import asyncio

import pytest

from interfaces.ws import outbox as module
from interfaces.ws.outbox import DIRECT_BYTES, QUEUE_BYTES_MAX, QUEUE_FRAMES_MAX, STUCK_SECONDS, Outbox
from interfaces.ws.wire import Frame
from tests.application.fakes import Clock
from tests.waiting import until


class FakeTransport:
    """Holds what is written until `drain`."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.buffered = 0
        self.closing = False

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self.buffered += len(data)

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def is_closing(self) -> bool:
        return self.closing

    def drain(self, size: int = 10**9) -> None:
        self.buffered = max(0, self.buffered - size)


class Place:
    def __init__(self) -> None:
        self.transport = FakeTransport()
        self.clock = Clock()
        self.cuts = 0
        self.outbox = Outbox(self.transport, self._on_slow, monotonic=self.clock.monotonic)

    def _on_slow(self) -> None:
        self.cuts += 1

    def fill(self) -> None:
        """Write until the transport takes no more."""
        self.outbox.push(a_frame(DIRECT_BYTES))
        assert self.transport.buffered >= DIRECT_BYTES
        self.transport.written.clear()


def a_frame(size: int = 10, letter: str = "x") -> Frame:
    return Frame(letter.encode() * size)


@pytest.fixture
async def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(module, "POLL_SECONDS", 0.0)
    return Place()


async def test_a_frame_goes_straight_into_a_transport_with_room(place: Place) -> None:
    frames = [a_frame(letter=letter) for letter in "abc"]
    for frame in frames:
        place.outbox.push(frame)
    assert place.transport.written == [frame.wire for frame in frames]


async def test_what_a_full_transport_does_not_take_waits_in_order(place: Place) -> None:
    place.fill()
    frames = [a_frame(letter=letter) for letter in "abc"]
    for frame in frames:
        place.outbox.push(frame)
    assert place.transport.written == []
    assert place.outbox.queued_bytes == place.transport.buffered + sum(map(len, frames))
    place.transport.drain()
    place.outbox.push(last := a_frame(letter="d"))
    await until(lambda: len(place.transport.written) == 4)
    assert place.transport.written == [frame.wire for frame in (*frames, last)]
    assert place.cuts == 0


async def test_after_the_queue_has_emptied_frames_go_straight_again(place: Place) -> None:
    place.fill()
    place.outbox.push(a_frame())
    place.transport.drain()
    await until(lambda: len(place.transport.written) == 1)
    place.outbox.push(a_frame())
    assert len(place.transport.written) == 2


async def test_the_queue_empties_as_the_transport_does(place: Place) -> None:
    place.fill()
    half = DIRECT_BYTES // 2
    for _ in range(4):
        place.outbox.push(a_frame(half))
    place.transport.drain(half)
    await until(lambda: len(place.transport.written) == 1)
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(place.transport.written) == 1
    place.transport.drain()
    await until(lambda: len(place.transport.written) == 3)


async def test_a_reader_that_is_too_many_frames_behind_is_cut_once(place: Place) -> None:
    place.fill()
    for _ in range(QUEUE_FRAMES_MAX):
        place.outbox.push(a_frame(1))
    assert place.cuts == 0
    place.outbox.push(a_frame(1))
    place.outbox.push(a_frame(1))
    assert place.cuts == 1
    assert place.outbox.queued_bytes == place.transport.buffered


async def test_a_reader_that_is_too_many_bytes_behind_is_cut(place: Place) -> None:
    place.fill()
    place.outbox.push(a_frame(QUEUE_BYTES_MAX - 100))
    assert place.cuts == 0
    place.outbox.push(a_frame(100))
    assert place.cuts == 1


async def test_nobody_is_cut_for_the_bytes_of_an_answer(place: Place) -> None:
    place.fill()
    place.outbox.push(large := a_frame(2 * QUEUE_BYTES_MAX), is_asked_for=True)
    place.outbox.push(small := a_frame())
    assert place.cuts == 0
    place.transport.drain()
    await until(lambda: len(place.transport.written) == 1)
    place.transport.drain()
    await until(lambda: place.transport.written == [large.wire, small.wire])


async def test_answers_count_as_frames_like_all_others(place: Place) -> None:
    place.fill()
    for _ in range(QUEUE_FRAMES_MAX + 1):
        place.outbox.push(a_frame(1), is_asked_for=True)
    assert place.cuts == 1


async def test_there_is_room_for_a_request_when_no_answer_waits(place: Place) -> None:
    await place.outbox.room()
    place.fill()
    place.outbox.push(a_frame())
    await place.outbox.room()
    place.outbox.push(a_frame(), is_asked_for=True)
    room = asyncio.ensure_future(place.outbox.room())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not room.done()
    place.transport.drain()
    await asyncio.wait_for(room, 10)


async def test_closing_ends_the_wait_for_room(place: Place) -> None:
    place.fill()
    place.outbox.push(a_frame(), is_asked_for=True)
    room = asyncio.ensure_future(place.outbox.room())
    await asyncio.sleep(0)
    place.outbox.close()
    await asyncio.wait_for(room, 10)


async def test_a_reader_that_takes_nothing_for_too_long_is_cut(place: Place) -> None:
    place.fill()
    place.outbox.push(a_frame())
    await asyncio.sleep(0)
    place.clock.advance(STUCK_SECONDS)
    for _ in range(10):
        await asyncio.sleep(0)
    assert place.cuts == 0
    place.clock.advance(0.1)
    await until(lambda: place.cuts == 1)
    place.transport.drain()
    place.outbox.push(a_frame())
    assert place.transport.written == []


async def test_a_slow_reader_that_takes_a_little_is_not_stuck(place: Place) -> None:
    place.fill()
    place.transport.buffered = 10 * DIRECT_BYTES
    place.outbox.push(a_frame())
    for _ in range(3):
        await asyncio.sleep(0)
        place.clock.advance(STUCK_SECONDS)
        place.transport.drain(DIRECT_BYTES)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert place.cuts == 0


async def test_nothing_is_written_to_a_transport_that_closes(place: Place) -> None:
    place.transport.closing = True
    place.outbox.push(a_frame())
    assert place.transport.written == []


async def test_a_closed_outbox_forgets_what_is_queued(place: Place) -> None:
    place.fill()
    place.outbox.push(a_frame())
    place.outbox.close()
    place.transport.drain()
    for _ in range(5):
        await asyncio.sleep(0)
    place.outbox.push(a_frame())
    assert (place.transport.written, place.cuts, place.outbox.queued_bytes) == ([], 0, 0)
