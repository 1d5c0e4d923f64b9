"""A replay as a page: one file that plays in a browser without a server or a network.

The lines of a replay stand in it as JSON, which a browser does not run, beside the player. Whatever strangers
have written can neither end that block nor begin another, and should it come out of it one day, the page's
policy lets nothing run but the player, by its hash, and nothing be loaded from anywhere.

A page is written piece by piece: `begin`, `line` for each line of the replay, `end`. One that breaks off is
shown as far as it goes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any, Final

import orjson

from domain.errors import ChronoscribeError, ClientError

# Who opens a page has all of it in memory, several times over: as a file, as text, as what it tells. With
# this much it begins after a second or two, and a phone still shows it. It is some hours of a lively room.
PAGE_BYTES: Final = 32 * 1024 * 1024

# An edit is 200 bytes and more with what its author's cursor did. A room with more of them is refused at once
# and not after it has been read.
PAGE_EVENTS: Final = 150_000

_HERE: Final = Path(__file__).parent

# The first would end the script or begin a comment in it, the others end a line of JavaScript in old
# browsers.
_ESCAPED: Final = (
    (b"<", b"\\u003c"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)


class ReplayTooLong(ClientError):  # noqa: N818
    """There is more in this span than a page can hold: ask for a shorter one."""

    code = "E_LIMIT"


class Page:
    """The pieces of one page, in the order in which they are asked for."""

    def __init__(self) -> None:
        self._bytes = 0
        self._has_lines = False

    def begin(self, line: Mapping[str, Any]) -> bytes:
        """The page up to the line that the replay begins with. Raises `ReplayTooLong`."""
        if line["events"] > PAGE_EVENTS:
            raise ReplayTooLong("too many events for one page", limit=PAGE_EVENTS, actual=line["events"])
        return _around()[0] + self.line(line)

    def line(self, line: Mapping[str, Any]) -> bytes:
        """One more line. Raises `ReplayTooLong`; the page may then be ended by `break_off`."""
        piece = self._piece(line)
        self._bytes += len(piece)
        if self._bytes > PAGE_BYTES:
            raise ReplayTooLong("too much for one page", limit=PAGE_BYTES)
        return piece

    def break_off(self, error: ChronoscribeError) -> bytes:
        """The end of a page that tells why it ends early."""
        return self._piece({"type": "error", "code": error.code, "detail": error.message}) + self.end()

    def end(self) -> bytes:
        return b"\n]" + _around()[1]

    def _piece(self, line: Mapping[str, Any]) -> bytes:
        start = b",\n" if self._has_lines else b"[\n"
        self._has_lines = True
        return start + embedded(line)


def embedded(line: Mapping[str, Any]) -> bytes:
    """A line as JSON that can stand in a page."""
    data = orjson.dumps(line)
    for plain, escaped in _ESCAPED:
        data = data.replace(plain, escaped)
    return data


@lru_cache(maxsize=1)
def _around() -> tuple[bytes, bytes]:
    """What stands before and behind the lines of every page."""
    script = "\n" + _read("recording.js") + _read("player.js")
    style = "\n" + _read("player.css")
    page = Template(_read("page.html")).substitute(
        script=script,
        script_hash=_hash(script),
        style=style,
        style_hash=_hash(style),
        recording="\0",
    )
    before, _, behind = page.partition("\0")
    return before.encode(), behind.encode()


def _read(name: str) -> str:
    return (_HERE / name).read_text("utf-8")


def _hash(text: str) -> str:
    """What a policy names an inline script or style by (CSP 3, 2.3.1)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
