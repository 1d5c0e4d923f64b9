"""Names: what is kept of what somebody calls himself, and what is not taken."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.limits import NAME_CODE_POINTS
from domain.names import MARKS_IN_A_ROW, as_name


@pytest.mark.parametrize(
    "name", ["Ada", "Ada Lovelace", "日本 太郎", "Ольга", "Nguyễn Thị Ánh", "😀", "x" * 64]
)
def test_what_people_are_called_stays_as_it_is(name: str) -> None:
    assert as_name(name) == unicodedata.normalize("NFC", name)


def test_a_name_is_composed_and_without_space_around_it() -> None:
    assert as_name("  Zoe\u0308\n") == "Zo\u00eb"
    assert as_name("e\u0301" * NAME_CODE_POINTS) == "\u00e9" * NAME_CODE_POINTS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "x" * (NAME_CODE_POINTS + 1),
        "x" * 10_240,
        "admin\u200b",
        "ad\u202emin",
        "a\nb",
        "a\x00b",
        "a\x1b[2J",
        "a\u2028b",
        "\ud800",
        "\u3164",
        "x" + "\u0301\u0302\u0303\u0304\u0305\u0306",
        "Z" + "\u0334" * 60,
    ],
)
def test_what_cannot_be_seen_as_it_is_is_no_name(text: str) -> None:
    assert as_name(text) is None


def test_a_letter_may_carry_some_marks() -> None:
    assert as_name("x" + "\u0334" * MARKS_IN_A_ROW) is not None
    assert as_name("x" + "\u0334" * (MARKS_IN_A_ROW + 1)) is None


@given(st.text(max_size=80))
def test_a_name_stays_the_same_when_it_is_checked_again(text: str) -> None:
    name = as_name(text)
    assert name is None or (as_name(name) == name and len(name) <= NAME_CODE_POINTS)
