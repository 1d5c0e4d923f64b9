"""Rooms, asked on a real server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.instants import as_datetime
from tests.interfaces.server_thread import ServerThread, Somebody, eventually


@pytest.fixture(scope="module")
def ada(server: ServerThread) -> Somebody:
    return server.guest("Ada")


def test_a_room_is_created_once_and_keeps_its_title(ada: Somebody) -> None:
    made: Any = {
        "room": "lab",
        "title": "Lab 😀",
        "role": "owner",
        "everyone": None,
        "sealed": False,
        "documents": [],
    }
    answer = ada.post("/api/rooms", {"room": "lab", "title": "Lab 😀"})
    assert (answer.status, answer.json) == (201, made)
    answer = ada.post("/api/rooms", {"room": "lab", "title": "Other", "everyone": "editor"})
    assert (answer.status, answer.json) == (201, made)
    assert ada.get("/api/rooms/lab").json == made


def test_a_room_without_a_title_is_called_by_its_id(ada: Somebody) -> None:
    assert ada.post("/api/rooms", {"room": "untitled"}).json["title"] == "untitled"


@pytest.mark.parametrize("body", [None, {}])
def test_a_room_without_an_id_is_given_one_that_nobody_guesses(ada: Somebody, body: Any) -> None:
    made = [ada.post("/api/rooms", body).json for _ in range(2)]
    assert made[0]["room"] != made[1]["room"]
    assert all(len(room["room"]) >= 16 and room["title"] == room["room"] for room in made)


def test_an_id_that_is_taken_by_a_room_that_one_may_not_see_shows_nothing_of_it(
    server: ServerThread, ada: Somebody
) -> None:
    room = ada.make_room()
    answer = server.guest("Eve").post("/api/rooms", {"room": room, "title": "Mine"})
    assert (answer.status, answer.json["code"]) == (404, "E_NOT_FOUND")
    assert ada.get(f"/api/rooms/{room}").json["title"] == room


def test_an_id_of_a_closed_room_is_not_given_again(ada: Somebody) -> None:
    room = ada.make_room()
    assert ada.delete(f"/api/rooms/{room}").status == 204
    assert ada.get(f"/api/rooms/{room}").status == 404
    assert ada.post("/api/rooms", {"room": room}).status == 404


def test_a_room_changes_its_title_and_who_may_come_in(server: ServerThread, ada: Somebody) -> None:
    room, eve = ada.make_room(), server.guest("Eve")
    changed = ada.patch(f"/api/rooms/{room}", {"title": "  New  title ", "everyone": "viewer"})
    assert (changed.status, changed.json["title"], changed.json["everyone"]) == (200, "New title", "viewer")
    assert ada.patch(f"/api/rooms/{room}", {}).json == changed.json
    assert eve.get(f"/api/rooms/{room}").json["role"] == "viewer"
    assert ada.patch(f"/api/rooms/{room}", {"everyone": None}).json["everyone"] is None
    assert eve.get(f"/api/rooms/{room}").status == 404


@pytest.mark.parametrize("title", ["{0.__class__}", "%s%n", "${x}", "<b>Bold</b>", "'; DROP TABLE rooms"])
def test_a_title_is_shown_as_it_is(ada: Somebody, title: str) -> None:
    assert ada.post("/api/rooms", {"title": title}).json["title"] == title


@pytest.mark.parametrize("title", ["a\u202eb", "\u200b", "a\nb", "\x00", " ", "x" * 65, "a" + "\u0301" * 9])
def test_a_title_holds_only_what_can_be_seen(ada: Somebody, title: str) -> None:
    answer = ada.post("/api/rooms", {"title": title})
    assert (answer.status, answer.json["code"], answer.json["field"]) == (422, "E_SCHEMA", "title")
    assert ada.patch(f"/api/rooms/{ada.make_room()}", {"title": title}).status == 422


def pages(ada: Somebody, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = ada.get(f"/api/rooms?after={after}&limit={limit}").json
        assert len(page["rooms"]) <= limit
        found += page["rooms"]
        after = page["next"]
    return found


def test_rooms_are_listed_page_by_page_in_the_order_in_which_they_were_opened(server: ServerThread) -> None:
    ada = server.guest("Ada")
    names = [ada.make_room() for _ in range(3)]
    eventually(lambda: pages(ada, 100), lambda known: {room["room"] for room in known} >= set(names))
    found = pages(ada, 1)
    listed = [room["room"] for room in found]
    assert listed[0] == "demo"
    assert listed[-3:] == names
    assert len(listed) == len(set(listed))
    assert pages(ada, 2) == found
    everything = ada.get("/api/rooms?limit=1000").json
    assert (everything["rooms"], everything["next"]) == (found, None)
    last = found[-1]
    assert (last["created_by"], last["everyone"]) == (ada.user, None)
    assert abs(as_datetime(last["created"]) - datetime.now(UTC)) < timedelta(minutes=10)


def test_a_list_of_rooms_holds_those_that_one_can_enter(server: ServerThread, ada: Somebody) -> None:
    bob = server.guest("Bob")
    hidden = ada.make_room()
    joined = ada.make_room(**{bob.user: "viewer"})  # the later one: when it is listed, both are known

    def listed_for_bob() -> set[str]:
        return {room["room"] for room in pages(bob, 100)}

    listed = eventually(listed_for_bob, lambda listed: joined in listed)
    assert hidden not in listed
    assert all(bob.get(f"/api/rooms/{name}").status == 200 for name in listed)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=-1", "limit=x", "after=1.5", "after=", "after=%D9%A3", "limit=1e3"],
)
def test_a_page_is_asked_for_in_whole_numbers(ada: Somebody, query: str) -> None:
    answer = ada.get(f"/api/rooms?{query}")
    assert (answer.status, answer.json["code"]) == (422, "E_SCHEMA")
    assert answer.json["field"] == query.partition("=")[0]


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"{", "E_JSON", None),
        (b"\xff", "E_JSON", None),
        (b"NaN", "E_SCHEMA", ""),
        (b"[" * 100_000, "E_JSON", None),
        (b'{"title":' + b"[" * 5_000, "E_JSON", None),
        (b"[]", "E_SCHEMA", ""),
        (b"null", "E_SCHEMA", ""),
        ({"room": "a b"}, "E_SCHEMA", "room"),
        ({"room": "a\n"}, "E_SCHEMA", "room"),
        ({"room": ""}, "E_SCHEMA", "room"),
        ({"room": 5}, "E_SCHEMA", "room"),
        ({"room": "a", "title": ""}, "E_SCHEMA", "title"),
        ({"room": "a", "title": "x" * 65}, "E_SCHEMA", "title"),
        ({"room": "a", "everyone": "owner"}, "E_SCHEMA", "everyone"),
        ({"room": "a", "everyone": "Viewer"}, "E_SCHEMA", "everyone"),
        ({"room": "a", "extra": 1}, "E_SCHEMA", "extra"),
        ({"room": "a", "user": "ada"}, "E_SCHEMA", "user"),
        ({"room": "a", "author": "ada"}, "E_SCHEMA", "author"),
        ({"room": "a", "actor": "ada"}, "E_SCHEMA", "actor"),
        ({"room": "a", "ts": 0}, "E_SCHEMA", "ts"),
        (b'{"room":"a","title":"\\ud800"}', "E_TEXT", None),
    ],
)
def test_a_body_of_another_shape_is_refused(ada: Somebody, body: Any, code: str, field: str | None) -> None:
    answer = ada.post("/api/rooms", body)
    assert (answer.status, answer.json["code"], answer.json.get("field")) == (422, code, field)
