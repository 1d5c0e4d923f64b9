"""Documents that are written at a server, an op for each revision."""

from __future__ import annotations

from application.documents import digest
from domain.document import Edit
from domain.text_op import Op
from tests.interfaces.server_thread import Somebody


def write(who: Somebody, room: str, *ops: Op, document: str = "main.md", cause: str = "typed") -> int:
    """Make these edits, each on the text that those before it make; returns the revision after them."""
    documents = who.server.server.services.documents
    client = f"{who.user}-1"

    async def submit() -> int:
        for op in ops:
            found = await documents.get(room, document)
            seq = await documents.last_seq(found, client) + 1
            edit = Edit(client, seq, found.revision, op, digest(found.revision, op))
            await documents.edit(room, document, edit, actor=who.user, cause=cause)
        return (await documents.get(room, document)).revision

    return who.server.call(submit())
