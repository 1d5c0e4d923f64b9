"""What is one emoji."""

from __future__ import annotations

import pytest
from emoji import EMOJI_DATA, STATUS

from domain.limits import EMOJI_CODE_POINTS
from interfaces.emojis import as_emoji

ONE = ["👍", "👍🏽", "👨‍👩‍👧‍👦", "🇩🇪", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "❤️‍🔥", "👩🏽‍💻"]

NONE = [
    *("", "a", "1", "#", "\ufe0f", "\u200d", "👍👍", "👍 ", " 👍", "👍a", "🇩", "🏽", "👨‍👩", "<b>", "\x00"),
    "👍" + "\ufe0f" * 10_000,
    "👨‍" * 5 + "👨",
]


@pytest.mark.parametrize("emoji", ONE, ids=ascii)
def test_one_emoji_is_one_whatever_it_is_made_of(emoji: str) -> None:
    assert as_emoji(emoji) == emoji


@pytest.mark.parametrize(("typed", "full"), [("❤", "❤️"), ("☺", "☺️"), ("1⃣", "1️⃣")], ids=ascii)
def test_it_comes_back_as_it_is_to_be_shown(typed: str, full: str) -> None:
    assert as_emoji(typed) == as_emoji(full) == full


@pytest.mark.parametrize("other", NONE, ids=lambda other: ascii(other[:9]))
def test_everything_else_is_none(other: str) -> None:
    assert as_emoji(other) is None


def test_every_emoji_of_unicode_is_short_enough() -> None:
    full = [value for value, data in EMOJI_DATA.items() if data["status"] == STATUS["fully_qualified"]]
    assert len(full) > 3_000
    assert all(as_emoji(value) == value for value in full)
    assert max(map(len, full)) <= EMOJI_CODE_POINTS
