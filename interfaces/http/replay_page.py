"""`/api/rooms/{room}/replay.html`: the past of a room as a page to keep, which plays without a server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import ConfigDict, Field

from domain.errors import ChronoscribeError
from interfaces.http.bodies import Asked, Moment
from interfaces.http.guard import add_headers
from interfaces.http.keys import ROOM
from interfaces.http.replay import lines
from interfaces.replay.page import Page

logger = logging.getLogger(__name__)

# Steps are a few hundred bytes: written one by one they would cost more than they are.
PIECE_BYTES: Final = 64 * 1024

# Who takes longer for a piece does not read any more.
WRITE_SECONDS: Final = 30.0

# It is a file to keep. Should a browser show it all the same, it is nobody there, and has what the page says.
_POLICY: Final = "sandbox allow-scripts"


class ReplayPageQuery(Asked):
    """`from` and `to`: from the room's beginning until now when they are missing."""

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None


async def download(request: web.Request, query: ReplayPageQuery) -> web.StreamResponse:
    """What went on in the room as one HTML file that plays in a browser, offline. A page that cannot be
    written to its end says so itself.
    """
    told, page = lines(request, query.since, query.until), Page()
    first = page.begin(await anext(told))  # what is wrong at once has an answer of its own
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/html; charset=utf-8",
            # A room's id holds nothing that would have to be quoted.
            "Content-Disposition": f'attachment; filename="{request[ROOM].room}-replay.html"',
            "Content-Security-Policy": _POLICY,
        }
    )
    add_headers(request, response)
    await response.prepare(request)
    try:
        async for piece in _pieces(page, first, told):
            async with asyncio.timeout(WRITE_SECONDS):
                await response.write(piece)
    except (ConnectionError, TimeoutError) as error:
        logger.info("a page has broken off: %s", type(error).__name__)
        if request.transport is not None:
            request.transport.abort()
    finally:
        await told.aclose()
    return response


async def _pieces(
    page: Page, first: bytes, told: AsyncGenerator[Mapping[str, Any], None]
) -> AsyncGenerator[bytes, None]:
    """The bytes of the page, some at a time."""
    piece = bytearray(first)
    try:
        async for line in told:
            piece += page.line(line)
            if len(piece) >= PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
        piece += page.end()
    except ChronoscribeError as error:
        piece += page.break_off(error)
    yield bytes(piece)
