"""A room with a document on nodes that commit by themselves, and what is kept of its past in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from application.documents import Documents
from application.past.blame import Blame, EditFacts
from application.past.branches import Branches
from application.past.diff import Change, ChangedLines, Comparison
from application.past.restore import Restore
from application.past.revising import Revising
from application.past.undo import Undo
from application.rooms import Rooms
from domain.attribution import Run
from domain.document import Document, DocumentState, Edit, EditApplied
from domain.ids import document_stream
from domain.rights import Role
from domain.text_op import Op, between
from tests.application.fakes import Clock, FakeNode, FakeStore
from tests.domain.events import NOON

ROOM = "demo"
STREAM = document_stream(ROOM, "main.md")


class FakePast:
    """An `Attributions`, `EditLog` and `PastStates` on the fake store."""

    def __init__(self, store: FakeStore) -> None:
        self.store = store
        self.kept: dict[tuple[str, int], list[Run]] = {}

    def _edits(self, stream: str) -> list[EditApplied]:
        return [event for event in self.store.stream(stream) if isinstance(event, EditApplied)]

    async def nearest(self, stream: str, revision: int) -> tuple[int, Sequence[Run]]:
        found = max((r for s, r in self.kept if s == stream and r <= revision), default=0)
        return found, self.kept.get((stream, found), [])

    async def keep(self, stream: str, revision: int, runs: Sequence[Run]) -> None:
        self.kept[stream, revision] = list(runs)

    async def facts(self, stream: str, revisions: Sequence[int]) -> Mapping[int, EditFacts]:
        edits = self._edits(stream)
        return {
            r: EditFacts(edits[r - 1].actor, edits[r - 1].timestamp, edits[r - 1].cause) for r in revisions
        }

    async def revision_at(self, stream: str, at: datetime) -> int | None:
        events = [event for event in self.store.stream(stream) if event.timestamp <= at]
        return len(events) - 1 if events else None

    async def own_backwards(self, stream: str, actor: str, before: int, limit: int) -> Sequence[EditApplied]:
        own = [e for e in self._edits(stream) if e.actor == actor or e.client.startswith("@")]
        return [edit for edit in reversed(own) if edit.revision < before][:limit]

    async def at_revision(self, stream: str, revision: int) -> DocumentState | None:
        document = Document.create(ROOM, "x", actor="x", at=NOON)
        edits = self._edits(stream)
        for edit in edits[:revision]:
            document.on_edit_applied(edit)
        return document.state if revision <= len(edits) else None


class OneChange:
    """A `Differ` that finds one change."""

    async def compare(self, old: str, new: str) -> Comparison:
        start = end = 0
        for component in between(old, new):
            if isinstance(component, int):
                start = component
            elif not isinstance(component, str):
                end = len(str(component["d"]))
        if old == new:
            return Comparison([], is_coarse=False)
        change = Change(start, start + end, start, start + end + len(new) - len(old))
        return Comparison([ChangedLines(change, [change])], is_coarse=False)


class OnNode:
    """What can be done on one node."""

    def __init__(self, store: FakeStore, clock: Clock, past: FakePast) -> None:
        self.node = FakeNode(store, clock)
        self.node.commits_by_itself = True
        lives, now = self.node.lives, clock.now
        self.rooms = Rooms(lives, now=now)
        self.documents = Documents(lives, store, self.rooms, now=now)
        self.blame = Blame(store, past)
        self.revising = Revising(lives, store, self.documents)
        self.undo = Undo(self.documents, self.blame, past, self.revising, now=now)
        self.restore = Restore(past, self.blame, OneChange(), self.revising, now=now)
        self.branches = Branches(self.documents, past, self.blame, self.revising, now=now)


class Scene:
    """One document; `here` and `there` are two nodes."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.clock = Clock()
        self.past = FakePast(self.store)
        self.here = OnNode(self.store, self.clock, self.past)
        self.there = OnNode(self.store, self.clock, self.past)
        self._seqs: dict[tuple[str, str], int] = {}

    @classmethod
    async def make(cls) -> Scene:
        scene = cls()
        await scene.here.rooms.open(ROOM, "Demo", actor="ada", everyone=Role.EDITOR)
        await scene.here.documents.create(ROOM, "main.md", actor="ada")
        return scene

    async def type(self, who: str, op: Op, *, document: str = "main.md", on: OnNode | None = None) -> None:
        """A second later, on the present text."""
        node = on or self.here
        node.node.feed()
        self.clock.advance(2)
        present = await node.documents.get(ROOM, document)
        seq = self._seqs[who, document] = self._seqs.get((who, document), 0) + 1
        edit = Edit(f"{who}-1", seq, present.revision, op, digest=f"{seq}")
        await node.documents.edit(ROOM, document, edit, actor=who)

    async def text(self, document: str = "main.md", *, on: OnNode | None = None) -> str:
        node = on or self.here
        node.node.feed()
        return str((await node.documents.get(ROOM, document)).text)

    async def revision(self, document: str = "main.md") -> int:
        self.here.node.feed()
        return (await self.here.documents.get(ROOM, document)).revision
