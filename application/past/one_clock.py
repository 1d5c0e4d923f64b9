"""The two logs of a room on one clock.

What a room's record holds is shown in the order of the record, the frames of its presence log in the order of
that one: these orders are what everybody has seen. Times come from the clocks of several servers, which
differ, and are set back. So each log has a clock that never goes back: the largest time up to an event. Its
value is the same wherever one begins to read, since nothing that is read later can make it smaller; and what
a log had shown at a moment is always a beginning of it. By these two clocks the logs are merged. Of what is
of the same moment the record comes first.

A frame may tell of a cursor in a text that is not shown yet, when the server that had the edit is ahead of
the one that gathered the cursor. Then it waits, and what follows in its log with it, until the edit has been
shown. Cursors that were told in an earlier text are moved into the one that is shown.

How somebody looks belongs to no room. When it was changed is shown between the events of the room that it
came between in the record.

What is shown is named by its place: the clock, and how far each log had come. From a place one goes on
without having seen what was before.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any, Final, NamedTuple, Protocol, Self

from application.log import Recorded
from application.past.edits import EditsReader
from domain.aggregate import Event
from domain.attendance import Joined, Left
from domain.document import HISTORY_REVISIONS, EditApplied
from domain.errors import BadFrame
from domain.ids import document_stream, parse_stream
from domain.instants import as_datetime, as_microseconds
from domain.limits import INTEGER_MAX
from domain.message import Edited, Imported, Posted
from domain.presence import HIDDEN, FrameRecorded, KeyframeRecorded, Move
from domain.text_op import Components, transform_selection

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


class StagedText(NamedTuple):
    """A document as of some position."""

    name: str
    revision: int
    text: str
    is_listed: bool


class ReplayLog(EditsReader, Protocol):
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

    async def following(self, room: str, position: int) -> int:
        """Where the room's next event stands, or any event would that is still to come."""
        ...

    async def profiles(self, users: Collection[str], after: int, until: int) -> Sequence[Recorded]:
        """How the looks of `users` were changed behind `after` and not behind `until`, in log order."""
        ...

    async def looks(self, users: Collection[str], position: int) -> Sequence[Recorded]:
        """The newest profile of each as of `position`, where there was one."""
        ...

    def documents(self, room: str, position: int) -> AsyncIterator[StagedText]:
        """All documents that had been listed by then, one after the other."""
        ...

    async def revisions(self, room: str, position: int) -> Mapping[str, int]:
        """Their revisions alone."""
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

    async def last_frame(self, room: str, until: datetime) -> datetime | None:
        """When the last frame was by then."""
        ...

    async def keyframes(self, room: str, nodes: Collection[str], until: datetime) -> Sequence[Recorded]:
        """The last keyframe of each of these nodes by then, and the node's next frames up to then."""
        ...


class OneClock:
    """One reader of both logs, from `place` on: what is not behind the record's position `end` and the
    clock's `until`.
    """

    def __init__(self, log: ReplayLog, room: str, place: Place, end: int, until: int) -> None:
        self._log = log
        self._room = room
        self._place = place
        self._end = end
        self._until = until

    async def steps(self) -> AsyncIterator[Step]:
        """Raises `StoreUnavailable`, `Corrupt`."""
        place, count = self._place, 0
        events: list[Recorded] = []
        async for at, recorded in self._events():
            if events and (at > place.at or len(events) == STEP_EVENTS):
                yield Step(place.at, place, events)
                events = []
            events.append(recorded)
            is_frame = isinstance(recorded.event, FrameRecorded)
            place = (
                Place(at, place.position, recorded.position)
                if is_frame
                else Place(at, recorded.position, place.frame)
            )
            count += 1
            if not count % SLICE_EVENTS:
                await asyncio.sleep(0)
        if events:
            yield Step(place.at, place, events)

    async def _events(self) -> AsyncIterator[tuple[int, Recorded]]:
        """One after the other, each with its moment."""
        now = self._place.at
        texts = Texts(self._log, self._room, await self._log.revisions(self._room, self._place.position))
        record = _Record(self._log, self._room, self._place, self._end)
        frames = _Frames(self._log, self._room, self._place, self._until)
        while True:
            event, frame = await record.peek(), await frames.peek()
            due = None
            if frame is not None:
                due = frames.clock + (_WAIT if texts.is_ahead(moves_of(frame.event)) else 0)
            if event is not None and (due is None or record.clock <= due):
                now = max(now, record.clock)
                if now > self._until:
                    return
                texts.take(event.event)
                yield now, record.take()
            elif due is not None:
                now = max(now, due)
                if now > self._until:
                    return
                assert frame is not None
                yield now, await texts.bring_up_frame(frames.take())
            else:
                return


