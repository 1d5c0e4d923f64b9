"""The models of what the server says are what it says: each event, and the frames of a real conversation."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from domain.document import EditApplied
from domain.instants import as_microseconds
from interfaces.ws.told import EVENTS_TOLD, FRAMES_TOLD
from interfaces.ws.wire import _WIRE, encode_event
from tests.guests import guest
from tests.infrastructure.samples import events, other_events
from tests.interfaces.server_thread import ServerThread

TOLD = [sample for sample in (*events(), *other_events().values()) if type(sample) in _WIRE]


def test_there_is_a_sample_of_every_event_that_is_told() -> None:
    assert {type(sample) for sample in TOLD} == set(_WIRE)


@pytest.mark.parametrize("sample", TOLD, ids=lambda sample: type(sample).__qualname__)
def test_an_event_is_as_its_model_says(sample: Any) -> None:
    # Edits are read by revision, too, and have no place then.
    for position in (7, None) if isinstance(sample, EditApplied) else (7,):
        encoded = encode_event(sample, position)
        assert encoded is not None
        told = EVENTS_TOLD.validate_json(encoded)
        assert (told.at, told.position) == (as_microseconds(sample.timestamp), position)


class Talk:
    """A client that writes down every frame, and holds each against its model."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.kinds: set[str] = set()

    async def say(self, **frame: Any) -> None:
        await self._socket.send_str(json.dumps(frame))

    async def hear(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next frame of this kind with these fields; all before it are held against their models, too."""
        async with asyncio.timeout(20):
            while True:
                text = await self._socket.receive_str()
                FRAMES_TOLD.validate_json(text)
                frame: dict[str, Any] = json.loads(text)
                self.kinds.add(frame["type"])
                if frame["type"] == kind and all(frame.get(name) == value for name, value in fields.items()):
                    return frame


async def test_the_frames_of_a_conversation_are_as_their_models_say(server: ServerThread) -> None:
    ada = await asyncio.to_thread(guest, server.url, "Ada")
    await asyncio.to_thread(ada.create_room, "told")
    async with aiohttp.ClientSession() as http:
        ticket = await asyncio.to_thread(ada.ticket)
        url = f"{server.url.replace('http', 'ws', 1)}/ws/told"
        async with http.ws_connect(url, protocols=("chronoscribe.v1",)) as socket:
            talk = Talk(socket)
            await talk.say(type="hello", ref=1, protocol=1, client="teller", ticket=ticket)
            await talk.hear("welcome", ref=1)
            await talk.say(type="open", ref=2, document="a.md", create=True)
            await talk.hear("opened", ref=2)
            await talk.say(type="subscribe", ref=3, to="activity")
            await talk.say(type="subscribe", ref=4, to="statistics")
            await talk.say(type="edit", ref=5, document="a.md", seq=1, base=0, op=["Hello 😀"])
            await talk.say(type="cursor", ref=6, document="a.md", revision=0, anchor=0, head=0)
            await talk.hear("presence")
            await talk.say(type="post", ref=7, message="m1", text="Hello")
            await talk.say(type="react", ref=8, message="m1", emoji="👍")
            await talk.say(type="undo", ref=9, document="a.md", revision=1)
            await talk.hear("ok", ref=9)
            await talk.say(type="catch_up", ref=10, document="a.md", after=0)
            await talk.hear("edits", ref=10)
            await talk.say(type="open", ref=11, document="a.md", revision=0)
            await talk.hear("opened", ref=11)
            await talk.say(type="edit", ref=12, document="a.md", seq=9, base=0, op=["x"])
            await talk.hear("error", ref=12)
            await talk.hear("activity")
            await talk.hear("statistics")
            await talk.say(type="replay", ref=13, speed=64)
            await talk.hear("replay_opened", ref=13)
            await talk.say(type="replay_play", ref=14)
            await talk.hear("replay", playing=False)
    assert talk.kinds >= {
        "welcome",
        "opened",
        "edits",
        "ok",
        "error",
        "events",
        "presence",
        "activity",
        "statistics",
    }
    assert talk.kinds >= {"replay_opened", "replay"}
