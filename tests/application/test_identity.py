"""Who somebody is."""

from __future__ import annotations

import pytest

from application.identity import Ticket, agent_class
from tests.domain.events import NOON


@pytest.mark.parametrize(
    ("user_agent", "agent"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64)", "browser"),
        ("python-requests/2", "program"),
        ("mozilla/5.0", "program"),
        ("", "program"),
        (None, "program"),
    ],
)
def test_a_user_agent_is_a_browser_or_a_program(user_agent: str | None, agent: str) -> None:
    assert agent_class(user_agent) == agent


def test_a_ticket_is_not_told_where_it_is_printed() -> None:
    assert "secret" not in f"{Ticket('secret', NOON)} {Ticket('secret', NOON)!r}"
