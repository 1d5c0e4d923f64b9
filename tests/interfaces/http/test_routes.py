"""Every route there is, asked by everybody: who is let in, what comes back, and what a stranger can tell."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

import pytest

from application.documents import digest
from domain.document import Edit
from domain.rights import Action, Role, may
from interfaces.http.door import Access
from interfaces.http.routes import ROUTES, Route
from interfaces.http.speech import client_of
from interfaces.web.bundle import DIST
from tests.etherpads import PadWriter, export
from tests.interfaces.server_thread import Answer, ServerThread, Somebody
from tests.interfaces.written import write


class Sample(NamedTuple):
    """A good request: the body, the query, and what stands in the path where it is not the usual thing."""

    body: Any = None
    query: str = ""
    path: dict[str, str] = {}  # noqa: RUF012 -- nobody changes it


# Assets are named by their content.
AN_ASSET: Final = next(path.name for path in sorted((DIST / "assets").iterdir()))

# What came of a pad in which nothing but its first text was written.
PAD: Final = json.loads(export(PadWriter("a-pad", "Hello")))

# One for each route; a route without one fails.
SAMPLES: Final = {
    "GET /": Sample(),
    "GET /api/docs": Sample(),
    "GET /api/docs/{file}": Sample(path={"file": "begin.js"}),
    "GET /api/openapi.json": Sample(),
    "POST /api/guests": Sample({"name": "Ada"}),
    "POST /api/tickets": Sample(),
    "GET /api/me": Sample(),
    "PATCH /api/profile": Sample({"name": "Ada"}),
    "POST /api/sign-out": Sample(),
    "GET /api/profiles": Sample(),
    "GET /api/profiles/{user}": Sample(),
    "GET /api/checkpoints": Sample(),
    "POST /api/rooms": Sample({"title": "A room"}),
    "GET /api/rooms": Sample(),
    "GET /api/rooms/{room}": Sample(),
    "PATCH /api/rooms/{room}": Sample({"title": "Another"}),
    "DELETE /api/rooms/{room}": Sample(),
    "GET /api/rooms/{room}/members": Sample(),
    "PUT /api/rooms/{room}/members/{user}": Sample({"role": "viewer"}),
    "DELETE /api/rooms/{room}/members/{user}": Sample(),
    "POST /api/rooms/{room}/invitations": Sample({"role": "viewer"}),
    "GET /api/rooms/{room}/invitations": Sample(),
    "DELETE /api/rooms/{room}/invitations/{invitation}": Sample(),
    "POST /api/rooms/{room}/invitations/{invitation}/accept": Sample({"secret": "to be told"}),
    "POST /api/rooms/{room}/documents": Sample({"document": "b.md"}),
    "GET /api/rooms/{room}/documents": Sample(),
    "GET /api/rooms/{room}/documents/{document}": Sample(),
    "DELETE /api/rooms/{room}/documents/{document}": Sample(),
    "GET /api/rooms/{room}/messages/export": Sample(),
    "POST /api/rooms/{room}/messages/import": Sample({"room": "old", "exported_at": 0, "messages": []}),
    "POST /api/rooms/{room}/imports/etherpad": Sample(PAD),
    "POST /api/rooms/{room}/messages": Sample({"text": "Hello"}),
    "PATCH /api/rooms/{room}/messages/{message}": Sample({"text": "Hello there"}),
    "DELETE /api/rooms/{room}/messages/{message}": Sample(),
    "PUT /api/rooms/{room}/messages/{message}/reactions/{emoji}": Sample(),
    "DELETE /api/rooms/{room}/messages/{message}/reactions/{emoji}": Sample(),
    "PUT /api/rooms/{room}/messages/{message}/pin": Sample(),
    "DELETE /api/rooms/{room}/messages/{message}/pin": Sample(),
    "GET /api/rooms/{room}/messages/{message}/link": Sample(),
    "PUT /api/rooms/{room}/receipt": Sample({"delivered": 1}),
    "GET /api/rooms/{room}/messages": Sample(),
    "GET /api/rooms/{room}/messages/search": Sample(query="?q=Hi"),
    "GET /api/rooms/{room}/messages/{message}": Sample(),
    "GET /api/rooms/{room}/messages/{message}/history": Sample(),
    "GET /api/rooms/{room}/messages/{message}/readers": Sample(),
    "GET /api/rooms/{room}/pins": Sample(),
    "GET /api/rooms/{room}/receipts": Sample(),
    "GET /api/unread": Sample(),
    "GET /api/mentions": Sample(),
    "GET /api/messages": Sample(query="?author=ada"),
    "POST /api/rooms/{room}/documents/{document}/saves": Sample({"name": "First"}),
    "GET /api/rooms/{room}/documents/{document}/saves": Sample(),
    "POST /api/rooms/{room}/runs": Sample({"title": "tests"}),
    "POST /api/rooms/{room}/runs/{run}/finish": Sample({"outcome": "passed"}),
    "GET /api/rooms/{room}/documents/{document}/diff": Sample(query="?from=0"),
    "POST /api/rooms/{room}/documents/{document}/bisect": Sample({"text_absent": "x"}),
    "GET /api/rooms/{room}/documents/{document}/passage": Sample(query="?revision=1&start=0&end=1"),
    "GET /api/rooms/{room}/documents/{document}/blame": Sample(),
    "GET /api/rooms/{room}/documents/{document}/watch": Sample(query="?start=0&end=5"),
    "GET /api/rooms/{room}/documents/{document}/moment": Sample(query="?position=0"),
    "GET /api/rooms/{room}/documents/{document}/phrases": Sample(query="?q=Hello"),
    "GET /api/rooms/{room}/past/search": Sample(query="?q=Hello"),
    "POST /api/rooms/{room}/documents/{document}/undo": Sample({"mine": True}),
    "POST /api/rooms/{room}/documents/{document}/undo/preview": Sample({"first": 1}),
    "POST /api/rooms/{room}/documents/{document}/redo": Sample({}),
    "POST /api/rooms/{room}/documents/{document}/restore": Sample({"revision": 0}),
    "POST /api/rooms/{room}/documents/{document}/branch": Sample({"branch": "branch.md"}),
    "GET /api/rooms/{room}/documents/{document}/branch": Sample(),
    "POST /api/rooms/{room}/documents/{document}/merge": Sample(path={"document": "branched.md"}),
    "POST /api/rooms/{room}/redactions": Sample({"phrase": "Hello", "reason": "a test"}),
    "GET /api/rooms/{room}/redactions": Sample(),
    "GET /api/rooms/{room}/proof": Sample(),
    "GET /api/rooms/{room}/replay": Sample(),
    "GET /api/rooms/{room}/replay.html": Sample(),
    "GET /api/rooms/{room}/stage": Sample(),
    "GET /api/rooms/{room}/presence": Sample(),
    "GET /api/rooms/{room}/presence/summary": Sample(),
    "GET /api/rooms/{room}/activity": Sample(),
    "GET /api/activity": Sample(),
    "GET /api/rooms/{room}/audit": Sample(),
    "GET /api/rooms/{room}/audit/{question}": Sample(path={"question": "who_edited_what"}),
    "GET /api/rooms/{room}/statistics": Sample(),
    "GET /api/rooms/{room}/statistics/plot.svg": Sample(),
    "GET /api/rooms/{room}/statistics/plot.png": Sample(),
    "GET /api/rooms/{room}/report": Sample(),
    "GET /api/rooms/{room}/export": Sample(),
    "GET /healthz": Sample(),
    "GET /readyz": Sample(),
    "GET /metrics": Sample(),
    "POST /api/users/{user}/disable": Sample(),
    "POST /api/users/{user}/enable": Sample(),
    "POST /api/users/{user}/erasure": Sample({"reason": "a test"}),
    "GET /assets/{file}": Sample(path={"file": AN_ASSET}),
    "GET /{file}": Sample(path={"file": "index.html"}),
}

# The table says what it takes to remove oneself; the room itself wants more for others.
OF_OTHERS: Final = {"DELETE /api/rooms/{room}/members/{user}": Action.MANAGE}


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


PUBLIC = [route for route in ROUTES if route.access is Access.PUBLIC]
SIGNED_IN = [route for route in ROUTES if route.access is Access.SIGNED_IN]
OPERATOR = [route for route in ROUTES if route.access is Access.OPERATOR]
OF_ROOMS = [route for route in ROUTES if isinstance(route.access, Action)]

# What those may be who are no members.
EVERYONES = [Role.VIEWER, Role.COMMENTER, Role.EDITOR]


class Scene(NamedTuple):
    """A room of the owner's, with somebody else in it, and an invitation that is out. `message` and `run` are
    the owner's, unless whoever asks may have their own.
    """

    owner: Somebody
    room: str
    somebody: Somebody
    invitation: str
    secret: str
    message: str
    run: str

    def path(self, route: Route, query: str = "", **given: str) -> str:
        usual = {
            "room": self.room,
            "user": self.somebody.user,
            "document": "main.md",
            "invitation": self.invitation,
            "message": self.message,
            "emoji": "%F0%9F%91%8D",
            "run": self.run,
        }
        sample = SAMPLES[name_of(route)]
        asked = "&".join(filter(None, (sample.query, query))).replace("&?", "&")
        return route.path.format(**usual | sample.path | given) + asked

    def body(self, route: Route) -> Any:
        body = SAMPLES[name_of(route)].body
        return body | {"secret": self.secret} if route.path.endswith("/accept") else body

    def of(self, who: Somebody, role: Role) -> Scene:
        """With a message and a run of theirs in it, where their role lets them."""
        message = say(who, self.room) if may(role, Action.POST) else self.message
        run = start_run(who, self.room) if may(role, Action.EDIT) else self.run
        return self._replace(message=message, run=run)

    def let_in(self, who: Somebody, role: Role) -> None:
        """Make them a member. Not over HTTP, where nobody may do that so often."""
        server = self.owner.server
        server.call(server.server.services.members.put(self.room, who.user, role, actor=self.owner.user))

    def ask(self, who: Somebody | ServerThread, route: Route, query: str = "", **given: str) -> Answer:
        return who.ask(route.method, self.path(route, query, **given), self.body(route))


def make_scene(somebody: Somebody, **members: str) -> Scene:
    """With an owner of its own: one for all of the table would ask too often."""
    owner = somebody.server.guest("Olga")
    room = owner.make_room(**members, **{somebody.user: "viewer"})
    write(owner, room, ["Hello"])
    link = owner.post(f"/api/rooms/{room}/invitations", {"role": "viewer"}).json
    type_in(owner, room)
    message, run = say(owner, room), start_run(owner, room)
    owner.post(f"/api/rooms/{room}/documents/main.md/branch", {"branch": "branched.md"})
    return Scene(owner, room, somebody, link["invitation"], link["secret"], message, run)


def type_in(who: Somebody, room: str) -> None:
    """Make "x" of the room's document."""
    services = who.server.server.services

    async def edit() -> None:
        first = Edit("typist", 1, 0, ["x"], digest(0, ["x"]))
        await services.documents.edit(room, "main.md", first, actor=who.user)

    who.server.call(edit())


