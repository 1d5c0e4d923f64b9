"""One shape for everything that goes wrong over HTTP: `application/problem+json` (RFC 9457), with
our code.
"""

from __future__ import annotations

import logging
from typing import Final

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from domain.errors import (
    BadFrame,
    ChronoscribeError,
    ClientError,
    Conflict,
    Forbidden,
    IdReused,
    LastOwner,
    LostRace,
    NotFound,
    RateLimited,
    StoreError,
    Unauthenticated,
)
from interfaces.http.discretion import as_one_line

logger = logging.getLogger(__name__)


class PreconditionFailed(ClientError):  # noqa: N818
    """What `If-Match` names is not what is there: somebody has changed it since."""

    code = "E_PRECONDITION"


class SpanInvalid(BadFrame):
    """A span of time that ends before it begins."""


# The first that fits counts, so what is special stands before what is general.
STATUSES: Final[tuple[tuple[type[ChronoscribeError], int], ...]] = (
    (NotFound, 404),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (RateLimited, 429),
    (PreconditionFailed, 412),
    (LastOwner, 409),
    (IdReused, 409),
    (Conflict, 409),
    (SpanInvalid, 400),
    (ClientError, 422),
    (LostRace, 503),
    (StoreError, 503),
)

TITLES: Final = {
    400: "Bad request",
    401: "Not signed in",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Took too long",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    422: "Cannot be done",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}


def problem(status: int, code: str, detail: str, **facts: object) -> web.Response:
    """A response that says what is wrong; `retry_after` (seconds) also becomes the header."""
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
        **facts,
    }
    response = web.Response(status=status, body=orjson.dumps(body), content_type="application/problem+json")
    if isinstance(wait := facts.get("retry_after"), int | float):
        response.headers["Retry-After"] = str(max(1, round(wait)))
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def status_of(error: type[ChronoscribeError]) -> int:
    return next((status for kind, status in STATUSES if issubclass(error, kind)), 503)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into problems. What we did not expect is logged and told without its inside."""
    try:
        return await handler(request)
    except ChronoscribeError as error:
        return problem(status_of(type(error)), error.code, error.message, **error.facts)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = problem(error.status, "E_HTTP", error.reason)
        for name in ("Allow", "Retry-After"):
            if name in error.headers:
                response.headers[name] = error.headers[name]
        return response
    except Exception:
        if "Upgrade" in request.headers:
            raise  # the answer of a WebSocket has begun long ago
        # The path holds ids only: what is secret travels in headers and bodies.
        logger.exception("a request failed: %s %s", request.method, as_one_line(request.path))
        return problem(500, "E_INTERNAL", "something went wrong here; the server's log says what")
