"""What the server sends, as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from application.log import Recorded
from domain.aggregate import EVENT_CLASSES, Event
from domain.attendance import Appearance, Attendance, Status
from domain.colours import colour_of
from domain.document import Document, Edit, EditApplied
from domain.erasure import Erasure
from domain.errors import Contended, RevisionTooOld
from domain.importing import BroughtEdit, Provenance
from domain.instants import as_datetime, as_microseconds
from domain.message import Link, Message
from domain.presence import HIDDEN, FrameRecorded, Move, Presence, Typing
from domain.profile import Profile
from domain.receipts import Receipts
from domain.redaction import Redaction, black_edit
from domain.restoration import Restoration
from domain.retention import Retention
from domain.revisions import Revisions
from domain.rights import Role
from domain.room import Room
from domain.run import Outcome, Run
from interfaces.ws.wire import (
    _WIRE,
    Frame,
    encode_event,
    encode_recorded,
    error_frame,
    events_frame,
    fragments,
    frame,
    presence_frame,
)
from tests.domain.events import NOON

AT = as_microseconds(NOON)
COMMON = {"actor": "ada", "at": AT}
LINK: Link = {"document": "main.md", "revision": 2, "start": 0, "end": 5}
LOOKS = {"name": "Ada 😀", "colour": "#a355f1", "avatar": "https://example.org/a.png"}


def events_of(*aggregates: Any) -> list[Event]:
    return [event for aggregate in aggregates for event in aggregate.collect_events()]


def a_room() -> Room:
    """With everything that can happen to one."""
    room = Room.open("demo", "Büro “1”", actor="ada", at=NOON, everyone=Role.VIEWER)
    room.list_document("main.md", actor="ada", at=NOON)
    room.unlist_document("main.md", actor="ada", at=NOON)
    room.rename("Garten", actor="ada", at=NOON)
    room.change_access(None, actor="ada", at=NOON)
    room.add_member("ben", Role.EDITOR, actor="ada", at=NOON)
    room.add_member("ben", Role.OWNER, actor="ada", at=NOON)
    room.remove_member("ben", actor="ada", at=NOON)
    room.invite("i1", Role.VIEWER, digest="s3cret", expires=as_datetime(AT + 9), uses=3, actor="ada", at=NOON)
    room.revoke_invitation("i1", actor="ada", at=NOON)
    room.seal(is_sealed=True, actor="ada", at=NOON)
    room.close(actor="ada", at=NOON)
    return room


def a_document() -> Document:
    document = Document.create("demo", "main.md", actor="ada", at=NOON)
    document.edit(Edit("ada-1", 1, 0, ['\t"\\ tail'], "d1"), actor="ada", at=NOON)
    document.edit(Edit("ada-1", 2, 1, [2, "X", {"d": 1}], "d2"), actor="ada", at=NOON)
    return document


def a_message() -> Message:
    message = Message.post(
        "demo",
        "m1",
        client="ada-1",
        text="Look: “é” 😀\nsecond line",
        documents={"main.md": 2, "b.txt": 0},
        reply_to="m0",
        mentions=["ben"],
        link=LINK,
        actor="ada",
        at=NOON,
    )
    message.edit("Look, @cem", mentions=["cem"], actor="ada", at=NOON)
    message.react("👍", actor="ada", at=NOON)
    message.unreact("👍", actor="ada", at=NOON)
    message.pin(is_pinned=True, actor="ada", at=NOON)
    message.pin(is_pinned=False, actor="ada", at=NOON)
    message.delete(actor="ada", at=NOON)
    return message


def an_import() -> Message:
    return Message.bring(
        "demo",
        "m2",
        source="lab",
        author="ben",
        posted=1,
        text="Before",
        documents={},
        reply_to=None,
        mentions=["cem"],
        link=LINK,
        edits=2,
        edited=3,
        deleted=None,
        pinned=4,
        reactions=[["👍", "cem", 5], ["❤️", "ada", 6], ["👍", "ada", 7]],
        actor="ada",
        at=NOON,
    )


def other_things() -> list[Event]:
    """Receipts, saves and runs."""
    receipts = Receipts.begin("demo", "n.1", node="ada", at=NOON)
    receipts.record([["ben", 9, 7, AT]], at=NOON)
    revisions = Revisions.begin("demo", "main.md", actor="ada", at=NOON)
    revisions.save(2, "Draft", actor="ada", at=NOON)
    run = Run.start(
        "demo",
        "r1",
        client="ada-1",
        title="pytest",
        document="main.md",
        revision=2,
        actor="ada",
        at=NOON,
    )
    run.finish(Outcome.FAILED, 1, client="ada-1", actor="ada", at=NOON)
    return events_of(receipts, revisions, run)


def a_redaction() -> Redaction:
    return Redaction.make(
        "demo",
        "x1",
        reason="a password",
        author=None,
        documents=["main.md"],
        messages=["m1"],
        events=3,
        characters=24,
        digest="d",
        actor="ada",
        at=NOON,
    )


def an_erasure() -> Erasure:
    return Erasure.make("e1", user="ben", reason="asked", redactions=[], keys=[], actor="ada", at=NOON)


def a_stay() -> Attendance:
    appearance = Appearance(**LOOKS, version=3)
    stay = Attendance.join(
        "demo", "s1", client="ada-1", node="n", appearance=appearance, actor="ada", at=NOON
    )
    stay.change_status(Status.RUNNING, "declared", actor="ada", at=NOON)
    stay.leave("superseded", actor="ada", at=NOON)
    return stay


def a_profile() -> Profile:
    profile = Profile.create("ada", "Ada", actor="ada", at=NOON)
    profile.change(**LOOKS, actor="ada", at=NOON)
    profile.sign_out(actor="ada", at=NOON)
    profile.disable(actor="ada", at=NOON)
    profile.enable(actor="ada", at=NOON)
    return profile


def a_restoration() -> Restoration:
    return Restoration.begin(
        "epoch-2",
        backup="backup-1",
        source_epoch="epoch-1",
        source_at=1,
        record_position=2,
        presence_position=3,
        by="root",
        actor="@server",
        at=NOON,
    )


def a_retention() -> Retention:
    retention = Retention.begin("presence", actor="@server", at=NOON)
    retention.drop(NOON.date(), 5, kept_days=30, actor="@server", at=NOON)
    return retention


def presence_of(
    moves: Sequence[Move], typing: Sequence[Typing] = (), keyframe: Sequence[Move] = ()
) -> list[Event]:
    presence = Presence.begin("demo", "n.1", node="n", at=NOON)
    presence.record(list(moves), list(typing), at=NOON)
    if keyframe:
        presence.record_keyframe(list(keyframe), at=NOON)
    return events_of(presence)


A_MOVE: Move = ["ada-1", "main.md", 2, 5, 1, 7]

EVENTS = {
    event.TOPIC: event
    for event in [
        *events_of(a_room(), a_document(), a_message(), an_import()),
        *events_of(a_stay(), a_profile(), a_restoration(), a_retention(), a_redaction(), an_erasure()),
        *other_things(),
        *presence_of([A_MOVE], [], [A_MOVE]),
    ]
}

TOLD: dict[str, dict[str, Any]] = {
    "document.edit_applied": {
        "event": "edit",
        "document": "main.md",
        "revision": 2,
        "base": 1,
        "client": "ada-1",
        "seq": 2,
        "op": [2, "X", {"d": "\\"}],
    },
    "message.posted": {
        "event": "message",
        "message": "m1",
        "client": "ada-1",
        "text": "Look: “é” 😀\nsecond line",
        "documents": {"main.md": 2, "b.txt": 0},
        "author": "ada",
        "posted": AT,
        "reply_to": "m0",
        "mentions": ["ben"],
        "link": LINK,
        "edits": 0,
        "edited": None,
        "deleted": None,
        "pinned": None,
        "reactions": {},
        "imported": None,
    },
    "message.imported": {
        "event": "message",
        "message": "m2",
        "client": None,
        "text": "Before",
        "documents": {},
        "author": "ben",
        "posted": 1,
        "reply_to": None,
        "mentions": ["cem"],
        "link": LINK,
        "edits": 2,
        "edited": 3,
        "deleted": None,
        "pinned": 4,
        "reactions": {"👍": ["cem", "ada"], "❤️": ["ada"]},
        "imported": {"room": "lab", "by": "ada", "at": AT},
    },
    "message.edited": {
        "event": "message_edited",
        "message": "m1",
        "text": "Look, @cem",
        "mentions": ["cem"],
    },
    "message.deleted": {"event": "message_deleted", "message": "m1"},
    "message.reaction_added": {"event": "reaction_added", "message": "m1", "emoji": "👍"},
    "message.reaction_removed": {"event": "reaction_removed", "message": "m1", "emoji": "👍"},
    "message.pinned": {"event": "message_pinned", "message": "m1"},
    "message.unpinned": {"event": "message_unpinned", "message": "m1"},
    "receipts.recorded": {
        "event": "receipts",
        "receipts": [{"user": "ben", "delivered": 9, "read": 7}],
    },
    "revisions.saved": {"event": "revision_saved", "document": "main.md", "revision": 2, "name": "Draft"},
    "redaction.made": {
        "event": "redaction",
        "redaction": "x1",
        "reason": "a password",
        "author": None,
        "documents": ["main.md"],
        "messages": ["m1"],
        "events": 3,
        "characters": 24,
    },
    "room.sealing_changed": {"event": "sealing_changed", "sealed": True},
    "run.started": {
        "event": "run_started",
        "run": "r1",
        "client": "ada-1",
        "title": "pytest",
        "document": "main.md",
        "revision": 2,
    },
    "run.finished": {"event": "run_finished", "run": "r1", "outcome": "failed", "exit_code": 1},
    "attendance.joined": {"event": "joined", "client": "ada-1", "session": "s1", **LOOKS},
    "attendance.status_changed": {
        "event": "status",
        "client": "ada-1",
        "session": "s1",
        "status": "running",
    },
    "attendance.left": {"event": "left", "client": "ada-1", "session": "s1", "reason": "superseded"},
    "profile.created": {
        "event": "profile",
        "user": "ada",
        "name": "Ada",
        "colour": colour_of("ada"),
        "avatar": "",
    },
    "profile.changed": {"event": "profile", "user": "ada", **LOOKS},
    "room.document_listed": {"event": "document_listed", "document": "main.md"},
    "room.document_unlisted": {"event": "document_unlisted", "document": "main.md"},
    "room.opened": {"event": "room_opened", "title": "Büro “1”", "everyone": "viewer"},
    "room.renamed": {"event": "room_renamed", "title": "Garten"},
    "room.access_changed": {"event": "access_changed", "everyone": None},
    "room.closed": {"event": "room_closed"},
    "room.member_added": {"event": "member_added", "user": "ben", "role": "editor"},
    "room.role_changed": {"event": "role_changed", "user": "ben", "role": "owner"},
    "room.member_removed": {"event": "member_removed", "user": "ben"},
    "room.invitation_made": {
        "event": "invitation_made",
        "invitation": "i1",
        "role": "viewer",
        "expires": AT + 9,
        "uses": 3,
    },
    "room.invitation_revoked": {"event": "invitation_revoked", "invitation": "i1"},
}
"""What is told of which event."""


@pytest.mark.parametrize(
    ("length", "header"),
    [
        (0, b"\x81\x00"),
        (1, b"\x81\x01"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_a_frame_is_an_unmasked_text_message_of_rfc_6455(length: int, header: bytes) -> None:
    frame = Frame(b"x" * length)
    assert frame.wire == header + b"x" * length
    assert len(frame) == len(frame.wire)


def test_it_is_known_what_is_told_of_every_event() -> None:
    assert set(EVENTS) == set(EVENT_CLASSES), "an event without a sample"
    assert set(TOLD) == {event.TOPIC for event in _WIRE}


@pytest.mark.parametrize(("topic", "expected"), TOLD.items())
def test_an_event_is_told_with_its_place_actor_and_time(topic: str, expected: dict[str, Any]) -> None:
    data = encode_recorded(Recorded(42, EVENTS[topic]))
    assert data is not None
    assert orjson.loads(data) == {**COMMON, "position": 42, **expected}


def test_an_edit_that_was_not_typed_says_why_it_was_made() -> None:
    document = a_document()
    by: dict[str, Any] = {"actor": "ben", "at": NOON}
    document.revise([{"d": 2}], cause="undo", undoes=[[1, 2]], **by)
    document.revise(["old"], cause="restore", origins=[[3, "", 1, 0]], source=("", 1), **by)
    document.revise(["new"], cause="merge", origins=[[3, "b.md", 2, 0]], source=("b.md", 2), **by)
    document.revise(["again"], cause="redo", revives=[[5, 1, 0]], **by)
    told = [orjson.loads(encode_event(event) or b"") for event in events_of(document)[1:]]
    assert [
        {name: edit.get(name) for name in ("cause", "undoes", "source", "client")} for edit in told[2:]
    ] == [
        {"cause": "undo", "undoes": [[1, 2]], "source": None, "client": "@ben"},
        {"cause": "restore", "undoes": None, "source": ["", 1], "client": "@ben"},
        {"cause": "merge", "undoes": None, "source": ["b.md", 2], "client": "@ben"},
        {"cause": "redo", "undoes": None, "source": None, "client": "@ben"},
    ]
    assert all(not {"cause", "undoes", "source", "revives", "origins"} & edit.keys() for edit in told[:2])


def test_an_edit_that_was_imported_says_who_wrote_it_and_when() -> None:
    provenance: Provenance = {"source": "git:a.md@1f", "digest": "d", "edits": 1, "since": 1}
    document = Document.begin_import("demo", "a.md", provenance, actor="ada", at=NOON)
    document.bring([BroughtEdit(["a"], "Ben (git)", 1, "1f", "Begin")], 1, actor="ada", at=NOON)
    _, edit = (encode_event(event) for event in events_of(document))
    told = orjson.loads(edit or b"")
    assert {name: told[name] for name in ("actor", "cause", "author", "written", "reference", "note")} == {
        "actor": "ada",
        "cause": "import",
        "author": "Ben (git)",
        "written": 1,
        "reference": "1f",
        "note": "Begin",
    }


def test_an_edit_of_which_text_was_removed_says_so_and_deletes_by_length() -> None:
    """Whoever comes back with the text of before has other letters there."""
    [_, _, edit] = events_of(a_document())
    assert isinstance(edit, EditApplied)
    told = orjson.loads(encode_event(black_edit(edit, [2, "█", {"d": "█"}], "x1"), 7) or b"")
    assert (told["op"], told["redaction"]) == ([2, "█", {"d": 1}], "x1")


def test_the_secret_of_an_invitation_is_told_to_nobody() -> None:
    for event in EVENTS.values():
        assert b"s3cret" not in (encode_event(event) or b"")


def test_an_edit_that_is_read_by_revision_has_no_place() -> None:
    data = encode_event(EVENTS["document.edit_applied"])
    assert data is not None
    assert "position" not in orjson.loads(data)


@pytest.mark.parametrize("topic", sorted(set(EVENTS) - set(TOLD)))
def test_other_events_are_not_told_as_events(topic: str) -> None:
    assert encode_event(EVENTS[topic]) is None


def test_events_are_put_together_as_they_are() -> None:
    events = [b'{"event":"a"}', b'{"event":"b"}']
    assert orjson.loads(events_frame(7, events).payload) == {
        "type": "events",
        "position": 7,
        "events": [{"event": "a"}, {"event": "b"}],
    }
    assert orjson.loads(frame(type="edits", edits=fragments(events)).payload)["edits"][1] == {"event": "b"}


def told_of(moves: Sequence[Move], typing: Sequence[Typing] = (), *later: Event) -> Any:
    frames = [event for event in [*presence_of(moves, typing), *later] if isinstance(event, FrameRecorded)]
    return orjson.loads(presence_frame(9, frames).payload)


def test_of_every_cursor_the_last_move_is_told() -> None:
    moves: list[Move] = [
        ["ada-1", "main.md", 2, 5, 1, 7],
        ["ada-1", "b.txt", 2, 5, 1, 7],
        ["ben-1", "main.md", 2, 0, 0, 8],
        ["ada-1", "main.md", 3, 6, 6, 9],
    ]
    later = presence_of([["ben-1", "main.md", 3, 4, 4, 10]])
    assert told_of(moves, [], *later) == {
        "type": "presence",
        "position": 9,
        "moves": [
            {"client": "ada-1", "document": "main.md", "revision": 3, "anchor": 6, "head": 6, "at": 9},
            {"client": "ada-1", "document": "b.txt", "revision": 2, "anchor": 5, "head": 1, "at": 7},
            {"client": "ben-1", "document": "main.md", "revision": 3, "anchor": 4, "head": 4, "at": 10},
        ],
        "typing": [],
    }


def test_a_cursor_that_is_not_shown_any_more_has_no_places() -> None:
    [move] = told_of([["ada-1", "main.md", 2, HIDDEN, HIDDEN, 7]])["moves"]
    assert (move["anchor"], move["head"], move["revision"]) == (None, None, 2)


def test_of_everybody_who_types_the_last_sign_is_told_by_place() -> None:
    typing: list[Typing] = [
        ["ada-1", "", 1, 5],
        ["ada-1", "main.md", 1, 6],
        ["ben-1", "", 1, 7],
        ["ada-1", "", 0, 8],
    ]
    assert told_of([A_MOVE], typing)["typing"] == [
        {"client": "ada-1", "document": None, "typing": False, "at": 8},
        {"client": "ada-1", "document": "main.md", "typing": True, "at": 6},
        {"client": "ben-1", "document": None, "typing": True, "at": 7},
    ]


def test_an_error_is_told_with_its_code_and_facts() -> None:
    told = orjson.loads(error_frame(3, RevisionTooOld("too far behind", revision=9)).payload)
    assert told == {
        "type": "error",
        "ref": 3,
        "code": "E_VERSION_OLD",
        "message": "too far behind",
        "revision": 9,
    }
    assert orjson.loads(error_frame(None, Contended("later", retry_after=0.5)).payload)["ref"] is None
