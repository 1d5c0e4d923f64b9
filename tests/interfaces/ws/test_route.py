"""Real WebSockets at a real server: what only they can show."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from application.identity import Identity
from domain.limits import FRAME_BYTES, OP_TEXT_BYTES
from interfaces.ws import closes
from interfaces.ws.rates import FAILURES_MAX, Failures
from interfaces.ws.route import SUBPROTOCOL, TICKET_PREFIX
from interfaces.ws.session import STRANGER_BYTES
from tests.interfaces.server_thread import ServerThread
from tests.waiting import until

PATIENCE_SECONDS = 20.0

NAMES = (f"client-{number}" for number in itertools.count(1))


async def a_ticket(
    server: ServerThread,
    user: str,
    *,
    origin: str | None = None,
    agent: str = "program",
    seconds: float = 3600,
) -> str:
    """A ticket that `user` has bought."""
    now = datetime.now(UTC)
    identity = Identity(user, None, now, now + timedelta(seconds=seconds))
    issuing = server.server.services.tickets.issue(identity, origin=origin, agent=agent)
    return (await asyncio.to_thread(server.call, issuing)).value


@pytest.fixture(autouse=True)
def failures(server: ServerThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test comes from an address at which another has tried too often."""
    monkeypatch.setattr(server.server.sockets, "_failures", Failures())


@asynccontextmanager
async def a_socket(
    server: ServerThread,
    room: str = "demo",
    *,
    ticket: str | None = None,
    protocols: Sequence[str] = (SUBPROTOCOL,),
    **arguments: Any,
) -> AsyncIterator[ClientWebSocketResponse]:
    """A socket whose ticket is shown as a browser shows it; `arguments` are aiohttp's."""
    shown = [*protocols, f"{TICKET_PREFIX}{ticket}"] if ticket is not None else protocols
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"{server.url}/ws/{room}", protocols=shown, max_msg_size=0, autoping=False, **arguments
        ) as socket,
    ):
        yield socket


def a_hello(client: str, **fields: Any) -> dict[str, Any]:
    return {"type": "hello", "ref": 1, "protocol": 1, "client": client, **fields}


@asynccontextmanager
async def a_guest(
    server: ServerThread, name: str = "", user: str = ""
) -> AsyncIterator[ClientWebSocketResponse]:
    """A socket that has been welcomed in the room "demo"; its user is called as the client."""
    client = name or next(NAMES)
    async with a_socket(server, ticket=await a_ticket(server, user or client)) as socket:
        await socket.send_json(a_hello(client))
        await hear(socket, "welcome")
        yield socket


async def hear(socket: ClientWebSocketResponse, kind: str, **fields: Any) -> dict[str, Any]:
    """The next frame of this type with these fields; others are passed over."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            frame: dict[str, Any] = await socket.receive_json()
            if frame["type"] == kind and fields.items() <= frame.items():
                return frame


async def hear_event(socket: ClientWebSocketResponse, name: str, **fields: Any) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            for event in (await hear(socket, "events"))["events"]:
                if event["event"] == name and fields.items() <= event.items():
                    return dict(event)


async def close_code(socket: ClientWebSocketResponse) -> int | None:
    """With which code the server closes; frames before it are passed over."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (message := await socket.receive()).type not in {WSMsgType.CLOSE, WSMsgType.CLOSED}:
            pass
    # What was said, and not what aiohttp makes of it when its answer finds the connection gone.
    return int(message.data) if message.type is WSMsgType.CLOSE else socket.close_code


async def test_the_version_is_agreed_on_by_the_subprotocol(server: ServerThread) -> None:
    async with a_socket(server) as socket:
        assert socket.protocol == SUBPROTOCOL
        assert "permessage-deflate" not in socket._response.headers.get("Sec-WebSocket-Extensions", "")


async def test_a_room_id_that_is_none_is_not_found(server: ServerThread) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with a_socket(server, "a b"):
            pass
    assert refused.value.status == 404


async def test_a_foreign_page_gets_no_socket(server: ServerThread) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{server.url}/ws/demo", origin="http://evil.example")
    assert refused.value.status == 403


