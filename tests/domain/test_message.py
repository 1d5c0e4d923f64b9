"""Chat messages."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from domain.errors import Forbidden, IdReused, LimitReached, NotFound, OpTooLarge, TextInvalid
from domain.limits import (
    CHAT_BYTES,
    EDITS_PER_MESSAGE,
    EMOJI_PER_MESSAGE,
    MENTIONS_PER_MESSAGE,
    REACTIONS_PER_MESSAGE,
)
from domain.message import (
    Deleted,
    Edited,
    Imported,
    Message,
    Pinned,
    Posted,
    ReactionAdded,
    ReactionRemoved,
    Unpinned,
    mentioned_in,
)
from tests.domain.events import NOON, collect


def post(text: str, client: str = "ada") -> Message:
    return Message.post(
        "demo", "m1", client=client, text=text, documents={"main.md": 7}, actor="Ada", at=NOON
    )


def test_a_message_keeps_its_text_and_where_the_documents_stood() -> None:
    [posted] = collect(post("Hello"))
    assert isinstance(posted, Posted)
    assert (posted.originator_id, posted.originator_version) == ("message:demo/m1", 1)
    assert (posted.room, posted.message, posted.client) == ("demo", "m1", "ada")
    assert (posted.text, posted.documents, posted.actor) == ("Hello", {"main.md": 7}, "Ada")


@pytest.mark.parametrize("text", ["", " \n\t", "a\x00b", "\ud800"])
def test_what_is_no_text_cannot_be_said(text: str) -> None:
    with pytest.raises(TextInvalid):
        post(text)


@pytest.mark.parametrize("text", ["a" * CHAT_BYTES, "é" * (CHAT_BYTES // 2), " indented\n"])
def test_a_long_message_can_be_said(text: str) -> None:
    assert post(text).text == text


@pytest.mark.parametrize("text", ["a" * (CHAT_BYTES + 1), "é" * (CHAT_BYTES // 2) + "a"])
def test_a_longer_one_cannot_whatever_it_is_made_of(text: str) -> None:
    with pytest.raises(OpTooLarge) as refused:
        post(text)
    assert refused.value.facts == {"limit": CHAT_BYTES}


def test_a_resend_is_the_same_message() -> None:
    post("Hello").check_resend(client="ada", text="Hello")


@pytest.mark.parametrize(("client", "text"), [("ada", "Hallo"), ("ben", "Hello")])
def test_another_message_under_the_same_id_is_refused(client: str, text: str) -> None:
    with pytest.raises(IdReused) as refused:
        post("Hello").check_resend(client=client, text=text)
    assert refused.value.facts == {"id": "m1"}


# What becomes of a message.


def a_said(text: str = "Hello") -> Message:
    message = post(text)
    message.collect_events()
    return message


def test_a_resend_is_the_same_message_whatever_it_says_by_now() -> None:
    message = a_said()
    message.edit("Hello @ben", mentions=["ben"], actor="Ada", at=NOON)
    message.check_resend(client="ada", text="Hello")
    with pytest.raises(IdReused):
        message.check_resend(client="ada", text="Hello @ben")
    with pytest.raises(IdReused):
        message.check_resend(client="ada", text="Hello", reply_to="m0")


def test_the_author_says_it_otherwise_and_nobody_else() -> None:
    message = a_said()
    with pytest.raises(Forbidden):
        message.edit("Ha", mentions=[], actor="Ben", at=NOON)
    with pytest.raises(TextInvalid):
        message.edit(" ", mentions=[], actor="Ada", at=NOON)
    message.edit("Hello", mentions=[], actor="Ada", at=NOON)
    assert not collect(message), "it says that already"
    message.edit("Hello @ben", mentions=["ben"], actor="Ada", at=NOON)
    [edited] = collect(message)
    assert isinstance(edited, Edited)
    assert (edited.text, edited.mentions, message.text) == ("Hello @ben", ["ben"], "Hello @ben")


def test_an_edit_knows_whom_it_is_the_first_to_speak_to() -> None:
    message = a_said()
    newly = []
    for mentions in (["ben"], ["ben", "cem"], [], ["cem", "ben"]):
        message.edit(f"{mentions}", mentions=mentions, actor="Ada", at=NOON)
    for event in collect(message):
        assert isinstance(event, Edited)
        newly.append(event.newly)
    assert newly == [["ben"], ["cem"], [], []]


def test_a_message_is_edited_only_so_often() -> None:
    message = a_said()
    for number in range(EDITS_PER_MESSAGE):
        message.edit(f"{number}", mentions=[], actor="Ada", at=NOON)
    with pytest.raises(LimitReached):
        message.edit("once more", mentions=[], actor="Ada", at=NOON)


def test_a_deleted_message_stays_so_and_takes_nothing_more() -> None:
    message = a_said()
    message.delete(actor="Ben", at=NOON)
    message.delete(actor="Ada", at=NOON)
    [deleted] = collect(message)
    assert (type(deleted), deleted.actor) == (Deleted, "Ben")
    changes: list[Callable[[], None]] = [
        lambda: message.edit("x", mentions=[], actor="Ada", at=NOON),
        lambda: message.react("👍", actor="Ada", at=NOON),
        lambda: message.unreact("👍", actor="Ada", at=NOON),
        lambda: message.pin(is_pinned=True, actor="Ada", at=NOON),
    ]
    for change in changes:
        with pytest.raises(NotFound):
            change()
    message.check_resend(client="ada", text="Hello")


def test_a_reaction_is_there_once_and_goes_with_its_last_user() -> None:
    message = a_said()
    for user in ("Ada", "Ben", "Ada"):
        message.react("👍", actor=user, at=NOON)
    assert message.reactions == {"👍": ("Ada", "Ben")}
    for user in ("Ada", "Ada", "Ben"):
        message.unreact("👍", actor=user, at=NOON)
    assert message.reactions == {}
    assert [type(event) for event in collect(message)] == [ReactionAdded] * 2 + [ReactionRemoved] * 2


def test_a_message_has_only_so_many_reactions() -> None:
    message = a_said()
    for number in range(EMOJI_PER_MESSAGE):
        message.react(f"emoji {number}", actor="Ada", at=NOON)
    with pytest.raises(LimitReached):
        message.react("one more", actor="Ada", at=NOON)
    for number in range(REACTIONS_PER_MESSAGE - EMOJI_PER_MESSAGE):
        message.react("emoji 1", actor=f"user-{number}", at=NOON)
    with pytest.raises(LimitReached):
        message.react("emoji 1", actor="one-more", at=NOON)
    assert message.weight > 100_000


def test_a_pin_is_put_in_and_out() -> None:
    message = a_said()
    for is_pinned in (False, True, True, False):
        message.pin(is_pinned=is_pinned, actor="Ben", at=NOON)
    assert [type(event) for event in collect(message)] == [Pinned, Unpinned]


def test_a_copy_goes_its_own_way() -> None:
    message = a_said()
    message.react("👍", actor="Ada", at=NOON)
    twin = copy.copy(message)
    twin.react("👍", actor="Ben", at=NOON)
    twin.unreact("👍", actor="Ada", at=NOON)
    assert (message.reactions, twin.reactions) == ({"👍": ("Ada",)}, {"👍": ("Ben",)})


def bring(**other: Any) -> Message:
    fields: dict[str, Any] = {
        "source": "lab",
        "author": "Eve",
        "posted": 1,
        "text": "Before",
        "documents": {},
        "reply_to": None,
        "mentions": [],
        "link": None,
        "edits": 1,
        "edited": 2,
        "deleted": None,
        "pinned": 3,
        "reactions": [["👍", "Ben", 4], ["👍", "Cem", 5]],
    }
    return Message.bring("demo", "m1", actor="Ada", at=NOON, **{**fields, **other})


def test_an_imported_message_goes_on_from_where_it_stood() -> None:
    message = bring()
    assert (message.author, message.client, message.edits, message.is_pinned) == ("Eve", None, 1, True)
    assert message.reactions == {"👍": ("Ben", "Cem")}
    message.edit("After", mentions=[], actor="Eve", at=NOON)
    imported, _ = collect(message)
    assert isinstance(imported, Imported)
    message.check_resend(client=None, text="Before")


def test_only_a_deleted_message_comes_without_text() -> None:
    assert bring(deleted=6, text="").is_deleted
    with pytest.raises(TextInvalid):
        bring(text="")
    with pytest.raises(LimitReached):
        bring(reactions=[["👍", f"user-{number}", 1] for number in range(REACTIONS_PER_MESSAGE + 1)])


# Whom it speaks to.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@ben look", ["ben"]),
        ("look, @ben.", ["ben"]),
        ("(@ben @ada-1 @ben)", ["ben", "ada-1"]),
        ("ben@example.org", []),
        ("a@b @", []),
        ("@@ben", []),
        ("@Ünal", []),
        ("é@ben", []),
        ("\n@ben_1\n", ["ben_1"]),
        (f"@{'x' * 64} @{'y' * 65}", ["x" * 64]),
    ],
)
def test_a_text_mentions_whom_it_names(text: str, expected: list[str]) -> None:
    assert mentioned_in(text) == expected


def test_a_text_mentions_only_so_many() -> None:
    text = " ".join(f"@user{number}" for number in range(10_000))
    assert len(mentioned_in(text)) == MENTIONS_PER_MESSAGE
