"""What is done in a room, asked on a real server, as numbers and as a figure."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from domain.errors import Overloaded
from interfaces.http.keys import PLOTS
from tests.interfaces.server_thread import ServerThread, Somebody, eventually


class Talk(NamedTuple):
    """Ada and somebody else have talked in her room."""

    server: ServerThread
    ada: Somebody
    eve: Somebody
    room: str

    def ask(self, query: str = "", **headers: str) -> Any:
        return self.ada.get(f"/api/rooms/{self.room}/statistics{query}", **headers)

    def say(self, message: str, who: Somebody, text: str, reply_to: str | None = None) -> None:
        async def post() -> None:
            await self.server.server.services.messages.post(
                self.room,
                message,
                client=f"{who.user}-1",
                text=text,
                documents={},
                actor=who.user,
                reply_to=reply_to,
            )

        self.server.call(post())


@pytest.fixture(scope="module")
def talk(server: ServerThread) -> Talk:
    ada, eve = server.guest("Ada"), server.guest("<script>alert(1)</script>")
    assert eve.get("/api/me").status == 200
    talk = Talk(server, ada, eve, ada.make_room(**{eve.user: "editor"}))
    talk.say("m1", ada, "Where is the parser?")
    talk.say("m2", eve, "<script> beside the parser", "m1")
    eventually(lambda: talk.ask().json["totals"]["messages"], lambda messages: messages == 2)
    return talk


def test_who_did_how_much_is_told(talk: Talk) -> None:
    told = talk.ask().json
    assert (told["room"], told["user"], told["since"], told["until"]) == (talk.room, None, None, None)
    assert {person["user"]: person["messages"] for person in told["people"]} == {
        talk.ada.user: 1,
        talk.eve.user: 1,
    }
    assert told["words"][0] == {"word": "parser", "uses": 2}
    assert told["response_times"]["responses"] == 1
    assert sum(hour["messages"] for hour in told["hours"]) == 2
    assert len(told["hours"]) == 24


def test_it_is_of_a_span_and_of_a_user(talk: Talk) -> None:
    assert talk.ask(f"?user={talk.eve.user}").json["totals"]["replies"] == 1
    assert talk.ask("?user=nobody").json["totals"]["messages"] == 0
    assert talk.ask("?to=2001-01-01").json["days"] == []
    assert talk.ask("?from=2001-01-01").json["totals"]["messages"] == 2


@pytest.mark.parametrize("offset", ["-840", "0", "330", "+330", "%2B330", "840"])
def test_hours_are_of_the_clock_that_was_asked_for(talk: Talk, offset: str) -> None:
    utc = [hour["messages"] for hour in talk.ask().json["hours"]]
    told = talk.ask(f"?offset={offset}").json
    minutes = int(offset.replace("%2B", "+"))
    assert told["offset_minutes"] == minutes
    assert [hour["messages"] for hour in told["hours"]] == [
        utc[(hour * 60 - minutes + 59) // 60 % 24] for hour in range(24)
    ]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("?from=2026-01-02&to=2026-01-01", 400, "from"),
        ("?from=yesterday", 422, "from"),
        ("?user=a%20b", 422, "user"),
        ("?offset=841", 422, "offset"),
        ("?offset=-841", 422, "offset"),
        ("?offset=--1", 422, "offset"),
        ("?offset=1.5", 422, "offset"),
        ("?offset=", 422, "offset"),
        ("?since=2026-01-01", 422, "since"),
    ],
)
@pytest.mark.parametrize("path", ["", "/plot.svg", "/plot.png"])
def test_what_makes_no_sense_is_refused(talk: Talk, path: str, query: str, status: int, field: str) -> None:
    answer = talk.ask(path + query)
    assert (answer.status, answer.json["code"], answer.json["field"]) == (status, "E_SCHEMA", field)


@pytest.mark.parametrize(
    "end", ["to=0001-01-01", "from=0001-01-01", "from=9999-12-31&to=9999-12-31T23:59:59-12:00"]
)
def test_the_ends_of_time_are_moments_too(talk: Talk, end: str) -> None:
    assert talk.ask(f"?{end}").status == 200


@pytest.mark.parametrize(
    ("kind", "content", "begins"), [("svg", "image/svg+xml", b"<?xml"), ("png", "image/png", b"\x89PNG")]
)
def test_a_figure_is_an_image_that_can_be_kept(talk: Talk, kind: str, content: str, begins: bytes) -> None:
    answer = talk.ask(f"/plot.{kind}")
    assert (answer.status, answer.headers.get_content_type()) == (200, content)
    assert answer.body.startswith(begins)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    again = talk.ask(f"/plot.{kind}", If_None_Match=answer.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert talk.ask(f"/plot.{kind}?offset=60").headers["ETag"] != answer.headers["ETag"]


def test_a_name_in_a_figure_is_text_and_the_page_runs_nothing(talk: Talk) -> None:
    answer = talk.ask("/plot.svg")
    assert b"<script" not in answer.body
    assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in answer.body
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    )


def test_a_figure_changes_with_what_it_shows(talk: Talk) -> None:
    before = talk.ask("/plot.svg").headers["ETag"]
    talk.say("m3", talk.ada, "Thank you")
    eventually(lambda: talk.ask().json["totals"]["messages"], lambda messages: messages == 3)
    assert talk.ask("/plot.svg", If_None_Match=before).status == 200


def test_when_too_many_figures_are_asked_for_one_is_told_to_come_back(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> bytes:
        await asyncio.sleep(0)
        raise Overloaded("too many figures are being drawn", retry_after=2.0)

    monkeypatch.setattr(talk.server.server.app[PLOTS], "plot", refuse)
    answer = talk.ask(f"/plot.svg?user={quote(talk.ada.user)}")
    assert (answer.status, answer.json["code"], answer.headers["Retry-After"]) == (503, "E_BUSY", "2")
