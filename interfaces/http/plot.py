"""Draws the statistics of a room: a program of its own, JSON in at stdin, an image out at stdout.

`plots` runs it in a process that ends when the figure is drawn, so the library that draws, its memory and its
faults stay out of the server. It imports nothing of ours, and gets no more memory and time than it needs.

What users write is only ever text: never read as mathematics, escaped by the library in SVG, and with emoji
spelled by their names, since the font has none.
"""

from __future__ import annotations

import io
import json
import logging
import os
import resource
import sys
import warnings
from collections.abc import Sequence
from datetime import date, timedelta
from math import log2
from typing import Any, Final, NamedTuple

import matplotlib as mpl
from emoji import demojize
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import FuncFormatter, MaxNLocator

# A figure takes a quarter of this. Beyond it something is wrong, and the server matters more.
MEMORY_BYTES: Final = 1024**3
CPU_SECONDS: Final = 30

WIDTH_INCHES: Final = 12.0
HEIGHT_INCHES: Final = 15.5
DOTS_PER_INCH: Final = 110

# As many as can be read one below the other.
PEOPLE_SHOWN: Final = 8
USES_SHOWN: Final = 10
LABEL_CHARACTERS: Final = 26
TITLE_CHARACTERS: Final = 64
TICKS_MAX: Final = 7

# A bar is a day for a quarter, a week for two years, a month for twenty, and then a year. There is always
# room for some, since a single one would be a wall.
DAY_BARS_DAYS: Final = 92
WEEK_BARS_DAYS: Final = 2 * 366
MONTH_BARS_DAYS: Final = 20 * 366
BARS_LEAST: Final = 7

# Days before the first deed, or behind the last one, that are shown because somebody has asked for them.
EMPTY_DAYS_SHOWN: Final = 92

INK, GREY, PALE, GROUND = "#22262e", "#6b7280", "#e6e8ec", "#ffffff"
MESSAGES, EDITS, REACTIONS = "#4c75f0", "#238b8b", "#c76123"

STYLE: Final[Any] = {
    "text.parse_math": False,
    # The first comes with the library. Where an SVG is looked at it may be missing; the others are as wide.
    "font.family": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": PALE,
    "axes.labelcolor": GREY,
    "axes.labelsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "grid.color": PALE,
    "grid.linewidth": 0.8,
    "svg.fonttype": "none",
    "svg.hashsalt": "chronoscribe",
}

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Row(NamedTuple):
    """A bar with what stands above it."""

    label: str
    length: float
    """Of the longest bar, from 0 to 1."""
    value: str
    colour: str


def main() -> None:
    """One figure: `format` is svg or png, `title` the room's, `people` how users are called and coloured, and
    `statistics` what is drawn.
    """
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # that it looks for fonts is of no interest
    sys.stdout.buffer.write(draw(json.load(sys.stdin.buffer)))


def draw(asked: dict[str, Any]) -> bytes:
    """The figure as an image."""
    is_svg = asked["format"] == "svg"
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        if is_svg:
            # It holds the text itself, so what our font does not have, that of whoever looks at it may.
            warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Drawing(asked, Letters(has_all=is_svg)).figure()
        image = io.BytesIO()
        by: Any = {"Date": None, "Creator": "Chronoscribe"} if is_svg else {"Software": "Chronoscribe"}
        figure.savefig(image, format=asked["format"], metadata=by)
        return image.getvalue()


class Letters:
    """Makes what users write fit to be drawn."""

    def __init__(self, *, has_all: bool) -> None:
        font = get_font(findfont(FontProperties(family=STYLE["font.family"])))
        self._known = None if has_all else frozenset(font.get_charmap())

    def of(self, text: str, characters: int = LABEL_CHARACTERS) -> str:
        """On one line and not too long; emoji by name, and what cannot be drawn as a question mark."""
        named = "".join(letter for letter in demojize(text) if letter.isprintable())
        if self._known is not None:
            named = "".join(letter if ord(letter) in self._known else "?" for letter in named)
        return named if len(named) <= characters else f"{named[: characters - 1].rstrip()}…"


