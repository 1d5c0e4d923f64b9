"""`/api/rooms/{room}/report`: what went on in a room, as a page to read, to send and to print."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from pydantic import ConfigDict, Field

from domain.rights import Action
from interfaces.http.bodies import Asked, Moment, Offset
from interfaces.http.keys import IDENTITY, REPORTS, ROOM, SERVICES
from interfaces.http.problems import SpanInvalid

# Opened from here it is nobody's page: it runs nothing, and loads nothing but its own style.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class ReportQuery(Asked):
    """`from` and `to`: from the room's first event to its last when they are missing. `offset`: by how many
    minutes the clock that it shows is ahead of UTC.
    """

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    offset: Offset = 0


async def look(request: web.Request, query: ReportQuery) -> web.Response:
    """What went on in the room as one HTML file without scripts: who did what and when, on which lines, and
    with whom.
    """
    if query.since is not None and query.until is not None and query.since > query.until:
        raise SpanInvalid("this ends before it begins", field="from")
    room, services = request[ROOM].room, request.app[SERVICES]
    page = await request.app[REPORTS].page(
        room, query.since, query.until, made=services.now(), offset_minutes=query.offset
    )
    # It has taken its time, and rights change.
    await services.rooms.enter(room, request[IDENTITY].user, Action.READ)
    return web.Response(
        body=page,
        headers={
            "Content-Type": "text/html; charset=utf-8",
            "Content-Disposition": f'inline; filename="{room}-report.html"',
            "Content-Security-Policy": _POLICY,
        },
    )
