"""Waiting for what a test expects, and not for a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

# For what happens at once unless it is stuck; a machine that does other things as well is slow.
PATIENCE_SECONDS: Final = 20.0
POLL_SECONDS: Final = 0.001


async def until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Return when `condition` holds. Raises `TimeoutError`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 -- any condition, of objects that know no events
            await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def running(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run tasks that go on for ever, until the end of the block; one that failed fails the test."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        pending = set(tasks)
        while pending:  # one cancellation can get lost, see `Node.close`
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=1)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
