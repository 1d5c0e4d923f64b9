"""A log with documents in it, and projections of it: the product's own, and one that counts, in which
anything taken in twice, or not at all, shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from application.log import Recorded
from domain.aggregate import Event
from domain.document import Created, Document, Edit, EditApplied
from domain.rights import Role
from domain.room import Room
from infrastructure.postgres.database import Connection, Database
from infrastructure.postgres.directory import DirectoryView
from infrastructure.postgres.log import PostgresLog
from infrastructure.projector import PAGE_EVENTS, Projector, View
from infrastructure.rebuild import Rebuild, Rebuilt
from infrastructure.views import all_views
from tests.domain.events import NOON, later
from tests.domain.strategies import changes

# Nothing of the product needs two tables and indexes with names of their own, but a projection may.
COUNTS_SCHEMA: Final = """
CREATE TABLE counts (stream text PRIMARY KEY, events bigint NOT NULL, CHECK (events > 0));
CREATE INDEX counts_by_number ON counts (events);
CREATE INDEX counts_by_number_too ON counts (events, stream);
CREATE TABLE actors (actor text NOT NULL, events bigint NOT NULL);
CREATE UNIQUE INDEX one_row_for_each ON actors (actor);
"""
_COUNT: Final = (
    b"INSERT INTO counts VALUES (%s, 1) ON CONFLICT (stream) DO UPDATE SET events = counts.events + 1"
)
_COUNT_ACTOR: Final = (
    b"INSERT INTO actors VALUES (%s, 1) ON CONFLICT (actor) DO UPDATE SET events = actors.events + 1"
)
POISON: Final = (
    "INSERT INTO record (originator_id, originator_version, topic, state, actor, at)"
    " VALUES (%s, %s, 'document.of_the_future', '{}', 'someone', now())"
)


class Key(NamedTuple):
    """What an event is known by, before it has a position."""

    stream: str
    version: int


class CountView:
    """Counts the events of every stream and actor. It fails on those of `poison`, half-way."""

    name: Final = "counts"
    tables: Final = ("counts", "actors")

    def __init__(self, poison: Collection[Key] = (), topics: frozenset[str] | None = None) -> None:
        self.topics = topics
        self.poison = set(poison)
        self.on_page: Callable[[Sequence[Recorded]], None] = lambda page: None
        """Called at the end of each page; may raise."""

    async def apply(self, connection: Connection, page: Sequence[Recorded]) -> None:
        for recorded in page:
            event = recorded.event
            await connection.execute(_COUNT, (event.originator_id,))
            if Key(event.originator_id, event.originator_version) in self.poison:
                raise ValueError("the secret text of a document")
            await connection.execute(_COUNT_ACTOR, (event.actor,))
        self.on_page(page)


class TwiceView:
    """A view that is given every page, and then its last `again` events once more."""

    def __init__(self, view: View, again: int) -> None:
        self.name = view.name
        self.tables = view.tables
        self.topics = view.topics
        self._view = view
        self._again = again

    async def apply(self, connection: Connection, page: Sequence[Recorded]) -> None:
        await self._view.apply(connection, page)
        await self._view.apply(connection, page[max(0, len(page) - self._again) :])


async def empty(database: Database, tables: Sequence[str] | None = None) -> None:
    """Empty the record and the tables made of it (None: of all views), and the chain of the presence log. The
    logs refuse it: it is for the next example of a property test.
    """
    if tables is None:
        tables = [table for view in all_views(database) for table in view.tables]
    logs = ("record", "record_chain", "presence_chain")
    async with await database.connect("test") as connection:
        for log in logs:
            await connection.execute(f"ALTER TABLE {log} DISABLE TRIGGER USER".encode())
        emptied = ", ".join([*logs, "tracking", "parked", *tables])
        await connection.execute(f"TRUNCATE {emptied} RESTART IDENTITY".encode())
        for log in logs:
            for trigger in ("append_only", "append_only_truncate"):
                await connection.execute(f"ALTER TABLE {log} ENABLE ALWAYS TRIGGER {trigger}".encode())


class Place:
    """A log with documents in it, and projectors of its directory."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.log = PostgresLog(database, "record")
        self.directory = DirectoryView(database)
        self._documents: dict[str, Document] = {}

    def projector(self, view: View | None = None, page_events: int = PAGE_EVENTS) -> Projector:
        return Projector(self.database, self.log, view or self.directory, page_events=page_events)

    async def edit(self, *names: str, actor: str = "Ben") -> None:
        """One edit in each of these documents, which are created when they are not there."""
        events: list[Event] = []
        for name in names:
            document = self._documents.get(name) or Document.create("demo", name, actor="Ada", at=NOON)
            self._documents[name] = document
            seq = document.revision + 1
            document.edit(Edit("ada-1", seq, seq - 1, ["x"], ""), actor=actor, at=later(seq))
            events += [event for event in document.collect_events() if isinstance(event, Event)]
        await self.log.append(events, [None] * len(events))

    async def project(self, view: View | None = None, page_events: int = PAGE_EVENTS) -> Projector:
        """Bring the tables up to the end of the log."""
        async with await self.database.connect("test") as connection:
            projector = self.projector(view, page_events)
            await projector.begin(connection)
            while await projector.step(connection):
                pass
        return projector

    async def rebuild(
        self, view: View | None = None, page_events: int = PAGE_EVENTS, *, is_comparing: bool = False
    ) -> Rebuilt:
        work = Rebuild(self.database, self.log, view or self.directory, page_events=page_events)
        return await work.run(lambda position, end: None, is_comparing=is_comparing)

    async def execute(self, query: str, parameters: Any = ()) -> None:
        async with await self.database.connect("test") as connection:
            await connection.execute(query.encode(), parameters)

    async def begin_anew(self) -> None:
        """Empty everything, which the log itself refuses: for the next example of a property test."""
        await empty(self.database, ("directory", "counts", "actors"))

    async def revisions(self) -> dict[str, int]:
        return {entry.document: entry.revision for entry in await self.directory.of_room("demo")}

    async def position(self, name: str = "directory") -> Any:
        rows = await self.database.fetch(
            "SELECT notification_id FROM tracking WHERE application_name = %s", (name,)
        )
        return rows[0][0] if rows else None

    async def parked(self, name: str) -> list[Key]:
        rows = await self.database.fetch(
            "SELECT stream, version FROM parked WHERE projection = %s ORDER BY position", (name,)
        )
        return [Key(*row) for row in rows]

    async def counts(self) -> dict[str, int]:
        return dict(await self.database.fetch("SELECT stream, events FROM counts"))

    async def actors(self) -> dict[str, int]:
        return dict(await self.database.fetch("SELECT actor, events FROM actors"))

    async def entries(self) -> dict[tuple[str, str], tuple[Any, ...]]:
        rows = await self.database.fetch(
            "SELECT room, document, revision, created_at, created_by, modified_at, modified_by FROM directory"
        )
        return {(row[0], row[1]): tuple(row[2:]) for row in rows}

    async def tables(self) -> tuple[Any, ...]:
        """All rows of all projections."""
        return await self.entries(), await self.counts(), await self.actors()


