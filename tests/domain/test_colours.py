"""Colours of people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.colours import CONTRAST_LEAST, DARK, LIGHT, PALETTE, check_colour, colour_of, contrast
from domain.errors import ProfileInvalid

# White against our dark ground is 16.7 to 1, so no colour has more than 4.08, its square root, on both.
PALETTE_CONTRAST = 4.0


@pytest.mark.parametrize("colour", PALETTE)
@pytest.mark.parametrize("ground", [LIGHT, DARK])
def test_every_colour_of_the_palette_can_be_read_on_both_grounds(colour: str, ground: str) -> None:
    assert contrast(colour, ground) >= PALETTE_CONTRAST


def test_the_palette_has_no_colour_twice_and_all_in_their_stored_form() -> None:
    assert len(set(PALETTE)) == len(PALETTE)
    assert [check_colour(colour) for colour in PALETTE] == list(PALETTE)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#000000", 21.0),
        ("#777777", "#ffffff", 4.48),  # the well-known grey that just fails 4.5
        ("#767676", "#ffffff", 4.54),
        ("#0000ff", "#ffffff", 8.59),
        ("#ff0000", "#ffffff", 4.0),
        ("#00ff00", "#ffffff", 1.37),
        ("#1e1e1e", "#1e1e1e", 1.0),
    ],
)
def test_a_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)


@given(st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}"))
def test_a_colour_is_taken_exactly_when_it_can_be_read_on_both_grounds(colour: str) -> None:
    is_readable = all(contrast(colour, ground) >= CONTRAST_LEAST for ground in (LIGHT, DARK))
    assert is_taken(colour) is is_readable
    assert is_taken(colour.upper()) is is_readable


@given(st.integers(0, 255))
def test_of_greys_those_in_the_middle_are_taken(level: int) -> None:
    """With an answer known from elsewhere: #949494 is the lightest grey with 3:1 on white; on #1e1e1e the
    darkest is #696969."""
    assert is_taken(f"#{level:02x}{level:02x}{level:02x}") is (0x69 <= level <= 0x94)


def is_taken(colour: str) -> bool:
    try:
        return check_colour(colour) == colour.lower()
    except ProfileInvalid:
        return False


@pytest.mark.parametrize(
    "colour",
    [
        "",
        "#",
        "red",
        "#4c7",
        "4c75f0",
        "#4c75f",
        "#4c75f0a",
        "#4c75f0\n",
        " #4c75f0",
        "#4c75fg",
        "#４c75f0",
        "url(x)",
    ],
)
def test_what_is_written_otherwise_is_no_colour(colour: str) -> None:
    with pytest.raises(ProfileInvalid) as refused:
        check_colour(colour)
    assert refused.value.facts == {"field": "colour"}


@pytest.mark.parametrize(
    ("user", "colour"), [("ada", "#238b8b"), ("ben", "#c76123"), ("Ada 😀", "#ed2671"), ("", "#ee2f2f")]
)
def test_the_colour_of_a_user_is_the_same_for_ever(user: str, colour: str) -> None:
    """It is not stored before somebody has a profile, so that it must not depend on the process."""
    assert colour_of(user) == colour


@given(st.text())
def test_everybody_has_a_colour(user: str) -> None:
    assert colour_of(user) in PALETTE
    assert colour_of(user) == colour_of(user)


def test_colours_are_spread_over_users() -> None:
    assert {colour_of(f"user-{number}") for number in range(200)} == set(PALETTE)
