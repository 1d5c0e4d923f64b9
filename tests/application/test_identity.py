"""Identities: what is known of somebody, and of the program that asks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from application.identity import Ticket, agent_class


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0", "browser"),
        ("Python/3.13 aiohttp/3.14", "program"),
        ("curl/8 (not Mozilla/5.0)", "program"),
        ("mozilla/5.0", "program"),
        ("", "program"),
        (None, "program"),
    ],
)
def test_browsers_are_told_from_programs(user_agent: str | None, expected: str) -> None:
    assert agent_class(user_agent) == expected


def test_a_ticket_does_not_show_its_value() -> None:
    assert "hush" not in repr(Ticket("hush", datetime(2026, 11, 23, tzinfo=UTC)))
