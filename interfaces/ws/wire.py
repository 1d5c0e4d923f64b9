"""What the server sends, as bytes: every event is encoded once, whoever gets it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, Final

import orjson

from application.log import Recorded
from domain.aggregate import Event
from domain.attendance import Joined, Left, StatusChanged
from domain.document import TYPED, EditApplied
from domain.errors import ChronoscribeError
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
from domain.presence import HIDDEN, FrameRecorded, Move, Typing
from domain.profile import ProfileChanged, ProfileCreated
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
from projections import chat
from projections.chat import ChatMessage


class Frame:
    """One frame for any number of receivers: JSON, and the same as a WebSocket message of a server
    (RFC 6455, 5.2).
    """

    __slots__ = ("payload", "wire")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        length = len(payload)
        if length < 126:
            self.wire = b"\x81" + length.to_bytes(1) + payload
        elif length < 65_536:
            self.wire = b"\x81\x7e" + length.to_bytes(2) + payload
        else:
            self.wire = b"\x81\x7f" + length.to_bytes(8) + payload

    def __len__(self) -> int:
        return len(self.wire)


def frame(**fields: Any) -> Frame:
    """A frame of JSON fields; values may be `orjson.Fragment`s."""
    return Frame(orjson.dumps(fields))


def error_frame(ref: int | None, error: ChronoscribeError) -> Frame:
    return Frame(
        orjson.dumps(
            {"type": "error", "ref": ref, "code": error.code, "message": error.message, **error.facts}
        )
    )


PING: Final = frame(type="ping")


def _edit(event: EditApplied) -> Mapping[str, Any]:
    """Nearly all edits are typed, and there are more of them than of anything else: nothing is said of it."""
    told = {
        "document": parse_stream(event.originator_id).name,
        "revision": event.revision,
        "base": event.base,
        "client": event.client,
        "seq": event.seq,
        "op": event.op,
    }
    if event.redaction is not None:
        told |= {"op": _by_count(event.op), "redaction": event.redaction}
    return told if event.cause == TYPED else {**told, **_reasons(event)}


def _by_count(op: Op) -> Op:
    """Deletes without their text: whoever comes back with the text of before has another one there."""
    return [
        component if isinstance(component, int | str) else {"d": len(str(component["d"]))} for component in op
    ]


def _reasons(event: EditApplied) -> Mapping[str, Any]:
    """Why an edit was made that was not typed: what it takes back, or of which text it is."""
    told: dict[str, Any] = {"cause": event.cause}
    if event.undoes is not None:
        told["undoes"] = event.undoes
    if event.source is not None:
        told["source"] = event.source
    if event.author is not None:
        told |= {"author": event.author, "written": event.written}
        told |= {"reference": event.reference, "note": event.note}
    return told


def as_message(message: ChatMessage) -> dict[str, Any]:
    """A message as it stands, as JSON; times in microseconds since the epoch."""
    origin = message.imported
    return {
        "message": message.message,
        "author": message.author,
        "posted": as_microseconds(message.posted),
        "client": message.client,
        "text": message.text,
        "documents": message.documents,
        "reply_to": message.reply_to,
        "mentions": message.mentions,
        "link": message.link,
        "edits": message.edits,
        "edited": _moment(message.edited),
        "deleted": _moment(message.deleted),
        "pinned": _moment(message.pinned),
        "reactions": message.reactors,
        "imported": origin and {"room": origin.source, "by": origin.by, "at": as_microseconds(origin.at)},
    }


def _moment(at: datetime | None) -> int | None:
    return None if at is None else as_microseconds(at)


def as_message_event(begun: Recorded, message: ChatMessage) -> dict[str, Any]:
    """The event that has begun a message, with what has become of it since."""
    event = begun.event
    told = {"event": "message", "actor": event.actor, "at": as_microseconds(event.timestamp)}
    return {**told, **as_message(message), "position": begun.position}


def _message(event: Posted | Imported) -> Mapping[str, Any]:
    begun = chat.after(None, 0, event)
    assert begun is not None
    return as_message(begun)


def _message_id(event: Event) -> Mapping[str, Any]:
    return {"message": parse_stream(event.originator_id).name}


def _reaction(event: ReactionAdded | ReactionRemoved) -> Mapping[str, Any]:
    return {**_message_id(event), "emoji": event.emoji}


def _edited(event: Edited) -> Mapping[str, Any]:
    return {**_message_id(event), "text": event.text, "mentions": event.mentions}


def _receipts(event: ReceiptsRecorded) -> Mapping[str, Any]:
    return {
        "receipts": [
            {"user": user, "delivered": delivered, "read": read}
            for user, delivered, read, _ in event.receipts
        ]
    }


def _run_started(event: RunStarted) -> Mapping[str, Any]:
    return {
        "run": event.run,
        "client": event.client,
        "title": event.title,
        "document": event.document,
        "revision": event.revision,
    }


def _run_finished(event: RunFinished) -> Mapping[str, Any]:
    return {"run": event.run, "outcome": event.outcome, "exit_code": event.exit_code}


def _revision_saved(event: RevisionSaved) -> Mapping[str, Any]:
    return {"document": event.document, "revision": event.revision, "name": event.name}


def _joined(event: Joined) -> Mapping[str, Any]:
    return {
        "client": event.client,
        "session": event.session,
        "name": event.name,
        "colour": event.colour,
        "avatar": event.avatar,
    }


def _left(event: Left) -> Mapping[str, Any]:
    return {"client": event.client, "session": _session(event), "reason": event.reason}


def _status(event: StatusChanged) -> Mapping[str, Any]:
    return {"client": event.client, "session": _session(event), "status": event.status}


def _session(event: Left | StatusChanged) -> str:
    return parse_stream(event.originator_id).name


def _profile(event: ProfileCreated | ProfileChanged) -> Mapping[str, Any]:
    user = parse_stream(event.originator_id).name
    return {"user": user, "name": event.name, "colour": event.colour, "avatar": event.avatar}


def _invitation(event: InvitationMade) -> Mapping[str, Any]:
    return {
        "invitation": event.invitation,
        "role": event.role,
        "expires": event.expires,
        "uses": event.uses,
    }


def _redaction(event: RedactionMade) -> Mapping[str, Any]:
    return {
        "redaction": event.redaction,
        "reason": event.reason,
        "author": event.author,
        "documents": event.documents,
        "messages": event.messages,
        "events": event.events,
        "characters": event.characters,
    }


_WIRE: Final[dict[type[Event], tuple[str, Callable[[Any], Mapping[str, Any]]]]] = {
    EditApplied: ("edit", _edit),
    Posted: ("message", _message),
    Imported: ("message", _message),
    Edited: ("message_edited", _edited),
    Deleted: ("message_deleted", _message_id),
    ReactionAdded: ("reaction_added", _reaction),
    ReactionRemoved: ("reaction_removed", _reaction),
    Pinned: ("message_pinned", _message_id),
    Unpinned: ("message_unpinned", _message_id),
    ReceiptsRecorded: ("receipts", _receipts),
    RevisionSaved: ("revision_saved", _revision_saved),
    RedactionMade: ("redaction", _redaction),
    RunStarted: ("run_started", _run_started),
    RunFinished: ("run_finished", _run_finished),
    Joined: ("joined", _joined),
    Left: ("left", _left),
    StatusChanged: ("status", _status),
    ProfileCreated: ("profile", _profile),
    ProfileChanged: ("profile", _profile),
    DocumentListed: ("document_listed", lambda event: {"document": event.document}),
    DocumentUnlisted: ("document_unlisted", lambda event: {"document": event.document}),
    Opened: ("room_opened", lambda event: {"title": event.title, "everyone": event.everyone}),
    Renamed: ("room_renamed", lambda event: {"title": event.title}),
    AccessChanged: ("access_changed", lambda event: {"everyone": event.everyone}),
    SealingChanged: ("sealing_changed", lambda event: {"sealed": event.is_sealed}),
    Closed: ("room_closed", lambda event: {}),
    MemberAdded: ("member_added", lambda event: {"user": event.user, "role": event.role}),
    RoleChanged: ("role_changed", lambda event: {"user": event.user, "role": event.role}),
    MemberRemoved: ("member_removed", lambda event: {"user": event.user}),
    InvitationMade: ("invitation_made", _invitation),
    InvitationRevoked: ("invitation_revoked", lambda event: {"invitation": event.invitation}),
}
"""The events that a room is told of, their name on the wire, and their fields there."""


def encode_event(event: Event, position: int | None = None) -> bytes | None:
    """An event as JSON, None for one that clients are not told of.

    `position` is its place in the log; edits that are read by revision come without.
    """
    known = _WIRE.get(type(event))
    if known is None:
        return None
    name, fields = known
    told = {"event": name, "actor": event.actor, "at": as_microseconds(event.timestamp), **fields(event)}
    if position is not None:
        told["position"] = position
    return orjson.dumps(told)


def encode_recorded(recorded: Recorded) -> bytes | None:
    """A committed event as JSON, with its place in the log."""
    return encode_event(recorded.event, recorded.position)


_DELETED: Final = b'{"event":"message_deleted"'
_SAID: Final = (b'{"event":"message",', b'{"event":"message_edited",')


def without_deleted(events: Sequence[tuple[int, bytes]]) -> Sequence[tuple[int, bytes]]:
    """Encoded events with their places, as they are told later: what was said in a message that is deleted by
    now is not said again.
    """
    deleted = {orjson.loads(data)["message"] for _, data in events if data.startswith(_DELETED)}
    if not deleted:
        return events
    return [(position, _silenced(data, deleted)) for position, data in events]


def _silenced(data: bytes, deleted: Set[str]) -> bytes:
    if not data.startswith(_SAID):
        return data
    told = orjson.loads(data)
    return orjson.dumps({**told, "text": "", "mentions": []}) if told["message"] in deleted else data


def events_frame(position: int, events: Iterable[bytes]) -> Frame:
    """Encoded events in one frame."""
    return Frame(b'{"type":"events","position":%d,"events":[%b]}' % (position, b",".join(events)))


def presence_frame(position: int, frames: Sequence[FrameRecorded]) -> Frame:
    """What presence frames of one room tell: of every cursor the last move, of every typing the last sign.

    The log has all of them. Who is shown fifty milliseconds at once has no use for what was in between.
    """
    moves = {(move[0], move[1]): move for event in frames for move in event.moves}
    typing = {(sign[0], sign[1]): sign for event in frames for sign in event.typing}
    return frame(
        type="presence",
        position=position,
        moves=[as_move(move) for move in moves.values()],
        typing=[as_typing(sign) for sign in typing.values()],
    )


def as_move(move: Move) -> dict[str, Any]:
    """A cursor move as JSON; null for the places of a cursor that is not shown any more."""
    client, document, revision, anchor, head, at = move
    if anchor == HIDDEN:
        anchor = head = None  # type: ignore[assignment]
    return {
        "client": client,
        "document": document,
        "revision": revision,
        "anchor": anchor,
        "head": head,
        "at": at,
    }


def as_typing(sign: Typing) -> dict[str, Any]:
    """A sign of typing as JSON; a null document is the chat."""
    client, where, is_typing, at = sign
    return {"client": client, "document": where or None, "typing": bool(is_typing), "at": at}


def mention_frame(recorded: Recorded) -> Frame:
    """Tells somebody who is elsewhere that they are spoken to. What was said is for the room alone."""
    event = recorded.event
    stream = parse_stream(event.originator_id)
    return frame(
        type="notice",
        notice="mention",
        room=stream.room,
        message=stream.name,
        actor=event.actor,
        at=as_microseconds(event.timestamp),
        position=recorded.position,
    )


def fragments(encoded: Iterable[bytes]) -> list[orjson.Fragment]:
    """Encoded events as values of a field."""
    return [orjson.Fragment(event) for event in encoded]
