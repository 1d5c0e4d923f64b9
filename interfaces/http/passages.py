"""`/api/rooms/{room}/documents/{document}/watch`: what became of a passage."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Final, Literal

from aiohttp import web

from application.past.edits import Progress
from application.past.watch import PASSAGE_CODE_POINTS, Direction, Reached, Span, Touch, Watch, Watched
from domain.instants import as_microseconds
from interfaces.http.bodies import PAGE, Asked, Limit, Whole
from interfaces.http.documents import document_id
from interfaces.http.keys import ROOM, WATCH
from interfaces.http.lines import tell_lines, while_allowed

DIRECTIONS: Final[dict[str, tuple[Direction, ...]]] = {
    "back": ("back",),
    "forward": ("forward",),
    "both": ("back", "forward"),
}

Line = dict[str, Any]


class WatchQuery(Asked):
    """The text from `start` up to `end` in `revision`, the present one when it is missing; `limit` edits in
    each direction.
    """

    start: Whole
    end: Whole
    revision: Whole | None = None
    direction: Literal["back", "forward", "both"] = "both"
    limit: Limit = PAGE


async def watch(request: web.Request, query: WatchQuery) -> web.StreamResponse:
    """Every edit that touched a passage, line by line: back to where it began, and on until now.

    A passage reaches from its first to its last character that is still there. What was put in at an end, or
    in the place of one, is not of it; what was put between is.
    """
    watch = request.app[WATCH]
    watched = await watch.begin(
        request[ROOM].room, document_id(request), query.start, query.end, query.revision
    )
    lines = told(watch, watched, DIRECTIONS[query.direction], query.limit)
    return await tell_lines(request, while_allowed(request, lines))


async def told(
    watch: Watch, watched: Watched, directions: tuple[Direction, ...], limit: int
) -> AsyncGenerator[Line, None]:
    """As JSON: the passage, and in each direction the edits and how it ends."""
    yield _passage(watched)
    for direction in directions:
        found = (watch.back if direction == "back" else watch.forward)(watched, limit)
        try:
            async for one in found:
                yield line(direction, one)
        finally:
            await found.aclose()


def _passage(watched: Watched) -> Line:
    return {
        "type": "passage",
        "revision": watched.revision,
        **_span(watched.span),
        "text": watched.text[:PASSAGE_CODE_POINTS],
        "present": watched.present,
    }


def line(direction: Direction, told: Touch | Progress | Reached) -> Line:
    """One of the lines that follow, as JSON."""
    match told:
        case Progress():
            return {"type": "progress", "direction": direction, **told._asdict()}
        case Reached():
            return {
                "type": "end",
                "direction": direction,
                "why": told.why,
                "revision": told.revision,
                **_span(told.span),
            }
        case Touch():
            return {
                "type": "edit",
                "direction": direction,
                "revision": told.revision,
                "user": told.user,
                "client": told.client,
                "at": as_microseconds(told.at),
                "cause": told.cause,
                "before": _span(told.before),
                "after": _span(told.after),
                "inserted": told.inserted,
                "deleted": told.deleted,
                "pieces": [piece._asdict() for piece in told.pieces],
            }


def _span(span: Span) -> Line:
    return {"start": span.start, "end": span.end}
