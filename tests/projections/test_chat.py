"""A message as it stands, as the fold of its events tells it."""

from __future__ import annotations

from domain.aggregate import Event
from domain.message import Message
from domain.profile import Profile
from projections.chat import ChatMessage, after, message_of
from tests.domain.events import NOON, collect, later


def a_message() -> list[Event]:
    """Said, edited, reacted to and pinned by others, and taken back."""
    message = Message.post("demo", "m1", client="c", text="Hello", documents={}, actor="ada", at=NOON)
    message.edit("Hello @ben", mentions=["ben"], actor="ada", at=later(1))
    for user, at in (("ben", 2), ("cem", 3)):
        message.react("👍", actor=user, at=later(at))
    message.unreact("👍", actor="ben", at=later(4))
    message.pin(is_pinned=True, actor="ben", at=later(5))
    message.pin(is_pinned=False, actor="ben", at=later(6))
    message.pin(is_pinned=True, actor="cem", at=later(7))
    message.delete(actor="dee", at=later(8))
    return collect(message)


def folded(events: list[Event]) -> ChatMessage:
    message: ChatMessage | None = None
    for position, event in enumerate(events, 7):
        message = after(message, position, event)
    assert message is not None
    return message


def test_a_message_is_what_has_become_of_it() -> None:
    events = a_message()
    pinned = folded(events[:-1])
    assert (pinned.position, pinned.author, pinned.posted) == (7, "ada", NOON)
    assert (pinned.text, pinned.mentions, pinned.edits, pinned.edited) == (
        "Hello @ben",
        ("ben",),
        1,
        later(1),
    )
    assert pinned.reactors == {"👍": ["cem"]}
    assert (pinned.pinned, pinned.pinned_by) == (later(7), "cem")


def test_of_a_deleted_message_nothing_is_left_of_what_it_said() -> None:
    deleted = folded(a_message())
    assert (deleted.text, deleted.mentions, deleted.pinned, deleted.pinned_by) == ("", (), None, None)
    assert (deleted.deleted, deleted.deleted_by) == (later(8), "dee")


def test_of_which_nobody_knows_how_it_began_nothing_is_told() -> None:
    _, edited, *_ = a_message()
    assert after(None, 9, edited) is None


def test_other_events_are_about_no_message_and_change_none() -> None:
    [profile] = collect(Profile.create("ada", "Ada", actor="ada", at=NOON))
    assert message_of(profile) is None
    message = folded(a_message())
    assert after(message, 99, profile) == message
    assert message_of(a_message()[0]) == ("demo", "m1")
