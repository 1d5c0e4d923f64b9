"""Four people with the four roles in a room of their own, over real sockets: how they come in, what they
see of each other, what they may, and what happens when that changes or when they go.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import aiohttp
import pytest

from domain.attendance import Status as Doing
from domain.colours import PALETTE
from interfaces.pyclient.api import Api
from interfaces.pyclient.client import Client
from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.document import ClientDocument
from interfaces.pyclient.errors import NotLetIn, Refused, Stopped
from interfaces.pyclient.notices import Status
from interfaces.pyclient.reconnect import Backoff
from interfaces.pyclient.replica import Cursor
from tests.acceptance.raw_sockets import RawSocket
from tests.guests import Guest
from tests.servers import ServerProcess, running_server
from tests.waiting import until

DOCUMENT: Final = "main.md"
ROLES: Final = {"Emil": "editor", "Cora": "commenter", "Vic": "viewer"}

# What others see, they see at once; on a busy machine that can be a while. Nothing is measured here.
AT_ONCE_SECONDS: Final = 15.0

# From the last sign of life of somebody whose server has died until nobody is shown them any more.
GHOST_SECONDS: Final = 35.0

QUICKLY: Final = Backoff(first=0.05, base=0.05, most=0.2)


class Person:
    """One of the four, at one place: what they have heard, and their document."""

    def __init__(self, client: Client, document: ClientDocument) -> None:
        self.client = client
        self.document = document
        self.heard: dict[str, list[Any]] = {}
        for kind in ("left", "profile", "role", "person_status", "presence", "room", "status", "message"):
            client.on(kind, self.heard.setdefault(kind, []).append)

    @property
    def user(self) -> str:
        assert self.client.user is not None
        return self.client.user

    async def insert(self, position: int, text: str) -> None:
        self.document.insert(position, text)
        await self.document.saved()

    async def is_refused(self, text: str) -> str:
        """Try to write; the code of the refusal, after which the text is as it was."""
        before = self.document.text
        self.document.insert(0, text)
        with pytest.raises(Refused) as refused:
            await self.document.saved()
        assert self.document.text == before
        return refused.value.code


class Room:
    """The four, in their room."""

    def __init__(self, server: ServerProcess, http: aiohttp.ClientSession, stack: AsyncExitStack) -> None:
        self.id = ""
        self.server = server
        self.http = http
        self.people: dict[str, Person] = {}
        self.credentials: dict[str, Credentials] = {}
        self.links: dict[str, dict[str, Any]] = {}
        self._stack = stack

    def api(self, name: str) -> Api:
        credentials = self.credentials.setdefault(name, Credentials(name=name))
        return Api(self.server.url, credentials, http=self.http)

    async def come(self, name: str, **options: Any) -> Person:
        """Another window of somebody."""
        credentials = self.credentials.setdefault(name, Credentials(name=name))
        client = Client(
            self.server.url, self.id, credentials=credentials, http=self.http, backoff=QUICKLY, **options
        )
        await client.start()
        self._stack.push_async_callback(client.close, 0.0)
        return Person(client, await client.open(DOCUMENT))

    def __getattr__(self, name: str) -> Person:
        return self.people[name.title()]


@pytest.fixture(scope="module")
def server() -> Any:
    with running_server() as server:
        yield server


@pytest.fixture
async def room(server: ServerProcess) -> AsyncIterator[Room]:
    """Olga's room, with the three whom she has invited."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        room = Room(server, http, stack)
        olga = room.api("Olga")
        room.id = (await olga.create_room(title="Study"))["room"]
        await olga.create_document(room.id, DOCUMENT)
        for name, role in ROLES.items():
            room.links[name] = await olga.invite(room.id, role, uses=1)
            link = room.links[name]
            await room.api(name).accept_invitation(room.id, link["invitation"], link["secret"])
        for name in ("Olga", *ROLES):
            room.people[name] = await room.come(name)
        everybody = {person.user for person in room.people.values()}
        await soon(lambda: all(person.client.people.keys() == everybody for person in room.people.values()))
        yield room


