"""`/api/rooms`: create, list, look, change, close."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from application.services import Services
from domain.errors import StoreUnavailable
from domain.rights import Action, Role
from domain.room import Room
from interfaces.http.answers import (
    ListedRoom,
    RoomAnswer,
    RoomsAnswer,
    answer,
    check_precondition,
    is_known,
    microseconds,
    not_modified,
    version_etag,
)
from interfaces.http.bodies import NewRoom, RoomChange, RoomsQuery
from interfaces.http.keys import CAN_SEAL, IDENTITY, ROOM, ROOMS, SERVICES

# Who has no master key will not have one soon.
KEY_AFTER_SECONDS: Final = 600.0


async def create(request: web.Request, body: NewRoom) -> web.Response:
    """Make a room of one's own, or find it there as it is."""
    services: Services = request.app[SERVICES]
    user = request[IDENTITY].user
    name = body.room or services.new_id()
    everyone = Role(body.everyone) if body.everyone else None
    room = await services.rooms.open(name, body.title or name, actor=user, everyone=everyone)
    return _answer(request, room, 201)


async def list_all(request: web.Request, query: RoomsQuery) -> web.Response:
    """The rooms that one can enter, in the order in which they were opened; a moment behind the log."""
    user = request[IDENTITY].user
    page = await request.app[ROOMS].of_user(user, query.after, query.limit)
    rooms = [
        ListedRoom(
            room=entry.room,
            title=entry.title,
            everyone=Role(entry.everyone) if entry.everyone else None,
            created=microseconds(entry.created_at) or 0,
            created_by=entry.created_by,
        )
        for entry in page
    ]
    following = page[-1].position if len(page) == query.limit else None
    return answer(RoomsAnswer(rooms=rooms, next=following))


async def look(request: web.Request) -> web.Response:
    """Title, documents, and what one is in it."""
    room = request[ROOM]
    etag = _etag(request, room)
    return not_modified(etag) if is_known(request, etag) else _answer(request, room)


async def change(request: web.Request, body: RoomChange) -> web.Response:
    """Change the title, or what those may do who are no members. With `If-Match`, only what one has seen."""
    rooms, room, user = request.app[SERVICES].rooms, request[ROOM], request[IDENTITY].user
    check_precondition(request, version_etag(request, room))
    if body.title is not None:
        await rooms.rename(room.room, body.title, actor=user)
    if "everyone" in body.model_fields_set:
        everyone = Role(body.everyone) if body.everyone else None
        await rooms.change_access(room.room, everyone, actor=user)
    if body.sealed is not None:
        if body.sealed and not request.app[CAN_SEAL]:
            raise StoreUnavailable("this server has no master key", retry_after=KEY_AFTER_SECONDS)
        await rooms.seal(room.room, is_sealed=body.sealed, actor=user)
    # Meanwhile one may be no member any more.
    return _answer(request, await rooms.enter(room.room, user, Action.READ))


async def close(request: web.Request) -> web.Response:
    """Close the room for good. Its history stays in the log; its id is not given again."""
    check_precondition(request, version_etag(request, request[ROOM]))
    await request.app[SERVICES].rooms.close(request[ROOM].room, actor=request[IDENTITY].user)
    return web.Response(status=204)


def _answer(request: web.Request, room: Room, status: int = 200) -> web.Response:
    role = room.role_of(request[IDENTITY].user)
    assert role is not None
    told = RoomAnswer(
        room=room.room,
        title=room.title,
        role=role,
        everyone=room.everyone,
        sealed=room.is_sealed,
        documents=list(room.documents),
    )
    return answer(told, status, etag=_etag(request, room))


def _etag(request: web.Request, room: Room) -> str:
    """One's role is in the answer, and changes only with the room."""
    return f"{version_etag(request, room)}.{request[IDENTITY].user}"
