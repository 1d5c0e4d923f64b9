"""Taking edits back, whichever they are and whatever came later.

Of a weave that keeps what is deleted, a run is seen where the edit that inserted it is in effect, and none of
those that deleted it is, unless an edit in effect has brought it back. Taking edits back means that they
are not in effect any more: what is seen with and without them differs by exactly their effect, and that is
the op. All that others have written later is seen in both, byte for byte.

An undo is itself an edit, which says what it takes back. So it can be taken back as well: then what it has
taken back is in effect again. Which edits are in effect follows from the newest backwards, since an undo is
always newer than what it takes back.

That effects can be switched off and on in any order, since every character knows who made it and who deleted
it, is how collaborative editors with such a set of operations do it (R. Prakash and M. Knister, "A framework
for undoing actions in collaborative systems", 1994, ask for it; xi-editor's "CRDT undo" builds it on runs).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterable, Set
from dataclasses import dataclass
from typing import Protocol

from domain.attribution import AttributedEdit, Run, Weave, as_revived
from domain.document import Ranges, Sources
from domain.text_op import Component, Op, normalise


def as_ranges(revisions: Iterable[int]) -> list[list[int]]:
    ranges: list[list[int]] = []
    for revision in sorted(set(revisions)):
        if ranges and ranges[-1][1] == revision - 1:
            ranges[-1][1] = revision
        else:
            ranges.append([revision, revision])
    return ranges


def holds(ranges: Ranges, revision: int) -> bool:
    """Whether `revision` is in one of them."""
    found = bisect_right(ranges, revision, key=lambda pair: pair[0]) - 1
    return found >= 0 and revision <= ranges[found][1]


class Undone:
    """Which edits are not in effect, as of some revision."""

    def __init__(self, undos: Iterable[tuple[int, Ranges]]) -> None:
        """`undos`: the revision of each undo, in their order, and what it takes back."""
        self._in_effect: list[Ranges] = []
        for revision, ranges in reversed([*undos]):
            if revision not in self:
                self.add(ranges)

    def add(self, ranges: Ranges) -> None:
        """Of one more undo that is in effect, older than those before."""
        self._in_effect.append(ranges)

    def __contains__(self, revision: object) -> bool:
        assert isinstance(revision, int)
        return any(holds(ranges, revision) for ranges in self._in_effect)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What an undo does: an op on the present text, and what of it is text that comes back."""

    op: Op
    undoes: Ranges | None
    revives: Sources


class Unravelled:
    """The edits from some revision on, in a form in which any of them can be taken back. One owner.

    It has to begin before all that any of these edits takes back: then nothing that came earlier can change
    its effect.
    """

    def __init__(self, base: Iterable[Run], revision: int) -> None:
        """`base` are the runs of the text at `revision`: what comes behind it can be taken back."""
        self.base = revision
        self._weave = Weave(base, revision, keeps_deleted=True)
        self._undos: list[tuple[int, Ranges]] = []
        self.needed = revision
        """The revision at which it has to begin; an earlier one than that at which it does is a reason to
        begin anew.
        """

    @property
    def revision(self) -> int:
        return self._weave.revision

    def copy(self) -> Unravelled:
        twin = Unravelled((), self.base)
        twin._weave = self._weave.copy()
        twin._undos = self._undos.copy()
        twin.needed = self.needed
        return twin

    def apply(self, edit: UndoableEdit) -> None:
        """Take in the next edit."""
        self._weave.apply(edit)
        if edit.undoes:
            self._undos.append((edit.revision, edit.undoes))
            self.needed = min(self.needed, edit.undoes[0][0] - 1)

    def take_back(self, revisions: Ranges, within: tuple[int, int] | None = None) -> TakenBack | None:
        """What takes back the edits of `revisions`, all of them behind the base; None when none of them is in
        effect.

        Only in the passage `within`, a range of the present text, if that is given: then the edits are still
        in effect elsewhere, and what is done is an edit like any other; None when they have changed nothing
        in it.
        """
        now = Undone(self._undos)
        assert self.needed == self.base
        assert all(self.base < first <= last <= self.revision for first, last in revisions)
        if all(revision in now for first, last in revisions for revision in range(first, last + 1)):
            return None
        then = Undone([*self._undos, (self.revision + 1, revisions)])
        op, revives = self._changes(now, then, self._turned(revisions, now, then), within)
        if within is None:
            return TakenBack(op, revisions, revives)
        return TakenBack(op, None, revives) if op else None

    def _turned(self, revisions: Ranges, now: Undone, then: Undone) -> Set[int]:
        """The edits that are in effect either now or then: of those that are taken back, and of those that
        these, as undos, have taken back, and so on.
        """
        undos, asked, turned = dict(self._undos), [revisions], set[int]()
        while asked:
            for first, last in asked.pop():
                for revision in range(first, last + 1):
                    if (revision in now) != (revision in then) and revision not in turned:
                        turned.add(revision)
                        if revision in undos:
                            asked.append(undos[revision])
        return turned

    def _changes(
        self, now: Undone, then: Undone, turned: Set[int], within: tuple[int, int] | None
    ) -> tuple[Op, list[list[int | str]]]:
        op: list[Component] = []
        revives: list[list[int | str]] = []
        position = kept = 0
        for run in self._weave:
            visible = run.visible
            # Of a long text nearly nothing changes.
            changes = _is_touched(run, turned) and is_seen(run, now) != is_seen(run, then)
            if changes and visible:
                before, gone = _overlap(position, visible, within)
                op += [kept + before, {"d": gone}]  # its text is filled in by who has it
                kept = visible - before - gone
            elif changes and run.fate is not None and _is_inside(position, within):
                op += [kept, run.fate.text]
                kept = 0
                revives.append(as_revived(run))
            else:
                kept += visible
            position += visible
        return normalise(op), revives


class UndoableEdit(AttributedEdit, Protocol):
    """Of an `EditApplied`, what has to be known here."""

    @property
    def undoes(self) -> Ranges | None: ...


def is_seen(run: Run, off: Container[int]) -> bool:
    """Whether a run is seen when the edits `off` are not in effect."""
    if run.revision in off:
        return False
    if run.fate is None:
        return True
    return all(
        deleter in off or any(reviver not in off for reviver in revivers)
        for deleter, revivers in run.fate.deletions
    )


def _is_touched(run: Run, revisions: Set[int]) -> bool:
    """Whether one of these edits has inserted, deleted or brought back the run."""
    if run.revision in revisions:
        return True
    return run.fate is not None and any(
        deleter in revisions or not revisions.isdisjoint(revivers) for deleter, revivers in run.fate.deletions
    )


def _overlap(position: int, length: int, within: tuple[int, int] | None) -> tuple[int, int]:
    """Of `length` code points from `position` on, how many come before the passage and how many are in it."""
    if within is None:
        return 0, length
    start, end = (min(max(place, position), position + length) for place in within)
    return start - position, end - start


def _is_inside(position: int, within: tuple[int, int] | None) -> bool:
    return within is None or within[0] <= position <= within[1]
