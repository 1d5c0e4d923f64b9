"""Stays of clients in rooms, and what the clients are doing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attendance import (
    AWAY_SECONDS,
    IDLE_SECONDS,
    Appearance,
    Attendance,
    Joined,
    Left,
    Liveliness,
    Status,
    StatusChanged,
    liveliest,
)
from domain.colours import colour_of
from domain.instants import as_microseconds
from tests.domain.events import NOON, collect, fold, later

ADA = Appearance("Ada Lovelace", "#4c75f0", "https://example.org/ada.png", version=4)


def a_stay(connected: int | None = None) -> Attendance:
    return Attendance.join(
        "demo",
        "s1",
        client="ada-1",
        node="node-1",
        appearance=ADA,
        actor="ada",
        at=NOON,
        connected=connected,
    )


# Stays.


def test_a_stay_begins_with_who_came_where_and_over_which_node() -> None:
    [joined] = collect(a_stay())
    assert isinstance(joined, Joined)
    assert (joined.originator_id, joined.originator_version) == ("attendance:demo/s1", 1)
    assert (joined.room, joined.session, joined.client) == ("demo", "s1", "ada-1")
    assert (joined.node, joined.actor, joined.timestamp) == ("node-1", "ada", NOON)


def test_a_stay_keeps_how_its_user_looked() -> None:
    [joined] = collect(a_stay())
    assert isinstance(joined, Joined)
    assert (joined.name, joined.colour, joined.avatar) == (ADA.name, ADA.colour, ADA.avatar)
    assert joined.profile == 4


@pytest.mark.parametrize(("connected", "stored"), [(None, as_microseconds(NOON)), (7, 7), (0, 0)])
def test_a_client_that_does_not_say_when_it_connected_did_so_now(connected: int | None, stored: int) -> None:
    [joined] = collect(a_stay(connected))
    assert isinstance(joined, Joined)
    assert joined.connected == stored


def test_an_old_stay_is_of_somebody_who_looks_as_their_name_says() -> None:
    state = {"actor": "Ada", "timestamp": NOON}
    Joined.upcast_v1_v2(state)
    Joined.upcast_v2_v3(state)
    assert state == {
        "actor": "Ada",
        "timestamp": NOON,
        "connected": as_microseconds(NOON),
        "name": "Ada",
        "colour": colour_of("Ada"),
        "avatar": "",
        "profile": 0,
    }


def test_a_stay_ends_with_a_reason() -> None:
    stay = a_stay()
    collect(stay)
    assert not stay.has_left
    stay.leave("lost", actor="ada", at=later())
    [left] = collect(stay)
    assert isinstance(left, Left)
    assert (left.client, left.reason, left.originator_version) == ("ada-1", "lost", 2)
    assert stay.has_left


def test_a_stay_ends_once() -> None:
    stay = a_stay()
    stay.leave("left", actor="ada", at=later())
    events = collect(stay)
    for ended in (stay, fold(events)):
        ended.leave("lost", actor="ada", at=later())
        assert collect(ended) == []


# What a stay says that its client is doing.


def test_a_status_is_told_with_its_cause() -> None:
    stay = a_stay()
    collect(stay)
    stay.change_status(Status.RUNNING, "declared", actor="ada", at=later())
    [changed] = collect(stay)
    assert isinstance(changed, StatusChanged)
    assert (changed.client, changed.status, changed.cause) == ("ada-1", "running", "declared")
    assert (changed.actor, changed.timestamp) == ("ada", later())


def test_a_status_is_told_when_it_changes_and_not_again() -> None:
    stay = a_stay()
    told = []
    for status in (Status.IDLE, Status.EDITING, Status.EDITING, Status.IDLE, Status.AWAY, Status.AWAY):
        stay.change_status(status, "derived", actor="ada", at=later())
        told += [event.status for event in collect(stay) if isinstance(event, StatusChanged)]
    assert told == ["editing", "idle", "away"]


def test_who_has_left_does_nothing_any_more() -> None:
    stay = a_stay()
    stay.change_status(Status.EDITING, "derived", actor="ada", at=later())
    stay.leave("left", actor="ada", at=later())
    events = collect(stay)
    for ended in (stay, fold(events)):
        assert ended.status is Status.OFFLINE
        ended.change_status(Status.EDITING, "derived", actor="ada", at=later())
        assert collect(ended) == []


def test_nobody_is_offline_while_they_stay() -> None:
    with pytest.raises(AssertionError):
        a_stay().change_status(Status.OFFLINE, "declared", actor="ada", at=later())


# What follows from what a client does.


def status_after(script: str, *, wait: float = 0.0) -> Status:
    """The status of a client that came, did what `script` says one second apart, then waited.

    E: an edit, A: another sign of attention, e, r, i, a: declares this, -: takes what it declared back.
    """
    liveliness = Liveliness(now := 100.0)
    declared = {"e": Status.EDITING, "r": Status.RUNNING, "i": Status.IDLE, "a": Status.AWAY, "-": None}
    for step in script:
        now += 1.0
        if step == "E":
            liveliness.on_edit(now)
        elif step == "A":
            liveliness.on_activity(now)
        else:
            liveliness.declare(declared[step], now)
    return liveliness.status(now + wait)


JUST_NOT = 0.001


@pytest.mark.parametrize(
    ("script", "wait", "status"),
    [
        # Who came and did nothing.
        ("", 0, Status.IDLE),
        ("", AWAY_SECONDS - JUST_NOT, Status.IDLE),
        ("", AWAY_SECONDS, Status.AWAY),
        # Who edits.
        ("E", 0, Status.EDITING),
        ("E", IDLE_SECONDS - JUST_NOT, Status.EDITING),
        ("E", IDLE_SECONDS, Status.IDLE),
        ("E", AWAY_SECONDS - JUST_NOT, Status.IDLE),
        ("E", AWAY_SECONDS, Status.AWAY),
        # Who only looks around.
        ("A", 0, Status.IDLE),
        ("A", AWAY_SECONDS, Status.AWAY),
        ("EA", IDLE_SECONDS - 1 - JUST_NOT, Status.EDITING),
        ("EA", IDLE_SECONDS - 1, Status.IDLE),
        ("EA", AWAY_SECONDS - JUST_NOT, Status.IDLE),
        # Running holds, whatever is done, until something else is declared.
        ("r", 10 * AWAY_SECONDS, Status.RUNNING),
        ("rE", 0, Status.RUNNING),
        ("rEA", 10 * AWAY_SECONDS, Status.RUNNING),
        ("r-", 0, Status.IDLE),
        ("rE-", 0, Status.EDITING),
        ("ra", 0, Status.AWAY),
        ("re", 0, Status.EDITING),
        ("re", IDLE_SECONDS, Status.IDLE),
        # What else is declared holds until something is done.
        ("a", 0, Status.AWAY),
        ("Ea", 0, Status.AWAY),
        ("aE", 0, Status.EDITING),
        ("aA", 0, Status.IDLE),
        ("EaA", 0, Status.EDITING),
        ("i", 10 * AWAY_SECONDS, Status.IDLE),
        ("Ei", 0, Status.IDLE),
        ("iE", 0, Status.EDITING),
        ("iA", AWAY_SECONDS, Status.AWAY),
        # Declared editing is as good as an edit, and no better.
        ("e", 0, Status.EDITING),
        ("e", IDLE_SECONDS, Status.IDLE),
        ("e", AWAY_SECONDS, Status.AWAY),
        ("ae", 0, Status.EDITING),
        # Taking back what was declared is a sign of attention.
        ("a-", 0, Status.IDLE),
        ("a-", AWAY_SECONDS - JUST_NOT, Status.IDLE),
        ("-", AWAY_SECONDS, Status.AWAY),
    ],
)
def test_a_status_follows_from_what_was_done_and_declared_last(
    script: str, wait: float, status: Status
) -> None:
    assert status_after(script, wait=wait) is status


def test_who_pauses_for_thought_is_idle_after_a_minute_and_away_after_five() -> None:
    assert (IDLE_SECONDS, AWAY_SECONDS) == (60.0, 300.0)


@given(st.text("EAeria-", max_size=8), st.floats(0, 1_000), st.floats(0, 1_000))
def test_nobody_becomes_livelier_by_doing_nothing(script: str, wait: float, more: float) -> None:
    statuses = [status_after(script, wait=wait), status_after(script, wait=wait + more)]
    assert liveliest(statuses) is statuses[0]


@given(st.text("EAeria-", max_size=8), st.floats(0, 1_000))
def test_nobody_is_offline_who_is_here(script: str, wait: float) -> None:
    assert status_after(script, wait=wait) is not Status.OFFLINE


# Several places of one person.


@pytest.mark.parametrize(
    ("statuses", "seen"),
    [
        ([], Status.OFFLINE),
        ([Status.AWAY], Status.AWAY),
        ([Status.OFFLINE, Status.AWAY], Status.AWAY),
        ([Status.AWAY, Status.IDLE], Status.IDLE),
        ([Status.IDLE, Status.RUNNING, Status.AWAY], Status.RUNNING),
        ([Status.RUNNING, Status.EDITING], Status.EDITING),
        ([Status.EDITING, Status.EDITING], Status.EDITING),
    ],
)
def test_a_person_is_seen_as_where_they_are_liveliest(statuses: list[Status], seen: Status) -> None:
    assert liveliest(statuses) is seen
    assert liveliest(statuses[::-1]) is seen
