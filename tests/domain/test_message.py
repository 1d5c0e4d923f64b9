"""Chat messages."""

from __future__ import annotations

import pytest

from domain.errors import IdReused, OpTooLarge, TextInvalid
from domain.limits import CHAT_BYTES
from domain.message import Message, Posted
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
