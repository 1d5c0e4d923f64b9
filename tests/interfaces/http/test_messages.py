"""The chat as it is read over HTTP, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from domain.instants import as_datetime
from interfaces.http.chat_answers import MessageAnswer
from projections.chat import ChatFilter
from tests.interfaces.server_thread import Answer, ServerThread, Somebody, eventually

THUMB = quote("👍")


class Chat(NamedTuple):
    """Ada's room with a commenter (Ben) and a viewer (Vera) in it, and what was said there, oldest first."""

    ada: Somebody
    ben: Somebody
    vera: Somebody
    room: str
    said: Sequence[Any]

    def path(self, rest: str = "messages") -> str:
        return f"/api/rooms/{self.room}/{rest}"

    def get(self, rest: str = "messages", who: Somebody | None = None) -> Any:
        answer = (who or self.ada).get(self.path(rest))
        assert answer.status == 200, answer
        return answer.json

    def say(self, who: Somebody, text: str, **given: Any) -> Any:
        answer = who.post(self.path(), {"text": text, **given})
        assert answer.status == 201, answer
        return answer.json

    def of(self, message: Any, rest: str = "") -> str:
        return f"messages/{message['message']}{rest}"

    def texts(self, query: str = "") -> list[str]:
        return [message["text"] for message in self.get(f"messages{query}")["messages"]]

    def found(self, query: str) -> list[str]:
        found = self.get(f"messages/search?q={quote(query)}")
        return [] if found["is_guess"] else [message["text"] for message in found["found"]]

    def await_tables(self, position: int) -> None:
        """Until the tables know what happened up to there."""
        eventually(
            lambda: self.ada.server.get("/readyz").json["projections"]["chat"]["position"],
            lambda reached: reached >= position,
        )


def make_chat(server: ServerThread, *texts: str) -> Chat:
    """Ada and Ben take turns."""
    ada, ben, vera = (server.guest(name) for name in ("Ada", "Ben", "Vera"))
    room = ada.make_room(**{ben.user: "commenter", vera.user: "viewer"})
    chat = Chat(ada, ben, vera, room, [])
    said = [chat.say((ada, ben)[number % 2], text) for number, text in enumerate(texts)]
    chat = chat._replace(said=said)
    if said:
        chat.await_tables(said[-1]["position"])
    return chat


@pytest.fixture(scope="module")
def chat(server: ServerThread) -> Chat:
    """One that nothing is done to any more."""
    return make_chat(server, "one", "two", "three", "four", "five")


def check_refused(answer: Answer, status: int, code: str) -> Any:
    assert (answer.status, answer.json["code"]) == (status, code), answer
    return answer.json


# Pages.


def test_a_page_is_the_last_messages_as_they_stand(chat: Chat) -> None:
    page = chat.get()
    assert page == {"messages": list(chat.said), "older": None, "newer": None}
    assert chat.get("messages?limit=2") == {
        "messages": list(chat.said[-2:]),
        "older": chat.said[-2]["position"],
        "newer": None,
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 200])
def test_pages_lead_through_the_room_in_both_directions(chat: Chat, limit: int) -> None:
    older: list[Any] = []
    query = ""
    while True:
        page = chat.get(f"messages?limit={limit}{query}")
        older = page["messages"] + older
        assert 0 < len(page["messages"]) <= limit
        if page["older"] is None:
            break
        query = f"&before={page['older']}"
    newer: list[Any] = []
    query = "&after=0"
    while True:
        page = chat.get(f"messages?limit={limit}{query}")
        newer += page["messages"]
        if page["newer"] is None:
            break
        query = f"&after={page['newer']}"
    assert older == newer == list(chat.said)


