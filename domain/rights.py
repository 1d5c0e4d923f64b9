"""Who may do what in a room: four roles, each of which may do all that the one below it may.

The table is closed: an action that is not in it cannot be asked for, and a role is exactly one of the four.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a member is in a room, from the least to the most."""

    VIEWER = "viewer"
    COMMENTER = "commenter"
    EDITOR = "editor"
    OWNER = "owner"

    rank: int
    """Higher may do more. Kept in the members, since it is asked for with every edit."""


for _rank, _role in enumerate(Role):
    _role.rank = _rank


class Action(StrEnum):
    """What can be done in a room."""

    READ = "read"
    """Join, open, look at any moment of the past, see who is here."""
    SHOW = "show"
    """Be seen: status, cursor, typing."""
    POST = "post"
    EDIT = "edit"
    """Edit documents, create and unlist them."""
    MANAGE = "manage"
    """Members, invitations, title, access, closing."""

    least: Role
    """The lowest role that may do it."""


LEAST_ROLE: Final = {
    Action.READ: Role.VIEWER,
    Action.SHOW: Role.VIEWER,
    Action.POST: Role.COMMENTER,
    Action.EDIT: Role.EDITOR,
    Action.MANAGE: Role.OWNER,
}
for _action in Action:
    _action.least = LEAST_ROLE[_action]


def may(role: Role, action: Action) -> bool:
    """Whether a member with this role may do this."""
    return role.rank >= action.least.rank
