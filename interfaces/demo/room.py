"""A room to try things in, on a store without one."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from application.documents import digest
from application.services import Services
from domain.document import Edit
from domain.ids import SERVER
from domain.rights import Role
from domain.text_op import Op

ROOM: Final = "demo"
DOCUMENT: Final = "welcome.md"

# The text is written as by a client, so that of two nodes that start at once only one writes it.
_CLIENT: Final = "welcome"


async def create_demo_room(services: Services) -> None:
    """The room, open to everyone, and in it a document with a word of welcome, or find them there."""
    await services.rooms.open(ROOM, "Demo", actor=SERVER, everyone=Role.EDITOR)
    document = await services.documents.create(ROOM, DOCUMENT, actor=SERVER)
    if document.revision == 0:
        op: Op = [files("interfaces.demo").joinpath("welcome.md").read_text("utf-8")]
        edit = Edit(_CLIENT, seq=1, base=0, op=op, digest=digest(0, op))
        await services.documents.edit(ROOM, DOCUMENT, edit, actor=SERVER)
