"""What goes wrong over HTTP has one shape."""

from __future__ import annotations

import logging

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from domain import errors
from domain.errors import ChronoscribeError
from interfaces.http.problems import PreconditionFailed, SpanInvalid, problem, problems
from tests.interfaces.server_thread import ServerThread


async def through(error: BaseException, **headers: str) -> web.StreamResponse:
    """The answer to a request whose handler raises."""

    async def handler(_: web.Request) -> web.StreamResponse:
        raise error

    return await problems(make_mocked_request("GET", "/path", headers=headers), handler)


def told(response: web.StreamResponse) -> dict[str, object]:
    assert isinstance(response, web.Response)
    assert isinstance(response.body, bytes)
    assert response.content_type == "application/problem+json"
    body: dict[str, object] = orjson.loads(response.body)
    assert body["status"] == response.status
    return body


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotFound("none"), 404),
        (errors.Forbidden("no"), 403),
        (errors.RateLimited("slowly", retry_after=2), 429),
        (errors.BadFrame("what", field="room"), 422),
        (errors.RoomFull("full", limit=3), 422),
        (errors.LastOwner("the only one"), 409),
        (errors.IdReused("another content"), 409),
        (PreconditionFailed("changed"), 412),
        (SpanInvalid("ends before it begins", field="from"), 400),
        (errors.Unauthenticated(), 401),
        (errors.Contended("later", retry_after=0.5), 503),
        (errors.StoreUnavailable("away", retry_after=0.5), 503),
        (errors.Corrupt("unreadable"), 503),
    ],
)
async def test_an_error_keeps_its_code_and_facts(error: ChronoscribeError, status: int) -> None:
    response = await through(error)
    assert response.status == status
    body = told(response)
    assert (body["code"], body["detail"], body["type"]) == (error.code, error.message, "about:blank")
    assert error.facts.items() <= body.items()


async def test_when_to_try_again_stands_in_a_header_too() -> None:
    assert (await through(errors.RateLimited("slowly", retry_after=2.4))).headers["Retry-After"] == "2"
    assert (await through(errors.Contended("later", retry_after=0.1))).headers["Retry-After"] == "1"
    assert "Retry-After" not in (await through(errors.NotFound("none"))).headers


async def test_who_is_not_known_is_told_how_to_be() -> None:
    assert (await through(errors.Unauthenticated())).headers["WWW-Authenticate"] == "Bearer"
    assert "WWW-Authenticate" not in (await through(errors.Forbidden("no"))).headers


async def test_what_the_framework_refuses_has_the_same_shape() -> None:
    response = await through(web.HTTPMethodNotAllowed("PUT", ["GET", "POST"]))
    assert (told(response)["title"], response.headers["Allow"]) == ("Method not allowed", "GET,POST")
    response = await through(web.HTTPServiceUnavailable(headers={"Retry-After": "7"}))
    assert response.headers["Retry-After"] == "7"
    assert told(await through(web.HTTPGone()))["title"] == "Error"


async def test_what_is_no_error_is_let_through() -> None:
    with pytest.raises(web.HTTPFound):
        await through(web.HTTPFound("/elsewhere"))


async def test_a_mistake_of_ours_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response = await through(ZeroDivisionError("secret"))
    body = told(response)
    assert (response.status, body["code"]) == (500, "E_INTERNAL")
    assert "secret" not in str(body)
    assert "ZeroDivisionError" in caplog.text


async def test_a_websocket_is_answered_no_second_time() -> None:
    with pytest.raises(ZeroDivisionError):
        await through(ZeroDivisionError(), Upgrade="websocket")


def test_facts_that_are_no_time_make_no_header() -> None:
    assert "Retry-After" not in problem(503, "E_STORE", "away", retry_after=None).headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("DELETE", "/api/rooms", 405),
        ("PUT", "/api/rooms/demo/documents/welcome.md", 405),
        ("GET", "/api/rooms/none", 404),
        ("GET", "/api/rooms/a%20b", 404),
        ("GET", "/api/rooms/demo%0A", 404),
        ("GET", "/api/rooms/demo/documents/none.md", 404),
        ("GET", "/api/rooms/demo/documents/..%2f..%2fetc", 404),
        ("GET", "/ws/a%20b", 404),
    ],
)
def test_everything_that_a_real_server_refuses_has_it_too(
    server: ServerThread, method: str, path: str, status: int
) -> None:
    answer = server.guest().ask(method, path)
    assert (answer.status, answer.headers.get_content_type()) == (status, "application/problem+json")
    assert answer.json["status"] == status


def test_a_body_that_is_too_large_is_refused(server: ServerThread) -> None:
    answer = server.guest().post("/api/rooms", b" " * (1024 * 1024 + 1))
    assert (answer.status, answer.json["title"]) == (413, "Too large")


def test_a_body_of_whom_nobody_knows_is_not_read(server: ServerThread) -> None:
    assert server.post("/api/rooms", b" " * (1024 * 1024 + 1)).status == 401
