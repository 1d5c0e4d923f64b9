"""Where the passages are that messages link to, in the present text: they move with it for ever."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from application.documents import Documents
from application.log import History
from domain.document import Document
from domain.errors import Contended
from domain.message import Link
from domain.text_op import Components, transform_range

# Edits that one question reads from the log at the most: some tenths of a second. Whoever asks about a text
# with a longer life since then is told to ask again, and the answer goes on from there.
EDITS_PER_QUESTION: Final = 10_000

# Of those, so many are read at a time.
PAGE_EDITS: Final = 1_000

# Links whose way is remembered: a few hundred bytes each. One that is forgotten is followed from its start.
LINKS_REMEMBERED: Final = 10_000

# What is shown of a passage: a few lines.
PASSAGE_CODE_POINTS: Final = 500

# How long to wait before one asks again: what was read so far is kept.
AGAIN_SECONDS: Final = 0.1


class Place(NamedTuple):
    """A range in the text of `revision`."""

    revision: int
    start: int
    end: int

    def after(self, op: Components) -> Place:
        start, end = transform_range(self.start, self.end, op)
        return Place(self.revision + 1, start, end)


class Passage(NamedTuple):
    """What a link leads to now. `text` is the beginning of it; `is_gone` says that all of it was deleted."""

    document: str
    revision: int
    start: int
    end: int
    is_gone: bool
    text: str


class Links:
    """Follows links. What was reached once is remembered, so that a link costs the edits since it was last
    looked at.
    """

    def __init__(self, documents: Documents, history: History) -> None:
        self._documents = documents
        self._history = history
        self._reached: OrderedDict[tuple[str, Place], Place] = OrderedDict()

    async def follow(self, room: str, link: Link) -> Passage:
        """Where the linked range is in the present text.

        Raises `NotFound`, `RevisionAhead`, `StoreUnavailable`, and `Contended` when one question is not
        enough.
        """
        document = await self._documents.reached(room, link["document"], link["revision"])
        begin = Place(link["revision"], link["start"], link["end"])
        way = (document.id, begin)
        place = self._reached.get(way, begin)
        limit = place.revision + EDITS_PER_QUESTION
        while place.revision < document.window_start:  # which moves on while the log is read
            if place.revision >= limit:
                raise Contended("a long way: ask again", retry_after=AGAIN_SECONDS)
            place = await self._followed(document, place)
            self._remember(way, place)
        # No await from here on: the place and the text are of one moment.
        for edit in document.edits_since(place.revision):
            place = place.after(edit.op)
        self._remember(way, place)
        return _passage(document, place, is_range=begin.start < begin.end)

    async def _followed(self, document: Document, place: Place) -> Place:
        until = min(place.revision + PAGE_EDITS, document.window_start)
        for edit in await self._history.edits(document.id, place.revision, until):
            place = place.after(edit.op)
        return place

    def _remember(self, way: tuple[str, Place], place: Place) -> None:
        self._reached[way] = max(
            place, self._reached.get(way, place)
        )  # who asks at the same time may be ahead
        self._reached.move_to_end(way)
        if len(self._reached) > LINKS_REMEMBERED:
            self._reached.popitem(last=False)


def _passage(document: Document, place: Place, *, is_range: bool) -> Passage:
    """A range may reach beyond the end: how long an old text was, nobody looks when it is linked to."""
    start, end = (min(position, len(document.text)) for position in (place.start, place.end))
    text = document.text.slice(start, min(end, start + PASSAGE_CODE_POINTS))
    return Passage(document.name, place.revision, start, end, is_range and start == end, text)
