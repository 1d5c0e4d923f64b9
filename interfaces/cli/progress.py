"""How far a command has come that takes long: a bar on a terminal, and a line now and then elsewhere. On
stderr, since stdout is for what was asked.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

# Without a terminal, how often it is said how far we are.
LINE_SECONDS: Final = 3.0

OnProgress = Callable[[int, int], None]
"""Is told what is done, and of how much."""


@contextmanager
def progress(name: str) -> Iterator[OnProgress]:
    """Show how far `name` has come, until the end of the block."""
    if not sys.stderr.isatty():
        yield line_now_and_then(name)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        bar = shown.add_task(name, total=None)
        yield lambda done, end: shown.update(bar, completed=done, total=max(end, done, 1))


def line_now_and_then(name: str) -> OnProgress:
    said = time.monotonic()

    def on_progress(done: int, end: int) -> None:
        nonlocal said
        if time.monotonic() - said >= LINE_SECONDS:
            said = time.monotonic()
            print(f"{name}: {done:,} of {end:,}", file=sys.stderr, flush=True)

    return on_progress
