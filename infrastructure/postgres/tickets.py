"""Tickets in a table, so that any node redeems what any other has issued, and all of them together once."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from application.identity import Identity, Ticket
from domain.errors import RateLimited, Unauthenticated
from infrastructure.postgres.database import Database

# A client that has asked for a ticket connects at once; on a bad line that takes some seconds.
TICKET_LIFETIME: Final = timedelta(seconds=30)

# Twice as many as a user may have sockets by default: all of them may come again at the same time.
OUTSTANDING_MAX: Final = 100

# 256 random bits in base64, without padding.
_TICKET_BYTES: Final = 32
_TICKET: Final = re.compile(r"[A-Za-z0-9_-]{43}")

# Those who ask at the same moment do not see each other: a few tickets too many do no harm.
_ISSUE: Final = """
INSERT INTO tickets
    (digest, expires_at, origin, agent, user_name, name, is_admin, token_issued_at, token_expires_at)
SELECT %(digest)s, %(expires_at)s, %(origin)s, %(agent)s,
       %(user)s, %(name)s, %(is_admin)s, %(issued)s, %(expires)s
WHERE (SELECT count(*) FROM tickets WHERE user_name = %(user)s AND expires_at > %(now)s) < %(max)s
RETURNING 1
"""
# Of two who show the same ticket the second waits for the first and finds nothing.
_REDEEM: Final = """
DELETE FROM tickets WHERE digest = %s
RETURNING expires_at, origin, agent, user_name, name, token_issued_at, token_expires_at, is_admin
"""
_SWEEP: Final = "DELETE FROM tickets WHERE expires_at <= %s RETURNING 1"

_MAKE_GUEST_SECRET: Final = """
INSERT INTO store (key, value) VALUES ('guest_secret', %s) ON CONFLICT DO NOTHING RETURNING value
"""
_GUEST_SECRET: Final = "SELECT value FROM store WHERE key = 'guest_secret'"


class Tickets:
    """The `TicketStore` of a database. `now` tells the time in UTC."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def issue(self, identity: Identity, *, origin: str | None, agent: str) -> Ticket:
        """A ticket that ends after 30 s, or with its token.

        Raises `Unauthenticated` when the token has ended, `RateLimited` when the user has too many
        tickets, `StoreUnavailable`.
        """
        now = self._now()
        if identity.expires <= now:
            raise Unauthenticated
        ticket = Ticket(secrets.token_urlsafe(_TICKET_BYTES), min(now + TICKET_LIFETIME, identity.expires))
        parameters = {
            "digest": _digest(ticket.value),
            "expires_at": ticket.expires,
            "origin": origin,
            "agent": agent,
            "user": identity.user,
            "name": identity.name,
            "is_admin": identity.is_admin,
            "issued": identity.issued,
            "expires": identity.expires,
            "now": now,
            "max": OUTSTANDING_MAX,
        }
        if not await self._database.change(_ISSUE, parameters):
            raise RateLimited(
                "too many tickets have been asked for and not used",
                limit=OUTSTANDING_MAX,
                retry_after=TICKET_LIFETIME.total_seconds(),
            )
        return ticket

    async def redeem(self, ticket: str, *, origin: str | None, agent: str) -> Identity:
        """Whose ticket it is. It is used up by this, also when it is shown in the wrong place.

        Raises `Unauthenticated`, `StoreUnavailable` (it may be used up then).
        """
        if _TICKET.fullmatch(ticket) is None:
            raise Unauthenticated
        rows = await self._database.change(_REDEEM, (_digest(ticket),))
        if not rows:
            raise Unauthenticated
        [(expires_at, of_origin, of_agent, *identity)] = rows
        if expires_at <= self._now() or of_origin != origin or of_agent != agent:
            raise Unauthenticated
        return Identity(*identity)

    async def sweep(self) -> None:
        """Delete tickets that have not been used in time. Raises `StoreUnavailable`."""
        await self._database.change(_SWEEP, (self._now(),))


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()


async def guest_secret(database: Database) -> str:
    """What the tokens of guests are signed with in development: a store's own, made when first asked for.

    So a guest's token is good on all nodes and after a restart, and nowhere else. Raises `StoreUnavailable`.
    """
    await database.change(_MAKE_GUEST_SECRET, (secrets.token_urlsafe(32),))
    [(secret,)] = await database.fetch(_GUEST_SECRET)
    return str(secret)
