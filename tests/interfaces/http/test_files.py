"""The chat as a file: out of a room, and into another one, on a real server."""

from __future__ import annotations

import copy
import csv
import http.client
import io
import json
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyexcel_io import get_data

from application.imports import Brought
from domain.instants import as_datetime, as_microseconds
from domain.limits import CHAT_BYTES, EMOJI_PER_MESSAGE
from domain.message import Link
from interfaces.emojis import as_emoji
from interfaces.http import exports
from interfaces.http.exports import COLUMNS
from interfaces.http.imports import IMPORT_BYTES, IMPORT_MESSAGES
from interfaces.http.routes import IMPORTS_AT_ONCE
from interfaces.http.speech import client_of
from tests.domain.strategies import some_text
from tests.interfaces.server_thread import Answer, ServerThread, eventually

EMOJI: Final = ("👍", "👍🏽", "#️⃣", "🇯🇵", "👨‍👩‍👧‍👦")


class Act(NamedTuple):
    """What somebody does in a chat; `on` chooses one of the messages there are."""

    kind: str
    who: int
    on: int
    text: str
    emoji: str


ACTS: Final = st.builds(
    Act,
    st.sampled_from(["post", "post", "reply", "link", "edit", "delete", "react", "react", "unreact", "pin"]),
    st.integers(0, 1),
    st.integers(0, 5),
    some_text().filter(str.strip) | st.sampled_from(["=1+1", "@nobody", 'a,"b"', "'", "\x1b[31m", "-\r\n+"]),
    st.sampled_from(EMOJI),
)


class Room:
    """A room of Ada's, in which Ben writes as well."""

    def __init__(self, server: ServerThread) -> None:
        self.server = server
        self.ada, self.ben = server.guest("Ada"), server.guest("=Ben")
        self.room = self.ada.make_room(**{self.ben.user: "editor"})
        self.messages: list[str] = []
        self.ben.get("/api/me")  # from now on it is known what he is called

    def path(self, rest: str, room: str = "") -> str:
        return f"/api/rooms/{room or self.room}/messages{rest}"

    def play(self, acts: Sequence[Act]) -> None:
        self.server.call(self._play(acts))

    async def _play(self, acts: Sequence[Act]) -> None:
        messages = self.server.server.services.messages
        people = (self.ada, self.ben)
        authors: dict[str, str] = {}
        deleted: set[str] = set()
        for act in acts:
            user = people[act.who].user
            there = [message for message in self.messages if message not in deleted]
            chosen = there[act.on % len(there)] if there else None
            if act.kind in ("post", "reply", "link") or chosen is None:
                message = self.server.server.services.new_id()
                link: Link = {"document": "main.md", "revision": 0, "start": 0, "end": 0}
                await messages.post(
                    self.room,
                    message,
                    client=client_of(user),
                    text=f"{act.text}@{self.ada.user}" if act.text.endswith(" ") else act.text,
                    documents={"main.md": 0} if act.kind == "post" else {},
                    reply_to=chosen if act.kind == "reply" else None,
                    link=link if act.kind == "link" else None,
                    actor=user,
                )
                self.messages.append(message)
                authors[message] = user
                continue
            match act.kind:
                case "edit":
                    await messages.edit(self.room, chosen, act.text, actor=authors[chosen])
                case "delete":
                    await messages.delete(self.room, chosen, actor=self.ada.user)
                    deleted.add(chosen)
                case "pin":
                    await messages.pin(self.room, chosen, is_pinned=bool(act.who), actor=user)
                case _:
                    is_on = act.kind == "react"
                    await messages.react(self.room, chosen, act.emoji, is_on=is_on, actor=user)

    def say(self, *texts: str) -> None:
        self.play([Act("post", 0, 0, text, "") for text in texts])

    def file(self, query: str = "", room: str = "") -> Answer:
        """The export, when the tables have all that there is."""
        position = self.server.call(self.server.server.services.history.position())
        operation = self.server.server.node.standings

        def standing() -> int:
            found = self.server.call(operation.find())
            names = ("chat", "profiles")
            return min(found[name].position if name in found else 0 for name in names) if found else 0

        eventually(standing, lambda reached: reached >= position)
        answer = self.ada.get(self.path(f"/export{query}", room))
        assert answer.status == 200, answer
        return answer

    def exported(self, query: str = "", room: str = "") -> Any:
        return json.loads(self.file(query, room).body)

    def bring(self, file: Any, room: str) -> Answer:
        data = json.dumps(file, ensure_ascii=False).encode()
        return self.ada.post(self.path("/import", room), data)


