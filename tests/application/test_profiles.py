"""People as use cases."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from application.identity import Identity
from application.profiles import Profiles
from domain.colours import colour_of
from domain.errors import NotFound, ProfileInvalid, StoreUnavailable, TextInvalid, Unauthenticated
from domain.profile import Disabled, Enabled, ProfileChanged, ProfileCreated, SignedOut
from tests.application.fakes import FakeNode, FakeStore

STREAM = "profile:/ada"


def a_node(store: FakeStore) -> FakeNode:
    node = FakeNode(store)
    node.commits_by_itself = True
    return node


@pytest.fixture
def node() -> FakeNode:
    return a_node(FakeStore())


@pytest.fixture
def profiles(node: FakeNode) -> Profiles:
    return Profiles(node.lives, now=node.clock.now)


def identity(node: FakeNode, name: str | None = "Ada L.", *, issued: datetime | None = None) -> Identity:
    """That of Ada, by a token that was issued a moment ago."""
    moment = issued or node.clock.now().replace(microsecond=0)
    return Identity("ada", name, moment, moment + timedelta(hours=1))


def kinds(node: FakeNode) -> list[type]:
    return [type(event) for event in node.store.stream(STREAM)]


# Entering.


async def test_who_comes_for_the_first_time_gets_a_profile(node: FakeNode, profiles: Profiles) -> None:
    profile = await profiles.enter(identity(node))
    assert (profile.user, profile.name, profile.colour) == ("ada", "Ada L.", colour_of("ada"))
    [created] = node.store.stream(STREAM)
    assert isinstance(created, ProfileCreated)
    assert (created.actor, created.timestamp) == ("ada", node.clock.now())


@pytest.mark.parametrize("name", [None, "", "   ", "\u202eada", "x" * 65])
async def test_whose_token_tells_no_name_is_called_by_their_id(
    node: FakeNode, profiles: Profiles, name: str | None
) -> None:
    assert (await profiles.enter(identity(node, name))).name == "ada"


async def test_who_comes_again_is_known_and_not_read_again(node: FakeNode, profiles: Profiles) -> None:
    first = await profiles.enter(identity(node))
    reads = node.store.reads
    assert await profiles.enter(identity(node, "Another")) is first
    assert first.name == "Ada L."
    assert node.store.reads == reads
    assert kinds(node) == [ProfileCreated]


async def test_who_comes_to_two_nodes_at_once_gets_one_profile(node: FakeNode, profiles: Profiles) -> None:
    elsewhere = a_node(node.store)
    others = Profiles(elsewhere.lives, now=node.clock.now)
    found = await asyncio.gather(
        profiles.enter(identity(node, "One")),
        others.enter(identity(node, "Two")),
        profiles.enter(identity(node, "Three")),
    )
    assert kinds(node) == [ProfileCreated]
    assert len({profile.name for profile in found}) == 1


async def test_who_is_known_on_another_node_is_known_here(node: FakeNode, profiles: Profiles) -> None:
    await profiles.enter(identity(node))
    elsewhere = Profiles(a_node(node.store).lives, now=node.clock.now)
    assert (await elsewhere.enter(identity(node, "Another"))).name == "Ada L."
    assert kinds(node) == [ProfileCreated]


async def test_who_has_signed_out_needs_a_newer_token(node: FakeNode, profiles: Profiles) -> None:
    old = identity(node)
    await profiles.enter(old)
    node.clock.advance(5)
    await profiles.sign_out("ada", actor="ada")
    for issued in (old.issued, node.clock.now()):
        with pytest.raises(Unauthenticated):
            await profiles.enter(identity(node, issued=issued))
    assert await profiles.enter(identity(node, issued=node.clock.now() + timedelta(seconds=1)))


async def test_who_has_signed_out_is_kept_out_of_a_node_that_has_to_read_it(
    node: FakeNode, profiles: Profiles
) -> None:
    old = identity(node)
    await profiles.enter(old)
    await profiles.sign_out("ada", actor="ada")
    elsewhere = Profiles(a_node(node.store).lives, now=node.clock.now)
    with pytest.raises(Unauthenticated):
        await elsewhere.enter(old)


async def test_who_is_disabled_is_kept_out_until_enabled(node: FakeNode, profiles: Profiles) -> None:
    await profiles.enter(identity(node))
    await profiles.disable("ada", actor="root")
    with pytest.raises(Unauthenticated):
        await profiles.enter(identity(node, issued=node.clock.now() + timedelta(days=1)))
    await profiles.enable("ada", actor="root")
    assert await profiles.enter(identity(node))
    assert kinds(node) == [ProfileCreated, Disabled, Enabled]


async def test_nobody_comes_in_while_nobody_can_be_looked_up(
    node: FakeNode, profiles: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.live.LOAD_RETRY_SECONDS", 0.0)
    node.store.failing_reads = 1_000
    with pytest.raises(StoreUnavailable):
        await profiles.enter(identity(node))


# Changing.


async def test_a_changed_profile_is_given_back_as_it_is_in_the_log(
    node: FakeNode, profiles: Profiles
) -> None:
    await profiles.enter(identity(node))
    changed = await profiles.change("ada", name=" Ada  K. ", colour="#EE2F2F", avatar=None, actor="ada")
    assert (changed.name, changed.colour, changed.avatar) == ("Ada K.", "#ee2f2f", "")
    assert profiles.find("ada") is changed
    assert await profiles.get("ada") is changed
    assert kinds(node) == [ProfileCreated, ProfileChanged]
    await profiles.change("ada", name="Ada K.", colour=None, avatar=None, actor="ada")
    assert kinds(node) == [ProfileCreated, ProfileChanged]


async def test_what_no_profile_can_be_is_refused(node: FakeNode, profiles: Profiles) -> None:
    await profiles.enter(identity(node))
    with pytest.raises(TextInvalid):
        await profiles.change("ada", name="", colour=None, avatar=None, actor="ada")
    with pytest.raises(ProfileInvalid):
        await profiles.change("ada", name=None, colour="red", avatar=None, actor="ada")
    assert kinds(node) == [ProfileCreated]


async def test_who_was_never_here_has_no_profile(node: FakeNode, profiles: Profiles) -> None:
    assert profiles.find("ada") is None
    with pytest.raises(NotFound):
        await profiles.get("ada")
    with pytest.raises(NotFound):
        await profiles.change("ada", name="Ada", colour=None, avatar=None, actor="ada")
    for change in (profiles.sign_out, profiles.disable, profiles.enable):
        with pytest.raises(NotFound):
            await change("ada", actor="root")
    assert node.store.log == []


async def test_signing_out_whose_outcome_is_unknown_is_done_once(node: FakeNode, profiles: Profiles) -> None:
    await profiles.enter(identity(node))
    node.commits_by_itself = False
    signing_out = asyncio.ensure_future(profiles.sign_out("ada", actor="ada"))
    await asyncio.sleep(0)
    node.lose_connection(committed=True)
    await node.settled()
    await signing_out
    assert kinds(node) == [ProfileCreated, SignedOut]
