"""Documents and their past, asked on a real server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from application.documents import digest
from domain.document import Edit
from domain.instants import as_datetime
from domain.text_op import Op
from tests.interfaces.server_thread import Answer, ServerThread, Somebody, eventually


class Office(NamedTuple):
    """Ada's room with "main.md", whose text became "x", "xy", "xyz"."""

    ada: Somebody
    room: str

    def read(self, query: str = "", **headers: str) -> Answer:
        return self.ada.get(f"/api/rooms/{self.room}/documents/main.md{query}", **headers)


@pytest.fixture(scope="module")
def office(server: ServerThread) -> Office:
    ada = server.guest("Ada")
    office = Office(ada, ada.make_room())
    for seq, text in enumerate("xyz", 1):
        type_in(office, seq, [seq - 1, text] if seq > 1 else [text])
    return office


def type_in(office: Office, seq: int, op: Op) -> None:
    edit = Edit("ada-1", seq, seq - 1, op, digest(seq - 1, op))

    async def submit() -> None:
        services = office.ada.server.server.services
        await services.documents.edit(office.room, "main.md", edit, actor=office.ada.user)

    office.ada.server.call(submit())


def test_a_document_is_created_once_and_listed(office: Office) -> None:
    room = office.ada.make_room()
    for _ in range(2):
        answer = office.ada.post(f"/api/rooms/{room}/documents", {"document": "b.md"})
        assert answer.status == 201
        assert (answer.json["room"], answer.json["document"], answer.json["revision"]) == (room, "b.md", 0)
        assert "text" not in answer.json
    assert office.ada.get(f"/api/rooms/{room}").json["documents"] == ["main.md", "b.md"]


def test_a_document_is_taken_off_the_list_and_keeps_its_text(office: Office) -> None:
    path = f"/api/rooms/{office.ada.make_room()}/documents"
    for _ in range(2):
        assert office.ada.delete(f"{path}/main.md").status == 204
    assert office.ada.get(path).json == {"documents": []}
    assert office.ada.get(f"{path}/main.md?revision=0").json["text"] == ""


def test_the_list_of_documents_says_how_far_they_have_come(office: Office) -> None:
    def main() -> Any:
        return office.ada.get(f"/api/rooms/{office.room}/documents").json["documents"][0]

    found = eventually(main, lambda found: found["revision"] == 3)
    ada = office.ada.user
    assert (found["document"], found["created_by"], found["modified_by"]) == ("main.md", ada, ada)
    assert found["created"] < found["modified"]


def test_a_document_needs_a_room_and_a_name(office: Office) -> None:
    assert office.ada.post("/api/rooms/none/documents", {"document": "a.md"}).status == 404
    assert office.ada.post("/api/rooms/demo/documents", {"document": "../a"}).status == 422
    assert office.ada.get("/api/rooms/none/documents").status == 404


def test_a_text_is_read_as_it_is_now(office: Office) -> None:
    answer = office.read()
    assert (answer.status, answer.json["text"], answer.json["revision"]) == (200, "xyz", 3)
    assert (answer.json["room"], answer.json["document"]) == (office.room, "main.md")


def test_a_text_can_be_had_without_anything_around_it(office: Office) -> None:
    answer = office.read("?revision=2", Accept="text/plain")
    assert (answer.body, answer.headers["Revision"]) == (b"xy", "2")
    assert answer.headers.get_content_type() == "text/plain"


def test_a_text_is_read_at_every_revision(office: Office) -> None:
    for revision, text in enumerate(["", "x", "xy", "xyz"]):
        found = office.read(f"?revision={revision}").json
        assert (found["text"], found["revision"]) == (text, revision)
    assert office.read("?revision=4").status == 404


def test_a_text_is_read_at_every_time(office: Office) -> None:
    modified = [as_datetime(office.read(f"?revision={n}").json["modified"]) for n in range(4)]
    for revision, at in enumerate(modified):
        assert office.read(f"?at={at.isoformat()}").json["revision"] == revision
    before = modified[0] - timedelta(microseconds=1)
    assert office.read(f"?at={before.isoformat()}").status == 404
    shifted = (modified[2] + timedelta(hours=5)).isoformat().replace("+00:00", "%2B05:00")
    assert office.read(f"?at={shifted}").json["revision"] == 2
    without_zone = modified[1].replace(tzinfo=None).isoformat()
    assert office.read(f"?at={without_zone}").json["revision"] == 1


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-12:00", "9999-12-31"])
def test_the_end_of_time_is_now(office: Office, at: str) -> None:
    assert office.read(f"?at={at}").json["revision"] == 3


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00%2B14:00", "0001-01-01", "1969-12-31"])
def test_the_beginning_of_time_is_before_everything(office: Office, at: str) -> None:
    assert office.read(f"?at={at}").status == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?revision=-1", "revision"),
        ("?revision=x", "revision"),
        ("?revision=9007199254740992", "revision"),
        ("?at=yesterday", "at"),
        ("?at=", "at"),
        ("?revision=1&at=2026-01-01", "at"),
    ],
)
def test_a_moment_that_is_none_is_refused(office: Office, query: str, field: str) -> None:
    answer = office.read(query)
    assert (answer.status, answer.json["code"], answer.json["field"]) == (422, "E_SCHEMA", field)


def test_a_document_that_is_not_there_has_no_past(office: Office) -> None:
    for query in ("", "?revision=0", "?at=2026-01-01"):
        assert office.ada.get(f"/api/rooms/demo/documents/none.md{query}").status == 404
        assert office.ada.get(f"/api/rooms/none/documents/main.md{query}").status == 404
