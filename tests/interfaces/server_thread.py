"""A server in this process, in a thread of its own, so that plain tests can ask it and break its parts."""

from __future__ import annotations

import asyncio
import http.client
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import orjson

from infrastructure.settings import Settings
from interfaces.server import Server, open_server

Result = TypeVar("Result")

# Of these tests alone.
CHECKPOINT_KEY = Path(__file__).parents[1] / "fixtures" / "checkpoint.pem"

# Starting takes a second; draining waits for sockets that tests have left open.
START_SECONDS = 60.0
CALL_SECONDS = 30.0


class Answer(NamedTuple):
    """What the server said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class ServerThread:
    """A server on an event loop of its own; without `settings` one in development that signs checkpoints."""

    def __init__(self, conninfo: str, settings: Settings | None = None) -> None:
        self.conninfo = conninfo
        self._settings = settings or Settings(port=0, drain_seconds=2, checkpoint_key=CHECKPOINT_KEY)
        self._started: Future[Server] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            async with open_server(self._settings, self.conninfo) as server:
                self._started.set_result(server)
                await self._stop.wait()
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    def start(self) -> None:
        self._thread.start()
        self.server = self._started.result(START_SECONDS)
        self.url = self.server.url

    def stop(self) -> None:
        """Drain and end; once is enough."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(START_SECONDS)

    def call(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine where the server lives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS)

    def set_clock(self, seconds: float) -> None:
        """From here on it is this moment for all that counts how often somebody asks."""
        object.__setattr__(self.server.services, "monotonic", lambda: seconds)

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request. A `body` that is no bytes is sent as JSON."""
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=CALL_SECONDS)
        try:
            data = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
            connection.request(method, path, data, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, body: Any = None) -> Answer:
        return self.ask("POST", path, body)

    def sign_in(self, name: str = "Guest") -> dict[str, str]:
        """The headers of a new guest."""
        return self.guest(name).headers

    def guest(self, name: str = "Guest") -> Somebody:
        made = self.post("/api/guests", {"name": name})
        assert made.status == 201, made
        return Somebody(self, made.json["user"], {"Authorization": f"Bearer {made.json['token']}"})

    def with_token(self, user: str, address: str, *, is_admin: bool = False) -> Somebody:
        """Somebody with a token that this server has signed, who comes from `address` through a proxy."""
        token = self.server.tokens.sign(user, lifetime=timedelta(hours=1), is_admin=is_admin)
        return Somebody(self, user, {"Authorization": f"Bearer {token}", "X-Forwarded-For": address})


@dataclass(frozen=True)
class Somebody:
    """A user at a server, and what they send with every request."""

    server: ServerThread
    user: str
    headers: dict[str, str]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """`headers` are written with underscores: `If_Match="…"`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.ask(method, path, body, self.headers | given)

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.ask("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        return self.ask("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Answer:
        return self.ask("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self.ask("DELETE", path, **headers)

    def make_room(self, **members: str) -> str:
        """The id of a new room of theirs, with "main.md" in it and `members` in their roles."""
        room = str(self.post("/api/rooms", {}).json["room"])
        assert self.post(f"/api/rooms/{room}/documents", {"document": "main.md"}).status == 201
        for user, role in members.items():
            assert self.put(f"/api/rooms/{room}/members/{user}", {"role": role}).status == 200
        return room


def eventually(ask: Callable[[], Result], is_so: Callable[[Result], object]) -> Result:
    """The first answer that is so: of what is told a moment behind the log."""
    end = time.monotonic() + CALL_SECONDS
    while not is_so(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.02)
    return found
