"""Who may ask: on loopback, without accounts, only programs of this machine and pages of this
server.

A foreign page in a browser of this machine can reach loopback too. It cannot forge `Origin`, and
after DNS rebinding its `Host` is its own name: both are compared exactly. Programs send no
`Origin`.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


def is_own_host(host: str) -> bool:
    """Whether a `Host` header names this machine, whatever the port."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name = host
    elif not port.isdecimal():
        return False
    return name in LOOPBACK_NAMES


def is_own_origin(origin: str, host: str) -> bool:
    """Whether a page of this server is asking."""
    return origin == f"http://{host}"


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse foreign hosts and origins with 403, before anything else is looked at."""
    origin = request.headers.get("Origin")
    if not is_own_host(request.host) or (origin is not None and not is_own_origin(origin, request.host)):
        raise web.HTTPForbidden
    return await handler(request)
