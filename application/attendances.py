"""What can be done with attendances: join, leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from application.live import LiveAggregates
from application.log import Recorded
from domain.attendance import Attendance
from domain.errors import NotFound
from domain.ids import attendance_stream


class Attendances:
    def __init__(self, lives: LiveAggregates, *, node: str, now: Callable[[], datetime]) -> None:
        self._lives = lives
        self._node = node
        self._now = now

    def join(self, room: str, session: str, *, client: str, actor: str) -> asyncio.Future[Sequence[Recorded]]:
        """Begin a stay under a `session` id that is new."""
        at = self._now()

        def decide(head: Attendance | None) -> Attendance:
            return head or Attendance.join(room, session, client=client, node=self._node, actor=actor, at=at)

        return self._lives.submit(attendance_stream(room, session), decide, is_new=True)

    def leave(
        self, room: str, session: str, reason: str, *, actor: str
    ) -> asyncio.Future[Sequence[Recorded]]:
        """End a stay; once is enough. The future raises `NotFound` for one that never began."""
        at = self._now()

        def decide(head: Attendance | None) -> Attendance:
            if head is None:
                raise NotFound("there is no such stay")
            head.leave(reason, actor=actor, at=at)
            return head

        return self._lives.submit(attendance_stream(room, session), decide)
