"""Whether a history keeps the promises: the same check, whatever made the history.

    I1  no acknowledged edit, message or change of one is lost, or stored as something else, or somewhere
        else
    I2  nothing is stored twice; nothing that was refused is stored
    I3  all copies are equal: texts, and what is known of the chat
    I4  revisions are 1, 2, 3, … without a gap or a second one
    I5  everybody sees the log: every edit as it is stored, one after the other, a gap only with a whole text
    I6  what was invoked after something was acknowledged comes after it
    I9  everybody hears the messages in their order, each once, a gap only with a new beginning
    T   no typed text is lost: it is in the log once, or its author was told, or took it back

Each check is a function of a history that gives sentences about what is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final, NamedTuple, get_args

from tests.simulation.history import Change, ChatCopy, History, Record, Seen, StoredEdit

CHANGES: Final = get_args(Change)


class Violation(NamedTuple):
    invariant: str
    what: str


def check(history: History) -> list[Violation]:
    """Everything that is wrong with a history; nothing if it keeps all promises."""
    return [Violation(name, what) for name, invariant in INVARIANTS for what in invariant(history)]


def nothing_acknowledged_is_lost(history: History) -> Iterator[str]:
    """I1"""
    by_place = {(d, edit.revision): edit for d, edits in history.edits.items() for edit in edits}
    messages = {message.id: message for message in history.messages}
    changes = {change[1:] for change in history.changes}
    for record in _of_kind(history, "ok"):
        if record.action in CHANGES:
            if _change_of(record) not in changes:
                yield f"{_named(record)} was acknowledged and is not in the log"
            continue
        if record.action == "post":
            message = messages.get(record.id)
            if message is None:
                yield f"message {record.id} of {record.process} was acknowledged and is not in the log"
            elif (message.client, message.text) != (record.client, record.text):
                yield f"message {record.id} of {record.process} is stored as another"
            continue
        assert record.place is not None
        edit = by_place.get((record.document, record.place))
        if edit is None or (edit.client, str(edit.seq)) != (record.client, record.id):
            yield f"{_named(record)} was acknowledged at revision {record.place} and is not there"
        elif edit.text != record.text:
            yield f"{_named(record)} is stored with another text"


def nothing_is_stored_twice(history: History) -> Iterator[str]:
    """I2"""
    for document, edits in history.edits.items():
        for (client, seq), count in Counter((edit.client, edit.seq) for edit in edits).items():
            if count > 1:
                yield f"edit {seq} of {client} in {document} is stored {count} times"
    for message, count in Counter(message.id for message in history.messages).items():
        if count > 1:
            yield f"message {message} is stored {count} times"
    for change, count in Counter(change[1:] for change in history.changes).items():
        if count > 1:
            yield f"{' '.join(change)} has come true {count} times"
    yield from _stored_though_refused(history)
    yield from _answered_twice(history)


def _stored_though_refused(history: History) -> Iterator[str]:
    stored = {
        (edit.client, document, str(edit.seq), edit.text)
        for document, edits in history.edits.items()
        for edit in edits
    }
    messages = {message.id for message in history.messages}
    changes = {change[1:] for change in history.changes}
    for record in _of_kind(history, "fail"):
        if record.action == "post" and record.id in messages:
            yield f"message {record.id} was refused and is stored"
        elif record.action in CHANGES and _change_of(record) in changes:
            yield f"{_named(record)} was refused and is in the log"
        elif (record.client, record.document, record.id, record.text) in stored:
            yield f"{_named(record)} was refused and is stored"


def _answered_twice(history: History) -> Iterator[str]:
    answers = Counter(
        (record.process, record.action, record.document, record.id)
        for record in history.records
        if record.kind == "ok"
    )
    for action, count in answers.items():
        if count > 1:
            yield f"{' '.join(action)} was acknowledged {count} times"


def all_copies_are_equal(history: History) -> Iterator[str]:
    """I3"""
    first: dict[str, tuple[str, int, str]] = {}
    for where, document, revision, text in history.copies:
        known = first.setdefault(document, (where, revision, text))
        if known[1:] != (revision, text):
            yield f"{document} at {where} is {revision} {text!r}, at {known[0]} {known[1]} {known[2]!r}"
    for chat in history.chats[1:]:
        yield from _differences(history.chats[0], chat)


def _differences(log: ChatCopy, chat: ChatCopy) -> Iterator[str]:
    """Who has come late knows the last messages only, but of those everything."""
    expected = log.messages[-len(chat.messages) :] if chat.messages else log.messages
    if chat.messages != expected:
        wrong = set(chat.messages).symmetric_difference(expected)
        yield f"the chat at {chat.where} is not that of the log: {sorted(name for name, _ in wrong)}"
    if chat.pointers != log.pointers:
        yield f"the receipts at {chat.where} are {chat.pointers}, in the log {log.pointers}"


def revisions_have_no_gap(history: History) -> Iterator[str]:
    """I4"""
    for document, edits in history.edits.items():
        revisions = [edit.revision for edit in edits]
        if revisions != list(range(1, len(edits) + 1)):
            yield f"{document} has the revisions {revisions}"
        if any(later.position <= earlier.position for earlier, later in pairwise(edits)):
            yield f"{document} is not in the order of the log"
        final = {copy.revision for copy in history.copies if copy.document == document}
        if final and final != {len(edits)}:
            yield f"{document} has {len(edits)} edits in the log, and its copies are at {sorted(final)}"


def everybody_sees_the_log(history: History) -> Iterator[str]:
    """I5"""
    for (process, document), seen in history.seen.items():
        edits = {edit.revision: edit for edit in history.edits.get(document, ())}
        reached: int | None = None
        for entry in seen:
            if what := _wrong_with(entry, reached, edits, history.texts.get(document, [])):
                yield f"{process} in {document}: {what}"
            reached = entry.revision


def _wrong_with(
    entry: Seen, reached: int | None, edits: dict[int, StoredEdit], texts: list[str]
) -> str | None:
    if entry.kind == "snapshot":
        is_in_log = entry.revision < len(texts) and texts[entry.revision] == entry.digest
        return None if is_in_log else f"the text at revision {entry.revision} is not that of the log"
    if reached is None:
        return f"edit {entry.revision} came before any text"
    if entry.revision != reached + 1:
        return f"edit {entry.revision} came after {reached}"
    stored = edits.get(entry.revision)
    if stored is None or stored.digest != entry.digest:
        return f"edit {entry.revision} is not that of the log"
    return None


def later_comes_later(history: History) -> Iterator[str]:
    """I6: A acknowledged before B invoked, so A is before B in the log, whatever and whose they are."""
    positions = _positions(history)
    invoked: dict[tuple[str, str, str, str], float] = {}
    done: list[tuple[float, float, int, Record]] = []
    for record in history.records:
        key = (record.process, record.action, record.document, record.id)
        if record.kind == "invoke":
            invoked[key] = record.time
        elif record.kind == "fail":
            invoked.pop(key, None)  # its number goes to another edit
        elif record.kind == "ok" and key in invoked and (position := positions(record)) is not None:
            done.append((invoked[key], record.time, position, record))
    yield from _in_wrong_order(done)


def _in_wrong_order(done: list[tuple[float, float, int, Record]]) -> Iterator[str]:
    """Sweep over time: whatever begins must come after the newest that had ended by then."""
    ends = sorted(done, key=lambda action: action[1])
    newest, newest_record = 0, None
    ended = 0
    for begun, _, position, record in sorted(done, key=lambda action: action[0]):
        while ended < len(ends) and ends[ended][1] < begun:
            if ends[ended][2] > newest:
                newest, newest_record = ends[ended][2], ends[ended][3]
            ended += 1
        if newest_record is not None and position <= newest:
            yield f"{_named(record)} began after {_named(newest_record)} was acknowledged and is before it"


def _positions(history: History) -> Callable[[Record], int | None]:
    edits = {(d, edit.revision): edit.position for d, es in history.edits.items() for edit in es}
    messages = {message.id: message.position for message in history.messages}
    changes: dict[tuple[str, ...], int] = {change[1:]: change.position for change in history.changes}

    def find(record: Record) -> int | None:
        if record.action in CHANGES:
            return changes.get(_change_of(record))
        if record.action == "post":
            return messages.get(record.id)
        return edits.get((record.document, record.place or 0))

    return find


def messages_are_heard_in_order(history: History) -> Iterator[str]:
    """I9"""
    order = {message.id: message.position for message in history.messages}
    positions = sorted(order.values())
    for process, heard in history.heard.items():
        known = after = 0
        for entry in heard:
            if entry.kind == "anew":
                after = max(after, entry.position)
                continue
            if order.get(entry.id) != entry.position:
                yield f"{process} heard {entry.id}, which is not in the log there"
            elif entry.position <= known:
                yield f"{process} heard {entry.id} a second time or too late"
            elif missed := _between(positions, max(known, after), entry.position):
                yield f"{process} heard {entry.id} without what was said before it at {missed}"
            known = max(known, entry.position)
        if process in history.present and heard and (missed := _between(positions, max(known, after))):
            yield f"{process} never heard what was said at {missed}"


def _between(positions: list[int], after: int, until: int | None = None) -> list[int]:
    return [position for position in positions if after < position and (until is None or position < until)]


def no_typed_text_is_lost(history: History) -> Iterator[str]:
    """T"""
    stored = {document: "\0".join(edit.text for edit in edits) for document, edits in history.edits.items()}
    for process, document, word in history.typed:
        count = stored.get(document, "").count(word)
        if count > 1:
            yield f"{process} typed {word!r} once in {document}; it was inserted {count} times"
        elif count == 0 and word not in history.let_go:
            yield f"{process} typed {word!r} in {document}; it is nowhere"


def _change_of(record: Record) -> tuple[str, ...]:
    """As the changes in the log, without their positions."""
    return (record.action, record.document, record.client, record.id)


def _of_kind(history: History, kind: str) -> Iterator[Record]:
    return (record for record in history.records if record.kind == kind)


def _named(record: Record) -> str:
    where = f" in {record.document}" if record.document else ""
    return f"{record.action} {record.id} of {record.process}{where}"


INVARIANTS: Final[tuple[tuple[str, Callable[[History], Iterator[str]]], ...]] = (
    ("I1", nothing_acknowledged_is_lost),
    ("I2", nothing_is_stored_twice),
    ("I3", all_copies_are_equal),
    ("I4", revisions_have_no_gap),
    ("I5", everybody_sees_the_log),
    ("I6", later_comes_later),
    ("I9", messages_are_heard_in_order),
    ("T", no_typed_text_is_lost),
)
