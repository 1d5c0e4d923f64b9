"""What can be done with attendances: join, leave, or both in their time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from application.live import LiveAggregates
from application.log import Recorded
from domain.attendance import Attendance
from domain.errors import LostRace, NotFound, StoreError
from domain.ids import attendance_stream

logger = logging.getLogger(__name__)

Done = asyncio.Future[Sequence[Recorded]]


# A stay that could not be recorded is tried again after this: until then the room is told wrongly who is
# there, and the log has been away for seconds already.
AGAIN_SECONDS: Final = 1.0


class Attendances:
    def __init__(self, lives: LiveAggregates, *, node: str, now: Callable[[], datetime]) -> None:
        self._lives = lives
        self._node = node
        self._now = now

    def join(
        self, room: str, session: str, *, client: str, actor: str, connected: int | None = None
    ) -> asyncio.Future[Sequence[Recorded]]:
        """Begin a stay under a `session` id that is new; `connected` as in `Joined`."""
        at = self._now()

        def decide(head: Attendance | None) -> Attendance:
            return head or Attendance.join(
                room, session, client=client, node=self._node, actor=actor, at=at, connected=connected
            )

        return self._lives.submit(attendance_stream(room, session), decide, is_new=True)

    def stay(self, room: str, session: str, *, client: str, actor: str, connected: int | None = None) -> Stay:
        """Begin a stay as `join` does, and see to it that it and its end are recorded."""
        return Stay(
            lambda: self.join(room, session, client=client, actor=actor, connected=connected),
            lambda reason: self.leave(room, session, reason, actor=actor),
        )

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


class Stay:
    """One stay whose beginning and end come into the log, in this order, however long the log is away.

    Nobody waits for them, so nobody would try again: the room would go on showing somebody who has left, or
    never show somebody who is there.
    """

    def __init__(self, join: Callable[[], Done], leave: Callable[[str], Done]) -> None:
        self._join = join
        self._leave = leave
        self._has_begun = False
        self._reason: str | None = None
        self._begin()

    def end(self, reason: str) -> None:
        """The client is gone; `reason` as in `Left`."""
        self._reason = reason
        if self._has_begun:
            self._end()

    def _begin(self) -> None:
        self._join().add_done_callback(self._on_begun)

    def _on_begun(self, done: Done) -> None:
        if self._is_done(done, self._begin):
            self._has_begun = True
            if self._reason is not None:
                self._end()

    def _end(self) -> None:
        assert self._reason is not None
        self._leave(self._reason).add_done_callback(lambda done: self._is_done(done, self._end))

    @staticmethod
    def _is_done(done: Done, again: Callable[[], None]) -> bool:
        """Whether it was recorded; if not, it is tried `again` later."""
        if done.cancelled():
            return False
        error = done.exception()
        if isinstance(error, LostRace | StoreError):
            logger.warning("a stay could not be recorded yet: %s", error)
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, again)
        elif error is not None:
            logger.error("a stay cannot be recorded", exc_info=error)
        return error is None
