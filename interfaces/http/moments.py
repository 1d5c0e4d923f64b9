"""`/api/rooms/{room}/documents/{document}/moment`: who wrote a character, and the whole room as it was then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Protocol

from aiohttp import web
from pydantic import Field

from application.past.moment import Moment
from domain.attendance import Status
from domain.colours import colour_of
from domain.errors import BadFrame
from domain.ids import document_stream
from domain.instants import as_microseconds
from interfaces.http.answers import ActivityLine, Answer, MessageAnswer, answer
from interfaces.http.bodies import Asked, Whole
from interfaces.http.documents import document_id
from interfaces.http.keys import (
    ACTIVITY,
    CHAT,
    DIRECTORY,
    MOMENTS,
    PAST,
    PRESENCE,
    PROFILES,
    ROOM,
    ActivityReader,
    ChatReader,
    DirectoryReader,
    PresenceReader,
    ProfilesReader,
)
from interfaces.http.messages import message_answer
from projections.activity import ActivityFilter
from projections.telling import as_json

# On each side: what fits on a screen beside a text.
AROUND: Final = 5
AROUND_MAX: Final = 50

# How far a document had come is looked for in each of them.
DOCUMENTS_TOLD: Final = 100


class MomentQuery(Asked):
    """The character at `position` in `revision`, the present one when it is missing; or, without a position,
    what the edit that made `revision` did. `around`: so many messages and lines before and after.
    """

    position: Whole | None = None
    revision: Whole | None = None
    around: Annotated[Whole, Field(le=AROUND_MAX)] = AROUND


class PieceOfEdit(Answer):
    kind: Literal["kept", "inserted", "deleted", "left_out"]
    text: str
    length: int


class WrittenCharacter(Answer):
    document: str
    revision: int
    position: int
    text: str


class PersonThen(Answer):
    client: str
    user: str
    name: str
    colour: str
    status: Status


class DocumentThen(Answer):
    document: str
    revision: int


class MessagesAround(Answer):
    """As they stand now, oldest first."""

    before: list[MessageAnswer]
    after: list[MessageAnswer]


class LinesAround(Answer):
    """Oldest first. A line that had begun is `before`, also where it has gone on since."""

    before: list[ActivityLine]
    after: list[ActivityLine]


class MomentAnswer(Answer):
    """The edit of `revision` in `document`, and the room at that moment; `log_position` is where it stands among
    all events. `pieces` show what it did; `written` is the character that was asked for, as it was when it was
    written.
    """

    document: str
    revision: int
    log_position: int
    user: str
    client: str
    at: int
    cause: str
    inserted: int
    deleted: int
    pieces: list[PieceOfEdit]
    written: WrittenCharacter | None
    people: list[PersonThen]
    documents: list[DocumentThen]
    messages: MessagesAround
    activity: LinesAround


class RevisionReader(Protocol):
    """How far a document had come. Raises `StoreUnavailable`."""

    async def revision_at(self, stream: str, at: datetime) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Readers:
    """What is asked about the room then."""

    past: RevisionReader
    directory: DirectoryReader
    presence: PresenceReader
    profiles: ProfilesReader
    chat: ChatReader
    activity: ActivityReader


async def look(request: web.Request, query: MomentQuery) -> web.Response:
    """The edit that wrote a character, and the whole room then: who was here, what was said and done, and how far
    all documents had come. A moment behind the log.

    What came back by an undo, or was copied from another document of the room, is of who first wrote it.
    """
    moments, room, document = request.app[MOMENTS], request[ROOM].room, document_id(request)
    if query.position is not None:
        moment = await moments.of_character(room, document, query.position, query.revision)
    elif query.revision is not None:
        moment = await moments.of_revision(room, document, query.revision)
    else:
        raise BadFrame("a position, a revision or both", field="position")
    app = request.app
    readers = Readers(
        app[PAST], app[DIRECTORY], app[PRESENCE], app[PROFILES], app[CHAT], app[ACTIVITY]
    )
    return answer(await told(readers, room, moment, query.around))


async def told(readers: Readers, room: str, moment: Moment, around: int) -> MomentAnswer:
    """The moment with all that was around it."""
    return MomentAnswer(
        document=moment.document,
        revision=moment.revision,
        log_position=moment.log_position,
        user=moment.user,
        client=moment.client,
        at=as_microseconds(moment.at),
        cause=moment.cause,
        inserted=moment.inserted,
        deleted=moment.deleted,
        pieces=[PieceOfEdit(**piece._asdict()) for piece in moment.pieces],
        written=WrittenCharacter(**moment.written._asdict()) if moment.written is not None else None,
        people=await _people(readers, room, moment.at),
        documents=await _documents(readers, room, moment.at),
        messages=await _messages(readers.chat, room, moment.log_position, around),
        activity=await _activity(readers.activity, room, moment.log_position, around),
    )


async def _people(readers: Readers, room: str, at: datetime) -> list[PersonThen]:
    """Each place of everybody who was here, in order of the users; they look as they do now."""
    spans = await readers.presence.at(room, at)
    looks = {each.user: each for each in await readers.profiles.get_many({span.user for span in spans})}
    people = []
    for span in spans:
        known = looks.get(span.user)
        name, colour = (known.name, known.colour) if known else (span.user, colour_of(span.user))
        people.append(
            PersonThen(
                client=span.client, user=span.user, name=name, colour=colour, status=Status(span.status)
            )
        )
    return people


async def _documents(readers: Readers, room: str, at: datetime) -> list[DocumentThen]:
    """Of the documents that there were, the `DOCUMENTS_TOLD` that were changed last since."""
    entries = sorted(await readers.directory.of_room(room), key=lambda entry: entry.modified_at)
    documents = []
    for entry in entries[-DOCUMENTS_TOLD:]:
        revision = await readers.past.revision_at(document_stream(room, entry.document), at)
        if revision is not None:
            documents.append(DocumentThen(document=entry.document, revision=revision))
    return sorted(documents, key=lambda then: then.document)


async def _messages(chat: ChatReader, room: str, position: int, around: int) -> MessagesAround:
    before = await chat.page(room, before=position, limit=around)
    after = await chat.page(room, after=position, limit=around)
    return MessagesAround(
        before=[message_answer(message) for message in before],
        after=[message_answer(message) for message in after],
    )


async def _activity(activity: ActivityReader, room: str, position: int, around: int) -> LinesAround:
    everything = ActivityFilter()
    before = await activity.page(room, everything, before=position + 1, limit=around)
    after = await activity.page(room, everything, after=position, limit=around, is_newest_first=False)
    return LinesAround(
        before=[ActivityLine(**as_json(line)) for line in reversed(before)],
        after=[ActivityLine(**as_json(line)) for line in after],
    )
