"""Two rooms with a week of work in them: what the questions of docs/analytics.md are answered from.

All of it goes through the application on a real log, by a clock that the script sets, so that it comes out
the same each time. The texts are recorded sessions (tests/traces).
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from application.attendances import Stay
from application.documents import digest
from application.identity import Identity
from application.past.past import Past
from application.past.undo import Selection
from application.services import Services
from domain.attendance import Appearance, Status
from domain.document import Edit
from domain.rights import Role
from domain.run import Outcome
from domain.text_op import Op
from infrastructure import node as module
from infrastructure.node import Node
from infrastructure.postgres.database import Database
from infrastructure.postgres.migrations import migrate
from infrastructure.sealing import Keyring
from infrastructure.settings import Settings
from interfaces.load.traces import read
from tests.trace_texts import TRACES, committed
from tests.waiting import until

ROOM: Final = "atelier"
OTHER: Final = "studio"
STORY, BOOKS, CODE, PLAN = "story.md", "books.md", "Counter.svelte", "plan.md"

# The recorded order was made at this pace, or, where years went by between two edits, so many seconds each.
STORY_LINES: Final = 400
STORY_PACE: Final = 8
CODE_LINES: Final = 120
BOOKS_SECONDS: Final = 97
CODE_SECONDS: Final = 40


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 16, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def set(self, day: int, hour: int, minute: int = 0) -> datetime:
        """A time in November 2026."""
        self.moment = datetime(2026, 11, day, hour, minute, tzinfo=UTC)
        return self.moment


@asynccontextmanager
async def sample_node(
    database: Database, clock: Clock, keyring: Keyring | None = None
) -> AsyncIterator[tuple[Node, Services]]:
    """A node that lives by this clock, and whose ids can be foreseen."""
    numbers: Iterator[int] = itertools.count(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_now", clock.now)
        patch.setattr(module, "_new_id", lambda: f"made-{next(numbers)}")
        node = Node(Settings(), database, keyring)
        services = node.services(await node.history.epoch())
        await node.start()
        try:
            yield node, services
        finally:
            await node.close()


class Sample:
    """Does what people do, and waits until it is in the log."""

    def __init__(self, node: Node, services: Services, past: Past, clock: Clock) -> None:
        self._node = node
        self.services = services
        self.past = past
        self.clock = clock
        self._seqs: dict[tuple[str, str, str], int] = {}
        self._stays: dict[tuple[str, str], Stay] = {}

    async def settled(self) -> None:
        """Until nothing is on its way into a log, or back."""
        logs = (self._node.record, self._node.presence)
        await until(lambda: not any(live.is_busy for log in logs for live in log.lives))

    async def type(self, room: str, document: str, edits: Sequence[tuple[datetime, str, Op]]) -> None:
        """Edits as their authors sent them, each made on all before it."""
        revision = (await self.services.documents.get(room, document)).revision
        for at, who, op in edits:
            key = room, document, who
            self._seqs[key] = self._seqs.get(key, 0) + 1
            self.clock.moment = at
            edit = Edit(f"{who}-laptop", self._seqs[key], revision, op, digest(revision, op))
            done = self.services.documents.edit(room, document, edit, actor=who)
            revision += 1
        await done
        await self.settled()

    async def say(self, room: str, message: str, who: str, text: str, reply_to: str | None = None) -> None:
        await self.services.messages.post(
            room, message, client=f"{who}-laptop", text=text, documents={}, actor=who, reply_to=reply_to
        )

    async def point(self, room: str, who: str, document: str, *place: int) -> None:
        """Move a cursor. It comes into the log with what else moves in this moment."""
        before = self._node.presence.feed.position
        self.services.cursors.move(room, f"{who}-laptop", document, *place)
        await until(lambda: self._node.presence.feed.position > before)

    async def come(self, room: str, who: str, session: str, name: str | None = None) -> None:
        appearance = Appearance(name or who.title(), "#336699")
        self._stays[room, session] = self.services.attendances.stay(
            room, session, client=f"{who}-laptop", appearance=appearance, actor=who
        )
        await self.settled()

    async def become(self, room: str, session: str, status: Status) -> None:
        self._stays[room, session].declare(status)
        await self.settled()

    async def go(self, room: str, session: str, reason: str = "left") -> None:
        self._stays.pop((room, session)).end(reason)
        await self.settled()


def story(start: datetime) -> list[tuple[datetime, str, Op]]:
    """Two people who write a story together."""
    lines = read(TRACES / "clownschool.jsonl.gz").lines[:STORY_LINES]
    people = {0: "ada", 2: "ben", 1: "cem"}
    return [
        (start + timedelta(seconds=STORY_PACE * line.at), people[line.agent], op)
        for line, op in zip(lines, committed(lines), strict=True)
    ]


def books(start: datetime) -> list[tuple[datetime, str, Op]]:
    """A page with a long first text, and many hands after it."""
    lines = read(TRACES / "books-ja.jsonl.gz").lines
    people = ("ada", "ben", "cem", "ada", "cem")
    return [
        (start + timedelta(seconds=BOOKS_SECONDS * line.number), people[line.agent % len(people)], op)
        for line, op in zip(lines, committed(lines), strict=True)
    ]


def code(start: datetime) -> list[tuple[datetime, str, Op]]:
    """One person's evening."""
    lines = read(TRACES / "sveltecomponent.jsonl.gz", CODE_LINES).lines
    return [
        (start + timedelta(seconds=CODE_SECONDS * line.number), "ben", op)
        for line, op in zip(lines, committed(lines), strict=True)
    ]


