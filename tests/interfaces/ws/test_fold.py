"""The law of following: who folds what is told behind an old welcome knows what a new welcome tells.

`Known` is a plain client: it takes a welcome and then every frame, and knows nothing of how the server keeps
its roster. Whatever happens in a room, on either of two nodes, all who follow must come to know the same as
who comes now, to any node, also to one that has never had the room in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.attendance import AWAY_SECONDS, IDLE_SECONDS, Joined
from domain.colours import colour_of
from domain.errors import ChronoscribeError
from domain.rights import Role
from domain.text_op import Op, transform_selection
from interfaces.ws import wire
from interfaces.ws.chat_tail import MESSAGES_SHOWN
from interfaces.ws.roster import TYPING_SECONDS
from tests.interfaces.ws.scripts import EPOCH, Heard, ScriptedClient, World, turns
from tests.waiting import until

DOCUMENTS: Final = ("a.md", "b.md", "c.md")
OPEN_DOCUMENT: Final = DOCUMENTS[0]
"""Who follows has this one open, and can tell where cursors in it have gone to."""

USERS: Final = ("Ada", "Ben", "Cem")
CLIENTS: Final = {"ada": "Ada", "ada2": "Ada", "ben": "Ben", "cem": "Cem"}
FOLLOWER: Final = "Vic"
IMPORTED: Final = USERS
"""Whose messages and reactions come from elsewhere: they may be seen without having been here."""


# Who follows.


class Known:
    """What a client knows of its room."""

    def __init__(self, welcome: Heard, now: float) -> None:
        self.names: set[str] = set()
        """Of all events that were heard."""
        self.ops: dict[int, Op] = {}
        """Of `OPEN_DOCUMENT`, by the revision that they make."""
        self.messages: dict[str, Heard] = {}
        self.begin(welcome, now)

    def begin(self, welcome: Heard, now: float) -> None:
        """The first welcome, or one after a while."""
        self.room = dict(welcome["room"])
        self.is_closed = False
        self.members = {member["user"]: member["role"] for member in welcome["members"]}
        self.documents = list(welcome["documents"])
        self.people = dict(welcome["people"])
        self.roster = {entry["session"]: _as_place(entry, now) for entry in welcome["roster"]}
        self.receipts = {receipt["user"]: receipt for receipt in welcome["receipts"]}
        if not welcome["resumed"]:
            self.messages = {message["message"]: message for message in welcome["messages"]}

    def on_frame(self, frame: Heard) -> None:
        if frame["type"] == "events":
            for event in frame["events"]:
                self.names.add(event["event"])
                ON_EVENT[event["event"]](self, event)
        elif frame["type"] == "presence":
            for move in frame["moves"]:
                self._on_move(move)
            for sign in frame["typing"]:
                self._on_typing(sign)

    # Events.

    def on_edit(self, event: Heard) -> None:
        self.ops[event["revision"]] = event["op"]

    def on_message(self, event: Heard) -> None:
        self.messages[event["message"]] = event
        while len(self.messages) > MESSAGES_SHOWN:
            del self.messages[next(iter(self.messages))]

    def _change(self, event: Heard, **fields: Any) -> None:
        if (message := self.messages.get(event["message"])) is not None:
            self.messages[event["message"]] = {**message, **fields}

    def on_message_edited(self, event: Heard) -> None:
        edits = self.messages.get(event["message"], {"edits": 0})["edits"] + 1
        fields = {name: event[name] for name in ("text", "mentions")}
        self._change(event, edits=edits, edited=event["at"], **fields)

    def on_message_deleted(self, event: Heard) -> None:
        self._change(event, text="", mentions=[], pinned=None, deleted=event["at"])

    def on_pin(self, event: Heard) -> None:
        self._change(event, pinned=event["at"] if event["event"] == "message_pinned" else None)

    def on_reaction(self, event: Heard) -> None:
        if (message := self.messages.get(event["message"])) is None:
            return
        emoji, user = event["emoji"], event["actor"]
        reactors = [known for known in message["reactions"].get(emoji, []) if known != user]
        if event["event"] == "reaction_added":
            reactors.append(user)
        reactions = {**message["reactions"], emoji: reactors}
        self._change(event, reactions={emoji: users for emoji, users in reactions.items() if users})

    def on_receipts(self, event: Heard) -> None:
        for receipt in event["receipts"]:
            known = self.receipts.get(receipt["user"], receipt)
            pointers = {name: max(receipt[name], known[name]) for name in ("delivered", "read")}
            self.receipts[receipt["user"]] = {"user": receipt["user"], **pointers}

    def on_passing(self, event: Heard) -> None:
        """What a welcome does not tell of: saves and runs are looked up in what has happened."""

    def on_joined(self, event: Heard) -> None:
        fields = {name: event[name] for name in ("client", "session")}
        entry = {**fields, "user": event["actor"], "since": event["at"], "status": "idle"}
        self.roster[event["session"]] = _as_place({**entry, "cursors": [], "typing": []}, 0)
        self.people[event["actor"]] = {name: event[name] for name in ("name", "colour", "avatar")}

    def on_left(self, event: Heard) -> None:
        self.roster.pop(event["session"], None)

    def on_status(self, event: Heard) -> None:
        if event["session"] in self.roster:
            self.roster[event["session"]]["status"] = event["status"]

    def on_profile(self, event: Heard) -> None:
        self.people[event["user"]] = {name: event[name] for name in ("name", "colour", "avatar")}

    def on_document_listed(self, event: Heard) -> None:
        if event["document"] not in self.documents:
            self.documents.append(event["document"])

    def on_document_unlisted(self, event: Heard) -> None:
        if event["document"] in self.documents:
            self.documents.remove(event["document"])

    def on_room_opened(self, event: Heard) -> None:
        self.room |= {"title": event["title"], "everyone": event["everyone"]}

    def on_room_renamed(self, event: Heard) -> None:
        self.room["title"] = event["title"]

    def on_access_changed(self, event: Heard) -> None:
        self.room["everyone"] = event["everyone"]

    def on_room_closed(self, event: Heard) -> None:
        self.is_closed = True

    def on_member(self, event: Heard) -> None:
        self.members[event["user"]] = event["role"]

    def on_member_removed(self, event: Heard) -> None:
        self.members.pop(event["user"], None)

    def on_invitation(self, event: Heard) -> None:
        """Nobody is told of invitations by a welcome; who shows them asks for them."""

    # Presence.

    def _place(self, client: str) -> Heard | None:
        """Of two places of a client the newer one is where it is."""
        places = [place for place in self.roster.values() if place["client"] == client]
        return places[-1] if places else None

    def _on_move(self, move: Heard) -> None:
        place = self._place(move["client"])
        if place is not None and move["anchor"] is None:
            place["cursors"].pop(move["document"], None)
        elif place is not None:
            place["cursors"][move["document"]] = move

    def _on_typing(self, sign: Heard) -> None:
        place = self._place(sign["client"])
        if place is not None and sign["typing"]:
            place["typing"][sign["document"]] = sign["at"]
        elif place is not None:
            place["typing"].pop(sign["document"], None)

    # What it shows.

    def as_welcome(self, now: float) -> Heard:
        """As much of a welcome as one can know who has followed."""
        return {
            "room": self.room,
            "members": list(self.members.items()),
            "documents": self.documents,
            "people": self.people,
            "messages": list(self.messages.values()),
            "receipts": self.receipts,
            "roster": {session: self._entry(place, now) for session, place in self.roster.items()},
        }

    def _entry(self, place: Heard, now: float) -> Heard:
        cursors = {document: self._cursor(document, move) for document, move in place["cursors"].items()}
        typing = {where for where, at in place["typing"].items() if now - at < TYPING_SECONDS * 1e6}
        return {**place, "cursors": cursors, "typing": typing}

    def _cursor(self, document: str, move: Heard) -> tuple[int, ...] | None:
        """Revision, anchor and head in the present text; None where it is not followed."""
        if document != OPEN_DOCUMENT:
            return None
        revision, places = move["revision"], [move["anchor"], move["head"]]
        while (op := self.ops.get(revision + 1)) is not None:
            revision, places = revision + 1, transform_selection(places, op)
        return (revision, *places)


def _as_place(entry: Heard, now: float) -> Heard:
    """An entry of a roster, as it is kept. That somebody types is told without since when."""
    place = {name: entry[name] for name in ("client", "session", "user", "since", "status")}
    place["cursors"] = {cursor["document"]: cursor for cursor in entry["cursors"]}
    place["typing"] = dict.fromkeys(entry["typing"], now)
    return place


ON_EVENT: Final[dict[str, Callable[[Known, Heard], None]]] = {
    "edit": Known.on_edit,
    "message": Known.on_message,
    "message_edited": Known.on_message_edited,
    "message_deleted": Known.on_message_deleted,
    "message_pinned": Known.on_pin,
    "message_unpinned": Known.on_pin,
    "reaction_added": Known.on_reaction,
    "reaction_removed": Known.on_reaction,
    "receipts": Known.on_receipts,
    "revision_saved": Known.on_passing,
    "redaction": Known.on_passing,
    "sealing_changed": Known.on_passing,
    "run_started": Known.on_passing,
    "run_finished": Known.on_passing,
    "joined": Known.on_joined,
    "left": Known.on_left,
    "status": Known.on_status,
    "profile": Known.on_profile,
    "document_listed": Known.on_document_listed,
    "document_unlisted": Known.on_document_unlisted,
    "room_opened": Known.on_room_opened,
    "room_renamed": Known.on_room_renamed,
    "access_changed": Known.on_access_changed,
    "room_closed": Known.on_room_closed,
    "member_added": Known.on_member,
    "role_changed": Known.on_member,
    "member_removed": Known.on_member_removed,
    "invitation_made": Known.on_invitation,
    "invitation_revoked": Known.on_invitation,
}


class Follower:
    """A client that folds what it hears, and may be away for a while."""

    def __init__(self, client: ScriptedClient, known: Known) -> None:
        self.client = client
        self.known = known

    @classmethod
    async def come(cls, world: World, name: str) -> Follower:
        client = world.connect(name, user=FOLLOWER)
        welcome = await client.hello()
        follower = cls(client, Known(welcome, _microseconds(world)))
        await follower.open()
        return follower

    async def open(self) -> None:
        """Have the document open, with what has become of it meanwhile."""
        await self.client.request(type="open", document=OPEN_DOCUMENT)
        history = await self.client.request(type="catch_up", document=OPEN_DOCUMENT, after=0)
        self.known.ops |= {edit["revision"]: edit["op"] for edit in history["edits"]}

    async def come_back(self) -> None:
        """On a new socket, from where it was."""
        self.hear()
        old, world = self.client, self.client.world
        old.disconnect()
        self.client = world.connect(old.client, user=FOLLOWER)
        resume = {"epoch": EPOCH, "position": old.position}
        self.known.begin(await self.client.hello(resume=resume), _microseconds(world))
        await self.open()

    def hear(self) -> None:
        self.client.hear()
        while self.client.heard:
            self.known.on_frame(self.client.heard.popleft())
        self.client.expect_no_end()


def _microseconds(world: World) -> float:
    return world.clock.now().timestamp() * 1e6


# What happens.


class Scene:
    """A room on two nodes, those who do something in it, and those who follow."""

    def __init__(self, here: World, there: World) -> None:
        self.worlds = [here, there]
        self.here = here
        self.actors: dict[str, ScriptedClient] = {}
        self.followers: list[Follower] = []
        self.links: list[Any] = []
        self.messages: list[str] = []
        """Ids of all that were to be posted."""
        self._count = 0

    @classmethod
    async def begin(cls) -> Scene:
        here = await World().open_room(OPEN_DOCUMENT)
        await here.add_member(FOLLOWER, Role.VIEWER)
        await here.meet(*USERS, FOLLOWER)
        there = here.another_node()
        here.tells_statuses = there.tells_statuses = True
        scene = cls(here, there)
        await scene.follow()
        await scene.settle()
        return scene

    async def follow(self) -> None:
        """Somebody new, on each node, follows from here on."""
        for world in self.worlds:
            self._count += 1
            self.followers.append(await Follower.come(world, f"follower{self._count}"))

    async def settle(self) -> None:
        """Until everybody has heard of everything, and who was sent away is gone."""
        for _ in range(2):
            await turns()
            for world in self.worlds:
                world.feed()
            await turns()
            for name, actor in tuple(self.actors.items()):
                if actor.code is not None:
                    self.actors.pop(name).disconnect()

    def new_message(self) -> str:
        self.messages.append(f"m{len(self.messages)}")
        return self.messages[-1]

    def is_known(self, name: str) -> bool:
        """Whether the log knows that somebody is here. Cursors and typing go through a log of their own,
        which may be quicker than the one of stays: of who is not here yet nothing is shown, until it comes
        again.
        """
        actor = self.actors.get(name)
        stays = (r.event for r in self.here.store.log if isinstance(r.event, Joined))
        return actor is not None and any(stay.session == actor.session.session_id for stay in stays)

    async def check(self) -> None:
        """All who follow know what is told to who comes, wherever they come."""
        cold = self.here.another_node()
        for world in [*self.worlds, cold]:
            await self.settle()
            for follower in self.followers:
                follower.hear()
            world.clock.seconds = self.here.clock.seconds
            reader = world.connect(f"reader-{world.services.node}", user=FOLLOWER)
            await self.compare(await reader.hello(), world, is_cold=world is cold)
            reader.disconnect()

    async def compare(self, welcome: Heard, world: World, *, is_cold: bool) -> None:
        """A node that reads a room looks no further back than to the last keyframe. A sign of typing may be
        older than that; it is given again every few seconds.
        """
        now = _microseconds(world) + (TYPING_SECONDS * 1e6 if is_cold else 0)
        fresh = Known(welcome, _microseconds(world))
        fresh.ops = self.followers[0].known.ops
        expected = fresh.as_welcome(now)
        for follower in self.followers:
            told = follower.known.as_welcome(now)
            # How somebody looks who has never been here is asked for when it is needed.
            asked = {user for user in IMPORTED if user not in told["people"]}
            people = {user: looks for user, looks in expected["people"].items() if user not in asked}
            told["people"] = {user: told["people"].get(user) for user in people}
            assert told == {**expected, "people": people}
            last = max(follower.known.ops, default=0)
            cursors = [cursor for entry in welcome["roster"] for cursor in entry["cursors"]]
            assert {c["revision"] for c in cursors if c["document"] == OPEN_DOCUMENT} <= {last}

    def hear(self) -> None:
        for follower in self.followers:
            follower.hear()


Step = tuple[Any, ...]


async def do(scene: Scene, kind: str, *details: Any) -> None:
    """One thing that happens. What nobody may do, or what makes no sense now, does not happen."""
    with suppress(ChronoscribeError):
        await STEPS[kind](scene, *details)


async def _join(scene: Scene, name: str) -> None:
    """Who is here already comes once more, a moment later; the older socket ends."""
    for world in scene.worlds:
        world.clock.advance(0.001)
    world = scene.worlds[len(name) % 2]
    client = world.connect(name, user=CLIENTS[name])
    reply = await _ask(client, **client.a_hello())
    if reply is None or reply["type"] != "welcome":
        client.disconnect()
        return
    old, scene.actors[name] = scene.actors.get(name), client
    if old is not None:
        await turns()
        old.disconnect()


async def _leave(scene: Scene, name: str, is_clean: bool) -> None:
    if name in scene.actors:
        scene.actors.pop(name).disconnect(is_clean=is_clean)


async def _say(scene: Scene, name: str, /, **request: Any) -> None:
    if name in scene.actors:
        await scene.actors[name].push(**request)


async def _post(scene: Scene, name: str) -> None:
    await _say(scene, name, type="post", message=scene.new_message(), text="Hello")


async def _about(scene: Scene, name: str, number: int, **request: Any) -> None:
    """Something about one of the messages that were posted."""
    if scene.messages:
        await _say(scene, name, message=scene.messages[number % len(scene.messages)], **request)


async def _edit_message(scene: Scene, name: str, number: int) -> None:
    await _about(scene, name, number, type="edit_message", text=f"Hello @{USERS[number % 3]}")


async def _delete_message(scene: Scene, name: str, number: int) -> None:
    await _about(scene, name, number, type="delete_message")


async def _react(scene: Scene, name: str, number: int, emoji: str, reacted: bool) -> None:
    await _about(scene, name, number, type="react", emoji=emoji, reacted=reacted)


async def _pin(scene: Scene, name: str, number: int, pinned: bool) -> None:
    await _about(scene, name, number, type="pin_message", pinned=pinned)


async def _read(scene: Scene, name: str, back: int) -> None:
    """Up to one of the last positions that this client has heard of."""
    if name in scene.actors:
        position = max(0, scene.actors[name].world.hub.position - back)
        await _say(scene, name, type="receipt", delivered=position + 1, read=position)


async def _import(scene: Scene, number: int) -> None:
    await scene.here.services.messages.bring(
        "demo",
        scene.new_message(),
        actor="Ada",
        source="elsewhere",
        author=USERS[number % 3],
        posted=1_000_000,
        text="Once",
        documents={},
        reply_to=None,
        mentions=["Ben"],
        link=None,
        edits=1,
        edited=2_000_000,
        deleted=None,
        pinned=3_000_000,
        reactions=[["👍", "Cem", 4_000_000]],
    )


async def _save(scene: Scene, name: str, title: str | None) -> None:
    opened = await _opened(scene, name, OPEN_DOCUMENT)
    if opened is not None:
        revision = opened["revision"]
        await _say(scene, name, type="save_revision", document=OPEN_DOCUMENT, revision=revision, name=title)


async def _run(scene: Scene, name: str) -> None:
    scene._count += 1
    run = f"r{scene._count}"
    await _say(scene, name, type="start_run", run=run, title="Tests")
    await _say(scene, name, type="finish_run", run=run, outcome="passed", exit_code=0)


async def _status(scene: Scene, name: str, status: str | None) -> None:
    await _say(scene, name, type="status", status=status)


async def _type(scene: Scene, name: str, where: str | None, is_typing: bool) -> None:
    await _opened(scene, name, where)
    if scene.is_known(name):
        await _say(scene, name, type="typing", document=where, typing=is_typing)


async def _close(scene: Scene, name: str, document: str) -> None:
    await _say(scene, name, type="close", document=document)


async def _opened(scene: Scene, name: str, document: str | None) -> Heard | None:
    """Open a document, made where it is missing; None when that may not be."""
    if name not in scene.actors or document is None or not scene.is_known(name):
        return None
    reply = await _ask(scene.actors[name], type="open", document=document, create=True)
    return reply if reply is not None and reply["type"] == "opened" else None


async def _ask(client: ScriptedClient, /, **request: Any) -> Heard | None:
    """The answer, None when the client has to go instead."""
    ref = await client.push(**request)

    def find_answer() -> Heard | None:
        client.hear()
        return next((frame for frame in client.heard if frame.get("ref") == ref), None)

    await until(lambda: client.code or find_answer())
    return find_answer()


async def _edit(scene: Scene, name: str, document: str, place: int, count: int) -> None:
    """Write at a place, or delete from there."""
    opened = await _opened(scene, name, document)
    if opened is None:
        return
    length = len(opened["text"])
    place = min(place, length)
    deleted = min(-count, length - place)
    op: list[Any] = ["x" * count] if count > 0 else [{"d": deleted}]
    if count > 0 or deleted > 0:
        await _say(
            scene,
            name,
            type="edit",
            document=document,
            seq=opened["seq"] + 1,
            base=opened["revision"],
            op=[place, *op] if place else op,
        )


async def _take_back(scene: Scene, name: str, document: str, kind: str) -> None:
    """Undo or redo."""
    if await _opened(scene, name, document) is not None:
        await _say(scene, name, type=kind, document=document)


async def _move(scene: Scene, name: str, document: str, anchor: int, head: int) -> None:
    opened = await _opened(scene, name, document)
    if opened is not None:
        await _say(
            scene,
            name,
            type="cursor",
            document=document,
            revision=opened["revision"],
            anchor=anchor,
            head=head,
        )


async def _look(scene: Scene, user: str, name: str) -> None:
    await scene.here.services.profiles.change(
        user, name=name, colour=colour_of(name), avatar=f"https://example.org/{name}", actor=user
    )


async def _role(scene: Scene, user: str, role: Role) -> None:
    if user != "Ada":
        await scene.here.add_member(user, role)


async def _remove(scene: Scene, user: str) -> None:
    await scene.here.remove_member(user)


async def _access(scene: Scene, role: Role | None) -> None:
    await scene.here.services.rooms.change_access("demo", role, actor="Ada")


async def _rename(scene: Scene, title: str) -> None:
    await scene.here.services.rooms.rename("demo", title, actor="Ada")


async def _seal(scene: Scene, is_sealed: bool) -> None:
    await scene.here.services.rooms.seal("demo", is_sealed=is_sealed, actor="Ada")


async def _list(scene: Scene, document: str) -> None:
    await scene.here.services.rooms.list_document("demo", document, actor="Ada")


async def _unlist(scene: Scene, document: str) -> None:
    await scene.here.services.rooms.unlist_document("demo", document, actor="Ada")


async def _invite(scene: Scene, role: Role) -> None:
    hour = timedelta(hours=1)
    scene.links.append(
        await scene.here.services.members.invite("demo", role, lifetime=hour, uses=1, actor="Ada")
    )


async def _accept(scene: Scene, user: str) -> None:
    if scene.links:
        link = scene.links[-1]
        await scene.here.services.members.accept("demo", link.invitation, link.secret, actor=user)


async def _revoke(scene: Scene) -> None:
    if scene.links:
        await scene.here.services.members.revoke("demo", scene.links.pop().invitation, actor="Ada")


async def _wait(scene: Scene, seconds: float) -> None:
    """Longer than anybody types, for which a welcome does not say since when it is."""
    for world in scene.worlds:
        world.clock.advance(seconds)
        world.services.attendances.sweep()


async def _follow(scene: Scene) -> None:
    if len(scene.followers) < 6:
        await scene.follow()


async def _come_back(scene: Scene, number: int) -> None:
    await scene.followers[number % len(scene.followers)].come_back()


async def _forget(scene: Scene) -> None:
    """All leaves the memory that nobody has used for a moment."""
    for world in scene.worlds:
        world.evict()


STEPS: Final[dict[str, Callable[..., Coroutine[Any, Any, None]]]] = {
    "join": _join,
    "leave": _leave,
    "post": _post,
    "edit message": _edit_message,
    "delete message": _delete_message,
    "react": _react,
    "pin": _pin,
    "read": _read,
    "import": _import,
    "save": _save,
    "run": _run,
    "status": _status,
    "type": _type,
    "close": _close,
    "edit": _edit,
    "take back": _take_back,
    "move": _move,
    "look": _look,
    "role": _role,
    "remove": _remove,
    "access": _access,
    "rename": _rename,
    "seal": _seal,
    "list": _list,
    "unlist": _unlist,
    "invite": _invite,
    "accept": _accept,
    "revoke": _revoke,
    "wait": _wait,
    "follow": _follow,
    "come back": _come_back,
    "forget": _forget,
}

clients = st.sampled_from(sorted(CLIENTS))
users = st.sampled_from(USERS)
documents = st.sampled_from(DOCUMENTS)
roles = st.sampled_from(Role)
places = st.integers(0, 12)


def step(kind: str, *details: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(kind), *details)


numbers = st.integers(0, 3)
doings = st.one_of(
    step("post", clients),
    step("edit message", clients, numbers),
    step("delete message", clients, numbers),
    step("react", clients, numbers, st.sampled_from(["👍", "❤️"]), st.booleans()),
    step("pin", clients, numbers, st.booleans()),
    step("read", clients, st.integers(0, 9)),
    step("import", numbers),
    step("save", clients, st.sampled_from([None, "Draft"])),
    step("run", clients),
    step("status", clients, st.sampled_from([None, "running", "away", "editing", "idle"])),
    step("type", clients, st.sampled_from([None, *DOCUMENTS]), st.booleans()),
    step("close", clients, documents),
    step("edit", clients, documents, places, st.integers(-3, 5)),
    step("take back", clients, documents, st.sampled_from(["undo", "redo"])),
    step("move", clients, documents, places, places),
    step("look", users, st.sampled_from(["Augusta", "Benjamin", "Cemal", "Dan"])),
    step("role", users, roles),
    step("remove", users),
    step("access", st.sampled_from([None, Role.VIEWER, Role.COMMENTER, Role.EDITOR])),
    step("rename", st.sampled_from(["Garden", "House"])),
    step("seal", st.booleans()),
    step("list", documents),
    step("unlist", documents),
    step("invite", st.sampled_from([Role.VIEWER, Role.EDITOR])),
    step("accept", users),
    step("revoke"),
)
comings = st.one_of(step("join", clients), step("leave", clients, st.booleans()))
breaks = st.one_of(
    step("wait", st.sampled_from([TYPING_SECONDS + 5, IDLE_SECONDS, AWAY_SECONDS])),
    step("follow"),
    step("come back", st.integers(0, 5)),
    step("forget"),
)
# Of some things each comes when all before it were heard of; others come at once, into one commit.
happenings = st.one_of(
    st.tuples(doings),
    st.tuples(comings),
    st.tuples(breaks),
    st.lists(st.one_of(doings, comings), min_size=2, max_size=5).map(tuple),
)

ALL: Final[list[tuple[Step, ...]]] = [
    *(((("join", name),)) for name in CLIENTS),
    (("edit", "ben", "a.md", 0, 5),),
    (("move", "ben", "a.md", 1, 4), ("move", "cem", "b.md", 0, 0), ("type", "cem", None, True)),
    (("edit", "ada", "a.md", 0, 3), ("post", "cem"), ("status", "ada2", "running")),
    (("take back", "ben", "a.md", "undo"), ("move", "ada", "a.md", 0, 2)),
    (("take back", "ben", "a.md", "redo"),),
    (("look", "Ben", "Benjamin"), ("rename", "Garden"), ("seal", True), ("role", "Ben", Role.EDITOR)),
    (("post", "ada"), ("post", "ben"), ("import", 1)),
    (("edit message", "cem", 0), ("react", "ben", 0, "👍", True), ("react", "ada", 0, "👍", True)),
    (("react", "ben", 0, "👍", False), ("react", "ada", 0, "❤️", True), ("pin", "ada", 1, True)),
    (("pin", "ben", 1, False), ("delete message", "ada", 1), ("read", "ben", 3), ("read", "cem", 0)),
    (("save", "ben", "Draft"), ("run", "ada"), ("read", "ben", 0)),
    (("role", "Ben", Role.COMMENTER),),
    (("access", Role.VIEWER), ("list", "c.md"), ("unlist", "b.md"), ("invite", Role.EDITOR)),
    (("accept", "Cem"),),
    (("come back", 0),),
    (("revoke",), ("remove", "Ben"), ("leave", "cem", True)),
    (("wait", IDLE_SECONDS),),
    (("join", "ada"), ("look", "Ada", "Augusta"), ("forget",), ("follow",)),
]
"""Everything once."""


async def play(happening: Sequence[tuple[Step, ...]]) -> Scene:
    scene = await Scene.begin()
    for at_once in happening:
        await play_at_once(scene, at_once)
        await scene.settle()
        scene.hear()
    await scene.check()
    return scene


async def play_at_once(scene: Scene, steps: Sequence[Step]) -> None:
    """All steps are on their way before anything of them is committed."""
    for world in scene.worlds:
        world.record.commits_by_itself = len(steps) == 1
    tasks = []
    for one in steps:
        tasks.append(asyncio.ensure_future(do(scene, *one)))
        await turns()
    for world in scene.worlds:
        world.record.commits_by_itself = True
    while not all(task.done() for task in tasks):
        for world in scene.worlds:
            world.record.commit()
            world.presence.feed()
        await turns()
    for world in scene.worlds:
        world.record.commit()
    await asyncio.gather(*tasks)


def run(happening: Sequence[tuple[Step, ...]]) -> Scene:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("application.cursors.FRAME_SECONDS", 0.0)
        patch.setattr("application.receipts.GATHER_SECONDS", 0.0)
        return asyncio.run(play(happening))


@given(st.lists(happenings, max_size=12))
@example(ALL)
def test_who_follows_knows_what_is_told_to_who_comes(happening: list[tuple[Step, ...]]) -> None:
    run(happening)


def test_whoever_follows_understands_every_event() -> None:
    assert set(ON_EVENT) == {name for name, _ in wire._WIRE.values()}


def test_everything_that_can_happen_to_a_room_is_among_what_happens_here() -> None:
    scene = run(ALL)
    heard = set[str]().union(*(follower.known.names for follower in scene.followers))
    # A room is opened before anybody can be in it, and closed when nobody may be in it any more. Text is
    # removed from a log that can be rewritten, which this one is not.
    assert heard == set(ON_EVENT) - {"room_opened", "room_closed", "redaction"}


async def test_who_followed_knows_that_the_room_was_closed() -> None:
    scene = await Scene.begin()
    await scene.here.services.rooms.close("demo", actor="Ada")
    await turns()
    scene.worlds[1].feed()
    for follower in scene.followers:
        follower.client.hear()
        for frame in follower.client.heard:
            follower.known.on_frame(frame)
        assert follower.known.is_closed
