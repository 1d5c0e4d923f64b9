"""What comes before a socket is a session: connections, headers, hosts, origins, bodies. Refused at the
door, in time, and noticed by nobody else.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Iterator
from typing import Final
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.acceptance.raw_sockets import connect_tcp, exchange, upgrade
from tests.acceptance.witnesses import ATTACKED_ROOM, CANARY, Witnesses, witnesses
from tests.guests import Guest
from tests.servers import ServerProcess, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

SILENT: Final = 500

# Ten seconds are given to a request, and to a body; then some, for a machine that does other things too.
REQUEST_SECONDS: Final = 13.0


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(server: ServerProcess) -> AsyncIterator[Witnesses]:
    async with witnesses(server) as people:
        yield people


# Whose page is asking, and what it believes to be asking.


FOREIGN_ORIGINS: Final = (
    "https://evil.example",
    "null",
    "http://{host}.evil.example",
    "http://evil.example/{host}",
    "https://{host}",
    "HTTP://{host}",
    "http://{name}",
    "http://{name}:1",
    "http://{name}.:{port}",
    "http://user@{host}",
    "http://{host}/",
    "http://{host} http://evil.example",
    "http://localhost:{port}",
)


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
async def test_a_foreign_page_cannot_open_a_socket_or_ask_anything(people: Witnesses, origin: str) -> None:
    url = people.server.url
    parts = urlsplit(url)
    origin = origin.format(host=parts.netloc, name=parts.hostname, port=parts.port)
    async with people.undisturbed():
        assert (await exchange(url, upgrade(url, f"/ws/{ATTACKED_ROOM}", Origin=origin)))[0] == 403
        assert (await exchange(url, request(url, "GET /api/rooms", f"Origin: {origin}")))[0] == 403
        assert (await exchange(url, request(url, "GET /metrics", f"Origin: {origin}")))[0] == 403


FOREIGN_HOSTS: Final = (
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1.evil.example:{port}",
    "localhost.:{port}",
    "localhost.evil.example",
    "0.0.0.0:{port}",
    "127.0.0.1:{port}@evil.example",
    "127.0.0.1:80:80",
    "[::1",
    "169.254.169.254",
)


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
async def test_a_foreign_name_for_this_machine_is_refused(people: Witnesses, host: str) -> None:
    """A page that had its own name point to us, after it was loaded, would come by that name."""
    url = people.server.url
    host = host.format(port=urlsplit(url).port)
    async with people.undisturbed():
        assert (await exchange(url, upgrade(url, f"/ws/{ATTACKED_ROOM}", Host=host)))[0] in {400, 403}
        own = upgrade(url, f"/ws/{ATTACKED_ROOM}", Host=host, Origin=f"http://{host}")
        assert (await exchange(url, own))[0] in {400, 403}


async def test_own_pages_and_programs_may_open_sockets(people: Witnesses) -> None:
    url = people.server.url
    port = urlsplit(url).port
    for host in (urlsplit(url).netloc, f"localhost:{port}"):
        for origin in (f"http://{host}", ""):
            asked = upgrade(url, f"/ws/{ATTACKED_ROOM}", Host=host, Origin=origin)
            assert (await exchange(url, asked))[0] == 101


# Requests that are none.


def request(url: str, line: str, *headers: str, body: bytes = b"", by: Guest | None = None) -> bytes:
    fields = [f"Host: {urlsplit(url).netloc}", *headers]
    if by is not None:
        fields.append(f"Authorization: Bearer {by.token}")
    return "\r\n".join([f"{line} HTTP/1.1", *fields, "", ""]).encode() + body


async def test_too_long_or_too_many_headers_are_refused(people: Witnesses) -> None:
    url = people.server.url
    async with people.undisturbed():
        for bad in (
            request(url, "GET /healthz", "X: " + CANARY * 1_000),
            request(url, "GET /healthz", *(f"X-{n}: {CANARY}" for n in range(200))),
            request(url, f"GET /{CANARY * 1_000}"),
            request(url, "GET /healthz", f"X: {CANARY}\x00"),
            b"\x16\x03\x01\x02\x00" + CANARY.encode() * 10,
        ):
            assert (await exchange(url, bad))[0] in {400, 414, 431}


async def test_a_request_with_two_lengths_is_refused(people: Witnesses) -> None:
    """Two readers of such a request could see two different ones."""
    url = people.server.url
    both = ("Content-Length: 5", "Transfer-Encoding: chunked")
    twice = ("Content-Length: 5", "Content-Length: 6")
    async with people.undisturbed():
        for by in (people.host, None):
            bad = request(url, "POST /api/rooms", *both, body=b"0\r\n\r\n", by=by)
            assert (await exchange(url, bad))[0] == 400
            bad = request(url, "POST /api/rooms", *twice, body=b"abcdef", by=by)
            assert (await exchange(url, bad))[0] == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_WebSocket_Version": "12"},
        {"Sec_WebSocket_Version": ""},
        {"Sec_WebSocket_Key": ""},
        {"Sec_WebSocket_Key": "too short"},
        {"Upgrade": "notwebsocket"},
        {"Upgrade": ""},
        {"Connection": "keep-alive"},
    ],
    ids=str,
)
async def test_an_upgrade_that_is_none_is_refused(people: Witnesses, headers: dict[str, str]) -> None:
    url = people.server.url
    async with people.undisturbed():
        status, _ = await exchange(url, upgrade(url, f"/ws/{ATTACKED_ROOM}", **headers))
        assert status in {400, 426}


@pytest.mark.parametrize(
    "path",
    [
        "/ws/..%2f..%2fetc",
        "/ws/%2e%2e",
        "/ws/room%00",
        f"/ws/{CANARY}%0d%0aX:%20y",
        "/ws/r%C3%B6%C3%B6m",
        "/ws/" + "r" * 300,
        "/ws/",
        "/api/rooms/%2e%2e/documents",
        "/api/rooms/attacked/documents/..%2f..%2fmain.md",
        "/api/rooms/attacked/documents/" + "d" * 300,
        "/nothing",
    ],
)
async def test_a_path_to_nowhere_is_not_found(people: Witnesses, path: str) -> None:
    url = people.server.url
    async with people.undisturbed():
        found = upgrade(url, path, Authorization=f"Bearer {people.host.token}")
        assert (await exchange(url, found))[0] in {400, 404}
        # A stranger is asked first who it is.
        assert (await exchange(url, upgrade(url, path)))[0] in {400, 401, 404}


async def test_what_an_upgrade_offers_is_not_logged(people: Witnesses) -> None:
    url = people.server.url
    async with people.undisturbed():
        offer = upgrade(url, f"/ws/{ATTACKED_ROOM}", Sec_WebSocket_Protocol=f"ticket.{CANARY}")
        assert (await exchange(url, offer))[0] == 101


async def test_a_broken_body_is_its_senders_fault(people: Witnesses) -> None:
    url = people.server.url
    chunked, packed = "Transfer-Encoding: chunked", "Content-Encoding: gzip"
    length = f"Content-Length: {len(CANARY)}"
    bodies: dict[bytes, tuple[str, ...]] = {
        f"{CANARY}\r\n".encode(): (chunked,),
        b"5\r\n{}\r\n0\r\n\r\n": (chunked,),
        CANARY.encode(): (packed, length),
        b'{"room"': ("Content-Length: 7",),
        b"\xff\xfe": ("Content-Length: 2",),
    }
    async with people.undisturbed():
        for body, headers in bodies.items():
            bad = request(url, "POST /api/rooms", *headers, body=body, by=people.host)
            assert (await exchange(url, bad))[0] in {400, 422}


async def test_a_body_beyond_the_limit_is_refused_and_not_kept(people: Witnesses) -> None:
    url = people.server.url
    big = b'{"room":"' + CANARY.encode() * 200_000 + b'"}'
    bomb = gzip.compress(b"x" * 100_000_000, 9)
    assert len(bomb) < 1_000_000 < len(big)
    length, packed = f"Content-Length: {len(big)}", f"Content-Length: {len(bomb)}"
    async with people.undisturbed():
        host = people.host
        sent = request(url, "POST /api/rooms", length, body=big, by=host)
        assert (await exchange(url, sent))[0] == 413
        zipped = request(url, "POST /api/rooms", packed, "Content-Encoding: gzip", body=bomb, by=host)
        assert (await exchange(url, zipped))[0] in {400, 413, 422}
        assert (await exchange(url, request(url, "POST /api/rooms", length, body=big)))[0] == 401


# Those who take their time.


@pytest.mark.slow
async def test_connections_that_ask_nothing_are_ended(people: Witnesses) -> None:
    """Silent ones, and ones that send a header, or a body, a byte at a time."""
    url = people.server.url
    async with people.undisturbed():
        silent = [await connect_tcp(url) for _ in range(SILENT)]
        began = time.monotonic()
        body = request(url, "POST /api/rooms", "Content-Length: 1000", by=people.host)
        drips = [
            asyncio.create_task(_drip(url, request(url, "GET /healthz")[:-2] + b"X: ")),
            asyncio.create_task(_drip(url, body)),
        ]
        async with asyncio.timeout(REQUEST_SECONDS):
            for reader, _ in silent:
                assert await reader.read() == b""
        print(f"{SILENT} silent ones were ended after {time.monotonic() - began:.1f} s")
        header, late = [await drip for drip in drips]
        assert header == b""
        assert late.startswith(b"HTTP/1.1 408 ")
        for _, writer in silent:
            writer.close()


async def _drip(url: str, beginning: bytes) -> bytes:
    """Send a byte every now and then after a `beginning`; returns the first that the server has to say."""
    reader, writer = await connect_tcp(url)
    writer.write(beginning)
    answer = asyncio.create_task(reader.read(65_536))
    async with asyncio.timeout(REQUEST_SECONDS):
        while not answer.done():
            writer.write(b"x")
            await asyncio.wait([answer], timeout=0.25)
    writer.close()
    try:
        return answer.result()
    except ConnectionError:
        return b""
