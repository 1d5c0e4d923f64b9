"""What happened in a run, as the checker reads it: the clients' actions, the log, and the copies at the end.

An action is invoked, and then `ok` (durable, at a place), `fail` (did not and will not happen), or, where
nobody can know any more, neither. Times are virtual seconds. A process is one life of a client: the
same client id may come back with an empty memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from domain.receipts import Pointers

Kind = Literal["invoke", "ok", "fail"]
Change = Literal["edit_message", "delete_message", "react", "unreact"]
Action = Literal["edit", "post"] | Change


class Record(NamedTuple):
    """One line of the clients' actions.

    `action` is `edit`, one edit as it was first sent, whose `id` is its number in the document, or
    `post`, whose `id` is that of the message. `text` is everything that it inserts or says; `place` is,
    for an edit that is ok, the revision it made. Or it is a change of the message that stands for `document`:
    its `id` is the new text or the emoji, which a client gives to a message once in all its lives.
    """

    time: float
    process: str
    client: str
    kind: Kind
    action: Action
    document: str
    id: str
    text: str = ""
    place: int | None = None


class StoredEdit(NamedTuple):
    position: int
    revision: int
    client: str
    seq: int
    text: str
    digest: str
    """Of the op as it is stored."""


class StoredMessage(NamedTuple):
    position: int
    id: str
    client: str
    text: str


class StoredChange(NamedTuple):
    """What has become of a message. `what` is the new text or the emoji."""

    position: int
    action: Change
    message: str
    client: str
    what: str


class Seen(NamedTuple):
    """What a client took in of a document: a `snapshot` of a whole text, or one `edit`."""

    kind: Literal["snapshot", "edit"]
    revision: int
    digest: str


class Heard(NamedTuple):
    """A `message` that a client was told of, or a beginning `anew`: from here on it is told of every message
    behind `position`, of earlier ones perhaps.
    """

    kind: Literal["message", "anew"]
    position: int
    id: str = ""


class Copy(NamedTuple):
    """A document as it stands somewhere when all is quiet: at a client, at a node, folded from the store."""

    where: str
    document: str
    revision: int
    text: str


class ChatCopy(NamedTuple):
    """A chat as it stands at a client, or folded from the log, when all is quiet: its messages from some one
    to the last, each with the digest of all that is known of it, and everybody's pointers.
    """

    where: str
    messages: tuple[tuple[str, str], ...]
    pointers: dict[str, Pointers]


class Typed(NamedTuple):
    """A text that was typed once in the whole run, so that it can be recognised wherever it appears."""

    process: str
    document: str
    word: str


@dataclass
class History:
    records: list[Record] = field(default_factory=list)
    edits: dict[str, list[StoredEdit]] = field(default_factory=dict)
    """By document, in log order."""
    texts: dict[str, list[str]] = field(default_factory=dict)
    """By document: the digest of the text at every revision from 0, folded from the log."""
    messages: list[StoredMessage] = field(default_factory=list)
    """In log order."""
    changes: list[StoredChange] = field(default_factory=list)
    """Of messages, in log order."""
    seen: dict[tuple[str, str], list[Seen]] = field(default_factory=dict)
    """By process and document."""
    heard: dict[str, list[Heard]] = field(default_factory=dict)
    """By process."""
    present: set[str] = field(default_factory=set)
    """Processes that were there when all was quiet."""
    copies: list[Copy] = field(default_factory=list)
    chats: list[ChatCopy] = field(default_factory=list)
    """That of the log first."""
    typed: list[Typed] = field(default_factory=list)
    let_go: set[str] = field(default_factory=set)
    """Words whose author deleted them unsent, was told that they are not stored, or has died with them."""