async def fill(node: Node, services: Services, clock: Clock) -> None:
    """The week."""
    sample = Sample(node, services, node.past(services), clock)
    await _monday(sample)
    await _tuesday_and_wednesday(sample)
    await _thursday(sample)
    await _next_monday(sample)
    await _elsewhere(sample)


async def _monday(sample: Sample) -> None:
    clock, services = sample.clock, sample.services
    at = clock.set(16, 9)
    for who in ("ada", "ben"):
        await services.profiles.enter(Identity(who, who.title(), at, at + timedelta(days=30)))
    await services.rooms.open(ROOM, "The atelier", actor="ada")
    for who, role in (("ben", Role.EDITOR), ("cem", Role.EDITOR), ("dora", Role.COMMENTER)):
        await services.members.put(ROOM, who, role, actor="ada")
    await _create(services, STORY, BOOKS, CODE)
    clock.set(16, 9, 5)
    await sample.come(ROOM, "ada", "ada-monday")
    await sample.come(ROOM, "ben", "ben-monday")
    await sample.say(ROOM, "m1", "ada", "Shall we write? @ben @dora")
    clock.set(16, 9, 7)
    await sample.say(ROOM, "m2", "ben", "I begin at the top.")
    await sample.become(ROOM, "ada-monday", Status.EDITING)
    await sample.become(ROOM, "ben-monday", Status.EDITING)
    await sample.type(ROOM, STORY, story(clock.set(16, 9, 10)))
    await sample.point(ROOM, "ada", STORY, 400, 10, 12)
    clock.set(16, 9, 30)
    await (await services.revisions.save(ROOM, STORY, 400, name="first draft", actor="ada"))
    await services.messages.react(ROOM, "m2", "👍", is_on=True, actor="ada")
    await sample.become(ROOM, "ada-monday", Status.AWAY)
    await sample.go(ROOM, "ben-monday")
    clock.set(16, 11)
    await sample.go(ROOM, "ada-monday", "lost")


async def _create(services: Services, *documents: str, room: str = ROOM, actor: str = "ada") -> None:
    for document in documents:
        await services.rooms.list_document(room, document, actor=actor)
        await services.documents.create(room, document, actor=actor)


async def _tuesday_and_wednesday(sample: Sample) -> None:
    clock, services = sample.clock, sample.services
    clock.set(17, 9, 50)
    await sample.come(ROOM, "cem", "cem-tuesday")
    await sample.say(ROOM, "m3", "cem", "@dora, which of the books do you know?")
    await sample.type(ROOM, BOOKS, books(clock.set(17, 10)))
    clock.set(17, 14)
    await sample.say(ROOM, "m4", "dora", "All of them. @cem look at the second.", "m3")
    clock.set(17, 14, 10)
    await services.messages.react(ROOM, "m4", "🎉", is_on=True, actor="cem")
    await services.messages.react(ROOM, "m4", "🎉", is_on=False, actor="cem")
    await sample.go(ROOM, "cem-tuesday")
    clock.set(17, 14, 20)
    await sample.past.undo.undo(ROOM, BOOKS, Selection(first=100, last=104), actor="ada")
    clock.set(18, 22)
    await sample.come(ROOM, "ben", "ben-wednesday", "Ben at night")
    await sample.become(ROOM, "ben-wednesday", Status.EDITING)
    await sample.type(ROOM, CODE, code(clock.set(18, 22, 5)))
    clock.set(18, 23, 40)
    await sample.past.undo.undo_mine(ROOM, CODE, actor="ben")
    clock.set(18, 23, 41)
    await sample.past.undo.redo_mine(ROOM, CODE, actor="ben")
    await (
        await services.runs.start(
            ROOM, "run-1", client="ben-laptop", title="npm test", document=CODE, revision=100, actor="ben"
        )
    )
    clock.set(18, 23, 44)
    await services.runs.finish(ROOM, "run-1", Outcome.FAILED, 1, client="ben-laptop", actor="ben")
    await sample.go(ROOM, "ben-wednesday")


