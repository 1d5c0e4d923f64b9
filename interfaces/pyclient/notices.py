"""What a client session tells its owner: one small value for each thing that happened.

Named tuples, since a busy room makes hundreds a second for every client of a process. Times are
microseconds since the epoch by the server's clock; ops are made on the document's text as it was just
before the notice, positions in code points.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, NamedTuple

from domain.receipts import Pointers
from domain.text_op import Op


class Status(Enum):
    """Where a session stands."""

    OFFLINE = "offline"  # no socket; it will be tried again
    GREETING = "greeting"  # a socket, hello is sent
    ONLINE = "online"  # welcomed
    STOPPED = "stopped"  # the server said not to come back, or the owner left


class StatusChanged(NamedTuple):
    """`code` is the close code or `E_…` that explains it, where there is one."""

    status: Status
    code: int | str | None
    reason: str


class Welcomed(NamedTuple):
    """In the room, with this role. Unless `resumed`, the messages have begun anew."""

    resumed: bool
    title: str
    documents: tuple[str, ...]
    user: str
    role: str


class DocumentOpened(NamedTuple):
    """The document is (again) as the server has it at `revision`, and its edits follow."""

    document: str
    revision: int


class DocumentRefused(NamedTuple):
    """The document cannot be opened."""

    document: str
    code: str
    message: str


class OtherHistory(NamedTuple):
    """The server's history is another one than before: it was restored from a backup. What follows are the
    texts, as `DocumentReset` where all of ours was saved, and as `UnsentText` where it was not.
    """


class DocumentReset(NamedTuple):
    """The text was replaced as a whole; nothing unsaved was in it. `text` is the one before, which after an
    `OtherHistory` may hold what the server has no more.
    """

    document: str
    text: str
    revision: int


class Edited(NamedTuple):
    """Somebody's edit was taken in; `op` is what it did to the present text. `cause` says why it was made:
    typed, undo, redo, restore, branch, merge.
    """

    document: str
    revision: int
    client: str
    actor: str
    op: Op
    at: int
    cause: str = "typed"


class Acked(NamedTuple):
    """Our edit number `seq` is in the log as `revision`; local edits up to `through` are durable."""

    document: str
    seq: int
    revision: int
    through: int


class EditRefused(NamedTuple):
    """The server will not have an edit; `undo` has taken it out of the present text.

    `refused` is what it would have done; `edits` are the numbers of the local edits that end in it.
    """

    document: str
    code: str
    message: str
    refused: Op
    undo: Op
    edits: range


class UnsentText(NamedTuple):
    """The document can no longer be brought together with the server's; `text` is for the person to copy.

    `unsaved` are the ops in it that no server has acknowledged, each made on the text after the one
    before. Nothing is merged and nothing thrown away until the owner says `open_afresh`.
    """

    document: str
    text: str
    unsaved: list[Op]
    reason: str


class MessageReceived(NamedTuple):
    """A chat message, ours too. `documents` are the revisions when it was written. An imported one has no
    client, and its actor is who brought it; who wrote it is among the messages of the chat.
    """

    message: str
    client: str | None
    actor: str
    text: str
    documents: dict[str, int]
    at: int


class MessageChanged(NamedTuple):
    """Something has become of a message; it is already so in the chat, if it is one of those kept there.

    `event` is what happened, as it was told. Its name is `change`: message_edited, message_deleted,
    message_pinned, message_unpinned, reaction_added, reaction_removed.
    """

    message: str
    change: str
    actor: str
    at: int
    event: dict[str, Any]


class Mentioned(NamedTuple):
    """Somebody speaks to us, here or in another room. Once a message."""

    room: str
    message: str
    actor: str
    at: int


class ReceiptsMoved(NamedTuple):
    """These users have got or read more: notification ids up to which they have."""

    pointers: dict[str, Pointers]


class CommandDone(NamedTuple):
    """What was asked for under this number is in the log; of an undo, as `revision`, if it did anything."""

    command: int
    revision: int | None = None


class CommandRefused(NamedTuple):
    """The server will not do what was asked for under this number; it is not asked again."""

    command: int
    request: dict[str, Any]
    code: str
    message: str


class RevisionSaved(NamedTuple):
    """Somebody has saved a document at `revision`, perhaps under a name."""

    document: str
    revision: int
    name: str | None
    actor: str
    at: int


class RunStarted(NamedTuple):
    """Somebody runs something: `document` at `revision`, if it is one document."""

    run: str
    client: str
    actor: str
    title: str
    document: str | None
    revision: int | None
    at: int


class RunFinished(NamedTuple):
    """`outcome`: passed, failed, stopped."""

    run: str
    outcome: str
    exit_code: int | None
    actor: str
    at: int


class Redacted(NamedTuple):
    """Text was removed from the past of these documents and messages; `author`: all of theirs."""

    redaction: str
    reason: str
    author: str | None
    documents: list[str]
    messages: list[str]
    actor: str
    at: int


class ActivityChanged(NamedTuple):
    """Lines of the activity that are new, or not any more as they were."""

    lines: list[dict[str, Any]]


class StatisticsChanged(NamedTuple):
    """The statistics of the chat as they stand."""

    statistics: dict[str, Any]


class Joined(NamedTuple):
    client: str
    user: str
    name: str
    at: int


class Left(NamedTuple):
    """`reason`: left, lost, drained, superseded, removed."""

    client: str
    reason: str
    at: int


class PersonStatus(NamedTuple):
    """A client is doing something else now: editing, running, idle, away."""

    client: str
    user: str
    status: str
    at: int


class ProfileChanged(NamedTuple):
    user: str
    name: str
    colour: str
    avatar: str


class RoleChanged(NamedTuple):
    """`role` is None for who is no member any more."""

    user: str
    role: str | None


class RoomChanged(NamedTuple):
    """`everyone` is the role of those who are no members, None for none."""

    title: str
    everyone: str | None


class InvitationMade(NamedTuple):
    invitation: str
    role: str


class InvitationRevoked(NamedTuple):
    invitation: str


class RoomClosed(NamedTuple):
    """For good. The socket ends with it."""


class DocumentListed(NamedTuple):
    document: str


class DocumentUnlisted(NamedTuple):
    document: str


class Presence(NamedTuple):
    """Cursor moves as they came: dicts of client, document, revision, anchor, head (None: not shown any
    more), at; and signs of typing: client, document (None: the chat), typing, at.
    """

    moves: list[dict[str, Any]]
    typing: list[dict[str, Any]]


class RequestRefused(NamedTuple):
    """An error that nothing above speaks of, such as a refused cursor; the session goes on."""

    code: str
    message: str


Notice = (
    StatusChanged
    | Welcomed
    | DocumentOpened
    | DocumentRefused
    | DocumentReset
    | Edited
    | Acked
    | EditRefused
    | OtherHistory
    | UnsentText
    | MessageReceived
    | MessageChanged
    | Mentioned
    | ReceiptsMoved
    | CommandDone
    | CommandRefused
    | RevisionSaved
    | RunStarted
    | RunFinished
    | Redacted
    | ActivityChanged
    | StatisticsChanged
    | Joined
    | Left
    | PersonStatus
    | ProfileChanged
    | RoleChanged
    | RoomChanged
    | RoomClosed
    | InvitationMade
    | InvitationRevoked
    | DocumentListed
    | DocumentUnlisted
    | Presence
    | RequestRefused
)


KINDS: Final[dict[str, type[Notice]]] = {
    "edit": Edited,
    "ack": Acked,
    "edit_refused": EditRefused,
    "unsent": UnsentText,
    "other_history": OtherHistory,
    "opened": DocumentOpened,
    "reset": DocumentReset,
    "listed": DocumentListed,
    "message": MessageReceived,
    "message_changed": MessageChanged,
    "mentioned": Mentioned,
    "receipts": ReceiptsMoved,
    "command_done": CommandDone,
    "command_refused": CommandRefused,
    "revision_saved": RevisionSaved,
    "run_started": RunStarted,
    "run_finished": RunFinished,
    "redaction": Redacted,
    "activity": ActivityChanged,
    "statistics": StatisticsChanged,
    "joined": Joined,
    "left": Left,
    "person_status": PersonStatus,
    "profile": ProfileChanged,
    "role": RoleChanged,
    "room": RoomChanged,
    "room_closed": RoomClosed,
    "invitation": InvitationMade,
    "invitation_revoked": InvitationRevoked,
    "unlisted": DocumentUnlisted,
    "presence": Presence,
    "welcome": Welcomed,
    "status": StatusChanged,
    "refused": RequestRefused,
}
"""What `Client.on` listens to."""
