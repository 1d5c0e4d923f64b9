"""`/api/rooms/{room}/documents/{document}/bisect`: which edit made a text bad that was good before."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import Field

from application.past.bisect import Judged, Matches, Parses, Question, TextAbsent, TextPresent
from domain.errors import BadFrame
from interfaces.findings import found_as_json, messages_around, progress_as_json
from interfaces.http.bodies import Asked, Text
from interfaces.http.documents import document_id
from interfaces.http.keys import BISECT, CHAT, JUDGES, ROOM
from interfaces.http.lines import tell_lines
from interfaces.http.moments import MomentField, moment_of

# Each reads some tens of texts from the log.
BISECTS_AT_ONCE: Final = 4

# What is looked for is some lines at the most.
PART_CODE_POINTS: Final = 10_000
PATTERN_CODE_POINTS: Final = 1_000

Part = Annotated[Text, Field(min_length=1, max_length=PART_CODE_POINTS)]


class BisectBody(Asked):
    """One of the last four says when a text is good: when it holds a text, or does not hold it; when a
    regular expression is found in it (in RE2's syntax); when it is a Python program, or JSON. `good` is a
    moment when it was, revision 0 when it is missing; `bad` a later one when it was not, now when it is
    missing.
    """

    good: MomentField = "0"
    bad: MomentField = "now"
    text_present: Part | None = None
    text_absent: Part | None = None
    regex: Annotated[Text, Field(max_length=PATTERN_CODE_POINTS)] | None = None
    parses: Literal["python", "json"] | None = None


async def run(request: web.Request, body: BisectBody) -> web.StreamResponse:
    """The edit that made the text bad: who made it, when, what it changed, and what was said around it.

    Told line by line (NDJSON): `progress` with each revision that was looked at, and then `found`. Where the
    text became bad only once, it is that edit; otherwise one of those that made a good text bad.
    """
    judge = request.app[JUDGES].by(_question(body))
    room, document = request[ROOM].room, document_id(request)
    bisect, chat = request.app[BISECT], request.app[CHAT]

    async def lines() -> AsyncGenerator[dict[str, Any], None]:
        done = 0
        steps = bisect.run(room, document, judge, moment_of(body.good), moment_of(body.bad))
        async for step in steps:
            if isinstance(step, Judged):
                done += 1
                yield progress_as_json(step, done)
            else:
                said = [] if step.edit is None else await messages_around(chat, room, step.edit.timestamp)
                yield await found_as_json(step, said)

    return await tell_lines(request, lines())


def _question(body: BisectBody) -> Question:
    asked: list[Question] = []
    if body.text_present is not None:
        asked.append(TextPresent(body.text_present))
    if body.text_absent is not None:
        asked.append(TextAbsent(body.text_absent))
    if body.regex is not None:
        asked.append(Matches(body.regex))
    if body.parses is not None:
        asked.append(Parses(body.parses))
    if len(asked) != 1:
        raise BadFrame("exactly one of text_present, text_absent, regex and parses", field="text_present")
    return asked[0]
