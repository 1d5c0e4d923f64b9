"""A room: a place with a title, members and a list of documents.

Rights are part of its history, so that who could write at a moment has an answer. A member has a role;
who is no member has the room's `everyone` role, or none: then the room does not exist for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any, Self

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.errors import Forbidden, LastOwner, NotFound, RoomFull
from domain.ids import room_stream
from domain.instants import as_microseconds
from domain.limits import DOCUMENTS_PER_ROOM, INVITATIONS_PER_ROOM, MEMBERS_PER_ROOM
from domain.names import normal_name
from domain.rights import Action, Role, may


class Opened(InitialEvent):
    """`owner` is the first member, `everyone` the role of who is no member, None for nothing at all."""

    TOPIC = "room.opened"
    class_version = 2
    room: str
    title: str
    owner: str | None
    everyone: str | None

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        # Before there were rights, whoever reached the server could do everything.
        state["owner"] = None
        state["everyone"] = Role.EDITOR.value


class DocumentListed(Event):
    TOPIC = "room.document_listed"
    document: str

    def apply(self, aggregate: Room) -> None:
        aggregate.documents[self.document] = None


class DocumentUnlisted(Event):
    """It is not on the list any more. Its history stays."""

    TOPIC = "room.document_unlisted"
    document: str

    def apply(self, aggregate: Room) -> None:
        aggregate.documents.pop(self.document, None)


class Renamed(Event):
    TOPIC = "room.renamed"
    title: str

    def apply(self, aggregate: Room) -> None:
        aggregate.title = self.title


class MemberAdded(Event):
    """`invitation` is the link by which the user came, None for one who was added by an owner."""

    TOPIC = "room.member_added"
    user: str
    role: str
    invitation: str | None

    def apply(self, aggregate: Room) -> None:
        aggregate.members[self.user] = Role(self.role)
        if self.invitation is not None:
            aggregate.use_invitation(self.invitation)


class RoleChanged(Event):
    TOPIC = "room.role_changed"
    user: str
    role: str

    def apply(self, aggregate: Room) -> None:
        aggregate.members[self.user] = Role(self.role)


class MemberRemoved(Event):
    """By an owner, or by themselves: then they are the actor."""

    TOPIC = "room.member_removed"
    user: str

    def apply(self, aggregate: Room) -> None:
        aggregate.members.pop(self.user, None)


class AccessChanged(Event):
    """What those may do who are no members."""

    TOPIC = "room.access_changed"
    everyone: str | None

    def apply(self, aggregate: Room) -> None:
        aggregate.everyone = Role(self.everyone) if self.everyone else None


class InvitationMade(Event):
    """A link that makes its bearer a member. `digest` is that of its secret, which nobody keeps; `expires` in
    microseconds since the epoch; `uses` is how many may accept it, None for any number.
    """

    TOPIC = "room.invitation_made"
    invitation: str
    role: str
    digest: str
    expires: int
    uses: int | None

    def apply(self, aggregate: Room) -> None:
        aggregate.invitations[self.invitation] = Invitation(
            self.invitation, Role(self.role), self.digest, self.expires, self.uses
        )


class InvitationRevoked(Event):
    TOPIC = "room.invitation_revoked"
    invitation: str

    def apply(self, aggregate: Room) -> None:
        aggregate.invitations.pop(self.invitation, None)


class SealingChanged(Event):
    """Whether what people write here is stored under keys of theirs from now on."""

    TOPIC = "room.sealing_changed"
    is_sealed: bool

    def apply(self, aggregate: Room) -> None:
        aggregate.is_sealed = self.is_sealed


class Closed(Event):
    """Nobody comes in any more, and no other room will have this id."""

    TOPIC = "room.closed"

    def apply(self, aggregate: Room) -> None:
        aggregate.is_closed = True


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that is out; `uses` is how many may still accept it."""

    invitation: str
    role: Role
    digest: str
    expires: int
    uses: int | None

    def is_open(self, at: datetime) -> bool:
        return as_microseconds(at) < self.expires and self.uses != 0


