"""`/api/rooms/{room}/documents`: create, list, unlist, read now and in the past."""

from __future__ import annotations

from aiohttp import web

from domain.document import DocumentState
from domain.errors import NotFound
from domain.ids import is_document_id
from interfaces.http.answers import (
    DocumentAnswer,
    DocumentsAnswer,
    ListedDocument,
    TextAnswer,
    answer,
    is_known,
    microseconds,
    not_modified,
    with_etag,
)
from interfaces.http.bodies import DocumentQuery, NewDocument
from interfaces.http.keys import DIRECTORY, IDENTITY, ROOM, SERVICES, STATES
from interfaces.http.moments import moment_in
from projections.directory import Entry


async def create(request: web.Request, body: NewDocument) -> web.Response:
    """Make an empty document, or find it there."""
    made = await request.app[SERVICES].documents.create(
        request[ROOM].room, body.document, actor=request[IDENTITY].user
    )
    state = made.state
    told = DocumentAnswer(
        room=state.room,
        document=state.name,
        revision=state.revision,
        modified=microseconds(state.modified_on) or 0,
    )
    return answer(told, 201)


async def list_all(request: web.Request) -> web.Response:
    """The documents of a room in the order in which they were listed, and how far they have come.

    What the directory does not know yet (it is a moment behind the log) has revision 0 and no times.
    """
    room = request[ROOM]
    known = {entry.document: entry for entry in await request.app[DIRECTORY].of_room(room.room)}
    listed = [_listed(name, known.get(name)) for name in room.documents]
    return answer(DocumentsAnswer(documents=listed))


def _listed(name: str, entry: Entry | None) -> ListedDocument:
    if entry is None:
        return ListedDocument(document=name, revision=0)
    return ListedDocument(
        document=name,
        revision=entry.revision,
        created=microseconds(entry.created_at),
        created_by=entry.created_by,
        modified=microseconds(entry.modified_at),
        modified_by=entry.modified_by,
    )


async def read(request: web.Request, query: DocumentQuery) -> web.Response:
    """The text, now or then. As JSON, or as text for `Accept: text/plain`."""
    state = await find_state(request, query)
    is_text = request.headers.get("Accept") == "text/plain"
    etag = f"{request.app[SERVICES].epoch}.r{state.revision}{'.txt' if is_text else ''}"
    if is_known(request, etag):
        response = not_modified(etag)
    elif is_text:
        response = web.Response(text=state.text, headers={"Revision": str(state.revision)})
    else:
        response = answer(_text(state))
    response.headers["Vary"] = "Accept"
    return with_etag(response, etag)


def _text(state: DocumentState) -> TextAnswer:
    return TextAnswer(
        room=state.room,
        document=state.name,
        revision=state.revision,
        modified=microseconds(state.modified_on) or 0,
        text=state.text,
    )


async def unlist(request: web.Request) -> web.Response:
    """Take a document off the list. Its text and its history stay."""
    await request.app[SERVICES].rooms.unlist_document(
        request[ROOM].room, document_id(request), actor=request[IDENTITY].user
    )
    return web.Response(status=204)


async def find_state(request: web.Request, query: DocumentQuery) -> DocumentState:
    """The state that is asked for. Raises `BadFrame`, `NotFound`, `StoreUnavailable`."""
    room, name = request[ROOM].room, document_id(request)
    moment = moment_in(query)
    if moment is None:
        return (await request.app[SERVICES].documents.get(room, name)).state
    return await request.app[STATES].get(room, name, moment)


def document_id(request: web.Request) -> str:
    """The document of the path. Raises `NotFound` for what can be none."""
    document = request.match_info["document"]
    if not is_document_id(document):
        raise NotFound("there is no such document")
    return document
