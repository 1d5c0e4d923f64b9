"""Who is and was where, asked on a real server."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from domain.colours import PALETTE
from interfaces.pyclient.client import Client
from interfaces.pyclient.credentials import Credentials
from tests.interfaces.server_thread import ServerThread, Somebody, eventually


class Stay(NamedTuple):
    """Ada was in her room, and has left it."""

    ada: Somebody
    room: str
    during: datetime
    seen: dict[str, Any]
    """How she was seen in it."""

    def ask(self, query: str = "") -> Any:
        return self.ada.get(f"/api/rooms/{self.room}/presence{query}")


@pytest.fixture(scope="module")
def stay(server: ServerThread) -> Stay:
    ada = server.guest("Ada")
    room = ada.make_room()
    path = f"/api/rooms/{room}/presence"

    async def stay() -> tuple[datetime, dict[str, Any]]:
        token = ada.headers["Authorization"].removeprefix("Bearer ")
        async with Client(server.url, room, credentials=Credentials(token=token)) as client:
            document = await client.open("main.md")
            document.insert(0, "Hello")
            await document.saved()

            def here() -> Any:
                # What somebody is called is another table.
                return eventually(
                    lambda: ada.get(path).json["people"],
                    lambda people: people and people[0]["name"] == "Ada",
                )

            [seen] = await asyncio.to_thread(here)
            return datetime.now(UTC), seen

    during, seen = asyncio.run(stay())
    eventually(lambda: ada.get(path).json["people"], lambda people: not people)
    return Stay(ada, room, during, seen)


def test_who_is_here_is_seen_once_with_all_places(stay: Stay) -> None:
    [place] = stay.seen["places"]
    assert place["status"] in {"idle", "editing"}  # which of them, tells the session
    assert (stay.seen["user"], stay.seen["name"], stay.seen["status"]) == (
        stay.ada.user,
        "Ada",
        place["status"],
    )
    assert stay.seen["colour"] in PALETTE


def test_who_was_here_is_seen_at_that_moment(stay: Stay) -> None:
    [person] = stay.ask(f"?at={stay.during.isoformat()}").json["people"]
    assert person["user"] == stay.ada.user
    ends = ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00%2B14:00")
    for at in (*ends, (stay.during - timedelta(days=1)).isoformat()):
        assert stay.ask(f"?at={at}").json == {"people": []}


def test_a_summary_tells_what_everybody_did(stay: Stay) -> None:
    def edits() -> Any:
        return stay.ask("/summary").json

    summary = eventually(edits, lambda found: found["users"] and found["users"][0]["total"]["edits"] == 1)
    [person] = summary["users"]
    assert person["user"] == stay.ada.user
    assert person["total"]["present_seconds"] > 0
    assert sum(day["edits"] for day in person["days"]) == 1
    assert summary["until"] - summary["since"] == timedelta(days=7) / timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("query", "users"),
    [("user=nobody", 0), ("from=2001-01-01&to=2001-01-02", 0), ("to=2001-01-01", 0), ("from=2001-01-01", 1)],
)
def test_a_summary_is_of_a_span_and_of_a_user(stay: Stay, query: str, users: int) -> None:
    assert len(stay.ask(f"/summary?{query}").json["users"]) == users


def test_a_span_of_nothing_is_one(stay: Stay) -> None:
    answer = stay.ask("/summary?from=2026-01-01&to=2026-01-01")
    assert (answer.status, answer.json["users"]) == (200, [])


@pytest.mark.parametrize("query", ["from=2026-01-02&to=2026-01-01", "from=9999-01-01"])
def test_a_span_that_ends_before_it_begins_is_none(stay: Stay, query: str) -> None:
    answer = stay.ask(f"/summary?{query}")
    assert (answer.status, answer.json["code"], answer.json["field"]) == (400, "E_SCHEMA", "from")


@pytest.mark.parametrize(
    "end", ["to=0001-01-01", "from=0001-01-01T00:00:00%2B14:00", "to=9999-12-31T23:59:59-12:00"]
)
def test_the_ends_of_time_are_moments_too(stay: Stay, end: str) -> None:
    assert stay.ask(f"/summary?{end}").status == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?at=yesterday", "at"),
        ("?at=", "at"),
        ("?at=2026-13-01", "at"),
        ("/summary?from=x", "from"),
        ("/summary?since=2026-01-01", "since"),
        ("/summary?user=a%20b", "user"),
        ("/summary?to=2026-01-01&to=2026-01-02", "to"),
    ],
)
def test_a_moment_that_is_none_is_refused(stay: Stay, query: str, field: str) -> None:
    answer = stay.ask(query)
    assert (answer.status, answer.json["code"], answer.json["field"]) == (422, "E_SCHEMA", field)
