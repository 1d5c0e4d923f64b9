"""The report of a room, and its tables as files, from the server."""

from __future__ import annotations

import csv
import http.client
import io
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from domain.errors import Forbidden
from domain.text_op import Op
from interfaces.http import tables
from interfaces.http.tables import TableQuery
from tests.interfaces.server_thread import ServerThread, Somebody
from tests.interfaces.written import write

HOSTILE = "</style><script>alert(1)</script>"


@pytest.fixture(scope="module")
def ada(server: ServerThread) -> Somebody:
    return server.guest("Ada")


@pytest.fixture(scope="module")
def room(ada: Somebody) -> str:
    room = ada.make_room()
    ada.post(f"/api/rooms/{room}/documents", {"document": "main.md"})
    write(ada, room, [HOSTILE], ["=1+1\n"])
    return room


def test_a_report_is_a_page_that_runs_nothing(ada: Somebody, room: str) -> None:
    answer = ada.get(f"/api/rooms/{room}/report?offset=120")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["Content-Disposition"] == f'inline; filename="{room}-report.html"'
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    page = answer.body.decode()
    assert '<dd id="figure-edits">2 ' in page
    assert "UTC+02:00" in page
    assert HOSTILE not in page
    assert "&lt;/style&gt;&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("path", ["report", "export"])
def test_a_span_that_ends_before_it_begins_is_refused(ada: Somebody, room: str, path: str) -> None:
    query = "?from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z"
    answer = ada.get(f"/api/rooms/{room}/{path}{query}")
    assert (answer.status, answer.json["code"], answer.json["field"]) == (400, "E_SCHEMA", "from")


def test_the_log_of_a_room_comes_as_a_file_in_each_format(ada: Somebody, room: str) -> None:
    answer = ada.get(f"/api/rooms/{room}/export")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/jsonl")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{room}-events.jsonl"'
    events = [orjson.loads(line) for line in answer.body.splitlines()]
    assert {event["room"] for event in events} == {room}
    assert [event["state"]["op"] for event in events if event["topic"] == "document.edit_applied"] == [
        [HOSTILE],
        ["=1+1\n"],
    ]
    positions = [event["position"] for event in events]
    table = ada.get(f"/api/rooms/{room}/export?what=events&format=csv").body.decode("utf-8-sig")
    assert [int(row["position"]) for row in csv.DictReader(io.StringIO(table, newline=""))] == positions
    parquet = ada.get(f"/api/rooms/{room}/export?format=parquet").body
    assert pq.read_table(io.BytesIO(parquet)).column("position").to_pylist() == positions


def test_what_can_be_asked_for_is_what_there_is() -> None:
    from infrastructure.postgres.tables import TABLES
    from interfaces.export.formats import FORMATS

    fields = TableQuery.model_json_schema()["properties"]
    assert set(fields["what"]["enum"]) == set(TABLES)
    assert set(fields["format"]["enum"]) == set(FORMATS)


def test_who_is_no_owner_any_more_gets_no_more_of_it(
    ada: Somebody, monkeypatch: pytest.MonkeyPatch, server: ServerThread
) -> None:
    """The right is looked at again while it is sent: here after each piece, and it is gone at once."""
    room = ada.make_room()
    ada.post(f"/api/rooms/{room}/documents", {"document": "main.md"})
    ops: list[Op] = [["x" * 30_000] for _ in range(20)]
    write(ada, room, *ops)
    monkeypatch.setattr(tables, "CHECK_BYTES", 1)
    rooms = server.server.services.rooms
    enter, asked = rooms.enter, list[Any]()

    async def enter_once(*given: Any, **more: Any) -> Any:
        asked.append(given)
        if len(asked) > 1:
            raise Forbidden("you are no owner any more")
        return await enter(*given, **more)

    monkeypatch.setattr(rooms, "enter", enter_once)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        ada.get(f"/api/rooms/{room}/export")
    assert len(asked) == 2
