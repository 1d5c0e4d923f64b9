"""The composition root: one node, its two logs, its tasks, and what the edges of the product are given."""

from __future__ import annotations

import asyncio
import logging
import secrets
import string
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from application.attendances import Attendances
from application.cursors import Cursors
from application.document_imports import DocumentImports
from application.documents import Documents
from application.imports import Imports
from application.links import Links
from application.live import LiveAggregates
from application.log import Recorded
from application.members import Members
from application.messages import Messages
from application.past.blame import Blame, OnProgress
from application.past.branches import Branches
from application.past.past import Past
from application.past.redact import Redacting
from application.past.replay import Replay
from application.past.restore import Restore
from application.past.revising import Rehearsing, Revising
from application.past.undo import Undo
from application.profiles import Profiles
from application.receipts import Receipts
from application.revisions import Revisions
from application.rooms import Rooms
from application.runs import Runs
from application.services import Services
from domain.attendance import Joined
from domain.document import Document
from domain.errors import ChronoscribeError
from domain.ids import parse_stream
from infrastructure.backup.mark import check_restored
from infrastructure.differ import LibraryDiffer
from infrastructure.feed import Feed
from infrastructure.group_commit import GroupCommit
from infrastructure.postgres.attributions import KeptAttributions
from infrastructure.postgres.database import Database
from infrastructure.postgres.log import PostgresHistory, PostgresLog
from infrastructure.postgres.migrations import migrate
from infrastructure.postgres.replay_log import PostgresReplayLog
from infrastructure.postgres.standings import Standings
from infrastructure.postgres.tickets import Tickets
from infrastructure.postgres.time_travel import TimeTravel
from infrastructure.postgres.wakeup import Wakeup, living_nodes
from infrastructure.projector import Projector
from infrastructure.proof.vouching import CHECKPOINT_SECONDS, Vouching, vouching_of
from infrastructure.recent import RecentEvents
from infrastructure.retention import let_old_days_go
from infrastructure.rewriting import PostgresRewriter
from infrastructure.sealing import Keyring, keyring_of
from infrastructure.settings import Settings
from infrastructure.snapshots import Snapshots
from infrastructure.views import Views, all_views
from projections.stage import Stage

logger = logging.getLogger(__name__)

# How often idle aggregates are let go: the budget may be passed for this long.
EVICT_SECONDS: Final = 30

# How often stays of dead nodes are looked for. A node must be missing twice, since it may be
# connecting again.
SWEEP_SECONDS: Final = 10

# How often is looked who has become idle or gone away: so late others may see it.
STATUS_SECONDS: Final = 5

# Tickets live for half a minute; those that nobody came for are of no use to anybody.
TICKETS_SECONDS: Final = 60

# Partitions for cursor moves are made this many days ahead, so that a night without a server does not matter.
PARTITIONS_AHEAD_DAYS: Final = 7
PARTITIONS_SECONDS: Final = 6 * 3600

# How long closing waits for what is on its way into the log.
CLOSE_SECONDS: Final = 5.0
SETTLE_POLL_SECONDS: Final = 0.005

# How long a cancelled task may take to clean up before it is cancelled again.
CANCEL_AGAIN_SECONDS: Final = 1.0

# Of an id that is made here: 95 bits. Letters and digits only: behind a hyphen a command line looks for an
# option.
_ID_LETTERS: Final = string.ascii_letters + string.digits
_ID_LENGTH: Final = 16


class LogOnNode:
    """One of the node's logs: committer, feed and live aggregates, wired."""

    def __init__(
        self,
        database: Database,
        history: PostgresHistory,
        wakeup: Wakeup,
        name: str,
        keyring: Keyring | None = None,
    ) -> None:
        self.name = name
        self.store = PostgresLog(database, name, keyring)
        self.feed = Feed(self.store)
        if keyring is not None:
            self.feed.follow(keyring.on_events)
        self.commit = GroupCommit(self.store, self._on_appended, monotonic=time.monotonic)
        self.lives = LiveAggregates(self.commit, history, monotonic=time.monotonic)
        self.feed.follow(self.lives.on_events)
        self._wakeup = wakeup
        wakeup.on_hint(name, self.feed.wake)

    def _on_appended(self, previous: int, recorded: Sequence[Recorded]) -> None:
        self.feed.on_appended(previous, recorded)
        self._wakeup.tell(self.name)


