"""Undo, redo, restore, branch and merge, asked on a real server."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from domain.document import EditApplied
from domain.ids import document_stream
from domain.text_op import Op
from interfaces.pyclient.api import Api
from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.errors import Refused
from tests.interfaces.server_thread import Answer, ServerThread, Somebody
from tests.interfaces.written import write


class Shared(NamedTuple):
    """Ada's room, in which Ben may write and Vera may read."""

    ada: Somebody
    ben: Somebody
    vera: Somebody
    room: str

    @property
    def path(self) -> str:
        return f"/api/rooms/{self.room}/documents"

    def text(self, document: str = "main.md") -> str:
        return str(self.ada.get(f"{self.path}/{document}").json["text"])

    def revision(self, document: str = "main.md") -> int:
        return int(self.ada.get(f"{self.path}/{document}").json["revision"])

    def write(self, who: Somebody, *ops: Op, document: str = "main.md") -> int:
        return write(who, self.room, *ops, document=document)

    def ask(self, who: Somebody, what: str, body: Any = None, document: str = "main.md") -> Answer:
        return who.post(f"{self.path}/{document}/{what}", {} if body is None else body)

    def do(self, who: Somebody, what: str, body: Any = None, document: str = "main.md") -> Any:
        answer = self.ask(who, what, body, document)
        assert answer.status < 300, answer
        return answer.json

    def edit(self, revision: int, document: str = "main.md") -> EditApplied:
        history = self.ada.server.server.services.history
        [found] = self.ada.server.call(
            history.edits(document_stream(self.room, document), revision - 1, revision)
        )
        return found


@pytest.fixture
def shared(server: ServerThread) -> Shared:
    ada, ben, vera = (server.guest(name) for name in ("Ada", "Ben", "Vera"))
    for guest in (ben, vera):
        assert guest.get("/api/me").status == 200
    room = ada.make_room(**{ben.user: "editor", vera.user: "viewer"})
    return Shared(ada, ben, vera, room)


# Undo.


def test_the_last_step_of_ones_own_is_taken_back_and_comes_again(shared: Shared) -> None:
    shared.write(shared.ada, ["Hello"])
    shared.write(shared.ben, [5, " world"])
    done = shared.do(shared.ada, "undo", {"mine": True})
    assert done == {"document": "main.md", "revision": 3, "op": [{"d": "Hello"}], "edits": 1}
    assert shared.text() == " world"
    assert (shared.edit(3).cause, shared.edit(3).actor) == ("undo", shared.ada.user)
    assert shared.do(shared.ada, "undo", {"mine": True})["revision"] is None
    assert shared.do(shared.ada, "redo") == {
        "document": "main.md",
        "revision": 4,
        "op": ["Hello"],
        "edits": 1,
    }
    assert shared.text() == "Hello world"
    assert shared.do(shared.ada, "redo") == {"document": "main.md", "revision": None, "op": [], "edits": 0}


def test_what_is_selected_is_previewed_and_then_taken_back(shared: Shared) -> None:
    shared.write(shared.ada, ["one two three"])
    shared.write(shared.ben, [3, "!"], [{"d": 1}])
    selected = {"user": shared.ben.user}
    before = shared.text()
    told = shared.do(shared.ada, "undo/preview", selected)
    assert told.pop("diff").splitlines()[2:] == [
        "@@ -1 +1 @@",
        "-ne! two three",
        "\\ No newline at end of file",
        "+one two three",
        "\\ No newline at end of file",
    ]
    assert told == {
        "document": "main.md",
        "revision": 3,
        "edits": {shared.ben.user: 2},
        "op": ["o", 2, {"d": "!"}],
    }
    assert shared.text() == before
    done = shared.do(shared.ada, "undo", selected)
    assert (done["revision"], done["op"], done["edits"]) == (4, told["op"], 2)
    assert shared.text() == "one two three"
    assert shared.do(shared.ada, "undo", selected)["revision"] is None


def test_edits_are_selected_by_revision_time_and_passage(shared: Shared) -> None:
    shared.write(shared.ada, ["abc"], [3, "def"], [6, "ghi"])
    assert shared.do(shared.ada, "undo", {"first": 2, "last": 2})["op"] == [3, {"d": "def"}]
    hour = timedelta(hours=1)
    now = datetime.now(UTC)
    told = shared.do(shared.ada, "undo/preview", {"until": (now - hour).isoformat()})
    assert (told["edits"], told["op"]) == ({}, [])
    told = shared.do(shared.ada, "undo/preview", {"since": (now - hour).isoformat()})
    assert told["edits"] == {shared.ada.user: 4}
    passage = {"revision": 4, "start": 1, "end": 4}
    done = shared.do(shared.ada, "undo", {"first": 1, "last": 3, "passage": passage})
    assert (done["op"], done["edits"]) == ([1, {"d": "bcg"}], None)
    assert shared.text() == "ahi"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "E_SCHEMA"),
        ({"mine": False}, "E_SCHEMA"),
        ({"mine": True, "first": 1}, "E_SCHEMA"),
        ({"first": 2, "last": 0}, "E_SCHEMA"),
        ({"first": 0}, "E_SCHEMA"),
        ({"last": 9}, "E_VERSION_AHEAD"),
        ({"passage": {"revision": 9, "start": 0, "end": 1}}, "E_VERSION_AHEAD"),
        ({"passage": {"revision": 0, "start": 1, "end": 0}}, "E_SCHEMA"),
        ({"since": "yesterday"}, "E_SCHEMA"),
        ({"user": "no id"}, "E_SCHEMA"),
    ],
)
def test_a_selection_that_makes_no_sense_is_refused(shared: Shared, body: Any, code: str) -> None:
    answer = shared.ask(shared.ada, "undo", body)
    assert (answer.status, answer.json["code"]) == (422, code)


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("undo", {"mine": True}),
        ("undo", {"first": 1}),
        ("redo", {}),
        ("restore", {"revision": 0}),
        ("branch", {"branch": "b.md"}),
        ("merge", {}),
    ],
)
def test_who_may_only_read_takes_nothing_back(shared: Shared, what: str, body: Any) -> None:
    shared.write(shared.ada, ["Hello"])
    answer = shared.ask(shared.vera, what, body)
    assert (answer.status, answer.json["code"], answer.json["role"]) == (403, "E_FORBIDDEN", "viewer")
    assert shared.revision() == 1
    assert shared.ask(shared.ada, what, body, document="nothing.md").json["code"] == "E_NOT_FOUND"


