"""Questions about a room, asked by its owner on a real server."""

from __future__ import annotations

import csv
import io

import pytest

from infrastructure.postgres import audit
from infrastructure.postgres.audit import questions
from interfaces.http import audits
from projections.questions import read
from tests.interfaces.server_thread import Answer, ServerThread, Somebody
from tests.interfaces.written import write


@pytest.fixture(scope="module")
def owner(server: ServerThread) -> Somebody:
    return server.guest("Olga")


@pytest.fixture(scope="module")
def room(owner: Somebody) -> str:
    """With one edit in it; the owner has another room, which nobody asks about."""
    other = owner.make_room()
    write(owner, other, ["x"])
    room = owner.make_room(mallory="editor")
    write(owner, room, ["x"])
    return room


def ask(who: Somebody, room: str, question: str, query: str = "", **headers: str) -> Answer:
    return who.get(f"/api/rooms/{room}/audit/{question}{query}", **headers)


def test_all_questions_are_listed_with_what_they_ask_for(owner: Somebody, room: str) -> None:
    listed = owner.get(f"/api/rooms/{room}/audit").json["questions"]
    assert [one["question"] for one in listed] == list(questions())
    [hours] = [one for one in listed if one["question"] == "activity_by_hour"]
    assert [variable["name"] for variable in hours["variables"]] == ["from", "to", "zone"]
    assert hours["variables"][2]["otherwise"] == "UTC"


@pytest.mark.parametrize("question", list(questions()))
def test_every_question_is_answered_about_this_room_alone(owner: Somebody, room: str, question: str) -> None:
    answer = ask(owner, room, question)
    assert answer.status == 200, answer.body
    assert {row["room"] for row in answer.json["rows"]} <= {room}
    assert answer.json["columns"][0]["name"] == "room"


def test_an_answer_has_columns_and_rows(owner: Somebody, room: str) -> None:
    answer = ask(owner, room, "who_edited_what").json
    [row] = answer["rows"]
    assert (row["room"], row["document"], row["who"], row["edits"], row["inserted"]) == (
        room,
        "main.md",
        owner.user,
        1,
        1,
    )
    assert isinstance(row["first_edit"], int)
    assert {"name": "first_edit", "type": "timestamptz"} in answer["columns"]
    assert answer["is_cut"] is False


def test_it_comes_as_a_spreadsheet_too(owner: Somebody, room: str) -> None:
    answer = ask(owner, room, "who_edited_what", Accept="text/csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Is-Cut"] == "false"
    [row] = csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig")))
    assert (row["who"], row["edits"]) == (owner.user, "1")
    assert row["first_edit"].endswith("Z")


def test_what_is_too_long_is_cut(owner: Somebody, room: str) -> None:
    whole = ask(owner, room, "membership_changes").json
    cut = ask(owner, room, "membership_changes", "?limit=1").json
    assert (len(cut["rows"]), cut["is_cut"]) == (1, True)
    assert cut["rows"] == whole["rows"][:1]


def test_a_span_of_time_and_a_moment_are_taken(owner: Somebody, room: str) -> None:
    assert ask(owner, room, "who_edited_what", "?to=2020-01-01T00:00:00Z").json["rows"] == []
    assert ask(owner, room, "who_could_read", "?at=2020-01-01T00:00:00Z").json["rows"] == []
    assert len(ask(owner, room, "who_could_read").json["rows"]) == 2


@pytest.mark.parametrize(
    ("question", "query", "status", "code"),
    [
        ("who_is_best", "", 404, "E_NOT_FOUND"),
        ("hot_documents", "?zone=UTC", 422, "E_SCHEMA"),
        ("hot_documents", "?room=demo", 422, "E_SCHEMA"),
        ("hot_documents", "?limit=0", 422, "E_SCHEMA"),
        ("hot_documents", "?limit=10001", 422, "E_SCHEMA"),
        ("hot_documents", "?from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", 400, "E_SCHEMA"),
        ("activity_by_hour", "?zone=Atlantis", 422, "E_TEXT"),
        ("activity_by_hour", "?zone=%00", 422, "E_SCHEMA"),
        ("coediting_hours", "?minutes=1000001", 422, "E_SCHEMA"),
        ("coediting_hours", "?minutes='; DROP TABLE record; --".replace(" ", "%20"), 422, "E_SCHEMA"),
        ("activity_by_hour", "?zone='; DROP TABLE record; --".replace(" ", "%20"), 422, "E_TEXT"),
        ("%2e%2e%2fschema%2f0001_logs", "", 404, "E_NOT_FOUND"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    owner: Somebody, room: str, question: str, query: str, status: int, code: str
) -> None:
    answer = ask(owner, room, question, query)
    assert (answer.status, answer.json["code"]) == (status, code), answer.body


def test_only_an_owner_is_answered(server: ServerThread, owner: Somebody) -> None:
    editor, stranger = server.guest("Ed"), server.guest("Stan")
    room = owner.make_room(**{editor.user: "editor"})
    for path in (f"/api/rooms/{room}/audit", f"/api/rooms/{room}/audit/hot_documents"):
        assert editor.get(path).status == 403
        assert stranger.get(path).status == 404
        assert owner.get(path).status == 200


def test_an_answer_that_takes_too_long_is_given_up(
    owner: Somebody, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = read(
        "slow",
        "-- Slow\n--\n-- Sleeps.\n--\n-- :room  there (nowhere)\n\n"
        "SELECT :'room'::text, pg_sleep(30)::text;\n",
    )
    monkeypatch.setattr(audits, "AUDIT_SECONDS", 0.05)
    monkeypatch.setattr(audit, "questions", lambda: {"slow": slow})
    answer = ask(owner, room, "slow")
    assert (answer.status, answer.json["code"]) == (503, "E_BUSY")
    assert int(answer.headers["Retry-After"]) > 0
