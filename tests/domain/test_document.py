"""Documents: given a past, when an edit comes, then these events; and what must hold for every past."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.aggregate import Snapshot
from domain.document import (
    CLIENTS_REMEMBERED,
    HISTORY_REVISIONS,
    WINDOW_REVISIONS,
    ClientForgotten,
    Created,
    Document,
    DocumentState,
    EditApplied,
    HistoryNeeded,
    LastEdit,
    size_change,
)
from domain.errors import (
    DocumentTooLarge,
    IdReused,
    OpInvalid,
    RevisionAhead,
    RevisionTooOld,
    SequenceGap,
)
from domain.limits import DOCUMENT_BYTES, DOCUMENT_CODE_POINTS
from domain.text_op import Op, apply, invert, is_invertible, normalise, parse, transform
from tests.domain.events import NOON, a_document, a_restored_document, collect, edit, fold, later, submit
from tests.domain.strategies import changes

# Creating.


def test_a_new_document_is_empty_and_says_who_made_it_when_and_where() -> None:
    document = Document.create("demo", "main.md", actor="Ada", at=NOON)
    [created] = collect(document)
    assert isinstance(created, Created)
    assert (created.originator_id, created.originator_version) == ("document:demo/main.md", 1)
    assert (created.room, created.name, created.actor, created.timestamp) == ("demo", "main.md", "Ada", NOON)
    assert (str(document.text), document.revision, document.size_bytes) == ("", 0, 0)


# Edits in order.


def test_an_edit_on_the_present_revision_is_stored_as_it_came() -> None:
    document = a_document("ab")
    [applied] = submit(document, edit("ben", 1, 1, [1, "X"]))
    assert (applied.client, applied.seq, applied.base, applied.revision) == ("ben", 1, 1, 2)
    assert (applied.op, applied.digest, applied.cause) == ([1, "X"], "1 [1, 'X']", "typed")
    assert (applied.actor, applied.timestamp, applied.originator_version) == ("Ben", later(60), 3)
    assert str(document.text) == "aXb"


def test_a_stored_delete_carries_the_text_that_it_deleted() -> None:
    document = a_document("a😀b")
    [applied] = submit(document, edit("ben", 1, 1, [1, {"d": 1}]))
    assert applied.op == [1, {"d": "😀"}]
    assert str(document.text) == "ab"


def test_an_edit_names_its_cause() -> None:
    document = a_document("ab")
    document.edit(edit("ben", 1, 1, ["X"]), actor="Ben", at=NOON, cause="undo")
    [applied] = collect(document)
    assert isinstance(applied, EditApplied)
    assert applied.cause == "undo"


def test_an_op_that_does_nothing_makes_a_revision_so_that_its_client_can_go_on() -> None:
    document = a_document("ab")
    [applied] = submit(document, edit("ben", 1, 1, []))
    assert (applied.op, applied.revision) == ([], 2)
    assert submit(document, edit("ben", 2, 2, ["X"]))


# Concurrent edits.


def test_a_concurrent_edit_goes_left_of_what_was_committed_at_the_same_place() -> None:
    document = a_document("ab")
    submit(document, edit("ada", 1, 1, [1, "X"]))
    [applied] = submit(document, edit("ben", 1, 1, [1, "Y"]))
    assert (applied.op, applied.base, applied.revision) == ([1, "Y"], 1, 3)
    assert str(document.text) == "aYXb"


def test_an_edit_is_transformed_over_every_edit_since_its_base() -> None:
    document = a_document("abc")
    submit(document, edit("ada", 1, 1, ["1"]))
    submit(document, edit("ada", 2, 2, ["2"]))
    submit(document, edit("ada", 3, 3, [2, {"d": 1}]))
    [applied] = submit(document, edit("ben", 1, 2, [4, "!"]))
    assert str(document.text) == "21bc!"
    assert applied.op == [4, "!"]


def test_a_delete_of_what_is_gone_already_does_nothing() -> None:
    document = a_document("abc")
    submit(document, edit("ada", 1, 1, [1, {"d": 1}]))
    [applied] = submit(document, edit("ben", 1, 1, [1, {"d": "b"}]))
    assert applied.op == []
    assert str(document.text) == "ac"


def test_an_op_is_measured_by_the_text_it_was_made_on_not_by_the_present_one() -> None:
    document = a_document("abc")
    submit(document, edit("ada", 1, 1, ["a long insert"]))
    with pytest.raises(OpInvalid) as refused:
        submit(document, edit("ben", 1, 1, [4, "!"]))
    assert refused.value.facts == {"length": 3}


def test_an_op_that_fitted_a_longer_text_is_accepted_after_a_delete() -> None:
    document = a_document("abc")
    submit(document, edit("ada", 1, 1, [{"d": 3}]))
    [applied] = submit(document, edit("ben", 1, 1, [3, "!"]))
    assert applied.op == ["!"]


def test_an_op_whose_deleted_text_is_not_there_changes_nothing() -> None:
    document = a_document("abc")
    with pytest.raises(OpInvalid):
        submit(document, edit("ben", 1, 1, [{"d": "x"}]))
    assert (str(document.text), document.revision, collect(document)) == ("abc", 1, [])


# Exactly once.


def test_a_resend_adds_nothing() -> None:
    document = a_document("ab")
    sent = edit("ben", 1, 1, [1, "X"])
    assert submit(document, sent)
    assert submit(document, sent) == []
    assert str(document.text) == "aXb"


def test_a_resend_adds_nothing_when_others_have_written_since() -> None:
    document = a_document("ab")
    sent = edit("ben", 1, 1, [1, "X"])
    submit(document, sent)
    submit(document, edit("ada", 1, 1, ["Z"]))
    assert submit(document, sent) == []


def test_an_older_edit_of_a_client_is_known_by_its_number_alone() -> None:
    document = a_document("ab")
    submit(document, edit("ben", 1, 1, ["X"]))
    submit(document, edit("ben", 2, 2, ["Y"]))
    assert submit(document, edit("ben", 1, 1, ["X"])) == []


def test_another_content_under_a_used_number_is_refused() -> None:
    document = a_document("ab")
    submit(document, edit("ben", 1, 1, ["X"]))
    with pytest.raises(IdReused) as refused:
        submit(document, edit("ben", 1, 1, ["Y"]))
    assert refused.value.facts == {"seq": 1, "revision": 2}


def test_another_base_under_a_used_number_is_another_content() -> None:
    document = a_document("ab")
    submit(document, edit("ben", 1, 1, ["X"]))
    with pytest.raises(IdReused):
        submit(document, edit("ben", 1, 0, ["X"]))


@pytest.mark.parametrize(("seq", "expected"), [(2, 1), (9, 1)])
def test_a_number_that_leaves_a_gap_is_refused(seq: int, expected: int) -> None:
    document = a_document("ab")
    with pytest.raises(SequenceGap) as refused:
        submit(document, edit("ben", seq, 1, ["X"]))
    assert refused.value.facts == {"expected": expected, "actual": seq}


def test_clients_are_counted_apart() -> None:
    document = a_document("ab")
    assert submit(document, edit("ben", 1, 1, ["X"]))
    assert submit(document, edit("cem", 1, 1, ["X"]))
    assert str(document.text) == "XXab"


# Bases.


def test_a_base_that_does_not_exist_is_refused() -> None:
    document = a_document("ab")
    with pytest.raises(RevisionAhead) as refused:
        submit(document, edit("ben", 1, 2, ["X"]))
    assert refused.value.facts == {"revision": 1}


def test_the_oldest_base_that_is_allowed_is_asked_of_the_log() -> None:
    document = a_restored_document(revision=HISTORY_REVISIONS + 5)
    with pytest.raises(HistoryNeeded) as asked:
        submit(document, edit("ben", 1, 5, ["X"]))
    assert (asked.value.after, asked.value.until) == (5, HISTORY_REVISIONS + 5)


def test_an_older_base_is_refused() -> None:
    document = a_restored_document(revision=HISTORY_REVISIONS + 5)
    with pytest.raises(RevisionTooOld) as refused:
        submit(document, edit("ben", 1, 4, ["X"]))
    assert refused.value.facts == {"revision": HISTORY_REVISIONS + 5}


def test_an_edit_with_an_old_base_is_decided_with_the_edits_that_were_read() -> None:
    document = a_restored_document(text="12ab", revision=3)
    submit(document, edit("ada", 1, 3, ["3"]))
    late = edit("ben", 1, 1, [2, "!"])  # made on "ab"
    with pytest.raises(HistoryNeeded) as asked:
        submit(document, late)
    assert (asked.value.after, asked.value.until) == (1, 3)
    with pytest.raises(HistoryNeeded):
        submit(document, late, earlier=[["2"]])  # not all of them
    [applied] = submit(document, late, earlier=[["2"], ["1"]])
    assert applied.op == [5, "!"]
    assert str(document.text) == "312ab!"


def test_edits_that_were_read_may_reach_into_those_in_memory() -> None:
    document = a_restored_document(text="12ab", revision=3)
    submit(document, edit("ada", 1, 3, ["3"]))
    submit(document, edit("ada", 2, 4, ["4"]))
    [applied] = submit(document, edit("ben", 1, 1, [2, "!"]), earlier=[["2"], ["1"], ["3"]])
    assert applied.op == [6, "!"]


def test_edits_since_a_revision_are_those_in_memory_or_a_question() -> None:
    document = a_restored_document(text="ab", revision=3)
    applied = submit(document, edit("ada", 1, 3, ["3"]))
    assert document.edits_since(3) == applied
    assert document.edits_since(4) == []
    with pytest.raises(HistoryNeeded) as asked:
        document.edits_since(2)
    assert (asked.value.after, asked.value.until) == (2, 3)


def test_the_window_of_edits_in_memory_is_bounded_and_has_no_gap() -> None:
    document = a_document()
    for number in range(1, 2 * WINDOW_REVISIONS):
        document.edit(edit("ben", number, number - 1, ["x"]), actor="Ben", at=NOON)
    assert document.window_start == 0
    document.edit(edit("ben", 2 * WINDOW_REVISIONS, 0, ["y"]), actor="Ben", at=NOON)
    assert document.window_start == WINDOW_REVISIONS
    revisions = [edit.revision for edit in document.edits_since(WINDOW_REVISIONS)]
    assert revisions == list(range(WINDOW_REVISIONS + 1, 2 * WINDOW_REVISIONS + 1))
    with pytest.raises(HistoryNeeded):
        document.ops_since(WINDOW_REVISIONS - 1)


# Forgotten clients.


def a_crowded_document() -> Document:
    """One that has forgotten its first client, "c0"."""
    document = a_document()
    for number in range(CLIENTS_REMEMBERED + 1):
        submit(document, edit(f"c{number}", 1, number, ["x"]))
    return document


def test_a_crowded_document_forgets_the_client_that_wrote_longest_ago() -> None:
    document = a_document()
    for number in range(CLIENTS_REMEMBERED):
        submit(document, edit(f"c{number}", 1, number, ["x"]))
    assert document.as_state()["clients_forgotten"] is False
    submit(document, edit("c0", 2, document.revision, ["x"]))
    submit(document, edit("new", 1, document.revision, ["x"]))
    assert document.clients_forgotten
    assert "c0" in document.clients
    assert "c1" not in document.clients
    assert len(document.clients) == CLIENTS_REMEMBERED


@pytest.mark.parametrize("seq", [1, 2])
def test_after_that_an_unknown_client_is_a_question_whatever_its_number(seq: int) -> None:
    document = a_crowded_document()
    with pytest.raises(ClientForgotten) as asked:
        submit(document, edit("c0", seq, 0, ["x"]))
    assert asked.value.client == "c0"


def test_the_resend_of_a_forgotten_client_is_recognised_by_what_the_log_says() -> None:
    document = a_crowded_document()
    sent = edit("c0", 1, 0, ["x"])
    assert submit(document, sent, last=LastEdit(1, 1, sent.digest)) == []
    with pytest.raises(IdReused):
        submit(document, edit("c0", 1, 0, ["other"]), last=LastEdit(1, 1, sent.digest))
    assert submit(document, edit("c0", 2, document.revision, ["z"]), last=LastEdit(1, 1, sent.digest))


def test_a_client_that_the_log_does_not_know_begins_at_one() -> None:
    document = a_crowded_document()
    with pytest.raises(SequenceGap):
        submit(document, edit("new", 2, 0, ["x"]), last=LastEdit(0, 0, ""))
    assert submit(document, edit("new", 1, document.revision, ["x"]), last=LastEdit(0, 0, ""))


def test_a_crowded_document_says_since_when_it_remembers_everybody() -> None:
    document = a_crowded_document()
    assert document.remembers_all_since(document.revision - CLIENTS_REMEMBERED)
    assert not document.remembers_all_since(document.revision - CLIENTS_REMEMBERED - 1)


def test_what_is_in_memory_is_newer_than_what_was_read() -> None:
    document = a_document("ab")
    submit(document, edit("ben", 1, 1, ["x"]))
    assert submit(document, edit("ben", 2, 2, ["y"]), last=LastEdit(0, 0, ""))


# Sizes.


def test_a_document_takes_as_many_characters_as_are_allowed_and_no_more() -> None:
    document = a_restored_document(text="a" * (DOCUMENT_CODE_POINTS - 1))
    assert submit(document, edit("ben", 1, 0, ["x"]))
    with pytest.raises(DocumentTooLarge) as refused:
        submit(document, edit("ben", 2, 1, ["y"]))
    assert refused.value.facts == {"limit": DOCUMENT_CODE_POINTS}
    assert submit(document, edit("ben", 2, 1, ["y", {"d": 1}]))


def test_a_document_takes_as_many_bytes_as_are_allowed_and_no_more() -> None:
    document = a_restored_document(text="😀" * (DOCUMENT_BYTES // 4 - 1))
    assert submit(document, edit("ben", 1, 0, ["😀"]))
    with pytest.raises(DocumentTooLarge) as refused:
        submit(document, edit("ben", 2, 1, ["y"]))
    assert refused.value.facts == {"limit": DOCUMENT_BYTES}
    assert submit(document, edit("ben", 2, 1, ["y", {"d": 1}]))


def test_a_document_that_is_too_large_already_can_still_shrink() -> None:
    document = a_restored_document(text="😀" * (DOCUMENT_BYTES // 4 + 10))
    assert submit(document, edit("ben", 1, 0, [{"d": 1}]))


@pytest.mark.parametrize(
    ("op", "change"),
    [([], 0), ([3, "ab"], 2), (["é😀"], 6), ([1, {"d": "é"}], -2), (["a", {"d": "😀b"}], -4)],
)
def test_the_growth_of_an_op_is_counted_in_bytes_of_utf_8(op: Op, change: int) -> None:
    assert size_change(op) == change


def test_a_heavier_document_weighs_more() -> None:
    assert a_document().weight < a_document("a").weight < a_document("a" * 5_000).weight


def test_there_is_a_state_to_read_that_does_not_change_any_more() -> None:
    document = a_document("ab")
    state = document.state
    submit(document, edit("ben", 1, 1, ["X"]))
    assert state == DocumentState("demo", "main.md", 1, "ab", later(1))
    assert document.state == DocumentState("demo", "main.md", 2, "Xab", later(60))


# Copies and snapshots.


def test_a_copy_goes_its_own_way() -> None:
    committed = a_document("ab", "c")
    before = committed.as_state()
    head = copy.copy(committed)
    assert head == committed
    submit(head, edit("ben", 1, 2, ["X"]))
    assert committed.as_state() == before
    assert (committed.version, len(committed.window)) == (3, 2)
    submit(committed, edit("cem", 1, 2, [1, {"d": 1}]))
    assert (str(head.text), str(committed.text)) == ("Xabc", "ac")
    assert ("cem" in head.clients, "ben" in committed.clients) == (False, False)


def test_a_copy_takes_no_pending_events_along() -> None:
    document = Document.create("demo", "main.md", actor="Ada", at=NOON)
    assert collect(copy.copy(document)) == []
    assert len(collect(document)) == 1


def test_a_snapshot_keeps_everything_but_the_window() -> None:
    document = a_document("aé😀", "c")
    submit(document, edit("ben", 1, 1, [1, {"d": 1}]))
    snapshot = Snapshot.take(document)
    restored = snapshot.mutate(None)
    assert restored.as_state() == document.as_state()
    assert (restored.id, restored.version) == (document.id, document.version)
    assert restored.modified_on == document.modified_on
    assert restored.window == []
    assert submit(restored, edit("ben", 2, 3, ["!"])) == submit(document, edit("ben", 2, 3, ["!"]))


def test_a_restored_document_still_knows_the_resend_of_a_client() -> None:
    document = a_document("ab")
    sent = edit("ben", 1, 1, ["X"])
    submit(document, sent)
    restored = Snapshot.take(document).mutate(None)
    assert submit(restored, sent) == []


def test_a_snapshot_does_not_change_with_its_document() -> None:
    document = a_document("ab")
    snapshot = Snapshot.take(document)
    submit(document, edit("ben", 1, 1, ["X"]))
    assert snapshot.mutate(None) == Snapshot.take(a_document("ab")).mutate(None)


# What holds for every past.


@st.composite
def histories(draw: st.DrawFn) -> tuple[Document, list[str], list[tuple[int, Op]]]:
    """A document that several clients edited, each on a revision that it had: with the text of
    every revision, and the edits as they were submitted.
    """
    document = a_document()
    texts = [""]
    submitted: list[tuple[int, Op]] = []
    seqs = dict.fromkeys("abc", 0)
    for _ in range(draw(st.integers(1, 8))):
        client = draw(st.sampled_from("abc"))
        base = draw(st.integers(0, document.revision))
        op = draw(changes(texts[base])).op
        seqs[client] += 1
        document.edit(edit(client, seqs[client], base, op), actor=client, at=NOON)
        submitted.append((base, op))
        texts.append(str(document.text))
    return document, texts, submitted


@given(histories())
def test_every_client_that_transforms_as_the_server_does_comes_to_the_same_text(
    history: tuple[Document, list[str], list[tuple[int, Op]]],
) -> None:
    document, texts, submitted = history
    committed = [edit.op for edit in document.window]
    for revision, (base, op) in enumerate(submitted):
        mine, text = op, apply(texts[base], op)
        for theirs in committed[base:revision]:
            text = apply(text, transform(theirs, mine, "right"))
            mine = transform(mine, theirs, "left")
        assert text == texts[revision + 1]
        assert committed[revision] == parse(committed[revision])
        assert apply(texts[revision], mine) == text


@given(histories())
def test_the_fold_of_the_events_is_the_document(
    history: tuple[Document, list[str], list[tuple[int, Op]]],
) -> None:
    document, _, _ = history
    created = collect(Document.create("demo", "main.md", actor="Ada", at=NOON))
    folded = fold([*created, *collect(document)])
    assert folded == document


@given(histories())
def test_what_is_stored_is_normal_and_can_be_taken_back(
    history: tuple[Document, list[str], list[tuple[int, Op]]],
) -> None:
    document, texts, _ = history
    text = str(document.text)
    for applied in reversed(document.window):
        assert parse(applied.op) is applied.op
        assert is_invertible(applied.op)
        text = apply(text, invert(applied.op))
        assert text == texts[applied.revision - 1]


@given(histories())
def test_undoing_the_last_edit_restores_the_text_and_its_size(
    history: tuple[Document, list[str], list[tuple[int, Op]]],
) -> None:
    document, texts, _ = history
    size = len(texts[-2].encode())
    submit(document, edit("undo", 1, document.revision, invert(document.window[-1].op)))
    assert (str(document.text), document.size_bytes) == (texts[-2], size)


@given(histories())
def test_the_counted_size_is_that_of_the_text(
    history: tuple[Document, list[str], list[tuple[int, Op]]],
) -> None:
    document, _, _ = history
    assert document.size_bytes == len(str(document.text).encode())
    assert len(document.text) == len(str(document.text))


@given(st.lists(st.text(max_size=5), min_size=1, max_size=8), st.data())
def test_the_text_of_every_revision_in_memory_is_known(texts: list[str], data: st.DataObject) -> None:
    document, known = a_document(), [""]
    for number, text in enumerate(texts, 1):
        kept = data.draw(st.integers(0, len(known[-1])))
        removed = data.draw(st.integers(0, len(known[-1]) - kept))
        op = normalise([kept, text, {"d": removed}])
        submit(document, edit("ada", number, number - 1, op))
        known.append(known[-1][:kept] + text + known[-1][kept + removed :])
    assert [document.text_at(revision) for revision in range(len(known))] == known
    with pytest.raises(RevisionAhead):
        document.text_at(len(known))