@pytest.fixture
def room(server: ServerThread) -> Room:
    return Room(server)


@pytest.fixture(scope="module")
def lively(server: ServerThread) -> Room:
    """With everything that can become of a message."""
    room = Room(server)
    room.play(
        [
            Act("post", 0, 0, "one ", ""),
            Act("reply", 1, 0, "=1+1", ""),
            Act("link", 0, 0, 'two\r\nlines, "quoted"', ""),
            Act("post", 1, 0, "gone", ""),
            Act("edit", 0, 0, "uno", ""),
            Act("react", 0, 1, "", "👍🏽"),
            Act("react", 1, 1, "", "👍🏽"),
            Act("react", 1, 2, "", "#️⃣"),
            Act("pin", 1, 2, "", ""),
            Act("react", 1, 3, "", "👍"),
            Act("delete", 0, 3, "", ""),
        ]
    )
    return room


def without_marks(file: Any) -> Any:
    """An export without what an import cannot keep: the place, the client, and whether it was imported."""
    lost = {"position": None, "imported": None, "client": None}
    return [{**message, **lost} for message in file["messages"]]


def check_refused(answer: Answer, status: int, code: str) -> Any:
    assert (answer.status, answer.json["code"]) == (status, code), answer
    return answer.json


# Out.


def test_a_file_holds_every_message_as_it_is_told_everywhere(lively: Room) -> None:
    before = datetime.now(UTC)
    file = lively.exported()
    assert list(file) == ["room", "exported_at", "messages"]
    assert file["room"] == lively.room
    assert abs(as_datetime(file["exported_at"]) - before) < timedelta(minutes=1)
    assert [message["message"] for message in file["messages"]] == lively.messages
    first, second, third, fourth = file["messages"]
    ada, ben = lively.ada.user, lively.ben.user
    assert (first["text"], first["author"], first["edits"], first["documents"]) == (
        "uno",
        ada,
        1,
        {"main.md": 0},
    )
    assert (second["reply_to"], second["reactions"]) == (first["message"], {"👍🏽": [ada, ben]})
    assert [made["user"] for made in second["reacted"]] == [ada, ben]
    assert second["posted"] < second["reacted"][0]["at"] < second["reacted"][1]["at"]
    assert third["text"] == 'two\r\nlines, "quoted"'
    assert third["pinned"] > third["posted"]
    assert (fourth["text"], fourth["deleted"] > fourth["posted"]) == ("", True)
    assert fourth["reactions"] == {"👍": [ben]}
    told = lively.ada.put(lively.path(f"/{third['message']}/pin"), None).json
    assert told == {name: value for name, value in third.items() if name != "reacted"}


@pytest.mark.parametrize(
    ("form", "kind"), [("json", "application/json"), ("csv", "text/csv"), ("txt", "text/plain")]
)
def test_a_file_says_what_it_is(lively: Room, form: str, kind: str) -> None:
    headers = lively.file(f"?format={form}").headers
    assert headers.get_content_type() == kind
    assert headers["Content-Disposition"] == f'attachment; filename="{lively.room}-messages.{form}"'
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert "RateLimit-Remaining" in headers


