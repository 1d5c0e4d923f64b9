"""What every request has to pass: who asks, whether they may, and not too often.

Each route says what it takes to use it, and this is the only place where that is looked at: a handler is
called when it is allowed, with the identity and, for a route of a room, with the room.
"""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum
from typing import Final

from aiohttp import web

from application.services import Services
from domain.errors import NotFound, RateLimited, Unauthenticated
from domain.ids import is_id
from domain.rights import Action
from interfaces.http.keys import BUCKET, IDENTITY, PROFILE, ROOM, TOKENS
from interfaces.http.proxies import is_this_machine
from interfaces.ws.rates import Failures, TokenBucket

# A page that opens asks for a dozen things at once, a script for a hundred.
BURST_SECONDS: Final = 4.0

# Of those who have not said who they are, an address may be a whole school.
USERS_PER_ADDRESS: Final = 20

# So many users and addresses are told apart at a time; whoever was longest silent is forgotten, with a full
# bucket. A few megabytes.
BUCKETS_MAX: Final = 20_000


class Access(Enum):
    """What it takes to use a route, if it is not a right in a room."""

    PUBLIC = "public"
    SIGNED_IN = "signed in"
    OPERATOR = "operator"
    """Whoever runs the server: from this machine, or with an administrator's token."""


class Door:
    """One per server. `failures` are shared with the sockets."""

    def __init__(self, services: Services, requests_per_second: float, failures: Failures) -> None:
        self._services = services
        self._rate = requests_per_second
        self._failures = failures
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    async def open(self, request: web.Request, access: Access | Action) -> None:
        """Let a request in, and remember what it has paid from.

        Raises `Unauthenticated`, `NotFound`, `Forbidden`, `RateLimited`, `StoreUnavailable`.
        """
        if access is Access.PUBLIC or (access is Access.OPERATOR and is_this_machine(request)):
            self._pay_as_stranger(request)
            return
        if access is Access.OPERATOR and "Authorization" not in request.headers:
            self._pay_as_stranger(request)
            raise NotFound("there is nothing here")
        await self._sign_in(request)
        identity = request[IDENTITY]
        if access is Access.OPERATOR and not identity.is_admin:
            raise NotFound("there is nothing here")
        self._pay(request, f"user {identity.user}", 1)
        if isinstance(access, Action):
            await self._enter(request, access)

    async def _sign_in(self, request: web.Request) -> None:
        address = request.remote or ""
        if wait := self._failures.wait(address, self._services.monotonic()):
            raise RateLimited("too many wrong credentials", retry_after=round(wait, 1))
        header = request.headers.get("Authorization")
        if header is None:
            self._pay_as_stranger(request)
            raise Unauthenticated
        scheme, _, token = header.partition(" ")
        try:
            identity = request.app[TOKENS].verify(token.strip() if scheme.lower() == "bearer" else "")
            profile = await self._services.profiles.enter(identity)
        except Unauthenticated:
            self._failures.add(address, self._services.monotonic())
            self._pay_as_stranger(request)
            raise
        request[IDENTITY] = identity
        request[PROFILE] = profile

    async def _enter(self, request: web.Request, action: Action) -> None:
        room = request.match_info["room"]
        if not is_id(room):
            raise NotFound("there is no such room")
        request[ROOM] = await self._services.rooms.enter(room, request[IDENTITY].user, action)

    def _pay_as_stranger(self, request: web.Request) -> None:
        self._pay(request, f"address {request.remote}", USERS_PER_ADDRESS)

    def _pay(self, request: web.Request, key: str, users: int) -> None:
        now = self._services.monotonic()
        rate = self._rate * users
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(rate, rate * BURST_SECONDS, now)
            if len(self._buckets) > BUCKETS_MAX:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        request[BUCKET] = bucket  # also when it is empty: just then one wants to know
        if wait := bucket.take(now):
            raise RateLimited("too many requests", limit=round(rate), retry_after=round(wait + 0.001, 3))


def tell_rate(response: web.StreamResponse, bucket: TokenBucket) -> None:
    """Say how much may still be asked, in the headers of the IETF's draft on rate limits."""
    response.headers["RateLimit-Limit"] = str(round(bucket.burst))
    response.headers["RateLimit-Remaining"] = str(int(bucket.tokens))
    response.headers["RateLimit-Reset"] = str(round(bucket.is_full_in + 0.5))
