"""The page that shows the API."""

from __future__ import annotations

import re

import pytest

from tests.interfaces.server_thread import ServerThread


def test_the_page_and_all_that_it_loads_come_from_this_server(server: ServerThread) -> None:
    page = server.get("/api/docs")
    assert (page.status, page.headers.get_content_type()) == (200, "text/html")
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page.body.decode())
    assert len(addresses) == 4
    for address in addresses:
        assert address.startswith("/api/docs/")
        assert server.get(address).status == 200


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/begin.js", "/api/openapi.json"])
def test_nothing_in_it_leads_elsewhere(server: ServerThread, path: str) -> None:
    assert re.findall(r"(?:https?:)?//[a-z0-9]", server.get(path).body.decode()) == []


def test_its_style_sheet_loads_nothing(server: ServerThread) -> None:
    style = server.get("/api/docs/swagger-ui.css").body.decode()
    assert "@import" not in style
    loaded = re.findall(r"url\(\s*['\"]?(.{5})", style)
    assert loaded
    assert set(loaded) == {"data:"}


def test_the_page_may_load_nothing_else_and_run_no_script_within_it(server: ServerThread) -> None:
    answer = server.get("/api/docs")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "<script>" not in answer.body.decode()


@pytest.mark.parametrize(
    ("file", "kind", "begin"),
    [
        ("swagger-ui.css", "text/css", b"."),
        ("swagger-ui-bundle.js", "text/javascript", b"/*!"),
        ("favicon-32x32.png", "image/png", b"\x89PNG"),
    ],
)
def test_its_files_are_what_they_say(server: ServerThread, file: str, kind: str, begin: bytes) -> None:
    answer = server.get(f"/api/docs/{file}")
    assert (answer.status, answer.headers.get_content_type()) == (200, kind)
    assert answer.body.startswith(begin)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "file",
    [
        "../docs.py",
        "..%2fdocs.py",
        "..%2f..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e%2f__init__.py",
        "%2fetc%2fpasswd",
        "..%5c__init__.py",
        "swagger-ui.css%00.js",
        "swagger-ui.css%2f",
        "index.html",
        "__init__.py",
        ".",
        "",
    ],
)
def test_there_are_no_other_files(server: ServerThread, file: str) -> None:
    assert server.get(f"/api/docs/{file}").status == 404
