"""`python -m tests.simulation`: run seeds, or one of them with all that happens in it."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections import Counter
from collections.abc import Sequence

from rich.progress import Progress

from tests.simulation.world import Result, simulate


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this seed")
    parser.add_argument("--seeds", type=int, default=300, help="run so many seeds, from a random one on")
    parser.add_argument("--first", type=int, help="with --seeds: the first of them")
    parser.add_argument("-v", "--verbose", action="store_true", help="with --seed: tell all that happens")
    chosen = parser.parse_args(arguments)
    if chosen.seed is not None:
        return run_one(chosen.seed, verbose=chosen.verbose)
    first = secrets.randbelow(10**9) if chosen.first is None else chosen.first
    return run_many(first, chosen.seeds)


def run_one(seed: int, *, verbose: bool) -> int:
    result = simulate(seed, verbose=verbose)
    for line in result.trace.lines:
        print(line)
    print(report(result))
    return 1 if result.violations else 0


def report(result: Result) -> str:
    """What was found, and how to see it again."""
    if not result.violations:
        counts = ", ".join(f"{count} {name}" for name, count in result.counts.items())
        return f"seed {result.seed}: all well in {result.virtual_seconds:.0f} virtual seconds ({counts})"
    lines = [f"seed {result.seed}: {len(result.violations)} violations"]
    lines += [f"  {violation[:400]}" for violation in result.violations[:10]]
    lines.append(f"  replay: python -m tests.simulation --seed {result.seed} -v")
    return "\n".join(lines)


def run_many(first: int, count: int) -> int:
    print(f"seeds {first} to {first + count - 1}")
    begun = time.monotonic()
    totals: Counter[str] = Counter()
    failed = []
    virtual_seconds = 0.0
    with Progress() as progress:
        for seed in progress.track(range(first, first + count), description="seeds"):
            result = simulate(seed)
            totals.update(result.counts)
            virtual_seconds += result.virtual_seconds
            if result.violations:
                failed.append(seed)
                progress.console.print(report(result), markup=False, highlight=False)
    seconds = time.monotonic() - begun
    counts = ", ".join(f"{value:,} {name}" for name, value in totals.items())
    print(f"{count} seeds in {seconds:.0f} s ({60 * count / seconds:.0f} a minute), {len(failed)} failed")
    print(f"{virtual_seconds / 3600:.1f} virtual hours, {virtual_seconds / seconds:.0f} times real time")
    print(counts)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
