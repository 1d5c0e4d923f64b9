"""Replays of sessions on two nodes whose clocks differ, from both logs: on one clock, the same from wherever
one begins, and each text as it was at its revision.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.past import one_clock
from application.past.replay import Begin, Place, Replay, Step
from domain.aggregate import Event
from domain.attendance import Joined, Left
from domain.document import EditApplied
from domain.ids import document_stream, parse_stream
from domain.instants import as_microseconds
from domain.presence import HIDDEN, FrameRecorded
from domain.profile import ProfileChanged, ProfileCreated
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresLog
from infrastructure.postgres.replay_log import PostgresReplayLog
from infrastructure.postgres.time_travel import TimeTravel
from interfaces.ws.staging import as_stage
from projections.stage import Stage
from tests.domain.events import NOON
from tests.infrastructure.test_views import People
from tests.infrastructure.unguarded import append
from tests.projections.sessions import NAMES, ROOM, Session, sessions

MICROSECOND = timedelta(microseconds=1)
AFTER_ALL = NOON + timedelta(days=2)

law = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=max(5, settings().max_examples // 8),
    deadline=None,
)


class Theatre:
    """Both logs of a room, their tables as far as they have come, and its replay."""

    def __init__(self, database: Database) -> None:
        self.people = People(database)
        self.database = database
        self.replay = Replay(PostgresReplayLog(database), Stage, now=lambda: AFTER_ALL)

    async def begin_anew(self) -> None:
        await self.people.begin_anew()
        async with await self.database.connect("test") as connection:
            await connection.execute("DROP TABLE IF EXISTS presence_20261123")
            await connection.execute("SELECT create_presence_partition('2026-11-23')")
            await connection.execute("ALTER SEQUENCE presence_notification_id_seq RESTART")

    async def write(self, session: Session, projected: int = 0) -> None:
        """Both logs; the tables know the first events of the record."""
        if projected:
            await self.people.write(session.record[:projected])
        if session.record[projected:]:
            await append(self.people.log, session.record[projected:])
        log = PostgresLog(self.database, "presence")
        await append(log, session.presence)
        await log.disconnect()

    async def begin(self, since: datetime | None = None) -> Begin[Stage]:
        return await self.replay.begin(ROOM, since)

    async def steps(self, since: datetime = NOON - MICROSECOND, after: Place | None = None) -> list[Step]:
        return [step async for step in self.replay.steps(ROOM, since, AFTER_ALL, after=after)]


@pytest.fixture
async def theatre(database: Database) -> AsyncIterator[Theatre]:
    theatre = Theatre(database)
    await theatre.begin_anew()
    yield theatre
    await theatre.people.log.disconnect()


def told(stage: Stage) -> dict[str, Any]:
    """What is seen of a stage, whatever it was made of."""
    seen = as_stage(stage)
    del seen["place"]
    seen["people"].sort(key=lambda person: person["client"])
    return seen


def play(stage: Stage, steps: Sequence[Step], until: datetime | None = None) -> Stage:
    for step in steps:
        if until is not None and step.at > as_microseconds(until):
            break
        for recorded in step.events:
            stage.take(recorded.position, recorded.event)
        stage.advance(step.at, str(step.place))
    if until is not None:
        stage.advance(as_microseconds(until), stage.place)
    return stage


def moments(session: Session) -> st.SearchStrategy[datetime]:
    """Those at which something happened, just before and after them, and between."""
    happened = sorted({event.timestamp for event in session.record + session.presence})
    steps = st.sampled_from([-2, -1, 0, 0, 1, 60_000, 5_000_000, 9_000_000])
    return st.builds(lambda at, step: max(NOON, at + step * MICROSECOND), st.sampled_from(happened), steps)


# Laws.


@law
@given(session=sessions(), data=st.data())
async def test_playing_to_a_moment_shows_the_same_as_going_there(
    theatre: Theatre, session: Session, data: st.DataObject
) -> None:
    await theatre.begin_anew()
    await theatre.write(session, data.draw(st.integers(0, len(session.record))))
    for _ in range(3):
        since, at = sorted(data.draw(st.tuples(moments(session), moments(session))))
        begin = await theatre.begin(since)
        steps = await theatre.steps(since, begin.place)
        played = play(begin.stage, steps, at)
        shown = await theatre.replay.stage(ROOM, at)
        print(
            "AAA",
            told(played)["people"],
            "\nBBB",
            told(shown)["people"],
            begin.place,
            shown.place,
            [
                (s.at, [(r.position, getattr(r.event, "moves", type(r.event).__name__)) for r in s.events])
                for s in steps
            ][-30:],
        )
        assert told(played) == told(shown)


@law
@given(session=sessions())
async def test_each_text_is_that_of_its_revision(theatre: Theatre, session: Session) -> None:
    await theatre.begin_anew()
    await theatre.write(session)
    past = TimeTravel(theatre.database)
    stage = (await theatre.begin()).stage
    for step in await theatre.steps():
        play(stage, [step])
        for name in NAMES:
            document = stage.documents.get(name)
            if document is not None:
                assert str(document.text) == session.texts[name][document.revision]
    for name in NAMES:
        state = await past.now(document_stream(ROOM, name))
        assert state is not None
        assert str(stage.documents[name].text) == state.text


@law
@given(session=sessions(), data=st.data())
async def test_time_does_not_go_back_and_both_logs_keep_their_order(
    theatre: Theatre, session: Session, data: st.DataObject
) -> None:
    await theatre.begin_anew()
    await theatre.write(session)
    steps = await theatre.steps()
    times = [step.at for step in steps]
    assert times == sorted(times)
    events = [recorded for step in steps for recorded in step.events]
    of_room = [each for each in events if not isinstance(each.event, FrameRecorded)]
    frames = [each for each in events if isinstance(each.event, FrameRecorded)]
    assert [each.position for each in of_room] == sorted({each.position for each in of_room})
    assert [each.position for each in frames] == sorted({each.position for each in frames})
    assert len(of_room) == len([event for event in session.record if not _is_of_nobody(event, session)])
    assert len(frames) == len([event for event in session.presence if isinstance(event, FrameRecorded)])


def _is_of_nobody(event: Event, session: Session) -> bool:
    """Whether it is about how somebody looks who is not here."""
    if not isinstance(event, ProfileCreated | ProfileChanged):
        return False
    before = session.record[: session.record.index(event)]
    come = {each.session for each in before if isinstance(each, Joined) and each.actor == event.actor}
    gone = {parse_stream(each.originator_id).name for each in before if isinstance(each, Left)}
    return not come - gone


@law
@given(session=sessions())
async def test_a_cursor_is_shown_in_the_text_that_it_stands_in(theatre: Theatre, session: Session) -> None:
    await theatre.begin_anew()
    await theatre.write(session)
    revisions = dict.fromkeys(NAMES, 0)
    for step in await theatre.steps():
        for recorded in step.events:
            event = recorded.event
            if isinstance(event, EditApplied):
                revisions[parse_stream(event.originator_id).name] = event.revision
            elif isinstance(event, FrameRecorded):
                for _, name, revision, anchor, head, _ in event.moves:
                    if anchor != HIDDEN:
                        assert revision == revisions[str(name)]
                        assert 0 <= int(head) <= len(session.texts[str(name)][int(revision)])


@law
@given(session=sessions(), data=st.data())
async def test_one_goes_on_from_any_place_as_if_one_had_not_stopped(
    theatre: Theatre, session: Session, data: st.DataObject
) -> None:
    await theatre.begin_anew()
    await theatre.write(session)
    begin = await theatre.begin()
    steps = await theatre.steps(after=begin.place)
    for number in data.draw(st.lists(st.integers(0, len(steps) - 1), min_size=1, max_size=3)):
        place = Place.parse(str(steps[number].place))
        again = await theatre.replay.begin(ROOM, after=place)
        rest = await theatre.steps(after=place)
        assert rest == steps[number + 1 :]
        stage = (await theatre.begin()).stage
        assert told(play(stage, steps[: number + 1])) == told(again.stage)
        position = _last_of_record(steps[number])
        if position is not None:
            behind = await theatre.replay.stage_behind(ROOM, position)
            assert behind.revisions == stage.revisions


def _last_of_record(step: Step) -> int | None:
    of_room = [each.position for each in step.events if not isinstance(each.event, FrameRecorded)]
    return of_room[-1] if of_room else None


@law
@given(session=sessions(), page=st.integers(1, 7))
async def test_the_size_of_a_page_changes_nothing(theatre: Theatre, session: Session, page: int) -> None:
    await theatre.begin_anew()
    await theatre.write(session)
    whole = await theatre.steps()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one_clock, "PAGE_EVENTS", page)
        patch.setattr("application.past.replay.PAGE_EVENTS", page)
        assert await theatre.steps() == whole
