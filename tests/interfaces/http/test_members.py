"""Members and the links by which they come, asked on a real server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from domain.instants import as_datetime
from tests.interfaces.http.conftest import SECRET
from tests.interfaces.server_thread import Answer, ServerThread, Somebody, eventually


@pytest.fixture(scope="module")
def ada(server: ServerThread) -> Somebody:
    return server.guest("Ada")


@pytest.fixture(scope="module")
def bob(server: ServerThread) -> Somebody:
    return server.guest("Bob")


# Members.


def members_of(ada: Somebody, room: str, query: str = "") -> dict[str, str]:
    found = ada.get(f"/api/rooms/{room}/members{query}").json["members"]
    return {member["user"]: member["role"] for member in found}


def test_members_come_change_and_go(ada: Somebody, bob: Somebody) -> None:
    room = ada.make_room()
    path = f"/api/rooms/{room}/members/{bob.user}"
    for role in ("viewer", "owner", "commenter"):
        answer = ada.put(path, {"role": role})
        assert (answer.status, answer.json["user"], answer.json["role"]) == (200, bob.user, role)
        assert members_of(ada, room) == {ada.user: "owner", bob.user: role}
    for _ in range(2):
        assert ada.delete(path).status == 204
    assert members_of(ada, room) == {ada.user: "owner"}


def test_a_member_leaves_by_themselves(ada: Somebody, bob: Somebody) -> None:
    room = ada.make_room(**{bob.user: "viewer"})
    assert bob.delete(f"/api/rooms/{room}/members/{bob.user}").status == 204
    assert bob.get(f"/api/rooms/{room}").status == 404


def test_a_room_keeps_its_last_owner(ada: Somebody, bob: Somebody) -> None:
    room = ada.make_room(**{bob.user: "editor"})
    own = f"/api/rooms/{room}/members/{ada.user}"
    for answer in (ada.delete(own), ada.put(own, {"role": "editor"})):
        assert (answer.status, answer.json["code"]) == (409, "E_LAST_OWNER")
    assert ada.put(own, {"role": "owner"}).status == 200
    assert ada.put(f"/api/rooms/{room}/members/{bob.user}", {"role": "owner"}).status == 200
    assert ada.delete(own).status == 204
    assert members_of(bob, room) == {bob.user: "owner"}


@pytest.mark.parametrize("body", [{}, {"role": "boss"}, {"role": "Owner"}, {"role": None}, {"role": 3}])
def test_a_role_is_one_of_four(ada: Somebody, body: Any) -> None:
    answer = ada.put(f"/api/rooms/{ada.make_room()}/members/bob", body)
    assert (answer.status, answer.json["code"], answer.json["field"]) == (422, "E_SCHEMA", "role")


@pytest.mark.parametrize("user", ["a%20b", "@server", "%0A", "x" * 65])
def test_what_can_be_no_user_is_none(ada: Somebody, user: str) -> None:
    path = f"/api/rooms/{ada.make_room()}/members/{user}"
    assert ada.put(path, {"role": "viewer"}).status == 404
    assert ada.delete(path).status == 404


def test_members_are_listed_page_by_page_by_user(ada: Somebody) -> None:
    room = ada.make_room(**dict.fromkeys(("zoe", "anna", "mia"), "viewer"))
    found: list[str] = []
    after: Any = ""
    while after is not None:
        page = ada.get(f"/api/rooms/{room}/members?limit=1{after and f'&after={after}'}").json
        found += [member["user"] for member in page["members"]]
        assert len(page["members"]) == 1
        after = page["next"]
    assert found == sorted(["zoe", "anna", "mia", ada.user])


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=x",
        "after=",
        "after=a%20b",
        "at=yesterday",
        "at=",
        "limit=1&limit=2",
    ],
)
def test_members_are_asked_for_strictly(ada: Somebody, query: str) -> None:
    answer = ada.get(f"/api/rooms/{ada.make_room()}/members?{query}")
    assert (answer.status, answer.json["code"]) == (422, "E_SCHEMA")
    assert answer.json["field"] == query.partition("=")[0]


def test_members_are_told_as_they_were_at_every_moment(ada: Somebody, bob: Somebody) -> None:
    room = ada.make_room()
    path = f"/api/rooms/{room}/members"

    def since(user: str, role: str) -> datetime:
        """When the user got the role, as soon as it is known."""

        def found() -> Any:
            return {m["user"]: m for m in ada.get(path).json["members"]}[user]

        member = eventually(found, lambda member: member["since"] is not None)
        assert (member["role"], member["by"], member["invitation"]) == (role, ada.user, None)
        return as_datetime(member["since"])

    moments = []
    for role in ("viewer", "editor"):
        assert ada.put(f"{path}/{bob.user}", {"role": role}).status == 200
        moments.append(since(bob.user, role))
    opened = since(ada.user, "owner")
    assert ada.delete(f"{path}/{bob.user}").status == 204

    def at(moment: datetime) -> dict[str, str]:
        return members_of(ada, room, f"?at={moment.isoformat()}")

    both = [{ada.user: "owner", bob.user: role} for role in ("viewer", "editor")]
    assert [at(opened), *map(at, moments)] == [{ada.user: "owner"}, *both]
    eventually(
        lambda: members_of(ada, room, "?at=9999-12-31T23:59:59-12:00"),
        lambda found: found == {ada.user: "owner"},
    )
    for before in ("2001-01-01", "0001-01-01T00:00:00%2B14:00"):
        assert members_of(ada, room, f"?at={before}") == {}
    page = ada.get(f"{path}?at={moments[0].isoformat()}&limit=1").json
    assert (len(page["members"]), page["next"]) == (1, page["members"][0]["user"])
    rest = ada.get(f"{path}?at={moments[0].isoformat()}&limit=1&after={page['next']}").json
    assert ({m["user"] for m in page["members"] + rest["members"]}, rest["next"]) == (set(both[0]), None)


# Invitations.


class Link:
    """One that Ada has made."""

    def __init__(self, ada: Somebody, room: str, **body: Any) -> None:
        made = ada.post(f"/api/rooms/{room}/invitations", {"role": "editor"} | body)
        assert made.status == 201, made
        self.made = made.json
        self.room = room
        self.id = self.made["invitation"]
        self.secret = self.made["secret"]

    def accept(self, who: Somebody, *, room: str = "", invitation: str = "", secret: str = "") -> Answer:
        path = f"/api/rooms/{room or self.room}/invitations/{invitation or self.id}/accept"
        return who.post(path, {"secret": secret or self.secret})


def open_links(ada: Somebody, room: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ada.get(f"/api/rooms/{room}/invitations").json["invitations"]
    return found


def test_who_has_a_link_comes_in(server: ServerThread, ada: Somebody) -> None:
    room, eve = ada.make_room(), server.guest("Eve")
    link = Link(ada, room, uses=2, expires_in=60)
    assert (link.made["uses"], link.made["role"]) == (2, "editor")
    assert link.made["link"] == f"{server.url}/#/join/{room}/{link.id}/{link.secret}"
    answer = link.accept(eve)
    assert (answer.status, answer.json) == (200, {"room": room, "role": "editor"})
    assert eve.get(f"/api/rooms/{room}").json["role"] == "editor"
    [told] = open_links(ada, room)
    assert told == {name: link.made[name] for name in ("invitation", "role", "expires")} | {"uses": 1}

    def came() -> Any:
        return {m["user"]: m for m in ada.get(f"/api/rooms/{room}/members").json["members"]}[eve.user]

    member = eventually(came, lambda member: member["since"] is not None)
    assert (member["by"], member["invitation"]) == (eve.user, link.id)


def test_a_link_makes_nobody_less_and_a_member_more(ada: Somebody, bob: Somebody) -> None:
    room = ada.make_room(**{bob.user: "viewer"})
    once = Link(ada, room, uses=1)
    assert once.accept(ada).json["role"] == "owner"  # which is no use of it
    assert once.accept(bob).json["role"] == "editor"
    assert once.accept(bob).json["role"] == "editor"


def test_links_that_let_nobody_in_cannot_be_told_apart(
    server: ServerThread, ada: Somebody, bob: Somebody
) -> None:
    eve, room, closed = server.guest("Eve"), ada.make_room(), ada.make_room()
    link, used, brief, revoked = (
        Link(ada, room),
        Link(ada, room, uses=1),
        Link(ada, room, expires_in=1),
        Link(ada, room),
    )
    of_closed = Link(ada, closed)
    assert used.accept(bob).status == 200
    assert ada.delete(f"/api/rooms/{room}/invitations/{revoked.id}").status == 204
    assert ada.delete(f"/api/rooms/{closed}").status == 204
    eventually(
        lambda: open_links(ada, room), lambda found: [told["invitation"] for told in found] == [link.id]
    )
    refusals = [
        used.accept(eve),
        brief.accept(eve),
        revoked.accept(eve),
        of_closed.accept(eve),
        link.accept(eve, secret="wrong"),
        link.accept(eve, secret="x" * 64),
        link.accept(eve, secret=used.secret),
        link.accept(eve, invitation="unknown"),
        link.accept(eve, invitation="a%20b"),
        link.accept(eve, room="unknown"),
        link.accept(eve, room="a%20b"),
        link.accept(eve, room=closed),
        # Nor by whom would have more of it.
        link.accept(bob, secret="wrong"),
        link.accept(ada, secret="wrong"),
    ]
    assert {(answer.status, answer.body) for answer in refusals} == {(404, refusals[0].body)}
    assert refusals[0].json["code"] == "E_NOT_FOUND"
    assert eve.get(f"/api/rooms/{room}").status == 404
    assert link.accept(eve).status == 200


def test_a_secret_is_told_once(ada: Somebody) -> None:
    room = ada.make_room()
    link = Link(ada, room)
    assert len(link.secret) >= 32
    assert link.secret.encode() not in ada.get(f"/api/rooms/{room}/invitations").body
    with_all = ada.get(f"/api/rooms/{room}").body + ada.get(f"/api/rooms/{room}/members").body
    assert link.secret.encode() not in with_all


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "role"),
        ({"role": "boss"}, "role"),
        ({"role": "viewer", "expires_in": 0}, "expires_in"),
        ({"role": "viewer", "expires_in": 90 * 24 * 3600 + 1}, "expires_in"),
        ({"role": "viewer", "expires_in": 1.5}, "expires_in"),
        ({"role": "viewer", "expires_in": "60"}, "expires_in"),
        ({"role": "viewer", "uses": 0}, "uses"),
        ({"role": "viewer", "uses": 1_001}, "uses"),
        ({"role": "viewer", "uses": True}, "uses"),
        ({"role": "viewer", "secret": "mine"}, "secret"),
    ],
)
def test_a_link_is_asked_for_strictly(ada: Somebody, body: Any, field: str) -> None:
    answer = ada.post(f"/api/rooms/{ada.make_room()}/invitations", body)
    assert (answer.status, answer.json["code"], answer.json["field"]) == (422, "E_SCHEMA", field)


def test_who_has_not_seen_the_newest_members_removes_nobody(ada: Somebody, bob: Somebody) -> None:
    room = ada.make_room(**{bob.user: "viewer"})
    member = f"/api/rooms/{room}/members/{bob.user}"
    seen = ada.get(f"/api/rooms/{room}").headers["ETag"]
    newest = ada.put(member, {"role": "editor"}).headers["ETag"]
    late = ada.delete(member, If_Match=seen)
    assert (late.status, late.json["code"]) == (412, "E_PRECONDITION")
    assert ada.delete(member, If_Match=newest).status == 204


def test_a_link_leads_to_where_whoever_invites_has_their_pages_from(
    server: ServerThread, ada: Somebody, start: Callable[..., ServerThread]
) -> None:
    app = "https://app.example.com"
    apart = start(auth_secrets=[SECRET], behind_proxy=["127.0.0.1"], origins=[app])
    elsewhere = apart.with_token("ada", "203.0.113.60")
    for somebody, given, page in [
        (ada, {}, server.url),
        (ada, {"Origin": server.url}, server.url),
        (elsewhere, {}, app),
        (elsewhere, {"Origin": app}, app),
    ]:
        room = somebody.make_room()
        link = somebody.post(f"/api/rooms/{room}/invitations", {"role": "viewer"}, **given).json["link"]
        assert link.startswith(f"{page}/#/join/{room}/")
