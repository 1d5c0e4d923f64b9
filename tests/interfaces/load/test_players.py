"""Players of a trace whose server takes and tells edits in any order that it likes.

The traces are made here, so that what everybody had in sight is known. The server transforms and tells
as the real one does; its clients are those of the product. Only the sockets are missing, and with them
all that is not left to chance.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from domain.text_op import Op, apply, replace, transform
from interfaces.load.author import Author
from interfaces.load.board import Board
from interfaces.load.client import LoadClient, OnEdit
from interfaces.load.failures import LoadFailed
from interfaces.load.players import TracePlayer
from interfaces.load.traces import Line, barriers
from interfaces.pyclient import replica
from interfaces.pyclient.notices import Acked, Edited

# Enough for any order of some ten edits under way to come up.
STEPS_MOST = 100_000

# Each line inserts one character that is only its own, so that nothing can be inserted within it.
FIRST_TOKEN = 0x4E00


def _token(number: int) -> str:
    return chr(FIRST_TOKEN + number)


class Recorder:
    """An agent of the session that is recorded: text, version, and what of its own is in flight."""

    def __init__(self) -> None:
        self.text = ""
        self.version = 0
        self.in_flight: list[Op] = []

    def take_in(self, ops: list[tuple[int, Op]], agent: int) -> None:
        for author, op in ops:
            self.version += 1
            if author == agent:
                self.in_flight.pop(0)
                continue
            for place, own in enumerate(self.in_flight):
                self.in_flight[place] = transform(own, op, "left")
                op = transform(op, own, "right")
            self.text = apply(self.text, op)


def record(chance: random.Random, agents: int, count: int) -> list[Line]:
    """A session in which everybody is behind as chance has it."""
    server: list[tuple[int, Op]] = []
    people = [Recorder() for _ in range(agents)]
    lines = []
    for number in range(count):
        agent = chance.randrange(agents)
        person = people[agent]
        person.take_in(server[person.version : chance.randint(person.version, number)], agent)
        op = replace(chance.randint(0, len(person.text)), 0, _token(number))
        lines.append(Line(number, 0.0, agent, person.version, op))
        person.text = apply(person.text, op)
        person.in_flight.append(op)
        server.append((agent, _as_committed(person, server, agent)))
    return lines


def _as_committed(person: Recorder, server: list[tuple[int, Op]], agent: int) -> Op:
    """The last op in flight, as it comes out behind everything that the server has."""
    ahead = Recorder()
    ahead.text, ahead.version, ahead.in_flight = person.text, person.version, person.in_flight.copy()
    ahead.take_in(server[person.version :], agent)
    (op,) = ahead.in_flight
    return op


class Room:
    """The server, its clients, and chance in the place of sockets."""

    def __init__(self, chance: random.Random, agents: int) -> None:
        self.chance = chance
        self.committed: list[dict[str, Any]] = []
        self.clients = [SocketlessClient(f"c{agent}") for agent in range(agents)]

    def steps(self) -> Iterator[None]:
        """One edit is taken or told after the other, whichever it may be, until nothing is left to do."""
        while True:
            can_send = [client for client in self.clients if client.next_edit is not None]
            can_hear = [client for client in self.clients if client.replica.revision < len(self.committed)]
            if not (can_send or can_hear):
                yield
                continue
            chosen = self.chance.randrange(len(can_send) + len(can_hear))
            if chosen < len(can_send):
                self.commit(can_send[chosen])
            else:
                client = can_hear[chosen - len(can_send)]
                several = self.chance.randint(1, 3)
                client.hear(self.committed[client.replica.revision :][:several])
            yield

    def commit(self, client: SocketlessClient) -> None:
        sent = client.next_edit
        assert sent is not None
        op = sent.op
        for earlier in self.committed[sent.base :]:
            op = transform(op, earlier["op"], "left")
        revision = len(self.committed) + 1
        self.committed.append({"client": client.id, "seq": sent.seq, "revision": revision, "op": op})
        client.sent = sent.seq


class SocketlessClient:
    """Of a `LoadClient` what a player uses."""

    def __init__(self, client: str) -> None:
        self.id = client
        self.replica = replica.Replica(client, "", 0, 0, compose=False)
        self.on_edit: OnEdit = lambda edit: None
        self.stirred = asyncio.Event()
        self.failure: LoadFailed | None = None
        self.sent = 0
        """The last number that came to the server."""

    def edit(self, op: Op) -> None:
        self.replica.edit(op)

    @property
    def next_edit(self) -> replica.Sent | None:
        """The edit that has not come to the server yet."""
        sent = self.replica.next_edit()
        return sent if sent is not None and sent.seq > self.sent else None

    def hear(self, events: list[dict[str, Any]]) -> None:
        """Take a frame of them in, and then tell of it."""
        told: list[Acked | Edited] = []
        for event in events:
            taken = self.replica.take(event)
            if isinstance(taken, replica.Acked):
                told.append(Acked("d", taken.seq, taken.revision, taken.through))
            else:
                assert isinstance(taken, replica.Foreign)
                told.append(Edited("d", event["revision"], event["client"], "", taken.op, 0))
        for edit in told:
            self.on_edit(edit)
        self.stirred.set()


class SeeingAuthor(Author):
    """One that keeps the text in sight, and what was in it at each writing."""

    def __init__(self) -> None:
        super().__init__()
        self.sight = ""
        self.seen: list[set[int]] = []

    def look(self, revision: int) -> list[int]:
        for foreign, op in self._unseen:
            if foreign <= revision:
                self.sight = apply(self.sight, op)
        return super().look(revision)

    def write(self, op: Op) -> Op:
        self.seen.append({ord(token) - FIRST_TOKEN for token in self.sight})
        self.sight = apply(self.sight, op)
        return super().write(op)


async def play(chance: random.Random, lines: list[Line], agents: int) -> list[str]:
    """Play the lines; every copy at the end, the server's first. Asserts who saw what."""
    room, board, order = Room(chance, agents), Board(lines), barriers(lines)
    players = []
    for agent, client in enumerate(room.clients):
        own = [line for line in lines if line.agent == agent]
        player = TracePlayer(cast("LoadClient", client), own, order, board, None)
        player._author = SeeingAuthor()
        players.append((player, own))
    tasks = [asyncio.ensure_future(player.play(0.0)) for player, _ in players]
    steps = room.steps()
    for _ in range(STEPS_MOST):
        await asyncio.sleep(0)
        if all(task.done() for task in tasks):
            break
        next(steps)
    await asyncio.gather(*tasks)
    for player, own in players:
        author = cast("SeeingAuthor", player._author)
        assert author.seen == [_in_sight(line, lines) for line in own]
    text = ""
    for event in room.committed:
        text = apply(text, event["op"])
    for client in room.clients:
        client.hear(room.committed[client.replica.revision :])
    return [text, *(client.replica.text for client in room.clients)]


def _in_sight(line: Line, lines: list[Line]) -> set[int]:
    """Foreign lines before its version, own lines before it."""
    return {
        other.number
        for other in lines[: line.number]
        if other.agent == line.agent or other.number < line.base
    }


@given(seed=st.integers(0, 2**32), agents=st.integers(1, 5), count=st.integers(1, 40))
def test_every_line_is_written_on_what_its_author_saw_and_all_copies_are_equal(
    seed: int, agents: int, count: int
) -> None:
    chance = random.Random(seed)
    lines = record(chance, agents, count)
    texts = asyncio.run(play(chance, lines, agents))
    assert len(set(texts)) == 1
    assert sorted(texts[0]) == [_token(number) for number in range(count)]
