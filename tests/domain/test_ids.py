"""Ids and the ids of streams."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import (
    SERVER,
    Stream,
    attendance_stream,
    document_stream,
    is_document_id,
    is_id,
    message_stream,
    parse_stream,
    presence_stream,
    profile_stream,
    restoration_stream,
    retention_stream,
    room_stream,
)

LETTERS = "abcXYZ019_-"
IDS = st.text(LETTERS, min_size=1, max_size=64)
DOCUMENT_IDS = st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=4).map(".".join)


@pytest.mark.parametrize("value", ["a", "A-b_9", "-", "x" * 64])
def test_an_id_is_letters_digits_dashes_and_underscores(value: str) -> None:
    assert is_id(value)
    assert is_document_id(value)


@pytest.mark.parametrize(
    "value", ["", "x" * 65, "a b", "a/b", "a:b", "é", "a\n", "\n", "a\x00", "..", ".", "٣"]
)
def test_nothing_else_is_one(value: str) -> None:
    assert not is_id(value)
    assert not is_document_id(value)


@pytest.mark.parametrize("value", ["main.py", "a.b.c", "x" * 60 + ".txt"])
def test_a_document_may_have_single_dots_inside(value: str) -> None:
    assert is_document_id(value)
    assert not is_id(value)


@pytest.mark.parametrize("value", [".hidden", "dot.", "a..b", "x" * 61 + ".txt", "main.py\n"])
def test_dots_stand_alone_and_between(value: str) -> None:
    assert not is_document_id(value)


@given(IDS, DOCUMENT_IDS)
def test_a_stream_can_be_taken_apart_again(room: str, name: str) -> None:
    assert is_id(room)
    assert is_document_id(name)
    assert parse_stream(room_stream(room)) == Stream("room", room, "")
    assert parse_stream(document_stream(room, name)) == Stream("document", room, name)
    assert parse_stream(message_stream(room, name)) == Stream("message", room, name)
    assert parse_stream(attendance_stream(room, name)) == Stream("attendance", room, name)
    assert parse_stream(presence_stream(room, name)) == Stream("presence", room, name)


@given(IDS)
def test_what_belongs_to_no_room_has_an_empty_one(name: str) -> None:
    assert parse_stream(profile_stream(name)) == Stream("profile", "", name)
    assert parse_stream(restoration_stream(name)) == Stream("restoration", "", name)
    assert parse_stream(retention_stream(name)) == Stream("retention", "", name)
    assert not is_id("")
    assert profile_stream("ada") == "profile:/ada"


def test_no_user_can_be_called_as_the_server_is() -> None:
    assert not is_id(SERVER)


@pytest.mark.parametrize("value", ["", "room", "room:", ":demo"])
def test_what_is_no_stream_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="not a stream id"):
        parse_stream(value)
