"""What a client and the server say to each other about one document.

    OFFLINE ──▶ OPENING ──▶ OPEN ──▶ OPENING (an edit is missing, or the server has lost the thread) …
                  │  ▲
                  ▼  │  too far behind and something unsaved
               CATCHING_UP

From each of them STRANDED can follow (the text cannot be brought together with the server's; a person
must look) or, when there is no text yet, REFUSED. Without a socket it is OFFLINE, with text and queue
as they are.

Everything is resent until the server's own word settles it; what is typed is in the replica's queue until its
event has come back. So no path through here can lose it, and since a number is never given to another
content while the first might still be stored, none can store it twice.
"""

from __future__ import annotations

from enum import Enum
from hashlib import sha256
from typing import Final

from domain.document import TYPED
from domain.text_op import Op
from interfaces.pyclient import notices
from interfaces.pyclient.errors import NotEditable, NotSaved
from interfaces.pyclient.notices import Notice
from interfaces.pyclient.replica import Acked, Cursor, Foreign, Replica, Skipped
from interfaces.pyclient.requests import NOT_NOW, Errand, Frame, Pacer, Requests

# Edits of one page while catching up: the most that the server gives at once.
CATCH_UP_PAGE: Final = 1_000

# A hand-drawn cursor moves 60 times a second; others see 20, and the server takes no more.
CURSOR_SECONDS: Final = 0.05

OTHER_EPOCH: Final = "the server's history is another one"

# This edit will never be taken, the ones after it may be.
_NEVER: Final = frozenset({"E_DOC_SIZE", "E_OP_SIZE", "E_TEXT", "E_FORBIDDEN"})
# Our picture of the document is not the server's: open again and compare. As often as it takes: a server
# whose log stands still goes by edits that it has taken and cannot show yet.
_OPEN_AGAIN: Final = frozenset({"E_SEQ", "E_ID_REUSED", "E_NOT_JOINED"})


class Phase(Enum):
    """Where the conversation stands; see the picture above."""

    OFFLINE = "offline"
    OPENING = "opening"
    CATCHING_UP = "catching up"
    OPEN = "open"
    STRANDED = "stranded"
    REFUSED = "refused"


_ENDED: Final = (Phase.STRANDED, Phase.REFUSED)


