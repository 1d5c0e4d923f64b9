"""`/api/rooms/{room}/imports/etherpad`: pads of Etherpad with their whole past, as they were exported there.

The body is the file itself. All of it is read and checked beside the server before anything is written; of
what is refused the `key` is told.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web
from pydantic import Field

from application.etherpad import Export, counted
from domain.errors import BadJson
from domain.importing import BroughtDocument
from domain.rights import Action
from interfaces.http.answers import Answer, answer
from interfaces.http.bodies import Asked, DocumentId, Truth
from interfaces.http.keys import ETHERPAD_READER, IDENTITY, ROOM, SERVICES

# A pad of some fifty thousand revisions. Larger ones are for the command, which holds up nobody's server.
IMPORT_BYTES: Final = 32 * 1024 * 1024

# Enough for 2 Mbit/s.
IMPORT_SECONDS: Final = 160.0


class EtherpadQuery(Asked):
    """`document` is what the only pad of the export is called here. With `dry_run` nothing is written."""

    document: DocumentId | None = None
    chat: Truth = True
    ignore_unknown: Truth = False
    dry_run: Truth = False


class ImportedDocument(Answer):
    """What comes, or would: times in microseconds, `authors` with how many edits each has made."""

    document: str
    source: str
    edits: int
    code_points: int
    first: int
    last: int
    authors: dict[str, int]


class LeftBehind(Answer):
    """`attributes`: revisions that changed nothing else. `replaced`: revisions with half characters, which
    stand as U+FFFD. `chat`: messages without text. `unknown`: keys that are nothing of Etherpad itself.
    """

    attributes: int
    replaced: int
    chat: int
    unknown: int


class EtherpadAnswer(Answer):
    """How many edits are new, and how many were there already; both null in a dry run."""

    documents: list[ImportedDocument]
    messages: int
    left: LeftBehind
    added: int | None = Field(default=None)
    known: int | None = Field(default=None)


async def bring(request: web.Request, query: EtherpadQuery) -> web.Response:
    """Bring in the pads of an export with every revision, each with its author and its time.

    Documents are listed when they are whole. The same once more adds nothing, and finishes what has ended
    half-way. Pads are an editor's to import, their chat is an owner's: others ask for `chat=false`.
    """
    services, room, user = request.app[SERVICES], request[ROOM].room, request[IDENTITY].user
    export = await request.app[ETHERPAD_READER].read(
        await _body(request), document=query.document, ignores_unknown=query.ignore_unknown
    )
    documents = [pad.document for pad in export.pads]
    chat = [message for pad in export.pads for message in pad.chat] if query.chat else []
    if chat:
        await services.rooms.enter(room, user, Action.MANAGE)
    told = _told(export, len(chat))
    if query.dry_run:
        await services.document_imports.check(room, documents, actor=user)
        return answer(told)
    outcome = await services.document_imports.bring(room, documents, actor=user)
    for pad in export.pads:
        name, source = pad.document.document, pad.document.provenance["source"]
        await services.document_imports.name(room, name, pad.names, actor=user)
        if query.chat and pad.chat:
            await services.imports.bring(room, source, pad.chat, actor=user)
    return answer(told.model_copy(update={"added": outcome.added, "known": outcome.known}))


async def _body(request: web.Request) -> bytes:
    """Raises `BadJson`; 408 when it does not come, 413 beyond its limit."""
    request = request.clone(client_max_size=IMPORT_BYTES)
    try:
        async with asyncio.timeout(IMPORT_SECONDS):
            return await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except web.RequestPayloadError:
        raise BadJson("the body is broken") from None


def _told(export: Export, messages: int) -> EtherpadAnswer:
    left: Any = export.left
    return EtherpadAnswer(
        documents=[_as_answer(pad.document) for pad in export.pads],
        messages=messages,
        left=LeftBehind(**{name: getattr(left, name) for name in LeftBehind.model_fields}),
    )


def _as_answer(brought: BroughtDocument) -> ImportedDocument:
    return ImportedDocument(
        document=brought.document,
        source=brought.provenance["source"],
        edits=len(brought.edits),
        code_points=len(brought.text),
        first=brought.edits[0].written,
        last=brought.edits[-1].written,
        authors=counted(edit.author for edit in brought.edits),
    )
