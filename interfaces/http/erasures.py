"""`/api/users/{user}/erasure`: remove all that a person has written, everywhere."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import ConfigDict, Field

from domain.redaction import REASON_CODE_POINTS
from interfaces.http.answers import Answer, answer
from interfaces.http.bodies import Asked, Text
from interfaces.http.keys import CLEANING, ERASER
from interfaces.http.people import operator, user_of


class ErasureBody(Asked):
    reason: Annotated[Text, Field(min_length=1, max_length=REASON_CODE_POINTS)]


class ErasedRoom(Answer):
    """`room` is "" for the profile."""

    room: str
    redaction: str
    position: int
    documents: int
    messages: int
    events: int
    characters: int


class DestroyedKey(Answer):
    key: str
    room: str


class ErasureAnswer(Answer):
    """A certificate: see docs/proof.md for what is signed."""

    model_config = ConfigDict(extra="allow")

    format: str
    version: int
    epoch: str
    user: str
    at: int
    by: str
    reason: str
    position: int
    redactions: list[ErasedRoom]
    keys: list[DestroyedKey]
    checkpoints: list[dict[str, Any]] | None = None
    key: str | None = None
    signature: str | None = None


async def erase(request: web.Request, body: ErasureBody) -> web.Response:
    """Remove all that a person has written, from every room's past and present and from their profile, and
    destroy the keys under which it was stored. It cannot be taken back.
    """
    made = await request.app[ERASER].erase(user_of(request), reason=body.reason, actor=operator(request))
    request.app[CLEANING]()
    return answer(ErasureAnswer(**made))
