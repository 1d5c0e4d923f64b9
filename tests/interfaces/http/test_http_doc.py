"""docs/http.md names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from application import links
from domain import errors
from domain.errors import ChronoscribeError
from domain.rights import Action
from interfaces.http import bodies, chat_bodies, door, imports, people, problems
from interfaces.http.bodies import NoQuery
from interfaces.http.problems import status_of
from interfaces.http.routes import ROUTES, Route
from interfaces.server import BODY_BYTES, KEEPALIVE_SECONDS
from interfaces.ws.rates import FAILURES_MAX, FAILURES_SECONDS

DOCUMENT = (Path(__file__).parents[3] / "docs" / "http.md").read_text("utf-8")
ERRORS = DOCUMENT.partition("## What goes wrong")[2].partition("##")[0]


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def lines_of(route: Route) -> str:
    """The table's lines of a route: its own, and those with a query."""
    pattern = re.compile(rf"`{re.escape(name_of(route))}[`?]")
    return "\n".join(line for line in DOCUMENT.splitlines() if line.startswith("| ") and pattern.search(line))


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_every_route_is_told_with_what_it_takes(route: Route) -> None:
    lines = lines_of(route)
    right = {"signed in": "user"}.get(route.access.value, route.access.value)
    assert f"| {right} |" in lines or (isinstance(route.access, Action) and f": {right} |" in lines)
    for field in route.body.model_fields if route.body is not None else ():
        assert f'"{field}"' in lines
    if route.query is not NoQuery:
        following = DOCUMENT.partition(lines)[2].partition("\n| `")[0]
        for name, asked in route.query.model_fields.items():
            assert f"{asked.alias or name}=" in lines + following


def test_no_route_is_told_that_there_is_not() -> None:
    told = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`? ]*)", DOCUMENT))
    assert told == {name_of(route) for route in ROUTES}


# Those of edits and of frames go over the socket only.
ON_THE_SOCKET = {"E_VERSION_OLD", "E_SEQ", "E_NOT_JOINED", "E_TYPE"}


def test_every_code_is_told_with_its_status() -> None:
    kinds = {
        error
        for module in (errors, problems)
        for error in vars(module).values()
        if isinstance(error, type) and issubclass(error, ChronoscribeError) and hasattr(error, "code")
    }
    wanted = {(status_of(kind), kind.code) for kind in kinds if kind.code not in ON_THE_SOCKET}
    wanted |= {(500, "E_INTERNAL"), *((status, "E_HTTP") for status in (403, 404, 405, 408, 413))}
    told = set()
    for line in ERRORS.splitlines():
        if found := re.match(r"\| ([\d, ]+) \| ([^|]+) \|", line):
            told |= {(int(s), c) for s in found[1].split(",") for c in re.findall(r"`(\w+)`", found[2])}
    assert told == wanted


def test_the_numbers_are_those_of_the_code() -> None:
    for text in (
        f"1 to {bodies.PAGE_MAX}, {bodies.PAGE} when",
        f"come 1 to {chat_bodies.CHAT_PAGE_MAX} at a time, {chat_bodies.CHAT_PAGE} when",
        f"`q` ({chat_bodies.SEARCH_CODE_POINTS} characters at most)",
        f"{bodies.INVITATION_SECONDS // 86_400} days, {bodies.INVITATION_SECONDS_MAX // 86_400} at most",
        f"of those named, {bodies.USERS_MAX} at most",
        f"good for {people.GUEST_LIFETIME.days} days",
        f"A body has {BODY_BYTES // 1024**2} MiB and {bodies.BODY_SECONDS:.0f} s",
        f"a whole request for {KEEPALIVE_SECONDS:.0f} s",
        f"an import {imports.IMPORT_BYTES // 1024**2} MiB and {imports.IMPORT_SECONDS:.0f} s",
        f"{imports.IMPORT_MESSAGES} messages and {imports.IMPORT_BYTES // 1024**2} MiB at a time",
        f"its first {links.PASSAGE_CODE_POINTS} characters",
        f"more than {links.EDITS_PER_QUESTION} edits ago",
    ):
        assert text in DOCUMENT
    assert imports.CLOCK_SKEW.days == 2
    assert (door.BURST_SECONDS, door.USERS_PER_ADDRESS) == (4, 20)
    assert (FAILURES_MAX, FAILURES_SECONDS) == (10, 60)
    assert "four seconds' worth" in DOCUMENT
    assert "twenty times over" in DOCUMENT
    assert "Ten wrong tokens" in DOCUMENT
