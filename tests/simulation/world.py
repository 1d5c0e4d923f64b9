"""One run: two nodes over one store, clients, and what goes wrong, all from one seed.

A run has three parts. While it is active, clients type and things break. Then everything is healed, and
within a bounded time all that was typed must be stored or handed back. When it is quiet, all copies
are taken and the history is checked.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, assert_never

from application.log import Recorded
from domain.aggregate import Event
from domain.attendance import Joined, Left
from domain.document import Document, EditApplied
from domain.ids import room_stream
from domain.message import Deleted, Edited, Posted, ReactionAdded, ReactionRemoved
from domain.receipts import PointersByUser, ReceiptsRecorded
from domain.rights import Action, Role
from domain.room import Room
from domain.text_op import apply
from interfaces.ws.wire import as_message_event
from projections.chat import ChatMessage, after, message_of
from tests.simulation.checker import check
from tests.simulation.clients import (
    DOCUMENTS,
    FIRST_WORD,
    ROOM,
    SimulatedClient,
    digest,
    digest_of_json,
    digest_of_op,
    inserted_text,
    stream_of,
)
from tests.simulation.faults import Faults, draw_faults, small_limits
from tests.simulation.history import ChatCopy, Copy, History, StoredChange, StoredEdit, StoredMessage
from tests.simulation.loop import run_virtually
from tests.simulation.network import Link
from tests.simulation.nodes import SimulatedNode
from tests.simulation.store import HistoryOnNode, Row, SimulatedStore, fold
from tests.simulation.trace import Trace

NODES: Final = 2

# A client that hears nothing finds out after 33 s, and comes back after 30 s at most; what it then has to
# say, one after the other, takes a few tries and seconds each over the slowest lines.
HEAL_SECONDS: Final = 120.0

# How often roles change, compared with every single fault: often enough to meet the others.
ROLES_WEIGHT: Final = 3

# A node that is paused or dead never answers whoever gives a role.
GIVE_SECONDS: Final = 20.0

# How often it is looked whether all is quiet, and whether the nodes' documents are those of the log.
LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Result:
    seed: int
    violations: list[str]
    history: History
    trace: Trace
    virtual_seconds: float
    counts: dict[str, int]


def simulate(seed: int, *, verbose: bool = False) -> Result:
    """Run one seed to its end and check it. The same seed is the same run, to the last line of its trace."""
    trace = Trace(verbose=verbose)
    with small_limits(Random(f"limits {seed}")) as limits, _without_logging():
        world = World(seed, trace)
        failures = run_virtually(world.run(limits))
    violations = [*world.violations, *failures]
    violations += [f"{invariant}: {what}" for invariant, what in check(world.history)]
    return Result(seed, violations, world.history, trace, world.virtual_seconds, world.counts())


@contextlib.contextmanager
def _without_logging() -> Iterator[None]:
    """The product's warnings about faults are no news here."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


