"""Whoever keeps the accounts of a server: makes tokens, good ones and all kinds of bad ones.

Signed by hand, since libraries refuse to make what attackers make.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final

from tests.acceptance.raw_sockets import Answer, RawSocket, ask
from tests.guests import Guest

# Random enough for the server, and known to the tests.
SECRET: Final = "kW3vN8qLz5RtX0bYd7Hf2mCj9GsPaU4e"
NAME: Final = "chronoscribe"

LIFETIME_SECONDS: Final = 3_600

Sign = Callable[[bytes], bytes]


def hs256(secret: str | bytes = SECRET) -> Sign:
    key = secret if isinstance(secret, bytes) else secret.encode()
    return lambda data: hmac.digest(key, data, hashlib.sha256)


class Accounts:
    """Of the server at `url`."""

    def __init__(self, url: str, algorithm: str = "HS256", sign: Sign | None = None) -> None:
        self.url = url
        self.header = {"alg": algorithm, "typ": "JWT"}
        self.sign = sign or hs256()

    def token(self, user: Any, /, **claims: Any) -> str:
        """For an hour, unless `claims` say otherwise; one that is None is left out."""
        return token(self.header, claims_of(user, **claims), self.sign)

    def user(self, user: str, /, **claims: Any) -> Guest:
        """Somebody with a token."""
        return Guest(self.url, user, self.token(user, **claims))


def claims_of(user: Any, /, **claims: Any) -> dict[str, Any]:
    """Those of a good token, as changed by `claims`."""
    now = int(time.time())
    good = {"iss": NAME, "aud": NAME, "sub": user, "iat": now, "exp": now + LIFETIME_SECONDS}
    return {name: value for name, value in (good | claims).items() if value is not None}


def token(header: dict[str, Any], claims: Any, sign: Sign | None) -> str:
    """Three parts, the last one empty without `sign`."""
    both = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"
    return f"{both}.{part(sign(both.encode())) if sign else ''}"


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# Visitors.

# The proxy that servers with accounts are told to trust; everybody else who connects is what they are.
PROXY: Final = "127.0.0.2"

_numbers = count(1)


class Visitor:
    """Somebody who comes through the proxy, from an address that nobody else has."""

    def __init__(self, url: str) -> None:
        number = next(_numbers)
        self.url = url
        self.address = f"198.18.{number // 256}.{number % 256}"

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = {"X-Forwarded-For": self.address} | dict(headers or {})
        return await ask(self.url, method, path, token=token, body=body, source=PROXY, headers=sent)

    async def connect(self, room: str, **options: Any) -> RawSocket:
        """See `RawSocket.connect`."""
        options = {"X_Forwarded_For": self.address} | options
        return await RawSocket.connect(self.url, room, source=PROXY, **options)
