"""`/api/rooms/{room}/documents/{document}/restore`: make a text what it was."""

from __future__ import annotations

from aiohttp import web

from interfaces.http.answers import answer
from interfaces.http.bodies import Asked, Count
from interfaces.http.documents import document_id
from interfaces.http.keys import IDENTITY, PAST_USE_CASES, ROOM
from interfaces.http.undo import RevisedAnswer, revised


class RestoreBody(Asked):
    revision: Count


async def restore(request: web.Request, body: RestoreBody) -> web.Response:
    """Bring the text of a past revision back, by one edit. What it brings back is still of who wrote it."""
    document = document_id(request)
    done = await request.app[PAST_USE_CASES].restore.restore(
        request[ROOM].room, document, body.revision, actor=request[IDENTITY].user
    )
    return answer(RevisedAnswer(document=document, **revised(done)))
