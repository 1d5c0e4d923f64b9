"""When to come back."""

from __future__ import annotations

import random

from interfaces.pyclient.reconnect import Backoff


def test_delays_are_drawn_from_a_range_that_doubles_up_to_a_bound() -> None:
    backoff = Backoff(first=1.0, base=0.2, most=30.0)
    longest = [round(backoff.delay(attempt, lambda: 1.0), 3) for attempt in range(10)]
    assert longest == [1.0, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]
    assert backoff.delay(5, lambda: 0.0) == 0.0
    assert backoff.delay(10_000, lambda: 1.0) == 30.0


def test_the_same_seed_gives_the_same_delays() -> None:
    one, other = random.Random(7), random.Random(7)
    for attempt in range(5):
        assert Backoff().delay(attempt, one.random) == Backoff().delay(attempt, other.random)