async def soon(is_so: Callable[[], Any]) -> None:
    await until(is_so, AT_ONCE_SECONDS)


async def eventually(is_so: Callable[[], Awaitable[bool]]) -> None:
    """What is asked of projections is a moment behind."""
    async with asyncio.timeout(AT_ONCE_SECONDS):
        while not await is_so():  # noqa: ASYNC110 -- asked over HTTP
            await asyncio.sleep(0.02)


async def test_a_room_is_not_there_for_whom_it_does_not_let_in(room: Room) -> None:
    stranger = room.api("Xaver")
    with pytest.raises(Refused, match="E_NOT_FOUND") as refused:
        await stranger.room(room.id)
    with pytest.raises(Refused) as unknown:
        await stranger.room("no-such-room")
    assert str(refused.value) == str(unknown.value)
    for name in (room.id, "no-such-room"):
        client = Client(room.server.url, name, name="Xaver", http=room.http)
        with pytest.raises(Stopped) as stopped:
            await client.start()
        assert (stopped.value.code, stopped.value.reason) == ("E_NOT_FOUND", "there is no such room")

    async def is_told_to(who: Api) -> bool:
        return room.id in [found["room"] for found in await who.rooms()]

    await eventually(partial(is_told_to, room.api("Vic")))
    assert not await is_told_to(stranger)


async def test_a_link_lets_in_as_many_as_it_says_and_only_with_its_secret(room: Room) -> None:
    stranger, link = room.api("Xaver"), room.links["Emil"]
    used_up = (link["invitation"], link["secret"])
    fresh = await room.api("Olga").invite(room.id, "viewer")
    assert fresh["link"].endswith(f"#/join/{room.id}/{fresh['invitation']}/{fresh['secret']}")
    wrong = (fresh["invitation"], fresh["secret"].swapcase())
    for invitation, secret in (used_up, wrong, ("no-such-link", "secret")):
        with pytest.raises(Refused, match="E_NOT_FOUND"):
            await stranger.accept_invitation(room.id, invitation, secret)
    await room.api("Olga").revoke_invitation(room.id, fresh["invitation"])
    with pytest.raises(Refused, match="E_NOT_FOUND"):
        await stranger.accept_invitation(room.id, fresh["invitation"], fresh["secret"])
    # Its own guest is let in again, and is what he was.
    assert (await room.api("Emil").accept_invitation(room.id, *used_up))["role"] == "editor"
    with pytest.raises(Refused, match="E_FORBIDDEN"):
        await room.api("Emil").invite(room.id, "owner")


async def test_everybody_knows_who_is_here_and_what_they_are(room: Room) -> None:
    for person in room.people.values():
        seen = {one.looks.name: one.role for one in person.client.people.values()}
        assert seen == {"Olga": "owner"} | ROLES
        assert person.client.title == "Study"
        assert all(one.looks.colour in PALETTE for one in person.client.people.values())
        assert person.client.members == {
            other.user: role
            for other, role in zip(room.people.values(), ("owner", *ROLES.values()), strict=True)
        }


async def test_each_may_do_what_their_role_allows_and_no_more(room: Room) -> None:
    await room.emil.insert(0, "Emil writes. ")
    await room.olga.insert(0, "Olga writes. ")
    for person, may_post in ((room.cora, True), (room.vic, False)):
        await soon(lambda: person.document.revision == 2)  # noqa: B023 -- awaited here
        assert await person.is_refused("graffiti") == "E_FORBIDDEN"
        if may_post:
            await person.client.post("May I?")
        else:
            with pytest.raises(Refused, match="E_FORBIDDEN"):
                await person.client.post("graffiti")
    await soon(lambda: [message.text for message in room.olga.heard["message"]] == ["May I?"])
    assert [message.actor for message in room.olga.heard["message"]] == [room.cora.user]
    assert room.olga.document.text == "Olga writes. Emil writes. "
    for name in ROLES:
        with pytest.raises(Refused, match="E_FORBIDDEN"):
            await room.api(name).change_room(room.id, title="Mine")
    with pytest.raises(Refused, match="E_FORBIDDEN"):
        await room.api("Cora").create_document(room.id, "mine.md")


