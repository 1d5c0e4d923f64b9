"""What comes in over HTTP, checked strictly: bodies and queries. The routes say which belongs where."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar, get_origin

from aiohttp import web
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)

from domain.errors import BadFrame, BadJson, TextInvalid
from domain.ids import DOCUMENT_ID_PATTERN, ID_PATTERN, is_document_id, is_id
from domain.importing import AUTHOR_CODE_POINTS, is_author
from domain.limits import (
    AVATAR_CODE_POINTS,
    ID_CODE_POINTS,
    INTEGER_MAX,
    NAME_CODE_POINTS,
)
from domain.names import as_name
from domain.rights import Role
from projections.activity import Kind

# A body is a few hundred bytes. Whoever takes longer to send it holds a place for nothing.
BODY_SECONDS: Final = 10.0

# One page of a list: a screen or two, if nobody says otherwise; and a few hundred kilobytes at the most.
PAGE: Final = 100
PAGE_MAX: Final = 1_000

# So many users in one query make a URL of half of the 8 KiB that servers and proxies take.
USERS_MAX: Final = 50

# A link that nobody has used in a week is forgotten in some mailbox; one for longer is a decision.
INVITATION_SECONDS: Final = 7 * 24 * 3600
INVITATION_SECONDS_MAX: Final = 90 * 24 * 3600

# A link for more people than a room has members is one for any number.
INVITATION_USES_MAX: Final = 1_000

# From UTC-14, which is further than the last ship, to UTC+14.
OFFSET_MINUTES_MAX: Final = 14 * 60

# Of time.
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_END: Final = datetime.max.replace(tzinfo=UTC)


class Asked(BaseModel):
    """`bytes_max` is for a body that may be larger than others, which have the server's limit;
    `seconds_max` how long it may take to come.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    bytes_max: ClassVar[int | None] = None
    seconds_max: ClassVar[float] = BODY_SECONDS


Given = TypeVar("Given", bound=Asked)


def _checked_id(value: str) -> str:
    if not is_id(value):
        raise ValueError("no id: 1 to 64 of A-Z a-z 0-9 _ -")
    return value


def _checked_author(value: str) -> str:
    if not is_author(value):
        raise ValueError("no id: 1 to 64 of A-Z a-z 0-9 _ -, nor the name of an imported author")
    return value


def _checked_document_id(value: str) -> str:
    if not is_document_id(value):
        raise ValueError("no document id: 1 to 64 of A-Z a-z 0-9 _ - and single dots inside")
    return value


def _checked_name(value: str) -> str:
    if as_name(value) is None:
        raise ValueError("no name: 1 to 64 characters that can be seen")
    return value


def _checked_text(value: str) -> str:
    if "\0" in value:
        raise ValueError("no text: it holds a NUL, which the database cannot be asked for")
    return value


def _role(value: object) -> object:
    """From JSON a role is its name; strictly, only an enum's member would be one."""
    return Role(value) if isinstance(value, str) and value in set(Role) else value


def whole(value: object) -> object:
    """A whole number as it stands in a query: in ASCII digits, without a sign."""
    is_whole = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 16
    return int(str(value)) if is_whole else value


def _truth(value: object) -> object:
    """A bool as it stands in a query."""
    return value == "true" if value in {"true", "false"} else value


def _offset(value: object) -> object:
    """Minutes with or without a sign; a plus is read as a space in a query."""
    if not isinstance(value, str):
        return value
    number = whole(value.removeprefix("-").removeprefix(" ").removeprefix("+"))
    return -number if isinstance(number, int) and value.startswith("-") else number


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value.replace(" ", "+"))  # what a plus in a query is read as
    except ValueError:
        raise ValueError("a time looks like 2026-11-23T14:05:00+01:00") from None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the first and the last day there are, with an offset: for us the ends of time
        return _BEGINNING if moment.year == 1 else _END


# The patterns and lengths are for the description of the API: what is checked is what the domain says.
Id = Annotated[str, AfterValidator(_checked_id), Field(json_schema_extra={"pattern": ID_PATTERN})]
Author = Annotated[
    str, AfterValidator(_checked_author), Field(json_schema_extra={"maxLength": AUTHOR_CODE_POINTS})
]
DocumentId = Annotated[
    str, AfterValidator(_checked_document_id), Field(json_schema_extra={"pattern": DOCUMENT_ID_PATTERN})
]
Name = Annotated[
    str,
    AfterValidator(_checked_name),
    Field(json_schema_extra={"minLength": 1, "maxLength": NAME_CODE_POINTS}),
]
Text = Annotated[str, AfterValidator(_checked_text)]
GivenRole = Annotated[Role, BeforeValidator(_role)]
EveryonesRole = Literal["viewer", "commenter", "editor"]
"""Not everyone can be an owner."""
Count = Annotated[int, Field(ge=0, le=INTEGER_MAX)]
Whole = Annotated[int, Field(ge=0, le=INTEGER_MAX), BeforeValidator(whole)]
Limit = Annotated[int, Field(ge=1, le=PAGE_MAX), BeforeValidator(whole)]
Offset = Annotated[int, Field(ge=-OFFSET_MINUTES_MAX, le=OFFSET_MINUTES_MAX), BeforeValidator(_offset)]
Truth = Annotated[bool, BeforeValidator(_truth)]
Moment = Annotated[datetime, BeforeValidator(_moment)]


# Bodies.


class NewRoom(Asked):
    """`room`: made by the server when it is missing; `title`: the id when it is missing; `everyone`: the role
    of those who are no members, none when it is missing.
    """

    room: Id | None = None
    title: Name | None = None
    everyone: EveryonesRole | None = None


