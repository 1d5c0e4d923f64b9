"""Replay: a room's past shown again as it went on, on one clock.

There are two logs. What a room's record holds is shown in the order of the record, the frames of its presence
log in the order of that one: these orders are what everybody has seen. Times come from the clocks of several
servers, which differ, and are set back. So each log has a clock that never goes back: the largest time up to
an event. Its value is the same wherever one begins to read, since nothing that is read later can make it
smaller; and what a log had shown at a moment is always a beginning of it. By these two clocks the logs are
merged. Of what is of the same moment the record comes first.

A frame may tell of a cursor in a text that is not shown yet, when the server that had the edit is ahead of
the one that gathered the cursor. Then it waits, and what follows in its log with it, until the edit has been
shown. Cursors that were told in an earlier text are moved into the one that is shown: see `Stage`.

What is shown is named by its place: the clock, and how far each log had come. From a place one goes on
without having seen what was before.

What was said in a message that is deleted by now is not said again, here as elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, NamedTuple, Protocol, Self, TypeVar

from application.log import Recorded
from domain.aggregate import Event
from domain.document import EditApplied
from domain.errors import BadFrame
from domain.limits import INTEGER_MAX
from domain.presence import Move, Typing

# The record is searched for a moment on the assumption that servers' clocks differ by less, and are set back
# by less. Where one was not, a replay that begins near that moment may begin a little before or after it.
CLOCKS_DIFFER: Final = timedelta(minutes=10)

# The same of the presence log, where everything within so much of a moment is read to put it in order; and so
# long a frame waits for an edit. Servers whose clocks are kept differ by milliseconds.
FRAMES_DIFFER: Final = timedelta(seconds=5)

# Signs of typing hold for ten seconds, and frames are not quite in order.
_RECENT: Final = 3 * FRAMES_DIFFER

# A page: what is in memory of each log at a time, and a few milliseconds of decoding.
PAGE_EVENTS: Final = 500

# An import of thousands of messages is of one moment, and is told in pieces of so many events.
STEP_EVENTS: Final = 200

# Others get their turn after so many events, which is a millisecond or two.
SLICE_EVENTS: Final = 100

# Edits of each document that are remembered to move cursors by. A cursor is gathered for 50 ms, so the text
# that it was told in is a few edits old; older ones are read.
WINDOW_EDITS: Final = 200

_PLACE: Final = re.compile(r"(\d{1,16})-(\d{1,16})-(\d{1,16})")


class Place(NamedTuple):
    """What has been shown: everything up to the clock's `at` (microseconds), which is the record up to the
    notification id `position` and the presence log up to `frame`; of a moment with several steps, a part.
    """

    at: int
    position: int
    frame: int

    def __str__(self) -> str:
        return f"{self.at}-{self.position}-{self.frame}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `BadFrame` for what is no place."""
        found = _PLACE.fullmatch(text)
        if found is None or any(int(part) > INTEGER_MAX for part in found.groups()):
            raise BadFrame("this is no place in a replay", field="after")
        return cls(*map(int, found.groups()))


@dataclass(frozen=True, slots=True)
class Mark:
    """What one may want to go to: `text` says what `user` did, to stand behind their name."""

    at: int
    position: int
    kind: str
    user: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """The events of one moment, in their order. A frame of the presence log is one, too: its event is a
    `FrameRecorded`, its position that of its own log.
    """

    at: int
    place: Place
    events: Sequence[Recorded]


class Scene(Protocol):
    """A stage, as far as it matters here: see `projections.stage.Stage`."""

    def advance(self, at: int, place: str) -> None: ...

    def put(self, name: str, revision: int, text: str, *, is_listed: bool) -> None: ...

    def take(self, position: int, event: Event) -> None: ...

    def show(self, moves: Sequence[Move], typing: Sequence[Typing]) -> None: ...

    @property
    def nodes(self) -> Sequence[str]: ...


AnyScene = TypeVar("AnyScene", bound=Scene)


@dataclass(frozen=True, slots=True)
class Begin(Generic[AnyScene]):
    """`events`: how many of the record will be shown; nobody has counted the cursors. `marks` are a moment
    behind the log.
    """

    room: str
    since: int
    until: int
    events: int
    marks: Sequence[Mark]
    stage: AnyScene
    place: Place
    """Where the first step follows."""


