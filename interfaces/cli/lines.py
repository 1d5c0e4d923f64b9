"""The log for people: one line per event."""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import Any, Final

import orjson
from rich.text import Text

from application.log import Recorded
from domain.aggregate import Event
from domain.attendance import Joined, Left, StatusChanged
from domain.document import Created, EditApplied
from domain.ids import parse_stream
from domain.instants import as_microseconds
from domain.message import (
    Deleted,
    Edited,
    Imported,
    Pinned,
    Posted,
    ReactionAdded,
    ReactionRemoved,
    Unpinned,
)
from domain.receipts import ReceiptsRecorded
from domain.redaction import RedactionMade
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
    SealingChanged,
)
from domain.run import RunFinished, RunStarted
from domain.text_op import Op
from interfaces.cli.terminal import on_one_line, shortened
from interfaces.ws.wire import encode_recorded

# An edit can be a pasted book; a line is for glancing over.
TEXT_CODE_POINTS: Final = 60
PARTS_SHOWN: Final = 4

# As many as git shows of a repository of some thousands of commits, and one more.
COMMIT_DIGITS: Final = 8

# One for each actor, always the same; without red and black, which terminals use for other things.
ACTOR_STYLES: Final = ("green", "yellow", "blue", "magenta", "cyan", "bright_green", "bright_blue")


Parts = list[str | tuple[str, str]]
"""Of a line: texts, some with a style."""


def line(recorded: Recorded) -> Text:
    """`2026-11-23 14:05:07.123  ada  edit in main.md rev 17: +"hello" −3`."""
    event = recorded.event
    return Text.assemble(*began(event.timestamp, event.actor), *what(event))


def began(at: datetime, actor: str) -> Parts:
    """How each line begins: when it was here, and who did it."""
    here = at.astimezone()
    return [
        (f"{here:%Y-%m-%d %H:%M:%S}.{here.microsecond // 1000:03}", "dim"),
        "  ",
        (on_one_line(actor), actor_style(actor)),
        "  ",
    ]


def actor_style(actor: str) -> str:
    return ACTOR_STYLES[zlib.crc32(actor.encode()) % len(ACTOR_STYLES)]


def what(event: Event) -> Parts:
    match event:
        case EditApplied():
            name = parse_stream(event.originator_id).name
            transformed = f" (made on {event.base})" if event.base != event.revision - 1 else ""
            begun = f"{_DONE.get(event.cause, on_one_line(event.cause))} {name} rev {event.revision}"
            return [begun, (transformed + _reason(event), "dim"), ": ", *changes(event.op)]
        case Posted():
            return ["says ", _said(event.text)]
        case Joined():
            return ["joined as ", (on_one_line(event.name), "bold"), (f" ({event.client})", "dim")]
        case StatusChanged():
            return ["is ", (event.status, "bold")]
        case Left():
            return ["left" if event.reason == "left" else f"left ({on_one_line(event.reason)})"]
        case DocumentListed():
            return [f"document {event.document} listed"]
        case Created():
            return [f"document {event.name} created"]
        case DocumentUnlisted():
            return [f"document {event.document} unlisted"]
        case Opened():
            return ["opened the room ", (on_one_line(event.title), "bold"), *_access(event.everyone)]
        case RevisionSaved(name=None):
            return [f"saved {event.document} rev {event.revision}"]
        case RevisionSaved():
            return [f"named {event.document} rev {event.revision} ", (on_one_line(str(event.name)), "bold")]
        case RedactionMade():
            places = [*event.documents, *(f"message {message}" for message in event.messages)]
            told = ", ".join(places[:PARTS_SHOWN]) + ("…" if len(places) > PARTS_SHOWN else "")
            return [
                f"removed {event.characters} characters from the past of {told}: ",
                on_one_line(event.reason),
            ]
        case RunStarted():
            of = f" ({event.document} rev {event.revision})" if event.document is not None else ""
            return ["runs ", (on_one_line(event.title), "bold"), (f"{of} as {event.run}", "dim")]
        case RunFinished():
            exit_code = f" (exit code {event.exit_code})" if event.exit_code is not None else ""
            return [f"run {event.run} has ", (event.outcome, "bold"), exit_code]
        case _:
            return _about_messages(event)


_DONE: Final = {
    "typed": "edit in",
    "undo": "undo in",
    "redo": "redo in",
    "restore": "restored",
    "branch": "branched",
    "merge": "merged into",
    "import": "imported into",
    "redaction": "removed text from",
}


