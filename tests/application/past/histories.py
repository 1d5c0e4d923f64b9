"""Documents with a past, for tests of what looks back at it: made of random changes, by several people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from domain.document import DocumentState, EditApplied
from domain.ids import document_stream
from domain.text_op import Op, apply
from tests.domain.events import NOON, later
from tests.domain.strategies import changes

PEOPLE = ("ada", "ben", "cleo")
STREAM = document_stream("demo", "main.md")


def edits_of(ops: Sequence[Op], stream: str = STREAM) -> list[EditApplied]:
    """One edit for each op, each by the next of `PEOPLE`, a second apart."""
    return [an_edit(stream, revision, op, PEOPLE[revision % 3]) for revision, op in enumerate(ops, 1)]


def an_edit(stream: str, revision: int, op: Op, user: str, at: datetime | None = None) -> EditApplied:
    make: Any = EditApplied  # its constructor is made by a metaclass
    edit: EditApplied = make(
        originator_id=stream,
        originator_version=revision + 1,
        timestamp=at or later(revision),
        actor=user,
        client=f"{user}-1",
        seq=revision,
        base=revision - 1,
        revision=revision,
        digest="",
        op=op,
    )
    return edit


@st.composite
def histories(draw: st.DrawFn, max_edits: int = 12) -> list[Op]:
    """Invertible ops, each made on the text that those before it make of no text."""
    text = ""
    ops: list[Op] = []
    for _ in range(draw(st.integers(0, max_edits))):
        change = draw(changes(text, invertible=True))
        ops.append(change.op)
        text = change.after
    return ops


def texts_of(ops: Sequence[Op]) -> list[str]:
    """The text at each revision."""
    texts = [""]
    for op in ops:
        texts.append(apply(texts[-1], op))
    return texts


class FakePast:
    """Documents by stream, read as from the log; `pages` are what was asked for."""

    def __init__(self, **documents: Sequence[Op]) -> None:
        self._ops = {document_stream("demo", name): list(ops) for name, ops in documents.items()}
        self.pages: list[tuple[str, int, int]] = []

    async def edits(self, stream: str, after: int, until: int) -> Sequence[EditApplied]:
        self.pages.append((stream, after, until))
        found = edits_of(self._ops[stream], stream)[after:until]
        assert len(found) == until - after, "more than there is was asked for"
        return found

    async def now(self, stream: str) -> DocumentState | None:
        return await self.at_revision(stream, len(self._ops.get(stream, ())))

    async def at_revision(self, stream: str, revision: int) -> DocumentState | None:
        ops = self._ops.get(stream)
        if ops is None or revision > len(ops):
            return None
        at = later(revision) if revision else NOON
        name = stream.partition("/")[2]
        return DocumentState("demo", name, revision, texts_of(ops)[revision], at)
