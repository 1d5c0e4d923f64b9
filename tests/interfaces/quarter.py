"""A room in which five people have worked for two weeks: recorded editing (tests/traces), given to them in
turns at hours at which people work, with a chat, stays, runs and named revisions around it.

Made by the aggregates themselves, always the same. What some are called, and some of what is written, is
hostile to a page and to a spreadsheet.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, cast

from domain.aggregate import Aggregate, Event
from domain.attendance import Appearance, Attendance
from domain.document import Document, Edit
from domain.message import Message, mentioned_in
from domain.profile import Profile
from domain.revisions import Revisions
from domain.rights import Role
from domain.room import Room
from domain.run import Outcome, Run
from domain.text_op import Op
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresLog
from infrastructure.postgres.profiles_view import ProfilesView
from infrastructure.rebuild import Rebuild
from interfaces.load.traces import read

ROOM: Final = "quarter"
TITLE: Final = "Q4 <b>launch</b>"
START: Final = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
HOSTILE: Final = "</style><script>alert(1)</script><img src=x onerror=alert(2)>"
PEOPLE: Final = {
    "ada": "Ada Lovelace",
    "ben": "Ben Okri",
    "cem": "Cem <i>Yılmaz</i>",
    "dee": "Dee O'Neill & Co",
    "eve": "=HYPERLINK(1)",
}
# Whose part it is, and when they are about (hours of UTC).
_SHARES: Final = {"ada": 9, "ben": 6, "cem": 5, "dee": 3, "eve": 2}
_SAID: Final = (
    "Can you look at the store again?",
    "Looks good to me.",
    "The tests are green now",
    "I have broken the build, sorry",
    HOSTILE,
    "=SUM(A1:A9)",
    "Who has time for a review?",
    "Merged 🎉",
    "Let us name this one and go on.",
)
_TRACES: Final = Path(__file__).parents[1] / "traces"

BATCH: Final = 1_000


class Quarter:
    """The events, in the order of their times."""

    def __init__(self, svelte_edits: int = 2_500, seed: int = 4) -> None:
        self._chooser = random.Random(seed)
        self._svelte_edits = svelte_edits
        self._aggregates: list[Aggregate] = []
        self._messages: list[tuple[str, str, datetime]] = []
        self._runs = 0

    def events(self) -> list[Event]:
        room = Room.open(ROOM, TITLE, actor="ada", at=START - timedelta(minutes=9))
        self._aggregates.append(room)
        for user, name in PEOPLE.items():
            profile = Profile.create(user, name, actor=user, at=START - timedelta(minutes=10))
            self._aggregates.append(profile)
            if user != "ada":
                room.add_member(user, Role.EDITOR, actor="ada", at=START - timedelta(minutes=8))
        svelte = [line.op for line in read(_TRACES / "sveltecomponent.jsonl.gz", self._svelte_edits).lines]
        books = [line.op for line in read(_TRACES / "books-ja.jsonl.gz").lines]
        self._document(room, "App.svelte", svelte, per_sitting=60)
        self._document(room, "books.md", books, per_sitting=9)
        self._document(room, "notes.md", [[HOSTILE + "\n"], [len(HOSTILE) + 1, "=1+1\n"]], per_sitting=1)
        found = [event for aggregate in self._aggregates for event in aggregate.collect_events()]
        return sorted((cast("Event", event) for event in found), key=lambda event: event.timestamp)

    def _document(self, room: Room, name: str, ops: Sequence[Op], *, per_sitting: int) -> None:
        sittings = [ops[at : at + per_sitting] for at in range(0, len(ops), per_sitting)]
        times = sorted(self._times(len(sittings)))
        document = Document.create(ROOM, name, actor="ada", at=START - timedelta(minutes=5))
        room.list_document(name, actor="ada", at=START - timedelta(minutes=5))
        revisions = Revisions.begin(ROOM, name, actor="ada", at=START - timedelta(minutes=5))
        self._aggregates += [document, revisions]
        seqs = dict.fromkeys(PEOPLE, 0)
        at = START
        for number, (sitting, begin) in enumerate(zip(sittings, times, strict=True)):
            at = max(at + timedelta(seconds=40), begin)
            first, second = self._two()
            came = at
            for op in sitting:
                who = first if self._chooser.random() < 0.8 else second
                seqs[who] += 1
                edit = Edit(f"{who}-1", seqs[who], document.revision, op, f"{document.revision}")
                document.edit(edit, actor=who, at=at)
                at += timedelta(seconds=self._chooser.expovariate(1 / 6))
            for who in (first, second):
                self._stay(who, came, at)
            self._talk(first, second, at)
            if number % 6 == 5:
                saved = f"sprint {number // 6 + 1}" if number % 12 == 5 else None
                revisions.save(document.revision, saved, actor=first, at=at)
                self._run(first, name, document.revision, at)

    def _times(self, count: int) -> Iterator[datetime]:
        """Working hours, and a little of the evenings and Saturdays."""
        for _ in range(count):
            day = self._chooser.choice([*range(12), *(n for n in range(12) if n % 7 < 5)])
            hour = self._chooser.choice([0.5, 1, 1.4, 2, 2.5, 3, 5, 6, 6.5, 7, 8, 11])
            if day % 7 < 6:
                yield START + timedelta(days=day, hours=hour + self._chooser.random())
            else:
                yield START + timedelta(days=day - 1, hours=12 + self._chooser.random())

    def _two(self) -> tuple[str, str]:
        people, weights = list(_SHARES), list(_SHARES.values())
        first = self._chooser.choices(people, weights)[0]
        second = self._chooser.choices(people, [0 if who == first else _SHARES[who] for who in people])[0]
        return first, second

    def _stay(self, who: str, since: datetime, until: datetime) -> None:
        before = timedelta(seconds=self._chooser.uniform(20, 1_500))
        name, looks = f"s{len(self._aggregates)}", Appearance(PEOPLE[who], "#4c75f0", "", 1)
        stay = Attendance.join(
            ROOM, name, client=f"{who}-1", node="node", appearance=looks, actor=who, at=since - before
        )
        stay.leave("left", actor=who, at=until + timedelta(seconds=self._chooser.uniform(20, 900)))
        self._aggregates.append(stay)

    def _talk(self, first: str, second: str, at: datetime) -> None:
        for number in range(self._chooser.randint(0, 5)):
            who = (first, second)[number % 2]
            text = self._chooser.choice(_SAID)
            if self._chooser.random() < 0.3:
                text = f"@{second if who == first else first} {text}"
            at += timedelta(seconds=self._chooser.expovariate(1 / 70))
            reply_to = None
            if self._messages and self._chooser.random() < 0.3:
                reply_to = self._chooser.choice(self._messages[-8:])[0]
            message = Message.post(
                ROOM,
                f"m{len(self._messages)}",
                client=f"{who}-1",
                text=text,
                documents={},
                reply_to=reply_to,
                mentions=mentioned_in(text),
                link=None,
                actor=who,
                at=at,
            )
            self._messages.append((f"m{len(self._messages)}", who, at))
            if self._chooser.random() < 0.15:
                message.react("👍", actor=first, at=at + timedelta(seconds=5))
            self._aggregates.append(message)

    def _run(self, who: str, document: str, revision: int, at: datetime) -> None:
        self._runs += 1
        run = Run.start(
            ROOM,
            f"r{self._runs}",
            client=f"{who}-1",
            title="test",
            document=document,
            revision=revision,
            actor=who,
            at=at,
        )
        outcome = Outcome.PASSED if self._runs % 3 else Outcome.FAILED
        run.finish(outcome, 0, client=f"{who}-1", actor=who, at=at + timedelta(seconds=9))
        self._aggregates.append(run)


async def store(database: Database, events: Sequence[Event]) -> None:
    """Append them to the log, and make the table of profiles from it."""
    log = PostgresLog(database, "record")
    for at in range(0, len(events), BATCH):
        batch = events[at : at + BATCH]
        await log.append(batch, [None] * len(batch))
    await Rebuild(database, log, ProfilesView(database)).run(lambda position, end: None)
    await log.disconnect()
