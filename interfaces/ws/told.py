"""What the server says on a socket, as models: for the clients' types, and for tests that hold them against
is really sent. Nothing is sent through them: each event is encoded once, by hand, for all (`wire`).

Times are microseconds since the epoch.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

RoleName = Literal["viewer", "commenter", "editor", "owner"]
StatusName = Literal["editing", "running", "idle", "away"]


class Told(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Delete(Told):
    d: int | str


Op = list[int | str | Delete]
"""An op of text-unicode: skip, insert, delete."""


class Looks(Told):
    """How somebody looks. `avatar` is a URL or empty."""

    name: str
    colour: str
    avatar: str


class Link(Told):
    """A range of a document in code points of the text of `revision`."""

    document: str
    revision: int
    start: int
    end: int


class Origin(Told):
    """Where a message was imported from, by whom and when."""

    room: str
    by: str
    at: int


class MessageFields(Told):
    """A message as it stands."""

    message: str
    author: str
    posted: int
    client: str | None
    text: str
    documents: dict[str, int]
    reply_to: str | None
    mentions: list[str]
    link: Link | None
    edits: int
    edited: int | None
    deleted: int | None
    pinned: int | None
    reactions: dict[str, list[str]]
    imported: Origin | None


class PlacedMessage(MessageFields):
    """One with its place in the log."""

    position: int


class Pointers(Told):
    """Up to which positions a user has got and read the messages."""

    user: str
    delivered: int
    read: int


# Events.


class Happened(Told):
    """`position` is its place in the log."""

    actor: str
    at: int
    position: int


class Edit(Told):
    """`cause`, `undoes` and `source` are there where it was not typed. Of one that was imported `author` and
    `written` say who made it elsewhere and when, `reference` and `note` what it is called there and what was
    said of it. Edits that are read by revision have no `position`. What has a `redaction` has lost text:
    blocks stand there, and it deletes by length.
    """

    event: Literal["edit"]
    actor: str
    at: int
    position: int | None = None
    document: str
    revision: int
    base: int
    client: str
    seq: int
    op: Op
    cause: Literal["undo", "redo", "restore", "branch", "merge", "import", "redaction"] | None = None
    undoes: list[list[int]] | None = None
    source: list[str | int] | None = None
    author: str | None = None
    written: int | None = None
    reference: str | None = None
    note: str | None = None
    redaction: str | None = None


class MessageSaid(MessageFields, Happened):
    event: Literal["message"]


class MessageEdited(Happened):
    event: Literal["message_edited"]
    message: str
    text: str
    mentions: list[str]


class MessageChanged(Happened):
    event: Literal["message_deleted", "message_pinned", "message_unpinned"]
    message: str


class Reaction(Happened):
    event: Literal["reaction_added", "reaction_removed"]
    message: str
    emoji: str


class Receipts(Happened):
    event: Literal["receipts"]
    receipts: list[Pointers]


class RevisionSaved(Happened):
    event: Literal["revision_saved"]
    document: str
    revision: int
    name: str | None


class Redacted(Happened):
    """Text was removed from the past of these documents and messages; `author`: all of theirs."""

    event: Literal["redaction"]
    redaction: str
    reason: str
    author: str | None
    documents: list[str]
    messages: list[str]
    events: int
    characters: int


class RunStarted(Happened):
    event: Literal["run_started"]
    run: str
    client: str
    title: str
    document: str | None
    revision: int | None


class RunFinished(Happened):
    event: Literal["run_finished"]
    run: str
    outcome: Literal["passed", "failed", "stopped"]
    exit_code: int | None


class Joined(Happened, Looks):
    event: Literal["joined"]
    client: str
    session: str


class StatusChanged(Happened):
    event: Literal["status"]
    client: str
    session: str
    status: StatusName


class Left(Happened):
    event: Literal["left"]
    client: str
    session: str
    reason: str


class ProfileChanged(Happened, Looks):
    event: Literal["profile"]
    user: str


class DocumentListed(Happened):
    event: Literal["document_listed", "document_unlisted"]
    document: str


class RoomOpened(Happened):
    event: Literal["room_opened"]
    title: str
    everyone: RoleName | None


class RoomRenamed(Happened):
    event: Literal["room_renamed"]
    title: str


class AccessChanged(Happened):
    event: Literal["access_changed"]
    everyone: RoleName | None


class SealingChanged(Happened):
    event: Literal["sealing_changed"]
    sealed: bool


class RoomClosed(Happened):
    event: Literal["room_closed"]


class MemberChanged(Happened):
    event: Literal["member_added", "role_changed"]
    user: str
    role: RoleName


class MemberRemoved(Happened):
    event: Literal["member_removed"]
    user: str


class InvitationMade(Happened):
    event: Literal["invitation_made"]
    invitation: str
    role: RoleName
    expires: int
    uses: int | None


class InvitationRevoked(Happened):
    event: Literal["invitation_revoked"]
    invitation: str


RoomEvent = Annotated[
    Edit
    | MessageSaid
    | MessageEdited
    | MessageChanged
    | Reaction
    | Receipts
    | RevisionSaved
    | Redacted
    | RunStarted
    | RunFinished
    | Joined
    | StatusChanged
    | Left
    | ProfileChanged
    | DocumentListed
    | RoomOpened
    | RoomRenamed
    | AccessChanged
    | SealingChanged
    | RoomClosed
    | MemberChanged
    | MemberRemoved
    | InvitationMade
    | InvitationRevoked,
    Field(discriminator="event"),
]


# Frames.


class You(Looks):
    user: str
    role: RoleName


class RoomTold(Told):
    id: str
    title: str
    everyone: RoleName | None


class Member(Told):
    user: str
    role: RoleName


class Move(Told):
    """`anchor` and `head` are null for a cursor that is not shown any more."""

    client: str
    document: str
    revision: int
    anchor: int | None
    head: int | None
    at: int


class Sign(Told):
    """Of typing; without a document in the chat."""

    client: str
    document: str | None
    typing: bool
    at: int


class Stay(Told):
    client: str
    session: str
    user: str
    since: int
    status: StatusName
    active: int
    cursors: list[Move]
    typing: list[str | None]


class Heartbeat(Told):
    """In seconds."""

    interval: float | int
    timeout: float | int


class LimitsTold(Told):
    frame_bytes: int
    op_components: int
    edits_per_second: float | int | None
    chat_per_second: float | int | None
    typing_seconds: float | int


class Welcome(Told):
    type: Literal["welcome"]
    ref: int
    protocol: Literal[1]
    epoch: str
    position: int
    resumed: bool
    session: str
    node: str
    you: You
    room: RoomTold
    members: list[Member]
    documents: list[str]
    people: dict[str, Looks]
    roster: list[Stay]
    messages: list[MessageSaid]
    receipts: list[Pointers]
    heartbeat: Heartbeat
    limits: LimitsTold


class Opened(Told):
    """`text`, or the `edits` behind the revision that was named."""

    type: Literal["opened"]
    ref: int
    document: str
    revision: int
    seq: int
    cursors: list[Move]
    text: str | None = None
    edits: list[Edit] | None = None


class Edits(Told):
    type: Literal["edits"]
    ref: int
    document: str
    revision: int
    edits: list[Edit]


class Ok(Told):
    """`revision` answers `undo` and `redo`."""

    type: Literal["ok"]
    ref: int
    revision: int | None = None


class ErrorTold(Told):
    """With facts that depend on the code."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    type: Literal["error"]
    ref: int | None
    code: str
    message: str
    retry_after: float | int | None = None


