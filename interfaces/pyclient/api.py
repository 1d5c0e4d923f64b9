"""What is asked over HTTP: rooms, members, people, presence, the past. Answers are the JSON of the server.

    async with Api("http://127.0.0.1:8484", Credentials(name="Ada")) as api:
        room = await api.create_room(title="Study")
        link = await api.invite(room["room"], "editor")

Shapes are those of the server's OpenAPI document, `/api/openapi.json`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import aiohttp

from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.errors import Refused

Json = dict[str, Any]

# The server answers or gives up within five seconds; the rest is for the way.
ANSWER_SECONDS: Final = 15.0

# What one page of a list holds: the server's most.
PAGE: Final = 1_000


class Api:
    """Requests of one user. All methods raise `Refused` with the server's code, `NotLetIn`,
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

    # Rooms.

    async def create_room(
        self, room: str | None = None, *, title: str | None = None, everyone: str | None = None
    ) -> Json:
        """A room of one's own; without an id it is given one."""
        return await self._ask("POST", "/api/rooms", _given(room=room, title=title, everyone=everyone))

    async def rooms(self) -> list[Json]:
        """Those that one can enter."""
        return [room async for room in self._pages("/api/rooms", "rooms")]

    async def room(self, room: str) -> Json:
        return await self._ask("GET", _room(room))

    async def change_room(self, room: str, **changes: str | None) -> Json:
        """`title`, `everyone` (None: only members)."""
        return await self._ask("PATCH", _room(room), changes)

    async def close_room(self, room: str) -> None:
        """For good."""
        await self._ask("DELETE", _room(room))

    # Members.

    async def members(self, room: str, *, at: datetime | None = None) -> list[Json]:
        """Who is what, now or at a moment."""
        return [m async for m in self._pages(f"{_room(room)}/members", "members", **_moment(at=at))]

    async def put_member(self, room: str, user: str, role: str) -> Json:
        return await self._ask("PUT", f"{_room(room)}/members/{quote(user, safe='')}", {"role": role})

    async def remove_member(self, room: str, user: str) -> None:
        await self._ask("DELETE", f"{_room(room)}/members/{quote(user, safe='')}")

    async def invite(
        self, room: str, role: str, *, expires_in: int | None = None, uses: int | None = None
    ) -> Json:
        """A link that makes its bearer a member; `expires_in` seconds."""
        body = _given(role=role, expires_in=expires_in, uses=uses)
        return await self._ask("POST", f"{_room(room)}/invitations", body)

    async def invitations(self, room: str) -> list[Json]:
        """The links that are out."""
        return list((await self._ask("GET", f"{_room(room)}/invitations"))["invitations"])

    async def revoke_invitation(self, room: str, invitation: str) -> None:
        await self._ask("DELETE", f"{_room(room)}/invitations/{quote(invitation, safe='')}")

    async def accept_invitation(self, room: str, invitation: str, secret: str) -> Json:
        path = f"{_room(room)}/invitations/{quote(invitation, safe='')}/accept"
        return await self._ask("POST", path, {"secret": secret})

    # Documents.

    async def create_document(self, room: str, document: str) -> Json:
        return await self._ask("POST", f"{_room(room)}/documents", {"document": document})

    async def documents(self, room: str) -> list[Json]:
        return list((await self._ask("GET", f"{_room(room)}/documents"))["documents"])

    async def document(
        self, room: str, document: str, *, revision: int | None = None, at: datetime | None = None
    ) -> Json:
        """Its text, now, after its first `revision` edits, or at a moment."""
        path = f"{_room(room)}/documents/{quote(document, safe='')}"
        return await self._ask("GET", path, query=_given(revision=revision) | _moment(at=at))

    async def unlist_document(self, room: str, document: str) -> None:
        await self._ask("DELETE", f"{_room(room)}/documents/{quote(document, safe='')}")

    # Presence.

    async def presence(self, room: str, *, at: datetime | None = None) -> list[Json]:
        """Who is here, or was: one entry a person."""
        found = await self._ask("GET", f"{_room(room)}/presence", query=_moment(at=at))
        return list(found["people"])

    async def presence_summary(
        self,
        room: str,
        *,
        user: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Json]:
        """How long who was here and wrote: for each user `total`, and `days`."""
        query = _given(user=user) | _moment(**{"from": since, "to": until})
        found = await self._ask("GET", f"{_room(room)}/presence/summary", query=query)
        return list(found["users"])

    # People.

    async def me(self) -> Json:
        return await self._ask("GET", "/api/me")

    async def profile(self, user: str) -> Json:
        return await self._ask("GET", f"/api/profiles/{quote(user, safe='')}")

    async def change_profile(self, **changes: str) -> Json:
        """One's own `name`, `colour`, `avatar`."""
        return await self._ask("PATCH", "/api/profile", changes)

    async def sign_out(self) -> None:
        """Void every token of this user."""
        await self._ask("POST", "/api/sign-out", {})

    # Asking.

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
        self, method: str, path: str, body: Json | None = None, *, query: Json | None = None
    ) -> Json:
        assert self._http is not None, "use it with `async with`"
        for is_last in (False, True):
            token = await self._credentials.token(self._http, self._url)
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                self._http.request(
                    method,
                    f"{self._url}{path}",
                    json=body,
                    params=query,
                    headers={"Authorization": f"Bearer {token}"},
                ) as response,
            ):
                if response.status == 204:
                    return {}
                found: Json = await response.json(content_type=None)
                if response.status < 400:
                    return found
                if response.status != 401 or is_last or not self._credentials.on_refused(token):
                    raise Refused(found["code"], found["detail"])
        raise AssertionError("the second answer is the last")


def _room(room: str) -> str:
    return f"/api/rooms/{quote(room, safe='')}"


def _given(**values: Any) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _moment(**moments: datetime | None) -> Json:
    return {name: moment.isoformat() for name, moment in moments.items() if moment is not None}
