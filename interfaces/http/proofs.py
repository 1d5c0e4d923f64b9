"""`/api/checkpoints` and `/api/rooms/{room}/proof`: what the server vouches for, and what it takes to check
it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, Any

import orjson
from aiohttp import web
from pydantic import ConfigDict, Field

from domain.errors import NotFound, RevisionAhead
from interfaces.http.answers import Answer, answer
from interfaces.http.bodies import Asked, Whole
from interfaces.http.keys import PROVER, ROOM
from interfaces.http.lines import tell_lines


class ProofQuery(Asked):
    """`from` and `to` are positions of the log: from its beginning until now when they are missing."""

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    first: Annotated[Whole, Field(alias="from")] = 1
    last: Annotated[Whole | None, Field(alias="to")] = None


class CheckpointAnswer(Answer):
    """`link`, `key` in hex and `signature` in base64: see docs/proof.md for what is signed."""

    epoch: str
    log: str
    position: int
    at: int
    link: str
    key: str
    signature: str


class CheckpointsAnswer(Answer):
    """The newest of each log."""

    checkpoints: list[CheckpointAnswer]


async def checkpoints(request: web.Request) -> web.Response:
    """Signed checkpoints of what the logs hold now: keep them where nobody can change them."""
    made = await request.app[PROVER].checkpoints()
    return answer(CheckpointsAnswer(checkpoints=[CheckpointAnswer(**one.as_json()) for one in made]))


async def proof(request: web.Request, query: ProofQuery) -> web.StreamResponse:
    """Events of the room line by line, with what it takes to check without the server that they are in the
    log as they stand here: `chronoscribe verify --proof FILE`.
    """
    prover = request.app[PROVER]
    made = [one for one in await prover.checkpoints() if one.log == "record"]
    if not made:
        raise NotFound("the log is empty")
    [checkpoint] = made
    last = checkpoint.position if query.last is None else query.last
    if not 1 <= query.first <= last <= checkpoint.position:
        raise RevisionAhead("the log is not as long", position=checkpoint.position)
    lines = prover.proof(request[ROOM].room, query.first, last, checkpoint)
    return await tell_lines(request, _as_objects(lines))


async def _as_objects(lines: AsyncGenerator[bytes, None]) -> AsyncGenerator[Mapping[str, Any], None]:
    try:
        async for line in lines:
            yield orjson.loads(line)
    finally:
        await lines.aclose()
