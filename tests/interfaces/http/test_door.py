"""How often somebody may ask, and try to come in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request

from domain.errors import RateLimited
from interfaces.http import door
from interfaces.http.door import BURST_SECONDS, USERS_PER_ADDRESS, Access, Door
from interfaces.http.keys import BUCKET
from interfaces.ws.rates import FAILURES_MAX, FAILURES_SECONDS, Failures
from interfaces.ws.route import SUBPROTOCOL, TICKET_PREFIX
from tests.interfaces.http.conftest import SECRET
from tests.interfaces.server_thread import Answer, ServerThread


def rate_of(answer: Answer) -> tuple[int, int, int]:
    limit, left, reset = (answer.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset"))
    return int(limit), int(left), int(reset)


# Requests.


class Clock:
    """The little of the services that the door needs for those whom it does not know."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


async def come(door: Door, address: str) -> int:
    """Ask for something public; how many requests are left."""
    request = make_mocked_request("GET", "/").clone(remote=address)
    await door.open(request, Access.PUBLIC)
    return int(request[BUCKET].tokens)


async def test_who_asks_too_often_waits_and_then_goes_on() -> None:
    clock: Any = Clock()
    door = Door(clock, 1.0 / USERS_PER_ADDRESS, Failures())
    assert [await come(door, "a") for _ in range(int(BURST_SECONDS))] == [3, 2, 1, 0]
    with pytest.raises(RateLimited) as refused:
        await come(door, "a")
    assert refused.value.facts["retry_after"] == pytest.approx(1.0, abs=0.01)
    assert await come(door, "b") == 3
    clock.seconds += 1.0
    assert await come(door, "a") == 0
    clock.seconds += 100.0
    assert await come(door, "a") == 3


async def test_a_door_remembers_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BUCKETS_MAX", 3)
    clock: Any = Clock()
    entrance = Door(clock, 1.0, Failures())
    full = await come(entrance, "a")
    for address in ("b", "c", "a", "d"):  # "b" was silent the longest
        await come(entrance, address)
    assert len(entrance._buckets) == 3
    assert await come(entrance, "a") == full - 2
    assert await come(entrance, "b") == full


def test_every_answer_behind_the_door_says_how_much_is_left(accounts: ServerThread) -> None:
    ada = accounts.with_token("ada", "203.0.113.4")
    room = f"/api/rooms/{ada.make_room()}"
    etag = ada.get(room).headers["ETag"]
    for answer, status in [
        (ada.get(room), 200),
        (ada.get(room, If_None_Match=etag), 304),
        (ada.get(f"{room}?what=ever"), 422),
        (ada.get("/api/rooms/no-such-room"), 404),
        (ada.patch(room, {"title": "A"}, If_Match='"other"'), 412),
        (ada.post("/api/rooms", b"{"), 422),
        (ada.post(f"{room}/invitations", {"role": "viewer"}), 201),
        (ada.delete(room), 204),
        (accounts.get("/api/docs"), 200),
        (accounts.post("/api/guests", {}), 404),
    ]:
        assert answer.status == status
        limit, left, reset = rate_of(answer)
        assert 0 < left < limit
        assert reset >= 1
    assert rate_of(ada.get("/api/me"))[0] == 50 * BURST_SECONDS


def test_a_refusal_says_when_to_come_again_and_others_are_let_in(start: Callable[..., ServerThread]) -> None:
    strict = start(auth_secrets=[SECRET], behind_proxy=["127.0.0.1"], requests_per_second=0.5)
    strict.set_clock(1_000.0)
    ada, bob = (strict.with_token(user, "203.0.113.5") for user in ("ada", "bob"))
    assert [rate_of(ada.get("/api/me")) for _ in range(2)] == [(2, 1, 2), (2, 0, 4)]
    refused = ada.get("/api/me")
    assert (refused.status, refused.json["code"]) == (429, "E_RATE")
    assert refused.json["retry_after"] == pytest.approx(2.0, abs=0.01)
    assert (refused.headers["Retry-After"], rate_of(refused)) == ("2", (2, 0, 4))
    # The same user from elsewhere has no second bucket; another one has their own.
    assert strict.with_token("ada", "203.0.113.99").get("/api/me").status == 429
    assert bob.get("/api/me").status == 200
    strict.set_clock(1_000.0 + refused.json["retry_after"])
    assert ada.get("/api/me").status == 200
    assert ada.get("/api/me").status == 429


