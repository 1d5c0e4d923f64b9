"""Reads exports of Etherpad for the server, beside it (see `aside`): tens of megabytes of JSON, and a fold of
every revision, would stop everybody else for seconds.

What is asked is a line of JSON, how to read, and behind it the file; what is answered is JSON.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import orjson

from application import etherpad
from application.etherpad import Export, Left, Pad
from application.imports import Brought
from domain.errors import (
    ClientError,
    DocumentTooLarge,
    ImportInvalid,
    LimitReached,
    OpInvalid,
    OpTooLarge,
    TextInvalid,
)
from domain.importing import BroughtDocument, BroughtEdit
from infrastructure.aside import Aside, AsideFailed, AsideTooSlow
from infrastructure.beside import work_off

# An export of the largest size that is taken in is read in a tenth of this.
READ_SECONDS: Final = 60.0

_ERRORS: Final = {
    error.__name__: error
    for error in (DocumentTooLarge, ImportInvalid, LimitReached, OpInvalid, OpTooLarge, TextInvalid)
}


class EtherpadReader:
    """Whoever makes one closes it."""

    def __init__(self, read_seconds: float = READ_SECONDS) -> None:
        self._read_seconds = read_seconds
        # Nobody imports often, and what it has read stays in its memory.
        self._aside = Aside("infrastructure.reading_etherpad", idle_seconds=1.0)

    async def read(self, data: bytes, *, document: str | None, ignores_unknown: bool) -> Export:
        """Raises what `etherpad.read` raises, and `LimitReached` for what takes too long or too much."""
        how = orjson.dumps({"document": document, "ignores_unknown": ignores_unknown})
        try:
            answer = await self._aside.ask(how + b"\n" + data, self._read_seconds)
        except AsideTooSlow:
            raise LimitReached("this export takes too long to be read") from None
        except AsideFailed:
            raise LimitReached("this export takes too much memory to be read") from None
        told = orjson.loads(answer)
        if "error" in told:
            raise _ERRORS[told["error"]](told["message"], **told["facts"])
        return Export([_as_pad(pad) for pad in told["pads"]], Left(**told["left"]))

    async def close(self, _: object = None) -> None:
        """End what runs beside."""
        await self._aside.close()


def _as_pad(told: dict[str, Any]) -> Pad:
    edits = [BroughtEdit(*edit) for edit in told["edits"]]
    document = BroughtDocument(told["document"], told["provenance"], edits, told["text"])
    return Pad(told["pad"], document, told["names"], [Brought(**message) for message in told["chat"]])


# Beside.


def read(work: bytes) -> bytes:
    how, _, data = work.partition(b"\n")
    try:
        export = etherpad.read(data, **orjson.loads(how))
    except ClientError as error:
        return orjson.dumps({"error": type(error).__name__, "message": error.message, "facts": error.facts})
    pads = [_told(pad) for pad in export.pads]
    return orjson.dumps({"pads": pads, "left": asdict(export.left)})


def _told(pad: Pad) -> dict[str, Any]:
    brought = pad.document
    return {
        "pad": pad.pad.encode(errors="replace").decode(),
        "document": brought.document,
        "provenance": brought.provenance,
        "text": brought.text,
        "edits": [(e.op, e.author, e.written, e.reference, e.note) for e in brought.edits],
        "names": pad.names,
        "chat": [asdict(message) for message in pad.chat],
    }


def main() -> None:
    work_off(read)
