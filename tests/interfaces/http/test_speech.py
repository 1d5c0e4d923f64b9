"""What is said, saved and run over HTTP, on a real server."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from urllib.parse import quote

import pytest

from application.documents import digest
from application.log import Recorded
from domain.document import Edit
from domain.limits import CHAT_BYTES
from domain.receipts import ReceiptsRecorded
from domain.text_op import Op
from interfaces.http.speech import client_of
from tests.interfaces.server_thread import Answer, ServerThread, Somebody

LINK: Final = {"document": "main.md", "revision": 0, "start": 0, "end": 0}


class Chat(NamedTuple):
    """Ada's room with a commenter (Ben), an editor (Cleo) and a viewer (Vera) in it."""

    ada: Somebody
    ben: Somebody
    cleo: Somebody
    vera: Somebody
    room: str

    def path(self, rest: str) -> str:
        return f"/api/rooms/{self.room}/{rest}"

    def say(self, who: Somebody, text: str = "Hello", **given: Any) -> Any:
        answer = who.post(self.path("messages"), {"text": text, **given})
        assert answer.status == 201, answer
        return answer.json

    def of(self, message: Any, rest: str = "") -> str:
        return self.path(f"messages/{message['message']}{rest}")

    def log(self, message: Any) -> list[Recorded]:
        server = self.ada.server
        return list(server.call(server.server.services.messages.recorded(self.room, message["message"])))


@pytest.fixture(scope="module")
def chat(server: ServerThread) -> Chat:
    ada, ben, cleo, vera = (server.guest(name) for name in ("Ada", "Ben", "Cleo", "Vera"))
    room = ada.make_room(**{ben.user: "commenter", cleo.user: "editor", vera.user: "viewer"})
    return Chat(ada, ben, cleo, vera, room)


def check_refused(answer: Answer, status: int, code: str) -> Any:
    assert (answer.status, answer.json["code"]) == (status, code), answer
    return answer.json


# Saying.


def test_what_was_said_is_told_with_its_place_in_the_log(chat: Chat) -> None:
    text = f"Look here, @{chat.ada.user} and @nobody 👍🏽"
    first = chat.say(chat.ada)
    said = chat.say(chat.ben, text, reply_to=first["message"], link=LINK)
    [recorded] = chat.log(said)
    assert said == {
        "message": said["message"],
        "author": chat.ben.user,
        "posted": said["posted"],
        "client": client_of(chat.ben.user),
        "text": text,
        "documents": {},
        "reply_to": first["message"],
        "mentions": [chat.ada.user],
        "link": LINK,
        "edits": 0,
        "edited": None,
        "deleted": None,
        "pinned": None,
        "reactions": {},
        "imported": None,
        "position": recorded.position,
    }
    assert first["position"] < said["position"]


def test_the_same_once_more_finds_itself_as_it_stands_now(chat: Chat) -> None:
    message = chat.ada.server.server.services.new_id()
    said = chat.say(chat.ben, "Once", message=message)
    assert chat.ben.patch(chat.of(said), {"text": "Otherwise"}).status == 200
    again = chat.say(chat.ben, "Once", message=message)
    assert (again["text"], again["position"], again["edits"]) == ("Otherwise", said["position"], 1)
    assert len(chat.log(said)) == 2
    for who, text in ((chat.ben, "Twice"), (chat.cleo, "Once")):
        body = {"text": text, "message": message}
        check_refused(who.post(chat.path("messages"), body), 409, "E_ID_REUSED")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "E_SCHEMA"),
        ({"text": 1}, "E_SCHEMA"),
        ({"text": "x", "message": "no id"}, "E_SCHEMA"),
        ({"text": "x", "author": "ada"}, "E_SCHEMA"),
        ({"text": "x", "documents": {}}, "E_SCHEMA"),
        ({"text": "x", "link": {"document": "main.md", "revision": 0, "start": 0}}, "E_SCHEMA"),
        ({"text": " \n"}, "E_TEXT"),
        ({"text": "a\0b"}, "E_TEXT"),
        (b'{"text": "\\ud800"}', "E_TEXT"),
        (b'{"text": "x', "E_JSON"),
        ({"text": "x" * (CHAT_BYTES + 1)}, "E_OP_SIZE"),
        ({"text": "x" * 100 * 1024}, "E_OP_SIZE"),
        ({"text": "é" * CHAT_BYTES}, "E_OP_SIZE"),
        ({"text": "x", "link": {**LINK, "end": 1}}, "E_OP_INVALID"),
        ({"text": "x", "link": {**LINK, "start": 1}}, "E_OP_INVALID"),
        (
            {"text": "x", "link": {"document": "main.md", "revision": 9, "start": 0, "end": 0}},
            "E_VERSION_AHEAD",
        ),
    ],
)
def test_what_cannot_be_said_is_refused(chat: Chat, body: Any, code: str) -> None:
    check_refused(chat.ben.post(chat.path("messages"), body), 422, code)


