"""Work on the event loop that takes longer than others should wait, done in slices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import Final, TypeVar

# Nobody feels this.
SLICE_SECONDS: Final = 0.003

Piece = TypeVar("Piece")


async def in_slices(pieces: Iterable[Piece]) -> AsyncIterator[Piece]:
    """The same pieces; from time to time others get their turn."""
    until = time.monotonic() + SLICE_SECONDS
    for piece in pieces:
        yield piece
        if time.monotonic() >= until:
            await asyncio.sleep(0)
            until = time.monotonic() + SLICE_SECONDS
