"""Moments as integers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from domain.instants import as_datetime, as_microseconds


def test_the_epoch_is_zero() -> None:
    assert as_microseconds(datetime(1970, 1, 1, tzinfo=UTC)) == 0
    assert as_microseconds(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1


def test_the_zone_does_not_matter() -> None:
    berlin = datetime(2026, 11, 23, 13, 0, tzinfo=timezone(timedelta(hours=1)))
    assert as_datetime(as_microseconds(berlin)) == berlin
    assert as_datetime(as_microseconds(berlin)).tzinfo is UTC


@given(st.datetimes(timezones=st.just(UTC)))
def test_no_microsecond_is_lost(moment: datetime) -> None:
    assert as_datetime(as_microseconds(moment)) == moment
