"""`/api/rooms/{room}/documents/{document}/phrases` and `/api/rooms/{room}/past/search`: what was ever
written, from when until when, and by whom.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any

from aiohttp import web
from pydantic import BeforeValidator, Field

from application.past.edits import Progress
from application.past.phrases import Count, Ended, Life, Present, Told, Turn
from domain.errors import NotFound
from domain.instants import as_microseconds
from domain.phrase import PHRASE_CODE_POINTS, Around, Phrase
from interfaces.http.bodies import PAGE, Asked, DocumentId, Limit
from interfaces.http.documents import document_id
from interfaces.http.keys import DIRECTORY, PHRASES, ROOM
from interfaces.http.lines import tell_lines, while_allowed

Line = dict[str, Any]


def _truth(value: object) -> object:
    return value == "true" if value in {"true", "false"} else value


class PhraseQuery(Asked):
    """`q`: the phrase, literally."""

    q: Annotated[str, Field(min_length=1, max_length=PHRASE_CODE_POINTS)]
    ignore_case: Annotated[bool, BeforeValidator(_truth)] = False
    limit: Limit = PAGE


class PastSearchQuery(PhraseQuery):
    """`document`: only there."""

    document: DocumentId | None = None


async def look(request: web.Request, query: PhraseQuery) -> web.StreamResponse:
    """When a phrase appeared in a document and vanished from it, and by whom, line by line, the newest first.

    It is there at every position where the text goes on with it.
    """
    phrase = Phrase(query.q, ignores_case=query.ignore_case)
    found = request.app[PHRASES].of_document(request[ROOM].room, document_id(request), phrase, query.limit)
    return await tell_lines(request, while_allowed(request, _lines(found)))


async def search(request: web.Request, query: PastSearchQuery) -> web.StreamResponse:
    """A phrase in all text that there is or ever was in the room, also in documents that are off the list.

    First where it is now; then, document by document, from when until when it was there, and by whom.
    """
    phrase = Phrase(query.q, ignores_case=query.ignore_case)
    documents = await documents_of(request)
    if query.document is not None:
        if query.document not in documents:
            raise NotFound("there is no such document")
        documents = [query.document]
    found = request.app[PHRASES].of_room(request[ROOM].room, documents, phrase, query.limit)
    return await tell_lines(request, while_allowed(request, _lines(found)))


async def documents_of(request: web.Request) -> list[str]:
    """All that there are or were in the room: what was changed last first. What was listed a moment ago is
    known to the room alone.
    """
    room = request[ROOM]
    entries = await request.app[DIRECTORY].of_room(room.room)
    known = [entry.document for entry in sorted(entries, key=lambda entry: entry.modified_at, reverse=True)]
    return list(dict.fromkeys([*known, *room.documents]))


async def _lines(
    found: AsyncGenerator[Progress | Present | Life | Told | Ended, None],
) -> AsyncGenerator[Line, None]:
    try:
        async for one in found:
            yield line(one)
    finally:
        await found.aclose()


def line(told: Progress | Present | Life | Told | Ended) -> Line:
    """One line, as JSON."""
    match told:
        case Progress():
            return {"type": "progress", **told._asdict()}
        case Present():
            return {
                "type": "present",
                "document": told.document,
                "revision": told.revision,
                "count": told.count,
                "positions": told.positions,
                "around": _around(told.around),
            }
        case Life():
            return {
                "type": "life",
                "document": told.document,
                "appeared": _turn(told.appeared),
                "vanished": told.vanished and _turn(told.vanished),
                "count": told.count,
                "most": told.most,
                "changes": told.changes,
                "counts": [_count(count) for count in told.counts],
            }
        case Told():
            return {
                "type": "document",
                "document": told.document,
                "revision": told.revision,
                "count": told.count,
                "lives": told.lives,
            }
        case Ended():
            return {"type": "end", "is_complete": told.is_complete}


def _turn(turn: Turn) -> Line:
    return {
        "revision": turn.revision,
        "user": turn.user,
        "client": turn.client,
        "at": as_microseconds(turn.at),
        "position": turn.position,
        "around": _around(turn.around),
    }


def _count(count: Count) -> Line:
    return {
        "revision": count.revision,
        "user": count.user,
        "at": as_microseconds(count.at),
        "count": count.count,
    }


def _around(around: Around) -> Line:
    return {"before": around.before, "text": around.match, "after": around.after}
