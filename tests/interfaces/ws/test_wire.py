"""What the server sends, as bytes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from application.log import Recorded
from domain.errors import Contended, RevisionTooOld
from domain.instants import as_microseconds
from interfaces.ws.wire import (
    Frame,
    encode_event,
    encode_recorded,
    error_frame,
    events_frame,
    fragments,
    frame,
    presence_frame,
)
from tests.infrastructure import samples

EVENTS = {event.TOPIC: event for event in samples.events()}
AT = as_microseconds(samples.AT)
COMMON = {"actor": samples.ACTOR, "at": AT}


@pytest.mark.parametrize(
    ("length", "header"),
    [
        (0, b"\x81\x00"),
        (1, b"\x81\x01"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_a_frame_is_an_unmasked_text_message_of_rfc_6455(length: int, header: bytes) -> None:
    frame = Frame(b"x" * length)
    assert frame.wire == header + b"x" * length
    assert len(frame) == len(frame.wire)


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (
            "document.edit_applied",
            {
                "event": "edit",
                "document": "main.md",
                "revision": 2,
                "base": 1,
                "client": "ada-1",
                "seq": 2,
                "op": [2, "X", {"d": '\t"\\'}],
            },
        ),
        (
            "message.posted",
            {
                "event": "message",
                "message": "m1",
                "client": "ada-1",
                "text": "Look: “é” 😀\nsecond line",
                "documents": {"main.md": 2, "b.txt": 0},
            },
        ),
        ("attendance.joined", {"event": "joined", "client": "ada-1", "session": "s1", "name": samples.ACTOR}),
        ("attendance.left", {"event": "left", "client": "ada-1", "session": "s1", "reason": "superseded"}),
        ("room.document_listed", {"event": "document_listed", "document": "main.md"}),
        ("room.opened", {"event": "room_opened", "title": "Büro “1”"}),
    ],
)
def test_an_event_is_told_with_its_place_actor_and_time(topic: str, expected: dict[str, Any]) -> None:
    data = encode_recorded(Recorded(42, EVENTS[topic]))
    assert data is not None
    assert orjson.loads(data) == {**COMMON, "position": 42, **expected}


def test_an_edit_that_is_read_by_revision_has_no_place() -> None:
    data = encode_event(EVENTS["document.edit_applied"])
    assert data is not None
    assert "position" not in orjson.loads(data)


@pytest.mark.parametrize("topic", ["document.created", "presence.begun", "presence.frame_recorded"])
def test_other_events_are_not_told_as_events(topic: str) -> None:
    assert encode_event(EVENTS[topic]) is None


def test_events_are_put_together_as_they_are() -> None:
    events = [b'{"event":"a"}', b'{"event":"b"}']
    assert orjson.loads(events_frame(7, events).payload) == {
        "type": "events",
        "position": 7,
        "events": [{"event": "a"}, {"event": "b"}],
    }
    assert orjson.loads(frame(type="edits", edits=fragments(events)).payload)["edits"][1] == {"event": "b"}


def test_moves_of_several_frames_are_told_in_one() -> None:
    recorded: Any = EVENTS["presence.frame_recorded"]
    told = orjson.loads(presence_frame(9, [recorded, recorded]).payload)
    assert (told["type"], told["position"], len(told["moves"])) == ("presence", 9, 4)
    assert told["moves"][0] == {
        "client": "ada-1",
        "document": "main.md",
        "revision": 2,
        "anchor": 5,
        "head": 1,
        "at": 1_795_442_706_789_012,
    }


def test_an_error_is_told_with_its_code_and_facts() -> None:
    told = orjson.loads(error_frame(3, RevisionTooOld("too far behind", revision=9)).payload)
    assert told == {
        "type": "error",
        "ref": 3,
        "code": "E_VERSION_OLD",
        "message": "too far behind",
        "revision": 9,
    }
    assert orjson.loads(error_frame(None, Contended("later", retry_after=0.5)).payload)["ref"] is None
