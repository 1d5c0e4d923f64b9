"""A person: what others see of them, and whether they may come in at all.

One stream per user, `profile:/ada`. It begins when somebody is seen for the first time.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Self
from urllib.parse import urlsplit

from eventsourcing.utils import register_topic

from domain.aggregate import Aggregate, Event, InitialEvent
from domain.colours import check_colour, colour_of
from domain.errors import ProfileInvalid
from domain.ids import profile_stream
from domain.limits import AVATAR_CODE_POINTS
from domain.names import normal_name

_WORDS: Final = re.compile(r"\w+")


class ProfileCreated(InitialEvent):
    """`avatar` is the URL of an image, or empty: then the initials stand there."""

    TOPIC = "profile.created"
    user: str
    name: str
    colour: str
    avatar: str


class ProfileChanged(Event):
    """The whole profile as it is from here on."""

    TOPIC = "profile.changed"
    name: str
    colour: str
    avatar: str

    def apply(self, aggregate: Profile) -> None:
        aggregate.name = self.name
        aggregate.colour = self.colour
        aggregate.avatar = self.avatar


class SignedOut(Event):
    """What was issued until now lets nobody in any more."""

    TOPIC = "profile.signed_out"

    def apply(self, aggregate: Profile) -> None:
        aggregate.signed_out_on = self.timestamp


class Disabled(Event):
    """By somebody who runs the server: this user may not come in."""

    TOPIC = "profile.disabled"

    def apply(self, aggregate: Profile) -> None:
        aggregate.is_disabled = True


class Enabled(Event):
    TOPIC = "profile.enabled"

    def apply(self, aggregate: Profile) -> None:
        aggregate.is_disabled = False


class Profile(Aggregate):
    TOPIC = "profile"

    def __init__(self, user: str, name: str, colour: str, avatar: str) -> None:
        self.user = user
        self.name = name
        self.colour = colour
        self.avatar = avatar
        self.signed_out_on: datetime | None = None
        self.is_disabled = False

    @classmethod
    def create(cls, user: str, name: str, *, actor: str, at: datetime) -> Self:
        """The profile of somebody who is here for the first time. Raises `TextInvalid`."""
        return cls._create(
            ProfileCreated,
            id=profile_stream(user),
            timestamp=at,
            actor=actor,
            user=user,
            name=normal_name(name),
            colour=colour_of(user),
            avatar="",
        )

    def change(
        self, *, name: str | None, colour: str | None, avatar: str | None, actor: str, at: datetime
    ) -> None:
        """Take what is given, keep the rest. Raises `TextInvalid`, `ProfileInvalid`."""
        changed = (
            self.name if name is None else normal_name(name),
            self.colour if colour is None else check_colour(colour),
            self.avatar if avatar is None else check_avatar(avatar),
        )
        if changed != (self.name, self.colour, self.avatar):
            new_name, new_colour, new_avatar = changed
            self.trigger_event(
                ProfileChanged,
                timestamp=at,
                actor=actor,
                name=new_name,
                colour=new_colour,
                avatar=new_avatar,
            )

    def sign_out(self, *, actor: str, at: datetime) -> None:
        """Void everything that was issued until `at`."""
        if self.signed_out_on is None or self.signed_out_on < at:
            self.trigger_event(SignedOut, timestamp=at, actor=actor)

    def disable(self, *, actor: str, at: datetime) -> None:
        if not self.is_disabled:
            self.trigger_event(Disabled, timestamp=at, actor=actor)

    def enable(self, *, actor: str, at: datetime) -> None:
        if self.is_disabled:
            self.trigger_event(Enabled, timestamp=at, actor=actor)

    def lets_in(self, issued: datetime) -> bool:
        """Whether somebody with a token issued then is let in. Tokens know whole seconds only."""
        return not self.is_disabled and (
            self.signed_out_on is None or issued > self.signed_out_on.replace(microsecond=0)
        )


register_topic(Profile.TOPIC, Profile)


def check_avatar(avatar: str) -> str:
    """An avatar's URL, or empty. Raises `ProfileInvalid`."""
    if not avatar:
        return ""
    if len(avatar) > AVATAR_CODE_POINTS or not avatar.isascii() or not avatar.isprintable() or " " in avatar:
        raise ProfileInvalid("an avatar is a URL of plain characters", field="avatar")
    try:
        parts = urlsplit(avatar)
    except ValueError:
        parts = urlsplit("")
    # A page that is served over TLS shows no image that is not.
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise ProfileInvalid("an avatar's URL begins with https://", field="avatar")
    return avatar


def initials_of(name: str) -> str:
    """What stands in the circle of somebody without an image: first letters of first and last word."""
    words: list[str] = _WORDS.findall(name)
    if not words:
        return name[:1]
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return letters.upper()
