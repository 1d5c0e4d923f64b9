"""Rooms."""

from __future__ import annotations

import pytest

from domain.aggregate import Snapshot
from domain.errors import RoomFull
from domain.limits import DOCUMENTS_PER_ROOM
from domain.room import DocumentListed, Opened, Room
from tests.domain.events import NOON, collect, fold, later


def a_room(*documents: str) -> Room:
    room = Room.open("demo", "Demo", actor="Ada", at=NOON)
    for document in documents:
        room.list_document(document, actor="Ada", at=NOON)
    return room


def test_a_room_is_opened_with_its_title_and_no_documents() -> None:
    room = a_room()
    [opened] = collect(room)
    assert isinstance(opened, Opened)
    assert (opened.originator_id, opened.room, opened.title) == ("room:demo", "demo", "Demo")
    assert (opened.actor, opened.timestamp) == ("Ada", NOON)
    assert (room.title, list(room.documents)) == ("Demo", [])


def test_documents_are_listed_in_their_order() -> None:
    room = a_room("b.md", "a.md")
    events = collect(room)
    assert [event.document for event in events if isinstance(event, DocumentListed)] == ["b.md", "a.md"]
    assert list(room.documents) == ["b.md", "a.md"]
    assert list(fold(events).documents) == ["b.md", "a.md"]


def test_a_document_is_listed_once() -> None:
    room = a_room("a.md")
    collect(room)
    room.list_document("a.md", actor="Ben", at=later())
    assert collect(room) == []


def test_a_full_room_takes_no_more_documents_but_knows_those_it_has() -> None:
    room = a_room(*(f"d{number}" for number in range(DOCUMENTS_PER_ROOM)))
    collect(room)
    with pytest.raises(RoomFull) as refused:
        room.list_document("one-more", actor="Ada", at=NOON)
    assert refused.value.facts == {"limit": DOCUMENTS_PER_ROOM}
    room.list_document("d0", actor="Ada", at=NOON)
    assert collect(room) == []


def test_a_snapshot_keeps_title_and_order() -> None:
    room = a_room("b.md", "a.md")
    restored = Snapshot.take(room).mutate(None)
    assert restored.as_state() == room.as_state()
    assert (restored.id, restored.version) == (room.id, room.version)
    restored.list_document("c.md", actor="Ada", at=NOON)
    assert list(room.documents) == ["b.md", "a.md"]