def test_a_file_is_the_same_whatever_the_pages(lively: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {form: lively.file(f"?format={form}").body for form in ("csv", "txt")}
    messages = lively.exported()["messages"]
    for page in (1, 2, 3, 4):
        monkeypatch.setattr(exports, "PAGE_MESSAGES", page)
        assert lively.exported()["messages"] == messages
        assert lively.file("?format=csv").body == whole["csv"]
        assert lively.file("?format=txt").body.split(b"\n", 1)[1] == whole["txt"].split(b"\n", 1)[1]


def test_a_file_holds_what_was_chosen(lively: Room) -> None:
    messages = lively.messages
    posted = [as_datetime(message["posted"]).isoformat() for message in lively.exported()["messages"]]
    for query, chosen in {
        f"author={lively.ada.user}": [0, 2],
        f"from={quote(posted[1])}&to={quote(posted[3])}": [1, 2],
        f"emoji={quote('👍🏽')}": [1],
        "emoji=": [1, 2, 3],
        "document=main.md": [0, 2, 3],
        f"reply_to={messages[0]}": [1],
        "pinned=true": [2],
        "pinned=false": [0, 1, 3],
        "mentions=nobody": [],
    }.items():
        found = lively.exported(f"?{query}")["messages"]
        assert [message["message"] for message in found] == [messages[n] for n in chosen], query


@pytest.mark.parametrize(
    "query", ["format=xml", "emoji=x", "pinned=1", "author=no%20id", "from=yesterday", "since=2026-01-01"]
)
def test_what_cannot_be_chosen_is_refused(lively: Room, query: str) -> None:
    check_refused(lively.ada.get(lively.path(f"/export?{query}")), 422, "E_SCHEMA")


def test_an_empty_room_is_an_empty_file(room: Room) -> None:
    assert room.exported()["messages"] == []
    assert room.file("?format=csv").body == ("\ufeff" + ",".join(COLUMNS) + "\r\n").encode()


FORMULAS: Final = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", '=HYPERLINK("http://x")', "=\n=", '-,"')
OTHERS: Final = (
    *("1=1", " =1", "'=1", "a\tb", "007", "1.5", "2026-11-23", "TRUE", "é本😀", 'a "b", c'),
    "x\r\ny\rz\n",
)


def test_a_table_holds_no_formula_and_otherwise_what_was_said(room: Room) -> None:
    room.say(*FORMULAS, *OTHERS)
    room.play([Act("post", 1, 0, "by =Ben", "")])
    file = room.file("?format=csv").body.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(file, newline="")))
    assert [row["text"] for row in rows] == [f"'{text}" for text in FORMULAS] + [*OTHERS, "by =Ben"]
    assert [row["message"] for row in rows] == [escaped(message) for message in room.messages]
    assert (rows[0]["name"], rows[-1]["name"]) == ("Ada", "'=Ben")
    assert (rows[0]["author"], rows[0]["edits"], rows[0]["reactions"]) == (room.ada.user, "0", "")
    assert datetime.fromisoformat(rows[0]["posted"]).tzinfo == UTC
    assert all(
        not value.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for value in row.values()
    )


def escaped(value: str) -> str:
    return f"'{value}" if value[0] in "=+-@" else value


def test_a_spreadsheet_reads_the_table_as_it_was_said(room: Room, tmp_path: Any) -> None:
    texts = [*FORMULAS, *(text for text in OTHERS if "\r" not in text)]  # it makes \n of all ends of lines
    texts = [text for text in texts if not text.startswith("\r")]
    room.say(*texts)
    file = tmp_path / "messages.csv"
    file.write_bytes(room.file("?format=csv").body)
    [rows] = get_data(
        str(file),
        encoding="utf-8-sig",
        auto_detect_int=False,
        auto_detect_float=False,
        auto_detect_datetime=False,
    ).values()
    assert tuple(rows[0]) == COLUMNS
    column = COLUMNS.index("text")
    assert [row[column] for row in rows[1:]] == [f"'{text}" if text in FORMULAS else text for text in texts]
    [typed] = get_data(str(file), encoding="utf-8-sig").values()
    assert {type(row[COLUMNS.index("position")]) for row in typed[1:]} == {int}


