"""Live aggregates: the ones in use, in memory, ahead of the log by what is just being committed.

Each live aggregate is two: `committed`, the fold of what the feed has brought, and `head`, which is
committed plus the decisions that are on their way into the log. A command runs on the head,
synchronously, so the order of decisions is the order of events; nothing of it is visible until the
feed brings it back, and only then does whoever waits for the command hear of it.

When the log refuses (another node won the version, or the outcome of a commit is unknown),
everything decided on top of the lost event is void, also what would have fitted by number. So the
generation is raised, the head is dropped, the committed side is brought up to date from the log,
and the pristine commands are decided again, in their order. A command that had taken effect after
all finds its own trace in the state (an edit its number, a message its id) and decides nothing.
That is why an unknown outcome needs no code of its own.

A command may depend on another aggregate: whether somebody may edit a document is the room's to say.
Such a guard is checked on the other's committed side when the command is decided, and the log takes the
events only while the other is still at the version that was looked at; otherwise it refuses, and the
command is decided again on both. So nothing is ever appended on a right that has been taken away. Nor is
a right denied that another node has given a moment ago: before a guard refuses, the log is asked. Until
it has answered, what the same user wants of the same stream waits behind.

All methods run in the event loop's thread; nothing here awaits but the reading of history.
"""

from __future__ import annotations

import asyncio
import copy
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from application.log import Guarded, History, Log, Recorded, Submission
from domain.aggregate import Event, Unreadable
from domain.errors import (
    ChronoscribeError,
    ClientError,
    Contended,
    Corrupt,
    Forbidden,
    NotFound,
    Overloaded,
    StoreUnavailable,
)
from domain.redaction import RedactionMade

Decide = Callable[[Any], Any]
"""A pristine command: takes the head (None: no such stream yet), returns the aggregate it decided on."""

# How often the log refuses a command before its client is told to come back. After the first time it is
# decided while nobody else can write, so more than a few mean that the store fails again and again. What
# another node has written and the feed brings in time costs nothing: it would only count how busy others are.
REFUSALS_MAX: Final = 10

# How often, and how far apart, reading a stream is tried while the store is away. Together about as
# long as a client waits before it sends again anyway.
LOAD_ATTEMPTS: Final = 10
LOAD_RETRY_SECONDS: Final = 0.5

# What is kept for a stream that does not exist: asking for many of them must not fill the memory.
EMPTY_WEIGHT_BYTES: Final = 1_000

# What a lost race or an unavailable store tells clients to wait.
RETRY_AFTER_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Guard:
    """What a command of `user` asks of another aggregate: `check` takes it as committed, None where there is
    none, and raises a `ClientError` when it stands in the way. The log looks again.
    """

    stream: str
    user: str
    check: Callable[[Any], None]


class Command:
    """A pristine command and the future of whoever waits for it: the events it made, once durable.

    The future's result is empty when there was nothing to do, for instance for a resend. `refusal` is what
    the command was answered on a head that is not durable yet, `is_guard_refusal` that it was the guard's.
    `guarding` is what the log was last found to say of the guard's stream; `is_guard_fresh` that it was read
    for this command, and may refuse it.
    """

    __slots__ = (
        "decide",
        "done",
        "guard",
        "guarding",
        "is_guard_fresh",
        "is_guard_refusal",
        "refusal",
        "refusals",
    )

    def __init__(
        self, decide: Decide, done: asyncio.Future[Sequence[Recorded]], guard: Guard | None = None
    ) -> None:
        self.decide = decide
        self.done = done
        self.guard = guard
        self.guarding: Any = None
        self.is_guard_fresh = False
        self.is_guard_refusal = False
        self.refusal: ClientError | None = None
        self.refusals = 0

    def settle(self, recorded: Sequence[Recorded]) -> None:
        if not self.done.done():
            self.done.set_result(recorded)

    def answer(self) -> None:
        """Nothing was to be done, or it was refused: say so."""
        if self.refusal is None:
            self.settle(())
        else:
            self.fail(self.refusal)

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Pending:
    """A decided command whose events are on their way, and the commands that found nothing left to do, or
    were refused, because of what was decided before them.
    """

    __slots__ = ("command", "events", "followers", "recorded")

    def __init__(self, command: Command, events: Sequence[Event]) -> None:
        self.command = command
        self.events = events
        self.recorded: list[Recorded] = []
        self.followers: list[Command] = []

    @property
    def awaited(self) -> Event:
        return self.events[len(self.recorded)]

    @property
    def commands(self) -> Iterator[Command]:
        yield self.command
        yield from self.followers


