"""Whose pages may ask, and by which name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from interfaces.http.guard import is_allowed_origin
from interfaces.http.proxies import is_own_host
from tests.interfaces.http.conftest import SECRET
from tests.interfaces.server_thread import ServerThread

APP = "https://app.example.com"


@pytest.fixture(scope="module")
def with_origins(start: Callable[..., ServerThread]) -> ServerThread:
    return start(auth_secrets=[SECRET], origins=[APP, "http://localhost:5173"])


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8484", "localhost", "localhost:1", "[::1]", "[::1]:8484"]
)
def test_names_of_this_machine_are_let_in(host: str) -> None:
    assert is_own_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":8484",
        "example.org",
        "example.org:8484",
        "127.0.0.1.example.org",
        "localhost.example.org:8484",
        "127.0.0.1:8484:1",
        "127.0.0.1:",
        "127.0.0.1:x",
        "localhost:80@example.org",
        "::1",
        "[::1",
        "0.0.0.0",
        "LOCALHOST.",
    ],
)
def test_other_names_are_not(host: str) -> None:
    assert not is_own_host(host)


def test_a_page_of_this_server_is_let_in() -> None:
    assert is_allowed_origin("http://127.0.0.1:8484", "127.0.0.1:8484", "http", frozenset())
    assert is_allowed_origin("https://127.0.0.1:8484", "127.0.0.1:8484", "https", frozenset())


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://[",
        "https://127.0.0.1:8484",
        "http://127.0.0.1:8485",
        "http://localhost:8484",
        "http://127.0.0.1:8484/",
        "http://127.0.0.1:8484.example.org",
        "http://user@127.0.0.1:8484",
        "http://example.org",
    ],
)
def test_other_pages_are_not(origin: str) -> None:
    assert not is_allowed_origin(origin, "127.0.0.1:8484", "http", frozenset())


@pytest.mark.parametrize("origin", [APP, "http://localhost:5173"])
def test_a_page_that_is_set_is_let_in(with_origins: ServerThread, origin: str) -> None:
    assert with_origins.get("/api/openapi.json", Origin=origin).status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://APP.example.com",
        "HTTPS://app.example.com",
        "https://app.example.com.",
        "https://app.example.com:443",
        "https://app.example.com:8443",
        "https://app.example.com/",
        "http://app.example.com",
        "https://app.example.com.evil.example",
        "https://evilapp.example.com",
        "https://sub.app.example.com",
        "https://user@app.example.com",
        "https://app.example.com@evil.example",
        "https://app.example.com evil.example",
        "https://app.example.com,https://evil.example",
        "http://localhost:5174",
        "http://localhost",
        "http://127.0.0.1:5173",
    ],
)
def test_a_page_is_compared_exactly_with_those_that_are_set(with_origins: ServerThread, origin: str) -> None:
    answer = with_origins.get("/api/openapi.json", Origin=origin)
    assert (answer.status, answer.json["code"]) == (403, "E_HTTP")


def test_where_pages_are_set_the_servers_own_address_is_none_of_them(with_origins: ServerThread) -> None:
    assert with_origins.get("/api/openapi.json", Origin=with_origins.url).status == 403


def test_a_rebound_name_sees_nothing(server: ServerThread) -> None:
    for path in ("/", "/healthz", "/api/rooms", "/metrics", "/ws/demo", "/nowhere"):
        answer = server.get(path, Host="evil.example")
        assert (answer.status, answer.json["code"]) == (403, "E_HTTP")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://["])
def test_a_foreign_page_sees_and_does_nothing(server: ServerThread, origin: str) -> None:
    ada = server.guest("Ada")
    assert ada.get("/api/rooms", Origin=origin).status == 403
    answer = ada.post("/api/rooms", {"room": "forged"}, Origin=origin)
    assert answer.status == 403
    assert ada.get("/api/rooms/forged").status == 404


def test_an_own_page_and_a_program_see_it(server: ServerThread) -> None:
    ada = server.guest("Ada")
    assert ada.get("/api/rooms", Origin=server.url).status == 200
    assert ada.get("/api/rooms").status == 200


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/api/rooms", 401), ("/nowhere", 404)])
def test_every_answer_says_how_browsers_are_to_take_it(server: ServerThread, path: str, status: int) -> None:
    answer = server.get(path)
    assert answer.status == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.get_all("Server") == ["Chronoscribe"]


def test_pages_of_the_origins_that_are_set_may_send_and_read(with_origins: ServerThread) -> None:
    asked = {"Origin": APP, "Access-Control-Request-Method": "PATCH"}
    preflight = with_origins.ask("OPTIONS", "/api/profile", headers=asked)
    assert preflight.status == 204
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    answer = with_origins.ask("GET", "/api/me", headers={"Origin": APP})
    assert answer.status == 401
    for told in (preflight, answer):
        assert told.headers["Access-Control-Allow-Origin"] == APP
        assert "Access-Control-Allow-Credentials" not in told.headers
        assert "Origin" in told.headers["Vary"]


def test_others_are_not_told_that_they_may(with_origins: ServerThread, server: ServerThread) -> None:
    for headers in ({"Origin": "https://evil.example"}, {}):
        answer = with_origins.ask("OPTIONS", "/api/profile", headers=headers)
        assert answer.status in {403, 405}
        assert "Access-Control-Allow-Origin" not in answer.headers
    own = server.ask("GET", "/api/me", headers={"Origin": server.url})
    assert "Access-Control-Allow-Origin" not in own.headers
