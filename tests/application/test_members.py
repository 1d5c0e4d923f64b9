"""Members and invitations as use cases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest

from application.members import Link, Members, digest_of
from application.rooms import Rooms
from domain.errors import Contended, Forbidden, LastOwner, NotFound
from domain.instants import as_microseconds
from domain.rights import Role
from domain.room import InvitationMade, InvitationRevoked, MemberAdded, MemberRemoved, RoleChanged, Room
from tests.application.fakes import FakeNode, FakeStore

HOUR = timedelta(hours=1)


class Place:
    """The use cases of one node whose store commits by itself."""

    def __init__(self, store: FakeStore, ids: Iterator[int] | None = None) -> None:
        self.store = store
        self.node = FakeNode(store)
        self.node.commits_by_itself = True
        self.rooms = Rooms(self.node.lives, now=self.node.clock.now)
        self.ids = ids or count(1)
        self.members = Members(
            self.node.lives, now=self.node.clock.now, new_id=lambda: f"id-{next(self.ids)}"
        )

    async def room(self) -> Room:
        return await self.rooms.get("demo")

    async def invite(self, role: Role = Role.EDITOR, uses: int | None = None) -> Link:
        return await self.members.invite("demo", role, lifetime=HOUR, uses=uses, actor="ada")

    async def accept(self, link: Link, user: str) -> None:
        await self.members.accept("demo", link.invitation, link.secret, actor=user)

    async def elsewhere(self) -> Place:
        """Another node that has read the room as it is now."""
        place = Place(self.store, self.ids)
        await place.room()
        return place


@pytest.fixture
async def place() -> Place:
    """A node with the room "demo", which is ada's and nobody else's."""
    place = Place(FakeStore())
    await place.rooms.open("demo", "Demo", actor="ada")
    return place


def kinds(store: FakeStore) -> list[type]:
    """What has happened since the room was opened."""
    return [type(recorded.event) for recorded in store.log[1:]]


# Members.


async def test_a_member_is_one_when_it_is_answered(place: Place) -> None:
    await place.members.put("demo", "ben", Role.VIEWER, actor="ada")
    await place.members.put("demo", "ben", Role.EDITOR, actor="ada")
    assert (await place.room()).members == {"ada": Role.OWNER, "ben": Role.EDITOR}
    await place.members.remove("demo", "ben", actor="ben")
    assert (await place.room()).members == {"ada": Role.OWNER}
    assert kinds(place.store) == [MemberAdded, RoleChanged, MemberRemoved]


async def test_who_is_put_twice_at_once_is_added_once(place: Place) -> None:
    other = await place.elsewhere()
    both = [where.members.put("demo", "ben", Role.VIEWER, actor="ada") for where in (place, other)]
    await asyncio.gather(*both)
    assert kinds(place.store) == [MemberAdded]


async def test_of_two_owners_who_go_at_once_on_two_nodes_one_stays(place: Place) -> None:
    await place.members.put("demo", "ben", Role.OWNER, actor="ada")
    other = await place.elsewhere()
    outcomes = await asyncio.gather(
        place.members.remove("demo", "ada", actor="ada"),
        other.members.remove("demo", "ben", actor="ben"),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [LastOwner]
    place.node.feed()
    assert list((await place.room()).members.values()) == [Role.OWNER]


@pytest.mark.parametrize("everyone", [None, Role.EDITOR])
async def test_members_are_the_owners_to_say(place: Place, everyone: Role | None) -> None:
    await place.rooms.change_access("demo", everyone, actor="ada")
    events = len(place.store.log)
    error = NotFound if everyone is None else Forbidden
    with pytest.raises(error):
        await place.members.put("demo", "ben", Role.OWNER, actor="ben")
    with pytest.raises(error):
        await place.members.remove("demo", "ada", actor="ben")
    with pytest.raises(error):
        await place.members.invite("demo", Role.OWNER, lifetime=HOUR, uses=None, actor="ben")
    with pytest.raises(error):
        await place.members.revoke("demo", "id-1", actor="ben")
    assert len(place.store.log) == events


async def test_a_room_that_is_not_there_has_no_members(place: Place) -> None:
    with pytest.raises(NotFound):
        await place.members.put("nowhere", "ben", Role.OWNER, actor="ben")
    with pytest.raises(NotFound):
        await place.members.accept("nowhere", "id-1", "secret", actor="ben")


# Invitations.


async def test_a_link_is_told_once_and_its_secret_is_kept_nowhere(place: Place) -> None:
    link = await place.invite(Role.COMMENTER, uses=3)
    made = place.store.log[-1].event
    assert isinstance(made, InvitationMade)
    assert (made.invitation, made.role, made.uses) == (link.invitation, "commenter", 3)
    assert made.digest == digest_of(link.secret)
    assert made.expires == as_microseconds(place.node.clock.now() + HOUR)
    assert link.secret not in str(vars(made))
    assert link.secret not in str(vars(await place.room()))


async def test_every_link_is_another_and_has_a_secret_of_two_ids(place: Place) -> None:
    links = [await place.invite() for _ in range(2)]
    assert links == [Link("id-1", "id-2id-3"), Link("id-4", "id-5id-6")]


def test_a_digest_is_the_same_for_ever() -> None:
    """It is stored: links that are out would not open any more."""
    assert digest_of("secret") == "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"


async def test_whoever_has_the_link_becomes_a_member(place: Place) -> None:
    link = await place.invite(Role.COMMENTER)
    await place.accept(link, "ben")
    await place.accept(link, "ben")
    assert (await place.room()).role_of("ben") is Role.COMMENTER
    assert kinds(place.store) == [InvitationMade, MemberAdded]


async def test_a_link_works_on_every_node_as_soon_as_it_has_caught_up(place: Place) -> None:
    other = await place.elsewhere()
    link = await place.invite()
    with pytest.raises(Contended):
        await other.accept(link, "ben")
    other.node.feed()
    await other.accept(link, "ben")
    assert kinds(place.store) == [InvitationMade, MemberAdded]


async def test_a_wrong_secret_is_refused_on_a_node_that_is_behind_too(place: Place) -> None:
    other = await place.elsewhere()
    link = await place.invite()
    with pytest.raises(NotFound):
        await other.accept(Link(link.invitation, "guessed"), "ben")


async def test_of_two_who_accept_at_once_on_two_nodes_one_gets_the_last_use(place: Place) -> None:
    link = await place.invite(uses=1)
    other = await place.elsewhere()
    outcomes = await asyncio.gather(
        place.accept(link, "ben"), other.accept(link, "cem"), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [NotFound]
    assert kinds(place.store) == [InvitationMade, MemberAdded]


async def test_a_link_that_is_over_or_revoked_lets_nobody_in(place: Place) -> None:
    over, revoked = await place.invite(), await place.invite()
    await place.members.revoke("demo", revoked.invitation, actor="ada")
    with pytest.raises(NotFound):
        await place.accept(revoked, "ben")
    place.node.clock.advance(HOUR.total_seconds())
    with pytest.raises(NotFound):
        await place.accept(over, "ben")
    assert kinds(place.store) == [InvitationMade, InvitationMade, InvitationRevoked]


async def test_an_acceptance_whose_outcome_is_unknown_is_found_and_not_made_twice(place: Place) -> None:
    link = await place.invite(uses=1)
    place.node.commits_by_itself = False
    accepting = asyncio.ensure_future(place.accept(link, "ben"))
    await asyncio.sleep(0)
    place.node.lose_connection(committed=True)
    await place.node.settled()
    await accepting
    assert kinds(place.store) == [InvitationMade, MemberAdded]
