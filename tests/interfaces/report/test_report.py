"""The page of a report: its figures are those of the events, and what was written is text and no more."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest

from domain.document import EditApplied
from domain.errors import LimitReached, NotFound, StoreUnavailable
from domain.message import Posted
from domain.revisions import RevisionSaved
from domain.run import RunFinished
from infrastructure.reporting import read_report
from interfaces.report.making import Reports
from interfaces.report.page import duration, render
from tests.interfaces.conftest import Stored
from tests.interfaces.quarter import HOSTILE, PEOPLE, ROOM, START, TITLE
from tests.interfaces.web.windows import LAPTOP, PHONE, open_browser

MADE: Final = datetime(2026, 11, 1, tzinfo=UTC)

# Nothing else is on a page, so nothing that runs or loads.
TAGS: Final = frozenset(
    re.findall(
        r"\w+",
        """html head meta title style body header main section footer details summary h1 h2 h3 p b br small
        bdi span time dl dt dd ul ol li div table colgroup col thead tbody tr th td
        svg rect line path circle text""",
    )
)
ATTRIBUTES: Final = frozenset(
    re.findall(
        r"[\w-]+",
        """lang charset http-equiv content name class id aria-labelledby aria-label aria-hidden role
        open tabindex viewbox preserveaspectratio x y x1 x2 y1 y2 width height rx cx cy r d fill text-anchor
        stroke-width stroke-opacity""",
    )
)


class Read(HTMLParser):
    """A page as a browser reads it: its tags, and the text of what has an id, cell by cell in tables."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.ids: dict[str, str] = {}
        self.rows: dict[str, list[list[str]]] = {}
        self._section = self._id = ""
        self._titles = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        given = dict(attrs)
        if tag == "section":
            self._section = given["id"] or ""
        self._id = given.get("id") or self._id
        if tag == "title":
            self._titles += 1
        if tag == "tr":
            self.rows.setdefault(self._section, []).append([])
        if tag == "td":
            self.rows[self._section][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._titles -= 1

    def handle_data(self, data: str) -> None:
        if self._titles:
            return
        self.ids[self._id] = self.ids.get(self._id, "") + data
        if (rows := self.rows.get(self._section)) and rows[-1]:
            rows[-1][-1] += data

    def figure(self, name: str) -> int:
        return int(re.split(r"[ \n]", self.ids[f"figure-{name}"])[0].replace(",", ""))


def page_of(quarter: Stored, since: datetime | None = None, until: datetime | None = None) -> str:
    read = read_report(quarter.url, ROOM, since, until)
    return render(read.report, read.looks, made=MADE, offset_minutes=60)


def number(text: str) -> int:
    return int(text.replace(",", ""))


SPAN: Final = (START + timedelta(days=1), START + timedelta(days=9))


@pytest.mark.parametrize(("since", "until"), [(None, None), SPAN])
def test_its_figures_are_those_of_the_events(quarter: Stored, since: Any, until: Any) -> None:
    page = Read(page_of(quarter, since, until))
    events: list[Any] = [
        event
        for event in quarter.events
        if event.TOPIC.partition(".")[0] != "profile"
        and (since is None or since <= event.timestamp)
        and (until is None or event.timestamp < until)
    ]
    edits = [event for event in events if isinstance(event, EditApplied)]
    messages = [event for event in events if isinstance(event, Posted)]
    saved = [event for event in events if isinstance(event, RevisionSaved)]
    inserted = sum(len(part) for edit in edits for part in edit.op if isinstance(part, str))
    assert page.figure("events") == len(events)
    assert page.figure("edits") == len(edits)
    assert page.figure("written") == inserted
    assert page.figure("messages") == len(messages)
    assert page.figure("moments") == len(saved)
    assert page.figure("runs") == sum(isinstance(event, RunFinished) for event in events)
    by_person = Counter(event.actor for event in edits)
    said = Counter(event.actor for event in messages)
    told = {row[0]: (number(row[1]), number(row[4])) for row in page.rows["people"] if row}
    assert told == {
        name: (by_person[user], said[user])
        for user, name in PEOPLE.items()
        if user in {event.actor for event in events}
    }
    documents = Counter(event.originator_id.partition("/")[2] for event in edits)
    assert {row[0]: number(row[2]) for row in page.rows["documents"] if row} == documents
    together = {row[0]: [number(cell) for cell in row[1:]] for row in page.rows["together"] if row}
    assert sum(counts[0] for counts in together.values()) == edits_together(edits)


def edits_together(edits: list[EditApplied]) -> int:
    """Of each edit, with how many others its author worked in the five minutes before."""
    return sum(
        len(
            {
                other.actor
                for other in edits[:number]
                if other.originator_id == edit.originator_id
                and other.actor != edit.actor
                and edit.timestamp - other.timestamp <= timedelta(minutes=5)
            }
        )
        for number, edit in enumerate(edits)
    )


def test_a_page_holds_nothing_that_runs_or_loads(quarter: Stored) -> None:
    page = page_of(quarter)
    read = Read(page)
    assert read.tags <= TAGS
    assert read.attributes <= ATTRIBUTES
    assert HOSTILE not in page
    assert TITLE in "".join(read.ids.values())
    assert HOSTILE in "".join("".join(row) for row in read.rows["heat"])


def test_a_room_in_which_nothing_was_done_has_a_page(quarter: Stored) -> None:
    page = Read(page_of(quarter, START + timedelta(days=300), START + timedelta(days=301)))
    assert (page.figure("events"), page.figure("edits"), page.figure("people")) == (0, 0, 0)


async def test_it_is_made_beside_the_server_and_says_what_is_wrong(quarter: Stored) -> None:
    reports = Reports(quarter.url)
    try:
        page = await reports.page(ROOM, None, None, made=MADE, offset_minutes=60)
        assert page.decode() == page_of(quarter)
        with pytest.raises(NotFound):
            await reports.page("nowhere", None, None, made=MADE, offset_minutes=0)
    finally:
        await reports.close()
    small = Reports(quarter.url, events_max=10)
    try:
        with pytest.raises(LimitReached) as refused:
            await small.page(ROOM, None, None, made=MADE, offset_minutes=0)
        assert refused.value.facts["limit"] == 10
    finally:
        await small.close()
    nowhere = Reports("host=/nowhere")
    try:
        with pytest.raises(StoreUnavailable):
            await nowhere.page(ROOM, None, None, made=MADE, offset_minutes=0)
    finally:
        await nowhere.close()


@pytest.mark.slow
async def test_a_browser_shows_it_without_a_complaint_on_a_laptop_and_on_a_phone(
    quarter: Stored, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(page_of(quarter), "utf-8")
    said: list[str] = []
    async with open_browser() as browser:
        for size in (LAPTOP, PHONE):
            context = await browser.new_context(viewport=size, color_scheme="dark")  # type: ignore[arg-type]
            page = await context.new_page()
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("request", lambda request: said.append(request.url))
            await page.goto(path.as_uri())
            assert await page.evaluate("document.documentElement.scrollWidth") == size["width"]
            assert await page.locator("svg rect").count() > 100
            assert await page.get_by_role("heading", name=TITLE).is_visible()
            await context.close()
    assert said == [path.as_uri()] * 2


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.5, "under 1 s"), (42, "42 s"), (90, "2 min"), (3600, "1 h"), (3720, "1 h 2 min"), (90_000, "25 h")],
)
def test_a_duration_is_told_at_a_glance(seconds: float, told: str) -> None:
    assert duration(seconds) == told
