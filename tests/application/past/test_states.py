"""A document at a moment, whichever way the moment is named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pytest

from application.past.states import AtName, AtPosition, AtRevision, AtTime, Moment, States
from domain.document import DocumentState
from domain.errors import NotFound
from tests.domain.events import NOON, later


class Past:
    """A document of three revisions, a second and ten positions apart, and their names."""

    def state(self, stream: str, revision: int) -> DocumentState | None:
        is_there = stream == "document:demo/main.md" and 0 <= revision <= 3
        return (
            DocumentState("demo", "main.md", revision, "x" * revision, later(revision)) if is_there else None
        )

    async def now(self, stream: str) -> DocumentState | None:
        return self.state(stream, 3)

    async def at_revision(self, stream: str, revision: int) -> DocumentState | None:
        return self.state(stream, revision)

    async def at_time(self, stream: str, at: datetime) -> DocumentState | None:
        return self.state(stream, min(3, int((at - NOON).total_seconds())))

    async def at_position(self, stream: str, position: int) -> DocumentState | None:
        return self.state(stream, min(3, position // 10 - 1))

    async def names(self, room: str, document: str) -> Mapping[str, int]:
        return {"First draft": 2, "Lost": 9} if (room, document) == ("demo", "main.md") else {}


STATES = States(Past(), Past())


@pytest.mark.parametrize(
    ("moment", "revision"),
    [
        (None, 3),
        (AtRevision(0), 0),
        (AtRevision(3), 3),
        (AtTime(later(1)), 1),
        (AtTime(later(100)), 3),
        (AtPosition(20), 1),
        (AtPosition(29), 1),
        (AtName("First draft"), 2),
        (AtName("  First  draft "), 2),
    ],
)
async def test_a_moment_is_a_revision(moment: Moment, revision: int) -> None:
    assert (await STATES.get("demo", "main.md", moment)).revision == revision


@pytest.mark.parametrize(
    "moment",
    [
        AtRevision(4),
        AtTime(later(-1)),
        AtPosition(9),
        AtName("first draft"),
        AtName("\u202e"),
        AtName("Lost"),
    ],
)
async def test_a_moment_that_there_is_not_is_told_so(moment: Moment) -> None:
    with pytest.raises(NotFound):
        await STATES.get("demo", "main.md", moment)


@pytest.mark.parametrize(
    "moment", [None, AtRevision(0), AtTime(later(1)), AtPosition(20), AtName("First draft")]
)
async def test_a_document_that_there_is_not_has_no_moments(moment: Moment) -> None:
    with pytest.raises(NotFound):
        await STATES.get("demo", "other.md", moment)


async def test_revisions_are_numbered_without_words() -> None:
    assert (await STATES.at_revision("demo", "main.md", 2)).text == "xx"
