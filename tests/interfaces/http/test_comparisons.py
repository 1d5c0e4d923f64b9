"""Moments, differences, and what made a text bad, asked on a real server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
import pytest

from application.documents import digest
from domain.document import Edit
from domain.instants import as_datetime
from domain.rights import Role
from domain.text_op import Op, between
from interfaces.http import bisects
from interfaces.http.lines import CONTENT_TYPE
from tests.interfaces.server_thread import Answer, ServerThread, Somebody, eventually

TEXTS = ("x = 1\n", "x = 1\ny = 2\n", "x = (\ny = 2\n", "x = (\ny = 2\nz = 3\n", "x = 4\ny = 2\nz = 3\n")


class Office(NamedTuple):
    """Ada's room with "main.md", whose text has become each of `TEXTS`."""

    ada: Somebody
    room: str

    @property
    def path(self) -> str:
        return f"/api/rooms/{self.room}/documents/main.md"

    def read(self, query: str = "") -> Answer:
        return self.ada.get(f"{self.path}{query}")

    def bisect(self, **body: Any) -> Answer:
        return self.ada.post(f"{self.path}/bisect", body)

    def found(self, **body: Any) -> Any:
        """The last line of an answer."""
        answer = self.bisect(**body)
        assert answer.status == 200, answer
        return lines_of(answer)[-1]


def lines_of(answer: Answer) -> list[Any]:
    assert answer.headers.get_content_type() == CONTENT_TYPE
    return [orjson.loads(line) for line in answer.body.splitlines()]


def write(who: Somebody, room: str, texts: Sequence[str]) -> None:
    """Make each of these texts of the room's document."""
    services = who.server.server.services
    edits: list[Op] = [between(old, new) for old, new in zip(("", *texts), texts, strict=False)]

    async def submit() -> None:
        for base, op in enumerate(edits):
            edit = Edit("typist", base + 1, base, op, digest(base, op))
            await services.documents.edit(room, "main.md", edit, actor=who.user)

    who.server.call(submit())


@pytest.fixture(scope="module")
def office(server: ServerThread) -> Office:
    ada = server.guest("Ada")
    office = Office(ada, ada.make_room())
    write(ada, office.room, TEXTS)
    named = ada.post(f"{office.path}/saves", {"revision": 2, "name": "Second draft"})
    assert named.status == 201
    return office


# Moments.


def test_a_text_is_read_at_a_place_of_the_log(office: Office) -> None:
    history = office.ada.server.server.node.history

    async def positions() -> list[int]:
        return [r.position for r in await history.recorded(f"document:{office.room}/main.md")]

    created, *edits = office.ada.server.call(positions())
    assert office.read(f"?position={created - 1}").status == 404
    for revision, position in enumerate((created, *edits)):
        assert office.read(f"?position={position}").json["revision"] == revision
    assert office.read(f"?position={edits[0] - 1}").json["revision"] == 0
    assert office.read("?position=9007199254740991").json["text"] == TEXTS[-1]


def test_a_text_is_read_at_a_named_revision(office: Office) -> None:
    found = office.read(f"?name={quote('Second  draft ')}").json
    assert (found["revision"], found["text"]) == (2, TEXTS[1])
    assert office.read("?name=second%20draft").status == 404
    assert office.read("?name=%E2%80%AE").json["field"] == "name"
    answer = office.read("?name=x&position=1")
    assert (answer.status, answer.json["field"]) == (422, "name")


# Passages.


def test_a_link_to_a_passage_holds_what_stood_there_and_says_where_it_is(office: Office) -> None:
    answer = office.ada.get(f"{office.path}/passage?revision=2&start=6&end=11")
    assert answer.json == {
        "document": "main.md",
        "revision": 2,
        "start": 6,
        "end": 11,
        "text": "y = 2",
        "now": {
            "document": "main.md",
            "revision": 5,
            "start": 6,
            "end": 11,
            "is_gone": False,
            "text": "y = 2",
        },
    }
    gone = office.ada.get(f"{office.path}/passage?revision=3&start=4&end=5").json
    assert (gone["text"], gone["now"]["is_gone"]) == ("(", True)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?revision=2&start=5&end=4", 422, "E_OP_INVALID"),
        ("?revision=2&start=0&end=13", 422, "E_OP_INVALID"),
        ("?revision=6&start=0&end=0", 404, "E_NOT_FOUND"),
        ("?revision=2&start=0", 422, "E_SCHEMA"),
        ("?revision=2&start=-1&end=0", 422, "E_SCHEMA"),
    ],
)
def test_a_passage_that_there_is_not_is_told_so(office: Office, query: str, status: int, code: str) -> None:
    answer = office.ada.get(f"{office.path}/passage{query}")
    assert (answer.status, answer.json["code"]) == (status, code)


