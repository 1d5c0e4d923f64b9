"""What went on, asked on a real server."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pytest

from interfaces.pyclient.client import Client
from interfaces.pyclient.credentials import Credentials
from tests.interfaces.server_thread import ServerThread, Somebody, eventually


class Lived(NamedTuple):
    """Ada's room, in which she has made Ben a member, has typed and said something."""

    ada: Somebody
    ben: Somebody
    room: str

    def ask(self, query: str = "", who: Somebody | None = None) -> Any:
        return (who or self.ada).get(f"/api/rooms/{self.room}/activity{query}")

    def kinds(self, query: str = "") -> list[str]:
        return [line["kind"] for line in self.ask(query).json["lines"]]


@pytest.fixture(scope="module")
def lived(server: ServerThread) -> Lived:
    ada, ben = server.guest("Ada"), server.guest("Ben")
    assert ben.get("/api/me").status == 200
    room = ada.make_room(**{ben.user: "viewer"})

    async def live() -> None:
        token = ada.headers["Authorization"].removeprefix("Bearer ")
        async with Client(server.url, room, credentials=Credentials(token=token)) as client:
            document = await client.open("main.md")
            document.insert(0, "Hello")
            await document.saved()
            await client.post("Good\nevening")

    asyncio.run(live())
    lived = Lived(ada, ben, room)
    eventually(lived.kinds, lambda kinds: "left" in kinds and "said" in kinds)
    eventually(lambda: lived.ask("?kind=said").json["lines"][0], lambda line: line["text"])
    return lived


def test_what_went_on_is_told_newest_first(lived: Lived) -> None:
    assert lived.kinds() == ["left", "said", "edited", "joined", "member_added", "listed", "opened"]
    ids = [line["id"] for line in lived.ask().json["lines"]]
    assert ids == sorted(ids, reverse=True)
    assert lived.ask().json["next"] is None


def test_a_line_is_told_in_words(lived: Lived) -> None:
    [edited] = lived.ask("?kind=edited").json["lines"]
    assert edited["line"] == "edited main.md: 1 edit, +5 characters, revision 0 to 1"
    assert (edited["user"], edited["document"]) == (lived.ada.user, "main.md")
    [said] = lived.ask("?kind=said").json["lines"]
    assert (said["line"], said["text"]) == ("said: Good evening", "Good\nevening")
    assert said["message"] is not None
    assert lived.ask("?kind=member_added").json["lines"][0]["line"] == (
        f"made {lived.ben.user} a member, as viewer"
    )


def test_lines_are_chosen(lived: Lived) -> None:
    assert lived.kinds("?kind=edited,said") == lived.kinds("?kind=edited&kind=said") == ["said", "edited"]
    assert lived.kinds("?document=main.md") == ["edited", "listed"]
    assert lived.kinds(f"?user={lived.ben.user}") == []
    assert lived.kinds("?to=2020-01-01") == lived.kinds("?from=2100-01-01") == []
    assert len(lived.kinds("?from=2020-01-01&to=2100-01-01")) == 7


def test_pages_go_back_from_the_end_and_on_from_a_line(lived: Lived) -> None:
    whole = lived.ask().json["lines"]
    first = lived.ask("?limit=3").json
    second = lived.ask(f"?limit=3&before={first['next']}").json
    third = lived.ask(f"?limit=3&before={second['next']}").json
    assert first["lines"] + second["lines"] + third["lines"] == whole
    assert third["next"] is None
    ahead = lived.ask("?limit=4&after=0").json
    rest = lived.ask(f"?limit=4&after={ahead['next']}").json
    assert ahead["lines"] + rest["lines"] == whole[::-1]
    between = lived.ask(f"?before={whole[0]['id']}&after={whole[2]['id']}").json
    assert between["lines"] == [whole[1]]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?kind=cursors", 422),
        ("?kind=", 422),
        ("?limit=201", 422),
        ("?limit=0", 422),
        ("?before=-1", 422),
        ("?after=99999999999999999999", 422),
        ("?user=@server", 422),
        ("?document=..", 422),
        ("?user=a&user=b", 422),
        ("?from=tomorrow", 422),
        ("?from=2026-01-02&to=2026-01-01", 400),
    ],
)
def test_a_query_of_another_shape_is_refused(lived: Lived, query: str, status: int) -> None:
    assert lived.ask(query).status == status


def test_one_is_told_what_one_did_oneself_in_all_rooms(lived: Lived) -> None:
    mine = lived.ada.get("/api/activity").json["lines"]
    assert mine == lived.ask(f"?user={lived.ada.user}").json["lines"]
    page = lived.ada.get(f"/api/activity?user={lived.ada.user}&limit=2").json
    assert page["lines"] == mine[:2]
    assert lived.ada.get(f"/api/activity?limit=2&before={page['next']}").json["lines"] == mine[2:4]


def test_of_others_one_is_told_what_they_did_where_one_may_read(server: ServerThread, lived: Lived) -> None:
    cleo = server.guest("Cleo")
    path = f"/api/activity?user={lived.ada.user}"
    found = cleo.get(path).json
    assert (found["lines"], found["next"]) == ([], None)
    assert lived.ben.get(path).json == lived.ada.get(path).json
    assert lived.ask(who=cleo).status == 404


def test_who_was_removed_a_moment_ago_is_told_nothing(server: ServerThread) -> None:
    ada, ben = server.guest("Ada"), server.guest("Ben")
    assert ben.get("/api/me").status == 200
    room = ada.make_room(**{ben.user: "viewer"})
    path = f"/api/activity?user={ada.user}"
    eventually(lambda: ben.get(path).json["lines"], lambda lines: lines)
    assert ada.delete(f"/api/rooms/{room}/members/{ben.user}").status == 204
    assert ben.get(path).json["lines"] == []
