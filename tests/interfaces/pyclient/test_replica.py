"""One document's copy: what it does with its own edits and with the server's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import OpInvalid
from domain.text_op import Op, apply, between, make_invertible, transform
from interfaces.pyclient.replica import (
    RECENT_EDITS,
    Acked,
    Cursor,
    EditState,
    Foreign,
    Replica,
    Sent,
    Skipped,
)

Frame = dict[str, Any]


def edit_event(revision: int, client: str, seq: int, op: Op) -> Frame:
    return {"event": "edit", "revision": revision, "client": client, "seq": seq, "op": op}


def ada_at(text: str, revision: int = 4) -> Replica:
    return Replica("ada", text, revision, 0)


def sent_of(replica: Replica) -> Sent:
    sent = replica.next_edit()
    assert sent is not None
    return sent


# The race of the protocol's description, from both sides.


def test_the_one_who_came_first_sees_the_other_go_before_her() -> None:
    ada = ada_at("ab")
    ada.edit([1, "X"])
    assert sent_of(ada) == Sent(1, 4, [1, "X"])
    assert ada.take(edit_event(5, "ada", 1, [1, "X"])) == Acked(1, 5, 1)
    assert ada.take(edit_event(6, "ben", 1, [1, "Y"])) == Foreign([1, "Y"])
    assert ada.text == "aYXb"
    assert ada.is_saved


def test_the_one_who_came_second_stays_before_her_and_his_ack_changes_nothing() -> None:
    ben = Replica("ben", "ab", 4, 0)
    ben.edit([1, "Y"])
    assert sent_of(ben) == Sent(1, 4, [1, "Y"])
    assert ben.take(edit_event(5, "ada", 1, [1, "X"])) == Foreign([2, "X"])
    assert ben.text == "aYXb"
    assert ben.take(edit_event(6, "ben", 1, [1, "Y"])) == Acked(1, 6, 1)
    assert ben.text == "aYXb"
    assert ben.revision == 6


# Typing and sending.


def test_what_is_typed_while_an_edit_is_outstanding_is_composed_into_the_next() -> None:
    ada = ada_at("")
    ada.edit(["a"])
    assert sent_of(ada) == Sent(1, 4, ["a"])
    ada.edit([1, "b"])
    ada.edit([2, "😀"])
    assert ada.unsaved == [["a"], [1, "b😀"]]
    assert sent_of(ada) == Sent(1, 4, ["a"])  # a resend is the same
    ada.take(edit_event(5, "ada", 1, ["a"]))
    assert sent_of(ada) == Sent(2, 5, [1, "b😀"])
    assert ada.take(edit_event(6, "ada", 2, [1, "b😀"])) == Acked(2, 6, 3)


def test_what_is_typed_before_anything_is_sent_goes_as_one_edit() -> None:
    ada = ada_at("")
    ada.edit(["a"])
    ada.edit([1, "b"])
    assert sent_of(ada).op == ["ab"]


def test_without_composing_every_edit_is_sent_by_itself() -> None:
    ada = Replica("ada", "", 0, 0, compose=False)
    ada.edit(["a"])
    ada.edit([1, "b"])
    ada.edit([2, "c"])
    assert ada.take(edit_event(1, "ben", 1, ["😀"])) == Foreign([3, "😀"])
    for number, letter in enumerate("abc"):
        sent = sent_of(ada)
        skip: Op = [number] if number else []
        assert sent == Sent(number + 1, number + 1, [*skip, letter])
        ada.take(edit_event(number + 2, "ada", sent.seq, sent.op))
    assert ada.is_saved
    assert ada.text == "abc😀"


def test_the_state_of_every_local_edit_can_be_told() -> None:
    ada = ada_at("")
    first, second = ada.edit(["a"]), ada.edit([1, "b"])
    assert ada.state_of(first) is EditState.LOCAL
    ada.next_edit()
    third = ada.edit([2, "c"])
    states = [ada.state_of(edit) for edit in (first, second, third)]
    assert states == [EditState.SENT, EditState.SENT, EditState.LOCAL]
    ada.take(edit_event(5, "ada", 1, ["ab"]))
    states = [ada.state_of(edit) for edit in (first, second, third)]
    assert states == [EditState.DURABLE, EditState.DURABLE, EditState.LOCAL]
    with pytest.raises(AssertionError, match="no such edit"):
        ada.state_of(4)


def test_an_op_that_does_not_fit_changes_nothing() -> None:
    ada = ada_at("abc")
    with pytest.raises(OpInvalid):
        ada.edit([9, "x"])
    assert (ada.text, ada.local, ada.is_saved) == ("abc", 0, True)


def test_a_letter_typed_and_deleted_before_it_is_sent_is_never_sent() -> None:
    ada = ada_at("")
    ada.edit(["a"])
    ada.edit([{"d": 1}])
    assert ada.is_saved
    assert ada.next_edit() is None
    assert ada.state_of(2) is EditState.DURABLE


def test_what_somebody_else_deleted_too_need_not_be_sent() -> None:
    ada = ada_at("ab")
    ada.edit([{"d": 1}])
    ada.take(edit_event(5, "ben", 1, [{"d": "a"}]))
    assert ada.is_saved
    ada.edit([{"d": 1}])
    ada.next_edit()
    ada.take(edit_event(6, "ben", 2, [{"d": "b"}]))
    assert ada.unsaved == [[]]  # it was sent, and will be stored as an edit that does nothing
    assert ada.take(edit_event(7, "ada", 1, [])) == Acked(1, 7, 2)
    assert ada.is_saved


def test_without_composing_an_edit_that_does_nothing_any_more_is_sent_too() -> None:
    ada = Replica("ada", "ab", 4, 0, compose=False)
    ada.edit([{"d": 1}])
    ada.take(edit_event(5, "ben", 1, [{"d": "a"}]))
    assert sent_of(ada) == Sent(1, 5, [])
    assert ada.take(edit_event(6, "ada", 1, [])) == Acked(1, 6, 1)


def test_deletes_are_kept_with_their_text_and_sent_as_counts() -> None:
    ada = ada_at("a😀b")
    ada.edit([1, {"d": 1}])
    assert ada.unsaved == [[1, {"d": "😀"}]]
    assert sent_of(ada).op == [1, {"d": 1}]
    assert ada.take(edit_event(5, "ada", 1, [1, {"d": "😀"}])) == Acked(1, 5, 1)


def test_a_paste_larger_than_a_frame_goes_in_pieces_and_is_durable_with_the_last() -> None:
    ada = ada_at("")
    before, paste = ada.edit(["s"]), ada.edit([1, "x" * 100_000])
    first = sent_of(ada)
    assert ada.state_of(paste) is EditState.LOCAL
    ada.take(edit_event(5, "ada", 1, first.op))
    assert ada.state_of(before) is EditState.LOCAL  # composed with the paste, done with it
    while not ada.is_saved:
        sent = sent_of(ada)
        ada.take(edit_event(ada.revision + 1, "ada", sent.seq, sent.op))
    assert ada.seq > 2
    assert ada.state_of(paste) is EditState.DURABLE
    assert len(ada) == 100_001


# Hearing.


def test_edits_had_are_ignored_and_gaps_are_reported() -> None:
    ada = ada_at("ab")
    assert ada.take(edit_event(4, "ben", 1, ["old"])) is Skipped.HAD
    assert ada.take(edit_event(6, "ben", 2, ["new"])) is Skipped.GAP
    assert (ada.text, ada.revision) == ("ab", 4)


def test_another_edit_under_our_number_is_foreign_and_ours_takes_the_next_number() -> None:
    ada = ada_at("ab")
    ada.edit([1, "mine"])
    ada.next_edit()
    assert ada.take(edit_event(5, "ada", 1, ["theirs"])) == Foreign(["theirs"])
    assert ada.text == "theirsamineb"
    assert sent_of(ada) == Sent(2, 5, [7, "mine"])


def test_an_edit_of_a_life_before_under_an_older_number_changes_no_number() -> None:
    ada = Replica("ada", "", 0, 4)
    ada.edit(["x"])
    assert sent_of(ada).seq == 5
    ada.take(edit_event(1, "ada", 3, ["y"]))
    assert sent_of(ada) == Sent(5, 0, ["x"])
    assert ada.text == "xy"


def test_numbers_go_on_from_the_server_s_last() -> None:
    ada = Replica("ada", "", 0, 7)
    assert ada.number_stored(9)
    ada.edit(["x"])
    assert sent_of(ada).seq == 10
    assert ada.number_stored(10)  # stored, and its event is on the way
    assert sent_of(ada).seq == 10
    assert not ada.number_stored(8)


def test_an_outstanding_edit_can_start_anew_from_a_newer_revision_under_its_number() -> None:
    ada = ada_at("ab")
    ada.edit([2, "X"])
    ada.next_edit()
    assert not ada.rebase_outstanding()
    ada.take(edit_event(5, "ben", 1, ["😀"]))
    assert ada.rebase_outstanding()
    assert sent_of(ada) == Sent(1, 5, [3, "X"])


def test_a_snapshot_replaces_a_saved_text_and_never_an_unsaved_one() -> None:
    ada = ada_at("ab")
    ada.edit([2, "c"])
    with pytest.raises(AssertionError, match="loses them"):
        ada.restart("else", 9, 0)
    ada.next_edit()
    ada.take(edit_event(5, "ada", 1, [2, "c"]))
    ada.restart("else", 9, 1)
    assert (ada.text, ada.revision, ada.is_saved) == ("else", 9, True)


# Refusals.


def test_a_refused_edit_is_undone_and_what_was_typed_after_it_stays() -> None:
    ada = ada_at("base")
    ada.cursor = Cursor(0, 0)
    refused = ada.edit([4, " refused"])
    ada.next_edit()
    stays = ada.edit([{"d": "ba"}, "😀"])
    taken = ada.take_back()
    assert (taken.seq, taken.refused, list(taken.edits)) == (1, [4, " refused"], [refused])
    assert taken.undo == [3, {"d": " refused"}]
    assert ada.text == "😀se"
    assert ada.state_of(refused) is EditState.REFUSED
    assert ada.state_of(stays) is EditState.LOCAL
    assert sent_of(ada) == Sent(1, 4, [{"d": 2}, "😀"])


def test_a_refused_delete_brings_its_text_back() -> None:
    ada = ada_at("keep me")
    ada.edit([{"d": 5}])
    ada.next_edit()
    ada.take(edit_event(5, "ben", 1, [7, "!"]))
    ada.take_back()
    assert ada.text == "keep me!"
    assert ada.is_saved


# Cursors.


def test_the_own_cursor_follows_own_typing_and_others_edits() -> None:
    ada = ada_at("ab")
    ada.edit(["x"])
    assert ada.cursor is None  # not set, not moved
    ada.cursor = Cursor(3, 3)
    ada.edit([3, "cd"])
    assert ada.cursor == Cursor(5, 5)
    ada.cursor = Cursor(1, 4)
    ada.take(edit_event(5, "ben", 1, ["😀"]))
    assert ada.text == "x😀abcd"
    assert ada.cursor == Cursor(1, 5)  # an insert right at an end does not move it


def test_a_foreign_cursor_is_shown_behind_what_we_have_typed_and_not_sent() -> None:
    ada = ada_at("abcd")
    ada.set_foreign_cursor("ben", 4, Cursor(1, 3))
    ada.edit(["XX"])
    assert ada.cursors == {"ben": Cursor(3, 5)}
    ada.drop_foreign_cursor("ben")
    assert ada.cursors == {}


def test_a_foreign_cursor_goes_with_the_edits_its_owner_s_own_to_their_end() -> None:
    ada = ada_at("abcd")
    ada.set_foreign_cursor("ben", 4, Cursor(2, 2))
    ada.set_foreign_cursor("eve", 4, Cursor(2, 2))
    ada.take(edit_event(5, "ben", 1, [2, "xyz"]))
    assert ada.cursors == {"ben": Cursor(5, 5), "eve": Cursor(2, 2)}


def test_a_cursor_told_early_waits_for_its_text_and_one_told_late_catches_up() -> None:
    ada = ada_at("ab")
    ada.set_foreign_cursor("ben", 5, Cursor(3, 3))
    assert ada.cursors == {"ben": Cursor(2, 2)}  # not past the end
    ada.take(edit_event(5, "ada", 1, [2, "c"]))
    assert ada.cursors == {"ben": Cursor(3, 3)}
    ada.take(edit_event(6, "ben", 1, ["12"]))
    ada.set_foreign_cursor("eve", 4, Cursor(1, 2))
    ada.set_foreign_cursor("ben", 5, Cursor(0, 0))
    assert ada.cursors == {"ben": Cursor(2, 2), "eve": Cursor(3, 4)}


def test_a_very_late_cursor_is_moved_as_far_as_is_remembered() -> None:
    ada = Replica("ada", "", 0, 0)
    for revision in range(1, RECENT_EDITS + 10):
        ada.take(edit_event(revision, "ben", revision, ["x"]))
    ada.set_foreign_cursor("eve", 0, Cursor(1, 1))
    assert ada.cursors == {"eve": Cursor(1 + RECENT_EDITS, 1 + RECENT_EDITS)}


# Laws.

TEXTS = st.text("ab\n語😀", max_size=6)


class Log:
    """The server at its plainest."""

    def __init__(self) -> None:
        self.text = ""
        self.events: list[Frame] = []

    def commit(self, client: str, sent: Sent) -> None:
        if any((event["client"], event["seq"]) == (client, sent.seq) for event in self.events):
            return
        op = sent.op
        for event in self.events[sent.base :]:
            op = transform(op, event["op"], "left")
        op = make_invertible(op, self.text)
        self.text = apply(self.text, op)
        self.events.append(edit_event(len(self.events) + 1, client, sent.seq, op))


@given(
    st.booleans(),
    st.lists(
        st.tuples(st.sampled_from("ABC"), st.sampled_from(["type", "send", "hear"]), TEXTS),
        max_size=60,
    ),
)
def test_whatever_the_schedule_all_copies_become_the_server_s(
    compose: bool, steps: list[tuple[str, str, str]]
) -> None:
    log = Log()
    replicas = {name: Replica(name, "", 0, 0, compose=compose) for name in "ABC"}

    def send(name: str) -> None:
        if (sent := replicas[name].next_edit()) is not None:
            log.commit(name, sent)

    def hear(name: str) -> None:
        replica = replicas[name]
        if replica.revision < len(log.events):
            replica.take(log.events[replica.revision])

    for name, action, text in steps:
        replica = replicas[name]
        if action == "type":
            replica.edit(between(replica.text, text))
        else:
            (send if action == "send" else hear)(name)
    while any(not r.is_saved or r.revision < len(log.events) for r in replicas.values()):
        for name in replicas:
            send(name)
            hear(name)
    assert {replica.text for replica in replicas.values()} == {log.text}
    seqs = [(event["client"], event["seq"]) for event in log.events]
    assert len(seqs) == len(set(seqs))