_WAIT: Final = FRAMES_DIFFER // timedelta(microseconds=1)


class _Record:
    """The record from a place on, with how people's looks change, read page by page."""

    def __init__(self, log: ReplayLog, room: str, place: Place, end: int) -> None:
        self._log = log
        self._room = room
        self._place = place
        self._after = place.position
        self._end = end
        self._clock = place.at
        self._present: Present | None = None
        self._page: deque[tuple[int, Recorded]] = deque()
        self._is_read = False

    @property
    def clock(self) -> int:
        """When the event is shown that `peek` has found, if nothing else is to be waited for."""
        return self._page[0][0]

    async def peek(self) -> Recorded | None:
        while not self._page:
            if self._is_read:
                return None
            await self._read()
        return self._page[0][1]

    def take(self) -> Recorded:
        return self._page.popleft()[1]

    async def _read(self) -> None:
        if self._present is None:
            self._present = await present_at(self._log, self._room, self._place)
        found = await self._log.events(self._room, self._after, self._end, limit=PAGE_EVENTS)
        self._is_read = len(found) < PAGE_EVENTS
        users = {each.event.actor for each in found if isinstance(each.event, Joined)} | self._present.users
        end = found[-1].position if not self._is_read else await self._before_next()
        changes = deque(await self._log.profiles(users, self._after, end) if users else ())
        for recorded in await silenced(self._log, found):
            clock = max(self._clock, as_microseconds(recorded.event.timestamp))
            while changes and changes[0].position < recorded.position:
                self._change(changes.popleft(), clock)
            self._clock = clock
            self._page.append((clock, recorded))
            self._present.take(recorded.event)
        for change in changes:
            self._change(change, INTEGER_MAX)
        if found:
            self._after = found[-1].position

    async def _before_next(self) -> int:
        """People's looks are shown between the events of the room: up to the one that is not read."""
        return await self._log.following(self._room, self._end) - 1

    def _change(self, change: Recorded, following: int) -> None:
        """Somebody looks different, between the room's last event and the one that follows at a moment."""
        assert self._present is not None
        if parse_stream(change.event.originator_id).name in self._present.users:
            self._clock = max(self._clock, min(following, as_microseconds(change.event.timestamp)))
            self._page.append((self._clock, change))


class Present:
    """Who is here, stay by stay: how others look is nobody's business."""

    def __init__(self) -> None:
        self._users: dict[str, str] = {}

    def take(self, event: Event) -> None:
        if isinstance(event, Joined):
            self._users[event.session] = event.actor
        elif isinstance(event, Left):
            self._users.pop(parse_stream(event.originator_id).name, None)

    @property
    def users(self) -> set[str]:
        return set(self._users.values())


async def present_at(log: ReplayLog, room: str, place: Place) -> Present:
    present = Present()
    for stay in await log.stays(room, as_datetime(place.at), place.position):
        present.take(stay.event)
    return present


class _Frames:
    """The presence log from a place on, read page by page by time, and put into its own order."""

    def __init__(self, log: ReplayLog, room: str, place: Place, until: int) -> None:
        self._log = log
        self._room = room
        self._shown = place.frame
        self._since = _earlier(as_datetime(place.at), 2 * FRAMES_DIFFER)
        self._after = 0
        self._until = as_datetime(until) + FRAMES_DIFFER
        self._waiting: list[tuple[int, Recorded]] = []
        self._head: Recorded | None = None
        self._is_read = False
        self.clock = 0
        """When the frame is shown that `peek` has found, if nothing else is to be waited for."""

    async def peek(self) -> Recorded | None:
        while self._head is None:
            if self._waiting and (self._is_read or self._has_all_before(self._waiting[0][1])):
                self._head = heappop(self._waiting)[1]
                self.clock = max(self.clock, as_microseconds(self._head.event.timestamp))
            elif self._is_read:
                return None
            else:
                await self._read()
        return self._head

    def take(self) -> Recorded:
        assert self._head is not None
        head, self._head = self._head, None
        return head

    def _has_all_before(self, recorded: Recorded) -> bool:
        """Whether everything has been read that may stand before this frame in the log."""
        return recorded.event.timestamp + FRAMES_DIFFER < self._since

    async def _read(self) -> None:
        page = await self._log.frames(
            self._room, self._since, self._until, after=self._after, limit=PAGE_EVENTS
        )
        for recorded in page:
            if recorded.position > self._shown:
                heappush(self._waiting, (recorded.position, recorded))
        self._is_read = len(page) < PAGE_EVENTS
        if page:
            self._since, self._after = page[-1].event.timestamp, page[-1].position


