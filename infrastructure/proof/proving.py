"""Checkpoints and proofs of a running node, beside its event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from itertools import islice
from typing import Final

from domain.chain import Checkpoint
from domain.errors import StoreUnavailable
from infrastructure.proof.proofs import Range, write_proof
from infrastructure.proof.reading import snapshot_of
from infrastructure.proof.vouching import Vouching

# Lines that are made at a time: about a megabyte of a busy room.
LINES_AT_ONCE: Final = 500

# Who has no key will not have one soon.
RETRY_AFTER_SECONDS: Final = 600.0


class Proving:
    """`vouching` is None where there is no key to sign with."""

    def __init__(self, conninfo: str, vouching: Vouching | None) -> None:
        self._conninfo = conninfo
        self._vouching = vouching

    async def checkpoints(self) -> list[Checkpoint]:
        """The newest of each log, after what is there now was signed. Raises `StoreUnavailable`."""
        if self._vouching is None:
            raise StoreUnavailable("this server has no key to sign with", retry_after=RETRY_AFTER_SECONDS)
        return await self._vouching.vouch()

    async def proof(
        self, room: str, first: int, last: int, checkpoint: Checkpoint
    ) -> AsyncGenerator[bytes, None]:
        """The lines of a proof of the room's events from position `first` to `last` of the record."""
        snapshot = snapshot_of(self._conninfo)
        connection = await asyncio.to_thread(snapshot.__enter__)
        try:
            lines = write_proof(connection, Range("record", first, last, room), checkpoint)
            while made := await asyncio.to_thread(lambda: list(islice(lines, LINES_AT_ONCE))):
                for line in made:
                    yield line
        finally:
            await asyncio.to_thread(snapshot.__exit__, None, None, None)