def test_a_text_shows_who_said_what_and_nothing_can_look_like_a_message(room: Room) -> None:
    room.say("Hello", "two\nlines", "2026-11-23 10:00:00 Ben (ben): me\u2028too\x85", "\x1b[31mred\x9b\a")
    room.play([Act("react", 1, 0, "", "👍"), Act("pin", 1, 0, "", ""), Act("delete", 0, 1, "", "")])
    room.play([Act("reply", 1, 0, "Yes", "")])
    head, _, *lines = room.file("?format=txt").body.decode().split("\n")
    assert head.startswith(f"{room.room}, ")
    assert lines.pop() == ""
    ada, ben = f"Ada ({room.ada.user})", f"=Ben ({room.ben.user})"
    assert [line if line.startswith("    ") else line[20:] for line in lines] == [
        f"{ada}, pinned, 👍 1: Hello",
        f"{ada}: (deleted)",
        f"{ada}: 2026-11-23 10:00:00 Ben (ben): me",
        "    too",
        f"{ada}: ␛[31mred\ufffd␇",
        f"{ben}, in reply to {room.messages[0]}: Yes",
    ]


# There and back.


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(ACTS, min_size=1, max_size=25))
def test_what_was_exported_and_imported_is_exported_as_it_was(server: ServerThread, acts: list[Act]) -> None:
    room = Room(server)
    room.play(acts)
    file = room.exported()
    other = room.ada.make_room()
    assert room.bring(file, other).json == {"added": len(file["messages"]), "known": 0}
    again = room.exported(room=other)
    assert without_marks(again) == without_marks(file)
    assert again["room"] == other
    for message in again["messages"]:
        assert message["imported"].items() >= {"room": room.room, "by": room.ada.user}.items()
    positions = [message["position"] for message in again["messages"]]
    assert positions == sorted(positions)


def test_the_same_file_once_more_adds_nothing(lively: Room) -> None:
    file, other = lively.exported(), lively.ada.make_room()
    assert lively.bring(file, other).json == {"added": 4, "known": 0}
    position = lively.server.call(lively.server.server.services.history.position())
    for where in (other, lively.room):
        assert lively.bring(file, where).json == {"added": 0, "known": 4}
    assert lively.server.call(lively.server.server.services.history.position()) == position


def test_what_has_become_of_a_message_since_stays(room: Room) -> None:
    room.say("one", "two", "three")
    file, other = room.exported(), room.ada.make_room()
    assert room.bring({**file, "messages": file["messages"][:2]}, other).status == 200
    for where in (other, room.room):
        room.ada.patch(room.path(f"/{room.messages[0]}", where), {"text": "uno"})
        room.ada.delete(room.path(f"/{room.messages[1]}", where))
    assert room.bring(file, other).json == {"added": 1, "known": 2}
    assert room.bring(file, room.room).json == {"added": 0, "known": 3}
    texts = [message["text"] for message in room.exported(room=other)["messages"]]
    assert texts == ["uno", "", "three"]
    assert room.bring(room.exported(), other).status == 200


def test_a_big_file_comes_in_its_order(server: ServerThread) -> None:
    room, count = Room(server), 1_200
    file = a_file(count)
    started = time.monotonic()
    assert room.bring(file, room.room).json == {"added": count, "known": 0}
    print(f"{count} messages in {time.monotonic() - started:.2f} s")
    texts = [message["text"] for message in room.exported()["messages"]]
    assert texts == [f"message {n}" for n in range(count)]


def a_file(count: int = 3) -> Any:
    """What a room with plain messages would give, each an answer to the one before it."""
    now = as_microseconds(datetime.now(UTC))
    messages: list[dict[str, Any]] = [
        {
            "message": f"m{n}",
            "author": "zoe",
            "posted": now - count + n,
            "client": "zoe-1",
            "text": f"message {n}",
            "documents": {"a.md": 7},
            "reply_to": f"m{n - 1}" if n else None,
            "mentions": [],
            "link": {"document": "a.md", "revision": 7, "start": 0, "end": 1},
            "edits": 0,
            "edited": None,
            "deleted": None,
            "pinned": None,
            "reactions": {},
            "imported": None,
            "position": 5 * n,
            "reacted": [],
        }
        for n in range(count)
    ]
    return {"room": "old", "exported_at": now, "messages": messages}


