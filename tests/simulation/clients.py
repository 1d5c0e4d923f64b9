"""A client in the simulation: the real sans-I/O client, on simulated links, with a user who types.

`SimulatedClient` does for a `ClientSession` what the asyncio client does: connects, waits and comes back
with full jitter, carries frames and times. Besides, it writes down what a checker needs, and compares
all that it sees with the log while it goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from random import Random
from typing import Any, Final, Protocol

import orjson

from domain.ids import document_stream
from domain.receipts import PointersByUser
from domain.rights import Action as Right
from domain.rights import Role, may
from domain.text_op import Op, replace
from interfaces.pyclient import commands, notices
from interfaces.pyclient.errors import NotEditable
from interfaces.pyclient.notices import Notice, Status
from interfaces.pyclient.reconnect import LATER_SECONDS, Backoff, Verdict
from interfaces.pyclient.replica import Replica
from interfaces.pyclient.session import ClientSession
from tests.simulation.faults import Faults
from tests.simulation.history import Action, Change, ChatCopy, Heard, History, Kind, Record, Seen, Typed
from tests.simulation.network import ClientEnd, Link
from tests.simulation.trace import Trace

ROOM: Final = "room"
DOCUMENTS: Final = ("main.md", "notes.txt", "code.py")

# Documents stay about as long as this: clients delete more than they insert when it is passed.
LENGTH_WANTED: Final = 300

# Every typed text has one code point that is typed once in the whole run: from the private planes, so
# that it is also text outside the BMP.
FIRST_WORD: Final = 0xF0000

_LETTERS: Final = "abcdefg hij\nklm éß本語😀👍🏽\u202e"

# What a user is told whose role is too low.
FORBIDDEN: Final = "E_FORBIDDEN"

# What becomes of something that is about a message which its author has deleted meanwhile. It may have come
# true before, when its answer was lost.
GONE: Final = "E_NOT_FOUND"

EMOJI: Final = ("👍", "🎉", "❤️")

# What no server takes: a text with NUL.
BAD_TEXT: Final = "\0"


class World(Protocol):
    """What a client needs of everything around it."""

    faults: Faults
    history: History
    trace: Trace
    violations: list[str]

    def connect(self, client: SimulatedClient) -> Link | None: ...

    def next_word(self) -> str: ...

    def text_at(self, document: str, revision: int) -> str | None: ...

    @property
    def pointers(self) -> PointersByUser: ...

    def position_of(self, message: str) -> int: ...

    def edit_at(self, document: str, revision: int) -> dict[str, Any] | None: ...


@dataclass
class Recorder:
    """Writes one life's actions into the history."""

    process: str
    client: str
    history: History
    now: Callable[[], float]
    sent: dict[tuple[str, int], str] = field(default_factory=dict)
    """The text of each edit that was sent, by document and number, while it is open."""

    def record(
        self, kind: Kind, action: Action, document: str, id_: str, text: str, place: int | None = None
    ) -> None:
        self.history.records.append(
            Record(self.now(), self.process, self.client, kind, action, document, id_, text, place)
        )

    def on_edit_sent(self, document: str, seq: int, op: Op) -> None:
        if (document, seq) not in self.sent:
            self.sent[document, seq] = inserted_text(op)
            self.record("invoke", "edit", document, str(seq), self.sent[document, seq])

    def forget(self, document: str) -> None:
        """What is open stays so for ever: it may be stored or not."""
        self.sent = {key: text for key, text in self.sent.items() if key[0] != document}

    def on_edit_acked(self, document: str, seq: int, revision: int) -> None:
        self.record("ok", "edit", document, str(seq), self.sent[document, seq], revision)

    def on_edit_refused(self, document: str, seq: int) -> None:
        self.record("fail", "edit", document, str(seq), self.sent.pop((document, seq)))


