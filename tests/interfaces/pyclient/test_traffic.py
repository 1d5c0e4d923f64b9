"""Whoever measures is told of every frame that a client sends and gets."""

from __future__ import annotations

import random
from typing import Any

import orjson

from interfaces.pyclient.client import Client
from tests.interfaces.pyclient.model_sockets import ModelSockets


class Counted:
    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []
        self.received: list[int] = []

    def on_sent(self, frame: dict[str, Any], size: int) -> None:
        assert size == len(orjson.dumps(frame))
        self.sent.append((frame["type"], size))

    def on_received(self, size: int) -> None:
        self.received.append(size)


async def test_every_frame_of_a_client_is_told_with_its_bytes() -> None:
    sockets, counted = ModelSockets(), Counted()
    async with (
        sockets.serving(),
        Client(sockets.url, "demo", name="Ada", chance=random.Random(1), traffic=counted) as client,
    ):
        document = await client.open("main.md", create=True)
        document.insert(0, "Grüße")
        await document.saved()
    assert [kind for kind, _ in counted.sent] == ["hello", "open", "edit"]
    # welcome, opened, the edit's own event
    assert len(counted.received) >= 3
    assert all(counted.received)
