"""What became of a passage: every edit that touched it, from any revision on and back to where it began.

Onwards it is taken through the edits, back through what takes them back, so that one rule says in both
directions what belongs to it (`domain/passage.py`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Final, Literal, NamedTuple

from application.past.edits import EditsReader, Progress, page_before, pages
from application.past.states import StatesReader
from domain.document import DocumentState, EditApplied
from domain.errors import BadFrame, NotFound
from domain.ids import document_stream
from domain.passage import Passage, Piece, is_behind, pieces
from domain.text_op import Op, invert

# Of a passage, what is shown to know it by.
PASSAGE_CODE_POINTS: Final = 500

Direction = Literal["back", "forward"]

Why = Literal["began", "gone", "present", "limit"]
"""Why it does not go on: the passage began there, or nothing of it is left; there are no more edits; as many
were told as were asked for.
"""


class Span(NamedTuple):
    """A range in a text, in code points."""

    start: int
    end: int


class Watched(NamedTuple):
    """A passage as it is asked for, in the text of `revision`; `present` is the document's newest one."""

    stream: str
    revision: int
    span: Span
    text: str
    present: int


class Touch(NamedTuple):
    """An edit that touched a passage: where that was before and after it, how many code points were inserted
    and deleted there, and how it looks.
    """

    revision: int
    user: str
    client: str
    at: datetime
    cause: str
    before: Span
    after: Span
    inserted: int
    deleted: int
    pieces: tuple[Piece, ...]


class Reached(NamedTuple):
    """Where the passage is, in the text of `revision`, when no more is told: one can ask on from here."""

    why: Why
    revision: int
    span: Span


class Watch:
    def __init__(self, states: StatesReader, edits: EditsReader) -> None:
        self._states = states
        self._edits = edits

    async def begin(
        self, room: str, document: str, start: int, end: int, revision: int | None = None
    ) -> Watched:
        """The passage from `start` up to `end` in the text of `revision`, of the present one if None.

        Raises `NotFound`, `BadFrame` for a passage that is not in the text, `StoreUnavailable`.
        """
        stream = document_stream(room, document)
        present = await self._states.now(stream)
        state = present if revision is None else await self._states.at_revision(stream, revision)
        if present is None or state is None:
            raise NotFound("there is no such document, or not yet at that revision")
        return passage_of(stream, state, start, end, present.revision)

    async def back(self, watched: Watched, limit: int) -> AsyncGenerator[Touch | Progress | Reached, None]:
        """The newest `limit` edits up to the passage's revision that touched it, newest first, and how far
        that is.
        """
        passage, touches = Passage(watched.span.start, watched.text), 0
        end = watched.revision
        while True:  # at revision 0 there is no text, so it ends
            start = page_before(end)
            for edit in reversed(await self._edits.edits(watched.stream, start, end)):
                touch = _taken_back(passage, edit)
                if touch is None:
                    continue
                yield touch
                touches += 1
                if passage.is_gone or touches == limit:
                    why: Why = "began" if passage.is_gone else "limit"
                    yield Reached(why, edit.revision - 1, _span(passage))
                    return
            end = start
            yield Progress(watched.revision - end, watched.revision)

    async def forward(self, watched: Watched, limit: int) -> AsyncGenerator[Touch | Progress | Reached, None]:
        """The first `limit` edits behind the passage's revision that touched it, oldest first, and how far
        that is.
        """
        passage, touches = Passage(watched.span.start, watched.text), 0
        for start, end in pages(watched.revision, watched.present):
            for edit in await self._edits.edits(watched.stream, start, end):
                touch = taken(passage, edit)
                if touch is None:
                    continue
                yield touch
                touches += 1
                if passage.is_gone or touches == limit:
                    why: Why = "gone" if passage.is_gone else "limit"
                    yield Reached(why, edit.revision, _span(passage))
                    return
            yield Progress(end - watched.revision, watched.present - watched.revision)
        yield Reached("present", watched.present, _span(passage))


def passage_of(stream: str, state: DocumentState, start: int, end: int, present: int) -> Watched:
    """Raises `BadFrame`."""
    if not 0 <= start < end:
        raise BadFrame("a passage begins before it ends", field="end")
    if end > len(state.text):
        raise BadFrame("the passage reaches beyond the end of the text", field="end", actual=len(state.text))
    return Watched(stream, state.revision, Span(start, end), state.text[start:end], present)


def taken(passage: Passage, edit: EditApplied) -> Touch | None:
    """Take the passage on behind `edit`; what that did to it."""
    before = _span(passage)
    done = passage.take(edit.op)
    if done is None:
        return None
    return _touch(edit, before, _span(passage), done, pieces(passage.text, done))


def _taken_back(passage: Passage, edit: EditApplied) -> Touch | None:
    """Take the passage to before `edit`; what that did to it."""
    after = _span(passage)
    if is_behind(edit.op, after.end):
        return None
    undone = passage.take(invert(edit.op))
    if undone is None:
        return None
    shown = pieces(passage.text, undone, is_inverse=True)
    return _touch(edit, _span(passage), after, invert(undone), shown)


def _touch(edit: EditApplied, before: Span, after: Span, done: Op, shown: list[Piece]) -> Touch:
    inserted = sum(len(part) for part in done if isinstance(part, str))
    deleted = sum(len(str(part["d"])) for part in done if isinstance(part, dict))
    return Touch(
        revision=edit.revision,
        user=edit.writer,
        client=edit.client,
        at=edit.written_at,
        cause=edit.cause,
        before=before,
        after=after,
        inserted=inserted,
        deleted=deleted,
        pieces=tuple(shown),
    )


def _span(passage: Passage) -> Span:
    return Span(passage.start, passage.end)
