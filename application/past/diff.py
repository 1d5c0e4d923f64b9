"""What is different between two texts: which lines, and within lines that were changed, which words.

Finding it is a port, `Differ`: it is done by a library, and beside the server where it takes long. Here is
what is made of it: an op that turns one text into the other, which skips whatever both have in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from application.past.states import Moment, States
from domain.document import DocumentState
from domain.limits import OP_COMPONENTS
from domain.text_op import Component, Op, between, normalise


class Change(NamedTuple):
    """The old text from `old_start` up to `old_end` has become the new one from `new_start` up to `new_end`:
    positions in code points.
    """

    old_start: int
    old_end: int
    new_start: int
    new_end: int


class ChangedLines(NamedTuple):
    """Whole lines that were put in the place of others, and the words in which they differ.

    `words` are changes within `lines`, in order; `lines` itself where there is nothing to compare, or too
    much.
    """

    lines: Change
    words: Sequence[Change]


class Comparison(NamedTuple):
    """What differs, in order. `is_coarse` says that the texts were too large to be compared line by line, or
    some of their lines word by word.
    """

    changed: Sequence[ChangedLines]
    is_coarse: bool


class Differ(Protocol):
    """Finds what differs."""

    async def compare(self, old: str, new: str) -> Comparison:
        """Never fails: what takes too long comes out coarse, as one replacement in the end."""
        ...


class Diff(NamedTuple):
    """Two states of a document, and what differs."""

    old: DocumentState
    new: DocumentState
    comparison: Comparison


class Diffs:
    def __init__(self, states: States, differ: Differ) -> None:
        self._states = states
        self._differ = differ

    async def between(self, room: str, document: str, old: Moment, new: Moment = None) -> Diff:
        """Raises `NotFound`, `StoreUnavailable`. The old state may be the younger one."""
        before = await self._states.get(room, document, old)
        return await self.of(before, await self._states.get(room, document, new))

    async def of(self, old: DocumentState, new: DocumentState) -> Diff:
        return Diff(old, new, await self._differ.compare(old.text, new.text))


async def op_between(differ: Differ, old: str, new: str) -> Op:
    """An invertible op that turns `old` into `new` by replacing the words that differ.

    Where this would have more components than an op may have, it replaces lines; or else all that is
    between the first difference and the last.
    """
    changed = (await differ.compare(old, new)).changed
    for changes in ([word for each in changed for word in each.words], [each.lines for each in changed]):
        if len(changes) * 3 <= OP_COMPONENTS:  # each skips, inserts and deletes
            return normalise(_components(changes, old, new))
    return between(old, new)


def _components(changes: Sequence[Change], old: str, new: str) -> Iterator[Component]:
    position = 0
    for change in changes:
        yield change.old_start - position
        yield new[change.new_start : change.new_end]
        yield {"d": old[change.old_start : change.old_end]}
        position = change.old_end