class Room(Aggregate):
    TOPIC = "room"

    def __init__(self, room: str, title: str, owner: str | None, everyone: str | None) -> None:
        self.room = room
        self.title = title
        self.documents: dict[str, None] = {}
        """An ordered set: documents in the order in which they were listed."""
        self.members: dict[str, Role] = {} if owner is None else {owner: Role.OWNER}
        self.everyone = Role(everyone) if everyone else None
        self.invitations: dict[str, Invitation] = {}
        """Those that are out, also when their time is over."""
        self.is_closed = False
        self.is_sealed = False

    @classmethod
    def open(cls, room: str, title: str, *, actor: str, at: datetime, everyone: Role | None = None) -> Self:
        """A new, empty room that belongs to `actor`. Raises `TextInvalid`, `Forbidden`."""
        _check_access(everyone)
        return cls._create(
            Opened,
            id=room_stream(room),
            timestamp=at,
            actor=actor,
            room=room,
            title=normal_name(title),
            owner=actor,
            everyone=everyone.value if everyone else None,
        )

    # Rights.

    def role_of(self, user: str) -> Role | None:
        """What `user` is here, None for whom the room does not exist."""
        return None if self.is_closed else self.members.get(user, self.everyone)

    def allows(self, user: str, action: Action) -> bool:
        """Whether `user` may do this here."""
        role = self.role_of(user)
        return role is not None and may(role, action)

    def require(self, user: str, action: Action) -> None:
        """Raise `NotFound` for whom the room does not exist, `Forbidden` for who may not do this in it."""
        role = self.role_of(user)
        if role is None:
            raise NotFound("there is no such room")
        if not may(role, action):
            raise Forbidden(f"a {role} may not do this", role=role.value)

    # Members.

    def add_member(self, user: str, role: Role, *, actor: str, at: datetime) -> None:
        """Make `user` a member with this role, or give the member this role.

        Raises `NotFound`, `Forbidden`, `RoomFull`, `LastOwner`.
        """
        self.require(actor, Action.MANAGE)
        present = self.members.get(user)
        if present is None:
            self._check_members()
            self.trigger_event(
                MemberAdded, timestamp=at, actor=actor, user=user, role=role.value, invitation=None
            )
        elif present is not role:
            self._check_owners_without(user, role)
            self.trigger_event(RoleChanged, timestamp=at, actor=actor, user=user, role=role.value)

    def remove_member(self, user: str, *, actor: str, at: datetime) -> None:
        """An owner removes a member, or a member leaves; one that is none is gone already.

        Raises `NotFound`, `Forbidden`, `LastOwner`.
        """
        self.require(actor, Action.READ if user == actor else Action.MANAGE)
        if user in self.members:
            self._check_owners_without(user, None)
            self.trigger_event(MemberRemoved, timestamp=at, actor=actor, user=user)

    def change_access(self, everyone: Role | None, *, actor: str, at: datetime) -> None:
        """What those may do who are no members; they can never be owners. Raises `NotFound`, `Forbidden`."""
        self.require(actor, Action.MANAGE)
        _check_access(everyone)
        if everyone is not self.everyone:
            value = everyone.value if everyone else None
            self.trigger_event(AccessChanged, timestamp=at, actor=actor, everyone=value)

    def _check_members(self) -> None:
        if len(self.members) >= MEMBERS_PER_ROOM:
            raise RoomFull("the room has as many members as a room can have", limit=MEMBERS_PER_ROOM)

    def _check_owners_without(self, user: str, role: Role | None) -> None:
        owners = [member for member, held in self.members.items() if held is Role.OWNER]
        if owners == [user] and role is not Role.OWNER:
            raise LastOwner("the room would have no owner")

    # Invitations.

    def invite(
        self,
        invitation: str,
        role: Role,
        *,
        digest: str,
        expires: datetime,
        uses: int | None,
        actor: str,
        at: datetime,
    ) -> None:
        """Send a link out under the new id `invitation`. Raises `NotFound`, `Forbidden`, `RoomFull`."""
        self.require(actor, Action.MANAGE)
        if invitation in self.invitations:
            return
        if sum(known.is_open(at) for known in self.invitations.values()) >= INVITATIONS_PER_ROOM:
            raise RoomFull("too many invitations are out", limit=INVITATIONS_PER_ROOM)
        self.trigger_event(
            InvitationMade,
            timestamp=at,
            actor=actor,
            invitation=invitation,
            role=role.value,
            digest=digest,
            expires=as_microseconds(expires),
            uses=uses,
        )

    def revoke_invitation(self, invitation: str, *, actor: str, at: datetime) -> None:
        """The link lets nobody in any more. Raises `NotFound`, `Forbidden`."""
        self.require(actor, Action.MANAGE)
        if invitation in self.invitations:
            self.trigger_event(InvitationRevoked, timestamp=at, actor=actor, invitation=invitation)

    def accept_invitation(self, invitation: str, *, digest: str, actor: str, at: datetime) -> None:
        """`actor` comes by a link. Who is a member already is never less for it.

        Raises `NotFound` for every link that does not let in, whatever the reason, and `RoomFull`.
        """
        known = self.invitations.get(invitation)
        # Compared before anything else is told: a guessed id must not show whether it is one.
        if self.is_closed or known is None or not compare_digest(known.digest, digest):
            raise NotFound("there is no such invitation")
        present = self.members.get(actor)
        if present is not None and present.rank >= known.role.rank:
            return
        if not known.is_open(at):
            raise NotFound("there is no such invitation")
        if present is None:
            self._check_members()
        self.trigger_event(
            MemberAdded,
            timestamp=at,
            actor=actor,
            user=actor,
            role=known.role.value,
            invitation=invitation,
        )

    def use_invitation(self, invitation: str) -> None:
        """For `MemberAdded`."""
        known = self.invitations.get(invitation)
        if known is not None and known.uses is not None:
            self.invitations[invitation] = Invitation(
                known.invitation, known.role, known.digest, known.expires, known.uses - 1
            )

    # The room itself.

    def list_document(self, document: str, *, actor: str, at: datetime) -> None:
        """Add `document` to the list; does nothing when it is there. Raises `NotFound`, `Forbidden`,
        `RoomFull`.
        """
        self.require(actor, Action.EDIT)
        if document in self.documents:
            return
        if len(self.documents) >= DOCUMENTS_PER_ROOM:
            raise RoomFull("the room has as many documents as a room can have", limit=DOCUMENTS_PER_ROOM)
        self.trigger_event(DocumentListed, timestamp=at, actor=actor, document=document)

    def unlist_document(self, document: str, *, actor: str, at: datetime) -> None:
        """Take `document` off the list. Raises `NotFound`, `Forbidden`."""
        self.require(actor, Action.EDIT)
        if document in self.documents:
            self.trigger_event(DocumentUnlisted, timestamp=at, actor=actor, document=document)

    def rename(self, title: str, *, actor: str, at: datetime) -> None:
        """Raises `NotFound`, `Forbidden`, `TextInvalid`."""
        self.require(actor, Action.MANAGE)
        normal = normal_name(title)
        if normal != self.title:
            self.trigger_event(Renamed, timestamp=at, actor=actor, title=normal)

    def seal(self, *, is_sealed: bool, actor: str, at: datetime) -> None:
        """Store what people write under keys of theirs, from now on, or not any more. Raises `NotFound`,
        `Forbidden`.
        """
        self.require(actor, Action.MANAGE)
        if is_sealed != self.is_sealed:
            self.trigger_event(SealingChanged, timestamp=at, actor=actor, is_sealed=is_sealed)

    def close(self, *, actor: str, at: datetime) -> None:
        """Close the room for good; its history stays in the log. Raises `NotFound`, `Forbidden`."""
        if self.is_closed and self.members.get(actor) is Role.OWNER:
            return
        self.require(actor, Action.MANAGE)
        self.trigger_event(Closed, timestamp=at, actor=actor)

    # State.

    def as_state(self) -> dict[str, Any]:
        return {
            "room": self.room,
            "title": self.title,
            "documents": list(self.documents),
            "members": {user: role.value for user, role in self.members.items()},
            "everyone": self.everyone.value if self.everyone else None,
            "invitations": [
                [known.invitation, known.role.value, known.digest, known.expires, known.uses]
                for known in self.invitations.values()
            ],
            "is_closed": self.is_closed,
            "is_sealed": self.is_sealed,
        }

    def restore_state(self, state: Mapping[str, Any]) -> None:
        self.room = state["room"]
        self.title = state["title"]
        self.documents = dict.fromkeys(state["documents"])
        self.members = {user: Role(role) for user, role in state.get("members", {}).items()}
        everyone = state.get("everyone", Role.EDITOR)  # older ones are of rooms without rights
        self.everyone = Role(everyone) if everyone else None
        self.invitations = {
            name: Invitation(name, Role(role), digest, expires, uses)
            for name, role, digest, expires, uses in state.get("invitations", ())
        }
        self.is_closed = state.get("is_closed", False)
        self.is_sealed = state.get("is_sealed", False)

    @property
    def weight(self) -> int:
        return 1_000 + 100 * (len(self.documents) + len(self.members) + len(self.invitations))


register_topic(Room.TOPIC, Room)


def _check_access(everyone: Role | None) -> None:
    if everyone is Role.OWNER:
        raise Forbidden("not everyone can be an owner")
