"""Spans: from when to when something held, made of the turns at which it changed.

A chain is the history of one thing, such as one user's role in one room. Each of its turns ends what held
until then and begins what holds from there on, or nothing. A page of the log brings some turns of a chain;
those before it are in the table, so what is folded here is what the table lacks: when the span that is
open there ends, and the spans that follow.

A chain never goes back in time. Clocks of nodes differ, and a command is dated when it was given, not when
it was decided; a turn that is dated before the one that it follows counts as of the same moment. What
held in between held for no time: its span is kept, and empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Turn(Generic[Value]):
    """From `at` on `value` holds, or nothing (None); `version` is the place in the chain's stream."""

    version: int
    at: datetime
    value: Value | None


@dataclass(frozen=True, slots=True)
class Span(Generic[Value]):
    """`value` held from `since` until just before `until` (None: it still does)."""

    version: int
    since: datetime
    until: datetime | None
    value: Value


@dataclass(frozen=True, slots=True)
class Chain(Generic[Value]):
    """What the turns of a page add: what was open before `version` ends `at`, then come `spans`."""

    version: int
    at: datetime
    spans: tuple[Span[Value], ...]


def chain(turns: Sequence[Turn[Value]]) -> Chain[Value]:
    """Some turns of one chain, at least one, in their order, as spans."""
    return Chain(turns[0].version, turns[0].at, tuple(_spans(turns)))


def _spans(turns: Sequence[Turn[Value]]) -> Iterator[Span[Value]]:
    moment = turns[0].at
    for turn, following in zip(turns, (*turns[1:], None), strict=True):
        moment = max(moment, turn.at)
        until = None if following is None else max(moment, following.at)
        if turn.value is not None:
            yield Span(turn.version, moment, until, turn.value)
