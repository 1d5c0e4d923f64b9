"""Profiles of people."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.aggregate import Event
from domain.colours import colour_of
from domain.errors import ProfileInvalid, TextInvalid
from domain.limits import AVATAR_CODE_POINTS
from domain.profile import (
    Disabled,
    Enabled,
    Profile,
    ProfileChanged,
    ProfileCreated,
    SignedOut,
    check_avatar,
    initials_of,
)
from tests.domain.events import NOON, collect, fold, later

AVATAR = "https://example.org/ada.png?size=64"


def a_profile() -> Profile:
    """Ada's, with nothing pending."""
    profile = Profile.create("ada", "Ada", actor="ada", at=NOON)
    collect(profile)
    return profile


def change(
    profile: Profile, *, name: str | None = None, colour: str | None = None, avatar: str | None = None
) -> list[Event]:
    profile.change(name=name, colour=colour, avatar=avatar, actor="ada", at=later())
    return collect(profile)


# Creating.


def test_a_profile_begins_with_a_name_the_users_own_colour_and_no_avatar() -> None:
    [created] = collect(Profile.create("ada", " Ada  Lovelace", actor="@server", at=NOON))
    assert isinstance(created, ProfileCreated)
    assert (created.originator_id, created.originator_version) == ("profile:/ada", 1)
    assert (created.user, created.name, created.colour) == ("ada", "Ada Lovelace", colour_of("ada"))
    assert (created.avatar, created.actor, created.timestamp) == ("", "@server", NOON)


def test_nobody_begins_with_a_name_that_is_none() -> None:
    with pytest.raises(TextInvalid):
        Profile.create("ada", "\u202eada", actor="ada", at=NOON)


# Changing.


@pytest.mark.parametrize(
    ("given_fields", "stored"),
    [
        ({"name": " Ada  L. "}, ("Ada L.", colour_of("ada"), "")),
        ({"colour": "#4C75F0"}, ("Ada", "#4c75f0", "")),
        ({"avatar": AVATAR}, ("Ada", colour_of("ada"), AVATAR)),
        ({"name": "A", "colour": "#ee2f2f", "avatar": AVATAR}, ("A", "#ee2f2f", AVATAR)),
    ],
)
def test_what_is_given_is_changed_and_the_rest_stays(
    given_fields: dict[str, str], stored: tuple[str, str, str]
) -> None:
    profile = a_profile()
    [changed] = change(profile, **given_fields)
    assert isinstance(changed, ProfileChanged)
    assert (changed.name, changed.colour, changed.avatar) == stored
    assert (profile.name, profile.colour, profile.avatar) == stored
    assert (changed.actor, changed.timestamp) == ("ada", later())


def test_an_avatar_can_be_taken_away_again() -> None:
    profile = a_profile()
    change(profile, avatar=AVATAR)
    [changed] = change(profile, avatar="")
    assert isinstance(changed, ProfileChanged)
    assert changed.avatar == ""


def test_what_changes_nothing_is_no_event() -> None:
    profile = a_profile()
    assert change(profile) == []
    assert change(profile, name="  Ada ", colour=colour_of("ada").upper(), avatar="") == []


@pytest.mark.parametrize(
    ("given_fields", "error"),
    [
        ({"name": ""}, TextInvalid),
        ({"colour": "red"}, ProfileInvalid),
        ({"colour": "#ffffff"}, ProfileInvalid),
        ({"avatar": "http://example.org/"}, ProfileInvalid),
    ],
)
def test_one_wrong_field_changes_nothing(given_fields: dict[str, str], error: type[Exception]) -> None:
    profile = a_profile()
    with pytest.raises(error):
        change(profile, **{"name": "B", "colour": "#ee2f2f", "avatar": AVATAR, **given_fields})
    assert collect(profile) == []
    assert (profile.name, profile.colour, profile.avatar) == ("Ada", colour_of("ada"), "")


@pytest.mark.parametrize(
    "avatar",
    [
        "",
        AVATAR,
        "https://xn--bcher-kva.example/a%20b.png",
        "https://[2001:db8::1]:8443/a#b",
        "https://example.org/" + "a" * (AVATAR_CODE_POINTS - 20),
    ],
)
def test_an_avatar_is_a_url_over_tls_or_empty(avatar: str) -> None:
    assert check_avatar(avatar) == avatar


