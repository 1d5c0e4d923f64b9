"""Lines of activity in words and as JSON."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given

from domain.aggregate import Event
from domain.instants import as_microseconds
from projections.activity import Kind, Line
from projections.telling import as_json, sentence
from tests.domain.events import NOON, later
from tests.projections.lives import lives
from tests.projections.test_activity import folded


def a_line(
    kind: str, *, until: float = 0, document: str | None = "main.py", text: str | None = None, **details: Any
) -> Line:
    return Line(
        room="demo",
        id=7,
        changed=9,
        kind=Kind(kind),
        user="ada",
        document=document,
        message=None,
        at=NOON,
        until=later(until),
        details={name.rstrip("_"): value for name, value in details.items()},
        text=text,
    )


def edited(kind: str = "edited", **given: Any) -> Line:
    usual: dict[str, Any] = {
        "edits": 14,
        "inserted": 120,
        "deleted": 33,
        "from_": 17,
        "to": 31,
        "cause": "typed",
    }
    return a_line(kind, **(usual | given))


def member(kind: str, who: str, role: str | None, before: str | None) -> Line:
    return a_line(kind, member=who, role=role, from_=before)


SENTENCES = [
    (a_line("joined"), "joined"),
    (a_line("left", reason="left", times=1), "left"),
    (a_line("left", reason="lost", times=1), "left (lost)"),
    (a_line("reconnected", reason="lost", times=1, until=3), "was away for 3.0 s (lost)"),
    (a_line("reconnected", reason="left", times=3, until=75), "was away 3 times within 1 min 15 s"),
    (edited(), "edited main.py: 14 edits, +120 −33 characters, revision 17 to 31"),
    (edited(edits=1, deleted=0, inserted=1), "edited main.py: 1 edit, +1 character, revision 17 to 31"),
    (edited(inserted=0, deleted=1200), "edited main.py: 14 edits, −1,200 characters, revision 17 to 31"),
    (edited(inserted=0, deleted=0), "edited main.py: 14 edits, revision 17 to 31"),
    (edited(cause="redo"), "edited main.py (redo): 14 edits, +120 −33 characters, revision 17 to 31"),
    (edited("undone", cause="undo", edits=1), "undid something in main.py: 1 edit, +120 −33 characters,"),
    (edited("undone", cause="undo", undone=3), "undid 3 edits in main.py: 14 edits, +120 −33 characters,"),
    (edited("restored", cause="restore", edits=1), "restored main.py: 1 edit, +120 −33 characters,"),
    (
        edited("restored", cause="restore", edits=1, source="main.py", revision=12),
        "restored main.py to revision 12: 1 edit, +120 −33 characters,",
    ),
    (
        edited("branched", cause="branch", edits=1, source="old.py", revision=4),
        "branched main.py from old.py at revision 4",
    ),
    (
        edited("merged", cause="merge", edits=1, source="new.py", revision=9),
        "merged new.py into main.py: 1 edit, +120 −33 characters,",
    ),
    (a_line("saved", revision=17), "saved main.py at revision 17"),
    (a_line("named", revision=17, name="v1"), "named revision 17 of main.py “v1”"),
    (a_line("ran", title="tests", outcome=None, exit_code=None, seconds=None), "is running tests"),
    (
        a_line("ran", title="tests", outcome="failed", exit_code=1, seconds=3.21),
        "ran tests: failed (exit code 1) after 3.2 s",
    ),
    (
        a_line("ran", title="tests", outcome="stopped", exit_code=None, seconds=7325.0),
        "ran tests: stopped after 2 h 2 min",
    ),
    (a_line("said", text="Hello,\n  all \t"), "said: Hello, all"),
    (a_line("said"), "said something"),
    (a_line("imported", messages=1200, source="old"), "imported 1,200 messages from old"),
    (a_line("imported", messages=1, source="old"), "imported 1 message from old"),
    (a_line("pinned", text="Hello"), "pinned: Hello"),
    (a_line("unpinned"), "unpinned a message"),
    (a_line("listed"), "added the document main.py"),
    (a_line("unlisted"), "took the document main.py off the list"),
    (a_line("opened", title="Demo"), "opened the room “Demo”"),
    (a_line("renamed", title="New", from_="Old"), "renamed the room “Old” to “New”"),
    (a_line("renamed", title="New", from_=None), "renamed the room to “New”"),
    (
        a_line("redacted", reason="a key", author=None, documents=["a.md", "b.md"], messages=2),
        "removed text from a.md, b.md, 2 messages, from the past as well: a key",
    ),
    (
        a_line("redacted", reason="asked", author="ben", documents=[], messages=1),
        "removed text of ben from a message, from the past as well: asked",
    ),
    (a_line("closed"), "closed the room"),
    (a_line("access_changed", everyone="viewer"), "let everyone in as viewer"),
    (a_line("access_changed", everyone=None), "let only members in from now on"),
    (member("member_added", "ben", "editor", None), "made ben a member, as editor"),
    (member("member_added", "ada", "editor", None), "became editor by invitation"),
    (member("member_added", "ada", "editor", "viewer"), "became editor by invitation (was viewer)"),
    (member("role_changed", "ben", "owner", "viewer"), "made ben owner (was viewer)"),
    (member("member_removed", "ben", None, "viewer"), "removed ben (was viewer)"),
    (member("member_removed", "ada", None, None), "is no member any more"),
]


@pytest.mark.parametrize(("line", "words"), SENTENCES, ids=[words for _, words in SENTENCES])
def test_a_line_is_told_in_words(line: Line, words: str) -> None:
    assert sentence(line).removesuffix(" revision 17 to 31") == words.removesuffix(" revision 17 to 31")


def test_every_kind_is_told() -> None:
    assert {line.kind for line, _ in SENTENCES} == set(Kind)


def test_a_line_is_told_as_json() -> None:
    line = edited(until=2)
    assert as_json(line) == {
        "room": "demo",
        "id": 7,
        "changed": 9,
        "kind": "edited",
        "user": "ada",
        "document": "main.py",
        "message": None,
        "at": as_microseconds(NOON),
        "until": as_microseconds(NOON) + 2_000_000,
        "text": None,
        "details": {"edits": 14, "inserted": 120, "deleted": 33, "from": 17, "to": 31, "cause": "typed"},
        "line": "edited main.py: 14 edits, +120 −33 characters, revision 17 to 31",
    }


@given(lives())
def test_whatever_happens_can_be_told_on_one_line(log: list[Event]) -> None:
    for line in folded(log).values():
        told = as_json(line)
        assert orjson.loads(orjson.dumps(told)) == told
        assert told["line"]
        assert told["line"].splitlines() == [told["line"]]
