"""The page and its files, as the server gives them out."""

from __future__ import annotations

import gzip
import re

import pytest

from interfaces.http import page
from interfaces.web.bundle import DIST
from tests.interfaces.server_thread import ServerThread

AN_ASSET = next(path.name for path in sorted((DIST / "assets").glob("*.js")))


def test_the_root_is_the_page_with_a_policy_that_runs_only_its_own_files(server: ServerThread) -> None:
    answer = server.get("/")
    assert (answer.status, answer.headers.get_content_type()) == (200, "text/html")
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == f"'self' {server.url.replace('http', 'ws', 1)}"


def test_no_script_or_style_stands_in_the_page_itself(server: ServerThread) -> None:
    text = server.get("/").body.decode()
    assert not re.findall(r"<script(?![^>]*\bsrc=)", text)
    assert not re.findall(r"<style|\sstyle=|\son\w+=", text)
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", text)


def test_each_page_has_a_nonce_of_its_own_that_its_policy_names(server: ServerThread) -> None:
    nonces = set()
    for _ in range(2):
        answer = server.get("/")
        found = re.search(r'<meta property="csp-nonce" nonce="([\w-]{20,})"', answer.body.decode())
        assert found
        assert f"'nonce-{found[1]}'" in answer.headers["Content-Security-Policy"]
        nonces.add(found[1])
    assert len(nonces) == 2


def test_what_is_named_by_its_content_is_kept_for_good_and_comes_packed(server: ServerThread) -> None:
    plain = server.get(f"/assets/{AN_ASSET}")
    packed = server.get(f"/assets/{AN_ASSET}", **{"Accept-Encoding": "gzip"})
    assert plain.headers["Content-Type"] == packed.headers["Content-Type"] == "text/javascript"
    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body == (DIST / "assets" / AN_ASSET).read_bytes()


def test_what_keeps_its_name_is_asked_for_again(server: ServerThread) -> None:
    answer = server.get("/index.html")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    "path",
    [
        "/.stamp",
        "/index.html.gz",
        "/assets",
        "/assets/..%2Findex.html",
        "/..%2Fpackage.json",
        "/%2Fetc%2Fhosts.txt",
        "/no.js",
    ],
)
def test_nothing_but_the_files_of_the_page_is_given_out(server: ServerThread, path: str) -> None:
    assert server.get(path).status == 404


def test_a_server_without_the_page_says_how_to_get_it(
    server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "DIST", DIST / "nowhere")
    answer = server.get("/")
    assert answer.status == 200
    assert "was not built" in answer.body.decode()