# Restore.


def test_a_restored_text_is_of_those_who_wrote_it(shared: Shared) -> None:
    shared.write(shared.ada, ["Hello"])
    shared.write(shared.ben, [{"d": 5}, "Bye"])
    done = shared.do(shared.ben, "restore", {"revision": 1})
    assert done["revision"] == 3
    assert shared.text() == "Hello"
    assert list(shared.edit(3).source or ()) == ["", 1]
    [span] = shared.ada.get(f"{shared.path}/main.md/blame").json["spans"]
    assert (span["author"], span["revision"]) == (shared.ada.user, 1)
    assert shared.do(shared.ben, "restore", {"revision": 1}) == {
        "document": "main.md",
        "revision": None,
        "op": [],
    }
    refused = shared.ask(shared.ben, "restore", {"revision": 9})
    assert (refused.status, refused.json["code"]) == (422, "E_VERSION_AHEAD")


# Branches.


def test_a_branch_is_edited_beside_its_source_and_comes_back(shared: Shared) -> None:
    shared.write(shared.ada, ["one\ntwo\n"])
    shared.write(shared.ben, [8, "three\n"])
    made = shared.ask(shared.ben, "branch", {"branch": "b.md", "revision": 1})
    assert made.status == 201
    told = {"document": "b.md", "source": "main.md", "revision": 1}
    assert made.json == told
    assert shared.ada.get(f"{shared.path}/b.md/branch").json == told
    assert shared.ada.get(f"{shared.path}/main.md/branch").json["source"] is None
    assert shared.text("b.md") == "one\ntwo\n"
    shared.write(shared.ben, [3, " and a half"], document="b.md")
    shared.write(shared.ada, ["zero\n"])
    merged = shared.do(shared.ben, "merge", document="b.md")
    assert (merged["document"], merged["revision"]) == ("main.md", 4)
    assert shared.text() == "zero\none and a half\ntwo\nthree\n"
    assert shared.do(shared.ben, "merge", document="b.md")["revision"] is None
    spans = shared.ada.get(f"{shared.path}/main.md/blame").json["spans"]
    assert ("b.md", 2, shared.ben.user) in [(s.get("document"), s["revision"], s["author"]) for s in spans]


def test_a_branch_takes_no_name_that_is_taken(shared: Shared) -> None:
    shared.write(shared.ada, ["text"])
    shared.ada.post(shared.path, {"document": "other.md"})
    shared.write(shared.ada, ["something"], document="other.md")
    refused = shared.ask(shared.ada, "branch", {"branch": "other.md"})
    assert (refused.status, refused.json["code"]) == (409, "E_CONFLICT")
    assert shared.do(shared.ada, "branch", {"branch": "b.md"})["revision"] == 1
    assert shared.do(shared.ada, "branch", {"branch": "b.md"})["revision"] == 1
    refused = shared.ask(shared.ada, "branch", {"branch": "b.md", "revision": 0})
    assert (refused.status, refused.json["code"]) == (409, "E_CONFLICT")
    refused = shared.ask(shared.ada, "merge")
    assert (refused.status, refused.json["code"]) == (409, "E_CONFLICT")
    refused = shared.ask(shared.ada, "branch", {"branch": "c.md", "revision": 9})
    assert refused.json["code"] == "E_VERSION_AHEAD"
    assert shared.ada.get(f"{shared.path}/c.md").status == 404


# The client.


def test_the_client_asks_the_same(shared: Shared) -> None:
    token = shared.ada.headers["Authorization"].removeprefix("Bearer ")
    room = shared.room

    async def ask() -> None:
        async with Api(shared.ada.server.url, Credentials(token=token)) as api:
            assert (await api.undo_mine(room, "main.md"))["revision"] == 3
            assert (await api.redo_mine(room, "main.md"))["revision"] == 4
            since = datetime.now(UTC) - timedelta(hours=1)
            told = await api.preview_undo(room, "main.md", user=shared.ben.user, since=since)
            assert told["edits"] == {shared.ben.user: 1}
            passage = {"revision": 4, "start": 0, "end": 99}
            assert (await api.undo(room, "main.md", first=2, last=2, passage=passage))["revision"] == 5  # type: ignore[arg-type]
            assert (await api.restore(room, "main.md", 2))["revision"] == 6
            assert (await api.start_branch(room, "main.md", "b.md", revision=1))["source"] == "main.md"
            assert (await api.branch(room, "b.md"))["revision"] == 1
            assert (await api.merge(room, "b.md"))["revision"] is None
            with pytest.raises(Refused, match="E_CONFLICT"):
                await api.merge(room, "main.md")

    shared.write(shared.ada, ["Hello"])
    shared.write(shared.ben, [5, " world"])
    asyncio.run(ask())
    assert shared.text() == "Hello world"
