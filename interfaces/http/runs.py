"""`/api/rooms/{room}/runs`: tell that something runs, and how it has finished. The server runs nothing."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from domain.errors import NotFound
from domain.ids import is_id
from domain.run import Outcome
from interfaces.http.answers import Answer, answer
from interfaces.http.bodies import Asked, Count, DocumentId, Id
from interfaces.http.keys import IDENTITY, ROOM, SERVICES
from interfaces.http.speech import client_of
from interfaces.ws.frames import Title


class NewRun(Asked):
    """`run`: made by the server when it is missing. `document` and `revision` are what is run, when it is one
    document.
    """

    run: Id | None = None
    title: Title
    document: DocumentId | None = None
    revision: Count | None = None


class RunEnd(Asked):
    outcome: Literal["passed", "failed", "stopped"]
    exit_code: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None


class RunAnswer(Answer):
    """`outcome` is null until it has finished."""

    run: str
    client: str
    title: str
    document: str | None
    revision: int | None
    outcome: str | None
    exit_code: int | None


async def start(request: web.Request, body: NewRun) -> web.Response:
    """Tell that something runs. Under the same `run` once more it adds nothing."""
    services, room, user = request.app[SERVICES], request[ROOM].room, request[IDENTITY].user
    run = body.run or services.new_id()
    if body.document is not None:
        document = await services.documents.get(room, body.document)
        await services.documents.check_reached(document, body.revision or 0)
    await services.runs.start(
        room,
        run,
        client=client_of(user),
        title=body.title,
        document=body.document,
        revision=body.revision,
        actor=user,
    )
    return await _answer(request, run, 201)


async def finish(request: web.Request, body: RunEnd) -> web.Response:
    """Tell how a run has ended: for who has started it, in the same way."""
    run, user = request.match_info["run"], request[IDENTITY].user
    if not is_id(run):
        raise NotFound("there is no such run")
    await request.app[SERVICES].runs.finish(
        request[ROOM].room, run, Outcome(body.outcome), body.exit_code, client=client_of(user), actor=user
    )
    return await _answer(request, run)


async def _answer(request: web.Request, run: str, status: int = 200) -> web.Response:
    found = await request.app[SERVICES].runs.get(request[ROOM].room, run)
    document, revision = found.what
    told = RunAnswer(
        run=found.run,
        client=found.client,
        title=found.title,
        document=document,
        revision=revision,
        outcome=found.outcome,
        exit_code=found.exit_code,
    )
    return answer(told, status)