def test_of_whom_nobody_knows_who_they_are_the_address_pays(start: Callable[..., ServerThread]) -> None:
    strict = start(auth_secrets=[SECRET], behind_proxy=["127.0.0.1"], requests_per_second=0.05)
    strict.set_clock(1_000.0)
    stranger = {"X-Forwarded-For": "203.0.113.6"}
    paths = ["/api/me", "/api/rooms/some", "/metrics", "/api/docs"]
    answers = [strict.ask("GET", path, headers=stranger) for path in paths]
    assert [answer.status for answer in answers] == [401, 401, 404, 200]
    assert [rate_of(answer)[:2] for answer in answers] == [(4, 3), (4, 2), (4, 1), (4, 0)]
    for path in paths:
        assert strict.ask("GET", path, headers=stranger).status == 429
    assert strict.with_token("ada", "203.0.113.6").get("/api/me").status == 200


# Tries.


def try_in(server: ServerThread, address: str, token: str = "wrong") -> Answer:
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
    return server.ask("GET", "/api/me", headers=headers)


def test_failures_are_forgotten_after_a_minute_each() -> None:
    failures = Failures()
    for second in range(FAILURES_MAX):
        assert failures.wait("a", second) == 0
        failures.add("a", second)
    assert failures.wait("a", FAILURES_MAX) == FAILURES_SECONDS - FAILURES_MAX
    assert failures.wait("b", FAILURES_MAX) == 0
    assert failures.wait("a", FAILURES_SECONDS - 0.5) == 0.5
    assert failures.wait("a", FAILURES_SECONDS) == 0
    failures.add("a", FAILURES_SECONDS)
    assert failures.wait("a", FAILURES_SECONDS) == 1  # until the second of them is old


def test_who_tries_tokens_is_not_listened_to_for_a_minute(start: Callable[..., ServerThread]) -> None:
    server = start(auth_secrets=[SECRET], behind_proxy=["127.0.0.1"])
    server.set_clock(1_000.0)
    address = "203.0.113.10"
    ada = server.with_token("ada", address)
    assert ada.get("/api/me").status == 200
    refusals = [try_in(server, address) for _ in range(FAILURES_MAX)]
    assert {(answer.status, answer.body) for answer in refusals} == {(401, refusals[0].body)}
    for answer in (try_in(server, address), ada.get("/api/me")):
        assert (answer.status, answer.json["code"]) == (429, "E_RATE")
        assert int(answer.headers["Retry-After"]) == FAILURES_SECONDS
    assert server.with_token("ada", "203.0.113.11").get("/api/me").status == 200
    assert server.ask("GET", "/api/docs", headers={"X-Forwarded-For": address}).status == 200
    server.set_clock(1_000.0 + FAILURES_SECONDS)
    assert ada.get("/api/me").status == 200


def test_who_shows_no_token_has_not_tried_one(accounts: ServerThread) -> None:
    address = "203.0.113.12"
    for _ in range(FAILURES_MAX + 1):
        assert accounts.ask("GET", "/api/me", headers={"X-Forwarded-For": address}).status == 401
    assert accounts.with_token("ada", address).get("/api/me").status == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token x", "Bearer a b", "Bearer ..", "é"]
)
def test_whatever_is_shown_is_refused_alike(accounts: ServerThread, header: str) -> None:
    headers = {"Authorization": header.encode().decode("latin-1"), "X-Forwarded-For": "203.0.113.13"}
    answer = accounts.ask("GET", "/api/me", headers=headers)
    unknown = accounts.ask("GET", "/api/me", headers={"X-Forwarded-For": "203.0.113.13"})
    assert (answer.status, answer.body) == (401, unknown.body)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_may_be_in_any_case(accounts: ServerThread, scheme: str) -> None:
    ada = accounts.with_token("ada", "203.0.113.14")
    token = ada.headers["Authorization"].removeprefix("Bearer ")
    assert ada.get("/api/me", Authorization=f"{scheme}  {token}").status == 200


async def socket_status(server: ServerThread, address: str, ticket: str) -> int:
    """The status or, when it is opened, the close code that a socket with this ticket ends with."""
    async with aiohttp.ClientSession() as http:
        try:
            socket = await http.ws_connect(
                f"{server.url}/ws/demo",
                protocols=[SUBPROTOCOL, f"{TICKET_PREFIX}{ticket}"],
                headers={"X-Forwarded-For": address},
            )
        except aiohttp.WSServerHandshakeError as error:
            return error.status
        async with asyncio.timeout(20):
            while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        return socket.close_code or 0


async def test_tokens_and_tickets_are_tried_on_one_account(accounts: ServerThread) -> None:
    address = "203.0.113.15"
    for _ in range(FAILURES_MAX // 2):
        assert (await asyncio.to_thread(try_in, accounts, address)).status == 401
        assert await socket_status(accounts, address, "wrong") > 4000
    good = await asyncio.to_thread(accounts.with_token("ada", address).get, "/api/me")
    assert good.status == 429
    assert await socket_status(accounts, address, "wrong") == 429
    assert await socket_status(accounts, "203.0.113.16", "wrong") > 4000