async def test_a_change_of_looks_shows_everywhere_at_once(room: Room) -> None:
    cora = room.api("Cora")
    changed = await cora.change_profile(
        name="Cora 🐙", colour="#2284BF", avatar="https://example.org/cora.png"
    )
    assert changed["colour"] == "#2284bf"
    for person in room.people.values():
        await soon(lambda: person.client.people[room.cora.user].looks == (  # noqa: B023
            "Cora 🐙", "#2284bf", "https://example.org/cora.png"
        ))  # fmt: skip
    for bad in ({"colour": "#ffffff"}, {"avatar": "javascript:alert(1)"}, {"avatar": "http://x.org/a"}):
        with pytest.raises(Refused, match="E_PROFILE"):
            await cora.change_profile(**bad)
    with pytest.raises(Refused):
        await cora.change_profile(name="admin\u200b")
    assert (await cora.profile(room.cora.user))["name"] == "Cora 🐙"


async def test_statuses_follow_what_people_do_and_say(room: Room) -> None:
    def status(of: Person) -> Doing:
        return room.olga.client.people[of.user].status

    assert status(room.emil) is Doing.IDLE
    await room.emil.insert(0, "x")
    await soon(lambda: status(room.emil) is Doing.EDITING)
    room.emil.client.declare("running")
    await soon(lambda: status(room.emil) is Doing.RUNNING)
    await room.emil.insert(0, "y")  # a run goes on while one writes
    assert status(room.emil) is Doing.RUNNING
    room.emil.client.declare(None)
    await soon(lambda: status(room.emil) is Doing.EDITING)
    room.vic.client.declare("away")
    await soon(lambda: status(room.vic) is Doing.AWAY)
    room.vic.client.cursor(room.vic.document, 0, 0)  # who moves is not away
    await soon(lambda: status(room.vic) is Doing.IDLE)
    second = await room.come("Vic")
    second.client.declare("away")
    await soon(lambda: len(room.olga.client.people[room.vic.user].places) == 2)
    await soon(lambda: {p.status for p in room.olga.client.people[room.vic.user].places} == {
        Doing.IDLE, Doing.AWAY
    })  # fmt: skip
    assert status(room.vic) is Doing.IDLE  # one person at two places, as lively as the livelier


async def test_cursors_and_selections_stay_where_they_belong(room: Room) -> None:
    await room.emil.insert(0, "0123456789")
    await soon(lambda: room.vic.document.revision == 1)
    room.vic.client.cursor(room.vic.document, 4, 8)
    his = room.vic.client.client_id
    await soon(lambda: room.olga.document.cursors.get(his) == Cursor(4, 8))
    await room.emil.insert(2, "ab")
    await soon(lambda: room.olga.document.cursors.get(his) == Cursor(6, 10))
    # Somebody who comes now is told where it is now.
    newcomer = await room.come("Cora")
    assert newcomer.document.cursors[his] == Cursor(6, 10)
    [place] = newcomer.client.people[room.vic.user].places
    told = place.cursors[DOCUMENT]
    assert (told["revision"], told["anchor"], told["head"]) == (2, 6, 10)


async def test_a_cursor_of_an_old_text_is_moved_by_the_server_and_never_beyond_the_end(room: Room) -> None:
    await room.emil.insert(0, "0123456789")
    token = await room.credentials["Vic"].token(room.http, room.server.url)
    vic = Guest(room.server.url, room.vic.user, token)
    async with await RawSocket.connect(room.server.url, room.id, by=vic) as socket:
        await socket.greet("raw-client")
        await socket.open(DOCUMENT)
        await room.emil.insert(0, "ab")
        for anchor, head, expected in ((3, 3, Cursor(5, 5)), (0, 10**12, Cursor(0, 12))):
            await socket.send_json(
                type="cursor", ref=1, document=DOCUMENT, revision=1, anchor=anchor, head=head
            )
            await soon(lambda: room.olga.document.cursors.get("raw-client") == expected)  # noqa: B023
    # Its socket was cut without a word: it is gone, and so is its cursor.
    await soon(lambda: "raw-client" not in room.olga.document.cursors)
    assert [left.reason for left in room.olga.heard["left"]] == ["lost"]


