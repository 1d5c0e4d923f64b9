"""`/api/rooms/{room}/documents/{document}/passage`: a range of a text at a revision, and where it is now."""

from __future__ import annotations

from aiohttp import web

from domain.errors import OpInvalid
from domain.message import Link
from interfaces.http.answers import Answer, answer
from interfaces.http.bodies import Asked, Whole
from interfaces.http.chat_answers import PassageAnswer
from interfaces.http.documents import document_id
from interfaces.http.keys import ROOM, SERVICES, STATES


class RangeQuery(Asked):
    """The text of `revision` from `start` up to `end`, in code points."""

    revision: Whole
    start: Whole
    end: Whole


class PermalinkAnswer(Answer):
    """`text` is what stood there at that revision; `now` is where it is in the present text."""

    document: str
    revision: int
    start: int
    end: int
    text: str
    now: PassageAnswer


async def look(request: web.Request, query: RangeQuery) -> web.Response:
    """A range of the text as it was at a revision, and where that is in the present text.

    Text that was put before or behind it, or in the place of its first or last character, is no part of it;
    what was put between is.
    """
    room, document = request[ROOM].room, document_id(request)
    state = await request.app[STATES].at_revision(room, document, query.revision)
    if not query.start <= query.end <= len(state.text):
        raise OpInvalid("the text of that revision has no such range", actual=len(state.text))
    link: Link = {
        "document": document,
        "revision": query.revision,
        "start": query.start,
        "end": query.end,
    }
    now = await request.app[SERVICES].links.follow(room, link)
    told = PermalinkAnswer(
        **link, text=state.text[query.start : query.end], now=PassageAnswer(**now._asdict())
    )
    return answer(told)
