"""How requests are asked over HTTP: with the token of one user, which is renewed where it is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import aiohttp
import orjson

from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.errors import Refused

Json = dict[str, Any]

# The server answers or gives up within five seconds; the rest is for the way.
ANSWER_SECONDS: Final = 15.0

# What one page of a list holds: the server's most.
PAGE: Final = 1_000

# What is told line by line may take long as a whole; each line is a sign of life, and comes within seconds.
LINE_SECONDS: Final = 30.0

# A line holds a document's text at the most, in JSON.
LINE_BYTES: Final = 16 * 1024 * 1024


class Asking:
    """Requests of one user. Everything raises `Refused` with the server's code, `NotLetIn`,
    `aiohttp.ClientError`, `TimeoutError`.
    """

    def __init__(
        self, url: str, credentials: Credentials, *, http: aiohttp.ClientSession | None = None
    ) -> None:
        """`http` is shared with others and not closed."""
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._http = http
        self._owns_http = http is None

    async def __aenter__(self) -> Self:
        if self._http is None:
            self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._owns_http and self._http is not None:
            await self._http.close()

    async def _lines(
        self, path: str, body: Json | None = None, *, query: Json | None = None
    ) -> AsyncIterator[Json]:
        """What is told line by line, while it is found. Raises `Refused` also for what breaks off."""
        assert self._http is not None, "use it with `async with`"
        token = await self._credentials.token(self._http, self._url)
        async with self._http.request(
            "GET" if body is None else "POST",
            f"{self._url}{path}",
            json=body,
            params=query,
            headers={"Authorization": f"Bearer {token}"},
            timeout=aiohttp.ClientTimeout(total=None, sock_read=LINE_SECONDS),
            read_bufsize=LINE_BYTES,
        ) as response:
            if response.status >= 400:
                problem = orjson.loads(await response.read())
                raise Refused(problem["code"], problem["detail"])
            async for line in response.content:
                told = orjson.loads(line)
                if told.get("type") == "error":
                    raise Refused(told["code"], told["detail"])
                yield told

    async def _pages(self, path: str, name: str, **query: Any) -> AsyncIterator[Json]:
        """All entries of a list, page by page."""
        while True:
            page = await self._ask("GET", path, query={"limit": PAGE, **query})
            for entry in page[name]:
                yield entry
            if page.get("next") is None:
                return
            query["after"] = page["next"]

    async def _ask(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        query: Json | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> Json:
        data = await self._ask_for_bytes(method, path, body, query=query, seconds=seconds)
        return orjson.loads(data) if data else {}

    async def _ask_for_bytes(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        query: Json | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> bytes:
        assert self._http is not None, "use it with `async with`"
        for is_last in (False, True):
            token = await self._credentials.token(self._http, self._url)
            async with (
                asyncio.timeout(seconds),
                self._http.request(
                    method,
                    f"{self._url}{path}",
                    json=body,
                    params=query,
                    headers={"Authorization": f"Bearer {token}"},
                ) as response,
            ):
                data = await response.read()
                if response.status < 400:
                    return data
                if response.status != 401 or is_last or not self._credentials.on_refused(token):
                    problem = orjson.loads(data)
                    raise Refused(problem["code"], problem["detail"])
        raise AssertionError("the second answer is the last")


def room_path(room: str) -> str:
    return f"/api/rooms/{quote(room, safe='')}"


def document_path(room: str, document: str) -> str:
    return f"{room_path(room)}/documents/{quote(document, safe='')}"


def given(**values: Any) -> Json:
    """Of a query, what is not None."""
    return {name: value for name, value in values.items() if value is not None}


def moment(**moments: datetime | None) -> Json:
    """The same of times, as a query has them."""
    return {name: moment.isoformat() for name, moment in moments.items() if moment is not None}
