"""`/api/rooms/{room}/documents`: create, list, read now and in the past."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from domain.document import DocumentState
from domain.errors import BadFrame, NotFound
from domain.ids import document_stream
from domain.instants import as_microseconds
from interfaces.http.bodies import (
    NewDocument,
    document_id,
    json_response,
    query_integer,
    read_body,
    room_id,
)
from interfaces.http.keys import DIRECTORY, PAST, SERVICES
from projections.directory import Entry


async def create(request: web.Request) -> web.Response:
    """POST {"document", "actor"?}: 201, also for a document that is there already."""
    body = await read_body(request, NewDocument)
    document = await request.app[SERVICES].documents.create(room_id(request), body.document, actor=body.actor)
    return json_response(_as_json(document.state, with_text=False), 201)


async def list_all(request: web.Request) -> web.Response:
    """GET: the documents of a room in the order in which they were listed, and how far they have come.

    What the directory does not know yet (it is a moment behind the log) has revision 0 and no times.
    """
    room = await request.app[SERVICES].rooms.get(room_id(request))
    known = {entry.document: entry for entry in await request.app[DIRECTORY].of_room(room.room)}
    return json_response({"documents": [_listed(name, known.get(name)) for name in room.documents]})


def _listed(name: str, entry: Entry | None) -> dict[str, object]:
    if entry is None:
        return {"document": name, "revision": 0}
    return {
        "document": name,
        "revision": entry.revision,
        "created": as_microseconds(entry.created_at) if entry.created_at else None,
        "created_by": entry.created_by,
        "modified": as_microseconds(entry.modified_at),
        "modified_by": entry.modified_by,
    }


async def read(request: web.Request) -> web.Response:
    """GET ?revision=N or ?at=TIME (RFC 3339): the text then, or now. As JSON, or as text for
    `Accept: text/plain`.
    """
    document = await _find(request)
    if request.headers.get("Accept") == "text/plain":
        return web.Response(text=document.text, headers={"Revision": str(document.revision)})
    return json_response(_as_json(document, with_text=True))


async def _find(request: web.Request) -> DocumentState:
    room, name = room_id(request), document_id(request)
    if "revision" in request.query and "at" in request.query:
        raise BadFrame("either a revision or a time", field="at")
    past = request.app[PAST]
    stream = document_stream(room, name)
    if "revision" in request.query:
        revision = query_integer(request, "revision", 0)
        found = await past.at_revision(stream, revision)
    elif "at" in request.query:
        found = await past.at_time(stream, _moment(request.query["at"]))
    else:
        return (await request.app[SERVICES].documents.get(room, name)).state
    if found is None:
        raise NotFound("there is no such document, or not yet at that moment")
    return found


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise BadFrame("a time looks like 2026-11-23T14:05:00+01:00", field="at") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_json(document: DocumentState, *, with_text: bool) -> dict[str, object]:
    fields: dict[str, object] = {
        "room": document.room,
        "document": document.name,
        "revision": document.revision,
        "modified": as_microseconds(document.modified_on),
    }
    return {**fields, "text": document.text} if with_text else fields