def _reason(event: EditApplied) -> str:
    """What an edit takes back, or of which text it is, where it was not typed."""
    if event.undoes is not None:
        told = [f"{first}" if first == last else f"{first}–{last}" for first, last in event.undoes]
        more = "…" if len(told) > PARTS_SHOWN else ""
        return f" (takes back rev {', '.join(told[:PARTS_SHOWN])}{more})"
    if event.source is not None:
        document, revision = event.source
        return f" (from {document} rev {revision})" if document else f" (to rev {revision})"
    if event.author is not None:
        when = f"{event.written_at.astimezone():%Y-%m-%d %H:%M:%S}"
        return f" (by {on_one_line(event.author)}, {when}{called(event.reference, event.note)})"
    return ""


def called(reference: str | None, note: str | None) -> str:
    """`, 3f2a91c0 Fix the parser`: what an edit is called where it comes from, and what was said of it."""
    told = " ".join(on_one_line(part) for part in (short(reference), note) if part)
    return f", {told}" if told else ""


def short(reference: str | None) -> str | None:
    """Of a commit's id as much as one needs to know it by; other things are called shortly."""
    return reference and reference[:COMMIT_DIGITS]


def _about_messages(event: Event) -> Parts:
    message = parse_stream(event.originator_id).name
    match event:
        case Imported():
            return [f"brings from {event.source} what {event.author} said: ", _said(event.text)]
        case Edited():
            return [f"says instead of {message} ", _said(event.text)]
        case Deleted():
            return [f"deleted the message {message}"]
        case ReactionAdded():
            return [f"reacted to {message} with {on_one_line(event.emoji)}"]
        case ReactionRemoved():
            return [f"took {on_one_line(event.emoji)} back from {message}"]
        case Pinned():
            return [f"pinned the message {message}"]
        case Unpinned():
            return [f"unpinned the message {message}"]
        case ReceiptsRecorded():
            return _receipts(event)
        case _:
            return _about_members(event)


def _said(text: str) -> tuple[str, str]:
    return (on_one_line(text), "bold")


def _receipts(event: ReceiptsRecorded) -> Parts:
    """How far each has read, and got what they have not read yet."""
    told = []
    for user, delivered, read, _ in event.receipts[:PARTS_SHOWN]:
        more = f" and got {delivered}" if int(delivered) > int(read) else ""
        told.append(f"{user} has read up to {read}{more}")
    if len(event.receipts) > PARTS_SHOWN:
        told.append(f"… ({len(event.receipts)} people)")
    return [", ".join(told)]


def _about_members(event: Event) -> Parts:
    match event:
        case Renamed():
            return ["renamed the room ", (on_one_line(event.title), "bold")]
        case AccessChanged():
            return ["changed the access", *_access(event.everyone)]
        case SealingChanged():
            return ["sealed the room" if event.is_sealed else "unsealed the room"]
        case MemberAdded(user=user, role=role) if user == event.actor:
            return ["became ", (role, "bold"), (f" by invitation {event.invitation}", "dim")]
        case MemberAdded() | RoleChanged():
            return [f"made {event.user} ", (event.role, "bold")]
        case MemberRemoved():
            return ["is no member any more" if event.user == event.actor else f"removed {event.user}"]
        case InvitationMade():
            return ["invites as ", (event.role, "bold"), (f" by {event.invitation}", "dim")]
        case InvitationRevoked():
            return [f"revoked the invitation {event.invitation}"]
        case Closed():
            return ["closed the room"]
        case _:
            return [type(event).TOPIC]


def _access(everyone: str | None) -> Parts:
    return [": everyone is ", (everyone, "bold")] if everyone else [": for members only"]


def changes(op: Op) -> Parts:
    """What an op inserts and deletes, in the order of the text."""
    parts: Parts = []
    for component in op:
        if isinstance(component, str):
            parts += [(f'+"{_glance(component)}"', "green"), " "]
        elif not isinstance(component, int):
            deleted = component["d"]
            count = deleted if isinstance(deleted, int) else len(deleted)
            parts += [(f"−{count}", "red"), " "]
    shown = 2 * PARTS_SHOWN
    if len(parts) > shown:
        return [*parts[:shown], f"… ({len(parts) // 2} changes)"]
    return parts[:-1]


def _glance(text: str) -> str:
    return on_one_line(shortened(text, TEXT_CODE_POINTS))


def json_line(recorded: Recorded) -> bytes:
    """The event as the wire protocol has it, on one line; one that is never sent, by its topic."""
    encoded = encode_recorded(recorded)
    if encoded is None:
        encoded = orjson.dumps(_as_json(recorded))
    return encoded + b"\n"


def _as_json(recorded: Recorded) -> dict[str, Any]:
    optional = type(recorded.event).OPTIONAL
    fields = {
        name: value
        for name, value in vars(recorded.event).items()
        if not (value is None and name in optional)
    }
    for name in ("originator_id", "originator_version", "timestamp", "originator_topic"):
        fields.pop(name, None)
    at = as_microseconds(recorded.event.timestamp)
    return {"event": type(recorded.event).TOPIC, "at": at, **fields, "position": recorded.position}