FAR: Final = as_microseconds(datetime.now(UTC) + timedelta(days=30))
REACTED: Final = {"emoji": "👍", "user": "ben", "at": 1}


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"more": 1}, "E_SCHEMA", "more"),
        ({"message": "no id"}, "E_SCHEMA", "message"),
        ({"message": "m0"}, "E_SCHEMA", "message"),
        ({"author": ""}, "E_SCHEMA", "author"),
        ({"posted": -1}, "E_SCHEMA", "posted"),
        ({"posted": 1.5}, "E_SCHEMA", "posted"),
        ({"posted": str(1)}, "E_SCHEMA", "posted"),
        ({"posted": FAR}, "E_SCHEMA", "posted"),
        ({"edits": 1, "edited": FAR}, "E_SCHEMA", "edited"),
        ({"deleted": FAR, "text": ""}, "E_SCHEMA", "deleted"),
        ({"pinned": FAR}, "E_SCHEMA", "pinned"),
        ({"reacted": [{**REACTED, "at": FAR}], "reactions": {"👍": ["ben"]}}, "E_SCHEMA", "reacted"),
        ({"text": ""}, "E_TEXT", None),
        ({"text": "a\0"}, "E_TEXT", None),
        ({"text": "x" * (CHAT_BYTES + 1)}, "E_OP_SIZE", None),
        ({"text": 1}, "E_SCHEMA", "text"),
        ({"documents": {"../a": 1}}, "E_SCHEMA", "documents.../a.[key]"),
        ({"documents": {f"d{n}": 1 for n in range(129)}}, "E_SCHEMA", "documents"),
        ({"reply_to": "m1"}, "E_SCHEMA", "reply_to"),
        ({"reply_to": "m2"}, "E_SCHEMA", "reply_to"),
        ({"reply_to": "nothing"}, "E_SCHEMA", "reply_to"),
        ({"mentions": ["no id"]}, "E_SCHEMA", "mentions.0"),
        ({"mentions": [f"u{n}" for n in range(51)]}, "E_SCHEMA", "mentions"),
        ({"link": {"document": "a.md", "revision": 0, "start": 2, "end": 1}}, "E_SCHEMA", "link"),
        ({"link": {"document": "a.md"}}, "E_SCHEMA", "link.revision"),
        ({"edits": 1}, "E_SCHEMA", "edited"),
        ({"edited": 1}, "E_SCHEMA", "edited"),
        ({"edits": 201, "edited": 1}, "E_SCHEMA", "edits"),
        ({"deleted": 1}, "E_SCHEMA", "deleted"),
        ({"deleted": 1, "text": "", "pinned": 1}, "E_SCHEMA", "deleted"),
        ({"reactions": {"👍": ["ben"]}}, "E_SCHEMA", "reactions"),
        ({"reacted": [REACTED]}, "E_SCHEMA", "reactions"),
        ({"reacted": [{**REACTED, "emoji": "x"}], "reactions": {"x": ["ben"]}}, "E_SCHEMA", "reacted"),
        ({"reacted": [{**REACTED, "emoji": "#⃣"}], "reactions": {"#⃣": ["ben"]}}, "E_SCHEMA", "reacted"),
        ({"reacted": [REACTED] * 2, "reactions": {"👍": ["ben", "ben"]}}, "E_SCHEMA", "reacted"),
        ({"reacted": [{**REACTED, "by": 1}], "reactions": {"👍": ["ben"]}}, "E_SCHEMA", "reacted.0.by"),
        ({"imported": {"room": "x"}}, "E_SCHEMA", "imported.by"),
    ],
)
def test_a_file_with_one_bad_message_is_refused_as_a_whole(
    lively: Room, change: Any, code: str, field: str | None
) -> None:
    file = a_file()
    file["messages"][1] |= change
    position = lively.server.call(lively.server.server.services.history.position())
    refused = check_refused(lively.bring(file, lively.room), 422, code)
    assert (refused["index"], refused.get("field")) == (1, field)
    assert lively.server.call(lively.server.server.services.history.position()) == position


