"""A real server to measure, clients that cost little, and the figures of a run.

The server runs on the first core and the load on the second one; Postgres goes where the kernel
puts it. The clients keep the length of the text and no text, so that what is measured is the
server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from infrastructure.embedded_postgres import EmbeddedPostgres
from infrastructure.postgres.database import Connection, Database
from infrastructure.postgres.migrations import migrate
from interfaces.pyclient.credentials import Credentials

TICKS: Final = os.sysconf("SC_CLK_TCK")
SUBPROTOCOL: Final = "chronoscribe.v1"
START_SECONDS: Final = 30.0
SERVER: Final = "interfaces.cli.main serve"
FLOOR: Final = "tests.benchmarks.floor"


def cpu_seconds(pid: int) -> float:
    """User and system time of one process, its dead children included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def memory_bytes(pid: int) -> int:
    """Resident memory of one process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
    return found


@dataclass
class Machine:
    """A server on its own Postgres."""

    postgres: EmbeddedPostgres
    dsn: str
    process: subprocess.Popen[str]
    url: str
    module: str

    @property
    def pid(self) -> int:
        return self.process.pid

    def postgres_cpu(self) -> float:
        postmaster = self.postgres.processes()[0]
        return cpu_seconds(postmaster) + sum(map(cpu_seconds, children(postmaster)))

    def restart(self, signal_number: int = signal.SIGTERM) -> None:
        """End the server by a signal and start it again on the same port."""
        self.process.send_signal(signal_number)
        self.process.wait(30)
        self.process, self.url = start_server(self.dsn, self.module, self.url.rpartition(":")[2])


def start_server(dsn: str, module: str = SERVER, port: str = "0") -> tuple[subprocess.Popen[str], str]:
    """A server process on the first core, and where it listens."""
    environment = {
        **os.environ,
        "DATABASE_URL": dsn,
        "CHRONOSCRIBE_PORT": port,
        "CHRONOSCRIBE_EDITS_PER_SECOND": "100000",
        "CHRONOSCRIBE_FRAMES_PER_SECOND": "100000",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", *module.split()],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=sys.stderr,
        text=True,
    )
    os.sched_setaffinity(process.pid, {0})
    deadline = time.monotonic() + START_SECONDS
    assert process.stdout is not None
    while time.monotonic() < deadline:
        line = process.stdout.readline()
        if "listening on" in line:
            return process, line.split("listening on ")[1].split()[0]
    raise RuntimeError("the server did not start")


@contextlib.contextmanager
def machine(module: str = SERVER) -> Any:
    """A fresh Postgres with default durability, and `module` as the server on it."""
    home = Path(tempfile.mkdtemp(prefix="chronoscribe-bench-", dir=os.environ.get("BENCHMARK_FOLDER")))
    postgres = EmbeddedPostgres(home)
    dsn = postgres.start()
    try:
        process, url = start_server(dsn, module)
        running = Machine(postgres, dsn, process, url, module)
        try:
            yield running
        finally:
            running.process.terminate()
            running.process.wait(30)
    finally:
        postgres.stop()
    subprocess.run(["rm", "-rf", str(home)], check=False)


@dataclass
class Figures:
    """Latencies in milliseconds, and counts."""

    latencies: list[float] = field(default_factory=list)
    acks: list[float] = field(default_factory=list)
    edits: int = 0
    frames: int = 0
    received_bytes: int = 0

    def summary(self) -> dict[str, float]:
        return {
            "p50_ms": percentile(self.latencies, 50),
            "p99_ms": percentile(self.latencies, 99),
            "ack_p50_ms": percentile(self.acks, 50),
            "ack_p99_ms": percentile(self.acks, 99),
            "edits": self.edits,
        }


@contextlib.asynccontextmanager
async def store_alone(running: Machine) -> AsyncIterator[tuple[Database, Connection]]:
    """The Postgres of a machine, without its server, whose projections would take part of the machine."""
    running.process.terminate()
    running.process.wait(30)
    database = Database(running.dsn)
    await database.open()
    try:
        connection = await database.connect("benchmark")
        await migrate(connection)
        yield database, connection
        await connection.close()
    finally:
        await database.close()


def percentile(values: Sequence[float], percent: int) -> float:
    if len(values) < 2:
        return round(values[0], 2) if values else 0.0
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 2)


class Typist:
    """One client: knows the revision and the length, types one character at a time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, name: str, figures: Figures) -> None:
        self.socket = socket
        self.name = name
        self.figures = figures
        self.document = ""
        self.revision = 0
        self.length = 0
        self.seq = 0
        self.sent_at = 0.0
        self.on_ack: Callable[[], Awaitable[None]] | None = None
        self.on_message: Callable[[Typist, dict[str, Any], float], None] | None = None
        self.on_statistics: Callable[[dict[str, Any], float], None] | None = None
        self.random = random.Random(name)
        self.ref = 10

    async def request(self, **frame: Any) -> dict[str, Any]:
        """Send a request and read until its reply."""
        self.ref += 1
        await self.socket.send_str(orjson.dumps({**frame, "ref": self.ref}).decode())
        while True:
            answer = orjson.loads((await self.socket.receive()).data)
            if answer.get("ref") == self.ref:
                return dict(answer)

    async def begin(self, document: str | None) -> None:
        await self.request(type="hello", protocol=1, client=self.name)
        if document is not None:
            self.document = document
            opened = await self.request(type="open", document=document, create=True)
            self.revision, self.length, self.seq = opened["revision"], len(opened["text"]), opened["seq"]

    async def type(self) -> None:
        """Send an edit; not when one is outstanding."""
        if self.sent_at:
            return
        self.seq += 1
        self.ref += 1
        position = self.random.randint(0, self.length)
        op: list[Any] = [position, "x"] if position else ["x"]
        self.sent_at = time.perf_counter()
        SENT[self.name, self.seq] = self.sent_at
        await self.socket.send_str(
            orjson.dumps(
                {
                    "type": "edit",
                    "ref": self.ref,
                    "document": self.document,
                    "seq": self.seq,
                    "base": self.revision,
                    "op": op,
                }
            ).decode()
        )

    async def run(self) -> None:
        """Take frames in until cancelled."""
        while True:
            message = await self.socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            now = time.perf_counter()
            frame = orjson.loads(message.data)
            self.figures.frames += 1
            self.figures.received_bytes += len(message.data)
            if frame["type"] == "events":
                for event in frame["events"]:
                    if event["event"] == "edit" and event["document"] == self.document:
                        await self._on_edit(event, now)
                    elif event["event"] == "message" and self.on_message is not None:
                        self.on_message(self, event, now)
            elif frame["type"] == "presence":
                for move in frame["moves"]:
                    if move["client"] != self.name:
                        self.figures.latencies.append((now - MOVES[move["anchor"]]) * 1000)
            elif frame["type"] == "statistics" and self.on_statistics is not None:
                self.on_statistics(frame, now)
            elif frame["type"] == "ping":
                await self.socket.send_str('{"type":"pong"}')
            elif frame["type"] == "error":
                raise RuntimeError(frame)

    async def _on_edit(self, event: dict[str, Any], now: float) -> None:
        self.revision = event["revision"]
        self.length += sum(len(c) for c in event["op"] if isinstance(c, str))
        if event["client"] != self.name:
            self.figures.latencies.append((now - SENT[event["client"], event["seq"]]) * 1000)
            return
        self.figures.edits += 1
        self.figures.acks.append((now - self.sent_at) * 1000)
        self.sent_at = 0.0
        if self.on_ack is not None:
            await self.on_ack()


