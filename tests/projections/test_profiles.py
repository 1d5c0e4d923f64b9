"""Profiles, as the fold of one page tells them."""

from __future__ import annotations

import pytest
from hypothesis import given

from domain.aggregate import Event
from domain.ids import profile_stream
from domain.profile import Profile
from projections.profiles import ProfileEntry, fold, search_key
from tests.domain import events
from tests.domain.events import NOON, collect, later
from tests.projections.histories import USERS, histories


def a_profile() -> Profile:
    profile = Profile.create("ada", "Ada", actor="ada", at=NOON)
    profile.change(name="Ada L.", colour=None, avatar="https://a.example/a.png", actor="ada", at=later(1))
    profile.sign_out(actor="ada", at=later(2))
    return profile


def test_a_profile_is_as_it_was_changed_last() -> None:
    [entry] = fold(collect(a_profile())).values()
    assert entry == ProfileEntry(
        "ada", "Ada L.", a_profile().colour, "https://a.example/a.png", NOON, later(1)
    )


def test_a_page_that_begins_later_does_not_tell_of_the_beginning() -> None:
    _, changed, signed_out = collect(a_profile())
    assert fold([changed])["ada"].created_at is None
    assert fold([signed_out]) == {}


@given(histories())
def test_a_profile_is_what_the_aggregate_says(log: list[Event]) -> None:
    entries = fold(log)
    for user in USERS:
        profile = events.fold([event for event in log if event.originator_id == profile_stream(user)])
        entry = entries.get(user)
        assert (entry is None) == (profile is None)
        if entry is not None:
            assert (entry.user, entry.name, entry.colour) == (user, profile.name, profile.colour)
            assert entry.created_at == profile.created_on


@pytest.mark.parametrize(
    ("one", "other"),
    [("ADA", "ada"), ("Straße", "STRASSE"), ("Ångström", "a\u030angström"), ("İ", "i\u0307")],
)
def test_names_that_differ_in_case_and_form_alone_are_searched_as_one(one: str, other: str) -> None:
    assert search_key(one) == search_key(other)


def test_names_that_differ_otherwise_are_two() -> None:
    assert len({search_key(name) for name in ("ada", "åda", "a", "a%a", "a_a", "本")}) == 6
