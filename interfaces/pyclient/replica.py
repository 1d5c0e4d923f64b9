"""One document's copy at a client: what the server has said, and what it has not heard yet.

The present text is the server's text at `revision` with a queue of own ops after it:

    text = server text at revision  ·  queue[0]  ·  queue[1]  ·  …

The head of the queue may be *outstanding*: sent, not acknowledged. It then exists twice, pristine
(as it was sent, so that a resend is the same to the byte) and transformed to the present. What is typed
meanwhile is composed into one op behind it, the buffer. A replica made with `compose=False` queues
each op by itself instead, for the replay of recorded sessions, where others have typed on the texts in
between.

The server transforms our op, as "left", over each edit committed before it. We do exactly the same with the
queue, op by op as the edits come in, so what comes back as our own edit is what we already have: the
acknowledgement changes no text.

Nothing here does I/O or knows of time; `DocumentLink` decides when to send.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum
from itertools import islice
from typing import Any, Final, NamedTuple

from domain.text import Text
from domain.text_op import Op, compose, invert, transform, transform_position
from interfaces.pyclient.pieces import as_wire, first_piece, has_same_effect

# Edits kept to bring a late cursor up to date. Cursors are gathered for 50 ms before they are shown, in
# which a busy document has some ten edits; an older cursor is shown where it was.
RECENT_EDITS: Final = 64


class EditState(Enum):
    """How far a local edit has come."""

    LOCAL = "local"  # only here: waiting for the one before it, or for a connection
    SENT = "sent"  # on its way; nobody knows yet
    DURABLE = "durable"  # in the log, for everybody
    REFUSED = "refused"  # the server will not have it; it was taken back


class Sent(NamedTuple):
    """An edit as it goes on the wire, again and again the same until it is acknowledged."""

    seq: int
    base: int
    op: Op


class Cursor(NamedTuple):
    """A cursor (`anchor == head`) or selection, in code points of some text."""

    anchor: int
    head: int

    def moved(self, op: Op) -> Cursor:
        """After an edit of somebody else than the cursor's owner."""
        anchor = transform_position(self.anchor, op)
        return Cursor(anchor, anchor if self.head == self.anchor else transform_position(self.head, op))


class Acked(NamedTuple):
    """Our own edit came back: number `seq` made `revision`; local edits up to `through` are durable."""

    seq: int
    revision: int
    through: int


class Foreign(NamedTuple):
    """Somebody else's edit, as it changed the present text."""

    op: Op


class TakenBack(NamedTuple):
    """A refused edit: what it did, and the op that has just undone it in the present text.

    `edits` are the numbers of the local edits that end in it.
    """

    seq: int
    refused: Op
    undo: Op
    edits: range


class Skipped(Enum):
    """Why an edit was not taken in."""

    HAD = "had"  # we have this revision
    GAP = "gap"  # one before it is missing


class Unacked:
    """An own op in the queue, transformed to the present, and the last local edit that is part of it."""

    __slots__ = ("op", "through")

    def __init__(self, op: Op, through: int) -> None:
        self.op = op
        self.through = through


