"""Who does how much in a room, and when; what is said most; how quickly one is answered.

Everything is counted in the hour (UTC) in which it was done, for whoever did it and for `EVERYBODY`, and
added up by day, by month and for ever. Sums do not mind in which order, or in which pages, events come, and
a clock that goes back only counts into an earlier hour.

What was said counts as it was said: an edit or a deletion counts by itself and takes no message, word or
character away. A reaction and its removal are two numbers. The most used words and emoji of a room are as
the room stands now, whatever the span: an edit replaces a message's words, a deletion takes them away, a
reaction that was removed counts no more. (Reactions to a deleted message do: they are nothing that it said.)

An imported message counts for its author at the time at which it was said, with its words and the reactions
to it; its edits and its deletion were done in another room and do not. It answers nobody and nobody answers
it; whoever speaks next may answer the message before it.

A message answers the one that it replies to, however old, or else the one just before it in the room, when
that is at most `ANSWER_SECONDS` old; in both cases only when somebody else wrote it. Where clocks contradict
each other, it took no time.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from math import ceil, exp2
from typing import Any, Final, NamedTuple

from domain.aggregate import Event
from domain.document import EditApplied
from domain.ids import parse_stream
from domain.instants import as_datetime, as_microseconds
from domain.message import (
    Deleted,
    Edited,
    Imported,
    Posted,
    ReactionAdded,
    ReactionRemoved,
    count_words,
)
from domain.text_op import length_change

NAME: Final = "statistics"
TOPICS: Final = frozenset(
    kind.TOPIC for kind in (Posted, Imported, Edited, Deleted, ReactionAdded, ReactionRemoved, EditApplied)
)

# No user can be called so.
EVERYBODY: Final = "*"

# Who speaks after half an hour of silence begins something new.
ANSWER_SECONDS: Final = 30 * 60

# Shorter words say little; longer ones are no words, but addresses, keys and cries. One message adds at most
# so many, so that the table grows with what people say and not with what they paste.
WORD: Final = re.compile(r"\w{3,}")
WORD_CODE_POINTS: Final = 40
WORDS_PER_MESSAGE: Final = 200

# How many of each the answers name.
PEOPLE_TOLD: Final = 100
EMOJI_TOLD: Final = 20
WORDS_TOLD: Final = 30
HOURS_TOLD: Final = 5

# The most used words of English, and pieces of addresses. They are counted like all others, and left out when
# it is asked which words are used most; so the list can change without a rebuild.
_STOP_WORDS: Final = """
about after all also and any are because been but can could did does for from get had has have her here him
his how its just like more not now one only our out over she should some than that the their them then there
these they this too very was way were what when where which who why will with would you your
com http https org www
"""
STOP_WORDS: Final = frozenset(_STOP_WORDS.split())


# What is kept.


@dataclass(frozen=True, slots=True)
class Counts:
    """What was done. `words` and `characters` were said, `inserted` and `deleted` are of documents, both in
    code points. The `responses` took `response_milliseconds` together.
    """

    messages: int = 0
    replies: int = 0
    words: int = 0
    characters: int = 0
    message_edits: int = 0
    message_deletions: int = 0
    reactions_added: int = 0
    reactions_removed: int = 0
    document_edits: int = 0
    inserted: int = 0
    deleted: int = 0
    responses: int = 0
    response_milliseconds: int = 0


COUNTED: Final = tuple(field.name for field in fields(Counts))
_INDEX: Final = {name: index for index, name in enumerate(COUNTED)}


class Hour(NamedTuple):
    """What is counted of a user in an hour."""

    room: str
    user: str
    since: datetime


class Period(NamedTuple):
    """An hour, a day, a month, or all time, of one user or of `EVERYBODY`."""

    room: str
    scale: str
    user: str
    since: datetime


@dataclass(frozen=True, slots=True)
class KnownMessage:
    """What has to be known of a message when it is edited, deleted or answered. `said` is None for one that
    was brought here from elsewhere.
    """

    author: str
    said: datetime | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Last:
    """The last message that was said in a room."""

    author: str
    said: datetime


MessageKey = tuple[str, str]
"""Room and message."""


# The fold.


@dataclass(slots=True)
class Tally:
    """What a page adds to all tables. It begins with what is known of the messages and rooms that `needed`
    names, and is told to `add` the page's events in their order; then `messages` and `last` are as after it.
    """

    messages: dict[MessageKey, KnownMessage]
    last: dict[str, Last]
    counts: defaultdict[Hour, list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0] * len(COUNTED))
    )
    responses: Counter[tuple[Hour, int]] = field(default_factory=Counter)
    emoji: Counter[tuple[str, str]] = field(default_factory=Counter)
    words: Counter[tuple[str, str]] = field(default_factory=Counter)
    touched: set[MessageKey] = field(default_factory=set)
    """The messages that are not as they were."""

    def add(self, event: Event) -> None:
        match event:
            case EditApplied():
                self._add_edit(event)
            case Posted():
                self._post(event)
            case Imported():
                self._import(event)
            case Edited():
                self._reword(event, words_of(event.text))
                self._count(_hour_of(event), message_edits=1)
            case Deleted():
                self._reword(event, ())
                self._count(_hour_of(event), message_deletions=1)
            case ReactionAdded():
                self._react(_hour_of(event), event.emoji)
            case ReactionRemoved():
                hour = _hour_of(event)
                self._count(hour, reactions_removed=1)
                self.emoji[hour.room, event.emoji] -= 1

    def _count(self, hour: Hour, **counted: int) -> None:
        row = self.counts[hour]
        for name, number in counted.items():
            row[_INDEX[name]] += number

    def _add_edit(self, event: EditApplied) -> None:
        inserted = sum(len(component) for component in event.op if isinstance(component, str))
        deleted = inserted - length_change(event.op)
        room = parse_stream(event.originator_id).room
        hour = Hour(room, event.writer, hour_at(event.written_at))
        self._count(hour, document_edits=1, inserted=inserted, deleted=deleted)

    def _post(self, event: Posted) -> None:
        said, key = event.timestamp, (event.room, event.message)
        hour = Hour(event.room, event.actor, hour_at(said))
        self._say(hour, event)
        self._respond(hour, event)
        self.last[event.room] = Last(event.actor, said)
        self._know(key, KnownMessage(event.actor, said, ()), words_of(event.text))

    def _import(self, event: Imported) -> None:
        posted = as_datetime(event.posted)
        self._say(Hour(event.room, event.author, hour_at(posted)), event)
        for emoji, user, at in event.reactions:
            self._react(Hour(event.room, str(user), hour_at(as_datetime(int(at)))), str(emoji))
        known = KnownMessage(event.author, None, ())
        self._know((event.room, event.message), known, words_of(event.text))

    def _say(self, hour: Hour, event: Posted | Imported) -> None:
        self._count(
            hour,
            messages=1,
            replies=int(event.reply_to is not None),
            words=count_words(event.text) if event.words is None else event.words,
            characters=len(event.text),
        )

    def _respond(self, hour: Hour, event: Posted) -> None:
        """Count a message as an answer, if it is one."""
        answered: KnownMessage | Last | None
        if event.reply_to is not None:
            answered, limit = self.messages.get((event.room, event.reply_to)), None
        else:
            answered, limit = self.last.get(event.room), ANSWER_SECONDS * 1_000
        if answered is None or answered.said is None or answered.author == event.actor:
            return
        taken = max(0, as_microseconds(event.timestamp) - as_microseconds(answered.said)) // 1_000
        if limit is None or taken <= limit:
            self._count(hour, responses=1, response_milliseconds=taken)
            self.responses[hour, bucket_of(taken)] += 1

    def _react(self, hour: Hour, emoji: str) -> None:
        self._count(hour, reactions_added=1)
        self.emoji[hour.room, emoji] += 1

    def _reword(self, event: Event, words: Sequence[str]) -> None:
        """What a message says now instead. One of which nobody knows how it began says nothing."""
        stream = parse_stream(event.originator_id)
        known = self.messages.get((stream.room, stream.name))
        if known is not None:
            self._know((stream.room, stream.name), known, words)

    def _know(self, key: MessageKey, known: KnownMessage, words: Sequence[str]) -> None:
        room, _ = key
        for word in known.words:
            self.words[room, word] -= 1
        for word in words:
            self.words[room, word] += 1
        self.messages[key] = KnownMessage(known.author, known.said, tuple(words))
        self.touched.add(key)


def needed(events: Iterable[Event]) -> tuple[set[MessageKey], set[str]]:
    """The messages, and the rooms whose last one, have to be known before `events` are counted."""
    messages: set[MessageKey] = set()
    rooms: set[str] = set()
    for event in events:
        match event:
            case Posted():
                rooms.add(event.room)
                if event.reply_to is not None:
                    messages.add((event.room, event.reply_to))
            case Edited() | Deleted():
                stream = parse_stream(event.originator_id)
                messages.add((stream.room, stream.name))
    return messages, rooms


def words_of(text: str) -> list[str]:
    """The words of a message that are counted one by one, without upper case."""
    words = (word.casefold() for word in WORD.findall(text))
    return [word for word in words if len(word) <= WORD_CODE_POINTS][:WORDS_PER_MESSAGE]


def _hour_of(event: Event) -> Hour:
    return Hour(parse_stream(event.originator_id).room, event.actor, hour_at(event.timestamp))


# Times.


def hour_at(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


HOUR, DAY, MONTH, EVER = "hour", "day", "month", "ever"

_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_END: Final = datetime(9999, 1, 1, tzinfo=UTC)
ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Of which all time is said to be."""