# Diff.


def test_a_diff_tells_lines_and_words(office: Office) -> None:
    told = office.read("/diff?from=2&to=5&context=0").json
    assert (told["room"], told["document"], told["is_coarse"]) == (office.room, "main.md", False)
    assert (told["old"]["revision"], told["new"]["revision"]) == (2, 5)
    first, second = told["hunks"]
    assert [(line["kind"], line["text"]) for line in first["lines"]] == [
        ("removed", "x = 1"),
        ("added", "x = 4"),
    ]
    assert first["lines"][1]["words"] == [
        {"text": "x = ", "is_changed": False},
        {"text": "4", "is_changed": True},
    ]
    assert [(line["new"], line["text"]) for line in second["lines"]] == [(3, "z = 3")]


def test_moments_of_a_diff_are_said_in_any_way(office: Office) -> None:
    at = as_datetime(office.read("?revision=2").json["modified"]).isoformat()
    by_number = office.read("/diff?from=2&to=5").json
    for old in ("name:Second%20draft", at, at.replace("+", "%2B")):
        for query in (f"?from={old}", f"?from={old}&to=now", f"?from={old}&to=5"):
            assert office.read(f"/diff{query}").json == by_number
    backwards = office.read("/diff?from=5&to=2&context=0").json
    assert [line["text"] for line in backwards["hunks"][0]["lines"]] == ["x = 4", "x = 1"]
    assert office.read("/diff?from=3&to=3").json["hunks"] == []


def test_a_diff_can_be_had_as_text_and_as_html(office: Office) -> None:
    unified = office.read("/diff?from=1&to=2&format=unified")
    assert unified.headers.get_content_type() == "text/plain"
    assert unified.body.endswith(b"@@ -1 +1,2 @@\n x = 1\n+y = 2\n")
    words = office.read("/diff?from=2&to=3&format=words")
    assert words.body.endswith(b"@@ -1,2 +1,2 @@\nx = [-1-]{+(+}\ny = 2\n")
    fragment = office.read("/diff?from=1&format=html")
    assert fragment.headers.get_content_type() == "text/html"
    assert fragment.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert fragment.body.startswith(b'<div class="chronoscribe-diff">')
    assert office.read("/diff?from=1&format=html&page=true").body.startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "from"),
        ("?from=-1", "from"),
        ("?from=yesterday", "from"),
        ("?from=name:", "from"),
        ("?from=1&to=", "to"),
        ("?from=1&format=pdf", "format"),
        ("?from=1&context=1001", "context"),
        ("?from=1&context=-1", "context"),
        ("?from=1&page=maybe", "page"),
        ("?from=1&old=2", "old"),
    ],
)
def test_a_diff_asked_wrongly_is_refused(office: Office, query: str, field: str) -> None:
    answer = office.read(f"/diff{query}")
    assert (answer.status, answer.json["code"], answer.json["field"]) == (422, "E_SCHEMA", field)


@pytest.mark.parametrize(
    "query", ["?from=6", "?from=1&to=6", "?from=name:None", "?from=2001-01-01", "?from=position:0"]
)
def test_a_diff_of_moments_that_there_are_not_is_told_so(office: Office, query: str) -> None:
    assert office.read(f"/diff{query}").status == 404


def test_of_texts_that_have_nothing_in_common_one_replacement_is_told(server: ServerThread) -> None:
    ada = server.guest("Ada")
    room = ada.make_room()
    write(
        ada,
        room,
        ["".join(f"old {n} a b c\n" for n in range(40_000)), "".join(f"n {n}\n" for n in range(9_000))],
    )
    told = Office(ada, room).read("/diff?from=1").json
    assert told["is_coarse"] is True
    assert sum(hunk["old_lines"] for hunk in told["hunks"]) == 40_000


# Bisect.


def test_the_edit_that_made_a_text_bad_is_found(office: Office) -> None:
    answer = office.bisect(parses="python", bad=4)
    *progress, found = lines_of(answer)
    assert [line["type"] for line in progress] == ["progress"] * len(progress)
    assert [line["done"] for line in progress] == list(range(1, len(progress) + 1))
    assert {line["all"] for line in progress} == {4}
    assert (found["type"], found["good"], found["bad"], found["is_exact"]) == ("found", 2, 3, True)
    edit = found["edit"]
    assert (edit["revision"], edit["user"], edit["client"], edit["cause"]) == (
        3,
        office.ada.user,
        "typist",
        "typed",
    )
    assert edit["at"] == office.read("?revision=3").json["modified"]
    assert found["diff"] == office.read("/diff?from=2&to=3").json
    assert found["evaluated"][:2] == [{"revision": 0, "verdict": "good"}, {"revision": 4, "verdict": "bad"}]


