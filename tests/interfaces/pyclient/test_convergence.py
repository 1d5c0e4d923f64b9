"""Many sessions, one server, and a network that loses, delays and cuts: everybody ends with the same.

Every text that is typed is a token of its own, so that it can be counted: in the log once, and in the
end once in everybody's text unless somebody deleted it.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.text_op import Op, apply, replace
from interfaces.pyclient import commands, notices
from interfaces.pyclient.notices import Status
from interfaces.pyclient.session import ClientSession
from tests.interfaces.pyclient.model_server import ModelConnection, ModelServer, error

Frame = dict[str, Any]
DOCUMENT = "main.md"

# From the BMP, from beyond it, and with a joiner: what the clients count must be code points.
FIRST_TOKENS = (0x4E00, 0x1F300, 0xAC00, 0x20000)


class Person:
    """A session with its network, and an editor that knows nothing but the session's notices."""

    def __init__(self, world: World, name: str, first_token: int, *, compose: bool) -> None:
        self.world = world
        self.session = ClientSession(name, compose=compose)
        self.session.open(DOCUMENT, world.now, create=True)
        self.connection: ModelConnection | None = None
        self.up: deque[Frame] = deque()
        self.text: str | None = None
        self.next_token = first_token
        self.typed: list[str] = []
        self.said: list[str] = []
        self.commands: dict[int, str | None] = {}
        """Which message was said, if one was, by the number of the command."""
        self.done: set[int] = set()
        self.texts = 0
        self.acked_posts: list[str] = []
        self.acked_seqs: dict[int, int] = {}
        self.heard: list[str] = []
        self.refused: list[str] = []

    # What the person does.

    def type(self, place: float, deleted: int) -> None:
        if self.text is None:
            return
        token = chr(self.next_token)
        self.next_token += 1
        position = int(place * len(self.text))
        deleted = min(deleted, len(self.text) - position)
        op = replace(position, deleted, token)
        self.session.edit(DOCUMENT, op, self.world.now)
        self.text = apply(self.text, op)
        self.typed.append(token)
        self.after()

    def say(self) -> None:
        message = f"{self.session.client}-{len(self.said)}"
        self.do(commands.post(message, "hello"), message)
        self.said.append(message)

    def say_otherwise(self, number: int) -> None:
        if self.said:
            message = self.said[number % len(self.said)]
            self.texts += 1
            self.do(commands.edit_message(message, f"{self.session.client} {self.texts}"))

    def react(self, number: int, reacted: bool) -> None:
        messages = list(self.session.chat.messages)
        if messages:
            self.do(commands.react(messages[number % len(messages)], "👍", reacted=reacted))

    def read(self, number: int) -> None:
        messages = list(self.session.chat.messages.values())
        if messages:
            self.session.read(messages[number % len(messages)]["position"], self.world.now)
            self.after()

    def do(self, request: Frame, message: str | None = None) -> None:
        self.commands[self.session.do(request, self.world.now)] = message
        self.after()

    def point(self, place: float) -> None:
        if self.text is not None:
            position = int(place * len(self.text))
            self.session.cursor(DOCUMENT, position, len(self.text), self.world.now)
            self.after()

    # What the network does.

    def connect(self) -> None:
        if self.session.status is Status.OFFLINE:
            self.connection = self.world.server.connect()
            self.session.on_connected(self.world.now)
            self.after()

    def cut(self, code: int | None = None) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None
            self.up.clear()
            self.session.on_disconnected(self.world.now, code)
            self.after()

    def send(self, count: int) -> None:
        """The server hears some of what was sent."""
        for _ in range(min(count, len(self.up))):
            if self.connection is not None:
                self.connection.receive(self.up.popleft())

    def send_twice(self) -> None:
        """As a proxy that was too careful."""
        if self.connection is not None and self.up and self.up[0]["type"] != "hello":
            self.connection.receive(self.up[0])

    def hear(self, count: int) -> None:
        """The session hears some of what the server sent."""
        connection = self.connection
        for _ in range(min(count, len(connection.outbox) if connection else 0)):
            assert connection is not None
            self.session.on_frame(connection.outbox.popleft(), self.world.now)
            self.after()

    def tick(self) -> None:
        self.session.on_time(self.world.now)
        self.after()

    def after(self) -> None:
        self.up.extend(self.session.frames_to_send())
        for notice in self.session.take_notices():
            self.on_notice(notice)
        if self.session.close_wanted:
            self.cut()

    def on_notice(self, notice: notices.Notice) -> None:
        match notice:
            case notices.DocumentOpened() if self.text is None:
                self.text = self.session.replica(DOCUMENT).text
            case notices.DocumentReset():
                self.text = self.session.replica(DOCUMENT).text
            case notices.Edited():
                self.change(notice.op)
            case notices.EditRefused():
                self.change(notice.undo)
                self.refused += inserted(notice.refused)
            case notices.Acked():
                assert notice.seq not in self.acked_seqs
                self.acked_seqs[notice.seq] = notice.revision
            case notices.CommandDone():
                self.on_done(notice.command)
            case notices.MessageReceived():
                self.heard.append(notice.message)
            case notices.UnsentText():
                pytest.fail(notice.reason)
            case _:
                pass

    def on_done(self, command: int) -> None:
        assert command not in self.done
        self.done.add(command)
        if (message := self.commands[command]) is not None:
            self.acked_posts.append(message)

    def has_heard(self, server: ModelServer) -> bool:
        """Everything of the chat, and the server of how far we have got it."""
        chat, user = self.session.chat, self.session.user
        pointers = {name: (told["delivered"], told["read"]) for name, told in server.receipts.items()}
        return (
            chat.pointers == pointers
            and chat.pointers_of(user).delivered >= chat.last_from_others(user)
            and self.session.position == len(server.log)
        )

    def change(self, op: Op) -> None:
        assert self.text is not None
        self.text = apply(self.text, op)


