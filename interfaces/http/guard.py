"""Whose pages may ask, and by which name the server may be called.

A foreign page in a browser can reach a server too, with what the browser has. It cannot forge `Origin`:
scheme, host and port are compared exactly with those that are set, or, where none are, with the address that
was asked. Programs send no `Origin`. On one's own machine without accounts the name that was asked for is
looked at as well, since after DNS rebinding a foreign page's own name leads here.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from interfaces.http.door import tell_rate
from interfaces.http.keys import BUCKET, ENTRANCE
from interfaces.http.proxies import is_own_host


def is_allowed_origin(origin: str, host: str, scheme: str, origins: frozenset[str]) -> bool:
    """Whether a page of this origin may ask."""
    return origin in origins if origins else origin == f"{scheme}://{host}"


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse foreign hosts and origins with 403, before anything else is looked at."""
    entrance = request.app[ENTRANCE]
    origin = request.headers.get("Origin")
    if entrance.is_development and not is_own_host(request.host):
        raise web.HTTPForbidden
    if origin is not None and not is_allowed_origin(origin, request.host, request.scheme, entrance.origins):
        raise web.HTTPForbidden
    if origin in entrance.origins and request.method == "OPTIONS":
        return web.Response(status=204, headers=_PREFLIGHT)
    return await handler(request)


# What pages of the origins that are set may send and see: for them the server is another site than their own.
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, If-None-Match",
    "Access-Control-Max-Age": "3600",
}
_EXPOSED: Final = "ETag, Retry-After, Revision, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"


# Nothing of ours is anything else than it says, belongs into a frame, or tells others where it came from; and
# which versions of what answer is of use only to those who look for a hole in them.
_HEADERS: Final = {
    "Server": "Chronoscribe",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@web.middleware
async def with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Add what every answer says: how browsers are to take it, and how much may still be asked."""
    response = await handler(request)
    if not response.prepared:
        add_headers(request, response)
    return response


def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """The same for an answer that begins before its end is known."""
    response.headers.update(_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")  # secrets, and rights that change
    origin = request.headers.get("Origin", "")
    if origin in request.app[ENTRANCE].origins:
        # No cookies are needed, so none are allowed.
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        response.headers.add("Vary", "Origin")
    if (bucket := request.get(BUCKET)) is not None:
        tell_rate(response, bucket)
