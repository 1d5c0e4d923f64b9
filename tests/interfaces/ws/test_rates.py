"""How much one session may ask in a time."""

from __future__ import annotations

import pytest

from interfaces.ws.rates import ERRORS_MAX, ERRORS_SECONDS, ErrorCount, TokenBucket


def test_a_burst_is_let_through_and_then_no_more() -> None:
    bucket = TokenBucket(rate=10, burst=3, now=0)
    assert [bucket.take(0) for _ in range(3)] == [0, 0, 0]
    assert bucket.take(0) == pytest.approx(0.1)
    assert bucket.take(0.05) == pytest.approx(0.05)


def test_tokens_come_back_with_time_up_to_the_burst() -> None:
    bucket = TokenBucket(rate=10, burst=3, now=0)
    for _ in range(3):
        bucket.take(0)
    assert bucket.take(0.1) == 0
    assert bucket.take(0.1) > 0
    assert [bucket.take(1_000) > 0 for _ in range(4)] == [False, False, False, True]


def test_whoever_waits_as_long_as_told_is_let_through() -> None:
    bucket = TokenBucket(rate=3, burst=1, now=0)
    now = 0.0
    assert bucket.take(now) == 0
    for _ in range(100):
        now += bucket.take(now) + 1e-9
        assert bucket.take(now) == 0


def test_a_dear_request_takes_several_tokens_and_a_whole_burst_at_the_most() -> None:
    bucket = TokenBucket(rate=10, burst=5, now=0)
    assert bucket.take(0, 3) == 0
    assert bucket.take(0, 3) == pytest.approx(0.1)
    assert bucket.take(0, 2) == 0
    assert bucket.take(0, 1_000) == pytest.approx(0.5)
    assert bucket.take(0.5, 1_000) == 0


def test_errors_are_counted_in_a_window() -> None:
    errors = ErrorCount()
    assert not any(errors.is_exceeded(0) for _ in range(ERRORS_MAX - 1))
    assert errors.is_exceeded(ERRORS_SECONDS)


def test_errors_far_apart_are_forgiven() -> None:
    errors = ErrorCount()
    apart = ERRORS_SECONDS / (ERRORS_MAX - 1) + 0.01
    assert not any(errors.is_exceeded(number * apart) for number in range(10 * ERRORS_MAX))