@pytest.mark.parametrize(
    "body",
    [
        {"text": "x", "reply_to": "nothing"},
        {"text": "x", "link": {**LINK, "document": "none.md"}},
    ],
)
def test_what_refers_to_nothing_is_refused(chat: Chat, body: Any) -> None:
    check_refused(chat.ben.post(chat.path("messages"), body), 404, "E_NOT_FOUND")


def test_the_longest_message_is_taken(chat: Chat) -> None:
    assert len(chat.say(chat.ben, "x" * CHAT_BYTES)["text"]) == CHAT_BYTES


# What becomes of it.


def test_a_message_is_edited_by_its_author_only(chat: Chat) -> None:
    said = chat.say(chat.ben)
    for other in (chat.ada, chat.cleo):
        check_refused(other.patch(chat.of(said), {"text": "Mine"}), 403, "E_FORBIDDEN")
    assert len(chat.log(said)) == 1
    edited = chat.ben.patch(chat.of(said), {"text": f"@{chat.cleo.user}, hello"}).json
    assert (edited["text"], edited["mentions"], edited["edits"]) == (
        f"@{chat.cleo.user}, hello",
        [chat.cleo.user],
        1,
    )
    assert edited["edited"] > said["posted"]
    check_refused(chat.ben.patch(chat.of(said), {"text": "x" * 100 * 1024}), 422, "E_OP_SIZE")


def test_a_message_is_deleted_by_its_author_and_by_owners(chat: Chat) -> None:
    for who in (chat.ben, chat.ada):
        said = chat.say(chat.ben, "Hello @" + chat.ada.user)
        check_refused(chat.cleo.delete(chat.of(said)), 403, "E_FORBIDDEN")
        for _ in range(2):
            gone = who.delete(chat.of(said)).json
            assert (gone["text"], gone["mentions"], gone["deleted"] > said["posted"]) == ("", [], True)
        assert len(chat.log(said)) == 2
        check_refused(chat.ben.patch(chat.of(said), {"text": "x"}), 404, "E_NOT_FOUND")
        check_refused(chat.ben.put(chat.of(said, f"/reactions/{quote('👍')}"), None), 404, "E_NOT_FOUND")
        check_refused(chat.ada.put(chat.of(said, "/pin"), None), 404, "E_NOT_FOUND")


def test_reactions_are_everybodys_own(chat: Chat) -> None:
    said = chat.say(chat.ben)

    def reactions(who: Somebody, method: str, emoji: str) -> Any:
        answer = who.ask(method, chat.of(said, f"/reactions/{quote(emoji, safe='')}"))
        assert answer.status == 200, answer
        return answer.json["reactions"]

    ben, cleo = chat.ben.user, chat.cleo.user
    for _ in range(2):
        assert reactions(chat.ben, "PUT", "👍🏽") == {"👍🏽": [ben]}
    assert reactions(chat.cleo, "PUT", "👍🏽") == {"👍🏽": [ben, cleo]}
    assert reactions(chat.cleo, "PUT", "#⃣") == {"👍🏽": [ben, cleo], "#️⃣": [cleo]}
    for _ in range(2):
        assert reactions(chat.ben, "DELETE", "👍🏽") == {"👍🏽": [cleo], "#️⃣": [cleo]}
    assert len(chat.log(said)) == 5


