"""What is asked of the past over HTTP: how documents were, who wrote what and when, what went on then, and
how to take something of it back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal, TypedDict, Unpack

from interfaces.pyclient.asking import Asking, Json, document_path, given

Moment = int | str | datetime


class Question(TypedDict, total=False):
    """When a text is good: it holds a text, or does not; a regular expression is found in it; it parses."""

    text_present: str
    text_absent: str
    regex: str
    parses: Literal["python", "json"]


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

    # Moments, and what became of a passage.

    # Phrases, and all text that there ever was.

    # Undo, restore, branch.

    # Replay.


def _moments(since: Moment, until: Moment) -> Json:
    return {"from": _as_text(since), "to": _as_text(until)}


def _as_text(moment: Moment) -> str:
    return moment.isoformat() if isinstance(moment, datetime) else str(moment)
