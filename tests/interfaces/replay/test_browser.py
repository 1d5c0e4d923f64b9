"""The page in a browser: it shows what happened, and takes nothing of it for its own."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.interfaces.replay.sessions import Session
from tests.interfaces.replay.test_page import HOSTILE, a_session, page_of

BROWSER: Final = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="there is no browser here"),
]

# Of virtual time: it is over as soon as nothing is left to do.
SHOWN_MILLISECONDS: Final = 1_500
BROWSER_SECONDS: Final = 60.0


def shown(session: Session, folder: Path, where: str) -> str:
    """The page after a while, as HTML. Fails on whatever the browser complains of."""
    path = folder / "replay.html"
    path.write_bytes(page_of(session.told()[0]))
    assert BROWSER is not None
    done = subprocess.run(
        [
            *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"),
            *(f"--virtual-time-budget={SHOWN_MILLISECONDS}", f"--user-data-dir={folder / 'profile'}"),
            *("--dump-dom", f"{path.as_uri()}#{where}"),
        ],
        capture_output=True,
        timeout=BROWSER_SECONDS,
        check=True,
    )
    complaints = [line for line in done.stderr.decode().splitlines() if "CONSOLE" in line]
    assert complaints == []
    return done.stdout.decode()


def text_in(page: str, tag: str, name: str) -> list[str]:
    """The text of all elements with a class."""
    found = re.findall(rf'<{tag} class="{name}[^"]*"[^>]*>(.*?)</{tag}>', page, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]*>", "", inner)) for inner in found]


def a_typed_session() -> Session:
    session = Session()
    session.list_document("main.md")
    session.join("ada", "Ada")
    for number, letter in enumerate("👩‍👩‍👧 yes"):
        session.wait(0.5)
        session.edit("ada", "main.md", [number, letter] if number else [letter])
    session.wait(1)
    session.say("ada", "Done")
    return session


def test_it_shows_the_room_as_it_was_at_a_moment(tmp_path: Path) -> None:
    page = shown(a_typed_session(), tmp_path, "t=60")
    assert text_in(page, "div", "line") == ["👩‍👩‍👧 yesAda"]  # and a flag
    assert text_in(page, "div", "bubble") == ["Done"]
    page = shown(a_typed_session(), tmp_path, "t=2.6")
    assert text_in(page, "div", "line") == ["👩‍👩‍👧Ada"]
    assert text_in(page, "div", "bubble") == []


def test_nothing_that_was_written_runs_or_is_loaded(tmp_path: Path) -> None:
    page = shown(a_session(*HOSTILE), tmp_path, "t=60")
    body = page.partition("<body")[2].partition('<script type="application/json"')[0]
    assert "&lt;img src=x onerror=alert(1)&gt;" in body
    assert not re.search(r"<img|<script|onerror=[^a]", body)
    assert "\u202e" not in body
    assert "U+202E" in body
