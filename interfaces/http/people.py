"""Who one is and how one looks: `/api/me`, `/api/profile`, `/api/profiles`, guests, tickets, signing out."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import Final

from aiohttp import web

from application.identity import agent_class
from domain.errors import NotFound
from domain.ids import is_id
from domain.instants import as_microseconds
from interfaces.http.answers import (
    GuestAnswer,
    MeAnswer,
    ProfilesAnswer,
    TicketAnswer,
    answer,
    check_precondition,
    is_known,
    not_modified,
    profile_answer,
    version_etag,
)
from interfaces.http.bodies import NewGuest, ProfileChange, ProfilesQuery
from interfaces.http.keys import ENTRANCE, IDENTITY, PROFILE, PROFILES, SERVICES, TOKENS

# A guest is a browser on somebody's own machine: it is the same one until its storage is cleared.
GUEST_LIFETIME: Final = timedelta(days=30)

# The part of a guest's id that is made of the name, for people who read the log.
_SLUG_CODE_POINTS: Final = 20
_NO_SLUG: Final = re.compile(r"[^a-z0-9]+")


async def become_guest(request: web.Request, body: NewGuest) -> web.Response:
    """Come in without an account, while the server has none: on one's own machine."""
    if not request.app[ENTRANCE].is_development:
        raise NotFound("this server has no guests")
    name = body.name or "Guest"
    slug = _NO_SLUG.sub("-", name.lower()).strip("-")[:_SLUG_CODE_POINTS].strip("-")
    user = f"guest-{slug}-{secrets.token_hex(3)}" if slug else f"guest-{secrets.token_hex(3)}"
    token = request.app[TOKENS].sign(user, name=name, lifetime=GUEST_LIFETIME)
    expires = request.app[SERVICES].now() + GUEST_LIFETIME
    return answer(GuestAnswer(user=user, token=token, expires=as_microseconds(expires)), 201)


async def buy_ticket(request: web.Request) -> web.Response:
    """A ticket that opens one socket, once, soon, from the same page and kind of program."""
    ticket = await request.app[SERVICES].tickets.issue(
        request[IDENTITY],
        origin=request.headers.get("Origin"),
        agent=agent_class(request.headers.get("User-Agent")),
    )
    told = TicketAnswer(ticket=ticket.value, expires=as_microseconds(ticket.expires))
    return answer(told, 201)


async def look_at_oneself(request: web.Request) -> web.Response:
    """Who one is, by the token that was shown."""
    identity = request[IDENTITY]
    told = MeAnswer(
        **profile_answer(request[PROFILE]).model_dump(),
        is_admin=identity.is_admin,
        expires=as_microseconds(identity.expires),
    )
    return answer(told)


async def change(request: web.Request, body: ProfileChange) -> web.Response:
    """Change how one looks. With `If-Match`, only what one has seen."""
    check_precondition(request, version_etag(request, request[PROFILE]))
    user = request[IDENTITY].user
    changed = await request.app[SERVICES].profiles.change(
        user, name=body.name, colour=body.colour, avatar=body.avatar, actor=user
    )
    return answer(profile_answer(changed), etag=version_etag(request, changed))


async def sign_out(request: web.Request) -> web.Response:
    """Void every token and ticket of one's own that was issued until now, and end what was opened by them."""
    user = request[IDENTITY].user
    await request.app[SERVICES].profiles.sign_out(user, actor=user)
    return web.Response(status=204)


async def look(request: web.Request) -> web.Response:
    """How a user looks."""
    profile = await request.app[SERVICES].profiles.get(user_of(request))
    etag = version_etag(request, profile)
    return not_modified(etag) if is_known(request, etag) else answer(profile_answer(profile), etag=etag)


async def find(request: web.Request, query: ProfilesQuery) -> web.Response:
    """The users named, or those whose id or name begins so; a moment behind the log."""
    profiles = request.app[PROFILES]
    if query.user:
        found = await profiles.get_many(query.user)
        return answer(ProfilesAnswer(profiles=[profile_answer(p) for p in found], next=None))
    found = await profiles.find(query.prefix, query.after, query.limit)
    following = found[-1].user if len(found) == query.limit else None
    return answer(ProfilesAnswer(profiles=[profile_answer(p) for p in found], next=following))


async def disable(request: web.Request) -> web.Response:
    """Keep a user out, and end what they have open."""
    await request.app[SERVICES].profiles.disable(user_of(request), actor=operator(request))
    return web.Response(status=204)


async def enable(request: web.Request) -> web.Response:
    """Let a user in again."""
    await request.app[SERVICES].profiles.enable(user_of(request), actor=operator(request))
    return web.Response(status=204)


def operator(request: web.Request) -> str:
    """Who runs the server: an administrator, or somebody on its machine."""
    identity = request.get(IDENTITY)
    return identity.user if identity is not None else "@operator"


def user_of(request: web.Request) -> str:
    user = request.match_info["user"]
    if not is_id(user):
        raise NotFound("there is no such user")
    return user
