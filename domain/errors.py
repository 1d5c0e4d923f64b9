"""What can go wrong, as one small tree: whose fault it is, a wire code, and the facts.

The three branches answer the question a caller has to ask:

* `ClientError`: the client sent something that cannot be done. Sending it again as it is will
  fail again (`RateLimited` alone may be repeated, later).
* `LostRace`: nobody's fault. Somebody else was faster, or the server is full; the same request
  can succeed in a moment.
* `StoreError`: ours. The client cannot help it and learns no more than that.

Only the leaves are raised. Each has a `code`, which is what goes over the wire: the text of an
error is for people and may change, its code and the names of its facts may not. Two errors may
share a code where a client would do the same about both.
"""

# ruff: noqa: N818 -- the names say what happened; the tree says that it is an error

from __future__ import annotations

from typing import ClassVar

Fact = str | int | float | None


class ChronoscribeError(Exception):
    """Root of everything that the project raises on purpose.

    `facts` are JSON-safe and are told to the client, so they hold no text of a document, no
    token and nothing of the server's inside. Usual names: `expected`, `actual`, `limit`,
    `revision`, and `retry_after` (seconds).
    """

    code: ClassVar[str]

    def __init__(self, message: str, **facts: Fact) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class ClientError(ChronoscribeError):
    """The client's fault: the request as it stands cannot be done."""


class LostRace(ChronoscribeError):
    """Nobody's fault: try again after `retry_after` seconds."""


class StoreError(ChronoscribeError):
    """Ours: the log could not be written or read as it must be."""


# What a client can get wrong in an edit.


class OpInvalid(ClientError):
    """The op breaks the rules of the algebra, or does not fit the text it is meant for."""

    code = "E_OP_INVALID"


class OpTooLarge(ClientError):
    """The op has more components or more inserted text than one op may have."""

    code = "E_OP_SIZE"


class TextInvalid(ClientError):
    """The text cannot be stored: it holds a lone surrogate, a NUL, or what its field forbids."""

    code = "E_TEXT"


class DocumentTooLarge(ClientError):
    """The edit would make the document larger than a document may be."""

    code = "E_DOC_SIZE"


class RoomFull(ClientError):
    """The room has as many documents, members or open invitations as a room may have."""

    code = "E_ROOM_SIZE"


class LimitReached(ClientError):
    """There are as many edits, reactions or names of this one thing as there may be."""

    code = "E_LIMIT"


class RevisionAhead(ClientError):
    """The edit names a base revision that the document has not reached."""

    code = "E_VERSION_AHEAD"


class RevisionTooOld(ClientError):
    """The edit's base revision is too far back to transform from; the client must start anew."""

    code = "E_VERSION_OLD"


class SequenceGap(ClientError):
    """The edit's number is not the next one of its client: one before it is missing."""

    code = "E_SEQ"


class IdReused(ClientError):
    """The number of an accepted edit came again with another content; the first one stays."""

    code = "E_ID_REUSED"


# What a client can get wrong in a question about the past.


class PatternInvalid(ClientError):
    """The regular expression is none, or takes longer on the text than anybody waits."""

    code = "E_PATTERN"


class NotBisectable(ClientError):
    """There is no good revision before a bad one to look between; `revision` is of the other kind."""

    code = "E_BISECT"


# What can be wrong with what is brought from elsewhere.


class ImportInvalid(ClientError):
    """The export or repository is none, is broken or contradicts itself; all of it is refused."""

    code = "E_IMPORT"


# What a client can get wrong in a frame or request.


class NotFound(ClientError):
    """There is no such thing, or none that this user may know of."""

    code = "E_NOT_FOUND"


class NotOpen(ClientError):
    """The session speaks of a room or document that it has not joined or opened."""

    code = "E_NOT_JOINED"


class Conflict(ClientError):
    """What is asked for does not go with what is there: a name that is taken, a document of another kind."""

    code = "E_CONFLICT"


class RateLimited(ClientError):
    """Too much in too short a time; `retry_after` says in how many seconds to go on."""

    code = "E_RATE"


class BadJson(ClientError):
    """The frame is no JSON, or JSON that is too deep or too large."""

    code = "E_JSON"


class BadFrame(ClientError):
    """The frame is JSON but lacks a field, has one too many or one of a wrong shape."""

    code = "E_SCHEMA"


class UnknownFrame(ClientError):
    """The frame is of a type that the protocol does not have."""

    code = "E_TYPE"


class Forbidden(ClientError):
    """The user may not do this."""

    code = "E_FORBIDDEN"


class LastOwner(ClientError):
    """A room keeps one owner at least: make somebody else one first, or close the room."""

    code = "E_LAST_OWNER"


class ProfileInvalid(ClientError):
    """The profile has a colour that cannot be read or an avatar that is none; `field` says which."""

    code = "E_PROFILE"


class Unauthenticated(ClientError):
    """We do not know who this is. What was wrong with the credentials is told to nobody: the text is
    always the same, since every difference helps whoever tries.
    """

    code = "E_AUTH"

    def __init__(self) -> None:
        super().__init__("the credentials are missing, wrong or too old")


# Lost races.


class Contended(LostRace):
    """Others wrote first, again and again, until the retries were used up."""

    code = "E_BUSY"


class Overloaded(LostRace):
    """A queue is full; nothing was taken in."""

    code = "E_BUSY"


# Our own faults.


class StoreUnavailable(StoreError):
    """The database does not answer, or not in time."""

    code = "E_STORE"


class Corrupt(StoreError):
    """What the log holds contradicts itself; somebody has to look."""

    code = "E_STORE"
