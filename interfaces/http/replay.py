"""`/api/rooms/{room}/replay` and `/api/rooms/{room}/stage`: the past of a room as it went on, and as it was
at a moment.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import ConfigDict, Field

from application.past.replay import Place
from domain.attendance import Status
from domain.errors import BadFrame
from domain.instants import as_datetime
from domain.rights import Action
from interfaces.http.answers import Answer, answer
from interfaces.http.bodies import Asked, Moment, Whole
from interfaces.http.chat_answers import MessageAnswer
from interfaces.http.keys import IDENTITY, REPLAY, ROOM, SERVICES
from interfaces.http.lines import tell_lines
from interfaces.http.problems import SpanInvalid
from interfaces.ws.staging import as_begin, as_end, as_stage, as_step

# Whether somebody may still read is looked at after so many steps: a few hundredths of a second.
CHECK_STEPS: Final = 500

# As long as a place can be.
PLACE_CHARACTERS: Final = 50


class ReplayQuery(Asked):
    """`from` and `to`: from the room's beginning until now when they are missing. `after`: the place of a
    step; it goes on behind that.
    """

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    after: Annotated[str, Field(max_length=PLACE_CHARACTERS)] | None = None


class StageQuery(Asked):
    """As it was at that moment, or when the event with that notification id had just come; now when neither
    is said.
    """

    at: Moment | None = None
    position: Whole | None = None


class StagedDocumentAnswer(Answer):
    """`listed`: whether it was on the room's list."""

    document: str
    revision: int
    text: str
    listed: bool


class StagedCursorAnswer(Answer):
    """In the text of `revision`, which is the document's."""

    document: str
    revision: int
    anchor: int
    head: int


class StagedTypingAnswer(Answer):
    """In a document, or (null) in the chat; the sign of it came at `at`."""

    document: str | None
    at: int


class StagedPersonAnswer(Answer):
    client: str
    user: str
    name: str
    colour: str
    status: Status
    cursor: StagedCursorAnswer | None
    typing: StagedTypingAnswer | None


class StageAnswer(Answer):
    """`place`: where a replay goes on from here. `messages` are the last 50 by then, oldest first."""

    at: int
    place: str
    documents: list[StagedDocumentAnswer]
    people: list[StagedPersonAnswer]
    messages: list[MessageAnswer]


async def look(request: web.Request, query: StageQuery) -> web.Response:
    """The whole room at a moment: its documents, who was here, and what was said last."""
    room, replay = request[ROOM].room, request.app[REPLAY]
    if query.at is not None and query.position is not None:
        raise BadFrame("either a time or a position", field="at")
    if query.position is not None:
        stage = await replay.stage_behind(room, query.position)
    else:
        stage = await replay.stage(room, query.at)
    return answer(StageAnswer(**as_stage(stage)))


async def tell(request: web.Request, query: ReplayQuery) -> web.StreamResponse:
    """What went on in the room, line by line: how it was at the beginning, and what followed step by step."""
    after = None if query.after is None else Place.parse(query.after)
    return await tell_lines(request, lines(request, query.since, query.until, after))


async def lines(
    request: web.Request, since: datetime | None, until: datetime | None, after: Place | None = None
) -> AsyncGenerator[Mapping[str, Any], None]:
    """The lines of a replay of the request's room. Raises `SpanInvalid`."""
    if since is not None and until is not None and since > until:
        raise SpanInvalid("this ends before it begins", field="from")
    room, replay = request[ROOM].room, request.app[REPLAY]
    begin = await replay.begin(room, since, until, after=after)
    yield as_begin(begin)
    since, until, count = as_datetime(begin.since), as_datetime(begin.until), 0
    async for step in replay.steps(room, since, until, after=begin.place):
        if (line := as_step(step)) is not None:
            yield line
        count += 1
        if not count % CHECK_STEPS:
            await request.app[SERVICES].rooms.enter(room, request[IDENTITY].user, Action.READ)
    yield as_end(begin)
