"""What those who run the server see and set: nobody else does, and nothing in it is anybody's secret."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from tests.acceptance.accounts import SECRET, Accounts, Visitor
from tests.acceptance.raw_sockets import ask, exchange, upgrade
from tests.acceptance.witnesses import ATTACKED_ROOM, CANARY, DOCUMENT, OTHER_ROOM, Witnesses, witnesses
from tests.servers import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What the server logs, line by line, and the one line that it prints.
LOGGED: Final = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO|WARNING|ERROR|CRITICAL) [a-z_.]+: [ -~…]+"
)
PRINTED: Final = "Chronoscribe is listening on "


@pytest.fixture(scope="module")
def accounts(accounts_server: ServerProcess) -> Accounts:
    return Accounts(accounts_server.url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(accounts_server: ServerProcess, accounts: Accounts) -> AsyncIterator[Witnesses]:
    async with witnesses(accounts_server, accounts) as people:
        yield people


@pytest.fixture
def visitor(accounts_server: ServerProcess) -> Visitor:
    return Visitor(accounts_server.url)


OPERATION: Final = (
    ("GET", "/metrics", 200),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("POST", "/api/users/nobody/disable", 404),
    ("POST", "/api/users/nobody/enable", 404),
)


async def test_operation_is_for_those_who_run_the_server(
    people: Witnesses, accounts: Accounts, visitor: Visitor
) -> None:
    """To others there is nothing, whoever they say they are."""
    local = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Host": "localhost"}
    async with people.undisturbed():
        nothing = await visitor.ask("GET", "/metrics")
        assert (nothing.status, nothing.code) == (404, "E_NOT_FOUND")
        for method, path, status in OPERATION:
            for token, headers in ((None, {}), (None, local), (accounts.token("mallory"), {})):
                refused = await visitor.ask(method, path, token=token, headers=headers)
                assert (refused.status, refused.body) == (404, nothing.body), (path, headers)
            by_admin = await visitor.ask(method, path, token=accounts.token("operator", admin=True))
            assert by_admin.status == status
            assert (await ask(people.server.url, method, path)).status == status
        wrong = await visitor.ask("GET", "/metrics", token=CANARY)
        assert (wrong.status, wrong.code) == (401, "E_AUTH")


async def test_metrics_tell_of_nobody(people: Witnesses) -> None:
    async with people.undisturbed():
        told = (await ask(people.server.url, "GET", "/metrics")).body.decode()
        ready = (await ask(people.server.url, "GET", "/readyz")).body.decode()
    for name in (ATTACKED_ROOM, OTHER_ROOM, DOCUMENT, "witness", "Witness", people.host.user, SECRET):
        assert name not in told
        assert name not in ready


# The log.


async def test_nobody_writes_lines_into_the_log(people: Witnesses, accounts: Accounts) -> None:
    """By what kind of program they use, by paths, names, tokens and what is no request at all."""
    url = people.server.url
    forged = "2026-01-01 00:00:00,000 CRITICAL root: forged"
    dirty = f"{CANARY}\x1b[2J\x1b]0;x\x07\x0b\x0c\x85"
    visitor = Visitor(url)
    async with people.undisturbed():
        for path in (
            f"/ws/{CANARY}%0d%0a{forged.replace(' ', '%20')}",
            f"/ws/%1b%5b2J{CANARY}",
            f"/api/rooms/{CANARY}%0a{forged.replace(' ', '%20')}",
            f"/api/docs/{CANARY}%0a%1b%5b2J",
            f"/{CANARY}%0a",
        ):
            assert (await exchange(url, upgrade(url, path, User_Agent=dirty)))[0] in {400, 401, 404}
        for header in ("User-Agent", "Referer", "X-Forwarded-For", "X-Request-Id", "Accept-Language"):
            answer = await ask(
                url, "GET", "/api/me", token=accounts.token("mallory"), headers={header: dirty}
            )
            assert answer.status in {200, 400}
        await exchange(url, f"{forged}\r\n\x1b[2J{CANARY}\r\n\r\n".encode())
        await exchange(url, upgrade(url, f"/ws/{ATTACKED_ROOM}", Sec_WebSocket_Protocol=dirty))
        for bad in (f"{CANARY}.{CANARY}.{CANARY}", forged.replace(" ", ".")):
            assert (await visitor.ask("GET", "/api/me", token=bad)).status == 401
        refused = accounts.token("mallory", sub=f"{CANARY}\n{forged}")
        assert (await visitor.ask("GET", "/api/me", token=refused)).status == 401
    check_lines(people.server)
    assert forged not in people.server.output
    assert "a token was refused: sub is no id" in people.server.output


def check_lines(server: ServerProcess) -> None:
    """Each is one of the server's own, and holds only what can be seen."""
    output = server.output
    assert "\r" not in output
    for line in output.split("\n")[:-1]:
        assert LOGGED.fullmatch(line) or line.startswith(PRINTED), repr(line)


async def test_no_secret_is_in_the_log(people: Witnesses, accounts: Accounts, visitor: Visitor) -> None:
    """Also of an upgrade that offers a ticket and not the protocol that goes with it."""
    url, token = people.server.url, accounts.token("mallory")
    async with people.undisturbed():
        tickets = [(await visitor.ask("POST", "/api/tickets", token=token)).json["ticket"] for _ in range(4)]
        for offer in (
            f"ticket.{tickets[0]}",
            f"other.v1, ticket.{tickets[1]}",
            f"ticket.{tickets[2]}, {token}",
            f"base64url.bearer.{token}",
        ):
            asked = upgrade(url, f"/ws/{ATTACKED_ROOM}", Sec_WebSocket_Protocol=offer)
            status, answer = await exchange(url, asked)
            assert status == 101
            assert b"Sec-WebSocket-Protocol" not in answer
        await visitor.ask("GET", f"/api/me?token={token}&ticket={tickets[3]}")
        await visitor.ask("POST", "/api/tickets", token=token + "x")
    for secret in (*tickets, *token.split("."), SECRET):
        assert secret not in people.server.output
    check_lines(people.server)


# Settings.


async def test_no_command_tells_the_secrets_that_it_is_given(people: Witnesses) -> None:
    server = people.server
    url = server.environment["DATABASE_URL"]
    commands = (
        ("--help",),
        ("serve", "--help"),
        ("token", "--help"),
        ("serve", "--port", "99999"),
        ("token", "no/user"),
    )
    for done in await asyncio.gather(*(asyncio.to_thread(server.run, *command) for command in commands)):
        assert done.returncode in {0, 2}
        for secret in (SECRET, url):
            assert secret.encode() not in done.stdout + done.stderr
        assert b"Traceback" not in done.stderr
