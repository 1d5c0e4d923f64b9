"""Who sits at the clients of a load run: the author of a part of a trace, or somebody who just types."""

from __future__ import annotations

import asyncio
import random
import string
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from domain.text_op import Op, replace
from interfaces.load.author import Author
from interfaces.load.board import Board
from interfaces.load.client import LoadClient
from interfaces.load.failures import LoadFailed
from interfaces.load.traces import Line
from interfaces.pyclient.notices import Acked, Edited


class Player(Protocol):
    """`written` are the edits made so far; `is_pausing` while it waits for nothing but time."""

    client: LoadClient
    written: int
    is_pausing: bool

    async def play(self, began: float) -> None:
        """Make all edits. `began` is when the run did, by `time.monotonic`."""
        ...


async def until(client: LoadClient, is_true: Callable[[], bool]) -> None:
    """Wait for a state of the client. Raises its `LoadFailed`."""
    while True:
        if client.failure is not None:
            raise client.failure
        if is_true():
            return
        client.stirred.clear()
        await client.stirred.wait()


async def pause(player: Player, until: float) -> None:
    """Wait until a moment of `time.monotonic`."""
    player.is_pausing = True
    await asyncio.sleep(max(0.0, until - time.monotonic()))
    player.is_pausing = False


class TracePlayer:
    """One agent of a trace: makes its lines on exactly the texts that the trace says."""

    def __init__(
        self,
        client: LoadClient,
        lines: Sequence[Line],
        barriers: Sequence[tuple[int, ...]],
        board: Board,
        speed: float | None,
    ) -> None:
        """`speed` 1 is that of the recording; None: as fast as it goes."""
        self.client = client
        self.written = 0
        self.is_pausing = False
        self._lines = lines
        self._barriers = barriers
        self._board = board
        self._speed = speed
        self._author = Author()
        self._durable = 0
        self._revision = 0  # of our last acknowledged edit
        client.on_edit = self._on_edit
        board.follow(client.stirred.set)

    async def play(self, began: float) -> None:
        for line in self._lines:
            if self._speed is not None:
                await pause(self, began + line.at / self._speed)
            await until(self.client, lambda: self._can_write(line))  # noqa: B023 -- awaited at once
            self._look(line)
            op = self._author.write(line.op)
            self.written += 1
            self.client.edit(op)
        await until(self.client, self._is_durable)

    def _can_write(self, line: Line) -> bool:
        board = self._board
        return (
            board.complete >= line.base
            and self.client.replica.revision >= board.reach(line.base, line.agent)
            and board.have_arrived(self._barriers[line.number])
        )

    def _look(self, line: Line) -> None:
        """See what the author of `line` saw: of the others all before its version, and nothing else."""
        for revision in self._author.look(self._board.reach(line.base, line.agent)):
            seen = self._board.line_of(revision)
            if seen is None or seen >= line.base:
                raise LoadFailed(
                    f"line {line.number} must not see line {seen}, which the server put too early"
                )

    def _is_durable(self) -> bool:
        return self._durable == len(self._lines)

    def _on_edit(self, edit: Acked | Edited) -> None:
        if isinstance(edit, Acked):
            # A line too long for one frame comes in parts: then no new line is whole yet.
            whole = max(edit.through, self._durable + 1)
            self._board.name_line(edit.revision, self._lines[whole - 1].number)
            self._revision = edit.revision
            self._note_arrivals(edit.through)
        else:
            self._author.on_foreign(edit.revision, edit.op)
        if self._durable < self.written:
            # Later: while notices are told, the replica is already where the last of them leads to.
            asyncio.get_running_loop().call_soon(self._note_emptied)

    def _note_emptied(self) -> None:
        """A line that others have emptied before it was sent never is: it needs no place in the log."""
        if self._durable < self.written and self.client.replica.is_saved:
            self._note_arrivals(self.written)

    def _note_arrivals(self, through: int) -> None:
        while self._durable < through:
            self._durable += 1
            self._board.arrive(self._lines[self._durable - 1].number, self._revision)


class Typist:
    """Types and deletes at random, as soon as the last edit is acknowledged or at a rate."""

    # What is held on average: enough to delete from, and the same after a minute as after an hour.
    TEXT_CODE_POINTS: Final = 2_000

    def __init__(self, client: LoadClient, edits: int, rate: float | None, seed: str) -> None:
        """`rate` is edits per second; None: as fast as they are acknowledged."""
        self.client = client
        self.written = 0
        self.is_pausing = False
        self._edits = edits
        self._rate = rate
        self._random = random.Random(seed)

    async def play(self, began: float) -> None:
        phase = self._random.random()
        while self.written < self._edits:
            if self._rate is not None:
                await pause(self, began + (self.written + phase) / self._rate)
            else:
                await until(self.client, self._is_saved)
            self.client.edit(self._next_op())
            self.written += 1
        await until(self.client, self._is_saved)

    def _is_saved(self) -> bool:
        return self.client.replica.is_saved

    def _next_op(self) -> Op:
        length = len(self.client.replica)
        position = self._random.randint(0, length)
        if position < length and self._random.random() < length / (2 * self.TEXT_CODE_POINTS):
            return replace(position, min(length - position, self._random.randint(1, 3)), "")
        return replace(position, 0, self._random.choice(string.ascii_lowercase + " \n"))
