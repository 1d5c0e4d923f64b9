"""Honest clients who must not notice what others do to the server, and the check that they have not."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from interfaces.pyclient.client import Client
from interfaces.pyclient.document import ClientDocument
from tests.acceptance.accounts import Accounts
from tests.acceptance.raw_sockets import INSIDES, RawSocket
from tests.guests import Guest, guest
from tests.servers import ServerProcess
from tests.waiting import until

DOCUMENT: Final = "main.md"
ATTACKED_ROOM: Final = "attacked"
OTHER_ROOM: Final = "elsewhere"

# In the text of attacks where there is one: it must not come up in the server's output.
CANARY: Final = "qUvZx-canary"

EXCHANGE_SECONDS: Final = 1.0
MEMORY_BYTES: Final = 20_000_000

# What a client is told when something is wrong with it or its connection.
TROUBLE: Final = ("status", "reset", "unsent", "refused", "edit_refused", "command_refused", "welcome")


class Pair:
    """Two clients with one document in one room."""

    def __init__(self, room: str, clients: Sequence[Client], documents: Sequence[ClientDocument]) -> None:
        self.room = room
        self.documents = documents
        self.clients = clients
        self.edits = 0
        self.troubles: list[Any] = []
        self.left: list[Any] = []
        self.messages: list[Any] = []
        for client in clients:
            for kind in TROUBLE:
                client.on(kind, self.troubles.append)
        clients[0].on("left", self.left.append)
        clients[0].on("message", self.messages.append)

    async def exchange(self) -> float:
        """Each edits and the other one sees it; returns the slower of the two, in seconds."""
        slower = 0.0
        for writer, reader in (self.documents, self.documents[::-1]):
            revision = reader.revision
            began = time.monotonic()
            writer.insert(len(writer), ".")
            self.edits += 1
            async with asyncio.timeout(EXCHANGE_SECONDS):
                await writer.saved()
            await until(lambda: reader.revision > revision, EXCHANGE_SECONDS)  # noqa: B023 -- awaited here
            slower = max(slower, time.monotonic() - began)
        return slower


class Witnesses:
    """A pair in the room and document that is attacked, and a pair in another room."""

    def __init__(self, server: ServerProcess, pairs: Sequence[Pair], host: Guest) -> None:
        self.server = server
        self.host = host
        """Whose rooms these are."""
        self.pairs = pairs
        self.here = pairs[0]

    @asynccontextmanager
    async def undisturbed(self, *attackers: RawSocket) -> AsyncIterator[None]:
        """What happens in the block is noticed by nobody else, changes nothing and fills no memory.

        Not by the documents of the witnesses, that is; an attack may have one of its own.
        """
        before = [pair.documents[0].revision - pair.edits for pair in self.pairs]
        memory = self._memory()
        yield
        for pair, others in zip(self.pairs, before, strict=True):
            await pair.exchange()
            assert pair.troubles == []
            assert pair.messages == []
            stored = await asyncio.to_thread(self._stored, pair.room)
            assert stored["revision"] - pair.edits == others
            assert {stored["text"]} == {document.text for document in pair.documents}
        assert self._memory() - memory < MEMORY_BYTES
        self._check_silence(attackers)

    def _check_silence(self, attackers: Sequence[RawSocket]) -> None:
        """The server tells nobody of its inside, and its log nothing of what people write."""
        output = self.server.output
        assert "Traceback" not in output
        assert CANARY not in output
        for heard in (payload for attacker in attackers for payload in attacker.heard):
            assert not any(inside in heard for inside in INSIDES), heard[:1_000]

    def _memory(self) -> int:
        """The resident bytes of the server."""
        pages = int(Path(f"/proc/{self.server.pid}/statm").read_text().split()[1])
        return pages * 4096

    def _stored(self, room: str) -> dict[str, Any]:
        assert get(f"{self.server.url}/healthz") == {"status": "ok"}
        found: dict[str, Any] = self.host.ask("GET", f"/api/rooms/{room}/documents/{DOCUMENT}")
        return found

    @asynccontextmanager
    async def exchanging(self) -> AsyncIterator[list[float]]:
        """Let the pair in the other room exchange again and again during the block; gives the seconds."""
        found: list[float] = []
        stop = asyncio.Event()

        async def exchange_on() -> None:
            while not stop.is_set():
                found.append(await self.pairs[1].exchange())

        exchanges = asyncio.create_task(exchange_on())
        try:
            yield found
        finally:
            stop.set()
            await exchanges


def get(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=10) as response:
        found: dict[str, Any] = json.loads(response.read())
        return found


@asynccontextmanager
async def witnesses(server: ServerProcess, accounts: Accounts | None = None) -> AsyncIterator[Witnesses]:
    """Guests, where there are no `accounts`."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        pairs = []
        host = accounts.user("host") if accounts else await _host(server.url)
        for room in (ATTACKED_ROOM, OTHER_ROOM):
            await asyncio.to_thread(host.create_room, room)
            clients = []
            for name in ("Witness 1", "Witness 2"):
                user = name.replace(" ", "-").lower()
                token = accounts.token(user, name=name) if accounts else None
                clients.append(Client(server.url, room, name=name, token=token, http=http))
            for client in clients:
                await stack.enter_async_context(client)
            documents = [await client.open(DOCUMENT, create=True) for client in clients]
            documents[0].insert(0, "Seen by all. \N{GRINNING FACE}")
            await documents[0].saved()
            pairs.append(Pair(room, clients, documents))
        yield Witnesses(server, pairs, host)


# By server, whose rooms are the host's for as long as it runs.
_hosts: Final[dict[str, Guest]] = {}


async def _host(url: str) -> Guest:
    if url not in _hosts:
        _hosts[url] = await asyncio.to_thread(guest, url, "Host")
    return _hosts[url]
