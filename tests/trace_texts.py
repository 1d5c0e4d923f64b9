"""Texts of recorded editing: what a document was after so many lines of a trace."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from domain.text import Text
from domain.text_op import Op, transform
from interfaces.load.traces import Line, read

TRACES: Final = Path(__file__).parent / "traces"
NAMES: Final = ("books-ja", "clownschool", "sveltecomponent")


def texts(name: str, revisions: Collection[int] | None = None) -> dict[int, str]:
    """The text after each of these numbers of lines, and after all of them (under their number)."""
    trace = read(TRACES / f"{name}.jsonl.gz")
    text, found = Text(), {}
    for revision, op in enumerate(committed(trace.lines), 1):
        text.apply(op)
        if revisions is not None and revision in revisions:
            found[revision] = str(text)
    found[len(trace.lines)] = str(text)
    if trace.sha256 is not None:
        assert sha256(found[len(trace.lines)].encode()).hexdigest() == trace.sha256
    return found


def committed(lines: Sequence[Line]) -> Iterator[Op]:
    """The ops as a server commits them that gets the lines in this order."""
    unseen: dict[int, deque[tuple[int, Op]]] = defaultdict(deque)
    agents = {line.agent for line in lines}
    for line in lines:
        op, behind = line.op, unseen[line.agent]
        while behind and behind[0][0] < line.base:
            behind.popleft()
        for _ in range(len(behind)):
            number, other = behind.popleft()
            behind.append((number, transform(other, op, "right")))
            op = transform(op, other, "left")
        for agent in agents - {line.agent}:
            unseen[agent].append((line.number, op))
        yield op
