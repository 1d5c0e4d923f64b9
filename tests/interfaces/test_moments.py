"""Moments in one word."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from application.past.states import AtName, AtPosition, AtRevision, AtTime, Moment
from interfaces.moments import as_moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", None),
        ("0", AtRevision(0)),
        ("17", AtRevision(17)),
        ("9007199254740991", AtRevision(2**53 - 1)),
        ("name:First draft", AtName("First draft")),
        ("name:name:x", AtName("name:x")),
        ("name:17", AtName("17")),
        ("position:4711", AtPosition(4711)),
        ("2026-11-23T14:05:00+00:00", AtTime(datetime(2026, 11, 23, 14, 5, tzinfo=UTC))),
    ],
)
def test_a_word_is_a_moment(text: str, moment: Moment) -> None:
    assert as_moment(text, datetime.fromisoformat) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "1.5",
        "９",
        "9007199254740992",
        "name:",
        "name:\u202e",
        "position:",
        "position:-1",
        "x",
        "Now",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        as_moment(text, datetime.fromisoformat)
