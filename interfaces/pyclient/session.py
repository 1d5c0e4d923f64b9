"""A client's side of one room, without I/O: frames and times go in, frames and notices come out.

The owner (an asyncio connection, or a simulation in virtual time) calls

    on_connected, on_frame, on_disconnected, on_time    with what happened, and the time, in seconds
    open, edit, do, read, cursor, …                     with what its user does

and after each of them takes `frames_to_send()` and `take_notices()`, looks whether `close_wanted` asks it
to cut the socket, and sees to it that `on_time` is called at `next_time()`. Nothing in here reads a
clock or draws a random number, so the same calls have the same outcome.

What the user did is kept until the server has it in its log, over any number of sockets. What it is
told comes back by two roads: the room's events by position, a document's edits by revision.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from domain.text_op import Op
from interfaces.pyclient import notices
from interfaces.pyclient.chat import Chat
from interfaces.pyclient.commands import Commands, Link
from interfaces.pyclient.document_link import DocumentLink, Phase
from interfaces.pyclient.errors import NotEditable, NotSaved
from interfaces.pyclient.notices import Notice, Status
from interfaces.pyclient.people import People
from interfaces.pyclient.reading import Reading
from interfaces.pyclient.reconnect import Verdict, reason, verdict
from interfaces.pyclient.replica import Replica
from interfaces.pyclient.requests import Frame, OnReply, Pacer, Requests
from interfaces.pyclient.streams import STREAMS, Stream

PROTOCOL: Final = 1

# The server says hello back at once; if not, another node might.
WELCOME_SECONDS: Final = 10.0

# The server pings every 25 s and gives 8 s for the answer. After that long a silence it is not there.
SILENCE_SECONDS: Final = 33.0

# Messages of which it is remembered that they have mentioned us: an edit mentions us again, and a node that
# is behind the one before tells it once more.
MENTIONS_KEPT: Final = 1_000


class Watched(Protocol):
    """A replay, as the session sees it."""

    def on_frame(self, frame: Frame) -> None: ...

    def on_online(self) -> None: ...

    def on_offline(self) -> None: ...

    def on_closed(self) -> None: ...


class ClientSession:
    """One client in one room. Whose it is, the server says.

    With `compose=False` each local edit is sent as an edit of its own.
    """

    def __init__(self, client: str, *, compose: bool = True) -> None:
        self.client = client
        self.user: str | None = None
        """Who we are; None before the first welcome."""
        self.status = Status.OFFLINE
        self.people = People()
        self.title = ""
        self.chat = Chat()
        self.documents: set[str] = set()
        """The documents of the room, open or not."""
        self.epoch: str | None = None
        self.position = 0
        """Up to which notification id we were told everything but edits; of the log named `epoch`."""
        self.close_wanted = False
        self.watched: Watched | None = None
        """The replay that is open on this client."""
        self._compose = compose
        self._notices: list[Notice] = []
        self._requests = Requests()
        self._pacer = Pacer()
        self._commands = Commands(client, self._requests, self._notices)
        self._reading = Reading(self._requests, self._notices)
        self._streams: dict[str, Stream] = {}
        self._links: dict[str, DocumentLink] = {}
        self._declared: str | None = None  # what the user says that they are doing
        self._room = ""
        self._mentioned: dict[
            tuple[str, str], None
        ] = {}  # rooms and messages of which was told, oldest first
        self._refusal: Frame | None = None  # of our hello
        self._deadline: float | None = None  # without a sign of the server until then it is gone
        self._silence = SILENCE_SECONDS

    # What the owner takes.

    def frames_to_send(self) -> list[Frame]:
        """The frames for the socket, which are now the caller's."""
        frames = self._requests.frames
        self._requests.frames = []
        return frames

    def take_notices(self) -> list[Notice]:
        """What has happened since the last call."""
        if not self._notices:
            return []
        taken = self._notices.copy()
        self._notices.clear()
        return taken

    def next_time(self) -> float | None:
        """When to call `on_time`; None: when something else has happened."""
        first = None if self.close_wanted else self._deadline
        for errand in self._errands:
            if errand.due is not None and (first is None or errand.due < first):
                first = errand.due
        for link in self._links.values():
            due = link.next_time()
            if due is not None and (first is None or due < first):
                first = due
        return first

    @property
    def has_frames(self) -> bool:
        """Whether `frames_to_send` would give any."""
        return bool(self._requests.frames)

    # What the user does.

    @property
    def is_online(self) -> bool:
        return self.status is Status.ONLINE

    def ask(self, frame: Frame, on_reply: OnReply) -> None:
        """A request that is worth nothing on another socket."""
        self._requests.ask(frame, on_reply)

    def open(self, document: str, now: float, *, create: bool = False) -> None:
        """Open `document`; `DocumentOpened` or `DocumentRefused` follows. Once is enough."""
        self._assert_not_stopped()
        if document in self._links:
            if self.phase(document) is Phase.REFUSED:
                self.open_afresh(document, now)
            return
        link = DocumentLink(
            document,
            self.client,
            self._requests,
            self._pacer,
            self._notices,
            create=create,
            compose=self._compose,
        )
        self._links[document] = link
        if self.status is Status.ONLINE:
            link.on_online(now)

    def open_afresh(self, document: str, now: float) -> None:
        """Throw our copy of `document`, with all that is unsaved in it, away and open it anew."""
        self._assert_not_stopped()
        link = self._links[document]
        link.let_go()
        if self.status is Status.ONLINE:
            link.on_online(now)

    def close(self, document: str) -> None:
        """Follow `document` no longer. What is unsaved in it comes as `UnsentText`; better wait before."""
        self._links.pop(document).close()

    def edit(self, document: str, op: Op, now: float) -> int:
        """Edit the present text; returns the number of this local edit of this document.

        `op` is normal. Raises `NotEditable`, and `OpInvalid` if the op does not fit.
        """
        return self._link(document).edit(op, now)

    def check(self, document: str) -> None:
        """Ask whether our text of `document` is the server's; `DocumentReset` follows when it is not. Raises
        `NotEditable`, `NotSaved`.
        """
        self._link(document).check()

    def cursor(self, document: str, anchor: int, head: int, now: float) -> None:
        """Show our cursor to the others. Raises `NotEditable`."""
        self._link(document).set_cursor(anchor, head, now)

    def do(self, request: Frame, now: float) -> int:
        """Have something done that `commands` names, after what waits to be done; returns its number.
        `CommandDone` or `CommandRefused` follows.
        """
        self._assert_not_stopped()
        return self._commands.add(request, now)

    def read(self, position: int, now: float) -> None:
        """The user has read the messages up to `position`. What was read stays so."""
        self._assert_not_stopped()
        self._reading.come_to(now, read=min(position, self.position))

    def subscribe(self, to: str, now: float) -> None:
        """Follow one of `STREAMS`, over all sockets. Once is enough."""
        self._assert_not_stopped()
        if to not in self._streams:
            stream = self._streams[to] = Stream(to, self._requests, self._notices)
            if self.status is Status.ONLINE:
                stream.on_online(now)

    def unsubscribe(self, to: str) -> None:
        """Follow it no longer."""
        stream = self._streams.pop(to, None)
        if stream is not None:
            stream.close(is_online=self.status is Status.ONLINE)

    def declare(self, status: str | None) -> None:
        """Say what the user is doing: editing, running, idle, away; None: let the server see for itself. Said
        again after a reconnect.
        """
        self._assert_not_stopped()
        self._declared = status
        if self.status is Status.ONLINE:
            self._say_status()

    def _say_status(self) -> None:
        self._requests.ask({"type": "status", "status": self._declared}, self._on_said)

    def type(self, document: str | None, *, is_typing: bool) -> None:
        """Show that something is being typed, in `document` or (None) in the chat, or not any more. Without a
        connection nobody is told.
        """
        self._assert_not_stopped()
        if self.status is Status.ONLINE:
            sign: Frame = {"type": "typing", "typing": is_typing}
            if document is not None:
                sign["document"] = document
            self._requests.ask(sign, self._on_said)

    def refresh(self, ticket: str) -> None:
        """Show the server a new ticket, so that it lets us stay when the old token ends."""
        if self.status is Status.ONLINE:
            self._requests.ask({"type": "refresh", "ticket": ticket}, self._on_said)

    def _on_said(self, reply: Frame, now: float) -> None:
        del now
        if reply["type"] == "error":
            self._notices.append(notices.RequestRefused(reply["code"], reply["message"]))

    def replica(self, document: str) -> Replica:
        """Our copy of `document`, to be read. Raises `NotEditable` while there is none."""
        replica = self._link(document).replica
        if replica is None:
            raise NotEditable(f"{document} is not open")
        return replica

    def phase(self, document: str) -> Phase:
        """Where `document` stands. Raises `NotEditable` if it was never opened."""
        return self._link(document).phase

    def saved_revision(self, document: str) -> int:
        """The revision at which the server has the present text. Raises `NotEditable`, `NotSaved`."""
        replica = self.replica(document)
        if not replica.is_saved:
            raise NotSaved(f"{document} is not saved")
        return replica.revision

    def link(self, document: str, start: int, end: int) -> Link:
        """The range from `start` to `end` of the present text, for a message. Raises `NotEditable`,
        `NotSaved`, `ValueError`.
        """
        revision = self.saved_revision(document)
        if not 0 <= start <= end <= len(self.replica(document)):
            raise ValueError(f"{document} has no range from {start} to {end}")
        return {"document": document, "revision": revision, "start": start, "end": end}

    @property
    def roster(self) -> dict[str, str]:
        """Who is in the room: names by client."""
        return self.people.names

    @property
    def role(self) -> str | None:
        """What we are in this room."""
        return self.people.members.get(self.user or "", self.people.everyone)

    @property
    def is_saved(self) -> bool:
        """Whether the server has acknowledged everything that was typed, asked for and read."""
        return (
            not self._commands.waiting
            and self._reading.is_told
            and all(link.is_saved for link in self._links.values())
        )

    @property
    def undone(self) -> list[Frame]:
        """The commands that the server has not answered, oldest first."""
        return list(self._commands.waiting.values())

    @property
    def unread(self) -> int:
        """How many messages of others, of those that are known, were not read yet."""
        return self.chat.unread(self.user, self._reading.pointers.read)

    def stop(self, code: int | str | None, why: str) -> None:
        """For good: whatever is unsaved is handed out as `UnsentText`."""
        if self.status is Status.STOPPED:
            return
        for link in self._links.values():
            if not link.is_saved:
                link.strand(why)
        self._go_offline()
        if self.watched is not None:
            self.watched.on_closed()
        self._set_status(Status.STOPPED, code, why)

    @property
    def _errands(self) -> tuple[Commands | Reading | Stream, ...]:
        """What is said to the server beside documents."""
        return (self._commands, self._reading, *self._streams.values())

    def _link(self, document: str) -> DocumentLink:
        link = self._links.get(document)
        if link is None:
            raise NotEditable(f"{document} is not open")
        return link

    def _assert_not_stopped(self) -> None:
        assert self.status is not Status.STOPPED, "the session has stopped"

    # The connection.

    def on_connected(self, now: float, *, at: int | None = None, ticket: str | None = None) -> None:
        """There is a socket: say hello, with the `ticket` unless it was shown already. `at` is the time of
        day in microseconds since the epoch, by which the server knows our newest socket.
        """
        assert self.status is Status.OFFLINE
        self._deadline = now + WELCOME_SECONDS
        self._refusal = None
        hello: Frame = {"type": "hello", "protocol": PROTOCOL, "client": self.client}
        if ticket is not None:
            hello["ticket"] = ticket
        if at is not None:
            hello["at"] = at
        if self.epoch is not None:
            hello["resume"] = {"epoch": self.epoch, "position": self.position}
        self._requests.ask(hello, self._on_welcome)
        self._set_status(Status.GREETING, None, "connected")

    def on_disconnected(self, now: float, code: int | None = None) -> Verdict:
        """The socket is gone, with this close code if there was one; says whether to come back."""
        del now  # every call says when it is; this one starts no clock
        if self.status is Status.STOPPED:
            return Verdict.STOP
        decision = verdict(code)
        if decision is Verdict.STOP and self._refusal is not None:
            self.stop(self._refusal["code"], self._refusal["message"])
        elif decision is Verdict.STOP:
            self.stop(code, reason(code))
        else:
            self._go_offline()
            self._set_status(Status.OFFLINE, code, reason(code))
        return decision

    def on_time(self, now: float) -> None:
        """Do what is due; early calls do nothing."""
        if self._deadline is not None and now >= self._deadline:
            self.close_wanted = True
        for errand in self._errands:
            errand.on_time(now)
        for link in self._links.values():
            link.on_time(now)

    def _go_offline(self) -> None:
        self._deadline = None
        self.close_wanted = False
        for errand in self._errands:
            errand.on_offline()
        for link in self._links.values():
            link.on_offline()
        self._requests.clear()
        if self.watched is not None:
            self.watched.on_offline()

    def _set_status(self, status: Status, code: int | str | None, why: str) -> None:
        self.status = status
        self._notices.append(notices.StatusChanged(status, code, why))

    # Hearing.

    def on_frame(self, frame: Frame, now: float) -> None:
        """Take one frame of the server in."""
        if self.status is Status.ONLINE:
            self._deadline = now + self._silence
        kind = frame["type"]
        if kind == "events":
            self._on_events(frame["events"], frame["position"], now)
        elif kind == "presence":
            self._on_presence(frame["moves"], frame["typing"])
        elif kind in STREAMS:
            if kind in self._streams:  # else it was on its way when we had enough
                self._streams[kind].on_frame(frame)
        elif kind == "replay":
            if self.watched is not None:
                self.watched.on_frame(frame)
        elif kind == "notice":
            self._on_mention(frame["room"], frame)
        elif kind == "ping":
            self._requests.frames.append({"type": "pong"})
        elif kind == "error" and frame["ref"] is None:
            self._notices.append(notices.RequestRefused(frame["code"], frame["message"]))
        else:
            self._requests.on_reply(frame, now)

    def _on_welcome(self, welcome: Frame, now: float) -> None:
        if welcome["type"] == "error":
            self._refusal = welcome  # a close code follows and says what to do
            return
        beat = welcome["heartbeat"]
        self._silence = beat["interval"] + beat["timeout"]
        self._deadline = now + self._silence
        self._pacer.set_rate(welcome["limits"].get("edits_per_second"))
        self._commands.pacer.set_rate(welcome["limits"].get("chat_per_second"))
        if self.epoch not in (None, welcome["epoch"]):
            self._on_other_epoch()
        self.user = welcome["you"]["user"]
        self._room = welcome["room"]["id"]
        self.title = welcome["room"]["title"]
        self.people.begin(welcome)
        self.documents = set(welcome["documents"])
        self._set_status(Status.ONLINE, None, "welcome")
        self._notices.append(
            notices.Welcomed(
                welcome["resumed"],
                self.title,
                tuple(welcome["documents"]),
                self.user or "",
                welcome["you"]["role"],
            )
        )
        if not welcome["resumed"]:
            self._begin_anew(welcome, now)
        self.chat.on_receipts(welcome["receipts"])
        self._reading.on_told(self.chat.pointers_of(self.user))
        self._reading.come_to(now, delivered=self.chat.last_from_others(self.user))
        if self._declared is not None:
            self._say_status()
        for errand in self._errands:
            errand.on_online(now)
        for link in self._links.values():
            link.on_online(now)
        if self.watched is not None:
            self.watched.on_online()

    def _on_other_epoch(self) -> None:
        """The server's log is another one: positions and revisions of the old mean nothing in it."""
        self._notices.append(notices.OtherHistory())
        self.chat.pointers.clear()
        self._reading.begin_anew()
        self._commands.on_other_epoch()
        for stream in self._streams.values():
            stream.on_other_epoch()
        for link in self._links.values():
            link.on_other_epoch()

    def _begin_anew(self, welcome: Frame, now: float) -> None:
        """Take roster and messages as the new beginning; tell of the messages that we missed.

        When resumed, the position stays where it was instead: the events up to the welcome's follow
        one by one, and if they do not arrive they must be asked for again.
        """
        self.epoch = welcome["epoch"]
        self.position = welcome["position"]
        news = self.chat.begin(welcome["messages"])
        for event in welcome["messages"]:
            self.people.on_activity(event)
            if event in news:
                self._tell_message(event)
            elif self.user in event["mentions"]:
                self._is_first_mention(self._room, event["message"])  # history, no news
            self._commands.on_event(event, self.user, now)

    def _on_events(self, events: Iterable[Frame], position: int, now: float) -> None:
        links = self._links
        for event in events:
            if event["event"] == "edit":
                self.people.on_activity(event)
                link = links.get(event["document"])
                if link is not None:
                    link.on_edit(event, now)
            elif event["position"] > self.position:
                self._on_room_event(event, now)
                self._commands.on_event(event, self.user, now)
        self.position = max(self.position, position)
        # Only now, so that an edit that goes out is made on everything the frame told.
        for link in links.values():
            link.pump(now)

    def _on_room_event(self, event: Frame, now: float) -> None:
        """What happened in the room. Kinds that a later server may have are passed over."""
        match event["event"]:
            case "joined":
                self.people.on_joined(event)
                joined = notices.Joined(event["client"], event["actor"], event["name"], event["at"])
                self._notices.append(joined)
            case "left":
                self._on_left(event)
            case "status":
                self.people.on_status(event)
                self._notices.append(
                    notices.PersonStatus(event["client"], event["actor"], event["status"], event["at"])
                )
            case "profile":
                self.people.on_profile(event)
                self._notices.append(
                    notices.ProfileChanged(event["user"], event["name"], event["colour"], event["avatar"])
                )
            case "document_listed":
                self.documents.add(event["document"])
                self._notices.append(notices.DocumentListed(event["document"]))
            case "document_unlisted":
                self.documents.discard(event["document"])
                self._notices.append(notices.DocumentUnlisted(event["document"]))
            case _ if self.chat.is_change(event):
                self.chat.on_change(event)
                self._on_message_changed(event)
            case "message" | "receipts":
                self._on_chat_event(event, now)
            case "revision_saved" | "run_started" | "run_finished" | "redaction":
                self._on_work_event(event)
            case _:
                self._on_rights_event(event)

    def _on_rights_event(self, event: Frame) -> None:
        """What happened to the room and its members."""
        match event["event"]:
            case "member_added" | "role_changed":
                self.people.members[event["user"]] = event["role"]
                self._notices.append(notices.RoleChanged(event["user"], event["role"]))
            case "member_removed":
                self.people.members.pop(event["user"], None)
                self._notices.append(notices.RoleChanged(event["user"], None))
            case "access_changed":
                self.people.everyone = event["everyone"]
                self._notices.append(notices.RoomChanged(self.title, self.people.everyone))
            case "room_renamed":
                self.title = event["title"]
                self._notices.append(notices.RoomChanged(self.title, self.people.everyone))
            case "room_closed":
                self._notices.append(notices.RoomClosed())
            case "invitation_made":
                self._notices.append(notices.InvitationMade(event["invitation"], event["role"]))
            case "invitation_revoked":
                self._notices.append(notices.InvitationRevoked(event["invitation"]))
            case _:
                pass

    def _on_chat_event(self, event: Frame, now: float) -> None:
        """What is said, and how far it is read."""
        if event["event"] == "message":
            self.people.on_activity(event)
            if self.chat.on_message(event):
                self._tell_message(event)
            if event["author"] != self.user:
                self._reading.come_to(now, delivered=event["position"])
            return
        moved = self.chat.on_receipts(event["receipts"])
        if moved:
            self._reading.on_told(self.chat.pointers_of(self.user))
            pointers = {user: self.chat.pointers[user] for user in moved}
            self._notices.append(notices.ReceiptsMoved(pointers))

    def _tell_message(self, event: Frame) -> None:
        self._notices.append(
            notices.MessageReceived(
                event["message"],
                event["client"],
                event["actor"],
                event["text"],
                event["documents"],
                event["at"],
            )
        )
        self._tell_if_mentioned(event)

    def _on_message_changed(self, event: Frame) -> None:
        change, actor, at = event["event"], event["actor"], event["at"]
        self._notices.append(notices.MessageChanged(event["message"], change, actor, at, event))
        if change == "message_edited":
            self._tell_if_mentioned(event)

    def _tell_if_mentioned(self, event: Frame) -> None:
        if self.user in event["mentions"]:
            self._on_mention(self._room, event)

    def _on_mention(self, room: str, mention: Frame) -> None:
        """An event here or a notice from elsewhere that speaks to us."""
        message = mention["message"]
        if self._is_first_mention(room, message):
            self._notices.append(notices.Mentioned(room, message, mention["actor"], mention["at"]))

    def _is_first_mention(self, room: str, message: str) -> bool:
        """Whether it was not known yet that a message speaks to us; it is now."""
        if (room, message) in self._mentioned:
            return False
        self._mentioned[room, message] = None
        if len(self._mentioned) > MENTIONS_KEPT:
            del self._mentioned[next(iter(self._mentioned))]
        return True

    def _on_work_event(self, event: Frame) -> None:
        """What people do with documents beside typing."""
        actor, at = event["actor"], event["at"]
        match event["event"]:
            case "revision_saved":
                saved = notices.RevisionSaved(event["document"], event["revision"], event["name"], actor, at)
                self._notices.append(saved)
            case "run_started":
                what = event["title"], event["document"], event["revision"]
                self._notices.append(notices.RunStarted(event["run"], event["client"], actor, *what, at))
            case "redaction":
                what = event["redaction"], event["reason"], event["author"]
                places = event["documents"], event["messages"]
                self._notices.append(notices.Redacted(*what, *places, actor, at))
            case _:
                how = event["outcome"], event["exit_code"]
                self._notices.append(notices.RunFinished(event["run"], *how, actor, at))

    def _on_left(self, event: Frame) -> None:
        client = event["client"]
        if self.people.on_left(event):
            for link in self._links.values():
                link.on_left(client)
        self._notices.append(notices.Left(client, event["reason"], event["at"]))

    def _on_presence(self, moves: list[Frame], typing: list[Frame]) -> None:
        links = self._links
        for move in moves:
            self.people.on_move(move)
            link = links.get(move["document"])
            if link is not None:
                link.on_move(move)
        for sign in typing:
            self.people.on_typing(sign)
        self._notices.append(notices.Presence(moves, typing))
