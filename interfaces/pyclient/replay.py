"""A replay that a program watches over its client's socket: a room's past, shown again step by step.

    replay = await client.replay(speed=8)
    await replay.play()
    async for shown in replay:
        print(shown["at"], shown.get("steps"))

What comes is as the protocol has it: with `steps`, what went on since what came before; with a `stage`, the
whole room in place of all that. It ends when the replay is closed. After the connection was lost it is opened
again, and goes on from where it was, with a stage.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Final

from domain.instants import as_microseconds
from interfaces.pyclient.errors import Refused
from interfaces.pyclient.requests import Frame
from interfaces.pyclient.session import ClientSession

# How long an answer may take: a stage of many documents takes some tenths of a second.
ANSWER_SECONDS: Final = 30.0

# So many frames wait for who iterates, which is five seconds of a busy replay. Then it is paused until they
# are taken.
WAITING_MAX: Final = 100


class Replay(AsyncIterator[Frame]):
    """Made by `Client.replay`. All methods raise `Refused`, `TimeoutError`, and `ConnectionError` where there
    is no connection or it was lost meanwhile.
    """

    def __init__(self, session: ClientSession, settle: Callable[[], None], opening: Frame) -> None:
        self._session = session
        self._settle = settle
        self._opening = {"type": "replay", **opening}
        self._shown: deque[Frame] = deque()
        self._something = asyncio.Event()
        self._asked: set[asyncio.Future[Frame]] = set()
        self._is_held = False
        self._wants_to_play = False
        self._plays_asked = 0
        self._place: str | None = None
        self.beginning: Frame = {}
        """What it was opened with: from and until when, the marks, and the stage at its beginning."""
        self.at = 0
        """Where it was when something was shown last, in microseconds."""
        self.is_open = False

    async def open(self) -> None:
        """Called once, by the client. One that is open there is closed."""
        if self._session.watched is not None:
            self._session.watched.on_closed()
        self._session.watched = self
        try:
            self.beginning = await self._ask(dict(self._opening))
        except BaseException:
            self.on_closed()
            raise
        self._opening |= {"from": self.beginning["from"], "to": self.beginning["until"]}
        self.at, self._place, self.is_open = self.beginning["at"], self.beginning["place"], True

    async def play(self) -> None:
        self._wants_to_play = True
        self._is_held = False
        self._plays_asked += 1
        try:
            await self._ask({"type": "replay_play"})
        finally:
            self._plays_asked -= 1

    async def pause(self) -> None:
        self._wants_to_play = False
        await self._ask({"type": "replay_pause"})

    async def seek(self, where: datetime | int | str) -> None:
        """To a time, in microseconds where it is a number, or to a place that was told."""
        if isinstance(where, datetime):
            where = as_microseconds(where)
        await self._ask({"type": "replay_seek", ("place" if isinstance(where, str) else "at"): where})

    async def speed(self, speed: float | None = None, *, skip_idle: bool | None = None) -> None:
        """What is None stays as it is."""
        given = {"speed": speed, "skip_idle": skip_idle}
        chosen = {name: value for name, value in given.items() if value is not None}
        await self._ask({"type": "replay_speed", **chosen})
        self._opening |= chosen

    async def step(self, by: int = 1) -> None:
        """So many steps forward, or back; it is paused then."""
        self._wants_to_play = False
        await self._ask({"type": "replay_step", "by": by})

    async def close(self) -> None:
        if self.is_open:
            self.on_closed()
            await self._ask({"type": "replay_close"})

    # What is shown.

    async def __anext__(self) -> Frame:
        while not self._shown:
            if not self.is_open:
                raise StopAsyncIteration
            if self._is_held and self._wants_to_play:
                self._is_held = False
                self._send({"type": "replay_play"})
                self._settle()
            self._something.clear()
            await self._something.wait()
        return self._shown.popleft()

    def on_frame(self, frame: Frame) -> None:
        """Called by the session."""
        if not self.is_open:
            return  # it was on its way when we had enough
        self.at, self._place = frame["at"], frame["place"]
        # Until its answer has come, what is shown may be of before it was asked to play.
        is_paused = not (frame["playing"] or self._is_held or self._plays_asked)
        if "error" in frame or is_paused:
            self._wants_to_play = False  # it has come to its end, or was paused
        self._shown.append(frame)
        self._something.set()
        if len(self._shown) >= WAITING_MAX and frame["playing"] and not self._is_held:
            self._is_held = True
            self._send({"type": "replay_pause"})

    # The connection.

    def on_online(self) -> None:
        """There is another socket, which knows nothing of it."""
        if not self.is_open:
            return
        self._send(dict(self._opening))
        self._send({"type": "replay_seek", "place": self._place})
        if self._wants_to_play and not self._is_held:
            self._send({"type": "replay_play"})

    def on_offline(self) -> None:
        """The socket is gone: what was asked over it is not answered."""
        for asked in tuple(self._asked):
            if not asked.done():
                asked.set_exception(ConnectionError("the connection was lost"))

    def on_closed(self) -> None:
        """Nothing more comes."""
        self.is_open = False
        self._something.set()
        if self._session.watched is self:
            self._session.watched = None

    def _send(self, frame: Frame) -> None:
        """Ask without waiting: what comes of it is shown."""
        self._session.ask(frame, lambda _frame, _now: None)

    async def _ask(self, frame: Frame) -> Frame:
        if not self._session.is_online:
            raise ConnectionError("there is no connection")
        asked: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._asked.add(asked)
        self._session.ask(frame, lambda reply, _now: _answer(asked, reply))
        self._settle()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await asked
        finally:
            self._asked.discard(asked)


def _answer(asked: asyncio.Future[Frame], reply: Frame) -> None:
    if asked.done():
        return
    if reply["type"] == "error":
        asked.set_exception(Refused(reply["code"], reply["message"]))
    else:
        asked.set_result(reply)


def opening(
    since: datetime | None, until: datetime | None, speed: float, *, skip_idle: bool
) -> dict[str, Any]:
    """The fields of the request that opens a replay."""
    fields: dict[str, Any] = {"speed": speed, "skip_idle": skip_idle}
    if since is not None:
        fields["from"] = as_microseconds(since)
    if until is not None:
        fields["to"] = as_microseconds(until)
    return fields
