"""One event of every class, as rich as its class allows, and one snapshot of each aggregate that has them.

And what events and snapshots that were stored by older versions are read as, where that is less.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from domain.aggregate import Aggregate, Event, Snapshot
from domain.attendance import Appearance, Attendance, Status
from domain.colours import colour_of
from domain.document import Document, Edit, EditApplied
from domain.erasure import Erasure
from domain.importing import BroughtEdit, Provenance
from domain.message import Message
from domain.presence import Presence
from domain.profile import Profile
from domain.receipts import Receipts
from domain.redaction import Redaction, black_edit
from domain.restoration import Restoration
from domain.retention import Retention
from domain.revisions import Revisions
from domain.rights import Role
from domain.room import Room
from domain.run import Outcome, Run

AT: Final = datetime(2026, 11, 23, 14, 5, 6, 789_012, tzinfo=UTC)
ACTOR: Final = "Ada 😀"


def _events(aggregate: Aggregate) -> list[Event]:
    return [event for event in aggregate.collect_events() if isinstance(event, Event)]


def _room(*, is_sealed: bool = True) -> Room:
    """One whose state is rich: members of all roles, invitations of all kinds."""
    room = Room.open("demo", "Büro “1”", actor=ACTOR, at=AT, everyone=Role.COMMENTER)
    room.list_document("main.md", actor=ACTOR, at=AT)
    for number, (user, role) in enumerate([("ben", Role.VIEWER), ("cem", Role.OWNER), ("dee", Role.EDITOR)]):
        room.add_member(user, role, actor=ACTOR, at=AT)
        room.invite(
            f"invitation-{number}",
            role,
            digest=f"{number:064x}",
            expires=AT + timedelta(days=number + 1),
            uses=None if number == 0 else number,
            actor=ACTOR,
            at=AT,
        )
    room.rename("Büro “2” 😀", actor="cem", at=AT)
    room.accept_invitation("invitation-2", digest=f"{2:064x}", actor="eve", at=AT)
    room.revoke_invitation("invitation-1", actor=ACTOR, at=AT)
    room.add_member("ben", Role.COMMENTER, actor=ACTOR, at=AT)
    room.remove_member("dee", actor="dee", at=AT)
    room.change_access(Role.VIEWER, actor=ACTOR, at=AT)
    room.seal(is_sealed=is_sealed, actor=ACTOR, at=AT)
    return room


def _closed_room() -> Room:
    room = _room(is_sealed=False)
    room.unlist_document("main.md", actor="eve", at=AT)
    room.close(actor="cem", at=AT)
    return room


def _room_without_rights() -> Room:
    """As rooms were before members, when the first snapshots were stored."""
    room = _room()
    room.restore_state({"room": "demo", "title": "Büro “1”", "documents": ["main.md"]})
    return room


def _document() -> Document:
    document = Document.create("demo", "main.md", actor=ACTOR, at=AT)
    op: list[Any] = ['é\n\t"\\ 👩‍👩‍👧\u2028 tail']
    document.edit(Edit("ada-1", 1, 0, op, "0123456789abcdef"), actor=ACTOR, at=AT)
    op = [2, "X", {"d": 3}]
    document.edit(Edit("ada-1", 2, 1, op, "fedcba9876543210"), actor=ACTOR, at=AT, cause="undo")
    return document


def _revised() -> Document:
    """One in which an edit was taken back, then a text restored, and another brought in from a branch."""
    document = _document()
    by: dict[str, Any] = {"actor": ACTOR, "at": AT}
    document.revise(
        [2, {"d": "X"}, '\t"\\'],
        cause="undo",
        undoes=[[1, 1], [2, 2]],
        revives=[[2, 1, 2], [1, 1, 4, "alt.md", 3, 0]],
        **by,
    )
    document.revise(
        ["“é” 😀"],
        cause="merge",
        origins=[[3, "", 1, 0], [2, "zweig.md", 7, 4]],
        source=("zweig.md", 9),
        **by,
    )
    return document


def _brought() -> Document:
    """One that was imported, and a first edit of it."""
    provenance: Provenance = {
        "source": "git:“é” 😀.md@0123456789abcdef0123456789abcdef01234567",
        "digest": "0123456789abcdef" * 2,
        "edits": 2,
        "since": 1_400_000_000_000_000,
        "colours": {"Ada 😀 (git)": "#4c75f0"},
    }
    document = Document.begin_import("demo", "old.md", provenance, actor=ACTOR, at=AT)
    edit = BroughtEdit(["“é” 😀"], "Ada 😀 (git)", 1_400_000_000_000_001, "0123456789abcdef", "Say “é” 😀")
    document.bring([edit], 1, actor=ACTOR, at=AT)
    return document


def _message() -> Message:
    message = Message.post(
        "demo",
        "m1",
        client="ada-1",
        text="Look: “é” 😀\nsecond line",
        documents={"main.md": 2, "b.txt": 0},
        reply_to="m0",
        mentions=["ben"],
        link={"document": "main.md", "revision": 2, "start": 0, "end": 5},
        actor=ACTOR,
        at=AT,
    )
    message.edit("Look, @cem: “é” 😀", mentions=["cem"], actor=ACTOR, at=AT)
    message.react("👩‍💻", actor="ben", at=AT)
    message.unreact("👩‍💻", actor="ben", at=AT)
    message.pin(is_pinned=True, actor="ben", at=AT)
    message.pin(is_pinned=False, actor="ben", at=AT)
    message.delete(actor=ACTOR, at=AT)
    return message


def _imported() -> Message:
    at = 1_795_442_706_789_012
    return Message.bring(
        "demo",
        "m2",
        source="büro-1",
        author="eve",
        posted=at,
        text="Before “é” 😀",
        documents={"main.md": 1},
        reply_to="m1",
        mentions=["ben"],
        link={"document": "main.md", "revision": 1, "start": 1, "end": 3},
        edits=2,
        edited=at + 1,
        deleted=None,
        pinned=at + 2,
        reactions=[["👍", "ben", at + 3], ["❤️", "cem", at + 4]],
        actor=ACTOR,
        at=AT,
    )


def _receipts() -> Receipts:
    receipts = Receipts.begin("demo", "node-00000001.1", node="node-00000001", at=AT)
    receipts.record([["ada", 12, 9, 1_795_442_706_789_012], ["ben", 7, 7, 1]], at=AT)
    return receipts


def _revisions() -> Revisions:
    revisions = Revisions.begin("demo", "main.md", actor=ACTOR, at=AT)
    revisions.save(2, "Entwurf “é” 😀", actor=ACTOR, at=AT)
    return revisions


def _run() -> Run:
    run = Run.start(
        "demo",
        "r1",
        client="ada-1",
        title="pytest -q “é”",
        document="main.md",
        revision=2,
        actor=ACTOR,
        at=AT,
    )
    run.finish(Outcome.FAILED, -9, client="ada-1", actor=ACTOR, at=AT)
    return run


APPEARANCE: Final = Appearance("Ada “L.” 😀", "#7b6ce5", "https://example.org/ada.png?v=1&s=64", version=3)


def _attendance() -> Attendance:
    stay = _stay("s1")
    stay.leave("superseded", actor=ACTOR, at=AT)
    return stay


def _busy_attendance() -> Attendance:
    stay = _stay("s2")
    stay.change_status(Status.RUNNING, "declared", actor=ACTOR, at=AT)
    return stay


def _stay(session: str) -> Attendance:
    return Attendance.join(
        "demo",
        session,
        client="ada-1",
        node="node-00000001",
        appearance=APPEARANCE,
        actor=ACTOR,
        at=AT,
    )


def _presence() -> Presence:
    presence = Presence.begin("demo", "node-00000001", node="node-00000001", at=AT)
    moves: list[Any] = [["ada-1", "main.md", 2, 5, 1, 1_795_442_706_789_012], ["b", "c", 0, 0, 0, 1]]
    typing: list[Any] = [["ada-1", "main.md", 1, 1_795_442_706_789_012], ["b", "", 0, 1]]
    presence.record(moves, typing, at=AT)
    presence.record_keyframe(moves, at=AT)
    return presence


def _profile() -> Profile:
    profile = Profile.create("ada", "Ada “L.” 😀", actor="ada", at=AT)
    profile.change(name="Ada Lovelace é", colour="#EE2F2F", avatar=APPEARANCE.avatar, actor="ada", at=AT)
    profile.sign_out(actor="ada", at=AT)
    profile.disable(actor="root", at=AT)
    profile.enable(actor="root", at=AT)
    return profile


def _retention() -> Retention:
    retention = Retention.begin("presence", actor="@server", at=AT)
    retention.drop(date(2026, 10, 9), 123_456_789, kept_days=30, actor="@server", at=AT)
    return retention


def _restoration() -> Restoration:
    return Restoration.begin(
        "7b1c3f9e-2d64-4f0a-9a53-0c8e5d1f2a6b",
        backup="0d5a6b9c-8e7f-4a1b-b2c3-d4e5f6a7b8c9",
        source_epoch="1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b",
        source_at=1_795_442_700_000_000,
        record_position=123_456_789,
        presence_position=987_654_321,
        by="root on host é",
        actor="@server",
        at=AT,
    )


def _redaction() -> Redaction:
    return Redaction.make(
        "demo",
        "r-1",
        reason="a password “1”",
        actor=ACTOR,
        at=AT,
        author="ben",
        documents=["main.md"],
        messages=["m-1"],
        events=7,
        characters=49,
        digest="0123456789abcdef" * 4,
    )


def _erasure() -> Erasure:
    return Erasure.make(
        "e-1",
        user="ben",
        reason="he asked “1”",
        redactions=[["demo", "r-1"], ["", "r-2"]],
        keys=["k-1"],
        actor=ACTOR,
        at=AT,
    )


def _redacted() -> Event:
    """An edit of which text was removed."""
    [edit, *_] = [event for event in _events(_document()) if isinstance(event, EditApplied)]
    return black_edit(edit, ["█"], "r-1")


def events() -> list[Event]:
    """The last event of every class."""
    samples: dict[str, Event] = {}
    for aggregate in (
        _room(),
        _closed_room(),
        _document(),
        _message(),
        _imported(),
        _receipts(),
        _revisions(),
        _run(),
        _busy_attendance(),
        _attendance(),
        _presence(),
        _profile(),
        _restoration(),
        _retention(),
        _redaction(),
        _erasure(),
    ):
        for event in _events(aggregate):
            samples[event.TOPIC] = event
    return list(samples.values())


def other_events() -> dict[str, Event]:
    """By the names of their fixtures: events that have what not all of their class have."""
    *_, undo, merge = _events(_revised())
    begun, brought = _events(_brought())
    return {
        "document.edit_applied.v1.undo": undo,
        "document.edit_applied.v1.merge": merge,
        "document.edit_applied.v1.redacted": _redacted(),
        "document.created.v1.imported": begun,
        "document.edit_applied.v1.imported": brought,
    }


def older_events() -> dict[str, Event]:
    """By the names of their fixtures: what older versions of classes are read as."""
    present: dict[str, Any] = {event.TOPIC: event for event in events()}
    joined = replace(present["attendance.joined"], name=ACTOR, colour=colour_of(ACTOR), avatar="", profile=0)
    opened = replace(present["room.opened"], owner=None, everyone="editor")
    posted = replace(present["message.posted"], reply_to=None, mentions=[], link=None)
    return {
        "attendance.joined.v1": joined,
        "message.posted.v1": posted,
        "attendance.joined.v2": joined,
        "presence.frame_recorded.v1": replace(present["presence.frame_recorded"], typing=[]),
        "room.opened.v1": opened,
    }


# Snapshots have no versions of their own: this counts the shapes that states of an aggregate have had.
SNAPSHOT_SHAPES: Final = {"document": 1, "room": 3}


def snapshots() -> dict[str, Snapshot]:
    """By the topic of their aggregate."""
    return {"document": Snapshot.take(_document()), "room": Snapshot.take(_room())}


def older_states() -> dict[str, Any]:
    """By the names of their fixtures: the states that snapshots of older shapes are read as."""
    return {"room.v1": _room_without_rights().as_state(), "room.v2": _room(is_sealed=False).as_state()}
