"""Chat: many people who talk beside many who type, and how far the projections are behind them."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from typing import Any, Final

import orjson
import psycopg

from tests.benchmarks.harness import Figures, Load, Machine, Typist, percentile, typists
from tests.benchmarks.scenarios import SETTLE_SECONDS, one_room, paced

# Of which messages are made, cut anywhere.
PROSE: Final = (
    "The parser drops the last line when the file has no newline at its end, so the diff shows a change that"
    " nobody made. I moved the check behind the loop and it is gone; could somebody look at it before lunch? "
)

LOOK_SECONDS: Final = 0.05


class Talk:
    """What is said in a run, and who heard it in which order."""

    def __init__(self, crowd: Sequence[Typist]) -> None:
        self.sent: dict[str, float] = {}
        self.latencies: list[float] = []
        self.heard: dict[str, list[tuple[int, str]]] = {person.name: [] for person in crowd}
        self.counted_after: list[float] = []
        """Of each telling of the statistics, how long ago the first message was sent that it was the first to
        count, in seconds.
        """
        self._counted = 0
        for person in crowd:
            person.on_message = self._on_message
        crowd[0].on_statistics = self._on_statistics

    def _on_statistics(self, told: dict[str, Any], now: float) -> None:
        counted, before = told["ever"]["totals"]["messages"], self._counted
        self._counted = counted
        if counted > before:
            self.counted_after.append(now - list(self.sent.values())[before])

    def _on_message(self, person: Typist, event: dict[str, Any], now: float) -> None:
        self.heard[person.name].append((event["position"], event["message"]))
        if event["client"] != person.name:
            self.latencies.append((now - self.sent[event["message"]]) * 1000)

    async def say(self, person: Typist) -> None:
        number = len(self.sent)
        message = f"m{number}-{os.urandom(3).hex()}"
        begin = 7 * number % len(PROSE)
        text = (PROSE[begin:] + PROSE)[: 20 + 13 * number % 150]
        frame = {"type": "post", "ref": 1, "message": message, "text": text}
        self.sent[message] = time.perf_counter()
        await person.socket.send_str(orjson.dumps(frame).decode())

    @property
    def is_in_one_order(self) -> bool:
        """Whether everybody heard the same, in the order of the log."""
        heard = list(self.heard.values())
        return all(one == heard[0] for one in heard) and heard[0] == sorted(heard[0])


async def chat(
    running: Machine, talkers: int = 50, writers: int = 50, per_second: float = 2.0, seconds: float = 15.0
) -> dict[str, Any]:
    """`talkers` say something `per_second` times, `writers` type as often, all in one room."""
    async with typists(running.url, talkers + writers, one_room, f"chat-{os.urandom(3).hex()}") as (
        crowd,
        figures,
    ):
        talk = Talk(crowd)
        watch = {"type": "subscribe", "ref": 2, "to": "statistics", "after": 0}
        await crowd[0].socket.send_str(orjson.dumps(watch).decode())
        await _both(crowd, talkers, talk, per_second, 2.0)
        await asyncio.sleep(SETTLE_SECONDS)
        _forget(figures, talk)
        begun = len(talk.sent)
        lags = asyncio.create_task(_watch_lag(running.dsn, seconds + SETTLE_SECONDS))
        load = Load(running)
        load.begin()
        await _both(crowd, talkers, talk, per_second, seconds)
        spent = load.end()
        worst = await lags
        said = len(talk.sent) - begun
        return {
            "messages": said,
            "messages_heard": len(talk.latencies),
            "is_in_one_order": talk.is_in_one_order and len(talk.latencies) == said * (len(crowd) - 1),
            "message_p50_ms": percentile(talk.latencies, 50),
            "message_p99_ms": percentile(talk.latencies, 99),
            "statistics_p50_seconds": percentile(talk.counted_after, 50),
            "statistics_worst_seconds": round(max(talk.counted_after), 2),
            "lag_seconds": {name: round(lag, 2) for name, lag in sorted(worst.items())},
            **figures.summary(),
            **spent,
        }


def _forget(figures: Figures, talk: Talk) -> None:
    figures.latencies.clear()
    figures.acks.clear()
    figures.edits = 0
    talk.latencies.clear()
    talk.counted_after.clear()


async def _both(crowd: Sequence[Typist], talkers: int, talk: Talk, per_second: float, seconds: float) -> None:
    await asyncio.gather(
        paced(crowd[:talkers], per_second, seconds, talk.say),
        paced(crowd[talkers:], per_second, seconds, Typist.type),
    )


async def _watch_lag(dsn: str, seconds: float) -> dict[str, float]:
    """By projection, for how long at the most the newest event of a moment was not in it yet."""
    worst: dict[str, float] = {}
    heads: list[tuple[int, float]] = []
    end = time.perf_counter() + seconds
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        while time.perf_counter() < end:
            cursor = await connection.execute("SELECT coalesce(max(notification_id), 0) FROM record")
            head = await cursor.fetchone()
            assert head is not None
            now = time.perf_counter()
            if not heads or head[0] > heads[-1][0]:
                heads.append((head[0], now))
            for name, position in await (await connection.execute("SELECT * FROM tracking")).fetchall():
                missing = next((since for at, since in heads if at > position), None)
                worst[name] = max(worst.get(name, 0.0), now - missing if missing is not None else 0.0)
            await asyncio.sleep(LOOK_SECONDS)
    return worst
