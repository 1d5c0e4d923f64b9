"""`/api/rooms/{room}/export`: the log of a room, and what analysts see of it, as files."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import ConfigDict, Field

from domain.errors import ChronoscribeError
from domain.rights import Action
from interfaces.export.beside import ExportBroken
from interfaces.export.formats import CONTENT_TYPES, file_name
from interfaces.http.bodies import Asked, Moment
from interfaces.http.guard import add_headers
from interfaces.http.keys import IDENTITY, ROOM, SERVICES, TABLES
from interfaces.http.problems import SpanInvalid

logger = logging.getLogger(__name__)

# Who takes longer for a piece does not read any more.
WRITE_SECONDS: Final = 30.0

# Whether somebody may still have it is looked at after so much: a tenth of a second, more for slow readers.
CHECK_BYTES: Final = 4 * 1024 * 1024


class TableQuery(Asked):
    """What is exported, and as what. `from` and `to`: everything when they are missing."""

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    what: Literal[
        "events",
        "edits",
        "messages",
        "reactions",
        "receipts",
        "documents",
        "revisions",
        "runs",
        "redactions",
        "rooms",
        "membership_changes",
        "memberships",
        "permissions",
        "lockouts",
        "stays",
        "presence",
        "cursors",
    ] = "events"
    format: Literal["jsonl", "csv", "parquet"] = "jsonl"
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None


async def export(request: web.Request, query: TableQuery) -> web.StreamResponse:
    """The log of the room, or a table of what it says, as a file. All of it is as of one moment."""
    if query.since is not None and query.until is not None and query.since > query.until:
        raise SpanInvalid("this ends before it begins", field="from")
    room = request[ROOM].room
    pieces = request.app[TABLES].pieces(room, query.what, query.format, query.since, query.until)
    try:
        first = await anext(pieces, b"")  # what is wrong at once has an answer of its own
        response = web.StreamResponse(
            headers={
                "Content-Type": CONTENT_TYPES[query.format],
                # A room's id holds nothing that would have to be quoted.
                "Content-Disposition": f'attachment; filename="{file_name(query.what, query.format, room)}"',
            }
        )
        add_headers(request, response)
        await response.prepare(request)
        await _send(request, response, first, pieces)
    finally:
        await pieces.aclose()
    return response


async def _send(
    request: web.Request, response: web.StreamResponse, first: bytes, pieces: AsyncGenerator[bytes, None]
) -> None:
    unchecked = 0
    try:
        await _write(response, first)
        async for piece in pieces:
            await _write(response, piece)
            unchecked += len(piece)
            if unchecked >= CHECK_BYTES:
                unchecked = 0
                await request.app[SERVICES].rooms.enter(
                    request[ROOM].room, request[IDENTITY].user, Action.MANAGE
                )
    except (ChronoscribeError, ExportBroken, ConnectionError, TimeoutError) as error:
        # There is no answer any more in which that could be told: the file breaks off.
        logger.info("an export has broken off: %s", type(error).__name__)
        if request.transport is not None:
            request.transport.abort()


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(WRITE_SECONDS):
        await response.write(data)
