"""The moment of a character: the edit that wrote it, and where that is in the log, from where the whole room
can be seen as it was then.

Whose a character is, blame says: what came back by an undo, or was copied from another text of the room, is
of who first wrote it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple, Protocol

from application.log import Recorded
from application.past.states import StatesReader
from domain.attribution import Origin, Run
from domain.document import EditApplied
from domain.errors import BadFrame, NotFound
from domain.ids import document_stream
from domain.passage import Piece, pieces
from domain.text import Text
from domain.text_op import Components


class BlameReader(Protocol):
    """Knows who wrote what. Raises `StoreUnavailable`."""

    async def runs(self, stream: str, revision: int) -> Sequence[Run]: ...


class RecordReader(Protocol):
    """Reads streams from the log. Raises `StoreUnavailable`."""

    async def recorded(
        self, stream: str, after: int = 0, *, limit: int | None = None
    ) -> Sequence[Recorded]: ...


class Character(NamedTuple):
    """One character, at `position` in the text of `revision`."""

    document: str
    revision: int
    position: int
    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """An edit, where it stands in the log, and how it looks in the text. `written` is the character that was
    asked for, as it was when it was written; None when it was the edit that was asked for.
    """

    document: str
    revision: int
    log_position: int
    user: str
    client: str
    at: datetime
    cause: str
    inserted: int
    deleted: int
    pieces: tuple[Piece, ...]
    written: Character | None
    reference: str | None = None
    note: str | None = None
    """Of an edit that was imported, what it is called where it comes from, and what was said of it."""


class Moments:
    """Everything raises `StoreUnavailable`."""

    def __init__(self, states: StatesReader, record: RecordReader, blame: BlameReader) -> None:
        self._states = states
        self._record = record
        self._blame = blame

    async def of_character(
        self, room: str, document: str, position: int, revision: int | None = None
    ) -> Moment:
        """When the character at `position` in the text of `revision` was written, of the present one if None.

        Raises `NotFound`, `BadFrame` for a position at which there is none.
        """
        stream = document_stream(room, document)
        state = await (
            self._states.now(stream) if revision is None else self._states.at_revision(stream, revision)
        )
        if state is None:
            raise NotFound("there is no such document, or not yet at that revision")
        if not 0 <= position < len(state.text):
            raise BadFrame("there is no character at this position", field="position", actual=len(state.text))
        source = source_of(await self._blame.runs(stream, state.revision), position)
        return await self._moment(room, source.document or document, source.revision, source.offset)

    async def of_revision(self, room: str, document: str, revision: int) -> Moment:
        """The moment of the edit that made `revision`. Raises `NotFound`, as for 0, which none has made."""
        return await self._moment(room, document, revision, None)

    async def _moment(self, room: str, document: str, revision: int, offset: int | None) -> Moment:
        stream = document_stream(room, document)
        state = await self._states.at_revision(stream, revision)
        if state is None or revision == 0:
            raise NotFound("there is no such edit")
        # A document's stream begins with its creation; all that follow are its edits.
        [recorded] = await self._record.recorded(stream, revision, limit=1)
        edit = recorded.event
        assert isinstance(edit, EditApplied)
        assert edit.revision == revision
        written: Character | None = None
        if offset is not None:
            place = place_of(edit.op, offset)
            written = Character(document, revision, place, state.text[place])
        return Moment(
            document=document,
            revision=revision,
            log_position=recorded.position,
            user=edit.writer,
            client=edit.client,
            at=edit.written_at,
            cause=edit.cause,
            inserted=sum(len(part) for part in edit.op if isinstance(part, str)),
            deleted=sum(len(str(part["d"])) for part in edit.op if isinstance(part, dict)),
            pieces=tuple(pieces(Text(state.text), edit.op)),
            written=written,
            reference=edit.reference,
            note=edit.note,
        )


def source_of(runs: Sequence[Run], position: int) -> Origin:
    """Where the character at `position` of the text that these runs are was first written."""
    ends = list(accumulate(run.length for run in runs))
    at = bisect_right(ends, position)
    return runs[at].source.at(position - ends[at] + runs[at].length)


def place_of(op: Components, offset: int) -> int:
    """Where the character is after the op that is at `offset` in all that it inserts."""
    place = inserted = found = 0
    for component in op:
        if isinstance(component, int):
            place += component
        elif isinstance(component, str):
            if inserted <= offset < inserted + len(component):
                found = place + offset - inserted
            place += len(component)
            inserted += len(component)
    return found
