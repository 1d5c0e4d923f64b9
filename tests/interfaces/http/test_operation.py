"""What those who run the server ask, on a real one."""

from __future__ import annotations

import psycopg
import pytest

from infrastructure.postgres import standings
from tests.interfaces.server_thread import ServerThread, eventually


def test_the_server_says_that_it_lives_and_is_ready(server: ServerThread) -> None:
    assert server.get("/healthz").json == {"status": "ok"}
    ready = server.get("/readyz")
    assert (ready.status, ready.json["status"]) == (200, "ready")
    assert ready.json["position"] > 0


def test_a_ready_server_says_how_far_its_projections_are(server: ServerThread) -> None:
    ready = eventually(
        lambda: server.get("/readyz").json, lambda ready: ready["projections"]["directory"]["lag"] == 0
    )
    assert ready["projections"]["directory"] == {"position": ready["position"], "lag": 0, "parked": 0}


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
    assert server.guest().get("/api/rooms/demo").json["documents"][0] == "welcome.md"


def test_metrics_are_in_prometheus_format_without_names(server: ServerThread) -> None:
    room = server.guest("Ada").make_room()
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
