"""A report as a page: one HTML file without scripts, which loads nothing and can be printed.

It is text with figures in it; what users have written is escaped where it is put in, and should any of it be
taken for HTML one day, the page's policy lets nothing run and nothing be loaded, and no style but its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, Protocol

from interfaces.report import figures
from interfaces.report.figures import escaped
from interfaces.report.heat import heat_map
from projections.report import RoomReport, Together, at_once, present_seconds, union
from projections.statistics import COUNTED, Counts, seconds_of

# People with a colour of their own in plots; more are not told apart. The table has so many.
PEOPLE_DRAWN: Final = 12
PEOPLE_TOLD: Final = 100

PAIRS_TOLD: Final = 9
DOCUMENTS_TOLD: Final = 25
DOCUMENTS_MAPPED: Final = 8
DOCUMENTS_OPEN: Final = 2
MOMENTS_TOLD: Final = 60

# Stays with less than this part of the plot between them are drawn as one.
_GAP_PART: Final = 1 / 800

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TAKEN: Final = (
    (10, "under 10 seconds"),
    (30, "10 to 30 seconds"),
    (60, "30 to 60 seconds"),
    (300, "1 to 5 minutes"),
    (900, "5 to 15 minutes"),
    (1800, "15 to 30 minutes"),
    (3600, "30 to 60 minutes"),
    (float("inf"), "over an hour"),
)


_AXIS_FORMS: Final = (
    (timedelta(minutes=30), "%H:%M:%S"),
    (timedelta(hours=20), "%H:%M"),
    (timedelta(days=8), "%-d %b %H:%M"),
    (timedelta(days=300), "%-d %b"),
)


class Look(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def colour(self) -> str: ...


def render(report: RoomReport, looks: Mapping[str, Look], *, made: datetime, offset_minutes: int = 0) -> str:
    """The page. `offset_minutes`: by how many the clock that it shows is ahead of UTC."""
    return Page(report, looks, made, timezone(timedelta(minutes=offset_minutes))).html()


class Page:
    """One page while it is put together."""

    def __init__(self, report: RoomReport, looks: Mapping[str, Look], made: datetime, zone: timezone) -> None:
        self._report = report
        self._looks = looks
        self._made = made
        self._zone = zone
        self._counts = report.counts
        self._stays = report.stays
        self._columns = max(1, -((report.since - report.until) // report.bucket))

    @cached_property
    def _people(self) -> list[str]:
        """Everybody who was here or did something, the busiest first."""
        here = self._report.people | set(self._counts) | set(self._stays)

        def weight(who: str) -> tuple[int, float, str]:
            counts = self._counts.get(who, Counts())
            return (-counts.document_edits - counts.messages, -present_seconds(self._stays.get(who, ())), who)

        return sorted(here, key=weight)

    def html(self) -> str:
        title = escaped(self._report.title)
        sections = (
            self._figures(),
            self._activity(),
            self._people_table(),
            self._presence(),
            self._together(),
            self._documents(),
            self._chat(),
            self._moments(),
        )
        style = _style()
        policy = f"default-src 'none'; style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'"
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n'
            f"<title>{title}: report</title>\n<style>{style}</style>\n</head>\n<body>\n"
            f'<header><p class="kicker">Report</p><h1><bdi>{title}</bdi></h1>'
            f"<p>{self._span()}</p></header>\n<main>\n{''.join(sections)}</main>\n{self._footer()}</body>\n</html>\n"
        )

    def _span(self) -> str:
        since, until = self._time(self._report.since), self._time(self._report.until)
        return f"{since} to {until} ({self._clock()})"

    def _clock(self) -> str:
        return str(self._zone.tzname(None))

    def _time(self, at: datetime, form: str = "%-d %B %Y, %H:%M") -> str:
        return at.astimezone(self._zone).strftime(form)

    def _name(self, who: str) -> str:
        look = self._looks.get(who)
        return look.name if look is not None else who

    def _colour(self, who: str) -> str:
        """Of those who are drawn by themselves."""
        look = self._looks.get(who)
        return look.colour if look is not None else ""

    def _who(self, who: str) -> str:
        return f"{figures.swatch(self._colour(who))}<bdi>{escaped(self._name(who))}</bdi>"

    # Figures.

    def _figures(self) -> str:
        report, total = self._report, _sum(self._counts.values())
        here = sum(present_seconds(spans) for spans in self._stays.values())
        edited = sum(1 for work in report.documents.values() if work.edits)
        response = median(report.responses_of())
        together = at_once(self._stays.values())
        told = (
            ("people", "people", f"{len(self._people):,}", f"up to {together} at once" if together else ""),
            ("here", "spent here, all together", duration(here), ""),
            ("edits", "edits", f"{total.document_edits:,}", f"in {edited} document{'s' * (edited != 1)}"),
            ("written", "characters written", f"{total.inserted:,}", f"{total.deleted:,} deleted"),
            ("messages", "messages", f"{total.messages:,}", f"{total.replies:,} replies"),
            ("response", "usual time to an answer", duration(response) if response is not None else "–", ""),
            ("runs", "runs", f"{sum(report.runs.values()):,}", f"{report.runs['passed']:,} passed"),
            ("moments", "saved revisions", f"{report.saves:,}", f"{len(report.moments):,} named"),
        )
        items = "".join(
            f'<div><dt>{label}</dt><dd id="figure-{key}">{value} <small>{extra}</small></dd></div>'
            for key, label, value, extra in told
        )
        return f'<dl class="figures">{items}</dl>\n'

    # Over time.

    def _activity(self) -> str:
        report = self._report
        by_person: defaultdict[str, Counter[int]] = defaultdict(Counter)
        for (who, bucket), count in report.activity.items():
            by_person[who][bucket] += count
        drawn = [who for who in self._people if who in by_person][:PEOPLE_DRAWN]
        layers: list[figures.Layer] = [(self._name(who), self._colour(who), by_person[who]) for who in drawn]
        others: Counter[int] = Counter()
        for who, counts in by_person.items():
            if who not in drawn:
                others.update(counts)
        if others:
            layers.append(("others", "", others))
        titles = [self._time(report.since + n * report.bucket, "%-d %b %H:%M") for n in range(self._columns)]
        plot, most = figures.stacked(layers, self._columns, titles, "Edits and messages over time, by person")
        legend = "".join(f"<li>{self._who(who)}</li>" for who in drawn)
        if others:
            legend += f"<li>{figures.swatch('')}{len(by_person) - len(drawn)} others</li>"
        return _section(
            "activity",
            "Activity",
            f"Edits and messages, by person. Each column is {told_bucket(report.bucket)}.",
            f'<p class="peak">{most:,} at most</p><div class="plot">{plot}</div>{self._axis()}'
            f'<ul class="legend">{legend}</ul>',
        )

    def _axis(self) -> str:
        """Five moments at equal distances."""
        report = self._report
        end = report.since + self._columns * report.bucket
        moments = [report.since + (end - report.since) * n / 4 for n in range(5)]
        form = self._axis_form()
        return '<p class="axis">' + "".join(f"<span>{self._time(at, form)}</span>" for at in moments) + "</p>"

    def _axis_form(self) -> str:
        span = self._report.until - self._report.since
        for limit, form in _AXIS_FORMS:
            if span < limit:
                return form
        return "%b %Y"

    # People.

    def _people_table(self) -> str:
        rows = "".join(self._person(who) for who in self._people[:PEOPLE_TOLD])
        more = len(self._people) - PEOPLE_TOLD
        note = f" {more:,} more are not shown." if more > 0 else ""
        return _section(
            "people",
            "People",
            f"Written and deleted are characters of documents.{note}",
            '<div class="scroll"><table><thead><tr><th>Who<th class="num">Edits<th class="num">Written'
            '<th class="num">Deleted<th class="num">Messages<th class="num">Answers in<th class="num">Here'
            f"<th>Works on</thead><tbody>{rows}</tbody></table></div>",
        )

    def _person(self, who: str) -> str:
        counts = self._counts.get(who, Counts())
        mine = {name: work.edits[who] for name, work in self._report.documents.items() if work.edits[who]}
        favourite = max(mine, key=lambda name: (mine[name], name), default="")
        answer = median(self._report.responses_of(who))
        here = present_seconds(self._stays.get(who, ()))
        numbers = (
            f"{counts.document_edits:,}",
            f"{counts.inserted:,}",
            f"{counts.deleted:,}",
            f"{counts.messages:,}",
            duration(answer) if answer is not None else "–",
            duration(here) if here else "–",
        )
        cells = "".join(f'<td class="num">{number}</td>' for number in numbers)
        return f"<tr><td>{self._who(who)}</td>{cells}<td><bdi>{escaped(favourite)}</bdi></td></tr>"

    def _presence(self) -> str:
        report = self._report
        if not self._stays:
            return ""
        whole = self._columns * report.bucket
        rows = ""
        for who in [who for who in self._people if who in self._stays][: 2 * PEOPLE_DRAWN]:
            stays = union(self._stays[who], whole * _GAP_PART)
            parts = [
                ((since - report.since) / whole, (until - report.since) / whole) for since, until in stays
            ]
            seconds = present_seconds(self._stays[who])
            label = f"When {self._name(who)} was here: {duration(seconds)}"
            drawn = figures.strip(parts, self._colour(who), label)
            here = f'<span class="num">{duration(seconds)}</span>'
            rows += f'<span class="who">{self._who(who)}</span>{drawn}{here}'
        return _section(
            "presence",
            "Who was here when",
            "Everybody's time in the room; several windows of one person count once.",
            f'<div class="strips">{rows}{self._axis()}</div>',
        )

    # Together.

    def _together(self) -> str:
        pairs = sorted(self._report.together.items(), key=lambda item: (-item[1].total, item[0]))
        if not pairs:
            return ""
        weights: Counter[str] = Counter()
        for (one, other), both in pairs:
            weights[one] += both.total
            weights[other] += both.total
        drawn = [who for who, _ in weights.most_common(PEOPLE_DRAWN)]
        # In an order that is the same for everybody who makes this page.
        drawn.sort()
        nodes = [(self._name(who), self._colour(who), weights[who]) for who in drawn]
        edges = [
            (drawn.index(one), drawn.index(other), both.total, self._said(one, other, both))
            for (one, other), both in pairs
            if one in drawn and other in drawn
        ]
        graph = figures.graph(nodes, edges, "Who works with whom")
        rows = "".join(
            f"<tr><td>{self._who(one)}<br>{self._who(other)}</td>"
            + "".join(f'<td class="num">{n:,}</td>' for n in (both.edits, both.replies, both.mentions))
            + "</tr>"
            for (one, other), both in pairs[:PAIRS_TOLD]
        )
        return _section(
            "together",
            "Who works with whom",
            "Edits within five minutes after the other's in the same document, replies, and mentions.",
            f'<div class="two"><div class="graph">{graph}</div><div class="scroll"><table><thead><tr><th>Who'
            f'<th class="num">Edits together<th class="num">Replies<th class="num">Mentions</thead>'
            f"<tbody>{rows}</tbody></table></div></div>",
        )

    def _said(self, one: str, other: str, both: Together) -> str:
        return (
            f"{self._name(one)} and {self._name(other)}: {both.edits:,} edits together,"
            f" {both.replies:,} replies, {both.mentions:,} mentions"
        )

    # Documents.

    def _documents(self) -> str:
        worked = [(name, work) for name, work in self._report.documents.items() if work.edits]
        if not worked:
            return ""
        worked.sort(key=lambda item: (-item[1].edits.total(), item[0]))
        most = worked[0][1].edits.total()
        rows = ""
        for name, work in worked[:DOCUMENTS_TOLD]:
            parts = [(self._name(who), self._colour(who), n) for who, n in work.edits.most_common()]
            spark = figures.spark(work.over_time, self._columns, f"Edits of {name} over time")
            gone = "" if work.is_listed else ' <span class="note">(not listed any more)</span>'
            rows += (
                f"<tr><td><bdi>{escaped(name)}</bdi>{gone}</td>"
                f'<td class="bar">{figures.shares(parts, most, f"Edits of {name} by person")}</td>'
                f'<td class="num">{work.edits.total():,}</td><td class="num">{len(work.edits):,}</td>'
                f'<td class="num">{work.inserted:,}</td><td class="num">{work.deleted:,}</td>'
                f'<td class="spark">{spark}</td></tr>'
            )
        maps = "".join(
            heat_map(name, work, self._looks, is_open=number < DOCUMENTS_OPEN)
            for number, (name, work) in enumerate(worked[:DOCUMENTS_MAPPED])
        )
        return _section(
            "documents",
            "Documents",
            "By who edited them, and when.",
            '<div class="scroll"><table><thead><tr><th>Document<th>Who<th class="num">Edits'
            '<th class="num">People<th class="num">Written<th class="num">Deleted<th>When</thead>'
            f"<tbody>{rows}</tbody></table></div>",
        ) + _section(
            "heat",
            "Where the work went",
            "How many edits touched each line of the present text, and whose they were.",
            f'<p class="scale">few {figures.scale()} many</p>{maps}',
        )

    # Chat.

    def _chat(self) -> str:
        weeks: defaultdict[str, Counter[tuple[int, int]]] = defaultdict(Counter)
        for (kind, quarter), count in self._report.hours.items():
            here = quarter.astimezone(self._zone)
            weeks[kind][here.isoweekday(), here.hour] += count
        taken: Counter[str] = Counter()
        for bucket, count in self._report.responses_of().items():
            taken[next(name for seconds, name in _TAKEN if seconds_of(bucket) < seconds)] += count
        most = max([1, *taken.values()])
        bars = "".join(
            f"<span>{name}</span>{figures.svg(100, 10, _bar(taken[name], most), f'{taken[name]:,} answers')}"
            f'<span class="num">{taken[name]:,}</span>'
            for _, name in _TAKEN
        )
        return _section(
            "rhythm",
            "Rhythm",
            f"By hour of the day and weekday ({self._clock()}).",
            f'<div class="two"><div><h3>Messages</h3>{_week(weeks["messages"], "messages")}</div>'
            f"<div><h3>Edits</h3>{_week(weeks['edits'], 'edits')}</div></div>",
        ) + _section(
            "responses",
            "How soon one is answered",
            "A reply, or a message within half an hour after somebody else's.",
            f'<div class="taken">{bars}</div>',
        )

    def _moments(self) -> str:
        if not self._report.moments:
            return ""
        items = "".join(
            f"<li><time>{self._time(moment.at, '%-d %b %Y, %H:%M')}</time>"
            f"<span><b><bdi>{escaped(moment.name)}</bdi></b>, revision {moment.revision:,} of"
            f" <bdi>{escaped(moment.document)}</bdi>, by"
            f" <bdi>{escaped(self._name(moment.who))}</bdi></span></li>"
            for moment in self._report.moments[-MOMENTS_TOLD:]
        )
        return _section("moments", "Named moments", "", f'<ol class="moments">{items}</ol>')

    def _footer(self) -> str:
        return (
            f"<footer><p>Made by Chronoscribe on {self._time(self._made)} ({self._clock()}) from"
            f' <span id="figure-events">{self._report.events:,}</span> events of the room'
            f" <bdi>{escaped(self._report.room)}</bdi>. It counts what is in the log, and says nothing about"
            " how good it was.</p></footer>\n"
        )


def _section(name: str, title: str, note: str, content: str) -> str:
    said = f'<p class="note">{note}</p>' if note else ""
    return (
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{title}</h2>{said}'
        f"{content}</section>\n"
    )


def _week(counts: Mapping[tuple[int, int], int], what: str) -> str:
    names = "".join(f"<li>{name}</li>" for name in WEEKDAYS)
    hours = "".join(f"<span>{hour}</span>" for hour in (0, 6, 12, 18, 24))
    return (
        f'<div class="week"><ol>{names}</ol>{figures.week(counts, WEEKDAYS, what)}'
        f'<p class="axis">{hours}</p></div>'
    )


def _bar(count: int, most: int) -> str:
    return f'<rect width="{100 * count / most:.2f}" height="10"/>' if count else ""


def _sum(counts: Iterable[Counts]) -> Counts:
    total: Counter[str] = Counter()
    for each in counts:
        total.update({name: getattr(each, name) for name in COUNTED})
    return Counts(**total)


def median(responses: Mapping[int, int]) -> float | None:
    """The middle one of all response times, in seconds."""
    count, seen = sum(responses.values()), 0
    for bucket, number in sorted(responses.items()):
        seen += number
        if 2 * seen >= count:
            return seconds_of(bucket)
    return None


def duration(seconds: float) -> str:
    """So that it can be read at a glance: the two largest units at most."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours:,} h"


def told_bucket(bucket: timedelta) -> str:
    seconds = int(bucket.total_seconds())
    for unit, name in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % unit == 0:
            number = seconds // unit
            return f"one {name}" if number == 1 else f"{number} {name}s"
    return f"{seconds} seconds"


@lru_cache(maxsize=1)
def _style() -> str:
    return "\n" + Path(__file__).with_name("page.css").read_text("utf-8")


def _hash(text: str) -> str:
    """What a policy names an inline style by (CSP 3, 2.3.1)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
