"""Players of replays, by a clock that only the tests move: speed, pauses, seeking and stepping, and that what
a viewer sees is always the room as it was at the place that it is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.past.replay import Place
from domain.aggregate import Event
from domain.document import Document, Edit
from domain.errors import BadFrame, ChronoscribeError, NotOpen, Overloaded, StoreUnavailable
from domain.instants import as_datetime
from domain.room import Room
from domain.text_op import apply
from interfaces.ws.frames import FRAMES, ReplayRequest
from interfaces.ws.player import EVENTS_PER_FRAME, REQUESTS_MAX, TELL_SECONDS, Budget, Players
from interfaces.ws.wire import Frame
from tests.domain.events import collect
from tests.interfaces.ws.pasts import FakePast
from tests.interfaces.ws.scripts import turns

SECOND = 1_000_000
BEGIN = 1_000 * SECOND


def typed(*seconds: float) -> list[tuple[int, Event]]:
    """A document in which a digit is typed at the end at each of these times."""
    room = Room.open("demo", "Demo", actor="ada", at=as_datetime(BEGIN))
    room.list_document("main.md", actor="ada", at=as_datetime(BEGIN))
    events = [(BEGIN, event) for event in collect(room)]
    document = Document.create("demo", "main.md", actor="ada", at=as_datetime(BEGIN))
    collect(document)
    for number, second in enumerate(seconds, 1):
        at = BEGIN + round(second * SECOND)
        op: Any = [number - 1, str(number % 10)] if number > 1 else [str(number)]
        document.edit(Edit("ada", number, number - 1, op, ""), actor="ada", at=as_datetime(at))
        events += [(at, event) for event in collect(document)]
    return events


class FakeTime:
    def __init__(self) -> None:
        self.now = 50.0
        self._alarms: list[tuple[float, asyncio.Future[None]]] = []

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        if seconds is None:
            await event.wait()
            return
        alarm = asyncio.get_running_loop().create_future()
        self._alarms.append((self.now + seconds, alarm))
        waiter = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({waiter, alarm}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
            alarm.cancel()

    async def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            await turns()
            self._alarms = [(at, alarm) for at, alarm in self._alarms if not alarm.done()]
            due = min((at for at, _ in self._alarms), default=end)
            if due > end:
                break
            self.now = max(self.now, due)
            for at, alarm in self._alarms:
                if at <= self.now and not alarm.done():
                    alarm.set_result(None)
            if not self._alarms:
                break
        self.now = end
        await turns()


class Viewer:
    """Sees what it is told: the text by the stages and edits, and where it is."""

    def __init__(self, hall: Hall, room: str = "demo") -> None:
        self.room = room
        self.hall = hall
        self.is_reading = True
        self.told: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.answers: dict[int, dict[str, Any] | ChronoscribeError] = {}
        self.text = ""
        self.at = 0
        self.place = ""
        self._ref = 0

    def tell(self, frame: Frame) -> bool:
        if self.is_reading:
            told = orjson.loads(frame.payload)
            assert told["type"] == "replay"
            self.told.append(told)
            self.times.append(self.hall.time.now)
            self._see(told)
        return self.is_reading

    def answer(self, ref: int, outcome: Frame | ChronoscribeError) -> None:
        assert ref not in self.answers
        if isinstance(outcome, Frame):
            self.answers[ref] = orjson.loads(outcome.payload)
            if (told := orjson.loads(outcome.payload))["type"] == "replay_opened":
                self._see(told)
        else:
            self.answers[ref] = outcome

    def _see(self, told: dict[str, Any]) -> None:
        if "stage" in told:
            [document] = told["stage"]["documents"] or [{"text": ""}]
            self.text = document["text"]
        for step in told.get("steps", ()):
            for event in step["events"]:
                if event["event"] == "edit":
                    self.text = apply(self.text, event["op"])
        self.at, self.place = told["at"], told["place"]

    @property
    def seconds(self) -> float:
        """Where it is, behind the beginning."""
        return (self.at - BEGIN) / SECOND

    async def ask(self, kind: str, **fields: Any) -> Any:
        """The answer; an error is raised."""
        self._ref += 1
        request: Any = FRAMES.validate_python({"type": kind, "ref": self._ref, **fields})
        self.hall.players.take(self, request)
        await turns()
        answer = self.answers[self._ref]
        if isinstance(answer, ChronoscribeError):
            raise answer
        return answer

    def ask_at_once(self, *requests: tuple[str, dict[str, Any]]) -> list[int]:
        refs = []
        for kind, fields in requests:
            self._ref += 1
            request: ReplayRequest = FRAMES.validate_python(  # type: ignore[assignment]
                {"type": kind, "ref": self._ref, **fields}
            )
            self.hall.players.take(self, request)
            refs.append(self._ref)
        return refs


class Hall:
    """Where a past is played."""

    def __init__(self, *seconds: float, length: float = 10.0, at_once: int = 3) -> None:
        self.time = FakeTime()
        self.past = FakePast(typed(*seconds), BEGIN, BEGIN + round(length * SECOND))
        self.players = Players(
            self.past, monotonic=lambda: self.time.now, wait=self.time.wait, at_once=at_once
        )
        self.viewers: list[Viewer] = []

    async def enter(self, **opening: Any) -> Viewer:
        viewer = Viewer(self)
        self.viewers.append(viewer)
        await viewer.ask("replay", **opening)
        return viewer

    async def close(self) -> None:
        for viewer in self.viewers:
            self.players.leave(viewer)
        await turns()


@pytest.fixture
async def halls() -> AsyncIterator[list[Hall]]:
    halls: list[Hall] = []
    yield halls
    for hall in halls:
        await hall.close()


async def opened(halls: list[Hall], *seconds: float, length: float = 10.0, **opening: Any) -> Viewer:
    halls.append(Hall(*seconds, length=length))
    return await halls[-1].enter(**opening)


async def test_it_is_opened_at_its_beginning_and_waits(halls: list[Hall]) -> None:
    viewer = await opened(halls, 1, 2, 3)
    answer = viewer.answers[1]
    assert isinstance(answer, dict)
    assert (answer["from"], answer["until"]) == (BEGIN, BEGIN + 10 * SECOND)
    assert (answer["playing"], answer["speed"], answer["at"]) == (False, 1.0, BEGIN)
    await halls[0].time.advance(100)
    assert viewer.told == []


@pytest.mark.parametrize("speed", [0.25, 1.0, 8.0])
async def test_steps_come_at_their_time(halls: list[Hall], speed: float) -> None:
    viewer = await opened(halls, 1, 1.5, 3, speed=speed)
    begun = halls[0].time.now
    await viewer.ask("replay_play")
    await halls[0].time.advance(9.9 / speed)
    came = [
        (time - begun, step["at"])
        for time, told in zip(viewer.times, viewer.told, strict=True)
        for step in told.get("steps", ())
    ]
    assert [at for _, at in came] == [BEGIN + round(s * SECOND) for s in (1, 1.5, 3)]
    for time, at in came:
        assert 0 <= time - (at - BEGIN) / SECOND / speed <= TELL_SECONDS + 1e-6
    assert viewer.text == "123"


async def test_a_pause_holds_it_and_it_goes_on_from_there(halls: list[Hall]) -> None:
    viewer = await opened(halls, 1, 2)
    await viewer.ask("replay_play")
    await halls[0].time.advance(1.4)
    await viewer.ask("replay_pause")
    assert (viewer.text, viewer.told[-1]["playing"]) == ("1", False)
    assert viewer.seconds == pytest.approx(1.4)
    await halls[0].time.advance(100)
    assert viewer.text == "1"
    await viewer.ask("replay_play")
    await halls[0].time.advance(0.5)
    assert viewer.text == "1"
    await halls[0].time.advance(0.2)
    assert viewer.text == "12"


async def test_the_speed_is_changed_on_the_way(halls: list[Hall]) -> None:
    viewer = await opened(halls, 4, 8, skip_idle=False)
    await viewer.ask("replay_play")
    await halls[0].time.advance(2)
    await viewer.ask("replay_speed", speed=4)
    assert viewer.told[-1]["speed"] == 4
    assert viewer.seconds == pytest.approx(2.0)
    await halls[0].time.advance(0.4)
    assert viewer.text == ""
    await halls[0].time.advance(0.2)
    assert viewer.text == "1"


async def test_one_goes_to_a_moment_or_a_place(halls: list[Hall]) -> None:
    viewer = await opened(halls, 1, 2, 3, 4)
    await viewer.ask("replay_seek", at=BEGIN + 3 * SECOND)
    place = viewer.place
    assert (viewer.text, viewer.told[-1]["playing"]) == ("123", False)
    await viewer.ask("replay_seek", at=0)
    assert (viewer.text, viewer.at) == ("", BEGIN)
    await viewer.ask("replay_seek", place=place)
    assert viewer.text == "123"
    await viewer.ask("replay_play")
    await halls[0].time.advance(1.1)
    assert viewer.text == "1234"
    await viewer.ask("replay_seek", at=2**52)
    assert viewer.at == BEGIN + 10 * SECOND


async def test_what_is_no_place_in_it_is_refused(halls: list[Hall]) -> None:
    viewer = await opened(halls, 1)
    for fields in ({"place": "x"}, {"place": "1-1-1"}, {}, {"place": viewer.place, "at": BEGIN}):
        with pytest.raises(BadFrame):
            await viewer.ask("replay_seek", **fields)
    with pytest.raises(BadFrame):
        await viewer.ask("replay", **{"from": 2, "to": 1})


async def test_one_steps_forward_and_back(halls: list[Hall]) -> None:
    viewer = await opened(halls, 1, 2, 3, 400, 401, length=500)
    seen = []
    for by in (2, 1, 1, 1, 1, -1, -1, -1, -2, 1, -100, 100):
        await viewer.ask("replay_step", by=by)
        seen.append(viewer.text)
    whole = "12345"
    # The first is the opening of the room, the second the list of its documents.
    assert seen == ["12", "123", "1234", whole, whole, "1234", "123", "12", "", "1", "", whole]
    assert not viewer.told[-1]["playing"]


async def test_pauses_are_shortened_to_two_seconds(halls: list[Hall]) -> None:
    viewer = await opened(halls, 1, 3_601, length=7_200)
    await viewer.ask("replay_play")
    await halls[0].time.advance(2.9)
    assert viewer.text == "1"
    await halls[0].time.advance(0.2)
    assert viewer.text == "12"
    await halls[0].time.advance(2.1)
    assert (viewer.at, viewer.told[-1]["playing"]) == (BEGIN + 7_200 * SECOND, False)


async def test_two_seconds_are_the_viewers_in_a_quick_replay_and_the_replays_in_a_slow_one(
    halls: list[Hall],
) -> None:
    quick = await opened(halls, 3_600, length=3_601, speed=64)
    await quick.ask("replay_play")
    await halls[0].time.advance(1.9)
    assert quick.text == ""
    await halls[0].time.advance(0.2)
    assert quick.text == "1"
    slow = await opened(halls, 3_600, length=3_601, speed=0.25)
    await slow.ask("replay_play")
    await halls[1].time.advance(7.9)
    assert slow.text == ""
    await halls[1].time.advance(0.2)
    assert slow.text == "1"


async def test_pauses_are_kept_by_who_wants_them(halls: list[Hall]) -> None:
    viewer = await opened(halls, 9, length=20, skip_idle=False)
    await viewer.ask("replay_play")
    await halls[0].time.advance(8.9)
    assert viewer.text == ""
    await viewer.ask("replay_speed", skip_idle=True)
    await halls[0].time.advance(5)
    assert viewer.seconds == 20


async def test_a_quick_replay_tells_many_steps_in_a_frame(halls: list[Hall]) -> None:
    seconds = [number / 50 for number in range(1, 3_001)]
    viewer = await opened(halls, *seconds, length=61, speed=64)
    await viewer.ask("replay_play")
    await halls[0].time.advance(0.5)
    frames = [told for told in viewer.told if told.get("steps")]
    gaps = [b - a for a, b in zip(viewer.times[2:], viewer.times[3:], strict=False)]
    assert min(gaps) >= TELL_SECONDS - 1e-6
    assert max(len(told["steps"]) for told in frames) > 100
    await halls[0].time.advance(1)
    assert len(viewer.text) == 3_000


async def test_it_runs_slower_where_too_much_happens(halls: list[Hall]) -> None:
    viewer = await opened(halls, *[1 + number / 100_000 for number in range(1_000)], speed=64)
    await viewer.ask("replay_play")
    await halls[0].time.advance(0.06)
    assert 0 < max(len(told.get("steps", ())) for told in viewer.told) <= EVENTS_PER_FRAME
    assert len(viewer.text) < 1_000
    await halls[0].time.advance(1)
    assert len(viewer.text) == 1_000


async def test_it_waits_for_a_viewer_who_does_not_read(halls: list[Hall]) -> None:
    viewer = await opened(halls, 1, 2, 3)
    await viewer.ask("replay_play")
    viewer.is_reading = False
    await halls[0].time.advance(60)
    assert halls[0].past.steps_read <= 3
    viewer.is_reading = True
    await halls[0].time.advance(0.2)
    assert viewer.text == "1"
    assert viewer.seconds < 1.5
    await halls[0].time.advance(2)
    assert viewer.text == "123"


async def test_of_many_places_only_the_last_is_gone_to(halls: list[Hall]) -> None:
    viewer = await opened(halls, 1, 2, 3)
    seeks: list[tuple[str, dict[str, Any]]] = [
        ("replay_seek", {"at": BEGIN + second * SECOND}) for second in (1, 2, 3, 2)
    ]
    refs = viewer.ask_at_once(*seeks)
    await turns()
    assert [viewer.answers[ref] for ref in refs] == [{"type": "ok", "ref": ref} for ref in refs]
    assert [told["at"] for told in viewer.told] == [BEGIN + 2 * SECOND]
    with pytest.raises(Overloaded):
        viewer.ask_at_once(*seeks * REQUESTS_MAX)


async def test_it_tells_what_went_wrong_and_can_be_played_on(halls: list[Hall]) -> None:
    viewer = await opened(halls, 1, 2)
    halls[0].past.error = StoreUnavailable("the store is away")
    await viewer.ask("replay_play")
    await halls[0].time.advance(1.5)
    assert viewer.told[-1]["error"] == {"code": "E_STORE", "message": "the store is away"}
    assert not viewer.told[-1]["playing"]
    halls[0].past.error = None
    await viewer.ask("replay_play")
    await halls[0].time.advance(3)
    assert viewer.text == "12"


async def test_what_cannot_be_opened_is_not_open(halls: list[Hall]) -> None:
    viewer = await opened(halls, 1)
    halls[0].past.error = StoreUnavailable("the store is away")
    with pytest.raises(StoreUnavailable):
        await viewer.ask("replay")
    with pytest.raises(NotOpen):
        await viewer.ask("replay_play")
    assert len(halls[0].players) == 0


async def test_each_viewer_is_at_its_own_place(halls: list[Hall]) -> None:
    first = await opened(halls, 1, 2, 3)
    second = await halls[0].enter(speed=2)
    await first.ask("replay_play")
    await second.ask("replay_seek", at=BEGIN + 2 * SECOND)
    await halls[0].time.advance(1.1)
    assert (first.text, second.text) == ("1", "12")
    await second.ask("replay_play")
    await halls[0].time.advance(0.6)
    assert (first.text, second.text) == ("1", "123")


async def test_there_are_only_so_many_at_once(halls: list[Hall]) -> None:
    await opened(halls, 1)
    for _ in range(2):
        await halls[0].enter()
    with pytest.raises(Overloaded):
        await halls[0].enter()
    await halls[0].viewers[0].ask("replay_close")
    await halls[0].enter()
    assert len(halls[0].players) == 3


async def test_nothing_is_left_of_one_that_is_closed(halls: list[Hall]) -> None:
    viewer = await opened(halls, 1, 2)
    await viewer.ask("replay_play")
    await halls[0].time.advance(1.1)
    assert halls[0].past.open_readers == 1
    await viewer.ask("replay_close")
    await turns()
    assert halls[0].past.open_readers == 0
    await halls[0].time.advance(10)
    assert viewer.text == "1"


def test_what_all_show_together_has_a_rate() -> None:
    budget = Budget(1_000, now=0.0)
    assert budget.pay(50, 0.0) == 0
    assert budget.pay(1_000, 0.0) == pytest.approx(1.0)
    assert budget.pay(50, 0.5) == pytest.approx(0.55)
    assert budget.pay(50, 100.0) == 0


# The law.

_ACTIONS: st.SearchStrategy[tuple[str, dict[str, Any]]] = st.one_of(
    st.tuples(st.just("replay_play"), st.just({})),
    st.tuples(st.just("replay_pause"), st.just({})),
    st.tuples(
        st.just("replay_seek"),
        st.builds(lambda second: {"at": BEGIN + second * SECOND // 2}, st.integers(0, 60)),
    ),
    st.tuples(
        st.just("replay_speed"),
        st.fixed_dictionaries({"speed": st.sampled_from([0.25, 1.0, 4.0, 64.0]), "skip_idle": st.booleans()}),
    ),
    st.tuples(st.just("replay_step"), st.builds(lambda by: {"by": by}, st.integers(-3, 3))),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(
    gaps=st.lists(st.sampled_from([0.0, 0.01, 0.5, 1.0, 5.0]), max_size=12),
    script=st.lists(st.tuples(_ACTIONS, st.sampled_from([0.0, 0.1, 1.0, 3.0])), max_size=12),
)
async def test_what_is_seen_is_the_room_as_it_was_at_that_place(
    halls: list[Hall], gaps: Sequence[float], script: Sequence[tuple[tuple[str, dict[str, Any]], float]]
) -> None:
    seconds = [sum(gaps[: number + 1]) for number in range(len(gaps))]
    viewer = await opened(halls, *seconds, length=30)
    for (kind, fields), pause in script:
        await viewer.ask(kind, **fields)
        await halls[-1].time.advance(pause)
        place = Place.parse(viewer.place)
        stage = await halls[-1].past.stage("demo", place)
        texts = [str(document.text) for document in stage.documents.values()]
        assert viewer.text == "".join(texts)
        assert viewer.at >= place.at
    await halls.pop().close()
