"""Has figures drawn: each in a process of its own that ends with it, one at a time, and each only once.

Drawing takes a second of a core and a hundred megabytes, both of which the server has better uses for; who
draws is `plot`, a program that knows nothing of the server and is told nothing but what it draws.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Final

from domain.errors import Overloaded

# Usually it takes one; on a machine that is very busy, or new to it, some.
DRAW_SECONDS: Final = 20.0

# Whoever waits behind so many others has asked too late to be answered soon.
WAITING_MAX: Final = 8

# A figure has 100 to 300 KB.
FIGURES_KEPT: Final = 32

_KIND: Final = re.compile(r"[\w.]+(:|$)")

_PROGRAM: Final = (sys.executable, "-I", str(Path(__file__).with_name("plot.py")))


class Plots:
    """One per server. `program` is run as a figure's JSON comes in and its bytes go out."""

    def __init__(self, program: tuple[str, ...] = _PROGRAM, draw_seconds: float = DRAW_SECONDS) -> None:
        self._program = program
        self._draw_seconds = draw_seconds
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._figures: OrderedDict[str, bytes] = OrderedDict()
        self._home: str | None = None

    async def plot(self, figure: bytes, etag: str) -> bytes:
        """The image of `figure`, drawn now or kept from before under its `etag`.

        Raises `Overloaded` when too many wait or it takes too long, `PlotFailed`.
        """
        if (known := self._figures.get(etag)) is not None:
            self._figures.move_to_end(etag)
            return known
        if self._waiting >= WAITING_MAX:
            raise Overloaded("too many figures are being drawn", retry_after=2.0)
        self._waiting += 1
        try:
            async with self._turn:
                if etag not in self._figures:  # somebody may have waited for the same
                    self._figures[etag] = await self._draw(figure)
                    if len(self._figures) > FIGURES_KEPT:
                        self._figures.popitem(last=False)
                return self._figures[etag]
        finally:
            self._waiting -= 1

    async def _draw(self, figure: bytes) -> bytes:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._program, stdin=pipe, stdout=pipe, stderr=pipe, env=self._environment()
        )
        try:
            async with asyncio.timeout(self._draw_seconds):
                image, complaint = await process.communicate(figure)
        except TimeoutError:
            raise Overloaded("drawing took too long", retry_after=self._draw_seconds) from None
        finally:
            if process.returncode is None:  # too slow, or nobody waits for it any more
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise PlotFailed(f"exit status {process.returncode}: {_kind_of(complaint)}")
        return image

    def _environment(self) -> dict[str, str]:
        """Nothing of ours, which holds secrets. The library keeps a list of the machine's fonts in a folder
        of its own, so that it need not look for them every time; and numpy, which it brings, would take
        memory for as many threads as there are cores.
        """
        if self._home is None:
            self._home = tempfile.mkdtemp(prefix="chronoscribe-plots-")
        return {
            "MPLCONFIGDIR": self._home,
            "HOME": self._home,
            "LC_ALL": "C.UTF-8",
            "OPENBLAS_NUM_THREADS": "1",
        }

    async def close(self, _: object = None) -> None:
        """When the server ends: leave nothing behind."""
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home = None


class PlotFailed(Exception):  # noqa: N818
    """The program has ended badly."""


def _kind_of(complaint: bytes) -> str:
    """The kind of error with which a traceback ends. Its text may hold what users have written."""
    lines = complaint.decode(errors="replace").split("\n")
    return next((line.partition(":")[0] for line in reversed(lines) if _KIND.match(line)), "no word")
