"""Naming revisions at the terminal, and looking at a part of one."""

from __future__ import annotations

import json

import pytest

from tests.servers import ServerProcess

pytestmark = pytest.mark.slow


def test_revisions_are_named_and_listed_and_a_part_of_one_is_shown(guests_server: ServerProcess) -> None:
    server = guests_server
    assert (
        server.run("load", "--url", server.url, "--room", "r", "--typing", "1", "--edits", "5").returncode
        == 0
    )
    listed = server.run("log", "r", "--json").stdout.splitlines()
    [document] = {event["document"] for event in map(json.loads, listed) if event["event"] == "edit"}
    user = next(event["actor"] for event in map(json.loads, listed) if event["event"] == "edit")
    assert server.run("revisions", "r", document).stdout == b""
    for arguments in (("--name", "first", "--revision", "1"), ("--name", "last"), ("--name", "first")):
        named = server.run("revisions", "r", document, *arguments, "--as", user)
        assert named.returncode == 0, named.stderr
    saved = [
        json.loads(line) for line in server.run("revisions", "r", document, "--json").stdout.splitlines()
    ]
    assert [(one["revision"], one["name"], one["saved_by"]) for one in saved] == [
        (1, "first", user),
        (5, "last", user),
        (5, "first", user),
    ]
    assert b"first  (moved on)" in server.run("revisions", "r", document).stdout
    text = server.run("show", "r", document, "--name", "last").stdout.decode()
    part = server.run("show", "r", document, "--revision", "5", "--range", "1:3").stdout.decode()
    assert part == text[1:3]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--revision", "1"), b"go with --name"),
        (("--name", "x"), b"say --as which user"),
        (("--name", "\u200b", "--as", "ada"), b"is no name"),
        (("--name", "x", "--as", "ada"), b"there is no such room"),
    ],
)
def test_what_cannot_be_named_is_said(
    guests_server: ServerProcess, arguments: tuple[str, ...], said: bytes
) -> None:
    done = guests_server.run("revisions", "nowhere", "x.md", *arguments)
    assert done.returncode in (1, 2)
    assert said in done.stderr