def say(who: Somebody, room: str) -> str:
    """The id of a new message of theirs, with a link."""
    services, message = who.server.server.services, who.server.server.services.new_id()

    async def post() -> None:
        await services.messages.post(
            room,
            message,
            client=client_of(who.user),
            text="Hi",
            documents={},
            link={"document": "main.md", "revision": 0, "start": 0, "end": 0},
            actor=who.user,
        )

    who.server.call(post())
    return message


def start_run(who: Somebody, room: str) -> str:
    """The id of a new run of theirs."""
    services, run = who.server.server.services, who.server.server.services.new_id()

    async def start() -> None:
        started = await services.runs.start(
            room,
            run,
            client=client_of(who.user),
            title="tests",
            document=None,
            revision=None,
            actor=who.user,
        )
        await started

    who.server.call(start())
    return run


@pytest.fixture(scope="module")
def somebody(server: ServerThread) -> Somebody:
    """Somebody who has been seen."""
    somebody = server.guest("Sam")
    assert somebody.get("/api/me").status == 200
    return somebody


@pytest.fixture(scope="module")
def scene(somebody: Somebody) -> Scene:
    """For those who change nothing in it."""
    return make_scene(somebody)


def make_open_scene(somebody: Somebody, role: Role) -> Scene:
    """A room in which everybody has this role."""
    scene = make_scene(somebody)
    assert scene.owner.patch(f"/api/rooms/{scene.room}", {"everyone": role}).status == 200
    return scene


