"""When snapshots are taken, and that writing them never gets in the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from application.documents import digest
from application.log import Recorded
from domain.aggregate import Snapshot
from domain.document import Document, Edit, LastEdit
from domain.errors import StoreUnavailable
from domain.ids import document_stream
from domain.text_op import Op
from infrastructure import snapshots as module
from infrastructure.snapshots import (
    COUNTED_MAX,
    LARGE_CODE_POINTS,
    SNAPSHOT_BYTES,
    SNAPSHOT_EVERY,
    SNAPSHOT_EVERY_LARGE,
    SNAPSHOT_ON_LEAVING,
    WAITING_MAX,
    Snapshots,
)
from tests.application.fakes import FakeNode, FakeStore
from tests.domain.events import NOON, a_document, a_restored_document
from tests.waiting import running, until


class FakeSnapshotStore:
    def __init__(self) -> None:
        self.saved: list[Snapshot] = []
        self.failures = 0

    async def save_snapshot(self, snapshot: Snapshot, heard: int) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("the store is away")
        self.saved.append(snapshot)

    @property
    def versions(self) -> list[int]:
        return [snapshot.originator_version for snapshot in self.saved]


class Place:
    """A node with one document, whose edits come one by one or in batches."""

    def __init__(self) -> None:
        self.node = FakeNode(FakeStore())
        self.store = FakeSnapshotStore()
        self.snapshots = Snapshots(self.node.lives, self.store)
        self._batch: list[Recorded] = []

    async def open(self, document: Document) -> None:
        """Have `document` in memory, wherever it comes from."""
        await self.node.lives.get(document.id)
        [live] = list(self.node.lives)
        live.committed, live.head = document, document.__copy__()

    def edit(self, op: Op, *, is_last_of_batch: bool = True) -> None:
        [live] = list(self.node.lives)
        document: Document = live.head

        def decide(head: Any) -> Any:
            seq = document.revision + 1
            head.edit(Edit("ada-1", seq, seq - 1, op, digest(0, op)), actor="Ada", at=NOON)
            return head

        self.node.lives.submit(live.stream, decide)
        [submission] = self.node.waiting
        self.node.waiting.clear()
        self._batch += [Recorded(0, event) for event in submission.events]
        if is_last_of_batch:
            batch, self._batch = self._batch, []
            self.node.lives.on_events(batch)
            self.snapshots.on_events(batch)

    async def written(self) -> Sequence[int]:
        await self.snapshots.flush()
        return self.store.versions


@pytest.fixture
def place() -> Place:
    return Place()


def at_version(version: int, text: str = "") -> Document:
    """A document after as many events, from its creation on."""
    document = a_restored_document(text=text, revision=version - 1)
    document.version = version
    document.clients = {}
    document.clients_forgotten = False
    seq = document.revision
    if seq:
        document.clients["ada-1"] = LastEdit(seq, seq, "")
    return document


async def test_a_snapshot_is_taken_at_round_versions(place: Place) -> None:
    await place.open(at_version(SNAPSHOT_EVERY - 2))
    for _ in range(4):
        place.edit(["x"])
    assert await place.written() == [SNAPSHOT_EVERY]
    [snapshot] = place.store.saved
    assert snapshot.state["text"] == "xx"


async def test_a_large_text_is_snapshot_less_often(place: Place) -> None:
    text = "x" * (LARGE_CODE_POINTS + 1)
    await place.open(at_version(SNAPSHOT_EVERY - 1, text))
    place.edit(["x"])
    assert await place.written() == []
    place = Place()
    await place.open(at_version(SNAPSHOT_EVERY_LARGE - 1, text))
    place.edit(["x"])
    assert await place.written() == [SNAPSHOT_EVERY_LARGE]


async def test_a_snapshot_is_taken_after_much_text_however_few_the_edits(place: Place) -> None:
    await place.open(at_version(1))
    half = "x" * (SNAPSHOT_BYTES // 2)
    place.edit([half])
    assert await place.written() == []
    place.edit([{"d": half}])
    assert await place.written() == [3]
    place.edit([half])
    assert await place.written() == [3]


async def test_skipped_text_does_not_count(place: Place) -> None:
    await place.open(at_version(1, "x" * 900_000))
    for _ in range(3):
        place.edit([800_000, "y"])
    assert await place.written() == []


async def test_a_snapshot_taken_inside_a_batch_is_of_its_end(place: Place) -> None:
    await place.open(at_version(SNAPSHOT_EVERY - 1))
    place.edit(["x"], is_last_of_batch=False)
    place.edit(["y"])
    assert await place.written() == [SNAPSHOT_EVERY + 1]


async def test_documents_that_are_not_in_memory_are_passed_over(place: Place) -> None:
    document = at_version(SNAPSHOT_EVERY - 1)
    document.edit(Edit("ada-1", SNAPSHOT_EVERY - 1, SNAPSHOT_EVERY - 2, ["x"], ""), actor="Ada", at=NOON)
    [event] = document.collect_events()
    place.snapshots.on_events([Recorded(1, event)])  # type: ignore[arg-type]
    assert await place.written() == []


async def test_other_events_are_passed_over(place: Place) -> None:
    [event] = Document.create("demo", "main.md", actor="Ada", at=NOON).collect_events()
    place.snapshots.on_events([Recorded(1, event)])  # type: ignore[arg-type]
    assert await place.written() == []


@pytest.mark.parametrize(
    ("revision", "is_taken"),
    [
        (0, False),
        (SNAPSHOT_ON_LEAVING - 1, False),
        (SNAPSHOT_ON_LEAVING, True),
        (SNAPSHOT_EVERY - 1, True),
        (SNAPSHOT_EVERY + 5, False),
    ],
)
async def test_a_document_that_leaves_is_kept_when_reading_it_again_would_be_slow(
    place: Place, revision: int, *, is_taken: bool
) -> None:
    place.snapshots.on_leaving(a_restored_document(revision=revision))
    assert bool(await place.written()) is is_taken


async def test_what_waits_is_bounded(place: Place) -> None:
    for _ in range(WAITING_MAX + 5):
        place.snapshots.take(a_document("x"))
    assert len(await place.written()) == WAITING_MAX


async def test_snapshots_are_written_in_the_background(place: Place) -> None:
    async with running(place.snapshots.run()):
        place.snapshots.take(a_document("x"))
        await until(lambda: place.store.versions == [2])
    assert place.snapshots.saved == 1


async def test_a_snapshot_that_cannot_be_written_is_left_out(place: Place) -> None:
    place.store.failures = 1
    async with running(place.snapshots.run()):
        place.snapshots.take(a_document("x"))
        place.snapshots.take(a_document("x", "y"))
        await until(lambda: place.store.versions == [3])
    assert place.snapshots.saved == 1


async def test_the_documents_whose_bytes_are_counted_are_bounded(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert COUNTED_MAX > 1
    monkeypatch.setattr(module, "COUNTED_MAX", 1)
    half = "x" * (SNAPSHOT_BYTES // 2)
    await place.open(at_version(1))
    place.edit([half])
    other = Document.create("demo", "other.md", actor="Ada", at=NOON)
    other.edit(Edit("ada-1", 1, 0, ["x"], ""), actor="Ada", at=NOON)
    _, edited = other.collect_events()
    place.snapshots.on_events([Recorded(1, edited)])  # type: ignore[arg-type]
    place.edit([{"d": half}])
    assert await place.written() == []
    assert place.node.lives.find(document_stream("demo", "main.md")) is not None