class Live:
    """One stream's live aggregate. Owned by `LiveAggregates`."""

    __slots__ = (  # every stay and every message of the last minutes is one
        "_held",
        "_is_outdated",
        "_lives",
        "_missed",
        "_waiting",
        "committed",
        "generation",
        "head",
        "loading",
        "pending",
        "stream",
        "used_at",
    )

    def __init__(self, stream: str, lives: LiveAggregates) -> None:
        self.stream = stream
        self.generation = 0
        self.committed: Any = None
        self.head: Any = None
        self.pending: deque[Pending] = deque()
        self.used_at = 0.0
        self.loading: asyncio.Task[None] | None = None
        self._lives = lives
        self._is_outdated = False
        """Whether what is being read was changed meanwhile, and has to be read again."""
        self._waiting: list[Command] = []
        self._missed: list[Recorded] = []
        self._held: dict[str, list[Command]] = {}
        """By user, in their order: commands of which the first waits for what the log says of its guard."""

    @property
    def is_busy(self) -> bool:
        return bool(self.pending or self._waiting or self._held or self.loading)

    # Commands.

    def take(self, command: Command) -> None:
        """Decide `command`, now or when the stream has been read."""
        if self.loading:
            self._waiting.append(command)
        else:
            self._decide(command)

    def _decide(self, command: Command) -> None:
        if command.refusals >= REFUSALS_MAX:
            command.fail(Contended("others were faster again and again", retry_after=RETRY_AFTER_SECONDS))
            return
        if command.guard is not None and command.guard.user in self._held:
            self._held[command.guard.user].append(command)
            return
        try:
            self._lives.log.check_capacity()
            guard = self._lives.check(command)
        except Overloaded as error:
            command.fail(error)
        except ClientError as error:
            self._on_guarded(command, error)
        else:
            self._decide_guarded(command, guard)

    def _decide_guarded(self, command: Command, guard: Guarded) -> None:
        command.refusal, command.is_guard_refusal = None, False
        try:
            head = command.decide(self.head)
        except ClientError as error:
            command.refusal = error
            self._answer(command)
            return
        except Exception as error:  # noqa: BLE001 -- goes to whoever waits for the command
            command.fail(error)
            return
        events = head.collect_events()
        if events:
            self.head = head
            self.pending.append(Pending(command, events))
            self._lives.log.submit(Submission(self, self.generation, events, guard))
        else:
            self._answer(command)

    def _answer(self, command: Command) -> None:
        """When what the answer relies on is durable: else it may come otherwise."""
        if self.pending:
            self.pending[-1].followers.append(command)
            return
        if command.is_guard_refusal:
            self._look_back(command)
        command.answer()

    # Guards.

    def _on_guarded(self, command: Command, error: ClientError) -> None:
        """The guard stands in the way, as far as is known here."""
        if not command.is_guard_fresh:
            self._hold(command)
        else:
            command.refusal, command.is_guard_refusal = error, True
            self._answer(command)  # what is on its way may be this very command, given up by who sent it

    def _look_back(self, command: Command) -> None:
        """It may have come true before its right was taken away, and only the answer was lost. Where what it
        is about is gone since nobody can tell: then it is not refused for the right, as if it never had.
        """
        try:
            if not command.decide(copy.copy(self.committed)).collect_events():
                command.refusal = None
        except NotFound as gone:
            # Only to who may see that: for others the room itself is not there.
            if self.committed is not None and isinstance(command.refusal, Forbidden):
                command.refusal = gone
        except ChronoscribeError:
            pass

    def _hold(self, command: Command) -> None:
        assert command.guard is not None
        held = self._held[command.guard.user] = [command]
        self._lives.start_task(self._decide_held(command.guard, held))

    async def _decide_held(self, guard: Guard, held: list[Command]) -> None:
        failure: Exception | None = None
        try:
            held[0].guarding = await self._lives.refresh(guard.stream)
        except Exception as error:  # noqa: BLE001 -- goes to whoever waits: nobody may wait for ever
            failure = error
        if self._held.get(guard.user) is not held:
            return  # they are being decided again with everything else
        del self._held[guard.user]
        held[0].is_guard_fresh = True
        for command in held:
            if failure is not None:
                command.fail(failure)
            else:
                self.take(command)

    # What comes back.

    def on_committed(self, recorded: Recorded) -> None:
        """The feed brought an event of this stream."""
        if self.loading:
            self._missed.append(recorded)
            return
        event = recorded.event
        version = self.committed.version if self.committed is not None else 0
        if event.originator_version <= version:
            return  # read from the log before the feed came to it
        if event.originator_version > version + 1:
            # Only a stream that was taken to be new: it exists, so what is missing is in the log.
            self.on_refused(self.generation)
            return
        if isinstance(event, Unreadable):
            self._park(event)
            return
        self.committed = event.mutate(self.committed)
        if not self.pending:
            self.head = copy.copy(self.committed) if version == 0 else event.mutate(self.head)
        elif event == self.pending[0].awaited:
            self._on_own(recorded)
        else:
            self._restart(self._revoke())

    def _park(self, event: Unreadable) -> None:
        """Nothing can be decided on a stream that we cannot read; the others go on."""
        error = Corrupt(event.reason)
        for command in self._revoke():
            command.fail(error)
        self._lives.forget(self)

    def _on_own(self, recorded: Recorded) -> None:
        pending = self.pending[0]
        pending.recorded.append(recorded)
        if len(pending.recorded) == len(pending.events):
            self.pending.popleft()
            pending.command.settle(pending.recorded)
            for follower in pending.followers:
                self._answer(follower)

    def on_refused(self, generation: int) -> None:
        """The log refused: read what it has, then decide again."""
        if generation != self.generation or self.loading:
            return
        for pending in self.pending:
            for command in pending.commands:
                command.refusals += 1
        self._waiting[:0] = self._revoke()
        self.load()

    def on_rewritten(self) -> None:
        """Text was removed from the stream's past: what is in memory is what must not be kept."""
        if self.loading:
            self._is_outdated = True
            return
        self._waiting[:0] = self._revoke()
        self.committed = self.head = None
        self.load()

    def on_stalled(self) -> None:
        """Tell everybody who waits; their commands stay on the way, and a resend will find them."""
        for pending in self.pending:
            for command in pending.commands:
                command.fail(StoreUnavailable("the log does not answer", retry_after=RETRY_AFTER_SECONDS))
            pending.followers.clear()  # their answer is given, and nothing of them is on the way

    def _revoke(self) -> list[Command]:
        """Make void what is on its way; returns the commands that somebody waits for, in their order.

        Whoever waits no longer was told to send again, or has gone and will do so elsewhere, and what they
        are answered there must stay true: their command is not decided once more, perhaps on other rights.
        """
        self.generation += 1
        commands = [command for pending in self.pending for command in pending.commands]
        self.pending.clear()
        for held in self._held.values():
            commands += held
        self._held = {}
        return [command for command in commands if not command.done.done()]

    def _restart(self, commands: Sequence[Command]) -> None:
        self.head = copy.copy(self.committed)
        for command in commands:
            self._decide(command)

    # Reading.

    def load(self) -> None:
        """Start to read the stream; commands and events that come meanwhile wait."""
        self.loading = self._lives.start_task(self._load())

    async def _load(self) -> None:
        try:
            guarding = await self._read()
        except Exception as error:  # noqa: BLE001 -- goes to whoever waits: nobody may wait for ever
            self._give_up(error)
            return
        self.loading = None
        self.head = copy.copy(self.committed)  # the missed events go on from here
        missed, self._missed = self._missed, []
        for recorded in missed:
            self.on_committed(recorded)
        waiting, self._waiting = self._waiting, []
        for command in waiting:
            if command.guard is not None and command.guard.stream in guarding:
                command.guarding = guarding[command.guard.stream]
        self._restart(waiting)

    async def _read(self) -> dict[str, Any]:
        """The committed side as the log has it. Returns what guards those that the log refused."""
        while True:
            self._is_outdated = False
            self.committed = await self._lives.read(self.stream, self.committed)
            guarding = await self._read_guards()
            if not self._is_outdated:
                return guarding
            self.committed = None

    async def _read_guards(self) -> dict[str, Any]:
        """What guards those commands that the log refused, by stream: it may have been because of that."""
        refused = [command for command in self._waiting if command.refusals]
        streams = {command.guard.stream for command in refused if command.guard is not None}
        guarding = {stream: await self._lives.refresh(stream) for stream in streams}
        for command in refused:
            command.is_guard_fresh = True
        return guarding

    def _give_up(self, error: Exception) -> None:
        self.loading = None
        self._lives.forget(self)
        for command in (*self._revoke(), *self._waiting):
            command.fail(error)
        self._waiting.clear()


