"""What went on in a room in a span of time, as a report tells it: by whom, when, on what, and with whom.

All of a room's events are folded, from its beginning: a text, and what was touched in it, is what its edits
make of it. Counted is what happened from `since` until just before `until`. What is counted of edits and
messages is counted by `statistics`, so that both say the same. Sizes are bounded by how many people,
documents, messages and stays there are, not by the edits.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from domain.aggregate import Event
from domain.attendance import Joined, Left
from domain.document import EditApplied
from domain.ids import SERVER, parse_stream
from domain.instants import as_datetime
from domain.message import Imported, Posted
from domain.revisions import RevisionSaved
from domain.room import DocumentListed, DocumentUnlisted, Opened, Renamed
from domain.run import RunFinished
from projections.heat import LineHeat
from projections.statistics import COUNTED, Counts, Tally

# Who edits a document so soon after somebody else works on it together with them.
TOGETHER: Final = timedelta(minutes=5)

# A plot over time is some hundreds of pixels wide: wider than this, its bars are columns to be seen.
BUCKETS_MAX: Final = 80
BUCKETS: Final = tuple(
    timedelta(minutes=minutes)
    for minutes in (
        *(1 / 6, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720),
        *(days * 1440 for days in (1, 7, 14, 28, 91, 364, 3640)),
    )
)


def bucket_for(span: timedelta) -> timedelta:
    """How long a time one bar of a plot stands for."""
    return next((bucket for bucket in BUCKETS if span / bucket <= BUCKETS_MAX), BUCKETS[-1])


@dataclass(slots=True)
class Work:
    """What was done to one document."""

    heat: LineHeat = field(default_factory=LineHeat)
    edits: Counter[str] = field(default_factory=Counter)
    """By person."""
    over_time: Counter[int] = field(default_factory=Counter)
    """Edits by bucket."""
    inserted: int = 0
    deleted: int = 0
    last: datetime | None = None
    is_listed: bool = True


@dataclass(frozen=True, slots=True)
class NamedMoment:
    at: datetime
    document: str
    revision: int
    name: str
    who: str


@dataclass(slots=True)
class Together:
    """What two people have to do with each other, counted for the two in the order of their ids."""

    edits: int = 0
    """Edits within `TOGETHER` after one of the other's of the same document."""
    replies: int = 0
    mentions: int = 0

    @property
    def total(self) -> int:
        return self.edits + self.replies + self.mentions


Span = tuple[datetime, datetime]