def key_of(event: Event) -> Key:
    return Key(event.originator_id, event.originator_version)


def expected(events: Iterable[Event], poison: Collection[Key] = ()) -> tuple[Any, ...]:
    """What `Place.tables` has to be, computed in the plainest way."""
    entries: dict[tuple[str, str], tuple[Any, ...]] = {}
    counts: Counter[str] = Counter()
    actors: Counter[str] = Counter()
    for event in events:
        if isinstance(event, Created):
            entries[event.room, event.name] = (0, *(event.timestamp, event.actor) * 2)
        if isinstance(event, EditApplied):
            room, document = event.originator_id.removeprefix("document:").split("/")
            _, at, by, *_ = entries[room, document]
            entries[room, document] = (event.revision, at, by, event.timestamp, event.actor)
        if key_of(event) not in poison:
            counts[event.originator_id] += 1
            actors[event.actor] += 1
    return entries, dict(counts), dict(actors)


@st.composite
def histories(draw: st.DrawFn, max_size: int = 25) -> list[Event]:
    """Events of several rooms in one order: rooms opened, documents listed, created and edited."""
    aggregates: dict[str, Any] = {}
    history: list[Event] = []
    for second in range(draw(st.integers(1, max_size))):
        room, name = draw(st.sampled_from(["lab", "office"])), draw(st.sampled_from(["a.md", "b.md"]))
        actor, at = draw(st.sampled_from(["Ada", "Ben", "Ben 😀"])), later(second)
        touched: Any
        if room not in aggregates:
            touched = aggregates[room] = Room.open(room, room, actor=actor, at=at, everyone=Role.EDITOR)
        elif f"{room}/{name}" not in aggregates:
            touched = aggregates[f"{room}/{name}"] = Document.create(room, name, actor=actor, at=at)
        elif draw(st.integers(0, 9)) == 0:
            touched = aggregates[room]
            touched.list_document(f"{second}.md", actor=actor, at=at)
        else:
            touched = aggregates[f"{room}/{name}"]
            change = draw(changes(str(touched.text)).filter(lambda change: change.op))
            seq = touched.revision + 1
            touched.edit(Edit("c", seq, seq - 1, change.op, ""), actor=actor, at=at)
        history += [event for event in touched.collect_events() if isinstance(event, Event)]
    return history
