"""What is changed at one node counts at the other: roles, looks, and who may be here at all.

With hints between the nodes and without: then they look for themselves.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import count
from typing import Any, Final, NamedTuple

import psycopg
import pytest
import pytest_asyncio

from tests.acceptance.hints import frozen, listeners, terminate_listeners
from tests.acceptance.raw_sockets import TEXT, Closed, RawSocket, ask, frame_bytes
from tests.acceptance.witnesses import ATTACKED_ROOM, DOCUMENT, Witnesses, witnesses
from tests.guests import Guest, guest
from tests.servers import ServerProcess, running_server
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

# At once is what is promised for everything that somebody loses or gains; a busy machine has longer seconds.
AT_ONCE_SECONDS: Final = 15.0

# Memory is looked through every 30 s.
EVICTED_SECONDS: Final = 40.0

# Pinged after 20 s of silence, and missed after 8 more; looked at once a second.
MISSED_SECONDS: Final = 20.0 + 8.0 + 4.0

# So many edits are on their way when a right is taken away.
STORM: Final = 1_000
AT_A_TIME: Final = 10

_numbers = count(1)


class Nodes(NamedTuple):
    a: ServerProcess
    b: ServerProcess
    database_url: str


@pytest.fixture(scope="module")
def nodes(new_database: Callable[[], str]) -> Iterator[Nodes]:
    """What is not used leaves their memory early."""
    url = new_database()
    with (
        running_server(database_url=url, aggregates_idle_seconds=1) as a,
        running_server(database_url=url, aggregates_idle_seconds=1) as b,
    ):
        yield Nodes(a, b, url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(nodes: Nodes) -> AsyncIterator[Witnesses]:
    async with witnesses(nodes.b) as people:
        yield people


async def host_asks(nodes: Nodes, people: Witnesses, method: str, path: str, body: Any = None) -> None:
    """At the other node than the one where people are."""
    path = f"/api/rooms/{ATTACKED_ROOM}{path}"
    answer = await ask(nodes.a.url, method, path, token=people.host.token, body=body)
    assert answer.status < 300, answer


async def somebody(nodes: Nodes, people: Witnesses, role: str = "editor") -> Guest:
    found = await asyncio.to_thread(guest, nodes.b.url, f"Mallory {next(_numbers)}")
    await host_asks(nodes, people, "PUT", f"/members/{found.user}", {"role": role})
    return found


async def entered(url: str, by: Guest, *documents: str) -> RawSocket:
    """A greeted socket. A node that is a moment behind is asked again."""
    async with asyncio.timeout(AT_ONCE_SECONDS):
        while True:
            socket = await RawSocket.connect(url, ATTACKED_ROOM, by=by)
            if (await socket.greet(f"client-{next(_numbers)}"))["type"] == "welcome":
                break
            await socket.__aexit__()
    for document in documents:
        assert (await socket.open(document))["type"] == "opened"
    return socket


async def hears(socket: RawSocket, kind: str, **fields: Any) -> None:
    """Return when the socket is told an event with these fields."""
    async with asyncio.timeout(AT_ONCE_SECONDS):
        while True:
            for event in (await socket.receive_json()).get("events", ()):
                if event["event"] == kind and fields.items() <= event.items():
                    return


# Changes.


@contextmanager
def hints(nodes: Nodes, how: str) -> Iterator[Callable[[], None]]:
    """Gives what to call before each change."""
    with psycopg.connect(nodes.database_url, autocommit=True) as administration:
        if how == "frozen":
            with frozen(listeners(administration)):
                yield lambda: None
        else:
            yield lambda: _lose(administration) if how == "killed" else None


def _lose(administration: psycopg.Connection[Any]) -> None:
    terminate_listeners(administration)


@pytest.mark.parametrize("how", ["in order", "killed", "frozen"])
async def test_a_change_at_one_node_is_seen_and_counts_at_the_other(
    nodes: Nodes, people: Witnesses, how: str
) -> None:
    by = await somebody(nodes, people)
    here = await entered(nodes.b.url, by, DOCUMENT)
    async with here, people.undisturbed(here):
        with hints(nodes, how) as lose_hints:
            lose_hints()
            await host_asks(nodes, people, "PUT", f"/members/{by.user}", {"role": "commenter"})
            # Also before the node has heard of it.
            assert (await here.edit(DOCUMENT, 1, 1, ["x"]))["code"] == "E_FORBIDDEN"
            if not any(b'"role_changed"' in heard for heard in here.heard):
                await hears(here, "role_changed", user=by.user, role="commenter")
            lose_hints()
            body = {"name": f"Renamed {how}"}
            assert (await ask(nodes.a.url, "PATCH", "/api/profile", token=by.token, body=body)).status == 200
            await hears(here, "profile", user=by.user, name=f"Renamed {how}")
            lose_hints()
            await host_asks(nodes, people, "DELETE", f"/members/{by.user}")
            # The room lets everybody in as an editor again.
            await hears(here, "member_removed", user=by.user)
            lose_hints()
            await host_asks(nodes, people, "PUT", f"/members/{by.user}", {"role": "viewer"})
            await hears(here, "member_added", user=by.user, role="viewer")


@pytest.mark.parametrize("how", ["in order", "killed", "frozen"])
async def test_who_is_removed_at_one_node_is_out_at_the_other(
    nodes: Nodes, people: Witnesses, how: str
) -> None:
    room = f"members-{next(_numbers)}"
    await asyncio.to_thread(people.host.create_room, room, everyone=None)
    by = await asyncio.to_thread(guest, nodes.b.url, "Mallory")
    path = f"/api/rooms/{room}/members/{by.user}"
    await asyncio.to_thread(people.host.ask, "PUT", path, {"role": "editor"})
    async with AsyncExitStack() as stack:
        sockets = []
        for url in (nodes.a.url, nodes.b.url, nodes.b.url):
            socket = await stack.enter_async_context(await RawSocket.connect(url, room, by=by))
            assert (await socket.greet(f"client-{next(_numbers)}"))["type"] == "welcome"
            sockets.append(socket)
        with hints(nodes, how) as lose_hints:
            async with people.undisturbed(*sockets):
                lose_hints()
                assert (await ask(nodes.a.url, "DELETE", path, token=people.host.token)).status == 204
                codes = await asyncio.gather(*(socket.closed(AT_ONCE_SECONDS) for socket in sockets))
                assert codes == [4503] * 3
        for url in (nodes.a.url, nodes.b.url):
            async with await RawSocket.connect(url, room, by=by) as socket:
                assert (await socket.greet("again"))["code"] == "E_NOT_FOUND"


@pytest.mark.parametrize("how", ["in order", "killed", "frozen"])
@pytest.mark.parametrize("path", ["/api/sign-out", "/api/users/{user}/disable"])
async def test_who_signs_out_or_is_kept_out_is_out_everywhere(
    nodes: Nodes, people: Witnesses, path: str, how: str
) -> None:
    """Those in a room, and those who are just about to come in."""
    by = await somebody(nodes, people)
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(await entered(url, by)) for url in (nodes.a.url, nodes.b.url)
        ]
        coming = await stack.enter_async_context(await RawSocket.connect(nodes.b.url, ATTACKED_ROOM, by=by))
        ticket = await asyncio.to_thread(by.ticket)
        with hints(nodes, how) as lose_hints:
            async with people.undisturbed(*sockets, coming):
                lose_hints()
                url = nodes.a.url
                answer = await ask(url, "POST", path.format(user=by.user), token=by.token)
                assert answer.status == 204
                codes = await asyncio.gather(*(socket.closed(AT_ONCE_SECONDS) for socket in sockets))
                assert codes == [4503] * 2
                await coming.send_json(type="hello", ref=1, protocol=1, client="coming")
                assert await coming.closed() in {4501, 4503}
                assert not any(b'"welcome"' in heard for heard in coming.heard)
                source = f"127.0.1.{next(_numbers)}"  # one that goes on trying would not be listened to
                for url in (nodes.a.url, nodes.b.url):
                    late = await RawSocket.connect(url, ATTACKED_ROOM, ticket=ticket, source=source)
                    async with late:
                        assert await late.closed() == 4501
                    refused = await ask(url, "GET", "/api/me", token=by.token, source=source)
                    assert (refused.status, refused.code) == (401, "E_AUTH")


# Rights that end while they are used.


@pytest.mark.parametrize("change", ["removed", "viewer"])
@pytest.mark.parametrize("where", ["here", "there"])
async def test_nothing_is_appended_on_a_right_that_was_taken_away(
    nodes: Nodes, people: Witnesses, change: str, where: str
) -> None:
    """Edits are on their way, at this node or the other; what was acknowledged stays, nothing comes later."""
    room, document = f"busy-{next(_numbers)}", "main.md"
    await asyncio.to_thread(people.host.create_room, room, everyone=None)
    by = await asyncio.to_thread(guest, nodes.b.url, "Mallory")
    path = f"/api/rooms/{room}/members/{by.user}"
    await asyncio.to_thread(people.host.ask, "PUT", path, {"role": "editor"})
    socket = await RawSocket.connect((nodes.a if where == "here" else nodes.b).url, room, by=by)
    async with socket, people.undisturbed(socket):
        assert (await socket.greet("busy"))["type"] == "welcome"
        await socket.open(document)
        sending = asyncio.create_task(_edit_on(socket, document))
        await until(lambda: sum(b'"edit"' in heard for heard in socket.heard) > 3 or sending.done())
        if change == "removed":
            taken = await ask(nodes.a.url, "DELETE", path, token=people.host.token)
        else:
            taken = await ask(nodes.a.url, "PUT", path, token=people.host.token, body={"role": "viewer"})
        assert taken.status < 300
        acked = await sending
    topic = "room.member_removed" if change == "removed" else "room.role_changed"
    with psycopg.connect(nodes.database_url) as connection:
        (end,) = connection.execute(
            "SELECT notification_id FROM record WHERE originator_id = %s AND topic = %s",
            (f"room:{room}", topic),
        ).fetchone() or (None,)
        stored = connection.execute(
            "SELECT seq, notification_id FROM record WHERE originator_id = %s AND seq IS NOT NULL"
            " ORDER BY notification_id",
            (f"document:{room}/{document}",),
        ).fetchall()
    assert end is not None
    assert [seq for seq, _ in stored] == list(range(1, len(stored) + 1))
    assert 0 < len(stored) < STORM
    assert all(place < end for _, place in stored)
    assert acked
    assert acked <= {seq for seq, _ in stored}
    print(f"{len(acked)} acknowledged, {len(stored)} stored")


async def _edit_on(socket: RawSocket, document: str) -> set[int]:
    """Edit, without waiting for answers, until something is refused or the socket ends; what was
    acknowledged.
    """

    async def send() -> None:
        for seq in range(1, STORM + 1):
            edit = {"document": document, "seq": seq, "base": seq - 1, "op": ["x"]}
            await socket.send_json(type="edit", ref=1_000 + seq, **edit)
            if seq % AT_A_TIME == 0:
                await asyncio.sleep(0.02)

    sending = asyncio.create_task(send())
    acked: set[int] = set()
    try:
        while True:
            frame = await socket.receive_json()
            if frame["type"] == "error":
                assert frame["code"] in {"E_FORBIDDEN", "E_NOT_FOUND", "E_SEQ"}, frame
                return acked
            acked |= {event["seq"] for event in frame.get("events", ()) if event["event"] == "edit"}
    except Closed as closed:
        return acked if closed.code == 4503 else set()
    finally:
        sending.cancel()
        await asyncio.wait([sending])


# Those who are here and do nothing.


@pytest.mark.slow
async def test_who_only_listens_goes_at_once_too(nodes: Nodes, people: Witnesses) -> None:
    """Long after what says who may be here has left their node's memory. Meanwhile, those who answer nothing
    are missed, whether they are silent or send a frame that does not end.
    """
    removed, signed_out, gone = [await asyncio.to_thread(guest, nodes.b.url, "Quiet") for _ in range(3)]
    room = f"quiet-{next(_numbers)}"
    await asyncio.to_thread(people.host.create_room, room, everyone=None)
    for user in (removed, signed_out, gone):
        path = f"/api/rooms/{room}/members/{user.user}"
        await asyncio.to_thread(people.host.ask, "PUT", path, {"role": "viewer"})
    async with AsyncExitStack() as stack:
        sockets = []
        for by in (removed, signed_out, gone, gone):
            socket = await stack.enter_async_context(await RawSocket.connect(nodes.b.url, room, by=by))
            assert (await socket.greet(f"client-{next(_numbers)}"))["type"] == "welcome"
            sockets.append(socket)
        staying = [asyncio.create_task(_stay(socket)) for socket in sockets[:2]]
        dripping = asyncio.create_task(_drip(sockets[3]))
        live = await _live(nodes.b)
        assert await sockets[2].closed(MISSED_SECONDS) == 4403
        assert await dripping == 4403
        async with asyncio.timeout(EVICTED_SECONDS):
            while await _live(nodes.b) >= live:  # noqa: ASYNC110 -- asked over HTTP
                await asyncio.sleep(0.2)
        assert not any(task.done() for task in staying)
        path = f"/api/rooms/{room}/members/{removed.user}"
        assert (await ask(nodes.a.url, "DELETE", path, token=people.host.token)).status == 204
        assert (await ask(nodes.a.url, "POST", "/api/sign-out", token=signed_out.token)).status == 204
        async with asyncio.timeout(AT_ONCE_SECONDS):
            assert [await task for task in staying] == [4503] * 2


async def _stay(socket: RawSocket) -> int | None:
    """Answer pings and do nothing else; the close code."""
    try:
        while True:
            if json.loads((await socket.receive(EVICTED_SECONDS)).payload) == {"type": "ping"}:
                await socket.send_json(type="pong")
    except Closed as closed:
        return closed.code


async def _drip(socket: RawSocket) -> int | None:
    """Send a frame of 60 KB, a byte at a time; the close code."""
    closing = asyncio.create_task(socket.closed(MISSED_SECONDS))
    for byte in frame_bytes(b" " * 60_000, TEXT):
        await socket.send_bytes(bytes([byte]))
        await asyncio.wait([closing], timeout=0.05)
        if closing.done():
            break
    return await closing


async def _live(server: ServerProcess) -> float:
    """How many aggregates of the record a node has in memory."""
    told = (await ask(server.url, "GET", "/metrics")).body.decode()
    found = re.search(r'^chronoscribe_aggregates_live{log="record"} (\S+)$', told, re.MULTILINE)
    assert found
    return float(found[1])


# Chat and what is watched.


async def test_what_is_said_and_done_at_one_node_is_heard_and_watched_at_the_other(nodes: Nodes) -> None:
    """The tables are kept by one of the two, whichever it is."""
    ada = await asyncio.to_thread(guest, nodes.a.url, "Ada")
    room = f"watched-{next(_numbers)}"
    await asyncio.to_thread(ada.create_room, room)
    for here, there in ((nodes.a, nodes.b), (nodes.b, nodes.a)):
        ben = await asyncio.to_thread(guest, there.url, "Ben")
        socket = await RawSocket.connect(there.url, room, by=ben)
        elsewhere = await RawSocket.connect(there.url, f"own-{room}", by=ben)
        async with socket, elsewhere:
            await asyncio.to_thread(ben.create_room, f"own-{room}")
            assert (await socket.greet(f"client-{next(_numbers)}"))["type"] == "welcome"
            assert (await elsewhere.greet(f"client-{next(_numbers)}"))["type"] == "welcome"
            assert (await socket.ask(type="subscribe", to="activity"))["type"] == "ok"
            text = f"@{ben.user} come here"
            said = await ask(
                here.url, "POST", f"/api/rooms/{room}/messages", token=ada.token, body={"text": text}
            )
            assert said.status == 201
            message = said.json["message"]
            while (line := (await frame_of(socket, "activity"))["lines"][-1])["message"] != message:
                pass  # somebody has come, and so on
            assert line["line"] == f"said: {text}"
            notice = await frame_of(elsewhere, "notice")
            assert (notice["room"], notice["message"]) == (room, message)


async def frame_of(socket: RawSocket, kind: str) -> dict[str, Any]:
    """The next frame of a kind."""
    async with asyncio.timeout(AT_ONCE_SECONDS):
        while (frame := await socket.receive_json())["type"] != kind:
            pass
        return frame
