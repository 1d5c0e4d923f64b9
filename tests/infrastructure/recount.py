"""The questions of docs/analytics.md answered once more, from the decoded events and without SQL."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from application.log import Recorded
from domain.attendance import Joined, Left
from domain.document import Created, EditApplied
from domain.ids import parse_stream
from domain.message import Deleted, Edited, Posted, ReactionAdded
from domain.profile import Disabled, Enabled
from domain.room import AccessChanged, Closed, MemberAdded, MemberRemoved, Opened, RoleChanged

Rows = list[tuple[Any, ...]]
MINUTES: Final = timedelta(minutes=1)


class Log:
    """The events of one room."""

    def __init__(self, room: str, recorded: Iterable[Recorded]) -> None:
        self.room = room
        recorded = list(recorded)
        self.lockouts = [one.event for one in recorded if isinstance(one.event, (Disabled, Enabled))]
        self.events = [one for one in recorded if parse_stream(one.event.originator_id).room == room]
        self.edits = [(one.position, one.event) for one in self.events if isinstance(one.event, EditApplied)]

    def of(self, *kinds: type[Any]) -> list[Any]:
        return [one.event for one in self.events if isinstance(one.event, kinds)]


def name_of(event: Any) -> str:
    return parse_stream(event.originator_id).name


def inserts(edit: EditApplied) -> list[str]:
    return [part for part in edit.op if isinstance(part, str)]


def inserted(edit: EditApplied) -> int:
    return sum(map(len, inserts(edit)))


def deleted(edit: EditApplied) -> int:
    return sum(len(str(part["d"])) for part in edit.op if isinstance(part, dict))


def by(
    edits: Iterable[tuple[int, EditApplied]], key: Callable[[EditApplied], Any]
) -> dict[Any, list[EditApplied]]:
    found: dict[Any, list[EditApplied]] = defaultdict(list)
    for _, edit in edits:
        found[key(edit)].append(edit)
    return found


def quantile(values: Sequence[float], share: float) -> float:
    """Between the two nearest, as a straight line goes."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def who_edited_what(log: Log) -> Rows:
    rows = [
        (
            log.room,
            document,
            who,
            len(edits),
            sum(map(inserted, edits)),
            sum(map(deleted, edits)),
            edits[0].timestamp,
            edits[-1].timestamp,
        )
        for (document, who), edits in by(log.edits, lambda edit: (name_of(edit), edit.actor)).items()
    ]
    return sorted(rows, key=lambda row: (row[1], -row[3], row[2]))


def roles_at(log: Log, moment: datetime) -> dict[str, tuple[str, datetime]]:
    held: dict[str, tuple[str, datetime]] = {}

    def set_to(who: str, role: str | None, at: datetime) -> None:
        held.pop(who, None)
        if role is not None:
            held[who] = (role, at)

    for event in log.of(Opened, MemberAdded, RoleChanged, MemberRemoved, AccessChanged, Closed):
        if event.timestamp > moment:
            continue
        match event:
            case Opened():
                set_to(str(event.owner), "owner", event.timestamp)
                set_to("*", event.everyone, event.timestamp)
            case AccessChanged():
                set_to("*", event.everyone, event.timestamp)
            case MemberRemoved():
                set_to(event.user, None, event.timestamp)
            case Closed():
                held.clear()
            case _:
                set_to(event.user, event.role, event.timestamp)
    return held


def stays(log: Log) -> list[tuple[Joined, Left | None]]:
    left = {event.originator_id: event for event in log.of(Left)}
    return [(joined, left.get(joined.originator_id)) for joined in log.of(Joined)]


def who_could_read(log: Log, at: datetime) -> Rows:
    """Without `until`, which is what became of it later."""
    held = roles_at(log, at)
    kept_out = set[str]()
    for event in log.lockouts:
        if event.timestamp <= at:
            (kept_out.add if isinstance(event, Disabled) else kept_out.discard)(name_of(event))
    here = {
        joined.actor
        for joined, left in stays(log)
        if joined.timestamp <= at and (left is None or left.timestamp > at)
    }
    documents = sorted(event.name for event in log.of(Created) if event.timestamp <= at)
    rows = []
    for document in documents:
        for who, (role, since) in held.items():
            if who in kept_out:
                continue
            was_here = bool(here - held.keys()) if who == "*" else who in here
            rows.append((log.room, document, who, role, role in {"editor", "owner"}, since, was_here))
    return sorted(rows, key=lambda row: (row[1], not row[4], row[2]))


def hot_documents(log: Log) -> Rows:
    rows = [
        (
            log.room,
            document,
            len(edits),
            len({edit.actor for edit in edits}),
            sum(map(inserted, edits)),
            sum(map(deleted, edits)),
            max(edit.timestamp for edit in edits),
        )
        for document, edits in by(log.edits, name_of).items()
    ]
    return sorted(rows, key=lambda row: (-row[2], row[1]))


