"""How far everybody has read: pointers that only move forward, whoever tells them in whatever order."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from domain.receipts import Pointers, PointersByUser, Receipt, Receipts, ReceiptsRecorded
from tests.domain.events import NOON, collect

positions = st.integers(0, 9)
pointers = st.builds(lambda delivered, read: Pointers().joined(delivered, read), positions, positions)
receipts = st.lists(st.tuples(st.sampled_from(["ada", "ben"]), positions, positions, st.just(0)).map(list))


def fold(told: list[Receipt]) -> PointersByUser:
    folded = PointersByUser()
    folded.take(told)
    return folded


@given(pointers, pointers, pointers)
def test_pointers_are_joined_in_any_order_and_as_often_as_one_likes(
    a: Pointers, b: Pointers, c: Pointers
) -> None:
    assert a.joined(*b) == b.joined(*a)
    assert a.joined(*b).joined(*c) == a.joined(*b.joined(*c))
    assert a.joined(*a) == a


@given(pointers, positions, positions)
def test_a_pointer_never_goes_back(known: Pointers, delivered: int, read: int) -> None:
    now = known.joined(delivered, read)
    assert now.delivered >= max(known.delivered, delivered)
    assert now.read == max(known.read, read)


@given(pointers)
def test_what_was_read_was_delivered(known: Pointers) -> None:
    assert known.delivered >= known.read


@given(receipts, st.randoms(use_true_random=False))
def test_what_holds_does_not_depend_on_the_order_in_which_it_was_told(
    told: list[Receipt], chance: random.Random
) -> None:
    shuffled = list(told)
    chance.shuffle(shuffled)
    assert fold(told) == fold(shuffled) == fold([*told, *shuffled])


def test_it_is_known_whose_pointers_have_moved() -> None:
    known = PointersByUser()
    assert known.take([["ada", 3, 2, 0], ["ben", 0, 0, 0]]) == ["ada"]
    assert known.take([["ada", 3, 1, 0], ["ben", 1, 0, 0]]) == ["ben"]
    assert known == {"ada": Pointers(3, 2), "ben": Pointers(1, 0)}


def test_receipts_of_a_node_are_recorded_as_they_were_told() -> None:
    kept = Receipts.begin("demo", "node-1.1", node="node-1", at=NOON)
    kept.record([["ada", 3, 2, 5]], at=NOON)
    _, recorded = collect(kept)
    assert isinstance(recorded, ReceiptsRecorded)
    assert recorded.originator_id == "receipts:demo/node-1.1"
    assert (recorded.receipts, recorded.actor) == ([["ada", 3, 2, 5]], "node-1")
