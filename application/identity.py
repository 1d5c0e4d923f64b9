"""Who somebody is, and how we come to know it.

A token says it, signed by whoever keeps the accounts; it is shown over HTTP only. There it buys a ticket,
which opens one socket once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    user: str
    name: str | None
    """What a first profile is called, if the token says it."""
    issued: datetime
    expires: datetime
    """When the token ends, and with it everything that was opened by it."""
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class Ticket:
    value: str = field(repr=False)
    expires: datetime


class TokenVerifier(Protocol):
    def verify(self, token: str) -> Identity:
        """Who shows this token. Raises `Unauthenticated`."""
        ...


class TicketStore(Protocol):
    async def issue(self, identity: Identity, *, origin: str | None, agent: str) -> Ticket:
        """A ticket for one socket from the same origin (None: no page) and agent class.

        Raises `Unauthenticated` when the token has ended, `RateLimited`, `StoreUnavailable`.
        """
        ...

    async def redeem(self, ticket: str, *, origin: str | None, agent: str) -> Identity:
        """Whose ticket it is. It is used up by this, also when it is shown in the wrong place.

        Raises `Unauthenticated`, `StoreUnavailable` (it may be used up then).
        """
        ...


def agent_class(user_agent: str | None) -> str:
    """The agent class of a `User-Agent` header: "browser" or "program"."""
    return "browser" if user_agent is not None and user_agent.startswith("Mozilla/") else "program"
