"""`/api/rooms/{room}/documents/{document}/moment`: who wrote a character, and the room as it was then."""

from __future__ import annotations

from typing import Final, Literal, Protocol

from aiohttp import web

from application.past.moment import Moment, Moments
from domain.errors import BadFrame
from domain.instants import as_microseconds
from interfaces.http.answers import ActivityLine, Answer, answer
from interfaces.http.bodies import Asked, Whole
from interfaces.http.chat_answers import MessageAnswer, message_answer
from interfaces.http.chat_bodies import ChatLimit
from interfaces.http.documents import document_id
from interfaces.http.keys import ACTIVITY, CHAT, MOMENTS, REPLAY, ROOM, ActivityReader, ChatReader
from interfaces.http.replay import StagedPersonAnswer
from interfaces.ws.staging import as_person
from projections.activity import ActivityFilter
from projections.stage import Stage
from projections.telling import as_json

# On each side: what fits on a screen beside a text.
AROUND: Final = 5


class MomentQuery(Asked):
    """The character at `position` in `revision`, the present one when it is missing; or, without a position,
    what the edit that made `revision` did. `around`: so many messages and lines before and after.
    """

    position: Whole | None = None
    revision: Whole | None = None
    around: ChatLimit = AROUND


class PieceOfEdit(Answer):
    kind: Literal["kept", "inserted", "deleted", "left_out"]
    text: str
    length: int


class WrittenCharacter(Answer):
    document: str
    revision: int
    position: int
    text: str


class DocumentThen(Answer):
    """`listed`: whether it was on the room's list."""

    document: str
    revision: int
    listed: bool


class MessagesAround(Answer):
    """As they stand now, oldest first."""

    before: list[MessageAnswer]
    after: list[MessageAnswer]


class LinesAround(Answer):
    """Oldest first. A line that had begun is `before`, also where it has gone on since."""

    before: list[ActivityLine]
    after: list[ActivityLine]


class MomentAnswer(Answer):
    """The edit of `revision` in `document`, and the room at that moment; `log_position` is where it stands
    among all events. `pieces` show what it did; `written` is the character that was asked for, as it was when
    it was written. Of an edit that was imported `user` and `at` are who wrote it elsewhere and when,
    `reference` and `note` what it is called there and what was said of it; the room is as it was when it came
    here.
    """

    document: str
    revision: int
    log_position: int
    user: str
    client: str
    at: int
    cause: str
    reference: str | None
    note: str | None
    inserted: int
    deleted: int
    pieces: list[PieceOfEdit]
    written: WrittenCharacter | None
    people: list[StagedPersonAnswer]
    documents: list[DocumentThen]
    messages: MessagesAround
    activity: LinesAround


class StageReader(Protocol):
    """Shows the whole room as it was. Raises `StoreUnavailable`."""

    async def stage_behind(self, room: str, position: int) -> Stage: ...


async def look(request: web.Request, query: MomentQuery) -> web.Response:
    """The edit that wrote a character, and the whole room then: who was here and where their cursors stood,
    what was said and done, and how far all documents had come. Messages and activity are a moment behind the
    log.

    What came back by an undo, or was copied from another document of the room, is of who first wrote it.
    """
    app, room, document = request.app, request[ROOM].room, document_id(request)
    moment = await find(app[MOMENTS], room, document, query.position, query.revision)
    return answer(await told(app[REPLAY], app[CHAT], app[ACTIVITY], room, moment, query.around))


async def find(
    moments: Moments, room: str, document: str, position: int | None, revision: int | None
) -> Moment:
    """Raises `NotFound`, `BadFrame`."""
    if position is not None:
        return await moments.of_character(room, document, position, revision)
    if revision is None:
        raise BadFrame("a position, a revision or both", field="position")
    return await moments.of_revision(room, document, revision)


async def told(
    stages: StageReader, chat: ChatReader, activity: ActivityReader, room: str, moment: Moment, around: int
) -> MomentAnswer:
    """The moment with all that was around it."""
    stage = await stages.stage_behind(room, moment.log_position)
    return MomentAnswer(
        document=moment.document,
        revision=moment.revision,
        log_position=moment.log_position,
        user=moment.user,
        client=moment.client,
        at=as_microseconds(moment.at),
        cause=moment.cause,
        reference=moment.reference,
        note=moment.note,
        inserted=moment.inserted,
        deleted=moment.deleted,
        pieces=[PieceOfEdit(**piece._asdict()) for piece in moment.pieces],
        written=WrittenCharacter(**moment.written._asdict()) if moment.written is not None else None,
        people=[StagedPersonAnswer(**as_person(person)) for person in stage.people],
        documents=[
            DocumentThen(document=document.name, revision=document.revision, listed=document.is_listed)
            for document in stage.documents.values()
        ],
        messages=await _messages(chat, room, moment.log_position, around),
        activity=await _activity(activity, room, moment.log_position, around),
    )


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