@pytest.mark.parametrize(
    ("limit", "texts", "has_older", "has_newer"),
    [
        (1, ["three"], True, True),
        (2, ["three", "four"], True, True),
        (3, ["two", "three", "four"], True, True),
        (5, ["one", "two", "three", "four", "five"], False, False),
    ],
)
def test_a_page_around_a_message_has_both_sides(
    chat: Chat, limit: int, texts: list[str], has_older: bool, has_newer: bool
) -> None:
    page = chat.get(f"messages?around={chat.said[2]['message']}&limit={limit}")
    assert [message["text"] for message in page["messages"]] == texts
    assert page["older"] == (page["messages"][0]["position"] if has_older else None)
    assert page["newer"] == (page["messages"][-1]["position"] if has_newer else None)


def test_from_a_page_in_the_middle_there_is_a_way_on(chat: Chat) -> None:
    middle = chat.said[2]["position"]
    page = chat.get(f"messages?before={middle}&limit=1")
    assert chat.get(f"messages?after={page['newer']}&limit=1")["messages"] == [chat.said[2]]
    page = chat.get(f"messages?after={middle}&limit=1")
    assert chat.get(f"messages?before={page['older']}&limit=1")["messages"] == [chat.said[2]]
    assert chat.get("messages?before=0") == {"messages": [], "older": None, "newer": None}


def test_a_page_around_no_message_is_not_found(chat: Chat) -> None:
    check_refused(chat.ada.get(chat.path("messages?around=none")), 404, "E_NOT_FOUND")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("before=1&after=2", "around"),
        ("before=1&around=x", "around"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("before=-1", "before"),
        ("before=x", "before"),
        ("author=a%20b", "author"),
        ("mentions=", "mentions"),
        ("document=..", "document"),
        ("emoji=" + "x" * 17, "emoji"),
        ("emoji=%00", "emoji"),
        ("pinned=yes", "pinned"),
        ("from=yesterday", "from"),
        ("since=2026-01-01", "since"),
        ("author=a&author=b", "author"),
    ],
)
def test_what_cannot_be_asked_is_refused(chat: Chat, query: str, field: str) -> None:
    assert check_refused(chat.ada.get(chat.path(f"messages?{query}")), 422, "E_SCHEMA")["field"] == field


def test_a_time_that_ends_before_it_begins_is_none(chat: Chat) -> None:
    answer = chat.ada.get(chat.path("messages?from=2026-01-02&to=2026-01-01"))
    assert check_refused(answer, 400, "E_SCHEMA")["field"] == "from"


def test_a_page_is_narrowed_by_whatever_is_given(server: ServerThread) -> None:
    chat = make_chat(server, "first", "second")
    link = {"document": "main.md", "revision": 0, "start": 0, "end": 0}
    third = chat.say(chat.ada, f"@{chat.ben.user} third", reply_to=chat.said[0]["message"], link=link)
    for answer in (
        chat.ben.put(chat.path(chat.of(chat.said[0], f"/reactions/{THUMB}")), None),
        chat.ada.put(chat.path(chat.of(chat.said[1], "/pin")), None),
    ):
        assert answer.status == 200, answer
    eventually(lambda: chat.get("pins")["messages"], lambda pins: pins)
    moment = as_datetime(third["posted"]).isoformat().replace("+00:00", "Z")
    for query, texts in {
        f"author={chat.ben.user}": ["second"],
        f"author={chat.ben.user}&pinned=false": [],
        "pinned=true": ["second"],
        "emoji=": ["first"],
        f"emoji={THUMB}": ["first"],
        f"emoji={quote('🎉')}": [],
        f"mentions={chat.ben.user}": [third["text"]],
        "document=main.md": [third["text"]],
        "document=other.md": [],
        f"reply_to={chat.said[0]['message']}": [third["text"]],
        f"from={moment}": [third["text"]],
        f"to={moment}": ["first", "second"],
    }.items():
        assert chat.texts(f"?{query}") == texts, query
    assert [message["text"] for message in chat.get("pins")["messages"]] == ["second"]


