"""What is known already is not told again, and what has changed since is not changed unseen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.interfaces.server_thread import Answer, ServerThread, Somebody, eventually


@pytest.fixture
def ada(server: ServerThread) -> Somebody:
    return server.guest("Ada")


# ETags.


@pytest.mark.parametrize(
    "path",
    [
        "/api/rooms/{room}",
        "/api/rooms/{room}/members",
        "/api/rooms/{room}/members?limit=1",
        "/api/rooms/{room}/documents/main.md",
        "/api/rooms/{room}/documents/main.md?revision=0",
        "/api/profiles/{user}",
    ],
)
def test_what_is_known_is_not_told_again(ada: Somebody, path: str) -> None:
    path = path.format(room=ada.make_room(), user=ada.user)
    first = eventually(lambda: ada.get(path), lambda answer: "ETag" in answer.headers)
    etag = first.headers["ETag"]
    assert (first.status, first.headers["Cache-Control"]) == (200, "private, no-cache")
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = ada.get(path, If_None_Match=known)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
        assert again.headers["Cache-Control"] == "private, no-cache"
    for unknown in ('"other"', etag.strip('"'), f'{etag[:-1]}0"', ""):
        assert ada.get(path, If_None_Match=unknown).status == 200


def test_what_has_changed_is_told(ada: Somebody) -> None:
    room = f"/api/rooms/{ada.make_room()}"
    etag = ada.get(room).headers["ETag"]
    changed = ada.patch(room, {"title": "Another"})
    assert changed.headers["ETag"] != etag
    answer = ada.get(room, If_None_Match=etag)
    assert (answer.status, answer.json["title"]) == (200, "Another")
    assert answer.headers["ETag"] == changed.headers["ETag"]


def test_what_is_known_is_no_right(server: ServerThread, ada: Somebody) -> None:
    bob = server.guest("Bob")
    room = f"/api/rooms/{ada.make_room(**{bob.user: 'viewer'})}"
    etag = bob.get(room).headers["ETag"]
    assert ada.delete(f"{room}/members/{bob.user}").status == 204
    assert bob.get(room, If_None_Match=etag).status == 404
    assert server.ask("GET", room, headers={"If-None-Match": etag}).status == 401


def test_a_tag_of_one_role_is_none_of_another(server: ServerThread, ada: Somebody) -> None:
    bob = server.guest("Bob")
    room = f"/api/rooms/{ada.make_room(**{bob.user: 'viewer'})}"
    etag = ada.get(room).headers["ETag"]
    assert bob.get(room).headers["ETag"] != etag
    told = bob.get(room, If_None_Match=etag)
    assert (told.status, told.json["role"]) == (200, "viewer")


def test_a_tag_of_one_page_is_none_of_another(server: ServerThread, ada: Somebody) -> None:
    bob = server.guest("Bob")
    members = f"/api/rooms/{ada.make_room(**{bob.user: 'viewer'})}/members"

    def tags() -> set[str | None]:
        queries = ("", "?limit=1", f"?limit=1&after={ada.user}")
        return {ada.get(members + query).headers.get("ETag") for query in queries}

    assert len(eventually(tags, lambda found: None not in found)) == 3


def test_a_text_and_its_json_are_two_things(ada: Somebody) -> None:
    path = f"/api/rooms/{ada.make_room()}/documents/main.md"
    for query in ("", "?revision=0"):
        json, text = ada.get(path + query), ada.get(path + query, Accept="text/plain")
        assert (json.headers["Vary"], text.headers["Vary"]) == ("Accept", "Accept")
        assert json.headers["ETag"] != text.headers["ETag"]
        assert ada.get(path + query, Accept="text/plain", If_None_Match=json.headers["ETag"]).status == 200
        assert ada.get(path + query, Accept="text/plain", If_None_Match=text.headers["ETag"]).status == 304


# If-Match.


class Place:
    """A room with Bob in it, and a change of each kind that can be made conditional."""

    def __init__(self, ada: Somebody, bob: Somebody) -> None:
        self.ada, self.bob = ada, bob
        self.room = f"/api/rooms/{ada.make_room(**{bob.user: 'viewer'})}"
        self.member = f"{self.room}/members/{bob.user}"

    def etag(self, what: str) -> str:
        path = f"/api/profiles/{self.ada.user}" if what == "profile" else self.room
        return str(self.ada.get(path).headers["ETag"])

    def change(self, what: str, **headers: str) -> Answer:
        match what:
            case "room":
                return self.ada.patch(self.room, {"title": "Changed"}, **headers)
            case "member":
                return self.ada.put(self.member, {"role": "editor"}, **headers)
            case "close":
                return self.ada.delete(self.room, **headers)
            case _:
                return self.ada.patch("/api/profile", {"name": "Changed"}, **headers)

    def state(self) -> Any:
        return (
            self.ada.get(self.room).json | {"documents": None},
            self.bob.get(self.room).json["role"],
            self.ada.get(f"/api/profiles/{self.ada.user}").json["name"],
        )

    def change_meanwhile(self) -> None:
        self.ada.patch(self.room, {"title": "Meanwhile"})
        self.ada.patch("/api/profile", {"name": "Meanwhile"})


@pytest.fixture
def place(server: ServerThread, ada: Somebody) -> Place:
    return Place(ada, server.guest("Bob"))


CHANGES = ("room", "member", "close", "profile")


@pytest.mark.parametrize("what", CHANGES)
def test_what_has_changed_since_is_not_changed(place: Place, what: str) -> None:
    etag = place.etag(what)
    place.change_meanwhile()
    before = place.state()
    for seen in (
        etag,
        '"other"',
        f'"other", {etag}',
        f"W/{place.etag(what)}",
        place.etag(what).strip('"'),
        "",
    ):
        answer = place.change(what, If_Match=seen)
        assert (answer.status, answer.json["code"]) == (412, "E_PRECONDITION")
    assert place.state() == before


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("seen", ["{etag}", '"other", {etag}', "*", None])
def test_what_is_as_it_was_seen_is_changed(place: Place, what: str, seen: str | None) -> None:
    headers = {} if seen is None else {"If_Match": seen.format(etag=place.etag(what))}
    assert place.change(what, **headers).status in {200, 204}


def test_a_room_seen_in_whatever_way_is_one_version(place: Place) -> None:
    members = eventually(
        lambda: place.ada.get(f"{place.room}/members"), lambda answer: "ETag" in answer.headers
    )
    put = place.change("member", If_Match=members.headers["ETag"])
    assert put.status == 200
    assert place.change("room", If_Match=members.headers["ETag"]).status == 412
    assert place.change("room", If_Match=put.headers["ETag"]).status == 200


def test_a_version_is_no_beginning_of_another(place: Place) -> None:
    while not place.etag("room").split(".v")[1].startswith("1"):
        place.change_meanwhile()
        place.change("room")
    etag = place.etag("room")
    begin, _, user = etag.rpartition(".")
    assert place.change("room", If_Match=f"{begin}0.{user}").status == 412
    assert place.change("room", If_Match=f'{begin[:-1]}"').status == 412
