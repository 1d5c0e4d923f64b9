"""What can be done with attendances: stay in a room, be seen doing something, leave."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from application.live import LiveAggregates
from application.log import Recorded
from application.rooms import guard
from domain.attendance import Appearance, Attendance, Liveliness, Status
from domain.errors import ClientError, LostRace, NotFound, StoreError
from domain.ids import attendance_stream
from domain.rights import Action

logger = logging.getLogger(__name__)

Done = asyncio.Future[Sequence[Recorded]]


# A stay that could not be recorded is tried again after this: until then the room is told wrongly who is
# there, and the log has been away for seconds already.
AGAIN_SECONDS: Final = 1.0


class Attendances:
    """The stays of this node's sessions."""

    def __init__(
        self,
        lives: LiveAggregates,
        *,
        node: str,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._lives = lives
        self._node = node
        self._now = now
        self._monotonic = monotonic
        self._stays: set[Stay] = set()

    def stay(
        self,
        room: str,
        session: str,
        *,
        client: str,
        appearance: Appearance,
        actor: str,
        connected: int | None = None,
    ) -> Stay:
        """Begin a stay under a `session` id that is new, and see to it that it is recorded with all that
        comes of it; `connected` as in `Joined`.
        """
        at = self._now()

        def join(head: Attendance | None) -> Attendance:
            return head or Attendance.join(
                room,
                session,
                client=client,
                node=self._node,
                appearance=appearance,
                actor=actor,
                at=at,
                connected=connected,
            )

        stream = attendance_stream(room, session)
        is_member = guard(room, actor, Action.READ)
        stay = Stay(
            lambda: self._lives.submit(stream, join, is_new=True, guard=is_member),
            lambda status, cause: self._change_status(stream, status, cause, actor),
            lambda reason: self.leave(room, session, reason, actor=actor),
            Liveliness(self._monotonic()),
            self._monotonic,
            self._stays.discard,
        )
        self._stays.add(stay)
        return stay

    def _change_status(self, stream: str, status: Status, cause: str, actor: str) -> Done:
        at = self._now()

        def decide(head: Attendance | None) -> Attendance:
            if head is None:
                raise NotFound("there is no such stay")
            head.change_status(status, cause, actor=actor, at=at)
            return head

        return self._lives.submit(stream, decide)

    def leave(self, room: str, session: str, reason: str, *, actor: str) -> Done:
        """End a stay; once is enough. The future raises `NotFound` for one that never began."""
        at = self._now()

        def decide(head: Attendance | None) -> Attendance:
            if head is None:
                raise NotFound("there is no such stay")
            head.leave(reason, actor=actor, at=at)
            return head

        return self._lives.submit(attendance_stream(room, session), decide)

    def sweep(self) -> None:
        """Record what has come to be by nothing having been done: idle, away. Called every few seconds."""
        for stay in tuple(self._stays):
            stay.look()


class Stay:
    """One stay whose beginning, statuses and end come into the log, in this order, however long the log is
    away. Owned by its session.

    Nobody waits for them, so nobody would try again: the room would go on showing somebody who has left, or
    never show somebody who is there.
    """

    __slots__ = (
        "_change",
        "_has_begun",
        "_join",
        "_leave",
        "_liveliness",
        "_monotonic",
        "_on_over",
        "_reason",
        "status",
    )

    def __init__(
        self,
        join: Callable[[], Done],
        change: Callable[[Status, str], Done],
        leave: Callable[[str], Done],
        liveliness: Liveliness,
        monotonic: Callable[[], float],
        on_over: Callable[[Stay], None],
    ) -> None:
        self._join = join
        self._change = change
        self._leave = leave
        self._liveliness = liveliness
        self._monotonic = monotonic
        self._on_over = on_over
        self._has_begun = False
        self._reason: str | None = None
        self.status: Status | None = Status.IDLE
        """What the log says, or will say in a moment; None when we do not know."""
        self._begin()

    # What the session tells.

    def on_edit(self) -> None:
        self._liveliness.on_edit(self._monotonic())
        self.look()

    def on_activity(self) -> None:
        """A cursor has moved, something was said or is being typed."""
        self._liveliness.on_activity(self._monotonic())
        self.look()

    def declare(self, status: Status | None) -> None:
        """What the client says that it is doing; None: let it follow from what it does."""
        self._liveliness.declare(status, self._monotonic())
        self.look("declared")

    def end(self, reason: str) -> None:
        """The client is gone; `reason` as in `Left`."""
        self._reason = reason
        self._on_over(self)
        if self._has_begun:
            self._end()

    # What is recorded.

    def look(self, cause: str = "derived") -> None:
        """Record the status if it is not what was recorded last."""
        status = self._liveliness.status(self._monotonic())
        if status is self.status or not self._has_begun or self._reason is not None:
            return
        self.status = status
        self._change(status, cause).add_done_callback(self._on_changed)

    def _on_changed(self, done: Done) -> None:
        """A status that could not be recorded is looked at again when something happens, or by the sweep.
        It may come into the log all the same, and a later one may be on its way: so whatever it is then is
        recorded, and is no event if the log says so already.
        """
        if not done.cancelled() and done.exception() is not None:
            self.status = None

    def _begin(self) -> None:
        self._join().add_done_callback(self._on_begun)

    def _on_begun(self, done: Done) -> None:
        if self._is_done(done, self._begin):
            self._has_begun = True
            if self._reason is not None:
                self._end()
            else:
                self.look()

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
        elif isinstance(error, ClientError):
            logger.info("a stay is not recorded: %s", error)  # whoever it was has no right to be there
        elif error is not None:
            logger.error("a stay cannot be recorded", exc_info=error)
        return error is None
