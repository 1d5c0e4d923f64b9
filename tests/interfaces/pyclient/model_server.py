"""A server in memory that speaks the protocol: the plainest thing that a client can be tried against.

One room, everything stored at once, every frame answered before the next is looked at. What it is asked to
refuse, and how little it remembers, can be set, so that the rare roads are taken often. It trusts nothing
to the client: it transforms pristine edits over its own list, one by one, as left.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable
from typing import Any

import orjson

from domain.text_op import Op, apply, make_invertible, parse, transform

Frame = dict[str, Any]


def error(code: str, **facts: Any) -> Frame:
    """An error frame, to be sent with the `ref` of the request."""
    return {"type": "error", "code": code, "message": f"refused: {code}", **facts}


def looks(client: str) -> Frame:
    """How the only user of a client looks."""
    return {"name": client, "colour": "#4c75f0", "avatar": ""}


class ModelDocument:
    """A text, the list of its edit events, and the pristine edits by client and number."""

    def __init__(self) -> None:
        self.text = ""
        self.edits: list[Frame] = []
        self.pristine: dict[tuple[str, int], tuple[bytes, int]] = {}

    @property
    def revision(self) -> int:
        return len(self.edits)

    def last_seq(self, client: str) -> int:
        return max((seq for owner, seq in self.pristine if owner == client), default=0)


class ModelConnection:
    """The server's end of a socket. `outbox` is what it has sent; `code` the code it has closed with."""

    def __init__(self, server: ModelServer) -> None:
        self.server = server
        self.outbox: deque[Frame] = deque()
        self.code: int | None = None
        self.client = ""
        self.open: set[str] = set()

    def receive(self, frame: Frame) -> None:
        """One frame of the client."""
        if self.code is None:
            self.server.on_frame(self, orjson.loads(orjson.dumps(frame)))

    def close(self, code: int | None = None) -> None:
        self.code = code if code is not None else 1006
        self.server.connections.discard(self)


