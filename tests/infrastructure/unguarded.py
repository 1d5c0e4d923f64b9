"""Appends of what needs no right, as most tests of the log make them."""

from __future__ import annotations

from collections.abc import Sequence

from domain.aggregate import Event
from infrastructure.group_commit import Appended, AppendStore


async def append(log: AppendStore, events: Sequence[Event]) -> Appended:
    return await log.append(events, [None] * len(events))