@pytest.mark.parametrize(
    ("asked", "bad"),
    [
        ({"text_absent": "z ="}, 4),
        ({"text_present": "1", "good": 1}, 3),
        ({"text_present": "1", "good": "name:Second draft"}, 3),
        ({"regex": r"(?m)^x = \d$", "good": "1", "bad": 4}, 3),
        ({"regex": r"^(\w+)*$", "good": 0, "bad": 1}, 1),
    ],
)
def test_a_text_is_good_by_what_is_asked(office: Office, asked: dict[str, Any], bad: int) -> None:
    assert office.found(**asked)["bad"] == bad


def test_what_was_said_around_an_edit_is_told(server: ServerThread) -> None:
    ada = server.guest("Ada")
    office = Office(ada, ada.make_room())
    said = [ada.post(f"/api/rooms/{office.room}/messages", {"text": "Now it breaks"}).json["message"]]
    write(ada, office.room, ["good", "bad"])
    said.append(ada.post(f"/api/rooms/{office.room}/messages", {"text": "Did it?"}).json["message"])
    found = eventually(
        lambda: office.found(text_absent="bad"), lambda found: len(found["messages"]) == len(said)
    )
    assert [message["message"] for message in found["messages"]] == said
    known = ada.get(f"/api/rooms/{office.room}/messages").json["messages"]
    assert found["messages"] == known


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "E_SCHEMA"),
        ({"text_present": "x", "regex": "x"}, "E_SCHEMA"),
        ({"text_present": ""}, "E_SCHEMA"),
        ({"text_present": "x" * (bisects.PART_CODE_POINTS + 1)}, "E_SCHEMA"),
        ({"text_absent": "a\0"}, "E_SCHEMA"),
        ({"regex": "x" * (bisects.PATTERN_CODE_POINTS + 1)}, "E_SCHEMA"),
        ({"regex": "("}, "E_PATTERN"),
        ({"regex": "(?=x)"}, "E_PATTERN"),
        ({"regex": r"(x)\1"}, "E_PATTERN"),
        ({"regex": "x{1001}"}, "E_PATTERN"),
        ({"parses": "ruby"}, "E_SCHEMA"),
        ({"run": "rm -rf /"}, "E_SCHEMA"),
        ({"text_absent": "x", "good": "x"}, "E_SCHEMA"),
        ({"text_absent": "x", "good": -1}, "E_SCHEMA"),
        ({"text_absent": "x", "good": True}, "E_SCHEMA"),
        ({"text_absent": "x", "good": 5}, "E_BISECT"),
        ({"text_absent": "x", "good": 3, "bad": 3}, "E_BISECT"),
        ({"text_absent": "never"}, "E_BISECT"),
        ({"text_absent": "x", "bad": 0}, "E_BISECT"),
    ],
)
def test_a_bisect_asked_wrongly_is_refused_before_it_begins(
    office: Office, asked: dict[str, Any], code: str
) -> None:
    answer = office.bisect(**asked)
    assert (answer.status, answer.json["code"]) == (422, code)


def test_a_bisect_of_moments_that_there_are_not_is_told_so(office: Office) -> None:
    assert office.bisect(text_absent="x", bad=6).status == 404
    assert office.bisect(text_absent="x", good="name:None").status == 404
    assert office.ada.post("/api/rooms/demo/documents/none.md/bisect", {"text_absent": "x"}).status == 404


def test_texts_made_to_hang_or_kill_a_parser_are_only_bad(server: ServerThread) -> None:
    ada = server.guest("Ada")
    office = Office(ada, ada.make_room())
    write(ada, office.room, ["[]", "[" * 10_000 + "]" * 10_000, "[]" + "[0]" * 300_000])
    assert office.found(parses="python", good=1)["bad"] == 2
    assert office.found(parses="json", good=1)["bad"] == 2
    assert office.found(regex="^[^0]*$", bad=3)["bad"] == 3


def test_a_viewer_may_look_back(office: Office) -> None:
    server = office.ada.server
    viewer = server.guest("Vera")
    put = office.ada.put(f"/api/rooms/{office.room}/members/{viewer.user}", {"role": Role.VIEWER})
    assert put.status == 200
    theirs = Office(viewer, office.room)
    assert theirs.read("/diff?from=1").status == 200
    assert theirs.found(text_absent="y")["bad"] == 2