class World:
    def __init__(self, *, people: int = 3, compose: bool = True) -> None:
        self.now = 0.0
        self.server = ModelServer()
        self.people = [
            Person(self, f"p{number}", FIRST_TOKENS[number], compose=compose) for number in range(people)
        ]

    def remember_little(self) -> None:
        """So that the roads for clients that come late are taken often."""
        self.server.catch_up_limit = 3
        self.server.page_limit = 2
        self.server.base_limit = 4

    def do(self, action: tuple[Any, ...]) -> None:
        kind, who, *rest = action
        person = self.people[who % len(self.people)]
        match kind:
            case "wait":
                self.pass_time(rest[0])
            case "refuse":
                self.server.refusals.append(error(rest[0], retry_after=0.1 if rest[1] else None))
            case "forget":
                self.server.resume_after = len(self.server.log)
            case _:
                getattr(person, kind)(*rest)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for person in self.people:
            person.tick()

    def heal(self) -> None:
        """Connect everybody and let everything through until nothing is left to do."""
        self.server.refusals.clear()
        for _ in range(100):
            for person in self.people:
                person.connect()
                person.send(10_000)
                person.hear(10_000)
            if self.is_quiet():
                return
            self.pass_time(1.0)
        pytest.fail("somebody is stuck")

    def is_quiet(self) -> bool:
        revision = self.server.documents[DOCUMENT].revision if self.server.documents else -1
        return all(
            person.session.is_saved
            and person.text is not None
            and person.session.replica(DOCUMENT).revision == revision
            and person.has_heard(self.server)
            and not person.up
            and not (person.connection and person.connection.outbox)
            for person in self.people
        )

    def check(self) -> None:
        document = self.server.documents[DOCUMENT]
        for person in self.people:
            assert person.session.replica(DOCUMENT).text == document.text
            assert person.text == document.text, "the notices tell another story than the replica"
        self.check_edits(document.edits)
        self.check_posts()
        self.check_chat()

    def check_edits(self, edits: list[Frame]) -> None:
        logged = Counter(token for event in edits for token in inserted(event["op"]))
        assert set(logged.values()) <= {1}, "something was stored twice"
        stored = {(event["client"], event["seq"]): event["revision"] for event in edits}
        for person in self.people:
            client = person.session.client
            seqs = [seq for owner, seq in stored if owner == client]
            assert seqs == list(range(1, len(seqs) + 1))
            assert person.acked_seqs == {seq: stored[client, seq] for seq in seqs}

    def check_posts(self) -> None:
        log = [event["message"] for event in self.server.log if event["event"] == "message"]
        for person in self.people:
            mine = [message for message in log if message.startswith(person.session.client + "-")]
            assert mine == person.said, "lost, twice, or out of order"
            assert sorted(person.acked_posts) == sorted(person.said)
            assert person.heard == log[len(log) - len(person.heard) :], "told twice or out of order"

    def check_chat(self) -> None:
        """Everybody knows the last messages, as they stand, and what was asked for has come true once."""
        for person in self.people:
            known = list(person.session.chat.messages.values())
            stored = list(self.server.messages.values())
            assert known == stored[len(stored) - len(known) :]
            assert person.done == set(person.commands)
        edits = [event["text"] for event in self.server.log if event["event"] == "message_edited"]
        assert len(edits) == len(set(edits))
        assert len(edits) == sum(person.texts for person in self.people)


def inserted(op: Op) -> Iterable[str]:
    return (char for component in op if isinstance(component, str) for char in component)


