"""The description of the API names what there is, and holds together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_pydantic import OpenAPI

from domain.rights import Action
from interfaces.http.bodies import NoQuery
from interfaces.http.door import Access
from interfaces.http.routes import ROUTES, Route
from tests.interfaces.server_thread import ServerThread

TOLD = [route for route in ROUTES if route.is_told]


@pytest.fixture(scope="module")
def described(server: ServerThread) -> Any:
    answer = server.get("/api/openapi.json")
    assert (answer.status, answer.headers.get_content_type()) == (200, "application/json")
    return answer.json


def operation_of(described: Any, route: Route) -> Any:
    return described["paths"][route.path][route.method.lower()]


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def resolved(described: Any, reference: str) -> Any:
    found = described
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_it_is_an_openapi_document(described: Any) -> None:
    document = OpenAPI.model_validate(described)
    assert document.openapi.startswith("3.1.")


def test_it_holds_the_told_routes_and_no_others(described: Any) -> None:
    names = {f"{method.upper()} {path}" for path, held in described["paths"].items() for method in held}
    assert names == {name_of(route) for route in TOLD}
    assert {route.path for route in ROUTES if not route.is_told} == {
        "/",
        "/api/docs",
        "/api/docs/{file}",
        "/api/openapi.json",
        "/assets/{file}",
        "/{file}",
    }


def test_every_reference_leads_somewhere(described: Any) -> None:
    found = set(references(described))
    assert found
    for reference in found:
        assert reference.startswith("#/components/schemas/")
        assert resolved(described, reference)


def test_every_operation_has_an_id_and_a_summary_of_its_own(described: Any) -> None:
    operations = [operation_of(described, route) for route in TOLD]
    assert len({operation["operationId"] for operation in operations}) == len(TOLD)
    assert len({operation["summary"] for operation in operations}) == len(TOLD)


@pytest.mark.parametrize("route", TOLD, ids=name_of)
def test_an_operation_names_its_parameters(described: Any, route: Route) -> None:
    parameters = operation_of(described, route).get("parameters", [])
    in_path = [p["name"] for p in parameters if p["in"] == "path"]
    assert in_path == re.findall(r"\{(\w+)\}", route.path)
    assert all(p["required"] for p in parameters if p["in"] == "path")
    fields = {} if route.query is NoQuery else route.query.model_fields
    assert [p["name"] for p in parameters if p["in"] == "query"] == [
        field.alias or name for name, field in fields.items()
    ]


@pytest.mark.parametrize("route", TOLD, ids=name_of)
def test_an_operation_names_its_body(described: Any, route: Route) -> None:
    body = operation_of(described, route).get("requestBody")
    if route.body is None:
        assert body is None
        return
    schema = resolved(described, body["content"]["application/json"]["schema"]["$ref"])
    assert set(schema["properties"]) == set(route.body.model_fields)
    assert schema["additionalProperties"] is False
    assert body["required"] is bool(schema.get("required"))


@pytest.mark.parametrize("route", TOLD, ids=name_of)
def test_an_operation_names_its_answers(described: Any, route: Route) -> None:
    responses = operation_of(described, route)["responses"]
    good = responses[str(route.status)]
    if route.answer is None:
        assert "content" not in good
    else:
        schema = resolved(described, good["content"]["application/json"]["schema"]["$ref"])
        assert set(schema["properties"]) == set(route.answer.model_fields)
    assert {"429", "422", "503", "default"} <= set(responses)
    assert ("401" in responses) is (route.access is not Access.PUBLIC)
    assert ("403" in responses) is isinstance(route.access, Action)


@pytest.mark.parametrize("route", TOLD, ids=name_of)
def test_what_is_not_public_needs_a_token(described: Any, route: Route) -> None:
    needed = operation_of(described, route).get("security")
    assert needed == (None if route.access is Access.PUBLIC else [{"token": []}])
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