def test_too_many_different_reactions_are_refused(lively: Room) -> None:
    file = a_file()
    flags = [f"{chr(0x1F1E6 + a)}{chr(0x1F1E6 + b)}" for a in range(26) for b in range(26)]
    emoji = [flag for flag in flags if as_emoji(flag)][: EMOJI_PER_MESSAGE + 1]
    file["messages"][0] |= {
        "reacted": [{**REACTED, "emoji": flag} for flag in emoji],
        "reactions": {flag: ["ben"] for flag in emoji},
    }
    assert check_refused(lively.bring(file, lively.room), 422, "E_LIMIT")["index"] == 0


@pytest.mark.parametrize("key", list(a_file()["messages"][0]))
def test_a_file_in_which_something_is_missing_is_refused(lively: Room, key: str) -> None:
    file = a_file()
    del file["messages"][2][key]
    refused = check_refused(lively.bring(file, lively.room), 422, "E_SCHEMA")
    assert (refused["index"], refused["field"]) == (2, key)


@pytest.mark.parametrize(
    "change",
    [
        {"text": "another"},
        {"author": "eve"},
        {"posted": 1},
        {"reply_to": None},
        {"link": None},
        {"deleted": 1, "text": ""},
    ],
)
def test_another_message_under_a_known_id_is_refused_with_all_of_the_file(room: Room, change: Any) -> None:
    file = a_file()
    assert room.bring(file, room.room).status == 200
    changed = copy.deepcopy(file)
    changed["messages"][1] |= change
    changed["messages"].insert(0, {**a_file(1)["messages"][0], "message": "new"})
    assert check_refused(room.bring(changed, room.room), 409, "E_ID_REUSED")["index"] == 2
    assert len(room.exported()["messages"]) == 3


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "E_SCHEMA"),
        (b"[]", "E_SCHEMA"),
        (b"PK\x03\x04", "E_JSON"),
        (b"\x1f\x8b", "E_JSON"),
        (b'{"room":"old","exported_at":0,"messages":[', "E_JSON"),
        (b'{"room":"old","exported_at":0,"messages":[1]}', "E_SCHEMA"),
        (b'{"room":"old","exported_at":0,"messages":[],"more":1}', "E_SCHEMA"),
        (b'{"room":"../old","exported_at":0,"messages":[]}', "E_SCHEMA"),
        (b'{"room":"old","exported_at":0,"messages":' + b"[" * 100_000, "E_JSON"),
        (json.dumps({**a_file(0), "messages": [{}] * (IMPORT_MESSAGES + 1)}).encode(), "E_SCHEMA"),
    ],
)
def test_what_is_no_export_is_refused(lively: Room, data: bytes, code: str) -> None:
    check_refused(lively.ada.post(lively.path("/import"), data), 422, code)


def test_a_file_that_is_too_large_is_refused(lively: Room) -> None:
    answer = lively.ada.post(lively.path("/import"), b" " * (IMPORT_BYTES + 1))
    check_refused(answer, 413, "E_HTTP")
    assert lively.ada.post(lively.path("/import"), b" " * (IMPORT_BYTES - 1)).status == 422
    assert lively.ada.post(lively.path(""), b" " * 1024 * 1024 + b" ").status == 413


def test_the_link_of_an_imported_message_leads_nowhere_here(room: Room) -> None:
    assert room.bring(a_file(1), room.room).status == 200
    assert room.ada.get(room.path("/m0/link")).status == 404