class RoomChange(Asked):
    """What is missing stays. `everyone` null: for members only. `sealed`: whether what people write is stored
    under keys of theirs from now on.
    """

    title: Name | None = None
    everyone: EveryonesRole | None = None
    sealed: bool | None = None


class NewDocument(Asked):
    document: DocumentId


class NewRole(Asked):
    role: GivenRole


class NewInvitation(Asked):
    """`expires_in` in seconds; `uses`: how many may accept it, any number when it is missing."""

    role: GivenRole
    expires_in: Annotated[int, Field(ge=1, le=INVITATION_SECONDS_MAX)] = INVITATION_SECONDS
    uses: Annotated[int, Field(ge=1, le=INVITATION_USES_MAX)] | None = None


class Acceptance(Asked):
    secret: Annotated[str, Field(max_length=ID_CODE_POINTS)]


class ProfileChange(Asked):
    """What is missing stays. `avatar` "": none."""

    name: Name | None = None
    colour: Annotated[str, Field(max_length=7)] | None = None
    avatar: Annotated[str, Field(max_length=AVATAR_CODE_POINTS)] | None = None


class NewGuest(Asked):
    name: Name | None = None


# Queries.


class NoQuery(Asked):
    """What is asked for by its path alone."""


class RoomsQuery(Asked):
    after: Whole = 0
    limit: Limit = PAGE


class MembersQuery(Asked):
    """`at`: as it was at that moment."""

    after: Id | None = None
    limit: Limit = PAGE
    at: Moment | None = None


class DocumentQuery(Asked):
    """The text after its first `revision` edits, at the moment `at`, at the `position` of the log, or at the
    revision with a `name`.
    """

    revision: Whole | None = None
    at: Moment | None = None
    position: Whole | None = None
    name: Name | None = None


class PresenceQuery(Asked):
    """`at`: as it was at that moment."""

    at: Moment | None = None


class SummaryQuery(Asked):
    """`from` and `to`: the last seven days when they are missing."""

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    user: Id | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None


class StatisticsQuery(SummaryQuery):
    """`from` and `to`: everything when they are missing. `offset`: by how many minutes the clock for days and
    hours of the day is ahead of UTC.
    """

    offset: Offset = 0


class ProfilesQuery(Asked):
    """Those of the users named, or of those whose name or id begins with `prefix`."""

    user: Annotated[list[Id], Field(max_length=USERS_MAX)] = []
    prefix: Annotated[Text, Field(max_length=NAME_CODE_POINTS)] = ""
    after: Annotated[Text, Field(max_length=ID_CODE_POINTS + NAME_CODE_POINTS)] = ""
    limit: Limit = PAGE


# A few screens of lines, each of which may hold two hundred characters of a message.
ACTIVITY_PAGE: Final = 50
ACTIVITY_PAGE_MAX: Final = 200


def _kinds(value: object) -> object:
    """Kinds as they stand in a query: each by itself, or some with commas between."""
    if not isinstance(value, list):
        return value
    names = [name for part in value for name in str(part).split(",")]
    return [Kind(name) if name in set(Kind) else name for name in names]


# Written out, since what a query holds is described where it stands.
ActivityKind = Annotated[Kind, WithJsonSchema({"type": "string", "enum": [kind.value for kind in Kind]})]
ActivityLimit = Annotated[int, Field(ge=1, le=ACTIVITY_PAGE_MAX), BeforeValidator(whole)]


class ActivityQuery(Asked):
    """Lines before or behind the line with this id; `from` and `to` are about what went on in between."""

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    user: Id | None = None
    kind: Annotated[list[ActivityKind], Field(max_length=len(Kind)), BeforeValidator(_kinds)] = []
    document: DocumentId | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    before: Whole | None = None
    after: Whole | None = None
    limit: ActivityLimit = ACTIVITY_PAGE


class UserActivityQuery(Asked):
    """What `user` did, oneself when it is missing; lines before the line with this id."""

    user: Id | None = None
    before: Whole | None = None
    limit: ActivityLimit = ACTIVITY_PAGE


# Reading.


async def read_body(request: web.Request, model: type[Given]) -> Given:
    """The JSON body, `{}` when there is none.

    Raises `BadJson`, `BadFrame`, `TextInvalid`; 408 when it does not come, 413 beyond its limit.
    """
    if model.bytes_max is not None:
        request = request.clone(client_max_size=model.bytes_max)
    try:
        async with asyncio.timeout(model.seconds_max):
            data = await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except web.RequestPayloadError:
        raise BadJson("the body is broken") from None
    try:
        return model.model_validate_json(data or b"{}")
    except ValidationError as error:
        raise refusal(error) from None


def read_query(request: web.Request, model: type[Given]) -> Given:
    """The query. Raises `BadFrame`, also for what the model does not know and what is there twice."""
    values: dict[str, Any] = {}
    for name in request.query:
        given = request.query.getall(name)
        field = model.model_fields.get(name)
        if field is not None and get_origin(field.annotation) is list:
            values[name] = given
        elif len(given) > 1:
            raise BadFrame("this stands in the query more than once", field=name[:64])
        else:
            values[name] = given[0]
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise refusal(error) from None


def refusal(error: ValidationError) -> BadJson | BadFrame | TextInvalid:
    """The first thing that is wrong, without anything of the input."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        if "hex escape" in first["msg"]:
            return TextInvalid("a lone surrogate is no text")
        return BadJson("the body is no JSON")
    field = ".".join(str(part) for part in first["loc"])[:64]
    return BadFrame(first["msg"][:200], field=field)
