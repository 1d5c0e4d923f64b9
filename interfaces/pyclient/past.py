"""What is asked of the past over HTTP: how documents were, who wrote what and when, what went on then, and
how to take something of it back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Final, Literal, TypedDict, Unpack

import orjson

from interfaces.pyclient.asking import Asking, Json, document_path, given, moment, room_path
from interfaces.pyclient.errors import Refused

Moment = int | str | datetime


class PassageOf(TypedDict):
    """A range of the text of `revision`, in code points."""

    revision: int
    start: int
    end: int


class Selected(TypedDict, total=False):
    """Which edits: those to which all of this applies. `first` and `last` are revisions, `since` and `until`
    times; in a `passage` alone, if there is one.
    """

    first: int
    last: int
    user: str
    since: datetime
    until: datetime
    passage: PassageOf


class Question(TypedDict, total=False):
    """When a text is good: it holds a text, or does not; a regular expression is found in it; it parses."""

    text_present: str
    text_absent: str
    regex: str
    parses: Literal["python", "json"]


# To know who wrote a text, its history is read once, which is a second for each hundred thousand edits, and
# more on a busy machine; and what is taken back or copied keeps whose it is.
HISTORY_SECONDS: Final = 60.0


# A replay as a page: some tens of megabytes, which the server reads as it writes them.
PAGE_SECONDS: Final = 300.0


class Past(Asking):
    """Requests of one user. All methods raise as `Asking`'s."""

    # Diff and bisect. A moment is a revision, a time, "name:NAME", "position:N" or "now".

    async def diff(
        self, room: str, document: str, since: Moment, until: Moment = "now", *, context: int | None = None
    ) -> Json:
        """What differs: `hunks` of lines, and in changed lines the words."""
        query = _moments(since, until) | given(context=context)
        return await self._ask("GET", f"{document_path(room, document)}/diff", query=query)

    async def diff_text(
        self,
        room: str,
        document: str,
        since: Moment,
        until: Moment = "now",
        *,
        form: Literal["unified", "words", "html"] = "unified",
        context: int | None = None,
        page: bool = False,
    ) -> str:
        """The same for people: for `patch`, with words in their place, or as HTML, with `page` as a page."""
        query = _moments(since, until) | given(format=form, context=context, page="true" if page else None)
        return (
            await self._ask_for_bytes("GET", f"{document_path(room, document)}/diff", query=query)
        ).decode()

    async def bisect(
        self,
        room: str,
        document: str,
        *,
        good: Moment = 0,
        bad: Moment = "now",
        on_progress: Callable[[Json], None] = lambda _: None,
        **question: Unpack[Question],
    ) -> Json:
        """The edit that made a text bad that was good before, its `diff`, and the `messages` around
        it. One question says when a text is good.
        """
        body = {"good": _as_text(good), "bad": _as_text(bad), **question}
        async for line in self._lines(f"{document_path(room, document)}/bisect", body):
            if line["type"] == "found":
                return line
            on_progress(line)
        raise AssertionError("an answer without an error has a result")

    async def passage(self, room: str, document: str, *, revision: int, start: int, end: int) -> Json:
        """A range of the text of a revision, and where it is `now`."""
        query = {"revision": revision, "start": start, "end": end}
        return await self._ask("GET", f"{document_path(room, document)}/passage", query=query)

    # Blame.

    async def blame(
        self,
        room: str,
        document: str,
        *,
        revision: int | None = None,
        at: datetime | None = None,
        by: Literal["edit", "author"] = "edit",
        lines: bool = False,
        start: int | None = None,
        end: int | None = None,
        text: bool = False,
    ) -> Json:
        """Who wrote what of a text, now, of a revision or at a moment: `spans`, or `lines` with the newest
        edit of each. `people` says what the authors are called.
        """
        told: Json = {"lines" if lines else "spans": []}
        asked = self.blame_lines(
            room, document, revision=revision, at=at, by=by, lines=lines, start=start, end=end, text=text
        )
        async for line in asked:
            kind = line.pop("type")
            if kind == "blame":
                told = line | told
            elif kind in told:
                told[kind] += line[kind]
        return told

    def blame_lines(
        self,
        room: str,
        document: str,
        *,
        at: datetime | None = None,
        lines: bool = False,
        text: bool = False,
        **asked: Any,
    ) -> AsyncIterator[Json]:
        """The same line by line: `progress` while it is found, `blame` with what is known of all of it, then
        `spans` or `lines`, a thousand at a time, and `end`.
        """
        flags = {name: "true" for name, is_set in (("lines", lines), ("text", text)) if is_set}
        query = given(**asked) | moment(at=at) | flags | {"stream": "true"}
        return self._lines(f"{document_path(room, document)}/blame", query=query)

    # Moments, and what became of a passage.

    def watch(
        self,
        room: str,
        document: str,
        start: int,
        end: int,
        *,
        revision: int | None = None,
        direction: Literal["back", "forward", "both"] = "both",
        limit: int | None = None,
    ) -> AsyncIterator[Json]:
        """Every edit that touched the text from `start` up to `end` of a revision, the present one if None:
        lines of the types `passage` (first), `edit`, `progress` and, for each direction, `end`.
        """
        query = given(start=start, end=end, revision=revision, direction=direction, limit=limit)
        return self._lines(f"{document_path(room, document)}/watch", query=query)

    async def moment(
        self,
        room: str,
        document: str,
        *,
        position: int | None = None,
        revision: int | None = None,
        around: int | None = None,
    ) -> Json:
        """The edit that wrote the character at `position` of a revision, the present one if None; without a
        position the edit that made the revision. And the whole room then, with `around` messages and lines of
        activity on each side.
        """
        query = given(position=position, revision=revision, around=around)
        path = f"{document_path(room, document)}/moment"
        return await self._ask("GET", path, query=query, seconds=HISTORY_SECONDS)

    # Phrases, and all text that there ever was.

    def phrases(
        self, room: str, document: str, phrase: str, *, ignore_case: bool = False, limit: int | None = None
    ) -> AsyncIterator[Json]:
        """When a phrase appeared in a document and vanished from it, and by whom: lines of the types
        `progress`, `life` (the newest first) and, last, `document`.
        """
        query = given(q=phrase, ignore_case="true" if ignore_case else None, limit=limit)
        return self._lines(f"{document_path(room, document)}/phrases", query=query)

    def search_past(
        self,
        room: str,
        phrase: str,
        *,
        document: str | None = None,
        ignore_case: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[Json]:
        """A phrase in all text that there is and ever was in a room, or in one document of it: lines of the
        types `present` (first, for what is there now), `progress`, `life` and, behind the lives of each,
        `document`; and last `end`.
        """
        query = given(q=phrase, document=document, ignore_case="true" if ignore_case else None, limit=limit)
        return self._lines(f"{room_path(room)}/past/search", query=query)

    # Undo, restore, branch. What is done is an edit, of which `revision` and `op` are told; `revision` is
    # None when there was nothing to do.

    async def undo_mine(self, room: str, document: str) -> Json:
        """Take back the last thing that one has done in a document and that is still in effect."""
        return await self._revise(f"{document_path(room, document)}/undo", {"mine": True})

    async def redo_mine(self, room: str, document: str) -> Json:
        """Take back one's last undo, unless one has done something else since."""
        return await self._revise(f"{document_path(room, document)}/redo", {})

    async def undo(self, room: str, document: str, **selected: Unpack[Selected]) -> Json:
        """Take edits back, whosever they are and whatever came later."""
        return await self._revise(f"{document_path(room, document)}/undo", _selected(selected))

    async def preview_undo(self, room: str, document: str, **selected: Unpack[Selected]) -> Json:
        """What that would do to the present text."""
        return await self._revise(f"{document_path(room, document)}/undo/preview", _selected(selected))

    async def restore(self, room: str, document: str, revision: int) -> Json:
        """Make a text what it was."""
        return await self._revise(f"{document_path(room, document)}/restore", {"revision": revision})

    async def start_branch(
        self, room: str, document: str, branch: str, *, revision: int | None = None
    ) -> Json:
        """Make the document `branch` out of a text of another."""
        body = given(branch=branch, revision=revision)
        return await self._revise(f"{document_path(room, document)}/branch", body)

    async def branch(self, room: str, document: str) -> Json:
        """The `source` of a branch and its `revision`, None for what is no branch."""
        return await self._ask("GET", f"{document_path(room, document)}/branch")

    async def merge(self, room: str, branch: str) -> Json:
        """Bring what was edited in a branch into the document that it has left."""
        return await self._revise(f"{document_path(room, branch)}/merge", {})

    async def _revise(self, path: str, body: Json) -> Json:
        return await self._ask("POST", path, body, seconds=HISTORY_SECONDS)

    # Replay.

    async def stage(self, room: str, *, at: datetime | None = None, position: int | None = None) -> Json:
        """The whole room at a moment, or when the event of that position had just come; now by default."""
        query = moment(at=at) | given(position=position)
        return await self._ask("GET", f"{room_path(room)}/stage", query=query)

    def replay_lines(
        self,
        room: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
    ) -> AsyncIterator[Json]:
        """What went on, line by line: how it was at the beginning (of the room, by default), each step until
        now or `until`, and an end. With the place of a step it goes on behind that.
        """
        query = moment(**{"from": since, "to": until}) | given(after=after)
        return self._lines(f"{room_path(room)}/replay", query=query)

    async def replay_html(
        self, room: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> bytes:
        """What went on, as an HTML file that plays in a browser. Raises `Refused` also for one that ends
        early.
        """
        query = moment(**{"from": since, "to": until})
        path = f"{room_path(room)}/replay.html"
        page = await self._ask_for_bytes("GET", path, query=query, seconds=PAGE_SECONDS)
        told = _last_line(page)
        if told.get("type") == "error":
            raise Refused(told["code"], told["detail"])
        return page


def _last_line(page: bytes) -> Json:
    """Of the recording in a page: it says whether it is whole."""
    recording, _, _ = page.rpartition(b"\n]</script>")
    told: Json = orjson.loads(recording.rpartition(b"\n")[2])
    return told


def _selected(selected: Selected) -> Json:
    """As a body has it."""
    body: Json = {**selected}
    for name in ("since", "until"):
        if name in body:
            body[name] = body[name].isoformat()
    return body


def _moments(since: Moment, until: Moment) -> Json:
    return {"from": _as_text(since), "to": _as_text(until)}


def _as_text(moment: Moment) -> str:
    return moment.isoformat() if isinstance(moment, datetime) else str(moment)
