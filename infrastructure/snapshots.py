"""Snapshots of documents: so that opening one, or any of its past, reads a bounded part of its
history.

They are taken from memory while the feed passes, at round version numbers, so that two nodes with
the same document take the same ones and the past is evenly covered; and once more when a document
leaves the memory. They are only a help: all of them can be deleted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, Protocol

from application.live import LiveAggregates
from application.log import Recorded
from domain.aggregate import Snapshot
from domain.document import Document, EditApplied
from domain.errors import StoreUnavailable

logger = logging.getLogger(__name__)

# Folding a thousand edits takes about 3 ms, a snapshot of an ordinary text a few KB.
SNAPSHOT_EVERY: Final = 1_000

# A large text is stored less often: five times the edits to fold, but a fifth of the bytes to keep.
LARGE_CODE_POINTS: Final = 100_000
SNAPSHOT_EVERY_LARGE: Final = 5_000

# However few edits: this much inserted and deleted text since the last snapshot is slow to read.
SNAPSHOT_BYTES: Final = 1024 * 1024

# A document that leaves the memory with fewer edits than this behind its last snapshot is read as
# fast without.
SNAPSHOT_ON_LEAVING: Final = 100

# Snapshots that wait to be written; beyond it the next round number will do.
WAITING_MAX: Final = 64

# Documents whose bytes are counted; one that falls out starts to count again.
COUNTED_MAX: Final = 10_000


class SnapshotStore(Protocol):
    async def save_snapshot(self, snapshot: Snapshot, heard: int) -> None: ...


class Snapshots:
    """Follows the record's feed. `run` is its one task."""

    def __init__(self, lives: LiveAggregates, store: SnapshotStore) -> None:
        self._lives = lives
        self._store = store
        self._waiting: asyncio.Queue[tuple[Snapshot, int]] = asyncio.Queue(WAITING_MAX)
        """Each with the position up to which the log was followed when it was taken."""
        self._heard = 0
        self._bytes: OrderedDict[str, int] = OrderedDict()
        self.saved = 0

    def on_events(self, batch: Sequence[Recorded]) -> None:
        """Called by the feed, behind the live aggregates."""
        self._heard = batch[-1].position
        for recorded in batch:
            event = recorded.event
            if isinstance(event, EditApplied):
                self._on_edit(event)

    def _on_edit(self, edit: EditApplied) -> None:
        size = self._bytes.get(edit.originator_id, 0) + _text_size(edit)
        is_round = edit.originator_version % SNAPSHOT_EVERY == 0
        if is_round or size >= SNAPSHOT_BYTES:
            document = self._lives.find(edit.originator_id)
            is_due = size >= SNAPSHOT_BYTES or edit.originator_version % self._every(document) == 0
            # A batch may hold later edits, which the live document has already: the next one is as good.
            if isinstance(document, Document) and is_due:
                self.take(document)
                size = 0
        self._bytes[edit.originator_id] = size
        self._bytes.move_to_end(edit.originator_id)
        if len(self._bytes) > COUNTED_MAX:
            self._bytes.popitem(last=False)

    @staticmethod
    def _every(document: Document | None) -> int:
        is_large = document is not None and len(document.text) > LARGE_CODE_POINTS
        return SNAPSHOT_EVERY_LARGE if is_large else SNAPSHOT_EVERY

    def on_leaving(self, document: Document) -> None:
        """`document` has left the memory."""
        if document.revision % SNAPSHOT_EVERY >= SNAPSHOT_ON_LEAVING:
            self.take(document)

    def take(self, document: Document) -> None:
        """Take a snapshot now; it is written soon."""
        if not self._waiting.full():
            self._waiting.put_nowait((Snapshot.take(document), self._heard))

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._save(*await self._waiting.get())

    async def flush(self) -> None:
        """Write what waits."""
        while not self._waiting.empty():
            await self._save(*self._waiting.get_nowait())

    async def _save(self, snapshot: Snapshot, heard: int) -> None:
        try:
            await self._store.save_snapshot(snapshot, heard)
            self.saved += 1
        except StoreUnavailable as error:
            logger.warning("a snapshot could not be written: %s", error)


def _text_size(edit: EditApplied) -> int:
    size = 0
    for component in edit.op:
        if isinstance(component, str):
            size += len(component)
        elif not isinstance(component, int):
            size += len(str(component["d"]))
    return size
