"""A replay that is watched: what it does when the connection is lost, whatever was on its way just then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from interfaces.pyclient.replay import Replay

Frame = dict[str, Any]


class Session:
    """As a client's session, which notes what is asked and lets a test answer it."""

    def __init__(self) -> None:
        self.is_online = True
        self.watched: Replay | None = None
        self.asked: list[tuple[Frame, Callable[[Frame, float], None]]] = []

    def ask(self, frame: Frame, on_reply: Callable[[Frame, float], None]) -> None:
        self.asked.append((frame, on_reply))

    @property
    def kinds(self) -> list[str]:
        return [frame["type"] for frame, _ in self.asked]

    def answer(self, **fields: Any) -> None:
        """What was asked last."""
        self.asked[-1][1]({"type": "ok", **fields}, 0.0)


def shown(*, playing: bool) -> Frame:
    return {"at": 5, "place": "p5", "playing": playing, "speed": 1}


async def a_replay() -> tuple[Replay, Session]:
    session = Session()
    replay = Replay(session, lambda: None, {"speed": 1})  # type: ignore[arg-type]
    opening = asyncio.ensure_future(replay.open())
    await asyncio.sleep(0)
    session.answer(**{"from": 0, "until": 9, "at": 0, "place": "p0"})
    await opening
    return replay, session


async def play(replay: Replay, session: Session, *before: Frame) -> None:
    """Play; `before` comes before the answer does."""
    playing = asyncio.ensure_future(replay.play())
    await asyncio.sleep(0)
    for frame in before:
        replay.on_frame(frame)
    session.answer()
    await playing


async def test_it_goes_on_playing_though_a_place_was_shown_before_the_answer() -> None:
    replay, session = await a_replay()
    await play(replay, session, shown(playing=False))
    session.asked.clear()
    replay.on_online()
    assert session.kinds == ["replay", "replay_seek", "replay_play"]


async def test_it_does_not_play_again_when_it_has_come_to_its_end_or_was_paused() -> None:
    replay, session = await a_replay()
    await play(replay, session)
    replay.on_frame(shown(playing=False))
    session.asked.clear()
    replay.on_online()
    assert session.kinds == ["replay", "replay_seek"]
