"""An asyncio event loop in virtual time: when nothing is ready, its clock jumps to the next timer.

A minute of time-outs and retries takes as long as the code that runs in it, and one run is like the
next: nothing in here comes from the machine. What a crash ends is known by owner: every task belongs to
whoever was `OWNER` when it was created. An owner can also be paused, as a process is by SIGSTOP: its
callbacks and timers wait, those of all others go on.
"""

from __future__ import annotations

import asyncio
import heapq
import traceback
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import Any, Final

OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)

# Any number will do; a clock that begins at 0 hides code that takes 0 for "never".
BEGINNING_SECONDS: Final = 1_000.0


class Owner:
    """Whoever is ended together with all its tasks: a node, for instance."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[Any], None] = {}  # an ordered set: cancelled in order of creation

    def adopt(self, task: asyncio.Task[Any]) -> None:
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    def end_tasks(self) -> None:
        """Cancel everything that this owner does."""
        for task in list(self._tasks):
            task.cancel()

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call `function` as this owner: tasks that it creates, and theirs, are this owner's."""
        token = OWNER.set(self)
        try:
            return function(*arguments)
        finally:
            OWNER.reset(token)


class Asleep(Exception):  # noqa: N818
    """Nothing is ready and no timer runs: whoever still waits waits for ever."""


class VirtualLoop(asyncio.base_events.BaseEventLoop):
    """Tasks, futures and timers, no I/O. `failures` is what nobody handled."""

    def __init__(self) -> None:
        super().__init__()
        self._now = BEGINNING_SECONDS
        self._selector = self  # what the base class waits with
        self.failures: list[str] = []
        self._failed: list[asyncio.Task[Any]] = []
        self._paused: dict[Owner, list[asyncio.Handle]] = {}
        self.set_task_factory(self._owned_task)  # type: ignore[arg-type]  # takes any options
        self.set_exception_handler(self._on_failure)

    def time(self) -> float:
        return self._now

    def select(self, timeout: float | None) -> list[Any]:
        """Where another loop waits for sockets, this one moves its clock to the next timer."""
        if timeout is None:
            raise Asleep("nothing will ever happen again")
        if timeout > 0:
            self._now = max(self._now, self._handles[1][0].when())
        return []

    # Pausing.

    def pause(self, owner: Owner) -> None:
        """Run nothing of `owner` until `resume`."""
        if owner in self._paused:
            return
        self._paused[owner] = waiting = []
        ready, timers = self._handles
        for handle in [*ready, *sorted(timers)]:
            if _owner_of(handle) is owner:
                self._take_out(handle)
                waiting.append(handle)

    def resume(self, owner: Owner) -> None:
        """Go on: first what became ready, then what became due, as a loop does that was stopped."""
        ready, timers = self._handles
        for handle in self._paused.pop(owner, []):
            if handle.cancelled():
                continue
            if isinstance(handle, asyncio.TimerHandle):
                heapq.heappush(timers, handle)
                _mark_scheduled(handle, is_scheduled=True)
            else:
                ready.append(handle)

    def call_soon(  # type: ignore[override]  # any arguments
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = super().call_soon(callback, *args, context=context)
        self._hold_if_paused(handle)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = super().call_at(when, callback, *args, context=context)
        self._hold_if_paused(handle)
        return handle

    def _hold_if_paused(self, handle: asyncio.Handle) -> None:
        if self._paused and (owner := _owner_of(handle)) in self._paused:
            assert owner is not None
            self._take_out(handle)
            self._paused[owner].append(handle)

    def _take_out(self, handle: asyncio.Handle) -> None:
        ready, timers = self._handles
        if isinstance(handle, asyncio.TimerHandle):
            timers.remove(handle)
            heapq.heapify(timers)
            _mark_scheduled(handle, is_scheduled=False)
        else:
            ready.remove(handle)

    @property
    def _handles(self) -> tuple[Any, list[asyncio.TimerHandle]]:
        """What is ready and what is scheduled: the base class has no public names for them."""
        return vars(self)["_ready"], vars(self)["_scheduled"]

    def _process_events(self, event_list: list[Any]) -> None:
        assert not event_list

    def _write_to_self(self) -> None:
        """There is no other thread to be woken by."""

    def _owned_task(
        self, _loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coroutine, loop=self, **options)
        task.add_done_callback(self._on_task_done)
        owner = OWNER.get()
        if owner is not None:
            owner.adopt(task)
        return task

    def _on_task_done(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and _is_unseen(task):
            self._failed.append(task)

    def tell_unseen_failures(self) -> None:
        """Tasks that failed and that nobody asked. The garbage collector would tell, some time or other."""
        for task in self._failed:
            if _is_unseen(task):
                self._on_failure(self, {"message": "nobody saw that", "exception": task.exception()})

    def _on_failure(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        told = "".join(traceback.format_exception(error)) if error else ""
        self.failures.append(f"{context['message']}: {told}")


def _owner_of(handle: asyncio.Handle) -> Owner | None:
    context: Context = handle._context  # type: ignore[attr-defined]  # has no public name
    return context.get(OWNER)


def _mark_scheduled(handle: asyncio.TimerHandle, *, is_scheduled: bool) -> None:
    """As the base class does, so that it counts the cancelled timers in its heap rightly."""
    handle._scheduled = is_scheduled  # type: ignore[attr-defined]


def _is_unseen(task: asyncio.Task[Any]) -> bool:
    """Whether the task has failed and nobody has asked for its exception yet."""
    return bool(task._log_traceback)  # by this asyncio knows it


def run_virtually(main: Coroutine[Any, Any, None]) -> list[str]:
    """Run `main` in virtual time to its end. Returns what went wrong that nobody handled."""
    loop = VirtualLoop()
    try:
        loop.run_until_complete(main)
    except Exception as error:  # noqa: BLE001 -- whatever the code under test raises is a finding
        loop.failures.append("".join(traceback.format_exception(error)))
    loop.tell_unseen_failures()
    failures = loop.failures.copy()  # what is said while the rest is thrown away is of no interest
    _end_the_rest(loop)
    loop.close()
    return failures


def _end_the_rest(loop: VirtualLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left))