class Drawing:
    """One figure in the making."""

    def __init__(self, asked: dict[str, Any], letters: Letters) -> None:
        self._told: dict[str, Any] = asked["statistics"]
        self._looks: dict[str, dict[str, str]] = asked["people"]
        self._title: str = asked["title"]
        self._letters = letters
        self._figure = Figure((WIDTH_INCHES, HEIGHT_INCHES), DOTS_PER_INCH, facecolor=GROUND)

    def figure(self) -> Figure:
        figure, left, right = self._figure, slice(0, 3), slice(3, 6)
        sides: Any = {"left": 0.06, "right": 0.965, "wspace": 0.55}
        heads = figure.add_gridspec(
            3, 6, height_ratios=(0.5, 1, 1), top=0.98, bottom=0.535, hspace=0.45, **sides
        )
        lists = figure.add_gridspec(
            2, 6, height_ratios=(8, 10), top=0.475, bottom=0.015, hspace=0.17, **sides
        )

        def panel(place: SubplotSpec, title: str, aside: str = "") -> Axes:
            axes = figure.add_subplot(place)
            axes.set_title(title, loc="left", fontsize=10.5, fontweight="bold", pad=9)
            axes.set_title(aside, loc="right", fontsize=8.5, color=GREY, pad=9)
            return axes

        self._head(figure.add_subplot(heads[0, :]))
        self._over_time(panel(heads[1, left], "Messages over time"), "messages", "messages", MESSAGES)
        self._over_time(panel(heads[1, right], "Document edits over time"), "document_edits", "edits", EDITS)
        self._week(panel(heads[2, left], "When messages are written"), "messages", "messages", MESSAGES)
        self._week(panel(heads[2, right], "When documents are edited"), "document_edits", "edits", EDITS)
        self._people(panel(lists[0, :2], "Who writes", "messages"), "messages")
        self._people(panel(lists[0, 2:4], "Who edits", "document edits"), "document_edits")
        self._responses(panel(lists[0, 4:], "Who answers soonest", "mean time, log"))
        words = panel(lists[1, left], "Most used words", "uses, in the room as it is now")
        self._uses(words, "words", "word", MESSAGES)
        emoji = panel(lists[1, right], "Most used emoji", "reactions, in the room as it is now")
        self._uses(emoji, "emoji", "emoji", REACTIONS)
        return figure

    # The head.

    def _head(self, axes: Axes) -> None:
        axes.set_axis_off()
        title = self._letters.of(self._title, TITLE_CHARACTERS)

        def write(across: float, up: float, text: str, size: float, **style: Any) -> None:
            axes.text(across, up, text, fontsize=size, va="baseline", transform=axes.transAxes, **style)

        write(0, 0.82, title, 19, fontweight="bold")
        write(0, 0.6, self._of_when(), 9.5, color=GREY)
        figures = self._figures()
        for index, (number, of_what) in enumerate(figures):
            write(index / len(figures), 0.16, number, 16, fontweight="bold")
            write(index / len(figures), 0, of_what, 8.5, color=GREY)

    def _of_when(self) -> str:
        days, user, offset = _days(self._told), self._told["user"], self._told["offset_minutes"]
        told = [f"{_long_date(days[0])} to {_long_date(days[-1])}" if days else "nothing yet"]
        if user is not None:
            told.append(f"only {self._name(user)}")
        if self._told["busiest"]:
            told.append(f"busiest hour: {_hour(self._told['busiest'][0]['since'], offset)}")
        return " · ".join([*told, f"times are {_clock(offset)}"])

    def _figures(self) -> list[tuple[str, str]]:
        totals, times = self._told["totals"], self._told["response_times"]
        return [
            (_short(totals["messages"]), "messages"),
            (_short(totals["words"]), "words said"),
            (_short(totals["reactions_added"]), "reactions"),
            (_short(totals["document_edits"]), "document edits"),
            (_short(totals["inserted"]), "characters inserted"),
            (_short(totals["deleted"]), "characters deleted"),
            (_duration(times["median"]), "answers, median"),
            (_duration(times["p90"]), "answers, 90 % within"),
        ]

    # The panels.

    def _over_time(self, axes: Axes, what: str, unit: str, colour: str) -> None:
        days = _days(self._told)
        if not any(day[what] for day in self._told["days"]):
            return _nothing(axes)
        step, starts = _bars(days[0], days[-1])
        counted = dict.fromkeys(starts, 0)
        for day in self._told["days"]:
            counted[_start(date.fromisoformat(day["day"]), step)] += day[what]
        axes.bar(range(len(starts)), list(counted.values()), width=0.8, color=colour)
        axes.set_xlim(-0.6, max(len(starts), BARS_LEAST) - 0.4)
        ticks = range(0, len(starts), -(-len(starts) // TICKS_MAX))
        axes.set_xticks(list(ticks), [_tick(starts, tick, step) for tick in ticks])
        axes.set_ylabel(f"{unit} per {step}")
        _count_axis(axes)
        return None

    def _week(self, axes: Axes, what: str, unit: str, colour: str) -> None:
        cells = [[0] * 24 for _ in WEEKDAYS]
        for cell in self._told["week"]:
            cells[cell["weekday"] - 1][cell["hour"]] = cell[what]
        most = max(map(max, cells))
        colours = LinearSegmentedColormap.from_list("done", ["#f3f4f6", colour])
        axes.pcolormesh(cells, cmap=colours, vmin=0, vmax=max(most, 1), edgecolors=GROUND, linewidth=1.5)
        axes.invert_yaxis()
        axes.spines["bottom"].set_visible(False)
        axes.set_yticks([day + 0.5 for day in range(7)], WEEKDAYS)
        axes.set_xticks([hour + 0.5 for hour in range(0, 24, 3)], [f"{hour:02}" for hour in range(0, 24, 3)])
        axes.set_xlabel(f"hour of the day, {_clock(self._told['offset_minutes'])}")
        if most:
            darkest = f"darkest: {_short(most)} {unit}"
            axes.set_title(darkest, loc="right", fontsize=8.5, color=GREY, pad=9)

    def _people(self, axes: Axes, what: str) -> None:
        people = [person for person in self._told["people"] if person[what]]
        people = sorted(people, key=lambda person: -person[what])
        longest = people[0][what] if people else 1
        rows = [
            Row(self._name(p["user"]), p[what] / longest, _short(p[what]), self._colour(p["user"]))
            for p in people[:PEOPLE_SHOWN]
        ]
        _rows(axes, rows, PEOPLE_SHOWN)

    def _responses(self, axes: Axes) -> None:
        """A second is a short bar, and each doubling adds as much to it."""
        people = [
            (person["response_milliseconds"] / person["responses"] / 1000, person["user"])
            for person in self._told["people"]
            if person["responses"]
        ]
        longest = _doublings(max(people)[0]) if people else 1.0
        rows = [
            Row(self._name(user), _doublings(mean) / longest, _duration(mean), self._colour(user))
            for mean, user in sorted(people)[:PEOPLE_SHOWN]
        ]
        _rows(axes, rows, PEOPLE_SHOWN)

    def _uses(self, axes: Axes, what: str, value: str, colour: str) -> None:
        used = self._told[what][:USES_SHOWN]
        rows = [
            Row(self._letters.of(u[value], 44), u["uses"] / used[0]["uses"], _short(u["uses"]), colour)
            for u in used
        ]
        _rows(axes, rows, USES_SHOWN)

    def _name(self, user: str) -> str:
        return self._letters.of(self._looks.get(user, {}).get("name", user))

    def _colour(self, user: str) -> str:
        return self._looks.get(user, {}).get("colour", GREY)


# Parts of panels.


def _nothing(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, "nothing yet", color=GREY, ha="center", va="center", transform=axes.transAxes)


def _count_axis(axes: Axes) -> None:
    axes.grid(axis="y")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: _short(round(number))))


