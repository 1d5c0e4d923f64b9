"""The chat as a client knows it is the chat of the log."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.log import Recorded
from domain.errors import ChronoscribeError
from domain.message import Message
from domain.receipts import Pointers
from interfaces.pyclient import chat as module
from interfaces.pyclient.chat import Chat
from interfaces.ws.wire import as_message_event, encode_recorded
from projections.chat import ChatMessage, after

Frame = dict[str, Any]

BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
USERS: Final = ("Ada", "Ben")

users = st.sampled_from(USERS)
emoji = st.sampled_from(["👍", "❤️"])
doings = st.one_of(
    st.tuples(st.just("post"), users),
    st.tuples(st.just("edit"), st.sampled_from(["Once", "Twice @Ben"])),
    st.tuples(st.just("delete")),
    st.tuples(st.just("react"), users, emoji),
    st.tuples(st.just("unreact"), users, emoji),
    st.tuples(st.just("pin"), st.booleans()),
)
histories = st.lists(st.tuples(st.integers(0, 2), doings), max_size=30)


def happen(history: Sequence[tuple[int, tuple[Any, ...]]]) -> list[Recorded]:
    """The events of a history, in which what cannot be done is not done."""
    messages: dict[int, Message] = {}
    recorded: list[Recorded] = []
    for number, doing in history:
        for event in _do(messages, number, doing, BEGINNING + timedelta(seconds=len(recorded))):
            recorded.append(Recorded(10 + 3 * len(recorded), event))
    return recorded


def _do(messages: dict[int, Message], number: int, doing: tuple[Any, ...], at: datetime) -> Sequence[Any]:
    message = messages.get(number)
    if doing[0] == "post" and message is None:
        fields: Frame = {"client": "tab", "text": "Hello @Ben", "documents": {}, "actor": doing[1]}
        message = messages[number] = Message.post("room", f"m{number}", mentions=["Ben"], at=at, **fields)
    if message is None:
        return []
    with suppress(ChronoscribeError):
        _change(message, doing, at)
    return message.collect_events()


def _change(message: Message, doing: tuple[Any, ...], at: datetime) -> None:
    match doing:
        case "edit", text:
            message.edit(text, mentions=[], actor=message.author, at=at)
        case ("delete",):
            message.delete(actor=message.author, at=at)
        case "react", user, emoji:
            message.react(emoji, actor=user, at=at)
        case "unreact", user, emoji:
            message.unreact(emoji, actor=user, at=at)
        case "pin", is_pinned:
            message.pin(is_pinned=is_pinned, actor="Ada", at=at)


def as_the_server_tells(recorded: Sequence[Recorded]) -> list[Frame]:
    """The messages as a welcome has them."""
    begins: dict[str, Recorded] = {}
    folded: dict[str, ChatMessage] = {}
    for each in recorded:
        stream = each.event.originator_id
        begins.setdefault(stream, each)
        message = after(folded.get(stream), each.position, each.event)
        assert message is not None
        folded[stream] = message
    return [
        orjson.loads(orjson.dumps(as_message_event(begins[name], message)))
        for name, message in folded.items()
    ]


def take(chat: Chat, recorded: Recorded) -> None:
    data = encode_recorded(recorded)
    assert data is not None
    event = orjson.loads(data)
    if chat.is_change(event):
        chat.on_change(event)
    else:
        chat.on_message(event)


@given(histories, st.integers(0, 30))
def test_a_welcome_and_what_follows_it_make_what_a_later_welcome_tells(
    history: list[tuple[int, tuple[Any, ...]]], place: int
) -> None:
    recorded = happen(history)
    chat = Chat()
    chat.begin(as_the_server_tells(recorded[:place]))
    for each in recorded[place:]:
        take(chat, each)
    assert list(chat.messages.values()) == as_the_server_tells(recorded)


def message(position: int, author: str = "Ben", **fields: Any) -> Frame:
    told = {"event": "message", "message": f"m{position}", "author": author, "position": position}
    return told | {"deleted": None, "reactions": {}, "edits": 0} | fields


def test_what_was_handed_out_does_not_change() -> None:
    chat = Chat()
    chat.on_message(message(1))
    before = chat.messages["m1"]
    chat.on_change({"event": "reaction_added", "message": "m1", "emoji": "👍", "actor": "Ada"})
    assert before["reactions"] == {}
    assert chat.messages["m1"]["reactions"] == {"👍": ["Ada"]}


def test_what_becomes_of_a_message_that_is_not_known_any_more_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MESSAGES_KEPT", 2)
    chat = Chat()
    for position in (1, 2, 3):
        chat.on_message(message(position))
    chat.on_change({"event": "message_pinned", "message": "m1", "at": 7})
    assert list(chat.messages) == ["m2", "m3"]
    assert chat.position_of("m1") is None
    assert chat.readers("m1") == []


def test_unread_is_what_others_have_said_since_and_not_taken_back() -> None:
    chat = Chat()
    chat.begin([message(1), message(2, "Ada"), message(3, deleted=7), message(4), message(5)])
    assert chat.unread("Ada", 0) == 3
    assert chat.unread("Ada", 4) == 1
    assert chat.unread("Ben", 0) == 1
    assert chat.last_from_others("Ben") == 2
    assert Chat().last_from_others("Ben") == 0


def test_readers_are_those_whose_pointer_has_passed_a_message_but_for_its_author() -> None:
    chat = Chat()
    chat.begin([message(4, "Ada"), message(8, "Ada")])
    receipt = {"delivered": 9, "read": 5}
    assert chat.on_receipts([{"user": user, **receipt} for user in ("Ada", "Ben")]) == ["Ada", "Ben"]
    assert chat.readers("m4") == ["Ben"]
    assert chat.readers("m8") == []


def test_pointers_only_move_forward() -> None:
    chat = Chat()
    chat.on_receipts([{"user": "Ben", "delivered": 9, "read": 5}])
    assert chat.on_receipts([{"user": "Ben", "delivered": 8, "read": 3}]) == []
    assert chat.on_receipts([{"user": "Ben", "delivered": 8, "read": 7}]) == ["Ben"]
    assert chat.pointers == {"Ben": Pointers(9, 7)}
    assert chat.pointers_of("Cem") == chat.pointers_of(None) == Pointers()