@pytest.fixture(scope="module")
def open_scenes(somebody: Somebody) -> dict[Role, Scene]:
    """For those who change nothing in them."""
    return {role: make_open_scene(somebody, role) for role in EVERYONES}


def needed_for(route: Route) -> Action:
    needed = OF_OTHERS.get(name_of(route), route.access)
    assert isinstance(needed, Action)
    return needed


def changes(route: Route, role: Role) -> bool:
    """Whether something is other than it was when somebody of this role has asked."""
    return route.method != "GET" and may(role, needed_for(route))


def check_good(answer: Answer, route: Route) -> None:
    """That it is the answer that the route promises."""
    assert answer.status == route.status, answer
    if route.answer is not None:
        assert answer.headers.get_content_type() == "application/json"
        route.answer.model_validate_json(answer.body)
    elif route.status == 204:
        assert answer.body == b""
    assert int(answer.headers["RateLimit-Remaining"]) < int(answer.headers["RateLimit-Limit"])


def as_told(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    """All of an answer, apart from when it was given and how much may still be asked."""
    told = {
        name: value
        for name, value in answer.headers.items()
        if name != "Date" and not name.startswith("RateLimit-")
    }
    return answer.status, answer.body, told


# The table.


def test_every_route_has_a_sample_and_every_sample_a_route() -> None:
    assert [name_of(route) for route in ROUTES] == list(SAMPLES)


def test_the_server_has_the_routes_of_the_table_and_the_socket_alone(server: ServerThread) -> None:
    served = {
        f"{route.method} {route.resource.canonical}"
        for route in server.server.app.router.routes()
        if route.resource is not None
    }
    assert served - {"GET /ws/{room}", "HEAD /ws/{room}"} == set(SAMPLES)
    assert "GET /ws/{room}" in served


# Without credentials.


@pytest.mark.parametrize("route", PUBLIC, ids=name_of)
def test_what_is_public_is_answered_to_everybody(server: ServerThread, scene: Scene, route: Route) -> None:
    check_good(scene.ask(server, route), route)


@pytest.mark.parametrize("route", [*SIGNED_IN, *OF_ROOMS], ids=name_of)
def test_everything_else_wants_to_know_who_asks(server: ServerThread, scene: Scene, route: Route) -> None:
    answer = scene.ask(server, route)
    assert (answer.status, answer.json["code"]) == (401, "E_AUTH")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert as_told(answer) == as_told(server.get("/api/me"))


@pytest.mark.parametrize("route", [*SIGNED_IN, *OF_ROOMS], ids=name_of)
def test_a_token_in_the_address_is_no_credential(server: ServerThread, scene: Scene, route: Route) -> None:
    token = scene.owner.headers["Authorization"].removeprefix("Bearer ")
    answer = scene.ask(server, route, f"?token={token}&access_token={token}&ticket={token}")
    assert as_told(answer) == as_told(server.get("/api/me"))


# Of oneself and of others.


@pytest.mark.parametrize("route", SIGNED_IN, ids=name_of)
def test_who_is_signed_in_may_do_what_is_for_all(server: ServerThread, scene: Scene, route: Route) -> None:
    check_good(scene.ask(server.guest("Ada"), route), route)


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_what_is_not_known_in_a_query_is_refused(server: ServerThread, scene: Scene, route: Route) -> None:
    answer = scene.ask(scene.owner, route, "?what=ever")
    assert (answer.status, answer.json["code"], answer.json["field"]) == (422, "E_SCHEMA", "what")


# In rooms.


@pytest.mark.parametrize("route", OF_ROOMS, ids=name_of)
def test_a_stranger_cannot_tell_a_room_from_one_that_there_is_not(
    server: ServerThread, scene: Scene, route: Route
) -> None:
    stranger = server.guest("Eve")
    answer = scene.ask(stranger, route)
    assert (answer.status, answer.json["code"]) == (404, "E_NOT_FOUND")
    for nothing in ("no-such-room", "no%20id"):
        assert as_told(scene.ask(stranger, route, room=nothing)) == as_told(answer)
    closed = make_scene(scene.somebody)
    assert closed.owner.delete(f"/api/rooms/{closed.room}").status == 204
    assert as_told(closed.ask(closed.owner, route)) == as_told(answer)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", OF_ROOMS, ids=name_of)
def test_in_a_room_a_role_may_do_what_the_table_of_rights_says(
    server: ServerThread, somebody: Somebody, scene: Scene, route: Route, role: Role
) -> None:
    member = server.guest(role)
    if changes(route, role):
        scene = make_scene(somebody, **{member.user: role}).of(member, role)
    else:
        scene.let_in(member, role)
    answer = scene.ask(member, route)
    if may(role, needed_for(route)):
        check_good(answer, route)
    else:
        assert (answer.status, answer.json["code"], answer.json["role"]) == (403, "E_FORBIDDEN", role)


@pytest.mark.parametrize("role", EVERYONES)
@pytest.mark.parametrize("route", OF_ROOMS, ids=name_of)
def test_a_role_of_everyone_is_as_good_as_a_members(
    server: ServerThread, somebody: Somebody, open_scenes: dict[Role, Scene], route: Route, role: Role
) -> None:
    ada = server.guest("Ada")
    scene = make_open_scene(somebody, role).of(ada, role) if changes(route, role) else open_scenes[role]
    answer = scene.ask(ada, route)
    assert answer.status == (route.status if may(role, needed_for(route)) else 403)


# For those who run the server.


@pytest.mark.parametrize("route", OPERATOR, ids=name_of)
def test_who_runs_the_server_needs_no_token_on_its_machine(
    server: ServerThread, scene: Scene, route: Route
) -> None:
    subject = server.guest("Dora")
    subject.get("/api/me")
    check_good(scene.ask(server, route, user=subject.user), route)


@pytest.mark.parametrize("route", OPERATOR, ids=name_of)
def test_from_elsewhere_who_runs_the_server_shows_an_administrators_token(
    accounts: ServerThread, scene: Scene, route: Route
) -> None:
    user = accounts.with_token("dora", "203.0.113.1")
    user.get("/api/me")
    answer = accounts.ask(
        route.method, scene.path(route, user="dora"), headers={"X-Forwarded-For": "203.0.113.1"}
    )
    assert (answer.status, answer.json["code"]) == (404, "E_NOT_FOUND")
    assert as_told(scene.ask(accounts.with_token("udo", "203.0.113.1"), route)) == as_told(answer)
    admin = accounts.with_token("root", "203.0.113.1", is_admin=True)
    check_good(scene.ask(admin, route, user="dora"), route)
    admin.post("/api/users/dora/enable")


@pytest.mark.parametrize("route", [*OF_ROOMS], ids=name_of)
def test_an_administrator_is_nobody_in_a_room(accounts: ServerThread, scene: Scene, route: Route) -> None:
    admin = accounts.with_token("root", "203.0.113.1", is_admin=True)
    assert scene.ask(admin, route).status == 404
