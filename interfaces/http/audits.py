"""`/api/rooms/{room}/audit`: the questions of docs/analytics.md, for owners of a room and about it alone."""

from __future__ import annotations

from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import BeforeValidator, ConfigDict, Field

from domain.errors import BadFrame, NotFound
from interfaces.export import cells
from interfaces.http.answers import Answer, answer
from interfaces.http.bodies import Asked, DocumentId, Moment, Text, whole
from interfaces.http.keys import AUDITOR, ROOM
from interfaces.http.problems import SpanInvalid
from interfaces.tables import as_csv, as_json
from projections.questions import Column, Question, Row

# An honest question over a large room takes a second or two. Whoever waits longer asks the database itself.
AUDIT_SECONDS: Final = 10.0

# Each holds a connection to the database and keeps a core busy.
AUDITS_AT_ONCE: Final = 2

# A megabyte or two. What is longer is for `chronoscribe audit`.
ROWS: Final = 1_000
ROWS_MAX: Final = 10_000

# Postgres knows names of time zones of about half of that.
ZONE_CODE_POINTS: Final = 64

# Two years of minutes: beyond any sense, and well within what the database counts with.
AMOUNT_MAX: Final = 1_000_000

Amount = Annotated[int, Field(ge=0, le=AMOUNT_MAX), BeforeValidator(whole)]
Zone = Annotated[Text, Field(max_length=ZONE_CODE_POINTS)]

# Of the room that is asked about, no question has a choice.
_ROOM: Final = "room"


class AuditQuery(Asked):
    """What a question asks for; another one is refused."""

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    document: DocumentId | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    at: Moment | None = None
    minutes: Amount | None = None
    least: Amount | None = None
    zone: Zone | None = None
    limit: Annotated[int, Field(ge=1, le=ROWS_MAX), BeforeValidator(whole)] = ROWS


class VariableAnswer(Answer):
    """`otherwise` is what holds where it is not asked for."""

    name: str
    what: str
    otherwise: str


class QuestionAnswer(Answer):
    question: str
    title: str
    what: str
    variables: list[VariableAnswer]


class QuestionsAnswer(Answer):
    questions: list[QuestionAnswer]


class ColumnAnswer(Answer):
    """`type`: text, bool, int4, int8, float8, timestamptz or text[]."""

    name: str
    type: str


class AuditAnswer(Answer):
    """Each row has a value for every column. `is_cut`: there are more rows than were asked for."""

    question: str
    columns: list[ColumnAnswer]
    rows: list[dict[str, Any]]
    is_cut: bool


async def list_all(request: web.Request) -> web.Response:
    """The questions that can be asked about a room."""
    found = [
        QuestionAnswer(
            question=question.name,
            title=question.title,
            what=question.what,
            variables=[
                VariableAnswer(name=variable.name, what=variable.what, otherwise=variable.otherwise)
                for variable in question.variables
                if variable.name != _ROOM
            ],
        )
        for question in request.app[AUDITOR].questions.values()
    ]
    return answer(QuestionsAnswer(questions=found))


async def ask(request: web.Request, query: AuditQuery) -> web.StreamResponse:
    """The answer to a question about the room, out of the log as it is now; as CSV for `Accept: text/csv`."""
    question = request.app[AUDITOR].questions.get(request.match_info["question"])
    if question is None:
        raise NotFound("there is no such question")
    if query.since is not None and query.until is not None and query.since > query.until:
        raise SpanInvalid("this ends before it begins", field="from")
    columns, rows = await _answer(request, question, query)
    is_cut = len(rows) > query.limit
    del rows[query.limit :]
    if request.headers.get("Accept") == "text/csv":
        return _as_csv(columns, rows, is_cut=is_cut)
    response = answer(
        AuditAnswer(
            question=question.name,
            columns=[ColumnAnswer(name=column.name, type=column.type) for column in columns],
            rows=[as_json(columns, row) for row in rows],
            is_cut=is_cut,
        )
    )
    response.headers["Vary"] = "Accept"
    return response


async def _answer(
    request: web.Request, question: Question, query: AuditQuery
) -> tuple[tuple[Column, ...], list[Row]]:
    """One row more than may be told, if there is one."""
    given = query.model_dump(by_alias=True, exclude={"limit"}) | {_ROOM: request[ROOM].room}
    rows: list[Row] = []
    try:
        async with request.app[AUDITOR].ask(question, given, seconds=AUDIT_SECONDS) as found:
            async for page in found.pages:
                rows += page
                if len(rows) > query.limit:
                    break
            return found.columns, rows
    except KeyError as error:
        raise BadFrame("this question does not ask for it", field=str(error.args[0])) from None


def _as_csv(columns: tuple[Column, ...], rows: list[Row], *, is_cut: bool) -> web.Response:
    body = cells.MARK.decode() + as_csv([[column.name for column in columns]]) + as_csv(rows)
    response = web.Response(
        body=body.encode(),
        headers={"Content-Type": cells.CONTENT_TYPE, "Vary": "Accept"},
    )
    response.headers["Is-Cut"] = str(is_cut).lower()
    return response