def test_pins_are_paged_newest_first(server: ServerThread) -> None:
    chat = make_chat(server, "one", "two", "three")
    for message in chat.said:
        assert chat.ada.put(chat.path(chat.of(message, "/pin")), None).status == 200
    eventually(lambda: chat.get("pins")["messages"], lambda pins: len(pins) == 3)
    first = chat.get("pins?limit=2")
    assert [message["text"] for message in first["messages"]] == ["three", "two"]
    last = chat.get(f"pins?limit=2&before={first['next']}")
    assert ([message["text"] for message in last["messages"]], last["next"]) == (["one"], None)


# One message.


def test_a_message_is_told_at_once_as_the_log_has_it(chat: Chat, server: ServerThread) -> None:
    fresh = make_chat(server)
    said = fresh.say(fresh.ada, "Hello")
    assert fresh.get(fresh.of(said), fresh.vera) == said
    assert chat.get(chat.of(chat.said[0])) == chat.said[0]
    MessageAnswer.model_validate(said)


@pytest.mark.parametrize("message", ["none", "no%20id", "%00"])
@pytest.mark.parametrize("rest", ["", "/history", "/readers"])
def test_no_message_is_not_found(chat: Chat, message: str, rest: str) -> None:
    check_refused(chat.ada.get(chat.path(f"messages/{message}{rest}")), 404, "E_NOT_FOUND")


def test_a_history_has_every_text_and_is_closed_when_the_message_is_deleted(server: ServerThread) -> None:
    chat = make_chat(server)
    said = chat.say(chat.ben, "frist")
    path = chat.path(chat.of(said))
    assert chat.ben.patch(path, {"text": "first"}).status == 200
    told = chat.get(chat.of(said, "/history"), chat.vera)
    assert [(text["text"], text["by"]) for text in told["texts"]] == [
        ("frist", chat.ben.user),
        ("first", chat.ben.user),
    ]
    assert told["texts"][0]["at"] == said["posted"] < told["texts"][1]["at"]
    assert (told["message"], told["deleted"], told["deleted_by"]) == (said["message"], None, None)
    assert chat.ada.delete(path).status == 200
    for who in (chat.ben, chat.ada):  # its author, and the owner
        history = chat.get(chat.of(said, "/history"), who)
        assert history["texts"] == told["texts"]
        assert history["deleted_by"] == chat.ada.user
        assert history["deleted"] > told["texts"][1]["at"]
    check_refused(chat.vera.get(f"{path}/history"), 403, "E_FORBIDDEN")
    assert chat.get(chat.of(said), chat.vera)["text"] == ""


# Who has read what.


def test_readers_pointers_and_what_is_unread(server: ServerThread) -> None:
    chat = make_chat(server, "one", "two", "three")
    positions = [message["position"] for message in chat.said]
    assert chat.get("receipts", chat.vera)["unread"] == 3
    assert chat.get("receipts", chat.ada)["unread"] == 1
    receipt = {"delivered": positions[2], "read": positions[1]}
    assert chat.vera.put(chat.path("receipt"), receipt).status == 200
    known = eventually(lambda: chat.get("receipts", chat.vera), lambda known: known["receipts"])
    assert known == {"receipts": [{"user": chat.vera.user, **receipt}], "unread": 1}
    for message, readers in zip(chat.said, (True, True, False), strict=True):
        assert chat.get(chat.of(message, "/readers")) == {
            "delivered": [chat.vera.user],
            "read": [chat.vera.user] if readers else [],
        }


def test_what_is_unread_is_told_over_all_rooms(server: ServerThread) -> None:
    chat = make_chat(server, "one", "two", "three")
    other = chat.vera.make_room(**{chat.ada.user: "viewer"})
    public = server.guest("Pam").make_room()
    rooms = eventually(lambda: chat.vera.get("/api/unread").json["rooms"], lambda rooms: len(rooms) == 2)
    assert {room["room"]: room["unread"] for room in rooms} == {chat.room: 3, other: 0}
    assert public not in {room["room"] for room in rooms}
    first = chat.vera.get("/api/unread?limit=1").json
    last = chat.vera.get(f"/api/unread?limit=1&after={first['next']}").json
    assert first["rooms"] + last["rooms"] == rooms
    assert chat.vera.put(chat.path("receipt"), {"read": chat.said[0]["position"]}).status == 200
    read = eventually(
        lambda: next(r for r in chat.vera.get("/api/unread").json["rooms"] if r["room"] == chat.room),
        lambda room: room["read"],
    )
    position = chat.said[0]["position"]
    assert read == {"room": chat.room, "delivered": position, "read": position, "unread": 2}


