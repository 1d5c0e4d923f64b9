"""For whom a request is made: whoever connects, or whom a trusted proxy says.

A proxy adds the address of who came to it at the end of `X-Forwarded-For`; what stands before was told by
them, and may be made up. So the list is read from its end, for as long as those who told it are trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from interfaces.http.keys import ENTRANCE

Networks = Sequence[IPv4Network | IPv6Network]

_SCHEMES: Final = frozenset({"http", "https"})

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})

# What proxies add, each its own choice of them.
_FORWARDING: Final = ("Forwarded", "Via", "X-Forwarded-For", "X-Real-IP")


@web.middleware
async def forwarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let `request.remote` and `request.scheme` be those of whom the request is for."""
    proxies = request.app[ENTRANCE].proxies
    if proxies and is_within(request.remote or "", proxies):
        told = ",".join(request.headers.getall("X-Forwarded-For", []))
        scheme = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip()
        request = request.clone(
            remote=origin_of(told, proxies) or request.remote or "",
            scheme=scheme if scheme in _SCHEMES else request.scheme,
        )
    return await handler(request)


def origin_of(told: str, proxies: Networks) -> str | None:
    """The address for which proxies have passed a request on; None when they do not tell."""
    found = None
    for part in reversed(told.split(",")):
        address = part.strip()
        try:
            ip_address(address)
        except ValueError:
            return found
        found = address
        if not is_within(address, proxies):
            return found
    return found


def is_within(address: str, networks: Networks) -> bool:
    """Whether `address` belongs to one of `networks`; what is no address belongs to none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)


def is_own_host(host: str) -> bool:
    """Whether a `Host` header names this machine, whatever the port."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name = host
    elif not port.isdecimal():
        return False
    return name in LOOPBACK_NAMES


def is_this_machine(request: web.Request) -> bool:
    """Whether a program of this machine is asking, for itself.

    A browser of this machine may ask for a page whose name has been bound to it, and a proxy that nobody has
    told us of for all the world: both can be told by what they say, and neither is whoever runs the server.
    """
    if not is_own_host(request.host) or any(name in request.headers for name in _FORWARDING):
        return False
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    address = str(peer[0]) if peer else ""
    try:
        is_loopback = ip_address(address).is_loopback
    except ValueError:
        return False
    return is_loopback and not is_within(address, request.app[ENTRANCE].proxies)