class Node:
    """A server process without its sockets. Made by `open_node`."""

    def __init__(self, settings: Settings, database: Database, keyring: Keyring | None = None) -> None:
        key = secrets.randbits(31)
        self.id = f"node-{key:08x}"
        self.settings = settings
        self.database = database
        self.keyring = keyring or Keyring(database, None)
        self.history = PostgresHistory(database, sealing=self.keyring)
        self.time_travel = TimeTravel(database)
        self.differ = LibraryDiffer()
        self.replay = Replay(PostgresReplayLog(database), Stage, now=_now)
        self.wakeup = Wakeup(database, self.id, key)
        self.record = LogOnNode(database, self.history, self.wakeup, "record", self.keyring)
        self.presence_history = PostgresHistory(database, "presence")
        self.presence = LogOnNode(database, self.presence_history, self.wakeup, "presence")
        self.tickets = Tickets(database, now=_now)
        self.views = Views(database)
        recent = RecentEvents(self.record.store)
        self.record.feed.follow(recent.on_events)
        self.projectors = [Projector(database, recent, view) for view in all_views(database)]
        self.standings = Standings(database)
        for projector in self.projectors:
            self.record.feed.follow(projector.on_events)
        self.snapshots = Snapshots(self.record.lives, self.history)
        self.record.feed.follow(self.snapshots.on_events)
        self.scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": 3600}
        )
        self.rewriter = PostgresRewriter(database, self.keyring)
        self.vouching: Vouching | None = None
        """What signs checkpoints, where there is a key for it."""
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when a task of the node has ended that must not: the process has to stop."""
        self._tasks: list[asyncio.Task[None]] = []
        self._missing_nodes: set[str] = set()

    def services(self, epoch: str) -> Services:
        lives = self.record.lives
        now = _now
        rooms = Rooms(lives, now=now)
        documents = Documents(lives, self.history, rooms, now=now)
        messages = Messages(lives, documents, now=now)
        revisions = Revisions(lives, documents, now=now)
        return Services(
            rooms=rooms,
            members=Members(lives, now=now, new_id=_new_id),
            profiles=Profiles(lives, now=now),
            documents=documents,
            messages=messages,
            links=Links(documents, self.history),
            imports=Imports(messages, self.history),
            document_imports=DocumentImports(lives, rooms, revisions, now=now),
            receipts=Receipts(lives, node=self.id, now=now),
            revisions=revisions,
            runs=Runs(lives, documents, now=now),
            attendances=Attendances(lives, node=self.id, now=now, monotonic=time.monotonic),
            cursors=Cursors(self.presence.lives, node=self.id, now=now, monotonic=time.monotonic),
            history=self.history,
            tickets=self.tickets,
            node=self.id,
            epoch=epoch,
            now=now,
            monotonic=time.monotonic,
            new_id=_new_id,
        )

    def past(
        self,
        services: Services,
        *,
        is_rehearsal: bool = False,
        on_progress: OnProgress = lambda done, end: None,
    ) -> Past:
        """What can be done with the past; in a rehearsal nothing is done, but told what would be."""
        documents, states, now = services.documents, self.time_travel, services.now
        blame = Blame(states, KeptAttributions(self.database), on_progress)
        revise = Rehearsing if is_rehearsal else Revising
        revising = revise(self.record.lives, self.history, documents)
        return Past(
            blame=blame,
            undo=Undo(documents, blame, states, revising, now=now),
            restore=Restore(states, blame, self.differ, revising, now=now),
            branches=Branches(documents, states, blame, revising, now=now),
        )

    def redacting(self, services: Services) -> Redacting:
        """What removes text from the past."""
        revising = Revising(self.record.lives, self.history, services.documents)
        return Redacting(
            self.record.lives,
            self.history,
            services.rooms,
            revising,
            self.rewriter,
            now=services.now,
            new_id=services.new_id,
        )

    # Life.

    async def start(self) -> None:
        """Begin to follow and to write. Raises `StoreUnavailable`."""
        await self.create_partitions()
        for log in (self.record, self.presence):
            await log.feed.start()
            self.own(log.feed.run(), f"feed of {log.name}")
            self.own(log.commit.run(), f"committer of {log.name}")
        self.own(self.wakeup.run(), "hints")
        self.own(self.snapshots.run(), "snapshots")
        for projector in self.projectors:
            self.own(projector.run(), f"projection {projector.name}")
        self.schedule(self.evict, EVICT_SECONDS)
        self.schedule(self.create_partitions, PARTITIONS_SECONDS)
        self.schedule(self.let_old_days_go, PARTITIONS_SECONDS)
        self.scheduler.start()

    def schedule(
        self, job: Callable[[], Awaitable[None]], seconds: int, *, is_first_at_once: bool = False
    ) -> None:
        """Run `job` every so often. When the store is away its next time will do."""

        async def run() -> None:
            try:
                await job()
            except ChronoscribeError as error:
                logger.warning("%s is put off: %s", getattr(job, "__name__", "a job"), error)
            except asyncio.CancelledError:
                return  # the node is closing, and the scheduler would log it as a failure

        self.scheduler.add_job(run, "interval", seconds=seconds)
        if is_first_at_once:
            self.scheduler.add_job(run)

    def clean_later(self) -> None:
        """After something was removed: nobody waits for it."""
        self.scheduler.add_job(self.rewriter.clean, id="cleaning", replace_existing=True)

    def own(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run `work` as long as the node lives; when it ends by itself, the node has failed."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(self._on_task_done)
        self._tasks.append(task)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        logger.critical("%s has ended", task.get_name(), exc_info=task.exception())
        if not self.failed.done():
            self.failed.set_result(None)

    async def close(self) -> None:
        """Finish what is on its way, keep snapshots of what is in memory, and stop."""
        if self.scheduler.running:
            self.scheduler.shutdown(wait=False)
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._settled()
                await self.presence.commit.drained()
                await self.record.commit.drained()
                for live in self.record.lives:
                    self._on_leaving(live.committed)
                await self.snapshots.flush()
        except TimeoutError:
            logger.warning("closing did not wait for everything: the store does not answer")
        await _end(self._tasks)
        await self.standings.close()
        await self.differ.close()
        for log in (self.record, self.presence):
            await log.lives.close()
            await log.store.disconnect()
        self.keyring.close()

    async def _settled(self) -> None:
        """Return when nothing is being read, decided, or on its way into a log or back from it.

        Asked twice, since what has come back may be followed by more: the beginning of a stay by its end.
        """
        quiet = 0
        while quiet < 2:
            is_busy = any(live.is_busy for log in (self.record, self.presence) for live in log.lives)
            quiet = 0 if is_busy else quiet + 1
            await asyncio.sleep(SETTLE_POLL_SECONDS)

    # Jobs.

    async def evict(self) -> None:
        """Let idle aggregates go."""
        for log in (self.record, self.presence):
            gone = log.lives.evict(
                idle_seconds=self.settings.aggregates_idle_seconds,
                budget_bytes=self.settings.aggregates_memory_bytes,
            )
            for aggregate in gone:
                self._on_leaving(aggregate)

    def _on_leaving(self, aggregate: Any) -> None:
        if isinstance(aggregate, Document):
            self.snapshots.on_leaving(aggregate)

    async def create_partitions(self) -> None:
        """Make room for the cursor moves of the coming days."""
        today = _now().date()
        days: list[date] = [today + timedelta(days=n) for n in range(-1, PARTITIONS_AHEAD_DAYS)]
        for day in days:
            await self.database.fetch("SELECT create_presence_partition(%s)::text", (day,))

    async def let_old_days_go(self) -> None:
        """Drop the cursor moves whose time is over."""
        await let_old_days_go(
            self.database, self.record.lives, kept_days=self.settings.presence_days, now=_now()
        )

    async def vouch(self) -> None:
        """Sign a checkpoint of each log that has grown."""
        if self.vouching is not None:
            await self.vouching.vouch()

    async def close_stays_of_dead_nodes(self, attendances: Attendances) -> None:
        """End the stays whose node holds its lock no longer, when it was missing the last time too."""
        stays = await self.history.open_stays(None)
        living = {f"node-{key:08x}" for key in await living_nodes(self.database)} | {self.id}
        joined = [stay.event for stay in stays if isinstance(stay.event, Joined)]
        missing = {stay.node for stay in joined} - living
        for stay in joined:
            if stay.node in missing & self._missing_nodes:
                where = parse_stream(stay.originator_id)
                try:
                    await attendances.leave(where.room, where.name, "lost", actor=stay.actor)
                except ChronoscribeError as error:
                    logger.warning("a stay of a dead node could not be ended: %s", error)
        self._missing_nodes = missing


def _vouching(settings: Settings, database: Database, epoch: str) -> Vouching | None:
    try:
        return vouching_of(settings, database, epoch, now=_now)
    except (OSError, ValueError) as error:
        # A command beside a server of another account cannot read its key, and needs none.
        logger.warning("no checkpoints are signed: %s", error)
        return None


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))


async def _sweep(attendances: Attendances) -> None:
    attendances.sweep()


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended. Once is not enough: before Python 3.12 `asyncio.wait_for`, by
    which the pool hands out connections, loses a cancellation that comes together with the connection.
    """
    running = {task for task in tasks if not task.done()}
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=CANCEL_AGAIN_SECONDS)


@asynccontextmanager
async def open_node(settings: Settings, conninfo: str) -> AsyncIterator[tuple[Node, Services]]:
    """A node on a database that is brought up to date first, followed and written to until the end
    of the block.

    Raises `UnsafeStore` when the database could lose acknowledged events or a restore is unfinished,
    `StoreUnavailable`.
    """
    database = Database(conninfo)
    await database.open()
    try:
        await database.check_durability()
        connection = await database.connect("migrations")
        try:
            await migrate(connection)
            await check_restored(connection)
        finally:
            await connection.close()
        keyring = await keyring_of(settings, database)
        keyring.check()
        node = Node(settings, database, keyring)
        epoch = await node.history.epoch()
        services = node.services(epoch)
        node.vouching = _vouching(settings, database, epoch)
        try:
            await node.start()
            node.schedule(partial(node.close_stays_of_dead_nodes, services.attendances), SWEEP_SECONDS)
            node.schedule(partial(_sweep, services.attendances), STATUS_SECONDS)
            node.schedule(node.tickets.sweep, TICKETS_SECONDS)
            node.schedule(node.vouch, CHECKPOINT_SECONDS, is_first_at_once=True)
            yield node, services
        finally:
            await node.close()
    finally:
        await database.close()