# Over all rooms.


def test_mentions_are_told_over_all_rooms_newest_first(server: ServerThread) -> None:
    chat = make_chat(server, "nothing")
    other = Chat(chat.ada, chat.ben, chat.vera, chat.ada.make_room(**{chat.vera.user: "viewer"}), [])
    said = [where.say(chat.ada, f"@{chat.vera.user} {where.room}") for where in (chat, other, chat)]
    told = eventually(
        lambda: chat.vera.get("/api/mentions").json["messages"], lambda messages: len(messages) == 3
    )
    assert told == [
        {**message, "room": where.room}
        for message, where in zip(reversed(said), (chat, other, chat), strict=True)
    ]
    first = chat.vera.get("/api/mentions?limit=2").json
    last = chat.vera.get(f"/api/mentions?limit=2&before={first['next']}").json
    assert (first["messages"] + last["messages"], last["next"]) == (told, None)
    assert chat.ben.get("/api/mentions").json == {"messages": [], "next": None}


def test_what_somebody_has_said_is_told_from_rooms_that_one_may_read(server: ServerThread) -> None:
    chat = make_chat(server, "for us")
    private = Chat(chat.ada, chat.ben, chat.vera, chat.ada.make_room(), [])
    private.say(chat.ada, "for me")
    everyones = Chat(chat.ada, chat.ben, chat.vera, chat.ada.make_room(), [])
    assert chat.ada.patch(f"/api/rooms/{everyones.room}", {"everyone": "viewer"}).status == 200
    last = everyones.say(chat.ada, "for all")
    chat.await_tables(last["position"])

    def told(who: Somebody) -> list[str]:
        messages = who.get(f"/api/messages?author={chat.ada.user}").json["messages"]
        return [message["text"] for message in messages]

    assert eventually(lambda: told(chat.ada), lambda texts: len(texts) == 3) == [
        "for all",
        "for me",
        "for us",
    ]
    assert told(chat.vera) == ["for all", "for us"]
    assert told(server.guest("Eve")) == ["for all"]
    check_refused(chat.ada.get("/api/messages"), 422, "E_SCHEMA")