async def _thursday(sample: Sample) -> None:
    clock, services = sample.clock, sample.services
    clock.set(19, 13)
    link = await services.members.invite(ROOM, Role.VIEWER, lifetime=timedelta(days=1), uses=1, actor="ada")
    clock.set(19, 14)
    await services.members.accept(ROOM, link.invitation, link.secret, actor="eve")
    await sample.come(ROOM, "eve", "eve-thursday")
    clock.set(19, 14, 30)
    await services.profiles.disable("ben", actor="root")
    clock.set(19, 15)
    await services.receipts.move(ROOM, "eve", delivered=600, read=500)
    clock.set(19, 15, 45)
    await services.profiles.enable("ben", actor="root")
    clock.set(19, 16, 15)
    await sample.go(ROOM, "eve-thursday")


async def _next_monday(sample: Sample) -> None:
    clock, services, past = sample.clock, sample.services, sample.past
    clock.set(23, 8)
    await services.rooms.rename(ROOM, "The old atelier", actor="ada")
    await services.members.put(ROOM, "finn", Role.EDITOR, actor="ada")
    await services.members.put(ROOM, "dora", Role.EDITOR, actor="ada")
    await services.members.remove(ROOM, "cem", actor="ada")
    await services.rooms.change_access(ROOM, Role.VIEWER, actor="ada")
    await _create(services, PLAN, actor="finn")
    clock.set(23, 8, 30)
    await sample.come(ROOM, "finn", "finn-monday")
    await sample.come(ROOM, "gil", "gil-monday")
    start = clock.set(23, 8, 35)
    plan: list[tuple[str, Op]] = [
        ("finn", ["Plan: "]),
        ("finn", [6, "write, "]),
        ("dora", [13, "draw, 😀 "]),
        ("finn", [6, {"d": "write, "}]),
        ("dora", ["The "]),
    ]
    await sample.type(
        ROOM, PLAN, [(start + timedelta(minutes=4 * n), who, op) for n, (who, op) in enumerate(plan)]
    )
    clock.set(23, 9)
    await past.undo.undo(ROOM, PLAN, Selection(user="finn", first=4, last=4), actor="dora")
    clock.set(23, 9, 5)
    await sample.say(ROOM, "m5", "finn", "@ada is this how it goes? @ben")
    clock.set(23, 9, 20)
    await sample.say(ROOM, "m6", "dora", "It is.", "m5")
    clock.set(23, 9, 21)
    await services.messages.edit(ROOM, "m6", "It is. Ask @ben too.", actor="dora")
    await services.messages.react(ROOM, "m5", "👍", is_on=True, actor="ada")
    clock.set(23, 9, 22)
    await sample.say(ROOM, "m7", "finn", "never mind, @dora")
    await services.messages.delete(ROOM, "m7", actor="finn")
    clock.set(23, 9, 25)
    await past.branches.start(ROOM, PLAN, 6, "plan-b.md", actor="dora")
    await sample.type(ROOM, "plan-b.md", [(clock.set(23, 9, 26), "dora", ["B: "])])
    await past.branches.merge(ROOM, "plan-b.md", actor="dora")
    await past.restore.restore(ROOM, PLAN, 5, actor="finn")
    await services.rooms.unlist_document(ROOM, "plan-b.md", actor="dora")
    clock.set(23, 9, 45)
    await sample.go(ROOM, "gil-monday", "drained")
    clock.set(23, 12)
    await sample.go(ROOM, "finn-monday")


async def _elsewhere(sample: Sample) -> None:
    """Another room with the same people and names, which has nothing to do with an answer about the first."""
    clock, services = sample.clock, sample.services
    clock.set(17, 9)
    await services.rooms.open(OTHER, "A studio", actor="ben", everyone=Role.EDITOR)
    await _create(services, STORY, PLAN, room=OTHER, actor="ben")
    await sample.come(OTHER, "ada", "ada-monday")
    start = clock.set(17, 9, 1)
    ops: list[tuple[str, Op]] = [("ada", ["x" * 500]), ("ben", ["y"]), ("cem", ["z"]), ("eve", ["secret "])]
    await sample.type(
        OTHER, STORY, [(start + timedelta(seconds=n), who, op) for n, (who, op) in enumerate(ops)]
    )
    await sample.past.undo.undo(OTHER, STORY, Selection(first=2, last=3), actor="eve")
    await sample.say(OTHER, "m1", "ada", "Nobody answers, @ben")
    clock.set(17, 9, 2)
    await sample.say(OTHER, "m2", "eve", "I do", "m1")
    await services.messages.react(OTHER, "m2", "👍", is_on=True, actor="ada")
    await sample.point(OTHER, "ada", STORY, 4, 1, 1)
    clock.set(17, 10)
    await sample.go(OTHER, "ada-monday")
    await services.rooms.close(OTHER, actor="ben")


async def make_sample(url: str) -> None:
    """Bring an empty database to the two rooms, with all its tables caught up."""
    database = Database(url)
    await database.open()
    try:
        async with await database.connect("migrations") as connection:
            await migrate(connection)
        clock = Clock()
        async with sample_node(database, clock) as (node, services):
            await fill(node, services, clock)
            end = await node.record.store.position()
            await until(lambda: all(projector.position >= end for projector in node.projectors))
    finally:
        await database.close()
