"""What went on in a room? One readable line for each thing that matters, many events in one where they
belong together.

A line is told with its first event and may go on changing: a burst of edits grows, a run finishes, somebody
who lost the connection is back. So each has two places in the log: `id`, where it began, is its place among
the others, and `changed`, where it changed last, is what a follower has seen. An event changes one line at
most.

Lines that events go on with, or that say what was before, are found by their chain: of each chain the latest
line is all that has to be known. With the places that people have open it is all that is carried from page to
page.

Clocks differ and go back. A line never ends before it began, and what is dated long before the line that it
would go on with begins another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, assert_never

from domain.aggregate import Event
from domain.attendance import Joined, Left
from domain.document import BRANCH, IMPORT, MERGE, RESTORE, UNDO, EditApplied
from domain.ids import Stream, parse_stream
from domain.message import Imported, Pinned, Posted, Unpinned
from domain.redaction import RedactionMade
from domain.revisions import RevisionSaved
from domain.rights import Role
from domain.room import (
    AccessChanged,
    Closed,
    DocumentListed,
    DocumentUnlisted,
    MemberAdded,
    MemberRemoved,
    Opened,
    Renamed,
    RoleChanged,
)
from domain.run import RunFinished, RunStarted
from domain.text_op import length_change

NAME: Final = "activity"
TOPICS: Final = frozenset(
    kind.TOPIC
    for kind in (
        *(EditApplied, RevisionSaved, RunStarted, RunFinished, Posted, Imported, Pinned, Unpinned),
        *(Joined, Left, Opened, Renamed, Closed, AccessChanged, DocumentListed, DocumentUnlisted),
        *(MemberAdded, RoleChanged, MemberRemoved, RedactionMade),
    )
)

# Longer than a pause for thought, or than a client needs to come back: what comes later is another thing.
PAUSE: Final = timedelta(seconds=60)

# Who types for hours without a pause would have one line, and nothing to say when.
BURST: Final = timedelta(minutes=10)


class Kind(StrEnum):
    """What a line tells. `reconnected` was told as `left` before it turned out to be none."""

    JOINED = "joined"
    LEFT = "left"
    RECONNECTED = "reconnected"
    EDITED = "edited"
    UNDONE = "undone"
    RESTORED = "restored"
    BRANCHED = "branched"
    MERGED = "merged"
    SAVED = "saved"
    NAMED = "named"
    RAN = "ran"
    SAID = "said"
    IMPORTED = "imported"
    PINNED = "pinned"
    UNPINNED = "unpinned"
    LISTED = "listed"
    UNLISTED = "unlisted"
    OPENED = "opened"
    RENAMED = "renamed"
    REDACTED = "redacted"
    CLOSED = "closed"
    ACCESS_CHANGED = "access_changed"
    MEMBER_ADDED = "member_added"
    ROLE_CHANGED = "role_changed"
    MEMBER_REMOVED = "member_removed"


# The causes of edits that have a kind of their own.
_KINDS_BY_CAUSE: Final = {
    UNDO: Kind.UNDONE,
    RESTORE: Kind.RESTORED,
    BRANCH: Kind.BRANCHED,
    MERGE: Kind.MERGED,
    IMPORT: Kind.IMPORTED,
}

# What is done by one edit, which stands for itself.
_ALONE: Final = frozenset({RESTORE, BRANCH, MERGE})

_OPENED: Final = "opened"


@dataclass(frozen=True, slots=True)
class Line:
    """`user` did it, from `at` to `until`. `details` are plain JSON, each kind's own; `message` is the one
    that it is about, whose `text` is known to whoever reads the line from the tables.
    """

    room: str
    id: int
    changed: int
    kind: Kind
    user: str
    document: str | None
    message: str | None
    at: datetime
    until: datetime
    details: Mapping[str, Any]
    chain: str | None = None
    """None for a line that is complete, and that nobody asks for what was before."""
    text: str | None = None

    def is_near(self, at: datetime) -> bool:
        """Whether what happens at `at` may go on with this line."""
        return abs(at - self.until) <= PAUSE


@dataclass(frozen=True, slots=True)
class Place:
    """One stay of `user`. Those that are over are kept, so that what is folded again changes nothing."""

    room: str
    session: str
    user: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """Which lines are asked for: those to which all of this applies. None: whatever it is.

    `since` and `until` are about what went on in between: a burst that began before and went on after it is
    among them.
    """

    user: str | None = None
    kinds: tuple[Kind, ...] | None = None
    document: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def stays(events: Iterable[Event]) -> Iterator[tuple[str, str, str | None]]:
    """The stays that `events` are about, by room and session, with their user where an event says it."""
    for event in events:
        if isinstance(event, Joined | Left):
            stream = parse_stream(event.originator_id)
            yield stream.room, stream.name, event.actor if isinstance(event, Joined) else None


class Fold:
    """Folds the events of one page, in their order. The latest line of each of its `chains`, all `places`
    that its `stays` are about, and all that their users have open are handed in, as they are before it.
    """

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self._places: dict[tuple[str, str], Place] = {}
        self._open: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._latest: dict[tuple[str, str], Line] = {}
        self.lines: dict[int, Line] = {}
        """Those that have come or changed, by id."""
        self.places: dict[tuple[str, str], Place] = {}
        """Those that have come or changed, by room and session."""
        for place in places:
            self._know(place)

    def chains(self, events: Iterable[Event]) -> set[tuple[str, str]]:
        """Room and name of each chain whose latest line has to be known before `events` are taken."""
        found: set[tuple[str, str]] = set()
        for event in events:
            stream = parse_stream(event.originator_id)
            found.update((stream.room, chain) for chain in self._chains(event, stream))
        return found

    def begin(self, latest: Iterable[Line]) -> None:
        """Hand the latest lines of the chains in."""
        self._latest.update({(line.room, line.chain): line for line in latest if line.chain is not None})

    def take(self, position: int, event: Event) -> None:
        """One more event. One that was taken before changes nothing."""
        stream = parse_stream(event.originator_id)
        chain = next(iter(self._chains(event, stream)), None)
        line = None if chain is None else self._latest.get((stream.room, chain))
        if line is not None and position <= line.changed:
            return
        told = _Told(position, event, stream.room, chain)
        match event:
            case EditApplied():
                self._edit(told, event, stream.name, line)
            case Joined():
                self._join(told, event, stream.name, line)
            case Left():
                self._leave(told, event, stream.name, line)
            case RunStarted():
                self._start(told, event)
            case RunFinished():
                self._finish(told, event, line)
            case Imported():
                self._import(told, event, line)
            case Opened() | Renamed() | AccessChanged():
                self._change_room(told, event, line)
            case MemberAdded() | RoleChanged() | MemberRemoved():
                self._change_member(told, event, line)
            case _:
                self._tell(told, event, stream.name)

    # What many events become one of.

    def _edit(self, told: _Told, event: EditApplied, document: str, line: Line | None) -> None:
        inserted = sum(len(component) for component in event.op if isinstance(component, str))
        deleted = inserted - length_change(event.op)
        details = {
            "edits": 1,
            "inserted": inserted,
            "deleted": deleted,
            "from": event.revision - 1,
            "to": event.revision,
            "cause": event.cause,
            **_reasons(event),
        }
        # An import is one thing, however long it takes: it is no burst.
        is_more = line is not None and event.cause == IMPORT and line.is_near(event.timestamp)
        if line is None or not (is_more or _goes_on(line, event.timestamp)):
            kind = _KINDS_BY_CAUSE.get(event.cause, Kind.EDITED)
            self._begin(told, kind, details, document=document)
            return
        for name in ("edits", "inserted", "deleted", "undone"):
            if name in line.details:
                details[name] = details.get(name, 0) + line.details[name]
        details["from"] = line.details["from"]
        self._go_on(told, line, line.kind, details)

    def _start(self, told: _Told, event: RunStarted) -> None:
        details = {
            "run": event.run,
            "title": event.title,
            "revision": event.revision,
            "outcome": None,
            "exit_code": None,
            "seconds": None,
        }
        self._begin(told, Kind.RAN, details, document=event.document)

    def _finish(self, told: _Told, event: RunFinished, line: Line | None) -> None:
        if line is not None:
            seconds = max(timedelta(), event.timestamp - line.at).total_seconds()
            ending = {"outcome": event.outcome, "exit_code": event.exit_code, "seconds": seconds}
            self._go_on(told, line, Kind.RAN, {**line.details, **ending})

    def _import(self, told: _Told, event: Imported, line: Line | None) -> None:
        if line is None or not line.is_near(event.timestamp):
            self._begin(told, Kind.IMPORTED, {"messages": 1, "source": event.source})
        else:
            messages = line.details["messages"] + 1
            self._go_on(told, line, Kind.IMPORTED, {**line.details, "messages": messages})

    # Who is here. A person comes with the first of their places, and goes with the last.

    def _join(self, told: _Told, event: Joined, session: str, line: Line | None) -> None:
        if (told.room, session) in self._places:
            return
        is_first = not self._open[told.room, event.actor]
        self._put(Place(told.room, session, event.actor, is_here=True))
        if not is_first:
            return
        if line is not None and line.kind is Kind.LEFT and line.is_near(event.timestamp):
            self._go_on(told, line, Kind.RECONNECTED, line.details)
        else:
            self._begin(told, Kind.JOINED, {})

    def _leave(self, told: _Told, event: Left, session: str, line: Line | None) -> None:
        place = self._places.get((told.room, session))
        if place is None or not place.is_here:
            return
        self._put(replace(place, is_here=False))
        if self._open[told.room, place.user]:
            return
        details = {"reason": event.reason, "times": 1}
        if line is not None and line.kind is Kind.RECONNECTED and line.is_near(event.timestamp):
            details["times"] += line.details["times"]
            self._go_on(told, line, Kind.LEFT, details)
        else:
            self._begin(told, Kind.LEFT, details, user=place.user)

    def _put(self, place: Place) -> None:
        self.places[place.room, place.session] = place
        self._know(place)

    def _know(self, place: Place) -> None:
        self._places[place.room, place.session] = place
        if place.is_here:
            self._open[place.room, place.user].add(place.session)
        else:
            self._open[place.room, place.user].discard(place.session)

    # What says what was before: as the latest line has it, or the room's opening.

    def _change_room(self, told: _Told, event: Opened | Renamed | AccessChanged, line: Line | None) -> None:
        before = line or self._latest.get((told.room, _OPENED))
        match event:
            case Opened():
                details = {"title": event.title, "owner": event.owner, "everyone": event.everyone}
                self._begin(told, Kind.OPENED, details)
            case Renamed():
                self._begin(
                    told, Kind.RENAMED, {"title": event.title, "from": before and before.details["title"]}
                )
            case AccessChanged():
                everyone = before and before.details["everyone"]
                self._begin(told, Kind.ACCESS_CHANGED, {"everyone": event.everyone, "from": everyone})
            case _:
                assert_never(event)

    def _change_member(
        self, told: _Told, event: MemberAdded | RoleChanged | MemberRemoved, line: Line | None
    ) -> None:
        role = line.details["role"] if line is not None else self._first_role(told.room, event.user)
        details = {"member": event.user, "from": role}
        match event:
            case MemberAdded():
                details |= {"role": event.role, "invitation": event.invitation}
                self._begin(told, Kind.MEMBER_ADDED, details)
            case RoleChanged():
                self._begin(told, Kind.ROLE_CHANGED, {**details, "role": event.role})
            case MemberRemoved():
                self._begin(told, Kind.MEMBER_REMOVED, {**details, "role": None})
            case _:
                assert_never(event)

    def _first_role(self, room: str, user: str) -> str | None:
        opened = self._latest.get((room, _OPENED))
        return Role.OWNER.value if opened is not None and opened.details["owner"] == user else None

    # What stands for itself.

    def _tell(self, told: _Told, event: Event, name: str) -> None:
        match event:
            case Posted():
                document = event.link["document"] if event.link is not None else None
                self._begin(told, Kind.SAID, {}, document=document, message=name)
            case Pinned() | Unpinned():
                kind = Kind.PINNED if isinstance(event, Pinned) else Kind.UNPINNED
                self._begin(told, kind, {}, message=name)
            case RevisionSaved():
                details: dict[str, Any] = {"revision": event.revision}
                if event.name is not None:
                    details["name"] = event.name
                kind = Kind.SAVED if event.name is None else Kind.NAMED
                self._begin(told, kind, details, document=event.document)
            case DocumentListed() | DocumentUnlisted():
                kind = Kind.LISTED if isinstance(event, DocumentListed) else Kind.UNLISTED
                self._begin(told, kind, {}, document=event.document)
            case RedactionMade():
                details = {
                    "redaction": event.redaction,
                    "reason": event.reason,
                    "author": event.author,
                    "documents": event.documents,
                    "messages": len(event.messages),
                    "characters": event.characters,
                }
                self._begin(told, Kind.REDACTED, details)
            case Closed():
                self._begin(told, Kind.CLOSED, {})
            case _:
                pass

    # Lines.

    def _begin(
        self,
        told: _Told,
        kind: Kind,
        details: Mapping[str, Any],
        *,
        user: str | None = None,
        document: str | None = None,
        message: str | None = None,
    ) -> None:
        """A line of its own; of the actor, if not of another `user`."""
        at = told.event.timestamp
        who = told.event.actor if user is None else user
        line = Line(
            room=told.room,
            id=told.position,
            changed=told.position,
            kind=kind,
            user=who,
            document=document,
            message=message,
            at=at,
            until=at,
            details=details,
            chain=told.chain,
        )
        self._keep(line)

    def _go_on(self, told: _Told, line: Line, kind: Kind, details: Mapping[str, Any]) -> None:
        until = max(line.until, told.event.timestamp)
        self._keep(replace(line, changed=told.position, kind=kind, until=until, details=details))

    def _keep(self, line: Line) -> None:
        self.lines[line.id] = line
        if line.chain is not None:
            self._latest[line.room, line.chain] = line

    # Chains. No two kinds of them have a name in common.

    def _chains(self, event: Event, stream: Stream) -> tuple[str, ...]:
        """The chain of an event's line, where it has one; then those that say what was before, too. Whose
        stay has come to its end is known when its beginning was taken, or its place handed in.
        """
        match event:
            case EditApplied():
                is_alone = event.cause in _ALONE
                return () if is_alone else (f"edit/{event.cause}/{event.actor}/{stream.name}",)
            case Joined():
                return (f"presence/{event.actor}",)
            case Left():
                place = self._places.get((stream.room, stream.name))
                return () if place is None else (f"presence/{place.user}",)
            case RunStarted() | RunFinished():
                return (f"run/{stream.name}",)
            case Imported():
                return (f"imported/{event.source}/{event.actor}",)
            case Opened():
                return (_OPENED,)
            case Renamed():
                return "title", _OPENED
            case AccessChanged():
                return "access", _OPENED
            case MemberAdded() | RoleChanged() | MemberRemoved():
                return f"role/{event.user}", _OPENED
            case _:
                return ()


@dataclass(frozen=True, slots=True)
class _Told:
    """An event with its place in the log, and the chain of its line."""

    position: int
    event: Event
    room: str
    chain: str | None


def _reasons(event: EditApplied) -> dict[str, Any]:
    """Of an edit that was not typed, how many it takes back, and of which revision of which document its text
    is.
    """
    details: dict[str, Any] = {}
    if event.undoes is not None:
        details["undone"] = sum(last - first + 1 for first, last in event.undoes)
    if event.source is not None:
        source, details["revision"] = event.source
        details["source"] = source or parse_stream(event.originator_id).name
    return details


def _goes_on(line: Line, at: datetime) -> bool:
    """Whether an edit at `at` is one more of a burst."""
    return line.is_near(at) and at - line.at <= BURST