def test_who_was_removed_is_told_nothing_however_late_the_tables_are(
    server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = make_chat(server, "secret")
    said = chat.say(chat.ada, f"@{chat.vera.user} secret")
    eventually(lambda: chat.vera.get("/api/mentions").json["messages"], lambda messages: messages)
    view = server.server.node.views.chat
    mentions = server.call(
        view.everywhere(chat.vera.user, ChatFilter(mentions=chat.vera.user), before=None, limit=10)
    )
    unread = server.call(view.unread(chat.vera.user, "", 10))
    assert [message.message for message in mentions] == [said["message"]]

    async def everywhere(*_: Any, **__: Any) -> Any:
        return mentions

    async def still(*_: Any) -> Any:
        return unread

    monkeypatch.setattr(view, "everywhere", everywhere)
    monkeypatch.setattr(view, "unread", still)
    assert len(chat.vera.get("/api/mentions").json["messages"]) == 1
    assert chat.ada.delete(f"/api/rooms/{chat.room}/members/{chat.vera.user}").status == 204
    assert chat.vera.get("/api/mentions").json == {"messages": [], "next": None}
    assert chat.vera.get(f"/api/messages?author={chat.ada.user}").json["messages"] == []
    assert chat.vera.get("/api/unread").json["rooms"] == []


# Search.


def test_what_was_said_is_found_with_what_matches(server: ServerThread) -> None:
    chat = make_chat(server, "A cup of Tea", "No coffee, please", "<b>tea</b>")
    found = chat.get("messages/search?q=TEA")
    assert {one["text"] for one in found["found"]} == {"A cup of Tea", "<b>tea</b>"}
    assert (found["is_guess"], found["next"]) == (False, None)
    [one] = [one for one in found["found"] if one["text"] == "A cup of Tea"]
    assert one["snippet"] == [{"text": "A cup of ", "match": False}, {"text": "Tea", "match": True}]
    del one["snippet"]
    assert one == chat.said[0]
    assert chat.found('"no coffee"') == ["No coffee, please"]
    assert chat.found("coffee tea") == []
    assert chat.get(f"messages/search?q=tea&author={chat.ben.user}")["found"] == []
    guess = chat.get("messages/search?q=coffeee")
    assert (guess["is_guess"], [one["text"] for one in guess["found"]]) == (True, ["No coffee, please"])


def test_what_is_found_is_paged(server: ServerThread) -> None:
    chat = make_chat(server, *(f"tea {'tea ' * number}" for number in range(5)))
    whole = [one["text"] for one in chat.get("messages/search?q=tea")["found"]]
    found: list[str] = []
    after = ""
    while True:
        page = chat.get(f"messages/search?q=tea&limit=2{after}")
        found += [one["text"] for one in page["found"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert found == whole
    assert len(found) == 5


@pytest.mark.parametrize(
    "text", ["(a+)+$", "%_%_%", "'; drop table chat_messages; --", "$$", "\\\\ \\", '"\'"', "<->", "日%本"]
)
def test_hostile_texts_are_said_and_found_literally(server: ServerThread, text: str) -> None:
    chat = make_chat(server, f"what about {text} here", "nothing of the kind")
    assert chat.texts() == [f"what about {text} here", "nothing of the kind"]
    assert chat.found(text) == [f"what about {text} here"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "q"),
        ("q=", "q"),
        ("q=%20", "q"),
        ("q=a%00b", "q"),
        ("q=" + "x" * 257, "q"),
        ("q=a&q=b", "q"),
        ("q=a&after=1", "after"),
        ("q=a&after=nan_1", "after"),
        ("q=a&after=1_x", "after"),
        ("q=a&limit=201", "limit"),
        ("q=a&before=1", "before"),
    ],
)
def test_what_cannot_be_looked_for_is_refused(chat: Chat, query: str, field: str) -> None:
    answer = chat.ada.get(chat.path(f"messages/search?{query}"))
    assert check_refused(answer, 422, "E_SCHEMA")["field"] == field


@pytest.mark.parametrize("query", ["x" * 256, "%F0%9F%98%80" * 256, "%ED%A0%80", "%FF%FE", "e%CC%81", "+"])
def test_odd_characters_are_looked_for_like_others(chat: Chat, query: str) -> None:
    answer = chat.ada.get(chat.path(f"messages/search?q={query}"))
    assert answer.status in {200, 422}
    assert answer.status == 422 or answer.json["found"] == []


def test_a_query_of_a_megabyte_is_refused_before_it_is_read(chat: Chat) -> None:
    answer = chat.ada.get(chat.path(f"messages/search?q={'x' * 1_000_000}"))
    assert answer.status == 400
    assert chat.found("one") == ["one"]


def test_a_search_that_takes_too_long_says_when_to_come_again(chat: Chat) -> None:
    server = chat.ada.server

    async def search_in_vain() -> Answer:
        database = server.server.node.database
        async with await database.connect("test") as connection, connection.transaction():
            await connection.execute("LOCK TABLE chat_messages")
            return await asyncio.to_thread(chat.ada.get, chat.path("messages/search?q=one"))

    answer = server.call(search_in_vain())
    check_refused(answer, 503, "E_BUSY")
    assert answer.headers["Retry-After"] == "1"
    assert chat.found("one") == ["one"]