async def test_frames_of_every_length_arrive_whole(server: ServerThread) -> None:
    async with a_guest(server) as ada, a_guest(server) as ben:
        document = next(NAMES)
        await ada.send_json({"type": "open", "ref": 2, "document": document, "create": True})
        await hear(ada, "opened")
        lengths = [1, 100, 1_000, 60_000, 60_000]
        for seq, length in enumerate(lengths, 1):
            await ada.send_json(
                {
                    "type": "edit",
                    "ref": seq + 2,
                    "document": document,
                    "seq": seq,
                    "base": seq - 1,
                    "op": ["x" * length],
                }
            )
            assert (await hear_event(ada, "edit", seq=seq))["op"] == ["x" * length]
        await ben.send_json({"type": "open", "ref": 2, "document": document})
        text = (await hear(ben, "opened"))["text"]
        assert len(text) > 65_536
        assert text == "x" * sum(lengths)


async def test_a_frame_may_be_as_large_as_the_bound_and_no_larger(server: ServerThread) -> None:
    async with a_guest(server) as socket:
        await socket.send_str(" " * FRAME_BYTES)
        assert (await hear(socket, "error"))["code"] == "E_JSON"
        await socket.send_str(" " * (FRAME_BYTES + 2))
        assert await close_code(socket) == closes.TOO_BIG


async def test_the_largest_op_fits_into_a_frame(server: ServerThread) -> None:
    async with a_guest(server) as socket:
        document = next(NAMES)
        await socket.send_json({"type": "open", "ref": 2, "document": document, "create": True})
        await hear(socket, "opened")
        op = ["x" * OP_TEXT_BYTES]
        await socket.send_json(
            {"type": "edit", "ref": 3, "document": document, "seq": 1, "base": 0, "op": op}
        )
        assert (await hear_event(socket, "edit"))["op"] == op


async def test_a_binary_frame_ends_the_session(server: ServerThread) -> None:
    async with a_guest(server) as socket:
        await socket.send_bytes(b"{}")
        assert await close_code(socket) == closes.NOT_TEXT


async def test_a_ping_of_the_websocket_is_answered_in_kind(server: ServerThread) -> None:
    async with a_guest(server) as socket:
        await socket.ping(b"hi")
        await socket.pong(b"unasked")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (message := await socket.receive()).type != WSMsgType.PONG:
                pass
        assert bytes(message.data) == b"hi"


async def test_the_room_hears_who_said_goodbye_and_who_was_lost(server: ServerThread) -> None:
    async with a_guest(server) as witness:
        async with a_guest(server, "polite"):
            pass
        assert (await hear_event(witness, "left", client="polite"))["reason"] == "left"
        async with a_guest(server, "rude") as rude:
            transport = rude._writer.transport
            assert transport is not None
            transport.abort()
        assert (await hear_event(witness, "left", client="rude"))["reason"] == "lost"


async def test_an_older_socket_of_the_same_client_is_told_why_it_ends(server: ServerThread) -> None:
    name = next(NAMES)
    async with a_guest(server, name) as old, a_guest(server, name) as new:
        assert await close_code(old) == closes.SUPERSEDED
        await new.send_json({"type": "ping", "ref": 9})
        await hear(new, "ok", ref=9)


async def test_a_first_frame_that_is_no_hello_is_answered_and_then_closed(server: ServerThread) -> None:
    async with a_socket(server, ticket=await a_ticket(server, "ada")) as socket:
        await socket.send_json({"type": "ping", "ref": 1})
        assert (await hear(socket, "error"))["code"] == "E_NOT_JOINED"
        assert await close_code(socket) == closes.BAD_HELLO