class ModelServer:
    def __init__(self, *, epoch: str = "epoch-1") -> None:
        self.epoch = epoch
        self.documents: dict[str, ModelDocument] = {}
        self.log: list[Frame] = []
        self.connections: set[ModelConnection] = set()
        self.messages: dict[str, Frame] = {}
        """As they stand, by id."""
        self.receipts: dict[str, Frame] = {}
        """By user."""
        self.refusals: deque[Frame] = deque()
        """Errors for the next edits, cursors and commands, which are then not looked at."""
        self.resume_after = 0
        """Positions before this one cannot be resumed from."""
        self.catch_up_limit = 1_000
        """Edits that `open` tells one by one."""
        self.page_limit = 1_000
        """Edits in an answer to `catch_up`."""
        self.base_limit = 10_000
        """Edits that an edit's base may be behind."""

    # Sockets.

    def connect(self) -> ModelConnection:
        connection = ModelConnection(self)
        self.connections.add(connection)
        return connection

    def on_frame(self, connection: ModelConnection, frame: Frame) -> None:
        if frame["type"] == "pong":
            return
        answer: Frame | None = getattr(self, "_on_" + frame["type"])(connection, frame)
        if answer is not None:
            connection.outbox.append({"ref": frame["ref"], **answer})

    def _on_hello(self, connection: ModelConnection, frame: Frame) -> None:
        """Answered here, since events follow at once and the welcome goes before them."""
        client = connection.client = frame["client"]
        for other in list(self.connections):
            if other is not connection and other.client == client:
                other.close(4406)
        resume: Frame = frame.get("resume", {"epoch": None, "position": 0})
        after: int = resume["position"]
        resumed = resume["epoch"] == self.epoch and after >= self.resume_after
        missed = [event for event in self.log if resumed and event["position"] > after]
        connection.outbox.append(
            {
                "ref": frame["ref"],
                "type": "welcome",
                "protocol": 1,
                "epoch": self.epoch,
                "position": len(self.log),
                "resumed": resumed,
                "session": f"session-{client}",
                "node": "node",
                "you": {"user": client, "role": "editor", **looks(client)},
                "room": {"id": "room", "title": "Room", "everyone": "editor"},
                "members": [],
                "documents": sorted(self.documents),
                "people": {},
                "roster": [],
                "messages": [] if resumed else copy.deepcopy(list(self.messages.values())[-50:]),
                "receipts": list(self.receipts.values()),
                "heartbeat": {"interval": 25, "timeout": 8},
                "limits": {"frame_bytes": 65_536, "op_components": 5_000, "edits_per_second": 0},
            }
        )
        connection.outbox.extend(
            {"type": "events", "position": event["position"], "events": [event]}
            for event in missed
            if event["event"] != "edit"
        )
        joined = {"event": "joined", "client": client, "session": f"session-{client}"}
        self._commit(joined | looks(client))

    # Documents.

    def _on_open(self, connection: ModelConnection, frame: Frame) -> Frame:
        name = frame["document"]
        if frame.get("create"):
            self.documents.setdefault(name, ModelDocument())
        document = self.documents.get(name)
        if document is None:
            return error("E_NOT_FOUND")
        after = frame.get("revision")
        opened: Frame = {
            "type": "opened",
            "document": name,
            "revision": document.revision,
            "seq": document.last_seq(connection.client),
            "cursors": [],
        }
        if after is None:
            opened["text"] = document.text
        elif after > document.revision:
            connection.close(4507)
            return error("E_VERSION_AHEAD", revision=document.revision)
        elif document.revision - after > self.catch_up_limit:
            return error("E_VERSION_OLD", revision=document.revision)
        else:
            opened["edits"] = document.edits[after:]
        connection.open.add(name)
        return opened

    def _on_close(self, connection: ModelConnection, frame: Frame) -> Frame:
        connection.open.discard(frame["document"])
        return {"type": "ok"}

    def _on_catch_up(self, _connection: ModelConnection, frame: Frame) -> Frame:
        edits = self.documents[frame["document"]].edits
        limit = min(frame["limit"], self.page_limit)
        return {
            "type": "edits",
            "document": frame["document"],
            "edits": edits[frame["after"] : frame["after"] + limit],
        }

    def _on_edit(self, connection: ModelConnection, frame: Frame) -> Frame | None:
        if self.refusals:
            return self.refusals.popleft()
        name, seq, base, op = frame["document"], frame["seq"], frame["base"], parse(frame["op"])
        document = self.documents[name]
        if name not in connection.open:
            return error("E_NOT_JOINED")
        stored = document.pristine.get((connection.client, seq))
        if stored is not None:
            same = stored[0] == orjson.dumps([base, op])
            return {"type": "ok", "revision": stored[1]} if same else error("E_ID_REUSED")
        if seq != (expected := document.last_seq(connection.client) + 1):
            return error("E_SEQ", expected=expected, actual=seq)
        if document.revision - base > self.base_limit:
            return error("E_VERSION_OLD", revision=document.revision)
        self.store(name, connection.client, seq, base, op)
        return None

    def store(self, name: str, client: str, seq: int, base: int, op: Op) -> None:
        """Append an edit, as whichever node it came to would."""
        document = self.documents[name]
        committed = op
        for event in document.edits[base:]:
            committed = transform(committed, event["op"], "left")
        committed = make_invertible(committed, document.text)
        document.text = apply(document.text, committed)
        document.pristine[(client, seq)] = orjson.dumps([base, op]), document.revision + 1
        self._commit(
            {
                "event": "edit",
                "document": name,
                "revision": document.revision + 1,
                "base": base,
                "client": client,
                "seq": seq,
                "op": committed,
            }
        )

    # The room.

    def _on_cursor(self, connection: ModelConnection, frame: Frame) -> Frame | None:
        if self.refusals:
            return self.refusals.popleft()
        move = {key: frame[key] for key in ("document", "revision", "anchor", "head")}
        move |= {"client": connection.client, "at": 0}
        self._send({"type": "presence", "position": 0, "moves": [move], "typing": []})
        return None

    def _on_typing(self, connection: ModelConnection, frame: Frame) -> Frame | None:
        sign = {"document": frame.get("document"), "typing": frame["typing"]}
        sign |= {"client": connection.client, "at": 0}
        self._send({"type": "presence", "position": 0, "moves": [], "typing": [sign]})
        return None

    def _on_status(self, _connection: ModelConnection, _frame: Frame) -> Frame:
        return {"type": "ok"}

    def _on_refresh(self, _connection: ModelConnection, _frame: Frame) -> Frame:
        return {"type": "ok"}

    # Commands.

    def _on_post(self, connection: ModelConnection, frame: Frame) -> Frame | None:
        if self.refusals:
            return self.refusals.popleft()
        if frame["message"] in self.messages:
            return {"type": "ok"}
        message: Frame = {
            "event": "message",
            "message": frame["message"],
            "author": connection.client,
            "posted": 0,
            "client": connection.client,
            "text": frame["text"],
            "documents": {name: document.revision for name, document in self.documents.items()},
            "reply_to": frame.get("reply_to"),
            "mentions": [word[1:] for word in frame["text"].split() if word.startswith("@")],
            "link": frame.get("link"),
            "edits": 0,
            "edited": None,
            "deleted": None,
            "pinned": None,
            "reactions": {},
            "imported": None,
        }
        self.messages[frame["message"]] = self._commit(message)
        return None

    def _on_edit_message(self, connection: ModelConnection, frame: Frame) -> Frame:
        def edit(message: Frame) -> None:
            if message["text"] != frame["text"]:
                message["edits"] += 1
                message.update(text=frame["text"], edited=0)
                self._about(connection, "message_edited", frame, text=frame["text"], mentions=[])

        return self._change(frame, edit)

    def _on_delete_message(self, connection: ModelConnection, frame: Frame) -> Frame:
        message = self.messages.get(frame["message"])
        if message is not None and message["deleted"] is not None:
            return {"type": "ok"}

        def delete(message: Frame) -> None:
            message.update(text="", mentions=[], pinned=None, deleted=0)
            self._about(connection, "message_deleted", frame)

        return self._change(frame, delete)

    def _on_react(self, connection: ModelConnection, frame: Frame) -> Frame:
        emoji, user = frame["emoji"], connection.client

        def react(message: Frame) -> None:
            reactors = message["reactions"].get(emoji, [])
            if frame["reacted"] == (user in reactors):
                return
            others = [reactor for reactor in reactors if reactor != user]
            message["reactions"][emoji] = [*others, user] if frame["reacted"] else others
            if not message["reactions"][emoji]:
                del message["reactions"][emoji]
            happened = "reaction_added" if frame["reacted"] else "reaction_removed"
            self._about(connection, happened, frame, emoji=emoji)

        return self._change(frame, react)

    def _on_pin_message(self, connection: ModelConnection, frame: Frame) -> Frame:
        def pin(message: Frame) -> None:
            if (message["pinned"] is not None) != frame["pinned"]:
                message["pinned"] = 0 if frame["pinned"] else None
                self._about(connection, "message_pinned" if frame["pinned"] else "message_unpinned", frame)

        return self._change(frame, pin)

    def _change(self, frame: Frame, change: Callable[[Frame], None]) -> Frame:
        if self.refusals:
            return self.refusals.popleft()
        message = self.messages.get(frame["message"])
        if message is None or message["deleted"] is not None:
            return error("E_NOT_FOUND")
        change(message)
        return {"type": "ok"}

    def _about(self, connection: ModelConnection, happened: str, frame: Frame, **fields: Any) -> None:
        about = {"event": happened, "message": frame["message"], "actor": connection.client}
        self._commit(about | fields)

    def _on_save_revision(self, connection: ModelConnection, frame: Frame) -> Frame:
        fields = {"document": frame["document"], "revision": frame["revision"], "name": frame.get("name")}
        return self._once({"event": "revision_saved", "actor": connection.client, **fields})

    def _on_start_run(self, connection: ModelConnection, frame: Frame) -> Frame:
        fields = {"document": frame.get("document"), "revision": frame.get("revision")}
        fields |= {"run": frame["run"], "title": frame["title"], "client": connection.client}
        return self._once({"event": "run_started", "actor": connection.client, **fields})

    def _on_finish_run(self, connection: ModelConnection, frame: Frame) -> Frame:
        fields = {"run": frame["run"], "outcome": frame["outcome"], "exit_code": frame.get("exit_code")}
        return self._once({"event": "run_finished", "actor": connection.client, **fields})

    def _once(self, event: Frame) -> Frame:
        if self.refusals:
            return self.refusals.popleft()
        if not any(event.items() <= known.items() for known in self.log):
            self._commit(event)
        return {"type": "ok"}

    def _on_receipt(self, connection: ModelConnection, frame: Frame) -> Frame:
        user = connection.client
        known = self.receipts.get(user, {"user": user, "delivered": 0, "read": 0})
        told = known | {name: max(known[name], frame[name]) for name in ("delivered", "read")}
        if told != known:
            self.receipts[user] = told
            self._commit({"event": "receipts", "actor": "node", "receipts": [told]})
        return {"type": "ok"}

    def _on_subscribe(self, _connection: ModelConnection, _frame: Frame) -> Frame:
        return {"type": "ok"}

    def _on_unsubscribe(self, _connection: ModelConnection, _frame: Frame) -> Frame:
        return {"type": "ok"}

    def _on_ping(self, _connection: ModelConnection, _frame: Frame) -> Frame:
        return {"type": "ok"}

    def _commit(self, event: Frame) -> Frame:
        """Returns it as it was told; what is kept of it may change."""
        actor = event["actor"] if "actor" in event else event["client"]
        event = {**event, "position": len(self.log) + 1, "actor": actor, "at": 0}
        self.log.append(event)
        if event["event"] == "edit":
            self.documents[event["document"]].edits.append(event)
        self._send(
            {"type": "events", "position": event["position"], "events": [event]},
            event["document"] if event["event"] == "edit" else None,
        )
        return copy.deepcopy(event)

    def _send(self, frame: Frame, document: str | None = None) -> None:
        for connection in self.connections:
            if connection.client and (document is None or document in connection.open):
                connection.outbox.append(orjson.loads(orjson.dumps(frame)))
