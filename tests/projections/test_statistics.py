"""What is done in a room, as the fold of a log in pages counts it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.aggregate import Event
from domain.message import Message
from projections.statistics import (
    COUNTED,
    DAY,
    EVER,
    EVERYBODY,
    HOUR,
    MONTH,
    Counts,
    Hour,
    KnownMessage,
    Last,
    Period,
    ResponseTimes,
    Tally,
    at_every_scale,
    bucket_of,
    hour_at,
    needed,
    periods,
    pieces,
    response_times,
    seconds_of,
    words_of,
)
from tests.domain.events import NOON, collect, later
from tests.projections.conversations import (
    ROOMS,
    conversations,
    deeds,
    emoji_standing,
    responses,
    words_standing,
)

MOMENTS = st.integers(0, 150 * 86_400).map(
    lambda seconds: datetime(2026, 10, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


class Counted:
    """All tables, in memory."""

    def __init__(self) -> None:
        self.messages: dict[tuple[str, str], KnownMessage] = {}
        self.last: dict[str, Last] = {}
        self.counts: defaultdict[Hour, list[int]] = defaultdict(lambda: [0] * len(COUNTED))
        self.responses: Counter[tuple[Hour, int]] = Counter()
        self.emoji: Counter[tuple[str, str]] = Counter()
        self.words: Counter[tuple[str, str]] = Counter()

    def add(self, page: Sequence[Event]) -> None:
        messages, rooms = needed(page)
        tally = Tally(
            {key: self.messages[key] for key in messages & self.messages.keys()},
            {room: self.last[room] for room in rooms & self.last.keys()},
        )
        for event in page:
            tally.add(event)
        for hour, counted in tally.counts.items():
            self.counts[hour] = [a + b for a, b in zip(self.counts[hour], counted, strict=True)]
        self.responses.update(tally.responses)
        self.emoji.update(tally.emoji)
        self.words.update(tally.words)
        self.messages.update({key: tally.messages[key] for key in tally.touched})
        self.last.update(tally.last)

    def of_hour(self, hour: Hour) -> dict[str, int]:
        return {name: n for name, n in zip(COUNTED, self.counts[hour], strict=True) if n}


def count(log: Sequence[Event], page: int = 1_000) -> Counted:
    counted = Counted()
    for start in range(0, len(log), page):
        counted.add(log[start : start + page])
    return counted


@given(log=conversations(), page=st.integers(1, 60))
def test_every_hour_is_counted_as_the_whole_log_tells_it(log: list[Event], page: int) -> None:
    expected: defaultdict[Hour, Counter[str]] = defaultdict(Counter)
    for deed in deeds(log):
        expected[Hour(deed.room, deed.user, hour_at(deed.at))][deed.what] += deed.number
    counted = count(log, page)
    assert {hour: counted.of_hour(hour) for hour in counted.counts} == {
        hour: dict(+done) for hour, done in expected.items()
    }


@given(log=conversations(), page=st.integers(1, 60))
def test_responses_words_and_emoji_are_those_of_the_whole_log(log: list[Event], page: int) -> None:
    counted = count(log, page)
    assert counted.responses == Counter(
        (Hour(r.room, r.user, hour_at(r.at)), bucket_of(r.milliseconds)) for r in responses(log)
    )
    for room in ROOMS:
        assert {w: n for (r, w), n in counted.words.items() if r == room and n} == words_standing(log, room)
        assert {e: n for (r, e), n in counted.emoji.items() if r == room and n} == emoji_standing(log, room)


def test_every_hour_counts_for_its_day_month_and_ever_and_for_everybody() -> None:
    hour = Hour("demo", "ada", datetime(2026, 12, 31, 23, tzinfo=UTC))
    counted = at_every_scale({hour: [1] * len(COUNTED), hour._replace(user="ben"): [2] * len(COUNTED)})
    assert set(counted) == {
        Period("demo", scale, user, since)
        for user in ("ada", "ben", EVERYBODY)
        for scale, since in (
            (HOUR, hour.since),
            (DAY, datetime(2026, 12, 31, tzinfo=UTC)),
            (MONTH, datetime(2026, 12, 1, tzinfo=UTC)),
            (EVER, datetime(1970, 1, 1, tzinfo=UTC)),
        )
    }
    assert {row[0] for period, row in counted.items() if period.user == EVERYBODY} == {3}


@given(
    moments=st.lists(MOMENTS, min_size=30, max_size=60),
    ends=st.tuples(MOMENTS, MOMENTS),
    open_at=st.integers(0, 3),
)
def test_the_pieces_of_a_span_have_each_of_its_hours_once(
    moments: list[datetime], ends: tuple[datetime, datetime], open_at: int
) -> None:
    since, until = sorted(ends)
    found = pieces(since if open_at & 1 else None, until if open_at & 2 else None)
    for hour in {hour_at(moment) for moment in [*moments, *ends]}:
        inside = (not open_at & 1 or hour >= hour_at(since)) and (not open_at & 2 or hour < until)
        hits = [
            piece
            for piece in found
            for period in set(periods(Hour("r", "u", hour)))
            if period.user == "u"
            and period.scale == piece.scale
            and piece.since <= period.since < piece.until
        ]
        assert len(hits) == inside


def test_a_year_is_a_few_pieces() -> None:
    since = datetime(2026, 1, 10, 5, 30, tzinfo=UTC)
    assert [
        (p.scale, p.since.isoformat()[:13], p.until.isoformat()[:13])
        for p in pieces(since, since + timedelta(days=365))
    ] == [
        (HOUR, "2026-01-10T05", "2026-01-11T00"),
        (DAY, "2026-01-11T00", "2026-02-01T00"),
        (MONTH, "2026-02-01T00", "2027-01-01T00"),
        (DAY, "2027-01-01T00", "2027-01-10T00"),
        (HOUR, "2027-01-10T00", "2027-01-10T05"),
    ]


@pytest.mark.parametrize(
    "moment",
    [datetime.max.replace(tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC), datetime.min.replace(tzinfo=UTC)],
)
def test_the_ends_of_time_are_moments_too(moment: datetime) -> None:
    assert pieces(moment, moment) == []
    for piece in [*pieces(None, moment), *pieces(moment, None)]:
        assert piece.since < piece.until


def test_hours_are_of_utc() -> None:
    assert hour_at(datetime(2026, 11, 24, 1, 29, 59, tzinfo=timezone(timedelta(hours=5.5)))) == datetime(
        2026, 11, 23, 19, tzinfo=UTC
    )


def test_words_are_letters_and_digits_without_upper_case() -> None:
    assert words_of("Die STRASSE, die Straße! no a_b 12 123 " + "y" * 41) == [
        "die", "strasse", "die", "strasse", "a_b", "123",
    ]  # fmt: skip
    assert len(words_of("word " * 201)) == 200
    assert words_of("ß" * 21) == []  # 42 letters without upper case


def test_a_message_of_which_nobody_knows_how_it_began_says_nothing() -> None:
    message = Message.post("demo", "m", client="c", text="hello", documents={}, actor="ada", at=NOON)
    collect(message)
    message.edit("other words", mentions=[], actor="ada", at=later(1))
    counted = count(collect(message))
    assert not counted.words
    assert counted.of_hour(Hour("demo", "ada", hour_at(NOON))) == {"message_edits": 1}


# Response times.


def test_a_bucket_is_told_by_its_middle_within_a_tenth() -> None:
    for milliseconds in range(1_000, 200_000, 37):
        told = seconds_of(bucket_of(milliseconds))
        assert abs(told * 1_000 / milliseconds - 1) < 0.095
    assert [bucket_of(ms) for ms in (0, 999, 1_000, 1_188, 1_189, 2_000)] == [0, 0, 1, 1, 2, 5]
    assert seconds_of(0) == 0.5
    assert bucket_of(10**15) == 100
    assert all(a < b for a, b in pairwise(seconds_of(bucket) for bucket in range(101)))


@given(st.lists(st.integers(1_000, 10_000_000), min_size=1, max_size=40))
def test_median_and_ninetieth_percentile_are_those_of_the_responses(taken: list[int]) -> None:
    buckets = sorted(Counter(map(bucket_of, taken)).items())
    told = response_times(buckets, sum(taken))
    ordered = sorted(taken)
    assert told.responses == len(taken)
    assert told.mean == pytest.approx(sum(taken) / len(taken) / 1_000, abs=0.001)
    assert told.median == seconds_of(bucket_of(ordered[(len(taken) + 1) // 2 - 1]))
    assert told.p90 == seconds_of(bucket_of(ordered[-(-len(taken) * 9 // 10) - 1]))


def test_nothing_has_no_median() -> None:
    assert response_times([], 0) == ResponseTimes(0, None, None, None)
    assert Counts() == Counts(*[0] * len(COUNTED))
