"""What a user wants to have in the log beside edits: messages and what becomes of them, saves, runs, undo.

Each is sent until the server has answered it, over any number of sockets: a message and a run have ids that
are made here, and an undo says what was seen before it, so that a resend meets itself, and everything else
changes nothing when it is so already. One is under way at a time: if the first of two were refused for the
moment and the second taken, a person's words would come out in the wrong order, and an edit before the
message that it edits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypedDict

from interfaces.pyclient import notices
from interfaces.pyclient.notices import Notice
from interfaces.pyclient.requests import NOT_NOW, Errand, Frame, Pacer, Requests

# Why what was asked for in another history is not asked for in this one.
OTHER_EPOCH: Final = "the server's history is another one than this was asked for in"

# Copies of a command that is done may still be on their way to the log when that is slow. Until they are
# answered the next command waits, or one might undo it; but no longer than a server that is well takes.
LATE_SECONDS: Final = 15.0


class Link(TypedDict):
    """A range of a document, in code points of the text of `revision`."""

    document: str
    revision: int
    start: int
    end: int


# What can be asked.


def post(message: str, text: str, *, reply_to: str | None = None, link: Link | None = None) -> Frame:
    """Say `text` under the new id `message`."""
    return {"type": "post", "message": message, "text": text, **_given(reply_to=reply_to, link=link)}


def edit_message(message: str, text: str) -> Frame:
    return {"type": "edit_message", "message": message, "text": text}


def delete_message(message: str) -> Frame:
    return {"type": "delete_message", "message": message}


def react(message: str, emoji: str, *, reacted: bool = True) -> Frame:
    return {"type": "react", "message": message, "emoji": emoji, "reacted": reacted}


def pin_message(message: str, *, pinned: bool = True) -> Frame:
    return {"type": "pin_message", "message": message, "pinned": pinned}


def save_revision(document: str, revision: int, name: str | None = None) -> Frame:
    return {"type": "save_revision", "document": document, "revision": revision, **_given(name=name)}


def undo(document: str, revision: int) -> Frame:
    """What was done last, as seen at `revision`."""
    return {"type": "undo", "document": document, "revision": revision}


def redo(document: str, revision: int) -> Frame:
    return {"type": "redo", "document": document, "revision": revision}


def start_run(run: str, title: str, *, document: str | None = None, revision: int | None = None) -> Frame:
    """Under the new id `run`."""
    what = _given(document=document, revision=revision)
    return {"type": "start_run", "run": run, "title": title, **what}


def finish_run(run: str, outcome: str, exit_code: int | None = None) -> Frame:
    return {"type": "finish_run", "run": run, "outcome": outcome, **_given(exit_code=exit_code)}


def _given(**fields: Any) -> Frame:
    return {name: value for name, value in fields.items() if value is not None}


# What comes of it: by the event's name, what the request has to be, and the fields that both have.
_EFFECTS: Final[Mapping[str, tuple[Frame, tuple[str, ...]]]] = {
    "message": ({"type": "post"}, ("message",)),
    "message_edited": ({"type": "edit_message"}, ("message", "text")),
    "message_deleted": ({"type": "delete_message"}, ("message",)),
    "message_pinned": ({"type": "pin_message", "pinned": True}, ("message",)),
    "message_unpinned": ({"type": "pin_message", "pinned": False}, ("message",)),
    "reaction_added": ({"type": "react", "reacted": True}, ("message", "emoji")),
    "reaction_removed": ({"type": "react", "reacted": False}, ("message", "emoji")),
    "revision_saved": ({"type": "save_revision"}, ("document", "revision", "name")),
    "run_started": ({"type": "start_run"}, ("run",)),
    "run_finished": ({"type": "finish_run"}, ("run",)),
}


class Commands(Errand):
    """The unanswered commands of a `ClientSession`, which is the only caller."""

    __slots__ = (
        "_client",
        "_is_online",
        "_is_sent",
        "_last",
        "_late",
        "_newest",
        "_notices",
        "pacer",
        "waiting",
    )

    def __init__(self, client: str, requests: Requests, out: list[Notice]) -> None:
        super().__init__(requests)
        self.waiting: dict[int, Frame] = {}
        """By their numbers, oldest first."""
        self.pacer = Pacer()
        self._client = client
        self._notices = out
        self._last = 0
        self._is_online = False
        self._is_sent = False  # a copy of the oldest has gone out, over whatever socket
        self._newest = 0  # the `ref` of its last copy
        self._late: set[int] = set()  # of copies of what is done, which are not answered yet

    def add(self, request: Frame, now: float) -> int:
        """Have `request` done after those that wait; returns its number."""
        self._last += 1
        self.waiting[self._last] = request
        self._pump(now)
        return self._last

    def on_online(self, now: float) -> None:
        self._is_online = True
        self._pump(now)

    def on_offline(self) -> None:
        self._is_online = False
        self._refs.clear()
        self._late.clear()
        self._rest()

    def on_other_epoch(self) -> None:
        """The server's log is another one: what names a revision would be done to another text. Offline,
        since we hear of it with the welcome.
        """
        bound = {number: frame for number, frame in self.waiting.items() if _names_revision(frame)}
        if bound and next(iter(bound)) == next(iter(self.waiting)):
            self._is_sent = False
            self._attempts = 0
        for number, request in bound.items():
            del self.waiting[number]
            self._notices.append(notices.CommandRefused(number, request, "E_EPOCH", OTHER_EPOCH))

    def _rest(self) -> None:
        """Wait for no time. The answer to any copy counts, whatever was said to the others."""
        self.due = None
        self._then = None

    def on_event(self, event: Frame, user: str | None, now: float) -> None:
        """Something has happened in the room: perhaps what was asked for. Its answer may be lost, and asked
        for once more it might undo what has become of it since.
        """
        if self._is_sent and self._is_ours(event, user) and _is_effect(event, self._oldest):
            self._on_done(now)

    def _is_ours(self, event: Frame, user: str | None) -> bool:
        return bool(event["client"] == self._client if "client" in event else event["actor"] == user)

    @property
    def _oldest(self) -> Frame:
        return next(iter(self.waiting.values()))

    def _on_done(self, now: float, revision: int | None = None) -> None:
        number, _ = self._take_oldest()
        self._notices.append(notices.CommandDone(number, revision))
        self._pump(now)

    def _take_oldest(self) -> tuple[int, Frame]:
        number = next(iter(self.waiting))
        request = self.waiting.pop(number)
        if request["type"] == "post":
            self._forget(self._refs)  # one of them is answered by the event alone, and none does any harm
        else:
            self._late.update(self._refs)
        self._refs.clear()
        self._rest()
        self._attempts = 0
        self._is_sent = False
        return number, request

    def _pump(self, now: float) -> None:
        if not self._is_online or self.due is not None or not self.waiting:
            return
        if self._late:
            self._wait(now + LATE_SECONDS, self._give_up_late)
        else:
            self._send(now)

    def _give_up_late(self, now: float) -> None:
        self._forget(self._late)
        self._late.clear()
        self._pump(now)

    def _forget(self, refs: Iterable[int]) -> None:
        for ref in refs:
            self._requests.forget(ref)

    def _send(self, now: float) -> None:
        if self.pacer.free_at() > now:
            self._wait(self.pacer.free_at(), self._send)
            return
        self.pacer.pay(now)
        self._is_sent = True
        self._ask(dict(self._oldest), self._on_answered, now, self._send)
        self._newest = self._refs[-1]

    def _on_answered(self, reply: Frame, now: float) -> None:
        """The answer to a copy of the oldest, or to one of what is done. A post that is stored now is
        answered by its event alone.
        """
        ref = reply["ref"]
        if ref in self._late:
            self._on_late_answer(ref, now)
            return
        self._refs.remove(ref)
        if reply["type"] == "ok":
            self._on_done(now, reply.get("revision"))
        elif _may_pass(reply) and ref != self._newest:
            pass  # the last copy may find the server at leisure, or have a right again
        elif _is_not_now(reply):
            self._retry(reply, now, self._send)
        else:
            self._on_refused(reply, now)

    def _on_late_answer(self, ref: int, now: float) -> None:
        self._late.discard(ref)
        if not self._late and self._then == self._give_up_late:
            self._rest()
            self._pump(now)

    def _on_refused(self, reply: Frame, now: float) -> None:
        refusals = self._attempts
        number, request = self._take_oldest()
        self._notices.append(notices.CommandRefused(number, request, reply["code"], reply["message"]))
        # Whose role was lowered while they were away may have much to say that is all refused.
        self._attempts = refusals
        self._retry(reply, now, self._pump)


def _names_revision(request: Frame) -> bool:
    return "revision" in request or request.get("link") is not None


def _is_not_now(reply: Frame) -> bool:
    return reply["code"] in NOT_NOW or "retry_after" in reply


def _may_pass(reply: Frame) -> bool:
    """Whether the same may be taken later."""
    return _is_not_now(reply) or reply["code"] == "E_FORBIDDEN"


def _is_effect(event: Frame, request: Frame) -> bool:
    """Whether `event` is what `request` was to bring about."""
    wanted, fields = _EFFECTS.get(event["event"], (None, ()))
    return (
        wanted is not None
        and wanted.items() <= request.items()
        and all(request.get(name) == event[name] for name in fields)
    )