class World:
    def __init__(self, seed: int, trace: Trace) -> None:
        self.trace = trace
        self.history = History()
        self.violations: list[str] = []
        self.faults: Faults = draw_faults(Random(f"faults {seed}"))
        self._random = Random(f"world {seed}")
        self._seed = seed
        self._store = SimulatedStore(Random(f"store {seed}"), self.faults, trace)
        self._store.on_commit = self._on_commit
        self._nodes: list[SimulatedNode] = []
        self._starts = 0
        self._links = 0
        self._broken = 0
        self._words = FIRST_WORD
        self._texts: dict[str, list[str]] = {document: [""] for document in DOCUMENTS}
        self._edits: dict[str, list[EditApplied]] = {document: [] for document in DOCUMENTS}
        self._said: dict[str, int] = {}
        self._chat: dict[str, tuple[Row, ChatMessage]] = {}
        self._chat_position = 0  # of its last event
        self.pointers = PointersByUser()
        self._room: Room | None = None
        self._clients: list[SimulatedClient] = []
        self._homes: dict[str, int] = {}
        self._tasks: list[asyncio.Task[Any]] = []
        self.virtual_seconds = 0.0
        for document in DOCUMENTS:
            self.history.edits[document] = []
            self.history.texts[document] = [digest("")]

    # What happened.

    def _on_commit(self, rows: Sequence[Row]) -> None:
        """The oracle: every committed event, in the moment it is true."""
        for row in rows:
            event = row.event
            if isinstance(event, EditApplied):
                self._on_edit(row, event)
            elif isinstance(event, Posted):
                self._check_right(event, Action.POST)
                message = StoredMessage(row.position, event.message, event.client, event.text)
                self.history.messages.append(message)
                self._said[event.message] = row.position
            elif isinstance(event, ReceiptsRecorded):
                self.pointers.take(event.receipts)
            elif isinstance(event, Edited | Deleted | ReactionAdded | ReactionRemoved):
                self._check_right(event, Action.POST)
                self.history.changes.append(_as_change(row, event))
            elif row.stream == room_stream(ROOM):
                self._room = event.mutate(self._room)
            self._take_message(row, event)

    def _take_message(self, row: Row, event: Event) -> None:
        """The chat as it stands in the log."""
        if (about := message_of(event)) is not None:
            begun, message = self._chat.get(about[1], (row, None))
            changed = after(message, row.position, event)
            assert changed is not None
            self._chat[about[1]] = (begun, changed)
            self._chat_position = row.position

    def _check_right(self, event: Event, action: Action) -> None:
        """At this place in the log."""
        if self._room is None or not self._room.allows(event.actor, action):
            self.violations.append(f"{event.originator_id} {event.originator_version}: no right to {action}")

    def _on_edit(self, row: Row, event: EditApplied) -> None:
        self._check_right(event, Action.EDIT)
        document = row.stream.partition("/")[2]
        texts, edits = self._texts[document], self._edits[document]
        if event.revision != len(edits) + 1:
            self.violations.append(f"revision {event.revision} of {document} follows {len(edits)}")
        edits.append(event)
        texts.append(apply(texts[-1], event.op))
        self.history.texts[document].append(digest(texts[-1]))
        self.history.edits[document].append(
            StoredEdit(
                row.position,
                event.revision,
                event.client,
                event.seq,
                inserted_text(event.op),
                digest_of_op(event.op),
            )
        )

    def text_at(self, document: str, revision: int) -> str | None:
        texts = self._texts[document]
        return texts[revision] if revision < len(texts) else None

    def edit_at(self, document: str, revision: int) -> dict[str, Any] | None:
        edits = self._edits[document]
        return vars(edits[revision - 1]) if 0 < revision <= len(edits) else None

    def position_of(self, message: str) -> int:
        """Of a message in the log, 0 if it is not there."""
        return self._said.get(message, 0)

    def next_word(self) -> str:
        self._words += 1
        return chr(self._words)

    def counts(self) -> dict[str, int]:
        records = self.history.records
        return {
            "acknowledged": sum(record.kind == "ok" for record in records),
            "faults": self._broken,
            "unknown outcomes": self._store.unknown_outcomes,
            "refused streams": self._store.refused_streams,
            "node starts": self._starts,
            "links": self._links,
        }

    # Nodes and links.

    def _start_node(self, place: int) -> None:
        self._starts += 1
        node = SimulatedNode(
            f"node-{'ab'[place]}{self._starts}",
            self._store,
            Random(f"node {self._seed} {self._starts}"),
            self.trace,
            tell_others=self._tell_others,
            clock_skew_seconds=self.faults.clock_skew_seconds * place,
        )
        self._nodes[place : place + 1] = [node]
        node.start(lambda: {node.id for node in self._nodes if not node.is_dead})

    def _tell_others(self, teller: SimulatedNode, log: str) -> None:
        """Hints between nodes: late, lost, never needed."""
        for node in self._nodes:
            if node is not teller and not self._store.chance(self.faults.hint_loss):
                feed = node.record.feed if log == "record" else node.presence.feed
                delay = self.faults.hint_delay_seconds * self._random.uniform(0.5, 2.0)
                asyncio.get_running_loop().call_later(delay, feed.wake)

    def connect(self, client: SimulatedClient) -> Link | None:
        """A link to the client's node, sometimes to another; None if that is not there."""
        if self._random.random() < 0.3:
            self._homes[client.name] = self._random.randrange(NODES)
        node = self._nodes[self._homes.setdefault(client.name, self._random.randrange(NODES))]
        if not node.is_up:
            self._homes[client.name] = self._random.randrange(NODES)
            return None
        self._links += 1
        link = Link(
            Random(f"link {self._seed} {self._links}"),
            self.faults.latency_seconds * self._random.choice([0.5, 1.0, 2.0]),
            self.trace,
            f"link-{self._links}-{node.id}",
        )
        node.accept(link, ROOM)
        link.client_end = client
        return link

    # The run.

    async def run(self, limits: Sequence[str]) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        self.trace("world", "faults:", self.faults)
        self.trace("world", "small limits:", *limits)
        for place in range(NODES):
            self._start_node(place)
        await self._open_room()
        self._make_clients()
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(self._watch())
            active = [tasks.create_task(self._use(client)) for client in self._clients]
            active.append(tasks.create_task(self._break_things()))
            await asyncio.sleep(self.faults.active_seconds)
            for task in active:
                task.cancel()
            self._heal()
            await self._give_all_rights_back()
            for client in self._clients:
                client.open_all()
            await self._until_quiet()
            watch.cancel()
        await self._take_copies()
        self.virtual_seconds = loop.time() - begun

    async def _open_room(self) -> None:
        """The store is well at first, so that there is something to break."""
        self._store.is_faulty = False
        while not all(node.is_up for node in self._nodes):  # noqa: ASYNC110 -- virtual time
            await asyncio.sleep(0.1)
        node = self._nodes[0]
        await node.call(
            asyncio.ensure_future, node.services.rooms.open(ROOM, "Room", actor="world", everyone=Role.EDITOR)
        )
        self._store.is_faulty = True

    def _make_clients(self) -> None:
        for number in range(self._random.randint(3, 8)):
            random = Random(f"client {self._seed} {number}")
            client = SimulatedClient(f"c{number}", self, random)
            self._clients.append(client)

    async def _use(self, client: SimulatedClient) -> None:
        random = Random(f"user {self._seed} {client.name}")
        while True:
            await asyncio.sleep(random.expovariate(1 / self.faults.pause_seconds))
            client.act()

    async def _watch(self) -> None:
        """Whatever a node has in memory is the log's, all the time."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for node in self._nodes:
                self._compare_documents(node)

    def _compare_documents(self, node: SimulatedNode) -> None:
        for live in node.record.lives:  # looked at from outside, so that it does not count as a use
            found = live.committed
            if isinstance(found, Document) and str(found.text) != self.text_at(found.name, found.revision):
                self.violations.append(f"{node.id} has another {found.name} at {found.revision} than the log")

    # What goes wrong.

    async def _break_things(self) -> None:
        if not self.faults.events_per_second:
            return
        deeds: list[Callable[[], None]] = [
            self._crash_node,
            self._drain_node,
            self._pause_node,
            self._down_store,
            self._freeze_store,
            self._cut_off_node,
            self._cut_link,
            self._cut_link,
            self._cut_all_links,
            self._silence_link,
            self._stand_still,
            self._client_away,
            self._client_crash,
        ]
        deeds = self._random.sample(deeds, self._random.randint(2, len(deeds)))
        if self.faults.with_roles:
            deeds += [self._change_role] * ROLES_WEIGHT
        while True:
            await asyncio.sleep(self._random.expovariate(self.faults.events_per_second))
            self._broken += 1
            self._random.choice(deeds)()

    def _later(self, low: float, high: float, deed: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(self._random.uniform(low, high), deed)

    def _crash_node(self) -> None:
        place = self._random.randrange(NODES)
        if not self._nodes[place].is_dead:
            self._nodes[place].crash()
            self._later(0, 8, lambda: self._revive(place))

    def _drain_node(self) -> None:
        place = self._random.randrange(NODES)
        node = self._nodes[place]
        if node.is_up:
            self._tasks.append(asyncio.get_running_loop().create_task(node.drain()))
            self._later(6, 10, lambda: self._revive(place))

    def _pause_node(self) -> None:
        """It goes on where it was, long after everybody has gone elsewhere."""
        node = self._random.choice(self._nodes)
        if node.is_up:
            node.pause()
            self._later(0.5, self._random.choice([2.0, 10.0, 40.0]), node.resume)

    def _revive(self, place: int) -> None:
        if self._nodes[place].is_dead:
            self._start_node(place)

    def _down_store(self) -> None:
        self.trace("world", "the store goes down")
        self._store.go_down()
        self._later(0.1, 15, self._store.come_back)

    def _freeze_store(self) -> None:
        seconds = self._random.choice([0.5, 3.0, 7.0, 15.0])
        self.trace("world", "the store stands still for", seconds)
        self._store.frozen_until = asyncio.get_running_loop().time() + seconds

    def _cut_off_node(self) -> None:
        node = self._random.choice(self._nodes)
        self.trace("world", "cuts", node.id, "off from the store")
        node.connection.is_cut_off = True
        self._later(0.5, 12, lambda: setattr(node.connection, "is_cut_off", False))

    def _some_link(self) -> Link | None:
        links = [link for node in self._nodes for link in node.links]
        return self._random.choice(links) if links else None

    def _cut_link(self) -> None:
        if (link := self._some_link()) is not None:
            self.trace("world", "cuts", link.name)
            link.cut()

    def _cut_all_links(self) -> None:
        self.trace("world", "cuts all links")
        for node in self._nodes:
            for link in node.links:
                link.cut()

    def _silence_link(self) -> None:
        if (link := self._some_link()) is not None:
            self.trace("world", "silences", link.name)
            link.fall_silent()

    def _stand_still(self) -> None:
        if (link := self._some_link()) is not None:
            seconds = self._random.choice([0.5, 3.0, 7.0, 20.0])
            self.trace("world", link.name, "stands still for", seconds)
            link.stand_still(seconds)

    def _client_away(self) -> None:
        client = self._random.choice(self._clients)
        client.go_away()
        self._later(0.5, 30, client.return_)

    def _client_crash(self) -> None:
        client = self._random.choice(self._clients)
        if not client.is_away:
            client.crash()

    def _change_role(self) -> None:
        """Somebody may do more, or less, from now on; whoever gives roles does it on any node."""
        name = self._random.choice(self._clients).name
        role = self._random.choice([Role.VIEWER, Role.COMMENTER, Role.EDITOR])
        self._tasks.append(asyncio.get_running_loop().create_task(self._give_role(name, role)))

    async def _give_role(self, user: str, role: Role) -> bool:
        """Whether it was done, as far as is known."""
        living = [node for node in self._nodes if node.is_up]
        if not living:
            return False
        node = self._random.choice(living)
        self.trace("world", "makes", user, role, "on", node.id)
        giving = node.call(asyncio.ensure_future, node.services.members.put(ROOM, user, role, actor="world"))
        giving.add_done_callback(_take_note)  # it may end when nobody waits for it any more
        done, _ = await asyncio.wait([giving], timeout=GIVE_SECONDS)
        return bool(done) and not giving.cancelled() and giving.exception() is None

    # The end.

    def _heal(self) -> None:
        self.trace("world", "everything is healed")
        self._store.heal()
        for place, node in enumerate(self._nodes):
            node.connection.is_cut_off = False
            node.resume()
            self._revive(place)
        for client in self._clients:
            client.is_faulty = False
            client.return_()

    async def _give_all_rights_back(self) -> None:
        """So that everybody can bring home what they have typed since."""
        for task in self._tasks:
            await asyncio.wait([task])
        for client in self._clients:
            while not await self._give_role(client.name, Role.EDITOR):  # noqa: ASYNC110 -- virtual time
                await asyncio.sleep(LOOK_SECONDS)

    async def _until_quiet(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + HEAL_SECONDS
        while loop.time() < deadline:
            await asyncio.sleep(LOOK_SECONDS)
            for place, node in enumerate(self._nodes):
                if node.is_dead:
                    self._revive(place)
            if self._is_quiet():
                return
        self.violations += self._what_is_not_quiet()

    def _is_quiet(self) -> bool:
        return not self._what_is_not_quiet()

    def _what_is_not_quiet(self) -> list[str]:
        head = self._store.logs["record"].position
        noise = [f"{node.id} has not come to {head}" for node in self._nodes if not self._is_at(node, head)]
        present = {client.name for client in self._clients}
        for client in self._clients:
            if set(client.session.roster) != present:
                noise.append(f"{client.process} sees {sorted(client.session.roster)} in the room")
            if client.session.position < self._chat_position:
                noise.append(f"{client.process} has not heard the last of the chat")
            if not client.is_quiet:
                noise.append(f"{client.process} is not quiet {HEAL_SECONDS} s after everything was healed")
            for document, replica in client.replicas().items():
                if replica.revision != len(self._edits[document]):
                    noise.append(f"{client.process} has {document} at {replica.revision}")
        return noise

    @staticmethod
    def _is_at(node: SimulatedNode, position: int) -> bool:
        return node.is_up and node.record.feed.position == position and not node.record.commit.waiting_events

    async def _take_copies(self) -> None:
        copies = self.history.copies
        for document in DOCUMENTS:
            rows = self._store.logs["record"].streams.get(stream_of(document), [])
            folded = fold(rows)
            if folded is None:
                continue
            copies.append(Copy("the log", document, folded.revision, str(folded.text)))
            reader = HistoryOnNode(self._nodes[0].connection)
            from_snapshot = await reader.load(stream_of(document))
            assert isinstance(from_snapshot, Document)
            copies.append(Copy("a snapshot", document, from_snapshot.revision, str(from_snapshot.text)))
            for node in self._nodes:
                live = await node.call(asyncio.ensure_future, node.services.documents.get(ROOM, document))
                copies.append(Copy(node.id, document, live.revision, str(live.text)))
        for client in self._clients:
            self.history.present.add(client.process)
            for document, replica in client.replicas().items():
                copies.append(Copy(client.process, document, replica.revision, replica.text))
        self.history.chats.append(self._chat_of_log())
        self.history.chats += [client.chat for client in self._clients]
        self._check_stays()
        for node in self._nodes:
            self.violations += node.violations
        self.violations += self._store.violations

    def _chat_of_log(self) -> ChatCopy:
        messages = [
            (name, digest_of_json(as_message_event(Recorded(begun.position, begun.event), message)))
            for name, (begun, message) in self._chat.items()
        ]
        return ChatCopy("the log", tuple(messages), dict(self.pointers))

    def _check_stays(self) -> None:
        """A stay begins once and ends once, and nothing changes behind its end."""
        for stream, rows in self._store.logs["record"].streams.items():
            if stream.startswith("attendance:"):
                topics = [row.topic for row in rows]
                if topics.index(Joined.TOPIC) or Left.TOPIC in topics[:-1]:
                    self.violations.append(f"{stream} is {topics}")


def _take_note(done: asyncio.Future[Any]) -> None:
    if not done.cancelled():
        done.exception()


def _as_change(row: Row, event: Edited | Deleted | ReactionAdded | ReactionRemoved) -> StoredChange:
    message = row.stream.partition("/")[2]
    match event:
        case Edited():
            return StoredChange(row.position, "edit_message", message, event.actor, event.text)
        case Deleted():
            return StoredChange(row.position, "delete_message", message, event.actor, "")
        case ReactionAdded():
            return StoredChange(row.position, "react", message, event.actor, event.emoji)
        case ReactionRemoved():
            return StoredChange(row.position, "unreact", message, event.actor, event.emoji)
        case _:
            assert_never(event)
