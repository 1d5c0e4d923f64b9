"""Who wrote each character of a document, at any revision.

The answer is folded from the edits, from the nearest attribution that was kept on the way of an earlier
question: the first one about a long document reads all of its history, the next ones a bounded part of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from domain.attribution import Run, Weave
from domain.errors import LimitReached
from domain.ids import document_stream
from domain.undo import UndoableEdit, Unravelled

# Read and folded at a time: about 3 ms, then others get their turn.
PAGE_EDITS: Final = 250
PAGE_RUNS: Final = 1_500

# So far apart attributions are kept: folding what is between takes some hundredths of a second. One has about
# as many bytes as its text, when that was typed, so those of texts in many pieces are kept less often.
KEEP_EVERY: Final = 5_000
MANY_RUNS: Final = 20_000
KEEP_EVERY_OF_MANY: Final = 20_000

# Edits whose facts are asked for at once.
PAGE_FACTS: Final = 250

OnProgress = Callable[[int, int], None]
"""Told how many edits are done, of how many."""


class EditFacts(NamedTuple):
    """Of an edit, what one wants to know about it. Of an imported one `actor` and `at` are who wrote it and
    when, `reference` what it is called where it comes from, `note` what was said of it there.
    """

    actor: str
    at: datetime
    cause: str
    reference: str | None = None
    note: str | None = None


class UndoableEditsReader(Protocol):
    async def edits(self, stream: str, after: int, until: int) -> Sequence[UndoableEdit]:
        """Those of revisions `after + 1` to `until`, oldest first."""
        ...


class Attributions(Protocol):
    """Keeps what was folded. Both are only a help: nothing is lost with what is kept."""

    async def nearest(self, stream: str, revision: int) -> tuple[int, Sequence[Run]]:
        """The runs of the text at the last revision up to `revision` of which they were kept, with it."""
        ...

    async def keep(self, stream: str, revision: int, runs: Sequence[Run]) -> None: ...

    async def facts(self, stream: str, revisions: Sequence[int]) -> Mapping[int, EditFacts]: ...


@dataclass(frozen=True, slots=True)
class Span:
    """The text from `start` up to `end`, which one edit wrote: that of `revision` in `document`, which is not
    the one that was asked about where the text was copied from another.
    """

    start: int
    end: int
    document: str
    revision: int
    facts: EditFacts


class Blame:
    """All methods raise `StoreUnavailable`."""

    def __init__(
        self,
        edits: UndoableEditsReader,
        attributions: Attributions,
        on_progress: OnProgress = lambda done, end: None,
    ) -> None:
        """`on_progress` is told of whatever takes long, unless another one is given for it."""
        self._edits = edits
        self._attributions = attributions
        self._on_progress = on_progress

    async def at(
        self, room: str, document: str, revision: int, on_progress: OnProgress | None = None
    ) -> list[Span]:
        """Who wrote the text of `revision`, which there is, in order and without a gap."""
        runs = await self.runs(document_stream(room, document), revision, on_progress)
        return await self.told(room, document, runs)

    async def told(self, room: str, document: str, runs: Sequence[Run]) -> list[Span]:
        """The same of a part of a text: positions are those in it."""
        wanted: dict[str, set[int]] = {}
        for number, run in enumerate(runs, 1):
            source = run.source
            wanted.setdefault(source.document or document, set()).add(source.revision)
            if number % PAGE_RUNS == 0:
                await asyncio.sleep(0)
        facts = {name: await self._facts(room, name, revisions) for name, revisions in wanted.items()}
        spans: list[Span] = []
        start = 0
        for number, run in enumerate(runs, 1):
            source = run.source
            name = source.document or document
            end = start + run.length
            spans.append(Span(start, end, name, source.revision, facts[name][source.revision]))
            start = end
            if number % PAGE_RUNS == 0:
                await asyncio.sleep(0)
        return spans

    async def _facts(self, room: str, document: str, revisions: Iterable[int]) -> dict[int, EditFacts]:
        stream, ordered = document_stream(room, document), sorted(revisions)
        facts: dict[int, EditFacts] = {}
        for first in range(0, len(ordered), PAGE_FACTS):
            facts |= await self._attributions.facts(stream, ordered[first : first + PAGE_FACTS])
        return facts

    async def runs(self, stream: str, revision: int, on_progress: OnProgress | None = None) -> Sequence[Run]:
        """The runs of the text of `revision`, which there is."""
        on_progress = on_progress or self._on_progress
        begin, runs = await self._attributions.nearest(stream, revision)
        if begin == revision:
            return runs
        weave = Weave(runs, begin)
        while weave.revision < revision:
            next_kept = (weave.revision // KEEP_EVERY + 1) * KEEP_EVERY
            until = min(weave.revision + PAGE_EDITS, revision, next_kept)
            for edit in await self._edits.edits(stream, weave.revision, until):
                weave.apply(edit)
            await asyncio.sleep(0)
            if weave.revision == next_kept and _is_due(weave):
                await self._attributions.keep(stream, weave.revision, await _spans(weave))
            on_progress(weave.revision - begin, revision - begin)
        return await _spans(weave)

    async def unravelled(self, stream: str, base: int, until: int, *, limit: int) -> Unravelled:
        """The edits behind `base`, or an earlier revision if that is needed, up to `until`.

        Raises `LimitReached` for more than `limit` edits.
        """
        while True:
            if until - base > limit:
                raise LimitReached("that is too many edits ago to be taken back", limit=limit)
            unravelled = Unravelled(await self.runs(stream, base), base)
            while unravelled.revision < until and unravelled.needed == base:
                last = min(unravelled.revision + PAGE_EDITS, until)
                for edit in await self._edits.edits(stream, unravelled.revision, last):
                    unravelled.apply(edit)
                await asyncio.sleep(0)
                self._on_progress(unravelled.revision - base, until - base)
            if unravelled.needed == base:
                return unravelled
            base = unravelled.needed


def _is_due(weave: Weave) -> bool:
    return weave.revision % KEEP_EVERY_OF_MANY == 0 or weave.pieces < MANY_RUNS


async def _spans(weave: Weave) -> list[Run]:
    """The runs of a text that nobody changes meanwhile, in turns."""
    spans: list[Run] = []
    for number, run in enumerate(weave.iter_spans(), 1):
        spans.append(run)
        if number % PAGE_RUNS == 0:
            await asyncio.sleep(0)
    return spans


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text, with its line end: `newest` is the span that was last written in it. The last line of
    a text may be empty; then there is none.
    """

    number: int
    text: str
    newest: Span | None
    spans: Sequence[Span]


def lines(text: str, spans: Sequence[Span]) -> Iterator[Line]:
    """The lines of a text (at "\\n" alone, as editors count them), each with the spans that are in it."""
    start = first = 0
    for number, line in enumerate(text.split("\n"), 1):
        end = min(start + len(line) + 1, len(text))
        last = first
        while last < len(spans) and spans[last].start < end:
            last += 1
        inside = spans[first:last]
        # Whoever goes on behind a line often writes its end anew, and has written nothing in it.
        written = [span for span in inside if span.start < start + len(line)] or inside
        yield Line(number, text[start:end], _newest(written) if written else None, inside)
        first = last - 1 if last > first and spans[last - 1].end > end else last
        start = end


def by_author(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans that stand side by side and are of one author as one, which tells of the newest of them."""
    joined: Span | None = None
    for span in spans:
        if joined is None or joined.facts.actor != span.facts.actor:
            if joined is not None:
                yield joined
            joined = span
        else:
            joined = replace(_newest((joined, span)), start=joined.start, end=span.end)
    if joined is not None:
        yield joined


def _newest(spans: Iterable[Span]) -> Span:
    return max(spans, key=lambda span: (span.facts.at, span.revision))
