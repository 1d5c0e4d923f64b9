"""`python -m tests.benchmarks [SCENARIO …]`: the figures of docs/performance.md, one JSON line each."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from tests.benchmarks import chat, history, million, page, past, proof, replay, scenarios, search
from tests.benchmarks.harness import FLOOR, SERVER, Machine, machine, show

SCENARIOS: dict[str, Callable[[Machine], Awaitable[dict[str, Any]]]] = {
    "people": scenarios.people,
    "loop-10": lambda m: scenarios.closed_loop(m, 10),
    "loop-10-50KB": lambda m: scenarios.closed_loop(m, 10, 50_000),
    "loop-10-1MB": lambda m: scenarios.closed_loop(m, 10, 950_000),
    "loop-100": lambda m: scenarios.closed_loop(m, 100),
    "rooms": scenarios.rooms,
    "idle": scenarios.idle,
    "open-50000": scenarios.open_after,
    "cursors": scenarios.cursors,
    "chat": chat.chat,
    "restart": scenarios.restart,
    "history": history.history,
    "million": million.million,
    "page": page.page,
    "past": past.past,
    "proof": proof.proof,
    "search": search.search,
    "replay": replay.replay,
    "wal": scenarios.write_ahead_log,
}


ON_FLOOR = ("people", "loop-10", "loop-100", "rooms")
"""Scenarios that are also run on the floor, just before, to compare in one run."""


async def _run(scenario: Callable[[Machine], Awaitable[dict[str, Any]]], running: Machine) -> dict[str, Any]:
    return await scenario(running)


def main() -> int:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for name in sys.argv[1:] or SCENARIOS:
        for module in (FLOOR, SERVER) if name in ON_FLOOR else (SERVER,):
            with machine(module) as running:
                label = f"{name} (floor)" if module == FLOOR else name
                show(label, asyncio.run(_run(SCENARIOS[name], running)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
