"""Names of people and titles of rooms."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import TextInvalid
from domain.limits import NAME_CODE_POINTS
from domain.names import MARKS_IN_A_ROW, as_name, normal_name

# What names are made of, and what they must not hold, close together so that they meet.
PIECES = st.sampled_from(
    [
        "a",
        "Z",
        "é",
        "e\u0301",
        "ệ",
        "\u0323",
        "\u0302",
        "本",
        "한",
        "\u1112",
        "\u1161",
        "😀",
        "\u2764\ufe0f",
        " ",
        "\u00a0",
        "\u3000",
        "\t",
        "\u200b",
        "\u202e",
        "\x00",
        "\u3164",
        "\u2126",
        "\ufb1d",
    ]
)
VALUES = st.lists(PIECES, max_size=20).map("".join) | st.text(max_size=80)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Ada", "Ada"),
        ("  Ada   Lovelace ", "Ada Lovelace"),
        ("Ada\u00a0Lovelace\u3000", "Ada Lovelace"),
        ("Jose\u0301", "José"),
        ("José", "José"),
        ("\u1112\u1161\u11ab", "한"),
        ("\u2126", "\u03a9"),  # the ohm sign is an omega
        ("ﬁ", "ﬁ"),  # NFC and not NFKC: what looks otherwise stays
        ("O'Brien-Smith, Jr.", "O'Brien-Smith, Jr."),
        ("😀", "😀"),
        ("\u2764\ufe0f", "\u2764\ufe0f"),
        ("Nguyễn", "Nguyễn"),
    ],
)
def test_a_name_has_one_stored_form(value: str, name: str) -> None:
    assert normal_name(value) == name
    assert as_name(value) is not None


@pytest.mark.parametrize(
    "value",
    [
        "{0.__class__}",
        "%s%n",
        "{name!r:>10}",
        "$(id)",
        "`id`",
        "<b>a</b>",
        "\\u202e",
        "'; --",
        "&lt;",
        "null",
    ],
)
def test_what_looks_like_code_stands_as_it_is(value: str) -> None:
    assert normal_name(value) == value


def refused(value: str) -> TextInvalid:
    assert as_name(value) is None
    with pytest.raises(TextInvalid) as caught:
        normal_name(value)
    return caught.value


@pytest.mark.parametrize("character", ["\u202a", "\u202b", "\u202d", "\u202e", "\u2066", "\u2069", "\u200f"])
def test_what_turns_the_direction_of_its_surroundings_is_in_no_name(character: str) -> None:
    refused(f"Ada{character}nimdA")


@pytest.mark.parametrize(
    "character",
    [
        "\u200b",
        "\u200c",
        "\u200d",
        "\u2060",
        "\ufeff",
        "\u00ad",
        "\u180e",
        "\U000e0041",
        "\u034f",
        "\u115f",
        "\u1160",
        "\u17b4",
        "\u180b",
        "\u180f",
        "\u2800",
        "\u3164",
        "\uffa0",
        "\U000e0100",
    ],
)
def test_what_cannot_be_seen_is_in_no_name(character: str) -> None:
    refused(f"Ad{character}a")
    refused(character)


@pytest.mark.parametrize(
    "character",
    ["\x00", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ud800", "\ue000", "\uffff"],
)
def test_what_is_no_character_of_a_line_is_in_no_name(character: str) -> None:
    refused(f"Ada{character}Ben")
    refused(f"Ada{character}")


@pytest.mark.parametrize("value", ["", " ", "\u00a0", " \u3000\u2003 "])
def test_a_name_is_more_than_blanks(value: str) -> None:
    assert refused(value).facts == {"limit": NAME_CODE_POINTS}


@pytest.mark.parametrize("value", ["\u0301", "\u0301a", " \u0301a", "\u20dd", "\ufe0f", "\u0903"])
def test_a_name_does_not_begin_with_a_mark_that_would_go_onto_what_stands_before_it(value: str) -> None:
    refused(value)


def test_a_letter_has_so_many_marks_and_no_more() -> None:
    # "q" composes with nothing, so that every mark stays one.
    assert normal_name("q" + "\u0301" * MARKS_IN_A_ROW)
    assert refused("q" + "\u0301" * (MARKS_IN_A_ROW + 1)).facts == {"limit": MARKS_IN_A_ROW}
    assert normal_name(("q" + "\u0301" * MARKS_IN_A_ROW) * 3)
    refused("q" + "\u0301\u20dd" * MARKS_IN_A_ROW)


@pytest.mark.parametrize("letter", ["a", "本", "😀", "\u1f82"])
def test_a_name_is_as_long_as_it_is_in_its_stored_form(letter: str) -> None:
    assert normal_name(letter * NAME_CODE_POINTS) == letter * NAME_CODE_POINTS
    apart = unicodedata.normalize("NFD", letter)
    assert normal_name(apart * NAME_CODE_POINTS) == letter * NAME_CODE_POINTS
    for too_long in (letter * (NAME_CODE_POINTS + 1), apart * (NAME_CODE_POINTS + 1)):
        assert refused(too_long).facts == {"limit": NAME_CODE_POINTS}


def test_a_name_may_be_longer_before_its_blanks_are_taken() -> None:
    assert normal_name(" " * NAME_CODE_POINTS + "a" * NAME_CODE_POINTS) == "a" * NAME_CODE_POINTS


def test_ten_kilobytes_are_refused_before_anything_is_done_with_them() -> None:
    assert refused("a" * 10_240).facts == {"limit": NAME_CODE_POINTS}
    # Would be the first thing said of it otherwise.
    assert refused("\u202e" * 10_240).facts == {"limit": NAME_CODE_POINTS}


def test_no_composed_character_is_made_of_more_than_four() -> None:
    """What the first look at the length rests on."""
    longest = max(len(unicodedata.normalize("NFD", chr(point))) for point in range(0x110000))
    assert longest == 4


@given(VALUES)
def test_a_stored_name_is_its_own_stored_form(value: str) -> None:
    if as_name(value) is not None:
        name = normal_name(value)
        assert normal_name(name) == name
        assert unicodedata.is_normalized("NFC", name)
        assert 1 <= len(name) <= NAME_CODE_POINTS
        assert name == name.strip()
        assert "  " not in name
        assert name.isprintable()
        name.encode()


@given(VALUES)
def test_two_spellings_of_a_name_are_one(value: str) -> None:
    if as_name(value) is not None:
        apart = unicodedata.normalize("NFD", value)
        assert len(apart) > 4 * NAME_CODE_POINTS or normal_name(apart) == normal_name(value)


def test_what_is_no_name_is_none() -> None:
    assert as_name("  Zoe\u0308") == "Zo\u00eb"
    assert as_name("ad\u202emin") is None
