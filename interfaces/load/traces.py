"""Recorded editing histories (`ot-trace/1`, see tests/traces/README.md), read and checked.

A trace is an order in which a central server can have received its lines. A line made at version v was
made by somebody who had before him exactly the lines 0 … v-1, and his own earlier ones on top.
"""

from __future__ import annotations

import gzip
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson

from domain.errors import ChronoscribeError
from domain.text_op import Op, apply, parse

FORMAT: Final = "ot-trace/1"

# The header says how long the trace is; no line of one is near this.
LINE_BYTES: Final = 8 * 1024 * 1024


class TraceInvalid(Exception):  # noqa: N818
    """The file is no trace, or one that we cannot play; the text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One edit. `at` are the seconds since the trace began, never less than the line's before it."""

    number: int
    at: float
    agent: int
    base: int
    op: Op


@dataclass(frozen=True)
class Trace:
    """`sha256` is that of the last text, where the trace promises it."""

    name: str
    lines: Sequence[Line]
    sha256: str | None

    @property
    def agents(self) -> list[int]:
        """Those who wrote, in order of their first lines."""
        return list(dict.fromkeys(line.agent for line in self.lines))


def read(path: Path, lines: int | None = None) -> Trace:
    """The trace in a file, or its first `lines`. Raises `TraceInvalid`."""
    try:
        with gzip.open(path) as file:
            rows = (orjson.loads(row) for row in iter(lambda: file.readline(LINE_BYTES), b""))
            return _trace(next(rows), list(_lines(islice(rows, lines))), is_cut=lines is not None)
    except (OSError, EOFError, zlib.error) as error:
        raise TraceInvalid(f"{path}: {error}") from None
    except StopIteration:
        raise TraceInvalid(f"{path} is empty") from None
    except (ValueError, TypeError, KeyError, AttributeError, ChronoscribeError) as error:
        raise TraceInvalid(f"{path} is no {FORMAT}: {error}") from None


def _trace(header: Mapping[str, Any], lines: list[Line], *, is_cut: bool) -> Trace:
    if header["format"] != FORMAT:
        raise ValueError(f"its format is {header['format']!r}")
    if header["start"]:
        raise ValueError("it starts from a text, and our documents start empty")
    name = str(header["name"])
    if len(lines) == header["txns"]:
        # The last text of a sensitive one holds for the recorded order of arrival, and ours is another.
        return Trace(name, lines, None if header.get("tie_sensitive") else header["final"]["sha256"])
    if not is_cut:
        raise ValueError(f"it has {len(lines)} lines instead of {header['txns']}")
    return Trace(name, lines, _sha256_of(lines) if is_sequential(lines) else None)


def _lines(rows: Iterator[Mapping[str, Any]]) -> Iterator[Line]:
    first: float | None = None
    latest = 0.0
    for number, row in enumerate(rows):
        if row["t"] is not None:
            at = datetime.fromisoformat(row["t"]).timestamp()
            first = at if first is None else first
            latest = max(latest, at - first)
        agent, base = row["agent"], row["v"]
        if not (isinstance(agent, int) and isinstance(base, int) and agent >= 0 and 0 <= base <= number):
            raise ValueError(f"line {number} has agent {agent!r} and v {base!r}")
        yield Line(number, latest, agent, base, parse(row["op"]))


def is_sequential(lines: Sequence[Line]) -> bool:
    """Whether each was written with all before it in sight."""
    return all(line.base == line.number for line in lines)


def _sha256_of(lines: Sequence[Line]) -> str:
    from hashlib import sha256

    text = ""
    for line in lines:
        text = apply(text, line.op)
    return sha256(text.encode()).hexdigest()


def barriers(lines: Sequence[Line]) -> list[tuple[int, ...]]:
    """For each line the lines of other agents that the server must have before it, though its own author
    need not have seen them.

    Somebody who wrote at version v had all foreign lines before v in sight and none from v on. With
    three agents this says something about the other two: what one of them wrote before v must not
    come to the server behind what the other wrote from v on, or nobody can see it so.
    """
    agents = sorted({line.agent for line in lines})
    if len(agents) < 3 or is_sequential(lines):
        return [()] * len(lines)
    numbers = {agent: [line.number for line in lines if line.agent == agent] for agent in agents}
    bases = {agent: sorted(line.base for line in lines if line.agent == agent) for agent in agents}
    return [_barrier(line, numbers, bases) for line in lines]


def _barrier(
    line: Line, numbers: Mapping[int, Sequence[int]], bases: Mapping[int, Sequence[int]]
) -> tuple[int, ...]:
    found: dict[int, int] = {}
    for reader, versions in bases.items():
        cut = bisect_left(versions, line.number + 1)
        if reader == line.agent or cut == 0:
            continue
        for third in numbers:
            if third not in (reader, line.agent):
                before = bisect_left(numbers[third], versions[cut - 1])
                if before:
                    found[third] = max(found.get(third, -1), numbers[third][before - 1])
    return tuple(found.values())
