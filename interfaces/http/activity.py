"""`/api/rooms/{room}/activity` and `/api/activity`: what went on, in lines for people."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from domain.errors import Forbidden, NotFound
from domain.rights import Action
from interfaces.http.answers import ActivityAnswer, ActivityLine, answer
from interfaces.http.bodies import ActivityQuery, UserActivityQuery
from interfaces.http.keys import ACTIVITY, IDENTITY, ROOM, SERVICES
from interfaces.http.problems import SpanInvalid
from projections.activity import ActivityFilter, Line
from projections.telling import as_json


async def look(request: web.Request, query: ActivityQuery) -> web.Response:
    """What went on in the room, newest first, or behind the line `after`, oldest first; a moment behind the
    log.
    """
    if query.since is not None and query.until is not None and query.since > query.until:
        raise SpanInvalid("this ends before it begins", field="from")
    asked = ActivityFilter(
        user=query.user,
        kinds=tuple(query.kind) or None,
        document=query.document,
        since=query.since,
        until=query.until,
    )
    position = await request.app[ACTIVITY].position()  # before the lines, so that nothing is between them
    lines = await request.app[ACTIVITY].page(
        request[ROOM].room,
        asked,
        before=query.before,
        after=query.after,
        limit=query.limit,
        is_newest_first=query.after is None,
    )
    return _answer(position, lines, lines, query.limit)


async def look_at_user(request: web.Request, query: UserActivityQuery) -> web.Response:
    """What a user, or oneself, did in all rooms that one may read, newest first; a moment behind the log.

    A page may have less than it could, since one may have lost a room in that moment.
    """
    asker = request[IDENTITY].user
    position = await request.app[ACTIVITY].position()
    found = await request.app[ACTIVITY].of_user(
        query.user or asker, asker=asker, before=query.before, limit=query.limit
    )
    rooms = {room: await _may_read(request, room) for room in {line.room for line in found}}
    return _answer(position, [line for line in found if rooms[line.room]], found, query.limit)


async def _may_read(request: web.Request, room: str) -> bool:
    try:
        await request.app[SERVICES].rooms.enter(room, request[IDENTITY].user, Action.READ)
    except (NotFound, Forbidden):
        return False
    return True


def _answer(position: int, lines: Sequence[Line], found: Sequence[Line], limit: int) -> web.Response:
    """`lines` are those of the page as it was `found` that may be told."""
    following = found[-1].id if len(found) == limit else None
    told = [ActivityLine(**as_json(line)) for line in lines]
    return answer(ActivityAnswer(position=position, lines=told, next=following))
