"""How a client shows who it is: a token over HTTP, which buys a ticket for each socket.

Without a token of one's own one is a guest, where the server has guests: with a name, and the same person
for as long as this object lives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp

from interfaces.pyclient.errors import NotLetIn

TokenSource = Callable[[], Awaitable[str]]
"""Gives a token that is good for a while; asked again when it has ended."""

# A ticket is one small request; a node that takes longer is not the one to be at.
REQUEST_SECONDS: Final = 10.0


class Credentials:
    """One user's. May be shared by any number of clients.

    `token` is a token, or what gives one; without it, a guest called `name`.
    """

    def __init__(self, *, name: str | None = None, token: str | TokenSource | None = None) -> None:
        self._name = name
        self._source = token if callable(token) else None
        self._fixed = token if isinstance(token, str) else None
        self._token: str | None = self._fixed
        self._renewing = asyncio.Lock()

    async def token(self, http: aiohttp.ClientSession, url: str) -> str:
        """A token. Raises `NotLetIn`, `aiohttp.ClientError`, `TimeoutError`."""
        async with self._renewing:  # clients that start together are one guest
            if self._token is None:
                self._token = await (self._source() if self._source else self._as_guest(http, url))
            return self._token

    async def headers(self, http: aiohttp.ClientSession, url: str) -> dict[str, str]:
        """For any request. Raises as `token`."""
        return {"Authorization": f"Bearer {await self.token(http, url)}"}

    def on_refused(self, token: str) -> bool:
        """The server does not take `token`; says whether there may be another one."""
        if self._token == token and self._fixed is None:
            self._token = None
        return self._fixed is None

    async def ticket(self, http: aiohttp.ClientSession, url: str) -> str:
        """A ticket for one socket. Raises as `token`."""
        for is_last in (False, True):
            token = await self.token(http, url)
            headers = {"Authorization": f"Bearer {token}"}
            status, found = await _post(http, f"{url}/api/tickets", {}, headers)
            if status != 401:
                return str(found["ticket"])
            if not self.on_refused(token) or is_last:
                break
        raise NotLetIn("E_AUTH", "the server does not take this token")

    async def _as_guest(self, http: aiohttp.ClientSession, url: str) -> str:
        body = {"name": self._name} if self._name else {}
        status, found = await _post(http, f"{url}/api/guests", body, {})
        if status in {401, 404}:
            raise NotLetIn("E_AUTH", "this server has no guests: a token is needed")
        return str(found["token"])


async def _post(
    http: aiohttp.ClientSession, url: str, body: dict[str, Any], headers: dict[str, str]
) -> tuple[int, Any]:
    """Status and body of an answer that is good, or says that we are not known.

    Raises `NotLetIn` for what would be refused again, `aiohttp.ClientResponseError` for the rest.
    """
    async with (
        asyncio.timeout(REQUEST_SECONDS),
        http.post(url, json=body, headers=headers) as response,
    ):
        if response.status in {200, 201}:
            return response.status, await response.json()
        if response.status in {401, 404}:
            return response.status, None
        if 400 <= response.status < 500 and response.status not in {408, 425, 429}:
            problem = await response.json(content_type=None)
            raise NotLetIn(problem.get("code"), problem.get("detail", "the server does not take us"))
        response.raise_for_status()
        raise aiohttp.ClientPayloadError(f"an answer that is none: {response.status}")
