"""Spans made of turns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from projections.spans import Chain, Span, Turn, chain
from tests.domain.events import NOON, later

TURNS = st.lists(
    st.tuples(st.integers(0, 20), st.sampled_from(["a", "b", None])), min_size=1, max_size=12
).map(lambda steps: [Turn(n, later(seconds), value) for n, (seconds, value) in enumerate(steps, 1)])


def test_a_turn_ends_what_was_and_begins_what_is() -> None:
    turns = [Turn(1, NOON, "a"), Turn(2, later(1), "b"), Turn(5, later(2), None), Turn(6, later(4), "a")]
    assert chain(turns) == Chain(
        1,
        NOON,
        (Span(1, NOON, later(1), "a"), Span(2, later(1), later(2), "b"), Span(6, later(4), None, "a")),
    )


def test_an_end_alone_begins_nothing() -> None:
    assert chain([Turn(7, NOON, None)]) == Chain(7, NOON, ())


def test_a_turn_that_is_dated_back_counts_as_of_the_moment_before_it() -> None:
    turns = [Turn(1, later(5), "a"), Turn(2, later(3), "b"), Turn(3, later(9), None)]
    assert chain(turns).spans == (Span(1, later(5), later(5), "a"), Span(2, later(5), later(9), "b"))


@given(TURNS)
def test_at_any_moment_one_thing_holds_at_most_the_one_of_the_last_turn(turns: list[Turn[str]]) -> None:
    spans = chain(turns).spans
    reached = NOON
    for number, turn in enumerate(turns):
        reached = max(reached, turn.at)
        following = [max(reached, t.at) for t in turns[number + 1 :]]
        if following and following[0] == reached:
            continue  # it has held for no time
        holding = [s.value for s in spans if s.since <= reached and (s.until is None or s.until > reached)]
        assert holding == ([] if turn.value is None else [turn.value])
    assert sum(span.until is None for span in spans) == (turns[-1].value is not None)
