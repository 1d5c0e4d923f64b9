"""What is said, written and looked for by people who mean it badly, or whose texts are only strange."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
import urllib.request
from collections.abc import AsyncIterator
from hashlib import sha256
from itertools import count
from typing import Any, Final
from urllib.parse import quote

import pytest
import pytest_asyncio

from domain.limits import CHAT_BYTES
from tests.acceptance.raw_sockets import RawSocket, ask
from tests.acceptance.test_presence_attacks import TRICKY
from tests.acceptance.witnesses import CANARY, DOCUMENT, Witnesses, get, witnesses
from tests.guests import Guest, guest
from tests.servers import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The tables are a moment behind the log.
AT_ONCE_SECONDS: Final = 10.0

_numbers = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(guests_server: ServerProcess) -> AsyncIterator[Witnesses]:
    async with witnesses(guests_server) as people:
        yield people


class Place:
    """A room of an attacker's, and their socket in it, with the document open."""

    def __init__(self, url: str, room: str, by: Guest, socket: RawSocket) -> None:
        self.url = url
        self.room = room
        self.by = by
        self.socket = socket

    @classmethod
    async def make(cls, people: Witnesses) -> Place:
        url, room = people.server.url, f"chatting-{next(_numbers)}"
        by = await asyncio.to_thread(guest, url, "Mallory")
        await asyncio.to_thread(by.create_room, room)
        socket = await RawSocket.connect(url, room, by=by)
        assert (await socket.greet(f"chat-{next(_numbers)}"))["type"] == "welcome"
        assert (await socket.open(DOCUMENT))["type"] == "opened"
        return cls(url, room, by, socket)

    async def ask(self, method: str, path: str, body: Any = None, by: Guest | None = None) -> Any:
        return await ask(
            self.url, method, f"/api/rooms/{self.room}{path}", token=(by or self.by).token, body=body
        )

    async def say(self, text: str) -> dict[str, Any]:
        """Over HTTP, which answers with the message."""
        said = await self.ask("POST", "/messages", {"text": text})
        assert said.status == 201, said
        message: dict[str, Any] = said.json
        return message

    async def export(self, format_: str) -> bytes:
        url = f"{self.url}/api/rooms/{self.room}/messages/export?format={format_}"
        return await asyncio.to_thread(fetch, urllib.request.Request(url, headers=self.by.headers))

    async def exported_with(self, name: str) -> str:
        """The table of all messages, when it knows who is called so."""
        async with asyncio.timeout(AT_ONCE_SECONDS):
            while name not in (file := (await self.export("csv")).decode("utf-8-sig")):  # noqa: ASYNC110 -- asked over HTTP
                await asyncio.sleep(0.02)
        return file

    async def found(self, q: str) -> list[str]:
        answer = await self.ask("GET", f"/messages/search?q={quote(q, safe='')}&limit=200")
        assert answer.status == 200, answer
        return [] if answer.json["is_guess"] else [message["text"] for message in answer.json["found"]]

    async def caught_up(self) -> None:
        """Return when what was said so far is in the tables."""
        last = (await self.say("That was all."))["message"]
        async with asyncio.timeout(AT_ONCE_SECONDS):
            while not await self._is_in_tables(last):  # noqa: ASYNC110 -- asked over HTTP
                await asyncio.sleep(0.02)

    async def _is_in_tables(self, message: str) -> bool:
        page = (await self.ask("GET", "/messages")).json["messages"]
        return message in {told["message"] for told in page}


def fetch(request: urllib.request.Request | str) -> bytes:
    """Blocks."""
    with urllib.request.urlopen(request, timeout=10) as answer:
        body: bytes = answer.read()
        return body


# Strange texts.