def coediting_hours(log: Log, minutes: int) -> Rows:
    """By a sweep over all beginnings and ends: where two people are open, they are together."""
    rows = []
    for document, edits in by(log.edits, name_of).items():
        turns = sorted(
            [(edit.timestamp, 1, edit.actor) for edit in edits]
            + [(edit.timestamp + minutes * MINUTES, -1, edit.actor) for edit in edits]
        )
        opened: Counter[str] = Counter()
        stretches: list[list[datetime]] = []
        people: set[str] = set()
        for (at, step, who), (following, _, _) in pairwise([*turns, (turns[-1][0], 0, "")]):
            opened[who] += step
            now = +opened
            if len(now) > 1 and following > at:
                people |= now.keys()
                if stretches and stretches[-1][1] == at:
                    stretches[-1][1] = following
                else:
                    stretches.append([at, following])
        if stretches:
            hours = sum((end - start).total_seconds() for start, end in stretches) / 3600
            rows.append(
                (log.room, document, sorted(people), len(stretches), hours, stretches[0][0], stretches[-1][1])
            )
    return sorted(rows, key=lambda row: (-row[4], row[1]))


def bus_factor(log: Log) -> Rows:
    rows = []
    typed = [(position, edit) for position, edit in log.edits if edit.cause == "typed"]
    for document, edits in by(typed, name_of).items():
        written: Counter[str] = Counter()
        for edit in edits:
            written[edit.actor] += inserted(edit)
        chosen: list[str] = []
        for who, _ in sorted((+written).items(), key=lambda pair: (-pair[1], pair[0])):
            if 2 * sum(written[one] for one in chosen) >= written.total():
                break
            chosen.append(who)
        wrote = sum(written[who] for who in chosen)
        rows.append((log.room, document, len(chosen), chosen, wrote, written.total()))
    return sorted(rows, key=lambda row: (row[2], row[1]))


def answers(log: Log) -> list[tuple[Posted, Posted, float]]:
    posted = log.of(Posted)
    known = {event.message: event for event in posted}
    found = []
    for number, message in enumerate(posted):
        before = posted[number - 1] if number else None
        if message.reply_to is not None:
            before = known.get(message.reply_to)
        if before is None or before.actor == message.actor:
            continue
        seconds = (message.timestamp - before.timestamp).total_seconds()
        if message.reply_to is not None or seconds <= 30 * 60:
            found.append((message, before, max(seconds, 0.0)))
    return found


def response_times(log: Log) -> Rows:
    times: dict[str, list[float]] = defaultdict(list)
    for message, _, seconds in answers(log):
        times[message.actor].append(seconds)
    rows = [
        (log.room, who, len(of), quantile(of, 0.5), quantile(of, 0.9), max(of)) for who, of in times.items()
    ]
    return sorted(rows, key=lambda row: (row[3], row[1]))


def who_worked_with_whom(log: Log, minutes: int) -> Rows:
    documents: Counter[tuple[str, ...]] = Counter()
    turns: Counter[tuple[str, ...]] = Counter()
    for edits in by(log.edits, name_of).values():
        documents.update(combinations(sorted({edit.actor for edit in edits}), 2))
        for one, other in pairwise(edits):
            if one.actor != other.actor and other.timestamp - one.timestamp <= minutes * MINUTES:
                turns[tuple(sorted((one.actor, other.actor)))] += 1
    spoken = Counter(tuple(sorted((one.actor, other.actor))) for one, other, _ in answers(log))
    pairs = documents.keys() | turns.keys() | spoken.keys()
    rows = [(log.room, *pair, documents[pair], turns[pair], spoken[pair]) for pair in pairs]
    return sorted(rows, key=lambda row: (-row[4], -row[3], -row[5], row[1], row[2]))


def activity_by_hour(log: Log, zone: str) -> Rows:
    counts: dict[int, Counter[type[Any]]] = defaultdict(Counter)
    people: dict[int, set[str]] = defaultdict(set)
    for event in log.of(EditApplied, Posted, Joined):
        hour = event.timestamp.astimezone(ZoneInfo(zone)).hour
        counts[hour][type(event)] += 1
        people[hour].add(event.actor)
    return [
        (log.room, hour, of[EditApplied], of[Posted], of[Joined], len(people[hour]))
        for hour, of in sorted(counts.items())
    ]


def who_is_new_or_gone(log: Log, since: datetime, until: datetime) -> Rows:
    kinds = {"room", "document", "message", "revisions", "run"}
    seen: dict[str, list[datetime]] = defaultdict(list)
    for one in log.events:
        event = one.event
        is_deed = parse_stream(event.originator_id).kind in kinds or isinstance(event, Joined)
        if is_deed and not event.actor.startswith("@") and event.timestamp < until:
            seen[event.actor].append(event.timestamp)
    rows = [
        (log.room, who, "new" if min(times) >= since else "gone", min(times), max(times), len(times))
        for who, times in seen.items()
        if min(times) >= since or max(times) < since
    ]
    return sorted(sorted(rows, key=lambda row: (row[3], row[1])), key=lambda row: row[2], reverse=True)


