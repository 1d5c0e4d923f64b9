"""`/api/rooms/{room}/documents/{document}/undo`, `…/undo/preview` and `…/redo`: take edits back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp import web

from application.log import Recorded
from application.past.revising import edit_of
from application.past.undo import Passage, Preview, Selection
from domain.errors import BadFrame
from interfaces.diffs import unified
from interfaces.http.answers import Answer, answer
from interfaces.http.bodies import Asked, Author, Count, Moment
from interfaces.http.documents import document_id
from interfaces.http.keys import DIFFS, IDENTITY, PAST_USE_CASES, ROOM, SERVICES
from interfaces.slices import in_slices


class PassageField(Asked):
    """A range of the text of `revision`, in code points."""

    revision: Count
    start: Count
    end: Count


class SelectedEdits(Asked):
    """The edits to which all of this applies: from revision `first` up to `last`, of `user`, made from
    `since` until `until`. In a `passage` alone if there is one: it goes along with the text, and elsewhere
    the edits stay in effect.
    """

    first: Count | None = None
    last: Count | None = None
    user: Author | None = None
    since: Moment | None = None
    until: Moment | None = None
    passage: PassageField | None = None


class UndoBody(SelectedEdits):
    """`mine`: the last thing that whoever asks has done here, instead of a selection."""

    mine: bool = False


class Redo(Asked):
    """The last undo of whoever asks."""


OpField = list[Any]
"""An op as on the socket; deletes carry their text."""


class RevisedAnswer(Answer):
    """The edit that was made in `document`: null when there was nothing to do."""

    document: str
    revision: int | None
    op: OpField


class UndoneAnswer(RevisedAnswer):
    """`edits`: how many are not in effect any more; null where it is a passage that they are out of."""

    edits: int | None


class PreviewAnswer(Answer):
    """What an undo would do to the text of `revision`: as an op, and as a unified diff. `edits`: how many of
    each user it would take back.
    """

    document: str
    revision: int
    edits: dict[str, int]
    op: OpField
    diff: str


async def undo(request: web.Request, body: UndoBody) -> web.Response:
    """Take edits back, whichever they are and whatever came later: all that others have typed since stays.

    It is an edit like any other, which everybody sees at once and which can itself be taken back.
    """
    use_case, actor = request.app[PAST_USE_CASES].undo, request[IDENTITY].user
    room, document = request[ROOM].room, document_id(request)
    if not body.mine:
        done = await use_case.undo(room, document, selection_of(body), actor=actor)
    elif body.model_fields_set == {"mine"}:
        done = await use_case.undo_mine(room, document, actor=actor)
    else:
        raise BadFrame("either one's own last step or a selection", field="mine")
    return answer(undone(document, done))


async def preview(request: web.Request, body: SelectedEdits) -> web.Response:
    """What that would do to the present text."""
    document = document_id(request)
    undo = request.app[PAST_USE_CASES].undo
    found = await undo.preview(request[ROOM].room, document, selection_of(body))
    told = PreviewAnswer(
        document=document,
        revision=found.revision,
        edits=dict(found.edits),
        op=found.op,
        diff=await _diff(request, found),
    )
    return answer(told)


async def _diff(request: web.Request, preview: Preview) -> str:
    services = request.app[SERVICES]
    present = (await services.documents.get(request[ROOM].room, document_id(request))).state
    old = replace(present, revision=preview.revision, text=preview.before)
    new = replace(present, revision=preview.revision + 1, text=preview.after, modified_on=services.now())
    diff = await request.app[DIFFS].of(old, new)
    return "".join([line async for line in in_slices(unified(diff))])


async def redo(request: web.Request, body: Redo) -> web.Response:
    """Take one's last undo here back, unless one has done something else since."""
    del body
    document = document_id(request)
    done = await request.app[PAST_USE_CASES].undo.redo_mine(
        request[ROOM].room, document, actor=request[IDENTITY].user
    )
    return answer(undone(document, done))


def selection_of(body: SelectedEdits) -> Selection:
    """Raises `BadFrame`: who selects nothing would take everything back."""
    asked = body.passage
    passage = None if asked is None else Passage(asked.revision, asked.start, asked.end)
    if passage is not None and passage.start > passage.end:
        raise BadFrame("the passage ends before it begins", field="passage")
    selection = Selection(body.first, body.last, body.user, body.since, body.until, passage)
    if selection == Selection():
        raise BadFrame("say which edits", field="first")
    return selection


def undone(document: str, recorded: Recorded | None) -> UndoneAnswer:
    edits: int | None = 0
    if recorded is not None:
        undoes = edit_of(recorded).undoes
        edits = None if undoes is None else sum(last - first + 1 for first, last in undoes)
    return UndoneAnswer(document=document, edits=edits, **revised(recorded))


def revised(recorded: Recorded | None) -> dict[str, Any]:
    """Of an edit that was made here, what is answered."""
    if recorded is None:
        return {"revision": None, "op": []}
    edit = edit_of(recorded)
    return {"revision": edit.revision, "op": edit.op}
