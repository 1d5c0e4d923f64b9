"""A passage: a stretch of a document's text that is followed through the edits around it and in it, forwards
in time, or backwards over inverted ops.

It reaches from its first to its last code point that is still there, as `transform_range` moves it: what is
put in at either end, or in the place of one, stays out; what is put between belongs to it. An op touches it
when some of its text is deleted, or something put between. `inside` is the op as the passage alone has it:

    apply(text, inside(op, start, end)) == apply(whole, op)[slice(*transform_range(start, end, op))]
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, Self

from domain.text import Text
from domain.text_op import (
    Component,
    Components,
    Op,
    length_change,
    normalise,
    required_length,
    transform_range,
)

# What stays around a change is shown as far as one needs to recognise the place: some words.
CONTEXT_CODE_POINTS: Final = 40

# A pasted book is known by its beginning.
CHANGE_CODE_POINTS: Final = 500

# A change of all names in a text is known by some of them.
CHANGES_SHOWN: Final = 20


class Piece(NamedTuple):
    """A part of a passage in its order: what an edit kept, inserted or deleted there, and how much of it is
    left out here.
    """

    kind: Literal["kept", "inserted", "deleted", "left_out"]
    text: str
    length: int

    @classmethod
    def of(cls, kind: Literal["kept", "inserted", "deleted"], text: str) -> Self:
        return cls(kind, text, len(text))

    @classmethod
    def left_out(cls, length: int) -> Self:
        return cls("left_out", "", length)


class Passage:
    """Where it is and what it says now. One owner, who takes it from edit to edit."""

    def __init__(self, start: int, text: str) -> None:
        self.start = start
        self.text = Text(text)

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def is_gone(self) -> bool:
        """Nothing of it is left: no op touches it any more."""
        return not len(self.text)

    def take(self, op: Components) -> Op | None:
        """Go on behind `op`, which is invertible and made on the text that the passage is in. Returns what it
        does to the passage alone, None when it does not touch it.
        """
        if is_behind(op, self.end):
            return None
        if required_length(op) <= self.start:
            self.start += length_change(op)
            return None
        done = inside(op, self.start, self.end)
        self.start = transform_range(self.start, self.end, op)[0]
        if not done:
            return None
        self.text.apply(done)
        return done


def is_behind(op: Components, end: int) -> bool:
    """Whether nothing that ends at `end` can be touched by the op, or by its inverse."""
    return not op or (isinstance(op[0], int) and op[0] >= end)


def inside(op: Components, start: int, end: int) -> Op:
    """What an invertible op does to the text from `start` up to `end`, as an op on that text alone."""
    cut = list(_cut(op, start, end))
    kept = [place for place, component in enumerate(cut) if isinstance(component, int)]
    if not kept:
        return normalise(component for component in cut if not isinstance(component, str))
    first, last = kept[0], kept[-1]
    return normalise(
        component
        for place, component in enumerate(cut)
        if first < place < last or not isinstance(component, str)
    )


def _cut(op: Components, start: int, end: int) -> list[Component]:
    """The components between, those that reach beyond cut off."""
    old = 0
    cut: list[Component] = []
    for component in (*op, end):  # what follows the last component is kept
        if isinstance(component, str):
            if start < old < end:
                cut.append(component)
            continue
        length = component if isinstance(component, int) else len(_text_of(component))
        since, until = max(start - old, 0), min(end - old, length)
        if since < until:
            cut.append(
                until - since if isinstance(component, int) else {"d": _text_of(component)[since:until]}
            )
        old += length
    return cut


def _text_of(component: Component) -> str:
    assert isinstance(component, dict)
    assert isinstance(component["d"], str), "an edit in the log has the text that it deleted"
    return component["d"]


def pieces(text: Text, done: Components, *, is_inverse: bool = False) -> list[Piece]:
    """How a passage that says `text` came to be so by `done`: at each place what was deleted, then what was
    inserted, with some of what stays around. Long ones are clipped, of very many only the first are there.

    `is_inverse`: `done` took an edit back, and what the edit did is shown.
    """
    shown: list[Piece] = []
    place = changes = 0
    deleted = inserted = ""
    for component in (*done, 0):
        if isinstance(component, str):
            inserted += component
        elif isinstance(component, dict):
            deleted += _text_of(component)
        else:
            place += len(inserted)
            changes += bool(deleted or inserted)
            before, after = (inserted, deleted) if is_inverse else (deleted, inserted)
            shown += [*_changed("deleted", before), *_changed("inserted", after)]
            deleted = inserted = ""
            if component and changes == CHANGES_SHOWN:
                return [*shown, Piece.left_out(len(text) - place)]
            if component:
                shown += _kept(text, place, place + component, is_first=not shown)
            place += component
    return shown + _kept(text, place, len(text), is_last=True)


def _changed(kind: Literal["deleted", "inserted"], text: str) -> list[Piece]:
    if len(text) <= CHANGE_CODE_POINTS:
        return [Piece.of(kind, text)] if text else []
    return [Piece.of(kind, text[:CHANGE_CODE_POINTS]), Piece.left_out(len(text) - CHANGE_CODE_POINTS)]


def _kept(text: Text, start: int, end: int, *, is_first: bool = False, is_last: bool = False) -> list[Piece]:
    """What stays, without what is far from a change."""
    begin = start if is_first else min(start + CONTEXT_CODE_POINTS, end)
    resume = end if is_last else max(end - CONTEXT_CODE_POINTS, begin)
    if begin == resume:
        parts = [Piece.of("kept", text.slice(start, end))]
    else:
        left = [Piece.of("kept", text.slice(*part)) for part in ((start, begin), (resume, end))]
        parts = [left[0], Piece.left_out(resume - begin), left[1]]
    return [piece for piece in parts if piece.length]