class SimulatedClient(ClientEnd):
    """One client id over all its lives."""

    def __init__(self, name: str, world: World, random: Random) -> None:
        self.name = name
        self.is_faulty = True
        self.link: Link | None = None
        self.is_away = False
        self._world = world
        self._random = random
        self._loop = asyncio.get_running_loop()
        self._lives = 0
        self._attempt = 0
        self._timer: asyncio.TimerHandle | None = None
        self._connecting: asyncio.TimerHandle | None = None
        self._posts = 0
        self._words = 0
        self._changed: set[tuple[str, str, str]] = set()  # in all lives: each change is made once
        self.session: ClientSession
        self._recorder: Recorder
        self._wanted: set[str] = set()
        self._begin_life()

    # Lives.

    def _begin_life(self) -> None:
        self._lives += 1
        self.process = f"{self.name}.{self._lives}"
        self.session = ClientSession(self.name)
        history = self._world.history
        self._recorder = Recorder(self.process, self.name, history, self._loop.time)
        history.heard[self.process] = []
        self._wanted = set()
        self._commands: dict[int, tuple[Action, str, str, str]] = {}
        self._attempt = 0
        self._connect_after(self._random.uniform(0, 1))

    def crash(self) -> None:
        """The tab is closed without a question: what was unsent is gone with it, by nobody's fault."""
        self._trace("crashes with", len(self.unsaved_text()), "unsaved")
        self._world.history.let_go |= set(self.unsaved_text())
        self.leave(is_clean=False)
        self._begin_life()

    def unsaved_text(self) -> str:
        """All that was typed here and is not known to be stored."""
        return "".join(
            inserted_text(op)
            for document in self._wanted
            if (replica := self._replica(document))
            for op in replica.unsaved
        )

    # Connecting.

    def _connect_after(self, seconds: float) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        self._connecting = self._loop.call_later(seconds, self._connect)

    def _connect(self) -> None:
        self._connecting = None
        if self.is_away or self.link is not None or self.session.status is Status.STOPPED:
            return
        link = self._world.connect(self)
        if link is None:
            self._come_back(self._random.choice([0.01, 0.01, 3.0]))
            return
        self.link = link
        self._trace("connects over", link.name)
        self.session.on_connected(self._now, at=round(self._now * 1e6), ticket=self.name)
        self._after()

    def _come_back(self, extra_seconds: float = 0.0) -> None:
        delay = Backoff().delay(self._attempt, self._random.random)
        self._attempt += 1
        self._connect_after(extra_seconds + delay)

    def leave(self, *, is_clean: bool) -> None:
        """Close the socket, if there is one."""
        link, self.link = self.link, None
        if link is not None:
            link.leave(is_clean=is_clean)
            self.session.on_disconnected(self._now)

    def go_away(self) -> None:
        """No network for some time; the user goes on typing."""
        self._trace("goes offline")
        self.is_away = True
        self.leave(is_clean=False)
        self._after()

    def return_(self) -> None:
        if self.is_away:
            self._trace("comes back online")
            self.is_away = False
            self._connect_after(0.0)

    def on_end(self, link: Link, code: int | None) -> None:
        if link is not self.link:
            return
        self.link = None
        verdict = self.session.on_disconnected(self._now, code)
        self._trace("lost its socket:", code, verdict.value)
        if verdict is Verdict.STOP:
            self._violation(f"was told to stop with {code}")
        else:
            self._come_back(LATER_SECONDS if verdict is Verdict.RECONNECT_LATER else 0.0)
        self._after()

    # Frames and times.

    def on_data(self, link: Link, data: bytes) -> None:
        if link is not self.link:
            return
        frame = orjson.loads(data)
        self._trace("<", data.decode())
        before = self._revisions()
        self.session.on_frame(frame, self._now)
        self._note(frame, before)
        self._after()

    def _on_time(self) -> None:
        self._timer = None
        self.session.on_time(self._now)
        self._after()

    def _after(self) -> None:
        """What the owner of a session does after every call."""
        link = self.link
        for notice in self.session.take_notices():
            self._on_notice(notice)
        for frame in self.session.frames_to_send():
            self._on_sending(frame)
            if link is not None:
                self._send(link, frame)
        if self.session.close_wanted and link is not None:
            self._trace("heard nothing for too long")
            self.leave(is_clean=False)
            self._come_back()
        self._set_timer()

    def _send(self, link: Link, frame: dict[str, Any]) -> None:
        data = orjson.dumps(frame)
        self._trace(">", data.decode())
        link.send(data)
        # Where roles change the first of two may be refused and the second taken: our client would have asked
        # in between what became of the first.
        is_change = frame["type"] in {"edit_message", "delete_message", "react"}
        is_written = is_change or frame["type"] in {"edit", "post"}
        is_repeatable = (is_written and not self._world.faults.with_roles) or frame["type"] in {
            "open",
            "catch_up",
            "receipt",
        }
        if is_repeatable and self.is_faulty and self._random.random() < self._world.faults.repeat:
            # What has no number is repeated before the next is said, or it would be said anew.
            pauses = [0.0] if is_change else [0.0, 0.05, 2.0]
            self._loop.call_later(self._random.choice(pauses), link.send, data)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.session.next_time()
        if due is not None:
            self._timer = self._loop.call_at(max(due, self._now), self._on_time)

    @property
    def _now(self) -> float:
        return self._loop.time()

    # Writing down.

    def _on_sending(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "edit":
            self._recorder.on_edit_sent(frame["document"], frame["seq"], frame["op"])

    def _note(self, frame: dict[str, Any], before: dict[str, int]) -> None:
        """Compare what a frame told of documents with the log; `before` are the revisions before it."""
        if frame["type"] == "welcome":
            self._attempt = 0
            if not frame["resumed"]:
                self._heard(Heard("anew", frame["position"]))
        elif frame["type"] == "opened" and "text" in frame:
            self._note_snapshot(frame, before.get(frame["document"]))
        edits = frame.get("edits") or frame.get("events") or ()
        after = self._revisions() if edits else before
        for event in edits:
            if event["event"] == "edit":
                self._note_edit(event, before, after)

    def _note_snapshot(self, frame: dict[str, Any], before: int | None) -> None:
        document, revision = frame["document"], frame["revision"]
        if frame["text"] != self._world.text_at(document, revision):
            self._violation(f"was told another text of {document} at {revision} than the log has")
        if self._revisions().get(document) == revision != before:
            self._saw(document, Seen("snapshot", revision, digest(frame["text"])))

    def _note_edit(self, event: dict[str, Any], before: dict[str, int], after: dict[str, int]) -> None:
        document, revision = event["document"], event["revision"]
        stored = self._world.edit_at(document, revision)
        if stored is None or any(stored[key] != event[key] for key in ("op", "client", "seq", "base")):
            self._violation(f"was told an edit {revision} of {document} that is not in the log: {event}")
        if document in after and before.get(document, revision) < revision <= after[document]:
            self._saw(document, Seen("edit", revision, digest_of_op(event["op"])))

    def _revisions(self) -> dict[str, int]:
        return {document: replica.revision for document, replica in self.replicas().items()}

    def _heard(self, heard: Heard) -> None:
        self._world.history.heard[self.process].append(heard)

    def _saw(self, document: str, seen: Seen) -> None:
        self._world.history.seen.setdefault((self.process, document), []).append(seen)

    def _on_notice(self, notice: Notice) -> None:
        self._trace("*", notice)
        match notice:
            case notices.Acked():
                self._recorder.on_edit_acked(notice.document, notice.seq, notice.revision)
                self._compare(notice.document)
            case notices.Edited() | notices.DocumentOpened():
                self._compare(notice.document)
            case notices.EditRefused():
                self._on_refused(notice)
            case notices.UnsentText():
                self._on_unsent(notice)
            case notices.DocumentRefused():
                self._on_document_refused(notice)
            case notices.MessageReceived():
                position = self._world.position_of(notice.message)
                self._heard(Heard("message", position, notice.message))
            case notices.CommandDone():
                self._recorder.record("ok", *self._commands.pop(notice.command))
            case notices.CommandRefused():
                self._on_command_refused(notice)
            case notices.RequestRefused():
                self._violation(f"was refused: {notice.code} {notice.message}")
            case _:
                pass

    def _on_refused(self, refused: notices.EditRefused) -> None:
        text = inserted_text(refused.refused)
        if BAD_TEXT not in text and refused.code != FORBIDDEN:
            self._violation(f"an edit was refused: {refused}")
        self._world.history.let_go |= set(text)
        replica = self._replica(refused.document)
        assert replica is not None
        # The number that was refused is the one after the last that was stored.
        self._recorder.on_edit_refused(refused.document, replica.seq + 1)

    def _on_command_refused(self, refused: notices.CommandRefused) -> None:
        command = self._commands.pop(refused.command)
        if refused.code == GONE and command[0] != "post":
            return
        if refused.code != FORBIDDEN:
            self._violation(f"may not {refused.request}: {refused.code}")
        self._recorder.record("fail", *command)

    def _on_document_refused(self, refused: notices.DocumentRefused) -> None:
        """There is none yet, and this user may not make one."""
        if refused.code != FORBIDDEN:
            self._violation(f"may not open {refused.document}: {refused.code}")
        self.session.close(refused.document)
        self._wanted.discard(refused.document)

    def _on_unsent(self, unsent: notices.UnsentText) -> None:
        for op in unsent.unsaved:
            self._world.history.let_go |= set(inserted_text(op))
        if unsent.reason != "the document was closed":
            self._violation(f"cannot bring {unsent.document} together with the server: {unsent.reason}")

    def _compare(self, document: str) -> None:
        """With nothing unsaved a copy is the log's text at its revision."""
        replica = self._replica(document)
        if replica is not None and replica.is_saved:
            expected = self._world.text_at(document, replica.revision)
            if replica.text != expected:
                self._violation(f"{document} at {replica.revision} is {replica.text!r}, not {expected!r}")

    def _said(self, message: str) -> str:
        return f"I say {message}"

    def _violation(self, what: str) -> None:
        self._trace("!!", what)
        self._world.violations.append(f"{self.process} {what}")

    def _trace(self, *what: object) -> None:
        self._world.trace(self.process, *what)

    # The user.

    def act(self) -> None:
        """Do one thing, as a user would."""
        if self.session.status is Status.STOPPED:
            return
        deeds = [self._type] * 12 + [self._open] * 2 + [self._close, self._point]
        deeds += [self._say] * 2 + [self._react] * 2 + [self._say_otherwise, self._take_back, self._read]
        deed = self._random.choice(deeds)
        needed = _NEEDED.get(deed.__name__)
        if needed is None or self._may(needed):
            deed()
        self._after()

    def _may(self, action: Right) -> bool:
        """As far as the user has heard: where it may not be typed, nobody goes on typing for long."""
        role = self.session.role
        return role is None or may(Role(role), action)

    def open_all(self) -> None:
        """Look at every document, so that all copies can be compared."""
        if self.session.status is Status.STOPPED:
            return
        for document in DOCUMENTS:
            self._open_one(document)
        self._after()

    def _open(self) -> None:
        self._open_one(self._random.choice(DOCUMENTS))

    def _open_one(self, document: str) -> None:
        if document not in self._wanted:
            self._wanted.add(document)
            self.session.open(document, self._now, create=True)

    def _close(self) -> None:
        if self._wanted:
            document = self._random.choice(sorted(self._wanted))
            self.session.close(document)
            self._after()
            self._recorder.forget(document)
            self._wanted.discard(document)

    def _say(self) -> None:
        self._posts += 1
        message = f"{self.name}-{self._posts}"
        request = commands.post(message, self._said(message))
        self._do(request, "post", "", message, self._said(message))

    def _do(self, request: dict[str, Any], action: Action, about: str, id_: str, text: str = "") -> None:
        self._recorder.record("invoke", action, about, id_, text)
        self._commands[self.session.do(request, self._now)] = (action, about, id_, text)

    def _say_otherwise(self) -> None:
        self._words += 1
        text = f"I mean {self._words}"
        if (message := self._some_message(is_own=True)) is not None:
            self._change(commands.edit_message(message, text), "edit_message", message, text)

    def _take_back(self) -> None:
        if (message := self._some_message(is_own=True)) is not None:
            self._change(commands.delete_message(message), "delete_message", message, "")

    def _react(self) -> None:
        """With an emoji that was not used here yet; or a reaction is taken back that can be seen."""
        if (message := self._some_message(is_own=False)) is None:
            return
        emoji = self._random.choice(EMOJI)
        has_reacted = self.name in self.session.chat.messages[message]["reactions"].get(emoji, ())
        request = commands.react(message, emoji, reacted=not has_reacted)
        self._change(request, "unreact" if has_reacted else "react", message, emoji)

    def _change(self, request: dict[str, Any], action: Change, message: str, what: str) -> None:
        if (action, message, what) not in self._changed:
            self._changed.add((action, message, what))
            self._do(request, action, message, what)

    def _some_message(self, *, is_own: bool) -> str | None:
        """One that is there, as far as is known."""
        found = [
            name
            for name, message in self.session.chat.messages.items()
            if message["deleted"] is None and (message["author"] == self.name or not is_own)
        ]
        return self._random.choice(found) if found else None

    def _read(self) -> None:
        positions = [message["position"] for message in self.session.chat.messages.values()]
        if positions:
            self.session.read(self._random.choice(positions), self._now)

    def _point(self) -> None:
        document, replica = self._some_replica()
        if replica is not None and self._world.faults.with_cursors:
            place = self._random.randint(0, len(replica))
            self.session.cursor(document, place, place, self._now)

    def _type(self) -> None:
        document, replica = self._some_replica()
        if replica is None:
            self._open()
            return
        text = replica.text
        position = self._random.randint(0, len(text))
        deleted = self._deletion(text, position)
        inserted = self._insertion() if self._random.random() < 0.8 or not deleted else ""
        # What is deleted unsent need not come into the log.
        self._world.history.let_go |= set(deleted) & set(self.unsaved_text())
        for word in inserted:
            if ord(word) >= FIRST_WORD:
                self._world.history.typed.append(Typed(self.process, document, word))
        self._trace("types", document, position, repr(deleted), repr(inserted))
        try:
            self.session.edit(document, replace(position, deleted, inserted), self._now)
        except NotEditable as error:
            self._violation(f"cannot type any more: {error}")

    def _deletion(self, text: str, position: int) -> str:
        if self._random.random() > 0.2 + len(text) / LENGTH_WANTED:
            return ""
        return text[position : position + self._random.choice([1, 1, 3, 10, 40])]

    def _insertion(self) -> str:
        letters = "".join(self._random.choices(_LETTERS, k=self._random.choice([1, 1, 1, 2, 8, 30])))
        bad = BAD_TEXT if self.is_faulty and self._random.random() < 0.005 else ""
        return letters + self._world.next_word() + bad

    def _some_replica(self) -> tuple[str, Replica | None]:
        if not self._wanted:
            return "", None
        document = self._random.choice(sorted(self._wanted))
        return document, self._replica(document)

    def _replica(self, document: str) -> Replica | None:
        if document not in self._wanted:
            return None
        try:
            return self.session.replica(document)
        except NotEditable:
            return None

    # At the end.

    def replicas(self) -> dict[str, Replica]:
        return {d: replica for d in sorted(self._wanted) if (replica := self._replica(d)) is not None}

    @property
    def chat(self) -> ChatCopy:
        chat = self.session.chat
        messages = tuple((name, digest_of_json(message)) for name, message in chat.messages.items())
        return ChatCopy(self.process, messages, dict(chat.pointers))

    @property
    def is_quiet(self) -> bool:
        """Online, everything open and acknowledged, and it is known what has been delivered here."""
        chat = self.session.chat
        return (
            self.session.status is Status.ONLINE
            and self.session.is_saved
            and chat.pointers == self._world.pointers
            and chat.pointers_of(self.name).delivered >= chat.last_from_others(self.name)
            and len(self.replicas()) == len(self._wanted)
        )


# Which right a deed needs.
_NEEDED: Final = {
    "_type": Right.EDIT,
    "_say": Right.POST,
    "_say_otherwise": Right.POST,
    "_take_back": Right.POST,
    "_react": Right.POST,
}


def inserted_text(op: Op) -> str:
    """Everything that an op inserts, in its order."""
    return "".join(component for component in op if isinstance(component, str))


def digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


def digest_of_op(op: Op) -> str:
    return digest_of_json(op)


def digest_of_json(value: Any) -> str:
    return blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


def stream_of(document: str) -> str:
    return document_stream(ROOM, document)