async def test_a_peer_that_is_just_writing_is_told_why_it_ends(
    server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interfaces.ws.route.CLOSE_SECONDS", PATIENCE_SECONDS)
    async with a_guest(server, "busy") as busy:
        assert busy._writer is not None
        transport = busy._writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        async with a_guest(server, "busy", "busy"):
            for _ in range(5):
                await busy.send_str("{}")
                await asyncio.sleep(0.01)  # as long as a reset takes
            transport.resume_reading()
            assert await close_code(busy) == closes.SUPERSEDED


async def test_a_peer_that_does_not_answer_a_close_is_cut_off(
    server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interfaces.ws.route.CLOSE_SECONDS", 0.1)
    async with a_guest(server) as witness:
        async with a_guest(server, "mute") as mute:
            transport = mute._writer.transport
            assert isinstance(transport, asyncio.Transport)
            transport.pause_reading()
            await mute.send_bytes(b"{}")
            left = await hear_event(witness, "left", client="mute")
            transport.resume_reading()
        assert left["reason"] == "lost"


# Who it is.


async def expect_stranger(socket: ClientWebSocketResponse) -> None:
    assert (await hear(socket, "error"))["code"] == "E_AUTH"
    assert await close_code(socket) == closes.BAD_CREDENTIALS


async def test_a_ticket_is_taken_as_a_subprotocol_and_not_said_again(server: ServerThread) -> None:
    ticket = await a_ticket(server, "ada")
    async with a_socket(server, ticket=ticket) as socket:
        assert socket.protocol == SUBPROTOCOL
        assert ticket not in str(socket._response.headers)
        await socket.send_json(a_hello(next(NAMES)))
        assert (await hear(socket, "welcome"))["you"]["user"] == "ada"


async def test_or_in_hello(server: ServerThread) -> None:
    async with a_socket(server) as socket:
        await socket.send_json(a_hello(next(NAMES), ticket=await a_ticket(server, "ben")))
        assert (await hear(socket, "welcome"))["you"]["user"] == "ben"


async def test_what_is_said_before_a_ticket_is_read_waits_its_turn(server: ServerThread) -> None:
    async with a_socket(server) as socket:
        document, ticket = next(NAMES), await a_ticket(server, "ben")
        await socket.send_json(a_hello(next(NAMES), ticket=ticket))
        await socket.send_json({"type": "open", "ref": 2, "document": document, "create": True})
        await socket.send_json(
            {"type": "edit", "ref": 3, "document": document, "seq": 1, "base": 0, "op": ["x"]}
        )
        assert (await hear_event(socket, "edit", document=document))["actor"] == "ben"


async def test_a_ticket_opens_one_socket(server: ServerThread) -> None:
    ticket = await a_ticket(server, "ada")
    async with a_socket(server, ticket=ticket) as first:
        await first.send_json(a_hello(next(NAMES)))
        await hear(first, "welcome")
        async with a_socket(server, ticket=ticket) as second:
            await expect_stranger(second)
    async with a_socket(server) as third:
        await third.send_json(a_hello(next(NAMES), ticket=ticket))
        await expect_stranger(third)


BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}


@pytest.mark.parametrize(
    ("issued_for", "shown_by", "is_good"),
    [
        ((True, "browser"), (True, BROWSER), True),
        ((False, "program"), (False, {}), True),
        ((True, "browser"), (False, BROWSER), False),
        ((True, "browser"), (True, {}), False),
        ((False, "program"), (True, {}), False),
        ((False, "program"), (False, BROWSER), False),
    ],
)
@pytest.mark.parametrize("is_in_hello", [True, False])
async def test_a_ticket_is_good_for_the_page_and_the_program_that_it_was_issued_for(
    server: ServerThread,
    issued_for: tuple[bool, str],
    shown_by: tuple[bool, dict[str, str]],
    is_good: bool,
    *,
    is_in_hello: bool,
) -> None:
    (is_of_page, agent), (is_by_page, headers) = issued_for, shown_by
    ticket = await a_ticket(server, "ada", origin=server.url if is_of_page else None, agent=agent)
    async with a_socket(
        server,
        ticket=None if is_in_hello else ticket,
        origin=server.url if is_by_page else None,
        headers=headers,
    ) as socket:
        if is_in_hello:
            await socket.send_json(a_hello(next(NAMES), ticket=ticket))
        elif is_good:
            await socket.send_json(a_hello(next(NAMES)))
        if is_good:
            await hear(socket, "welcome")
        else:
            await expect_stranger(socket)
    again = await a_ticket(server, "ada")
    assert again != ticket
    async with a_socket(server, ticket=ticket) as late:  # used up, also when it was shown in a wrong place
        await expect_stranger(late)


async def test_a_ticket_in_an_address_is_no_secret_any_more(server: ServerThread) -> None:
    ticket = await a_ticket(server, "ada")
    async with a_socket(server, f"demo?ticket={ticket}") as socket:
        assert await close_code(socket) == closes.BAD_CREDENTIALS
    async with a_socket(server, "demo?x", ticket=ticket) as socket:
        assert await close_code(socket) == closes.BAD_CREDENTIALS


@pytest.mark.parametrize("shown", ["", "nothing-that-was-issued", "x" * 200, "a" * 43])
async def test_what_is_no_ticket_lets_nobody_in(server: ServerThread, shown: str) -> None:
    async with a_guest(server) as witness, a_socket(server, ticket=shown) as socket:
        await expect_stranger(socket)
        await witness.send_json({"type": "ping", "ref": 9})
        await hear(witness, "ok", ref=9)


async def test_a_stranger_may_not_send_much(server: ServerThread) -> None:
    async with a_socket(server) as socket:
        await socket.send_str(" " * (STRANGER_BYTES + 1))
        await expect_stranger(socket)


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_socket_that_says_nothing_is_closed(
    server: ServerThread, monkeypatch: pytest.MonkeyPatch, *, is_known: bool
) -> None:
    monkeypatch.setattr("interfaces.ws.session.HELLO_SECONDS", 0.1)
    async with a_socket(server, ticket=await a_ticket(server, "ada") if is_known else None) as socket:
        assert await close_code(socket) == closes.NO_HELLO


async def test_a_socket_ends_with_its_token(server: ServerThread) -> None:
    async with a_socket(server, ticket=await a_ticket(server, "ada", seconds=2)) as socket:
        await socket.send_json(a_hello(next(NAMES)))
        await hear(socket, "welcome")
        assert await close_code(socket) == closes.TOKEN_EXPIRED


async def test_who_signs_out_is_out(server: ServerThread) -> None:
    user = next(NAMES)
    async with a_guest(server, user) as socket, a_guest(server) as witness:
        profiles = server.server.services.profiles
        await asyncio.to_thread(server.call, profiles.disable(user, actor=user))
        assert await close_code(socket) == closes.ACCESS_REMOVED
        assert (await hear_event(witness, "left", client=user))["reason"] == "removed"


# How many.


@pytest.fixture
def limits(server: ServerThread, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Changes limits of the server; the sockets of other tests are gone."""
    sockets = server.server.sockets

    def change(**fields: int) -> None:
        monkeypatch.setattr(sockets, "_limits", replace(sockets._limits, **fields))

    return change


async def all_gone(server: ServerThread) -> None:
    await until(lambda: not len(server.server.sockets))


async def test_a_user_has_so_many_sockets_and_one_may_go_for_another(
    server: ServerThread, limits: Callable[..., None]
) -> None:
    await all_gone(server)
    limits(connections_per_user=2)
    async with a_guest(server, user="ada") as first, a_guest(server, user="ada"), a_guest(server, user="ben"):
        async with a_socket(server, ticket=await a_ticket(server, "ada")) as third:
            assert await close_code(third) == closes.TOO_MANY_CONNECTIONS
        async with a_socket(server) as third:
            await third.send_json(a_hello(next(NAMES), ticket=await a_ticket(server, "ada")))
            assert await close_code(third) == closes.TOO_MANY_CONNECTIONS
        await first.close()
        await until(lambda: server.server.sockets._by_user["ada"] == 1)
        async with a_guest(server, user="ada"):
            pass
    await all_gone(server)
    assert not +server.server.sockets._by_user


async def test_of_strangers_there_are_so_many_from_one_address(
    server: ServerThread, limits: Callable[..., None]
) -> None:
    await all_gone(server)
    limits(connections_per_address=2)
    async with a_guest(server), a_guest(server), a_socket(server) as first, a_socket(server):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with a_socket(server, ticket=await a_ticket(server, "ada")):
                pass
        assert refused.value.status == 429
        assert refused.value.headers is not None
        assert int(refused.value.headers["Retry-After"]) > 0
        await first.send_json(a_hello(next(NAMES), ticket=await a_ticket(server, "ada")))
        await hear(first, "welcome")  # and is no stranger any more
        async with a_guest(server):
            pass
    await all_gone(server)
    assert not server.server.sockets._strangers
    assert not server.server.sockets._by_user


async def test_an_address_that_shows_wrong_tickets_again_and_again_is_not_listened_to_for_a_while(
    server: ServerThread,
) -> None:
    async with a_guest(server) as witness:
        for number in range(FAILURES_MAX):
            is_in_hello = number % 2
            async with a_socket(server, ticket=None if is_in_hello else "wrong") as socket:
                if is_in_hello:
                    await socket.send_json(a_hello(next(NAMES), ticket="wrong"))
                await expect_stranger(socket)
        await until(lambda: len(server.server.sockets) == 1)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with a_socket(server, ticket=await a_ticket(server, "ada")):
                pass
        assert refused.value.status == 429
        assert refused.value.headers is not None
        assert 50 < int(refused.value.headers["Retry-After"]) <= 60
        await witness.send_json({"type": "ping", "ref": 9})  # who is in is in
        await hear(witness, "ok", ref=9)


async def test_who_says_nothing_or_no_ticket_has_not_tried_one(server: ServerThread) -> None:
    for number in range(FAILURES_MAX + 1):
        async with a_socket(server) as socket:
            if number % 2:
                await socket.send_json({"type": "ping", "ref": 1})
                await expect_stranger(socket)
    async with a_guest(server):
        pass


# A second node.


@pytest.fixture
def second(server: ServerThread) -> Iterator[ServerThread]:
    """Another server on the same Postgres."""
    second = ServerThread(server.conninfo)
    second.start()
    try:
        yield second
    finally:
        second.stop()


async def test_what_is_said_on_one_node_is_heard_on_another(
    server: ServerThread, second: ServerThread
) -> None:
    async with a_guest(server) as ada, a_guest(second) as ben:
        message = next(NAMES)
        await ada.send_json({"type": "post", "ref": 2, "message": message, "text": "Hello"})
        own, other = (
            await hear_event(ada, "message", message=message),
            await hear_event(ben, "message", message=message),
        )
        assert own == other


@pytest.mark.parametrize("is_in_memory", [True, False])
async def test_a_server_that_ends_sends_its_clients_elsewhere_and_says_so(
    server: ServerThread, second: ServerThread, monkeypatch: pytest.MonkeyPatch, *, is_in_memory: bool
) -> None:
    async with a_guest(server) as witness, a_guest(second, "drained") as guest:
        await hear_event(guest, "joined", client="drained")
        if not is_in_memory:  # as after minutes: then the end of a stay has to read its beginning first
            second.call(_evict_all(second))
            monkeypatch.setattr(second.server.node.history, "load", _slowly(second.server.node.history.load))
        ending = asyncio.ensure_future(asyncio.to_thread(second.stop))
        assert await close_code(guest) == closes.DRAINING
        assert (await hear_event(witness, "left", client="drained"))["reason"] == "drained"
        await ending


async def _evict_all(server: ServerThread) -> None:
    lives = server.server.node.record.lives
    lives.evict(idle_seconds=0, budget_bytes=0)
    assert len(lives) == 0


def _slowly(read: Any) -> Any:
    """As on a busy Postgres."""

    async def slow_read(*arguments: Any) -> Any:
        await asyncio.sleep(0.5)
        return await read(*arguments)

    return slow_read


async def test_a_server_that_drains_takes_nobody_in(second: ServerThread) -> None:
    second.server.sockets.is_draining = True
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with a_socket(second):
            pass
    assert refused.value.status == 503
    assert refused.value.headers is not None
    assert refused.value.headers["Retry-After"] == "1"
    assert second.get("/readyz").status == 503
    assert second.get("/healthz").status == 200