# Long ones.


@pytest.fixture(scope="module")
def long(server: ServerThread) -> Room:
    """24 MB of chat."""
    room, count = Room(server), 3_000
    brought = [
        Brought(f"m{n}", "zoe", n, f"{n} ".ljust(8_000, "x"), {}, None, [], None, 0, None, None, None, [])
        for n in range(count)
    ]
    services = server.server.services
    assert server.call(services.imports.bring(room.room, "old", brought, actor=room.ada.user)) == count
    # A file holds what the table has by then.
    eventually(
        lambda: room.ada.get(room.path("?limit=1")).json["messages"],
        lambda last: last and last[-1]["text"].startswith(f"{count - 1} "),
    )
    return room


@pytest.fixture
def pages(long: Room, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When pages are read."""
    read: list[float] = []
    chat = long.server.server.node.views.chat
    plain = chat.page

    async def page(*arguments: Any, **named: Any) -> Any:
        read.append(time.monotonic())
        return await plain(*arguments, **named)

    monkeypatch.setattr(chat, "page", page)
    return read


def ask_for_the_file(room: Room) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    address = urlsplit(room.server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    connection.request("GET", room.path("/export"), headers=room.ada.headers)
    return connection, connection.getresponse()


def test_a_long_file_is_sent_as_fast_as_it_is_read_and_no_further(
    long: Room, pages: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "interfaces.http.exports")
    assert len(long.exported()["messages"]) == 3_000
    assert len(pages) == 16
    pages.clear()
    connection, response = ask_for_the_file(long)
    assert response.status == 200
    eventually(lambda: pages, lambda read: read and time.monotonic() - read[-1] > 1)
    assert len(pages) < 12  # the others wait for somebody who reads
    response.close()
    connection.close()
    eventually(lambda: caplog.text, lambda text: "broken off" in text)
    assert len(pages) < 13
    assert long.ada.get("/api/me").status == 200


def test_who_reads_no_further_is_left(
    long: Room, pages: list[float], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "interfaces.http.exports")
    monkeypatch.setattr(exports, "WRITE_SECONDS", 0.3)
    connection, response = ask_for_the_file(long)
    eventually(lambda: caplog.text, lambda text: "broken off: TimeoutError" in text)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        response.read()
    connection.close()


def test_who_may_no_longer_read_gets_no_further_page(
    long: Room, pages: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = long.server
    services = server.server.services
    assert long.ada.put(f"/api/rooms/{long.room}/members/{long.ben.user}", {"role": "viewer"}).status == 200
    chat = server.server.node.views.chat
    counted = chat.page

    async def page(*arguments: Any, **named: Any) -> Any:
        if len(pages) == 2:
            await services.members.remove(long.room, long.ben.user, actor=long.ada.user)
        return await counted(*arguments, **named)

    monkeypatch.setattr(chat, "page", page)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        long.ben.get(long.path("/export"))
    assert len(pages) == 3


def test_only_so_many_are_brought_at_once_and_the_next_is_told_to_wait(lively: Room) -> None:
    whole = lively.file().body
    path = lively.path("/import", lively.ada.make_room())
    slow = [_begin_import(lively, path, whole) for _ in range(IMPORTS_AT_ONCE)]
    refused = eventually(lambda: lively.ada.post(path, whole), lambda answer: answer.status != 200)
    check_refused(refused, 503, "E_BUSY")
    assert refused.headers["Retry-After"] == "2"
    for connection in slow:
        connection.send(whole[1:])
        assert connection.getresponse().status == 200
        connection.close()
    assert lively.ada.post(path, whole).status == 200


def _begin_import(room: Room, path: str, whole: bytes) -> http.client.HTTPConnection:
    """An import of which the first byte has been sent."""
    connection = http.client.HTTPConnection(urlsplit(room.server.server.url).netloc)
    connection.putrequest("POST", path)
    for name, value in room.ada.headers.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(whole)))
    connection.endheaders(whole[:1])
    return connection
