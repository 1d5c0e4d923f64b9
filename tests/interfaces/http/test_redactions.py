"""Text is removed and proved over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from infrastructure.proof.certificates import check_certificate
from infrastructure.proof.proofs import check_proof
from tests.interfaces.server_thread import ServerThread, Somebody

REASON = {"reason": "a password"}


@pytest.fixture(scope="module")
def ada(accounts: ServerThread) -> Somebody:
    return accounts.with_token("redacting-ada", "203.0.113.41")


@pytest.fixture
def room(ada: Somebody) -> str:
    room: str = ada.post("/api/rooms", {"title": "Lab"}).json["room"]
    ada.post(f"/api/rooms/{room}/messages", {"text": "it is hunter2, they say"})
    return room


def test_a_preview_tells_and_does_nothing(ada: Somebody, room: str) -> None:
    told = ada.post(f"/api/rooms/{room}/redactions", {**REASON, "phrase": "hunter2", "preview": True}).json
    assert (told["redaction"], told["events"], told["characters"]) == (None, 1, 7)
    assert ada.get(f"/api/rooms/{room}/redactions").json == {"redactions": []}


def test_a_phrase_goes_and_it_is_told_what_was_done(ada: Somebody, room: str) -> None:
    told = ada.post(
        f"/api/rooms/{room}/redactions", {**REASON, "phrase": "HUNTER2", "ignore_case": True}
    ).json
    assert (told["by"], told["reason"], told["events"]) == (ada.user, "a password", 1)
    assert ada.get(f"/api/rooms/{room}/redactions").json == {"redactions": [told]}
    again = ada.post(f"/api/rooms/{room}/redactions", {**REASON, "phrase": "hunter2"}).json
    assert again["redaction"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"phrase": "x"},
        {**REASON},
        {**REASON, "phrase": "x", "author": "ada"},
        {**REASON, "passage": {"revision": 1, "start": 0, "end": 1}},
        {**REASON, "document": "main.md"},
        {**REASON, "message": "m1", "document": "main.md"},
        {**REASON, "phrase": ""},
        {"reason": "", "phrase": "x"},
    ],
)
def test_it_has_to_be_said_what_goes_and_why(ada: Somebody, room: str, body: dict[str, Any]) -> None:
    answer = ada.post(f"/api/rooms/{room}/redactions", body)
    assert (answer.status, answer.json["code"]) == (422, "E_SCHEMA")


def test_a_proof_is_checked_without_the_server(ada: Somebody, room: str) -> None:
    answer = ada.get(f"/api/rooms/{room}/proof")
    lines = answer.body.splitlines()
    proved = check_proof(lines)
    assert proved.range.room == room
    assert proved.events == len([line for line in lines if b'"event"' in line]) > 0
    assert ada.get(f"/api/rooms/{room}/proof?from=9&to=8").status == 422


def test_checkpoints_are_told_to_whoever_is_signed_in(ada: Somebody, room: str) -> None:
    found = ada.get("/api/checkpoints").json["checkpoints"]
    assert {"record"} <= {one["log"] for one in found}


def test_who_is_erased_gets_a_certificate(ada: Somebody, room: str, accounts: ServerThread) -> None:
    root = accounts.with_token("root", "203.0.113.42", is_admin=True)
    answer = root.post(f"/api/users/{ada.user}/erasure", {"reason": "asked for it"})
    assert answer.status == 200, answer.body
    assert answer.json["user"] == ada.user
    assert room in {one["room"] for one in answer.json["redactions"]}
    assert check_certificate(answer.body).user == ada.user
