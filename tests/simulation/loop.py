"""An asyncio event loop in virtual time: when nothing is ready, its clock jumps to the next timer.

A minute of time-outs and retries takes as long as the code that runs in it, and one run is like the
next: nothing in here comes from the machine. What a crash ends is known by owner: every task belongs to
whoever was `OWNER` when it was created.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
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
        self.set_task_factory(self._owned_task)  # type: ignore[arg-type]  # takes any options
        self.set_exception_handler(self._on_failure)

    def time(self) -> float:
        return self._now

    def select(self, timeout: float | None) -> list[Any]:
        """Where another loop waits for sockets, this one moves its clock to the next timer."""
        if timeout is None:
            raise Asleep("nothing will ever happen again")
        if timeout > 0:
            timers: Any = vars(self)["_scheduled"]  # the base class's heap, which has no public name
            self._now = max(self._now, timers[0].when())
        return []

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