@lru_cache(maxsize=1_024)
def _scales(hour: datetime) -> tuple[tuple[str, datetime], ...]:
    day = hour.replace(hour=0)
    return (HOUR, hour), (DAY, day), (MONTH, day.replace(day=1)), (EVER, ALWAYS)


def periods(hour: Hour) -> Iterator[Period]:
    """All that an hour counts for."""
    for scale, since in _scales(hour.since):
        for user in (hour.user, EVERYBODY):
            yield Period(hour.room, scale, user, since)


class Piece(NamedTuple):
    """The periods of one scale that begin from `since` until just before `until`."""

    scale: str
    since: datetime
    until: datetime


def pieces(since: datetime | None, until: datetime | None) -> list[Piece]:
    """A span as few periods: hours to the first midnight, days to the first of a month, months, and so down
    again. The hour in which it begins, and the one in which it ends, are in it. None: all there is.
    """
    if since is None and until is None:
        return [Piece(EVER, ALWAYS, ALWAYS + timedelta(hours=1))]
    start, end = hours_between(since, until)
    return [part for piece in day_pieces(start, end, 0) for part in _in_months(piece)]


def day_pieces(start: datetime, end: datetime, offset_minutes: int) -> list[Piece]:
    """The same without months, and in hours alone where midnight is not that of UTC."""
    first_day, last_day = _next_day(start), end.astimezone(UTC).replace(**_MIDNIGHT)
    if offset_minutes or first_day >= last_day:
        return _cut((HOUR, start, end))
    return _cut((HOUR, start, first_day), (DAY, first_day, last_day), (HOUR, last_day, end))


