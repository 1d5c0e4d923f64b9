"""Who is at the other end of a socket, as scripts in frames: tickets, their end, and whose a client is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
import pytest

from domain.attendance import Joined
from domain.errors import StoreUnavailable, Unauthenticated
from domain.ids import SERVER
from interfaces.ws import closes
from interfaces.ws.holder import Peer
from interfaces.ws.session import HELLO_SECONDS, STRANGER_BYTES
from tests.interfaces.ws.scripts import ScriptedClient, World, turns
from tests.interfaces.ws.test_frames import GOOD

PAGE = Peer("http://example.org", "browser", "192.0.2.1")


@pytest.fixture
async def world() -> World:
    """A node with the room "demo" and the document "main.md"."""
    return await World().open_room("main.md")


def stays_of(world: World, client: str) -> list[Joined]:
    joined = [r.event for r in world.store.log if isinstance(r.event, Joined)]
    return [event for event in joined if event.client == client]


async def expect_stranger(client: ScriptedClient, ref: int | None) -> None:
    """The client is told no more than that it is unknown, and has to go."""
    error = await client.expect_error(ref, "E_AUTH")
    assert error["message"] == Unauthenticated().message
    assert set(error) == {"type", "ref", "code", "message"}
    client.expect_end(closes.BAD_CREDENTIALS)
    await client.expect_silence()


# Tickets.


async def test_a_ticket_that_is_shown_while_the_socket_opens_makes_hello_need_none(world: World) -> None:
    ada = world.connect("ada")
    await ada.authenticate()
    await ada.expect_silence()
    assert (await ada.hello())["you"]["user"] == "Ada"


async def test_a_ticket_in_hello_does_as_well(world: World) -> None:
    ben = world.connect("ben")
    welcome = await ben.hello(ticket=world.tickets.make("Ben"))
    assert (welcome["you"]["user"], welcome["you"]["role"]) == ("Ben", "editor")


async def test_a_ticket_is_good_where_it_was_issued_for(world: World) -> None:
    ada = world.connect("ada", peer=PAGE)
    await ada.authenticate(world.tickets.make("Ada", origin=PAGE.origin, agent=PAGE.agent))
    assert (await ada.hello())["type"] == "welcome"


def _used(world: World) -> str:
    ticket = world.tickets.make("Ada")
    world.tickets._out.pop(ticket)
    return ticket


async def _kept_out(world: World) -> str:
    await world.meet("Mallory")
    await world.services.profiles.disable("Mallory", actor=SERVER)
    return world.tickets.make("Mallory")


async def _signed_out(world: World) -> str:
    await world.meet("Mallory")
    await world.services.profiles.sign_out("Mallory", actor="Mallory")
    return world.tickets.make("Mallory", issued_seconds_ago=5)


BAD_TICKETS: dict[str, Callable[[World], Any]] = {
    "unknown": lambda world: "ticket-of-nobody",
    "empty": lambda world: "",
    "used": _used,
    "over": lambda world: world.tickets.make("Ada", seconds=0),
    "of another page": lambda world: world.tickets.make("Ada", origin="http://evil.example"),
    "of a browser": lambda world: world.tickets.make("Ada", agent="browser"),
    "of who is kept out": _kept_out,
    "of who has signed out": _signed_out,
}


@pytest.mark.parametrize("kind", BAD_TICKETS)
@pytest.mark.parametrize("is_in_hello", [True, False])
async def test_whatever_is_wrong_with_a_ticket_the_answer_is_the_same(
    world: World, kind: str, *, is_in_hello: bool
) -> None:
    witnesses = await world.witnesses()
    made = BAD_TICKETS[kind](world)
    ticket = await made if isinstance(made, Coroutine) else made
    await world.forget()
    mallory = world.connect("mallory")
    if is_in_hello:
        await expect_stranger(mallory, await mallory.push(**mallory.a_hello(ticket=ticket)))
    else:
        await mallory.session.authenticate(ticket)
        await expect_stranger(mallory, None)
    assert mallory.session.holder.has_failed
    mallory.disconnect()
    await witnesses.notice_nothing()
    assert stays_of(world, "mallory") == []


async def test_a_hello_without_a_ticket_is_a_strangers(world: World) -> None:
    ada = world.connect("ada")
    await expect_stranger(ada, await ada.push(**ada.a_hello(ticket=None)))


@pytest.mark.parametrize("kind", sorted(set(GOOD) - {"hello"}))
async def test_what_a_stranger_asks_for_first_is_refused_whatever_it_is(world: World, kind: str) -> None:
    witnesses = await world.witnesses()
    written = len(world.store.log)
    mallory = world.connect("mallory")
    await expect_stranger(mallory, await mallory.push(type=kind, **GOOD[kind]))
    mallory.disconnect()
    assert len(world.store.log) == written
    await witnesses.notice_nothing()


@pytest.mark.parametrize(
    ("data", "ref"),
    [
        ("{", None),
        ("[]", None),
        ('{"type":"dance","ref":7}', 7),
        ('{"type":"hello","ref":7,"protocol":1,"client":"a b","ticket":"t"}', 7),
        ('{"type":"hello","ref":7,"protocol":1,"client":"a","name":"Ada"}', 7),
        ('{"type":"post","ref":7,"message":"m1","text":"\\ud800"}', 7),
    ],
)
async def test_a_stranger_is_not_told_what_is_wrong_with_a_frame(
    world: World, data: str, ref: int | None
) -> None:
    mallory = world.connect("mallory")
    await mallory.push_raw(data)
    await expect_stranger(mallory, ref)


async def test_a_strangers_frame_is_small(world: World) -> None:
    ada, ben = world.connect("ada"), world.connect("ben")
    await ada.push_raw(orjson.dumps(ada.a_hello(ref=1)).ljust(STRANGER_BYTES))
    await ada.expect_frame("welcome")
    await ben.push_raw(orjson.dumps(ben.a_hello(ref=1)).ljust(STRANGER_BYTES + 1))
    await expect_stranger(ben, None)
    assert stays_of(world, "ben") == []


async def test_who_is_known_may_say_hello_in_a_larger_frame(world: World) -> None:
    ada = world.connect("ada")
    await ada.authenticate()
    await ada.push_raw(orjson.dumps(ada.a_hello(ref=1)).ljust(STRANGER_BYTES + 1))
    await ada.expect_frame("welcome")


@pytest.mark.parametrize("kind", ["post", "edit", "hello", "refresh"])
async def test_nothing_is_done_for_who_does_not_wait_until_they_are_known(world: World, kind: str) -> None:
    witnesses = await world.witnesses()
    world.tickets.hold()
    mallory = world.connect("mallory", user="Ada")
    greeting = asyncio.ensure_future(mallory.push(**mallory.a_hello()))
    await turns()
    early = mallory.a_hello(ticket=None) if kind == "hello" else {"type": kind, **GOOD[kind]}
    await expect_stranger(mallory, await mallory.push(**early))
    world.tickets.release()
    await greeting
    mallory.disconnect()
    await mallory.expect_silence()
    assert stays_of(world, "mallory") == []
    await witnesses.notice_nothing()


async def test_when_tickets_cannot_be_read_a_client_is_sent_to_try_again(world: World) -> None:
    world.tickets.is_away = True
    early, late = world.connect("ada"), world.connect("ben")
    await early.authenticate()
    await early.expect_error(None, "E_STORE")
    await late.expect_error(await late.push(**late.a_hello()), "E_STORE")
    assert early.code == late.code == closes.STORE_UNAVAILABLE
    assert not early.session.holder.has_failed  # it was not their fault
    assert not late.session.holder.has_failed


# How long.


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_socket_without_a_hello_is_ended(world: World, *, is_known: bool) -> None:
    ada = world.connect("ada")
    if is_known:
        await ada.authenticate()
    world.tick(HELLO_SECONDS)
    ada.expect_no_end()
    world.tick(0.01)
    ada.expect_end(closes.NO_HELLO)


async def test_nor_does_a_ticket_that_takes_long_to_redeem_hold_a_socket_open(world: World) -> None:
    world.tickets.hold()
    ada = world.connect("ada")
    greeting = asyncio.ensure_future(ada.push(**ada.a_hello()))
    await turns()
    world.tick(HELLO_SECONDS + 0.01)
    ada.expect_end(closes.NO_HELLO)
    world.tickets.release()
    await greeting
    ada.disconnect()
    await ada.expect_silence()
    assert stays_of(world, "ada") == []


async def test_a_session_ends_with_its_token(world: World) -> None:
    ada, ben = await world.join("ada"), world.connect("ben")
    await ben.hello(ticket=world.tickets.make("Ben", seconds=60))
    await world.forget()
    world.tick(59.9)
    ben.expect_no_end()
    world.tick(0.1)
    ben.expect_end(closes.TOKEN_EXPIRED)
    ben.disconnect()
    assert (await ada.expect_event("left"))["reason"] == "lost"
    ada.expect_no_end()


async def test_another_ticket_of_the_same_user_prolongs_it(world: World) -> None:
    ben = world.connect("ben")
    await ben.hello(ticket=world.tickets.make("Ben", seconds=60))
    world.clock.advance(50)
    ticket = world.tickets.make("Ben", seconds=60)
    assert (await ben.request(type="refresh", ticket=ticket))["type"] == "ok"
    world.tick(59)
    ben.expect_no_end()
    world.tick(1)
    ben.expect_end(closes.TOKEN_EXPIRED)


@pytest.mark.parametrize("kind", [*BAD_TICKETS, "of another user"])
async def test_a_refresh_with_a_bad_ticket_ends_the_session(world: World, kind: str) -> None:
    witnesses = await world.witnesses()
    ben = await world.join("ben")
    made = BAD_TICKETS[kind](world) if kind in BAD_TICKETS else world.tickets.make("Ada")
    ticket = await made if isinstance(made, Coroutine) else made
    await world.forget()
    await expect_stranger(ben, await ben.push(type="refresh", ticket=ticket))
    await witnesses.notice_nothing()
    ben.disconnect()


async def test_a_ticket_that_was_used_prolongs_nothing(world: World) -> None:
    ben = await world.join("ben")
    ticket = world.tickets.make("Ben")
    await ben.request(type="refresh", ticket=ticket)
    await expect_stranger(ben, await ben.push(type="refresh", ticket=ticket))


async def test_a_refresh_while_tickets_cannot_be_read_may_be_tried_again(world: World) -> None:
    ben = await world.join("ben")
    world.tickets.is_away = True
    await ben.expect_error(await ben.push(type="refresh", ticket=world.tickets.make("Ben")), "E_STORE")
    ben.expect_no_end()
    world.tickets.is_away = False
    assert (await ben.request(type="refresh", ticket=world.tickets.make("Ben")))["type"] == "ok"


async def test_a_refresh_before_hello_is_no_hello(world: World) -> None:
    ben = world.connect("ben")
    await ben.authenticate()
    await ben.expect_error(await ben.push(type="refresh", ticket=world.tickets.make("Ben")), "E_NOT_JOINED")
    ben.expect_end(closes.BAD_HELLO)


# How many.


@pytest.mark.parametrize("is_in_hello", [True, False])
async def test_a_user_with_too_many_sockets_gets_no_more(world: World, *, is_in_hello: bool) -> None:
    witnesses = await world.witnesses()
    world.admits = False
    ben = world.connect("ben")
    if is_in_hello:
        await ben.push(**ben.a_hello())
    else:
        await ben.authenticate()
        await ben.push(**ben.a_hello())
    ben.expect_end(closes.TOO_MANY_CONNECTIONS)
    ben.disconnect()
    await ben.expect_silence()
    assert stays_of(world, "ben") == []
    await witnesses.notice_nothing()


async def test_a_refresh_is_not_one_socket_more(world: World) -> None:
    ben = await world.join("ben")
    world.admits = False
    assert (await ben.request(type="refresh", ticket=world.tickets.make("Ben")))["type"] == "ok"
    ben.expect_no_end()


# Signed out, kept out.


async def _sign_out(place: World, user: str) -> None:
    await place.services.profiles.sign_out(user, actor=user)


async def _keep_out(place: World, user: str) -> None:
    await place.services.profiles.disable(user, actor=SERVER)


ENDS = pytest.mark.parametrize("end", [_sign_out, _keep_out])
End = Callable[[World, str], Coroutine[Any, Any, None]]


@ENDS
async def test_all_sockets_of_who_has_signed_out_end_on_every_node(world: World, end: End) -> None:
    witnesses = await world.witnesses()
    elsewhere = world.another_node()
    here, there = await world.join("ben"), await elsewhere.join("ben2", user="Ben")
    world.feed()
    await world.forget()
    await end(world, "Ben")
    await turns()
    assert (here.code, there.code) == (closes.ACCESS_REMOVED, None)
    elsewhere.feed()
    there.expect_end(closes.ACCESS_REMOVED)
    here.disconnect()
    assert (await witnesses.pairs[0][0].expect_event("left"))["reason"] == "removed"
    await witnesses.pairs[0][1].expect_event("left")
    await witnesses.notice_nothing()


@ENDS
async def test_also_where_their_profile_has_left_the_memory(world: World, end: End) -> None:
    elsewhere = world.another_node()
    ben = await elsewhere.join("ben")
    world.feed()
    elsewhere.evict()
    await end(world, "Ben")
    elsewhere.feed()
    await turns()
    ben.expect_end(closes.ACCESS_REMOVED)


@ENDS
async def test_also_when_it_comes_between_ticket_and_hello(world: World, end: End) -> None:
    ben = world.connect("ben")
    await ben.authenticate()
    await end(world, "Ben")
    await ben.push(**ben.a_hello())
    await turns()
    ben.expect_end(closes.ACCESS_REMOVED)
    ben.disconnect()
    await turns()
    assert stays_of(world, "ben") == []


@ENDS
@pytest.mark.parametrize("is_in_memory", [True, False])
async def test_also_when_it_comes_while_the_room_is_read(
    world: World, end: End, *, is_in_memory: bool
) -> None:
    elsewhere = world.another_node()
    ben = elsewhere.connect("ben")
    await ben.authenticate()
    world.feed()
    if is_in_memory:
        await elsewhere.services.rooms.get("demo")
    await end(world, "Ben")
    world.store.hold_reads()
    greeting = asyncio.ensure_future(ben.push(**ben.a_hello()))
    await turns()
    elsewhere.feed()
    world.store.release_reads()
    await greeting
    ben.expect_end(closes.ACCESS_REMOVED)
    assert stays_of(world, "ben") == []


async def test_who_cannot_be_looked_up_when_they_sign_out_is_sent_to_come_again(world: World) -> None:
    elsewhere = world.another_node()
    ben = await elsewhere.join("ben")
    world.feed()
    await _sign_out(world, "Ben")
    elsewhere.evict()
    elsewhere.store.error = StoreUnavailable("away")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("application.live.LOAD_RETRY_SECONDS", 0.0)
        elsewhere.feed()
        await turns()
    ben.expect_end(closes.STORE_UNAVAILABLE)


async def test_a_socket_that_was_opened_with_a_newer_token_goes_on(world: World) -> None:
    old, new = await world.join("ben"), world.connect("ben2", user="Ben")
    world.clock.advance(10)
    await world.services.profiles.sign_out("Ben", actor="Ben")
    world.clock.advance(1)
    old.expect_end(closes.ACCESS_REMOVED)
    await new.hello()
    await turns()
    new.expect_no_end()


# Whose a client is.


async def expect_foreign(mallory: ScriptedClient, **fields: Any) -> None:
    """The client that this one says it is belongs to somebody else."""
    await mallory.expect_error(await mallory.push(**mallory.a_hello(**fields)), "E_FORBIDDEN")
    mallory.expect_end(closes.BAD_HELLO)
    await mallory.expect_silence()


async def test_a_client_belongs_to_who_came_as_it_first(world: World) -> None:
    witnesses = await world.witnesses()
    ben = await world.join("ben", "main.md")
    mallory = world.connect("ben", user="Mallory")
    await expect_foreign(mallory, at=2**53 - 1)
    mallory.disconnect()
    await turns()
    ben.expect_no_end()
    await ben.expect_silence()
    await witnesses.notice_nothing()
    assert {event.actor for event in stays_of(world, "ben")} == {"Ben"}


async def test_also_when_its_owner_has_left(world: World) -> None:
    ben = await world.join("ben")
    ben.disconnect()
    await turns()
    await expect_foreign(world.connect("ben", user="Mallory"))
    assert (await world.connect("ben").hello())["type"] == "welcome"


@pytest.mark.parametrize("is_fed", [True, False])
async def test_also_on_another_node(world: World, *, is_fed: bool) -> None:
    elsewhere = world.another_node()
    ben = await world.join("ben")
    if is_fed:
        elsewhere.feed()
    await expect_foreign(elsewhere.connect("ben", user="Mallory"))
    world.feed()
    elsewhere.feed()
    await turns()
    ben.expect_no_end()


async def test_in_another_room_it_may_be_somebody_elses(world: World) -> None:
    await world.open_room(room="other")
    await world.join("ben")
    assert (await world.connect("ben", "other", user="Cem").hello())["type"] == "welcome"


async def test_who_was_refused_keeps_its_owner_from_nothing(world: World) -> None:
    ben = await world.join("ben")
    mallory = world.connect("ben", user="Mallory")
    await expect_foreign(mallory)  # whose socket is still there
    ben.disconnect()
    back = world.connect("ben")
    assert (await back.hello())["type"] == "welcome"
    await turns()
    back.expect_no_end()


async def test_nor_does_who_is_still_being_looked_at(world: World) -> None:
    ben = await world.join("ben")
    ben.disconnect()
    await turns()
    world.store.hold_reads()
    mallory, back = world.connect("ben", user="Mallory"), world.connect("ben")
    greetings = [asyncio.ensure_future(client.push(**client.a_hello())) for client in (mallory, back)]
    await turns()
    world.store.release_reads()
    await asyncio.gather(*greetings)
    await back.expect_frame("welcome")
    mallory.expect_end(closes.BAD_HELLO)


async def test_of_two_who_come_as_the_same_client_at_once_one_gets_it(world: World) -> None:
    await world.meet("Ben", "Cem")
    world.store.hold_reads()
    first, second = world.connect("tab", user="Ben"), world.connect("tab", user="Cem")
    greetings = [asyncio.ensure_future(client.push(**client.a_hello())) for client in (first, second)]
    await turns()
    world.store.release_reads()
    await asyncio.gather(*greetings)
    await turns()
    assert sorted([first.code, second.code], key=bool) == [None, closes.BAD_HELLO]
    assert len(stays_of(world, "tab")) == 1


@pytest.mark.parametrize("at", [None, 2**53 - 1])
async def test_over_two_nodes_the_log_says_who_it_was(world: World, at: int | None) -> None:
    await world.meet("Ben", "Cem")
    elsewhere = world.another_node()
    for node in (world, elsewhere):
        node.record.commits_by_itself = False
    first, second = world.connect("tab", user="Ben"), elsewhere.connect("tab", user="Cem")
    await first.hello()
    await second.hello(at=at)
    world.record.commit()
    elsewhere.record.commit()
    await turns()
    world.feed()
    await turns()
    first.expect_no_end()
    second.expect_end(closes.BAD_HELLO)
    for node in (world, elsewhere):
        node.record.commits_by_itself = True
        assert node.hub.find_client_user(node.hub._rooms["demo"], "tab") == "Ben"


async def a_cursor(client: ScriptedClient, place: int) -> None:
    await client.push(type="cursor", document="main.md", revision=0, anchor=place, head=place)


async def expect_hidden(watcher: ScriptedClient) -> None:
    [move] = (await watcher.expect_frame("presence"))["moves"]
    assert (move["client"], move["anchor"], move["head"]) == ("ben", None, None)


async def test_who_was_refused_takes_nobodys_cursor_with_them(world: World) -> None:
    ada, ben = await world.join("ada", "main.md"), await world.join("ben", "main.md")
    await a_cursor(ben, 0)
    await ada.expect_frame("presence")
    mallory = world.connect("ben", user="Mallory")
    await expect_foreign(mallory)
    mallory.disconnect()
    await ben.request(type="close", document="main.md")
    await expect_hidden(ada)


async def test_nor_does_an_older_socket_of_the_same_client(world: World) -> None:
    ada, old = await world.join("ada", "main.md"), await world.join("ben", "main.md")
    new = await world.join("ben", "main.md")
    old.expect_end(closes.SUPERSEDED)
    await a_cursor(new, 0)
    await ada.expect_frame("presence")
    old.disconnect()
    await ada.expect_event("left")
    await new.request(type="close", document="main.md")
    await expect_hidden(ada)


# Nothing more after the end.


async def test_who_has_to_go_hears_nothing_more_however_long_they_stay(world: World) -> None:
    ada, ben = await world.join("ada", "main.md"), await world.join("ben", "main.md", role="editor")
    await world.services.rooms.change_access("demo", None, actor="Ada")
    await world.remove_member("Ben")
    await turns()
    ben.expect_end(closes.ACCESS_REMOVED)
    ben.forget()  # of his own removal he may hear
    await ada.push(type="post", message="m1", text="Between us")
    await ada.push(type="edit", document="main.md", seq=1, base=0, op=["secret"])
    await a_cursor(ada, 0)
    await ada.expect_frame("presence")
    await ben.expect_silence()
