"""What people are called, where they are and what they do, by people who mean it badly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import count
from typing import Any, Final
from urllib.parse import quote

import pytest
import pytest_asyncio

from domain.limits import PRESENCE_BYTES
from tests.acceptance.raw_sockets import RawSocket, ask
from tests.acceptance.witnesses import ATTACKED_ROOM, CANARY, DOCUMENT, OTHER_ROOM, Witnesses, witnesses
from tests.guests import Guest, guest
from tests.servers import ServerProcess
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What others see, they see at once; on a busy machine that can be a while. Nothing is measured here.
AT_ONCE_SECONDS: Final = 10.0

# Less than what a session may tell in two seconds.
BURST: Final = 80

_numbers = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(guests_server: ServerProcess) -> AsyncIterator[Witnesses]:
    async with witnesses(guests_server) as people:
        yield people


async def somebody(people: Witnesses) -> Guest:
    return await asyncio.to_thread(guest, people.server.url, f"Mallory {next(_numbers)}")


async def entered(people: Witnesses, by: Guest, room: str = ATTACKED_ROOM) -> RawSocket:
    """A greeted socket with the document open."""
    socket = await RawSocket.connect(people.server.url, room, by=by)
    assert (await socket.greet(f"presence-{next(_numbers)}"))["type"] == "welcome"
    assert (await socket.open(DOCUMENT))["type"] == "opened"
    return socket


def cursor(ref: int, place: int, **fields: Any) -> str:
    return json.dumps(
        {"type": "cursor", "ref": ref, "document": DOCUMENT, "revision": 1, "anchor": place, "head": place}
        | fields
    )


# Presence.


async def test_of_many_moves_at_once_others_are_shown_the_last(people: Witnesses) -> None:
    """A mouse that is dragged makes a hundred moves in a second, and nobody can see twenty of them."""
    seen: list[Any] = []
    socket = await entered(people, await somebody(people))
    async with socket, people.undisturbed(socket):
        stop = people.here.clients[0].on("presence", seen.append)
        document = people.here.documents[0]
        # Of the text that is there now: what was attacked before has moved the places of older ones.
        now = document.revision
        await socket.send_storm([cursor(n, n % 7, revision=now) for n in range(BURST)])
        last = (BURST - 1) % 7
        await until(lambda: _shown(document.cursors.get(socket.client)) == last, AT_ONCE_SECONDS)
        stop()
        assert len(seen) < BURST / 2
        assert (await socket.ask(type="ping"))["type"] == "ok"


def _shown(cursor: Any) -> int | None:
    return None if cursor is None else int(cursor.anchor)


@pytest.mark.parametrize("kind", ["cursor", "typing", "status"])
async def test_a_storm_of_presence_is_refused_and_then_ended(people: Witnesses, kind: str) -> None:
    frames = {
        "cursor": cursor(7, 1),
        "typing": json.dumps({"type": "typing", "ref": 7, "typing": True}),
        "status": json.dumps({"type": "status", "ref": 7, "status": "running"}),
    }
    socket = await entered(people, await somebody(people))
    async with socket, people.undisturbed(socket):
        async with people.exchanging() as latencies:
            await socket.send_storm([frames[kind]] * 1_000)
            assert await socket.closed() == 4506
        refusals = [json.loads(heard) for heard in socket.heard if b"E_RATE" in heard]
        assert len(refusals) == 20
        assert all(refused["retry_after"] > 0 for refused in refusals)
    print(f"{len(latencies)} exchanges meanwhile, the slowest {max(latencies):.3f} s")


BAD_PRESENCE: Final[dict[str, tuple[str, str]]] = {
    "10 KB of blanks": (cursor(7, 1).ljust(10_000), "E_OP_SIZE"),
    "10 KB of a name": (cursor(7, 1, name=CANARY * 900), "E_OP_SIZE"),
    "10 KB of typing": (json.dumps({"type": "typing", "ref": 7, "typing": True}).ljust(10_000), "E_OP_SIZE"),
    "10 KB of a status": (json.dumps({"type": "status", "ref": 7, "status": "x" * 10_000}), "E_OP_SIZE"),
    "a byte too much": (cursor(7, 1).ljust(PRESENCE_BYTES + 1), "E_OP_SIZE"),
    "a field too much": (cursor(7, 1, colour="#ff0000"), "E_SCHEMA"),
    "a cursor in front of the text": (cursor(7, -1), "E_SCHEMA"),
    "a cursor at 2^53": (cursor(7, 2**53), "E_SCHEMA"),
    "a cursor in words": (cursor(7, 1, anchor="1"), "E_SCHEMA"),
    "a cursor at nothing": (cursor(7, 1, anchor=None), "E_SCHEMA"),
    "a status that is none": (json.dumps({"type": "status", "ref": 7, "status": "owner"}), "E_SCHEMA"),
    "typing in words": (json.dumps({"type": "typing", "ref": 7, "typing": "yes"}), "E_SCHEMA"),
}


@pytest.mark.parametrize(("frame", "code"), BAD_PRESENCE.values(), ids=BAD_PRESENCE)
async def test_bad_presence_is_refused_and_shown_to_nobody(people: Witnesses, frame: str, code: str) -> None:
    seen: list[Any] = []
    socket = await entered(people, await somebody(people))
    async with socket, people.undisturbed(socket):
        stop = people.here.clients[0].on("presence", seen.append)
        await socket.send(frame)
        assert (await socket.refusal())["code"] == code
        assert (await socket.ask(type="ping"))["type"] == "ok"
        await people.here.exchange()
        stop()
        assert seen == []


async def test_a_cursor_ahead_of_the_text_ends_the_socket(people: Witnesses) -> None:
    socket = await entered(people, await somebody(people))
    async with socket, people.undisturbed(socket):
        await socket.send(cursor(7, 1, revision=10**9))
        assert (await socket.refusal())["code"] == "E_VERSION_AHEAD"
        assert await socket.closed() == 4507


async def test_a_cursor_is_its_clients_and_ends_with_it(people: Witnesses) -> None:
    seen: list[Any] = []
    by = await somebody(people)
    socket = await entered(people, by)
    async with socket, people.undisturbed(socket):
        stop = people.here.clients[0].on("presence", seen.append)
        await socket.send(cursor(7, 10**12))
        await until(lambda: seen, AT_ONCE_SECONDS)
        stop()
        assert {move["client"] for notice in seen for move in notice.moves} == {socket.client}
        document = people.here.documents[0]
        assert _shown(document.cursors[socket.client]) == len(document)
        [place] = people.here.clients[0].people[by.user].places
        assert place.client == socket.client
    await until(lambda: socket.client not in document.cursors, AT_ONCE_SECONDS)


# Names.


# What databases, templates, formatters, shells, browsers and spreadsheets make more of than text.
TRICKY: Final = (
    "{0.__class__}",
    "{actor.__init__.__globals__}",
    "%s%s%n %(name)s",
    "${jndi:ldap://x}",
    "'; DROP TABLE record; --",
    '" OR "1"="1',
    "$$; DROP TABLE record; $$",
    "\\",
    "\\u0000 \\x00 \\n",
    "%_%",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "=1+1",
    "@SUM(1)",
    "null",
    "__proto__",
    "../../etc/passwd",
)


async def test_names_and_titles_are_no_more_than_text(people: Witnesses) -> None:
    by, url = await somebody(people), people.server.url
    room = f"titled-{next(_numbers)}"
    await asyncio.to_thread(by.create_room, room)
    socket = await RawSocket.connect(url, room, by=by)
    async with socket, people.undisturbed(socket):
        await socket.greet("tricky")
        for text in TRICKY:
            changed = await ask(url, "PATCH", "/api/profile", token=by.token, body={"name": text})
            assert changed.json["name"] == text
            assert (await _next(socket, "profile"))["name"] == text
            titled = await ask(url, "PATCH", f"/api/rooms/{room}", token=by.token, body={"title": text})
            assert titled.json["title"] == text
            assert (await _next(socket, "room_renamed"))["title"] == text
            await socket.send_json(type="post", ref=1, message=f"m-{next(_numbers)}", text=text)
            assert (await _next(socket, "message"))["text"] == text
        for text in TRICKY:
            assert text not in people.server.output


async def _next(socket: RawSocket, kind: str) -> dict[str, Any]:
    """The next event of a kind."""
    while True:
        frame = await socket.receive_json()
        assert frame["type"] != "error", frame
        for event in frame.get("events", ()):
            if event["event"] == kind:
                found: dict[str, Any] = event
                return found


async def test_a_text_is_found_by_what_it_is_and_not_by_what_it_could_mean(people: Witnesses) -> None:
    by, url = await somebody(people), people.server.url
    async with people.undisturbed():
        changed = await ask(url, "PATCH", "/api/profile", token=by.token, body={"name": "%_'\\ $$ {x}"})
        assert changed.status == 200

        async def found(prefix: str) -> set[str]:
            path = f"/api/profiles?prefix={quote(prefix, safe='')}"
            profiles = (await ask(url, "GET", path, token=by.token)).json["profiles"]
            return {profile["user"] for profile in profiles}

        async with asyncio.timeout(AT_ONCE_SECONDS):
            while by.user not in await found("%_'\\ $$"):
                pass
        assert await found("%") == await found("%_") == {by.user}
        for prefix in ("_", "__", "%%", "' OR '1'='1", "\\", ".*", "(a+)+$", "{", "$$"):
            assert by.user not in await found(prefix)


BAD_NAMES: Final = {
    "nothing": "",
    "blanks": "  ",
    "10 KB": "n" * 10_000,
    "a zero-width space": "Witness\u200b 1",
    "an override": "Witness\u202e 1",
    "isolates": "\u2066Witness 1\u2069",
    "a line end": "Witness\n1",
    "an escape": "\x1b[31mWitness",
    "NUL": "Witness\x00",
    "a byte order mark": "\ufeffWitness",
    "500 marks": "e" + "\u0301" * 500,
    "a mark alone": "\u0301x",
    "half an emoji": "\ud83d",
    "a filler": "\u3164",
}


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
async def test_a_name_that_hides_something_is_refused(people: Witnesses, name: str) -> None:
    by, url = await somebody(people), people.server.url
    before = (await ask(url, "GET", "/api/me", token=by.token)).json
    async with people.undisturbed():
        for method, path, body in (
            ("PATCH", "/api/profile", {"name": name}),
            ("POST", "/api/guests", {"name": name}),
            ("POST", "/api/rooms", {"room": f"r-{next(_numbers)}", "title": name}),
        ):
            refused = await ask(url, method, path, token=by.token, body=body)
            assert refused.status == 422, (method, path)
            assert refused.code in {"E_SCHEMA", "E_TEXT", "E_JSON"}
        assert (await ask(url, "GET", "/api/me", token=by.token)).json == before


async def test_looks_load_nothing_and_run_nothing(people: Witnesses) -> None:
    by, url = await somebody(people), people.server.url
    async with people.undisturbed():
        for looks in (
            {"colour": "red"},
            {"colour": "#12345"},
            {"colour": "url(x)"},
            {"colour": "#fff;}"},
            {"avatar": "javascript:alert(1)"},
            {"avatar": "data:image/svg+xml,<svg onload=alert(1)>"},
            {"avatar": "http://example.org/plain.png"},
            {"avatar": "//example.org/x.png"},
            {"avatar": "https://user:password@example.org/x.png"},
            {"avatar": "https://example.org/\nx"},
            {"avatar": "https://" + "x" * 10_000},
            {"user": people.host.user},
            {"is_admin": True},
        ):
            refused = await ask(url, "PATCH", "/api/profile", token=by.token, body=looks)
            assert refused.status == 422, looks


async def test_presence_of_another_room_is_not_shown(people: Witnesses) -> None:
    seen: list[Any] = []
    socket = await entered(people, await somebody(people), OTHER_ROOM)
    async with socket, people.undisturbed(socket):
        for kind in ("presence", "joined", "person_status"):
            people.here.clients[0].on(kind, seen.append)
        await socket.send(cursor(7, 1))
        await socket.ask(type="status", status="away")
        await until(lambda: socket.client in people.pairs[1].documents[0].cursors, AT_ONCE_SECONDS)
        assert seen == []
