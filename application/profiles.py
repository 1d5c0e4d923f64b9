"""What can be done with people: be seen for the first time, change, sign out, be kept out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from application.identity import Identity
from application.live import LiveAggregates
from domain.errors import NotFound, Unauthenticated
from domain.ids import profile_stream
from domain.names import as_name
from domain.profile import Profile


class Profiles:
    """All methods raise `StoreUnavailable` and `Overloaded`."""

    def __init__(self, lives: LiveAggregates, *, now: Callable[[], datetime]) -> None:
        self._lives = lives
        self._now = now

    async def enter(self, identity: Identity) -> Profile:
        """The profile of whoever has shown this identity, made when it is the first time.

        Raises `Unauthenticated` for who has signed out since, or is kept out.
        """
        profile = self.find(identity.user) or await self._lives.get(profile_stream(identity.user))
        if profile is None:
            profile = await self._create(identity)
        if not profile.lets_in(identity.issued):
            raise Unauthenticated
        return profile

    async def _create(self, identity: Identity) -> Profile:
        at = self._now()
        user = identity.user
        name = as_name(identity.name or "") or user

        def decide(head: Profile | None) -> Profile:
            return head or Profile.create(user, name, actor=user, at=at)

        await self._lives.submit(profile_stream(user), decide)
        return await self.get(user)

    async def get(self, user: str) -> Profile:
        """The live, committed profile. Raises `NotFound`."""
        found = await self._lives.get(profile_stream(user))
        if found is None:
            raise NotFound("there is no such user")
        assert isinstance(found, Profile)
        return found

    def find(self, user: str) -> Profile | None:
        """The same when it is in memory."""
        return self._lives.find(profile_stream(user))

    async def change(
        self, user: str, *, name: str | None, colour: str | None, avatar: str | None, actor: str
    ) -> Profile:
        """Change what is given. Raises `NotFound`, `TextInvalid`, `ProfileInvalid`."""
        await self._change(
            user,
            lambda profile, at: profile.change(name=name, colour=colour, avatar=avatar, actor=actor, at=at),
        )
        return await self.get(user)

    async def sign_out(self, user: str, *, actor: str) -> None:
        """Void every token and ticket that `user` has. Raises `NotFound`."""
        await self._change(user, lambda profile, at: profile.sign_out(actor=actor, at=at))

    async def disable(self, user: str, *, actor: str) -> None:
        """Keep `user` out. Raises `NotFound`."""
        await self._change(user, lambda profile, at: profile.disable(actor=actor, at=at))

    async def enable(self, user: str, *, actor: str) -> None:
        """Let `user` in again. Raises `NotFound`."""
        await self._change(user, lambda profile, at: profile.enable(actor=actor, at=at))

    async def _change(self, user: str, change: Callable[[Profile, datetime], None]) -> None:
        at = self._now()

        def decide(head: Profile | None) -> Profile:
            if head is None:
                raise NotFound("there is no such user")
            change(head, at)
            return head

        await self._lives.submit(profile_stream(user), decide)