class Events(Told):
    type: Literal["events"]
    position: int
    events: list[RoomEvent]


class PresenceTold(Told):
    type: Literal["presence"]
    position: int
    moves: list[Move]
    typing: list[Sign]


class Notice(Told):
    type: Literal["notice"]
    notice: Literal["mention"]
    room: str
    message: str
    actor: str
    at: int
    position: int


class ActivityTold(Told):
    """Lines as over HTTP; `position`: up to where that is all of it."""

    type: Literal["activity"]
    position: int
    lines: list[dict[str, Any]]


class StatisticsTold(Told):
    """The figures as over HTTP, and up to where they count."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    type: Literal["statistics"]
    position: int


class PingTold(Told):
    type: Literal["ping"]


# Replays.


class StagedDocument(Told):
    document: str
    revision: int
    text: str
    listed: bool


class StagedCursor(Told):
    document: str
    revision: int
    anchor: int
    head: int


class StagedTyping(Told):
    document: str | None
    at: int


class StagedPerson(Told):
    client: str
    user: str
    name: str
    colour: str
    status: StatusName
    cursor: StagedCursor | None
    typing: StagedTyping | None


class StageTold(Told):
    at: int
    place: str
    documents: list[StagedDocument]
    people: list[StagedPerson]
    messages: list[PlacedMessage]


class Mark(Told):
    at: int
    position: int
    kind: str
    user: str
    text: str


class Step(Told):
    """What an event of a step is: one of the room, or a `presence` frame."""

    type: Literal["step"]
    at: int
    place: str
    events: list[RoomEvent | PresenceTold]


class ReplayOpened(Told):
    type: Literal["replay_opened"]
    ref: int
    room: str
    since: Annotated[int, Field(alias="from")]
    until: int
    events: int
    marks: list[Mark]
    stage: StageTold
    at: int
    place: str
    playing: bool
    speed: float | int


class ReplayError(Told):
    code: str
    message: str


class ReplayTold(Told):
    type: Literal["replay"]
    at: int
    place: str
    playing: bool
    speed: float | int
    steps: list[Step] | None = None
    stage: StageTold | None = None
    error: ReplayError | None = None


ServerFrame = Annotated[
    Welcome
    | Opened
    | Edits
    | Ok
    | ErrorTold
    | Events
    | PresenceTold
    | Notice
    | ActivityTold
    | StatisticsTold
    | PingTold
    | ReplayOpened
    | ReplayTold,
    Field(discriminator="type"),
]

FRAMES_TOLD: Final[TypeAdapter[Any]] = TypeAdapter(ServerFrame)
EVENTS_TOLD: Final[TypeAdapter[Any]] = TypeAdapter(RoomEvent)
