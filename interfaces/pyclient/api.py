"""What is asked over HTTP: rooms, members, people, presence, the chat, the past. Answers are the JSON of the
server.

    async with Api("http://127.0.0.1:8484", Credentials(name="Ada")) as api:
        room = await api.create_room(title="Study")
        link = await api.invite(room["room"], "editor")

Shapes are those of the server's OpenAPI document, `/api/openapi.json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, Literal, TypedDict, Unpack
from urllib.parse import quote

import orjson

from interfaces.pyclient.asking import PAGE, Json, document_path, given, moment, room_path
from interfaces.pyclient.past import Past

# The same of what is said: messages are longer than names.
CHAT_PAGE: Final = 200

# A chat of any length as a file: as long as somebody would look at a progress bar.
EXPORT_SECONDS: Final = 600.0

# Half of what the server takes at once.
IMPORT_BYTES: Final = 4 * 1024 * 1024
IMPORT_MESSAGES: Final = 5_000


class Chosen(TypedDict, total=False):
    """Which messages: those to which all of this applies. `emoji`: somebody has reacted with it ("": with
    any); `document`: it links to it, or its author had it open; `since` and `until` it was said.
    """

    author: str
    since: datetime
    until: datetime
    emoji: str
    mentions: str
    document: str
    reply_to: str
    pinned: bool


class Api(Past):
    """Requests of one user. All methods raise as `Asking`'s."""

    # Rooms.

    async def create_room(
        self, room: str | None = None, *, title: str | None = None, everyone: str | None = None
    ) -> Json:
        """A room of one's own; without an id it is given one."""
        return await self._ask("POST", "/api/rooms", given(room=room, title=title, everyone=everyone))

    async def rooms(self) -> list[Json]:
        """Those that one can enter."""
        return [room async for room in self._pages("/api/rooms", "rooms")]

    async def room(self, room: str) -> Json:
        return await self._ask("GET", room_path(room))

    async def change_room(self, room: str, **changes: str | None) -> Json:
        """`title`, `everyone` (None: only members)."""
        return await self._ask("PATCH", room_path(room), changes)

    async def close_room(self, room: str) -> None:
        """For good."""
        await self._ask("DELETE", room_path(room))

    # Members.

    async def members(self, room: str, *, at: datetime | None = None) -> list[Json]:
        """Who is what, now or at a moment."""
        return [m async for m in self._pages(f"{room_path(room)}/members", "members", **moment(at=at))]

    async def put_member(self, room: str, user: str, role: str) -> Json:
        return await self._ask("PUT", f"{room_path(room)}/members/{quote(user, safe='')}", {"role": role})

    async def remove_member(self, room: str, user: str) -> None:
        await self._ask("DELETE", f"{room_path(room)}/members/{quote(user, safe='')}")

    async def invite(
        self, room: str, role: str, *, expires_in: int | None = None, uses: int | None = None
    ) -> Json:
        """A link that makes its bearer a member; `expires_in` seconds."""
        body = given(role=role, expires_in=expires_in, uses=uses)
        return await self._ask("POST", f"{room_path(room)}/invitations", body)

    async def invitations(self, room: str) -> list[Json]:
        """The links that are out."""
        return list((await self._ask("GET", f"{room_path(room)}/invitations"))["invitations"])

    async def revoke_invitation(self, room: str, invitation: str) -> None:
        await self._ask("DELETE", f"{room_path(room)}/invitations/{quote(invitation, safe='')}")

    async def accept_invitation(self, room: str, invitation: str, secret: str) -> Json:
        path = f"{room_path(room)}/invitations/{quote(invitation, safe='')}/accept"
        return await self._ask("POST", path, {"secret": secret})

    # Documents.

    async def create_document(self, room: str, document: str) -> Json:
        return await self._ask("POST", f"{room_path(room)}/documents", {"document": document})

    async def documents(self, room: str) -> list[Json]:
        return list((await self._ask("GET", f"{room_path(room)}/documents"))["documents"])

    async def document(
        self,
        room: str,
        document: str,
        *,
        revision: int | None = None,
        at: datetime | None = None,
        position: int | None = None,
        name: str | None = None,
    ) -> Json:
        """Its text, now, after its first `revision` edits, at a moment, when the log had come to a position,
        or at the revision with a name.
        """
        query = given(revision=revision, position=position, name=name) | moment(at=at)
        return await self._ask("GET", document_path(room, document), query=query)

    async def save_revision(
        self, room: str, document: str, *, revision: int | None = None, name: str | None = None
    ) -> Json:
        """Mark a revision, the present one by default, as worth keeping, with a name or without."""
        body = given(revision=revision, name=name)
        return await self._ask("POST", f"{document_path(room, document)}/saves", body)

    async def saves(self, room: str, document: str, *, after: int = 0, limit: int = PAGE) -> Json:
        """What was saved, oldest first: `saves`; of which revision each of the `names` is now; and what is
        `after` this page, `next`.
        """
        query = {"after": after, "limit": limit}
        return await self._ask("GET", f"{document_path(room, document)}/saves", query=query)

    async def unlist_document(self, room: str, document: str) -> None:
        await self._ask("DELETE", document_path(room, document))

    # Presence.

    async def presence(self, room: str, *, at: datetime | None = None) -> list[Json]:
        """Who is here, or was: one entry a person."""
        found = await self._ask("GET", f"{room_path(room)}/presence", query=moment(at=at))
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
        query = given(user=user) | moment(**{"from": since, "to": until})
        found = await self._ask("GET", f"{room_path(room)}/presence/summary", query=query)
        return list(found["users"])

    # The chat, and what goes on. Pages say which `before` or `after` the next ones have.

    async def history(
        self,
        room: str,
        *,
        before: int | None = None,
        after: int | None = None,
        around: str | None = None,
        limit: int = CHAT_PAGE,
        **chosen: Unpack[Chosen],
    ) -> Json:
        """Messages as they stand, oldest first: the last ones, those `before` or `after` a position, or those
        `around` a message. `older` and `newer` are the pages on both sides.
        """
        query = given(before=before, after=after, around=around, limit=limit) | _chosen(chosen)
        return await self._ask("GET", f"{room_path(room)}/messages", query=query)

    async def search(
        self,
        room: str,
        words: str,
        *,
        after: str | None = None,
        limit: int = CHAT_PAGE,
        **chosen: Unpack[Chosen],
    ) -> Json:
        """What has these words and "phrases", the best first. `after` is the `next` of the page before."""
        query = given(q=words, after=after, limit=limit) | _chosen(chosen)
        return await self._ask("GET", f"{room_path(room)}/messages/search", query=query)

    async def texts(self, room: str, message: str) -> Json:
        """All that a message has said, for its author and the room's owners."""
        return await self._ask("GET", f"{_message(room, message)}/history")

    async def link(self, room: str, message: str) -> Json:
        """Where the range is now that a message links to."""
        return await self._ask("GET", f"{_message(room, message)}/link")

    async def readers(self, room: str, message: str) -> Json:
        """Whom a message has reached: `delivered`, and of these `read`."""
        return await self._ask("GET", f"{_message(room, message)}/readers")

    async def unread(self) -> list[Json]:
        """Of every room how much of it one has not read."""
        return [room async for room in self._pages("/api/unread", "rooms", limit=CHAT_PAGE)]

    async def mentions(self, *, before: int | None = None, limit: int = CHAT_PAGE) -> Json:
        """Messages that speak to one, in whatever rooms, newest first."""
        return await self._ask("GET", "/api/mentions", query=given(before=before, limit=limit))

    async def export(
        self, room: str, form: Literal["json", "csv", "txt"] = "json", **chosen: Unpack[Chosen]
    ) -> bytes:
        """The chat as a file. As JSON it can be given to `import_messages`."""
        query = {"format": form} | _chosen(chosen)
        path = f"{room_path(room)}/messages/export"
        return await self._ask_for_bytes("GET", path, query=query, seconds=EXPORT_SECONDS)

    async def import_messages(self, room: str, exported: bytes) -> Json:
        """Bring an export of JSON into a room that one owns: how many messages were `added`, and how many
        `known`. Once more it adds nothing, so that what was broken off can be done again.
        """
        told = orjson.loads(exported)
        messages, counts = told["messages"], {"added": 0, "known": 0}
        for part in _parts(messages):
            answer = await self._ask("POST", f"{room_path(room)}/messages/import", told | {"messages": part})
            counts = {name: count + answer[name] for name, count in counts.items()}
        return counts

    async def statistics(
        self,
        room: str,
        *,
        user: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        offset: int = 0,
    ) -> Json:
        """What was done, by whom and when. Days and hours are of a clock `offset` minutes ahead of UTC."""
        query = given(user=user, offset=offset) | moment(**{"from": since, "to": until})
        return await self._ask("GET", f"{room_path(room)}/statistics", query=query)

    async def activity(
        self,
        room: str,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = CHAT_PAGE,
        user: str | None = None,
        kinds: Sequence[str] = (),
        document: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Json:
        """What went on, in lines: newest first, or behind the line `after` oldest first."""
        query = given(before=before, after=after, limit=limit, user=user, document=document)
        query |= moment(**{"from": since, "to": until})
        if kinds:
            query["kind"] = ",".join(kinds)
        return await self._ask("GET", f"{room_path(room)}/activity", query=query)

    async def activity_of(
        self, user: str | None = None, *, before: int | None = None, limit: int = CHAT_PAGE
    ) -> Json:
        """What somebody, or oneself, did in all rooms that one may read, newest first."""
        return await self._ask("GET", "/api/activity", query=given(user=user, before=before, limit=limit))

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


def _message(room: str, message: str) -> str:
    return f"{room_path(room)}/messages/{quote(message, safe='')}"


def _parts(messages: list[Json]) -> Iterator[list[Json]]:
    """Messages, in their order, in parts that can be sent."""
    part: list[Json] = []
    size = 0
    for message in messages:
        part.append(message)
        size += len(orjson.dumps(message))
        if size >= IMPORT_BYTES or len(part) >= IMPORT_MESSAGES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _chosen(chosen: Chosen) -> Json:
    """As a query has it."""
    query: Json = {**chosen}
    for name, told in (("since", "from"), ("until", "to")):
        if name in query:
            query[told] = query.pop(name).isoformat()
    if "pinned" in query:
        query["pinned"] = "true" if query["pinned"] else "false"
    return query
