"""One shape for everything that goes wrong over HTTP: `application/problem+json` (RFC 9457), with
our code.
"""

from __future__ import annotations

import logging
from typing import Final

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from domain.errors import ChronoscribeError, ClientError, Forbidden, LostRace, NotFound, RateLimited

logger = logging.getLogger(__name__)

_TITLES: Final = {
    400: "Bad request",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Took too long",
    409: "Conflict",
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
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
        **facts,
    }
    response = web.Response(status=status, body=orjson.dumps(body), content_type="application/problem+json")
    if isinstance(wait := facts.get("retry_after"), int | float):
        response.headers["Retry-After"] = str(max(1, round(wait)))
    return response


def _status(error: ChronoscribeError) -> int:
    match error:
        case NotFound():
            return 404
        case Forbidden():
            return 403
        case RateLimited():
            return 429
        case ClientError():
            return 422
        case LostRace():
            return 503
        case _:
            return 503


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into problems. What we did not expect is logged and told without its inside."""
    try:
        return await handler(request)
    except ChronoscribeError as error:
        return problem(_status(error), error.code, error.message, **error.facts)
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
        logger.exception("a request failed: %s %s", request.method, request.path)
        return problem(500, "E_INTERNAL", "something went wrong here; the server's log says what")
