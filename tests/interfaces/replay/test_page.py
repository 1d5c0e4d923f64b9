"""A replay as a page: whole, by itself, and deaf to what strangers have written."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any, Final

import pytest

from domain.attendance import Status
from domain.errors import StoreUnavailable
from domain.names import as_name
from interfaces.replay import page as pages
from interfaces.replay.page import PAGE_EVENTS, Page, ReplayTooLong
from tests.interfaces.replay.pages import Read
from tests.interfaces.replay.sessions import Session

PLAYER: Final = (Path(__file__).parents[3] / "interfaces" / "replay" / "player.js").read_text("utf-8")

HOSTILE: Final = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- <script>",
    "\u2028\u2029\u202e]]>&lt;",
    "';alert(1)//\\\"",
)


def a_session(*texts: str) -> Session:
    """In which everything that people can write is one of `texts`."""
    session = Session()
    session.list_document("main.md")
    session.join("ada", "Ada")
    session.change_status("ada", Status.EDITING)
    for text in texts:
        session.edit("ada", "main.md", [text])
        session.move("ada", "main.md", 1)
        said = session.say("ada", text)
        session.reword(said, f"{text}!")
        session.save("ada", "main.md", as_name(text))
    return session


def page_of(lines: list[Any]) -> bytes:
    page = Page()
    begin, *others, end = lines
    pieces = [page.begin(begin), *map(page.line, others), page.line(end), page.end()]
    return b"".join(pieces)


def hash_of(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_a_page_holds_the_lines_as_they_are() -> None:
    lines, _ = a_session("Grüße 👩‍👩‍👧", *HOSTILE).told()
    assert Read(page_of(lines)).lines == lines


def test_nothing_that_was_written_becomes_a_part_of_the_page() -> None:
    harmless, _ = a_session("harmless").told()
    hostile, _ = a_session(*HOSTILE).told()
    page = page_of(hostile)
    assert Read(page).tags == Read(page_of(harmless)).tags
    recording = Read(page).recording
    assert not set("<\u2028\u2029") & set(recording)


def test_the_policy_lets_only_the_player_run_and_nothing_be_loaded() -> None:
    read = Read(page_of(a_session("x").told()[0]))
    assert read.policy.split("; ") == [
        "default-src 'none'",
        f"script-src '{hash_of(read.script)}'",
        f"style-src '{hash_of(read.style)}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_a_page_names_no_other_place() -> None:
    read = Read(page_of(a_session("x").told()[0]))
    for tag, attributes in read.tags:
        assert not {"src", "href", "srcset", "action", "style"} & dict(attributes).keys(), tag
        assert not [name for name, _ in attributes if name.startswith("on")], tag
    assert not re.findall(r"https?:|//[a-z]|url\(|@import", read.style + read.script.replace("\n  //", ""))


def test_the_player_puts_in_texts_alone() -> None:
    ways = "innerHTML|outerHTML|insertAdjacent|document.write|eval|Function[(]"
    attributes = 'setAttribute[(]"(?:on|style|src|href)'
    assert re.findall(f"{ways}|{attributes}", PLAYER) == []


def test_a_page_that_breaks_off_says_why() -> None:
    lines, _ = a_session("x").told()
    page = Page()
    data = page.begin(lines[0]) + page.line(lines[1]) + page.break_off(StoreUnavailable("gone"))
    assert Read(data).lines == [*lines[:2], {"type": "error", "code": "E_STORE", "detail": "gone"}]


def test_more_events_than_a_page_holds_are_refused_before_it_begins() -> None:
    begin = a_session("x").told()[0][0]
    Page().begin({**begin, "events": PAGE_EVENTS})
    with pytest.raises(ReplayTooLong) as refused:
        Page().begin({**begin, "events": PAGE_EVENTS + 1})
    assert (refused.value.code, refused.value.facts["limit"]) == ("E_LIMIT", PAGE_EVENTS)


def test_more_bytes_than_a_page_holds_are_refused_and_the_page_can_be_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "PAGE_BYTES", 2_000)
    lines, _ = a_session("x" * 500).told()
    page = Page()
    data = page.begin(lines[0])
    for count, line in enumerate(lines[1:], 1):  # noqa: B007
        try:
            data += page.line(line)
        except ReplayTooLong as error:
            data += page.break_off(error)
            break
    told = Read(data).lines
    assert told[:-1] == lines[:count]
    assert told[-1]["code"] == "E_LIMIT"
    assert len(Read(data).recording) < 2_200
