"""The history of a phrase: when it appeared in a document and vanished from it, and by whom, and the same in
all documents of a room, for what is there and for what is gone.

All of a document's edits are read once, from the first one on: only so it is known what was there in between.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from application.past.edits import EditsReader, Progress, pages
from application.past.states import StatesReader
from domain.document import DocumentState, EditApplied
from domain.errors import NotFound
from domain.ids import document_stream
from domain.phrase import Around, Occurrences, Phrase, Shift, around_in

# A phrase of one letter comes and goes with every word. The last of it tell how it ended.
COUNTS_KEPT: Final = 20

# Where it is now: what is shown at once. The rest is found by looking at the text, and more than can be
# looked at is not counted.
PLACES_TOLD: Final = 20
PLACES_COUNTED: Final = 10_000

# Of a long text, so much is looked through at a time: a millisecond or two.
SLICE_CODE_POINTS: Final = 50_000


class Turn(NamedTuple):
    """An edit by which a phrase appeared, in the text of `revision` at `position`; or vanished, then in the
    text of the revision before.
    """

    revision: int
    user: str
    client: str
    at: datetime
    position: int
    around: Around


@dataclass(frozen=True, slots=True)
class Count:
    """How often a phrase is there since an edit."""

    revision: int
    user: str
    at: datetime
    count: int


@dataclass(slots=True)
class Life:
    """From where a phrase appeared to where nothing was left of it, None while it is still there. `count` is
    how often it is there now, `most` how often it was at the most.
    """

    document: str
    appeared: Turn
    vanished: Turn | None = None
    count: int = 0
    most: int = 0
    changes: int = 0
    """How many edits changed how often it is there; `counts` are the last of them."""
    counts: deque[Count] = field(default_factory=lambda: deque(maxlen=COUNTS_KEPT))

    def take(self, edit: EditApplied, shift: Shift) -> None:
        self.count = shift.now
        self.most = max(self.most, shift.now)
        self.changes += 1
        self.counts.append(Count(edit.revision, edit.writer, edit.written_at, shift.now))
        if not shift.now:
            self.vanished = _turn(edit, shift)


@dataclass(frozen=True, slots=True)
class Present:
    """A phrase as it is in the present text of a document: how often (`PLACES_COUNTED` at most), the first
    places, and the first of them with some text around.
    """

    document: str
    revision: int
    count: int
    positions: tuple[int, ...]
    around: Around


@dataclass(frozen=True, slots=True)
class Told:
    """The end of a document's history: how often the phrase is there at `revision`, and how many lives there
    were; only the newest of them may have been told.
    """

    document: str
    revision: int
    count: int
    lives: int


class Ended(NamedTuple):
    """The end of a search. It is not complete when more was found than was asked for."""

    is_complete: bool


class Phrases:
    def __init__(self, states: StatesReader, edits: EditsReader) -> None:
        self._states = states
        self._edits = edits

    async def of_document(
        self, room: str, document: str, phrase: Phrase, limit: int
    ) -> AsyncGenerator[Progress | Life | Told, None]:
        """The lives of a phrase in a document, at most `limit`, the newest first.

        Raises `NotFound`, `StoreUnavailable`.
        """
        stream = document_stream(room, document)
        state = await self._states.now(stream)
        if state is None:
            raise NotFound("there is no such document")
        lives = Lives(document, phrase, limit)
        for start, end in pages(0, state.revision):
            lives.take(await self._edits.edits(stream, start, end))
            yield Progress(end, state.revision)
        for life in lives.newest_first:
            yield life
        yield lives.told

    async def of_room(
        self, room: str, documents: Sequence[str], phrase: Phrase, limit: int
    ) -> AsyncGenerator[Progress | Present | Life | Told | Ended, None]:
        """First where the phrase is now in these documents of a room, then its lives in one after the other,
        the newest first in each. At most `limit` of each kind.

        Raises `StoreUnavailable`.
        """
        revisions: dict[str, int] = {}
        left, is_complete = limit, True
        for document in documents:
            state = await self._states.now(document_stream(room, document))
            if state is None:
                continue
            revisions[document] = state.revision
            found = await present(state, phrase)
            if found is not None and left:
                yield found
                left -= 1
            elif found is not None:
                is_complete = False
            yield Progress(0, sum(revisions.values()))
        done, total, left = 0, sum(revisions.values()), limit
        for document, revision in revisions.items():
            if not left:
                yield Ended(is_complete=False)
                return
            lives = Lives(document, phrase, left)
            for start, end in pages(0, revision):
                lives.take(await self._edits.edits(document_stream(room, document), start, end))
                yield Progress(done + end, total)
            done += revision
            for life in lives.newest_first:
                yield life
            if lives.told.lives:
                yield lives.told
            left -= len(lives.newest_first)
            is_complete = is_complete and len(lives.newest_first) == lives.told.lives
        yield Ended(is_complete)


async def present(state: DocumentState, phrase: Phrase) -> Present | None:
    """The phrase in a document as it is, None when it is not there."""
    text, places = state.text, list[int]()
    for start in range(0, len(text), SLICE_CODE_POINTS):
        window = text[start : start + SLICE_CODE_POINTS + len(phrase) - 1]
        places += islice((start + place for place in phrase.places(window)), PLACES_COUNTED - len(places))
        await asyncio.sleep(0)
    if not places:
        return None
    around = around_in(text, places[0], len(phrase))
    return Present(state.name, state.revision, len(places), tuple(places[:PLACES_TOLD]), around)


class Lives:
    """The lives of a phrase in a document, of which the newest `limit` are kept. Takes its edits in order."""

    def __init__(self, document: str, phrase: Phrase, limit: int) -> None:
        self._document = document
        self._occurrences = Occurrences(phrase)
        self._lives: deque[Life] = deque(maxlen=limit)
        self._count = 0
        self._revision = 0

    def take(self, edits: Sequence[EditApplied]) -> None:
        for edit in edits:
            shift = self._occurrences.take(edit.op)
            if shift is not None:
                self._shifted(edit, shift)
            self._revision = edit.revision

    def _shifted(self, edit: EditApplied, shift: Shift) -> None:
        if not shift.was:
            self._count += 1
            self._lives.append(Life(self._document, _turn(edit, shift)))
        self._lives[-1].take(edit, shift)

    @property
    def newest_first(self) -> list[Life]:
        return list(reversed(self._lives))

    @property
    def told(self) -> Told:
        return Told(self._document, self._revision, self._occurrences.count, self._count)


def _turn(edit: EditApplied, shift: Shift) -> Turn:
    return Turn(edit.revision, edit.writer, edit.client, edit.written_at, shift.position, shift.around)
