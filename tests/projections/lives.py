"""Logs of all that goes on in rooms, and a plain recount of their lines of activity, which reads the whole
history for every line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from hypothesis import strategies as st

from domain.aggregate import Event
from domain.attendance import Joined, Left
from domain.document import Document, Edit, EditApplied
from domain.ids import parse_stream
from domain.message import Imported, Message, Pinned, Posted, Unpinned
from domain.redaction import RedactionMade
from domain.revisions import Revisions, RevisionSaved
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
    Room,
)
from domain.run import Outcome, Run, RunFinished, RunStarted
from tests.projections.histories import LEAST, ROOMS, USERS, Command, World, next_seq

OUTCOMES: Final = tuple(Outcome)
CAUSES: Final = ("undo", "undo", "redo", "restore", "undo all", "restored", "branch", "merge")
ALONE: Final = ("restore", "branch", "merge")


@dataclass
class LivelyWorld(World):
    """One in which people also say, run and save things."""

    messages: list[Message] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    revisions: dict[str, Revisions] = field(default_factory=dict)

    def _post(self, command: Command) -> Message:
        link: Any = {"document": "main.md", "revision": 0, "start": 0, "end": 0}
        message = Message.post(
            command.room,
            f"m{len(self.messages)}",
            client="c",
            text="Hello",
            documents={},
            link=link if command.number % 3 == 0 else None,
            actor=command.who,
            at=self.moment,
        )
        self.messages.append(message)
        return message

    def _import(self, command: Command) -> Message:
        message = Message.bring(
            command.room,
            f"m{len(self.messages)}",
            actor=command.who,
            at=self.moment,
            source=("s1", "s1", "s2")[command.number % 3],
            author="someone",
            posted=0,
            text="Hello",
            documents={},
            reply_to=None,
            mentions=[],
            link=None,
            edits=0,
            edited=None,
            deleted=None,
            pinned=None,
            reactions=[],
        )
        self.messages.append(message)
        return message

    def _pin(self, command: Command) -> Message | None:
        if not self.messages:
            return None
        message = self.messages[command.number % len(self.messages)]
        message.pin(is_pinned=not message.is_pinned, actor=command.who, at=self.moment)
        return message

    def _speak(self, command: Command) -> Message | None:
        """What is no activity."""
        if not self.messages:
            return None
        message = self.messages[command.number % len(self.messages)]
        if command.number % 4 == 0:
            message.delete(actor=command.who, at=self.moment)
        else:
            message.react("👍", actor=command.who, at=self.moment)
        return message

    def _start(self, command: Command) -> Run:
        run = Run.start(
            command.room,
            f"r{len(self.runs)}",
            client="c",
            title="tests",
            document="main.md" if command.number % 2 else None,
            revision=command.number if command.number % 2 else None,
            actor=command.who,
            at=self.moment,
        )
        self.runs.append(run)
        return run

    def _finish(self, command: Command) -> Run | None:
        going = [run for run in self.runs if run.outcome is None]
        if not going:
            return None
        run = going[command.number % len(going)]
        outcome, exit_code = OUTCOMES[command.number % 3], command.number or None
        run.finish(outcome, exit_code, client="c", actor=command.who, at=self.moment)
        return run

    def _save(self, command: Command) -> Revisions:
        saved = self.revisions.get(command.room)
        if saved is None:
            saved = Revisions.begin(command.room, "main.md", actor=command.who, at=self.moment)
            self.revisions[command.room] = saved
        name = f"v{command.number}" if command.number % 2 else None
        saved.save(command.number, name, actor=command.who, at=self.moment)
        return saved

    def _unlist(self, command: Command) -> Room | None:
        return self._in_room(command, lambda r, **by: r.unlist_document(f"d{command.number % 3}", **by))

    def _redo(self, command: Command) -> Document | None:
        """An edit that was not typed."""
        document = self.documents.get(command.room)
        if document is not None:
            cause = CAUSES[command.number % len(CAUSES)]
            by: Any = {"actor": command.who, "at": self.moment}
            if cause == "undo all":
                document.revise(["y"], cause="undo", undoes=[[1, document.revision + 1]], **by)
            elif cause in ("restored", "branch", "merge"):
                source = ("", 1) if cause == "restored" else ("other.md", 2)
                document.revise(["z"], cause=cause.removesuffix("d"), source=source, **by)
            else:
                # As it was before undo said what it takes back, and from where a text was restored.
                edit = Edit("c", next_seq(document), document.revision, ["x"], f"{document.revision}")
                document.edit(edit, cause=cause, **by)
        return document


# What belongs together has to come together, and from few people, for anything to go on with anything.
_THEMES: Final = (
    ("edit",),
    ("edit", "edit", "edit", "redo"),
    ("redo",),
    ("join", "leave"),
    ("join", "leave", "leave", "edit"),
    ("import",),
    ("import", "import", "post", "pin", "speak"),
    ("start", "finish", "save", "list", "unlist"),
    ("open", "put", "put", "remove", "access", "rename", "invite", "accept", "list", "unlist"),
    ("edit", "redo", "join", "leave", "status", "post", "import", "pin", "start", "finish", "save", "close"),
)
_FEW_USERS: Final = ("ada", "ada", "ada", "ben")
_FEW_ROOMS: Final = ("r1", "r1", "r1", "r1", "r2")

# Small steps, those around what parts one thing from another, and some back.
_STEPS: Final = (
    st.integers(0, 5),
    st.sampled_from([0, 30, 50, 59, 60]),
    st.sampled_from([0, 1, 29, 30, 31, 59, 60, 61, 120, 599, 600, 601, -1, -5, -59, -60, -61, -600]),
)


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """A log with something of everything: a few scenes of one theme each."""
    world = LivelyWorld()
    for room in ROOMS:
        world.run(Command("open", draw(st.sampled_from(USERS)), "ada", room, draw(st.integers(0, 11)), 0))
    for _ in range(draw(st.integers(1, 3))):
        command = st.builds(
            Command,
            st.sampled_from(draw(st.sampled_from(_THEMES))),
            st.sampled_from(_FEW_USERS),
            st.sampled_from(USERS),
            st.sampled_from(_FEW_ROOMS),
            st.integers(0, 11),
            draw(st.sampled_from(_STEPS)),
        )
        for chosen in draw(st.lists(command, min_size=LEAST, max_size=30)):
            world.run(chosen)
    return world.log


# The recount. A row is a line as a tuple, without what it is found by.

Row = tuple[Any, ...]
Numbered = list[tuple[int, Event]]

MINUTE: Final = timedelta(seconds=60)


def recount(log: Sequence[Event]) -> list[Row]:
    """All lines by room and id."""
    numbered = list(enumerate(log, 1))
    rows = []
    for room in ROOMS:
        here = [(n, event) for n, event in numbered if parse_stream(event.originator_id).room == room]
        for number, event in here:
            rows += _single(room, here, number, event)
        rows += _bursts(room, here) + _imports(room, here) + _runs(room, here) + _visits(room, here)
    return sorted(rows)


def _single(room: str, here: Numbered, number: int, event: Event) -> list[Row]:
    before = [e for n, e in here if n < number]
    document = message = None
    details: dict[str, Any] = {}
    name = parse_stream(event.originator_id).name
    match event:
        case Posted():
            kind, message, document = "said", name, event.link["document"] if event.link else None
        case Pinned():
            kind, message = "pinned", name
        case Unpinned():
            kind, message = "unpinned", name
        case RevisionSaved():
            kind, document, details = "saved", event.document, {"revision": event.revision}
            if event.name is not None:
                kind, details["name"] = "named", event.name
        case DocumentListed():
            kind, document = "listed", event.document
        case DocumentUnlisted():
            kind, document = "unlisted", event.document
        case EditApplied(cause=("restore" | "branch" | "merge") as cause):
            kind = {"restore": "restored", "branch": "branched", "merge": "merged"}[cause]
            document, details = name, _amount([event])
        case Opened():
            kind = "opened"
            details = {"title": event.title, "owner": event.owner, "everyone": event.everyone}
        case Renamed():
            kind = "renamed"
            titles = [e.title for e in before if isinstance(e, Opened | Renamed)]
            details = {"title": event.title, "from": titles[-1]}
        case AccessChanged():
            kind = "access_changed"
            roles = [e.everyone for e in before if isinstance(e, Opened | AccessChanged)]
            details = {"everyone": event.everyone, "from": roles[-1]}
        case MemberAdded():
            kind = "member_added"
            details = {"member": event.user, "role": event.role, "from": _role(before, event.user)}
            details["invitation"] = event.invitation
        case RoleChanged():
            kind = "role_changed"
            details = {"member": event.user, "role": event.role, "from": _role(before, event.user)}
        case MemberRemoved():
            kind = "member_removed"
            details = {"member": event.user, "role": None, "from": _role(before, event.user)}
        case RedactionMade():
            kind = "redacted"
            details = {"redaction": event.redaction, "reason": event.reason, "author": event.author}
            details |= {"documents": event.documents, "messages": len(event.messages)}
            details["characters"] = event.characters
        case Closed():
            kind = "closed"
        case _:
            return []
    at = event.timestamp
    return [(room, number, number, kind, event.actor, document, message, at, at, details)]


def _role(before: Sequence[Event], user: str) -> str | None:
    role = None
    for event in before:
        if isinstance(event, Opened) and event.owner == user:
            role = "owner"
        elif isinstance(event, MemberAdded | RoleChanged) and event.user == user:
            role = event.role
        elif isinstance(event, MemberRemoved) and event.user == user:
            role = None
    return role


def _amount(edits: Sequence[EditApplied]) -> dict[str, Any]:
    components: list[Any] = [component for edit in edits for component in edit.op]
    told: dict[str, Any] = {}
    if ranges := [edit.undoes for edit in edits if edit.undoes]:
        told["undone"] = len([r for each in ranges for first, last in each for r in range(first, last + 1)])
    for edit in edits:
        if edit.source:
            told |= {"source": edit.source[0] or parse_stream(edit.originator_id).name}
            told |= {"revision": edit.source[1]}
    return told | {
        "edits": len(edits),
        "inserted": len("".join(c for c in components if isinstance(c, str))),
        "deleted": len("".join(c["d"] for c in components if isinstance(c, dict))),
        "from": edits[0].revision - 1,
        "to": edits[-1].revision,
        "cause": edits[0].cause,
    }


def _runs_of(events: Numbered, longest: timedelta) -> list[Numbered]:
    """Cut where the next is too far away from all that came, or too long after the beginning."""
    parts: list[Numbered] = []
    for number, event in events:
        if parts:
            times = [e.timestamp for _, e in parts[-1]]
            is_near = -MINUTE <= event.timestamp - max(times) <= MINUTE
            if is_near and event.timestamp - times[0] <= longest:
                parts[-1].append((number, event))
                continue
        parts.append([(number, event)])
    return parts


def _rows(room: str, kind: str, document: str | None, part: Numbered, details: dict[str, Any]) -> Row:
    numbers, times = [n for n, _ in part], [e.timestamp for _, e in part]
    who = part[0][1].actor
    return (room, numbers[0], numbers[-1], kind, who, document, None, times[0], max(times), details)


def _bursts(room: str, here: Numbered) -> list[Row]:
    def key(item: tuple[int, Event]) -> tuple[str, str, str]:
        event: Any = item[1]
        return event.originator_id, event.actor, event.cause

    rows = []
    edits = [(n, e) for n, e in here if isinstance(e, EditApplied) and e.cause not in ALONE]
    for (stream, _, cause), group in groupby(sorted(edits, key=lambda item: (key(item), item[0])), key):
        for part in _runs_of(list(group), timedelta(minutes=10)):
            amount = _amount([e for _, e in part if isinstance(e, EditApplied)])
            kind = "undone" if cause == "undo" else "edited"
            rows.append(_rows(room, kind, parse_stream(stream).name, part, amount))
    return rows


def _imports(room: str, here: Numbered) -> list[Row]:
    def key(item: tuple[int, Event]) -> tuple[str, str]:
        event: Any = item[1]
        return event.actor, event.source

    rows = []
    imports = [(n, e) for n, e in here if isinstance(e, Imported)]
    for (_, source), group in groupby(sorted(imports, key=lambda item: (key(item), item[0])), key):
        rows += [
            _rows(room, "imported", None, part, {"messages": len(part), "source": source})
            for part in _runs_of(list(group), timedelta.max)
        ]
    return rows


def _runs(room: str, here: Numbered) -> list[Row]:
    rows = []
    for number, event in here:
        if isinstance(event, RunStarted):
            ends = [(n, e) for n, e in here if isinstance(e, RunFinished) and e.run == event.run]
            details: dict[str, Any] = {"run": event.run, "title": event.title, "revision": event.revision}
            details |= {"outcome": None, "exit_code": None, "seconds": None}
            for _, end in ends:
                seconds = max(0.0, (end.timestamp - event.timestamp).total_seconds())
                details |= {"outcome": end.outcome, "exit_code": end.exit_code, "seconds": seconds}
            rows.append(_rows(room, "ran", event.document, [(number, event), *ends], details))
    return rows


def _visits(room: str, here: Numbered) -> list[Row]:
    """Comings and goings of each user, as turns of whether they were here at all."""
    rows = []
    users = {e.originator_id: e.actor for _, e in here if isinstance(e, Joined)}
    for user in USERS:
        of_user = [(n, e) for n, e in here if users.get(e.originator_id) == user]
        turns: list[tuple[int, Event]] = []
        for number, event in of_user:
            joined = {e.originator_id for n, e in of_user if n <= number and isinstance(e, Joined)}
            left = {e.originator_id for n, e in of_user if n <= number and isinstance(e, Left)}
            was_here = bool(turns) and isinstance(turns[-1][1], Joined)
            if isinstance(event, Joined | Left) and bool(joined - left) != was_here:
                turns.append((number, event))
        rows += _visit_lines(room, user, turns)
    return rows


def _visit_lines(room: str, user: str, turns: Numbered) -> list[Row]:
    parts: list[Numbered] = []
    for number, event in turns:
        is_away_part = bool(parts) and isinstance(parts[-1][0][1], Left)
        if is_away_part and abs(event.timestamp - _end(parts[-1])) <= MINUTE:
            parts[-1].append((number, event))
        else:
            parts.append([(number, event)])
    rows = []
    for part in parts:
        lefts = [e for _, e in part if isinstance(e, Left)]
        kind = "left" if isinstance(part[-1][1], Left) else "reconnected" if lefts else "joined"
        details = {"reason": lefts[-1].reason, "times": len(lefts)} if lefts else {}
        numbers = [n for n, _ in part]
        at = part[0][1].timestamp
        rows.append((room, numbers[0], numbers[-1], kind, user, None, None, at, _end(part), details))
    return rows


def _end(part: Numbered) -> datetime:
    return max(event.timestamp for _, event in part)