def _in_months(piece: Piece) -> list[Piece]:
    scale, first_day, last_day = piece
    first_month, last_month = _next_month(first_day), last_day.replace(**_MIDNIGHT, day=1)
    if scale != DAY or first_month >= last_month:
        return [piece]
    return _cut((DAY, first_day, first_month), (MONTH, first_month, last_month), (DAY, last_month, last_day))


def _cut(*cuts: tuple[str, datetime, datetime]) -> list[Piece]:
    return [Piece(*cut) for cut in cuts if cut[1] < cut[2]]


def hours_between(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """From when until when the hours of a span begin."""
    return hour_at(min(since or _BEGINNING, _END)), min(until or _END, _END)


_MIDNIGHT: Final[Any] = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}


def _next_day(moment: datetime) -> datetime:
    """The first midnight that is not before `moment`."""
    midnight = moment.replace(**_MIDNIGHT)
    return midnight if midnight == moment else midnight + timedelta(days=1)


def _next_month(day: datetime) -> datetime:
    """The first beginning of a month that is not before `day`."""
    return day if day.day == 1 else (day.replace(day=1) + timedelta(days=32)).replace(day=1)


# Response times, in buckets: below a second, then four to a doubling, up to ten months. What is told is a
# bucket's middle, so it is off by 9 % at most.
_BUCKETS_PER_DOUBLING: Final = 4
_EDGES: Final = [round(1_000 * 2 ** (n / _BUCKETS_PER_DOUBLING)) for n in range(25 * _BUCKETS_PER_DOUBLING)]


def bucket_of(milliseconds: int) -> int:
    return bisect_right(_EDGES, milliseconds)


def seconds_of(bucket: int) -> float:
    """What stands for everything in a bucket: the middle, on a scale of ratios."""
    if bucket == 0:
        return 0.5
    return round(exp2((bucket - 0.5) / _BUCKETS_PER_DOUBLING), 2)


# The answers.


@dataclass(frozen=True, slots=True)
class PersonCounts:
    user: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class DayCounts:
    day: date
    counts: Counts


@dataclass(frozen=True, slots=True)
class Activity:
    """The three things of which everybody wants to know when they are done."""

    messages: int
    reactions: int
    document_edits: int