class DocumentLink(Errand):
    """One document of a `ClientSession`, which is the only caller."""

    __slots__ = (
        "_afresh",
        "_client",
        "_compose",
        "_create",
        "_cursor_at",
        "_cursor_ref",
        "_cursor_waits",
        "_in_flight",
        "_is_other_epoch",
        "_notices",
        "_pacer",
        "_target",
        "document",
        "phase",
        "replica",
    )

    def __init__(
        self,
        document: str,
        client: str,
        requests: Requests,
        pacer: Pacer,
        out: list[Notice],
        *,
        create: bool,
        compose: bool,
    ) -> None:
        super().__init__(requests)
        self.document = document
        self.phase = Phase.OFFLINE
        self.replica: Replica | None = None
        self._client = client
        self._pacer = pacer
        self._notices = out
        self._create = create
        self._compose = compose
        self._afresh = False  # `open` asks for the text, whatever we have
        self._is_other_epoch = False  # our text is of another log than the server's
        self._target = 0  # the revision to catch up to
        self._in_flight: object = None  # the edit that an answer or its event is awaited for
        self._cursor_waits = False
        self._cursor_at = 0.0  # not before
        self._cursor_ref: int | None = None

    # What the owner does.

    @property
    def is_saved(self) -> bool:
        """Whether nothing typed here waits for the server."""
        return self.replica is None or self.replica.is_saved

    def editable(self) -> Replica:
        """The replica, to be edited. Raises `NotEditable`."""
        if self.replica is None or self.phase in _ENDED:
            raise NotEditable(f"{self.document} is {self.phase.value}")
        return self.replica

    def edit(self, op: Op, now: float) -> int:
        """Take an own edit in; returns its number. Raises `NotEditable`, `OpInvalid`."""
        number = self.editable().edit(op)
        self.pump(now)
        return number

    def set_cursor(self, anchor: int, head: int, now: float) -> None:
        """Show the own cursor, in the present text, to the others. Raises `NotEditable`."""
        self.editable().cursor = Cursor(anchor, head)
        self._cursor_waits = True
        self.pump(now)

    def check(self) -> None:
        """Ask whether our text is the server's. If not, its text takes the place of ours. Only of a text that
        the server has as it is seen here: raises `NotSaved`, `NotEditable`.
        """
        replica = self.editable()
        if self.phase is not Phase.OPEN or not replica.is_saved:
            raise NotSaved(f"{self.document} is not saved")
        frame: Frame = {
            "type": "check",
            "document": self.document,
            "revision": replica.revision,
            "hash": sha256(replica.text.encode()).hexdigest(),
        }
        self._requests.ask(frame, self._on_checked)

    def _on_checked(self, reply: Frame, now: float) -> None:
        """What is not known now is asked another time."""
        if reply.get("code") != "E_VERSION_OLD" or self.phase is not Phase.OPEN:
            return
        if self.is_saved:
            self._afresh = True
            self._send_open(now)
        else:
            self.strand("the text is not the one that the server has")

    def let_go(self) -> None:
        """Forget the text and whatever is unsaved in it; the caller has it. `on_online` opens anew."""
        self._rest()
        self.replica = None
        self.phase = Phase.OFFLINE
        self._is_other_epoch = False

    def close(self) -> None:
        """No more edits are wanted; what is unsaved is handed out."""
        is_open = self.phase in (Phase.OPENING, Phase.OPEN)
        if not self.is_saved:
            self.strand("the document was closed")
        self._rest()
        if is_open:
            self._requests.ask({"type": "close", "document": self.document}, _on_closed)

    # The connection.

    def on_online(self, now: float) -> None:
        """Welcomed: open the document, again."""
        if self.phase is Phase.OFFLINE:
            self._attempts = 0
            self._send_open(now)

    def on_offline(self) -> None:
        """The socket is gone. What was sent may have been stored or not; the next `open` will tell."""
        self._rest()
        self._cursor_ref = None
        if self.phase not in _ENDED:
            self.phase = Phase.OFFLINE

    def on_other_epoch(self) -> None:
        """The server's log is another one: revisions of the old mean nothing in it."""
        if not self.is_saved:
            self.strand(OTHER_EPOCH)
        else:
            self._is_other_epoch = self.replica is not None

    def strand(self, reason: str) -> None:
        """Give up bringing our text together with the server's, and hand it to the owner, once."""
        if self.phase in _ENDED:
            return
        self._rest()
        self.phase = Phase.STRANDED
        replica = self.replica
        assert replica is not None
        self._notices.append(notices.UnsentText(self.document, replica.text, replica.unsaved, reason))

    # Opening.

    def _send_open(self, now: float) -> None:
        frame: Frame = {"type": "open", "document": self.document}
        if self.replica is None:
            if self._create:
                frame["create"] = True
        elif not self._afresh and not self._is_other_epoch:
            frame["revision"] = self.replica.revision
        self.phase = Phase.OPENING
        self._ask(frame, self._on_opened, now, self._send_open)

    def _on_opened(self, reply: Frame, now: float) -> None:
        self._rest()
        if reply["type"] == "error":
            self._on_open_refused(reply, now)
        elif "text" in reply:
            self._on_snapshot(reply, now)
        else:
            self._take_all(reply["edits"])
            self._on_told(reply["seq"], now)
        if self.phase is Phase.OPEN and reply["type"] == "opened":
            for move in reply["cursors"]:
                self.on_move(move)

    def _on_snapshot(self, reply: Frame, now: float) -> None:
        text, revision, seq = reply["text"], reply["revision"], reply["seq"]
        replica = self.replica
        self._afresh = False
        if replica is None:
            self.replica = Replica(self._client, text, revision, seq, compose=self._compose)
        elif replica.is_saved:
            before = replica.text
            replica.restart(text, revision, seq)
            self._notices.append(notices.DocumentReset(self.document, before, revision))
        elif self._is_other_epoch:
            self.strand(OTHER_EPOCH)
            return
        else:
            # Something was typed while the text was on its way. It must not be lost under it.
            self._catch_up(revision, now)
            return
        self._is_other_epoch = False
        self._on_told(seq, now)

    def _on_told(self, seq: int, now: float) -> None:
        """We have every edit that the server had; `seq` is the last of ours among them."""
        replica = self.replica
        assert replica is not None
        if not replica.number_stored(seq):
            self.strand("the server has lost edits that it acknowledged")
            return
        if replica.is_saved:
            self._attempts = 0
        self.phase = Phase.OPEN
        self._cursor_waits = replica.cursor is not None
        self._notices.append(notices.DocumentOpened(self.document, replica.revision))
        self.pump(now)

    def _on_open_refused(self, reply: Frame, now: float) -> None:
        code = reply["code"]
        if _is_not_now(reply):
            self._retry(reply, now, self._send_open)
        elif code == "E_VERSION_OLD" and self.is_saved:
            self._afresh = True
            self._send_open(now)
        elif code == "E_VERSION_OLD":
            self._catch_up(reply["revision"], now)
        elif code == "E_VERSION_AHEAD" or not self.is_saved:
            self.strand(f"{code}: {reply['message']}")
        else:
            self.phase = Phase.REFUSED
            self._notices.append(notices.DocumentRefused(self.document, code, reply["message"]))

    def _catch_up(self, target: int, now: float) -> None:
        """Read every single edit up to revision `target`, so that ours are transformed over each."""
        self._target = target
        self.phase = Phase.CATCHING_UP
        self._send_catch_up(now)

    def _send_catch_up(self, now: float) -> None:
        assert self.replica is not None
        frame: Frame = {
            "type": "catch_up",
            "document": self.document,
            "after": self.replica.revision,
            "limit": CATCH_UP_PAGE,
        }
        self._ask(frame, self._on_page, now, self._send_catch_up)

    def _on_page(self, reply: Frame, now: float) -> None:
        self._rest()
        if reply["type"] != "error":
            self._take_all(reply["edits"])
            assert self.replica is not None
            is_more = reply["edits"] and self.replica.revision < self._target
            (self._send_catch_up if is_more else self._send_open)(now)
        elif _is_not_now(reply):
            self._retry(reply, now, self._send_catch_up)
        else:
            self.strand(f"{reply['code']}: {reply['message']}")

    # Hearing.

    def on_edit(self, event: Frame, now: float) -> None:
        """An `edit` event of this document. `pump` follows when its frame is through."""
        if self.replica is None or self.phase in _ENDED:
            return
        if self._take(self.replica, event) is Skipped.GAP and self.phase is Phase.OPEN:
            self._send_open(now)

    def _take_all(self, edits: list[Frame]) -> None:
        assert self.replica is not None
        for event in edits:
            self._take(self.replica, event)

    def _take(self, replica: Replica, event: Frame) -> Acked | Foreign | Skipped:
        taken = replica.take(event)
        if isinstance(taken, Foreign):
            self._notices.append(
                notices.Edited(
                    self.document,
                    replica.revision,
                    event["client"],
                    event["actor"],
                    taken.op,
                    event["at"],
                    event.get("cause", TYPED),
                )
            )
        elif isinstance(taken, Acked):
            self._notices.append(notices.Acked(self.document, taken.seq, taken.revision, taken.through))
        return taken

    def on_move(self, move: Frame) -> None:
        """Somebody's cursor moved."""
        client = move["client"]
        if self.replica is None or client == self._client:
            return
        if move["anchor"] is None:
            self.replica.drop_foreign_cursor(client)
        else:
            self.replica.set_foreign_cursor(client, move["revision"], Cursor(move["anchor"], move["head"]))

    def on_left(self, client: str) -> None:
        """Somebody left the room."""
        if self.replica is not None:
            self.replica.drop_foreign_cursor(client)

    # Sending.

    def pump(self, now: float) -> None:
        """Send what can be sent: called after everything that may have changed that."""
        if self.phase is not Phase.OPEN:
            return
        assert self.replica is not None
        if self._in_flight is not self.replica.outstanding:
            # It was acknowledged, or its number went to another edit.
            self._in_flight = None
            self._attempts = 0
            self._rest()
        if self.due is None:
            self._send_edit(now)

    def _send_edit(self, now: float) -> None:
        replica = self.replica
        assert replica is not None
        if replica.is_saved:
            self._send_cursor(replica, now)
            return
        if self._pacer.free_at() > now:
            self._wait(self._pacer.free_at(), self._send_edit)
            return
        edit = replica.next_edit()
        assert edit is not None
        self._in_flight = edit
        self._pacer.pay(now)
        frame: Frame = {
            "type": "edit",
            "document": self.document,
            "seq": edit.seq,
            "base": edit.base,
            "op": edit.op,
        }
        self._ask(frame, self._on_edit_answered, now, self._send_edit)

    def _on_edit_answered(self, reply: Frame, now: float) -> None:
        """The answer to an edit that is not simply its event."""
        if self._is_overtaken(reply, now):
            return
        self._rest()
        assert self.replica is not None
        code = reply.get("code", "")
        if reply["type"] == "ok" or code in _OPEN_AGAIN:
            # Stored already, or under that number something else is: whichever, the log will show it.
            self._retry(reply, now, self._send_open)
        elif _is_not_now(reply):
            self._retry(reply, now, self._send_edit)
        elif code == "E_VERSION_OLD":
            if self.replica.rebase_outstanding():
                self._send_edit(now)
            else:
                self._retry(reply, now, self._send_open)
        elif code in _NEVER:
            self._take_back(self.replica, reply, now)
        else:
            self.strand(f"{code}: {reply['message']}")

    def _take_back(self, replica: Replica, reply: Frame, now: float) -> None:
        taken = replica.take_back()
        code, message = reply["code"], reply["message"]
        self._notices.append(
            notices.EditRefused(self.document, code, message, taken.refused, taken.undo, taken.edits)
        )
        self.pump(now)

    def _send_cursor(self, replica: Replica, now: float) -> None:
        """Only with nothing unsaved: the server knows no text in which the cursor would stand otherwise.

        Until then others see it behind our edits, where it mostly is.
        """
        if not self._cursor_waits or now < self._cursor_at or replica.cursor is None:
            return
        self._cursor_waits = False
        self._cursor_at = now + CURSOR_SECONDS
        frame: Frame = {
            "type": "cursor",
            "document": self.document,
            "revision": replica.revision,
            "anchor": replica.cursor.anchor,
            "head": replica.cursor.head,
        }
        self._requests.forget(self._cursor_ref)  # its answer is a presence frame, which names no request
        self._cursor_ref = self._requests.ask(frame, self._on_cursor_refused)

    def _on_cursor_refused(self, reply: Frame, now: float) -> None:
        self._cursor_ref = None
        if _is_not_now(reply):
            self._cursor_waits = True
            self._cursor_at = now + max(CURSOR_SECONDS, reply.get("retry_after") or 0.0)
        else:
            self._notices.append(notices.RequestRefused(reply["code"], reply["message"]))

    # Time.

    def on_time(self, now: float) -> None:
        super().on_time(now)
        self.pump(now)

    def next_time(self) -> float | None:
        """When `on_time` is to be called, None if nothing waits for time."""
        if self.due is None and self._cursor_waits and self.phase is Phase.OPEN:
            return self._cursor_at
        return self.due


def _is_not_now(reply: Frame) -> bool:
    return reply["code"] in NOT_NOW or "retry_after" in reply


def _on_closed(_reply: Frame, _now: float) -> None:
    """Whatever the server says: we no longer listen."""