class RoomReport:
    """Has one owner, who folds the events of the room in their order and then asks."""

    def __init__(self, room: str, since: datetime, until: datetime) -> None:
        self.room = room
        self.since = since
        self.until = until
        self.bucket = bucket_for(until - since)
        self.title = room
        self.events = 0
        """Of the span."""
        self.documents: defaultdict[str, Work] = defaultdict(Work)
        self.activity: Counter[tuple[str, int]] = Counter()
        """Edits and messages by person and bucket."""
        self.hours: Counter[tuple[str, datetime]] = Counter()
        """Messages and edits by kind and (UTC) quarter of an hour, the grain of all zones' clocks."""
        self.together: defaultdict[tuple[str, str], Together] = defaultdict(Together)
        self.moments: list[NamedMoment] = []
        self.saves = 0
        self.runs: Counter[str] = Counter()
        self.people: set[str] = set()
        """Who did anything, or was here."""
        self._within = Tally({}, {})
        self._outside = Tally(self._within.messages, self._within.last)
        self._stays: dict[str, tuple[str, datetime, datetime | None]] = {}
        self._last_edits: defaultdict[str, dict[str, datetime]] = defaultdict(dict)

    # Folding.

    def add(self, event: Event) -> None:
        at = _said_at(event)
        is_within = self.since <= at < self.until
        if is_within:
            self.events += 1
            if event.actor != SERVER:
                self.people.add(event.actor)
        match event:
            case EditApplied():
                self._edit(event, at, is_within=is_within)
            case Posted() | Imported():
                self._say(event, at, is_within=is_within)
            case Joined():
                self._stays[event.originator_id] = (event.actor, event.timestamp, None)
            case Left():
                if (stay := self._stays.get(event.originator_id)) is not None:
                    who, since, _ = stay
                    self._stays[event.originator_id] = (who, since, max(since, event.timestamp))
            case _:
                self._add_rest(event, at, is_within=is_within)
        (self._within if is_within else self._outside).add(event)

    def _add_rest(self, event: Event, at: datetime, *, is_within: bool) -> None:
        match event:
            case Opened() | Renamed():
                self.title = event.title
            case DocumentListed():
                self.documents[event.document].is_listed = True
            case DocumentUnlisted():
                self.documents[event.document].is_listed = False
            case RevisionSaved() if is_within:
                self.saves += 1
                if event.name is not None:
                    moment = NamedMoment(at, event.document, event.revision, event.name, event.actor)
                    self.moments.append(moment)
            case RunFinished() if is_within:
                self.runs[event.outcome] += 1
            case _:
                pass

    def _edit(self, event: EditApplied, at: datetime, *, is_within: bool) -> None:
        document = parse_stream(event.originator_id).name
        work = self.documents[document]
        work.heat.apply(event.op, event.actor, is_counted=is_within)
        if not is_within:
            return
        for component in event.op:
            if isinstance(component, str):
                work.inserted += len(component)
            elif isinstance(component, dict):
                work.deleted += component["d"] if isinstance(component["d"], int) else len(component["d"])
        bucket = (at - self.since) // self.bucket
        work.edits[event.actor] += 1
        work.over_time[bucket] += 1
        work.last = at
        self.activity[event.actor, bucket] += 1
        self.hours["edits", _quarter(at)] += 1
        last = self._last_edits[document]
        for other, before in list(last.items()):
            if at - before > TOGETHER:
                del last[other]
            elif other != event.actor:
                self.together[pair(event.actor, other)].edits += 1
        last[event.actor] = at

    def _say(self, event: Posted | Imported, at: datetime, *, is_within: bool) -> None:
        if not is_within:
            return
        author = event.author if isinstance(event, Imported) else event.actor
        self.people.add(author)
        self.activity[author, (at - self.since) // self.bucket] += 1
        self.hours["messages", _quarter(at)] += 1
        if event.reply_to is not None:
            known = self._within.messages.get((event.room, event.reply_to))
            if known is not None and known.author != author:
                self.together[pair(author, known.author)].replies += 1
        for mentioned in event.mentions:
            if mentioned != author:
                self.together[pair(author, mentioned)].mentions += 1

    # What came out.

    @property
    def counts(self) -> dict[str, Counts]:
        """What everybody did."""
        rows: dict[str, list[int]] = {}
        for hour, row in self._within.counts.items():
            known = rows.setdefault(hour.user, [0] * len(COUNTED))
            rows[hour.user] = [one + other for one, other in zip(known, row, strict=True)]
        return {user: Counts(*row) for user, row in rows.items()}

    def responses_of(self, who: str | None = None) -> Counter[int]:
        """Answers by how long they took, in buckets of `statistics`; everybody's or those of one."""
        found: Counter[int] = Counter()
        for (hour, bucket), count in self._within.responses.items():
            if who in (None, hour.user):
                found[bucket] += count
        return found

    @property
    def stays(self) -> dict[str, list[Span]]:
        """When everybody was here, in the span: places of one person that overlap are one."""
        found: defaultdict[str, list[Span]] = defaultdict(list)
        for who, since, until in self._stays.values():
            here = max(since, self.since), min(until or self.until, self.until)
            if here[0] < here[1]:
                found[who].append(here)
        return {who: union(spans) for who, spans in found.items()}


def pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def union(spans: Iterable[Span], gap: timedelta = timedelta(0)) -> list[Span]:
    """The same time in as few spans as possible, those with no more than `gap` between them as one."""
    found: list[Span] = []
    for since, until in sorted(spans):
        if found and since - found[-1][1] <= gap:
            found[-1] = found[-1][0], max(found[-1][1], until)
        else:
            found.append((since, until))
    return found


def present_seconds(spans: Sequence[Span]) -> float:
    return sum((until - since).total_seconds() for since, until in spans)


def at_once(stays: Iterable[Sequence[Span]]) -> int:
    """How many people were here at the same time, at most."""
    all_spans = [span for spans in stays for span in spans]
    begins, ends = sorted(since for since, _ in all_spans), sorted(until for _, until in all_spans)
    return max((number - bisect_right(ends, since) for number, since in enumerate(begins, 1)), default=0)


def _said_at(event: Event) -> datetime:
    """When an event counts: what was brought from elsewhere counts when it was said."""
    return as_datetime(event.posted) if isinstance(event, Imported) else event.timestamp


def _quarter(at: datetime) -> datetime:
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
