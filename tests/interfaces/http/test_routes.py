"""The resources, asked on a real server."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from application.documents import digest
from domain.document import Edit
from domain.instants import as_datetime
from domain.text_op import Op
from infrastructure.postgres import standings
from tests.interfaces.server_thread import ServerThread

# A projection is a tenth of a second behind.
PATIENCE_SECONDS = 20.0


@pytest.fixture(scope="module")
def room(server: ServerThread) -> str:
    """A room with "main.md", whose text became "x", "xy", "xyz"."""
    server.post("/api/rooms", {"room": "office", "title": "The office", "actor": "Ada"})
    server.post("/api/rooms/office/documents", {"document": "main.md", "actor": "Ada"})
    for seq, text in enumerate("xyz", 1):
        type_in(server, "office", "main.md", seq, [seq - 1, text] if seq > 1 else [text])
    return "office"


def type_in(server: ServerThread, room: str, document: str, seq: int, op: Op) -> None:
    edit = Edit("ada-1", seq, seq - 1, op, digest(seq - 1, op))

    async def submit() -> None:
        await server.server.services.documents.edit(room, document, edit, actor="Ada")

    server.call(submit())


# Rooms.


def test_a_room_is_created_once_and_keeps_its_title(server: ServerThread) -> None:
    made = {"room": "lab", "title": "Lab 😀", "documents": []}
    answer = server.post("/api/rooms", {"room": "lab", "title": "Lab 😀"})
    assert (answer.status, answer.json) == (201, made)
    answer = server.post("/api/rooms", {"room": "lab", "title": "Other"})
    assert (answer.status, answer.json) == (201, made)
    assert server.get("/api/rooms/lab").json == made


def test_a_room_without_a_title_is_called_by_its_id(server: ServerThread) -> None:
    assert server.post("/api/rooms", {"room": "untitled"}).json["title"] == "untitled"


def test_rooms_are_listed_page_by_page_in_the_order_in_which_they_were_opened(server: ServerThread) -> None:
    for name in ("page-c", "page-a", "page-b"):
        server.post("/api/rooms", {"room": name, "actor": "Ada"})
    names: list[str] = []
    after: Any = 0
    while after is not None:
        page = server.get(f"/api/rooms?after={after}&limit=2").json
        assert len(page["rooms"]) <= 2
        names += [entry["room"] for entry in page["rooms"]]
        after = page["next"]
    assert names[0] == "demo"
    assert [name for name in names if name.startswith("page-")] == ["page-c", "page-a", "page-b"]
    assert len(names) == len(set(names))
    everything = server.get("/api/rooms").json
    assert [entry["room"] for entry in everything["rooms"]] == names
    last = everything["rooms"][-1]
    assert (last["actor"], everything["next"]) == ("Ada", None)
    assert abs(as_datetime(last["at"]) - datetime.now(UTC)) < timedelta(minutes=10)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=x", "after=1.5", "after=", "after=٣", "limit=1e3"]
)
def test_a_page_is_asked_for_in_whole_numbers(server: ServerThread, query: str) -> None:
    answer = server.get(f"/api/rooms?{query.replace('٣', '%D9%A3')}")
    assert (answer.status, answer.json["code"]) == (422, "E_SCHEMA")
    assert answer.json["field"] == query.partition("=")[0]


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"", "E_JSON", None),
        (b"{", "E_JSON", None),
        (b"\xff", "E_JSON", None),
        (b"[]", "E_SCHEMA", ""),
        ({}, "E_SCHEMA", "room"),
        ({"room": "a b"}, "E_SCHEMA", "room"),
        ({"room": "a\n"}, "E_SCHEMA", "room"),
        ({"room": 5}, "E_SCHEMA", "room"),
        ({"room": "a", "title": ""}, "E_SCHEMA", "title"),
        ({"room": "a", "title": "x" * 65}, "E_SCHEMA", "title"),
        ({"room": "a", "extra": 1}, "E_SCHEMA", "extra"),
        (b'{"room":"a","title":"\\ud800"}', "E_JSON", None),
    ],
)
def test_a_body_of_another_shape_is_refused(
    server: ServerThread, body: Any, code: str, field: str | None
) -> None:
    answer = server.post("/api/rooms", body)
    assert (answer.status, answer.json["code"], answer.json.get("field")) == (422, code, field)


# Documents.


def test_a_document_is_created_once_and_listed(server: ServerThread, room: str) -> None:
    for _ in range(2):
        answer = server.post(f"/api/rooms/{room}/documents", {"document": "b.md"})
        assert answer.status == 201
        assert (answer.json["room"], answer.json["document"], answer.json["revision"]) == (room, "b.md", 0)
        assert "text" not in answer.json
    assert server.get(f"/api/rooms/{room}").json["documents"] == ["main.md", "b.md"]


def test_the_list_of_documents_says_how_far_they_have_come(server: ServerThread, room: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while (main := server.get(f"/api/rooms/{room}/documents").json["documents"][0])["revision"] < 3:
        assert time.monotonic() < end, main
        time.sleep(0.02)
    assert (main["document"], main["created_by"], main["modified_by"]) == ("main.md", "Ada", "Ada")
    assert main["created"] < main["modified"]


def test_a_document_needs_a_room_and_a_name(server: ServerThread) -> None:
    assert server.post("/api/rooms/none/documents", {"document": "a.md"}).status == 404
    assert server.post("/api/rooms/demo/documents", {"document": "../a"}).status == 422
    assert server.get("/api/rooms/none/documents").status == 404


def read(server: ServerThread, query: str = "", **headers: str) -> Any:
    return server.get(f"/api/rooms/office/documents/main.md{query}", **headers)


def test_a_text_is_read_as_it_is_now(server: ServerThread, room: str) -> None:
    answer = read(server)
    assert (answer.status, answer.json["text"], answer.json["revision"]) == (200, "xyz", 3)
    assert (answer.json["room"], answer.json["document"]) == (room, "main.md")


@pytest.mark.usefixtures("room")
def test_a_text_can_be_had_without_anything_around_it(server: ServerThread) -> None:
    answer = read(server, "?revision=2", Accept="text/plain")
    assert (answer.body, answer.headers["Revision"]) == (b"xy", "2")
    assert answer.headers.get_content_type() == "text/plain"


@pytest.mark.usefixtures("room")
def test_a_text_is_read_at_every_revision(server: ServerThread) -> None:
    for revision, text in enumerate(["", "x", "xy", "xyz"]):
        found = read(server, f"?revision={revision}").json
        assert (found["text"], found["revision"]) == (text, revision)
    assert read(server, "?revision=4").status == 404


@pytest.mark.usefixtures("room")
def test_a_text_is_read_at_every_time(server: ServerThread) -> None:
    modified = [as_datetime(read(server, f"?revision={n}").json["modified"]) for n in range(4)]
    for revision, at in enumerate(modified):
        assert read(server, f"?at={at.isoformat()}").json["revision"] == revision
    before = modified[0] - timedelta(microseconds=1)
    assert read(server, f"?at={before.isoformat()}").status == 404
    shifted = (modified[2] + timedelta(hours=5)).isoformat().replace("+00:00", "%2B05:00")
    assert read(server, f"?at={shifted}").json["revision"] == 2
    without_zone = modified[1].replace(tzinfo=None).isoformat()
    assert read(server, f"?at={without_zone}").json["revision"] == 1


@pytest.mark.usefixtures("room")
@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-12:00", "9999-12-31"])
def test_the_end_of_time_is_now(server: ServerThread, at: str) -> None:
    assert read(server, f"?at={at}").json["revision"] == 3


@pytest.mark.usefixtures("room")
@pytest.mark.parametrize("at", ["0001-01-01T00:00:00%2B14:00", "0001-01-01", "1969-12-31"])
def test_the_beginning_of_time_is_before_everything(server: ServerThread, at: str) -> None:
    assert read(server, f"?at={at}").status == 404


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
def test_a_moment_that_is_none_is_refused(server: ServerThread, query: str, field: str) -> None:
    answer = read(server, query)
    assert (answer.status, answer.json["code"], answer.json["field"]) == (422, "E_SCHEMA", field)


def test_a_document_that_is_not_there_has_no_past(server: ServerThread) -> None:
    for query in ("", "?revision=0", "?at=2026-01-01"):
        assert server.get(f"/api/rooms/demo/documents/none.md{query}").status == 404
        assert server.get(f"/api/rooms/none/documents/main.md{query}").status == 404


# The server itself.


def test_the_server_says_that_it_lives_and_is_ready(server: ServerThread) -> None:
    assert server.get("/healthz").json == {"status": "ok"}
    ready = server.get("/readyz")
    assert (ready.status, ready.json["status"]) == (200, "ready")
    assert ready.json["position"] > 0


def test_a_ready_server_says_how_far_its_projections_are(server: ServerThread, room: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        ready = server.get("/readyz").json
        directory = ready["projections"]["directory"]
        if directory["lag"] == 0:
            break
        assert time.monotonic() < end, ready
    assert directory == {"position": ready["position"], "lag": 0, "parked": 0}


def test_a_server_with_parked_events_is_ready_and_tells(server: ServerThread) -> None:
    def execute(query: str) -> None:
        with psycopg.connect(server.conninfo, autocommit=True) as connection:
            connection.execute(query.encode())

    execute("INSERT INTO parked VALUES ('directory', 1, 's', 1, 't', 'e')")
    try:
        ready = server.get("/readyz")
        assert (ready.status, ready.json["projections"]["directory"]["parked"]) == (200, 1)
    finally:
        execute("DELETE FROM parked")


def test_a_server_that_cannot_tell_of_its_projections_is_ready_all_the_same(
    server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standings, "_STANDINGS", "SELECT * FROM tables_of_another_time")
    ready = server.get("/readyz")
    assert (ready.status, ready.json["projections"]) == (200, None)


def test_a_slow_store_keeps_nobody_waiting_who_asks_for_readiness(
    server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standings, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(standings, "_STANDINGS", "SELECT 'directory', 1::bigint, 0::bigint FROM pg_sleep(1)")
    assert server.get("/readyz").json["projections"] is None
    monkeypatch.setattr(standings, "ANSWER_SECONDS", 20.0)
    monkeypatch.setattr(standings, "_STANDINGS", "a second query would fail")
    assert server.get("/readyz").json["projections"]["directory"]["position"] == 1


def test_a_server_whose_log_stands_still_is_not_ready(
    server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = server.server.node.record.commit
    monkeypatch.setattr(type(commit), "stalled_seconds", 6.0)
    answer = server.get("/readyz")
    assert (answer.status, answer.json["code"]) == (503, "E_STORE")


def test_a_fresh_server_has_a_room_to_try_things_in(server: ServerThread) -> None:
    assert server.get("/api/rooms/demo").json["documents"][0] == "welcome.md"
    home = server.get("/")
    assert (home.status, home.headers.get_content_type()) == (200, "text/html")


def test_metrics_are_in_prometheus_format_without_names(server: ServerThread, room: str) -> None:
    answer = server.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.body.decode()
    for name in (
        'chronoscribe_events_appended_total{log="record"}',
        'chronoscribe_feed_position{log="record"}',
        'chronoscribe_events_waiting{log="presence"}',
        'chronoscribe_projection_active{projection="directory"} 1.0',
        'chronoscribe_projection_lag_events{projection="directory"}',
        'chronoscribe_projection_parked_events{projection="directory"} 0.0',
        "chronoscribe_snapshots_saved_total",
        "chronoscribe_sessions 0.0",
        "chronoscribe_rooms 0.0",
        "process_resident_memory_bytes",
    ):
        assert f"\n{name}" in text, name
    assert room not in text
