"""`/api/rooms/{room}/statistics`: who does how much, when, and how it looks."""

from __future__ import annotations

import hashlib
from typing import Final

import orjson
from aiohttp import web

from domain.colours import colour_of
from interfaces.http.answers import StatisticsAnswer, answer, is_known, not_modified, with_etag
from interfaces.http.bodies import StatisticsQuery
from interfaces.http.keys import PLOTS, PROFILES, ROOM, STATISTICS
from interfaces.http.problems import SpanInvalid
from projections.statistics import RoomStatistics, as_json

# Part of the images' ETags: raised when the same figures are drawn otherwise.
DRAWING: Final = 1

# An image that is opened by itself is a page, and this one runs and loads nothing.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

_TYPES: Final = {"svg": "image/svg+xml", "png": "image/png"}


async def look(request: web.Request, query: StatisticsQuery) -> web.Response:
    """What was done in a room, in whole hours: by whom, on which days, at which hours; what is said most; how
    soon messages are answered. Everything when no span is given.
    """
    told = as_json(await _statistics(request, query))
    return answer(StatisticsAnswer.model_validate(told))


async def plot_svg(request: web.Request, query: StatisticsQuery) -> web.Response:
    """The same as a figure, SVG, for a page."""
    return await _plot(request, query, "svg")


async def plot_png(request: web.Request, query: StatisticsQuery) -> web.Response:
    """The same as a figure, PNG, for everything else."""
    return await _plot(request, query, "png")


async def _plot(request: web.Request, query: StatisticsQuery, kind: str) -> web.Response:
    figure = await _figure(request, await _statistics(request, query), kind)
    etag = f"p{DRAWING}.{hashlib.sha256(figure).hexdigest()[:32]}"
    if is_known(request, etag):
        return not_modified(etag)
    image = await request.app[PLOTS].plot(figure, etag)
    headers = {"Content-Security-Policy": _POLICY}
    return with_etag(web.Response(body=image, content_type=_TYPES[kind], headers=headers), etag)


async def _statistics(request: web.Request, query: StatisticsQuery) -> RoomStatistics:
    if query.since is not None and query.until is not None and query.since > query.until:
        raise SpanInvalid("this ends before it begins", field="from")
    return await request.app[STATISTICS].of_room(
        request[ROOM].room, query.since, query.until, user=query.user, offset_minutes=query.offset
    )


async def _figure(request: web.Request, statistics: RoomStatistics, kind: str) -> bytes:
    """All that is drawn, as JSON."""
    told = as_json(statistics)
    users = sorted({person.user for person in statistics.people} | set(filter(None, [statistics.user])))
    profiles = await request.app[PROFILES].get_many(users)
    looks = {user: {"name": user, "colour": colour_of(user)} for user in users}
    looks |= {profile.user: {"name": profile.name, "colour": profile.colour} for profile in profiles}
    figure = {"format": kind, "title": request[ROOM].title, "people": looks, "statistics": told}
    return orjson.dumps(figure, option=orjson.OPT_SORT_KEYS)
