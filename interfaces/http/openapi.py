"""The description of the API (OpenAPI 3.1), made from the table of routes and the models that it names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, Protocol

import orjson
from openapi_pydantic import OpenAPI
from openapi_pydantic.util import PydanticSchema, construct_open_api_with_schema_class
from pydantic import BaseModel

from domain.rights import Action
from interfaces.http.answers import Answer, Problem
from interfaces.http.bodies import Asked, NoQuery
from interfaces.http.door import Access
from interfaces.http.problems import TITLES

# The API's own version: a change that breaks clients raises the first number.
VERSION: Final = "1.0.0"

_PATH_PARAMETER: Final = re.compile(r"\{(\w+)\}")

_OPERATION: Final = frozenset({"healthz", "readyz", "metrics", "users"})

_DESCRIPTION: Final = """
Rooms, members, people, documents and presence of Chronoscribe. What happens live goes over the WebSocket
`/ws/{room}`, for which `POST /api/tickets` sells tickets. Times are microseconds since the epoch, or RFC 3339
where they are asked for; lists go on with the `next` of the page before as `after`.
"""


class Described(Protocol):
    """What is needed of a route."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def handler(self) -> Any: ...
    @property
    def access(self) -> Access | Action: ...
    @property
    def query(self) -> type[Asked]: ...
    @property
    def body(self) -> type[Asked] | None: ...
    @property
    def answer(self) -> type[Answer] | None: ...
    @property
    def status(self) -> int: ...


def describe(routes: Sequence[Described]) -> bytes:
    """The document, as JSON."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    document = OpenAPI.model_validate(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Chronoscribe",
                "version": VERSION,
                "description": _DESCRIPTION.strip(),
                "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
            },
            "paths": paths,
            "components": {
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
            },
        }
    )
    whole = construct_open_api_with_schema_class(document)
    return orjson.dumps(whole.model_dump(mode="json", by_alias=True, exclude_none=True))


def _operation(route: Described) -> dict[str, Any]:
    summary, _, more = (route.handler.__doc__ or "").partition("\n\n")
    operation: dict[str, Any] = {
        "summary": _in_one_line(summary),
        "operationId": f"{route.method.lower()}{_camel(route.path)}",
        "tags": [_tag(route.path)],
        "parameters": [*_path_parameters(route.path), *_query_parameters(route.query)],
        "responses": _responses(route),
    }
    if more:
        operation["description"] = _in_one_line(more)
    if route.access is not Access.PUBLIC:
        operation["security"] = [{"token": []}]
    if isinstance(route.access, Action):
        needed = f"Needs the right to {route.access.value} in the room."
        operation["description"] = " ".join(filter(None, (operation.get("description"), needed)))
    if route.body is not None:
        is_required = any(field.is_required() for field in route.body.model_fields.values())
        operation["requestBody"] = {"required": is_required, "content": _json(route.body)}
    return operation


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(path)
    ]


def _query_parameters(query: type[Asked]) -> list[dict[str, Any]]:
    if query is NoQuery:
        return []
    schema = query.model_json_schema(mode="validation", by_alias=True)
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": field}
        for name, field in schema["properties"].items()
    ]


def _responses(route: Described) -> dict[str, Any]:
    good: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if route.answer is not None:
        good["content"] = _json(route.answer)
    problems = [422, 429, 503]
    if route.access is not Access.PUBLIC:
        problems.append(401)
    if isinstance(route.access, Action):
        problems.append(403)
    if "{" in route.path or route.access is Access.OPERATOR:
        problems.append(404)
    if route.method in {"PATCH", "PUT"}:
        problems.append(412)
    told = {
        str(status): {"description": TITLES[status], "content": _json(Problem, "application/problem+json")}
        for status in sorted(problems)
    }
    others = {"description": "Whatever else is wrong", "content": _json(Problem, "application/problem+json")}
    return {str(route.status): good, **told, "default": others}


def _json(model: type[BaseModel], kind: str = "application/json") -> dict[str, Any]:
    return {kind: {"schema": PydanticSchema(schema_class=model)}}  # type: ignore[call-arg]


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _tag(path: str) -> str:
    parts = [part for part in path.split("/") if part and part != "api" and "{" not in part]
    if parts[0] != "rooms":
        return "operation" if parts[0] in _OPERATION else "people"
    return parts[1] if len(parts) > 1 else "rooms"


def _camel(path: str) -> str:
    words = re.findall(r"[a-zA-Z]+", path.removeprefix("/api"))
    return "".join(word[:1].upper() + word[1:] for word in words)
