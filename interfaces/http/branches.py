"""`/api/rooms/{room}/documents/{document}/branch` and `…/merge`: leave a document, and come back."""

from __future__ import annotations

from aiohttp import web

from interfaces.http.answers import Answer, answer
from interfaces.http.bodies import Asked, Count, DocumentId
from interfaces.http.documents import document_id
from interfaces.http.keys import IDENTITY, PAST_USE_CASES, ROOM, SERVICES
from interfaces.http.undo import RevisedAnswer, revised


class NewBranch(Asked):
    """`branch`: the id of the document that is made; `revision`: the present one when it is missing."""

    branch: DocumentId
    revision: Count | None = None


class MergeBody(Asked):
    """All that was edited in the branch."""


class BranchAnswer(Answer):
    """`document` has started from the text of `revision` of `source`; both are null for one that is no
    branch.
    """

    document: str
    source: str | None
    revision: int | None


async def start(request: web.Request, body: NewBranch) -> web.Response:
    """Make a document out of a text of this one, now or of any revision. Who wrote it is known there too."""
    room, source = request[ROOM].room, document_id(request)
    revision = body.revision
    if revision is None:
        revision = (await request.app[SERVICES].documents.get(room, source)).revision
    await request.app[PAST_USE_CASES].branches.start(
        room, source, revision, body.branch, actor=request[IDENTITY].user
    )
    return answer(BranchAnswer(document=body.branch, source=source, revision=revision), 201)


async def look(request: web.Request) -> web.Response:
    """Of which document this one is a branch."""
    document = document_id(request)
    found = await request.app[PAST_USE_CASES].branches.find(request[ROOM].room, document)
    told = BranchAnswer(
        document=document,
        source=None if found is None else found.source,
        revision=None if found is None else found.revision,
    )
    return answer(told)


async def merge(request: web.Request, body: MergeBody) -> web.Response:
    """Bring what was edited in this branch into the document that it has left, beside what was edited there.
    It may be merged again when more was edited.
    """
    del body
    room, branch = request[ROOM].room, document_id(request)
    branches = request.app[PAST_USE_CASES].branches
    source = (await branches.get(room, branch)).source
    done = await branches.merge(room, branch, actor=request[IDENTITY].user)
    return answer(RevisedAnswer(document=source, **revised(done)))
