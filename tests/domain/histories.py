"""Documents with a past of every kind: typing, undo of anything, undo of undo, restore; and what is true of
their characters by a plain count, one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import strategies as st

from domain.attribution import Weave, as_copied, cut
from domain.document import RESTORE, UNDO, Document, EditApplied, Ranges, Sources
from domain.text_op import Op, between
from domain.undo import Unravelled, as_ranges
from tests.domain.events import NOON, collect, edit
from tests.domain.strategies import changes

PEOPLE = ("ada", "ben", "cy")


@dataclass
class Character:
    """`by`: the edit that put it here, `written`: the one that wrote it."""

    character: str
    by: int
    offset: int
    written: tuple[int, int]
    deleters: set[int] = field(default_factory=set)


class Plain:
    """Every character that ever was, in order. Undo is not folded as an op: it only says which edits do not
    count, and what is seen follows from that.
    """

    def __init__(self) -> None:
        self.characters: list[Character] = []
        self.undos: list[tuple[int, Ranges]] = []

    def off(self) -> set[int]:
        off: set[int] = set()
        for revision, ranges in reversed(self.undos):
            if revision not in off:
                off.update(r for first, last in ranges for r in range(first, last + 1))
        return off

    def seen(self) -> list[Character]:
        off = self.off()
        return [c for c in self.characters if c.by not in off and c.deleters <= off]

    @property
    def text(self) -> str:
        return "".join(c.character for c in self.seen())

    def apply(self, applied: EditApplied) -> None:
        if applied.undoes is not None:
            self.undos.append((applied.revision, applied.undoes))
            return
        seen = self.seen()
        sources = [
            (int(revision), int(offset) + i)
            for length, _, revision, offset in applied.origins or ()
            for i in range(int(length))
        ]
        at = inserted = 0
        for component in applied.op:
            if isinstance(component, int):
                at += component
            elif isinstance(component, str):
                place = (
                    0 if at == 0 else next(i + 1 for i, c in enumerate(self.characters) if c is seen[at - 1])
                )
                new = [
                    Character(
                        character,
                        applied.revision,
                        inserted + i,
                        sources[inserted + i] if sources else (applied.revision, inserted + i),
                    )
                    for i, character in enumerate(component)
                ]
                self.characters[place:place] = new
                seen[at:at] = new
                at += len(new)
                inserted += len(new)
            else:
                for gone in seen[at : at + len(component["d"])]:  # type: ignore[arg-type]
                    gone.deleters.add(applied.revision)
                del seen[at : at + len(component["d"])]  # type: ignore[arg-type]


class Past:
    """A document on its way, with all of its edits and texts."""

    def __init__(self) -> None:
        self.document = Document.create("demo", "main.md", actor="ada", at=NOON)
        collect(self.document)
        self.edits: list[EditApplied] = []
        self.texts = [""]
        self.plain = Plain()
        self._seqs: dict[str, int] = {}

    @property
    def revision(self) -> int:
        return self.document.revision

    @property
    def text(self) -> str:
        return self.texts[-1]

    def _collect(self) -> EditApplied:
        [applied] = collect(self.document)
        assert isinstance(applied, EditApplied)
        self.edits.append(applied)
        self.texts.append(str(self.document.text))
        self.plain.apply(applied)
        return applied

    def type(self, who: str, op: Op, base: int | None = None) -> EditApplied:
        seq = self._seqs[who] = self._seqs.get(who, 0) + 1
        made = edit(who, seq, self.revision if base is None else base, op)
        self.document.edit(made, actor=who, at=NOON + timedelta(seconds=self.revision))
        return self._collect()

    def weave(self, until: int | None = None) -> Weave:
        weave = Weave()
        for applied in self.edits[:until]:
            weave.apply(applied)
        return weave

    def unravelled(self, base: int) -> Unravelled:
        unravelled = Unravelled(self.weave(base).spans(), base)
        for applied in self.edits[base:]:
            unravelled.apply(applied)
        return unravelled if unravelled.needed == base else self.unravelled(unravelled.needed)

    def undo(
        self, revisions: Sequence[int], *, base: int | None = None, within: tuple[int, int] | None = None
    ) -> EditApplied | None:
        """Take back, as seen from `base` or from as late as can be."""
        seen_from = min(revisions) - 1 if base is None else base
        taken = self.unravelled(seen_from).take_back(as_ranges(revisions), within)
        if taken is None:
            return None
        self.document.revise(
            taken.op, actor="ada", at=NOON, cause=UNDO, undoes=taken.undoes, revives=taken.revives
        )
        return self._collect()

    def restore(self, revision: int) -> EditApplied:
        old = self.texts[revision]
        op = between(self.text, old)
        kept = op[0] if op and isinstance(op[0], int) else 0
        inserted = sum(len(c) for c in op if isinstance(c, str))
        origins = [as_copied(run) for run in cut(self.weave(revision).spans(), kept, kept + inserted)]
        self.document.revise(op, actor="ben", at=NOON, cause=RESTORE, origins=origins)
        return self._collect()

    def revise(self, op: Op, cause: str, origins: Sources, source: tuple[str, int]) -> EditApplied:
        self.document.revise(op, actor="cy", at=NOON, cause=cause, origins=origins, source=source)
        return self._collect()


@st.composite
def pasts(draw: st.DrawFn, *, steps: int = 12) -> Past:
    """Any document that people have typed in, on old revisions too, taken back and restored."""
    past = Past()
    for _ in range(draw(st.integers(1, steps))):
        extend(draw, past, draw(st.sampled_from(("type", "type", "type", "late", "undo", "restore"))))
    return past


def extend(draw: st.DrawFn, past: Past, kind: str) -> None:
    """Let one more thing happen."""
    if kind == "undo" and past.revision:
        past.undo(sorted(draw(some_revisions(past))))
    elif kind == "restore" and past.revision:
        past.restore(draw(st.integers(0, past.revision)))
    else:
        base = (
            draw(st.integers(max(0, past.revision - 3), past.revision)) if kind == "late" else past.revision
        )
        past.type(draw(st.sampled_from(PEOPLE)), draw(changes(past.texts[base])).op, base)


def some_revisions(past: Past) -> st.SearchStrategy[set[int]]:
    return st.sets(st.integers(1, past.revision), min_size=1, max_size=3)
