"""A load run from beginning to end: everybody connects, plays, waits for the others, and compares."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any, Final

import aiohttp

from interfaces.load.board import Board
from interfaces.load.client import LoadClient
from interfaces.load.failures import LoadFailed
from interfaces.load.figures import Latencies, percentiles
from interfaces.load.players import Player, TracePlayer, Typist, until
from interfaces.load.traces import Trace, barriers
from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.errors import NotLetIn

# Longer than a server takes to start again, a client's longest wait before it connects again included.
STALL_SECONDS: Final = 90.0

# How often progress is looked at.
LOOK_SECONDS: Final = 0.1

HTTP_SECONDS: Final = 30.0

OnProgress = Callable[[int], None]


@dataclass
class Part:
    """Some players in one document. `sha256` is that of the text they must end with, where it is known."""

    document: str
    name: str
    edits: int
    sha256: str | None = None
    players: list[Player] = field(default_factory=list)
    latencies: Latencies = field(default_factory=Latencies)

    @property
    def clients(self) -> list[LoadClient]:
        return [player.client for player in self.players]

    @property
    def revision(self) -> int:
        """The newest that one of its clients has."""
        return max(client.replica.revision for client in self.clients)


class LoadRun:
    """One run against one or several nodes of a server. Used once, as

    run = LoadRun(urls, room); run.add_trace(…); report = await run.run(on_progress)
    """

    def __init__(self, urls: Sequence[str], room: str, *, token: str | None = None) -> None:
        """With a `token` everybody is its user; without, each is a guest."""
        self.parts: list[Part] = []
        self._urls = [url.rstrip("/") for url in urls]
        self._room = room
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(HTTP_SECONDS)
        )
        # A client's numbers and places belong to it for ever: each run has clients of its own.
        self._run = secrets.token_hex(4)
        self._token = token
        self._credentials = Credentials(name="load", token=token)
        self._clients = 0

    # What to play.

    def add_trace(self, trace: Trace, document: str, speed: float | None = None) -> None:
        part = Part(document, trace.name, len(trace.lines), trace.sha256)
        board = Board(trace.lines)
        order = barriers(trace.lines)
        for agent in trace.agents:
            lines = [line for line in trace.lines if line.agent == agent]
            client = self._client(part, f"{trace.name}-{agent}")
            part.players.append(TracePlayer(client, lines, order, board, speed))
        self.parts.append(part)

    def add_typing(
        self, clients: int, edits: int, document: str, rate: float | None = None, seed: str = ""
    ) -> None:
        """`clients` that make `edits` random edits each."""
        part = Part(document, "typing", clients * edits)
        for number in range(clients):
            client = self._client(part, f"typist-{number}")
            part.players.append(Typist(client, edits, rate, f"{seed}/{number}"))
        self.parts.append(part)

    def _client(self, part: Part, name: str) -> LoadClient:
        # A trace's name comes from a file that somebody else has written.
        letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)[:40]
        self._clients += 1
        client = f"{letters}-{self._run}-{self._clients}"
        own = self._clients % len(self._urls)
        urls = [*self._urls[own:], *self._urls[:own]]
        credentials = self._credentials if self._token else Credentials(name=letters)
        return LoadClient(self._http, urls, self._room, part.document, client, credentials, part.latencies)

    @property
    def edits(self) -> int:
        return sum(part.edits for part in self.parts)

    @property
    def players(self) -> list[Player]:
        return [player for part in self.parts for player in part.players]

    @property
    def clients(self) -> list[LoadClient]:
        return [player.client for player in self.players]

    # Playing.

    async def run(self, on_progress: OnProgress = lambda edits: None) -> dict[str, Any]:
        """The report. Raises `LoadFailed`."""
        async with self._http, self._connected():
            began = time.monotonic()
            await self._watched([player.play(began) for player in self.players], on_progress)
            await self._watched([self._converge(part) for part in self.parts], on_progress)
            seconds = time.monotonic() - began
            documents = [await self._agreement(part) for part in self.parts]
            return self._report(seconds, documents)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        """Everybody in their documents, which must be new, until the end of the block."""
        await self._create_room()
        try:
            await self._watched([client.connect() for client in self.clients])
            for part in self.parts:
                if part.revision:
                    raise LoadFailed(f"{part.document} is not empty: choose another document or room")
            yield
        finally:
            await asyncio.gather(*(client.disconnect() for client in self.clients))

    async def _create_room(self) -> None:
        body = {"room": self._room, "everyone": "editor"}
        url = self._urls[0]
        try:
            headers = await self._credentials.headers(self._http, url)
            async with self._http.post(f"{url}/api/rooms", json=body, headers=headers) as response:
                if response.status != 201:
                    raise LoadFailed(f"no room {self._room!r}: {await response.text()}")
        except NotLetIn as error:
            raise LoadFailed(f"{url} does not let us in: {error}") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise LoadFailed(f"no answer from {url}: {error}") from error

    async def _watched(
        self, works: Sequence[Coroutine[Any, Any, None]], on_progress: OnProgress = lambda edits: None
    ) -> None:
        """Wait for all of `works`, as long as something moves. Raises the first failure."""
        tasks = [asyncio.ensure_future(work) for work in works]
        pending = set(tasks)
        moved_at, seen = time.monotonic(), -1
        try:
            while pending:
                done, pending = await asyncio.wait(
                    pending, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_EXCEPTION
                )
                for task in done:
                    task.result()
                state = sum(client.revision for client in self.clients)
                if state != seen or any(player.is_pausing for player in self.players):
                    moved_at, seen = time.monotonic(), state
                elif time.monotonic() - moved_at > STALL_SECONDS:
                    raise LoadFailed(f"nothing has moved for {STALL_SECONDS:.0f} s")
                on_progress(sum(player.written for player in self.players))
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)  # one failure is told, not fifty

    # Comparing.

    async def _converge(self, part: Part) -> None:
        """Everybody has everything. Called when all have been acknowledged."""
        target = part.revision
        for client in part.clients:
            await until(client, partial(client.has, target))

    async def _agreement(self, part: Part) -> dict[str, Any]:
        """What all copies are. Raises `LoadFailed` where one is different."""
        first = part.clients[0]
        text, revision = first.replica.text, first.replica.revision
        for client in part.clients[1:]:
            compare(f"{client.id} and {first.id}", client.replica.text, text)
        for url in self._urls:
            compare(f"{url} and the clients", await self._text_at(url, part.document, revision), text)
        digest = sha256(text.encode()).hexdigest()
        if part.sha256 not in {None, digest}:
            raise LoadFailed(f"{part.document} ends with sha256 {digest}, recorded was {part.sha256}")
        return {
            "document": part.document,
            "name": part.name,
            "clients": len(part.clients),
            "edits": part.edits,
            "revision": revision,
            "length": len(text),
            "sha256": digest,
            "is_as_recorded": None if part.sha256 is None else True,
        }

    async def _text_at(self, url: str, document: str, revision: int) -> str:
        address = f"{url}/api/rooms/{self._room}/documents/{document}"
        try:
            headers = await self._credentials.headers(self._http, url)
            parameters = {"revision": revision}
            async with self._http.get(address, params=parameters, headers=headers) as response:
                if response.status != 200:
                    raise LoadFailed(f"{url} does not show {document}: {await response.text()}")
                return str((await response.json())["text"])
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise LoadFailed(f"no answer from {url}: {error}") from error

    def _report(self, seconds: float, documents: list[dict[str, Any]]) -> dict[str, Any]:
        latencies = [part.latencies for part in self.parts]
        return {
            "room": self._room,
            "clients": len(self.clients),
            "edits": self.edits,
            "seconds": round(seconds, 3),
            "edits_per_second": round(self.edits / seconds, 1),
            "ack_ms": percentiles([s for part in latencies for s in part.ack_seconds]),
            "peer_ms": percentiles([s for part in latencies for s in part.peer_seconds]),
            "sent_bytes": sum(client.sent_bytes for client in self.clients),
            "received_bytes": sum(client.received_bytes for client in self.clients),
            "documents": documents,
        }


def compare(whose: str, one: str, other: str) -> None:
    """Raise `LoadFailed`, with the first place where they differ, unless two texts are the same."""
    if one != other:
        place = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
        where = min(len(one), len(other)) if place is None else place
        raise LoadFailed(
            f"the texts of {whose} differ from code point {where} on (lengths {len(one)} and {len(other)})"
        )
