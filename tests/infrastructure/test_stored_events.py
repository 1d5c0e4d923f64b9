"""Stored events are a format for ever: each class has a stored row of each of its versions in
`tests/fixtures`, which must keep being read as the same event. A fixture is never changed; a new
version of a class brings a new one, whose content the failing test prints.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.aggregate import EVENT_CLASSES, Event, Snapshot
from domain.errors import Corrupt
from infrastructure.codec import decode, encode
from tests.infrastructure import samples

FIXTURES = Path(__file__).parents[1] / "fixtures"
EVENTS = {event.TOPIC: event for event in samples.events()}
OTHER_EVENTS = samples.other_events()
OLDER_EVENTS = samples.older_events()
STORED_EVENTS = sorted((FIXTURES / "events").glob("*.json"))
SNAPSHOTS = samples.snapshots()
STORED_SNAPSHOTS = sorted((FIXTURES / "snapshots").glob("*.json"))


def read(path: Path) -> Any:
    row = json.loads(path.read_text("utf-8"))
    return decode(row["originator_id"], row["originator_version"], row["topic"], row["state"].encode())


def as_fixture(event: Event | Snapshot) -> str:
    row = {
        "originator_id": event.originator_id,
        "originator_version": event.originator_version,
        "topic": event.TOPIC,
        "state": encode(event).decode(),
    }
    return json.dumps(row, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("topic", sorted(EVENT_CLASSES))
def test_every_event_class_has_a_stored_row_of_its_present_version(topic: str) -> None:
    path = FIXTURES / "events" / f"{topic}.v{EVENT_CLASSES[topic].class_version}.json"
    assert topic in EVENTS, f"an event of this class is missing in {samples.__name__}"
    assert path.exists(), f"{path} is missing; it is:\n{as_fixture(EVENTS[topic])}"
    assert path.read_text("utf-8") == as_fixture(EVENTS[topic]), (
        "an event is stored in another way than before"
    )


@pytest.mark.parametrize("name", sorted(OTHER_EVENTS))
def test_what_not_all_of_a_class_have_is_in_a_stored_row_of_its_own(name: str) -> None:
    path = FIXTURES / "events" / f"{name}.json"
    assert path.exists(), f"{path} is missing; it is:\n{as_fixture(OTHER_EVENTS[name])}"
    assert path.read_text("utf-8") == as_fixture(OTHER_EVENTS[name]), (
        "an event is stored in another way than before"
    )


@pytest.mark.parametrize("topic", sorted(SNAPSHOTS))
def test_every_kind_of_snapshot_has_a_stored_row(topic: str) -> None:
    path = FIXTURES / "snapshots" / f"{topic}.v{samples.SNAPSHOT_SHAPES[topic]}.json"
    assert path.exists(), f"{path} is missing; it is:\n{as_fixture(SNAPSHOTS[topic])}"
    assert path.read_text("utf-8") == as_fixture(SNAPSHOTS[topic]), (
        "a snapshot is stored in another way than before"
    )


@pytest.mark.parametrize("path", STORED_EVENTS, ids=lambda path: path.stem)
def test_a_stored_event_of_any_version_is_read_as_the_event_it_was(path: Path) -> None:
    event = read(path)
    assert event == (OLDER_EVENTS | OTHER_EVENTS).get(path.stem, EVENTS[event.TOPIC])
    assert type(event) is EVENT_CLASSES[path.name.partition(".v")[0]]


@pytest.mark.parametrize("path", STORED_EVENTS, ids=lambda path: path.stem)
def test_an_event_that_was_read_is_a_whole_event(path: Path) -> None:
    """Reading goes around the constructor; nothing may be missing for it."""
    event = read(path)
    assert type(event)(**vars(event)) == event


@pytest.mark.parametrize("path", STORED_SNAPSHOTS, ids=lambda path: path.stem)
def test_a_stored_snapshot_is_read_as_the_aggregate_it_was(path: Path) -> None:
    snapshot = read(path)
    topic = path.name.partition(".v")[0]
    older = samples.older_states()
    assert snapshot.topic == topic
    assert snapshot.mutate(None).as_state() == older.get(path.stem, SNAPSHOTS[topic].state)
    assert snapshot.mutate(None).version == snapshot.originator_version
    if path.stem not in older:
        assert snapshot == SNAPSHOTS[topic]
        assert path.stem == f"{topic}.v{samples.SNAPSHOT_SHAPES[topic]}"


def test_every_stored_row_belongs_to_a_class() -> None:
    """A class that is not written any more must still be read: its fixture says so when it goes."""
    assert {path.name.partition(".v")[0] for path in STORED_EVENTS} == set(EVENT_CLASSES)


# Upcasting.


@pytest.fixture(scope="module")
def renamed_class() -> Iterator[type[Event]]:
    """An event class whose fields were called otherwise in its first two versions."""

    class Renamed(Event):
        TOPIC = "test.renamed"
        class_version = 3
        title: str

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["caption"] = state.pop("name")

        @staticmethod
        def upcast_v2_v3(state: dict[str, Any]) -> None:
            state["title"] = state.pop("caption").strip()

    yield Renamed
    del EVENT_CLASSES[Renamed.TOPIC]


@pytest.mark.parametrize(
    "state",
    [
        b'{"actor":"Ada","name":" a ","at":0}',
        b'{"actor":"Ada","caption":"a ","at":0,"class_version":2}',
        b'{"actor":"Ada","title":"a","at":0,"class_version":3}',
    ],
)
def test_an_old_event_is_brought_up_to_the_present_version(renamed_class: type[Event], state: bytes) -> None:
    event = decode("test:demo", 4, "test.renamed", state)
    assert type(event) is renamed_class
    assert vars(event)["title"] == "a"
    assert json.loads(encode(event)) == {"actor": "Ada", "title": "a", "at": 0, "class_version": 3}
    assert decode("test:demo", 4, "test.renamed", encode(event)) == event


def test_an_event_of_a_newer_server_is_refused(renamed_class: type[Event]) -> None:
    state = b'{"actor":"Ada","title":"a","at":0,"class_version":4}'
    with pytest.raises(Corrupt, match="newer server"):
        decode("test:demo", 4, renamed_class.TOPIC, state)


def test_a_newer_version_of_a_class_that_never_changed_here_is_refused() -> None:
    state = b'{"actor":"Ada","document":"a","at":0,"class_version":2}'
    with pytest.raises(Corrupt, match="newer server"):
        decode("room:demo", 2, "room.document_listed", state)


# What cannot be read.


def test_an_unknown_topic_is_corrupt() -> None:
    with pytest.raises(Corrupt, match=r"unknown event 'room\.exploded' in room:demo at 3"):
        decode("room:demo", 3, "room.exploded", b"{}")


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"5",
        b"null",
        b'"text"',
        b'{"actor":"Ada"}',
        b'{"at":"noon"}',
        b'{"at":null}',
        b'{"at":9223372036854775807}',
    ],
)
def test_a_state_that_is_no_event_is_corrupt(state: bytes) -> None:
    with pytest.raises(Corrupt, match=r"unreadable event 'room\.opened' in room:demo at 1"):
        decode("room:demo", 1, "room.opened", state)


def test_a_state_can_be_read_from_a_buffer() -> None:
    event = EVENTS["room.opened"]
    assert decode(event.originator_id, 1, event.TOPIC, memoryview(encode(event))) == event