PEOPLE = st.integers(0, 2)
PLACES = st.floats(0, 1)
COUNTS = st.integers(1, 4)


def actions(deletes: st.SearchStrategy[int], codes: list[str]) -> st.SearchStrategy[list[Any]]:
    return st.lists(
        st.one_of(
            st.tuples(st.just("type"), PEOPLE, PLACES, deletes),
            st.tuples(st.just("type"), PEOPLE, PLACES, deletes),
            st.tuples(st.just("send"), PEOPLE, COUNTS),
            st.tuples(st.just("hear"), PEOPLE, COUNTS),
            st.tuples(st.just("hear"), PEOPLE, COUNTS),
            st.tuples(st.sampled_from(["connect", "cut", "send_twice", "say"]), PEOPLE),
            st.tuples(st.just("point"), PEOPLE, PLACES),
            st.tuples(st.sampled_from(["say_otherwise", "read"]), PEOPLE, COUNTS),
            st.tuples(st.just("react"), PEOPLE, COUNTS, st.booleans()),
            st.tuples(st.just("wait"), PEOPLE, st.sampled_from([0.1, 5.0, 40.0])),
            st.tuples(st.just("refuse"), PEOPLE, st.sampled_from(codes), st.booleans()),
            st.tuples(st.just("forget"), PEOPLE),
        ),
        max_size=120,
    )


NOT_NOW = ["E_BUSY", "E_STORE", "E_RATE"]


# How often each thing happens in a long run.
WEIGHTS = {
    "type": 8.0,
    "send": 5.0,
    "hear": 8.0,
    "connect": 2.0,
    "cut": 1.0,
    "send_twice": 1.0,
    "say": 1.0,
    "say_otherwise": 0.5,
    "react": 1.0,
    "read": 0.5,
    "point": 1.0,
    "wait": 1.0,
    "refuse": 0.5,
    "forget": 0.3,
}


def long_run(seed: int, codes: list[str]) -> list[Any]:
    """Three hundred steps: a story longer than Hypothesis tells, at the price of not being shrunk."""
    chance = random.Random(seed)
    steps: list[Any] = []
    for kind in chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=300):
        rest: dict[str, tuple[Any, ...]] = {
            "type": (chance.random(), chance.randrange(4)),
            "send": (chance.randint(1, 4),),
            "hear": (chance.randint(1, 4),),
            "point": (chance.random(),),
            "say_otherwise": (chance.randrange(9),),
            "read": (chance.randrange(9),),
            "react": (chance.randrange(9), chance.random() < 0.7),
            "wait": (chance.choice([0.1, 5.0, 40.0]),),
            "refuse": (chance.choice(codes), chance.random() < 0.5),
        }
        steps.append((kind, chance.randrange(3), *rest.get(kind, ())))
    return steps


def run(world: World, steps: list[Any]) -> None:
    """From people who are in the room, through `steps`, to peace."""
    world.heal()
    for step in steps:
        world.do(step)
    world.heal()
    world.check()


@given(st.integers(0, 2**32), st.booleans(), st.booleans())
def test_long_stories_end_well(seed: int, compose: bool, remembers_little: bool) -> None:
    world = World(compose=compose)
    if remembers_little:
        world.remember_little()
    run(world, long_run(seed, NOT_NOW))


@given(st.booleans(), actions(st.integers(0, 3), NOT_NOW))
def test_all_copies_become_equal_and_everything_is_stored_once(compose: bool, steps: list[Any]) -> None:
    run(World(compose=compose), steps)


@given(actions(st.just(0), NOT_NOW))
def test_nothing_typed_is_ever_lost(steps: list[Any]) -> None:
    world = World()
    run(world, steps)
    typed = sorted(token for person in world.people for token in person.typed)
    assert sorted(world.server.documents[DOCUMENT].text) == typed


@given(actions(st.integers(0, 3), NOT_NOW))
def test_a_server_that_remembers_little_loses_nothing_either(steps: list[Any]) -> None:
    world = World()
    world.remember_little()
    run(world, steps)


@given(actions(st.just(0), [*NOT_NOW, "E_DOC_SIZE", "E_SEQ", "E_ID_REUSED", "E_NOT_JOINED"]))
def test_what_is_refused_is_handed_back_and_the_rest_is_stored(steps: list[Any]) -> None:
    world = World()
    # A post refused for good is another story, told elsewhere.
    run(world, [step for step in steps if step[0] not in {"say", "say_otherwise", "react"}])
    kept = list(world.server.documents[DOCUMENT].text)
    typed = [token for person in world.people for token in person.typed]
    refused = [token for person in world.people for token in person.refused]
    assert sorted(kept + refused) == sorted(typed)