STRANGE: Final = {
    "overrides and isolates": "if (\u202eaccess\u2066admin\u2069\u202c) \u200b\u200c\u200d\ufeff\u2060",
    "line ends of all kinds": "one\r\ntwo\rthree\nfour\u2028five\u2029six\x0bseven\x0ceight\x85nine",
    "controls": "\x01\x02\x1b[31mred\x1b[0m\x7f",
    "emoji": "👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿🇩🇪❤️❤1️⃣",
    "not normalised": "e\u0301 é ﬁ Å Å",
    "many marks": "Z" + "\u0335\u0321\u0316" * 100,
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
async def test_a_strange_text_comes_back_as_it_was_from_document_and_chat(
    people: Witnesses, text: str
) -> None:
    place = await Place.make(people)
    async with place.socket, people.undisturbed(place.socket):
        await place.socket.edit(DOCUMENT, 1, 0, [text])
        stored = await place.ask("GET", f"/documents/{DOCUMENT}")
        assert stored.json["text"] == text
        assert (await place.say(text))["text"] == text
        await place.caught_up()
        exported = json.loads(await place.export("json"))["messages"]
        assert text in [message["text"] for message in exported]


async def test_a_client_with_another_text_is_told_to_take_ours_and_it_is_counted(people: Witnesses) -> None:
    def mismatches() -> float:
        lines = fetch(f"{people.server.url}/metrics").decode().splitlines()
        [line] = [line for line in lines if line.startswith("chronoscribe_hash_mismatches ")]
        return float(line.split()[1])

    place = await Place.make(people)
    async with place.socket, people.undisturbed(place.socket):
        await place.socket.edit(DOCUMENT, 1, 0, [CANARY])
        before = mismatches()
        for text, kind in ((CANARY, "ok"), (CANARY + "?", "error")):
            digest = sha256(text.encode()).hexdigest()
            told = await place.socket.ask(type="check", document=DOCUMENT, revision=1, hash=digest)
            assert told["type"] == kind
        assert (told["code"], told["revision"]) == ("E_VERSION_OLD", 1)
        assert mismatches() == before + 1
        assert sha256((CANARY + "?").encode()).hexdigest() in people.server.output
        assert (await place.socket.open(DOCUMENT))["text"] == CANARY


# What could be taken for more than text.


async def test_what_is_said_is_no_more_than_text_and_found_as_it_stands(people: Witnesses) -> None:
    place = await Place.make(people)
    async with place.socket, people.undisturbed(place.socket):
        for text in TRICKY:
            assert (await place.say(f"{text} (said)"))["text"] == f"{text} (said)"
            run = {"run": f"r-{next(_numbers)}", "title": text}
            assert (await place.ask("POST", "/runs", run)).json["title"] == text
            save = await place.ask("POST", f"/documents/{DOCUMENT}/saves", {"name": text})
            assert save.json["name"] == text
        await place.caught_up()
        for text in TRICKY:
            assert f"{text} (said)" in await place.found(f"{text} (said)")
            assert text not in people.server.output
        page = (await place.ask("GET", "/messages?limit=200")).json["messages"]
        assert {f"{text} (said)" for text in TRICKY} <= {message["text"] for message in page}


async def test_no_page_of_the_server_runs_what_somebody_wrote(people: Witnesses) -> None:
    place = await Place.make(people)
    async with place.socket, people.undisturbed(place.socket):
        await place.say("<script>alert(1)</script> [x](javascript:alert(1)) ![](http://example.org/x.png)")
        for path in ("/", "/api/docs"):
            answer = await ask(place.url, "GET", path, token=place.by.token)
            policy = dict(
                directive.strip().split(" ", 1)
                for directive in answer.headers["content-security-policy"].split(";")
            )
            assert policy.get("script-src", policy["default-src"]) in {"'none'", "'self'"}
            assert answer.headers["x-content-type-options"] == "nosniff"
        file = await place.ask("GET", "/messages/export?format=txt")
        assert file.headers["content-type"] == "text/plain; charset=utf-8"
        assert file.headers["content-disposition"].startswith("attachment")
        assert file.headers["x-content-type-options"] == "nosniff"
        for avatar in ("javascript:alert(1)", "data:image/svg+xml,<svg/>", "http://example.org/a.png"):
            changed = await ask(
                place.url, "PATCH", "/api/profile", token=place.by.token, body={"avatar": avatar}
            )
            assert (changed.status, changed.code) == (422, "E_PROFILE")


# Too much.


@pytest.mark.parametrize("size", [CHAT_BYTES + 1, 60_000])
async def test_a_message_that_is_too_long_is_refused_on_the_socket(people: Witnesses, size: int) -> None:
    place = await Place.make(people)
    async with place.socket, people.undisturbed(place.socket):
        await place.socket.send_json(type="post", ref=7, message="m1", text=CANARY + "x" * size)
        assert (await place.socket.refusal())["code"] == "E_OP_SIZE"
        assert (await place.socket.ask(type="ping"))["type"] == "ok"


async def test_a_message_of_a_hundred_kilobytes_is_refused_over_http(people: Witnesses) -> None:
    place = await Place.make(people)
    async with place.socket, people.undisturbed(place.socket):
        refused = await place.ask("POST", "/messages", {"text": CANARY + "x" * 100_000})
        assert (refused.status, refused.code) == (422, "E_OP_SIZE")


async def test_fifty_messages_a_second_are_too_many(people: Witnesses) -> None:
    place = await Place.make(people)
    async with place.socket, people.undisturbed(place.socket):
        frames = [
            json.dumps({"type": "post", "ref": number, "message": f"m{number}", "text": "x"})
            for number in range(50)
        ]
        async with people.exchanging() as latencies:
            await place.socket.send_storm(frames)
            answers = [await place.socket.receive_json() for _ in range(1)]
            refused = await place.socket.refusal()
        assert refused["code"] == "E_RATE"
        assert 0 < refused["retry_after"] < 1
        assert answers
        assert latencies
        assert (await place.socket.ask(type="ping"))["type"] == "ok"


async def test_nobody_changes_what_another_has_said(people: Witnesses) -> None:
    place = await Place.make(people)
    eve = await asyncio.to_thread(guest, place.url, "Eve")
    socket = await RawSocket.connect(place.url, place.room, by=eve)
    async with place.socket, socket, people.undisturbed(place.socket, socket):
        message = (await place.say("Mine"))["message"]
        assert (await socket.greet(f"eve-{next(_numbers)}"))["type"] == "welcome"
        for request in (
            {"type": "edit_message", "message": message, "text": CANARY},
            {"type": "delete_message", "message": message},
        ):
            assert (await socket.ask(**request))["code"] == "E_FORBIDDEN"
        for method, body in (("PATCH", {"text": CANARY}), ("DELETE", None)):
            refused = await place.ask(method, f"/messages/{message}", body, by=eve)
            assert (refused.status, refused.code) == (403, "E_FORBIDDEN")
        told = (await place.ask("GET", f"/messages/{message}")).json
        assert (told["text"], told["edits"], told["deleted"]) == ("Mine", 0, None)


# Search.


async def test_a_search_is_literal_and_never_long(people: Witnesses) -> None:
    place = await Place.make(people)
    async with place.socket, people.undisturbed(place.socket):
        for text in ("aaaaaaaaaaaaaaaaaaaaaaaaaa!", "100 % sure_thing", "C:\\temp", "it's; fine"):
            await place.say(text)
        await place.caught_up()
        began = time.monotonic()
        for q, expected in (
            ("(a+)+$", []),
            ("%_%_%", []),
            (".*", []),
            ("\\", ["C:\\temp"]),
            ("sure_thing", ["100 % sure_thing"]),
            ("100 %", ["100 % sure_thing"]),
            ("'; drop table chat_messages; --", []),
            ("it's; fine", ["it's; fine"]),
            ('"""', []),
            ("a:* & !b | (c <-> d)", []),
        ):
            assert await place.found(q) == expected, q
        assert time.monotonic() - began < AT_ONCE_SECONDS


@pytest.mark.parametrize("q", ["x" * 257, "x" * 7_000, "", " ", "a\x00b"])
async def test_a_search_for_too_much_or_nothing_is_refused(people: Witnesses, q: str) -> None:
    place = await Place.make(people)
    async with place.socket, people.undisturbed(place.socket):
        refused = await place.ask("GET", f"/messages/search?q={quote(q, safe='')}")
        assert refused.status == 422
        assert refused.code in {"E_SCHEMA", "E_TEXT"}


async def test_a_search_of_a_megabyte_is_refused_before_anybody_looks_at_it(people: Witnesses) -> None:
    place = await Place.make(people)
    async with place.socket, people.undisturbed(place.socket):
        answer = await place.ask("GET", "/messages/search?q=" + "x" * 1_000_000)
        assert answer.status in {400, 414}
    assert get(f"{place.url}/healthz") == {"status": "ok"}


# Files.

FORMULAS: Final = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", '"=1"', "a\n=1")


async def test_a_spreadsheet_takes_nothing_for_a_formula_and_json_is_unchanged(people: Witnesses) -> None:
    place = await Place.make(people)
    async with place.socket, people.undisturbed(place.socket):
        await ask(place.url, "PATCH", "/api/profile", token=place.by.token, body={"name": "=HYPERLINK(1)"})
        for text in FORMULAS:
            await place.say(text)
        await place.caught_up()
        # What people are called is another table, which hears of it on its own.
        file = await place.exported_with("HYPERLINK(1),")
        rows = list(csv.DictReader(io.StringIO(file, newline="")))[: len(FORMULAS)]
        for row, text in zip(rows, FORMULAS, strict=True):
            assert row["text"] == (f"'{text}" if text[0] in "=+-@\t\r\x00" else text)
            assert row["name"] == "'=HYPERLINK(1)"
            assert all(not cell or cell[0] not in "=+-@\t\r\x00" for cell in row.values())
        exported = json.loads(await place.export("json"))["messages"]
        assert [message["text"] for message in exported][: len(FORMULAS)] == list(FORMULAS)
