"""The client on real sockets: coming, waiting, losing the connection, leaving."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from domain.errors import OpInvalid, TextInvalid
from interfaces.pyclient import client as client_module
from interfaces.pyclient import connection
from interfaces.pyclient.client import Client
from interfaces.pyclient.errors import NotEditable, NotSaved, Refused, Stopped, UnsentTextError
from interfaces.pyclient.notices import Notice, Status
from interfaces.pyclient.reconnect import Backoff
from interfaces.pyclient.replica import Cursor, EditState
from tests.interfaces.pyclient.model_server import ModelServer, error
from tests.interfaces.pyclient.model_sockets import ModelSockets

AT_ONCE = Backoff(first=0.02, base=0.01, most=0.05)


@pytest.fixture
async def sockets() -> AsyncIterator[ModelSockets]:
    sockets = ModelSockets()
    async with sockets.serving():
        yield sockets


def client_of(*sockets: ModelSockets, name: str = "Ada", **options: Any) -> Client:
    urls = [each.url for each in sockets]
    seeded = random.Random(name)
    return Client(
        urls if len(urls) > 1 else urls[0], "demo", name=name, backoff=AT_ONCE, chance=seeded, **options
    )


def heard(client: Client, kind: str) -> asyncio.Queue[Any]:
    """The notices of a kind, to be waited for."""
    queue: asyncio.Queue[Any] = asyncio.Queue()
    client.on(kind, queue.put_nowait)
    return queue


async def next_of(queue: asyncio.Queue[Any]) -> Any:
    async with asyncio.timeout(5):
        return await queue.get()


async def never(*_: object) -> None:
    """As a write to a peer whose buffers are full."""
    await asyncio.Event().wait()


async def until(queue: asyncio.Queue[Any], status: Status) -> Any:
    while True:
        notice = await next_of(queue)
        if notice.status is status:
            return notice


async def test_two_clients_write_one_document(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada, client_of(sockets, name="Ben") as ben:
        hers = await ada.open("main.md", create=True)
        his = await ben.open("main.md")
        edits = heard(ben, "edit")
        edit = hers.insert(0, "Hello 😀")
        assert hers.text == "Hello 😀"
        assert hers.state_of(edit) is not EditState.DURABLE
        await hers.saved()
        await hers.saved()  # is at once when it is
        assert hers.state_of(edit) is EditState.DURABLE
        assert hers.is_saved
        await next_of(edits)
        his.delete(0, 5)
        his.insert(0, "Bye")
        his.edit([5, "!"])
        await his.saved()
        assert his.text == sockets.server.documents["main.md"].text == "Bye 😀!"
        assert len(his) == 6
        assert his.revision == sockets.server.documents["main.md"].revision
        assert ada.roster.keys() == {ada.client_id, ben.client_id}


async def test_opening_what_is_open_is_at_once(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada:
        first, second = await asyncio.gather(
            ada.open("main.md", create=True), ada.open("main.md", create=True)
        )
        third = await ada.open("main.md")
        first.insert(0, "x")
        assert second.text == third.text == "x"


async def test_a_document_that_is_not_there_is_refused_until_it_is(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada, client_of(sockets, name="Ben") as ben:
        with pytest.raises(Refused, match="E_NOT_FOUND"):
            await ada.open("main.md")
        await ben.open("main.md", create=True)
        assert (await ada.open("main.md")).text == ""


async def test_ops_that_are_none_are_refused_at_once(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada:
        document = await ada.open("main.md", create=True)
        with pytest.raises(OpInvalid):
            document.edit([1, 2, "x"])
        with pytest.raises(TextInvalid):
            document.insert(0, "\ud800")
        with pytest.raises(OpInvalid):
            document.delete(0, 1)
        assert document.text == ""


async def test_a_paste_of_any_size_is_saved(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada:
        document = await ada.open("main.md", create=True)
        document.insert(0, "😀\n" * 50_000)
        await document.saved()
        assert sockets.server.documents["main.md"].text == "😀\n" * 50_000


async def test_an_edit_the_server_will_not_have_is_undone_and_told(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada:
        document = await ada.open("main.md", create=True)
        document.insert(0, "good")
        await document.saved()
        sockets.server.refusals.append(error("E_DOC_SIZE"))
        document.insert(4, " too much")
        with pytest.raises(Refused, match="E_DOC_SIZE"):
            await document.saved()
        assert document.text == "good"


async def test_what_is_said_is_acknowledged_and_heard(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada, client_of(sockets, name="Ben") as ben:
        messages = heard(ben, "message")
        await ada.post("hello")
        assert (await next_of(messages)).text == "hello"
        assert [message["text"] for message in ada.messages] == ["hello"]
        sockets.server.refusals.append(error("E_TEXT"))
        with pytest.raises(Refused):
            await ada.post("not this")


async def test_what_becomes_of_a_message_is_seen_by_everybody(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada, client_of(sockets, name="Ben") as ben:
        changes = heard(ben, "message_changed")
        message = await ada.post("hello")
        reply = await ada.post("and", reply_to=message)
        await asyncio.gather(
            ada.edit_message(message, "hullo"),
            ben.react(message, "👍"),
            ben.pin_message(message),
            ada.delete_message(reply),
        )
        for _ in range(4):
            await next_of(changes)
        first, second = ben.messages
        assert (first["text"], first["reactions"]) == ("hullo", {"👍": [ben.user]})
        assert first["pinned"] is not None
        assert (second["reply_to"], second["text"]) == (message, "")
        sockets.server.refusals.append(error("E_LIMIT"))
        with pytest.raises(Refused, match="E_LIMIT"):
            await ben.react(message, "👎")


async def test_what_was_read_is_told_to_the_others(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada, client_of(sockets, name="Ben") as ben:
        receipts = heard(ada, "receipts")
        messages = heard(ben, "message")
        message = await ada.post("hello")
        await next_of(messages)
        assert ben.unread == 1
        ben.read(message)
        assert ben.unread == 0
        with pytest.raises(ValueError, match="not known"):
            ben.read("no-such-message")
        assert ben.user in (await next_of(receipts)).pointers
        assert ada.readers(message) == [ben.user]
        assert ben.user is not None
        read = ada.pointers[ben.user].read
        await ada.post("again")
        await next_of(messages)
        ben.read()
        while ada.pointers[ben.user].read == read:
            await next_of(receipts)
        assert ben.unread == 0


async def test_leaving_tells_first_what_was_read(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada:
        async with client_of(sockets, name="Ben") as ben:
            messages = heard(ben, "message")
            message = await ada.post("hello")
            await next_of(messages)
            ben.read(message)
        assert sockets.server.receipts[ben.client_id]["read"] > 0


async def test_runs_and_saves_are_told_of_a_text_that_is_saved(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada:
        started = heard(ada, "run_started")
        document = await ada.open("main.md", create=True)
        document.insert(0, "print(1)")
        for early in (
            lambda: ada.save_revision(document),
            lambda: ada.start_run("Tests", document),
            lambda: document.link(0, 1),
        ):
            with pytest.raises(NotSaved):
                early()
        await document.saved()
        await ada.save_revision(document, "Draft")
        run = await ada.start_run("Tests", document)
        assert (await next_of(started)).revision == 1
        await ada.finish_run(run, "passed")
        assert await ada.start_run("Everything") != run
        assert document.link(0, 5) == {"document": "main.md", "revision": 1, "start": 0, "end": 5}


async def test_streams_are_followed(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada:
        lines, statistics = heard(ada, "activity"), heard(ada, "statistics")
        ada.subscribe("activity")
        ada.subscribe("statistics")
        await sockets.push({"type": "activity", "position": 3, "lines": [{"id": "l1", "changed": 3}]})
        await sockets.push({"type": "statistics", "position": 4})
        assert (await next_of(lines)).lines == [{"id": "l1", "changed": 3}]
        assert (await next_of(statistics)).statistics == {"position": 4}
        ada.unsubscribe("activity")


async def test_cursors_are_shown(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada, client_of(sockets, name="Ben") as ben:
        hers = await ada.open("main.md", create=True)
        his = await ben.open("main.md")
        hers.insert(0, "abc")
        moves = heard(ben, "presence")
        ada.cursor(hers, 1, 3)
        await next_of(moves)
        assert his.cursors == {ada.client_id: Cursor(1, 3)}


async def test_an_edit_saved_while_a_later_one_waits_wakes_its_own_waiters(sockets: ModelSockets) -> None:
    async with client_of(sockets, compose=False) as ada:
        document = await ada.open("main.md", create=True)
        document.insert(0, "a")
        first = asyncio.create_task(document.saved())
        await asyncio.sleep(0)
        sockets.server.refusals += [error("E_BUSY", retry_after=0.05)] * 2
        document.insert(1, "b")
        second = asyncio.create_task(document.saved())
        await first
        assert not second.done()
        await second


async def test_a_closed_document_is_followed_no_longer(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada:
        document = await ada.open("main.md", create=True)
        document.insert(0, "kept")
        await document.close()
        assert sockets.server.documents["main.md"].text == "kept"
        with pytest.raises(NotEditable):
            document.insert(0, "x")


async def test_listeners_can_go_and_may_fail(sockets: ModelSockets) -> None:
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    calls: list[Notice] = []

    def fail(_: Notice) -> None:
        raise ZeroDivisionError

    async with client_of(sockets) as ada:
        ada.on("message", fail)
        stop = ada.on("message", calls.append)
        await ada.post("one")
        stop()
        await ada.post("two")
    assert len(calls) == 1
    assert [type(context["exception"]) for context in failures] == [ZeroDivisionError] * 2


# Losing the connection.


async def test_a_lost_connection_is_made_again_and_nothing_is_lost(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada:
        document = await ada.open("main.md", create=True)
        for number in range(10):
            document.insert(len(document), f"{number}")
            posted = ada.post(f"message {number}")
            await sockets.close_all(4402)
            document.insert(len(document), ".")
            await document.saved(5)
            await posted
        assert sockets.server.documents["main.md"].text == "0.1.2.3.4.5.6.7.8.9."
        said = [event["text"] for event in sockets.server.log if event["event"] == "message"]
        assert said == [f"message {number}" for number in range(10)]


async def test_when_a_node_fails_the_next_one_is_tried() -> None:
    server = ModelServer()
    first, second = ModelSockets(server), ModelSockets(server)
    async with second.serving():
        async with first.serving():
            ada = client_of(first, second)
            await ada.start()
            document = await ada.open("main.md", create=True)
            document.insert(0, "before")
            await document.saved()
            assert (first.upgrades, second.upgrades) == (1, 0)
        document.insert(6, " after")
        await document.saved(5)
        assert second.upgrades == 1
        assert server.documents["main.md"].text == "before after"
        assert await ada.close() == []


async def test_a_silent_server_is_left(sockets: ModelSockets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.05)
    async with client_of(sockets) as ada:
        statuses = heard(ada, "status")
        sockets.is_deaf = True
        ada.session._silence = 0.1
        await sockets.push({"type": "ping"})
        await until(statuses, Status.OFFLINE)
        assert not ada.is_online
        sockets.is_deaf = False
        await until(statuses, Status.ONLINE)


async def test_a_server_that_does_not_read_is_left(
    sockets: ModelSockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SEND_SECONDS", 0.05)
    async with client_of(sockets) as ada:
        document = await ada.open("main.md", create=True)
        with monkeypatch.context() as patch:
            patch.setattr(aiohttp.ClientWebSocketResponse, "send_frame", never)
            statuses = heard(ada, "status")
            document.insert(0, "x")
            await until(statuses, Status.OFFLINE)
        await document.saved()


async def test_a_socket_that_cannot_be_closed_is_let_go(
    sockets: ModelSockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.01)
    async with client_of(sockets) as ada:
        statuses = heard(ada, "status")
        with monkeypatch.context() as patch:
            patch.setattr(aiohttp.ClientWebSocketResponse, "close", never)
            ada.session.close_wanted = True
            ada.settle()
            ada.settle()  # once is enough
            await until(statuses, Status.OFFLINE)
        await until(statuses, Status.ONLINE)


async def test_too_many_frames_means_to_come_back_later(
    sockets: ModelSockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LATER_SECONDS", 0.2)
    async with client_of(sockets) as ada:
        statuses = heard(ada, "status")
        await sockets.close_all(4405)
        await until(statuses, Status.OFFLINE)
        began = asyncio.get_running_loop().time()
        await until(statuses, Status.ONLINE)
        assert asyncio.get_running_loop().time() - began >= 0.2


# Stopping and leaving.


@pytest.mark.parametrize("code", [4406, 4500, 4505, 4506, 4507, 1009])
async def test_a_code_that_says_stop_stops_and_everybody_who_waits_is_told(
    sockets: ModelSockets, code: int
) -> None:
    ada = client_of(sockets)
    await ada.start()
    document = await ada.open("main.md", create=True)
    unsent = heard(ada, "unsent")
    sockets.is_deaf = True
    document.insert(0, "unsaved")
    saving = asyncio.create_task(document.saved())
    opening = asyncio.create_task(ada.open("other.md"))
    posting = ada.post("unsaid")
    await asyncio.sleep(0.01)
    await sockets.close_all(code)
    with pytest.raises(NotEditable):
        await saving
    with pytest.raises(Stopped):
        await opening
    with pytest.raises(Stopped) as stopped:
        await posting
    assert stopped.value.code == code
    assert (await next_of(unsent)).text == "unsaved"
    for refused in (lambda: ada.post("x"), lambda: document.insert(0, "x")):
        with pytest.raises((Stopped, NotEditable)):
            refused()
    with pytest.raises(NotEditable):
        await document.saved()
    with pytest.raises(Stopped):
        await ada.open("other.md")
    assert [each.text for each in await ada.close()] == ["unsaved"]
    assert [request["text"] for request in ada.session.undone] == ["unsaid"]


async def test_leaving_saves_first(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada:
        document = await ada.open("main.md", create=True)
        document.insert(0, "saved by leaving")
        ada.post("bye")
    assert sockets.server.documents["main.md"].text == "saved by leaving"
    assert sockets.server.log[-1]["text"] == "bye"
    assert ada.status is Status.STOPPED
    assert await ada.close() == []


async def test_leaving_with_unsaved_text_says_so(
    sockets: ModelSockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "FLUSH_SECONDS", 0.05)

    async def leave_early() -> None:
        async with client_of(sockets) as ada:
            document = await ada.open("main.md", create=True)
            sockets.is_deaf = True
            document.insert(0, "unsaved")
            ada.post("unsaid")

    with pytest.raises(UnsentTextError, match="1 documents and 1 commands") as left:
        await leave_early()
    assert [each.text for each in left.value.unsent] == ["unsaved"]
    assert [request["text"] for request in left.value.commands] == ["unsaid"]


async def test_an_error_in_the_block_is_not_hidden_by_unsaved_text(sockets: ModelSockets) -> None:
    async def fail() -> None:
        async with client_of(sockets) as ada:
            document = await ada.open("main.md", create=True)
            sockets.is_deaf = True
            document.insert(0, "unsaved")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()


async def test_a_document_closed_unsaved_hands_its_text_out(sockets: ModelSockets) -> None:
    ada = client_of(sockets)
    await ada.start()
    document = await ada.open("main.md", create=True)
    other = await ada.open("other.md", create=True)
    sockets.server.refusals += [error("E_BUSY", retry_after=0.05)] * 2
    document.insert(0, "unsaved")
    other.insert(0, "saved")
    savings = [asyncio.create_task(each.saved()) for each in (document, other)]
    await asyncio.sleep(0)
    ada.close_document("main.md")
    with pytest.raises(NotEditable):
        await savings[0]
    await savings[1]
    assert [each.text for each in await ada.close()] == ["unsaved"]


async def test_what_is_left_unsaved_by_an_open_afresh_is_not_waited_for(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada:
        document = await ada.open("main.md", create=True)
        sockets.server.refusals += [error("E_BUSY", retry_after=0.05)]
        document.insert(0, "given up")
        saving = asyncio.create_task(document.saved())
        await asyncio.sleep(0)
        await ada.open_afresh(document)
        with pytest.raises(NotEditable):
            await saving
        assert document.text == ""


async def test_a_stranded_document_can_be_given_up_and_opened_afresh(sockets: ModelSockets) -> None:
    async with client_of(sockets) as ada:
        document = await ada.open("main.md", create=True)
        document.insert(0, "kept")
        await document.saved()
        sockets.server.refusals.append(error("E_OP_INVALID"))
        unsent = heard(ada, "unsent")
        document.insert(0, "stranded ")
        assert (await next_of(unsent)).text == "stranded kept"
        with pytest.raises(NotEditable):
            await ada.open("main.md")
        await ada.open_afresh(document)
        assert document.text == "kept"


# Getting in.


async def test_a_server_that_is_not_there_is_a_time_out_that_says_why() -> None:
    client = Client("http://127.0.0.1:9", "demo", name="Ada", backoff=AT_ONCE)
    with pytest.raises(TimeoutError, match=r"127\.0\.0\.1:9") as nobody:
        await client.start(0.1)
    assert isinstance(nobody.value.__cause__, aiohttp.ClientConnectorError)


async def test_a_client_that_never_started_can_be_closed() -> None:
    assert await Client("http://127.0.0.1:9", "demo", name="Ada").close() == []


async def test_a_cancelled_start_leaves_nothing_behind(sockets: ModelSockets) -> None:
    sockets.is_deaf = True
    starting = asyncio.create_task(client_of(sockets).start())
    await asyncio.sleep(0.05)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting


async def test_a_refused_upgrade_stops_unless_it_may_pass(sockets: ModelSockets) -> None:
    sockets.status = 403
    with pytest.raises(Stopped) as stopped:
        await client_of(sockets).start()
    assert stopped.value.code == 403
    sockets.status = 503
    client = client_of(sockets)
    starting = asyncio.create_task(client.start())
    await asyncio.sleep(0.05)
    sockets.status = 0
    await starting
    await client.close()


async def test_clients_can_share_connections_pool(sockets: ModelSockets) -> None:
    async with aiohttp.ClientSession() as http:
        async with client_of(sockets, http=http):
            pass
        assert not http.closed


async def test_a_server_that_speaks_nonsense_stops_the_client(sockets: ModelSockets) -> None:
    ada = client_of(sockets)
    await ada.start()
    statuses = heard(ada, "status")
    await sockets.push({"type": "events", "nonsense": True})
    stopped = await until(statuses, Status.STOPPED)
    assert "KeyError" in stopped.reason
    await ada.close()


def test_a_moment_that_is_over_already_is_as_good_a_moment_on_uvloop() -> None:
    """Where a timer for it is none that could be asked when it is due."""
    uvloop = pytest.importorskip("uvloop")

    async def run() -> list[float]:
        client = Client("http://127.0.0.1:1", "demo", name="Ada")
        called: list[float] = []
        over = asyncio.get_running_loop().time() - 1

        class Session:
            due: float | None = over

            def next_time(self) -> float | None:
                return self.due

            def on_time(self, now: float) -> None:
                called.append(now)
                self.due = None

        client.session = Session()  # type: ignore[assignment]
        client.settle = client._arm  # type: ignore[method-assign]
        client._arm()
        client._arm()
        await asyncio.sleep(0.01)
        return called

    assert len(uvloop.run(run())) == 1
