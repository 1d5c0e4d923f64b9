"""Branches: what was changed in a document that began as a copy of another, so that it can be merged back.

A branch's first edit inserts the text that it starts from. What its later edits have changed is seen from
whose the runs are: those that stood there before are skipped, those that did not are inserted, and what is
missing was deleted. That is one op on the old text, whatever was typed and taken back in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from domain.attribution import Run
from domain.text_op import Component, Components, Op, normalise, transform


class Changed(NamedTuple):
    """An op, and whose the text is that it inserts, in order."""

    op: Op
    inserted: Sequence[Run]


def changed(old: Sequence[Run], new: Sequence[Run], text: str) -> Changed:
    """What has made the text of the runs `new`, which is `text`, of that of the runs `old`."""
    places = _Places(old)
    op: list[Component] = []
    inserted: list[Run] = []
    reached = position = 0
    for run in new:
        for piece, place in places.of(run, reached):
            if place is None:
                op.append(text[position : position + piece.length])
                inserted.append(piece)
            else:
                op += [{"d": place - reached}, piece.length]
                reached = place + piece.length
            position += piece.length
    op.append({"d": places.length - reached})
    return Changed(normalise(op), inserted)


class _Places:
    """Where the characters of a text are, by who has put them there."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs: dict[int, list[tuple[int, int, int]]] = {}
        self.length = 0
        for run in runs:
            self._runs.setdefault(run.revision, []).append((run.offset, run.length, self.length))
            self.length += run.length

    def of(self, run: Run, reached: int) -> list[tuple[Run, int | None]]:
        """The parts of `run`, each with its place in the text, None where it is not there behind `reached`:
        what comes in another order than before is new.
        """
        known = sorted(self._runs.get(run.revision, ()))
        parts: list[tuple[Run, int | None]] = []
        done = 0
        for offset, length, place in known:
            first = max(offset - run.offset, done)
            last = min(offset + length - run.offset, run.length)
            at = place + first + run.offset - offset
            if first >= last or at < reached:
                continue
            if first > done:
                parts.append((run.part(done, first), None))
            parts.append((run.part(first, last), at))
            done, reached = last, at + last - first
        if done < run.length:
            parts.append((run.part(done, run.length), None))
        return parts


class Merging:
    """What of a branch has not come back yet, on its way past the edits of the document it has left.

    The branch is like a client that was away: what it has changed is transformed over the edits that came
    meanwhile, as "left", and these over that. A merge that was made before is one of these edits, and the
    answer to the first of what was on its way.
    """

    def __init__(self, ops: Iterable[Components]) -> None:
        """`ops`: what was merged before, merge by merge, and what is to be merged now."""
        self._waiting = [list(op) for op in ops]

    def pass_edit(self, op: Components) -> None:
        """Let an edit of the document come before."""
        for number, ours in enumerate(self._waiting):
            self._waiting[number] = transform(ours, op, "left")
            op = transform(op, ours, "right")

    def pass_merge(self) -> None:
        """The edit that has brought back the first of them."""
        del self._waiting[0]

    @property
    def op(self) -> Op:
        """What is to be merged now."""
        [op] = self._waiting
        return op