def _rows(axes: Axes, rows: Sequence[Row], places: int) -> None:
    """Bars from the top, each below what it is of: names of any length have room there."""
    if not rows:
        return _nothing(axes)
    axes.set_xlim(0, 1)
    axes.set_ylim(places, 0)
    axes.set_axis_off()
    for place, row in enumerate(rows):
        axes.barh(place + 0.72, 1, height=0.2, color="#f3f4f6")
        axes.barh(place + 0.72, max(row.length, 0.004), height=0.2, color=row.colour)
        axes.text(0, place + 0.52, row.label, va="bottom", fontsize=9)
        axes.text(1, place + 0.52, row.value, va="bottom", ha="right", fontsize=9, color=GREY)
    return None


# Times.


def _days(told: dict[str, Any]) -> list[date]:
    """The first and the last day to show; none when nothing was done. A span that was asked for is shown as
    it was, unless it is empty for long.
    """
    if not told["days"]:
        return []
    ahead = timedelta(minutes=told["offset_minutes"])
    first, last = (date.fromisoformat(told["days"][index]["day"]) for index in (0, -1))
    if told["since"] is not None:
        since = _date_of(told["since"], ahead)
        first = since if first - since <= timedelta(EMPTY_DAYS_SHOWN) else first
    if told["until"] is not None:
        until = _date_of(told["until"] - 1, ahead)
        last = until if until - last <= timedelta(EMPTY_DAYS_SHOWN) else last
    return [min(first, last), last]


