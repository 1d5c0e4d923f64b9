"""One line per event of a room's log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from application.log import Recorded
from domain.attendance import Appearance, Attendance, Left, StatusChanged
from domain.document import Created, EditApplied
from domain.ids import (
    attendance_stream,
    document_stream,
    message_stream,
    receipts_stream,
    revisions_stream,
    room_stream,
    run_stream,
)
from domain.message import (
    Deleted,
    Edited,
    Message,
    Pinned,
    Posted,
    ReactionAdded,
    ReactionRemoved,
    Unpinned,
)
from domain.receipts import ReceiptsRecorded
from domain.revisions import RevisionSaved
from domain.room import (
    AccessChanged,
    Closed,
    DocumentListed,
    DocumentUnlisted,
    InvitationMade,
    InvitationRevoked,
    MemberAdded,
    MemberRemoved,
    Opened,
    Renamed,
    RoleChanged,
)
from domain.run import RunFinished, RunStarted
from domain.text_op import Op
from interfaces.cli.lines import PARTS_SHOWN, json_line, line
from tests.domain.events import collect

AT = datetime(2026, 11, 23, 14, 5, 7, 123_456, tzinfo=UTC)
MAIN = document_stream("demo", "main.md")
ROOM = room_stream("demo")


def recorded(kind: Any, stream: str, **fields: Any) -> Recorded:
    values = {"originator_id": stream, "originator_version": 1, "timestamp": AT, "actor": "ada", **fields}
    return Recorded(7, kind(**values))


def edit(op: Op, *, revision: int = 17, base: int | None = None) -> Recorded:
    return recorded(
        EditApplied, MAIN, client="c1", seq=3, base=revision - 1 if base is None else base,
        revision=revision, digest="", op=op,
    )  # fmt: skip


def what(event: Recorded) -> str:
    """The line without its time and actor."""
    return line(event).plain.split("  ", 2)[2]


def test_a_line_begins_with_the_time_here_and_the_actor() -> None:
    here = AT.astimezone()
    assert line(edit(["x"])).plain.startswith(f"{here:%Y-%m-%d %H:%M:%S}.123  ada  ")


@pytest.mark.parametrize(
    ("op", "shown"),
    [
        (["hello"], 'edit in main.md rev 17: +"hello"'),
        ([4, "hello", {"d": "abc"}], 'edit in main.md rev 17: +"hello" −3'),
        ([{"d": 5}], "edit in main.md rev 17: −5"),
        (["two\nlines\x1b[2J"], r'edit in main.md rev 17: +"two\nlines\x1b[2J"'),
        ([], "edit in main.md rev 17: "),
    ],
)
def test_an_edit_says_what_it_inserts_and_how_much_it_deletes(op: Op, shown: str) -> None:
    assert what(edit(op)) == shown


@pytest.mark.parametrize(
    ("why", "shown"),
    [
        ({"cause": "undo", "undoes": [[3, 3]]}, "undo in main.md rev 17 (takes back rev 3): "),
        (
            {"cause": "undo", "undoes": [[3, 5], [7, 7], [9, 9], [11, 11], [13, 13]]},
            "undo in main.md rev 17 (takes back rev 3–5, 7, 9, 11…): ",
        ),
        ({"cause": "redo", "undoes": [[16, 16]]}, "redo in main.md rev 17 (takes back rev 16): "),
        ({"cause": "undo"}, "undo in main.md rev 17: "),
        ({"cause": "restore", "source": ["", 12]}, "restored main.md rev 17 (to rev 12): "),
        ({"cause": "branch", "source": ["a.md", 4]}, "branched main.md rev 17 (from a.md rev 4): "),
        ({"cause": "merge", "source": ["b.md", 9]}, "merged into main.md rev 17 (from b.md rev 9): "),
        ({"cause": "dreamt"}, "dreamt main.md rev 17: "),
    ],
)
def test_an_edit_that_was_not_typed_says_why_it_was_made(why: dict[str, Any], shown: str) -> None:
    found: Any = edit(["x"]).event
    assert what(Recorded(7, replace(found, **why))) == f'{shown}+"x"'


def test_an_edit_that_was_transformed_says_on_what_it_was_made() -> None:
    assert what(edit(["x"], base=12)) == 'edit in main.md rev 17 (made on 12): +"x"'


def test_a_long_insert_and_a_long_list_of_changes_are_cut() -> None:
    assert len(what(edit(["x" * 10_000]))) < 120
    many: Op = []
    for number in range(204):
        many += [1 + number, "y"]
    shown = what(edit(many))
    assert shown.count('+"y"') == PARTS_SHOWN
    assert shown.endswith("… (204 changes)")


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (
            recorded(
                Posted, message_stream("demo", "m"), originator_topic="message", room="demo", message="m",
                client="c1", text="hi\nthere\x07", documents={}, reply_to=None, mentions=[], link=None,
            ),
            r"says hi\nthere\x07",
        ),
        (recorded(Left, attendance_stream("demo", "s"), client="c1", reason="left"), "left"),
        (recorded(Left, attendance_stream("demo", "s"), client="c1", reason="lost"), "left (lost)"),
        (recorded(DocumentListed, room_stream("demo"), document="a.md"), "document a.md listed"),
        (
            recorded(
                Opened, ROOM, originator_topic="room", room="demo", title="De\tmo", owner="ada", everyone=None
            ),
            r"opened the room De\tmo: for members only",
        ),
        (
            recorded(
                Opened, ROOM, originator_topic="room", room="demo", title="Demo", owner="ada",
                everyone="viewer",
            ),
            "opened the room Demo: everyone is viewer",
        ),
        (recorded(DocumentUnlisted, ROOM, document="a.md"), "document a.md unlisted"),
        (recorded(Renamed, ROOM, title="a\x1bb"), r"renamed the room a\x1bb"),
        (recorded(AccessChanged, ROOM, everyone="editor"), "changed the access: everyone is editor"),
        (recorded(MemberAdded, ROOM, user="ben", role="editor", invitation=None), "made ben editor"),
        (
            recorded(MemberAdded, ROOM, user="ada", role="editor", invitation="i1"),
            "became editor by invitation i1",
        ),
        (recorded(RoleChanged, ROOM, user="ben", role="viewer"), "made ben viewer"),
        (recorded(MemberRemoved, ROOM, user="ben"), "removed ben"),
        (recorded(MemberRemoved, ROOM, user="ada"), "is no member any more"),
        (
            recorded(InvitationMade, ROOM, invitation="i1", role="viewer", digest="", expires=1, uses=None),
            "invites as viewer by i1",
        ),
        (recorded(InvitationRevoked, ROOM, invitation="i1"), "revoked the invitation i1"),
        (recorded(Closed, ROOM), "closed the room"),
        (
            recorded(
                StatusChanged, attendance_stream("demo", "s"), client="c1", status="away", cause="derived"
            ),
            "is away",
        ),
        (
            recorded(Created, MAIN, originator_topic="document", room="demo", name="main.md"),
            "document main.md created",
        ),
    ],
)  # fmt: skip
def test_other_events_are_said_in_words(event: Recorded, shown: str) -> None:
    assert what(event) == shown


MESSAGE = message_stream("demo", "m1")
RUN = run_stream("demo", "r1")
SAVED = revisions_stream("demo", "main.md")
RECEIPTS = receipts_stream("demo", "n1")
STARTED: Any = {"originator_topic": "run", "room": "demo", "run": "r1", "client": "c", "title": "pytest\x1b"}


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (recorded(Edited, MESSAGE, text="hi\nall", mentions=[], newly=[]), r"says instead of m1 hi\nall"),
        (recorded(Deleted, MESSAGE), "deleted the message m1"),
        (recorded(ReactionAdded, MESSAGE, emoji="👍"), "reacted to m1 with 👍"),
        (recorded(ReactionRemoved, MESSAGE, emoji="👍"), "took 👍 back from m1"),
        (recorded(Pinned, MESSAGE), "pinned the message m1"),
        (recorded(Unpinned, MESSAGE), "unpinned the message m1"),
        (recorded(RevisionSaved, SAVED, document="main.md", revision=2, name=None), "saved main.md rev 2"),
        (recorded(RevisionSaved, SAVED, document="main.md", revision=2, name="v1"), "named main.md rev 2 v1"),
        (recorded(RunStarted, RUN, **STARTED, document=None, revision=None), r"runs pytest\x1b as r1"),
        (
            recorded(RunStarted, RUN, **STARTED, document="main.md", revision=2),
            r"runs pytest\x1b (main.md rev 2) as r1",
        ),
        (recorded(RunFinished, RUN, run="r1", outcome="passed", exit_code=None), "run r1 has passed"),
        (
            recorded(RunFinished, RUN, run="r1", outcome="failed", exit_code=-9),
            "run r1 has failed (exit code -9)",
        ),
        (
            recorded(ReceiptsRecorded, RECEIPTS, receipts=[["ada", 12, 9, 1], ["ben", 7, 7, 1]]),
            "ada has read up to 9 and got 12, ben has read up to 7",
        ),
        (
            recorded(ReceiptsRecorded, RECEIPTS, receipts=[[f"u{n}", 1, 1, 1] for n in range(20)]),
            ", ".join([f"u{n} has read up to 1" for n in range(PARTS_SHOWN)] + ["… (20 people)"]),
        ),
    ],
)
def test_what_becomes_of_messages_documents_and_runs_is_said_in_words(event: Recorded, shown: str) -> None:
    assert what(event) == shown


def test_an_imported_message_says_where_it_comes_from_and_who_said_it() -> None:
    message = Message.bring(
        "demo", "m2", source="old", author="eve", posted=1, text="hi\nall", documents={}, reply_to=None,
        mentions=[], link=None, edits=0, edited=None, deleted=None, pinned=None, reactions=[],
        actor="ada", at=AT,
    )  # fmt: skip
    [event] = collect(message)
    assert what(Recorded(7, event)) == r"brings from old what eve said: hi\nall"


def test_who_joined_is_named_with_the_client() -> None:
    stay = Attendance.join(
        "demo",
        "s",
        client="tab-1",
        node="node-1",
        appearance=Appearance("Ada L", "#4c75f0"),
        actor="ada",
        at=AT,
    )
    joined: Any = stay.collect_events()[0]
    assert what(Recorded(7, joined)) == "joined as Ada L (tab-1)"


def test_an_actor_cannot_disturb_the_terminal() -> None:
    event = recorded(Left, attendance_stream("demo", "s"), client="c", reason="left", actor="a\x1b[1mb")
    assert "\x1b" not in line(event).plain


def test_an_actor_has_one_colour_wherever_he_appears() -> None:
    one, two = line(edit(["x"])), line(edit(["y"], revision=90))
    assert [span.style for span in one.spans][:2] == [span.style for span in two.spans][:2]


def test_json_has_one_object_to_a_line_as_on_the_wire() -> None:
    data = json_line(edit(["a\nb"]))
    assert data.count(b"\n") == 1
    assert data.endswith(b"\n")
    told = orjson.loads(data)
    assert told["event"] == "edit"
    assert told["position"] == 7
    assert told["op"] == ["a\nb"]
    assert told["at"] == 1_795_442_707_123_456


def test_an_event_that_is_never_sent_has_json_too() -> None:
    created = recorded(Created, MAIN, originator_topic="document", room="demo", name="main.md")
    assert orjson.loads(json_line(created)) == {
        "event": "document.created",
        "at": 1_795_442_707_123_456,
        "actor": "ada",
        "room": "demo",
        "name": "main.md",
        "position": 7,
    }