async def test_typing_is_seen_where_it_is_done(room: Room) -> None:
    def places(of: Person) -> Any:
        [place] = room.olga.client.people[of.user].places
        return place

    room.cora.client.typing()
    room.emil.client.typing(room.emil.document)
    await soon(lambda: places(room.cora).typing.keys() == {None})
    await soon(lambda: places(room.emil).typing.keys() == {DOCUMENT})
    room.cora.client.typing(is_typing=False)
    await soon(lambda: places(room.cora).typing == {})
    newcomer = await room.come("Vic")
    [emil] = newcomer.client.people[room.emil.user].places
    assert emil.typing.keys() == {DOCUMENT}


async def test_a_change_of_role_counts_at_once(room: Room) -> None:
    olga = room.api("Olga")
    await olga.put_member(room.id, room.emil.user, "viewer")
    await soon(lambda: room.emil.client.role == "viewer")
    assert await room.emil.is_refused("too late") == "E_FORBIDDEN"
    await olga.put_member(room.id, room.vic.user, "editor")
    await room.vic.insert(0, "at last")
    assert {(r.user, r.role) for r in room.cora.heard["role"]} == {
        (room.emil.user, "viewer"),
        (room.vic.user, "editor"),
    }


async def test_who_is_removed_is_out_at_once(room: Room) -> None:
    before = datetime.now(UTC)
    await room.api("Olga").remove_member(room.id, room.cora.user)
    await soon(lambda: room.cora.client.status is Status.STOPPED)
    assert room.cora.heard["status"][-1].code == 4503
    await soon(lambda: room.cora.user not in room.olga.client.people)
    assert [left.reason for left in room.olga.heard["left"]] == ["removed"]
    cora = room.api("Cora")
    for refused in (
        cora.room(room.id),
        cora.document(room.id, DOCUMENT),
        cora.document(room.id, DOCUMENT, revision=0),
        cora.presence(room.id),
        cora.members(room.id, at=before),
    ):
        with pytest.raises(Refused, match="E_NOT_FOUND"):
            await refused
    # A link would let her in again.
    link = await room.api("Olga").invite(room.id, "commenter", uses=1)
    await cora.accept_invitation(room.id, link["invitation"], link["secret"])
    assert (await room.come("Cora")).client.role == "commenter"


async def test_who_could_write_at_a_moment_has_an_answer(room: Room) -> None:
    before = datetime.now(UTC)
    olga = room.api("Olga")
    await olga.put_member(room.id, room.vic.user, "editor")
    await olga.remove_member(room.id, room.emil.user)

    async def writers(at: datetime | None) -> set[str]:
        members = await olga.members(room.id, at=at)
        return {member["user"] for member in members if member["role"] in {"owner", "editor"}}

    async def has_caught_up() -> bool:
        """As to both: without Emil it is as well where the table has not heard of anybody yet."""
        found = await writers(datetime.now(UTC))
        return room.vic.user in found and room.emil.user not in found

    await eventually(has_caught_up)
    assert await writers(before) == {room.olga.user, room.emil.user}
    assert await writers(None) == {room.olga.user, room.vic.user}


async def test_a_room_keeps_an_owner(room: Room) -> None:
    olga = room.api("Olga")
    with pytest.raises(Refused, match="E_LAST_OWNER"):
        await olga.put_member(room.id, room.olga.user, "editor")
    with pytest.raises(Refused, match="E_LAST_OWNER"):
        await olga.remove_member(room.id, room.olga.user)
    await olga.put_member(room.id, room.emil.user, "owner")
    await olga.remove_member(room.id, room.olga.user)
    await soon(lambda: room.olga.client.status is Status.STOPPED)