@dataclass(frozen=True, slots=True)
class HourOfWeek:
    """`weekday` is 1 for Monday to 7."""

    weekday: int
    hour: int
    activity: Activity


@dataclass(frozen=True, slots=True)
class BusyHour:
    since: datetime
    activity: Activity


@dataclass(frozen=True, slots=True)
class Uses:
    """How often an emoji or a word is used."""

    value: str
    uses: int


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """In seconds, None when there was no response. The mean is exact, the others are off by 9 % at most."""

    responses: int
    mean: float | None
    median: float | None
    p90: float | None


@dataclass(frozen=True, slots=True)
class RoomStatistics:
    """What was done in a room (`user` None: by everybody) in the hours from `since` until `until` (None:
    without end). Days and hours of the day are those of a clock that is `offset_minutes` ahead of UTC.

    `people` are those who did most, `PEOPLE_TOLD` of them. `emoji` and `words` are the room's, as it is now.
    """

    room: str
    user: str | None
    since: datetime | None
    until: datetime | None
    offset_minutes: int
    totals: Counts
    people: tuple[PersonCounts, ...]
    days: tuple[DayCounts, ...]
    week: tuple[HourOfWeek, ...]
    """Without the hours in which nothing was ever done."""
    busiest: tuple[BusyHour, ...]
    emoji: tuple[Uses, ...]
    words: tuple[Uses, ...]
    response_times: ResponseTimes

    @property
    def hours(self) -> tuple[Activity, ...]:
        """By hour of the day, all 24."""
        found = [[0, 0, 0] for _ in range(24)]
        for cell in self.week:
            done = cell.activity
            for index, number in enumerate((done.messages, done.reactions, done.document_edits)):
                found[cell.hour][index] += number
        return tuple(Activity(*row) for row in found)


def response_times(buckets: Sequence[tuple[int, int]], milliseconds: int) -> ResponseTimes:
    """Of buckets and how many responses are in each, in order, which took so long together."""
    responses = sum(number for _, number in buckets)
    if responses == 0:
        return ResponseTimes(0, None, None, None)
    sums = list(accumulate(number for _, number in buckets))

    def quantile(part: float) -> float:
        place = bisect_right(sums, ceil(part * responses) - 1)
        return seconds_of(buckets[place][0])

    mean = round(milliseconds / responses / 1_000, 3)
    return ResponseTimes(responses, mean, quantile(0.5), quantile(0.9))


def as_json(statistics: RoomStatistics) -> dict[str, Any]:
    """The one shape of statistics on every wire. Moments are microseconds since the epoch."""
    return {
        "room": statistics.room,
        "user": statistics.user,
        "since": _microseconds(statistics.since),
        "until": _microseconds(statistics.until),
        "offset_minutes": statistics.offset_minutes,
        "totals": asdict(statistics.totals),
        "people": [{"user": person.user, **asdict(person.counts)} for person in statistics.people],
        "days": [{"day": day.day.isoformat(), **asdict(day.counts)} for day in statistics.days],
        "hours": [{"hour": hour, **asdict(done)} for hour, done in enumerate(statistics.hours)],
        "week": [
            {"weekday": cell.weekday, "hour": cell.hour, **asdict(cell.activity)} for cell in statistics.week
        ],
        "busiest": [
            {"since": as_microseconds(hour.since), **asdict(hour.activity)} for hour in statistics.busiest
        ],
        "emoji": [{"emoji": used.value, "uses": used.uses} for used in statistics.emoji],
        "words": [{"word": used.value, "uses": used.uses} for used in statistics.words],
        "response_times": asdict(statistics.response_times),
    }


def _microseconds(at: datetime | None) -> int | None:
    return None if at is None else as_microseconds(at)


def at_every_scale(counts: Mapping[Hour, Sequence[int]]) -> dict[Period, list[int]]:
    """Counts of hours, added up."""
    found: defaultdict[Period, list[int]] = defaultdict(lambda: [0] * len(COUNTED))
    for hour, counted in counts.items():
        for period in periods(hour):
            row = found[period]
            for index, number in enumerate(counted):
                row[index] += number
    return found


def responses_at_every_scale(responses: Mapping[tuple[Hour, int], int]) -> Counter[tuple[Period, int]]:
    found: Counter[tuple[Period, int]] = Counter()
    for (hour, bucket), number in responses.items():
        for period in periods(hour):
            found[period, bucket] += number
    return found
