"""A document: a text with its history, and the one place where edits are put in order.

The aggregate is the list of accepted edits; the length of the list is the revision. An edit
comes with the revision it was made on and is transformed, as `left`, over every edit committed
since, one by one (transforming over a composed history is not the same, see `text_op`). What is stored
is the op as it was applied, with the text that it deleted, so that blame, undo and audit can read it
in any direction.

Exactly once: each client numbers its edits of this document; the last number of every client is
part of the state, so a resend is recognised whoever sends it again and whenever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.errors import (
    Conflict,
    DocumentTooLarge,
    IdReused,
    LostRace,
    NotFound,
    OpInvalid,
    RevisionAhead,
    RevisionTooOld,
    SequenceGap,
)
from domain.ids import document_stream
from domain.importing import IMPORT_CLIENT, BroughtEdit, Provenance
from domain.instants import as_datetime, as_microseconds
from domain.limits import DOCUMENT_BYTES, DOCUMENT_CODE_POINTS
from domain.text import Text
from domain.text_op import Op, invert, length_change, required_length, transform

# Edits kept in memory for transforming late ones and for clients that come back after a short
# while. A person's client is a few revisions behind; 1,000 is minutes of a busy room. Older ones are
# in the log.
WINDOW_REVISIONS: Final = 1_000

# How old the base of an edit may be. A client that was away catches up before it sends, so only
# resends are old; 10,000 is an hour of a very busy document, and 20 ms of transforming.
HISTORY_REVISIONS: Final = 10_000

# Clients whose last number is part of the state. A client is a browser tab, so a long-lived document
# sees many; the forgotten ones are looked up in the log.
CLIENTS_REMEMBERED: Final = 2_000

# Why an edit was made. A restore brings back the text of a past revision, an undo takes edits back, a redo an
# undo; the first edit of a branch is the text that it starts from, a merge brings what was edited there, an
# import what was edited elsewhere, a redaction puts blocks where something must not be read any more.
TYPED: Final = "typed"
UNDO: Final = "undo"
REDO: Final = "redo"
RESTORE: Final = "restore"
BRANCH: Final = "branch"
MERGE: Final = "merge"
IMPORT: Final = "import"
REDACTION: Final = "redaction"


Ranges = Sequence[Sequence[int]]
"""Pairs of the first and last revision, in order, apart from each other."""

Sources = Sequence[Sequence[int | str]]
"""For inserted text, in order, a length and where it comes from: see `EditApplied`."""


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit as submitted. `digest` stands for base and op as the client sent them."""

    client: str
    seq: int
    base: int
    op: Op
    digest: str


class LastEdit(NamedTuple):
    """The last accepted edit of a client: its number, the revision it made, its digest."""

    seq: int
    revision: int
    digest: str


class Created(InitialEvent):
    """`imported` says where it comes from when it had a past before it came here."""

    TOPIC = "document.created"
    OPTIONAL = ("imported",)
    room: str
    name: str
    imported: Provenance | None = None

    @property
    def written_at(self) -> datetime:
        """When there was the first of it, here or where it comes from."""
        return self.timestamp if self.imported is None else as_datetime(self.imported["since"])

    def apply(self, aggregate: Document) -> None:
        if self.imported is not None:
            aggregate.imported = self.imported
            aggregate.written = self.imported["since"]


