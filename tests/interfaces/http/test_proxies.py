"""For whom a request is made."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from interfaces.http.keys import ENTRANCE, Entrance
from interfaces.http.proxies import is_this_machine, is_within, origin_of
from tests.interfaces.http.conftest import SECRET
from tests.interfaces.server_thread import ServerThread

PROXIES = (ip_network("10.0.0.0/8"), ip_network("192.0.2.1/32"), ip_network("2001:db8::/32"))


@pytest.mark.parametrize(
    ("told", "origin"),
    [
        # What the one proxy has seen.
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7"),
        ("2001:db9::7", "2001:db9::7"),
        # What was told to it is not believed.
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1, 203.0.113.7", "203.0.113.7"),
        ("<script>, 203.0.113.7", "203.0.113.7"),
        (", , 203.0.113.7", "203.0.113.7"),
        # Several proxies, each believed about the one before it.
        ("203.0.113.7, 10.0.0.1", "203.0.113.7"),
        ("203.0.113.7, 192.0.2.1, 10.0.0.1", "203.0.113.7"),
        ("203.0.113.7, 2001:db8::1, 10.0.0.1", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
        ("203.0.113.7,10.0.0.1", "203.0.113.7"),
        # Nobody but proxies: the first of them asks for itself.
        ("10.0.0.2, 10.0.0.1", "10.0.0.2"),
        # Somebody has told one of them nonsense: as far as can be believed.
        ("203.0.113.7, unknown, 10.0.0.1", "10.0.0.1"),
        ("203.0.113.7, , 10.0.0.1", "10.0.0.1"),
        ("203.0.113.7, 10.0.0.1:4711, 10.0.0.2", "10.0.0.2"),
        # Nothing that can be believed at all.
        ("", None),
        (",", None),
        ("unknown", None),
        ("203.0.113.7:4711", None),
        ("[2001:db9::7]", None),
        ("203.0.113.7 10.0.0.1", None),
        ("203.0.113.007", None),
        ("203.0.113.7, ", None),
        ("1" * 5_000, None),
    ],
)
def test_a_list_is_believed_from_its_end_for_as_long_as_those_who_told_it_are_trusted(
    told: str, origin: str | None
) -> None:
    assert origin_of(told, PROXIES) == origin


@pytest.mark.parametrize(
    "address", ["10.0.0.0", "10.255.255.255", "192.0.2.1", "2001:db8::1", "2001:DB8:0::1"]
)
def test_an_address_of_a_network_is_within_it(address: str) -> None:
    assert is_within(address, PROXIES)


@pytest.mark.parametrize(
    "address",
    ["", "11.0.0.1", "192.0.2.2", "2001:db9::1", "10.0.0.1:80", "localhost", "10.0.0", "::ffff:11.0.0.1"],
)
def test_others_and_what_is_no_address_are_not(address: str) -> None:
    assert not is_within(address, PROXIES)
    assert not is_within(address, ())


# Who runs the server.


class Transport:
    """A connection from somewhere."""

    def __init__(self, peer: tuple[str, int] | str | None) -> None:
        self._peer = peer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": self._peer}.get(name, default)


def a_request(
    peer: tuple[str, int] | str | None, *, host: str = "127.0.0.1:8484", **headers: str
) -> web.Request:
    app = web.Application()
    app[ENTRANCE] = Entrance(is_development=False, proxies=(ip_network("127.0.0.2/32"),))
    given = {"Host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    transport: Any = Transport(peer)
    return make_mocked_request("GET", "/metrics", headers=given, app=app, transport=transport)


@pytest.mark.parametrize("peer", [("127.0.0.1", 1), ("127.1.2.3", 1), ("::1", 1, 0, 0)])
@pytest.mark.parametrize("host", ["127.0.0.1:8484", "localhost", "[::1]:8484"])
def test_a_program_of_this_machine_is_believed_to_be_one(peer: Any, host: str) -> None:
    assert is_this_machine(a_request(peer, host=host))


@pytest.mark.parametrize(
    "peer", [("192.0.2.9", 1), ("2001:db9::1", 1, 0, 0), ("127.0.0.2", 1), "", None, ("@", 1)]
)
def test_others_and_trusted_proxies_are_not(peer: Any) -> None:
    assert not is_this_machine(a_request(peer))
    assert not is_this_machine(a_request(peer, X_Forwarded_For="127.0.0.1"))


@pytest.mark.parametrize(
    "host", ["evil.example", "app.example.com", "127.0.0.1.evil.example", "192.0.2.1:8484"]
)
def test_a_page_whose_name_was_bound_to_this_machine_is_not(host: str) -> None:
    assert not is_this_machine(a_request(("127.0.0.1", 1), host=host))


@pytest.mark.parametrize("header", ["X_Forwarded_For", "x_forwarded_for", "Forwarded", "X_Real_IP", "Via"])
def test_a_proxy_that_nobody_has_told_us_of_is_not(header: str) -> None:
    assert not is_this_machine(a_request(("127.0.0.1", 1), **{header: "127.0.0.1"}))


# What follows from it.


def remaining(server: ServerThread, address: str | None) -> int:
    headers = {} if address is None else {"X-Forwarded-For": address}
    return int(server.ask("GET", "/api/openapi.json", headers=headers).headers["RateLimit-Remaining"])


@pytest.fixture(scope="module")
def frozen(start: Callable[..., ServerThread]) -> ServerThread:
    """A server behind a proxy, for which time stands still: whoever has paid has paid."""
    frozen = start(auth_secrets=[SECRET], behind_proxy=["127.0.0.1"])
    frozen.set_clock(1_000.0)
    return frozen


def test_a_trusted_proxy_says_who_pays(frozen: ServerThread) -> None:
    left = [remaining(frozen, "203.0.113.1") for _ in range(3)]
    assert left == [left[0] - paid for paid in range(3)]
    assert remaining(frozen, "203.0.113.2") == left[0]
    assert remaining(frozen, "198.51.100.1, 203.0.113.1") == left[0] - 3


def test_who_is_no_trusted_proxy_pays_for_itself(start: Callable[..., ServerThread]) -> None:
    direct = start(auth_secrets=[SECRET], behind_proxy=["10.0.0.0/8"])
    direct.set_clock(1_000.0)
    left = [remaining(direct, address) for address in ("203.0.113.1", "203.0.113.2", "127.0.0.1", None)]
    assert left == [left[0] - paid for paid in range(4)]


def test_a_link_has_the_scheme_that_the_proxy_was_asked_by(
    accounts: ServerThread, server: ServerThread
) -> None:
    ada = accounts.with_token("ada", "203.0.113.3")
    path = f"/api/rooms/{ada.make_room()}/invitations"
    for told, scheme in [
        ("https", "https"),
        ("http", "http"),
        ("http, https", "https"),
        ("javascript", "http"),
        ("", "http"),
    ]:
        link = ada.post(path, {"role": "viewer"}, X_Forwarded_Proto=told).json["link"]
        assert link.startswith(f"{scheme}://127.0.0.1:")
    olga = server.guest("Olga")
    answer = olga.post(
        f"/api/rooms/{olga.make_room()}/invitations", {"role": "viewer"}, X_Forwarded_Proto="https"
    )
    assert answer.json["link"].startswith("http://")