class Replica:
    """Owned by one `DocumentLink`; every call changes it at once and completely.

    `seq` is the number of this client's last edit that is known to be stored, `durable` the number of
    the last local edit that is: the first counts what was sent, the second what was typed.
    """

    __slots__ = (
        "_compose",
        "_cursors",
        "_queue",
        "_recent",
        "_refused",
        "_text",
        "client",
        "cursor",
        "durable",
        "local",
        "outstanding",
        "revision",
        "seq",
    )

    def __init__(self, client: str, text: str, revision: int, seq: int, *, compose: bool = True) -> None:
        self.client = client
        self.revision = revision
        self.seq = seq
        self.local = 0
        self.durable = 0
        self.outstanding: Sent | None = None
        self.cursor: Cursor | None = None
        self._compose = compose
        self._text = Text(text)
        self._queue: deque[Unacked] = deque()
        self._refused: list[range] = []
        self._cursors: dict[str, tuple[int, Cursor]] = {}
        self._recent: deque[tuple[str, Op]] = deque(maxlen=RECENT_EDITS)

    # What it is.

    @property
    def text(self) -> str:
        return str(self._text)

    def __len__(self) -> int:
        return len(self._text)

    @property
    def is_saved(self) -> bool:
        """Whether everything typed here is durable."""
        return not self._queue

    @property
    def unsaved(self) -> list[Op]:
        """The own ops that the server has not acknowledged; each is made on the text after the one before."""
        return [unacked.op for unacked in self._queue]

    def state_of(self, edit: int) -> EditState:
        """How far local edit number `edit` (what `edit()` returned) has come."""
        assert 0 < edit <= self.local, "no such edit"
        if any(edit in refused for refused in self._refused):
            return EditState.REFUSED
        if edit <= self.durable:
            return EditState.DURABLE
        return EditState.SENT if self.outstanding and edit <= self._queue[0].through else EditState.LOCAL

    # Typing.

    def edit(self, op: Op) -> int:
        """Apply an own op, made on the present text; returns the number of this local edit.

        Raises OpInvalid, with nothing changed, if the op does not fit.
        """
        op = self._text.apply_invertible(op)  # so that it can be taken back
        self.local += 1
        self._enqueue(op)
        if self.cursor is not None:
            self.cursor = cursor_after(op)
        return self.local

    def _enqueue(self, op: Op) -> None:
        queue = self._queue
        is_last_unsent = len(queue) > (1 if self.outstanding else 0)
        if self._compose and is_last_unsent:
            queue[-1].op = compose(queue[-1].op, op)
            queue[-1].through = self.local
        else:
            queue.append(Unacked(op, self.local))
        self._drop_empty()

    # Sending.

    def next_edit(self) -> Sent | None:
        """The edit to send: the outstanding one again, else the queue's next, outstanding from now on."""
        if self.outstanding is None and self._queue:
            self._split_head()
            self.outstanding = Sent(self.seq + 1, self.revision, as_wire(self._queue[0].op))
        return self.outstanding

    def _drop_empty(self) -> None:
        """Forget ops that do nothing (any more), such as a letter typed and deleted, unless one is sent.

        Without composing, every local edit becomes an edit in the log, also an empty one.
        """
        queue = self._queue
        while self._compose and queue and self.outstanding is None and not queue[0].op:
            self.durable = queue.popleft().through

    def _split_head(self) -> None:
        """Let the head be no more than one frame holds."""
        head = self._queue[0]
        piece, rest = first_piece(head.op)
        if rest:
            # With the piece alone no local edit is complete, but those before it are.
            self._queue.appendleft(Unacked(piece, self.durable))
            head.op = rest

    def rebase_outstanding(self) -> bool:
        """Let the outstanding edit start from the present revision, under the number it has.

        For an edit whose base has become too old for the server. False if it starts there already.
        """
        assert self.outstanding is not None
        if self.outstanding.base == self.revision:
            return False
        self.outstanding = Sent(self.outstanding.seq, self.revision, as_wire(self._queue[0].op))
        return True

    def take_back(self) -> TakenBack:
        """Undo the outstanding edit, which the server refused; what was typed after it stays."""
        assert self.outstanding is not None
        seq = self.outstanding.seq
        self.outstanding = None
        head = self._queue.popleft()
        undo = invert(head.op)
        for unacked in self._queue:
            unacked.op, undo = transform(unacked.op, undo, "left"), transform(undo, unacked.op, "right")
        self._text.apply(undo)
        self._move_own_cursor(undo)
        edits = range(self.durable + 1, head.through + 1)
        self._refused.append(edits)
        self.durable = head.through
        self._drop_empty()
        return TakenBack(seq, head.op, undo, edits)

    # Hearing.

    def take(self, event: Mapping[str, Any]) -> Acked | Foreign | Skipped:
        """Take an `edit` event in, if it is the next one."""
        revision: int = event["revision"]
        if revision != self.revision + 1:
            return Skipped.HAD if revision <= self.revision else Skipped.GAP
        self.revision = revision
        op: Op = event["op"]
        client: str = event["client"]
        self._recent.append((client, op))
        if self._cursors:
            self._move_cursors(client, op)
        if client == self.client:
            return self._take_own(event["seq"], op)
        return Foreign(self._take_foreign(op))

    def _take_own(self, seq: int, op: Op) -> Acked | Foreign:
        outstanding = self.outstanding
        self.seq = max(self.seq, seq)
        if outstanding and outstanding.seq == seq and has_same_effect(op, self._queue[0].op):
            self.outstanding = None
            self.durable = self._queue.popleft().through
            self._drop_empty()
            return Acked(seq, self.revision, self.durable)
        # An edit under our id that is not the one we wait for: from a life of this client that we do not
        # remember. Its text is foreign to us, and its number is gone: ours is sent under the next.
        op = self._take_foreign(op)
        if outstanding and outstanding.seq <= seq:
            self.outstanding = None
            self._drop_empty()
        return Foreign(op)

    def _take_foreign(self, op: Op) -> Op:
        """Let `op`, made on the server's text, come after the queue, and the queue after it."""
        for unacked in self._queue:
            unacked.op, op = transform(unacked.op, op, "left"), transform(op, unacked.op, "right")
        self._drop_empty()
        self._text.apply(op)
        self._move_own_cursor(op)
        return op

    def number_stored(self, seq: int) -> bool:
        """The server's last edit of ours is number `seq`, now that all its edits are taken in.

        False if it has forgotten one that was acknowledged: then it is not the server we knew.
        """
        if self.outstanding is None:
            self.seq = max(self.seq, seq)
        return seq >= self.seq

    def restart(self, text: str, revision: int, seq: int) -> None:
        """Begin anew from the server's text. Only with nothing unsaved: it would be lost."""
        assert self.is_saved, "a snapshot over unsaved edits loses them"
        self._text = Text(text)
        self.revision = revision
        self.seq = seq
        self._recent.clear()
        self._cursors.clear()
        self.cursor = None

    # Cursors.

    def _move_own_cursor(self, op: Op) -> None:
        if self.cursor is not None:
            self.cursor = self.cursor.moved(op)

    def set_foreign_cursor(self, client: str, revision: int, cursor: Cursor) -> None:
        """Somebody's cursor, told in the text of `revision`.

        One told in a text that we do not have yet waits for it: cursors and edits come by different roads.
        """
        if revision < self.revision:
            missed = min(self.revision - revision, len(self._recent))
            for author, op in islice(self._recent, len(self._recent) - missed, None):
                cursor = _moved(cursor, client, author, op)
            revision = self.revision
        self._cursors[client] = (revision, cursor)

    def drop_foreign_cursor(self, client: str) -> None:
        """Somebody left."""
        self._cursors.pop(client, None)

    def _move_cursors(self, author: str, op: Op) -> None:
        """Bring the cursors that were told in the text before `op` to the one after it."""
        for client, (revision, cursor) in self._cursors.items():
            if revision < self.revision:
                self._cursors[client] = (self.revision, _moved(cursor, client, author, op))

    @property
    def cursors(self) -> dict[str, Cursor]:
        """The others' cursors in the present text, by client."""
        return {client: self._at_present(cursor) for client, (_, cursor) in self._cursors.items()}

    def _at_present(self, cursor: Cursor) -> Cursor:
        for unacked in self._queue:
            cursor = cursor.moved(unacked.op)
        # One told in a text that we do not have yet, or wrongly, may be past the end.
        length = len(self._text)
        return Cursor(min(cursor.anchor, length), min(cursor.head, length))


def _moved(cursor: Cursor, owner: str, author: str, op: Op) -> Cursor:
    """The cursor of `owner` after an edit of `author`."""
    return cursor_after(op) if owner == author else cursor.moved(op)


def cursor_after(op: Op) -> Cursor:
    """Where the author of `op` has the cursor after it: right behind what it inserted or deleted last."""
    place = sum(
        component if isinstance(component, int) else len(component)
        for component in op
        if isinstance(component, int | str)
    )
    return Cursor(place, place)
