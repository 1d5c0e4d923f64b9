"""What all aggregates and events share."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError

import pytest
from eventsourcing.utils import get_topic, resolve_topic

from domain.aggregate import EVENT_CLASSES, Event, InitialEvent, Snapshot
from domain.attendance import Attendance
from domain.document import Document
from domain.message import Message
from domain.presence import Presence
from domain.profile import Profile
from domain.restoration import Restoration
from domain.retention import Retention
from domain.room import Opened, Room
from tests.domain.events import NOON, a_document, collect


@pytest.mark.parametrize(
    "aggregate_class", [Attendance, Document, Message, Presence, Profile, Restoration, Retention, Room]
)
def test_an_aggregate_is_stored_under_a_topic_that_is_no_path(aggregate_class: type) -> None:
    topic = get_topic(aggregate_class)
    assert topic == aggregate_class.__name__.lower()
    assert resolve_topic(topic) is aggregate_class


def test_every_event_is_found_by_its_topic() -> None:
    for topic, event_class in EVENT_CLASSES.items():
        assert topic == event_class.TOPIC
        assert resolve_topic(topic) is event_class
        assert get_topic(event_class) == topic


def test_a_topic_belongs_to_one_event_class() -> None:
    with pytest.raises(AssertionError):
        type("Impostor", (Event,), {"TOPIC": Opened.TOPIC, "__module__": __name__})
    assert EVENT_CLASSES[Opened.TOPIC] is Opened


def test_a_base_class_of_events_has_no_topic() -> None:
    assert InitialEvent not in EVENT_CLASSES.values()


def test_an_event_cannot_be_changed() -> None:
    [opened] = collect(Room.open("demo", "Demo", actor="Ada", at=NOON))
    with pytest.raises(FrozenInstanceError):
        opened.actor = "Ben"


def test_an_aggregate_weighs_something() -> None:
    for aggregate in (
        Room.open("demo", "Demo", actor="ada", at=NOON),
        Profile.create("ada", "Ada", actor="ada", at=NOON),
    ):
        assert aggregate.weight > 0


def test_a_copy_shares_no_container() -> None:
    room = Room.open("demo", "Demo", actor="Ada", at=NOON)
    twin = copy.copy(room)
    twin.list_document("a.md", actor="Ada", at=NOON)
    assert list(room.documents) == []
    assert (room.version, twin.version) == (1, 2)


def test_a_snapshot_is_dated_by_the_last_event() -> None:
    document = a_document("ab")
    snapshot = Snapshot.take(document)
    assert snapshot.timestamp == document.modified_on
    assert (snapshot.originator_id, snapshot.originator_version) == (document.id, document.version)
    assert snapshot.topic == "document"
