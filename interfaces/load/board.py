"""Which lines of a trace are in the server's log, by the word of their authors' clients."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

from interfaces.load.traces import Line


class Board:
    """Shared by all who play one trace; they are told when it changes."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.complete = 0
        """The lines 0 … complete-1 have all arrived."""
        self._revisions: list[int | None] = [None] * len(lines)
        self._numbers: dict[int, list[int]] = {}
        for line in lines:
            self._numbers.setdefault(line.agent, []).append(line.number)
        self._lines: dict[int, int] = {}
        self._followers: list[Callable[[], None]] = []

    def follow(self, follower: Callable[[], None]) -> None:
        self._followers.append(follower)

    def arrive(self, line: int, revision: int) -> None:
        """`line` is whole in the text of `revision`."""
        assert self._revisions[line] is None, "a line arrives once"
        self._revisions[line] = revision
        while self.complete < len(self._revisions) and self._revisions[self.complete] is not None:
            self.complete += 1
        for follower in self._followers:
            follower()

    def have_arrived(self, lines: Iterable[int]) -> bool:
        return all(self._revisions[line] is not None for line in lines)

    def reach(self, version: int, reader: int) -> int:
        """The first revision whose text has all lines before `version` in it that are not of agent
        `reader`; they must have arrived.
        """
        reached = 0
        for agent, numbers in self._numbers.items():
            before = bisect_left(numbers, version)
            if agent != reader and before:
                # An agent's lines arrive in their order, so its last one tells.
                revision = self._revisions[numbers[before - 1]]
                assert revision is not None
                reached = max(reached, revision)
        return reached

    def name_line(self, revision: int, line: int) -> None:
        """`revision` was made by `line`, or by a part of it."""
        self._lines[revision] = line

    def line_of(self, revision: int) -> int | None:
        """The line that made `revision`, None while its author's client has not heard of it."""
        return self._lines.get(revision)
