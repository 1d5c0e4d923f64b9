"""Guests, profiles, tickets, signing out and being kept out, asked on real servers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from domain.instants import as_datetime
from interfaces.http.people import GUEST_LIFETIME
from tests.interfaces.http.conftest import SECRET
from tests.interfaces.server_thread import Answer, ServerThread, Somebody, eventually

# Guests.


@pytest.mark.parametrize(
    ("body", "name", "pattern"),
    [
        ({"name": "Ada Lovelace"}, "Ada Lovelace", "guest-ada-lovelace-[0-9a-f]{6}"),
        ({"name": "  Ada   B. "}, "Ada B.", "guest-ada-b-[0-9a-f]{6}"),
        ({"name": "Ærø 🦆"}, "Ærø 🦆", "guest-r-[0-9a-f]{6}"),
        ({"name": "日本"}, "日本", "guest-[0-9a-f]{6}"),
        ({"name": "x" * 64}, "x" * 64, "guest-x{20}-[0-9a-f]{6}"),
        ({"name": "../../etc"}, "../../etc", "guest-etc-[0-9a-f]{6}"),
        ({"name": "{0.__class__}"}, "{0.__class__}", "guest-0-class-[0-9a-f]{6}"),
        ({"name": "%s"}, "%s", "guest-s-[0-9a-f]{6}"),
        ({"name": "${x}"}, "${x}", "guest-x-[0-9a-f]{6}"),
        ({}, "Guest", "guest-guest-[0-9a-f]{6}"),
        (None, "Guest", "guest-guest-[0-9a-f]{6}"),
    ],
)
def test_a_guest_has_a_name_and_an_id_made_of_it(
    server: ServerThread, body: Any, name: str, pattern: str
) -> None:
    made = server.post("/api/guests", body)
    assert made.status == 201
    assert re.fullmatch(pattern, made.json["user"])
    end = datetime.now(UTC) + GUEST_LIFETIME
    assert abs(as_datetime(made.json["expires"]) - end) < timedelta(minutes=5)
    me = server.get("/api/me", Authorization=f"Bearer {made.json['token']}").json
    assert (me["user"], me["name"], me["is_admin"]) == (made.json["user"], name, False)


def test_guests_of_one_name_are_two(server: ServerThread) -> None:
    assert server.guest("Ada").user != server.guest("Ada").user


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"name": "\u202e"}, {"name": 1}, {"user": "root"}, {"is_admin": True}]
)
def test_a_guest_is_asked_for_strictly(server: ServerThread, body: Any) -> None:
    answer = server.post("/api/guests", body)
    assert (answer.status, answer.json["code"]) == (422, "E_SCHEMA")


def test_a_server_with_accounts_has_no_guests_and_lets_none_in(
    server: ServerThread, accounts: ServerThread
) -> None:
    answer = accounts.post("/api/guests", {"name": "Ada"})
    assert (answer.status, answer.json["code"]) == (404, "E_NOT_FOUND")
    guest = Somebody(accounts, "", server.sign_in("Ada") | {"X-Forwarded-For": "203.0.113.20"})
    assert guest.get("/api/me").status == 401


def test_a_server_without_accounts_takes_no_tokens_of_theirs(
    server: ServerThread, accounts: ServerThread
) -> None:
    headers = accounts.with_token("ada", "203.0.113.20").headers
    assert Somebody(server, "ada", headers).get("/api/me").status == 401


# Tokens.


def token(
    address: str, user: str = "tim", *, issued_in: float = 0, key: str = SECRET, **claims: Any
) -> dict[str, str]:
    """The headers of a token that somebody else has signed."""
    now = int(datetime.now(UTC).timestamp())
    usual = {
        "iss": "chronoscribe",
        "aud": "chronoscribe",
        "sub": user,
        "iat": now + int(issued_in),
        "exp": now + 60,
    }
    signed = jwt.encode(usual | claims, key, algorithm="HS256")
    return {"Authorization": f"Bearer {signed}", "X-Forwarded-For": address}


def test_a_token_of_whoever_keeps_the_accounts_lets_in(accounts: ServerThread) -> None:
    me = accounts.get("/api/me", **token("203.0.113.21", "mia", name="Mia M", admin=True)).json
    assert (me["user"], me["name"], me["is_admin"], me["initials"]) == ("mia", "Mia M", True, "MM")


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"iat": 32_503_680_000},
        {"aud": "others"},
        {"iss": "others"},
        {"sub": "no id"},
        {"sub": "@server"},
        {"key": "another-key-that-is-long-enough-for-this"},
    ],
)
def test_another_token_does_not(accounts: ServerThread, claims: dict[str, Any]) -> None:
    answer = accounts.get("/api/me", **token("203.0.113.22", **claims))
    assert (answer.status, answer.json["code"]) == (401, "E_AUTH")


def test_a_profile_name_that_a_token_tells_is_only_the_first_one(accounts: ServerThread) -> None:
    for name in ("Uwe", "Other"):
        assert accounts.get("/api/me", **token("203.0.113.23", "uwe", name=name)).json["name"] == "Uwe"


# Profiles.


def test_people_change_how_they_look(server: ServerThread) -> None:
    ada = server.guest("Ada")
    before = ada.get("/api/me").json
    assert re.fullmatch("#[0-9a-fA-F]{6}", before["colour"])
    changed = ada.patch("/api/profile", {"name": "Ada L", "avatar": "https://example.org/a.png"})
    assert changed.json == {
        "user": ada.user,
        "name": "Ada L",
        "colour": before["colour"],
        "avatar": "https://example.org/a.png",
        "initials": "AL",
    }
    assert server.guest().get(f"/api/profiles/{ada.user}").json == changed.json
    assert ada.patch("/api/profile", {"avatar": ""}).json["avatar"] == ""
    assert ada.patch("/api/profile", {}).json["name"] == "Ada L"


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"name": "\u202e"}, "E_SCHEMA", "name"),
        ({"name": ""}, "E_SCHEMA", "name"),
        ({"user": "root"}, "E_SCHEMA", "user"),
        ({"colour": "red"}, "E_PROFILE", "colour"),
        ({"colour": "#ffffffff"}, "E_SCHEMA", "colour"),
        ({"colour": "#ffffff"}, "E_PROFILE", "colour"),
        ({"avatar": "http://example.org/a.png"}, "E_PROFILE", "avatar"),
        ({"avatar": "javascript:alert(1)"}, "E_PROFILE", "avatar"),
        ({"avatar": "https://user@example.org/"}, "E_PROFILE", "avatar"),
        ({"avatar": "https://example.org/" + "a" * 2_000}, "E_SCHEMA", "avatar"),
    ],
)
def test_a_look_that_is_none_is_refused(server: ServerThread, body: Any, code: str, field: str) -> None:
    ada = server.guest("Ada")
    answer = ada.patch("/api/profile", body)
    assert (answer.status, answer.json["code"], answer.json["field"]) == (422, code, field)


@pytest.mark.parametrize("user", ["nobody-has-this", "a%20b", "@server", "%00"])
def test_who_is_not_known_has_no_profile(server: ServerThread, user: str) -> None:
    answer = server.guest().get(f"/api/profiles/{user}")
    assert (answer.status, answer.json["code"]) == (404, "E_NOT_FOUND")


def test_people_are_found_by_the_beginning_of_their_name_page_by_page(server: ServerThread) -> None:
    guests = [server.guest(f"Quintus {number}") for number in range(3)]
    for guest in guests:
        assert guest.get("/api/me").status == 200
    names = sorted(guest.user for guest in guests)

    def pages(query: str = "prefix=quintus&limit=1") -> list[str]:
        found: list[str] = []
        after: Any = ""
        while after is not None:
            page = guests[0].get(f"/api/profiles?{query}&after={after}").json
            found += [profile["user"] for profile in page["profiles"]]
            after = page["next"]
        return found

    assert eventually(pages, lambda found: len(found) == 3) == names
    assert pages("prefix=guest-quintus&limit=2") == names
    assert pages("prefix=quintus") == names
    for prefix in ("%25uintus", "_uintus", "%5Cquintus", "quintus%20_", "nobody"):
        assert pages(f"prefix={prefix}") == []


def test_people_are_found_by_their_ids(server: ServerThread) -> None:
    ada, bob = server.guest("Ada"), server.guest("Bob")
    for who in (ada, bob):
        who.get("/api/me")

    def found() -> set[str]:
        query = f"user={ada.user}&user={bob.user}&user=nobody"
        answer = ada.get(f"/api/profiles?{query}").json
        assert answer["next"] is None
        return {profile["user"] for profile in answer["profiles"]}

    assert eventually(found, lambda users: len(users) == 2) == {ada.user, bob.user}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "prefix=" + "x" * 65,
        "user=a%20b",
        "user=" + "&user=".join(["a"] * 51),
        "after=a&after=b",
    ],
)
def test_people_are_asked_for_strictly(server: ServerThread, query: str) -> None:
    answer = server.guest().get(f"/api/profiles?{query}")
    assert (answer.status, answer.json["code"]) == (422, "E_SCHEMA")


@pytest.mark.parametrize("query", ["prefix=%00", "after=%00", "prefix=a%00b"])
def test_what_no_name_can_hold_is_not_looked_for(server: ServerThread, query: str) -> None:
    answer = server.guest().get(f"/api/profiles?{query}")
    assert (answer.status, answer.json["code"]) == (422, "E_SCHEMA")


@pytest.mark.parametrize("query", ["prefix=%ED%A0%80", "prefix=%FF", "prefix=%EF%BF%BF"])
def test_what_nobody_is_called_is_found_nowhere(server: ServerThread, query: str) -> None:
    answer = server.guest().get(f"/api/profiles?{query}")
    assert (answer.status, answer.json) == (200, {"profiles": [], "next": None})


# Going.


def redeem(server: ServerThread, ticket: str) -> Any:
    async def redeem() -> Any:
        services = server.server.services
        identity = await services.tickets.redeem(ticket, origin=None, agent="program")
        return await services.profiles.enter(identity)

    return server.call(redeem())


def test_a_ticket_lets_its_buyer_in(server: ServerThread) -> None:
    ada = server.guest("Ada")
    answer = ada.post("/api/tickets")
    assert answer.headers["Cache-Control"] == "no-store"
    assert redeem(server, answer.json["ticket"]).user == ada.user
    left = as_datetime(answer.json["expires"]) - datetime.now(UTC)
    assert timedelta(0) < left <= timedelta(seconds=30)


def test_signing_out_voids_tokens_and_tickets(accounts: ServerThread) -> None:
    address = "203.0.113.24"
    old = Somebody(accounts, "sue", token(address, "sue"))
    also_old = Somebody(accounts, "sue", token(address, "sue", issued_in=-10))
    ticket = old.post("/api/tickets").json["ticket"]
    assert old.post("/api/sign-out").status == 204
    for somebody in (old, also_old):
        answer = somebody.get("/api/me")
        assert (answer.status, answer.json["code"]) == (401, "E_AUTH")
    with pytest.raises(Exception, match="credentials"):
        redeem(accounts, ticket)
    new = Somebody(accounts, "sue", token(address, "sue", issued_in=2))  # later, to the second
    assert new.get("/api/me").status == 200


def test_who_is_kept_out_is_nobody_until_let_in_again(accounts: ServerThread) -> None:
    address = "203.0.113.25"
    dan, root = accounts.with_token("dan", address), accounts.with_token("root", address, is_admin=True)
    assert dan.get("/api/me").status == 200
    ticket = dan.post("/api/tickets").json["ticket"]

    def operate(what: str) -> Answer:
        return root.post(f"/api/users/dan/{what}")

    assert [operate("disable").status for _ in range(2)] == [204, 204]
    unknown = accounts.ask("GET", "/api/me", headers={"X-Forwarded-For": address})
    assert (dan.get("/api/me").status, dan.get("/api/me").body) == (401, unknown.body)
    with pytest.raises(Exception, match="credentials"):
        redeem(accounts, ticket)
    assert [operate("enable").status for _ in range(2)] == [204, 204]
    assert dan.get("/api/me").status == 200


@pytest.mark.parametrize("user", ["nobody-has-this", "a%20b"])
@pytest.mark.parametrize("what", ["disable", "enable"])
def test_who_is_not_known_is_not_kept_out(server: ServerThread, user: str, what: str) -> None:
    assert server.post(f"/api/users/{user}/{what}").status == 404


def test_a_guest_is_kept_out_from_the_servers_machine(server: ServerThread) -> None:
    ada = server.guest("Ada")
    ada.get("/api/me")
    assert server.post(f"/api/users/{ada.user}/disable").status == 204
    assert ada.get("/api/me").status == 401
    assert server.post(f"/api/users/{ada.user}/enable").status == 204
    assert ada.get("/api/me").status == 200
