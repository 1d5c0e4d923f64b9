"""Figures: drawn elsewhere, one at a time, once each; and what is in them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest

from domain.errors import Overloaded
from interfaces.http import plots
from interfaces.http.plots import FIGURES_KEPT, WAITING_MAX, PlotFailed, Plots
from projections.statistics import (
    Activity,
    BusyHour,
    Counts,
    DayCounts,
    HourOfWeek,
    PersonCounts,
    ResponseTimes,
    RoomStatistics,
    Uses,
    as_json,
)
from tests.waiting import until

PLOT = Path(plots.__file__).with_name("plot.py")
SVG = "{http://www.w3.org/2000/svg}"


# The process.

# Says who it is, and gives back what it was told; ends when its input does.
ECHO = (sys.executable, "-I", "-c", "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())")
# Writes its number to a file and waits for ever.
HANG = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(3600)"


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., Plots]]:
    made = []

    def make(*program: str, **options: Any) -> Plots:
        made.append(Plots(program, **options))
        return made[-1]

    yield make
    for each in made:
        await each.close()


async def test_a_figure_is_drawn_once_for_those_who_ask_for_the_same(
    make: Callable[..., Plots], tmp_path: Path
) -> None:
    count = f"open({str(tmp_path / 'count')!r}, 'a').write('x'); print('image')"
    drawing = make(sys.executable, "-I", "-c", count)
    images = await asyncio.gather(*(drawing.plot(b"{}", "one") for _ in range(3)))
    assert {image.strip() for image in images} == {b"image"}
    assert await drawing.plot(b"{}", "one") == images[0]
    assert read(tmp_path / "count") == "x"
    await drawing.plot(b"{}", "another")
    assert read(tmp_path / "count") == "xx"


async def test_who_was_not_asked_for_longest_is_forgotten(make: Callable[..., Plots]) -> None:
    drawing = make(*ECHO)
    drawing._figures.update({f"old {number}": b"" for number in range(FIGURES_KEPT)})
    await drawing.plot(b"", "old 0")
    await drawing.plot(b"new", "new")
    assert len(drawing._figures) == FIGURES_KEPT
    assert "old 0" in drawing._figures
    assert "old 1" not in drawing._figures


async def test_when_many_wait_others_are_told_to_come_back(
    make: Callable[..., Plots], tmp_path: Path
) -> None:
    drawing = make(sys.executable, "-I", "-c", HANG, str(tmp_path / "pid"))
    asked = [asyncio.create_task(drawing.plot(b"{}", str(number))) for number in range(WAITING_MAX)]
    await _process(tmp_path / "pid")
    with pytest.raises(Overloaded):
        await drawing.plot(b"{}", "one more")
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    assert drawing._waiting == 0


async def test_a_process_that_nobody_waits_for_is_killed(make: Callable[..., Plots], tmp_path: Path) -> None:
    drawing = make(sys.executable, "-I", "-c", HANG, str(tmp_path / "pid"))
    asked = asyncio.create_task(drawing.plot(b"{}", "one"))
    process = await _process(tmp_path / "pid")
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


async def test_a_process_that_takes_too_long_is_killed(make: Callable[..., Plots], tmp_path: Path) -> None:
    drawing = make(sys.executable, "-I", "-c", HANG, str(tmp_path / "pid"), draw_seconds=2.0)
    with pytest.raises(Overloaded):
        await drawing.plot(b"{}", "one")
    process = await _process(tmp_path / "pid")
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def is_there(folder: str) -> bool:
    return Path(folder).is_dir()


def read(path: Path) -> str:
    return path.read_text()


async def _process(path: Path) -> int:
    """The number of the process that has written it there."""
    await until(lambda: path.exists() and path.read_text())
    return int(read(path))


async def test_what_went_wrong_is_told_without_what_users_have_written(make: Callable[..., Plots]) -> None:
    drawing = make(sys.executable, "-I", "-c", "raise ValueError('a secret')")
    with pytest.raises(PlotFailed) as failed:
        await drawing.plot(b"{}", "one")
    assert str(failed.value) == "exit status 1: ValueError"
    silent = make(sys.executable, "-I", "-c", "raise SystemExit(3)")
    with pytest.raises(PlotFailed, match="exit status 3: no word"):
        await silent.plot(b"{}", "one")


async def test_the_process_knows_no_secrets_and_leaves_nothing(
    make: Callable[..., Plots], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHRONOSCRIBE_AUTH_SECRETS", "secret")
    tell = "import os; print(*sorted(os.environ)); print(os.environ['MPLCONFIGDIR'])"
    drawing = make(sys.executable, "-I", "-c", tell)
    names, home = (await drawing.plot(b"{}", "one")).decode().splitlines()
    assert set(names.split()) <= {"HOME", "LC_ALL", "LC_CTYPE", "MPLCONFIGDIR", "OPENBLAS_NUM_THREADS"}
    assert is_there(home)
    await drawing.close()
    assert not is_there(home)


def test_the_server_never_loads_the_library_that_draws() -> None:
    look = "import sys, interfaces.server; print(sorted({'matplotlib', 'numpy', 'PIL'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", look], capture_output=True, check=True, text=True)
    assert told.stdout.strip() == "[]"


# The figure.

EVIL = "<script>alert(1)</script>"


def asked(statistics: RoomStatistics, kind: str = "svg", title: str = "The study", **names: str) -> bytes:
    people = {user: {"name": name, "colour": "#4c75f0"} for user, name in names.items()}
    return orjson.dumps({"format": kind, "title": title, "people": people, "statistics": as_json(statistics)})


def draw(figure: bytes) -> bytes:
    """The image, drawn as the server has it drawn; every warning is an error."""
    command = [sys.executable, "-I", "-W", "error", str(PLOT)]
    drawn = subprocess.run(command, input=figure, capture_output=True, check=False)
    assert (drawn.returncode, drawn.stderr) == (0, b"")
    return drawn.stdout


def texts(image: bytes) -> list[str]:
    return ["".join(found.itertext()) for found in ElementTree.fromstring(image).iter(f"{SVG}text")]


EMPTY = RoomStatistics(
    "study", None, None, None, 0, Counts(), (), (), (), (), (), (), ResponseTimes(0, None, None, None)
)


def statistics(*days: date, since: datetime | None = None, until: datetime | None = None) -> RoomStatistics:
    done = Counts(messages=12_345, document_edits=7, inserted=30, responses=2, response_milliseconds=90_000)
    return RoomStatistics(
        room="study",
        user=None,
        since=since,
        until=until,
        offset_minutes=-90,
        totals=done,
        people=(PersonCounts("ada", done), PersonCounts("eve", done)),
        days=tuple(DayCounts(day, done) for day in days),
        week=(HourOfWeek(7, 23, Activity(5, 1, 9)),),
        busiest=(BusyHour(datetime(2026, 11, 23, 1, tzinfo=UTC), Activity(5, 1, 9)),),
        emoji=(Uses("👍", 3), Uses("👩‍👩‍👧‍👦", 1)),
        words=(Uses("parser", 9), Uses("日本語", 2)),
        response_times=ResponseTimes(2, 45.0, 41.5, 49.35),
    )


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_an_empty_room_is_drawn_too(kind: str) -> None:
    image = draw(asked(EMPTY, kind))
    if kind == "svg":
        assert texts(image).count("nothing yet") == 7
    else:
        assert image.startswith(b"\x89PNG")


def test_everything_is_told_with_its_unit() -> None:
    told = texts(draw(asked(statistics(date(2026, 11, 22)), ada="Ada", eve="Eve")))
    for text in (
        "12.3k", "messages per day", "edits per day", "hour of the day, UTC-01:30", "Ada", "Eve", "45 s",
        "42 s", "parser", "日本語", "darkest: 5 messages", "darkest: 9 edits", "document edits",
        "mean time, log",
    ):  # fmt: skip
        assert text in told, text
    assert "22 Nov 2026 to 22 Nov 2026 · busiest hour: 22 Nov 2026, 23:30 · times are UTC-01:30" in told


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_emoji_are_called_by_their_names_and_nothing_is_missing(kind: str) -> None:
    image = draw(asked(statistics(date(2026, 11, 22)), kind, "🎉 日本", ada="Ada 👍", eve="本"))
    if kind == "svg":
        told = texts(image)
        assert {":party_popper: 日本", "Ada :thumbs_up:", "本", ":family_woman_woman_girl_boy:"} <= set(told)
        assert not any("👍" in text for text in told)


def test_what_users_write_is_text_and_nothing_else() -> None:
    evil = f"{EVIL} $x^2$ &amp; ]]> -->"
    image = draw(asked(statistics(date(2026, 11, 22)), title=evil, ada=EVIL, eve=r"$\frac{1}{0}$"))
    tree = ElementTree.fromstring(image)
    kinds = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert kinds & {"script", "foreignObject", "image", "a", "use", "iframe"} == set()
    assert not any(name.rpartition("}")[2].startswith("on") for each in tree.iter() for name in each.attrib)
    assert not any(name.endswith("href") for each in tree.iter() for name in each.attrib)
    assert b"<script" not in image
    told = texts(image)
    assert {evil, EVIL, r"$\frac{1}{0}$"} <= set(told)


DAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("days", "unit"),
    [(1, "day"), (92, "day"), (93, "week"), (800, "month"), (9_000, "year"), (500_000, "year")],
)
def test_a_longer_time_has_wider_bars(days: int, unit: str) -> None:
    told = texts(draw(asked(statistics(DAY - timedelta(days - 1), DAY))))
    assert f"messages per {unit}" in told


def test_a_span_that_was_asked_for_is_shown_unless_it_is_empty_for_long() -> None:
    week = statistics(
        DAY, since=datetime(2026, 11, 20, 12, tzinfo=UTC), until=datetime(2026, 11, 27, tzinfo=UTC)
    )
    assert any(text.startswith("20 Nov 2026 to 26 Nov 2026") for text in texts(draw(asked(week))))
    ends = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    always = statistics(DAY, since=ends[0], until=ends[1])
    assert any(text.startswith("23 Nov 2026 to 23 Nov 2026") for text in texts(draw(asked(always))))


def test_the_same_is_drawn_the_same() -> None:
    figure = asked(statistics(DAY))
    assert draw(figure) == draw(figure)
