"""What every import of a document's past has in common before anything is written: names for documents, and
the proof that the edits make the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Final

import orjson

from domain.document import size_change
from domain.errors import DocumentTooLarge, ImportInvalid, LimitReached
from domain.ids import is_document_id
from domain.importing import BroughtDocument, BroughtEdit
from domain.limits import DOCUMENT_BYTES, DOCUMENT_CODE_POINTS, ID_CODE_POINTS
from domain.text import Text

OnProgress = Callable[[int, int], None]
"""Is told what is done, and of how much."""

# A lively pad of years, or every commit of a file that thousands work on. What comes of it is some 50 MB of
# log, and minutes of work.
IMPORT_EDITS: Final = 200_000

# Between two words of progress.
PROGRESS_EDITS: Final = 500

_NO_ID: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_DOTS: Final = re.compile(r"\.{2,}")


def document_name(name: str, taken: Iterable[str] = ()) -> str:
    """`name` as near as a document can be called so, and as none of `taken` is."""
    made = _DOTS.sub(".", _NO_ID.sub("-", name)).strip(".-")[:ID_CODE_POINTS].strip(".-") or "imported"
    others, number, found = set(taken), 1, made
    while found in others:
        number += 1
        ending = f"-{number}"
        found = made[: ID_CODE_POINTS - len(ending)].rstrip(".") + ending
    assert is_document_id(found)
    return found


def digest(edits: Sequence[BroughtEdit]) -> str:
    """What stands for all of a past: 128 bits of BLAKE2b, in hex."""
    hashed = blake2b(digest_size=16)
    for edit in edits:
        hashed.update(orjson.dumps([edit.op, edit.author, edit.written, edit.reference, edit.note]))
    return hashed.hexdigest()


def verify(brought: BroughtDocument, on_progress: OnProgress = lambda done, end: None) -> None:
    """Fold the edits as the document will, and see that its text comes out.

    Raises `ImportInvalid`, `DocumentTooLarge`, `LimitReached`, `OpInvalid`.
    """
    if not brought.edits:
        raise ImportInvalid("there is no edit in it")
    if len(brought.edits) > IMPORT_EDITS:
        raise LimitReached("more edits than one import may have", limit=IMPORT_EDITS)
    text, size = Text(), 0
    for number, edit in enumerate(brought.edits, 1):
        size += size_change(text.apply_invertible(edit.op))
        if len(text) > DOCUMENT_CODE_POINTS:
            raise DocumentTooLarge("too many characters", limit=DOCUMENT_CODE_POINTS, edit=number)
        if size > DOCUMENT_BYTES:
            raise DocumentTooLarge("too many bytes", limit=DOCUMENT_BYTES, edit=number)
        if number % PROGRESS_EDITS == 0:
            on_progress(number, len(brought.edits))
    if str(text) != brought.text:
        raise ImportInvalid("its edits do not make its text")
