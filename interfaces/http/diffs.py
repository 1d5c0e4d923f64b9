"""`/api/rooms/{room}/documents/{document}/diff`: what differs between two moments of a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from application.past.diff import Diff
from interfaces import diff_pages, diffs
from interfaces.http.answers import Answer
from interfaces.http.bodies import Asked, Whole
from interfaces.http.documents import document_id
from interfaces.http.keys import DIFFS, ROOM
from interfaces.http.moments import MomentField, moment_of
from interfaces.slices import in_slices

# Of the largest texts each takes some megabytes and half a second, of which others get their turns.
DIFFS_AT_ONCE: Final = 4

# More is the whole text of most documents.
CONTEXT_MAX: Final = 1_000

# Some megabytes. Only of two texts of thousands of lines that have nothing in common is something left out.
LINES_MAX: Final = 50_000

# A page of the past loads nothing and runs nothing.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_TYPES: Final = {
    "json": "application/json",
    "html": "text/html",
    "unified": "text/plain",
    "words": "text/plain",
}


def _checked_context(value: int) -> int:
    if value > CONTEXT_MAX:
        raise ValueError(f"at most {CONTEXT_MAX} lines")
    return value


Context = Annotated[
    Whole, AfterValidator(_checked_context), Field(json_schema_extra={"maximum": CONTEXT_MAX})
]


def _flag(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


class DiffQuery(Asked):
    """`from` and `to` are moments; `to` is now when it is missing. `context`: lines that are shown around
    what differs. `page`: of HTML a page, not a fragment.
    """

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    old: Annotated[MomentField, Field(alias="from")]
    new: Annotated[MomentField, Field(alias="to")] = "now"
    format: Literal["json", "unified", "words", "html"] = "json"
    context: Context = diffs.CONTEXT_LINES
    page: Annotated[bool, BeforeValidator(_flag)] = False


class DiffState(Answer):
    revision: int
    modified: int


class DiffPiece(Answer):
    text: str
    is_changed: bool


class DiffLine(Answer):
    """`old` and `new` are its numbers in the two texts, from 1. `words`: where only some of them differ, the
    parts of the line. `has_end`: only the last line of a text may have none.
    """

    kind: Literal["same", "removed", "added"]
    old: int | None
    new: int | None
    text: str
    has_end: bool
    words: list[DiffPiece] | None


class DiffHunk(Answer):
    """Where it is in the two texts, by the numbers of its first lines and how many they are."""

    old_start: int
    old_lines: int
    new_start: int
    new_lines: int
    lines: list[DiffLine]


class DiffAnswer(Answer):
    """`is_coarse`: there was too much to compare all of it line by line and word by word; `is_cut`: there are
    too many lines to tell all of them.
    """

    room: str
    document: str
    old: DiffState
    new: DiffState
    is_coarse: bool
    hunks: list[DiffHunk]
    is_cut: bool


async def look(request: web.Request, query: DiffQuery) -> web.Response:
    """What differs between two moments, by lines, and within them by words.

    As JSON, in the unified format, with words in their place as git shows them, or as HTML.
    """
    diff = await request.app[DIFFS].between(
        request[ROOM].room, document_id(request), moment_of(query.old), moment_of(query.new)
    )
    told = [piece async for piece in in_slices(_told(diff, query))]
    response = web.Response(body=b"".join(told), content_type=_TYPES[query.format], charset="utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


def _told(diff: Diff, query: DiffQuery) -> Iterator[bytes]:
    match query.format:
        case "json":
            yield from diffs.as_json(diff, query.context, LINES_MAX)
        case "unified":
            yield from map(str.encode, diffs.unified(diff, query.context))
        case "words":
            yield from map(str.encode, diffs.in_words(diff, query.context))
        case "html":
            yield from map(
                str.encode, diff_pages.html(diff, query.context, is_page=query.page, lines_max=LINES_MAX)
            )