SENT: dict[tuple[str, int], float] = {}
"""When each edit was sent: all clients of a run are in this process."""


MOVES: list[float] = []
"""When each cursor move was sent; its number is its anchor."""


@contextlib.asynccontextmanager
async def typists(
    url: str, count: int, room_of: Callable[[int], str], document: str | None, prefix: str = "c"
) -> AsyncIterator[tuple[list[Typist], Figures]]:
    """`count` clients with open sockets, and their tasks."""
    figures = Figures()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        await create_rooms(http, url, {room_of(i) for i in range(count)})
        people: list[Typist] = []
        for i in range(count):
            ticket = await Credentials(name=f"{prefix}{i}").ticket(http, url)
            socket = await http.ws_connect(
                f"{url}/ws/{room_of(i)}",
                protocols=[SUBPROTOCOL, f"ticket.{ticket}"],
                max_msg_size=0,
                autoping=True,
            )
            person = Typist(socket, f"{prefix}{i}-{os.urandom(3).hex()}", figures)
            await person.begin(document)
            people.append(person)
        tasks = [asyncio.create_task(person.run()) for person in people]
        try:
            yield people, figures
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*(person.socket.close() for person in people))
            SENT.clear()
            MOVES.clear()
        # Figures of a crowd in which somebody has stopped listening would be too good.
        for end in ends:
            if isinstance(end, Exception):
                raise end


async def create_rooms(http: aiohttp.ClientSession, url: str, rooms: Iterable[str]) -> None:
    """Rooms in which everybody may edit."""
    headers = await Credentials(name="Host").headers(http, url)
    for room in sorted(rooms):
        body = {"room": room, "everyone": "editor"}
        async with http.post(f"{url}/api/rooms", json=body, headers=headers) as response:
            assert response.status == 201, await response.text()


@dataclass
class Load:
    """What a machine spent between `begin` and `end`."""

    running: Machine
    at: float = 0.0
    server: float = 0.0
    postgres: float = 0.0

    def begin(self) -> None:
        self.at = time.perf_counter()
        self.server, self.postgres = cpu_seconds(self.running.pid), self.running.postgres_cpu()

    def end(self) -> dict[str, float]:
        seconds = time.perf_counter() - self.at
        return {
            "seconds": round(seconds, 2),
            "server_cpu_percent": round(100 * (cpu_seconds(self.running.pid) - self.server) / seconds, 1),
            "postgres_cpu_percent": round(100 * (self.running.postgres_cpu() - self.postgres) / seconds, 1),
        }


def show(name: str, figures: dict[str, Any]) -> None:
    print(json.dumps({"scenario": name, **figures}), flush=True)
