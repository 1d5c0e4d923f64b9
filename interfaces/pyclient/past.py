"""What is asked of the past over HTTP: how documents were, who wrote what and when, what went on then, and
how to take something of it back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, Literal

import orjson

from interfaces.pyclient.asking import Asking, Json, document_path, given, room_path

# To know who wrote a character, a long history is read once, which is some seconds for each hundred thousand
# edits.
MOMENT_SECONDS: Final = 60.0


class Past(Asking):
    """Requests of one user. All methods raise as `Asking`'s."""

    # Diff and bisect.

    # Blame.

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
        answer: Json = orjson.loads(
            await self._ask_for_bytes("GET", path, query=query, seconds=MOMENT_SECONDS)
        )
        return answer

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

    # Undo, restore, branch.

    # Replay.
