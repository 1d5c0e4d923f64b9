"""`/api/rooms/{room}/documents/{document}/saves`: mark revisions of a document, and list what was marked."""

from __future__ import annotations

from aiohttp import web

from domain.names import normal_name
from interfaces.http.answers import Answer, answer, microseconds
from interfaces.http.bodies import PAGE, Asked, Count, Limit, Name, Whole
from interfaces.http.documents import document_id
from interfaces.http.keys import IDENTITY, ROOM, SERVICES


class NewSave(Asked):
    """`revision`: the present one when it is missing; `name`: what it is called from now on."""

    revision: Count | None = None
    name: Name | None = None


class SavesQuery(Asked):
    after: Whole = 0
    limit: Limit = PAGE


class SaveAnswer(Answer):
    document: str
    revision: int
    name: str | None


class ListedSave(Answer):
    """`name` is null for a save without one."""

    revision: int
    name: str | None
    saved: int
    saved_by: str


class SavesAnswer(Answer):
    """All that was saved, oldest first. `names`: the revision that each name is of now, since a name that
    comes again has moved.
    """

    saves: list[ListedSave]
    names: dict[str, int]
    next: int | None


async def save(request: web.Request, body: NewSave) -> web.Response:
    """Mark a revision as worth keeping, with a name or without. A name that comes again moves there."""
    services, room = request.app[SERVICES], request[ROOM].room
    document = await services.documents.get(room, document_id(request))
    revision = document.revision if body.revision is None else body.revision
    await services.documents.check_reached(document, revision)
    await services.revisions.save(room, document.name, revision, name=body.name, actor=request[IDENTITY].user)
    name = None if body.name is None else normal_name(body.name)
    return answer(SaveAnswer(document=document.name, revision=revision, name=name), 201)


async def list_all(request: web.Request, query: SavesQuery) -> web.Response:
    """What was saved of a document, oldest first, and of which revision each name is now."""
    services, room = request.app[SERVICES], request[ROOM].room
    document = (await services.documents.get(room, document_id(request))).name
    found = await services.revisions.saved(room, document, query.after, query.limit)
    saves = [
        ListedSave(
            revision=event.revision,
            name=event.name,
            saved=microseconds(event.timestamp) or 0,
            saved_by=event.actor,
        )
        for event in found
    ]
    following = found[-1].originator_version if len(found) == query.limit else None
    names = dict(await services.revisions.names(room, document))
    return answer(SavesAnswer(saves=saves, names=names, next=following))