def longest_sessions(log: Log) -> Rows:
    """Of stays that have ended."""
    rows = []
    for joined, left in stays(log):
        assert left is not None
        edits = sum(
            edit.client == joined.client and joined.timestamp <= edit.timestamp <= left.timestamp
            for _, edit in log.edits
        )
        minutes = (left.timestamp - joined.timestamp).total_seconds() / 60
        rows.append(
            (
                log.room,
                joined.actor,
                joined.session,
                joined.timestamp,
                left.timestamp,
                minutes,
                edits,
                left.reason,
            )
        )
    return sorted(rows, key=lambda row: (-row[5], row[2]))


def undone_edits(log: Log) -> Rows:
    rows = []
    for document, edits in by(log.edits, name_of).items():
        first_undo: dict[int, EditApplied] = {}
        for undo in edits:
            if undo.cause == "undo":
                for first, last in undo.undoes or ():
                    for revision in range(first, last + 1):
                        first_undo.setdefault(revision, undo)
        for who in {edit.actor for edit in edits}:
            own = [edit for edit in edits if edit.actor == who and edit.cause not in {"undo", "redo"}]
            undone = [(edit, first_undo[edit.revision]) for edit in own if edit.revision in first_undo]
            if undone:
                mine = sum(undo.actor == who for _, undo in undone)
                stood = [(undo.timestamp - edit.timestamp).total_seconds() for edit, undo in undone]
                rows.append(
                    (
                        log.room,
                        document,
                        who,
                        len(own),
                        len(undone),
                        mine,
                        len(undone) - mine,
                        quantile(stood, 0.5),
                    )
                )
    return sorted(rows, key=lambda row: (-row[4], row[1], row[2]))


def membership_changes(log: Log) -> Rows:
    rows: Rows = []
    held: dict[str, str | None] = {}

    def add(event: Any, change: str, who: str, role: str | None, invitation: str | None = None) -> None:
        rows.append((log.room, event.timestamp, event.actor, change, who, held.get(who), role, invitation))
        held[who] = role

    for event in log.of(Opened, MemberAdded, RoleChanged, MemberRemoved, AccessChanged, Closed):
        match event:
            case Opened():
                if event.everyone is not None:
                    add(event, "opened", "*", event.everyone)
                add(event, "opened", str(event.owner), "owner")
            case MemberAdded():
                change = "invited" if event.invitation else "added"
                add(event, change, event.user, event.role, event.invitation)
            case RoleChanged():
                add(event, "role changed", event.user, event.role)
            case MemberRemoved():
                add(event, "left" if event.user == event.actor else "removed", event.user, None)
            case AccessChanged():
                add(event, "access changed", "*", event.everyone)
            case _:
                add(event, "closed", "*", None)
    return rows


def unanswered_mentions(log: Log, minutes: int) -> Rows:
    texts, mentions = {}, {}
    gone = {name_of(event) for event in log.of(Deleted)}
    for event in log.of(Posted, Edited):
        texts[name_of(event)], mentions[name_of(event)] = event.text, event.mentions
    posted = log.of(Posted)
    reacted = {(name_of(event), event.actor) for event in log.of(ReactionAdded)}
    rows = []
    for number, asked in enumerate(posted):
        for who in sorted(mentions[asked.message]):
            spoke = any(
                said.actor == who
                and (said.reply_to == asked.message or said.timestamp <= asked.timestamp + minutes * MINUTES)
                for said in posted[number + 1 :]
            )
            if asked.message in gone or who == asked.actor or spoke or (asked.message, who) in reacted:
                continue
            beginning = texts[asked.message][:60]
            rows.append((log.room, asked.timestamp, asked.actor, who, asked.message, beginning))
    return rows


def largest_pastes(log: Log, least: int) -> Rows:
    rows = []
    for position, edit in log.edits:
        longest = max(inserts(edit), key=len, default="")
        if edit.cause == "typed" and len(longest) >= least:
            row = (log.room, name_of(edit), edit.revision, edit.timestamp, edit.actor, len(longest))
            rows.append((position, longest, row))
    rows.sort(key=lambda found: (-len(found[1]), found[0]))
    return [(*row, " ".join(f"a{text}a".split())[1:-1][:60]) for _, text, row in rows]


def presence_without_editing(log: Log) -> Rows:
    """Of stays that have ended."""
    spans: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for joined, left in stays(log):
        assert left is not None
        spans[joined.actor].append((joined.timestamp, left.timestamp))
    editors = {edit.actor for _, edit in log.edits}
    said = Counter(event.actor for event in log.of(Posted))
    rows = []
    for who, times in spans.items():
        reached, seconds = datetime.min.replace(tzinfo=UTC), 0.0
        for start, end in sorted(times):
            seconds += max((end - max(start, reached)).total_seconds(), 0)
            reached = max(reached, end)
        if who not in editors:
            rows.append((log.room, who, seconds / 60, len(times), said[who]))
    return sorted(rows, key=lambda row: (-row[2], row[1]))
