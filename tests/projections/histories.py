"""Random histories of rooms, people, stays and edits, made by the aggregates themselves; and plain recounts
of what the projections answer, which read the whole history for every question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from domain.aggregate import Aggregate, Event
from domain.attendance import Appearance, Attendance, Joined, Left, Status, StatusChanged
from domain.document import Document, Edit, EditApplied
from domain.errors import ClientError
from domain.ids import parse_stream, room_stream
from domain.profile import Profile
from domain.rights import Role
from domain.room import AccessChanged, Closed, MemberAdded, MemberRemoved, Opened, RoleChanged, Room
from projections.members import EVERYONE
from tests.domain.events import collect

START: Final = datetime(2026, 11, 23, 20, 0, 0, 123_456, tzinfo=UTC)
USERS: Final = ("ada", "ben", "cleo")
ROOMS: Final = ("r1", "r2")
NAMES: Final = ("Ada", "ada_L%", "Ångström", "BEN", "Straße", "本")
ROLES: Final = (*Role, None)
STATUSES: Final = (Status.EDITING, Status.RUNNING, Status.IDLE, Status.AWAY)
SECRET: Final = "digest"


class Command(NamedTuple):
    """What is done, who does it to whom and where; `number` chooses among what there is to choose; `seconds`
    is how long after the last command it is dated, or how long before.
    """

    what: str
    who: str
    whom: str
    room: str
    number: int
    seconds: int


@dataclass
class World:
    """All aggregates, and the log of what was decided. A command that is refused leaves nothing behind."""

    log: list[Event] = field(default_factory=list)
    moment: datetime = START
    rooms: dict[str, Room] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    stays: list[Attendance] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)

    def run(self, command: Command) -> None:
        self.moment += timedelta(seconds=command.seconds)
        act: Callable[[Command], Aggregate | None] = getattr(self, f"_{command.what}")
        with suppress(ClientError):
            touched = act(command)
            if touched is not None:
                self.log += collect(touched)

    # Rooms.

    def _open(self, command: Command) -> Room | None:
        if command.room in self.rooms:
            return None
        if command.number % 4 == 0:
            room: Any = Room._create(  # as it was before there were rights
                Opened, id=room_stream(command.room), timestamp=self.moment, actor="Ada L. 😀",
                room=command.room, title="Old", owner=None, everyone="editor",
            )  # fmt: skip
        else:
            everyone = (Role.VIEWER, Role.EDITOR, None)[command.number % 3]
            room = Room.open(command.room, "New", actor=command.who, at=self.moment, everyone=everyone)
        self.rooms[command.room] = room
        return self.rooms[command.room]

    def _put(self, command: Command) -> Room | None:
        role = tuple(Role)[command.number % 4]
        return self._in_room(command, lambda r, **by: r.add_member(command.whom, role, **by))

    def _remove(self, command: Command) -> Room | None:
        return self._in_room(command, lambda r, **by: r.remove_member(command.whom, **by))

    def _access(self, command: Command) -> Room | None:
        return self._in_room(command, lambda r, **by: r.change_access(ROLES[command.number % 5], **by))

    def _rename(self, command: Command) -> Room | None:
        return self._in_room(command, lambda r, **by: r.rename(NAMES[command.number % 6], **by))

    def _invite(self, command: Command) -> Room | None:
        expires = self.moment + timedelta(days=1)
        role = tuple(Role)[command.number % 4]
        name = f"i{command.number % 3}"

        def invite(room: Room, **by: Any) -> None:
            room.invite(name, role, digest=SECRET, expires=expires, uses=2, **by)

        return self._in_room(command, invite)

    def _accept(self, command: Command) -> Room | None:
        name = f"i{command.number % 3}"
        return self._in_room(command, lambda r, **by: r.accept_invitation(name, digest=SECRET, **by))

    def _list(self, command: Command) -> Room | None:
        return self._in_room(command, lambda r, **by: r.list_document(f"d{command.number % 3}", **by))

    def _close(self, command: Command) -> Room | None:
        return self._in_room(command, lambda r, **by: r.close(**by)) if command.number % 3 == 0 else None

    def _in_room(self, command: Command, act: Callable[..., None]) -> Room | None:
        room = self.rooms.get(command.room)
        if room is not None:
            owners = [user for user, role in room.members.items() if role is Role.OWNER]
            by_owner = command.what != "accept" and bool(owners) and command.seconds % 4 > 0
            act(room, actor=owners[0] if by_owner else command.who, at=self.moment)
        return room

    # People.

    def _profile(self, command: Command) -> Profile:
        profile = self.profiles.get(command.who)
        name = NAMES[command.number % 6]
        if profile is None:
            profile = Profile.create(command.who, name, actor=command.who, at=self.moment)
            self.profiles[command.who] = profile
        elif command.number % 4 == 0:
            profile.sign_out(actor=command.who, at=self.moment)
        else:
            profile.change(name=name, colour=None, avatar=None, actor=command.who, at=self.moment)
        return profile

    def _join(self, command: Command) -> Attendance:
        stay = Attendance.join(
            command.room,
            f"s{len(self.stays)}",
            client=f"{command.who}-{command.number % 2}",
            node="node-1",
            appearance=Appearance(command.who, "#4c75f0"),
            actor=command.who,
            at=self.moment,
        )
        self.stays.append(stay)
        return stay

    def _status(self, command: Command) -> Attendance | None:
        status = STATUSES[command.number % 4]
        return self._in_stay(
            command, lambda stay: stay.change_status(status, "derived", actor="@server", at=self.moment)
        )

    def _leave(self, command: Command) -> Attendance | None:
        return self._in_stay(command, lambda stay: stay.leave("left", actor="@server", at=self.moment))

    def _in_stay(self, command: Command, act: Callable[[Attendance], None]) -> Attendance | None:
        open_stays = [stay for stay in self.stays if not stay.has_left]
        if not open_stays:
            return None
        stay = open_stays[command.number % len(open_stays)]
        act(stay)
        return stay

    def _edit(self, command: Command) -> Document:
        document = self.documents.get(command.room)
        if document is None:
            document = Document.create(command.room, "main.md", actor=command.who, at=self.moment)
            self.documents[command.room] = document
        length = len(document.text)
        op: Any = [min(length, command.number), "é😀"] if length and command.number else ["é😀"]
        if length > command.number > 0 and command.number % 2:
            op = [{"d": command.number}, "x"]
        revision = document.revision
        edit = Edit("c", next_seq(document), revision, op, f"{revision}")
        document.edit(edit, actor=command.who, at=self.moment)
        return document


def next_seq(document: Document) -> int:
    """Of the one client that types."""
    return document.clients["c"].seq + 1 if "c" in document.clients else 1


# Those that need others before them come more often.
_WHATS: Final = (
    *("open", "put", "put", "put", "remove", "access", "rename", "invite", "accept", "accept"),
    *("list", "close", "profile", "join", "join", *["status"] * 5, "leave", "edit", "edit"),
)  # fmt: skip

STEADY_SECONDS: Final = st.one_of(st.integers(0, 5), st.integers(0, 40_000))
# Clocks of nodes differ, and a command is dated when it was given.
ANY_SECONDS: Final = st.one_of(st.integers(-5, 5), st.integers(-100, 40_000))

# Hypothesis makes short lists by itself, and in a short history nothing comes after anything.
LEAST: Final = 20


@st.composite
def histories(draw: st.DrawFn, seconds: st.SearchStrategy[int] = ANY_SECONDS) -> list[Event]:
    """A log. With `STEADY_SECONDS` its times never go back."""
    commands = st.builds(
        Command,
        st.sampled_from(_WHATS),
        st.sampled_from(USERS),
        st.sampled_from(USERS),
        st.sampled_from(ROOMS),
        st.integers(0, 11),
        seconds,
    )
    world = World()
    for room, who in zip(ROOMS, draw(st.permutations(USERS)), strict=False):
        world.run(Command("open", who, who, room, draw(st.integers(0, 11)), 0))
    for command in draw(st.lists(commands, min_size=LEAST, max_size=60)):
        world.run(command)
    return world.log


def moments_of(log: Sequence[Event]) -> list[datetime]:
    """Every moment at which something happened, and the last one before it; and one after all."""
    happened = {event.timestamp for event in log}
    before = {moment - timedelta(microseconds=1) for moment in happened}
    return sorted(happened | before | {START + timedelta(days=100)})


# Recounts.


def _turns(items: Iterable[tuple[Any, datetime, Any]]) -> dict[Any, list[tuple[datetime, Any]]]:
    """By key, what has held from when on. A later turn is never earlier."""
    turns: defaultdict[Any, list[tuple[datetime, Any]]] = defaultdict(list)
    for key, at, value in items:
        turns[key].append((max([at, *(moment for moment, _ in turns[key])]), value))
    return turns


def _holding(turns: Sequence[tuple[datetime, Any]], moment: datetime) -> Any:
    """What holds at `moment`: what the last turn says that is not after it."""
    return ([None] + [value for at, value in turns if at <= moment])[-1]


def _role_changes(log: Sequence[Event]) -> Iterator[tuple[tuple[str, str], datetime, str | None]]:
    """Nobody has a role before the room is opened, whatever the clock said."""
    members: defaultdict[str, set[str]] = defaultdict(set)
    opened: dict[str, datetime] = {}
    for event in log:
        room = parse_stream(event.originator_id).room
        changed: dict[str, str | None] = {}
        if isinstance(event, Opened):
            changed = {EVERYONE: event.everyone}
            opened[room] = event.timestamp
            if event.owner is not None:
                changed[event.owner] = "owner"
        elif isinstance(event, MemberAdded | RoleChanged):
            changed = {event.user: event.role}
        elif isinstance(event, MemberRemoved):
            changed = {event.user: None}
        elif isinstance(event, AccessChanged):
            changed = {EVERYONE: event.everyone}
        elif isinstance(event, Closed):
            changed = dict.fromkeys(members[room])
        for user, role in changed.items():
            members[room].add(user)
            yield (room, user), max(event.timestamp, opened[room]), role


def roles_at(log: Sequence[Event], room: str, moment: datetime) -> dict[str, str]:
    """Who had which role, `EVERYONE` among them."""
    turns = _turns(_role_changes(log))
    held = {user: _holding(of_user, moment) for (where, user), of_user in turns.items() if where == room}
    return {user: role for user, role in held.items() if role is not None}


def role_spans(log: Sequence[Event], user: str) -> list[tuple[str, str, datetime, datetime | None]]:
    """Room, role, since and until of all roles that a user has had, oldest first, with those of no time."""
    spans = []
    for (room, who), turns in _turns(_role_changes(log)).items():
        for (since, role), following in zip(turns, [*turns[1:], None], strict=True):
            if who == user and role is not None:
                spans.append((room, role, since, following[0] if following else None))
    return sorted(spans, key=lambda span: (span[2], span[0]))


class Place(NamedTuple):
    """One stay of a user, and what it was."""

    session: str
    user: str
    status: str


def _stay_changes(log: Sequence[Event]) -> Iterator[tuple[tuple[str, str], datetime, Place | None]]:
    users: dict[str, str] = {}
    for event in log:
        stream = parse_stream(event.originator_id)
        key = (stream.room, stream.name)
        if isinstance(event, Joined):
            users[event.session] = event.actor
            yield key, event.timestamp, Place(stream.name, event.actor, "idle")
        elif isinstance(event, StatusChanged):
            yield key, event.timestamp, Place(stream.name, users[stream.name], event.status)
        elif isinstance(event, Left):
            yield key, event.timestamp, None


def places_at(log: Sequence[Event], room: str, moment: datetime) -> set[Place]:
    """Who was here, in each of their places."""
    turns = _turns(_stay_changes(log))
    held = [_holding(of_stay, moment) for (where, _), of_stay in turns.items() if where == room]
    return {place for place in held if place is not None}


class Summary(NamedTuple):
    """Seconds present and editing, edits, and the longest stretch in seconds."""

    present: float
    editing: float
    edits: int
    longest: float


def summary(
    log: Sequence[Event], room: str, user: str, since: datetime, until: datetime, now: datetime
) -> Summary:
    """Between two moments, counted from moment to moment: between two neighbours nothing changes."""
    turns = [t for (where, _), t in _turns(_stay_changes(log)).items() if where == room]
    cuts = {since, until, now} | {at for of_stay in turns for at, _ in of_stay}
    present = editing = stretch = longest = timedelta()
    for start, end in pairwise(sorted(cut for cut in cuts if since <= cut <= until)):
        statuses = [
            place.status
            for of_stay in turns
            if (place := _holding(of_stay, start)) is not None
            and place.user == user
            and (start < now or any(at > start for at, _ in of_stay))  # what is open is so until now
        ]
        present += (end - start) * bool(statuses)
        editing += (end - start) * ("editing" in statuses)
        stretch = (stretch + (end - start)) * bool(statuses)
        longest = max(longest, stretch)
    days = set(days_between(since, until))
    edits = [e for e in edits_of(log, room, user) if e.timestamp.date() in days]
    return Summary(present.total_seconds(), editing.total_seconds(), len(edits), longest.total_seconds())


def days_between(since: datetime, until: datetime) -> list[date]:
    """The days (UTC) that have something between two moments."""
    days = []
    day = since.date()
    while datetime(day.year, day.month, day.day, tzinfo=UTC) < until:
        days.append(day)
        day += timedelta(days=1)
    return days


def edits_of(log: Sequence[Event], room: str, user: str) -> list[EditApplied]:
    return [
        event
        for event in log
        if isinstance(event, EditApplied)
        and event.actor == user
        and parse_stream(event.originator_id).room == room
    ]
