"""Moments as integers: microseconds since the epoch, exactly (floats would not be)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def as_microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def as_datetime(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