@pytest.mark.parametrize("emoji", ["x", "👍👍", "🏽", "%F0%9F", "a%2Fb", "%00", "👍" * 100])
def test_what_is_not_one_emoji_is_no_reaction(chat: Chat, emoji: str) -> None:
    said = chat.say(chat.ben)
    answer = chat.ben.put(chat.of(said, f"/reactions/{quote(emoji, safe='%')}"), None)
    assert check_refused(answer, 422, "E_SCHEMA")["field"] == "emoji"


def test_editors_pin(chat: Chat) -> None:
    said = chat.say(chat.ben)
    check_refused(chat.ben.put(chat.of(said, "/pin"), None), 403, "E_FORBIDDEN")
    pinned = [chat.cleo.put(chat.of(said, "/pin"), None).json["pinned"] for _ in range(2)]
    assert pinned[0] == pinned[1] > said["posted"]
    assert chat.cleo.delete(chat.of(said, "/pin")).json["pinned"] is None


@pytest.mark.parametrize("message", ["none", "no%20id", "..%2F..", "x" * 65])
def test_a_message_that_is_not_there_is_not_found(chat: Chat, message: str) -> None:
    path = chat.path(f"messages/{message}")
    for answer in (
        chat.ben.patch(path, {"text": "x"}),
        chat.ben.delete(path),
        chat.ben.put(f"{path}/reactions/{quote('👍')}", None),
        chat.cleo.put(f"{path}/pin", None),
        chat.ben.get(f"{path}/link"),
    ):
        check_refused(answer, 404, "E_NOT_FOUND")


# Receipts.


def test_a_receipt_goes_forward_only_and_not_beyond_the_log(chat: Chat) -> None:
    first, second = chat.say(chat.ben)["position"], chat.say(chat.ben)["position"]

    def put(**told: int) -> tuple[int, int]:
        answer = chat.vera.put(chat.path("receipt"), told)
        assert answer.status == 200, answer
        return answer.json["delivered"], answer.json["read"]

    assert put(delivered=first) == (first, 0)
    assert put(read=second) == (second, second)
    position = position_of(chat)
    assert put(read=first) == put(delivered=first) == put() == (second, second)
    assert position_of(chat) == position
    for field in ("delivered", "read"):
        refused = chat.vera.put(chat.path("receipt"), {field: position + 1})
        assert check_refused(refused, 422, "E_SCHEMA")["field"] == field
        check_refused(chat.vera.put(chat.path("receipt"), {field: -1}), 422, "E_SCHEMA")


def position_of(chat: Chat) -> int:
    server = chat.ada.server
    return server.call(server.server.services.history.position())


def test_a_receipt_is_in_the_log_when_it_is_answered(chat: Chat) -> None:
    position = chat.say(chat.ben)["position"]
    assert chat.cleo.put(chat.path("receipt"), {"read": position}).status == 200
    server = chat.ada.server
    [recorded] = server.call(server.server.node.history.room_events(chat.room, position, limit=10))
    assert isinstance(recorded.event, ReceiptsRecorded)
    assert [receipt[:3] for receipt in recorded.event.receipts] == [[chat.cleo.user, position, position]]


# Links.


def type_in(chat: Chat, *ops: Op) -> None:
    async def submit() -> None:
        documents = chat.ada.server.server.services.documents
        for op in ops:
            document = await documents.get(chat.room, "main.md")
            base = document.revision
            seq = document.clients["ada-1"].seq + 1 if "ada-1" in document.clients else 1
            edit = Edit("ada-1", seq, base, op, digest(base, op))
            await documents.edit(chat.room, "main.md", edit, actor=chat.ada.user)

    chat.ada.server.call(submit())


