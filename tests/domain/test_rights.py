"""Who may do what."""

from __future__ import annotations

from itertools import pairwise

import pytest

from domain.rights import LEAST_ROLE, Action, Role, may

ALLOWED = {
    Role.VIEWER: {Action.READ, Action.SHOW},
    Role.COMMENTER: {Action.READ, Action.SHOW, Action.POST},
    Role.EDITOR: {Action.READ, Action.SHOW, Action.POST, Action.EDIT},
    Role.OWNER: {Action.READ, Action.SHOW, Action.POST, Action.EDIT, Action.MANAGE},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_a_role_may_do_what_the_table_says_and_nothing_else(role: Role, action: Action) -> None:
    assert may(role, action) is (action in ALLOWED[role])


def test_every_action_has_a_least_role() -> None:
    assert set(LEAST_ROLE) == set(Action)


def test_each_role_may_do_all_that_the_one_below_it_may() -> None:
    roles = sorted(Role, key=lambda role: role.rank)
    assert roles == [Role.VIEWER, Role.COMMENTER, Role.EDITOR, Role.OWNER]
    for less, more in pairwise(roles):
        assert less.rank < more.rank
        assert ALLOWED[less] <= ALLOWED[more]


@pytest.mark.parametrize(
    "value",
    ["", "owner ", " owner", "Owner", "OWNER", "owner\n", "owner\x00", "admin", "оwner", "3", "Role.OWNER"],
)
def test_what_is_not_exactly_one_of_the_four_is_no_role(value: str) -> None:
    with pytest.raises(ValueError, match="is not a valid Role"):
        Role(value)


@pytest.mark.parametrize("value", ["", "manage ", "Manage", "delete", "*"])
def test_there_are_no_other_actions(value: str) -> None:
    with pytest.raises(ValueError, match="is not a valid Action"):
        Action(value)


def test_roles_are_stored_under_these_words() -> None:
    assert [role.value for role in Role] == ["viewer", "commenter", "editor", "owner"]