@pytest.mark.parametrize(
    "avatar",
    [
        "http://example.org/a.png",
        "javascript:alert(1)",
        "data:image/svg+xml,<svg/>",
        "//example.org/a.png",
        "/a.png",
        "https:",
        "https:///a.png",
        "https:a.png",
        "https:\\\\example.org",
        "https://:443/a.png",
        "https://ada:secret@example.org/a.png",
        "https://example.org\\@evil.example/",
        "https://[::1/a.png",
        "https://example.org/a b.png",
        " https://example.org/a.png",
        "https://example.org/\n",
        "java\tscript:alert(1)",
        "https://example.org/\x00",
        "https://bücher.example/a.png",
        "https://example.org/\u202e",
        "https://example.org/" + "a" * (AVATAR_CODE_POINTS - 19),
    ],
)
def test_nothing_else_is_an_avatar(avatar: str) -> None:
    with pytest.raises(ProfileInvalid) as refused:
        check_avatar(avatar)
    assert refused.value.facts == {"field": "avatar"}


# Who comes in.


def at_second(second: int, microsecond: int = 0) -> datetime:
    return NOON.replace(second=second, microsecond=microsecond)


def test_whoever_has_never_signed_out_comes_in() -> None:
    assert a_profile().lets_in(NOON.replace(year=1990))


@pytest.mark.parametrize(
    ("issued", "is_let_in"),
    [
        (at_second(4), False),
        (at_second(5), False),  # perhaps before: a token does not say at which moment of the second
        (at_second(6), True),
    ],
)
def test_what_was_issued_until_somebody_signed_out_lets_nobody_in(issued: datetime, is_let_in: bool) -> None:
    profile = a_profile()
    profile.sign_out(actor="ada", at=at_second(5, 700_000))
    [signed_out] = collect(profile)
    assert isinstance(signed_out, SignedOut)
    assert (signed_out.actor, signed_out.timestamp) == ("ada", at_second(5, 700_000))
    assert profile.lets_in(issued) is is_let_in


def test_signing_out_again_voids_what_was_issued_since() -> None:
    profile = a_profile()
    for second in (5, 9):
        profile.sign_out(actor="ada", at=at_second(second))
    assert [type(event) for event in collect(profile)] == [SignedOut, SignedOut]
    assert not profile.lets_in(at_second(9))
    assert profile.lets_in(at_second(10))


def test_signing_out_is_never_taken_back_by_a_clock_that_is_slow() -> None:
    profile = a_profile()
    for second in (9, 9, 5):
        profile.sign_out(actor="ada", at=at_second(second))
    assert len(collect(profile)) == 1
    assert not profile.lets_in(at_second(9))


def test_who_is_disabled_is_kept_out_until_enabled_again() -> None:
    profile = a_profile()
    profile.disable(actor="root", at=later())
    profile.disable(actor="root", at=later())
    assert not profile.lets_in(later(1_000))
    profile.enable(actor="root", at=later())
    profile.enable(actor="root", at=later())
    assert profile.lets_in(later(1_000))
    assert [(type(event), event.actor) for event in collect(profile)] == [
        (Disabled, "root"),
        (Enabled, "root"),
    ]


def test_being_enabled_again_does_not_bring_old_tokens_back() -> None:
    profile = a_profile()
    profile.sign_out(actor="ada", at=at_second(5))
    profile.disable(actor="root", at=at_second(6))
    profile.enable(actor="root", at=at_second(7))
    assert not profile.lets_in(at_second(5))


@given(st.lists(st.tuples(st.sampled_from(["name", "colour", "out", "off", "on"]), st.integers(0, 3))))
def test_a_reader_of_the_log_sees_the_profile_that_was_decided_on(commands: list[tuple[str, int]]) -> None:
    profile = Profile.create("ada", "Ada", actor="ada", at=NOON)
    events = collect(profile)
    for command, number in commands:
        for is_again in (False, True):
            if command == "name":
                profile.change(name=f"A{number}", colour=None, avatar=None, actor="ada", at=later(number))
            elif command == "colour":
                profile.change(
                    name=None, colour=colour_of(f"{number}"), avatar=None, actor="ada", at=later(number)
                )
            elif command == "out":
                profile.sign_out(actor="ada", at=later(number))
            else:
                decide = profile.disable if command == "off" else profile.enable
                decide(actor="root", at=later(number))
            decided = collect(profile)
            assert not is_again or decided == []
            events += decided
    assert vars(fold(events)) == vars(profile)


# Initials.


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Ada", "A"),
        ("ada lovelace", "AL"),
        ("Ada King Lovelace", "AL"),
        ("Élodie d'Été", "ÉÉ"),
        ("李 小龍", "李小"),
        ("🎉 party", "P"),
        ("🎉", "🎉"),
        ("(Ada)", "A"),
        ("4 you", "4Y"),
    ],
)
def test_who_has_no_image_has_initials(name: str, initials: str) -> None:
    assert initials_of(name) == initials
