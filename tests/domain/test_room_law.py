"""What holds of every history of a room, whatever is asked by whomever.

Histories are made by commands at random. Whether each event was allowed is told by a second account of the
rules, which knows nothing but the events before it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import event as note
from hypothesis import given
from hypothesis import strategies as st

from domain.aggregate import Event, Snapshot
from domain.errors import ClientError, Forbidden, NotFound
from domain.instants import as_microseconds
from domain.rights import Role
from domain.room import (
    Closed,
    DocumentListed,
    DocumentUnlisted,
    InvitationMade,
    InvitationRevoked,
    MemberAdded,
    MemberRemoved,
    Opened,
    RoleChanged,
    Room,
)
from tests.domain.events import NOON, collect, fold, later
from tests.domain.test_room import a_room_without_rights

# Few, so that commands meet.
USERS = ("ann", "bob", "cem")
INVITATIONS = ("i1", "i2")
DOCUMENTS = ("a.md", "b.md")

# How often each is asked. Closing is the end of a history: rarely.
NAMES = ["put"] * 5 + ["remove", "invite"] * 4 + ["accept"] * 8 + ["revoke", "leave", "access"] * 2
NAMES += ["list", "unlist", "rename"] * 2 + ["close"]

# Said once more, so that nothing here asks `Role.rank`.
RANKS = {None: 0, "viewer": 1, "commenter": 2, "editor": 3, "owner": 4}

Command = Callable[[Room], Any]


@st.composite
def commands(draw: st.DrawFn, second: int) -> tuple[str, str, Command]:
    """A command at this second: its name, its actor, and what it does."""
    at, name = later(second), draw(st.sampled_from(NAMES))
    # Mostly the one who opened the room, or nearly everything would be refused; who needs no link.
    actor = draw(st.sampled_from(USERS[1:] if name == "accept" else ("ann", "ann", *USERS)))
    invitation, document = draw(st.sampled_from(INVITATIONS)), draw(st.sampled_from(DOCUMENTS))
    user, role = draw(st.sampled_from(USERS)), draw(st.sampled_from(Role))
    everyone = draw(st.sampled_from([None, *Role]))
    digest = draw(st.sampled_from([invitation] * 4 + ["wrong"]))
    expires, uses = later(second + draw(st.sampled_from([0, 2, 20]))), draw(st.sampled_from([1, 2, None]))
    choices: dict[str, Command] = {
        "put": lambda room: room.add_member(user, role, actor=actor, at=at),
        "remove": lambda room: room.remove_member(user, actor=actor, at=at),
        "leave": lambda room: room.remove_member(actor, actor=actor, at=at),
        "access": lambda room: room.change_access(everyone, actor=actor, at=at),
        "invite": lambda room: room.invite(
            invitation, role, digest=invitation, expires=expires, uses=uses, actor=actor, at=at
        ),
        "revoke": lambda room: room.revoke_invitation(invitation, actor=actor, at=at),
        "accept": lambda room: room.accept_invitation(invitation, digest=digest, actor=actor, at=at),
        "list": lambda room: room.list_document(document, actor=actor, at=at),
        "unlist": lambda room: room.unlist_document(document, actor=actor, at=at),
        "rename": lambda room: room.rename(document, actor=actor, at=at),
        "close": lambda room: room.close(actor=actor, at=at),
    }
    return name, actor, choices[name]


@st.composite
def scripts(draw: st.DrawFn) -> list[tuple[str, str, Command]]:
    # Long ones: what is wrong comes of several commands that meet.
    return [draw(commands(second)) for second in range(draw(st.integers(12, 20)))]


ROOMS = st.sampled_from([None, Role.VIEWER, Role.EDITOR]).map(
    lambda everyone: Room.open("demo", "Demo", actor="ann", at=NOON, everyone=everyone)
)


@dataclass
class Account:
    """What somebody knows of a room who has read its events, and who was allowed to make the next."""

    everyone: str | None = None
    roles: dict[str, str] = field(default_factory=dict)
    links: dict[str, InvitationMade] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)
    is_closed: bool = False

    def rank(self, user: str) -> int:
        return RANKS[self.roles.get(user, self.everyone)]

    def allows(self, event: Event) -> bool:
        if self.is_closed:
            return False
        match event:
            case MemberAdded(invitation=str(link)):
                return self._lets_in(event, link)
            case MemberRemoved():
                return event.user in self.roles and (event.actor == event.user or self._owns(event))
            case DocumentListed() | DocumentUnlisted():
                return self.rank(event.actor) >= RANKS["editor"]
            case _:
                return self._owns(event)

    def _owns(self, event: Event) -> bool:
        return self.roles.get(event.actor) == "owner"

    def _lets_in(self, added: MemberAdded, link: str) -> bool:
        made = self.links.get(link)
        return (
            made is not None
            and added.actor == added.user
            and added.role == made.role
            and as_microseconds(added.timestamp) < made.expires
            and (made.uses is None or self.uses[link] < made.uses)
            and RANKS[self.roles.get(added.user)] < RANKS[added.role]
        )

    def read(self, event: Event) -> None:
        match event:
            case Opened():
                self.roles = {event.owner: "owner"} if event.owner else {}
                self.everyone = event.everyone
            case MemberAdded() | RoleChanged():
                self.roles[event.user] = event.role
                link = getattr(event, "invitation", None)
                if link is not None:
                    self.uses[link] += 1
            case MemberRemoved():
                del self.roles[event.user]
            case InvitationMade():
                self.links[event.invitation] = event
                self.uses[event.invitation] = 0
            case InvitationRevoked():
                del self.links[event.invitation]
            case Closed():
                self.is_closed = True
            case _:
                self.everyone = getattr(event, "everyone", self.everyone)


def run(room: Room, script: list[tuple[str, str, Command]]) -> list[Event]:
    """The events of a room that was asked all of this. A refusal leaves it as it was."""
    events = collect(room)
    for _, _, command in script:
        before = room.as_state()
        try:
            command(room)
        except ClientError:
            assert room.as_state() == before
            assert collect(room) == []
        events += collect(room)
    return events


@given(ROOMS, scripts())
def test_an_event_is_only_ever_made_by_who_had_the_right_at_that_moment(
    room: Room, script: list[tuple[str, str, Command]]
) -> None:
    first, *events = run(room, script)
    account = Account()
    account.read(first)
    for event in events:
        note(type(event).__name__)
        assert account.allows(event), event
        account.read(event)
    assert {user: role.value for user, role in room.members.items()} == account.roles
    assert room.is_closed is account.is_closed


@given(ROOMS, scripts())
def test_a_room_always_has_an_owner(room: Room, script: list[tuple[str, str, Command]]) -> None:
    reader: Any = None
    for event in run(room, script):
        reader = event.mutate(reader)
        assert isinstance(reader, Room)
        assert Role.OWNER in reader.members.values()
        assert reader.everyone is not Role.OWNER


@given(scripts())
def test_a_room_of_before_there_were_rights_belongs_to_nobody_for_ever(
    script: list[tuple[str, str, Command]],
) -> None:
    events = run(a_room_without_rights(), script)
    assert {type(event) for event in events} <= {DocumentListed, DocumentUnlisted}


@given(ROOMS, scripts())
def test_a_command_that_is_decided_again_gives_no_event(
    room: Room, script: list[tuple[str, str, Command]]
) -> None:
    """The law on which it rests that an unknown outcome counts as a refusal. Only who has given up their own
    right by it hears a refusal instead of nothing.
    """
    collect(room)
    for name, actor, command in script:
        try:
            command(room)
        except ClientError:
            continue
        collect(room)
        before = room.role_of(actor)
        try:
            command(room)
        except (NotFound, Forbidden):
            assert name in ("put", "remove", "leave")
            assert before is not Role.OWNER
        assert collect(room) == []


@given(ROOMS, scripts(), st.integers(0, 20))
def test_it_does_not_matter_from_where_a_room_was_read(
    room: Room, script: list[tuple[str, str, Command]], cut: int
) -> None:
    events = run(room, script)
    assert fold(events).as_state() == room.as_state()
    read = Snapshot.take(fold(events[: cut + 1])).mutate(None)
    for event in events[cut + 1 :]:
        read = event.mutate(read)
    assert read.as_state() == room.as_state()


@given(ROOMS, scripts(), scripts())
def test_a_copy_goes_its_own_way(
    room: Room, script: list[tuple[str, str, Command]], others: list[tuple[str, str, Command]]
) -> None:
    run(room, script)
    state = room.as_state()
    run(copy.copy(room), others)
    assert room.as_state() == state