def abandonable(done: asyncio.Future[Sequence[Recorded]]) -> asyncio.Future[Sequence[Recorded]]:
    """`done`, for a coroutine that may be cancelled before it hears what has come of it: it is no mistake
    that nobody hears of a failure then.
    """
    done.add_done_callback(lambda done: done.cancelled() or done.exception())
    return done


def _look(head: Any) -> Any:
    """A command that changes nothing: when it is answered, what was decided before it is durable or void."""
    if head is None:
        raise NotFound("there is no such stream")
    return head


class LiveAggregates:
    """All live aggregates of a node. Follows the feed; the log's committer calls back through
    `Submission.owner`.
    """

    def __init__(self, log: Log, history: History, *, monotonic: Callable[[], float]) -> None:
        self.log = log
        self.history = history
        self._monotonic = monotonic
        self._lives: dict[str, Live] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(
        self, stream: str, decide: Decide, *, is_new: bool = False, guard: Guard | None = None
    ) -> asyncio.Future[Sequence[Recorded]]:
        """Run a command; the future gives its committed events.

        With `is_new` the stream is taken not to exist, which saves reading it; where that is wrong, the
        log refuses and the command is decided again on what is there. The future raises what
        `decide` and `guard` raise, `Contended`, `Overloaded` or `StoreUnavailable`.
        """
        done: asyncio.Future[Sequence[Recorded]] = asyncio.get_running_loop().create_future()
        self._use(stream, is_new=is_new).take(Command(decide, done, guard))
        return done

    # Guards.

    def check(self, command: Command) -> Guarded:
        """Check a command's guard on the newest that is known here; returns what was looked at.

        Raises what the guard raises.
        """
        guard = command.guard
        if guard is None:
            return None
        newest, known = command.guarding, self.find(guard.stream)
        if newest is None or (known is not None and known.version > newest.version):
            newest = known
        guard.check(newest)
        return guard.stream, newest.version if newest is not None else 0

    async def refresh(self, stream: str) -> Any | None:
        """The aggregate as the log has it now, whatever the feed has brought, None if there is none. It is a
        copy: the live one waits for the feed. Raises `StoreUnavailable`, `Corrupt`.
        """
        live = self._use(stream, is_new=False)
        while live.loading:
            await asyncio.shield(live.loading)
        if self._lives.get(stream) is not live:
            raise StoreUnavailable("the log does not answer", retry_after=RETRY_AFTER_SECONDS)
        return await self.read(stream, copy.copy(live.committed))

    async def read(self, stream: str, aggregate: Any | None) -> Any | None:
        """Bring `aggregate` (None: not read yet) to where the log is. Raises as `refresh`."""
        attempts = 0
        while True:
            try:
                if aggregate is None:
                    return await self.history.load(stream)
                for event in await self.history.events_after(stream, aggregate.version):
                    event.mutate(aggregate)
            except StoreUnavailable:
                attempts += 1
                if attempts == LOAD_ATTEMPTS:
                    raise
                await asyncio.sleep(LOAD_RETRY_SECONDS)
            else:
                return aggregate

    async def get(self, stream: str) -> Any | None:
        """The committed aggregate, None if there is no such stream. It is the live one: read it,
        don't keep it.

        That there is none is never answered from memory: somebody may have been told by another node that
        there is, which the feed brings here a little later.

        Raises `StoreUnavailable`, and as `submit` for what is just being created here.
        """
        live = self._use(stream, is_new=False)
        if live.committed is None and live.pending:
            with suppress(NotFound):
                await self.submit(stream, _look)
        elif live.committed is None and not live.loading:
            live.load()
        while live.loading:
            await asyncio.shield(live.loading)
        if self._lives.get(stream) is not live:
            raise StoreUnavailable("the log does not answer", retry_after=RETRY_AFTER_SECONDS)
        return live.committed

    def __contains__(self, stream: str) -> bool:
        """Whether the stream's aggregate is in memory, or being read."""
        return stream in self._lives

    def find(self, stream: str) -> Any | None:
        """The committed aggregate when it is in memory and readable at once. Counts as a use."""
        live = self._lives.get(stream)
        if live is None or live.loading:
            return None
        live.used_at = self._monotonic()
        return live.committed

    def _use(self, stream: str, *, is_new: bool) -> Live:
        live = self._lives.get(stream)
        if live is None:
            live = self._lives[stream] = Live(stream, self)
            if not is_new:
                live.load()
        live.used_at = self._monotonic()
        return live

    def on_events(self, batch: Sequence[Recorded]) -> None:
        """Called by the feed with each committed batch, in log order."""
        for recorded in batch:
            live = self._lives.get(recorded.event.originator_id)
            if live is not None:
                live.on_committed(recorded)
            if isinstance(recorded.event, RedactionMade):
                for stream in recorded.event.streams:
                    if (rewritten := self._lives.get(stream)) is not None:
                        rewritten.on_rewritten()

    # Memory.

    def evict(self, *, idle_seconds: float, budget_bytes: int) -> list[Any]:
        """Forget what was not used for `idle_seconds`, then the longest unused beyond `budget_bytes`.

        What is on its way into the log stays. Returns the aggregates that were let go, for snapshots.
        """
        now = self._monotonic()
        by_use = sorted(self._lives.values(), key=lambda live: live.used_at)
        total = sum(self._weight(live) for live in by_use)
        gone = []
        for live in by_use:
            if live.is_busy:
                continue
            if now - live.used_at < idle_seconds and total <= budget_bytes:
                break
            total -= self._weight(live)
            self.forget(live)
            if live.committed is not None:
                gone.append(live.committed)
        return gone

    @staticmethod
    def _weight(live: Live) -> int:
        return 2 * live.committed.weight if live.committed is not None else EMPTY_WEIGHT_BYTES

    def forget(self, live: Live) -> None:
        self._lives.pop(live.stream, None)

    def __iter__(self) -> Iterator[Live]:
        return iter(tuple(self._lives.values()))

    def __len__(self) -> int:
        return len(self._lives)

    # Tasks.

    def start_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """End the reading that is under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
