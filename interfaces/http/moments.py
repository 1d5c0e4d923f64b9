"""Moments of a document's past as they are asked for over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter

from application.past import states
from domain.errors import BadFrame
from interfaces.http.bodies import DocumentQuery, Moment
from interfaces.moments import SYNTAX, as_moment

# A name with combining marks, or a time with all its digits, is shorter.
_CODE_POINTS: Final = 300

_TIME: Final[TypeAdapter[Any]] = TypeAdapter(Moment)


def moment_of(text: str) -> states.Moment:
    """What a `MomentField` says."""
    return as_moment(text, _TIME.validate_python)


def _checked(text: str) -> str:
    moment_of(text)
    return text


def _as_text(value: object) -> object:
    """In a body a revision may be a number."""
    return str(value) if type(value) is int else value


MomentField = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_checked),
    Field(max_length=_CODE_POINTS, description=SYNTAX),
]


def moment_in(query: DocumentQuery) -> states.Moment:
    """Raises `BadFrame` when it is said in more than one way."""
    ways: dict[str, states.Moment] = {}
    if query.revision is not None:
        ways["revision"] = states.AtRevision(query.revision)
    if query.at is not None:
        ways["at"] = states.AtTime(query.at)
    if query.position is not None:
        ways["position"] = states.AtPosition(query.position)
    if query.name is not None:
        ways["name"] = states.AtName(query.name)
    if len(ways) > 1:
        raise BadFrame("only one of revision, at, position and name", field=list(ways)[1])
    return next(iter(ways.values()), None)
