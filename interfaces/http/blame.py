"""`/api/rooms/{room}/documents/{document}/blame`: who wrote what of a document.

The answer may be long, and finding it too: it is made in turns, and told line by line to whoever wants to see
how far it has come.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import orjson
from aiohttp import web
from pydantic import model_validator

from application.past.blame import OnProgress, Span, by_author, lines
from domain.attribution import cut
from domain.document import DocumentState
from domain.errors import BadFrame, OpInvalid
from domain.ids import document_stream
from domain.instants import as_microseconds
from interfaces.http.answers import Answer
from interfaces.http.bodies import DocumentQuery, Truth, Whole
from interfaces.http.documents import find_state
from interfaces.http.keys import PAST_USE_CASES, PROFILES
from interfaces.http.lines import Progressing, tell_lines, while_allowed
from interfaces.slices import in_slices

# Told in one line of a stream, and made at a time: a few milliseconds, then others get their turn.
PAGE: Final = 1_000

Entry = Mapping[str, Any]


class BlameQuery(DocumentQuery):
    """Of the text at a moment, however that is named; from `start` up to `end` alone, or of the lines that
    these are in. `by` author: what stands side by side and is of one author is told as one.
    """

    start: Whole = 0
    end: Whole | None = None
    by: Literal["edit", "author"] = "edit"
    lines: Truth = False
    text: Truth = False
    stream: Truth = False

    @model_validator(mode="after")
    def _one_kind(self) -> BlameQuery:
        if self.lines and self.by == "author":
            raise ValueError("lines are told by the newest edit of each")
        return self


class BlamedSpan(Answer):
    """The text from `start` up to `end` was written by the edit of `revision`; in `document`, if that is
    another one, from which it was copied. Where that edit was imported `reference` and `note` are what it is
    called where it comes from (a commit), and what was said of it there.
    """

    start: int
    end: int
    revision: int
    author: str
    at: int
    cause: str
    document: str | None = None
    reference: str | None = None
    note: str | None = None


class BlamedLine(BlamedSpan):
    """A line with its line end, counted from 1, and the newest edit that wrote something of it."""

    number: int


class BlameAnswer(Answer):
    """`people`: what those are called who have written it. `spans` or `lines`, as it was asked."""

    document: str
    revision: int
    people: dict[str, str]
    spans: list[BlamedSpan] | None = None
    lines: list[BlamedLine] | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a document's text: from `start` up to `end`, and the number of its first line."""

    state: DocumentState
    start: int
    end: int
    line: int

    @property
    def text(self) -> str:
        return self.state.text[self.start : self.end]


async def blame(request: web.Request, query: BlameQuery) -> web.StreamResponse:
    """Who wrote which part of a text, by which edit and when: every character once, and as long as it was
    there, also when it was taken away meanwhile and came back, or was copied from another document.

    With `stream` line by line: how far it has come, then what is known of all of it, then the spans or lines,
    a thousand to a line, and `end`.
    """
    part = _part_of(await find_state(request, query), query)
    progressing = Progressing(partial(_entries, request, part, query))
    if query.stream:
        return await tell_lines(request, while_allowed(request, _streamed(request, part, query, progressing)))
    async for _ in progressing.lines():
        pass
    told = await _whole(request, part, query, progressing.result)
    return web.Response(body=orjson.dumps(told), content_type="application/json")


def _part_of(state: DocumentState, query: BlameQuery) -> Part:
    """Raises `BadFrame`, `OpInvalid` for what is not in the text."""
    text = state.text
    start, end = query.start, len(text) if query.end is None else query.end
    if start > end:
        raise BadFrame("this ends before it begins", field="start")
    if end > len(text):
        raise OpInvalid("the text is shorter", length=len(text))
    if query.lines:
        start = text.rfind("\n", 0, start) + 1
        end = text.find("\n", max(start, end - 1)) + 1 or len(text)
    return Part(state, start, end, text.count("\n", 0, start) + 1)


async def _entries(
    request: web.Request, part: Part, query: BlameQuery, on_progress: OnProgress
) -> list[Entry]:
    """The spans or lines of the part, as JSON."""
    blame, state = request.app[PAST_USE_CASES].blame, part.state
    runs = await blame.runs(document_stream(state.room, state.name), state.revision, on_progress)
    if (part.start, part.end) != (0, len(state.text)):
        runs = cut(runs, part.start, part.end)
    spans: Sequence[Span] = await blame.told(state.room, state.name, runs)
    if query.by == "author":
        spans = await _by_author(spans)
    return [entry async for entry in as_entries(part, spans, is_by_line=query.lines)]


async def _by_author(spans: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for first in range(0, len(spans), PAGE):
        joined[-1:] = by_author([*joined[-1:], *spans[first : first + PAGE]])
        await asyncio.sleep(0)
    return joined


async def as_entries(part: Part, spans: Sequence[Span], *, is_by_line: bool) -> AsyncGenerator[Entry, None]:
    """As JSON, in turns. The end of a text that ends with a line end is no line."""
    document, begin = part.state.name, part.start
    if is_by_line:
        position = begin
        async for line in in_slices(lines(part.text, spans)):
            end = position + len(line.text)
            if line.newest is not None:
                number = part.line + line.number - 1
                yield {"number": number, **_fields(line.newest, document), "start": position, "end": end}
            position = end
        return
    async for span in in_slices(spans):
        yield {**_fields(span, document), "start": begin + span.start, "end": begin + span.end}


def _fields(span: Span, document: str) -> Entry:
    fields: dict[str, Any] = {
        "revision": span.revision,
        "author": span.facts.actor,
        "at": as_microseconds(span.facts.at),
        "cause": span.facts.cause,
    }
    if span.document != document:
        fields["document"] = span.document
    if span.facts.reference is not None:
        fields |= {"reference": span.facts.reference, "note": span.facts.note}
    return fields


async def _whole(
    request: web.Request, part: Part, query: BlameQuery, entries: Sequence[Entry]
) -> dict[str, Any]:
    return {
        **await _heading(request, part, query, entries),
        "lines" if query.lines else "spans": entries,
    }


async def _heading(
    request: web.Request, part: Part, query: BlameQuery, entries: Iterable[Entry]
) -> dict[str, Any]:
    """What is known of all of it."""
    authors = sorted({entry["author"] for entry in entries})
    profiles = await request.app[PROFILES].get_many(authors)
    told: dict[str, Any] = {
        "document": part.state.name,
        "revision": part.state.revision,
        "people": {profile.user: profile.name for profile in profiles},
    }
    if query.text:
        told["text"] = part.text
    return told


async def _streamed(
    request: web.Request, part: Part, query: BlameQuery, progressing: Progressing[list[Entry]]
) -> AsyncGenerator[Entry, None]:
    progress = progressing.lines()
    try:
        async for line in progress:
            yield line
    finally:
        await progress.aclose()
    entries, kind = progressing.result, "lines" if query.lines else "spans"
    yield {"type": "blame", **await _heading(request, part, query, entries)}
    for first in range(0, len(entries), PAGE):
        yield {"type": kind, kind: entries[first : first + PAGE]}
    yield {"type": "end"}
