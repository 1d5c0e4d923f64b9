"""What goes on in a room for some minutes, on two nodes whose clocks differ: both logs, made by the
aggregates and as the nodes gather cursors.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from application.cursors import FRAME_SECONDS, KEYFRAME_SECONDS
from domain.aggregate import Aggregate, Event
from domain.attendance import Appearance, Attendance, Status
from domain.document import Document, Edit
from domain.errors import ClientError
from domain.instants import as_microseconds
from domain.message import Message
from domain.presence import HIDDEN, Move, Presence, Typing
from domain.profile import Profile
from domain.rights import Role
from domain.room import Room
from tests.domain.events import NOON, collect

ROOM: Final = "lab"
NAMES: Final = ("a.md", "b.md")
USERS: Final = ("ada", "ben", "cleo")
NODES: Final = ("node-1", "node-2")

# As far as clocks may differ: what one of two nodes says is at most twice as far from what the other says.
SKEW_MILLISECONDS: Final = 1_000


class Command(NamedTuple):
    """`number` chooses among what there is to choose; `milliseconds` is how long after the last command."""

    what: str
    who: str
    number: int
    milliseconds: int


@dataclass
class Gathering:
    """What a node has gathered of the room."""

    presence: Presence
    moves: list[Move] = field(default_factory=list)
    typing: list[Typing] = field(default_factory=list)
    last: dict[tuple[str, str], Move] = field(default_factory=dict)
    since: datetime | None = None
    keyframe: datetime | None = None


class Session:
    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.record: list[Event] = []
        self.presence: list[Event] = []
        self.moment = NOON
        """By no clock of these."""
        self.ahead = dict.fromkeys(NODES, timedelta())
        self.documents: dict[str, Document] = {}
        self.texts: dict[str, list[str]] = {}
        self.profiles: dict[str, Profile] = {}
        self.stays: list[Attendance] = []
        self.nodes: dict[str, str] = {}
        self.messages: list[Message] = []
        self.gatherings: dict[str, Gathering] = {}

    def __repr__(self) -> str:
        return "\n".join(map(str, self.commands))

    def begin(self) -> None:
        self.room = Room.open(ROOM, "Lab", actor="ada", at=self.moment, everyone=Role.EDITOR)
        for name in NAMES:
            self.room.list_document(name, actor="ada", at=self.moment)
            self.documents[name] = Document.create(ROOM, name, actor="ada", at=self.moment)
            self.texts[name] = [""]
        for user in USERS:
            self.profiles[user] = Profile.create(user, user.title(), actor=user, at=self.moment)
        for aggregate in (self.room, *self.documents.values(), *self.profiles.values()):
            self.record += collect(aggregate)
        for node in NODES:
            presence = Presence.begin(ROOM, f"{node}.1", node=node, at=self.moment)
            self.presence += collect(presence)
            self.gatherings[node] = Gathering(presence)

    def run(self, command: Command) -> None:
        """A command that cannot be done leaves nothing behind."""
        self.commands.append(command)
        self.moment += timedelta(milliseconds=command.milliseconds)
        self.flush()
        act: Callable[[Command], Aggregate | None] = getattr(self, f"_{command.what}")
        with suppress(ClientError):
            touched = act(command)
            if touched is not None:
                self.record += collect(touched)

    def at(self, user: str) -> datetime:
        """By the clock of the node that the user is on."""
        return self.moment + self.ahead[self.nodes.get(user, NODES[0])]

    def _turn(self, command: Command) -> None:
        """A clock is set."""
        span = 2 * SKEW_MILLISECONDS // 11
        skew = timedelta(milliseconds=command.number * span - SKEW_MILLISECONDS)
        self.ahead[NODES[command.number % 2]] = skew

    # People.

    def _stay(self, user: str) -> Attendance | None:
        return next(
            (stay for stay in reversed(self.stays) if stay.client == user and not stay.has_left), None
        )

    def _join(self, command: Command) -> Attendance:
        """Perhaps once more, on another node."""
        self.nodes[command.who] = NODES[command.number % 2]
        profile = self.profiles[command.who]
        stay = Attendance.join(
            ROOM,
            f"s{len(self.stays)}",
            client=command.who,
            node=self.nodes[command.who],
            appearance=Appearance(profile.name, profile.colour, profile.avatar, profile.version),
            actor=command.who,
            at=self.at(command.who),
            connected=as_microseconds(self.moment),
        )
        self.stays.append(stay)
        return stay

    def _leave(self, command: Command) -> Attendance | None:
        """The oldest stay."""
        here = [stay for stay in self.stays if stay.client == command.who and not stay.has_left]
        if not here:
            return None
        here[0].leave("left", actor=command.who, at=self.moment + self.ahead[here[0].node])
        if here[0].node not in {stay.node for stay in here[1:]}:
            last = self.gatherings[here[0].node].last
            for key in [key for key in last if key[0] == command.who]:
                del last[key]
        return here[0]

    def _status(self, command: Command) -> Attendance | None:
        stay = self._stay(command.who)
        if stay is not None:
            status = (Status.EDITING, Status.IDLE, Status.AWAY)[command.number % 3]
            stay.change_status(status, "derived", actor=command.who, at=self.at(command.who))
        return stay

    def _rename(self, command: Command) -> Profile:
        profile = self.profiles[command.who]
        at = self.at(command.who)
        profile.change(name=f"N{command.number}", colour=None, avatar=None, actor=command.who, at=at)
        return profile

    # Documents.

    def _edit(self, command: Command) -> Document:
        name = NAMES[command.number % 2]
        document = self.documents[name]
        length, revision = len(document.text), document.revision
        place = command.number * length // 11
        op: Any = [place, "é😀"] if place else ["x"]
        if command.number % 3 == 2 and length:
            op = [{"d": min(2, length)}]
        edit = Edit(command.who, revision + 1, revision, op, "")
        document.edit(edit, actor=command.who, at=self.at(command.who))
        self.texts[name].append(str(document.text))
        return document

    def _list(self, command: Command) -> Room:
        name, at = NAMES[command.number % 2], self.at(command.who)
        if name in self.room.documents:
            self.room.unlist_document(name, actor=command.who, at=at)
        else:
            self.room.list_document(name, actor=command.who, at=at)
        return self.room

    # Cursors.

    def _gather(self, command: Command) -> Gathering | None:
        if self._stay(command.who) is None:
            return None
        gathering = self.gatherings[self.nodes[command.who]]
        if gathering.since is None:
            gathering.since = self.moment
        return gathering

    def _move(self, command: Command) -> None:
        """In the text of this moment, or in one that was a little before it."""
        gathering = self._gather(command)
        if gathering is not None:
            name = NAMES[command.number % 2]
            revision = max(0, self.documents[name].revision - command.number % 3)
            head = command.number * len(self.texts[name][revision]) // 11
            move: Move = [command.who, name, revision, 0, head, as_microseconds(self.at(command.who))]
            gathering.moves.append(move)
            gathering.last[command.who, name] = move

    def _hide(self, command: Command) -> None:
        gathering = self._gather(command)
        name = NAMES[command.number % 2]
        if gathering is not None and gathering.last.pop((command.who, name), None) is not None:
            at = as_microseconds(self.at(command.who))
            gathering.moves.append([command.who, name, self.documents[name].revision, HIDDEN, HIDDEN, at])

    def _type(self, command: Command) -> None:
        gathering = self._gather(command)
        if gathering is not None:
            where = (*NAMES, "")[command.number % 3]
            at = as_microseconds(self.at(command.who))
            gathering.typing.append([command.who, where, int(command.number % 4 > 0), at])

    def flush(self, *, is_over: bool = False) -> None:
        for node, gathering in self.gatherings.items():
            if gathering.since is None:
                continue
            due = gathering.since + timedelta(seconds=FRAME_SECONDS)
            if due > self.moment and not is_over:
                continue
            moves, typing = gathering.moves, gathering.typing
            gathering.moves, gathering.typing, gathering.since = [], [], None
            at = due + self.ahead[node]
            if moves or typing:
                gathering.presence.record(moves, typing, at=at)
            known = gathering.keyframe
            is_due = known is None or due - known >= timedelta(seconds=KEYFRAME_SECONDS)
            if is_due and gathering.last:
                gathering.keyframe = due
                gathering.presence.record_keyframe(list(gathering.last.values()), at=at)
            self.presence += collect(gathering.presence)

    # What is said.

    def _post(self, command: Command) -> Message:
        message = Message.post(
            ROOM,
            f"m{len(self.messages)}",
            client=command.who,
            text=f"Hello {command.number} @ben",
            documents={},
            actor=command.who,
            at=self.at(command.who),
        )
        self.messages.append(message)
        return message

    def _speak(self, command: Command) -> Message | None:
        if not self.messages:
            return None
        message = self.messages[command.number % len(self.messages)]
        if command.number % 4 == 0:
            message.delete(actor=command.who, at=self.at(command.who))
        elif command.number % 4 == 1:
            message.edit("Hello again", mentions=[], actor=command.who, at=self.at(command.who))
        else:
            message.react("👍", actor=command.who, at=self.at(command.who))
        return message


_WHATS: Final = (
    *("join", "join", "leave", "status", "rename", "list", "turn", "post", "speak", "hide", "type", "type"),
    *["edit"] * 6,
    *["move"] * 6,
)
_MILLISECONDS: Final = st.one_of(
    st.integers(0, 120), st.sampled_from([0, 0, 1, 50, 1_000, 9_990, 21_000]), st.integers(0, 30_000)
)


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    session = Session()
    session.begin()
    for number, who in enumerate(USERS[:2]):
        # Far enough from the beginning that no clock says that it was before.
        session.run(Command("join", who, number, 2 * SKEW_MILLISECONDS))
    commands = st.builds(
        Command, st.sampled_from(_WHATS), st.sampled_from(USERS), st.integers(0, 11), _MILLISECONDS
    )
    for command in draw(st.lists(commands, min_size=25, max_size=70)):
        session.run(command)
    session.moment += timedelta(seconds=1)
    session.flush(is_over=True)
    return session