def _earlier(at: datetime, by: timedelta) -> datetime:
    return max(at, as_datetime(0) + by) - by


class Texts:
    """How far the documents of a room have come that are shown, and their last edits: moves cursors."""

    def __init__(self, log: ReplayLog, room: str, revisions: Mapping[str, int]) -> None:
        self._log = log
        self._room = room
        self._revisions = dict(revisions)
        self._windows: dict[str, deque[Components]] = {}

    def take(self, event: Event) -> None:
        """One more event is shown."""
        if isinstance(event, EditApplied):
            document = parse_stream(event.originator_id).name
            self._revisions[document] = event.revision
            self._windows.setdefault(document, deque(maxlen=WINDOW_EDITS)).append(event.op)

    def is_ahead(self, moves: Iterable[Move]) -> bool:
        """Whether one of these cursors stands in a text that is not shown yet."""
        return any(self._behind(move) < 0 for move in moves)

    def _behind(self, move: Move) -> int:
        """How many edits older the text is that a cursor was told in than the one that is shown. One that
        was hidden is nowhere.
        """
        return 0 if move[3] == HIDDEN else self._revisions.get(str(move[1]), 0) - int(move[2])

    async def bring_up_frame(self, recorded: Recorded) -> Recorded:
        """The same with the cursors in the texts that are shown."""
        event = recorded.event
        assert isinstance(event, FrameRecorded)
        if not any(map(self._behind, event.moves)):
            return recorded
        return Recorded(recorded.position, _changed(event, moves=await self.bring_up(event.moves)))

    async def bring_up(self, moves: Iterable[Move]) -> list[Move]:
        """These cursors in the texts that are shown. Those of a text that is not shown, or of one too long
        ago, are left out.
        """
        known = [move for move in moves if 0 <= self._behind(move) <= HISTORY_REVISIONS]
        oldest: dict[str, int] = {}
        for move in known:
            oldest[str(move[1])] = max(oldest.get(str(move[1]), 0), self._behind(move))
        edits = {document: await self._last(document, count) for document, count in oldest.items() if count}
        return [self._moved(move, edits.get(str(move[1]), ())) for move in known]

    async def _last(self, document: str, count: int) -> Sequence[Components]:
        """The last `count` edits that are shown."""
        window = self._windows.get(document, ())
        if count <= len(window):
            return list(window)[-count:]
        revision = self._revisions[document]
        stream = document_stream(self._room, document)
        return [edit.op for edit in await self._log.edits(stream, revision - count, revision)]

    def _moved(self, move: Move, edits: Sequence[Components]) -> Move:
        behind = self._behind(move)
        if not behind:
            return move
        client, document, revision, anchor, head, at = move
        selection = [int(anchor), int(head)]
        for op in edits[len(edits) - behind :]:
            selection = transform_selection(selection, op)
        return [client, document, int(revision) + behind, *selection, at]


def moves_of(event: Event) -> Sequence[Move]:
    """The cursors that a frame tells of, or a keyframe."""
    return event.moves if isinstance(event, FrameRecorded | KeyframeRecorded) else ()


async def silenced(log: ReplayLog, events: Sequence[Recorded]) -> list[Recorded]:
    """The events without what was said in messages that are deleted by now."""
    said = {each.event.originator_id for each in events if isinstance(each.event, _SAID)}
    deleted = await log.deleted(said) if said else ()
    return [
        Recorded(each.position, _silent(each.event)) if each.event.originator_id in deleted else each
        for each in events
    ]


_SAID: Final = (Posted, Imported, Edited)


def _silent(event: Event) -> Event:
    match event:
        case Posted() | Imported():
            return _changed(event, text="", mentions=[])
        case Edited():
            return _changed(event, text="", mentions=[], newly=[])
        case _:
            return event


def _changed(event: Event, **fields: Any) -> Event:
    """The same event with other fields."""
    twin = object.__new__(type(event))
    vars(twin).update(vars(event), **fields)
    return twin
