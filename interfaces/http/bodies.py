"""What comes in over HTTP, checked strictly: bodies, path and query."""

from __future__ import annotations

import asyncio
from typing import Any, Final, TypeVar

import orjson
from aiohttp import web
from pydantic import ValidationError

from domain.errors import BadFrame, BadJson, NotFound
from domain.ids import is_document_id, is_id
from domain.limits import INTEGER_MAX
from interfaces.ws.frames import DocumentId, Frame, Id, Name

ANONYMOUS: Final = "http"
"""The actor of a request that names none, until there are accounts."""

# A body is a few hundred bytes. Whoever takes longer to send it holds a place for nothing.
BODY_SECONDS: Final = 10.0

Body = TypeVar("Body", bound=Frame)


class NewRoom(Frame):
    room: Id
    title: Name | None = None
    actor: Name = ANONYMOUS


class NewDocument(Frame):
    document: DocumentId
    actor: Name = ANONYMOUS


async def read_body(request: web.Request, model: type[Body]) -> Body:
    """The JSON body. Raises `BadJson`, `BadFrame`; 408 when it does not come, 413 beyond aiohttp's limit."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            data = await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except web.RequestPayloadError:
        raise BadJson("the body is broken") from None
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise BadJson("the body is no JSON") from None
        field = ".".join(str(part) for part in first["loc"])[:64]
        raise BadFrame(first["msg"][:200], field=field) from None


def room_id(request: web.Request) -> str:
    room = request.match_info["room"]
    if not is_id(room):
        raise NotFound("there is no such room")
    return room


def document_id(request: web.Request) -> str:
    document = request.match_info["document"]
    if not is_document_id(document):
        raise NotFound("there is no such document")
    return document


def query_integer(request: web.Request, name: str, default: int, *, least: int = 0) -> int:
    """A whole number of the query, not below `least`. Raises `BadFrame`."""
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 16 and least <= int(text) <= INTEGER_MAX):
        raise BadFrame(f"a whole number from {least} is needed", field=name)
    return int(text)


def json_response(value: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")
