"""A server in this process, in a thread of its own, so that plain tests can ask it and break its parts."""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import orjson

from infrastructure.settings import Settings
from interfaces.server import Server, open_server

Result = TypeVar("Result")

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
    """A server on an event loop of its own."""

    def __init__(self, conninfo: str) -> None:
        self.conninfo = conninfo
        self._started: Future[Server] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            async with open_server(Settings(port=0, drain_seconds=2), self.conninfo) as server:
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

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """One request. A `body` that is no bytes is sent as JSON."""
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=CALL_SECONDS)
        try:
            data = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
            connection.request(method, path, data, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, body: Any) -> Answer:
        return self.ask("POST", path, body)
