"""Whose a socket is: who has shown a ticket for it, until when that holds."""

from __future__ import annotations

from dataclasses import dataclass

from application.identity import Identity
from application.services import Services
from domain.errors import Unauthenticated
from domain.profile import Profile


@dataclass(frozen=True, slots=True)
class Peer:
    """From where a socket was opened: by which page (None: no page), which class of agent, which address."""

    origin: str | None = None
    agent: str = "program"
    address: str = ""


class Holder:
    """Owned by a session. `identity` is None before a ticket was redeemed."""

    __slots__ = ("_ends_at", "_services", "has_failed", "identity", "peer")

    def __init__(self, services: Services, peer: Peer) -> None:
        self._services = services
        self.peer = peer
        self.identity: Identity | None = None
        self.has_failed = False
        """Whether a ticket that was shown was not good. That we could not look is nobody's try."""
        self._ends_at = float("inf")

    async def show(self, ticket: str) -> Identity:
        """Redeem a ticket: the first one says who this is, later ones must be of the same user.

        Raises `Unauthenticated`, `StoreUnavailable`.
        """
        try:
            identity = await self._known_by(ticket)
        except Unauthenticated:
            self.has_failed = True
            raise
        self.identity = identity
        seconds = (identity.expires - self._services.now()).total_seconds()
        self._ends_at = self._services.monotonic() + seconds
        return identity

    async def _known_by(self, ticket: str) -> Identity:
        identity = await self._services.tickets.redeem(ticket, origin=self.peer.origin, agent=self.peer.agent)
        await self._services.profiles.enter(identity)
        if self.identity is not None and self.identity.user != identity.user:
            raise Unauthenticated
        return identity

    def has_ended(self, now: float) -> bool:
        """Whether the token is over that the ticket was bought with."""
        return now >= self._ends_at

    def is_let_in(self, profile: Profile) -> bool:
        """Whether the user has neither signed out since nor is kept out."""
        assert self.identity is not None
        return profile.lets_in(self.identity.issued)
