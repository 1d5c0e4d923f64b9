"""How a client shows who it is: guests, tokens of one's own, and what happens when they end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from interfaces.pyclient.client import Client
from interfaces.pyclient.credentials import Credentials
from interfaces.pyclient.errors import NotLetIn, Stopped
from interfaces.pyclient.notices import Status
from interfaces.pyclient.reconnect import Backoff
from tests.interfaces.pyclient.model_sockets import ModelSockets
from tests.waiting import until

AT_ONCE = Backoff(first=0.02, base=0.01, most=0.05)


@pytest.fixture
async def sockets() -> AsyncIterator[ModelSockets]:
    sockets = ModelSockets()
    async with sockets.serving():
        yield sockets


def client_of(sockets: ModelSockets, **options: Any) -> Client:
    return Client(sockets.url, "demo", backoff=AT_ONCE, chance=random.Random("seed"), **options)


async def test_without_a_token_one_is_the_same_guest_on_every_socket(sockets: ModelSockets) -> None:
    async with client_of(sockets, name="Ada") as client:
        await sockets.close_all(1011)
        await until(lambda: sockets.upgrades == 2 and client.status is Status.ONLINE, 5)
        assert sockets.guests == 1
        first, second = sockets.offered
        assert first[0] == second[0] == "chronoscribe.v1"
        assert first[1] != second[1]  # a ticket is for one socket
        assert all(name[1].startswith("ticket.token-of-guest-1") for name in sockets.offered)


async def test_clients_may_share_their_credentials(sockets: ModelSockets) -> None:
    credentials = Credentials(name="Ada")
    one = client_of(sockets, credentials=credentials)
    async with one, client_of(sockets, credentials=credentials, client_id="another"):
        assert sockets.guests == 1


async def test_a_token_of_ones_own_needs_no_guest(sockets: ModelSockets) -> None:
    async with client_of(sockets, token="mine"):
        assert sockets.guests == 0
        assert sockets.offered[0][1].startswith("ticket.mine")


async def test_a_token_that_has_ended_is_fetched_anew(sockets: ModelSockets) -> None:
    tokens = iter(["old", "new"])

    async def next_token() -> str:
        return next(tokens)

    async with client_of(sockets, token=next_token) as client:
        sockets.refused_tokens.add("old")
        await sockets.close_all(4401)
        await until(lambda: sockets.upgrades == 2 and client.status is Status.ONLINE, 5)
        assert sockets.offered[1][1].startswith("ticket.new")


async def test_a_guest_that_the_server_has_forgotten_is_another_one(sockets: ModelSockets) -> None:
    async with client_of(sockets, name="Ada") as client:
        sockets.refused_tokens.add("token-of-guest-1")
        await sockets.close_all(1011)
        await until(lambda: sockets.upgrades == 2 and client.status is Status.ONLINE, 5)
        assert sockets.guests == 2


async def test_a_token_that_is_not_taken_stops_the_client(sockets: ModelSockets) -> None:
    sockets.refused_tokens.add("bad")
    with pytest.raises(Stopped) as stopped:
        await client_of(sockets, token="bad").start()
    assert stopped.value.code == "E_AUTH"
    assert sockets.upgrades == 0


async def test_tokens_that_are_never_taken_stop_the_client(sockets: ModelSockets) -> None:
    sockets.refused_tokens |= {"token-of-guest-1", "token-of-guest-2"}
    with pytest.raises(Stopped):
        await client_of(sockets, name="Ada").start()
    assert sockets.guests == 2


async def test_what_the_server_refuses_otherwise_is_not_asked_again(sockets: ModelSockets) -> None:
    sockets.ticket_status = 422
    async with aiohttp.ClientSession() as http:
        with pytest.raises(NotLetIn):
            await Credentials(token="mine").ticket(http, sockets.url)


async def test_a_server_in_trouble_is_asked_again(sockets: ModelSockets) -> None:
    sockets.ticket_status = 503
    client = client_of(sockets, token="mine")
    starting = asyncio.ensure_future(client.start())
    await until(lambda: len(sockets.tickets) >= 2, 5)
    sockets.ticket_status = 200
    await starting
    await client.close()


async def test_a_new_ticket_can_be_shown_before_the_token_ends(sockets: ModelSockets) -> None:
    async with client_of(sockets, token="mine") as client:
        before = len(sockets.tickets)
        await client.refresh()
        await until(lambda: len(sockets.tickets) == before + 1, 5)
        assert client.status is Status.ONLINE


async def test_one_can_show_what_one_does(sockets: ModelSockets) -> None:
    async with client_of(sockets, name="Ada") as ada, client_of(sockets, name="Ben", client_id="ben") as ben:
        document = await ada.open("main.md", create=True)
        ada.declare("running")
        ada.typing(document)
        ada.typing(is_typing=False)
        heard: list[Any] = []
        ben.on("presence", heard.append)
        await until(lambda: len(heard) == 2, 5)
        assert [(s["document"], s["typing"]) for p in heard for s in p.typing] == [
            ("main.md", True),
            (None, False),
        ]
        assert (ben.user, ben.role, ben.title, ben.members) == ("ben", "editor", "Room", {})
        assert "ben" in {place.client for p in ada.people.values() for place in p.places}