def test_a_link_follows_the_text(server: ServerThread) -> None:
    ada = server.guest("Ada")
    chat = Chat(ada, ada, ada, ada, ada.make_room())
    type_in(chat, ["one two three"])
    link = {"document": "main.md", "revision": 1, "start": 4, "end": 7}
    said = chat.say(ada, "Here", link=link)

    def passage() -> Any:
        return ada.get(chat.of(said, "/link")).json

    assert passage() == {**link, "is_gone": False, "text": "two"}
    type_in(chat, ["zero "], [9, "(", 3, ")"], [11, "X"])
    assert passage() == {**link, "revision": 4, "start": 10, "end": 14, "is_gone": False, "text": "tXwo"}
    type_in(chat, [5, {"d": 10}])
    assert passage() == {**link, "revision": 5, "start": 5, "end": 5, "is_gone": True, "text": ""}
    assert ada.get(chat.of(chat.say(ada), "/link")).status == 404
    assert ada.delete(chat.of(said)).status == 200
    assert ada.get(chat.of(said, "/link")).status == 404


# Saving.


def test_revisions_are_saved_and_named(server: ServerThread) -> None:
    ada = server.guest("Ada")
    chat = Chat(ada, ada, ada, ada, ada.make_room())
    path = chat.path("documents/main.md/saves")
    assert ada.get(path).json == {"saves": [], "names": {}, "next": None}
    type_in(chat, ["x"], ["y"])
    for _ in range(2):
        assert ada.post(path, {}).json == {"document": "main.md", "revision": 2, "name": None}
    assert ada.post(path, {"revision": 1, "name": " First "}).json["name"] == "First"
    assert ada.post(path, {"revision": 0, "name": "First"}).status == 201
    check_refused(ada.post(path, {"revision": 3}), 422, "E_VERSION_AHEAD")
    check_refused(ada.post(path, {"name": "\u202e"}), 422, "E_SCHEMA")
    listed = ada.get(path).json
    assert [(save["revision"], save["name"]) for save in listed["saves"]] == [
        (2, None),
        (1, "First"),
        (0, "First"),
    ]
    assert (listed["names"], listed["next"]) == ({"First": 0}, None)
    assert {save["saved_by"] for save in listed["saves"]} == {ada.user}
    assert paged(ada, path) == listed["saves"]
    none = chat.path("documents/none.md/saves")
    assert (ada.get(none).status, ada.post(none, {}).status) == (404, 404)


def paged(who: Somebody, path: str) -> list[Any]:
    saves: list[Any] = []
    after: int | None = 0
    while after is not None:
        page = who.get(f"{path}?limit=2&after={after}").json
        saves, after = saves + page["saves"], page["next"]
    return saves


# Running.


def test_a_run_is_told_from_its_start_to_its_end(chat: Chat) -> None:
    path = chat.path("runs")
    body = {"run": "r1", "title": "All tests", "document": "main.md", "revision": 0}
    started = {**body, "client": client_of(chat.cleo.user), "outcome": None, "exit_code": None}
    for _ in range(2):
        answer = chat.cleo.post(path, body)
        assert (answer.status, answer.json) == (201, started)
    check_refused(chat.cleo.post(path, {**body, "title": "Other"}), 409, "E_ID_REUSED")
    check_refused(chat.ada.post(f"{path}/r1/finish", {"outcome": "passed"}), 403, "E_FORBIDDEN")
    end = {"outcome": "failed", "exit_code": -11}
    for _ in range(2):
        assert chat.cleo.post(f"{path}/r1/finish", end).json == {**started, **end}
    check_refused(chat.cleo.post(f"{path}/r1/finish", {"outcome": "passed"}), 409, "E_ID_REUSED")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "E_SCHEMA"),
        ({"title": "two\nlines"}, 422, "E_SCHEMA"),
        ({"title": "x" * 201}, 422, "E_SCHEMA"),
        ({"title": "x", "document": "none.md"}, 404, "E_NOT_FOUND"),
        ({"title": "x", "document": "main.md", "revision": 9}, 422, "E_VERSION_AHEAD"),
    ],
)
def test_a_run_that_cannot_be_is_refused(chat: Chat, body: Any, status: int, code: str) -> None:
    check_refused(chat.cleo.post(chat.path("runs"), body), status, code)


def test_a_run_that_is_not_there_cannot_finish(chat: Chat) -> None:
    for run in ("none", "no%20id"):
        answer = chat.cleo.post(chat.path(f"runs/{run}/finish"), {"outcome": "stopped"})
        check_refused(answer, 404, "E_NOT_FOUND")
