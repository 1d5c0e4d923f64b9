"""Who may ask."""

from __future__ import annotations

import pytest

from interfaces.http.guard import is_own_host, is_own_origin
from tests.interfaces.server_thread import ServerThread


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
    assert is_own_origin("http://127.0.0.1:8484", "127.0.0.1:8484")


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
    assert not is_own_origin(origin, "127.0.0.1:8484")


def test_a_rebound_name_sees_nothing(server: ServerThread) -> None:
    for path in ("/", "/healthz", "/api/rooms", "/metrics", "/ws/demo", "/nowhere"):
        answer = server.get(path, Host="evil.example")
        assert (answer.status, answer.json["code"]) == (403, "E_HTTP")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://["])
def test_a_foreign_page_sees_and_does_nothing(server: ServerThread, origin: str) -> None:
    assert server.get("/api/rooms", Origin=origin).status == 403
    answer = server.ask("POST", "/api/rooms", {"room": "forged"}, {"Origin": origin})
    assert answer.status == 403
    assert server.get("/api/rooms/forged").status == 404


def test_an_own_page_and_a_program_see_it(server: ServerThread) -> None:
    assert server.get("/api/rooms", Origin=server.url).status == 200
    assert server.get("/api/rooms").status == 200