async def test_people_leave_crash_and_return(room: Room) -> None:
    await room.vic.client.close()
    await soon(lambda: room.vic.user not in room.olga.client.people)
    assert room.olga.heard["left"][-1].reason == "left"
    await room.emil.insert(0, "While Vic was away. ")
    room.people["Vic"] = await room.come("Vic", client_id=room.vic.client.client_id)
    assert room.vic.document.text == "While Vic was away. "
    await soon(lambda: room.vic.user in room.olga.client.people)


async def test_who_was_here_and_for_how_long_can_be_asked_later(room: Room) -> None:
    together = datetime.now(UTC)
    await room.emil.insert(0, "one")
    await room.emil.insert(0, "two")
    await room.vic.client.close()
    await soon(lambda: room.vic.user not in room.olga.client.people)
    olga = room.api("Olga")

    async def has_caught_up() -> bool:
        """To Emil's edits and name at least: three are here before the last of the four is heard of."""
        summary = await olga.presence_summary(room.id, user=room.emil.user)
        edits = sum(one["total"]["edits"] for one in summary)
        present = await olga.presence(room.id)
        return edits == 2 and len(present) == 3 and "Emil" in {one["name"] for one in present}

    await eventually(has_caught_up)
    assert {one["user"] for one in await olga.presence(room.id, at=together)} == {
        person.user for person in room.people.values()
    }
    [emil] = [one for one in await olga.presence(room.id) if one["user"] == room.emil.user]
    assert (emil["name"], emil["status"], len(emil["places"])) == ("Emil", "editing", 1)
    [summary] = await olga.presence_summary(room.id, user=room.emil.user)
    total, [day] = summary["total"], summary["days"]
    assert (summary["user"], total["edits"]) == (room.emil.user, 2)
    assert 0 < total["editing_seconds"] <= total["present_seconds"] < 120
    assert day == total | {"day": f"{together:%Y-%m-%d}"}


async def test_what_the_room_is_called_and_whom_it_lets_in_can_change(room: Room) -> None:
    olga = room.api("Olga")
    await olga.change_room(room.id, title="Library", everyone="viewer")
    await soon(lambda: room.vic.client.title == "Library")
    xaver = await room.come("Xaver")
    assert xaver.client.role == "viewer"
    await olga.change_room(room.id, everyone=None)
    await soon(lambda: xaver.client.status is Status.STOPPED)
    await olga.close_room(room.id)
    for person in room.people.values():
        await soon(lambda: person.client.status is Status.STOPPED)  # noqa: B023 -- awaited here
    for name in ("Olga", "Vic"):
        with pytest.raises(Refused, match="E_NOT_FOUND"):
            await room.api(name).room(room.id)
    with pytest.raises(Refused):
        await room.api("Xaver").create_room(room.id)


async def test_who_signs_out_is_out_everywhere(room: Room) -> None:
    second = await room.come("Emil")
    token = await room.credentials["Emil"].token(room.http, room.server.url)
    await room.api("Emil").sign_out()
    for place in (room.emil, second):
        await soon(lambda: place.client.status is Status.STOPPED)  # noqa: B023 -- awaited here
    with pytest.raises(NotLetIn, match="E_AUTH"):
        await Credentials(token=token).ticket(room.http, room.server.url)
    with pytest.raises(Refused, match="E_AUTH"):
        await Api(room.server.url, Credentials(token=token), http=room.http).me()


@pytest.mark.slow
async def test_a_server_that_dies_leaves_no_ghosts_for_long() -> None:
    with running_server() as server:
        host = Credentials(name="Host")
        async with aiohttp.ClientSession() as http:
            ghost = Client(server.url, "demo", name="Ghost", http=http, backoff=QUICKLY)
            await ghost.start()
            await ghost.post("I am here")  # what is behind their coming in the log, and durable
            await asyncio.to_thread(server.kill)
            ghost.session.stop(None, "its machine has died too")
            await ghost.close(0.0)
            await asyncio.to_thread(server.start)  # until then there was nobody to see a ghost
            async with Client(server.url, "demo", credentials=host, http=http) as witness:
                await soon(lambda: len(witness.people) == 2)  # until it is missed
                await until(lambda: len(witness.people) == 1, GHOST_SECONDS)
