"""The checker finds every kind of broken promise, and nothing where none is broken.

Good histories come from runs of the simulation. Each mutation breaks one of them in one place; a checker
that does not see it is blind there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Final, TypeVar

import pytest

from domain.receipts import Pointers
from tests.simulation.checker import CHANGES, INVARIANTS, check
from tests.simulation.history import Copy, Heard, History, Record, Seen, StoredMessage
from tests.simulation.world import simulate

T = TypeVar("T")

# Runs with some of everything: several clients, chat, refusals, snapshots.
SEEDS: Final = (2, 5, 7, 12, 25)

# Places in which each mutation is tried in each history.
PLACES: Final = 4

Mutation = Callable[[History, Random], None]


class NotHere(Exception):  # noqa: N818
    """The history has nothing of the kind that a mutation breaks."""


@pytest.fixture(scope="module")
def good_histories() -> list[History]:
    return [simulate(seed).history for seed in SEEDS]


def test_nothing_is_found_in_good_histories(good_histories: list[History]) -> None:
    assert [check(history) for history in good_histories] == [[]] * len(SEEDS)
    assert all(len(history.records) > 20 for history in good_histories)


def test_nothing_is_found_in_an_empty_history() -> None:
    assert check(History()) == []


# Breaking the log.


def lose_an_acknowledged_edit(history: History, random: Random) -> None:
    record = some(acked(history, "edit"), random)
    assert record.place is not None
    del history.edits[record.document][record.place - 1]


def store_an_edit_twice(history: History, random: Random) -> None:
    document = some_document(history, random)
    edits = history.edits[document]
    again = some(edits, random)
    edits.append(again._replace(revision=len(edits) + 1, position=edits[-1].position + 1))


def store_another_text(history: History, random: Random) -> None:
    record = some(acked(history, "edit"), random)
    assert record.place is not None
    edits = history.edits[record.document]
    edits[record.place - 1] = edits[record.place - 1]._replace(text="something else")


def store_under_another_client(history: History, random: Random) -> None:
    record = some(acked(history, "edit"), random)
    assert record.place is not None
    edits = history.edits[record.document]
    edits[record.place - 1] = edits[record.place - 1]._replace(client="nobody")


def exchange_two_edits(history: History, random: Random) -> None:
    edits = history.edits[some_document(history, random)]
    place = random.randrange(len(edits) - 1)
    first, second = edits[place], edits[place + 1]
    edits[place] = second._replace(revision=first.revision, position=first.position)
    edits[place + 1] = first._replace(revision=second.revision, position=second.position)


def leave_a_revision_out(history: History, random: Random) -> None:
    edits = history.edits[some_document(history, random)]
    start = random.randrange(len(edits))
    edits[start:] = [edit._replace(revision=edit.revision + 1) for edit in edits[start:]]


def give_a_revision_twice(history: History, random: Random) -> None:
    edits = history.edits[some_document(history, random)]
    place = random.randrange(1, len(edits))
    edits[place] = edits[place]._replace(revision=edits[place].revision - 1)


def put_the_log_out_of_order(history: History, random: Random) -> None:
    edits = history.edits[some_document(history, random)]
    place = random.randrange(1, len(edits))
    edits[place] = edits[place]._replace(position=edits[place - 1].position)


# Breaking acknowledgements.


def acknowledge_elsewhere(history: History, random: Random) -> None:
    record = some(acked(history, "edit"), random)
    assert record.place is not None
    replace_record(history, record, record._replace(place=record.place + 1))


def acknowledge_what_is_not_stored(history: History, random: Random) -> None:
    record = some(acked(history, "edit"), random)
    history.records.append(record._replace(id="999999", time=record.time + 1))


def acknowledge_twice(history: History, random: Random) -> None:
    history.records.append(some(acked(history, "edit"), random))


def refuse_what_is_stored(history: History, random: Random) -> None:
    record = some(acked(history, "edit"), random)
    replace_record(history, record, record._replace(kind="fail"))


def begin_after_what_comes_later_was_acknowledged(history: History, random: Random) -> None:
    """An action that began when a later one of the log was already acknowledged."""
    done = acked(history, "edit")
    early = some(done[: len(done) // 2], random)
    positions = {(d, edit.revision): edit.position for d, edits in history.edits.items() for edit in edits}
    end = max(record.time for record in history.records) + 1
    later = [
        r for r in done if positions[r.document, r.place or 0] > positions[early.document, early.place or 0]
    ]
    if not later:
        raise NotHere
    invoked = next(
        record for record in history.records if record.kind == "invoke" and record[1:7] == invocation(early)
    )
    replace_record(history, invoked, invoked._replace(time=end))
    replace_record(history, early, early._replace(time=end + 1))


# Breaking what clients saw.


def miss_an_edit(history: History, random: Random) -> None:
    seen, place = somewhere_between_edits(history, random)
    del seen[place]


def see_an_edit_twice(history: History, random: Random) -> None:
    seen, place = somewhere_between_edits(history, random)
    seen.insert(place, seen[place])


def see_edits_in_another_order(history: History, random: Random) -> None:
    seen, place = somewhere_between_edits(history, random)
    seen[place], seen[place + 1] = seen[place + 1], seen[place]


def see_another_edit(history: History, random: Random) -> None:
    seen, place = somewhere_between_edits(history, random)
    seen[place] = seen[place]._replace(digest="another")


def see_an_edit_that_is_not_in_the_log(history: History, random: Random) -> None:
    key = some(sorted(history.seen), random)
    history.seen[key].append(Seen("edit", history.seen[key][-1].revision + 1, "of nobody"))


def see_another_text(history: History, random: Random) -> None:
    seen = history.seen[some(sorted(history.seen), random)]
    place = next(place for place, entry in enumerate(seen) if entry.kind == "snapshot")
    seen[place] = seen[place]._replace(digest="another")


def see_edits_without_a_text(history: History, random: Random) -> None:
    several = [key for key, seen in sorted(history.seen.items()) if [s.kind for s in seen[1:2]] == ["edit"]]
    del history.seen[some(several, random)][0]


# Breaking copies.


def let_a_copy_diverge(history: History, random: Random) -> None:
    place = random.randrange(len(history.copies))
    history.copies[place] = history.copies[place]._replace(text="another")


def let_a_copy_stay_behind(history: History, random: Random) -> None:
    place = random.randrange(len(history.copies))
    found = history.copies[place]
    history.copies[place] = found._replace(revision=found.revision - 1)


def let_all_copies_stay_behind(history: History, random: Random) -> None:
    document = some_document(history, random)
    history.copies = [
        Copy(c.where, c.document, c.revision - (c.document == document), c.text) for c in history.copies
    ]


# Breaking the chat.


def lose_an_acknowledged_message(history: History, random: Random) -> None:
    record = some(acked(history, "post"), random)
    history.messages = [message for message in history.messages if message.id != record.id]
    for process, heard in history.heard.items():
        history.heard[process] = [entry for entry in heard if entry.id != record.id]


def store_a_message_twice(history: History, random: Random) -> None:
    message = some(history.messages, random)
    history.messages.append(message._replace(position=history.messages[-1].position + 1))


def store_another_message(history: History, random: Random) -> None:
    record = some(acked(history, "post"), random)
    place = next(n for n, message in enumerate(history.messages) if message.id == record.id)
    history.messages[place] = history.messages[place]._replace(text="something else")


def refuse_a_stored_message(history: History, random: Random) -> None:
    record = some(acked(history, "post"), random)
    replace_record(history, record, record._replace(kind="fail"))


def hear_a_message_twice(history: History, random: Random) -> None:
    heard, place = somewhere_between_messages(history, random)
    heard.insert(place, heard[place])


def hear_messages_in_another_order(history: History, random: Random) -> None:
    heard, place = somewhere_between_messages(history, random)
    heard[place], heard[place + 1] = heard[place + 1], heard[place]


def hear_a_message_that_is_not_in_the_log(history: History, random: Random) -> None:
    heard, _ = somewhere_between_messages(history, random)
    heard.append(Heard("message", heard[-1].position + 1, "of-nobody"))


def miss_a_message(history: History, random: Random) -> None:
    heard, place = somewhere_between_messages(history, random)
    del heard[place]


def miss_the_last_message(history: History, random: Random) -> None:
    heard, _ = somewhere_between_messages(history, random)
    if heard[-1].kind == "anew":
        raise NotHere
    del heard[-1]


# Breaking what becomes of messages.


def lose_an_acknowledged_change(history: History, random: Random) -> None:
    record = some([r for action in CHANGES for r in acked(history, action)], random)
    changed = (record.action, record.document, record.client, record.id)
    history.changes = [change for change in history.changes if change[1:] != changed]


def let_a_change_come_true_twice(history: History, random: Random) -> None:
    history.changes.append(some(history.changes, random)._replace(position=10**9))


def refuse_what_has_come_true(history: History, random: Random) -> None:
    record = some([r for action in CHANGES for r in acked(history, action)], random)
    replace_record(history, record, record._replace(kind="fail"))


def change_before_what_was_acknowledged(history: History, random: Random) -> None:
    """A change that began when something else was acknowledged is before it in the log."""
    record = some([r for action in CHANGES for r in acked(history, action)], random)
    changed = (record.action, record.document, record.client, record.id)
    place = next(n for n, change in enumerate(history.changes) if change[1:] == changed)
    if not any(r.kind == "ok" for r in history.records[: history.records.index(record)]):
        raise NotHere
    end = max(r.time for r in history.records) + 1
    invoked = next(r for r in history.records if r.kind == "invoke" and r[1:7] == invocation(record))
    replace_record(history, invoked, invoked._replace(time=end))
    replace_record(history, record, record._replace(time=end + 1))
    history.changes[place] = history.changes[place]._replace(position=0)


def let_a_chat_differ(history: History, random: Random) -> None:
    place = random.randrange(1, len(history.chats))
    chat = history.chats[place]
    name, _ = some(list(chat.messages), random)
    messages = tuple((n, "another" if n == name else digest) for n, digest in chat.messages)
    history.chats[place] = chat._replace(messages=messages)


def let_a_chat_miss_the_last_message(history: History, random: Random) -> None:
    place = random.randrange(1, len(history.chats))
    chat = history.chats[place]
    some(list(chat.messages), random)
    history.chats[place] = chat._replace(messages=chat.messages[:-1])


def let_receipts_stay_behind(history: History, random: Random) -> None:
    place = random.randrange(1, len(history.chats))
    pointers = dict(history.chats[place].pointers)
    pointers[some(sorted(pointers), random)] = Pointers()
    history.chats[place] = history.chats[place]._replace(pointers=pointers)


# Breaking texts.


def lose_a_typed_text(history: History, random: Random) -> None:
    stored = "".join(edit.text for edits in history.edits.values() for edit in edits)
    kept = [t for t in history.typed if t.word in stored and t.word not in history.let_go]
    typed = some(kept, random)
    edits = history.edits[typed.document]
    edits[:] = [edit._replace(text=edit.text.replace(typed.word, "")) for edit in edits]


def insert_a_typed_text_twice(history: History, random: Random) -> None:
    stored = {t.word: t for t in history.typed}
    words = [w for edits in history.edits.values() for edit in edits for w in edit.text if w in stored]
    typed = stored[some(words, random)]
    edits = history.edits[typed.document]
    edits[-1] = edits[-1]._replace(text=edits[-1].text + typed.word)


MUTATIONS: Final[tuple[tuple[Mutation, str], ...]] = (
    (lose_an_acknowledged_edit, "I1"),
    (lose_an_acknowledged_edit, "I4"),
    (store_an_edit_twice, "I2"),
    (store_another_text, "I1"),
    (store_under_another_client, "I1"),
    (exchange_two_edits, "I5"),
    (leave_a_revision_out, "I4"),
    (give_a_revision_twice, "I4"),
    (put_the_log_out_of_order, "I4"),
    (acknowledge_elsewhere, "I1"),
    (acknowledge_what_is_not_stored, "I1"),
    (acknowledge_twice, "I2"),
    (refuse_what_is_stored, "I2"),
    (begin_after_what_comes_later_was_acknowledged, "I6"),
    (miss_an_edit, "I5"),
    (see_an_edit_twice, "I5"),
    (see_edits_in_another_order, "I5"),
    (see_another_edit, "I5"),
    (see_an_edit_that_is_not_in_the_log, "I5"),
    (see_another_text, "I5"),
    (see_edits_without_a_text, "I5"),
    (let_a_copy_diverge, "I3"),
    (let_a_copy_stay_behind, "I3"),
    (let_all_copies_stay_behind, "I4"),
    (lose_an_acknowledged_message, "I1"),
    (store_a_message_twice, "I2"),
    (store_another_message, "I1"),
    (refuse_a_stored_message, "I2"),
    (hear_a_message_twice, "I9"),
    (hear_messages_in_another_order, "I9"),
    (hear_a_message_that_is_not_in_the_log, "I9"),
    (miss_a_message, "I9"),
    (miss_the_last_message, "I9"),
    (lose_an_acknowledged_change, "I1"),
    (let_a_change_come_true_twice, "I2"),
    (refuse_what_has_come_true, "I2"),
    (change_before_what_was_acknowledged, "I6"),
    (let_a_chat_differ, "I3"),
    (let_a_chat_miss_the_last_message, "I3"),
    (let_receipts_stay_behind, "I3"),
    (lose_a_typed_text, "T"),
    (insert_a_typed_text_twice, "T"),
)


@pytest.mark.parametrize(
    ("mutation", "invariant"), MUTATIONS, ids=[f"{name.__name__}-{i}" for name, i in MUTATIONS]
)
def test_every_broken_promise_is_found_wherever_it_is_broken(
    good_histories: list[History], mutation: Mutation, invariant: str
) -> None:
    tried = 0
    for number, good in enumerate(good_histories):
        for place in range(PLACES):
            history = copy.deepcopy(good)
            try:
                mutation(history, Random(f"{number} {place}"))
            except NotHere:
                continue
            tried += 1
            assert invariant in {violation.invariant for violation in check(history)}, (number, place)
    assert tried > len(good_histories), "the histories have too little of this"


def test_every_invariant_is_broken_by_some_mutation() -> None:
    assert {invariant for _, invariant in MUTATIONS} == {name for name, _ in INVARIANTS}


def test_what_a_client_never_heard_the_end_of_may_be_stored_or_not(good_histories: list[History]) -> None:
    """An action without an answer accuses nobody."""
    for good in good_histories:
        history = copy.deepcopy(good)
        history.records = [record for record in history.records if record.kind == "invoke"]
        history.records.append(Record(0.0, "c9.1", "c9", "invoke", "post", "", "c9-1", "unheard"))
        history.messages.append(StoredMessage(10**9, "c9-2", "c9", "unheard too"))
        history.present.clear()
        assert check(history) == []


# What mutations break.


def some(choices: list[T], random: Random) -> T:
    if not choices:
        raise NotHere
    return random.choice(choices)


def acked(history: History, action: str) -> list[Record]:
    return [record for record in history.records if record.kind == "ok" and record.action == action]


def replace_record(history: History, old: Record, new: Record) -> None:
    """The new one where its time puts it."""
    history.records.remove(old)
    history.records.append(new)
    history.records.sort(key=lambda record: record.time)


def invocation(record: Record) -> tuple[object, ...]:
    """What the beginning of an action has in common with its end."""
    return record._replace(kind="invoke")[1:7]


def some_document(history: History, random: Random) -> str:
    """A document with edits, all of them seen by somebody."""
    return some(sorted(document for document, edits in history.edits.items() if len(edits) > 3), random)


def somewhere_between_edits(history: History, random: Random) -> tuple[list[Seen], int]:
    places = [
        (seen, place)
        for _, seen in sorted(history.seen.items())
        for place in range(1, len(seen) - 1)
        if seen[place].kind == seen[place + 1].kind == "edit"
    ]
    return some(places, random)


def somewhere_between_messages(history: History, random: Random) -> tuple[list[Heard], int]:
    """What somebody who was there at the end heard: two messages in a row, after a beginning."""
    places = [
        (heard, place)
        for process, heard in sorted(history.heard.items())
        for place in range(1, len(heard) - 1)
        if process in history.present and heard[place].kind == heard[place + 1].kind == "message"
        if heard[place].position > max(entry.position for entry in heard if entry.kind == "anew")
    ]
    return some(places, random)
