"""Programs beside the server: for work that would stop everybody else, take too much memory, or end badly.

A program is a module of ours with a `main` that calls `beside.work_off`. It is started when there is
something to do, does one thing after the other, and ends when there was nothing to do for a while. Whatever
it does is bounded: it is killed when it takes too long, and when it dies of its work the next work has a new
one.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from sys import executable
from typing import Final

# A program is kept as long as somebody may go on: starting one takes a tenth of a second.
IDLE_SECONDS: Final = 30.0

_ROOT: Final = str(Path(__file__).parents[1])


class AsideFailed(Exception):  # noqa: N818
    """The program has died of its work, such as of its limit of memory."""


class AsideTooSlow(AsideFailed):
    """It was killed after its time was over."""


class Aside:
    """One program. Whoever asks while it works waits for their turn."""

    def __init__(self, module: str, *, idle_seconds: float = IDLE_SECONDS) -> None:
        # Isolated: nothing of the environment, which holds secrets, and no path but ours.
        start = f"import sys; sys.path.insert(0, {_ROOT!r}); from {module} import main; main()"
        self._command: Final = (executable, "-I", "-c", start)
        self._idle_seconds = idle_seconds
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._idle: Process | None = None
        """The one that was killed because there was nothing to do."""
        self._end_later: asyncio.TimerHandle | None = None

    async def ask(self, work: bytes, seconds: float) -> bytes:
        """What comes out of `work`. Raises `AsideFailed`, `AsideTooSlow`."""
        async with self._turn:
            self._stay()
            try:
                async with asyncio.timeout(seconds):
                    answer = await self._ask(work)
            except TimeoutError:
                await self._end()
                raise AsideTooSlow from None
            except (asyncio.IncompleteReadError, ConnectionError, RuntimeError):
                # A pipe to a program that has just died: uvloop calls it a RuntimeError.
                await self._end()
                raise AsideFailed from None
            except BaseException:  # nobody waits for it any more
                await self._end()
                raise
            loop = asyncio.get_running_loop()
            self._end_later = loop.call_later(self._idle_seconds, self._kill)
            return answer

    async def _ask(self, work: bytes) -> bytes:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={"LC_ALL": "C.UTF-8"}
            )
        given, got = self._process.stdin, self._process.stdout
        assert given is not None
        assert got is not None
        given.write(len(work).to_bytes(4, "big") + work)
        await given.drain()
        return await got.readexactly(int.from_bytes(await got.readexactly(4), "big"))

    async def close(self, _: object = None) -> None:
        """End the program."""
        async with self._turn:
            self._stay()
            await self._end()
            if self._idle is not None:
                await self._idle.wait()

    def _stay(self) -> None:
        if self._end_later is not None:
            self._end_later.cancel()
            self._end_later = None

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def _kill(self) -> None:
        # Whoever comes next must not meet it while it dies.
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            self._idle = process
