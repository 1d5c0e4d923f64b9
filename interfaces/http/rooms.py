"""`/api/rooms`: create, list, look."""

from __future__ import annotations

from aiohttp import web

from application.services import Services
from domain.instants import as_microseconds
from domain.room import Opened
from interfaces.http.bodies import NewRoom, json_response, query_integer, read_body, room_id
from interfaces.http.keys import ROOMS, SERVICES

PAGE: int = 100


async def create(request: web.Request) -> web.Response:
    """POST {"room", "title"?, "actor"?}: 201, also for a room that is there already."""
    services: Services = request.app[SERVICES]
    body = await read_body(request, NewRoom)
    room = await services.rooms.open(body.room, body.title or body.room, actor=body.actor)
    return json_response({"room": room.room, "title": room.title, "documents": list(room.documents)}, 201)


async def list_all(request: web.Request) -> web.Response:
    """GET ?after=POSITION&limit=N: rooms in the order in which they were opened; `next` goes on."""
    after = query_integer(request, "after", 0)
    limit = min(query_integer(request, "limit", PAGE, least=1), 1000)
    page = await request.app[ROOMS].rooms(after, limit)
    rooms = [
        {
            "room": opened.room,
            "title": opened.title,
            "actor": opened.actor,
            "at": as_microseconds(opened.timestamp),
        }
        for recorded in page
        if isinstance(opened := recorded.event, Opened)
    ]
    following = page[-1].position if len(page) == limit else None
    return json_response({"rooms": rooms, "next": following})


async def look(request: web.Request) -> web.Response:
    """GET: title and documents of one room."""
    room = await request.app[SERVICES].rooms.get(room_id(request))
    return json_response({"room": room.room, "title": room.title, "documents": list(room.documents)})