class StagedText(NamedTuple):
    """A document as of some position."""

    name: str
    revision: int
    text: str
    is_listed: bool


class ReplayLog(Protocol):
    """Both logs of a room, read by time. Every method raises `StoreUnavailable`, and `Corrupt` for what it
    cannot read.
    """

    # The record.

    async def beginning(self, room: str) -> datetime | None:
        """When the room began, None when nothing has happened in it."""
        ...

    async def position_at(self, room: str, at: datetime) -> int:
        """Where the record's clock passes `at`: the last position before the first younger event."""
        ...

    async def clock_at(self, room: str, position: int) -> datetime | None:
        """The record's clock at a position, None before the room's first event."""
        ...

    async def count(self, room: str, after: int, until: int) -> int:
        """How many events there are with `after` < position <= `until`."""
        ...

    async def events(self, room: str, after: int, until: int, *, limit: int) -> Sequence[Recorded]:
        """The same events, at most `limit`, in log order."""
        ...

    async def profiles(self, users: Collection[str], after: int, until: int) -> Sequence[Recorded]:
        """How the looks of `users` were changed there, in log order."""
        ...

    async def looks(self, users: Collection[str], position: int) -> Sequence[Recorded]:
        """The newest profile of each as of `position`, where there was one."""
        ...

    async def documents(self, room: str, position: int) -> AsyncIterator[StagedText]:
        """All documents that had been listed by then, one after the other."""
        ...

    async def revisions(self, room: str, position: int) -> Mapping[str, int]:
        """Their revisions alone."""
        ...

    async def edits(self, stream: str, after: int, until: int) -> Sequence[EditApplied]:
        """The edits of revisions `after + 1` to `until` of a document, oldest first."""
        ...

    async def stays(self, room: str, at: datetime, position: int) -> Sequence[Recorded]:
        """All events, up to `position`, of the stays that were open there; `at` is about then. Some others
        may be among them.
        """
        ...

    async def messages(self, room: str, position: int, limit: int) -> Sequence[Recorded]:
        """All events, up to a position, of the `limit` messages that were posted last, in log order."""
        ...

    async def deleted(self, streams: Collection[str]) -> Set[str]:
        """Those of these messages that are deleted by now."""
        ...

    async def marks(self, room: str, after: int, until: int) -> Sequence[Mark]:
        """What is worth going to between two positions, in log order."""
        ...

    # The presence log. Its days are let go of after a while: then there is nothing.

    async def frames(
        self, room: str, since: datetime, until: datetime, *, after: int = 0, limit: int
    ) -> Sequence[Recorded]:
        """The frames with `since` <= time <= `until`, at most `limit`, by time; of those of the time `since`,
        the ones behind position `after`.
        """
        ...

    async def keyframes(self, room: str, nodes: Collection[str], until: datetime) -> Sequence[Recorded]:
        """The last keyframe of each of these nodes by then, and the node's next frames up to then."""
        ...


class Replay(Generic[AnyScene]):
    """Reads the past of rooms. Keeps nothing of it; several replays may be read at once."""

    def __init__(
        self, log: ReplayLog, new_stage: Callable[[], AnyScene], *, now: Callable[[], datetime]
    ) -> None:
        self._log = log
        self._new_stage = new_stage
        self._now = now

    async def begin(
        self,
        room: str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        after: Place | None = None,
    ) -> Begin[AnyScene]:
        """What a replay from `since` (the room's beginning) until `until` (now) begins with. With `after` it
        goes on from there.
        """
        raise NotImplementedError

    async def stage(self, room: str, at: datetime | Place | None = None) -> AnyScene:
        """The whole room at a moment, or at a place that was told; None: now."""
        raise NotImplementedError

    async def stage_behind(self, room: str, position: int) -> AnyScene:
        """The whole room as it was when the event of this notification id had just been shown."""
        raise NotImplementedError

    def steps(
        self, room: str, since: datetime, until: datetime, *, after: Place | None = None
    ) -> AsyncIterator[Step]:
        """What was shown behind `since`, or behind the place `after`, and not behind `until`."""
        raise NotImplementedError
