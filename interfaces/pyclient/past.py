"""What is asked of the past over HTTP: how documents were, who wrote what and when, what went on then, and
how to take something of it back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from interfaces.pyclient.asking import Asking, Json, given, moment, room_path


class Past(Asking):
    """Requests of one user. All methods raise as `Asking`'s."""

    # Diff and bisect.

    # Blame.

    # Moments, and what became of a passage.

    # Phrases, and all text that there ever was.

    # Undo, restore, branch.

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
