"""What goes on in a room, printed as it comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from interfaces.cli.activity import REST_SECONDS, Follower, words
from projections.activity import Kind, Line

AT = datetime(2026, 11, 23, 14, 5, 7, 123_456, tzinfo=UTC)


def a_line(number: int, kind: Kind, **details: Any) -> Line:
    return Line(
        room="demo",
        id=number,
        changed=number,
        kind=kind,
        user="ada",
        document="main.md",
        message=None,
        at=AT,
        until=AT + timedelta(seconds=1),
        details=details,
        text="Hello\x1b\nall" if kind is Kind.SAID else None,
    )


class Terminal:
    """What was printed, by a clock that stands still."""

    def __init__(self) -> None:
        self.now = 0.0
        self.printed: list[int] = []
        self.follower = Follower("demo", lambda line: self.printed.append(line.id), lambda: self.now)

    def look(self, now: float, *lines: Line) -> list[int]:
        self.now = now
        for line in lines:
            self.follower.take(line)
        self.follower.print_rested()
        return self.printed


def test_a_line_begins_with_the_time_here_and_the_user_and_has_no_escapes_of_others() -> None:
    here = AT.astimezone()
    assert words(a_line(1, Kind.SAID)).plain == f"{here:%Y-%m-%d %H:%M:%S}.123  ada  said: Hello\\x1b all"


def test_what_was_said_is_printed_at_once_and_a_burst_when_it_rests() -> None:
    terminal = Terminal()
    edited, said = a_line(1, Kind.EDITED), a_line(2, Kind.SAID)
    assert terminal.look(0, edited, said) == [2]
    assert terminal.look(REST_SECONDS - 0.1, edited) == [2]
    assert terminal.look(REST_SECONDS + 0.1) == [2]
    assert terminal.look(2 * REST_SECONDS) == [2, 1]
    assert terminal.look(3 * REST_SECONDS) == [2, 1]
    assert terminal.look(4 * REST_SECONDS, edited) == [2, 1]
    assert terminal.look(5 * REST_SECONDS) == [2, 1, 1]


def test_a_run_is_printed_when_it_begins_and_when_it_has_ended() -> None:
    terminal = Terminal()
    ran = a_line(1, Kind.RAN, title="tests", outcome=None)
    assert terminal.look(0, ran) == [1]
    assert terminal.look(1, ran) == [1, 1]
