"""What may go wrong in one run, drawn from its seed: how often, how badly, and how small the limits are.

Limits that nobody reaches in a minute (a thousand edits behind, two thousand clients) are made small in
some runs, so that what lies behind them is walked through as often as the rest.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from types import ModuleType
from typing import Any, Final

import application.documents
import application.past.one_clock
import domain.document
import infrastructure.feed
import infrastructure.group_commit
import interfaces.pyclient.document_link
import interfaces.pyclient.pieces
import interfaces.ws.chat_tail
import interfaces.ws.hub
import interfaces.ws.outbox

# Limits that can be made small: where they stand, in every module that has its own name for them, and between
# what they are drawn. In one of two places only, a limit would be two, which contradict each other.
LIMITS: Final[tuple[tuple[tuple[ModuleType, ...], str, int, int], ...]] = (
    ((domain.document,), "WINDOW_REVISIONS", 2, 20),
    ((domain.document, application.documents, application.past.one_clock), "HISTORY_REVISIONS", 30, 60),
    ((domain.document,), "CLIENTS_REMEMBERED", 3, 6),
    ((application.documents,), "CATCH_UP_REVISIONS", 5, 40),
    ((infrastructure.group_commit,), "BATCH_EVENTS_MAX", 1, 4),
    ((infrastructure.group_commit,), "QUEUE_EVENTS_MAX", 3, 10),
    ((interfaces.ws.hub,), "RESUME_EVENTS_MAX", 2, 20),
    ((interfaces.ws.chat_tail, interfaces.ws.hub), "MESSAGES_SHOWN", 2, 10),
    ((interfaces.ws.outbox,), "DIRECT_BYTES", 300, 2_000),
    ((interfaces.ws.outbox,), "QUEUE_BYTES_MAX", 1_000, 8_000),
    ((interfaces.pyclient.document_link,), "CATCH_UP_PAGE", 3, 20),
    # Not smaller: who may not write any more is sent away when piece after piece has been refused.
    ((interfaces.pyclient.pieces,), "PIECE_BYTES", 150, 400),
)

# Each limit is small in one run of so many.
_SMALL_ONE_IN: Final = 4


@dataclass(frozen=True, slots=True)
class Faults:
    """How one run goes wrong. Rates are per virtual second over the whole run, chances per occasion."""

    active_seconds: float
    pause_seconds: float
    """Between two deeds of one client, on average."""
    events_per_second: float
    """How often something breaks: a node, a link, the store."""
    latency_seconds: float
    """Of the network between clients and nodes, one way."""
    store_latency_seconds: float
    read_failure: float
    append_failure: float
    """The chance that an append ends without an outcome, before or after it came true."""
    append_stall: float
    """The chance that an append holds the lock of the log for long."""
    hint_loss: float
    hint_delay_seconds: float
    repeat: float
    """The chance that a frame that may be resent is resent."""
    with_cursors: bool
    clock_skew_seconds: float
    evict_seconds: float
    """How soon an unused aggregate leaves a node's memory."""
    with_roles: bool
    """Whether users get other roles."""


def draw_faults(random: Random) -> Faults:
    """From calm to hostile; every kind of fault is left out of some runs, so that others show."""

    def sometimes(chance: float, low: float, high: float) -> float:
        return random.uniform(low, high) if random.random() < chance else 0.0

    return Faults(
        active_seconds=random.uniform(10, 40),
        pause_seconds=random.choice([0.3, 0.6, 1.5]),
        events_per_second=sometimes(0.85, 0.05, 0.5),
        latency_seconds=random.choice([0.001, 0.02, 0.1, 0.4]),
        store_latency_seconds=random.choice([0.0005, 0.005, 0.05]),
        read_failure=sometimes(0.5, 0.0, 0.2),
        append_failure=sometimes(0.6, 0.0, 0.3),
        append_stall=sometimes(0.5, 0.0, 0.1),
        hint_loss=sometimes(0.6, 0.1, 1.0),
        hint_delay_seconds=random.choice([0.01, 0.01, 0.5]),
        repeat=sometimes(0.5, 0.0, 0.3),
        with_cursors=random.random() < 0.3,
        clock_skew_seconds=sometimes(0.3, 0.0, 300.0),
        evict_seconds=random.choice([0.1, 1.0, 5.0, 300.0]),
        with_roles=random.random() < 0.6,
    )


@contextlib.contextmanager
def small_limits(random: Random) -> Iterator[list[str]]:
    """Some limits drawn small until the end of the block. Gives what was changed, to be told."""
    before: list[tuple[Any, str, int]] = []
    told: list[str] = []
    try:
        for modules, name, low, high in LIMITS:
            value = random.randint(low, high)
            if random.randrange(_SMALL_ONE_IN) == 0:
                for module in modules:
                    before.append((module, name, getattr(module, name)))
                    setattr(module, name, value)
                told.append(f"{name}={value}")
        yield told
    finally:
        for module, name, value in before:
            setattr(module, name, value)
