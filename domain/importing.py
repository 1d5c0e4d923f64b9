"""What comes from elsewhere with its history: who wrote it there and when, beside who has brought it here.

An imported edit is an event like any other: its actor is who has imported it, its time when that was, and so
the log tells only what has happened here. Beside these stand its `author` and the time at which it was
`written`, and it is those that the document's own past is told by: blame, states at a time, undo by author.

An author is named as a text that is no id of a user, so that nobody can be, become or be given a right as
somebody who was imported: there is a blank in it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NotRequired, TypedDict

from domain.ids import is_id
from domain.limits import NAME_CODE_POINTS
from domain.names import as_name
from domain.text_op import Components

# The client of imported edits. No socket can be called so, since a dot is in no id.
IMPORT_CLIENT: Final = "import.history"

# What an author is called who has given no name.
NAMELESS: Final = "anonymous"

# A name, whose it is, and what stands around it.
AUTHOR_CODE_POINTS: Final = 2 * NAME_CODE_POINTS + 3

# A line of a commit's message, as far as anybody reads it in a list.
NOTE_CODE_POINTS: Final = 200


class Provenance(TypedDict):
    """Of an imported document, plain JSON as it is stored: `source` says where it comes from, `digest` stands
    for all of what came, `edits` is how many there are: the document is whole when it has had them. It
    began there at `since` (microseconds). `colours` are those that its authors had chosen.
    """

    source: str
    digest: str
    edits: int
    since: int
    colours: NotRequired[dict[str, str]]


@dataclass(frozen=True, slots=True)
class BroughtEdit:
    """An edit on the text after the one before. `written` in microseconds, never before the one before.
    `reference` is what it is called where it comes from (a commit), `note` what was said of it there.
    """

    op: Components
    author: str
    written: int
    reference: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class BroughtDocument:
    """All of a document's past, none of it written yet."""

    document: str
    provenance: Provenance
    edits: Sequence[BroughtEdit]
    text: str
    """As it is after the last edit."""


def author_of(name: str, identity: str) -> str:
    """`Ada Lovelace (git)`: the name as it was given, as far as it can be seen, and whose it is. Never an id.

    What cannot stand in a name is left out, and so is what is too much of it.
    """
    author = f"{_seen(name, NAME_CODE_POINTS) or NAMELESS} ({_seen(identity, NAME_CODE_POINTS) or 'unknown'})"
    assert not is_id(author)
    return author


def is_author(value: str) -> bool:
    """Whether `value` is a user's id, or may be what an author is called who was imported."""
    name, found, identity = value.removesuffix(")").partition(" (")
    is_imported = bool(found) and value.endswith(")") and as_name(name) is not None and bool(identity)
    return is_id(value) or (is_imported and len(value) <= AUTHOR_CODE_POINTS and value.isprintable())


def note_of(text: str) -> str | None:
    """One line of what was said of an edit, as far as it can be seen; None when there is nothing."""
    return _on_one_line(text)[:NOTE_CODE_POINTS].strip() or None


def _seen(text: str, code_points: int) -> str | None:
    line = _on_one_line(text)[: 4 * code_points]
    if (name := as_name(line[:code_points])) is not None:
        return name
    # One by one: what is no name with this character is one without it.
    kept = ""
    for character in line:
        if len(kept) >= code_points:
            break
        if as_name(f"{kept}{character}") is not None or (kept and character == " "):
            kept += character
    return as_name(kept)


def _on_one_line(text: str) -> str:
    """Without what cannot be seen, or changes how its surroundings look."""
    blanks = " ".join(text[:10_000].split())
    return "".join(each for each in blanks if unicodedata.category(each) not in _UNSEEN)


_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