class EditApplied(Event):
    """`op` is as committed: normal, invertible, made on revision `revision - 1`; `base` is what it
    came from.

    Where the text was not written by this edit, it says whose it is. An undo says which edits it takes back,
    `undoes`, as pairs of the first and last revision; and for all that it inserts, in order, `revives`: a
    length, and the revision and offset by which this text was inserted (see `attribution`), followed by its
    origin if it has one. What is copied, by a restore, a branch or a merge, has `origins`: for all that is
    inserted, in order, a length, a document ("" for this one), a revision and an offset; and `source` is the
    document and the revision that it was copied from.

    Of one that was imported `author` and `written` (microseconds) say who made it elsewhere and when, and
    `reference` and `note` what it is called there and what was said of it (see `importing`).

    Where text of it was removed later, it has blocks instead, and `redaction` says by which.
    """

    TOPIC = "document.edit_applied"
    OPTIONAL = (
        *("undoes", "revives", "origins", "source", "redaction"),
        *("author", "written", "reference", "note"),
    )
    client: str
    seq: int
    base: int
    revision: int
    digest: str
    op: Op
    cause: str = TYPED
    undoes: Ranges | None = None
    revives: Sources | None = None
    origins: Sources | None = None
    source: Sequence[int | str] | None = None
    author: str | None = None
    written: int | None = None
    reference: str | None = None
    note: str | None = None
    redaction: str | None = None

    @property
    def writer(self) -> str:
        """Whose edit it is: the actor's, if it was not brought from elsewhere."""
        return self.actor if self.author is None else self.author

    @property
    def written_at(self) -> datetime:
        """When it was made, here or where it comes from. Never before the edit before."""
        return self.timestamp if self.written is None else as_datetime(self.written)

    def apply(self, aggregate: Document) -> None:
        aggregate.on_edit_applied(self)


@dataclass(frozen=True, slots=True)
class DocumentState:
    """A document's text as of some moment."""

    room: str
    name: str
    revision: int
    text: str
    modified_on: datetime


class HistoryNeeded(LostRace):
    """Deciding needs the edits after revision `after` up to `until`, which are not in memory.

    A question to whoever can read the log. Unanswered, it is a reason to try again.
    """

    code = "E_BUSY"

    def __init__(self, after: int, until: int) -> None:
        super().__init__(f"edits {after + 1} to {until} are being read")
        self.after = after
        self.until = until


class ClientForgotten(LostRace):
    """Deciding needs the last accepted edit of `client`, which is not in memory. A question, as above."""

    code = "E_BUSY"

    def __init__(self, client: str) -> None:
        super().__init__(f"the last edit of {client} is being read")
        self.client = client


