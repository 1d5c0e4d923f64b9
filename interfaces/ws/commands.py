"""Requests that append an event other than an edit: to which use case each goes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, assert_never

from application.log import Recorded
from application.services import Services
from domain.message import Link
from domain.run import Outcome
from interfaces.ws.frames import (
    Command,
    DeleteMessage,
    EditMessage,
    FinishRun,
    LinkField,
    PinMessage,
    Post,
    React,
    SaveRevision,
    StartRun,
)


class Author(NamedTuple):
    """Whose request it is; `documents` are those that they have open."""

    room: str
    user: str
    client: str
    documents: frozenset[str]


async def submit(request: Command, author: Author, services: Services) -> asyncio.Future[Sequence[Recorded]]:
    """Submit what is asked; returns what comes of it. Raises what is wrong before that."""
    room, user = author.room, author.user
    messages = services.messages
    match request:
        case Post():
            return await _post(request, author, services)
        case EditMessage():
            return messages.edit(room, request.message, request.text, actor=user)
        case DeleteMessage():
            return asyncio.ensure_future(messages.delete(room, request.message, actor=user))
        case React():
            return messages.react(room, request.message, request.emoji, is_on=request.reacted, actor=user)
        case PinMessage():
            return messages.pin(room, request.message, is_pinned=request.pinned, actor=user)
        case SaveRevision():
            return await services.revisions.save(
                room, request.document, request.revision, name=request.name, actor=user
            )
        case StartRun():
            return await services.runs.start(
                room,
                request.run,
                client=author.client,
                title=request.title,
                document=request.document,
                revision=request.revision,
                actor=user,
            )
        case FinishRun():
            return services.runs.finish(
                room,
                request.run,
                Outcome(request.outcome),
                request.exit_code,
                client=author.client,
                actor=user,
            )
        case _:
            assert_never(request)


async def _post(request: Post, author: Author, services: Services) -> asyncio.Future[Sequence[Recorded]]:
    room, link = author.room, as_link(request.link)
    await services.messages.check_references(room, request.reply_to, link)
    open_documents = [await services.documents.get(room, name) for name in sorted(author.documents)]
    return services.messages.post(
        room,
        request.message,
        client=author.client,
        text=request.text,
        documents={document.name: document.revision for document in open_documents},
        reply_to=request.reply_to,
        link=link,
        actor=author.user,
    )


def as_link(field: LinkField | None) -> Link | None:
    """The link as it is stored."""
    if field is None:
        return None
    return {
        "document": field.document,
        "revision": field.revision,
        "start": field.start,
        "end": field.end,
    }
