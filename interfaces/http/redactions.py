"""`/api/rooms/{room}/redactions`: remove text from a room's past and present, and see what was removed."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field, model_validator

from application.past.redact import Target
from application.past.undo import Passage
from domain.instants import as_microseconds
from domain.phrase import PHRASE_CODE_POINTS, Phrase
from domain.redaction import REASON_CODE_POINTS, RedactionMade
from interfaces.http.answers import Answer, answer
from interfaces.http.bodies import Asked, Author, DocumentId, Id, Text
from interfaces.http.keys import CLEANING, IDENTITY, REDACTING, REDACTIONS, ROOM
from interfaces.http.undo import PassageField


class RedactionBody(Asked):
    """What has to go: a `phrase`, wherever it was in the room or in one `document`; a `passage` of a
    `document`; a `message`; or all that `author` has written. `preview`: nothing is removed, but told what
    would be.
    """

    reason: Annotated[Text, Field(min_length=1, max_length=REASON_CODE_POINTS)]
    phrase: Annotated[Text, Field(min_length=1, max_length=PHRASE_CODE_POINTS)] | None = None
    ignore_case: bool = False
    document: DocumentId | None = None
    passage: PassageField | None = None
    message: Id | None = None
    author: Author | None = None
    preview: bool = False

    @model_validator(mode="after")
    def _one_kind(self) -> RedactionBody:
        what = [self.phrase, self.passage, self.message, self.author]
        if sum(one is not None for one in what) != 1:
            raise ValueError("say one of phrase, passage, message, author")
        if self.passage is not None and self.document is None:
            raise ValueError("a passage is of a document")
        if self.document is not None and self.phrase is None and self.passage is None:
            raise ValueError("a document goes with a phrase or a passage")
        return self

    @property
    def target(self) -> Target:
        phrase = None if self.phrase is None else Phrase(self.phrase, ignores_case=self.ignore_case)
        given = self.passage
        passage = None if given is None else Passage(given.revision, given.start, given.end)
        return Target(phrase, self.document, passage, self.message, self.author)


class RedactionAnswer(Answer):
    """`characters` of `events`, of these documents and messages. `redaction` and the other fields are null
    where nothing was removed.
    """

    redaction: str | None
    at: int | None
    by: str | None
    reason: str | None
    author: str | None
    documents: list[str]
    messages: list[str]
    events: int
    characters: int


class RedactionsAnswer(Answer):
    """Oldest first."""

    redactions: list[RedactionAnswer]


async def redact(request: web.Request, body: RedactionBody) -> web.Response:
    """Remove text from every revision and message that ever held it: blocks stand there instead. Revisions,
    authors, times and the hash chain stay. It cannot be taken back.
    """
    room, actor, redacting = request[ROOM].room, request[IDENTITY].user, request.app[REDACTING]
    if body.preview:
        scan = await redacting.find(room, body.target)
        return answer(
            _nothing(sorted(scan.documents), sorted(scan.messages), len(scan.rewritten), scan.characters)
        )
    done = await redacting.redact(room, body.target, reason=body.reason, actor=actor)
    if done is None:
        return answer(_nothing())
    assert isinstance(done.event, RedactionMade)
    request.app[CLEANING]()
    return answer(_told(done.event))


async def list_all(request: web.Request) -> web.Response:
    """What was removed from the room's past: when, by whom and why, and nothing of what it was."""
    made = await request.app[REDACTIONS].redactions(request[ROOM].room)
    events = [recorded.event for recorded in made if isinstance(recorded.event, RedactionMade)]
    return answer(RedactionsAnswer(redactions=[_told(event) for event in events]))


def _told(event: RedactionMade) -> RedactionAnswer:
    return RedactionAnswer(
        redaction=event.redaction,
        at=as_microseconds(event.timestamp),
        by=event.actor,
        reason=event.reason,
        author=event.author,
        documents=event.documents,
        messages=event.messages,
        events=event.events,
        characters=event.characters,
    )


def _nothing(
    documents: list[str] | None = None,
    messages: list[str] | None = None,
    events: int = 0,
    characters: int = 0,
) -> RedactionAnswer:
    return RedactionAnswer(
        redaction=None,
        at=None,
        by=None,
        reason=None,
        author=None,
        documents=documents or [],
        messages=messages or [],
        events=events,
        characters=characters,
    )