_EPOCH: Final = date(1970, 1, 1)


def _date_of(microseconds: int, ahead: timedelta) -> date:
    """In whole days, since some moments there are have no time zone that a date could be in."""
    day = (microseconds + ahead // timedelta(microseconds=1)) // 86_400_000_000
    return date.fromordinal(min(max(1, day + _EPOCH.toordinal()), date.max.toordinal()))


def _bars(first: date, last: date) -> tuple[str, list[date]]:
    """How much time a bar stands for, and when all of them begin."""
    days = (last - first).days + 1
    step = "year"
    for name, most in (("day", DAY_BARS_DAYS), ("week", WEEK_BARS_DAYS), ("month", MONTH_BARS_DAYS)):
        if days <= most:
            step = name
            break
    every = (first + timedelta(day) for day in range(days))
    return step, list(dict.fromkeys(_start(day, step) for day in every))


def _start(day: date, step: str) -> date:
    """When the bar with `day` in it begins."""
    match step:
        case "week":
            return date.fromordinal(max(1, day.toordinal() - day.weekday()))
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)
        case _:
            return day


def _tick(starts: Sequence[date], index: int, step: str) -> str:
    """The year only where it is new."""
    day = starts[index]
    if step == "year":
        return str(day.year)
    text = MONTHS[day.month - 1] if step == "month" else f"{day.day} {MONTHS[day.month - 1]}"
    is_new = index == 0 or starts[max(0, index - (-(-len(starts) // TICKS_MAX)))].year != day.year
    return f"{text}\n{day.year}" if is_new else text


def _long_date(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _hour(microseconds: int, offset_minutes: int) -> str:
    ahead = timedelta(minutes=offset_minutes)
    minutes = (microseconds // 60_000_000 + offset_minutes) % 1_440
    return f"{_long_date(_date_of(microseconds, ahead))}, {minutes // 60:02}:{minutes % 60:02}"


def _clock(offset_minutes: int) -> str:
    hours, minutes = divmod(abs(offset_minutes), 60)
    return f"UTC{'-' if offset_minutes < 0 else '+'}{hours:02}:{minutes:02}" if offset_minutes else "UTC"


# Numbers.


def _short(number: int) -> str:
    """Three digits or four that can be read at a glance."""
    for unit, factor in (("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000)):
        if number >= 10 * factor:
            return f"{number / factor:.1f}".removesuffix(".0") + unit
    return f"{number:,}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 else "< 1 s"


def _doublings(seconds: float) -> float:
    """How often half a second has to be doubled."""
    return log2(max(seconds, 0.55) * 2)


if __name__ == "__main__":
    main()