class Document(Aggregate):
    TOPIC = "document"

    def __init__(self, room: str, name: str) -> None:
        self.room = room
        self.name = name
        self.text = Text()
        self.revision = 0
        self.size_bytes = 0
        self.clients: dict[str, LastEdit] = {}
        self.clients_forgotten = False
        self.window: list[EditApplied] = []
        self.imported: Provenance | None = None
        self.written: int | None = None
        """When the last of it was written (microseconds), where that was elsewhere."""

    @classmethod
    def create(cls, room: str, name: str, *, actor: str, at: datetime) -> Self:
        """A new, empty document."""
        return cls._create(
            Created, id=document_stream(room, name), timestamp=at, actor=actor, room=room, name=name
        )

    @classmethod
    def begin_import(cls, room: str, name: str, imported: Provenance, *, actor: str, at: datetime) -> Self:
        """A document that had a past elsewhere, which comes next. Until it is whole nobody can do anything
        with it.
        """
        stream = document_stream(room, name)
        since = min(imported["since"], as_microseconds(at))
        imported = {**imported, "since": since}
        return cls._create(
            Created, id=stream, timestamp=at, actor=actor, room=room, name=name, imported=imported
        )

    # Decisions.

    def bring(self, brought: Sequence[BroughtEdit], first: int, *, actor: str, at: datetime) -> None:
        """Take edits from elsewhere, of which the first makes revision `first`. Those that are here already
        are passed over. Raises `Conflict`, `OpInvalid`, `DocumentTooLarge`.
        """
        if self.imported is None or first > self.revision + 1:
            raise Conflict("this document is not being imported")
        now = as_microseconds(at)
        for edit in brought[self.revision + 1 - first :]:
            op = self.text.make_invertible(edit.op)
            self._check_size(op)
            self.trigger_event(
                EditApplied,
                timestamp=at,
                actor=actor,
                client=IMPORT_CLIENT,
                seq=self.revision + 1,
                base=self.revision,
                revision=self.revision + 1,
                digest="",
                op=op,
                cause=IMPORT,
                author=edit.author,
                written=min(max(edit.written, self.written or 0), now),
                reference=edit.reference,
                note=edit.note,
            )

    @property
    def is_whole(self) -> bool:
        """False while it is being imported, or when that was never finished."""
        return self.imported is None or self.revision >= self.imported["edits"]

    def _check_whole(self) -> None:
        if not self.is_whole:
            raise NotFound("there is no such document")

    def edit(
        self,
        edit: Edit,
        *,
        actor: str,
        at: datetime,
        earlier: Sequence[Op] = (),
        last: LastEdit | None = None,
        cause: str = TYPED,
    ) -> None:
        """Accept `edit`, or do nothing when it is accepted already.

        `earlier` are the ops that follow `edit.base`, up to any revision that the window reaches back
        to; `last` is what the log says of a forgotten client. Raises `IdReused`, `SequenceGap`,
        `RevisionAhead`, `RevisionTooOld`,
        `OpInvalid`, `DocumentTooLarge`, or asks by `HistoryNeeded`, `ClientForgotten`.
        """
        self._check_whole()
        if self._is_accepted(edit, last):
            return
        op = self._transformed(edit, earlier)
        op = self.text.make_invertible(op)
        self._check_size(op)
        self.trigger_event(
            EditApplied,
            timestamp=at,
            actor=actor,
            client=edit.client,
            seq=edit.seq,
            base=edit.base,
            revision=self.revision + 1,
            digest=edit.digest,
            op=op,
            cause=cause,
        )

    def revise(
        self,
        op: Op,
        *,
        actor: str,
        at: datetime,
        cause: str,
        undoes: Ranges | None = None,
        revives: Sources | None = None,
        origins: Sources | None = None,
        source: tuple[str, int] | None = None,
        last: LastEdit | None = None,
    ) -> None:
        """Accept an op that was decided here, on the present text, because `actor` has asked for it.

        There is no client that would send it again: the edits of a user that came about so are numbered as if
        they were of a client of their own. Raises `OpInvalid`, `DocumentTooLarge`, `ClientForgotten`.
        """
        self._check_whole()
        client = f"@{actor}"
        known = self.clients.get(client) or last
        if known is None and self.clients_forgotten:
            raise ClientForgotten(client)
        op = self.text.make_invertible(op)
        self._check_size(op)
        self.trigger_event(
            EditApplied,
            timestamp=at,
            actor=actor,
            client=client,
            seq=known.seq + 1 if known else 1,
            base=self.revision,
            revision=self.revision + 1,
            digest="",
            op=op,
            cause=cause,
            undoes=undoes,
            revives=revives or None,
            origins=origins or None,
            source=None if source is None else [*source],  # JSON as it stands, like all of an event
        )

    def remembers_all_since(self, revision: int) -> bool:
        """Whether the last edit of everybody who has edited after `revision` is in memory."""
        return self.revision - revision <= CLIENTS_REMEMBERED

    def _is_accepted(self, edit: Edit, last: LastEdit | None) -> bool:
        known = self.clients.get(edit.client) or last
        if known is None:
            if self.clients_forgotten:
                raise ClientForgotten(edit.client)
            known = LastEdit(0, 0, "")
        if edit.seq == known.seq + 1:
            return False
        if edit.seq > known.seq:
            raise SequenceGap("an edit before this one is missing", expected=known.seq + 1, actual=edit.seq)
        # Of what was redacted nobody knows any more whether this is the same; who sends it again means it so.
        if edit.seq == known.seq and known.digest and edit.digest != known.digest:
            raise IdReused("this number was used for another edit", seq=edit.seq, revision=known.revision)
        return True

    def _transformed(self, edit: Edit, earlier: Sequence[Op]) -> Op:
        if edit.base > self.revision:
            raise RevisionAhead("the base revision does not exist", revision=self.revision)
        if self.revision - edit.base > HISTORY_REVISIONS:
            raise RevisionTooOld("catch up before sending this", revision=self.revision)
        since = self.ops_since(edit.base, earlier)
        base_length = len(self.text) - sum(map(length_change, since))
        if required_length(edit.op) > base_length:
            raise OpInvalid("the op is longer than the text it was made on", length=base_length)
        op = edit.op
        for committed in since:
            op = transform(op, committed, "left")
        return op

    def ops_since(self, base: int, earlier: Sequence[Op] = ()) -> Sequence[Op]:
        """The ops of revisions `base + 1` to the present one. Raises `HistoryNeeded`."""
        if base == self.revision:
            return ()
        start = self.window_start
        if base >= start:
            return [edit.op for edit in self.window[base - start :]]
        reached = base + len(earlier)
        if reached < start:
            raise HistoryNeeded(after=base, until=start)
        return [*earlier, *(edit.op for edit in self.window[reached - start :])]

    @property
    def window_start(self) -> int:
        """The oldest revision after which all edits are in memory."""
        return self.revision - len(self.window)

    def edits_since(self, revision: int) -> list[EditApplied]:
        """The edits after `revision`, in memory. Raises `HistoryNeeded` when it is before the window."""
        start = self.window_start
        if revision < start:
            raise HistoryNeeded(after=revision, until=start)
        return self.window[revision - start :]

    def text_at(self, revision: int) -> str:
        """The text as it was, from the present one backwards. Raises `RevisionAhead`, and `HistoryNeeded`
        when that is further back than the window.
        """
        if revision > self.revision:
            raise RevisionAhead("there is no such revision yet", revision=self.revision)
        text = self.text.copy()
        for edit in reversed(self.edits_since(revision)):
            text.apply(invert(edit.op))
        return str(text)

    def _check_size(self, op: Op) -> None:
        length = len(self.text) + length_change(op)
        if length > DOCUMENT_CODE_POINTS:
            raise DocumentTooLarge("too many characters", limit=DOCUMENT_CODE_POINTS)
        growth = size_change(op)
        if growth > 0 and self.size_bytes + growth > DOCUMENT_BYTES:
            raise DocumentTooLarge("too many bytes", limit=DOCUMENT_BYTES)

    # State.

    def on_edit_applied(self, edit: EditApplied) -> None:
        self.text.apply(edit.op)
        self.size_bytes += size_change(edit.op)
        self.revision = edit.revision
        self.written = edit.written
        self.window.append(edit)
        if len(self.window) >= 2 * WINDOW_REVISIONS:
            del self.window[:-WINDOW_REVISIONS]
        self._remember(edit)

    def _remember(self, edit: EditApplied) -> None:
        self.clients.pop(edit.client, None)  # so that the dict stays in order of the last edit
        self.clients[edit.client] = LastEdit(edit.seq, edit.revision, edit.digest)
        if len(self.clients) > CLIENTS_REMEMBERED:
            del self.clients[next(iter(self.clients))]
            self.clients_forgotten = True

    @property
    def state(self) -> DocumentState:
        """What there is to read."""
        modified_on = self.modified_on if self.written is None else as_datetime(self.written)
        return DocumentState(self.room, self.name, self.revision, str(self.text), modified_on)

    @property
    def weight(self) -> int:
        # A window's edit keeps about 1 KB of objects and at most a few times its JSON.
        return 2_000 + 4 * len(self.text) + 1_000 * len(self.window) + 200 * len(self.clients)

    def as_state(self) -> dict[str, Any]:
        """The state as JSON; the window is not part of it, it is in the log."""
        state = {
            "room": self.room,
            "name": self.name,
            "text": str(self.text),
            "revision": self.revision,
            "size_bytes": self.size_bytes,
            "clients": {client: list(last) for client, last in self.clients.items()},
            "clients_forgotten": self.clients_forgotten,
        }
        if self.imported is not None:
            state |= {"imported": self.imported, "written": self.written}
        return state

    def restore_state(self, state: Mapping[str, Any]) -> None:
        self.room = state["room"]
        self.name = state["name"]
        self.text = Text(state["text"])
        self.revision = state["revision"]
        self.size_bytes = state["size_bytes"]
        self.clients = {client: LastEdit(*last) for client, last in state["clients"].items()}
        self.clients_forgotten = state["clients_forgotten"]
        self.window = []
        self.imported = state.get("imported")
        self.written = state.get("written")


register_topic(Document.TOPIC, Document)


def size_change(op: Iterable[int | str | Mapping[str, Any]]) -> int:
    """By how many bytes of UTF-8 an invertible op makes a text longer."""
    change = 0
    for component in op:
        if isinstance(component, str):
            change += _utf8_length(component)
        elif not isinstance(component, int):
            change -= _utf8_length(component["d"])
    return change


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
